//! `/queue`: jobs over HTTP. [`Desk`] is what all its requests share.
//!
//! ```text
//! POST an order ─ who asks ─ what is asked ─ allowed? ─ how often? ─▶ Queue::bring ─▶ 201, 200, 409, 429
//! GET its events ─▶ Tails: what watchers of one job share ─▶ events as they come
//! ```
//!
//! Everybody sees the jobs of the own tenant only. What jobs do, and when, is decided elsewhere.

mod cancel;
mod enqueue;
mod events;
mod files;
mod look;
mod order;
mod status;
mod tail;

use std::sync::Arc;

use axum::{
    Router,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header::CONTENT_TYPE};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

pub(in crate::serve) use self::files::address;
use self::tail::Tails;
use super::Queue;
use crate::{
    config,
    job::{Job, JobId},
    provider::relay::Problem,
    report,
    serve::{
        callers::Caller,
        gateway::Intake,
        operation::{self, Offer},
        tenants::Tenants,
    },
    store::database::{Database, DatabaseError},
};

/// Most bytes of an order.
const LARGEST_ORDER: usize = 16 << 10;

/// What all requests about jobs share.
pub(in crate::serve) struct Desk {
    pub(in crate::serve) queue: Arc<Queue>,
    database: Database,
    intake: Intake,
    /// What each tenant may bring within a minute.
    tenants: Tenants,
    limits: config::JobLimits,
    tails: Tails,
    /// The daemon ends: whoever watches is sent away.
    end: CancellationToken,
}

impl Desk {
    pub(in crate::serve) fn new(
        queue: Arc<Queue>,
        database: Database,
        limits: config::JobLimits,
    ) -> Arc<Self> {
        Arc::new(Self {
            intake: Intake::new(LARGEST_ORDER),
            tenants: Tenants::of_jobs(&limits),
            limits,
            tails: Tails::new(queue.jobs.clone()),
            end: CancellationToken::new(),
            queue,
            database,
        })
    }

    /// Tells watchers what is new until `end`.
    pub(in crate::serve) async fn keep_up(self: Arc<Self>, end: CancellationToken) {
        end.run_until_cancelled(self.tails.keep_up(self.database.notes())).await;
        self.end.cancel();
    }

    /// A job that `caller` may see.
    async fn job(&self, caller: &Caller, id: &str) -> Result<Job, Problem> {
        let found = match JobId::parse(id) {
            Some(id) => self.queue.jobs.job(Some(&caller.tenant), &id).await.map_err(broken)?,
            None => None,
        };
        found.ok_or_else(no_such_job)
    }
}

/// The addresses of jobs that are for those who may ask.
pub(in crate::serve) fn router<S: Clone + Send + Sync + 'static>(desk: Arc<Desk>) -> Router<S> {
    Router::new()
        .offer(operation::ENQUEUE, enqueue::enqueue)
        .offer(operation::JOBS, look::jobs)
        .offer(operation::JOB, look::job)
        .offer(operation::EVENTS, events::events)
        .offer(operation::FILE, files::file)
        .offer(operation::CANCEL, cancel::cancel)
        .offer(operation::STATUS, status::status)
        .with_state(desk)
}

/// Those that are for everybody.
pub(in crate::serve) fn open_router<S: Clone + Send + Sync + 'static>(desk: Arc<Desk>) -> Router<S> {
    Router::new().offer(operation::QUEUE_HEALTH, status::health).with_state(desk)
}

fn no_such_job() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "no such job").code("job_not_found")
}

/// The database does not do its part. Its words name a file or a server, so callers do not get them.
fn broken(_: DatabaseError) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the store does not answer at the moment")
        .code("store_failed")
        .retry_after(1)
}

/// Without characters that a terminal obeys.
fn json(status: StatusCode, body: &impl Serialize) -> Response {
    let text = serde_json::to_string(body).map(report::json::printable);
    written(status, text.unwrap_or_else(|_| "{}".to_owned()))
}

/// JSON that is written down already.
fn written(status: StatusCode, json: String) -> Response {
    (status, [(CONTENT_TYPE, HeaderValue::from_static("application/json"))], json).into_response()
}
