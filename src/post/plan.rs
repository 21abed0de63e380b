//! What is there and what should be: comments that are [`missing`], those that have [`outlived`] their issue, and [`doubles`].

use std::collections::BTreeSet;

use super::{issue_of, remarks::Wanted};
use crate::{
    pull::Thread,
    tally::{Tally, since::Became},
};

/// Those of `wanted` that were never made: a comment about the issue counts in whatever state it is.
pub fn missing<'a>(wanted: &'a [Wanted], threads: &[Thread]) -> Vec<&'a Wanted> {
    let known: BTreeSet<&str> = threads.iter().filter_map(|thread| issue_of(&thread.first)).collect();
    let is_known = |one: &&Wanted| {
        known.contains(one.issue.as_str()) || one.before.as_deref().is_some_and(|id| known.contains(id))
    };
    wanted.iter().filter(|one| !is_known(one)).collect()
}

/// Threads of ours that nobody answered or resolved, whose issue is fixed or dismissed or whose line was changed.
pub fn outlived<'a>(tally: &Tally, threads: &'a [Thread]) -> Vec<&'a Thread> {
    let over = over(tally);
    let is_over = |thread: &&Thread| {
        issue_of(&thread.first).is_some_and(|id| thread.is_outdated || over.contains(id))
            && is_ours_to_end(thread)
    };
    threads.iter().filter(is_over).collect()
}

/// Threads of ours that nobody answered or resolved, about an issue that an older one of ours is about.
pub fn doubles(threads: &[Thread]) -> Vec<&Thread> {
    let mut by_age: Vec<&Thread> = threads.iter().collect();
    by_age.sort_by(|a, b| (a.first.at, age(a), &a.id).cmp(&(b.first.at, age(b), &b.id)));
    let mut known = BTreeSet::new();
    let is_double = |thread: &&Thread| issue_of(&thread.first).is_some_and(|id| !known.insert(id.to_owned()));
    by_age.into_iter().filter(is_double).filter(|thread| is_ours_to_end(thread)).collect()
}

/// Most platforms number comments in order.
fn age(thread: &Thread) -> Option<u64> {
    thread.first.id.parse().ok()
}

fn is_ours_to_end(thread: &Thread) -> bool {
    thread.answers.is_empty() && !thread.is_resolved
}

/// Ids of issues that do not stand any more, also those they had at the last review.
fn over(tally: &Tally) -> BTreeSet<&str> {
    let dismissed = tally.issues.iter().filter(|issue| issue.dismissed().is_some());
    let dismissed = dismissed.flat_map(|issue| {
        let before = issue.earlier.as_ref().map(|before| before.id.as_str());
        before.into_iter().chain([issue.id.as_str()])
    });
    let earlier = tally.earlier.iter().filter(|one| match one.became {
        Became::Fixed | Became::Dismissed => true,
        Became::StillOpen => false,
    });
    dismissed.chain(earlier.map(|one| one.issue.id.as_str())).collect()
}
