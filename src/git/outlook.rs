//! What a repository looks like from where one stands: [`Outlook`], and the files git knows.

use std::collections::BTreeSet;

use git2::Repository;

use super::{
    error::GitError,
    folders::is_manifest,
    range::{self, RangeSpec},
};
use crate::change::RepoPath;

/// Where a review without a range would start and end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlook {
    /// The branch that is checked out; `None` for a detached `HEAD` and before the first commit.
    pub branch: Option<String>,
    /// The branch that others are merged into, as a user would type it.
    pub default_branch: Option<String>,
    /// The range in words a user can type, and the commit of its old side; or why there is none.
    pub range: Result<(String, Option<String>), String>,
}

/// See [`super::Repo::outlook`].
pub(super) fn outlook(repo: &Repository) -> Outlook {
    let head = repo.head().ok().filter(|_| !repo.head_detached().unwrap_or(false));
    let range = range::resolve(repo, &RangeSpec::Default, &mut Vec::new());
    Outlook {
        branch: head.and_then(|head| head.shorthand().ok().map(str::to_owned)),
        default_branch: range::default_branch(repo).map(|branch| branch.name),
        range: range
            .map(|found| (found.words, found.base.map(|id| id.to_string())))
            .map_err(|error| error.to_string()),
    }
}

/// The files git knows in the index, in path order, and the folders among them that hold a package manifest, the root left out.
pub(super) fn layout(repo: &Repository) -> Result<(Vec<RepoPath>, Vec<RepoPath>), GitError> {
    let index = repo.index().map_err(GitError::while_doing("read the index"))?;
    let files: Vec<RepoPath> = index.iter().map(|entry| RepoPath::new(entry.path)).collect();
    let manifests = files.iter().filter(|path| is_manifest(path.file_name()) && !path.parent().is_empty());
    let roots: BTreeSet<RepoPath> = manifests.map(|path| RepoPath::new(path.parent())).collect();
    let roots = roots.into_iter().collect();
    Ok((files, roots))
}
