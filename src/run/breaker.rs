//! Whether a provider that fails again and again is still asked: [`Breaker`]. Pure; it waits for nothing itself.
//!
//! Closed, it lets everything through. Opened by failures in a row, it lets nothing through for a while, then one request to try:
//! an answer closes it, another failure opens it for longer. After a few such trials it is not tried again.

use std::time::Duration;

use tokio::time::Instant;

/// Failures in a row, over all tasks of a provider, that open its breaker: as many as one task has attempts.
pub(super) const MOST_FAILURES: u32 = 5;
/// Requests that may fail to find an opened provider well again.
pub(super) const MOST_TRIALS: u32 = 3;
/// How long the breaker stays open before the first trial; each later pause is twice as long.
pub(super) const FIRST_PAUSE: Duration = Duration::from_secs(15);

/// What is known of a provider's health.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Breaker {
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Closed {
        failures: u32,
    },
    Open {
        outage: Outage,
        until: Instant,
    },
    /// `task` is under way to find out.
    HalfOpen {
        outage: Outage,
        task: usize,
    },
    /// For the rest of the run.
    GivenUp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Outage {
    since: Instant,
    /// That have failed.
    trials: u32,
}

/// Whether a request may be sent now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passage {
    /// It may.
    Free,
    /// Not before this moment.
    Blocked(Instant),
    /// Not before it is known how the trial goes.
    OnTrial,
    /// Never again.
    Closed,
}

impl Breaker {
    pub(super) fn new() -> Self {
        Self { state: State::Closed { failures: 0 } }
    }

    /// Whether a request may be sent at `now` by somebody who bears an outage of `patience`.
    pub(super) fn passage(&self, now: Instant, patience: Duration) -> Passage {
        match self.state {
            State::Closed { .. } => Passage::Free,
            State::Open { until, .. } if now >= until => Passage::Free,
            State::Open { outage, until } if until - outage.since <= patience => Passage::Blocked(until),
            State::HalfOpen { .. } => Passage::OnTrial,
            State::Open { .. } | State::GivenUp => Passage::Closed,
        }
    }

    /// `task` is asked, which was free to pass.
    pub(super) fn began(&mut self, task: usize) {
        if let State::Open { outage, .. } = self.state {
            self.state = State::HalfOpen { outage, task };
        }
    }

    /// The provider answered a task, be it with a refusal: it is there.
    pub(super) fn worked(&mut self) {
        self.state = State::Closed { failures: 0 };
    }

    /// The provider failed on `task`. What was asked before it was opened tells nothing new.
    pub(super) fn failed(&mut self, task: usize, now: Instant) {
        self.state = match self.state {
            State::Closed { failures } if failures + 1 < MOST_FAILURES => {
                State::Closed { failures: failures + 1 }
            }
            State::Closed { .. } => {
                State::Open { outage: Outage { since: now, trials: 0 }, until: now + FIRST_PAUSE }
            }
            State::HalfOpen { outage, task: trial } if trial == task => match outage.trials + 1 {
                MOST_TRIALS => State::GivenUp,
                trials => State::Open {
                    outage: Outage { trials, ..outage },
                    until: now + FIRST_PAUSE * 2_u32.pow(trials),
                },
            },
            State::Open { .. } | State::HalfOpen { .. } | State::GivenUp => self.state,
        };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PATIENCE: Duration = Duration::from_mins(10);

    fn opened(now: Instant) -> Breaker {
        let mut breaker = Breaker::new();
        (0..MOST_FAILURES).for_each(|_| breaker.failed(0, now));
        breaker
    }

    #[test]
    fn failures_in_a_row_open_it_and_an_answer_between_them_does_not() {
        let now = Instant::now();
        let mut breaker = Breaker::new();
        for _ in 0..3 {
            (1..MOST_FAILURES).for_each(|_| breaker.failed(0, now));
            assert_eq!(breaker.passage(now, PATIENCE), Passage::Free);
            breaker.worked();
        }
        assert_eq!(opened(now).passage(now, PATIENCE), Passage::Blocked(now + FIRST_PAUSE));
    }

    #[test]
    fn one_request_finds_out() {
        let now = Instant::now();
        let mut breaker = opened(now);
        let later = now + FIRST_PAUSE;
        assert_eq!(breaker.passage(later, PATIENCE), Passage::Free);
        breaker.began(7);
        assert_eq!(breaker.passage(later, PATIENCE), Passage::OnTrial);
        breaker.failed(3, later);
        assert_eq!(breaker.passage(later, PATIENCE), Passage::OnTrial, "3 was asked before");
        breaker.failed(7, later);
        assert_eq!(breaker.passage(later, PATIENCE), Passage::Blocked(later + 2 * FIRST_PAUSE));
        breaker.began(8);
        breaker.worked();
        assert_eq!(breaker, Breaker::new());
    }

    #[test]
    fn a_pause_beyond_patience_is_not_waited_for() {
        let now = Instant::now();
        assert_eq!(opened(now).passage(now, FIRST_PAUSE / 2), Passage::Closed);
    }

    proptest! {
        /// A provider that never works is given up after the trials, and each waits for its pause.
        #[test]
        fn it_ends(steps in proptest::collection::vec(1_u64..120, 200)) {
            let mut now = Instant::now();
            let mut breaker = opened(now);
            let mut trials = 0;
            for seconds in steps {
                now += Duration::from_secs(seconds);
                if breaker.passage(now, PATIENCE * 99) == Passage::Free {
                    trials += 1;
                    breaker.began(1);
                    breaker.failed(1, now);
                }
            }
            prop_assert_eq!((trials, breaker.passage(now, PATIENCE)), (MOST_TRIALS, Passage::Closed));
        }
    }
}
