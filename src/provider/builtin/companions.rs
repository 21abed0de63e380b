//! Files that nearly always changed together with the change's files and are missing from it.
//!
//! [`remarks`] counts over the newest commits that touched each file. A habit counts only when it is frequent,
//! still kept lately, and stronger than the companion's own frequency explains.

use std::collections::BTreeMap;

use super::{
    history::touching,
    lockfile,
    rules::RuleSet,
    shown::{Shown, ShownFile, Text},
};
use crate::{
    bundle::source::Purpose,
    change::{Commit, FileStatus, RepoPath},
    finding::Severity,
    history::{History, PastCommit},
    provider::remark::Remark,
};

/// A habit needs this many commits.
const LEAST_TOUCHES: usize = 8;
/// A companion must be in this many percent of them.
const LEAST_SHARE: usize = 90;
/// Tests, taken together, must be in this many percent of them.
const LEAST_TEST_SHARE: usize = 80;
/// A companion in more than this many percent of all commits goes with everything.
const MOST_COMMON: usize = 30;
/// Fewer added lines are a correction that need not take anything along.
const LEAST_EDIT: usize = 3;
/// Fewer added lines do not ask for a test.
const LEAST_ADDED: usize = 10;

/// At most one remark a file, and one about tests.
pub(super) fn remarks(
    history: &History,
    shown: &Shown<'_>,
    commits: &[Commit],
    rules: &RuleSet,
) -> Vec<Remark> {
    if commits.iter().any(is_upkeep) {
        return Vec::new();
    }
    let mut best: BTreeMap<&RepoPath, Habit<'_, '_>> = BTreeMap::new();
    for habit in
        shown.files.iter().filter(|file| is_habitual(file)).flat_map(|file| habits(history, shown, file))
    {
        match best.get(habit.companion) {
            Some(known) if known.together >= habit.together => {}
            _ => {
                best.insert(habit.companion, habit);
            }
        }
    }
    let mut by_file: BTreeMap<&RepoPath, Vec<Habit<'_, '_>>> = BTreeMap::new();
    for habit in best.into_values() {
        by_file.entry(habit.file.path).or_default().push(habit);
    }
    let speaks_of_tests =
        by_file.values().flatten().any(|habit| Purpose::of(habit.companion) == Purpose::Tests);
    let mut remarks: Vec<Remark> = by_file.values().filter_map(|habits| remark(habits, rules)).collect();
    if !speaks_of_tests {
        remarks.extend(missing_test(history, shown, rules));
    }
    remarks
}

/// Tests, settings and prose come alone as well: they say nothing about what else should.
fn is_habitual(file: &ShownFile<'_>) -> bool {
    is_edited(file) && file.is_product_code() && file.added >= LEAST_EDIT
}

/// Whether the author says that behaviour stays as it is.
fn is_upkeep(commit: &Commit) -> bool {
    const WORDS: [&str; 10] =
        ["refactor", "docs", "doc", "style", "chore", "build", "ci", "perf", "rename", "cleanup"];
    let title = commit.message.lines().next().unwrap_or_default().to_lowercase();
    WORDS.contains(&title.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default())
}

fn is_edited(file: &ShownFile<'_>) -> bool {
    match file.status {
        FileStatus::Modified | FileStatus::Renamed => file.added > 0,
        FileStatus::Added | FileStatus::Deleted | FileStatus::Copied | FileStatus::TypeChanged => false,
    }
}

/// Two files that change together.
struct Habit<'h, 's> {
    file: &'s ShownFile<'s>,
    companion: &'h RepoPath,
    together: usize,
    touches: usize,
    last: &'h PastCommit,
}

fn habits<'h, 's>(history: &'h History, shown: &Shown<'_>, file: &'s ShownFile<'s>) -> Vec<Habit<'h, 's>> {
    let past = touching(history, file);
    if past.len() < LEAST_TOUCHES {
        return Vec::new();
    }
    let mut counts: BTreeMap<&RepoPath, usize> = BTreeMap::new();
    past.iter().flat_map(|commit| &commit.paths).for_each(|path| *counts.entry(path).or_default() += 1);
    let missing = counts.into_iter().filter(|(path, together)| {
        together * 100 >= past.len() * LEAST_SHARE
            && !shown.touches(path)
            && !history.gone.contains(*path)
            && !lockfile::is_lockfile(path)
            && is_kept(&past, path)
            && !is_common(history, path)
    });
    let habit = |(companion, together)| {
        let last = past.iter().find(|commit| has(commit, companion))?;
        Some(Habit { file, companion, together, touches: past.len(), last })
    };
    missing.filter_map(habit).collect()
}

fn has(commit: &PastCommit, path: &RepoPath) -> bool {
    commit.paths.binary_search(path).is_ok()
}

/// Whether the habit was kept in at least two of the last three commits.
fn is_kept(past: &[&PastCommit], path: &RepoPath) -> bool {
    past.iter().take(3).filter(|commit| has(commit, path)).count() >= 2
}

fn is_common(history: &History, path: &RepoPath) -> bool {
    let all = history.commits.iter().filter(|commit| has(commit, path)).count();
    all * 100 > history.commits.len() * MOST_COMMON
}

fn remark(habits: &[Habit<'_, '_>], rules: &RuleSet) -> Option<Remark> {
    let first = habits.iter().max_by_key(|habit| habit.together)?;
    let names: Vec<String> = habits.iter().take(3).map(|habit| format!("`{}`", habit.companion)).collect();
    let them = if names.len() == 1 { "it" } else { "them" };
    let text = Text {
        what: format!("{} usually changes with this file and is not in this change", names.join(", ")),
        why: format!(
            "in {} of the last {} commits that touched `{}`, `{}` changed too, most recently in {}",
            first.together,
            first.touches,
            first.file.path,
            first.companion,
            super::history::named(first.last),
        ),
        fix: format!("look whether {them} must follow"),
    };
    first.file.remark(rules, Severity::Info, text)
}

/// The largest edit of a source file that usually goes with a test, in a change without any.
fn missing_test(history: &History, shown: &Shown<'_>, rules: &RuleSet) -> Option<Remark> {
    if shown.touches_tests() {
        return None;
    }
    let is_candidate =
        |file: &&ShownFile<'_>| is_edited(file) && file.is_product_code() && file.added >= LEAST_ADDED;
    let candidates = shown.files.iter().filter(is_candidate);
    let (file, past, tested) = candidates
        .map(|file| (file, touching(history, file)))
        .map(|(file, past)| {
            (
                file,
                past.len(),
                past.into_iter().filter(|commit| tests_of(commit).next().is_some()).collect::<Vec<_>>(),
            )
        })
        .filter(|(_, past, tested)| *past >= LEAST_TOUCHES && tested.len() * 100 >= past * LEAST_TEST_SHARE)
        .max_by_key(|(file, ..)| (file.added, std::cmp::Reverse(file.path)))?;
    let mut counts: BTreeMap<&RepoPath, usize> = BTreeMap::new();
    let present = |path: &&RepoPath| !history.gone.contains(*path);
    tested
        .iter()
        .flat_map(|commit| tests_of(commit))
        .filter(present)
        .for_each(|path| *counts.entry(path).or_default() += 1);
    let (test, times) = counts.into_iter().max_by_key(|(path, times)| (*times, std::cmp::Reverse(*path)))?;
    let text = Text {
        what: "the change comes without a test, which is unusual for this file".to_owned(),
        why: format!(
            "{} of the last {past} commits that touched `{}` changed a test too, most often `{test}` ({times} times); \
             this one adds {} lines to it and touches no test",
            tested.len(),
            file.path,
            file.added,
        ),
        fix: "add a test that fails without this change, or say why none is needed".to_owned(),
    };
    file.remark(rules, Severity::Info, text)
}

fn tests_of(commit: &PastCommit) -> impl Iterator<Item = &RepoPath> {
    commit.paths.iter().filter(|path| Purpose::of(path) == Purpose::Tests)
}
