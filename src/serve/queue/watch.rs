//! Notices when an attempt gets no further: [`Watch`].

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

/// When something was seen last.
pub(super) struct Watch {
    seen: Mutex<Instant>,
}

impl Watch {
    /// It begins now.
    pub(super) fn new() -> Self {
        Self { seen: Mutex::new(Instant::now()) }
    }

    /// Something was seen.
    pub(super) fn see(&self) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Waits until nothing was seen for so long.
    pub(super) async fn silence(&self, long: Duration) {
        loop {
            let due = *self.seen.lock().unwrap_or_else(PoisonError::into_inner) + long;
            if due <= Instant::now() {
                return;
            }
            sleep_until(due).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_seen_puts_it_off() {
        let long = Duration::from_mins(1);
        let (watch, began) = (Watch::new(), Instant::now());
        let seen = async {
            for _ in 0..3 {
                tokio::time::sleep(Duration::from_secs(50)).await;
                watch.see();
            }
        };
        tokio::join!(seen, watch.silence(long));
        assert_eq!(began.elapsed(), Duration::from_secs(3 * 50 + 60));
    }
}
