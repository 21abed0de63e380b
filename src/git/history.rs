//! Collects what the past says about a change's files.
//!
//! [`collect`] fills a [`History`]: it reads a bounded number of commits before the change's base, by name first,
//! and looks into contents only of fixes that touched the change's files. It judges nothing.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use git2::{Diff, DiffOptions, Oid, Repository, Sort};

use super::names::TreeNames;
use crate::{
    change::{Change, Content, FilePatch, FileStatus, Hunk, LineKind, RepoPath},
    history::{CommitKind, History, Lockfile, PastCommit, ReturnedLine},
};

/// Commits that are read, merges included.
const MOST_COMMITS: usize = 1_000;
/// A commit over more files says nothing about which of them belong together.
const MOST_PATHS: usize = 30;
/// Fixes whose contents are looked at, newest first.
const MOST_FIXES: usize = 40;
/// Lockfiles over this size in bytes are not read.
const LARGEST_LOCKFILE: usize = 8 << 20;
/// Shorter lines, counted without white space, come back by accident.
const SHORTEST_LINE: usize = 24;

/// A past that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// An object is missing or damaged.
    #[error("cannot read the history before {base}: {reason}")]
    Unreadable {
        /// Full id of the commit the walk started from.
        base: String,
        /// libgit2's words.
        reason: String,
    },
}

/// The past before the base of `change`, as far as it concerns it. Without a base (a root commit, a diff file) there is
/// none.
pub(super) fn collect(repo: &Repository, change: &Change) -> Result<History, HistoryError> {
    let Some(base) = &change.range.base else { return Ok(History::default()) };
    Oid::from_str(base)
        .and_then(|id| read(repo, id, change))
        .map_err(|error| HistoryError::Unreadable { base: base.clone(), reason: error.message().to_owned() })
}

fn read(repo: &Repository, base: Oid, change: &Change) -> Result<History, git2::Error> {
    let commits = read_commits(repo, base)?;
    let tree = repo.find_commit(base)?.tree()?;
    let gone = gone(&commits, change, &tree);
    let returned = returned_lines(repo, &tree, &commits, change)?;
    let lockfiles = change.files.iter().filter_map(|file| lockfile(repo, &tree, file)).collect();
    Ok(History { commits, gone, returned, lockfiles })
}

/// Commits with one parent, newest first. A shallow clone's last commits have parents that are not there; the walk
/// ends before them.
fn read_commits(repo: &Repository, base: Oid) -> Result<Vec<PastCommit>, git2::Error> {
    let mut walk = repo.revwalk()?;
    walk.set_sorting(Sort::TIME)?;
    walk.push(base)?;
    let mut trees = TreeNames::new(repo)?;
    let mut commits = Vec::new();
    for id in walk.take(MOST_COMMITS) {
        let Ok(commit) = id.and_then(|id| repo.find_commit(id)) else { break };
        if commit.parent_count() != 1 {
            continue;
        }
        let Ok(parent) = commit.parent(0) else { break };
        let title = String::from_utf8_lossy(commit.summary_bytes().unwrap_or_default()).into_owned();
        let mut paths = trees.differing(parent.tree_id(), commit.tree_id(), MOST_PATHS)?;
        paths.sort();
        commits.push(PastCommit {
            id: commit.id().to_string(),
            kind: CommitKind::of_title(&title),
            title,
            paths,
        });
    }
    Ok(commits)
}

/// Old-side paths of the change's files.
fn old_paths(change: &Change) -> BTreeSet<&RepoPath> {
    let existing = change.files.iter().filter(|file| file.status != FileStatus::Added);
    existing.map(|file| file.old_path.as_ref().unwrap_or(&file.path)).collect()
}

/// Paths that changed along with the change's files and are no longer in `tree`.
fn gone(commits: &[PastCommit], change: &Change, tree: &git2::Tree<'_>) -> BTreeSet<RepoPath> {
    let touched = old_paths(change);
    let related = commits.iter().filter(|commit| commit.paths.iter().any(|path| touched.contains(path)));
    let paths: BTreeSet<&RepoPath> = related.flat_map(|commit| &commit.paths).collect();
    paths.into_iter().filter(|path| !is_in(tree, path)).cloned().collect()
}

fn is_in(tree: &git2::Tree<'_>, path: &RepoPath) -> bool {
    to_path(path).is_some_and(|path| tree.get_path(path).is_ok())
}

fn to_path(path: &RepoPath) -> Option<&std::path::Path> {
    std::str::from_utf8(path.as_bytes()).ok().map(std::path::Path::new)
}

fn blob_text(repo: &Repository, tree: &git2::Tree<'_>, path: &RepoPath) -> Option<Vec<u8>> {
    let entry = tree.get_path(to_path(path)?).ok()?;
    Some(repo.find_blob(entry.id()).ok()?.content().to_vec())
}

/// Lines that one file of the change adds and its base does not have, by their trimmed text.
struct Candidate<'a> {
    path: &'a RepoPath,
    lines: BTreeMap<&'a [u8], u32>,
}

fn returned_lines(
    repo: &Repository,
    tree: &git2::Tree<'_>,
    commits: &[PastCommit],
    change: &Change,
) -> Result<Vec<ReturnedLine>, git2::Error> {
    let mut candidates = candidates(repo, tree, change);
    let mut returned = Vec::new();
    let touches = |commit: &&PastCommit| commit.paths.iter().any(|path| candidates.contains_key(path));
    let fixes: Vec<&PastCommit> = commits
        .iter()
        .filter(|commit| commit.kind != CommitKind::Plain)
        .filter(touches)
        .take(MOST_FIXES)
        .collect();
    for commit in fixes {
        let removed = removed_by(repo, commit, &candidates)?;
        let removed_in_all = removed.len();
        for (path, text) in removed {
            let Some(candidate) = candidates.get_mut(&path) else { continue };
            let Some(line) = candidate.lines.remove(text.as_slice()) else { continue };
            let text = String::from_utf8_lossy(&text).into_owned();
            returned.push(ReturnedLine {
                path: candidate.path.clone(),
                line,
                text,
                removed_by: commit.id.clone(),
                removed_in_all,
            });
        }
    }
    returned.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
    Ok(returned)
}

fn candidates<'a>(
    repo: &Repository,
    tree: &git2::Tree<'_>,
    change: &'a Change,
) -> BTreeMap<&'a RepoPath, Candidate<'a>> {
    let edited =
        change.files.iter().filter(|file| file.status != FileStatus::Added && file.content == Content::Text);
    let candidate = |file: &'a FilePatch| {
        let old_path = file.old_path.as_ref().unwrap_or(&file.path);
        let mut lines = telling_lines(file);
        if lines.is_empty() {
            return None;
        }
        let base = blob_text(repo, tree, old_path)?;
        base.split(|byte| *byte == b'\n').for_each(|line| {
            lines.remove(line.trim_ascii());
        });
        (!lines.is_empty()).then_some((old_path, Candidate { path: &file.path, lines }))
    };
    edited.filter_map(candidate).collect()
}

/// Added lines long enough to be recognised, with their numbers.
fn telling_lines(file: &FilePatch) -> BTreeMap<&[u8], u32> {
    let added = file.hunks.iter().flat_map(Hunk::lines).filter(|line| line.kind == LineKind::Added);
    added
        .filter(|line| is_telling(line.text))
        .filter_map(|line| Some((line.text.trim_ascii(), line.new?)))
        .collect()
}

/// Long enough, and neither a comment, nor an import, nor an item of a list, which come and go without meaning.
fn is_telling(line: &[u8]) -> bool {
    const PASSING: [&[u8]; 14] = [
        b"//",
        b"#",
        b"*",
        b"/*",
        b"--",
        b"use ",
        b"import ",
        b"from ",
        b"export {",
        b"pub use ",
        b"package ",
        b"require",
        b"<!--",
        b"} from",
    ];
    let line = line.trim_ascii();
    let length = line.iter().filter(|byte| byte.is_ascii_alphanumeric()).count();
    length >= SHORTEST_LINE && !line.ends_with(b",") && !PASSING.iter().any(|start| line.starts_with(start))
}

/// Trimmed lines that `commit` took out of the candidates' files and did not put back elsewhere in them.
fn removed_by(
    repo: &Repository,
    commit: &PastCommit,
    candidates: &BTreeMap<&RepoPath, Candidate<'_>>,
) -> Result<Vec<(RepoPath, Vec<u8>)>, git2::Error> {
    let commit_object = repo.find_commit(Oid::from_str(&commit.id)?)?;
    let mut options = DiffOptions::new();
    options.context_lines(0).ignore_submodules(true).disable_pathspec_match(true);
    for path in commit.paths.iter().filter(|path| candidates.contains_key(path)) {
        options.pathspec(path.as_bytes());
    }
    let parent = commit_object.parent(0)?.tree()?;
    let diff = repo.diff_tree_to_tree(Some(&parent), Some(&commit_object.tree()?), Some(&mut options))?;
    removed_lines(&diff)
}

fn removed_lines(diff: &Diff<'_>) -> Result<Vec<(RepoPath, Vec<u8>)>, git2::Error> {
    let mut removed = Vec::new();
    let mut added: HashSet<Vec<u8>> = HashSet::new();
    diff.foreach(
        &mut |_, _| true,
        None,
        None,
        Some(&mut |delta, _, line| {
            let text = line.content().trim_ascii();
            match (line.origin(), delta.old_file().path_bytes()) {
                ('-', Some(path)) if is_telling(text) => removed.push((RepoPath::new(path), text.to_vec())),
                ('+', _) => {
                    added.insert(text.to_vec());
                }
                _ => {}
            }
            true
        }),
    )?;
    removed.retain(|(_, text)| !added.contains(text));
    Ok(removed)
}

/// Both sides of a lockfile; the new one is made from the old one and the patch, so that index and worktree need no
/// second way.
fn lockfile(repo: &Repository, tree: &git2::Tree<'_>, file: &FilePatch) -> Option<Lockfile> {
    const NAMES: [&[u8]; 10] = [
        b"Cargo.lock",
        b"package-lock.json",
        b"npm-shrinkwrap.json",
        b"go.sum",
        b"yarn.lock",
        b"pnpm-lock.yaml",
        b"bun.lock",
        b"poetry.lock",
        b"uv.lock",
        b"pdm.lock",
    ];
    if !NAMES.contains(&file.path.file_name()) || file.content != Content::Text {
        return None;
    }
    let before = match file.status {
        FileStatus::Added => Vec::new(),
        _ => blob_text(repo, tree, file.old_path.as_ref().unwrap_or(&file.path))?,
    };
    if before.len() > LARGEST_LOCKFILE || file.byte_len() > LARGEST_LOCKFILE {
        return None;
    }
    let after = apply(&before, &file.hunks);
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Some(Lockfile { path: file.path.clone(), before: text(before), after: text(after) })
}

/// The new side of a patch over `before`.
fn apply(before: &[u8], hunks: &[Hunk]) -> Vec<u8> {
    let mut old = before.split_inclusive(|byte| *byte == b'\n').enumerate().peekable();
    let mut after = Vec::with_capacity(before.len());
    for hunk in hunks {
        let first = hunk.old_start.saturating_sub(u32::from(hunk.old_lines > 0)) as usize;
        while let Some((_, line)) = old.next_if(|(at, _)| *at < first) {
            after.extend_from_slice(line);
        }
        for line in hunk.lines() {
            if line.kind != LineKind::Added {
                old.next();
            }
            if line.kind != LineKind::Removed {
                after.extend_from_slice(line.text);
                after.push(b'\n');
            }
        }
    }
    old.for_each(|(_, line)| after.extend_from_slice(line));
    after
}

#[cfg(test)]
mod tests;
