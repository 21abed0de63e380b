//! What the log says of jobs. Ids, words of closed lists, times: why a job failed is its tenant's affair and stands with the job.

use std::time::Duration;

use crate::{
    job::{Job, JobId, Kind, Source, State},
    store::{database::DatabaseError, jobs::Reaped},
};

/// Jobs that do nothing are there to measure the queue by, thousands a second.
macro_rules! usual {
    ($kind:expr, $($line:tt)*) => {
        if $kind == Kind::Noop { tracing::debug!($($line)*) } else { tracing::info!($($line)*) }
    };
}

pub(super) fn stored(id: &JobId, kind: Kind, source: Source) {
    usual!(kind, job = id.as_str(), kind = kind.word(), source = source.word(), "job stored");
}

pub(super) fn begun(job: &Job, waited: Duration) {
    let (id, kind) = (job.new.id.as_str(), job.new.task.kind);
    let tenant = job.new.tenant.as_str();
    let wait_seconds = waited.as_secs_f64();
    usual!(kind, job = id, kind = kind.word(), tenant, attempt = job.attempt, wait_seconds, "job begun");
}

/// `state` may be [`State::Queued`]: another attempt follows.
pub(super) fn ended(job: &Job, state: State) {
    let (id, kind, attempt) = (job.new.id.as_str(), job.new.task.kind, job.attempt);
    match state {
        State::Failed | State::TimedOut => {
            tracing::warn!(job = id, kind = kind.word(), attempt, state = state.word(), "job ended");
        }
        State::Queued => {
            tracing::warn!(job = id, kind = kind.word(), attempt, "attempt ended: the job waits again");
        }
        State::Running | State::Succeeded | State::Cancelled => {
            usual!(kind, job = id, kind = kind.word(), attempt, state = state.word(), "job ended");
        }
    }
}

/// A job that was in state `was` is called off.
pub(super) fn called_off(id: &JobId, was: State) {
    tracing::info!(job = id.as_str(), was = was.word(), "job called off");
}

pub(super) fn lost(id: &JobId, attempt: u32) {
    tracing::warn!(job = id.as_str(), attempt, "attempt stopped: the job is another node's by now");
}

pub(super) fn fenced(job: &Job) {
    tracing::warn!(
        job = job.new.id.as_str(),
        attempt = job.attempt,
        "result thrown away: the attempt did not count any more"
    );
}

pub(super) fn reaped(reaped: &Reaped) {
    for id in &reaped.requeued {
        tracing::warn!(job = id.as_str(), "job taken back from a node that was not heard of");
    }
    for id in &reaped.failed {
        tracing::warn!(job = id.as_str(), "job failed: no attempt is left after its node was not heard of");
    }
}

pub(super) fn store_failed(error: &DatabaseError) {
    let error = error.to_string();
    tracing::warn!(error, "the store does not do its part");
}
