//! What can go wrong while reading a repository or a diff file: [`GitError`].
//!
//! Each case names the thing that is wrong; [`GitError::hint`] says what to do about it. Colour, exit status
//! and the word `hint:` are the command line's business.

use std::path::{Path, PathBuf};

use git2::{ErrorClass, ErrorCode, Oid};

use crate::change::RepoPath;

/// Why a change could not be read.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// No repository at the folder nor above it.
    #[error("{} is not in a git repository", folder.display())]
    NotARepository {
        /// Where the search started.
        folder: PathBuf,
    },
    /// The repository belongs to another user and is not listed in `safe.directory`.
    #[error("the repository at {} belongs to another user", folder.display())]
    OwnedByAnother {
        /// Where the search started.
        folder: PathBuf,
    },
    /// The repository is there but cannot be opened.
    #[error("cannot open the repository at {}: {reason}", folder.display())]
    Unopenable {
        /// Where the search started.
        folder: PathBuf,
        /// What libgit2 says.
        reason: String,
    },
    /// A revision names nothing.
    #[error("unknown revision {revision:?}")]
    UnknownRevision {
        /// As written.
        revision: String,
        /// The branch or tag whose name is closest, if any is close.
        closest: Option<String>,
        /// Whether the clone's history is cut.
        shallow: bool,
    },
    /// `X~N` goes back further than history does.
    #[error("{revision} goes past the first commit: the history of {start} has {}", counted(*commits, "commit"))]
    PastFirstCommit {
        /// As written.
        revision: String,
        /// The revision counted from.
        start: String,
        /// First-parent commits from `start` to the first one, both counted.
        commits: usize,
    },
    /// History is cut where the range needs it.
    #[error("{revision} needs history that this shallow clone does not have")]
    Shallow {
        /// The revision that cannot be followed.
        revision: String,
    },
    /// A revision names something that is no commit.
    #[error("{revision:?} is a {kind}, not a commit")]
    NotACommit {
        /// As written.
        revision: String,
        /// `tree` or `blob`.
        kind: String,
    },
    /// `A...B` of unrelated histories.
    #[error("{one} and {other} have no common ancestor")]
    NoMergeBase {
        /// Left side.
        one: String,
        /// Right side.
        other: String,
        /// Whether the clone's history is cut.
        shallow: bool,
    },
    /// `HEAD` names a branch without commits.
    #[error("there is no commit yet")]
    NoCommits,
    /// A bare repository has no work tree and no index to compare.
    #[error("{} is a bare repository: it has no work tree", folder.display())]
    Bare {
        /// The git folder.
        folder: PathBuf,
    },
    /// An object that history refers to is not there.
    #[error("object {id} is missing from the repository")]
    MissingObject {
        /// Full id.
        id: String,
    },
    /// An object is there but does not read.
    #[error("object {id} is corrupt: {reason}")]
    CorruptObject {
        /// Full id.
        id: String,
        /// What libgit2 says.
        reason: String,
    },
    /// A file of the work tree cannot be read.
    #[error("cannot read {path} in the work tree: {reason}")]
    Unreadable {
        /// Path in the repository.
        path: RepoPath,
        /// What the system says.
        reason: String,
    },
    /// A diff file has a part that is no diff.
    #[error("line {line} of the diff: {reason}")]
    BadDiff {
        /// 1-based.
        line: usize,
        /// What is wrong there.
        reason: &'static str,
    },
    /// Text without any diff in it.
    #[error("no diff found in the text: expected `diff --git` headers, or `---` and `+++` lines before `@@`")]
    NoDiff,
    /// Commits that could not be brought here.
    #[error("cannot fetch what is to be reviewed: {reason}")]
    Fetch {
        /// What to type to do it by hand.
        command: String,
        /// What git says.
        reason: String,
    },
    /// Anything else that libgit2 reports.
    #[error("cannot {doing}: {reason}")]
    Other {
        /// What was being done.
        doing: &'static str,
        /// What libgit2 says.
        reason: String,
    },
}

impl GitError {
    /// What the user can do about it, without the word `hint`.
    pub fn hint(&self) -> Option<String> {
        const DEEPEN: &str = "this is a shallow clone; git fetch --unshallow (or --deepen=N), in CI a checkout with `fetch-depth: 0`";
        match self {
            Self::NotARepository { .. } => {
                Some("run it inside a repository, or review a diff: scrum review --diff FILE".into())
            }
            Self::OwnedByAnother { folder } => {
                Some(format!("git config --global --add safe.directory '{}'", folder.display()))
            }
            Self::UnknownRevision { closest: Some(name), .. } => Some(format!("did you mean {name:?}?")),
            Self::UnknownRevision { shallow: true, .. }
            | Self::NoMergeBase { shallow: true, .. }
            | Self::Shallow { .. } => Some(DEEPEN.into()),
            Self::UnknownRevision { .. } => {
                Some("git branch --all and git tag list the names there are".into())
            }
            Self::PastFirstCommit { start, commits, .. } if *commits > 1 => {
                Some(format!("{start}~{} is the first commit", commits - 1))
            }
            Self::Fetch { command, .. } => {
                Some(format!("once this works by hand, the review does: {command}"))
            }
            Self::NoCommits => Some("review what is not committed yet: --staged or --worktree".into()),
            Self::Bare { .. } => Some("name a range of commits: scrum review A..B".into()),
            Self::MissingObject { .. } | Self::CorruptObject { .. } => {
                Some("git fsck --full lists what is broken".into())
            }
            Self::Unopenable { .. }
            | Self::PastFirstCommit { .. }
            | Self::NotACommit { .. }
            | Self::NoMergeBase { .. }
            | Self::Unreadable { .. }
            | Self::BadDiff { .. }
            | Self::NoDiff
            | Self::Other { .. } => None,
        }
    }

    /// An error while opening the repository around `folder`.
    pub(super) fn opening(folder: &Path, error: &git2::Error) -> Self {
        let folder = folder.to_owned();
        match error.code() {
            ErrorCode::NotFound => Self::NotARepository { folder },
            ErrorCode::Owner => Self::OwnedByAnother { folder },
            _ => Self::Unopenable { folder, reason: plain(error) },
        }
    }

    /// An error while reading the object `id`.
    pub(super) fn object(id: Oid, error: &git2::Error) -> Self {
        let id = id.to_string();
        match error.code() {
            ErrorCode::NotFound => Self::MissingObject { id },
            _ => Self::CorruptObject { id, reason: plain(error) },
        }
    }

    /// Turns any other libgit2 error into one that says what was being done.
    pub(super) fn while_doing(doing: &'static str) -> impl Fn(git2::Error) -> Self {
        move |error| match missing_id(&error) {
            Some(id) => Self::MissingObject { id },
            None => Self::Other { doing, reason: plain(&error) },
        }
    }
}

/// libgit2 tells the id of a missing object only in words: `object not found - no match for id (…)`.
fn missing_id(error: &git2::Error) -> Option<String> {
    if error.code() != ErrorCode::NotFound || error.class() != ErrorClass::Odb {
        return None;
    }
    let (_, rest) = error.message().split_once("id (")?;
    rest.split_once(')').map(|(id, _)| id.to_owned())
}

fn plain(error: &git2::Error) -> String {
    error.message().trim().to_owned()
}

fn counted(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}
