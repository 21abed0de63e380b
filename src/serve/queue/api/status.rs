//! `GET /queue/status` and `GET /queue/health`: [`status`] and [`health`].

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    extract::{Extension, State},
    response::Response,
};
use http::StatusCode;
use jiff::Timestamp;

use super::{Desk, broken, json};
use crate::{
    clock,
    job::{
        Priority, State as Stand,
        wire::{Health, Limits, Standing},
    },
    provider::relay::Problem,
    serve::callers::Caller,
    store::jobs::Counts,
};

/// Says how the queue does.
pub(super) async fn status(State(desk): State<Arc<Desk>>, Extension(caller): Extension<Caller>) -> Response {
    let counts = desk.queue.jobs.counts().await.map_err(broken);
    let standing = counts.map(|counts| json(StatusCode::OK, &desk.standing(&counts, &caller, clock::now())));
    standing.unwrap_or_else(Problem::into_response)
}

/// Says whether jobs are taken and stored, and nothing else: anybody may ask.
pub(super) async fn health(State(desk): State<Arc<Desk>>) -> Response {
    let reasons = desk.queue.ailments();
    let status = if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    json(status, &Health { ok: reasons.is_empty(), reasons })
}

impl Desk {
    fn standing(&self, counts: &Counts, caller: &Caller, now: Timestamp) -> Standing {
        let settings = &self.queue.settings;
        let waiting_of = |priority| {
            counts.waiting.iter().filter(|(one, _)| *one == priority).map(|(_, number)| number).sum()
        };
        let kept_of =
            |state| counts.by_state.iter().filter(|(one, _)| *one == state).map(|(_, number)| number).sum();
        let held = self.queue.held();
        let named = |word: &str, number: u64| (word.to_owned(), number);
        Standing {
            waiting: Priority::ALL.iter().map(|one| named(one.word(), waiting_of(*one))).collect(),
            running: counts.running,
            jobs: Stand::ALL.iter().map(|one| named(one.word(), kept_of(*one))).collect::<BTreeMap<_, _>>(),
            oldest_wait_seconds: counts
                .oldest
                .map(|oldest| now.duration_since(oldest).as_secs_f64().max(0.0)),
            node: self.queue.node.clone(),
            held: held.map(|(held, _)| held.word().to_owned()),
            held_percent: held.map(|(_, percent)| percent),
            limits: Limits {
                waiting: settings.waiting.all,
                waiting_per_tenant: settings.waiting.of(&caller.tenant),
                running: settings.workers.into(),
                timeout_secs: u32::try_from(settings.timeout.as_secs()).unwrap_or(u32::MAX),
                max_attempts: settings.attempts,
                jobs_per_minute: self.limits.of(&caller.tenant).map(Into::into),
            },
        }
    }
}
