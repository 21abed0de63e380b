//! Makes ranked issues of findings that have a place: [`issues`].
//!
//! Retracted findings are shown beside what they took back and count for nothing: the counted findings are put together
//! as if the others were not there.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
};

use super::{
    Agreement, Earlier, Issue, Member,
    cluster::{Cluster, Link, MOST_CANDIDATES, MOST_COMPARED, Note, cluster},
    identity,
    judged::{self, Rulings},
};
use crate::{
    disposition::{self, Decision, Disposition},
    finding::{LineRange, Severity},
    judgement::Judgements,
};

/// Puts members together, ranks what comes out, and says what was judged and decided about it.
pub(super) fn issues(
    members: Vec<Member>,
    judgements: &Judgements,
    decided: &BTreeMap<String, Disposition>,
) -> Vec<Issue> {
    let (clusters, ids) = clusters(members, &Rulings::new(&judgements.rulings));
    let mut issues: Vec<_> =
        clusters.into_iter().enumerate().map(|(at, cluster)| issue(cluster, at, &ids)).collect();
    issues.sort_by(|a, b| rank(a).cmp(&rank(b)));
    judged::attach(judgements, &mut issues);
    for issue in &mut issues {
        issue.disposition = disposition::of(decided, &issue.id);
    }
    issues
}

/// Members put together, what everybody took back last, and the ids in the same order.
pub(super) fn clusters(members: Vec<Member>, rulings: &Rulings) -> (Vec<Cluster>, Vec<String>) {
    let notes = members.into_iter().map(Note::new);
    let (retracted, mut counted): (Vec<_>, Vec<_>) =
        notes.partition(|note| note.member.anchored.finding.retracted);
    rulings.name(&mut counted);
    let mut clusters = cluster(counted, rulings);
    let alone = attach(retracted, &mut clusters);
    let mut withdrawn = cluster(alone, rulings);
    for cluster in &mut withdrawn {
        // Nobody agrees on what everybody took back.
        cluster.agreement = Agreement::Single;
        cluster.neighbours.clear();
        cluster.unsettled.clear();
    }
    clusters.append(&mut withdrawn);
    let ids = identity::ids(&clusters);
    (clusters, ids)
}

/// Puts each retracted finding to the counted cluster that stands at its location, the reviewer's own or one that says
/// the same; gives back the others.
fn attach(mut retracted: Vec<Note>, clusters: &mut [Cluster]) -> Vec<Note> {
    retracted.sort_by(|a, b| super::cluster::order(&a.member, &b.member));
    let mut at_location: HashMap<_, Vec<usize>> =
        retracted.iter().map(|note| (location(note), Vec::new())).collect();
    let members =
        clusters.iter().enumerate().flat_map(|(at, one)| one.members.iter().map(move |note| (at, note)));
    for (at, note) in members.filter(|_| !retracted.is_empty()) {
        if let Some(here) = at_location.get_mut(&location(note))
            && here.last() != Some(&at)
            && here.len() < MOST_CANDIDATES
        {
            here.push(at);
        }
    }
    let homes: Vec<_> =
        retracted.iter().map(|note| home(note, &at_location[&location(note)], clusters)).collect();
    let mut alone = Vec::new();
    for (home, mut note) in homes.into_iter().zip(retracted) {
        match home {
            Some(at) => {
                note.link = Link::TakenBack;
                clusters[at].members.push(note);
            }
            None => alone.push(note),
        }
    }
    alone
}

/// Of the clusters that stand at the note's location, the first that says the same, else the reviewer's own.
fn home(note: &Note, here: &[usize], clusters: &[Cluster]) -> Option<usize> {
    let find = |wanted: &dyn Fn(&Note) -> bool| {
        let holds = |at: &usize| {
            let mut counted = clusters[*at].members.iter().take(MOST_COMPARED);
            counted.any(|other| other.same_location(note) && wanted(other))
        };
        here.iter().copied().find(holds)
    };
    find(&|other| other.says_the_same(note))
        .or_else(|| find(&|other| other.member.reviewer == note.member.reviewer))
}

fn location(note: &Note) -> (Option<String>, Option<LineRange>) {
    (note.member.anchored.path.clone(), note.member.anchored.lines)
}

fn issue(cluster: Cluster, at: usize, ids: &[String]) -> Issue {
    let see_also = cluster.neighbours.iter().map(|other| ids[*other].clone()).collect();
    let members: Vec<Member> = cluster.members.into_iter().map(|note| *note.member).collect();
    let counted = || members.iter().filter(|member| !member.anchored.finding.retracted);
    let mut lineages: Vec<_> = counted().map(|member| member.lineage.clone()).collect();
    let mut reviewers: Vec<_> = counted().map(|member| member.reviewer.clone()).collect();
    lineages.sort();
    lineages.dedup();
    reviewers.sort();
    reviewers.dedup();
    let severities = || counted().map(|member| member.anchored.finding.severity).max();
    let taken_back = || members.iter().map(|member| member.anchored.finding.severity).max();
    let first = members.first().map(|member| &member.anchored);
    Issue {
        id: ids[at].clone(),
        path: first.and_then(|first| first.path.clone()).unwrap_or_default(),
        lines: first.and_then(|first| first.lines),
        symbol: members.iter().find_map(|member| member.anchored.symbol.clone()),
        severity: severities().or_else(taken_back).unwrap_or(Severity::Info),
        agreement: cluster.agreement,
        lineages,
        reviewers,
        see_also,
        members,
        unsettled: cluster.unsettled,
        adjudications: Vec::new(),
        examinations: Vec::new(),
        unexamined: Vec::new(),
        disposition: None,
        standing: None,
        earlier: None,
    }
}

/// Smaller comes first. What is wholly taken back comes last.
fn rank(issue: &Issue) -> impl Ord + '_ {
    (
        issue.convergence() == 0,
        Reverse(issue.agreement),
        Reverse(issue.convergence()),
        Reverse(issue.severity),
        (&issue.path, issue.lines.is_none(), issue.lines, &issue.symbol, &issue.id),
    )
}

impl Issue {
    /// Whether anybody still stands by it: `false` when all its findings were taken back.
    pub fn is_counted(&self) -> bool {
        !self.lineages.is_empty()
    }

    /// Why it need not be looked at any more, if a human said so: decided false, or not to be repaired.
    pub fn dismissed(&self) -> Option<Decision> {
        let decision = self.disposition.as_ref().map(|one| one.decision);
        decision.filter(|decision| decision.dismisses())
    }

    /// Whether it weighs on gate and verdict: somebody stands by it and no human dismissed it.
    pub fn is_open(&self) -> bool {
        self.is_counted() && self.dismissed().is_none()
    }

    /// The member whose words stand for the issue: the first of the issue's severity.
    pub fn spokesman(&self) -> Option<&Member> {
        let standing = |member: &&Member| {
            let finding = &member.anchored.finding;
            !finding.retracted && finding.severity == self.severity
        };
        self.members.iter().find(standing).or_else(|| self.members.first())
    }

    /// The issue of the last review which it is, where that was open then: until its code is gone it weighs no less than it did.
    pub fn still_open(&self) -> Option<&Earlier> {
        self.earlier.as_deref().filter(|before| !before.is_fixed)
    }

    /// The worse of what it is called now and, still open, was called at the last review.
    pub fn worst_severity(&self) -> Severity {
        self.still_open().map_or(self.severity, |before| before.severity.max(self.severity))
    }

    /// Whether two lineages or more agree now, or did at the last review, since when it is open.
    pub fn is_or_was_convergent(&self) -> bool {
        self.is_convergent() || self.still_open().is_some_and(Earlier::is_convergent)
    }

    /// Whether two lineages or more agree, on the claim or on the place.
    pub fn is_convergent(&self) -> bool {
        self.convergence() >= 2
    }
}
