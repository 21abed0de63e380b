//! Scores a panel on changes whose true issues people know: [`score`] makes [`Scores`] of labelled [`Case`]s.
//!
//! What each reviewer and lineage is worth (`worth`), what agreement says (`agreement`), what a further lineage adds (`gains`).
//! The method is written down in `docs/design/evaluation.md`. Nothing is read or asked here.

mod agreement;
mod bootstrap;
mod gains;
pub mod labels;
mod truth;
mod worth;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

pub use agreement::{Contrast, Level};
pub use gains::{Added, Gains, Step};
pub use worth::Worth;

use crate::{
    coverage::State,
    proportion::Proportion,
    reviewer::{Lineage, ReviewerId},
    tally::{Agreement, Member, Tally},
};
use labels::Labels;
use truth::{Key, Truth};

/// One change with what is known about it.
#[derive(Debug)]
pub struct Case {
    /// What people know.
    pub labels: Labels,
    /// All replies that were kept with the labels: what judgements on findings are about.
    pub saved: Tally,
    /// The answers to score, where these are others than `saved`: of some reviewers only, or of a panel asked now.
    pub asked: Option<Tally>,
}

/// A figure that is no share of a count, with how far it would move with other cases.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The figure.
    pub value: f64,
    /// 95 % interval by bootstrap over cases; `None` with fewer than five that have anything to say.
    pub interval: Option<(f64, f64)>,
}

/// What a panel is worth.
#[derive(Debug, PartialEq)]
pub struct Scores {
    /// Cases scored.
    pub cases: usize,
    /// True issues in them.
    pub real: usize,
    /// Some cases have no list of true issues: theirs are those that labelled findings name.
    pub relative: bool,
    /// Labels whose finding stands in none of the saved replies.
    pub unread: usize,
    /// Standing findings of the panel.
    pub findings: usize,
    /// Those of them that nobody judged, nor anything like them; they count neither for nor against.
    pub unjudged: usize,
    /// Each reviewer, by id.
    pub reviewers: Vec<Worth>,
    /// Each lineage, by name.
    pub lineages: Vec<Worth>,
    /// Findings of the whole panel that are true, of those judged.
    pub precision: Proportion,
    /// True issues that anybody found, of all.
    pub recall: Proportion,
    /// How often issues are true, by what agrees and how many lineages.
    pub agreement: Vec<Level>,
    /// How much more often where lineages agree than where one stands alone.
    pub contrasts: Vec<Contrast>,
    /// What each further lineage adds.
    pub gains: Gains,
}

/// A case as counts: all that scores are made of.
struct Counted {
    real: usize,
    unread: usize,
    /// Distinguishes golden lists, in which two findings can be known to be one true issue, from judged findings.
    complete: bool,
    answered: BTreeSet<ReviewerId>,
    seats: BTreeSet<(ReviewerId, Lineage)>,
    findings: Vec<Found>,
    issues: Vec<Joined>,
}

/// A standing finding.
#[derive(Clone)]
struct Found {
    reviewer: ReviewerId,
    lineage: Lineage,
    truth: Truth,
}

/// An issue of the tally with what is known about its standing findings.
struct Joined {
    agreement: Agreement,
    lineages: usize,
    findings: Vec<Found>,
}

/// Scores what was answered in `cases`. Their order does not matter to anything but intervals.
pub fn score(cases: &[Case]) -> Scores {
    let counted: Vec<Counted> = cases.iter().map(Counted::of).collect();
    let (reviewers, lineages) = (worth::reviewers(&counted), worth::lineages(&counted));
    let all = || counted.iter().flat_map(|case| &case.findings);
    Scores {
        cases: cases.len(),
        real: counted.iter().map(|case| case.real).sum(),
        relative: counted.iter().any(|case| !case.complete),
        unread: counted.iter().map(|case| case.unread).sum(),
        findings: all().count(),
        unjudged: all().filter(|found| found.truth == Truth::Unjudged).count(),
        precision: worth::precision(all()),
        recall: worth::recall(&counted, |_| true),
        agreement: agreement::levels(&counted),
        contrasts: agreement::contrasts(&counted),
        gains: gains::gains(&counted),
        reviewers,
        lineages,
    }
}

impl Counted {
    fn of(case: &Case) -> Self {
        let key = Key::new(case);
        let tally = case.asked.as_ref().unwrap_or(&case.saved);
        let standing = |members: &[Member]| -> Vec<Found> {
            let members = members.iter().filter(|member| !member.anchored.finding.retracted);
            members.map(|member| Found::new(member, &key)).collect()
        };
        let joined = tally.issues.iter().filter(|issue| issue.is_counted()).map(|issue| Joined {
            agreement: issue.agreement,
            lineages: issue.convergence(),
            findings: standing(&issue.members),
        });
        let issues: Vec<Joined> = joined.collect();
        let mut findings: Vec<Found> = issues.iter().flat_map(|issue| &issue.findings).cloned().collect();
        findings.extend(standing(&tally.unplaced));
        let whole = tally.coverage.iter().filter(|one| one.outcome.state == State::Answered);
        Self {
            real: key.real,
            unread: key.unread,
            complete: key.complete,
            answered: whole.map(|one| one.outcome.reviewer.clone()).collect(),
            seats: tally.panel.reviewers.iter().map(|seat| (seat.id.clone(), seat.lineage.clone())).collect(),
            findings,
            issues,
        }
    }
}

impl Found {
    fn new(member: &Member, key: &Key<'_>) -> Self {
        Self { reviewer: member.reviewer.clone(), lineage: member.lineage.clone(), truth: key.truth(member) }
    }
}

/// A count as a number to reckon with.
#[expect(clippy::cast_precision_loss, reason = "counts stay far under 2^52")]
fn float(count: usize) -> f64 {
    count as f64
}
