//! When the next request to a provider is due, so that none gets more in a minute than it allows: [`Meter`]. It waits for nothing itself.
//!
//! governor keeps the rate. What was sent is owed and drawn from it afterwards, and nobody goes while something is owed: so the tokens of
//! an answer can be added when they are known, and a question may be larger than what a minute allows.

use std::num::NonZeroU32;

use governor::{
    Quota, RateLimiter,
    clock::Clock,
    state::{InMemoryState, NotKeyed},
};
use tokio::time::Instant;

use crate::{estimate, provider::Question, reviewer::Allowance};

/// About how many tokens are sent with `question`.
pub(super) fn prompt_tokens(question: &Question) -> u64 {
    estimate::tokens(&question.prompt.system) + estimate::tokens(&question.prompt.user)
}

/// One limit: so many units within a minute.
#[derive(Debug)]
pub(crate) struct Meter {
    rate: RateLimiter<NotKeyed, InMemoryState, TokioClock>,
    at_once: NonZeroU32,
    /// What was sent and not drawn yet.
    owed: u64,
}

/// The time as tokio has it: tests can pause it.
#[derive(Debug, Clone)]
struct TokioClock;

impl Clock for TokioClock {
    type Instant = std::time::Instant;

    fn now(&self) -> std::time::Instant {
        Instant::now().into_std()
    }
}

impl Meter {
    /// A limit on requests. They are spread evenly: services count 60 a minute also as one a second.
    pub(crate) fn of_requests(per_minute: NonZeroU32) -> Self {
        Self::new(per_minute, NonZeroU32::MIN)
    }

    /// A limit on tokens. What was not used for up to a minute may be used at once, as services count it.
    pub(crate) fn of_tokens(per_minute: NonZeroU32) -> Self {
        Self::new(per_minute, per_minute)
    }

    fn new(per_minute: NonZeroU32, at_once: NonZeroU32) -> Self {
        let quota = Quota::per_minute(per_minute).allow_burst(at_once);
        let meter = Self { rate: RateLimiter::direct_with_clock(quota, TokioClock), at_once, owed: 0 };
        // What the minute before would have allowed is not known to be left.
        meter.draw(at_once);
        meter
    }

    /// When the next one may be asked for again; `None`: it may go now.
    pub(crate) fn due(&mut self) -> Option<Instant> {
        while let Some(owed) = NonZeroU32::new(u32::try_from(self.owed).unwrap_or(u32::MAX)) {
            let part = owed.min(self.at_once);
            if let Some(due) = self.draw(part) {
                return Some(due);
            }
            self.owed -= u64::from(part.get());
        }
        None
    }

    /// Draws `units`, at most `at_once`, or says when they are to be had.
    fn draw(&self, units: NonZeroU32) -> Option<Instant> {
        match self.rate.check_n(units) {
            Ok(Ok(())) | Err(_) => None,
            Ok(Err(not_yet)) => Some(Instant::from_std(not_yet.earliest_possible())),
        }
    }

    /// `units` are sent.
    pub(crate) fn send(&mut self, units: u64) {
        self.owed += units.min(u64::from(u32::MAX));
    }

    /// What was taken for `thought` units when it was sent was `real` ones. What is drawn already is not given back: a minute that is
    /// over has been used or not.
    pub(crate) fn correct(&mut self, thought: u64, real: u64) {
        self.send(real.saturating_sub(thought));
        self.owed = self.owed.saturating_sub(thought.saturating_sub(real));
    }
}

/// The smaller limit of both, each for itself.
pub(crate) fn tighter(a: Allowance, b: Allowance) -> Allowance {
    let least = |a: Option<NonZeroU32>, b: Option<NonZeroU32>| a.into_iter().chain(b).min();
    Allowance {
        requests_per_minute: least(a.requests_per_minute, b.requests_per_minute),
        tokens_per_minute: least(a.tokens_per_minute, b.tokens_per_minute),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn limit(per_minute: u32) -> NonZeroU32 {
        NonZeroU32::new(per_minute).unwrap()
    }

    /// Waits until the next one may go.
    async fn turn(meter: &mut Meter) {
        while let Some(due) = meter.due() {
            tokio::time::sleep_until(due).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn requests_are_spread_evenly() {
        let start = Instant::now();
        let mut meter = Meter::of_requests(limit(60));
        for second in 0..100 {
            turn(&mut meter).await;
            assert_eq!(start.elapsed().as_secs(), second);
            meter.send(1);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_sent_is_corrected_when_it_is_known() {
        let check = async |thought: u64, real: u64, expect: u64| {
            let start = Instant::now();
            let mut meter = Meter::of_tokens(limit(6_000));
            meter.send(thought);
            meter.correct(thought, real);
            turn(&mut meter).await;
            assert_eq!(start.elapsed().as_secs(), expect, "{thought} {real}");
        };
        check(1_000, 1_000, 10).await;
        check(1_000, 1_500, 15).await;
        check(1_000, 200, 2).await;
        check(1_000, 0, 0).await;
        check(0, 30_000, 300).await;
    }

    #[test]
    fn the_smaller_limit_counts() {
        let allowance = |requests: u32, tokens: u32| Allowance {
            requests_per_minute: NonZeroU32::new(requests),
            tokens_per_minute: NonZeroU32::new(tokens),
        };
        assert_eq!(tighter(allowance(60, 0), allowance(30, 900)), allowance(30, 900));
        assert_eq!(tighter(allowance(0, 0), allowance(0, 0)), allowance(0, 0));
    }

    /// However long the pauses and however large the questions: no more goes than the rate allows since the start, and one question.
    #[tokio::test(start_paused = true)]
    async fn never_more_than_the_rate_and_one_question() {
        let start = Instant::now();
        let mut meter = Meter::of_tokens(limit(600));
        let (mut sent, mut x) = (0, 7_u64);
        for _ in 0..300 {
            x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let (idle, units) = (x >> 33 & 63, x >> 40 & 2_047);
            tokio::time::sleep(Duration::from_secs(idle)).await;
            turn(&mut meter).await;
            assert!(sent <= 10 * start.elapsed().as_secs() + 10, "{sent}");
            meter.send(units);
            sent += units;
        }
    }
}
