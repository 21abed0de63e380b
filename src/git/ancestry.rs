//! How commits relate that are named by their full ids: [`Kinship`], merge bases, and files at a commit.

use git2::{ErrorCode, Oid};

use super::{GitError, Repo, folders::as_path, objects::blob};
use crate::change::RepoPath;

/// How one commit relates to a later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kinship {
    /// It is the same or an ancestor.
    Ancestor,
    /// It is here and no ancestor.
    Apart,
    /// It is not here.
    Missing,
}

impl Repo {
    /// Whether the commit of that full id is here.
    pub fn has_commit(&self, id: &str) -> bool {
        Oid::from_str(id).is_ok_and(|id| self.inner.find_commit(id).is_ok())
    }

    /// How `old` relates to `new`; `new` is here.
    pub fn kinship(&self, old: &str, new: &str) -> Result<Kinship, GitError> {
        if !self.has_commit(old) {
            return Ok(Kinship::Missing);
        }
        let doing = GitError::while_doing("follow the history");
        let (old, new) = (Oid::from_str(old).map_err(&doing)?, Oid::from_str(new).map_err(&doing)?);
        let is_ancestor = old == new || self.inner.graph_descendant_of(new, old).map_err(&doing)?;
        Ok(if is_ancestor { Kinship::Ancestor } else { Kinship::Apart })
    }

    /// Full id of the best common ancestor of two commits that are here.
    pub fn merge_base(&self, one: &str, other: &str) -> Result<String, GitError> {
        let doing = GitError::while_doing("find the common ancestor");
        let (left, right) = (Oid::from_str(one).map_err(&doing)?, Oid::from_str(other).map_err(&doing)?);
        let base = self.inner.merge_base(left, right).map_err(|error| match error.code() {
            ErrorCode::NotFound => GitError::NoMergeBase {
                one: one.to_owned(),
                other: other.to_owned(),
                shallow: self.is_shallow(),
            },
            _ => doing(error),
        })?;
        Ok(base.to_string())
    }

    /// The regular file at `path` of a commit, lossily as text; `None` where there is no such file or no such commit.
    pub fn text_at(&self, commit: &str, path: &RepoPath) -> Option<String> {
        let tree = self.inner.find_commit(Oid::from_str(commit).ok()?).ok()?.tree().ok()?;
        let entry = tree.get_path(as_path(path.as_bytes())).ok()?;
        let is_file = entry.filemode() & 0o170_000 == 0o100_000;
        let blob = is_file.then(|| blob(&self.inner, entry.id()).ok()).flatten()?;
        Some(String::from_utf8_lossy(blob.content()).into_owned())
    }

    /// Names and URLs of the remotes. A URL may hold a password.
    pub fn remotes(&self) -> Vec<(String, String)> {
        let Ok(names) = self.inner.remotes() else { return Vec::new() };
        let names: Vec<String> = names.iter().flatten().flatten().map(str::to_owned).collect();
        names.into_iter().filter_map(|name| Some((name.clone(), self.remote_url(&name)?))).collect()
    }

    /// Whether it is known which branch others are merged into.
    pub fn knows_default_branch(&self) -> bool {
        super::range::default_branch(&self.inner).is_some()
    }
}
