//! `POST /queue/enqueue`: [`enqueue`]. This is what a busy daemon does most, so nothing is asked of the store but once.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Extension, Request, State},
    response::Response,
};
use http::{HeaderMap, HeaderValue, StatusCode, header::LOCATION};

use super::{super::no_room, Desk, broken, order, written};
use crate::{
    clock,
    job::{
        JobId, NewJob, Priority, Source, State as Stand,
        room::Full,
        wire::{JOBS, Order},
    },
    provider::relay::Problem,
    serve::{callers::Caller, ground::NotAllowed, metrics::queue::Refused},
    store::{callers::fit_name, jobs::Enqueued},
};

/// After how many seconds somebody may ask again for whom there was no room.
const FULL_SECS: u64 = 5;

/// Stores a job.
pub(super) async fn enqueue(
    State(desk): State<Arc<Desk>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Response {
    desk.enqueue(&caller, request).await.unwrap_or_else(Problem::into_response)
}

impl Desk {
    async fn enqueue(&self, caller: &Caller, request: Request) -> Result<Response, Problem> {
        let (parts, body) = request.into_parts();
        let (body, _room) = self.intake.whole(body).await?;
        let mut order = order::read(&body)?;
        order::check(&order)?;
        self.check_timeout(&order)?;
        let tenant = tenant(caller, &parts.headers, order.tenant.take())?;
        let new = self.new_job(order, tenant.as_ref().to_owned())?;
        if let Err(not_allowed) = self.queue.workshop.grounds.admit(&new.tenant, &new.task) {
            self.queue.numbers.refused(Refused::NotAllowed);
            return Err(not_allowed.into());
        }
        if let Err(exceeded) = self.tenants.admit(&tenant, 0) {
            self.queue.numbers.refused(Refused::TenantLimit);
            return Err(exceeded.of_jobs().into());
        }
        let id = new.id.clone();
        match self.queue.bring(new).await.map_err(broken)? {
            Enqueued::New(_) => Ok(brought(StatusCode::CREATED, &id, Stand::Queued)),
            Enqueued::Same(id, state) => Ok(brought(StatusCode::OK, &id, state)),
            Enqueued::Other(other) => Err(conflict(&other)),
            Enqueued::Full { waiting } => Err(no_room(Full::Queue, waiting, FULL_SECS)),
            Enqueued::ShareFull { waiting } => Err(no_room(Full::Share, waiting, FULL_SECS)),
        }
    }

    fn check_timeout(&self, order: &Order) -> Result<(), Problem> {
        let most = self.queue.settings.timeout;
        let Some(seconds) = order.timeout_secs.filter(|one| Duration::from_secs((*one).into()) > most) else {
            return Ok(());
        };
        let message = format!("`timeout_secs` is {seconds}, and {} are allowed here", most.as_secs());
        Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, message)
            .code("invalid_value")
            .about("timeout_secs"))
    }

    fn new_job(&self, mut order: Order, tenant: String) -> Result<NewJob, Problem> {
        let usual = u32::try_from(self.queue.settings.timeout.as_secs()).unwrap_or(u32::MAX);
        let id = clock::uuid();
        let id = JobId::parse(&id)
            .ok_or_else(|| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "no name could be made"))?;
        Ok(NewJob {
            id,
            tenant,
            source: order.source.unwrap_or(Source::Api),
            priority: order.priority.unwrap_or(Priority::Normal),
            timeout_secs: order.timeout_secs.unwrap_or(usual),
            max_attempts: self.queue.settings.attempts,
            dedupe_key: order.dedupe_key.take(),
            subject: None,
            task: order::task(order),
        })
    }
}

/// For whom the job is: the header and the body say the same thing, and a key may say it for both.
fn tenant(
    caller: &Caller,
    headers: &HeaderMap,
    named: Option<String>,
) -> Result<std::sync::Arc<str>, Problem> {
    let Some(named) = named.filter(|named| **named != *caller.tenant) else {
        return Ok(Arc::clone(&caller.tenant));
    };
    let wrong =
        |status, message: &str| Err(Problem::new(status, message).code("invalid_value").about("tenant"));
    if fit_name(&named).is_err() {
        return wrong(
            StatusCode::UNPROCESSABLE_ENTITY,
            "`tenant` must be one name of printable ASCII characters",
        );
    }
    if caller.is_bound {
        return wrong(StatusCode::FORBIDDEN, "`tenant` is another one than this key is for");
    }
    if headers.get(crate::serve::callers::ORGANISATION).is_some_and(|header| !header.is_empty()) {
        return wrong(StatusCode::UNPROCESSABLE_ENTITY, "`tenant` is another one than x-org-id names");
    }
    Ok(named.into())
}

fn brought(status: StatusCode, id: &JobId, state: Stand) -> Response {
    let mut response = written(status, format!(r#"{{"id":"{id}","state":"{state}"}}"#));
    if let Ok(location) = HeaderValue::try_from(format!("{JOBS}/{id}")) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

impl From<NotAllowed> for Problem {
    fn from(not_allowed: NotAllowed) -> Self {
        let (status, code, key) = match &not_allowed {
            NotAllowed::Repository => (StatusCode::FORBIDDEN, "repository_not_allowed", "repo"),
            NotAllowed::Commands { .. } => (StatusCode::FORBIDDEN, "kind_not_allowed", "kind"),
            NotAllowed::NoRepository => (StatusCode::UNPROCESSABLE_ENTITY, "invalid_value", "repo"),
            NotAllowed::Range(_) | NotAllowed::RangeOfPull => {
                (StatusCode::UNPROCESSABLE_ENTITY, "invalid_value", "range")
            }
            NotAllowed::OtherPull { .. } | NotAllowed::NoPages | NotAllowed::NothingToPost { .. } => {
                (StatusCode::UNPROCESSABLE_ENTITY, "invalid_value", "pull")
            }
            NotAllowed::File { .. } | NotAllowed::NoFile { .. } | NotAllowed::FileOfReview => {
                (StatusCode::UNPROCESSABLE_ENTITY, "invalid_value", "file")
            }
            NotAllowed::Panel => (StatusCode::UNPROCESSABLE_ENTITY, "invalid_value", "panel"),
        };
        Self::new(status, not_allowed.to_string()).code(code).about(key)
    }
}

fn conflict(other: &JobId) -> Problem {
    let message = format!("job {other} has this `dedupe_key` and another task");
    Problem::new(StatusCode::CONFLICT, message).code("dedupe_conflict").about("dedupe_key")
}
