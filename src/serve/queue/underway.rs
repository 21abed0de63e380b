//! What this node has under way: [`Underway`], which knows each attempt and can have it stopped.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::{sync::oneshot, time::Instant};

use crate::{job::JobId, store::jobs::Held};

/// Why an attempt is to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// Somebody called the job off.
    CalledOff,
    /// It is another node's by now.
    Lost,
    /// This node ends.
    Leaving,
}

/// What an attempt is told when it is to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stop {
    pub(super) why: Why,
    /// When that was.
    pub(super) at: Instant,
}

/// Attempts from when they are taken until their ending is stored.
#[derive(Default)]
pub(super) struct Underway {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// Each with the way to stop it, until it is stopped or has ended.
    attempts: HashMap<Held, Option<oneshot::Sender<Stop>>>,
    /// Jobs that were called off while it was asked for jobs: the answer may hold one of them. `None` while nothing is asked.
    missed: Option<HashSet<JobId>>,
}

impl Underway {
    /// Jobs are about to be asked for.
    pub(super) fn asking(&self) {
        self.known().missed.get_or_insert_default();
    }

    /// These were given, and no more are asked for. For each the way it learns that it is to stop.
    pub(super) fn given(&self, held: &[Held]) -> Vec<oneshot::Receiver<Stop>> {
        let mut known = self.known();
        let missed = known.missed.take().unwrap_or_default();
        let begin = |held: &Held| {
            let (sender, receiver) = oneshot::channel();
            known.attempts.insert(held.clone(), Some(sender));
            if missed.contains(&held.id) {
                known.stop(held, Why::CalledOff);
            }
            receiver
        };
        held.iter().map(begin).collect()
    }

    /// A job was called off: what is done for it stops.
    pub(super) fn call_off(&self, id: &JobId) {
        let mut known = self.known();
        if let Some(missed) = &mut known.missed {
            missed.insert(id.clone());
        }
        let attempts: Vec<Held> = known.attempts.keys().filter(|held| held.id == *id).cloned().collect();
        for held in attempts {
            known.stop(&held, Why::CalledOff);
        }
    }

    /// An attempt is this node's no longer. False where it had come to its end.
    pub(super) fn lost(&self, held: &Held) -> bool {
        self.known().stop(held, Why::Lost)
    }

    /// Everything stops.
    pub(super) fn leave(&self) {
        let mut known = self.known();
        for held in known.attempts.keys().cloned().collect::<Vec<_>>() {
            known.stop(&held, Why::Leaving);
        }
    }

    /// An attempt has come to its end, which is not stored yet.
    pub(super) fn ended(&self, held: &Held) {
        if let Some(stop) = self.known().attempts.get_mut(held) {
            *stop = None;
        }
    }

    /// Nothing is left of an attempt.
    pub(super) fn forget(&self, held: &Held) {
        self.known().attempts.remove(held);
    }

    /// Every attempt there is.
    pub(super) fn held(&self) -> Vec<Held> {
        self.known().attempts.keys().cloned().collect()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn stop(&mut self, held: &Held, why: Why) -> bool {
        let stop = self.attempts.get_mut(held).and_then(Option::take);
        // Whoever has ended meanwhile does not listen.
        stop.is_some_and(|stop| stop.send(Stop { why, at: Instant::now() }).is_ok())
    }
}
