//! So many units a minute, taken before it is known how many it will be: [`Bucket`].
//!
//! Whoever asks waits for nothing here: it is told how long it would take. Not governor's, which keeps the rate of what is sent
//! to providers (`run::allowance`): that gives nothing back of what it has counted, cannot say what is left, and knows no debt.

use std::{num::NonZeroU32, time::Duration};

use tokio::time::Instant;

/// The nanoseconds of a minute.
const MINUTE: u128 = 60_000_000_000;

/// Holds a minute's worth of units and is filled evenly. What is taken may turn out to be more than it holds: then it is in debt.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bucket {
    per_minute: u64,
    /// What it lacks to be full, in units times [`MINUTE`]: so no step rounds.
    lack: u128,
    /// When that was so.
    at: Instant,
}

impl Bucket {
    /// A full one.
    pub(super) fn new(per_minute: NonZeroU32, now: Instant) -> Self {
        Self { per_minute: per_minute.get().into(), lack: 0, at: now }
    }

    /// What it holds at most.
    pub(super) fn size(&self) -> u64 {
        self.per_minute
    }

    /// How long until `units` may be taken; zero: now. More than it holds at most may be taken when it is full.
    pub(super) fn wait(&self, units: u64, now: Instant) -> Duration {
        let full = u128::from(self.per_minute) * MINUTE;
        let rest = full - (u128::from(units) * MINUTE).min(full);
        self.time(self.lack(now).saturating_sub(rest))
    }

    /// How long until it is full.
    pub(super) fn until_full(&self, now: Instant) -> Duration {
        self.time(self.lack(now))
    }

    /// What may be taken now.
    pub(super) fn left(&self, now: Instant) -> u64 {
        let full = u128::from(self.per_minute) * MINUTE;
        let left = full.saturating_sub(self.lack(now)) / MINUTE;
        u64::try_from(left).unwrap_or(u64::MAX)
    }

    /// Takes `units`, whether it holds them or not.
    pub(super) fn take(&mut self, units: u64, now: Instant) {
        self.lack = self.lack(now) + u128::from(units) * MINUTE;
        self.at = now;
    }

    /// Gives `units` back. It never holds more than a minute's worth: a minute that is over has been used or not.
    pub(super) fn give_back(&mut self, units: u64, now: Instant) {
        self.lack = self.lack(now).saturating_sub(u128::from(units) * MINUTE);
        self.at = now;
    }

    fn lack(&self, now: Instant) -> u128 {
        let passed = now.saturating_duration_since(self.at).as_nanos();
        self.lack.saturating_sub(passed.saturating_mul(self.per_minute.into()))
    }

    /// How long it takes to fill `lack`.
    fn time(&self, lack: u128) -> Duration {
        let nanoseconds = lack.div_ceil(self.per_minute.into());
        Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(per_minute: u32) -> (Bucket, Instant) {
        let now = Instant::now();
        (Bucket::new(NonZeroU32::new(per_minute).unwrap(), now), now)
    }

    #[tokio::test(start_paused = true)]
    async fn what_may_be_taken_and_when() {
        let check = |taken: u64, seconds: u64, asked: u64, expect: (u64, u64)| {
            let (mut bucket, start) = of(60);
            bucket.take(taken, start);
            let now = start + Duration::from_secs(seconds);
            let wait = bucket.wait(asked, now).as_secs();
            assert_eq!((bucket.left(now), wait), expect, "{taken} taken, {asked} asked after {seconds} s");
        };
        check(0, 0, 60, (60, 0));
        check(1, 0, 60, (59, 1));
        check(60, 0, 1, (0, 1));
        check(60, 10, 10, (10, 0));
        check(60, 10, 11, (10, 1));
        check(60, 3_600, 60, (60, 0));
        // More than it holds: only when it is full, and then the debt is worked off.
        check(0, 0, 1_000, (60, 0));
        check(1, 0, 1_000, (59, 1));
        check(600, 0, 1, (0, 541));
        check(600, 540, 1, (0, 1));
        check(600, 541, 1, (1, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_given_back_never_overflows() {
        let (mut bucket, now) = of(60);
        bucket.take(90, now);
        bucket.give_back(40, now);
        assert_eq!((bucket.left(now), bucket.until_full(now)), (10, Duration::from_secs(50)));
        bucket.give_back(1_000, now);
        assert_eq!((bucket.left(now), bucket.until_full(now)), (60, Duration::ZERO));
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_too_much_for_it() {
        let (mut bucket, now) = of(1);
        bucket.take(u64::MAX, now);
        bucket.take(u64::MAX, now);
        assert_eq!(bucket.left(now), 0);
        assert!(bucket.wait(1, now) > Duration::from_hours(24));
    }

    proptest! {
        /// Whoever takes what it may, when it may: never more than a minute's worth and the rate since the start; waiting as long
        /// as is told is enough, and a nanosecond less is not.
        #[test]
        fn never_more_than_the_rate(
            per_minute in 1_u32..100_000,
            steps in proptest::collection::vec((0_u64..200_000, 0_u64..90_000), 1..60),
        ) {
            let (mut bucket, start) = of(per_minute);
            let (mut now, mut taken) = (start, 0_u128);
            for (units, pause) in steps {
                now += Duration::from_millis(pause);
                let wait = bucket.wait(units, now);
                if let Some(less) = wait.checked_sub(Duration::from_nanos(1)) {
                    prop_assert!(bucket.wait(units, now + less) > Duration::ZERO);
                }
                now += wait;
                prop_assert_eq!(bucket.wait(units, now), Duration::ZERO);
                bucket.take(units, now);
                taken += u128::from(units);
                let filled = (now - start).as_nanos() * u128::from(per_minute) / MINUTE;
                let most = filled + u128::from(per_minute).max(units.into());
                prop_assert!(taken <= most + 1, "{} of {}", taken, most);
            }
        }
    }
}
