//! `POST /api/threads`: [`begin`].

use std::sync::Arc;

use axum::{
    extract::{Extension, Request, State},
    response::Response,
};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json as object;

use super::{Desk, about, bounded, broken, json, nameless, parsed, viewer};
use crate::{clock, conversation::Thread, provider::relay::Problem, serve::callers::Caller};

/// Most characters of a title.
const LONGEST_TITLE: usize = 200;

/// A thread that somebody wants to begin.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    title: String,
    /// `latest`, the id of a run, or the beginning of one.
    run: Option<String>,
    /// The id of an issue of that run, or the beginning of it; all of them where it is left out.
    issue: Option<String>,
}

/// Begins a thread.
pub(super) async fn begin(
    State(desk): State<Arc<Desk>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Response {
    desk.begin(&caller, request).await.unwrap_or_else(Problem::into_response)
}

impl Desk {
    async fn begin(self: Arc<Self>, caller: &Caller, request: Request) -> Result<Response, Problem> {
        let (body, _room) = self.gateway.whole(request.into_body()).await?;
        let Wanted { title, run, issue } = parsed(&body)?;
        let title = bounded("title", &title, LONGEST_TITLE)?;
        let about = match (run, issue) {
            (Some(run), issue) => Some(about::about(&self, caller, run, issue).await?),
            (None, None) => None,
            (None, Some(_)) => {
                let problem = Problem::new(StatusCode::BAD_REQUEST, "`issue` is given and `run` is not");
                return Err(problem.code("invalid_value").about("run"));
            }
        };
        let id = clock::identifier().map_err(nameless)?;
        let thread = Thread { id: id.clone(), title, about, created: clock::now() };
        self.threads.begin(&viewer(caller), thread, None).await.map_err(broken)?;
        Ok(json(StatusCode::CREATED, &object!({ "thread_id": id })))
    }
}
