//! What keeps a node from doing jobs: [`Trouble`] remembers since when, and says it when it has lasted.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::{job::wire::Ailment, store::database::DatabaseError};

/// The store may fail for so long before it is said.
const STORE: Duration = Duration::from_secs(5);

/// The dispatcher may be late by so much, and jobs held for so long, before it is said.
const LATE: Duration = Duration::from_secs(30);
const HELD: Duration = Duration::from_mins(5);

/// What is wrong, and since when.
#[derive(Default)]
pub(super) struct Trouble {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    store: Option<Instant>,
    /// When the dispatcher looks for jobs at the latest; `None`: when something happens.
    due: Option<Instant>,
    has_ended: bool,
}

impl Trouble {
    /// What the store said: an error, or anything else.
    pub(super) fn store(&self, error: Option<&DatabaseError>) {
        let mut known = self.known();
        known.store = error.map(|_| known.store.unwrap_or_else(Instant::now));
    }

    /// When the dispatcher looks for jobs again, whatever happens.
    pub(super) fn expect(&self, due: Option<Instant>) {
        self.known().due = due;
    }

    /// Nothing is taken any more.
    pub(super) fn end(&self) {
        self.known().has_ended = true;
    }

    /// Everything that has lasted; jobs are held since `held`.
    pub(super) fn ailments(&self, held: Option<Instant>) -> Vec<Ailment> {
        let known = self.known();
        let store = known.store.filter(|since| since.elapsed() >= STORE).map(|_| Ailment::StoreFails);
        let is_late = known.due.is_some_and(|due| due.elapsed() >= LATE) && !known.has_ended;
        let late = is_late.then_some(Ailment::DispatcherStands);
        let held = held.filter(|since| since.elapsed() >= HELD).map(|_| Ailment::HeldForLong);
        let ended = known.has_ended.then_some(Ailment::Ending);
        [store, late, held, ended].into_iter().flatten().collect()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::store::database::Problem;

    #[tokio::test(start_paused = true)]
    async fn what_lasts_is_told() {
        let trouble = Trouble::default();
        let began = Instant::now();
        let failed = DatabaseError { path: PathBuf::from("scrum.db"), problem: Problem::Full };
        let check = async |seconds: u64, held: Option<Instant>, expect: &[Ailment]| {
            tokio::time::advance(Duration::from_secs(seconds)).await;
            assert_eq!(trouble.ailments(held), expect);
        };
        trouble.store(Some(&failed));
        check(4, None, &[]).await;
        trouble.store(Some(&failed));
        check(1, None, &[Ailment::StoreFails]).await;
        trouble.store(None);
        check(0, None, &[]).await;
        trouble.expect(Some(Instant::now()));
        check(30, None, &[Ailment::DispatcherStands]).await;
        trouble.expect(None);
        check(264, Some(began), &[]).await;
        check(1, Some(began), &[Ailment::HeldForLong]).await;
        trouble.end();
        check(0, None, &[Ailment::Ending]).await;
    }
}
