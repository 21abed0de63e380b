//! The gate: whether a tally passes a policy.

use super::Tally;

/// What makes the gate fail (`--fail-on`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FailOn {
    /// Nothing: the gate is off.
    #[default]
    Never,
    /// Any counted issue.
    Any,
    /// An issue of WARN or worse.
    Warn,
    /// An issue of BLOCK.
    Block,
    /// An issue that two or more lineages agree on.
    Convergent,
}

/// The policy of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// What fails.
    pub fail_on: FailOn,
    /// Fewest distinct lineages that must have answered.
    pub min_lineages: usize,
}

/// The gate's answer with its reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    /// Pass, fail, inconclusive or off.
    pub result: GateResult,
    /// The policy in words, such as `fail-on block, min-lineages 2`.
    pub policy: String,
    /// Why, for people.
    pub reasons: Vec<String>,
}

/// The gate's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GateResult {
    /// Nothing that fails, and enough was read.
    Pass,
    /// Something that fails.
    Fail,
    /// Too little was read to say.
    Inconclusive,
    /// No gate was asked for, and somebody answered.
    Off,
}

/// Applies `policy`. No reviewer answered, or fewer lineages than asked: inconclusive even when the gate is off.
pub fn evaluate(tally: &Tally, policy: Policy) -> Gate {
    let _ = (tally, policy);
    unimplemented!()
}
