//! What answers took: [`Spent`] counts answers, tokens and dollars of one reviewer, of a run, or of many runs.
//!
//! A price nobody knows is counted as such and never as nothing. Words are `report`'s work.

use super::Tally;
use crate::{
    cost,
    coverage::{Outcome, State},
    reviewer::Seat,
};

/// What answers took.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Spent {
    /// Answers that somebody was asked for.
    pub answers: usize,
    /// Answers that were taken from the cache and cost nothing.
    pub cached: usize,
    /// Prompt tokens, where the provider counted them.
    pub tokens_in: Option<u64>,
    /// Answer tokens, likewise.
    pub tokens_out: Option<u64>,
    /// US dollars, where known.
    pub cost_usd: Option<f64>,
    /// Replies, whole or not, whose price is not known: with any of them, `cost_usd` is the least that it was.
    pub unpriced: usize,
}

impl Spent {
    /// What one task took.
    pub fn of(outcome: &Outcome) -> Self {
        let answered = outcome.state == State::Answered;
        let asked = outcome.attempts > 0 && !outcome.cached;
        let replied = match outcome.state {
            State::Answered | State::Incomplete | State::Empty | State::TimedOut => true,
            State::Failed | State::Skipped | State::NotRouted => false,
        };
        Self {
            answers: usize::from(asked && answered),
            cached: usize::from(outcome.cached && answered),
            tokens_in: outcome.tokens_in,
            tokens_out: outcome.tokens_out,
            cost_usd: outcome.cost_usd,
            unpriced: usize::from(asked && replied && outcome.cost_usd.is_none()),
        }
    }

    /// What the tasks of `seat` in `tally` took. What works without a model is free, also where an old record does not say so.
    pub fn by_seat(tally: &Tally, seat: &Seat) -> Self {
        let own = tally.coverage.iter().filter(|task| task.outcome.reviewer == seat.id);
        let spent: Self = own.map(|task| Self::of(&task.outcome)).sum();
        Self { unpriced: if seat.is_free() { 0 } else { spent.unpriced }, ..spent }
    }

    /// What questions about claims took in `tally`, whoever was asked.
    pub fn by_judging(tally: &Tally) -> Self {
        tally.judgements.hearings().map(|hearing| Self::of(&hearing.outcome)).sum()
    }

    /// What all of `tally` took.
    pub fn in_all(tally: &Tally) -> Self {
        let seats = tally.panel.reviewers.iter().map(|seat| Self::by_seat(tally, seat));
        seats.chain([Self::by_judging(tally)]).sum()
    }

    /// Whether anything is known that is worth telling.
    pub fn is_something(&self) -> bool {
        let Self { answers: _, cached, tokens_in, tokens_out, cost_usd, unpriced } = *self;
        let tokens = tokens_in.unwrap_or_default().saturating_add(tokens_out.unwrap_or_default());
        tokens > 0 || cached > 0 || unpriced > 0 || cost_usd.is_some_and(|usd| usd > 0.0)
    }

    /// Adds what something else took.
    pub fn add(&mut self, other: &Self) {
        self.answers += other.answers;
        self.cached += other.cached;
        self.unpriced += other.unpriced;
        self.tokens_in = sum(self.tokens_in, other.tokens_in, u64::saturating_add);
        self.tokens_out = sum(self.tokens_out, other.tokens_out, u64::saturating_add);
        self.cost_usd = sum(self.cost_usd, other.cost_usd, |a, b| cost::total([a, b]));
    }
}

impl std::iter::Sum for Spent {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |mut sum, one| {
            sum.add(&one);
            sum
        })
    }
}

/// The sum of what is known.
fn sum<T>(a: Option<T>, b: Option<T>, add: impl Fn(T, T) -> T) -> Option<T> {
    match (a, b) {
        (Some(a), Some(b)) => Some(add(a, b)),
        (known, None) | (None, known) => known,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reviewer::ReviewerId;

    fn outcome(state: State, attempts: u32, cached: bool, cost_usd: Option<f64>) -> Outcome {
        let skipped = Outcome::new("c1_a".to_owned(), ReviewerId::new("kimi").unwrap(), state);
        Outcome { attempts, cached, cost_usd, ..skipped }
    }

    #[test]
    fn a_price_that_is_not_known_is_no_zero() {
        let check = |outcome: &Outcome, [answers, cached, unpriced]: [usize; 3]| {
            let spent = Spent::of(outcome);
            assert_eq!(
                [spent.answers, spent.cached, spent.unpriced],
                [answers, cached, unpriced],
                "{outcome:?}"
            );
        };
        check(&outcome(State::Answered, 1, false, Some(0.5)), [1, 0, 0]);
        check(&outcome(State::Answered, 1, false, None), [1, 0, 1]);
        check(&outcome(State::Answered, 0, true, Some(0.0)), [0, 1, 0]);
        // What was cut off or too slow was paid for, what was refused was not.
        check(&outcome(State::Incomplete, 1, false, None), [0, 0, 1]);
        check(&outcome(State::TimedOut, 1, false, None), [0, 0, 1]);
        check(&outcome(State::Failed, 5, false, None), [0, 0, 0]);
        check(&outcome(State::Skipped, 0, false, None), [0, 0, 0]);
    }

    #[test]
    fn sums() {
        let priced = Spent { answers: 1, cost_usd: Some(0.1), ..Spent::default() };
        let unpriced = Spent { answers: 1, unpriced: 1, tokens_in: Some(7), ..Spent::default() };
        let cached = Spent { cached: 2, cost_usd: Some(0.2), ..Spent::default() };
        let expect = Spent {
            answers: 2,
            cached: 2,
            unpriced: 1,
            tokens_in: Some(7),
            tokens_out: None,
            cost_usd: Some(0.3),
        };
        assert_eq!([priced, unpriced, cached].into_iter().sum::<Spent>(), expect);
        assert_eq!([cached, priced, unpriced].into_iter().sum::<Spent>(), expect);
        assert!(!Spent { cost_usd: Some(0.0), answers: 3, ..Spent::default() }.is_something());
    }
}
