//! What the program `git` is sent to a server for: [`Errand`] asks what refs are there, and fetches.

use std::{io, path::Path, process::ExitStatus};

use base64::{Engine, prelude::BASE64_STANDARD};
use secrecy::{ExposeSecret, SecretString};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::Command,
};

use super::{Origin, Wanted};
use crate::{
    digest,
    git::Repo,
    process::{Group, ending, program},
};

/// Most bytes of what git prints that are read.
const MOST_PRINTED: u64 = 1 << 20;
/// Longest reason, in characters.
const LONGEST_REASON: usize = 300;
/// Variables that would lead git elsewhere, or have it print what it sends.
const NOT_INHERITED: [&str; 15] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_COMMON_DIR",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
    "GIT_SHALLOW_FILE",
    "GIT_CONFIG_PARAMETERS",
    "GIT_TRACE",
    "GIT_TRACE_CURL",
    "GIT_TRACE_PACKET",
    "GIT_CURL_VERBOSE",
    "GIT_REDIRECT_STDERR",
    "GIT_PROTOCOL_FROM_USER",
];
/// Set for every errand: nobody is there to be asked, and nothing of a mirror is run. Submodules and large files stay where they are.
const SETTINGS: [(&str, &str); 7] = [
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("http.followRedirects", "false"),
    ("fetch.recurseSubmodules", "false"),
    ("fetch.writeCommitGraph", "false"),
    ("gc.autoDetach", "false"),
    ("maintenance.autoDetach", "false"),
];
/// Words of git and of servers after which trying again is of no use.
const FOR_GOOD: [&str; 20] = [
    "not found",
    "authentication failed",
    "could not read username",
    "could not read password",
    "permission denied",
    "access denied",
    "host key verification failed",
    "does not appear to be a git repository",
    "strange pathname",
    "returned error: 301",
    "returned error: 302",
    "returned error: 307",
    "returned error: 308",
    "returned error: 401",
    "returned error: 403",
    "returned error: 404",
    "returned error: 410",
    "not our ref",
    "unadvertised object",
    "not allowed",
];

/// Why commits could not be brought here.
#[derive(Debug, thiserror::Error)]
pub enum MirrorError {
    /// Git is missing, or the disk is full or not ours.
    #[error("cannot keep the repository here: {0}")]
    Machine(#[from] io::Error),
    /// A mirror that cannot be read.
    #[error("the repository that is kept here cannot be read: {0}")]
    Broken(String),
    /// It took too long.
    #[error("fetching was given up after {seconds} s")]
    TooLong {
        /// That long.
        seconds: u64,
    },
    /// The server could not be reached, or broke off.
    #[error("cannot fetch: {0}")]
    Unreachable(String),
    /// The server does not give it to us.
    #[error("cannot fetch: {0}")]
    Refused(String),
    /// There is nothing in it.
    #[error("the repository has no commit")]
    Empty,
    /// A name of nothing.
    #[error("the repository has no branch or tag {0:?}")]
    NoSuchName(String),
    /// An id of nothing.
    #[error("the repository has no commit {0}")]
    NoSuchCommit(String),
}

impl MirrorError {
    /// It may go well another time.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Machine(_) | Self::Broken(_) | Self::TooLong { .. } | Self::Unreachable(_) => true,
            Self::Refused(_) | Self::Empty | Self::NoSuchName(_) | Self::NoSuchCommit(_) => false,
        }
    }

    pub(super) fn broken(error: impl std::fmt::Display) -> Self {
        Self::Broken(error.to_string())
    }
}

/// A commit as a server names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    /// Its full id.
    pub(super) id: String,
    /// The ref that it was found under; `None` where it was wanted by its id.
    name: Option<String>,
    /// The ref that keeps it here.
    kept: String,
}

impl Listed {
    /// `number` tells those of one errand apart. Few refs are kept, and others take their place: they only tell the server what is here.
    fn new(number: usize, id: String, name: Option<String>) -> Self {
        let place = digest::sha256(&[name.as_ref().unwrap_or(&id).as_bytes()]);
        Self { kept: format!("refs/kept/{number}/{}", &place[..2]), id, name }
    }

    /// The branch it is the tip of.
    pub(super) fn branch(&self) -> Option<&str> {
        self.name.as_ref()?.strip_prefix("refs/heads/")
    }

    /// The full id of its commit in `repo`: what a name means may have changed between being listed and being fetched.
    pub(super) fn here(&self, repo: &Repo) -> Result<String, MirrorError> {
        if let Some(id) = repo.commit_id(&self.id) {
            return Ok(id);
        }
        let fetched = self.name.as_ref().and_then(|_| repo.commit_id(&self.kept));
        fetched.ok_or_else(|| MirrorError::NoSuchCommit(self.id.clone()))
    }
}

/// A way to a server.
pub(super) struct Errand<'a> {
    origin: &'a Origin,
    folder: &'a Path,
}

impl<'a> Errand<'a> {
    /// Started in `folder`.
    pub(super) fn new(origin: &'a Origin, folder: &'a Path) -> Self {
        Self { origin, folder }
    }

    /// The tip of the default branch, and what is `wanted`.
    pub(super) async fn list(&self, wanted: &[Wanted]) -> Result<Vec<Listed>, MirrorError> {
        let mut arguments = vec!["ls-remote".to_owned(), "--symref".to_owned(), "--".to_owned()];
        arguments.extend([self.origin.url.clone(), "HEAD".to_owned()]);
        arguments.extend(wanted.iter().flat_map(refs_of));
        let told = self.git(arguments).await?;
        listed(&told, wanted)
    }

    /// Fetches what is `listed`.
    pub(super) async fn fetch(&self, listed: &[Listed]) -> Result<(), MirrorError> {
        let each = listed.iter().map(|one| format!("+{}:{}", one.name.as_ref().unwrap_or(&one.id), one.kept));
        match self.fetch_refs(each.collect()).await {
            // An old server gives no commit by its id, only what leads to one.
            Err(MirrorError::Refused(reason)) if reason.contains("unadvertised object") => {
                self.fetch_refs(vec!["+refs/heads/*:refs/all/*".to_owned()]).await
            }
            done => done,
        }
    }

    async fn fetch_refs(&self, refs: Vec<String>) -> Result<(), MirrorError> {
        let options = ["--git-dir=.", "fetch", "--quiet", "--no-tags", "--prune", "--no-write-fetch-head"];
        let options = options.into_iter().chain(["--no-recurse-submodules", "--"]).map(str::to_owned);
        self.git(options.chain([self.origin.url.clone()]).chain(refs).collect()).await.map(drop)
    }

    /// Runs git. What it prints, if all goes well.
    async fn git(&self, arguments: Vec<String>) -> Result<String, MirrorError> {
        let mut command = program("git");
        command.args(arguments).current_dir(self.folder);
        self.surround(&mut command);
        let mut group = Group::start(command)?;
        let pipes = group.pipes();
        drop(pipes.stdin);
        let (printed, told, status) = tokio::join!(read(pipes.stdout), read(pipes.stderr), group.ended());
        let status = status?;
        if status.success() { Ok(printed) } else { Err(self.failed(&told, status)) }
    }

    fn surround(&self, command: &mut Command) {
        for name in NOT_INHERITED {
            command.env_remove(name);
        }
        // What is around the folder is another repository's.
        command.env("GIT_CEILING_DIRECTORIES", self.folder.parent().unwrap_or(self.folder));
        command.envs(self.origin.surroundings().iter().map(|(name, value)| (name, value.expose_secret())));
    }

    fn failed(&self, told: &str, status: ExitStatus) -> MirrorError {
        let secret = self.origin.token.as_ref().map_or("", |token| token.expose_secret().trim());
        let reason = reason(told, secret).unwrap_or_else(|| format!("git ended with {}", ending(status)));
        let all = told.to_lowercase();
        if FOR_GOOD.iter().any(|words| all.contains(words)) {
            MirrorError::Refused(reason)
        } else {
            MirrorError::Unreachable(reason)
        }
    }
}

impl Origin {
    /// Variables for a program `git` that fetches from it, and for whoever starts one. The token is in them and nowhere else, and for
    /// that server only.
    pub fn surroundings(&self) -> Vec<(String, SecretString)> {
        let mut settings: Vec<(String, SecretString)> =
            SETTINGS.map(|(key, value)| (key.to_owned(), value.into())).into();
        if let (Some(token), Some(server)) = (&self.token, server(&self.url)) {
            settings.push(("credential.helper".to_owned(), "".into()));
            settings.push((format!("http.{server}.extraHeader"), authorization(token)));
        }
        let protocols = if self.url.starts_with("http://") { "http" } else { "https:ssh" };
        // A question to nobody is answered by a program that fails.
        let plain = [
            ("GIT_ALLOW_PROTOCOL", protocols),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_ASKPASS", "false"),
            ("SSH_ASKPASS", "false"),
            ("SSH_ASKPASS_REQUIRE", "force"),
            ("LC_ALL", "C"),
            ("GIT_CONFIG_COUNT", &settings.len().to_string()),
        ];
        let mut variables: Vec<_> =
            plain.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        for (number, (key, value)) in settings.into_iter().enumerate() {
            variables.push((format!("GIT_CONFIG_KEY_{number}"), key.into()));
            variables.push((format!("GIT_CONFIG_VALUE_{number}"), value));
        }
        variables
    }
}

/// What is printed, up to a bound; what comes behind it is not waited for.
async fn read(pipe: Option<impl AsyncRead + Unpin>) -> String {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        // What was read until an error is told.
        let _ = pipe.take(MOST_PRINTED).read_to_end(&mut bytes).await;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The refs that may be meant.
fn refs_of(wanted: &Wanted) -> Vec<String> {
    match wanted {
        Wanted::Id(_) => Vec::new(),
        Wanted::Name(name) if name == "HEAD" || name.starts_with("refs/") => vec![name.clone()],
        Wanted::Name(name) => vec![format!("refs/heads/{name}"), format!("refs/tags/{name}")],
    }
}

/// Reads what `git ls-remote --symref` prints. The first of what it gives is the default branch.
fn listed(told: &str, wanted: &[Wanted]) -> Result<Vec<Listed>, MirrorError> {
    let lines = || told.lines().filter_map(|line| line.split_once('\t'));
    let default = lines().find_map(|(id, name)| id.strip_prefix("ref: ").filter(|_| name == "HEAD"));
    let is_id = |id: &str| id.len() == 40 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let id_of =
        |name: &str| lines().find(|(id, other)| *other == name && is_id(id)).map(|(id, _)| id.to_owned());
    let head = id_of("HEAD").ok_or(MirrorError::Empty)?;
    let head = Listed::new(0, head, Some(default.unwrap_or("HEAD").to_owned()));
    let each = (1..).zip(wanted).map(|(number, one)| match one {
        Wanted::Id(id) => Ok(Listed::new(number, id.clone(), None)),
        Wanted::Name(name) => {
            let found = refs_of(one).into_iter().find_map(|name| Some((id_of(&name)?, name)));
            let (id, found) = found.ok_or_else(|| MirrorError::NoSuchName(name.clone()))?;
            Ok(Listed::new(number, id, Some(found)))
        }
    });
    std::iter::once(Ok(head)).chain(each).collect()
}

/// Scheme, host and port of an address, with a `/`.
fn server(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    scheme.starts_with("http").then(|| format!("{scheme}://{}/", rest.split('/').next().unwrap_or_default()))
}

/// The header that all platforms take for a token, whatever the user is called.
fn authorization(token: &SecretString) -> SecretString {
    let user = format!("x-access-token:{}", token.expose_secret().trim());
    format!("Authorization: Basic {}", BASE64_STANDARD.encode(user)).into()
}

/// The line that says most, without control characters and `secret`.
fn reason(told: &str, secret: &str) -> Option<String> {
    let mut lines = told.lines().map(str::trim).filter(|line| !line.is_empty());
    let complains = |line: &&str| line.starts_with("fatal:") || line.starts_with("error:");
    let line = lines.clone().find(complains).or_else(|| lines.next_back())?;
    let line = if secret.is_empty() { line.to_owned() } else { line.replace(secret, "…") };
    Some(line.chars().filter(|c| !c.is_control()).take(LONGEST_REASON).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIN: &str = "1111111111111111111111111111111111111111";
    const TAG: &str = "2222222222222222222222222222222222222222";

    #[test]
    fn what_is_listed() {
        let told = format!(
            "ref: refs/heads/main\tHEAD\n{MAIN}\tHEAD\n{TAG}\trefs/evil/refs/heads/v1\n{MAIN}\trefs/heads/main\n{TAG}\trefs/tags/v1\n"
        );
        let check = |wanted: &str, expect: Result<(&str, Option<&str>), &str>| {
            let found = listed(&told, &[Wanted::parse(wanted).unwrap()]);
            let found = found.as_deref().map(|all| (all[1].id.as_str(), all[1].name.as_deref()));
            assert_eq!(found.map_err(ToString::to_string), expect.map_err(str::to_owned), "{wanted}");
        };
        check("main", Ok((MAIN, Some("refs/heads/main"))));
        check("v1", Ok((TAG, Some("refs/tags/v1"))));
        check("HEAD", Ok((MAIN, Some("HEAD"))));
        check(TAG, Ok((TAG, None)));
        check("v2", Err("the repository has no branch or tag \"v2\""));
        let all = listed(&told, &[]).unwrap();
        assert_eq!((all.len(), all[0].branch()), (1, Some("main")));
        assert!(matches!(listed("", &[]), Err(MirrorError::Empty)));
    }

    #[test]
    fn what_can_be_wanted() {
        let check =
            |text: &str, is_fine: bool| assert_eq!(Wanted::parse(text).is_some(), is_fine, "{text:?}");
        check("feature/x", true);
        check("refs/pull/5/head", true);
        for text in [
            "",
            "-x",
            "--upload-pack=id",
            "a..b",
            "a b",
            "a:b",
            "a*",
            "+a",
            "a~1",
            "a^",
            "@{1}",
            "a\n",
            "a/../b",
        ] {
            check(text, text == "+a");
        }
    }

    #[test]
    fn reasons() {
        let check = |told: &str, expect: Option<&str>| assert_eq!(reason(told, "s3cret").as_deref(), expect);
        check("", None);
        check("remote: no\nfatal: could not s3cret\u{1b}[31m\nmore\n", Some("fatal: could not …[31m"));
        check("one\ntwo\n", Some("two"));
    }

    #[test]
    fn a_token_is_for_one_server() {
        let check = |url: &str, expect: Option<&str>| assert_eq!(server(url).as_deref(), expect);
        check("https://h.example:444/a/b", Some("https://h.example:444/"));
        check("ssh://git@h.example/a/b", None);
        check("git@h.example:a/b", None);
    }
}
