//! Passes chat requests on to Anthropic's Messages API, and its answers back, in the words of each: [`send`].

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{
    HeaderMap, HeaderName, HeaderValue, Response, StatusCode,
    header::{CONTENT_LENGTH, CONTENT_TYPE},
};
use jiff::Timestamp;
use serde::Deserialize;

use super::{
    Body, Problem, Relay, Torn, Unreached, all_at_once, is_events,
    messages::{self, Translator, Unreadable},
    once, whole,
};
use crate::{provider::anthropic::VERSION, retry_after};

const VERSION_HEADER: HeaderName = HeaderName::from_static("anthropic-version");

/// What of a chat request decides about the form of its answer.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Wish {
    stream_options: Option<StreamOptions>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct StreamOptions {
    include_usage: Option<bool>,
}

/// Sends `body`, a chat request. What cannot be translated is refused in an answer of our own.
pub(super) async fn send(
    relay: &Relay,
    body: Bytes,
    mut headers: HeaderMap,
) -> Result<Response<Body>, Unreached> {
    let message = match messages::request(&body, relay.usual_limit) {
        Ok(message) => message,
        Err(error) => {
            let mut problem = Problem::new(StatusCode::BAD_REQUEST, error.reason).code("not_translatable");
            problem.parameter = Some(error.parameter).filter(|parameter| !parameter.is_empty());
            return Ok(once(problem));
        }
    };
    let wish: Wish = serde_json::from_slice(&body).unwrap_or_default();
    let wants_usage = wish.stream_options.and_then(|options| options.include_usage).unwrap_or_default();
    headers.insert(VERSION_HEADER, HeaderValue::from_static(VERSION));
    let mut answer = relay.post("/messages", message.into(), headers).await?;
    answer.headers_mut().remove(CONTENT_LENGTH);
    let created = retry_after::server_time(answer.headers()).map_or(0, Timestamp::as_second);
    Ok(said_back(answer, wants_usage, created).await)
}

async fn said_back(answer: Response<Body>, wants_usage: bool, created: i64) -> Response<Body> {
    let status = answer.status();
    if status.is_success() && is_events(answer.headers()) {
        return answer.map(|body| events(body, Translator::new(wants_usage, created)));
    }
    let (mut parts, body) = answer.into_parts();
    let page = match whole(body).await {
        Ok(page) => page,
        Err(torn) => return once(Problem::new(StatusCode::BAD_GATEWAY, torn.to_string())),
    };
    parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if !status.is_success() {
        return Response::from_parts(parts, all_at_once(messages::problem(status, &page)));
    }
    match messages::completion(&page, created) {
        Ok(completion) => Response::from_parts(parts, all_at_once(completion)),
        Err(error) => {
            once(Problem::new(StatusCode::BAD_GATEWAY, error.to_string()).code("provider_unreadable"))
        }
    }
}

/// A stream, translated as it comes.
fn events(body: Body, translator: Translator) -> Body {
    let state = Some((body, translator));
    let translated = stream::unfold(state, |state| async move {
        let (mut body, mut translator) = state?;
        while let Some(piece) = body.next().await {
            match piece.and_then(|piece| Ok(translator.feed(&piece)?)) {
                // Pings and the like say nothing.
                Ok(events) if events.is_empty() => {}
                Ok(events) => return Some((Ok(Bytes::from(events)), Some((body, translator)))),
                Err(torn) => return Some((Err(torn), None)),
            }
        }
        translator.finish().err().map(|error| (Err(error.into()), None))
    });
    translated.boxed()
}

impl From<Unreadable> for Torn {
    fn from(error: Unreadable) -> Self {
        match error {
            Unreadable::Unfinished => Self::Unfinished,
            Unreadable::Reported => Self::Reported,
            Unreadable::Strange(_) | Unreadable::TooLong(_) => Self::Lost(error.to_string()),
        }
    }
}
