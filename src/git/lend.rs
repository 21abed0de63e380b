//! Repositories made of the objects of another one, to work in: [`Repo::lend`].
//!
//! Nothing is copied and nothing is written to the other one; it must stay as long as the new one is used.
#![expect(
    clippy::disallowed_methods,
    reason = "what libgit2 has no call for is written to files of the new repository"
)]

use std::{
    fs, io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use git2::{Oid, Repository, RepositoryInitOptions, build::CheckoutBuilder};

use super::{GitError, RangeSpec, Repo, range};
use crate::change::RangeInfo;

/// What [`Repo::lend`] does.
const MAKE: &str = "make a repository to work in";

/// What a repository made of another one's objects looks like.
#[derive(Debug, Clone, Copy)]
pub struct Loan<'a> {
    /// Full id of the commit that is its `HEAD`.
    pub head: &'a str,
    /// Name and last commit of the branch that others are merged into, where one is known.
    pub default: Option<(&'a str, &'a str)>,
    /// Where its remote `origin` leads.
    pub origin: Option<&'a str>,
    /// The files of `head` are written; else it is bare.
    pub has_files: bool,
}

impl Repo {
    /// Opens the repository at `folder`, not one above it.
    pub fn open(folder: &Path) -> Result<Self, GitError> {
        super::trust_pack_checksums();
        let inner = Repository::open(folder).map_err(|error| GitError::opening(folder, &error))?;
        Ok(Self { inner })
    }

    /// The full ids of both sides of `spec`.
    pub fn ends(&self, spec: &RangeSpec) -> Result<RangeInfo, GitError> {
        let ends = range::resolve(&self.inner, spec, &mut Vec::new())?;
        let (base, head) = (ends.base.map(|id| id.to_string()), ends.head.map(|id| id.to_string()));
        Ok(RangeInfo { base, head, spec: ends.words })
    }

    /// Full id of the commit that `name`, an id or a ref, leads to.
    pub fn commit_id(&self, name: &str) -> Option<String> {
        let object = match Oid::from_str(name) {
            Ok(id) => self.inner.find_object(id, None).ok()?,
            Err(_) => self.inner.find_reference(name).ok()?.peel(git2::ObjectType::Any).ok()?,
        };
        Some(object.peel_to_commit().ok()?.id().to_string())
    }

    /// Name and last commit of the branch that others are merged into, without the name of a remote.
    pub fn default_branch(&self) -> Option<(String, String)> {
        range::default_branch(&self.inner).map(|branch| (branch.short, branch.tip.to_string()))
    }

    /// Makes a repository in `folder`, in place of what is there.
    pub fn lend(&self, folder: &Path, loan: Loan<'_>) -> Result<Self, GitError> {
        let doing = || GitError::while_doing(MAKE);
        let failed = |reason: String| GitError::Other { doing: MAKE, reason };
        match fs::remove_dir_all(folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error.to_string())),
            Ok(()) | Err(_) => {}
        }
        let mut options = RepositoryInitOptions::new();
        options.bare(!loan.has_files).external_template(false).no_reinit(true).mkpath(true);
        let made = Repository::init_opts(folder, &options).map_err(doing())?;
        self.share(made.path())
            .map_err(|reason| GitError::Other { doing: "make a repository to work in", reason })?;
        // Where objects are is read when a repository is opened.
        let made = Repository::open(made.path()).map_err(doing())?;
        set_refs(&made, loan).map_err(doing())?;
        if loan.has_files {
            let mut options = CheckoutBuilder::new();
            made.checkout_head(Some(options.force()))
                .map_err(GitError::while_doing("write out the files"))?;
        }
        Ok(Self { inner: made })
    }

    /// Has the repository at `git_dir` look for objects here.
    fn share(&self, git_dir: &Path) -> Result<(), String> {
        let own = self.inner.commondir();
        let objects: PathBuf = own.join("objects").canonicalize().map_err(|error| error.to_string())?;
        if objects.as_os_str().as_bytes().contains(&b'\n') {
            return Err("there is a line break in the path of the repository".to_owned());
        }
        let line = [objects.as_os_str().as_bytes(), b"\n"].concat();
        fs::write(git_dir.join("objects/info/alternates"), line).map_err(|error| error.to_string())?;
        let cut = own.join("shallow");
        if cut.is_file() {
            fs::copy(cut, git_dir.join("shallow")).map_err(|error| error.to_string())?;
        }
        Ok(())
    }
}

fn set_refs(repo: &Repository, loan: Loan<'_>) -> Result<(), git2::Error> {
    if let Some((name, tip)) = loan.default {
        let branch = format!("refs/remotes/origin/{name}");
        for branch in [&branch, &format!("refs/heads/{name}")] {
            repo.reference(branch, Oid::from_str(tip)?, true, "")?;
        }
        repo.reference_symbolic("refs/remotes/origin/HEAD", &branch, true, "")?;
    }
    if let Some(origin) = loan.origin {
        repo.remote("origin", origin)?;
    }
    repo.set_head_detached(Oid::from_str(loan.head)?)
}
