//! A repository built by a test, driven with the `git` program, apart from the user's configuration.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use scrum::change::{Change, FilePatch};
use scrum::git::{RangeSpec, Repo};

/// A temporary folder with one repository in it.
pub(crate) struct Fixture {
    folder: tempfile::TempDir,
}

impl Fixture {
    /// An empty repository whose branch is `main`.
    pub(crate) fn new() -> Self {
        let fixture = Self { folder: tempfile::tempdir().unwrap() };
        fixture.git(&["init", "-q", "-b", "main"]);
        for (key, value) in
            [("excludesFile", "/dev/null"), ("attributesFile", "/dev/null"), ("autocrlf", "false")]
        {
            fixture.git(&["config", &format!("core.{key}"), value]);
        }
        fixture
    }

    /// A folder without a repository.
    pub(crate) fn plain() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap()
    }

    /// Writes a file, making its folders.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        self.write_at(Path::new(name), content);
    }

    pub(crate) fn write_at(&self, name: &Path, content: impl AsRef<[u8]>) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    pub(crate) fn remove(&self, name: &str) {
        std::fs::remove_file(self.path().join(name)).unwrap();
    }

    /// Commits everything in the work tree and gives the new commit's id.
    pub(crate) fn commit(&self, message: &str) -> String {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.id("HEAD")
    }

    pub(crate) fn id(&self, revision: &str) -> String {
        String::from_utf8(self.git(&["rev-parse", revision])).unwrap().trim().to_owned()
    }

    /// Runs git, which must succeed, and gives its output.
    pub(crate) fn git(&self, arguments: &[&str]) -> Vec<u8> {
        let output = run(&self.path(), arguments, b"");
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    pub(crate) fn repo(&self) -> Repo {
        Repo::discover(&self.path()).unwrap()
    }

    pub(crate) fn read(&self, spec: &RangeSpec) -> Change {
        self.repo().read(spec).unwrap()
    }

    pub(crate) fn read_range(&self, range: &str) -> Change {
        self.read(&RangeSpec::Commits(range.to_owned()))
    }

    /// Fails unless `git apply` would accept each patch alone on the tree of `base`.
    pub(crate) fn assert_each_applies(&self, base: &str, change: &Change) {
        self.git(&["read-tree", base]);
        for patch in &change.files {
            let output = run(&self.path(), &["apply", "--check", "--cached", "-"], &text(patch));
            let shown = String::from_utf8_lossy(&text(patch)).into_owned();
            let reason = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "git apply: {reason}\n{shown}");
        }
    }
}

/// Header and hunks, as they stand in a bundle.
pub(crate) fn text(patch: &FilePatch) -> Vec<u8> {
    let mut text = patch.header.clone();
    patch.hunks.iter().for_each(|hunk| text.extend_from_slice(&hunk.text));
    text
}

/// All patches, one after the other.
pub(crate) fn whole_text(change: &Change) -> Vec<u8> {
    change.files.iter().flat_map(text).collect()
}

/// Runs git in `folder` with a fixed clock and author and no configuration but the repository's.
pub(crate) fn run(folder: &Path, arguments: &[&str], input: &[u8]) -> Output {
    use std::io::Write as _;
    let mut child = Command::new("git")
        .args(["-c", "core.quotePath=false", "-c", "protocol.file.allow=always"])
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .envs([
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_AUTHOR_NAME", "Ada"),
            ("GIT_AUTHOR_EMAIL", "ada@example.org"),
            ("GIT_AUTHOR_DATE", "2026-01-02T03:04:05Z"),
            ("GIT_COMMITTER_NAME", "Ada"),
            ("GIT_COMMITTER_EMAIL", "ada@example.org"),
            ("GIT_COMMITTER_DATE", "2026-01-02T03:04:05Z"),
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}
