//! What the repository's past says about a change.
//!
//! [`remarks`] is pure over [`History`]: missing companions, lines that come back, files that keep being mended,
//! and dependency changes in words. It reads no repository, and says nothing when the past is too short to count.

use super::{
    companions, lockfile,
    rules::RuleSet,
    shown::{Shown, ShownFile, Text, quotable},
};
use crate::{
    bundle::{Split, source::Purpose},
    change::{Commit, FileStatus},
    finding::Severity,
    history::{CommitKind, History, PastCommit, ReturnedLine},
    provider::remark::Remark,
};

/// Commits that touched a file, counted from the newest.
pub(super) const WINDOW: usize = 15;
/// A file is called a place of many fixes from this many commits in the window on.
const LEAST_TOUCHES: usize = 10;
/// And when fixes are at least this many of them, in percent.
const LEAST_FIX_SHARE: usize = 60;
/// A smaller edit of such a file is not worth the remark.
const LEAST_ADDED: usize = 30;

/// All remarks, each at a line of the change that reviewers see.
pub(super) fn remarks(history: &History, split: &Split, commits: &[Commit], rules: &RuleSet) -> Vec<Remark> {
    let shown = Shown::of(split);
    let mut remarks = companions::remarks(history, &shown, commits, rules);
    remarks.extend(returned(history, &shown, commits, rules));
    remarks.extend(mended_often(history, &shown, rules));
    remarks.extend(lockfile::remarks(history, &shown, rules));
    remarks
}

/// The newest commits that touched `file`, sweeping ones left out.
pub(super) fn touching<'h>(history: &'h History, file: &ShownFile<'_>) -> Vec<&'h PastCommit> {
    let touches = |commit: &&PastCommit| commit.paths.binary_search(file.old_path).is_ok();
    history.commits.iter().filter(touches).take(WINDOW).collect()
}

/// Lines that a fix or revert had removed: one remark a removing commit.
fn returned(history: &History, shown: &Shown<'_>, commits: &[Commit], rules: &RuleSet) -> Vec<Remark> {
    let is_declared = |commit: &Commit| {
        let title = commit.message.lines().next().unwrap_or_default();
        CommitKind::of_title(title) == CommitKind::Revert
            || commit.message.contains("This reverts commit")
            || title.to_lowercase().contains("reland")
    };
    if commits.iter().any(is_declared) {
        return Vec::new();
    }
    let mut groups: Vec<Vec<&ReturnedLine>> = Vec::new();
    for line in history.returned.iter().filter(|line| is_shown_code(shown, line)) {
        match groups.iter_mut().find(|group| group[0].removed_by == line.removed_by) {
            Some(group) => group.push(line),
            None => groups.push(vec![line]),
        }
    }
    // A fix is undone, not just brushed, when half of what it took out is back.
    groups.retain(|group| group.len() * 2 >= group[0].removed_in_all);
    groups.iter().filter_map(|group| returned_remark(history, group, rules)).collect()
}

/// Prose, settings and built copies come and go without meaning.
fn is_shown_code(shown: &Shown<'_>, line: &ReturnedLine) -> bool {
    shown
        .files
        .iter()
        .any(|file| file.path == &line.path && file.language.is_code() && file.purpose != Purpose::Tooling)
}

fn returned_remark(history: &History, group: &[&ReturnedLine], rules: &RuleSet) -> Option<Remark> {
    let first = group.first()?;
    let commit = history.commits.iter().find(|commit| commit.id == first.removed_by)?;
    let (lines, them) = match group.len() {
        1 => ("a line comes".to_owned(), "it"),
        count => (format!("{count} lines come"), "them"),
    };
    Some(Remark {
        severity: Severity::Warn,
        path: first.path.clone(),
        line: first.line,
        quote: quotable(rules, first.text.as_bytes()),
        what: format!("{lines} back that an earlier {} had removed", kind_word(commit.kind)),
        why: format!("commit {} took {them} out of the same file{}", named(commit), also_in(group)),
        fix: "read that commit and make sure that what it mended stays mended".to_owned(),
    })
}

/// The other files of the group, up to three.
fn also_in(group: &[&ReturnedLine]) -> String {
    let mut others: Vec<String> = group.iter().map(|line| format!("`{}`", line.path)).collect();
    others.dedup();
    match others.len() {
        0 | 1 => String::new(),
        count => format!("; others of them stand in {}", others[1..count.min(4)].join(", ")),
    }
}

fn kind_word(kind: CommitKind) -> &'static str {
    match kind {
        CommitKind::Revert => "revert",
        CommitKind::Fix => "fix",
        CommitKind::Plain => "commit",
    }
}

/// A commit as people name it: short id and title.
pub(super) fn named(commit: &PastCommit) -> String {
    let id: String = commit.id.chars().take(8).collect();
    format!("{id} ({:?})", crate::provider::remark::quotable(&commit.title))
}

/// The file of the change with the largest share of fixes in its recent past, if that share is out of the ordinary.
fn mended_often(history: &History, shown: &Shown<'_>, rules: &RuleSet) -> Option<Remark> {
    let usual = fixes(&history.commits.iter().collect::<Vec<_>>());
    let ordinary = (usual.0 * 200).checked_div(usual.1).unwrap_or(100);
    let candidates = shown.files.iter().filter(|file| {
        file.status == FileStatus::Modified && file.is_product_code() && file.added >= LEAST_ADDED
    });
    let share = |counts: (usize, usize)| (counts.0 * 100).checked_div(counts.1).unwrap_or(0);
    let (file, counts) = candidates
        .map(|file| (file, fixes(&touching(history, file))))
        .filter(|(_, counts)| counts.1 >= LEAST_TOUCHES)
        .filter(|(_, counts)| share(*counts) >= LEAST_FIX_SHARE && share(*counts) >= ordinary)
        .max_by_key(|(file, counts)| (share(*counts), std::cmp::Reverse(file.path)))?;
    let text = Text {
        what: format!("{} of the last {} commits to this file were fixes", counts.0, counts.1),
        why: format!(
            "in the whole repository it was {} of {}; faults cluster, so these {} added lines deserve a slower reading",
            usual.0, usual.1, file.added
        ),
        fix: String::new(),
    };
    file.remark(rules, Severity::Info, text)
}

/// Fixes and reverts among `commits`, and all of them.
fn fixes(commits: &[&PastCommit]) -> (usize, usize) {
    (commits.iter().filter(|commit| commit.kind != CommitKind::Plain).count(), commits.len())
}

#[cfg(test)]
mod tests;
