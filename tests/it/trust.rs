//! Whose configuration counts: a change under review cannot bring commands, endpoints, prompts, rules or replies of its own.
//!
//! Each configuration runs a program that says whose it is, in a file that the test reads afterwards.

mod files;

use std::fs;

use crate::sandbox::{Printed, Sandbox};

/// A repository with two commits on `main`, the first with a configuration, and what its programs say.
pub(super) struct Watched {
    pub(super) sandbox: Sandbox,
}

impl Watched {
    pub(super) fn new() -> Self {
        let sandbox = Sandbox::new();
        let watched = Self { sandbox };
        watched.sandbox.write("src/lib.rs", "pub fn one() -> u32 { 1 }\n");
        watched.configure("base");
        watched.commit("First");
        watched.sandbox.write("src/lib.rs", "pub fn one() -> u32 { 2 }\n");
        watched.commit("Second");
        watched
    }

    pub(super) fn commit(&self, message: &str) {
        self.sandbox.script(&format!("git add -A . && git commit -qm '{message}'"));
    }

    /// Writes a scrum.toml whose reviewer says `whose` it is.
    pub(super) fn configure(&self, whose: &str) {
        self.sandbox.write("scrum.toml", self.seat(whose));
    }

    pub(super) fn seat(&self, whose: &str) -> String {
        let said = self.said_file();
        format!(
            "[[reviewer]]\nid = \"{whose}\"\nprovider = \"command\"\ncommand = [\"sh\", \"-c\", \"echo {whose} >> {}; echo VERDICT: ship, all read\"]\n",
            said.display()
        )
    }

    fn said_file(&self) -> std::path::PathBuf {
        self.sandbox.repo().parent().unwrap().join("said")
    }

    /// Runs `scrum`; whose programs ran, and what was printed.
    pub(super) fn run(&self, arguments: &[&str]) -> (String, Printed) {
        let _ = fs::remove_file(self.said_file());
        let printed = self.sandbox.scrum_with(arguments, &[("SCRUM_NO_CACHE", "1")]);
        let said = fs::read_to_string(self.said_file()).unwrap_or_default();
        (said.split_whitespace().collect::<Vec<_>>().join(" "), printed)
    }

    /// Whose programs run, and what is said about scrum.toml, with ids masked.
    #[track_caller]
    pub(super) fn check(&self, arguments: &[&str], whose: &str, said: &str) {
        let (ran, printed) = self.run(arguments);
        let about = printed.stderr.lines().filter(|line| line.contains("this change"));
        let about: Vec<&str> = about.map(|line| line.trim_start_matches("warning: ")).collect();
        let ids = regex::Regex::new(r"\b[0-9a-f]{8}\b").unwrap();
        let about = about.join("\n");
        assert_eq!(
            (ran.as_str(), ids.replace_all(&about, "BASE").as_ref()),
            (whose, said),
            "{}",
            printed.stderr
        );
    }
}

const FROM_BASE: &str =
    "scrum.toml is used as it was at BASE, before this change; `--config scrum.toml` uses the one here";
const NOT_USED: &str = "scrum.toml comes with this change and is not used; `--config scrum.toml` uses it";

#[test]
fn a_change_to_the_configuration_does_not_count_for_its_own_review() {
    let watched = Watched::new();
    watched.sandbox.script("git switch -qc topic");
    watched.configure("topic");
    watched.commit("Another panel");
    watched.check(&["review"], "base", FROM_BASE);
    watched.check(&["review", "main..HEAD", "--quiet"], "base", FROM_BASE);
    watched.check(&["review", "--config", "scrum.toml"], "topic", "");
    // Neither does an edit of the user's on top of it: nobody can tell the two apart.
    watched.configure("mine");
    watched.check(&["review"], "base", FROM_BASE);
}

#[test]
fn one_commit_of_a_branch_does_not_vouch_for_the_next() {
    let watched = Watched::new();
    watched.sandbox.script("git switch -qc topic");
    watched.configure("topic");
    watched.commit("Another panel");
    watched.sandbox.write("src/lib.rs", "pub fn one() -> u32 { 3 }\n");
    watched.commit("Something else");
    watched.check(&["review", "HEAD"], "base", FROM_BASE);
    watched.check(&["review", "HEAD~1..HEAD"], "base", FROM_BASE);
    // Nor while something else is reviewed.
    watched.check(&["review", "main~1..main"], "base", FROM_BASE);
    watched.sandbox.write("src/lib.rs", "pub fn one() -> u32 { 4 }\n");
    watched.check(&["review", "--worktree"], "base", FROM_BASE);
}

#[test]
fn doctor_tries_whom_a_review_would_ask() {
    let watched = Watched::new();
    watched.check(&["doctor", "--probe"], "base", "");
    watched.sandbox.script("git switch -qc topic");
    watched.configure("topic");
    watched.commit("Another panel");
    watched.check(&["doctor", "--probe"], "base", FROM_BASE);
    watched.check(&["doctor", "--probe", "--config", "scrum.toml"], "topic", "");
}

#[test]
fn what_is_on_the_default_branch_counts() {
    let watched = Watched::new();
    watched.check(&["review"], "base", "");
    watched.configure("newer");
    watched.commit("Another panel");
    watched.check(&["review"], "base", FROM_BASE);
    watched.sandbox.write("src/lib.rs", "pub fn one() -> u32 { 3 }\n");
    watched.commit("Something else");
    watched.check(&["review"], "newer", "");
}

#[test]
fn a_configuration_that_the_change_adds_does_not_count() {
    let watched = Watched::new();
    watched.sandbox.script("git rm -q scrum.toml && git commit -qm 'No panel' && git switch -qc topic");
    watched.configure("topic");
    watched.commit("A panel");
    watched.check(&["review"], "", NOT_USED);
    watched.check(&["review", "--config", "scrum.toml"], "topic", "");
    // A first commit is all new.
    watched.sandbox.script("git switch -q --orphan fresh");
    watched.configure("topic");
    watched.commit("All anew");
    watched.check(&["review", "HEAD"], "", NOT_USED);
}

#[test]
fn an_edit_that_is_not_committed_is_the_users_own() {
    let watched = Watched::new();
    watched.configure("mine");
    watched.check(&["review"], "mine", "");
    // Unless it is what is reviewed.
    watched.check(&["review", "--worktree"], "base", FROM_BASE);
    watched.sandbox.script("echo >> src/lib.rs && git add src/lib.rs");
    watched.check(&["review", "--staged"], "mine", "");
    watched.sandbox.script("git add scrum.toml");
    watched.check(&["review", "--staged"], "base", FROM_BASE);
    watched.check(&["review", "HEAD~1..HEAD"], "mine", "");

    let untracked = Watched::new();
    untracked.sandbox.script("git rm -q --cached scrum.toml && git commit -qm 'No panel' && echo >> src/lib.rs && git commit -qam 'More'");
    untracked.check(&["review"], "base", "");
    untracked.check(&["review", "--worktree"], "", NOT_USED);
}

#[test]
fn a_link_is_followed_to_what_the_change_touches() {
    let watched = Watched::new();
    watched.sandbox.script("mkdir ci && git mv scrum.toml ci/panel.toml && ln -s ci/panel.toml scrum.toml");
    watched.commit("Move the panel");
    watched.sandbox.script("git switch -qc topic");
    watched.sandbox.write("ci/panel.toml", watched.seat("topic"));
    watched.commit("Another panel");
    watched.check(&["review"], "", NOT_USED);
    // A link of the user's own leads out of the repository.
    let out = watched.sandbox.repo().parent().unwrap().join("mine.toml");
    fs::write(&out, watched.seat("mine")).unwrap();
    watched.sandbox.script("git switch -q main && git rm -q scrum.toml && git commit -qm None && echo >> src/lib.rs && git commit -qam More && ln -s ../mine.toml scrum.toml");
    watched.check(&["review"], "mine", "");
}

#[test]
fn a_diff_from_a_file_has_no_base_to_ask() {
    let watched = Watched::new();
    watched.sandbox.script("git switch -qc topic");
    watched.configure("topic");
    watched.commit("Another panel");
    watched.sandbox.script("git diff main HEAD > ../all.diff; git diff main~1 main > ../other.diff");
    watched.check(&["review", "--diff", "../all.diff"], "", NOT_USED);
    watched.check(&["review", "--diff", "../other.diff"], "topic", "");
}

#[test]
fn a_bare_repository_has_the_base_only() {
    let watched = Watched::new();
    watched.sandbox.script("git switch -qc topic");
    watched.configure("topic");
    watched.commit("Another panel");
    watched.sandbox.script("git clone -q --bare . ../bare.git && cp scrum.toml ../bare.git/");
    watched.check(&["-C", "../bare.git", "review", "main..topic"], "base", "");
}

#[test]
fn a_run_goes_on_as_it_was_started() {
    let watched = Watched::new();
    watched.sandbox.script("git switch -qc topic");
    let program = "command = [\"sh\", \"-c\", \"echo topic >> ../said; exit 1\"]";
    watched.configure("base");
    let config = fs::read_to_string(watched.sandbox.repo().join("scrum.toml")).unwrap();
    let lines = config.lines().map(|line| if line.starts_with("command") { program } else { line });
    let tampered = lines.collect::<Vec<_>>().join("\n");
    watched.sandbox.write("scrum.toml", tampered);
    watched.commit("The same reviewer, another program");
    watched.check(&["review"], "base", FROM_BASE);
    watched
        .sandbox
        .script("rm .scrum/reviews/*/replies/*base.md; sed -i '/\"base\"/d' .scrum/reviews/*/outcomes.jsonl");
    watched.check(&["review", "--resume", "latest"], "base", FROM_BASE);
}
