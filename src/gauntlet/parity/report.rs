//! All cases of a spec together: [`Report`] counts them and groups divergences by their cause.

use std::collections::BTreeMap;

use super::{
    shape::{Part, Shape},
    verdict::{Compared, Side, Verdict},
};

/// What a spec came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The spec's name.
    pub name: String,
    /// When it began, RFC 3339 in UTC.
    pub date: String,
    /// Who was asked, the one that others are compared with first.
    pub sides: Vec<Side>,
    /// What does not count, a part each.
    pub rule: Vec<String>,
    /// How often each side was asked each case.
    pub repeat: usize,
    /// In the order of the spec.
    pub cases: Vec<Compared>,
    /// Cases that were not asked, because everything was stopped before.
    pub unasked: usize,
    /// Why divergences are grouped as they are; most cases first.
    pub causes: Vec<Cause>,
    /// What is worth knowing and no divergence.
    pub remarks: Vec<Cause>,
    /// Cases whose divergence somebody has accepted, and in what words.
    pub accepted: BTreeMap<String, String>,
    /// What is to be said about the register of gaps.
    pub notes: Vec<String>,
}

/// One cause of divergences.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// Which side differs from the first, by its place.
    pub side: usize,
    /// How.
    pub shape: Shape,
    /// What it looks like in the first of the cases, in a line; foreign text.
    pub example: String,
    /// Names of the cases, in the order of the spec.
    pub cases: Vec<String>,
}

/// What a report says in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// All cases match, or their divergence is accepted.
    Matched,
    /// A case differs, and nobody has accepted that.
    Diverged,
    /// No divergence, but not all cases could be compared.
    Inconclusive,
}

impl Report {
    /// A report of `cases`; nothing is accepted yet.
    pub fn new(
        name: &str,
        date: String,
        sides: Vec<Side>,
        rule: Vec<String>,
        repeat: usize,
        cases: Vec<Compared>,
    ) -> Self {
        let causes =
            grouped(cases.iter().flat_map(|case| causal(case).map(move |(side, one)| (case, *side, one))));
        let remarks = grouped(
            cases.iter().flat_map(|case| case.remarks.iter().map(move |(side, one)| (case, *side, one))),
        );
        Self {
            name: name.to_owned(),
            date,
            sides,
            rule,
            repeat,
            cases,
            unasked: 0,
            causes,
            remarks,
            accepted: BTreeMap::new(),
            notes: Vec::new(),
        }
    }

    /// How many cases came to `verdict`.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.cases.iter().filter(|case| case.verdict == verdict).count()
    }

    /// Whether `case` differs, and somebody has accepted that.
    pub fn is_accepted(&self, case: &Compared) -> bool {
        case.verdict == Verdict::Diff && self.accepted.contains_key(&case.name)
    }

    /// What all this comes to.
    pub fn standing(&self) -> Standing {
        let is_open = |case: &Compared| case.verdict == Verdict::Diff && !self.is_accepted(case);
        let is_settled = |case: &Compared| case.verdict == Verdict::Match || self.is_accepted(case);
        if self.cases.iter().any(is_open) {
            Standing::Diverged
        } else if self.unasked == 0 && !self.cases.is_empty() && self.cases.iter().all(is_settled) {
            Standing::Matched
        } else {
            Standing::Inconclusive
        }
    }

    /// `1 match · 5 diff (out of 6 cases)`.
    pub fn tally_line(&self) -> String {
        let others = [Verdict::Empty, Verdict::Error, Verdict::Unstable]
            .into_iter()
            .filter(|one| self.count(*one) > 0);
        let parts = [Verdict::Match, Verdict::Diff].into_iter().chain(others);
        let mut parts: Vec<String> = parts.map(|one| format!("{} {}", self.count(one), one.word())).collect();
        if self.unasked > 0 {
            parts.push(format!("{} not asked", self.unasked));
        }
        let all = self.cases.len() + self.unasked;
        format!("{} (out of {all} {})", parts.join(" · "), if all == 1 { "case" } else { "cases" })
    }

    /// `6 of 6 statuses match, 5 of 6 bodies differ, one cause`; empty where nothing was compared.
    pub fn summary(&self) -> String {
        let known: Vec<&Compared> = self.cases.iter().filter(|case| case.bodies_match.is_some()).collect();
        if known.is_empty() {
            return String::new();
        }
        let all = known.len();
        let statuses = known.iter().filter(|case| case.statuses_match() == Some(true)).count();
        let bodies = known.iter().filter(|case| case.bodies_match == Some(false)).count();
        let causes = match self.causes.len() {
            0 => "no difference".to_owned(),
            1 => "one cause".to_owned(),
            more => format!("{more} causes"),
        };
        format!("{statuses} of {all} statuses match, {bodies} of {all} bodies differ, {causes}")
    }
}

/// The differences of a case that are causes: where the status differs, the rest follows from that.
pub fn causal(case: &Compared) -> impl Iterator<Item = &(usize, super::Difference)> {
    let has_status = |side: usize| {
        case.differences.iter().any(|(other, one)| *other == side && one.shape.part == Part::Status)
    };
    let is_diff = case.verdict == Verdict::Diff;
    case.differences
        .iter()
        .filter(move |(side, one)| is_diff && (one.shape.part == Part::Status || !has_status(*side)))
}

fn grouped<'a>(found: impl Iterator<Item = (&'a Compared, usize, &'a super::Difference)>) -> Vec<Cause> {
    let mut groups: BTreeMap<(usize, &Shape), Cause> = BTreeMap::new();
    for (case, side, difference) in found {
        let cause = groups.entry((side, &difference.shape)).or_insert_with(|| Cause {
            side,
            shape: difference.shape.clone(),
            example: difference.example.clone(),
            cases: Vec::new(),
        });
        cause.cases.push(case.name.clone());
    }
    let mut causes: Vec<Cause> = groups.into_values().collect();
    causes.sort_by_key(|cause| std::cmp::Reverse(cause.cases.len()));
    causes
}
