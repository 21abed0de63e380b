//! What a human decided about an issue: [`Disposition`].
//!
//! A decision is bound to the issue's id; where it holds for another wording of the issue, its own id tells. Keeping it is `store`'s work, heeding it `tally`'s.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fmt,
};

use jiff::Timestamp;

use crate::{
    finding::Severity,
    reviewer::{Lineage, ReviewerId},
};

/// What came of an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Decision {
    /// True, and to be repaired.
    Real,
    /// Not true.
    False,
    /// True, and nobody will repair it.
    WontFix,
    /// An earlier decision is taken back.
    Undecided,
}

impl Decision {
    /// Every decision.
    pub const ALL: [Self; 4] = [Self::Real, Self::False, Self::WontFix, Self::Undecided];

    /// The word of the command line and of the tally.
    pub fn word(self) -> &'static str {
        match self {
            Self::Real => "real",
            Self::False => "false",
            Self::WontFix => "wontfix",
            Self::Undecided => "undecided",
        }
    }

    /// Whether the issue need not be looked at any more.
    pub fn dismisses(self) -> bool {
        match self {
            Self::False | Self::WontFix => true,
            Self::Real | Self::Undecided => false,
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A reviewer that found an issue, and its descent at that time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Finder {
    /// Who.
    pub reviewer: ReviewerId,
    /// The family it counted as.
    pub lineage: Lineage,
}

/// A decision, who made it, and what it was made about. Ordered by time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Disposition {
    /// When; of several decisions about one issue the latest stands.
    pub at: Timestamp,
    /// The id of the issue that it was made about.
    pub issue: String,
    /// What was decided.
    pub decision: Decision,
    /// The human's reason; empty when not given.
    pub why: String,
    /// The human's name.
    pub by: String,
    /// The run it was decided on.
    pub run: String,
    /// The issue's path at that time.
    pub path: String,
    /// Its severity at that time.
    pub severity: Severity,
    /// Its claim, as the first reviewer put it.
    pub what: String,
    /// Who found it, in name order.
    pub found_by: Vec<Finder>,
}

/// The decision that stands for each issue, by its id; the order of `all` does not matter.
pub fn standing(all: Vec<Disposition>) -> BTreeMap<String, Disposition> {
    let mut latest = latest(all);
    latest.retain(|_, one| one.decision != Decision::Undecided);
    latest
}

/// The last word about each issue, by its id, also that a decision was taken back; the order of `all` does not matter.
pub fn latest(all: Vec<Disposition>) -> BTreeMap<String, Disposition> {
    let mut latest: BTreeMap<String, Disposition> = BTreeMap::new();
    for one in all {
        match latest.entry(one.issue.clone()) {
            Entry::Occupied(mut known) if *known.get() < one => {
                known.insert(one);
            }
            Entry::Occupied(_) => {}
            Entry::Vacant(free) => {
                free.insert(one);
            }
        }
    }
    latest
}

/// What is decided about `issue` where `latest` says it, and was not taken back.
pub fn of(latest: &BTreeMap<String, Disposition>, issue: &str) -> Option<Disposition> {
    latest.get(issue).filter(|one| one.decision != Decision::Undecided).cloned()
}

#[cfg(test)]
mod tests {
    use super::{
        Decision::{False, Real, Undecided, WontFix},
        *,
    };

    fn decided(issue: &str, second: i64, decision: Decision) -> Disposition {
        Disposition {
            at: Timestamp::new(second, 0).unwrap(),
            issue: issue.to_owned(),
            decision,
            why: String::new(),
            by: "Ada".to_owned(),
            run: String::new(),
            path: "a.rs".to_owned(),
            severity: Severity::Warn,
            what: String::new(),
            found_by: Vec::new(),
        }
    }

    #[test]
    fn the_latest_stands_whatever_the_order() {
        let check = |all: &[(&str, i64, Decision)], expect: &[(&str, Decision)]| {
            let given = || all.iter().map(|(issue, second, decision)| decided(issue, *second, *decision));
            for all in [given().collect::<Vec<_>>(), given().rev().collect()] {
                let standing = standing(all);
                let shown: Vec<_> = standing.values().map(|one| (one.issue.as_str(), one.decision)).collect();
                assert_eq!(shown, expect);
            }
        };
        check(&[("a", 1, False), ("b", 1, WontFix), ("a", 2, Real)], &[("a", Real), ("b", WontFix)]);
        check(&[("a", 5, False), ("a", 2, Real)], &[("a", False)]);
        check(&[("a", 1, False), ("a", 2, Undecided)], &[]);
        check(&[("a", 1, False), ("a", 2, Undecided), ("a", 3, Real)], &[("a", Real)]);
        check(&[], &[]);
    }
}
