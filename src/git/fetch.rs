//! Brings commits of a pull request here with the program `git`: [`Repo::fetch`].
//!
//! libgit2 is built without a network, so that nothing else here can reach one; `git` knows its user's keys, proxies and helpers. It
//! is started with an argument list, never through a shell, and asks nothing on the terminal.
#![expect(clippy::disallowed_methods, reason = "this is where the program git is started")]

use std::process::{Command, Stdio};

use super::{GitError, Repo};

/// What is fetched from a remote, and where it is kept here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetch {
    /// Name of the remote.
    pub remote: String,
    /// What it is called there, and the ref that it is kept in here: names of refs, or full ids of commits.
    pub refs: Vec<(String, String)>,
}

impl Fetch {
    /// The command to type, without what keeps it here.
    pub fn by_hand(&self) -> String {
        let names: Vec<&str> = self.refs.iter().map(|(name, _)| name.as_str()).collect();
        format!("git fetch {} {}", self.remote, names.join(" "))
    }
}

impl Repo {
    /// Fetches what is asked for; what is kept under the same name already is replaced.
    pub fn fetch(&self, what: &Fetch) -> Result<(), GitError> {
        let failed = |reason: String| GitError::Fetch { command: what.by_hand(), reason };
        let refspecs = what.refs.iter().map(|(theirs, ours)| format!("+{theirs}:{ours}"));
        let mut command = Command::new("git");
        command.arg("--git-dir").arg(self.git_dir());
        command.args([
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-recurse-submodules",
            "--no-write-fetch-head",
            "--",
        ]);
        command.arg(&what.remote).args(refspecs);
        command.env("GIT_TERMINAL_PROMPT", "0").stdin(Stdio::null()).stdout(Stdio::null());
        let done = command.output().map_err(|error| failed(format!("cannot run git: {error}")))?;
        if done.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&done.stderr);
        let mut lines = said.lines().map(str::trim).filter(|line| !line.is_empty());
        let complains = |line: &str| line.starts_with("fatal:") || line.starts_with("error:");
        let told = lines.clone().find(|line| complains(line)).or_else(|| lines.next_back());
        Err(failed(told.map_or_else(|| format!("git ended with {}", done.status), str::to_owned)))
    }
}
