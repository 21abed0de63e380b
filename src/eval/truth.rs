//! Holds findings against the labels of their case: [`Key`] tells of each one whether it is true, and which issue.
//!
//! A label of the very finding decides; else the tally's own rule for "the same issue". Counting is `score`'s work.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Case,
    labels::{Label, Ruling},
};
use crate::tally::{Agreement, Issue, Member, Tally, one_issue};

/// What is known about a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Truth {
    /// True: these issues of the case, by number.
    Real(BTreeSet<usize>),
    /// Not true.
    Wrong,
    /// Nobody judged it, nor anything like it.
    Unjudged,
}

/// The labels of a case, ready to be held against findings.
pub(super) struct Key<'a> {
    /// All true issues are written down: what is none of them is wrong.
    pub(super) complete: bool,
    /// How many true issues there are, numbered from 0.
    pub(super) real: usize,
    /// Labels whose finding stands in none of the saved replies.
    pub(super) unread: usize,
    labels: Vec<(&'a Label, Truth)>,
    references: Vec<(Member, Truth)>,
}

impl<'a> Key<'a> {
    pub(super) fn new(case: &'a Case) -> Self {
        let issues = case.labels.issues.as_deref().unwrap_or_default();
        let numbers: BTreeMap<&str, usize> =
            issues.iter().enumerate().map(|(at, issue)| (issue.id.as_str(), at)).collect();
        let golden = issues.iter().enumerate();
        let references = golden.map(|(at, issue)| (issue.as_member(), Truth::Real([at].into())));
        let mut key = Self {
            complete: case.labels.issues.is_some(),
            real: issues.len(),
            unread: 0,
            labels: Vec::new(),
            references: references.collect(),
        };
        let readings = Readings::of(&case.saved, &case.labels.findings);
        let mut homes = BTreeMap::new();
        for (at, label) in case.labels.findings.iter().enumerate() {
            let truth = match &label.ruling {
                Ruling::Invalid => Truth::Wrong,
                Ruling::Matches(ids) => {
                    Truth::Real(ids.iter().filter_map(|id| numbers.get(id.as_str()).copied()).collect())
                }
                Ruling::Valid => Truth::Real([key.number(readings.home(at), &mut homes)].into()),
            };
            key.unread += usize::from(!readings.by_label.contains_key(&at));
            let said = readings.by_label.get(&at).map(|(_, member)| (*member).clone());
            key.references.extend(said.or_else(|| label.as_member()).map(|member| (member, truth.clone())));
            key.labels.push((label, truth));
        }
        key
    }

    /// The number of the true issue of `home`; a further issue when it has none yet.
    fn number<'h>(&mut self, home: Home<'h>, homes: &mut BTreeMap<Home<'h>, usize>) -> usize {
        *homes.entry(home).or_insert_with(|| {
            self.real += 1;
            self.real - 1
        })
    }

    /// What is known about `member`.
    pub(super) fn truth(&self, member: &Member) -> Truth {
        if let Some((_, truth)) = self.labels.iter().find(|(label, _)| is_about(label, member)) {
            return truth.clone();
        }
        let mut real = BTreeSet::new();
        let mut wrong = self.complete;
        for (_, truth) in self.references.iter().filter(|(reference, _)| one_issue(reference, member)) {
            match truth {
                Truth::Real(issues) => real.extend(issues),
                Truth::Wrong => wrong = true,
                Truth::Unjudged => {}
            }
        }
        match (real.is_empty(), wrong) {
            (false, _) => Truth::Real(real),
            (true, true) => Truth::Wrong,
            (true, false) => Truth::Unjudged,
        }
    }
}

/// Whether `label` was given to this very finding: its reviewer, its place, and its words where the label has some.
fn is_about(label: &Label, member: &Member) -> bool {
    let anchored = &member.anchored;
    let written = anchored.finding.location.as_ref();
    let checked = anchored.path.as_ref() == Some(&label.path) && anchored.lines == label.lines;
    let as_written = written.is_some_and(|place| place.path == label.path && place.lines == label.lines);
    label.reviewer == member.reviewer
        && (checked || as_written)
        && label.as_member().is_none_or(|said| one_issue(&said, member))
}

/// What a valid finding shares its true issue with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Home<'a> {
    /// The other findings of an issue of the tally; of one lineage where that agrees on the place only.
    Issue(usize, Option<&'a str>),
    /// Nothing: the label's own number.
    Alone(usize),
}

/// Where labelled findings stand in the saved replies.
struct Readings<'a> {
    by_label: BTreeMap<usize, (Home<'a>, &'a Member)>,
}

impl<'a> Readings<'a> {
    fn of(saved: &'a Tally, labels: &[Label]) -> Self {
        let mut by_label = BTreeMap::new();
        let mut note = |member: &'a Member, home: Option<Home<'a>>| {
            if let Some(at) = labels.iter().position(|label| is_about(label, member)) {
                by_label.entry(at).or_insert((home.unwrap_or(Home::Alone(at)), member));
            }
        };
        for (at, issue) in saved.issues.iter().enumerate() {
            issue.members.iter().for_each(|member| note(member, Some(home(at, issue, member))));
        }
        saved.unplaced.iter().for_each(|member| note(member, None));
        Self { by_label }
    }

    fn home(&self, label: usize) -> Home<'a> {
        self.by_label.get(&label).map_or(Home::Alone(label), |(home, _)| home.clone())
    }
}

fn home<'a>(at: usize, issue: &Issue, member: &'a Member) -> Home<'a> {
    let apart = issue.agreement == Agreement::Place;
    Home::Issue(at, apart.then(|| member.lineage.as_str()))
}
