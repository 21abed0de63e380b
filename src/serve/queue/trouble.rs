//! What keeps a node from doing jobs: [`Trouble`] remembers since when, and says it when it has lasted.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::store::database::DatabaseError;

/// The store may fail for so long before it is said.
const STORE: Duration = Duration::from_secs(5);

/// What is wrong, and since when.
#[derive(Default)]
pub(super) struct Trouble {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    store: Option<(Instant, String)>,
    has_ended: bool,
}

impl Trouble {
    /// What the store said: an error, or anything else.
    pub(super) fn store(&self, error: Option<&DatabaseError>) {
        let mut known = self.known();
        known.store = error.map(|error| {
            let since = known.store.take().map_or_else(Instant::now, |(since, _)| since);
            (since, error.to_string())
        });
    }

    /// Nothing is taken any more.
    pub(super) fn end(&self) {
        self.known().has_ended = true;
    }

    /// Everything that has lasted.
    pub(super) fn words(&self) -> Vec<String> {
        let known = self.known();
        let store = known.store.as_ref().filter(|(since, _)| since.elapsed() >= STORE);
        let store = store.map(|(since, error)| {
            format!("the store has failed for {} s: {error}", since.elapsed().as_secs())
        });
        let ended = known.has_ended.then(|| "this node takes no jobs any more: it ends".to_owned());
        store.into_iter().chain(ended).collect()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
