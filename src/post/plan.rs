//! What is there and what should be: comments that are [`missing`], those that have [`outlived`] their issue, and [`doubles`].

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{issue_of, remarks::Wanted};
use crate::{
    pull::Thread,
    tally::{Tally, since::Became},
};

/// Those of `wanted` that were never made: a comment about the issue counts in whatever state it is. With those made since
/// `started_at`, when the run began, they are at most `most`, however many stand from earlier runs.
pub fn missing<'a>(
    wanted: &'a [Wanted],
    threads: &[Thread],
    most: usize,
    started_at: Timestamp,
) -> Vec<&'a Wanted> {
    let told_from = |start: Timestamp| -> BTreeSet<&str> {
        let told = threads.iter().filter(|thread| thread.first.at >= start);
        told.filter_map(|thread| issue_of(&thread.first)).collect()
    };
    let is_in = |one: &&Wanted, told: &BTreeSet<&str>| {
        told.contains(one.issue.as_str()) || one.before.as_deref().is_some_and(|id| told.contains(id))
    };
    let (own, all) = (told_from(started_at), told_from(Timestamp::MIN));
    let made = wanted.iter().filter(|one| is_in(one, &own)).count();
    wanted.iter().filter(|one| !is_in(one, &all)).take(most.saturating_sub(made)).collect()
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
        Became::BackAgain | Became::StillOpen => false,
    });
    dismissed.chain(earlier.map(|one| one.issue.id.as_str())).collect()
}
