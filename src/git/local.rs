//! Lists what is not committed yet: [`staged`] from the index, [`worktree`] from the work tree.
//!
//! libgit2 finds which paths differ; contents are compared by the same code as for commits.

use git2::{Delta, Diff, DiffDelta, DiffFile, DiffOptions, FileMode, Oid, Repository, Tree};

use super::error::GitError;
use super::folders::as_path;
use super::trees::{self, Entry, Pair};
use crate::change::RepoPath;

/// Git file mode of a symbolic link.
const LINK: u32 = 0o120_000;

/// What differs from the tree `base` to the index.
pub(super) fn staged(
    repo: &Repository,
    base: Option<Oid>,
    notes: &mut Vec<String>,
) -> Result<Vec<Pair>, GitError> {
    let tree = base.map(|id| trees::tree(repo, id)).transpose()?;
    let diff = repo
        .diff_tree_to_index(tree.as_ref(), None, Some(&mut options()))
        .map_err(GitError::while_doing("compare the index"))?;
    let mut pairs = Vec::new();
    for delta in diff.deltas() {
        let (path, old, new) = sides(&delta);
        if delta.status() == Delta::Conflicted {
            notes
                .push(format!("{path} has merge conflicts that are not resolved in the index: not reviewed"));
            continue;
        }
        pairs.extend(Pair::of(path, old, new));
    }
    Ok(in_order(pairs))
}

/// What differs from the tree `base` to the work tree, untracked files included, ignored ones not. New contents
/// are stored through `repo`, which must keep them in memory.
pub(super) fn worktree(
    repo: &Repository,
    base: Option<Oid>,
    notes: &mut Vec<String>,
) -> Result<Vec<Pair>, GitError> {
    let tree = base.map(|id| trees::tree(repo, id)).transpose()?;
    let diff = compare_worktree(repo, tree.as_ref())?;
    let mut pairs = Vec::new();
    for delta in diff.deltas() {
        let (path, old, new) = sides(&delta);
        if path.as_bytes().ends_with(b"/") {
            notes.push(format!("{path} is a repository of its own that is not a submodule: not reviewed"));
            continue;
        }
        let old = if delta.status() == Delta::Conflicted { in_tree(tree.as_ref(), &path) } else { old };
        let new = match new {
            Some(entry) if entry.is_submodule() => Some(entry),
            Some(entry) => Some(Entry { id: stored(repo, &path, entry.mode)?, ..entry }),
            None if delta.status() == Delta::Conflicted => on_disk(repo, &path)?,
            None => None,
        };
        pairs.extend(Pair::of(path, old, new));
    }
    Ok(in_order(pairs))
}

fn compare_worktree<'repo>(
    repo: &'repo Repository,
    tree: Option<&Tree<'_>>,
) -> Result<Diff<'repo>, GitError> {
    let mut options = options();
    options.include_untracked(true).recurse_untracked_dirs(true);
    repo.diff_tree_to_workdir_with_index(tree, Some(&mut options))
        .map_err(GitError::while_doing("compare the work tree"))
}

fn options() -> DiffOptions {
    let mut options = DiffOptions::new();
    options.include_typechange(true).skip_binary_check(true);
    options
}

fn in_order(mut pairs: Vec<Pair>) -> Vec<Pair> {
    pairs.sort_by(|one, other| one.path().cmp(other.path()));
    pairs.dedup_by(|later, kept| later.path() == kept.path());
    pairs
}

/// Path and both sides of what libgit2 found.
fn sides(delta: &DiffDelta<'_>) -> (RepoPath, Option<Entry>, Option<Entry>) {
    let (old, new) = (delta.old_file(), delta.new_file());
    let path = new.path_bytes().or_else(|| old.path_bytes()).unwrap_or_default();
    (RepoPath::new(path), entry(&old), entry(&new))
}

fn entry(file: &DiffFile<'_>) -> Option<Entry> {
    let mode = match file.mode() {
        FileMode::Unreadable | FileMode::Tree => return None,
        mode => u32::from(mode),
    };
    file.exists().then(|| Entry { mode, id: file.id() })
}

fn in_tree(tree: Option<&Tree<'_>>, path: &RepoPath) -> Option<Entry> {
    let entry = tree?.get_path(as_path(path.as_bytes())).ok()?;
    Some(Entry { mode: entry.filemode().unsigned_abs(), id: entry.id() })
}

/// A conflicted file as it stands in the work tree; `None` when it is not there.
fn on_disk(repo: &Repository, path: &RepoPath) -> Result<Option<Entry>, GitError> {
    let Some(work_tree) = repo.workdir() else { return Ok(None) };
    let Ok(found) = std::fs::symlink_metadata(work_tree.join(as_path(path.as_bytes()))) else {
        return Ok(None);
    };
    if found.is_dir() {
        return Ok(None);
    }
    let mode = if found.is_symlink() { LINK } else { 0o100_644 };
    Ok(Some(Entry { mode, id: stored(repo, path, mode)? }))
}

/// Id of a work-tree file's content as git would store it (line ends converted, links as their target).
fn stored(repo: &Repository, path: &RepoPath, mode: u32) -> Result<Oid, GitError> {
    let unreadable = |reason: String| GitError::Unreadable { path: path.clone(), reason };
    let work_tree = repo.workdir().ok_or_else(|| unreadable("there is no work tree".into()))?;
    let file = work_tree.join(as_path(path.as_bytes()));
    let id = if mode == LINK {
        let target = std::fs::read_link(&file).map_err(|error| unreadable(error.to_string()))?;
        repo.blob(target.as_os_str().as_encoded_bytes())
    } else {
        repo.blob_path(&file)
    };
    id.map_err(|error| unreadable(error.message().to_owned()))
}
