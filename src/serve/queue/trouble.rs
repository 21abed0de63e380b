//! What keeps a node from doing jobs: [`Trouble`] remembers since when, and says it when it has lasted.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::{job::wire::Ailment, store::database::DatabaseError};

/// The store may fail for so long before it is said.
const STORE: Duration = Duration::from_secs(5);
/// The store may leave us without an answer for so long.
const ANSWER: Duration = Duration::from_secs(30);
/// A busy machine may begin nothing for so long.
const HELD: Duration = Duration::from_mins(5);

/// What is wrong, and since when.
#[derive(Default)]
pub(super) struct Trouble {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    store: Option<Instant>,
    /// Jobs are asked for, and no answer has come.
    asked: Option<Instant>,
    has_ended: bool,
}

impl Trouble {
    /// The store failed; without an error: it was tried out, and does all its work.
    pub(super) fn store(&self, error: Option<&DatabaseError>) {
        let mut known = self.known();
        known.store = error.map(|_| known.store.unwrap_or_else(Instant::now));
    }

    /// The store failed, and it is not known that it works again.
    pub(super) fn is_of_store(&self) -> bool {
        self.known().store.is_some()
    }

    /// Jobs are asked for, or no more.
    pub(super) fn asks(&self, asks: bool) {
        self.known().asked = asks.then(Instant::now);
    }

    /// Nothing is taken any more.
    pub(super) fn end(&self) {
        self.known().has_ended = true;
    }

    /// Everything that has lasted; `held`: since when nothing is begun.
    pub(super) fn ailments(&self, held: Option<Instant>) -> Vec<Ailment> {
        let known = self.known();
        let lasts =
            |since: Option<Instant>, long: Duration| since.is_some_and(|since| since.elapsed() >= long);
        let all = [
            (lasts(known.store, STORE), Ailment::StoreFails),
            (lasts(known.asked, ANSWER), Ailment::DispatcherStands),
            (lasts(held, HELD), Ailment::HeldForLong),
            (known.has_ended, Ailment::Ending),
        ];
        all.into_iter().filter(|(is_so, _)| *is_so).map(|(_, ailment)| ailment).collect()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;
    use crate::store::database::Problem;

    #[tokio::test(start_paused = true)]
    async fn what_lasts_is_said_until_it_is_over() {
        let (trouble, began) = (Trouble::default(), Instant::now());
        let error = DatabaseError { name: String::new(), problem: Problem::Locked };
        trouble.store(Some(&error));
        trouble.asks(true);
        assert_eq!(trouble.ailments(Some(began)), []);
        advance(Duration::from_secs(5)).await;
        trouble.store(Some(&error));
        assert_eq!(trouble.ailments(Some(began)), [Ailment::StoreFails]);
        advance(Duration::from_secs(25)).await;
        assert_eq!(trouble.ailments(Some(began)), [Ailment::StoreFails, Ailment::DispatcherStands]);
        trouble.store(None);
        trouble.asks(false);
        advance(Duration::from_secs(270)).await;
        assert_eq!(trouble.ailments(Some(began)), [Ailment::HeldForLong]);
        trouble.end();
        assert_eq!(trouble.ailments(None), [Ailment::Ending]);
    }
}
