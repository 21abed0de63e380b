//! What reviewers have been worth, over all runs and month by month: [`Counting`] reads each run once, in the background.
//!
//! Nobody waits for it: a page shows what has been counted so far, and says so. Decisions are read anew each time.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use jiff::Timestamp;

use crate::{
    clock,
    disposition::{self, Disposition},
    store::Decisions,
    tally::{
        self, Tally,
        worth::{Record, Worth},
    },
};

/// Of whom, and of which month: `2026-11`.
type Page = (Option<String>, String);

/// What was counted.
#[derive(Default)]
pub(super) struct Counting {
    state: Mutex<State>,
    is_under_way: AtomicBool,
}

#[derive(Default)]
struct State {
    pages: BTreeMap<Page, Ledger>,
    seen: BTreeSet<String>,
    /// Runs that are still to be read.
    left: usize,
    unreadable: usize,
    at: Option<Timestamp>,
}

/// A month of somebody's runs.
#[derive(Default)]
struct Ledger {
    record: Record,
    runs: BTreeSet<String>,
    /// What was decided in conversations about pull requests, which is in the runs alone.
    decided: Vec<Disposition>,
}

/// What is told.
pub(super) struct Told {
    pub(super) all: Worth,
    /// By month, the oldest first.
    pub(super) months: Vec<(String, Worth)>,
    pub(super) left: usize,
    pub(super) unreadable: usize,
    /// When a run was counted last.
    pub(super) at: Option<Timestamp>,
}

impl Counting {
    /// True for one caller at a time, who then counts and ends by [`Self::rest`].
    pub(super) fn begin(&self) -> bool {
        !self.is_under_way.swap(true, Ordering::AcqRel)
    }

    /// Nobody counts.
    pub(super) fn rest(&self) {
        self.is_under_way.store(false, Ordering::Release);
    }

    /// Which of `runs` are not counted yet.
    pub(super) fn missing<T>(&self, runs: impl Iterator<Item = (String, T)>) -> Vec<(String, T)> {
        let mut state = self.state();
        let missing: Vec<_> = runs.filter(|(run, _)| !state.seen.contains(run)).collect();
        state.left = missing.len();
        missing
    }

    /// Counts a run of `tenant` that began at `at`; `None`: it cannot be read.
    pub(super) fn count(&self, run: &str, tenant: Option<&str>, at: Timestamp, tally: Option<&Tally>) {
        let mut state = self.state();
        state.seen.insert(run.to_owned());
        state.left = state.left.saturating_sub(1);
        state.at = Some(clock::now());
        let Some(tally) = tally else {
            state.unreadable += 1;
            return;
        };
        let page = (tenant.map(str::to_owned), at.strftime("%Y-%m").to_string());
        let ledger = state.pages.entry(page).or_default();
        ledger.record.add_run(tally);
        ledger.runs.insert(run.to_owned());
        ledger.decided.extend(tally.since.iter().flat_map(|since| since.decisions.iter().cloned()));
    }

    /// What was counted so far for somebody who sees only the runs of `tenant`, with what people decided.
    pub(super) fn told(&self, tenant: Option<&str>, decisions: Decisions) -> Told {
        let state = self.state();
        let own = || {
            state
                .pages
                .iter()
                .filter(|((of, _), _)| tenant.is_none_or(|tenant| of.as_deref() == Some(tenant)))
        };
        let mut decided = decisions.dispositions;
        if tenant.is_some() {
            // What was decided about others' runs is none of theirs.
            decided.retain(|one| own().any(|(_, ledger)| ledger.runs.contains(&one.run)));
        }
        decided.extend(own().flat_map(|(_, ledger)| ledger.decided.iter().cloned()));
        let standing = disposition::standing(decided);
        let (mut all, mut months) = (Record::default(), BTreeMap::<&str, Record>::new());
        for ((_, month), ledger) in own() {
            all.add(&ledger.record);
            months.entry(month).or_default().add(&ledger.record);
        }
        let of_month = |(month, record): (&str, Record)| {
            let own = |(issue, one): (&String, &Disposition)| {
                record.holds(issue).then(|| (issue.clone(), one.clone()))
            };
            let standing = standing.iter().filter_map(own).collect();
            (month.to_owned(), record.worth(&standing))
        };
        let months = months.into_iter().map(of_month).collect();
        Told {
            all: all.worth(&standing),
            months,
            left: state.left,
            unreadable: state.unreadable,
            at: state.at,
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads a run's tally without what was decided about it.
pub(super) fn tally(saved: crate::run::saved::SavedRun) -> Tally {
    tally::tally(saved.input)
}
