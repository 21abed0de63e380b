//! What keeps a node from doing jobs: [`Trouble`] remembers since when, and says it when it has lasted.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::{job::wire::Ailment, store::database::DatabaseError};

/// The store may fail for so long before it is said.
const STORE: Duration = Duration::from_secs(5);

/// What is wrong, and since when.
#[derive(Default)]
pub(super) struct Trouble {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    store: Option<Instant>,
    has_ended: bool,
}

impl Trouble {
    /// What the store said: an error, or anything else.
    pub(super) fn store(&self, error: Option<&DatabaseError>) {
        let mut known = self.known();
        known.store = error.map(|_| known.store.unwrap_or_else(Instant::now));
    }

    /// Nothing is taken any more.
    pub(super) fn end(&self) {
        self.known().has_ended = true;
    }

    /// Everything that has lasted.
    pub(super) fn ailments(&self) -> Vec<Ailment> {
        let known = self.known();
        let store = known.store.filter(|since| since.elapsed() >= STORE).map(|_| Ailment::StoreFails);
        let ended = known.has_ended.then_some(Ailment::Ending);
        store.into_iter().chain(ended).collect()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
