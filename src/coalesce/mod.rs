//! Asks once what many ask at the same time: [`Flights`].
//!
//! ```text
//! request ─ key ─▶ Key ─ flight ─▶ leader, follower or cache ─▶ Reader: head, then chunks
//!            └─▶ Skip                │ first one: task ─ call ─▶ log ─▶ shelf
//! ```
//!
//! The call is a task that belongs to no request, its answer a log that every request reads from the first byte. What is
//! called, and in which protocol, is the caller's affair: there is no network in here, no retry, and no limit on who may ask.
//! docs/design/coalescing.md says why.

mod counts;
mod flight;
mod key;
mod limits;
mod log;
mod shelf;
mod task;
#[cfg(test)]
mod tests;

// tests/model replaces them by some that let every order of steps happen.
use std::sync::{Mutex, MutexGuard};
use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::Stream;
use http::Response;
use tokio::time::timeout;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use counts::{Counts, Role, Usage};
pub use flight::Reader;
pub use key::{Key, Request, Skip, Switches};
pub use limits::{Limits, ShelfLimits};
pub use log::{Broken, Head};

/// All calls under way, and the answers kept for a while.
pub struct Flights {
    board: Arc<flight::Board>,
    limits: Limits,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Flights {
    /// No flights yet.
    pub fn new(limits: Limits) -> Self {
        let board = Arc::new(flight::Board::new(limits));
        Self { board, limits, tasks: TaskTracker::new(), stop: CancellationToken::new() }
    }

    /// The answer to `key`. Makes `call` only if no flight and no kept answer has it; then in a task of its own, on the tokio
    /// runtime this is called on.
    ///
    /// Retries belong into `call`, and so does the judgement whether a body that ended is whole: an error in its stream is
    /// [`Broken`] to every reader and is never kept. What such an error says is told to all of them, so it must not name a key.
    pub fn ask<C, A, S, E>(&self, key: Key, call: C) -> (Role, Reader)
    where
        C: FnOnce() -> A + Send + 'static,
        A: Future<Output = Result<Response<S>, E>> + Send + 'static,
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Into<Broken> + Send + 'static,
    {
        let (role, reader, pilot) = self.board.join(key);
        if let Some(pilot) = pilot {
            // What fails in making the call fails inside the task, where the pilot tells it. Boxed: each future that holds another
            // one as it is has room for it several times.
            let call = Box::pin(async { call().await });
            let flight = task::fly(pilot, self.limits.age, self.limits.stall, call);
            self.tasks.spawn(self.stop.clone().run_until_cancelled_owned(flight));
        }
        (role, reader)
    }

    /// Counts a request that is answered without us.
    pub fn skip(&self, reason: Skip) {
        self.board.skip(reason);
    }

    /// What has been asked so far.
    pub fn counts(&self) -> Counts {
        self.board.counts()
    }

    /// What is held now.
    pub fn usage(&self) -> Usage {
        self.board.usage()
    }

    /// Lets the calls that are under way end within `grace`, then gives up the rest: their readers get [`Broken::Lost`].
    /// Whoever asks is expected to have stopped.
    pub async fn drain(&self, grace: Duration) {
        self.tasks.close();
        if timeout(grace, self.tasks.wait()).await.is_err() {
            self.stop.cancel();
            self.tasks.wait().await;
        }
    }
}
