//! The way to one provider: [`Line`] says how many calls of it may be under way, how many may wait for that, and how many a
//! minute begin.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::quota::{Quota, Sent, UsedUp};
use crate::reviewer::Allowance;

/// The way to one provider, which all its models share.
pub(in crate::serve) struct Line {
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
    most_waiting: usize,
    longest_wait: Duration,
    quota: Quota,
}

/// A call under way; another may begin when it is dropped.
pub(super) struct Place {
    _permit: OwnedSemaphorePermit,
}

/// No call can be made soon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Full {
    /// Too many wait already.
    #[error("too many requests wait for this provider")]
    Crowded,
    /// It took too long until it was this one's turn.
    #[error("this provider is busy with earlier requests")]
    Waited,
}

impl Line {
    pub(in crate::serve) fn new(most_calls: usize, most_waiting: usize, longest_wait: Duration) -> Self {
        let places = Arc::new(Semaphore::new(most_calls));
        let quota = Quota::default();
        Self { places, waiting: AtomicUsize::new(0), most_waiting, longest_wait, quota }
    }

    /// Holds calls back by `allowance` too.
    pub(in crate::serve) fn limit(&self, allowance: Allowance) {
        self.quota.limit(allowance);
    }

    /// Waits until the provider allows a call of about `tokens`.
    pub(super) async fn turn(&self, tokens: u64) -> Result<Sent, UsedUp> {
        self.quota.turn(tokens, self.longest_wait).await
    }

    /// Waits until one more call may be made, first come first served.
    pub(super) async fn enter(&self) -> Result<Place, Full> {
        if let Ok(permit) = Arc::clone(&self.places).try_acquire_owned() {
            return Ok(Place { _permit: permit });
        }
        let _turn = Turn::of(self).ok_or(Full::Crowded)?;
        match timeout(self.longest_wait, Arc::clone(&self.places).acquire_owned()).await {
            Ok(Ok(permit)) => Ok(Place { _permit: permit }),
            // Nobody closes it.
            Ok(Err(_)) | Err(_) => Err(Full::Waited),
        }
    }
}

/// One that waits.
struct Turn<'a>(&'a AtomicUsize);

impl<'a> Turn<'a> {
    fn of(line: &'a Line) -> Option<Self> {
        let more = |waiting| (waiting < line.most_waiting).then_some(waiting + 1);
        line.waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        Some(Self(&line.waiting))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn so_many_at_once_and_so_many_wait() {
        let line = Line::new(1, 1, Duration::from_secs(5));
        let first = line.enter().await.ok();
        assert!(first.is_some());
        let (second, third) = tokio::join!(line.enter(), line.enter());
        assert_eq!(second.err(), Some(Full::Waited));
        assert_eq!(third.err(), Some(Full::Crowded));
        drop(first);
        assert!(line.enter().await.is_ok());
    }
}
