//! A human's word against the gate's: [`Override`].
//!
//! It is bound to one run, its commits and exactly what the gate said, so it counts for nothing else. Keeping it is `store`'s work.

use jiff::Timestamp;

use super::{Gate, GateResult};
use crate::change::RangeInfo;

/// Somebody lets a run pass whatever the gate says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// When; of several the latest is named.
    pub at: Timestamp,
    /// The human's name.
    pub by: String,
    /// The human's reason, never empty.
    pub why: String,
    /// The run's id.
    pub run: String,
    /// Full id of the commit on its old side.
    pub base: Option<String>,
    /// Full id of the commit on its new side.
    pub head: Option<String>,
    /// The policy in words.
    pub policy: String,
    /// What the gate said.
    pub result: GateResult,
    /// Why it said so.
    pub reasons: Vec<String>,
    /// What failed, as [`Gate::issues`] names it; `None` where that was not written down.
    pub issues: Option<Vec<String>>,
}

impl Gate {
    /// Lets the latest of `overrides` count that was made about `run`, these commits and this very answer.
    #[must_use]
    pub fn overruled(self, run: &str, range: &RangeInfo, overrides: &[Override]) -> Self {
        let fits = |one: &&Override| {
            one.run == run
                && (&one.base, &one.head) == (&range.base, &range.head)
                && (&one.policy, one.result, &one.reasons) == (&self.policy, self.result, &self.reasons)
                && one.issues.as_ref() == Some(&self.issues)
        };
        let latest = overrides.iter().filter(fits).max_by_key(|one| one.at).cloned();
        Self { overruled: latest, ..self }
    }

    /// Whether it lets the change through: nothing was asked for, the gate passed, or somebody overrode it.
    pub fn lets_through(&self) -> bool {
        match self.result {
            GateResult::Pass | GateResult::Off => true,
            GateResult::Fail | GateResult::Inconclusive => self.overruled.is_some(),
        }
    }
}
