//! What agreement says about truth: [`Level`] by kind and number of lineages, [`Contrast`] against single lineages.
//!
//! An issue counts as true when one of its findings is. Larger issues are so more often by chance alone; that share is given beside.

use std::collections::BTreeMap;

use super::{Counted, Estimate, Found, Joined, bootstrap, float, truth::Truth, worth};
use crate::{proportion::Proportion, tally::Agreement};

/// Issues on which as many lineages agree in the same way.
#[derive(Debug, Clone, PartialEq)]
pub struct Level {
    /// What they agree on.
    pub agreement: Agreement,
    /// How many lineages.
    pub lineages: usize,
    /// Issues with a true finding, of those that are judged.
    pub issues: Proportion,
    /// What that share would be if the true findings of each case were dealt out at random, 0.0–1.0.
    pub by_chance: Option<f64>,
    /// True findings, of those judged in these issues.
    pub findings: Proportion,
    /// Pairs of true findings of two lineages in these issues that are one true issue, of all such pairs; known only where true
    /// issues are written down.
    pub pairs: Proportion,
}

/// How much more often issues are true on which lineages agree, than issues of one lineage. All are differences of shares,
/// -1.0–1.0; `None` without issues of either kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Contrast {
    /// On what two lineages or more agree.
    pub agreement: Agreement,
    /// Of issues with a true finding.
    pub issues: Option<Estimate>,
    /// Of those over what chance gives issues of their size.
    pub beyond_chance: Option<Estimate>,
    /// Of true findings.
    pub findings: Option<Estimate>,
}

/// Sums over issues.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    issues: Proportion,
    chance: f64,
    findings: Proportion,
    pairs: Proportion,
}

pub(super) fn levels(cases: &[Counted]) -> Vec<Level> {
    let mut levels: BTreeMap<(Agreement, usize), Sums> = BTreeMap::new();
    for case in cases {
        let odds = worth::precision(case.findings.iter());
        for issue in &case.issues {
            levels.entry((issue.agreement, issue.lineages)).or_default().add(issue, odds, case.complete);
        }
    }
    let level = |((agreement, lineages), sums): (_, Sums)| Level {
        agreement,
        lineages,
        issues: sums.issues,
        by_chance: sums.by_chance(),
        findings: sums.findings,
        pairs: sums.pairs,
    };
    levels.into_iter().map(level).collect()
}

/// First `place`, then `claim`.
pub(super) fn contrasts(cases: &[Counted]) -> Vec<Contrast> {
    let sums_of = |kind: Agreement| -> Vec<Sums> {
        cases.iter().map(|case| Sums::of(case, |issue| issue.agreement == kind)).collect()
    };
    let single = sums_of(Agreement::Single);
    let contrast = |agreement| {
        let agreed = sums_of(agreement);
        let speaking = agreed.iter().filter(|sums| sums.issues.of > 0).count();
        let estimate = |figure: fn(Total) -> Option<f64>| {
            let difference =
                |drawn: &[u32]| Some(figure(Total::of(&agreed, drawn))? - figure(Total::of(&single, drawn))?);
            let value = difference(&vec![1; cases.len()])?;
            let interval = bootstrap::interval(cases.len(), difference);
            Some(Estimate { value, interval: interval.filter(|_| speaking >= bootstrap::FEWEST_CASES) })
        };
        Contrast {
            agreement,
            issues: estimate(Total::issues),
            beyond_chance: estimate(|total| Some(total.issues()? - total.chance / total.judged)),
            findings: estimate(Total::findings),
        }
    };
    vec![contrast(Agreement::Place), contrast(Agreement::Claim)]
}

impl Sums {
    fn of(case: &Counted, wanted: impl Fn(&Joined) -> bool) -> Self {
        let odds = worth::precision(case.findings.iter());
        let mut sums = Self::default();
        case.issues
            .iter()
            .filter(|issue| wanted(issue))
            .for_each(|issue| sums.add(issue, odds, case.complete));
        sums
    }

    /// Counts `issue` of a case with `odds` true findings; an issue without a judged finding counts for nothing.
    fn add(&mut self, issue: &Joined, odds: Proportion, complete: bool) {
        let own = worth::precision(issue.findings.iter());
        if own.of == 0 {
            return;
        }
        self.issues.of += 1;
        self.issues.hits += usize::from(own.hits > 0);
        self.chance += chance(own.of, odds);
        self.findings.of += own.of;
        self.findings.hits += own.hits;
        if complete {
            let pairs = pairs(&issue.findings);
            self.pairs.of += pairs.of;
            self.pairs.hits += pairs.hits;
        }
    }

    fn by_chance(&self) -> Option<f64> {
        (self.issues.of > 0).then(|| self.chance / float(self.issues.of))
    }
}

/// Sums of many cases, each as often as it was drawn.
#[derive(Clone, Copy, Default)]
struct Total {
    judged: f64,
    real: f64,
    chance: f64,
    findings: f64,
    true_findings: f64,
}

impl Total {
    fn of(cases: &[Sums], drawn: &[u32]) -> Self {
        let mut total = Self::default();
        for (sums, times) in cases.iter().zip(drawn) {
            let times = f64::from(*times);
            total.judged += times * float(sums.issues.of);
            total.real += times * float(sums.issues.hits);
            total.chance += times * sums.chance;
            total.findings += times * float(sums.findings.of);
            total.true_findings += times * float(sums.findings.hits);
        }
        total
    }

    fn issues(self) -> Option<f64> {
        (self.judged > 0.0).then(|| self.real / self.judged)
    }

    fn findings(self) -> Option<f64> {
        (self.findings > 0.0).then(|| self.true_findings / self.findings)
    }
}

/// The probability that of `drawn` findings at least one is true, when they are drawn from a case with `odds`:
/// 1 - C(wrong, drawn) / C(all, drawn).
fn chance(drawn: usize, odds: Proportion) -> f64 {
    let wrong = odds.of - odds.hits;
    let none = (0..drawn).map(|at| float(wrong.saturating_sub(at)) / float(odds.of - at)).product::<f64>();
    1.0 - none
}

/// Pairs of true findings of two lineages: those that are one true issue, of all.
fn pairs(findings: &[Found]) -> Proportion {
    let mut pairs = Proportion::default();
    for (at, one) in findings.iter().enumerate() {
        for other in findings[at + 1..].iter().filter(|other| other.lineage != one.lineage) {
            if let (Truth::Real(own), Truth::Real(others)) = (&one.truth, &other.truth) {
                pairs.of += 1;
                pairs.hits += usize::from(!own.is_disjoint(others));
            }
        }
    }
    pairs
}
