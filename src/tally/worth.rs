//! What reviewers have been worth over many runs: [`Record`] gathers tallies and decisions, [`Worth`] counts them.
//!
//! An issue counts once, however many runs show it: runs of successive pushes see the same issue again under the same id.
//! Findings without a place have no id: they are no issues, only their number is known. Words and rounding are `report::stats`' work.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use super::{Tally, spent::Spent};
use crate::{
    disposition::{Decision, Disposition, Finder},
    proportion::Proportion,
    reviewer::Lineage,
};

/// Everything that is counted.
#[derive(Debug, Clone, Default)]
pub struct Record {
    runs: usize,
    found: BTreeMap<String, BTreeSet<Finder>>,
    spent: BTreeMap<Finder, Spent>,
    unplaced: usize,
    judging: Spent,
}

/// What one reviewer, or all of one lineage, came to.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Figures {
    /// Issues it took part in finding.
    pub issues: usize,
    /// Of these, decided to be true.
    pub real: usize,
    /// Decided to be false.
    pub false_: usize,
    /// Decided to be true and to stay.
    pub wontfix: usize,
    /// Real issues that no other reviewer, or no other lineage, found in any run.
    pub alone: usize,
    /// What its answers took.
    pub spent: Spent,
}

/// What reviewers have been worth, those with most real issues first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Worth {
    /// Runs that were counted.
    pub runs: usize,
    /// Distinct issues.
    pub issues: usize,
    /// Of these, decided.
    pub decided: usize,
    /// Findings without a place that were not taken back, of all runs together: they are no issues.
    pub unplaced: usize,
    /// What answers to questions about claims took, whoever gave them.
    pub judging: Spent,
    /// By lineage, each with its reviewers.
    pub lineages: Vec<LineageWorth>,
}

/// A lineage and its reviewers.
#[derive(Debug, Clone, PartialEq)]
pub struct LineageWorth {
    /// Its name.
    pub lineage: Lineage,
    /// All of it together.
    pub figures: Figures,
    /// Each reviewer that counted as this lineage.
    pub reviewers: Vec<(Finder, Figures)>,
}

impl Figures {
    /// Issues somebody decided about.
    pub fn decided(&self) -> usize {
        self.real + self.false_ + self.wontfix
    }

    /// Real ones among those decided to be real or false.
    pub fn precision(&self) -> Proportion {
        Proportion { hits: self.real, of: self.real + self.false_ }
    }

    /// US dollars for each real issue; `None` without a price or without a real issue.
    pub fn cost_per_real(&self) -> Option<f64> {
        let real = u32::try_from(self.real).ok().filter(|real| *real > 0)?;
        Some(self.spent.cost_usd? / f64::from(real))
    }

    fn found(&mut self, decision: Option<Decision>, alone: bool) {
        self.issues += 1;
        match decision {
            Some(Decision::Real) => {
                self.real += 1;
                self.alone += usize::from(alone);
            }
            Some(Decision::False) => self.false_ += 1,
            Some(Decision::WontFix) => self.wontfix += 1,
            Some(Decision::Undecided) | None => {}
        }
    }
}

impl Record {
    /// Adds a run.
    pub fn add_run(&mut self, tally: &Tally) {
        self.runs += 1;
        for issue in &tally.issues {
            let standing = issue.members.iter().filter(|member| !member.anchored.finding.retracted);
            let finders = standing
                .map(|member| Finder { reviewer: member.reviewer.clone(), lineage: member.lineage.clone() });
            self.add_finders(&issue.id, finders);
        }
        for seat in &tally.panel.reviewers {
            let finder = Finder { reviewer: seat.id.clone(), lineage: seat.lineage.clone() };
            let spent = self.spent.entry(finder).or_default();
            spent.add(&Spent::by_seat(tally, seat));
        }
        self.unplaced += tally.unplaced.iter().filter(|one| !one.anchored.finding.retracted).count();
        self.judging.add(&Spent::by_judging(tally));
    }

    /// Whether a run showed `issue`.
    pub fn holds(&self, issue: &str) -> bool {
        self.found.contains_key(issue)
    }

    /// Adds all runs of another record, of which none is among these.
    pub fn add(&mut self, other: &Self) {
        self.runs += other.runs;
        for (issue, finders) in &other.found {
            self.add_finders(issue, finders.iter().cloned());
        }
        for (finder, spent) in &other.spent {
            self.spent.entry(finder.clone()).or_default().add(spent);
        }
        self.unplaced += other.unplaced;
        self.judging.add(&other.judging);
    }

    /// An issue that somebody decided about counts even when its run is gone.
    fn add_finders(&mut self, issue: &str, finders: impl IntoIterator<Item = Finder>) {
        let mut finders = finders.into_iter().peekable();
        if finders.peek().is_some() {
            self.found.entry(issue.to_owned()).or_default().extend(finders);
        }
    }

    /// Counts, with the decisions that stand.
    pub fn worth(mut self, decided: &BTreeMap<String, Disposition>) -> Worth {
        for one in decided.values() {
            self.add_finders(&one.issue, one.found_by.iter().cloned());
        }
        let mut lineages: BTreeMap<&Lineage, Figures> = BTreeMap::new();
        let mut reviewers: BTreeMap<&Finder, Figures> = BTreeMap::new();
        for (finder, spent) in &self.spent {
            reviewers.entry(finder).or_default().spent.add(spent);
            lineages.entry(&finder.lineage).or_default().spent.add(spent);
        }
        for (issue, finders) in &self.found {
            let decision = decided.get(issue).map(|one| one.decision);
            let families: BTreeSet<&Lineage> = finders.iter().map(|finder| &finder.lineage).collect();
            for family in &families {
                lineages.entry(family).or_default().found(decision, families.len() == 1);
            }
            for finder in finders {
                reviewers.entry(finder).or_default().found(decision, finders.len() == 1);
            }
        }
        Worth {
            runs: self.runs,
            issues: self.found.len(),
            unplaced: self.unplaced,
            judging: self.judging,
            decided: self.found.keys().filter(|issue| decided.contains_key(*issue)).count(),
            lineages: ranked(&lineages, &reviewers),
        }
    }
}

fn ranked(
    lineages: &BTreeMap<&Lineage, Figures>,
    reviewers: &BTreeMap<&Finder, Figures>,
) -> Vec<LineageWorth> {
    let rank = |figures: &Figures| (Reverse(figures.real), Reverse(figures.issues));
    let worth = |(lineage, figures): (&&Lineage, &Figures)| {
        let own = reviewers.iter().filter(|(finder, _)| finder.lineage == **lineage);
        let mut reviewers: Vec<_> = own.map(|(finder, figures)| ((*finder).clone(), *figures)).collect();
        reviewers.sort_by_key(|(_, figures)| rank(figures));
        LineageWorth { lineage: (*lineage).clone(), figures: *figures, reviewers }
    };
    let mut all: Vec<LineageWorth> = lineages.iter().map(worth).collect();
    all.sort_by_key(|one| rank(&one.figures));
    all
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::{disposition::standing, finding::Severity, reviewer::ReviewerId};

    fn finder(name: &str) -> Finder {
        let lineage = match name {
            "opus" | "sonnet" => "anthropic",
            other => other,
        };
        Finder { reviewer: ReviewerId::new(name).unwrap(), lineage: Lineage::new(lineage) }
    }

    fn decision(issue: &str, decision: Decision, found_by: &[&str]) -> Disposition {
        Disposition {
            at: Timestamp::UNIX_EPOCH,
            issue: issue.to_owned(),
            decision,
            why: String::new(),
            by: String::new(),
            run: String::new(),
            path: String::new(),
            severity: Severity::Warn,
            what: String::new(),
            found_by: found_by.iter().map(|name| finder(name)).collect(),
        }
    }

    /// `name: issues decided real/of alone` of every lineage, its reviewers in brackets.
    fn shown(worth: &Worth) -> Vec<String> {
        let told = |name: &str, one: &Figures| {
            let Proportion { hits, of } = one.precision();
            format!("{name}: {} {} {hits}/{of} {}", one.issues, one.decided(), one.alone)
        };
        let group = |one: &LineageWorth| {
            let own = one.reviewers.iter().map(|(finder, figures)| told(finder.reviewer.as_str(), figures));
            format!("{} [{}]", told(one.lineage.as_str(), &one.figures), own.collect::<Vec<_>>().join(", "))
        };
        worth.lineages.iter().map(group).collect()
    }

    fn check(found: &[(&str, &[&str])], decided: Vec<Disposition>, expect: &[&str]) {
        let mut record = Record::default();
        for (issue, names) in found {
            record.add_finders(issue, names.iter().map(|name| finder(name)));
        }
        assert_eq!(shown(&record.worth(&standing(decided))), expect);
    }

    #[test]
    fn an_issue_counts_once_for_everybody_who_found_it_in_any_run() {
        check(
            &[("a", &["opus"]), ("a", &["opus", "sonnet"]), ("b", &["kimi"])],
            vec![decision("a", Decision::Real, &[])],
            &[
                "anthropic: 1 1 1/1 1 [opus: 1 1 1/1 0, sonnet: 1 1 1/1 0]",
                "kimi: 1 0 0/0 0 [kimi: 1 0 0/0 0]",
            ],
        );
    }

    #[test]
    fn what_stays_is_neither_hit_nor_miss() {
        check(
            &[("a", &["kimi"]), ("b", &["kimi"]), ("c", &["kimi"]), ("d", &["kimi"])],
            vec![
                decision("a", Decision::Real, &[]),
                decision("b", Decision::False, &[]),
                decision("c", Decision::WontFix, &[]),
            ],
            &["kimi: 4 3 1/2 1 [kimi: 4 3 1/2 1]"],
        );
    }

    #[test]
    fn a_decision_outlives_its_run() {
        check(&[], vec![decision("a", Decision::Real, &["kimi"])], &["kimi: 1 1 1/1 1 [kimi: 1 1 1/1 1]"]);
    }

    #[test]
    fn prices_that_are_not_known_are_no_zeros() {
        let priced = Spent { answers: 1, cost_usd: Some(0.5), ..Spent::default() };
        let unpriced = Spent { answers: 1, unpriced: 1, tokens_in: Some(7), ..Spent::default() };
        let per_real = |real, spent| Figures { real, spent, ..Figures::default() }.cost_per_real();
        assert_eq!(
            [per_real(2, priced), per_real(0, priced), per_real(2, unpriced)],
            [Some(0.25), None, None]
        );
    }
}
