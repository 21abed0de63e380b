//! Where a job works: [`Grounds`] makes of a [`Task`] a folder with a repository of its own, a [`Ground`], or says why not.
//!
//! A task was written by a caller. What it names counts only where the operator allows it, and nothing of it is ever an option of a
//! command. Nobody works in the operator's own repository, and no configuration of a repository counts.

mod allowed;
mod file;
mod page;
mod span;
#[cfg(test)]
mod tests;

use std::{
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use crate::{
    config::{Repository, env, env::Environment},
    forge::address,
    git::{Brought, GitError, Loan, MirrorError, Mirrors, Origin, RangeSpec, Repo, Wanted},
    job::{Kind, Task},
    pull::Platform,
};
pub(super) use allowed::{Allowed, NotAllowed, Source};
pub(super) use page::Page;
use span::{BadSpan, Span};

/// A file without a word.
const NO_CONFIGURATION: &str = "/dev/null";

/// The repositories that jobs may be about.
#[derive(Debug, Clone)]
pub(super) struct Grounds {
    allowed: Allowed,
    mirrors: Mirrors,
    /// What reviews are configured by where a repository has no configuration of the operator's; nothing where there is no file.
    config: Option<PathBuf>,
    environment: Environment,
}

/// A folder to work in, as long as this lives.
#[derive(Debug)]
pub(super) struct Ground {
    /// The repository's folder: for a review it is bare, else the files of `head` are in it.
    pub(super) folder: PathBuf,
    /// The configuration to work by.
    pub(super) config: PathBuf,
    /// Full id of the old side; `None` where there is none, or where the platform says it.
    pub(super) base: Option<String>,
    /// Full id of the new side.
    pub(super) head: String,
    /// The configuration is of this repository alone.
    pub(super) has_own_config: bool,
    /// The variable with the token for its server.
    pub(super) token_env: Option<String>,
    /// Variables for the process that works there.
    pub(super) environment: Vec<(String, SecretString)>,
    _mirror: Option<Brought>,
}

/// Why there is no ground for a job.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoGround {
    /// The operator does not allow it.
    #[error(transparent)]
    NotAllowed(#[from] NotAllowed),
    /// The server does not give the commits.
    #[error(transparent)]
    Mirror(#[from] MirrorError),
    /// The repository cannot be read, or has no such commits.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The folder cannot be made.
    #[error("cannot make the job's folder: {0}")]
    Folder(#[from] io::Error),
    /// The variable with the token is not set.
    #[error("the variable {0}, which is to hold the token for the repository's server, is not set")]
    NoToken(String),
}

impl NoGround {
    /// Another attempt may find one.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Mirror(error) => error.is_passing(),
            Self::Folder(_) => true,
            Self::NotAllowed(_) | Self::Git(_) | Self::NoToken(_) => false,
        }
    }
}

impl Grounds {
    /// What `repositories` say, or where there are none the repository at `own`. Copies of what is on servers are kept below `folder`.
    pub(super) fn new(
        repositories: Vec<Repository>,
        own: Option<&Path>,
        config: Option<PathBuf>,
        folder: &Path,
    ) -> Self {
        Self {
            allowed: Allowed::new(repositories, own),
            mirrors: Mirrors::new(folder.join("mirrors")),
            config,
            environment: Environment,
        }
    }

    /// Whether `tenant` may have `task` done.
    pub(super) fn admit(&self, tenant: &str, task: &Task) -> Result<(), NotAllowed> {
        self.admitted(tenant, task).map(drop)
    }

    /// The repository that a platform calls by its page, as a task names it, and the tenant that its jobs are for.
    pub(super) fn of_page(&self, page: &str) -> Option<(String, String)> {
        self.allowed.of_page(page)
    }

    /// Everything of a task that was written by somebody, read; `None` for one about nothing.
    fn admitted(&self, tenant: &str, task: &Task) -> Result<Option<Asked>, NotAllowed> {
        if task.kind == Kind::Noop {
            return Ok(None);
        }
        let (entry, source) = self.allowed.find(tenant, task.repo.as_deref())?;
        let runs_programs = match task.kind {
            Kind::Review | Kind::Noop => false,
            Kind::Parity | Kind::Smoke | Kind::Gauntlet | Kind::Eval => true,
        };
        if runs_programs && !entry.commands {
            return Err(NotAllowed::Commands { kind: task.kind });
        }
        file::check(task)?;
        let span = Span::parse(task.range.as_deref())?;
        if let (Source::Url(_), Span::Between { left, right, .. }) = (&source, &span) {
            [left, right].into_iter().try_for_each(|side| wanted(side).map(drop))?;
        }
        if let (Source::Url(_), Span::One(side)) = (&source, &span) {
            wanted(side)?;
        }
        let page = task.pull.as_deref().map(|text| pull(&source, text)).transpose()?;
        if page.is_some() && !matches!(task.kind, Kind::Review | Kind::Gauntlet) {
            return Err(NotAllowed::NothingToPost { kind: task.kind });
        }
        if page.is_some() && task.range.is_some() {
            return Err(NotAllowed::RangeOfPull);
        }
        Ok(Some(Asked { entry: entry.clone(), source, span, page }))
    }

    /// Makes a ground for `task` in `folder`, which is the job's own, within the given time. It is asked again whether the task is
    /// allowed: what was may not be any more. `None` for a task that needs none.
    pub(super) async fn prepare(
        &self,
        tenant: &str,
        task: &Task,
        folder: &Path,
        within: Duration,
    ) -> Result<Option<Ground>, NoGround> {
        let Some(asked) = self.admitted(tenant, task)? else { return Ok(None) };
        let token = asked.entry.token_env.as_ref();
        let token = token
            .map(|name| self.environment.secret(name).ok_or_else(|| NoGround::NoToken(name.clone())))
            .transpose()?;
        let config = asked.entry.config.as_ref().or(self.config.as_ref());
        let config = config.map_or_else(|| PathBuf::from(NO_CONFIGURATION), PathBuf::clone);
        let repository = folder.join("repository");
        let has_files = task.kind != Kind::Review;
        let page = asked.page.clone();
        let variables = page.as_ref().map(|page| forge_variables(page, asked.entry.token_env.as_deref()));
        let lender = match &asked.source {
            Source::Path(path) => Lender::Folder(path.clone(), token),
            Source::Url(url) => {
                let identity = url.plain().to_owned();
                let origin = Origin { url: url.as_str().to_owned(), identity, token };
                let wanted = asked.wanted()?;
                let brought = self.mirrors.bring(&origin, &wanted, within).await?;
                Lender::Mirror(origin, brought)
            }
        };
        let (has_own_config, token_env) = (asked.entry.config.is_some(), asked.entry.token_env.clone());
        let work = move || lender.lend(&asked, &repository, has_files);
        let lent = spawn_blocking(work).await.map_err(io::Error::other)??;
        let git = lent.origin.filter(|_| page.is_some()).map(|origin| origin.surroundings());
        let environment = variables.into_iter().chain(git).flatten().collect();
        let Lent { folder, base, head, mirror, .. } = lent;
        Ok(Some(Ground {
            folder,
            config,
            base,
            head,
            has_own_config,
            token_env,
            environment,
            _mirror: mirror,
        }))
    }
}

impl Ground {
    /// Without a repository.
    #[cfg(test)]
    pub(super) fn bare(config: &Path, token_env: Option<&str>, has_own_config: bool) -> Self {
        Self {
            folder: PathBuf::new(),
            config: config.to_owned(),
            base: None,
            head: String::new(),
            has_own_config,
            token_env: token_env.map(str::to_owned),
            environment: Vec::new(),
            _mirror: None,
        }
    }

    /// What follows the name of the program: the command and its arguments.
    pub(super) fn arguments(&self, task: &Task) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = vec![task.kind.word().into()];
        let mut option = |name: &str, value: &str| arguments.push(format!("--{name}={value}").into());
        if let Some(pull) = &task.pull {
            option("pr", pull);
        }
        if let (Some(panel), Kind::Review | Kind::Gauntlet | Kind::Eval) = (&task.panel, task.kind) {
            option("panel", panel);
        }
        if task.pull.is_some() {
            arguments.push("--post".into());
        }
        let range = match (&self.base, task.kind) {
            (Some(base), Kind::Review) => Some(format!("{base}..{}", self.head)),
            (None, Kind::Review) => Some(self.head.clone()),
            _ => None,
        };
        let positional = range.filter(|_| task.pull.is_none()).or_else(|| task.file.clone());
        if let Some(positional) = positional {
            arguments.extend(["--".into(), positional.into()]);
        }
        arguments
    }

    /// What was found, for whoever follows the job.
    pub(super) fn told(&self) -> Value {
        json!({ "base": self.base, "head": self.head })
    }
}

/// A task that is allowed.
struct Asked {
    entry: Repository,
    source: Source,
    span: Span,
    page: Option<Page>,
}

impl Asked {
    /// The commits to fetch.
    fn wanted(&self) -> Result<Vec<Wanted>, NotAllowed> {
        if let Some(page) = &self.page {
            let number = page.number;
            let name = match page.platform {
                Platform::GitHub | Platform::Gitea => format!("refs/pull/{number}/head"),
                Platform::GitLab => format!("refs/merge-requests/{number}/head"),
            };
            return Ok(vec![Wanted::Name(name)]);
        }
        match &self.span {
            Span::Whole => Ok(Vec::new()),
            Span::One(side) => Ok(vec![wanted(side)?]),
            Span::Between { left, right, .. } => Ok(vec![wanted(left)?, wanted(right)?]),
        }
    }
}

/// A side of a range as a server knows it.
fn wanted(side: &str) -> Result<Wanted, NotAllowed> {
    Wanted::parse(side).ok_or_else(|| NotAllowed::Range(BadSpan::Unknown(side.to_owned())))
}

/// The pull request at the address `text`, of that repository.
fn pull(source: &Source, text: &str) -> Result<Page, NotAllowed> {
    let remote = match source {
        Source::Url(url) => Some(url.plain().to_owned()),
        Source::Path(path) => Repo::open(path).ok().and_then(|repo| repo.remote_url("origin")),
    };
    let of = remote.and_then(|remote| address::page_of_remote(&remote)).ok_or(NotAllowed::NoPages)?;
    Page::parse(text, &of).ok_or(NotAllowed::OtherPull { of })
}

/// Has the process that posts take that variable for that server's token.
fn forge_variables(page: &Page, token_env: Option<&str>) -> Vec<(String, SecretString)> {
    let Some(token_env) = token_env else { return Vec::new() };
    let said = [
        (env::FORGE_PLATFORM, page.platform.word()),
        (env::FORGE_URL, page.server.as_str()),
        (env::FORGE_TOKEN_ENV, token_env),
    ];
    said.map(|(name, value)| (name.to_owned(), value.into())).into()
}

/// Whose objects a ground is made of.
enum Lender {
    Folder(PathBuf, Option<SecretString>),
    Mirror(Origin, Brought),
}

/// A ground without what concerns the process.
struct Lent {
    folder: PathBuf,
    base: Option<String>,
    head: String,
    origin: Option<Origin>,
    mirror: Option<Brought>,
}

impl Lender {
    fn lend(self, asked: &Asked, folder: &Path, has_files: bool) -> Result<Lent, GitError> {
        let (repo, origin, mirror) = match self {
            Self::Folder(path, token) => {
                let repo = Repo::open(&path)?;
                let origin =
                    repo.remote_url("origin").map(|url| Origin { identity: url.clone(), url, token });
                (repo, origin, None)
            }
            Self::Mirror(origin, brought) => (Repo::open(&brought.git_dir)?, Some(origin), Some(brought)),
        };
        let default = match &mirror {
            Some(brought) => brought.default.clone(),
            None => repo.default_branch(),
        };
        let ends = repo.ends(&span(asked, mirror.as_ref()))?;
        let head = ends.head.ok_or(GitError::NoCommits)?;
        let loan = Loan {
            head: &head,
            default: default.as_ref().map(|(name, tip)| (name.as_str(), tip.as_str())),
            origin: origin.as_ref().map(|origin| origin.url.as_str()),
            has_files,
        };
        repo.lend(folder, loan)?;
        let base = ends.base.filter(|_| asked.page.is_none());
        Ok(Lent { folder: folder.to_owned(), base, head, origin, mirror })
    }
}

/// The range with full ids where a server named them.
fn span(asked: &Asked, mirror: Option<&Brought>) -> RangeSpec {
    let Some(brought) = mirror else { return asked.span.spec() };
    let text = match (brought.commits.as_slice(), &brought.default) {
        ([left, right], _) => format!("{left}{}{right}", asked.span.dots()),
        ([one, ..], _) => one.clone(),
        ([], Some((_, tip))) => tip.clone(),
        ([], None) => "HEAD".to_owned(),
    };
    RangeSpec::Commits(text)
}
