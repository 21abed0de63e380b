//! What each reviewer and each lineage is worth: [`Worth`], precision over findings and recall over true issues.
//!
//! Agreement among them is `agreement`'s question.

use std::collections::{BTreeMap, BTreeSet};

use super::{Counted, Found, truth::Truth};
use crate::{proportion::Proportion, reviewer::Lineage};

/// One reviewer, or one lineage with all its reviewers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worth {
    /// Reviewer id, or lineage.
    pub name: String,
    /// The lineage.
    pub lineage: Lineage,
    /// Cases of which it read at least a part, by a whole reply.
    pub answered: usize,
    /// Standing findings, judged or not.
    pub findings: usize,
    /// True findings of those judged.
    pub precision: Proportion,
    /// True issues it found, of those of all cases, answered or not.
    pub recall: Proportion,
    /// True issues that only it found, of those that anybody of the panel found.
    pub alone: Proportion,
}

/// Each reviewer, by id.
pub(super) fn reviewers(cases: &[Counted]) -> Vec<Worth> {
    worths(cases, &|reviewer, _| reviewer.to_owned())
}

/// Each lineage, by name.
pub(super) fn lineages(cases: &[Counted]) -> Vec<Worth> {
    worths(cases, &|_, lineage| lineage.to_owned())
}

/// True findings of those judged.
pub(super) fn precision<'a>(findings: impl Iterator<Item = &'a Found>) -> Proportion {
    findings.fold(Proportion::default(), |sum, found| match found.truth {
        Truth::Real(_) => Proportion { hits: sum.hits + 1, of: sum.of + 1 },
        Truth::Wrong => Proportion { of: sum.of + 1, ..sum },
        Truth::Unjudged => sum,
    })
}

/// True issues that findings of which `counts` holds have found, of all.
pub(super) fn recall(cases: &[Counted], counts: impl Fn(&Found) -> bool) -> Proportion {
    let found =
        |case: &Counted| case.findings.iter().filter(|found| counts(found)).fold(BTreeSet::new(), add);
    Proportion {
        hits: cases.iter().map(|case| found(case).len()).sum(),
        of: cases.iter().map(|case| case.real).sum(),
    }
}

fn add(mut issues: BTreeSet<usize>, found: &Found) -> BTreeSet<usize> {
    if let Truth::Real(more) = &found.truth {
        issues.extend(more);
    }
    issues
}

fn worths(cases: &[Counted], name: &dyn Fn(&str, &str) -> String) -> Vec<Worth> {
    let seats = cases.iter().flat_map(|case| &case.seats);
    let names: BTreeMap<String, Lineage> = seats
        .map(|(reviewer, lineage)| (name(reviewer.as_str(), lineage.as_str()), lineage.clone()))
        .collect();
    let worth = |(own, lineage): (String, Lineage)| {
        let is_own = |found: &Found| name(found.reviewer.as_str(), found.lineage.as_str()) == own;
        let findings = || cases.iter().flat_map(|case| &case.findings).filter(|found| is_own(found));
        let everybody = recall(cases, |_| true);
        let others = recall(cases, |found| !is_own(found));
        Worth {
            answered: cases.iter().filter(|case| answered(case, &own, name)).count(),
            findings: findings().count(),
            precision: precision(findings()),
            recall: recall(cases, is_own),
            alone: Proportion { hits: everybody.hits - others.hits, of: everybody.hits },
            name: own.clone(),
            lineage,
        }
    };
    names.into_iter().map(worth).collect()
}

fn answered(case: &Counted, own: &str, name: &dyn Fn(&str, &str) -> String) -> bool {
    let mut own_seats =
        case.seats.iter().filter(|(reviewer, lineage)| name(reviewer.as_str(), lineage.as_str()) == own);
    own_seats.any(|(reviewer, _)| case.answered.contains(reviewer))
}
