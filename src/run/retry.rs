//! Whether to ask again, and when: [`Patience`]. It waits for nothing itself.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

/// Longest pause between two attempts that we choose ourselves.
const LONGEST_DELAY: Duration = Duration::from_secs(30);

/// What is left of one task's attempts.
pub struct Patience {
    delays: ExponentialBackoff,
    left: Duration,
}

/// No further attempt.
#[derive(Debug, PartialEq, Eq)]
pub enum GiveUp {
    /// All attempts are used.
    Attempts,
    /// Another pause of our own would take longer than the task may.
    NoTime,
    /// The server asks for a longer pause than the task may take.
    TooLong(Duration),
}

impl GiveUp {
    /// `reason`, and why nothing more is tried after `attempts`.
    pub fn told(&self, reason: &str, attempts: u32) -> String {
        match self {
            Self::Attempts | Self::NoTime if attempts == 1 => reason.to_owned(),
            Self::Attempts | Self::NoTime => format!("{reason} (gave up after {attempts} attempts)"),
            Self::TooLong(delay) => {
                format!(
                    "{reason} (it asks for a pause of {} s, longer than its timeout allows)",
                    delay.as_secs()
                )
            }
        }
    }
}

impl Patience {
    /// Patience for `retries` more attempts, the first after one to two times `first_delay`, with pauses of at most `total`
    /// together. `seed` makes the jitter of tasks differ.
    pub fn new(retries: u32, first_delay: Duration, total: Duration, seed: u64) -> Self {
        let delays = ExponentialBuilder::new()
            .with_min_delay(first_delay)
            .with_max_delay(LONGEST_DELAY)
            .with_max_times(retries as usize)
            .with_jitter()
            .with_jitter_seed(seed)
            .build();
        Self { delays, left: total }
    }

    /// The pause before the next attempt. What the server asks for counts more than our own idea, which only
    /// spreads the tasks a little then.
    pub fn next_delay(&mut self, asked: Option<Duration>) -> Result<Duration, GiveUp> {
        let own = self.delays.next().ok_or(GiveUp::Attempts)?;
        let delay = asked.map_or(own, |asked| asked.saturating_add(own / 8));
        let too_long = asked.map_or(GiveUp::NoTime, GiveUp::TooLong);
        self.left = self.left.checked_sub(delay).ok_or(too_long)?;
        Ok(delay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn delays_grow_and_end() {
        let mut patience = Patience::new(3, SECOND, 100 * SECOND, 7);
        let delays: Vec<Duration> = std::iter::from_fn(|| patience.next_delay(None).ok()).collect();
        assert_eq!(delays.len(), 3);
        for (delay, base) in delays.iter().zip([1, 2, 4]) {
            assert!(*delay >= base * SECOND && *delay < 2 * base * SECOND, "{delays:?}");
        }
        assert_eq!(patience.next_delay(None), Err(GiveUp::Attempts));
    }

    #[test]
    fn the_server_is_obeyed_within_the_limit() {
        let mut patience = Patience::new(9, SECOND, 10 * SECOND, 7);
        let first = patience.next_delay(Some(5 * SECOND)).unwrap();
        assert!(first >= 5 * SECOND && first < 6 * SECOND, "{first:?}");
        assert!(matches!(patience.next_delay(Some(5 * SECOND)), Err(GiveUp::TooLong(_))));
        assert!(matches!(patience.next_delay(Some(Duration::MAX)), Err(GiveUp::TooLong(_))));
        assert_eq!(Patience::new(9, SECOND, SECOND / 2, 7).next_delay(None), Err(GiveUp::NoTime));
    }

    #[test]
    fn seeds_differ() {
        let first = |seed| Patience::new(1, SECOND, 9 * SECOND, seed).next_delay(None);
        assert_ne!(first(1), first(2));
        assert_eq!(first(3), first(3));
    }
}
