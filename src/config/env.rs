//! Every environment variable scrum reads by name, and the one place that reads them: [`Environment`].
//!
//! Keys of reviewers are read by the variable a reviewer names, through [`Environment::secret`].
#![expect(clippy::disallowed_methods, reason = "this is the edge that reads the environment")]

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use secrecy::SecretString;

use crate::pull::{CiJob, Platform};

/// `1` sends bundles over the failing size all the same.
pub const FORCE_OVERSIZE: &str = "SCRUM_FORCE_OVERSIZE";
/// Overrides `[review] panel`.
pub const PANEL: &str = "SCRUM_PANEL";
/// Overrides `[review] concurrency`.
pub const CONCURRENCY: &str = "SCRUM_CONCURRENCY";
/// `1` asks for everything anew, as `--no-cache` does.
pub const NO_CACHE: &str = "SCRUM_NO_CACHE";
/// Overrides `[cache] dir`.
pub const CACHE_DIR: &str = "SCRUM_CACHE_DIR";
/// Overrides `[forge] platform`: `github`, `gitlab` or `gitea`. The daemon tells its jobs so of the server it lets them post to.
pub const FORGE_PLATFORM: &str = "SCRUM_FORGE_PLATFORM";
/// Overrides `[forge] url`.
pub const FORGE_URL: &str = "SCRUM_FORGE_URL";
/// Overrides `[forge] token_env`.
pub const FORGE_TOKEN_ENV: &str = "SCRUM_FORGE_TOKEN_ENV";
/// Overrides `[paths]`: runs are kept in `bundles` and `reviews` in this folder.
pub const RUNS_DIR: &str = "SCRUM_RUNS_DIR";
/// Where the daemon is that `scrum enqueue`, `jobs`, `cancel` and `watch` ask, before `[serve] listen`.
pub const SERVER: &str = "SCRUM_SERVER";
/// The key they send, if it asks for one.
pub const KEY: &str = "SCRUM_KEY";
/// `0`: `scrum serve` passes every request on by itself.
pub const COALESCE_ENABLED: &str = "COALESCE_ENABLED";
/// `0`: it passes requests for a stream on by themselves.
pub const STREAM_FANOUT_ENABLED: &str = "STREAM_FANOUT_ENABLED";
/// Where `scrum serve` keeps things, as `--store` does, without a password being seen among the running programs.
pub const STORE: &str = "SCRUM_STORE";
/// Folder of user configuration, before `HOME/.config`.
pub const XDG_CONFIG_HOME: &str = "XDG_CONFIG_HOME";
/// The user's home, for `.config` and the logins of programs in it.
pub const HOME: &str = "HOME";

/// Where programs are looked for.
pub const PATH: &str = "PATH";
/// Where Ollama listens, as Ollama itself reads it.
pub const OLLAMA_HOST: &str = "OLLAMA_HOST";

/// Who started what a job of Actions belongs to.
pub const GITHUB_ACTOR: &str = "GITHUB_ACTOR";
/// Who started it again.
pub const GITHUB_TRIGGERING_ACTOR: &str = "GITHUB_TRIGGERING_ACTOR";
/// Who started a pipeline of GitLab.
pub const GITLAB_USER_LOGIN: &str = "GITLAB_USER_LOGIN";
/// The user's name, where git has none; the same by other customs.
const LOGIN: [&str; 3] = ["USER", "LOGNAME", "USERNAME"];

/// `true` in GitHub Actions, and in what is made after them.
pub const GITHUB_ACTIONS: &str = "GITHUB_ACTIONS";
/// `true` in Gitea's Actions.
pub const GITEA_ACTIONS: &str = "GITEA_ACTIONS";
/// `true` in Forgejo's Actions.
pub const FORGEJO_ACTIONS: &str = "FORGEJO_ACTIONS";
/// Root of the API of the server that Actions run for.
pub const GITHUB_API_URL: &str = "GITHUB_API_URL";
/// Where its pages begin.
pub const GITHUB_SERVER_URL: &str = "GITHUB_SERVER_URL";
/// The repository that a workflow belongs to.
pub const GITHUB_REPOSITORY: &str = "GITHUB_REPOSITORY";
/// Number of a workflow's run, in the address of its page.
pub const GITHUB_RUN_ID: &str = "GITHUB_RUN_ID";
/// What a workflow was started for; `refs/pull/5/merge` for a pull request.
pub const GITHUB_REF: &str = "GITHUB_REF";
/// `true` in GitLab CI.
pub const GITLAB_CI: &str = "GITLAB_CI";
/// Root of the API of the server that a GitLab pipeline runs for.
pub const CI_API_V4_URL: &str = "CI_API_V4_URL";
/// Where its pages begin.
pub const CI_SERVER_URL: &str = "CI_SERVER_URL";
/// The page of a GitLab job.
pub const CI_JOB_URL: &str = "CI_JOB_URL";
/// The project that a pipeline runs in, for a merge request of a fork the fork.
pub const CI_PROJECT_PATH: &str = "CI_PROJECT_PATH";
/// The project that a pipeline's merge request goes to.
pub const CI_MERGE_REQUEST_PROJECT_PATH: &str = "CI_MERGE_REQUEST_PROJECT_PATH";
/// Its number.
pub const CI_MERGE_REQUEST_IID: &str = "CI_MERGE_REQUEST_IID";

/// The environment of the process.
#[derive(Debug, Clone, Copy, Default)]
pub struct Environment;

impl Environment {
    /// A variable that is set, not empty and valid Unicode.
    pub fn get(self, name: &str) -> Option<String> {
        std::env::var(name).ok().filter(|value| !value.is_empty())
    }

    /// A variable's value as a secret that cannot be printed. Surrounding white space is removed.
    pub fn secret(self, name: &str) -> Option<SecretString> {
        let value = self.get(name)?;
        let value = value.trim();
        (!value.is_empty()).then(|| SecretString::from(value.to_owned()))
    }

    /// Every variable that is valid Unicode, for the programs that are started: which of them a program gets to see
    /// is decided there. Any of them may be a secret.
    pub fn variables(self) -> impl Iterator<Item = (String, SecretString)> {
        let text = |(name, value): (OsString, OsString)| {
            Some((name.into_string().ok()?, SecretString::from(value.into_string().ok()?)))
        };
        std::env::vars_os().filter_map(text)
    }

    /// Lays what it says about a platform's server over `forge`.
    pub fn lay_over_forge(self, forge: &mut super::ForgeSettings) {
        let platform = self.get(FORGE_PLATFORM);
        let platform = Platform::ALL.into_iter().find(|one| Some(one.word()) == platform.as_deref());
        forge.platform = platform.or(forge.platform);
        forge.url = self.get(FORGE_URL).or(forge.url.take());
        forge.token_env = self.get(FORGE_TOKEN_ENV).or(forge.token_env.take());
    }

    /// Whether oversize bundles are sent.
    pub fn force_oversize(self) -> bool {
        self.get(FORCE_OVERSIZE).is_some_and(|value| value == "1")
    }

    /// Whether what is on by default is left on; an error names what else the variable says.
    pub fn is_on(self, name: &str) -> Result<bool, String> {
        match self.get(name).as_deref() {
            None | Some("1" | "true" | "on") => Ok(true),
            Some("0" | "false" | "off") => Ok(false),
            Some(other) => Err(format!("{name} is {other:?}; it can be 0 or 1")),
        }
    }

    /// Whether a variable is set and not empty. Its value goes nowhere.
    pub fn is_set(self, name: &str) -> bool {
        self.secret(name).is_some()
    }

    /// The program called `name`: the first file of that name on `PATH` that may be executed. Folders that are not
    /// absolute are passed over, since they could be the repository's; a `name` with a slash is taken as it is.
    pub fn program(self, name: &str) -> Option<PathBuf> {
        if name.contains('/') {
            return Some(PathBuf::from(name)).filter(|path| is_executable(path));
        }
        let folders = std::env::var_os(PATH)?;
        let folders = std::env::split_paths(&folders).filter(|folder| folder.is_absolute());
        folders.map(|folder| folder.join(name)).find(|path| is_executable(path))
    }

    /// The address of Ollama's server, such as `http://127.0.0.1:11434`.
    pub fn ollama(self) -> String {
        ollama_address(&self.get(OLLAMA_HOST).unwrap_or_default())
    }

    /// Who started the CI job that this process is of, as the service knows them.
    pub fn actor(self) -> Option<String> {
        super::ci::actor(&|name| self.get(name))
    }

    /// The name by which the system knows the user.
    pub fn user(self) -> Option<String> {
        let told = LOGIN.into_iter().find_map(|name| self.get(name));
        told.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).or_else(login)
    }

    /// Whether there is a file, named from `~/`, the user's home, or from `$NAME/`, the folder in a variable. It is not read.
    pub fn has_file(self, path: &str) -> bool {
        let Some((folder, file)) = path.split_once('/') else { return false };
        let folder = std::env::var_os(folder.strip_prefix('$').unwrap_or(HOME));
        folder
            .is_some_and(|folder| Path::new(&folder).is_absolute() && Path::new(&folder).join(file).is_file())
    }

    /// What the CI service that runs this process says about the place it works for.
    pub fn ci_job(self) -> Option<CiJob> {
        super::ci::job(&|name| self.get(name))
    }

    /// The user's configuration file, whether or not it exists.
    pub fn user_config_file(self) -> Option<PathBuf> {
        let folder =
            |name| std::env::var_os(name).filter(|value: &OsString| !value.is_empty()).map(PathBuf::from);
        let base = folder(XDG_CONFIG_HOME).filter(|path| path.is_absolute());
        let base = base.or_else(|| Some(folder(HOME)?.join(".config")))?;
        Some(base.join("scrum").join("config.toml"))
    }
}

/// The login of the account that this process belongs to, else its number.
#[cfg(unix)]
fn login() -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let id = std::fs::metadata("/proc/self").ok()?.uid().to_string();
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let named = accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, _, number) = (fields.next()?, fields.next()?, fields.next()?);
        (number == id && !name.is_empty()).then(|| name.to_owned())
    });
    Some(named.unwrap_or_else(|| format!("user {id}")))
}

#[cfg(not(unix))]
fn login() -> Option<String> {
    None
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(path: &Path) -> bool {
    path.is_file()
}

/// Reads `OLLAMA_HOST` as Ollama does: `[scheme://]host[:port]`, port 11434 where no scheme gives another. An address that only a
/// server can use, such as `0.0.0.0`, is this machine.
fn ollama_address(text: &str) -> String {
    let text = text.trim().trim_matches(['"', '\'']);
    let (scheme, rest, port) = match text.split_once("://") {
        Some(("https", rest)) => ("https", rest, "443"),
        Some((_, rest)) => ("http", rest, "80"),
        None => ("http", text, "11434"),
    };
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (name, port) = match host.rsplit_once(':') {
        Some((name, given)) if given.parse::<u16>().is_ok() && !name.ends_with(':') => (name, given),
        _ => (host, port),
    };
    let name = match name {
        "" | "0.0.0.0" | "[::]" | "::" => "127.0.0.1",
        name => name,
    };
    let path = if path.is_empty() { String::new() } else { format!("/{}", path.trim_end_matches('/')) };
    format!("{scheme}://{name}:{port}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ollama_is_where_its_variable_says() {
        let check = |text: &str, expect: &str| assert_eq!(ollama_address(text), expect, "{text:?}");
        check("", "http://127.0.0.1:11434");
        check("0.0.0.0", "http://127.0.0.1:11434");
        check("0.0.0.0:8000", "http://127.0.0.1:8000");
        check(":9000", "http://127.0.0.1:9000");
        check("localhost", "http://localhost:11434");
        check("gpu.example:1234", "http://gpu.example:1234");
        check("http://gpu.example", "http://gpu.example:80");
        check("https://gpu.example/ollama/", "https://gpu.example:443/ollama");
        check("[::1]:11434", "http://[::1]:11434");
        check(" \"127.0.0.1\" ", "http://127.0.0.1:11434");
    }
}
