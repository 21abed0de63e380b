//! Passes a caller's chat request on to an endpoint, and its answer back as the bytes that come: [`Relay`].
//!
//! To a server that speaks `OpenAI`'s chat completions nothing is changed, whatever is in the request. Nothing is asked twice
//! here, and nothing waits: retries and limits belong to whoever asks.

pub mod messages;
mod problem;
mod translated;
mod watch;

use std::{pin::Pin, time::Duration};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http::{HeaderMap, Response};
use tokio::time::timeout;

use super::{
    AskError, Provider, anthropic,
    endpoint::{Endpoint, Protocol},
};
use crate::reviewer::Reviewer;
pub use problem::Problem;
pub use watch::Watch;

/// The body of an answer. An error in it says that it is not whole.
pub type Body = Pin<Box<dyn Stream<Item = Result<Bytes, Torn>> + Send>>;

/// An endpoint that answers other people's requests.
#[derive(Clone)]
pub struct Relay {
    endpoint: Endpoint,
    /// Longest silence within an answer.
    idle: Duration,
    /// Most tokens of an answer where a request names none and the protocol insists on a number.
    usual_limit: u32,
}

/// Why an answer is not whole. Its words name no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Torn {
    /// The connection broke.
    #[error("{0}")]
    Lost(String),
    /// Nothing more came.
    #[error("the provider said nothing for {} s", .0.as_secs())]
    Silent(Duration),
    /// The stream ended too early.
    #[error("the provider ended the stream before the answer was whole")]
    Unfinished,
    /// The provider reported an error inside its answer, which has been passed on.
    #[error("the provider reported an error in the middle of its answer")]
    Reported,
}

/// A request that reached nobody. Its words name no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Unreached {
    /// For people.
    pub reason: String,
    /// Whether another attempt may go better.
    pub for_now: bool,
}

impl Relay {
    /// What passes requests on to `provider`, which `reviewer` was opened as; `None` if that is no endpoint.
    pub fn to(provider: &Provider, reviewer: &Reviewer) -> Option<Self> {
        match provider {
            Provider::OpenAi(endpoint) | Provider::Anthropic(endpoint) => {
                let usual_limit = reviewer.max_output_tokens.unwrap_or(anthropic::DEFAULT_LIMIT);
                Some(Self { endpoint: endpoint.clone(), idle: reviewer.idle_timeout, usual_limit })
            }
            Provider::Command(_) | Provider::Replay(_) | Provider::Sarif(_) | Provider::Builtin(..) => None,
        }
    }

    /// Sends `body`, a chat request, with `headers` besides those that the endpoint needs. Any status is an answer.
    pub async fn send(&self, body: Bytes, headers: HeaderMap) -> Result<Response<Body>, Unreached> {
        match self.endpoint.protocol() {
            Protocol::Chat => self.post("/chat/completions", body, headers).await,
            Protocol::Messages => translated::send(self, body, headers).await,
        }
    }

    async fn post(&self, path: &str, body: Bytes, headers: HeaderMap) -> Result<Response<Body>, Unreached> {
        let sent = timeout(self.idle, self.endpoint.post(path, body, headers)).await;
        let answer = sent.map_err(|_| Unreached::silent(self.idle))?.map_err(Unreached::from)?;
        let mut response = Response::new(());
        *response.status_mut() = answer.status();
        *response.headers_mut() = answer.headers().clone();
        Ok(response.map(|()| self.body(answer)))
    }

    /// The body as it comes.
    fn body(&self, answer: reqwest::Response) -> Body {
        let (idle, endpoint) = (self.idle, self.endpoint.clone());
        let pieces = Box::pin(answer.bytes_stream());
        Box::pin(stream::unfold(Some((pieces, endpoint)), move |left| async move {
            let (mut pieces, endpoint) = left?;
            match timeout(idle, pieces.next()).await {
                Ok(None) => None,
                Ok(Some(Ok(piece))) => Some((Ok(piece), Some((pieces, endpoint)))),
                Ok(Some(Err(error))) => Some((Err(Torn::Lost(endpoint.lost(&error).to_string())), None)),
                Err(_) => Some((Err(Torn::Silent(idle)), None)),
            }
        }))
    }
}

impl Unreached {
    fn silent(idle: Duration) -> Self {
        Self { reason: format!("the provider said nothing for {} s", idle.as_secs()), for_now: true }
    }
}

impl From<AskError> for Unreached {
    fn from(error: AskError) -> Self {
        let for_now =
            !matches!(error, AskError::Permanent { .. } | AskError::Unavailable { for_now: false, .. });
        Self { reason: error.to_string(), for_now }
    }
}
