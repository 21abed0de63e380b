//! What a run may spend and has spent: [`Budget`]. Pure.
//!
//! It counts what is known to be spent and holds nothing back for what is under way: a limit is passed by no more than the
//! requests in flight.

use crate::{cost, coverage::Spent, report::words};

/// The most a run may spend; `None` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Limits {
    /// US dollars.
    pub cost_usd: Option<f64>,
    /// Tokens of prompts and answers.
    pub tokens: Option<u64>,
}

/// A run's limits and what it has spent.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Budget {
    limits: Limits,
    cost_usd: f64,
    tokens: u64,
}

impl Budget {
    /// A budget of which `spent` is gone already.
    pub fn new(limits: Limits, spent: Spent) -> Self {
        let mut budget = Self { limits, ..Self::default() };
        budget.spend(spent);
        budget
    }

    /// Counts what one request took, as far as it is known.
    pub(super) fn spend(&mut self, spent: Spent) {
        self.cost_usd = cost::total([self.cost_usd, spent.cost_usd.unwrap_or_default()]);
        self.tokens = self.tokens.saturating_add(spent.tokens());
    }

    /// Why nothing more may be sent, in words; `None` while something may.
    pub(super) fn used_up(&self) -> Option<String> {
        if let Some(most) = self.limits.cost_usd.filter(|most| self.cost_usd >= *most) {
            return Some(format!("the budget of {} is used up", exact(most)));
        }
        let most = self.limits.tokens.filter(|most| self.tokens >= *most)?;
        Some(format!("the budget of {} tokens is used up", words::grouped(most)))
    }
}

/// `$0.50`, `$0.058`: as it was asked for.
fn exact(usd: f64) -> String {
    let cents = format!("{usd:.2}");
    let is_whole = cents.parse().is_ok_and(|rounded: f64| rounded.to_bits() == usd.to_bits());
    if is_whole { words::dollars(usd) } else { format!("${usd}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spent(cost_usd: f64, tokens: u64) -> Spent {
        Spent { tokens_in: Some(tokens), cost_usd: Some(cost_usd), ..Spent::default() }
    }

    #[test]
    fn what_is_reached_is_used_up() {
        let check = |limits: Limits, expect: Option<&str>| {
            let mut budget = Budget::new(limits, spent(0.25, 1_000));
            budget.spend(spent(0.25, 500));
            budget.spend(Spent::default());
            assert_eq!(budget.used_up().as_deref(), expect);
        };
        let cost = |most| Limits { cost_usd: Some(most), tokens: None };
        let tokens = |most| Limits { cost_usd: None, tokens: Some(most) };
        check(Limits::default(), None);
        check(cost(0.51), None);
        check(cost(0.5), Some("the budget of $0.50 is used up"));
        check(cost(0.125), Some("the budget of $0.125 is used up"));
        check(cost(0.0), Some("the budget of $0.00 is used up"));
        // Ten times ten cents are a dollar, not a little less.
        let mut budget = Budget::new(cost(1.0), Spent::default());
        (0..10).for_each(|_| budget.spend(spent(0.1, 1)));
        assert_eq!(budget.used_up().as_deref(), Some("the budget of $1.00 is used up"));
        check(tokens(1_501), None);
        check(tokens(1_500), Some("the budget of 1,500 tokens is used up"));
    }
}
