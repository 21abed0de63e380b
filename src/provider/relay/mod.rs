//! Passes a caller's chat request on to an endpoint, and its answer back as the bytes that come: [`Relay`].
//!
//! To a server that speaks `OpenAI`'s chat completions nothing is changed, whatever is in the request. Nothing is asked twice
//! here, and nothing waits: retries and limits belong to whoever asks.

pub mod messages;
mod peer;
mod problem;
mod translated;
mod watch;

use std::{pin::Pin, time::Duration};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http::{
    HeaderMap, Response, StatusCode,
    header::{CONTENT_LENGTH, TRANSFER_ENCODING},
};
use tokio::time::timeout;

use super::{
    AskError, Provider, anthropic,
    endpoint::{Endpoint, Protocol},
};
use crate::{coalesce::Broken, reviewer::Reviewer};
pub use peer::Peer;
pub use problem::Problem;
pub use watch::{Watch, is_events};

/// The body of an answer. An error in it says that it is not whole.
pub type Body = Pin<Box<dyn Stream<Item = Result<Bytes, Torn>> + Send>>;

/// Most bytes of an answer that is held as a whole.
const LONGEST_ANSWER: usize = 8 << 20;

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
    /// The provider reported an error inside its answer, or sent something that is none; it has been passed on.
    #[error("the provider reported an error in the middle of its answer")]
    Reported,
}

impl From<Torn> for Broken {
    fn from(torn: Torn) -> Self {
        match torn {
            Torn::Reported => Self::Reported,
            Torn::Lost(_) | Torn::Silent(_) | Torn::Unfinished => torn.to_string().into(),
        }
    }
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
        if answer.status().is_informational() {
            return Err(Unreached::changed());
        }
        let mut response = Response::new(());
        *response.status_mut() = answer.status();
        *response.headers_mut() = self.headers(answer.headers());
        if answer.status().is_success() {
            return Ok(response.map(|()| self.body(answer)));
        }
        Ok(self.without_key(response, whole(self.body(answer)).await))
    }

    /// Without the key, and without a length that does not count because the answer came in pieces.
    fn headers(&self, told: &HeaderMap) -> HeaderMap {
        let mut headers = told.clone();
        self.endpoint.keep_key_out_of(&mut headers);
        if headers.contains_key(TRANSFER_ENCODING) {
            headers.remove(CONTENT_LENGTH);
        }
        headers
    }

    /// An error as it was told: some servers repeat the key that they do not accept.
    fn without_key(&self, head: Response<()>, page: Result<Vec<u8>, Torn>) -> Response<Body> {
        let page = match page.map(String::from_utf8) {
            Ok(Ok(text)) => self.endpoint.without_key(text).into_bytes(),
            Ok(Err(error)) => {
                let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
                let clean = self.endpoint.without_key(text.clone());
                if clean == text { error.into_bytes() } else { clean.into_bytes() }
            }
            Err(torn) => return once(Problem::new(StatusCode::BAD_GATEWAY, torn.to_string())),
        };
        let mut response = head.map(|()| all_at_once(page));
        response.headers_mut().remove(CONTENT_LENGTH);
        response
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

/// All of a body that is no stream.
async fn whole(mut body: Body) -> Result<Vec<u8>, Torn> {
    let mut page = Vec::new();
    while let Some(piece) = body.next().await {
        page.extend_from_slice(&piece?);
        if page.len() > LONGEST_ANSWER {
            return Err(Torn::Lost(format!(
                "the provider's answer is longer than {} MiB",
                LONGEST_ANSWER >> 20
            )));
        }
    }
    Ok(page)
}

fn all_at_once(text: impl Into<Bytes>) -> Body {
    stream::iter([Ok(text.into())]).boxed()
}

/// An answer of our own.
fn once(problem: Problem) -> Response<Body> {
    problem.into_response::<String>().map(all_at_once)
}

impl Unreached {
    fn silent(idle: Duration) -> Self {
        Self { reason: format!("the provider said nothing for {} s", idle.as_secs()), for_now: true }
    }

    fn changed() -> Self {
        Self {
            reason: "the provider changed to another protocol instead of answering".to_owned(),
            for_now: false,
        }
    }
}

impl From<AskError> for Unreached {
    fn from(error: AskError) -> Self {
        let for_now =
            !matches!(error, AskError::Permanent { .. } | AskError::Unavailable { for_now: false, .. });
        Self { reason: error.to_string(), for_now }
    }
}
