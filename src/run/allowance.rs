//! When the next request to a provider is due, so that none gets more in a minute than it allows: [`Meter`]. Pure; it waits for
//! nothing itself.
//!
//! What was sent is paid off at the allowed rate, and nobody goes while something is owed. Requests are spread evenly that way,
//! and a question that is larger than was thought holds up the next one.

use std::{num::NonZeroU32, time::Duration};

use tokio::time::Instant;

use crate::{estimate, provider::Question, reviewer::Allowance};

const MINUTE: Duration = Duration::from_mins(1);
/// About how many tokens are sent with `question`.
pub(super) fn prompt_tokens(question: &Question) -> u64 {
    estimate::tokens(&question.prompt.system) + estimate::tokens(&question.prompt.user)
}

/// One limit: so many units within a minute.
#[derive(Debug, Clone, Copy)]
pub(super) struct Meter {
    per_minute: NonZeroU32,
    /// When everything sent so far is paid off.
    paid: Instant,
}

impl Meter {
    /// Nothing sent yet.
    pub(super) fn new(per_minute: NonZeroU32, now: Instant) -> Self {
        Self { per_minute, paid: now }
    }

    /// When the next one may go.
    pub(super) fn due(&self) -> Instant {
        self.paid
    }

    /// `units` are sent at `now`.
    pub(super) fn send(&mut self, units: u64, now: Instant) {
        self.paid = self.paid.max(now) + self.time(units);
    }

    /// What was taken for `thought` units when it was sent was `real` ones.
    pub(super) fn correct(&mut self, thought: u64, real: u64) {
        if real > thought {
            self.paid += self.time(real - thought);
        } else {
            // What is paid already is not given back: a minute that is over has been used or not.
            self.paid = self.paid.checked_sub(self.time(thought - real)).unwrap_or(self.paid);
        }
    }

    /// How long `units` take to be paid off; at most a day, whatever a server says about its tokens.
    fn time(&self, units: u64) -> Duration {
        const A_DAY: Duration = Duration::from_hours(24);
        let nanos = (u128::from(units) * MINUTE.as_nanos()).div_ceil(u128::from(self.per_minute.get()));
        u64::try_from(nanos).map_or(A_DAY, Duration::from_nanos).min(A_DAY)
    }
}

/// The smaller limit of both, each for itself.
pub(super) fn tighter(a: Allowance, b: Allowance) -> Allowance {
    let least = |a: Option<NonZeroU32>, b: Option<NonZeroU32>| a.into_iter().chain(b).min();
    Allowance {
        requests_per_minute: least(a.requests_per_minute, b.requests_per_minute),
        tokens_per_minute: least(a.tokens_per_minute, b.tokens_per_minute),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn limit(per_minute: u32) -> NonZeroU32 {
        NonZeroU32::new(per_minute).unwrap()
    }

    #[test]
    fn requests_are_spread_evenly() {
        let start = Instant::now();
        let mut meter = Meter::new(limit(60), start);
        for second in 0..100 {
            let due = meter.due();
            assert_eq!(due - start, Duration::from_secs(second));
            meter.send(1, due);
        }
    }

    #[test]
    fn what_was_sent_is_corrected_when_it_is_known() {
        let start = Instant::now();
        let check = |thought: u64, real: u64, expect: u64| {
            let mut meter = Meter::new(limit(6_000), start);
            meter.send(thought, start);
            meter.correct(thought, real);
            assert_eq!(meter.due() - start, Duration::from_secs(expect), "{thought} {real}");
        };
        check(1_000, 1_000, 10);
        check(1_000, 1_500, 15);
        check(1_000, 200, 2);
        check(0, u64::MAX, 24 * 60 * 60);
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

    proptest! {
        /// However long the pauses and however large the questions: no minute sees more than the limit and one question.
        #[test]
        fn no_minute_sees_more(per_minute in 1_u32..5_000, questions in proptest::collection::vec((0_u64..90, 1_u64..4_000), 1..60)) {
            let mut meter = Meter::new(limit(per_minute), Instant::now());
            let (mut sent, mut now) = (Vec::new(), Instant::now());
            for (idle, units) in questions {
                now = (now + Duration::from_secs(idle)).max(meter.due());
                meter.send(units, now);
                sent.push((now, units));
            }
            for (at, (begin, _)) in sent.iter().enumerate() {
                let minute: Vec<u64> = sent[at..].iter().take_while(|(when, _)| *when - *begin < MINUTE).map(|(_, units)| *units).collect();
                let before_the_last: u64 = minute[..minute.len() - 1].iter().sum();
                prop_assert!(before_the_last <= u64::from(per_minute), "{minute:?}");
            }
        }
    }
}
