//! Reads changes from git repositories and diff files: [`Repo`] and [`read_diff`].
//!
//! Everything is read with libgit2, in process. Nothing here looks at the user's git configuration for how a diff should look, or
//! decides which files a review shows; `fetch` and `mirror` alone bring commits here, and alone run a program.

mod ancestry;
mod attributes;
mod baseline;
mod checkout;
mod commits;
mod diff;
mod error;
mod fetch;
mod folders;
mod header;
mod history;
mod lend;
mod lines;
mod local;
mod mirror;
mod names;
mod objects;
mod outlook;
mod patch;
mod range;
mod renames;
mod similarity;
mod suggest;
mod trees;

use std::path::{Path, PathBuf};
use std::sync::Once;

use git2::Repository;

pub use self::ancestry::Kinship;
pub use self::baseline::{Baseline, Touched, paths_below};
pub use self::diff::read_diff;
pub use self::error::GitError;
pub use self::fetch::Fetch;
pub use self::history::HistoryError;
pub use self::lend::Loan;
pub use self::mirror::{Brought, MirrorError, Mirrors, Origin, Wanted};
use self::objects::Objects;
pub use self::outlook::Outlook;
pub use self::range::RangeSpec;
use self::range::Resolved;
use self::trees::Pair;
use crate::{
    change::{Change, RangeInfo, RepoPath},
    history::History,
};

/// An open repository.
pub struct Repo {
    inner: Repository,
}

impl Repo {
    /// Opens the repository that `start` lies in: a work tree, one of its folders, a linked work tree, a bare
    /// repository or a `.git` folder.
    pub fn discover(start: &Path) -> Result<Self, GitError> {
        trust_pack_checksums();
        let inner = Repository::discover(start).map_err(|error| GitError::opening(start, &error))?;
        Ok(Self { inner })
    }

    /// The work tree's root, or the git folder of a bare repository.
    pub fn root(&self) -> PathBuf {
        self.inner.workdir().unwrap_or_else(|| self.inner.path()).to_owned()
    }

    /// The folder of the repository's own files, often called `.git`.
    pub fn git_dir(&self) -> PathBuf {
        self.inner.path().to_owned()
    }

    /// `user.name` of git's configuration; the process's own `GIT_AUTHOR_NAME` is for commits.
    pub fn user_name(&self) -> Option<String> {
        let name = self.inner.config().ok()?.get_string("user.name").ok()?;
        (!name.trim().is_empty()).then(|| name.trim().to_owned())
    }

    /// Where the remote called `name` is, as git's configuration says, rewritten by its `insteadOf`. It may hold a password.
    pub fn remote_url(&self, name: &str) -> Option<String> {
        Some(self.inner.find_remote(name).ok()?.url().ok()?.to_owned())
    }

    /// Whether there is no work tree.
    pub fn is_bare(&self) -> bool {
        self.inner.is_bare()
    }

    /// Whether history was cut when cloning.
    pub fn is_shallow(&self) -> bool {
        self.inner.is_shallow()
    }

    /// Reads what differs between the two sides of `spec`. Equal sides give no files, which is no error.
    pub fn read(&self, spec: &RangeSpec) -> Result<Change, GitError> {
        let mut notes = Vec::new();
        let resolved = range::resolve(&self.inner, spec, &mut notes)?;
        let objects = Objects::new(&self.inner);
        let pairs = match resolved.spec {
            RangeSpec::Staged => local::staged(&self.inner, resolved.base_tree, &mut notes)?,
            RangeSpec::Worktree => {
                return self.read_worktree(&resolved, notes);
            }
            RangeSpec::Default | RangeSpec::Commits(_) | RangeSpec::Pull { .. } => {
                trees::differences(&self.inner, resolved.base_tree, resolved.head_tree)?
            }
        };
        self.render(&resolved, &objects, pairs, notes)
    }

    /// The work tree's files get object ids like all others, but are kept in memory only.
    fn read_worktree(&self, resolved: &Resolved, mut notes: Vec<String>) -> Result<Change, GitError> {
        let doing = GitError::while_doing("keep the work tree's files in memory");
        let database = self.inner.odb().map_err(&doing)?;
        let _memory = database.add_new_mempack_backend(1000).map_err(&doing)?;
        let pairs = local::worktree(&self.inner, resolved.base_tree, &mut notes)?;
        self.render(resolved, &Objects::in_memory(&self.inner), pairs, notes)
    }

    fn render(
        &self,
        resolved: &Resolved,
        objects: &Objects<'_>,
        pairs: Vec<Pair>,
        mut notes: Vec<String>,
    ) -> Result<Change, GitError> {
        let pairs = renames::find(objects, pairs, &mut notes)?;
        let baseline = baseline::of(&self.inner, resolved.steered_by)?;
        let attributes = attributes::read(&self.inner, baseline.tree(&self.inner)?, &pairs)?;
        let files =
            objects.each(&pairs, |repo, pair| patch::render(repo, pair, attributes.of(pair.path())))?;
        let commits = commits::told(&self.inner, resolved, &mut notes)?;
        let range = RangeInfo {
            base: resolved.base.map(|id| id.to_string()),
            head: resolved.head.map(|id| id.to_string()),
            spec: resolved.words.clone(),
        };
        Ok(Change { range, files, commits, notes })
    }

    /// Whether the work tree holds the new side of `range`: the same commit is checked out, or the index or work tree itself
    /// is what is reviewed, and `paths` were not edited since.
    pub fn work_tree_holds(&self, range: &RangeInfo, paths: &[RepoPath]) -> Result<bool, GitError> {
        checkout::work_tree(&self.inner, range, paths)
    }

    /// Writes all files of the new side of `range` to the empty `folder`. `false`: it is neither a commit nor the index,
    /// and nothing was written.
    pub fn export(&self, range: &RangeInfo, folder: &Path) -> Result<bool, GitError> {
        checkout::export(&self.inner, range, folder)
    }

    /// The past before the base of `change`, as far as it concerns it.
    pub fn history(&self, change: &Change) -> Result<History, HistoryError> {
        history::collect(&self.inner, change)
    }

    /// The branches, and what a review without a range would read.
    pub fn outlook(&self) -> Outlook {
        outlook::outlook(&self.inner)
    }

    /// The files git knows, in path order, and the folders among them that hold a package manifest, the root left out.
    pub fn layout(&self) -> Result<(Vec<RepoPath>, Vec<RepoPath>), GitError> {
        outlook::layout(&self.inner)
    }

    /// Folders at or above the changed files, the root left out, that hold a package manifest on the new side
    /// (on the old side for deleted files), in path order.
    pub fn package_roots(&self, change: &Change) -> Result<Vec<RepoPath>, GitError> {
        folders::package_roots(&self.inner, change)
    }
}

/// Lets libgit2 read objects as git does: zlib's checksum finds damage, the object's hash is not computed again
/// for each one read. Few objects are read twice, so keeping them only costs memory.
fn trust_pack_checksums() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        git2::opts::strict_hash_verification(false);
        git2::opts::enable_caching(false);
    });
}
