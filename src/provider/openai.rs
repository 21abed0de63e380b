//! `OpenAI`'s chat completions, as `OpenAI` and all compatible servers speak them: [`ask`].
//!
//! async-openai carries the protocol; `wire` has the shapes of what is sent and received, more lenient than its own.

pub(super) mod wire;

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use async_openai::{Client, config::Config, error::OpenAIError, middleware::HttpRequestFactory};
use futures_util::StreamExt;
use reqwest::{Response, header::HeaderMap};
use secrecy::SecretString;

use super::{
    AskError,
    endpoint::{Address, Door, Exchange, Manner, Refusal, Reply, Said, Trouble, gather},
};
use crate::prompt::Prompt;
use wire::{Chunk, Request};

/// Makes one request and reads its answer.
pub(super) async fn ask(
    exchange: Exchange,
    address: &Address,
    manner: &Manner,
    prompt: &Prompt,
) -> Result<Reply, Refusal> {
    let client = Client::build(exchange.http.clone(), address.clone()).with_http_service(exchange.clone());
    let request = Request::new(&exchange.door.model, manner, prompt);
    let chunks = client.chat().create_stream_byot::<_, Chunk>(&request).await;
    let chunks = chunks.map_err(|error| refusal_in(error, &exchange.door))?;
    let door = &exchange.door;
    gather(chunks.map(|chunk| chunk.map(Said::from).map_err(|error| trouble(error, door))), &exchange).await
}

impl Config for Address {
    fn headers(&self) -> HeaderMap {
        self.headers.clone()
    }

    fn url(&self, path: &str) -> String {
        self.of(path)
    }

    fn query(&self) -> Vec<(&str, &str)> {
        Vec::new()
    }

    fn api_base(&self) -> &str {
        &self.base
    }

    fn api_key(&self) -> &SecretString {
        &self.key
    }
}

impl From<Refusal> for OpenAIError {
    fn from(refusal: Refusal) -> Self {
        Self::Boxed(Box::new(refusal))
    }
}

impl tower_service::Service<HttpRequestFactory> for Exchange {
    type Response = Response;
    type Error = Refusal;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Refusal>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Refusal>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, factory: HttpRequestFactory) -> Self::Future {
        let exchange = self.clone();
        Box::pin(async move {
            let request = factory.build().await.map_err(|error| refusal_in(error, &exchange.door))?;
            exchange.run(request).await
        })
    }
}

/// Our own refusal, which came through async-openai, or what else went wrong in it.
fn refusal_in(error: OpenAIError, door: &Door) -> Refusal {
    match error {
        OpenAIError::Boxed(inner) => match inner.downcast::<Refusal>() {
            Ok(own) => *own,
            Err(other) => AskError::permanent(door.clean(&other.to_string())).into(),
        },
        OpenAIError::Reqwest(error) => door.lost(&error).into(),
        other => AskError::permanent(door.clean(&other.to_string())).into(),
    }
}

fn trouble(error: OpenAIError, door: &Door) -> Trouble {
    match error {
        OpenAIError::JSONDeserialize(..) => Trouble::Unreadable,
        OpenAIError::StreamError(error) => Trouble::Lost(door.torn(&error.to_string())),
        OpenAIError::Reqwest(error) => Trouble::Lost(door.lost(&error)),
        other => Trouble::Lost(AskError::permanent(door.clean(&other.to_string()))),
    }
}
