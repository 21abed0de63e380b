//! Repositories on servers, kept here so that each commit is fetched once: [`Mirrors`].
//!
//! The program `git` fetches, without hooks, prompts, submodules and redirects. Which servers may be asked is the caller's matter, and
//! so is which commits may be named. Nobody works in a mirror: see [`Repo::lend`](super::Repo::lend).
#![expect(clippy::disallowed_methods, reason = "this is where mirrors are made, locked and removed")]

mod errand;

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use git2::{Repository, RepositoryInitOptions};
use secrecy::SecretString;
use tokio::time::{MissedTickBehavior, interval, timeout};

pub use errand::MirrorError;
use errand::{Errand, Listed};

use super::Repo;
use crate::digest;

/// Most mirrors that stay when another one is made.
const MOST: usize = 64;
/// How long one stays that nobody asks for.
const LONGEST_UNUSED: Duration = Duration::from_hours(24 * 30);
/// How often it is looked whether somebody else has fetched.
const LOOK: Duration = Duration::from_millis(50);

/// A server's repository.
#[derive(Debug, Clone)]
pub struct Origin {
    /// Its address; no secret is in it.
    pub url: String,
    /// The same however it is written: mirrors are told apart by it.
    pub identity: String,
    /// What opens it; without, what git's own configuration says.
    pub token: Option<SecretString>,
}

/// A commit of a server's repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// By its full id.
    Id(String),
    /// What a branch or tag of this name, a whole ref or `HEAD` is there.
    Name(String),
}

impl Wanted {
    /// `text` as a full id or a name; `None` where git has no such names.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Some(Self::Id(text.to_ascii_lowercase()));
        }
        let is_name = text == "HEAD"
            || (!text.starts_with('-') && git2::Reference::is_valid_name(&format!("refs/heads/{text}")));
        is_name.then(|| Self::Name(text.to_owned()))
    }
}

/// Mirrors below a folder.
#[derive(Debug, Clone)]
pub struct Mirrors {
    folder: PathBuf,
}

/// Commits that are here now. What they are in is not removed as long as this lives.
#[derive(Debug)]
pub struct Brought {
    /// The mirror.
    pub git_dir: PathBuf,
    /// Full ids of what was wanted, in that order.
    pub commits: Vec<String>,
    /// Name and last commit of the server's default branch, where it has one.
    pub default: Option<(String, String)>,
    _in_use: File,
}

impl Mirrors {
    /// Those in `folder`, which is made when it is needed.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Brings what is `wanted` of `origin` here, within the given time. What is here already is not fetched, and of several who want the
    /// same at a time one fetches.
    pub async fn bring(
        &self,
        origin: &Origin,
        wanted: &[Wanted],
        within: Duration,
    ) -> Result<Brought, MirrorError> {
        let brought = timeout(within, self.bring_in_time(origin, wanted)).await;
        brought.unwrap_or(Err(MirrorError::TooLong { seconds: within.as_secs() }))
    }

    async fn bring_in_time(&self, origin: &Origin, wanted: &[Wanted]) -> Result<Brought, MirrorError> {
        let name = digest::sha256(&[origin.identity.as_bytes()]);
        let path = |end: &str| self.folder.join(format!("{}{end}", &name[..32]));
        let git_dir = path(".git");
        fs::create_dir_all(&self.folder)?;
        let in_use = locked(&path(".use"), File::try_lock_shared).await?;
        let listed = Errand::new(origin, &self.folder).list(wanted).await?;
        if !has_all(&git_dir, &listed) {
            let _fetching = locked(&path(".lock"), File::try_lock).await?;
            if !git_dir.is_dir() {
                self.make_room();
                init(&git_dir)?;
            }
            // Somebody else may have fetched it meanwhile.
            if !has_all(&git_dir, &listed) {
                Errand::new(origin, &git_dir).fetch(&listed).await?;
            }
        }
        in_use.set_modified(SystemTime::now())?;
        let repo = Repo::discover(&git_dir).map_err(MirrorError::broken)?;
        let commits = listed.iter().map(|one| one.here(&repo)).collect::<Result<Vec<_>, _>>()?;
        let (tip, commits) = commits.split_first().ok_or(MirrorError::Empty)?;
        let default = listed.first().and_then(Listed::branch).map(|name| (name.to_owned(), tip.clone()));
        Ok(Brought { git_dir, commits: commits.to_vec(), default, _in_use: in_use })
    }

    /// Removes mirrors that nobody has asked for in a long time, and the longest unused ones when there are many. One in use stays, and
    /// one that cannot be removed does no harm.
    fn make_room(&self) {
        let files = fs::read_dir(&self.folder).into_iter().flatten().flatten().map(|entry| entry.path());
        let used = |path: PathBuf| Some((path.metadata().ok()?.modified().ok()?, path));
        let mut mirrors: Vec<_> =
            files.filter(|path| path.extension().is_some_and(|end| end == "use")).filter_map(used).collect();
        mirrors.sort_by(|a, b| b.cmp(a));
        let now = SystemTime::now();
        let is_old = |used: &SystemTime| now.duration_since(*used).is_ok_and(|age| age > LONGEST_UNUSED);
        for (number, (used, path)) in mirrors.iter().enumerate() {
            if number < MOST && !is_old(used) {
                continue;
            }
            let Ok(guard) = File::open(path) else { continue };
            if guard.try_lock().is_ok() {
                let _ = fs::remove_dir_all(path.with_extension("git"));
                let _ = fs::remove_file(path.with_extension("lock"));
                let _ = fs::remove_file(path);
            }
        }
    }
}

/// Opens the file at `path` and waits until `lock` has it, also against other processes.
async fn locked(path: &Path, lock: fn(&File) -> Result<(), TryLockError>) -> io::Result<File> {
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        // Opened anew each time: whoever had it may have removed it.
        let file = File::options().create(true).append(true).open(path)?;
        match lock(&file) {
            Ok(()) if path.exists() => return Ok(file),
            Ok(()) | Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

/// An empty mirror, whole when it is there.
fn init(git_dir: &Path) -> Result<(), MirrorError> {
    let parts = git_dir.with_extension("new");
    match fs::remove_dir_all(&parts) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        Ok(()) | Err(_) => {}
    }
    let mut options = RepositoryInitOptions::new();
    options.bare(true).external_template(false).no_reinit(true);
    Repository::init_opts(&parts, &options).map_err(|error| MirrorError::broken(error.message().trim()))?;
    Ok(fs::rename(&parts, git_dir)?)
}

fn has_all(git_dir: &Path, listed: &[Listed]) -> bool {
    let Ok(repo) = Repo::discover(git_dir) else { return false };
    listed.iter().all(|one| repo.has_commit(&one.id))
}
