//! Which repositories who may name: [`Allowed`], the operator's list.
//!
//! Folders are compared by where they really are, links followed; addresses by their parts.

use std::path::{Path, PathBuf};

use super::BadSpan;
use crate::{
    config::{RemoteUrl, Repository, RepositoryPlace},
    forge::address,
    job::Kind,
};

/// The operator's list.
#[derive(Debug, Clone)]
pub(in crate::serve) struct Allowed {
    repositories: Vec<Repository>,
}

/// Where a task's repository is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::serve) enum Source {
    /// The real path of a folder.
    Path(PathBuf),
    /// An address.
    Url(RemoteUrl),
}

/// What of a task is not allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::serve) enum NotAllowed {
    /// No `repo`.
    #[error("a task needs a `repo`: the path or the address of a repository that is allowed here")]
    NoRepository,
    /// Not on the list, or not for that tenant, which is not told apart.
    #[error(
        "this repository is not allowed here for you; the operator lists those that are in [[serve.repository]]"
    )]
    Repository,
    /// It runs programs.
    #[error(
        "{kind} runs programs that the repository names, which is not allowed for this one; the operator can say `commands = true` in its [[serve.repository]]"
    )]
    Commands {
        /// What was asked for.
        kind: Kind,
    },
    /// A range that is none.
    #[error(transparent)]
    Range(#[from] BadSpan),
    /// Both a range and a pull request.
    #[error("a pull request says itself what is reviewed: leave `range` out")]
    RangeOfPull,
    /// A pull request of another repository.
    #[error("`pull` must be the address of a pull request of {of}")]
    OtherPull {
        /// The repository's page.
        of: String,
    },
    /// A repository that has no pull requests.
    #[error("this repository has no remote `origin` on a server, so it has no pull requests")]
    NoPages,
    /// Only reviews are posted.
    #[error("nothing of {kind} is posted to a pull request")]
    NothingToPost {
        /// What was asked for.
        kind: Kind,
    },
    /// A file elsewhere.
    #[error("`file` must be a path from the repository's root, without `..`: {file:?} is none")]
    File {
        /// What was written.
        file: String,
    },
    /// Something must be declared.
    #[error("{kind} needs a `file` of the repository that declares it")]
    NoFile {
        /// What was asked for.
        kind: Kind,
    },
    /// Nothing is declared.
    #[error("a review has no `file`")]
    FileOfReview,
    /// No name of a panel.
    #[error("`panel` must be the name of a panel")]
    Panel,
}

impl Allowed {
    /// What `repositories` say, else the repository at `own`, which its owner started the daemon in.
    pub(super) fn new(mut repositories: Vec<Repository>, own: Option<&Path>) -> Self {
        if let (true, Some(own)) = (repositories.is_empty(), own) {
            repositories.push(Repository {
                place: RepositoryPlace::Path(own.to_owned()),
                config: None,
                commands: true,
                tenants: None,
                token_env: None,
            });
        }
        Self { repositories }
    }

    /// The entry that lets `tenant` name `repo`, the first that does.
    pub(super) fn find(&self, tenant: &str, repo: Option<&str>) -> Result<(&Repository, Source), NotAllowed> {
        let repo = repo.filter(|repo| !repo.is_empty()).ok_or(NotAllowed::NoRepository)?;
        let source = Source::read(repo).ok_or(NotAllowed::Repository)?;
        let is_for = |entry: &&Repository| {
            entry.tenants.as_ref().is_none_or(|tenants| tenants.contains(tenant))
                && holds(&entry.place, &source)
        };
        let entry = self.repositories.iter().find(is_for).ok_or(NotAllowed::Repository)?;
        Ok((entry, source))
    }

    /// The address of the repository with that page, and the first of the tenants that may name it.
    pub(super) fn of_page(&self, page: &str) -> Option<(String, String)> {
        let asked = RemoteUrl::parse(page).ok()?;
        self.repositories.iter().find_map(|entry| {
            let repo = match &entry.place {
                RepositoryPlace::Url(url) => (paged(url)? == asked.plain()).then(|| url.to_string())?,
                RepositoryPlace::UrlBelow(above) => {
                    let rest = asked.plain().strip_prefix(&paged(above)?)?.strip_prefix('/')?;
                    format!("{}/{rest}.git", above.plain())
                }
                RepositoryPlace::Path(path) => {
                    let origin = crate::git::Repo::open(path).ok()?.remote_url("origin")?;
                    let is_it = address::page_of_remote(&origin)? == asked.plain();
                    is_it.then(|| path.to_string_lossy().into_owned())?
                }
                RepositoryPlace::Below(_) => return None,
            };
            let tenant = entry.tenants.as_ref().and_then(|tenants| tenants.first());
            Some((repo, tenant.cloned().unwrap_or_default()))
        })
    }
}

impl Source {
    /// A folder that exists, or an address; `None` for anything else.
    fn read(text: &str) -> Option<Self> {
        if text.starts_with('/') {
            return Path::new(text).canonicalize().ok().filter(|path| path.is_dir()).map(Self::Path);
        }
        RemoteUrl::parse(text).ok().map(Self::Url)
    }
}

fn holds(place: &RepositoryPlace, source: &Source) -> bool {
    match (place, source) {
        (RepositoryPlace::Path(own), Source::Path(path)) => own.canonicalize().is_ok_and(|own| own == *path),
        (RepositoryPlace::Below(above), Source::Path(path)) => {
            above.canonicalize().is_ok_and(|above| path != &above && path.starts_with(above))
        }
        (RepositoryPlace::Url(own), Source::Url(url)) => own.plain() == url.plain(),
        (RepositoryPlace::UrlBelow(above), Source::Url(url)) => url.below(above).is_some(),
        (RepositoryPlace::Path(_) | RepositoryPlace::Below(_), Source::Url(_))
        | (RepositoryPlace::Url(_) | RepositoryPlace::UrlBelow(_), Source::Path(_)) => false,
    }
}

/// The web page of an address, without a final `/`.
fn paged(url: &RemoteUrl) -> Option<String> {
    address::page_of_remote(url.plain()).map(|page| page.trim_end_matches('/').to_owned())
}
