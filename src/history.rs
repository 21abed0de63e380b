//! What a repository's past says about a change: plain facts, no judgement.
//!
//! The main type is [`History`]. `git` collects it from the commits before the change's base, never from the
//! range itself; what follows from it is decided by the offline reviewer `history`.

use std::collections::BTreeSet;

use crate::change::RepoPath;

/// Facts about the commits before a change, newest commit first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// Commits with one parent that are reachable from the base; merges are left out.
    pub commits: Vec<PastCommit>,
    /// Paths named in `commits` that the base no longer has.
    pub gone: BTreeSet<RepoPath>,
    /// Lines the change adds that an earlier fix or revert had removed from the same file.
    pub returned: Vec<ReturnedLine>,
    /// Dependency lockfiles the change touches.
    pub lockfiles: Vec<Lockfile>,
}

/// One commit of the past.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastCommit {
    /// Full commit id.
    pub id: String,
    /// First line of the message, invalid UTF-8 replaced.
    pub title: String,
    /// What its message says it is.
    pub kind: CommitKind,
    /// Changed paths, ordered by bytes; empty when there were more than are worth keeping.
    pub paths: Vec<RepoPath>,
}

/// What a commit's message says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitKind {
    /// Neither of the others.
    Plain,
    /// Mends a fault.
    Fix,
    /// Takes an earlier commit back.
    Revert,
}

impl CommitKind {
    /// Judges by a message's first line; spelling repairs and the like are not fixes.
    pub fn of_title(title: &str) -> Self {
        let title = title.to_lowercase();
        let words: Vec<&str> =
            title.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect();
        let any = |wanted: &[&str]| words.iter().any(|word| wanted.contains(word));
        if matches!(words.first(), Some(&"revert" | &"reverts" | &"reverted")) {
            return Self::Revert;
        }
        let trivial = any(&[
            "typo",
            "typos",
            "spelling",
            "grammar",
            "lint",
            "format",
            "formatting",
            "docs",
            "doc",
            "comment",
            "comments",
            "readme",
            "ci",
            "clippy",
            "fmt",
            "changelog",
            "test",
            "tests",
            "warning",
            "warnings",
            "chore",
            "style",
            "link",
            "links",
            "type",
            "types",
            "typing",
            "typings",
        ]);
        let mends = any(&[
            "fix",
            "fixes",
            "fixed",
            "fixing",
            "bug",
            "bugfix",
            "hotfix",
            "regression",
            "crash",
            "panic",
        ]);
        if mends && !trivial { Self::Fix } else { Self::Plain }
    }
}

/// A line that comes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnedLine {
    /// The file, on the change's new side.
    pub path: RepoPath,
    /// Its line number on the new side, 1-based.
    pub line: u32,
    /// The line's text without surrounding white space, invalid UTF-8 replaced.
    pub text: String,
    /// Full id of the commit that had removed it.
    pub removed_by: String,
    /// Lines of this kind (neither short, nor comment, nor import) that commit removed from the change's files.
    pub removed_in_all: usize,
}

/// A lockfile on both sides of the change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lockfile {
    /// Its path on the new side.
    pub path: RepoPath,
    /// Its text at the base; empty when it was not there.
    pub before: String,
    /// Its text after the change; empty when it was deleted.
    pub after: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_follow_the_title() {
        let check = |title, expect| assert_eq!(CommitKind::of_title(title), expect, "{title}");
        check("fix(router): keep the trailing slash", CommitKind::Fix);
        check("Fixed #12: crash on empty input", CommitKind::Fix);
        check("Fix typo in README", CommitKind::Plain);
        check("Add a prefix to names", CommitKind::Plain);
        check("Revert \"cache the token\"", CommitKind::Revert);
        check("", CommitKind::Plain);
    }
}
