//! Turns the range a user asked for into two trees to compare: [`RangeSpec`], `resolve`.
//!
//! Reading the commits in between and comparing the trees is done elsewhere.

use git2::{Commit, ErrorCode, Oid, Repository};

use super::error::GitError;
use super::suggest;

/// The words of [`RangeSpec::Staged`].
pub(super) const STAGED: &str = "--staged";
/// The words of [`RangeSpec::Worktree`].
pub(super) const WORKTREE: &str = "--worktree";

/// What to compare, as asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RangeSpec {
    /// From the merge base with the default branch to `HEAD`; on that branch the last commit.
    Default,
    /// `A..B`, `A...B`, or one commit `X`.
    Commits(String),
    /// A part of a pull request, or all of it, by full ids.
    Pull {
        /// The merge base with the target branch: nothing later may steer the review.
        base: String,
        /// The old side: `base`, or a later commit.
        from: String,
        /// Its last commit.
        head: String,
        /// The range in words.
        words: String,
    },
    /// `HEAD` against the index.
    Staged,
    /// `HEAD` against the work tree, untracked files included.
    Worktree,
}

/// Both sides of a range, found.
pub(super) struct Resolved {
    pub(super) spec: RangeSpec,
    /// The range in words a user can type again.
    pub(super) words: String,
    /// Commit of the old side; `None` for the empty tree.
    pub(super) base: Option<Oid>,
    /// Commit from which on nothing may steer the review; mostly `base`.
    pub(super) steered_by: Option<Oid>,
    /// Commit of the new side; `None` for index and work tree.
    pub(super) head: Option<Oid>,
    pub(super) base_tree: Option<Oid>,
    pub(super) head_tree: Option<Oid>,
}

/// Finds the two sides of `spec`; remarks about them go to `notes`.
pub(super) fn resolve(
    repo: &Repository,
    spec: &RangeSpec,
    notes: &mut Vec<String>,
) -> Result<Resolved, GitError> {
    let ends = match spec {
        RangeSpec::Default => default_range(repo)?,
        RangeSpec::Commits(text) => written_range(repo, text.trim())?,
        RangeSpec::Pull { from, head, words, .. } => {
            Ends { words: words.clone(), base: Some(commit(repo, from)?), head: commit(repo, head)? }
        }
        RangeSpec::Staged | RangeSpec::Worktree => return local_range(repo, spec),
    };
    if repo.is_shallow() {
        notes.push("this is a shallow clone: history before its boundary is not seen".to_owned());
    }
    let base = ends.base.as_ref().map(Commit::id);
    let steered_by = match spec {
        RangeSpec::Pull { base, .. } => Some(commit(repo, base)?.id()),
        RangeSpec::Default | RangeSpec::Commits(_) | RangeSpec::Staged | RangeSpec::Worktree => base,
    };
    Ok(Resolved {
        spec: spec.clone(),
        words: ends.words,
        base,
        steered_by,
        head: Some(ends.head.id()),
        base_tree: ends.base.as_ref().map(Commit::tree_id),
        head_tree: Some(ends.head.tree_id()),
    })
}

/// Two commits and the range's words.
struct Ends<'repo> {
    words: String,
    base: Option<Commit<'repo>>,
    head: Commit<'repo>,
}

fn local_range(repo: &Repository, spec: &RangeSpec) -> Result<Resolved, GitError> {
    if repo.is_bare() {
        return Err(GitError::Bare { folder: repo.path().to_owned() });
    }
    let base = match commit(repo, "HEAD") {
        Ok(commit) => Some(commit),
        Err(GitError::NoCommits) => None,
        Err(error) => return Err(error),
    };
    let words = if *spec == RangeSpec::Staged { STAGED } else { WORKTREE };
    Ok(Resolved {
        spec: spec.clone(),
        words: words.to_owned(),
        base: base.as_ref().map(Commit::id),
        steered_by: base.as_ref().map(Commit::id),
        head: None,
        base_tree: base.as_ref().map(Commit::tree_id),
        head_tree: None,
    })
}

fn written_range<'repo>(repo: &'repo Repository, text: &str) -> Result<Ends<'repo>, GitError> {
    let or_head = |side: &str| if side.is_empty() { "HEAD".to_owned() } else { side.to_owned() };
    if let Some((left, right)) = text.split_once("...") {
        let (left, right) = (or_head(left), or_head(right));
        let base = merge_base(repo, &left, &right)?;
        return Ok(Ends { words: text.to_owned(), base: Some(base), head: commit(repo, &right)? });
    }
    if let Some((left, right)) = text.split_once("..") {
        let base = commit(repo, &or_head(left))?;
        return Ok(Ends { words: text.to_owned(), base: Some(base), head: commit(repo, &or_head(right))? });
    }
    alone(repo, text, text)
}

/// One commit against its first parent; the first commit against nothing.
fn alone<'repo>(repo: &'repo Repository, revision: &str, words: &str) -> Result<Ends<'repo>, GitError> {
    let head = commit(repo, revision)?;
    Ok(Ends { words: words.to_owned(), base: first_parent(&head, revision)?, head })
}

fn first_parent<'repo>(commit: &Commit<'repo>, revision: &str) -> Result<Option<Commit<'repo>>, GitError> {
    let Ok(id) = commit.parent_id(0) else {
        let cut = commit.raw_header_bytes().starts_with(b"parent ")
            || commit.raw_header_bytes().windows(8).any(|part| part == b"\nparent ");
        return if cut { Err(GitError::Shallow { revision: format!("{revision}~1") }) } else { Ok(None) };
    };
    commit.parent(0).map(Some).map_err(|error| GitError::object(id, &error))
}

/// The merge base with the default branch, or the last commit when on that branch or when there is none.
fn default_range(repo: &Repository) -> Result<Ends<'_>, GitError> {
    let head = commit(repo, "HEAD")?;
    let last = |head: &Commit<'_>| {
        let words = if head.parent_count() == 0 { "HEAD" } else { "HEAD~1..HEAD" };
        alone(repo, "HEAD", words)
    };
    let Some(branch) = default_branch(repo) else { return last(&head) };
    let on_branch = if repo.head_detached().unwrap_or(false) {
        repo.merge_base(head.id(), branch.tip).is_ok_and(|base| base == head.id())
    } else {
        repo.head().is_ok_and(|head| head.shorthand().is_ok_and(|name| name == branch.short))
    };
    if on_branch {
        return last(&head);
    }
    let base = merge_base(repo, &branch.name, "HEAD")?;
    Ok(Ends { words: format!("{}...HEAD", branch.name), base: Some(base), head })
}

/// The newest commit at or before `commit` that the default branch has; `commit` itself where there is no such branch.
pub(super) fn on_default_branch(repo: &Repository, commit: Oid) -> Result<Option<Oid>, GitError> {
    let Some(branch) = default_branch(repo) else { return Ok(Some(commit)) };
    match repo.merge_base(commit, branch.tip) {
        Ok(base) => Ok(Some(base)),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(error) => Err(GitError::while_doing("find the common ancestor")(error)),
    }
}

/// A branch that others are merged into.
pub(super) struct DefaultBranch {
    /// As a user would type it: `origin/main`.
    pub(super) name: String,
    /// Without the remote: `main`.
    pub(super) short: String,
    pub(super) tip: Oid,
}

/// What `origin/HEAD` points to, else `main`, else `master`, here or at `origin`.
pub(super) fn default_branch(repo: &Repository) -> Option<DefaultBranch> {
    let remote_head = repo.find_reference("refs/remotes/origin/HEAD").ok();
    let remote_head = remote_head.and_then(|head| head.symbolic_target().ok().flatten().map(str::to_owned));
    let usual = ["heads/main", "remotes/origin/main", "heads/master", "remotes/origin/master"];
    let names = remote_head.into_iter().chain(usual.map(|name| format!("refs/{name}")));
    names.into_iter().find_map(|name| {
        let tip = repo.find_reference(&name).ok()?.peel_to_commit().ok()?.id();
        let short =
            name.strip_prefix("refs/remotes/origin/").or(name.strip_prefix("refs/heads/"))?.to_owned();
        let name = name.strip_prefix("refs/remotes/").or(name.strip_prefix("refs/heads/"))?.to_owned();
        Some(DefaultBranch { name, short, tip })
    })
}

fn merge_base<'repo>(repo: &'repo Repository, one: &str, other: &str) -> Result<Commit<'repo>, GitError> {
    let (left, right) = (commit(repo, one)?.id(), commit(repo, other)?.id());
    let base = repo.merge_base(left, right).map_err(|error| match error.code() {
        ErrorCode::NotFound => {
            GitError::NoMergeBase { one: one.to_owned(), other: other.to_owned(), shallow: repo.is_shallow() }
        }
        _ => GitError::while_doing("find the common ancestor")(error),
    })?;
    repo.find_commit(base).map_err(|error| GitError::object(base, &error))
}

/// The commit that `revision` names.
fn commit<'repo>(repo: &'repo Repository, revision: &str) -> Result<Commit<'repo>, GitError> {
    let object = repo.revparse_single(revision).map_err(|error| suggest::unknown(repo, revision, &error))?;
    object.peel_to_commit().map_err(|error| match object.kind() {
        Some(kind @ (git2::ObjectType::Tree | git2::ObjectType::Blob)) => {
            GitError::NotACommit { revision: revision.to_owned(), kind: kind.str().to_owned() }
        }
        _ => GitError::object(object.id(), &error),
    })
}
