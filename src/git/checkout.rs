//! Where the new side of a change can be found as files: [`work_tree`] says whether the work tree holds it, [`export`]
//! writes it to a folder.
//!
//! Nothing here changes the repository, its index or its work tree.

use std::path::Path;

use git2::{DiffOptions, ErrorCode, Oid, Repository, build::CheckoutBuilder};

use super::{error::GitError, folders::as_path, range};
use crate::change::{RangeInfo, RepoPath};

/// The new side of a change.
enum NewSide {
    /// A commit.
    Commit(Oid),
    Index,
    WorkTree,
    /// Of a diff file: nothing says where it is.
    Unknown,
}

fn new_side(range: &RangeInfo) -> NewSide {
    match (&range.head, range.spec.as_str()) {
        (Some(head), _) => Oid::from_str(head).map_or(NewSide::Unknown, NewSide::Commit),
        (None, range::STAGED) => NewSide::Index,
        (None, range::WORKTREE) => NewSide::WorkTree,
        (None, _) => NewSide::Unknown,
    }
}

/// Whether the work tree holds the new side of `range`: the same commit is checked out, and nothing was edited in
/// `paths`.
pub(super) fn work_tree(repo: &Repository, range: &RangeInfo, paths: &[RepoPath]) -> Result<bool, GitError> {
    if repo.is_bare() {
        return Ok(false);
    }
    let doing = || GitError::while_doing("compare the work tree");
    let mut options = DiffOptions::new();
    options.disable_pathspec_match(true).include_untracked(true).recurse_untracked_dirs(true);
    for path in paths {
        options.pathspec(as_path(path.as_bytes()));
    }
    let differences = match new_side(range) {
        NewSide::WorkTree => return Ok(true),
        NewSide::Unknown => return Ok(false),
        NewSide::Index => repo.diff_index_to_workdir(None, Some(&mut options)),
        NewSide::Commit(id) => {
            let wanted = repo.find_commit(id).map_err(|error| GitError::object(id, &error))?;
            let here = match repo.head().and_then(|head| head.peel_to_tree()) {
                Ok(tree) => tree,
                Err(error) if matches!(error.code(), ErrorCode::UnbornBranch | ErrorCode::NotFound) => {
                    return Ok(false);
                }
                Err(error) => return Err(doing()(error)),
            };
            if here.id() != wanted.tree_id() {
                return Ok(false);
            }
            repo.diff_tree_to_workdir_with_index(Some(&here), Some(&mut options))
        }
    };
    Ok(paths.is_empty() || differences.map_err(doing())?.deltas().len() == 0)
}

/// Writes all files of the new side of `range` to the empty `folder`; `false` when it is neither a commit nor the index.
pub(super) fn export(repo: &Repository, range: &RangeInfo, folder: &Path) -> Result<bool, GitError> {
    let mut options = CheckoutBuilder::new();
    options.target_dir(folder).force().update_index(false).disable_filters(false);
    let written = match new_side(range) {
        NewSide::Commit(id) => {
            let tree = repo.find_object(id, None).map_err(|error| GitError::object(id, &error))?;
            repo.checkout_tree(&tree, Some(&mut options))
        }
        NewSide::Index => repo.checkout_index(None, Some(&mut options)),
        NewSide::WorkTree | NewSide::Unknown => return Ok(false),
    };
    written.map(|()| true).map_err(GitError::while_doing("write out the files of the change's new side"))
}
