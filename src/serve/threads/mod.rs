//! `/api/threads`: conversations with the configured models. [`Desk`] is what all their requests share.
//!
//! ```text
//! POST a message ─▶ Flights: the thread and the message make the key ─▶ leader: history ─ Upstream ─ store the turn ─▶ answer
//!                      └─▶ followers, kept answers: the same turn
//! ```
//!
//! A message's call stores the question with its answer, at once, before it ends. docs/design/threads.md says why it is done so.

mod about;
mod begin;
mod gather;
mod post;
mod read;
mod turn;
mod wire;

use std::sync::Arc;

use axum::{
    Router,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header::CONTENT_TYPE};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    callers::Caller,
    dashboard::Board,
    gateway::Gateway,
    operation::{BEGIN_THREAD, Operation, POST_MESSAGE, READ_THREAD},
};
use crate::{
    conversation::{Message, Thread, Viewer},
    prompt::Templates,
    provider::relay::Problem,
    report,
    store::{self, database::DatabaseError},
};

/// Longest id that is looked for.
const LONGEST_ID: usize = 64;

/// What all requests about threads share.
pub(super) struct Desk {
    pub(super) gateway: Arc<Gateway>,
    pub(super) threads: store::threads::Threads,
    /// Where runs are that a thread may be about.
    pub(super) runs: store::Store,
    /// Knows whose they are.
    pub(super) board: Arc<Board>,
    pub(super) templates: Templates,
}

/// The addresses of threads, with and without the slash at the end.
pub(super) fn router<S: Clone + Send + Sync + 'static>(desk: Arc<Desk>) -> Router<S> {
    let offers = [
        (BEGIN_THREAD, BEGIN_THREAD.by(begin::begin)),
        (READ_THREAD, READ_THREAD.by(read::read)),
        (POST_MESSAGE, POST_MESSAGE.by(post::post)),
    ];
    let mut router = Router::new();
    for (Operation { path, .. }, method) in offers {
        router = router.route(path, method.clone()).route(&format!("{path}/"), method);
    }
    router.with_state(desk)
}

impl Desk {
    /// A thread and what of it the viewer may see.
    async fn thread(&self, viewer: &Viewer, id: &str) -> Result<(Thread, Vec<Message>), Problem> {
        let found = if id.len() > LONGEST_ID {
            None
        } else {
            self.threads.thread(viewer, id).await.map_err(broken)?
        };
        found.ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "no such thread").code("thread_not_found"))
    }
}

/// The caller as one who looks at threads.
fn viewer(caller: &Caller) -> Viewer {
    Viewer { tenant: caller.tenant.to_string(), credential: caller.credential().to_vec() }
}

/// A body, or what is wrong with it.
fn parsed<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| {
        Problem::new(StatusCode::BAD_REQUEST, format!("the body cannot be used: {error}"))
            .code("invalid_body")
    })
}

/// `text` without the space around it, if it is not empty and has at most `most` characters.
fn bounded(name: &'static str, text: &str, most: usize) -> Result<String, Problem> {
    let text = text.trim();
    let wrong = match text.chars().nth(most) {
        Some(_) => format!("`{name}` is longer than {most} characters"),
        None if text.is_empty() => format!("`{name}` is empty"),
        None => return Ok(text.to_owned()),
    };
    Err(Problem::new(StatusCode::BAD_REQUEST, wrong).code("invalid_value").about(name))
}

/// The database does not do its part. Its words name a file, so callers do not get them.
fn broken(_: DatabaseError) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "threads cannot be kept at the moment")
        .code("store_failed")
        .retry_after(1)
}

/// No randomness: nothing can be named.
fn nameless(error: getrandom::Error) -> Problem {
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, format!("the system gives no randomness: {error}"))
}

/// Without characters that a terminal obeys.
fn json(status: StatusCode, body: &impl Serialize) -> Response {
    let text = serde_json::to_string(body).map(report::json::printable);
    let text = text.unwrap_or_else(|_| "{}".to_owned());
    (status, [(CONTENT_TYPE, "application/json")], text).into_response()
}
