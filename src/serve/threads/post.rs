//! `POST /api/threads/{id}/messages`: [`post`].

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Extension, Path, Request, State},
    response::Response,
};
use http::StatusCode;
use serde::Deserialize;
use tokio::time::timeout_at;

use super::{Desk, bounded, nameless, parsed, turn::Asking, viewer};
use crate::{
    clock,
    conversation::{Scope, Thread},
    provider::relay::Problem,
    serve::{
        arrival::arrived,
        callers::Caller,
        gateway::{Upstream, deadline, shared, too_late},
        metrics::{Asked, Coalesced},
    },
};

/// As metrics name it.
const ROUTE: &str = "/api/threads/{id}/messages";

/// Most characters of a message.
const LONGEST_CONTENT: usize = 100_000;
/// Most characters of a reason.
const LONGEST_REASON: usize = 500;

/// A message that somebody posts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Posted {
    /// `user`: other roles are not for callers.
    role: Option<String>,
    content: String,
    /// A reviewer's id, or its kind of provider.
    provider: Option<String>,
    /// A model's name, or a reviewer's id.
    model: Option<String>,
    reason: Option<String>,
    scope: Option<String>,
    #[serde(default)]
    stream: bool,
}

/// Asks a model and stores the turn, once for all who post the same.
pub(super) async fn post(
    State(desk): State<Arc<Desk>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let mut asked = desk.gateway.metrics.asked(ROUTE, arrived(&request));
    let answer = desk.post(&id, &caller, request, &mut asked).await.unwrap_or_else(Problem::into_response);
    asked.answer(answer).map(Body::new)
}

impl Desk {
    async fn post(
        self: Arc<Self>,
        id: &str,
        caller: &Caller,
        request: Request,
        asked: &mut Asked,
    ) -> Result<Response, Problem> {
        let (parts, body) = request.into_parts();
        let deadline = deadline(&parts.headers, self.gateway.settings.answer);
        let (body, room) = timeout_at(deadline, self.gateway.whole(body)).await.map_err(|_| too_late())??;
        let posted: Posted = parsed(&body)?;
        let (thread, earlier) = self.thread(&viewer(caller), id).await?;
        let upstream = self.upstream(&posted, &thread)?;
        let route = format!("POST /api/threads/{}/messages", thread.id);
        let key = self.gateway.key(caller, &route, &parts.headers, &upstream, &body);
        drop((body, room));
        let flight = asked.flight(&upstream.name, &caller.tenant);
        let asking = Self::asking(Arc::clone(&self), posted, caller, &thread, upstream)?;
        let admission = self.gateway.tenants.admit(&caller.tenant, asking.guess(&thread, &earlier))?;
        match key {
            Ok(key) => {
                let (role, reader) = self.gateway.flights.ask(key, move || asking.answer(admission, flight));
                asked.decided(role.into(), &caller.tenant);
                Ok(shared(role, reader, deadline).await)
            }
            Err(reason) => {
                self.gateway.flights.skip(reason);
                asked.decided(Coalesced::Skipped(reason), &caller.tenant);
                let answer = timeout_at(deadline, asking.answer(admission, flight)).await;
                Ok(answer.map_err(|_| too_late())??.map(Body::from_stream))
            }
        }
    }

    fn asking(
        desk: Arc<Self>,
        posted: Posted,
        caller: &Caller,
        thread: &Thread,
        upstream: Arc<Upstream>,
    ) -> Result<Asking, Problem> {
        if posted.role.as_deref().is_some_and(|role| role != "user") {
            return Err(unknown("role", "`user` is the only role that can be posted"));
        }
        let known = |word: &str| Scope::ALL.into_iter().find(|scope| scope.word() == word);
        let scope = posted.scope.as_deref().map_or(Some(Scope::default()), known);
        let reason = posted.reason.filter(|reason| !reason.trim().is_empty());
        Ok(Asking {
            desk,
            upstream,
            viewer: viewer(caller),
            thread: thread.id.clone(),
            caller: caller.name.to_string(),
            ids: [clock::identifier().map_err(nameless)?, clock::identifier().map_err(nameless)?],
            content: bounded("content", &posted.content, LONGEST_CONTENT)?,
            reason: reason.map_or(Ok(String::new()), |reason| bounded("reason", &reason, LONGEST_REASON))?,
            scope: scope.ok_or_else(|| unknown("scope", "`scope` is `private` or `org`"))?,
            stream: posted.stream,
        })
    }

    /// Who is asked: whom the message names, else whom the thread is for, else the first.
    fn upstream(&self, posted: &Posted, thread: &Thread) -> Result<Arc<Upstream>, Problem> {
        let about = thread.about.as_ref().and_then(|about| about.reviewer.as_deref());
        let model = posted.model.as_deref();
        let provider = posted.provider.as_deref().or(about.filter(|_| model.is_none()));
        let fits = |one: &&Arc<Upstream>| {
            let (id, access) = (one.reviewer.id.as_str(), one.reviewer.access.provider());
            model.is_none_or(|name| name == id || name == one.reviewer.model)
                && provider.is_none_or(|name| name == id || name == access)
        };
        let found = self.gateway.routes.iter().find(fits);
        found.cloned().ok_or_else(|| {
            let asked: Vec<&str> = provider.into_iter().chain(model).collect();
            let known = self.gateway.routes.names().join(", ");
            let message =
                format!("nobody called {:?} is configured here; there are {known}", asked.join(" "));
            Problem::new(StatusCode::NOT_FOUND, message).code("model_not_found").about("model")
        })
    }
}

fn unknown(parameter: &'static str, words: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, words).code("invalid_value").about(parameter)
}
