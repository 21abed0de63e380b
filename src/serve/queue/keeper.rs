//! Keeps jobs from being lost: [`keep`] renews what this node holds, takes back what others hold no longer, and removes what
//! was kept long enough; [`hear`] learns what others did.

use std::time::Duration;

use jiff::SignedDuration;
use tokio::{
    sync::broadcast::error::RecvError,
    time::{Instant, MissedTickBehavior, interval, sleep},
};

use super::{LEASE, Queue, log};
use crate::{
    clock,
    job::State,
    store::{database::Note, jobs::Reaped},
};

/// How often it is looked what there is to do.
const TICK: Duration = Duration::from_secs(1);
/// How often jobs are said to be this node's.
const RENEWAL: Duration = Duration::from_secs(LEASE.as_secs() / 3);
/// How often old jobs are removed.
const PRUNING: Duration = Duration::from_mins(1);
/// Most jobs that are removed in one transaction.
const PRUNED: u32 = 500;

/// Keeps jobs. What the store does not do now is done a tick later.
pub(super) async fn keep(queue: &Queue) {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut renewed, mut pruned) = (Instant::now(), None::<Instant>);
    loop {
        ticks.tick().await;
        // Renewed before anything is taken back: a machine that was asleep would take back its own.
        if renewed.elapsed() >= RENEWAL && queue.renew().await {
            renewed = Instant::now();
        }
        queue.reap().await;
        queue.try_store().await;
        if pruned.is_none_or(|at| at.elapsed() >= PRUNING) && queue.prune().await {
            pruned = Some(Instant::now());
        }
    }
}

/// Hears what other nodes, and others here, have changed.
pub(super) async fn hear(queue: &Queue) {
    let mut notes = queue.jobs.notes();
    loop {
        match notes.recv().await {
            Ok(Note::Ready) => queue.wake.notify_one(),
            Ok(Note::CalledOff(id)) => queue.underway.call_off(&id),
            Ok(Note::Changed(_)) => {}
            Ok(Note::Missed) | Err(RecvError::Lagged(_)) => {
                queue.wake.notify_one();
                queue.renew().await;
            }
            Err(RecvError::Closed) => return,
        }
    }
}

impl Queue {
    /// True when the store answered.
    async fn renew(&self) -> bool {
        let held = self.underway.held();
        if held.is_empty() {
            return true;
        }
        let Ok(lost) = self.told(self.jobs.renew(&self.node, held, LEASE).await) else { return false };
        for held in lost {
            // What has ended meanwhile is not lost.
            if self.underway.lost(&held) {
                self.numbers.lost();
                log::lost(&held.id, held.attempt);
            }
        }
        true
    }

    /// Takes back what a dead daemon held, when there was no other one.
    pub(super) async fn take_back(&self) {
        loop {
            if let Ok(reaped) = self.told(self.jobs.reap_all().await) {
                return self.reaped(&reaped).await;
            }
            sleep(TICK).await;
        }
    }

    pub(super) async fn reap(&self) {
        if let Ok(reaped) = self.told(self.jobs.reap().await) {
            self.reaped(&reaped).await;
        }
    }

    /// After a failure: tries whether a job could be stored again. That nothing had to be changed says nothing about it.
    pub(super) async fn try_store(&self) {
        if self.trouble.is_of_store() && self.told(self.jobs.try_out().await).is_ok() {
            self.trouble.store(None);
        }
    }

    async fn reaped(&self, reaped: &Reaped) {
        log::reaped(reaped);
        self.numbers.reaped(reaped.requeued.len() as u64, reaped.failed.len() as u64);
        if !reaped.requeued.is_empty() {
            self.wake.notify_one();
        }
        for id in &reaped.failed {
            self.count_end(id, State::Failed).await;
        }
    }

    async fn prune(&self) -> bool {
        let keep = SignedDuration::try_from(self.settings.keep).unwrap_or(SignedDuration::MAX);
        let Ok(before) = clock::now().checked_sub(keep) else { return true };
        loop {
            match self.told(self.jobs.prune(before, PRUNED).await) {
                Ok(removed) if removed < u64::from(PRUNED) => return true,
                Ok(_) => {}
                Err(_) => return false,
            }
        }
    }
}
