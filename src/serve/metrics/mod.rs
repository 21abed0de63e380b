//! What the gateway did, in numbers: [`Metrics`].
//!
//! ```text
//! Asked (a request) ─ decided, first token, end ─┐
//!                                                ├─▶ Books, under one short lock ─▶ performance (JSON), exposition (Prometheus)
//! Flight (a call for many) ─ sent, answered, spent ┘
//! ```
//!
//! Both are guards: whoever drops them has told how it ended, so a client that vanishes and a task that is cancelled are
//! counted too. Nothing here decides anything. docs/design/metrics.md says what each number means.

mod asked;
mod books;
mod exposition;
mod flight;
mod performance;
mod providers;
pub mod queue;
mod sample;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::time::Instant;

use crate::{coalesce, store::jobs::Counts};
pub use asked::{Asked, Counted, Metered};
use books::Books;
use exposition::Timings;
pub use flight::{Answered, Flight};
pub use performance::{BadLastN, Performance, last_n};
/// The content type of Prometheus' text format.
pub use prometheus::TEXT_FORMAT as FORMAT;
pub use providers::ProviderRow;
pub use sample::Coalesced;

/// All numbers since the start, and the last requests one by one. Taking something down takes well under a microsecond.
pub struct Metrics {
    books: Mutex<Books>,
    timings: Timings,
    queue: Arc<queue::Numbers>,
}

impl Metrics {
    /// Nothing has happened yet.
    pub fn new() -> Arc<Self> {
        Arc::new(Self { books: Mutex::default(), timings: Timings::new(), queue: queue::Numbers::new() })
    }

    /// What jobs are counted in.
    pub fn queue(&self) -> &Arc<queue::Numbers> {
        &self.queue
    }

    /// A request for `route`, a pattern of ours and not the path that was asked for, whose first byte came at `arrived`.
    pub fn asked(self: &Arc<Self>, route: &'static str, arrived: Instant) -> Asked {
        Asked::new(Arc::clone(self), route, arrived)
    }

    /// The last `last_n` requests and everything since the start. With `own`, no other tenant is named.
    pub fn performance(&self, last_n: usize, own: Option<&str>) -> Performance {
        let books = self.books();
        let (window, totals) = (books.window(last_n), books.totals(own));
        drop(books);
        Performance::new(last_n, &window, &totals)
    }

    /// What each provider was asked since the start, by name.
    pub fn providers(&self) -> Vec<ProviderRow> {
        providers::rows(&self.books())
    }

    /// Everything since the start in Prometheus' text format, what is held now, and how many jobs there are now; `None` where
    /// the store could not say.
    pub fn exposition(&self, usage: coalesce::Usage, jobs: Option<(&Counts, Timestamp)>) -> String {
        let counts = exposition::counts(&self.books());
        let standing = jobs.map(|(counts, now)| queue::standing(counts, now));
        let queue = self.queue.families().into_iter().chain(standing.into_iter().flatten()).collect();
        exposition::text(&self.timings, counts, usage, queue)
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
