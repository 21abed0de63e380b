//! A throw-away repository with an empty home, in which the built binary runs: [`Sandbox`].
#![expect(clippy::disallowed_methods, reason = "tests start programs")]

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use tempfile::TempDir;

/// A folder with `home/` and `repo/`; removed when dropped.
pub(crate) struct Sandbox {
    folder: TempDir,
}

const BUILT_IN: &str = "[[reviewer]]\nid = \"rules\"\nprovider = \"builtin\"\nmodel = \"rules\"\n\
                        [[reviewer]]\nid = \"history\"\nprovider = \"builtin\"\nmodel = \"history\"\n";

/// What a program printed and how it ended.
#[derive(Debug)]
pub(crate) struct Printed {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) status: i32,
}

impl Sandbox {
    /// An empty repository on branch `main`.
    pub(crate) fn new() -> Self {
        let sandbox = Self::without_repository();
        sandbox.script("git init -q -b main .");
        sandbox
    }

    /// Only the two folders. The user has configured the built-in reviewers, so that nobody is asked who happens to be found on
    /// the machine that runs the tests.
    pub(crate) fn without_repository() -> Self {
        let sandbox = Self::unconfigured();
        let settings = sandbox.home().join(".config/scrum");
        std::fs::create_dir_all(&settings).unwrap();
        std::fs::write(settings.join("config.toml"), BUILT_IN).unwrap();
        sandbox
    }

    /// Only the two folders, and nothing configured: what is found on the machine is asked.
    pub(crate) fn unconfigured() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("home")).unwrap();
        std::fs::create_dir(folder.path().join("repo")).unwrap();
        Self { folder }
    }

    /// The user's home.
    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// The repository.
    pub(crate) fn repo(&self) -> PathBuf {
        self.folder.path().join("repo")
    }

    /// A program in the repository, with nothing of the machine's configuration.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.repo())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home())
            .env("USER", "ada")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .envs([("GIT_AUTHOR_NAME", "Ada"), ("GIT_AUTHOR_EMAIL", "ada@example.invalid")])
            .envs([("GIT_COMMITTER_NAME", "Ada"), ("GIT_COMMITTER_EMAIL", "ada@example.invalid")])
            .envs([
                ("GIT_AUTHOR_DATE", "2026-01-02T03:04:05Z"),
                ("GIT_COMMITTER_DATE", "2026-01-02T03:04:05Z"),
            ])
            .stdin(std::process::Stdio::null());
        command
    }

    /// Runs a shell script in the repository; it must succeed.
    pub(crate) fn script(&self, text: &str) -> String {
        let printed = printed(&self.command("bash").args(["-euc", text]).output().unwrap());
        assert_eq!(printed.status, 0, "{text}\n{}", printed.stderr);
        printed.stdout
    }

    /// Runs the built `scrum` in the repository.
    pub(crate) fn scrum(&self, arguments: &[&str]) -> Printed {
        self.scrum_with(arguments, &[])
    }

    /// Likewise with further environment variables.
    pub(crate) fn scrum_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Printed {
        let mut command = self.command(env!("CARGO_BIN_EXE_scrum"));
        printed(&command.args(arguments).envs(variables.iter().copied()).output().unwrap())
    }

    /// Writes a file of the repository, with its folders.
    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.repo().join(path);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

/// A finished program's output as text; killed by a signal is status 128 + signal.
pub(crate) fn printed(output: &Output) -> Printed {
    let signal = std::os::unix::process::ExitStatusExt::signal(&output.status).unwrap_or_default();
    Printed {
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        status: output.status.code().unwrap_or(128 + signal),
    }
}

/// Copies a file or a folder; what is not there is left out.
pub(crate) fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        std::fs::create_dir_all(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            copy(&entry.path(), &to.join(entry.file_name()));
        }
    } else if from.is_file() {
        std::fs::copy(from, to).unwrap();
    }
}
