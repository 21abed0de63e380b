//! What a provider allows within a minute: a [`Quota`] holds calls back until it is their turn.
//!
//! The rate is kept as in a review (`run::allowance`). How many calls may be under way is the affair of `line`.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::Mutex as Turns,
    time::{Instant, sleep_until, timeout_at},
};

use crate::{
    reviewer::Allowance,
    run::allowance::{Meter, tighter},
};

/// What a provider allows within a minute, all its models together. Clones share it.
#[derive(Clone, Default)]
pub(in crate::serve) struct Quota {
    meters: Arc<Mutex<Meters>>,
    /// Whoever is next has it.
    turns: Arc<Turns<()>>,
}

#[derive(Default)]
struct Meters {
    allowance: Allowance,
    requests: Option<Meter>,
    tokens: Option<Meter>,
}

/// A call that was made, for so many tokens as were guessed.
pub(super) struct Sent {
    meters: Arc<Mutex<Meters>>,
    guess: u64,
}

/// The provider would not take the call soon enough; it may in so much time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the limit a minute of this provider is used up")]
pub(super) struct UsedUp(pub(super) Duration);

impl Quota {
    /// Holds back by `allowance` too: of all that are named, the smallest counts.
    pub(in crate::serve) fn limit(&self, allowance: Allowance) {
        let mut meters = lock(&self.meters);
        let allowance = tighter(meters.allowance, allowance);
        *meters = Meters {
            allowance,
            requests: allowance.requests_per_minute.map(Meter::of_requests),
            tokens: allowance.tokens_per_minute.map(Meter::of_tokens),
        };
    }

    /// Waits until a call of about `tokens` may be made, first come first served, and no longer than `patience`. What is sent
    /// then counts, whatever becomes of it.
    pub(super) async fn turn(&self, tokens: u64, patience: Duration) -> Result<Sent, UsedUp> {
        let deadline = Instant::now() + patience;
        match timeout_at(deadline, self.send(tokens, deadline)).await {
            Ok(true) => Ok(Sent { meters: Arc::clone(&self.meters), guess: tokens }),
            Ok(false) | Err(_) => {
                let due = lock(&self.meters).due();
                Err(UsedUp(due.map(|due| due.saturating_duration_since(Instant::now())).unwrap_or_default()))
            }
        }
    }

    /// Sends when nobody is before it and nothing is owed. False: that will not be before `deadline`.
    async fn send(&self, tokens: u64, deadline: Instant) -> bool {
        let _turn = self.turns.lock().await;
        loop {
            let due = lock(&self.meters).due();
            match due {
                None => break lock(&self.meters).send(tokens),
                Some(due) if due > deadline => return false,
                Some(due) => sleep_until(due).await,
            }
        }
        true
    }
}

impl Sent {
    /// The call took so many `tokens`.
    pub(super) fn settle(self, tokens: u64) {
        let mut meters = lock(&self.meters);
        meters.tokens.iter_mut().for_each(|meter| meter.correct(self.guess, tokens));
    }
}

impl Meters {
    fn due(&mut self) -> Option<Instant> {
        let due = |meter: &mut Option<Meter>| meter.as_mut().and_then(Meter::due);
        due(&mut self.requests).max(due(&mut self.tokens))
    }

    fn send(&mut self, tokens: u64) {
        self.requests.iter_mut().for_each(|meter| meter.send(1));
        self.tokens.iter_mut().for_each(|meter| meter.send(tokens));
    }
}

fn lock(meters: &Mutex<Meters>) -> MutexGuard<'_, Meters> {
    meters.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use futures_util::future::join_all;

    use super::*;

    fn quota(requests: u32, tokens: u32) -> Quota {
        let quota = Quota::default();
        quota.limit(Allowance {
            requests_per_minute: NonZeroU32::new(requests),
            tokens_per_minute: NonZeroU32::new(tokens),
        });
        quota
    }

    /// When each of `calls` of so many tokens goes, in seconds, or why it does not.
    async fn calls(quota: &Quota, calls: &[u64], patience: u64) -> Vec<Result<u64, UsedUp>> {
        let start = Instant::now();
        let call = async |tokens: &u64| {
            quota.turn(*tokens, Duration::from_secs(patience)).await?;
            Ok(start.elapsed().as_secs())
        };
        join_all(calls.iter().map(call)).await
    }

    #[tokio::test(start_paused = true)]
    async fn calls_go_in_turn_as_fast_as_is_allowed() {
        let check = async |quota: Quota, tokens: &[u64], expect: &[u64]| {
            let expect: Vec<_> = expect.iter().copied().map(Ok).collect();
            assert_eq!(calls(&quota, tokens, 600).await, expect, "{tokens:?}");
        };
        check(Quota::default(), &[9, 9, 9], &[0, 0, 0]).await;
        check(quota(6, 0), &[9, 9, 9], &[0, 10, 20]).await;
        check(quota(0, 60), &[30, 10, 1], &[0, 30, 40]).await;
        check(quota(6, 60), &[30, 1, 1], &[0, 30, 40]).await;
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_longer_than_is_of_use() {
        let quota = quota(6, 0);
        let start = Instant::now();
        let went = calls(&quota, &[1, 1, 1, 1], 15).await;
        assert_eq!(went[..2], [Ok(0), Ok(10)]);
        assert_eq!(went[2..], [Err(UsedUp(Duration::from_secs(10))), Err(UsedUp(Duration::from_secs(10)))]);
        assert_eq!(start.elapsed().as_secs(), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn tokens_count_as_they_were_when_that_is_known() {
        let check = async |real: u64, expect: u64| {
            let quota = quota(0, 600);
            quota.turn(100, Duration::ZERO).await.unwrap().settle(real);
            assert_eq!(calls(&quota, &[1], 600).await, [Ok(expect)], "{real}");
        };
        check(100, 10).await;
        check(300, 30).await;
        check(0, 0).await;
    }

    #[tokio::test(start_paused = true)]
    async fn the_smallest_of_all_limits_counts() {
        let quota = quota(60, 0);
        quota.limit(Allowance { requests_per_minute: NonZeroU32::new(6), ..Allowance::default() });
        quota.limit(Allowance::default());
        assert_eq!(calls(&quota, &[1, 1], 600).await, [Ok(0), Ok(10)]);
    }
}
