//! `GET /queue/jobs/{id}/events`: [`events`], what a job tells as it comes.
//!
//! The reader asks and is given: what it does not take is not kept for it. One that takes nothing for long loses the connection,
//! as all do, and finds the rest by `Last-Event-ID` when it comes back.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{Extension, Path, State},
    response::Response,
};
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, stream};
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE},
};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    Desk, broken, no_such_job,
    tail::{POLL, Seen, Tail},
};
use crate::{job::JobId, provider::relay::Problem, serve::callers::Caller};

/// After how long without a word a comment says that the connection stands.
const SILENCE: Duration = Duration::from_secs(15);
/// What a stream begins with: after how many milliseconds to come back.
const BEGINNING: &str = "retry: 1000\n\n";
const STILL_HERE: &str = ": still here\n\n";
const LAST_EVENT: HeaderName = HeaderName::from_static("last-event-id");
/// Nginx passes answers on in pieces of its own otherwise.
const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Tells what a job tells.
pub(super) async fn events(
    State(desk): State<Arc<Desk>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    desk.events(&caller, &id, &headers).await.unwrap_or_else(Problem::into_response)
}

impl Desk {
    async fn events(&self, caller: &Caller, id: &str, headers: &HeaderMap) -> Result<Response, Problem> {
        let after = last_event(headers)?;
        let tail = self.tails.of(&JobId::parse(id).ok_or_else(no_such_job)?);
        if !tail.is_of(&caller.tenant).await.map_err(broken)? {
            return Err(no_such_job());
        }
        let watching = Watching {
            news: tail.listen(),
            tail,
            seen: Seen { event: after, mark: None },
            spoke: None,
            end: self.end.clone(),
        };
        let mut response = Response::new(Body::from_stream(watching.stream()));
        let headers = [(CONTENT_TYPE, "text/event-stream"), (CACHE_CONTROL, "no-store"), (BUFFERING, "no")];
        for (name, value) in headers {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        Ok(response)
    }
}

fn last_event(headers: &HeaderMap) -> Result<u64, Problem> {
    let Some(header) = headers.get(LAST_EVENT) else { return Ok(0) };
    header.to_str().ok().and_then(|text| text.trim().parse().ok()).ok_or_else(|| {
        Problem::new(StatusCode::BAD_REQUEST, "`Last-Event-ID` must be the number of an event")
            .code("invalid_value")
            .about("last-event-id")
    })
}

/// Somebody who watches a job.
struct Watching {
    tail: Arc<Tail>,
    news: watch::Receiver<u64>,
    seen: Seen,
    /// When something was last said; `None` at the beginning.
    spoke: Option<Instant>,
    end: CancellationToken,
}

impl Watching {
    fn stream(self) -> impl Stream<Item = Result<Bytes, Infallible>> {
        stream::unfold(self, async |mut watching| {
            let text = watching.next().await?;
            watching.spoke = Some(Instant::now());
            Some((Ok(text), watching))
        })
    }

    /// What is to be said next; `None` when that was all.
    async fn next(&mut self) -> Option<Bytes> {
        let Some(spoke) = self.spoke else { return Some(Bytes::from_static(BEGINNING.as_bytes())) };
        loop {
            if self.seen.mark.is_some_and(|(state, _)| state.is_final()) || self.end.is_cancelled() {
                return None;
            }
            self.news.mark_unchanged();
            // A store that fails is asked again, as if nothing had been heard.
            let told = self.tail.after(&mut self.seen).await.unwrap_or_else(|_| Some(Vec::new()))?;
            if !told.is_empty() {
                return Some(joined(&told));
            }
            tokio::select! {
                // Its sender lives as long as the tail, and so as long as this.
                _ = timeout(POLL, self.news.changed()) => {}
                () = sleep_until(spoke + SILENCE) => return Some(Bytes::from_static(STILL_HERE.as_bytes())),
                () = self.end.cancelled() => return None,
            }
        }
    }
}

fn joined(pieces: &[Bytes]) -> Bytes {
    let mut all = BytesMut::with_capacity(pieces.iter().map(Bytes::len).sum());
    for piece in pieces {
        all.extend_from_slice(piece);
    }
    all.freeze()
}
