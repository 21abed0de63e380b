//! What passes through the gateway besides requests and answers: which headers, and what becomes of an answer that breaks off.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use tokio::time::{Instant, timeout_at};

use crate::{
    coalesce::{Broken, Head, Reader, Role},
    provider::relay::{self, Problem, Torn, is_events},
};

/// Tells a caller how it got its answer.
const COALESCED: HeaderName = HeaderName::from_static("x-scrum-coalesced");
/// How many seconds a caller is going to wait.
const TIMEOUT: &str = "x-scrum-timeout";

/// Headers of a caller that are the provider's affair. All others stay here: what a proxy or a browser adds is nobody's business.
const FOR_PROVIDERS: &[&str] =
    &["anthropic-beta", "http-referer", "idempotency-key", "openai-beta", "x-title"];

/// Headers of an answer that are about its connection, or about whoever keeps the account with the provider.
const NOT_FOR_CALLERS: &[&str] = &[
    "alt-svc",
    "connection",
    "keep-alive",
    "openai-organization",
    "openai-project",
    "proxy-authenticate",
    "set-cookie",
    "strict-transport-security",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The headers that go on to the provider.
pub(super) fn for_provider(headers: &HeaderMap) -> HeaderMap {
    let named = |name: &&'static str| Some((HeaderName::from_static(name), headers.get(*name)?.clone()));
    FOR_PROVIDERS.iter().filter_map(named).collect()
}

/// When the caller stops waiting: when it said, but not after `longest`.
pub(in crate::serve) fn deadline(headers: &HeaderMap, longest: Duration) -> Instant {
    let seconds = headers.get(TIMEOUT).and_then(|value| value.to_str().ok()?.trim().parse::<f64>().ok());
    let asked = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    Instant::now() + asked.unwrap_or(longest).min(longest)
}

/// The answer of a flight, for one of those who share it.
pub(in crate::serve) async fn shared(role: Role, mut reader: Reader, deadline: Instant) -> Response<Body> {
    let head = match timeout_at(deadline, reader.head()).await {
        Ok(Ok(head)) => head,
        Ok(Err(broken)) => return problem(&broken).into_response(),
        Err(_) => return too_late().into_response(),
    };
    let Head { status, headers } = &*head;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = *status;
    response.headers_mut().clone_from(headers);
    response.headers_mut().insert(COALESCED, HeaderValue::from_static(role.name()));
    let pieces = until(deadline, reader);
    if is_events(headers) {
        // An event about what went wrong may follow.
        response.headers_mut().remove(header::CONTENT_LENGTH);
        return response.map(|_| Body::from_stream(told(pieces)));
    }
    response.map(|_| Body::from_stream(pieces))
}

/// An answer that nobody else gets, as it came: whether it is whole is for its reader to see.
pub(super) fn alone(answer: Response<relay::Body>) -> Response<Body> {
    let (parts, body) = answer.into_parts();
    let as_it_came = |piece: &Result<Bytes, Torn>| !matches!(piece, Err(Torn::Unfinished | Torn::Reported));
    let body = body.take_while(move |piece| std::future::ready(as_it_came(piece)));
    Response::from_parts(parts, Body::from_stream(body))
}

/// The caller's own time is over before there was an answer.
pub(in crate::serve) fn too_late() -> Problem {
    Problem::new(StatusCode::GATEWAY_TIMEOUT, "no answer within the time asked for").code("timeout")
}

/// `answer` with the headers that are for callers.
pub(super) fn for_callers<B>(mut answer: Response<B>) -> Response<B> {
    for name in NOT_FOR_CALLERS {
        answer.headers_mut().remove(*name);
    }
    answer
}

/// What a reader of an answer may get to hear.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error(transparent)]
    Broken(Broken),
    #[error("no whole answer within the time asked for")]
    TooLate,
}

/// `reader`'s pieces, but none after `deadline`.
fn until(deadline: Instant, reader: Reader) -> impl Stream<Item = Result<Bytes, Ended>> {
    stream::unfold(Some(reader), move |reader| async move {
        let mut reader = reader?;
        match timeout_at(deadline, reader.next()).await {
            // All of it has been passed on, and says so itself.
            Ok(Some(Err(Broken::Reported))) => None,
            Ok(piece) => Some((piece?.map_err(Ended::Broken), Some(reader))),
            Err(_) => Some((Err(Ended::TooLate), None)),
        }
    })
}

/// Events, the last of which says what went wrong, if something did. Then the connection breaks, so that nobody takes it for
/// a whole answer.
fn told(
    pieces: impl Stream<Item = Result<Bytes, Ended>> + Send,
) -> impl Stream<Item = Result<Bytes, Ended>> + Send {
    stream::unfold(State::Going(Box::pin(pieces)), |state| async move {
        let ended = match state {
            State::Going(mut pieces) => match pieces.next().await? {
                Ok(piece) => return Some((Ok(piece), State::Going(pieces))),
                Err(ended) => ended,
            },
            State::Told(ended) => {
                // What was told is written before the connection is given up.
                tokio::task::yield_now().await;
                return Some((Err(ended), State::Over));
            }
            State::Over => return None,
        };
        let problem = match &ended {
            Ended::Broken(broken) => problem(broken),
            Ended::TooLate => Problem { message: ended.to_string(), ..too_late() },
        };
        Some((Ok(Bytes::from(problem.to_event())), State::Told(ended)))
    })
}

enum State<S> {
    Going(std::pin::Pin<Box<S>>),
    Told(Ended),
    Over,
}

fn problem(broken: &Broken) -> Problem {
    let (status, code) = match broken {
        Broken::Upstream(_) | Broken::Reported => (StatusCode::BAD_GATEWAY, "provider_failed"),
        Broken::TooOld => (StatusCode::GATEWAY_TIMEOUT, "timeout"),
        Broken::TooSlow => (StatusCode::REQUEST_TIMEOUT, "too_slow"),
        Broken::Lost => (StatusCode::SERVICE_UNAVAILABLE, "given_up"),
    };
    Problem::new(status, broken.to_string()).code(code)
}
