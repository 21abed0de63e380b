//! What users copy into their CI: its commands are ones that the program takes, and the hook does what it says.
//!
//! `.ci/recipes` lints the files.

use std::{fs, os::unix::fs::symlink, path::Path};

use crate::{dispose::reviewed, sandbox::Sandbox};

const RECIPES: [&str; 6] = [
    "action.yml",
    "docs/ci.md",
    "recipes/github-forks.yml",
    "recipes/gitea.yml",
    "recipes/gitlab.yml",
    "recipes/pre-push",
];

const SUBCOMMANDS: [&str; 4] = ["review", "post", "gate", "init"];

/// The commands of the program in a text, up to where the shell goes on.
fn commands(text: &str) -> Vec<String> {
    let text = text.replace("\"$RUNNER_TEMP/scrum/bin/scrum\"", "scrum");
    let starts = text.match_indices("scrum ").map(|(at, _)| &text[at..]);
    let is_command = |rest: &&str| {
        let word = rest.split_whitespace().nth(1).unwrap_or_default();
        SUBCOMMANDS.contains(&word.trim_end_matches(['`', '\'', ';', ':', '.']))
    };
    let ended = |rest: &str| {
        let end = ["||", "\n", "`", "'", "</dev", ";"].iter().filter_map(|end| rest.find(end)).min();
        rest[..end.unwrap_or(rest.len())].trim().to_owned()
    };
    starts.filter(is_command).map(ended).collect()
}

/// A folder for `PATH` that has the built program.
fn with_program(sandbox: &Sandbox) -> String {
    let folder = sandbox.home().join("bin");
    if !folder.exists() {
        fs::create_dir_all(&folder).unwrap();
        symlink(env!("CARGO_BIN_EXE_scrum"), folder.join("scrum")).unwrap();
    }
    format!("{}:{}", folder.display(), std::env::var("PATH").unwrap())
}

#[test]
fn the_program_takes_every_command_of_the_recipes() {
    let sandbox = Sandbox::without_repository();
    let path = with_program(&sandbox);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for recipe in RECIPES {
        let found = commands(&fs::read_to_string(root.join(recipe)).unwrap());
        assert_eq!(found.is_empty(), recipe == "recipes/github-forks.yml", "{recipe} {found:?}");
        for command in found {
            let script = format!(
                "PULL=5 CI_MERGE_REQUEST_IID=5 base=A head=B panel=offline fail_on=block\n\
                 set -- --pr 5 --panel offline\n{command}"
            );
            let done = sandbox.command("sh").args(["-c", &script]).env("PATH", &path).output().unwrap();
            let said = String::from_utf8_lossy(&done.stderr);
            // Nothing of it can be done here, but what the arguments mean is known before.
            assert!(!said.contains("try '--help'"), "{recipe}: {command}\n{said}");
        }
    }
}

/// Pushes to a bare repository beside, with the hook in place.
fn push(sandbox: &Sandbox, branch: &str) -> (i32, String) {
    let path = with_program(sandbox);
    let mut command = sandbox.command("git");
    let done = command.args(["push", "--quiet", "origin", branch]).env("PATH", path).output().unwrap();
    (done.status.code().unwrap(), String::from_utf8_lossy(&done.stderr).into_owned())
}

#[test]
fn the_hook_keeps_back_what_the_gate_does_not_let_through() {
    let sandbox = reviewed();
    let hook = Path::new(env!("CARGO_MANIFEST_DIR")).join("recipes/pre-push");
    fs::copy(hook, sandbox.repo().join(".git/hooks/pre-push")).unwrap();
    sandbox.script(
        "git init -q --bare ../there.git; git remote add origin ../there.git; git config scrum.panel both
         git push -q --no-verify origin HEAD~1:refs/heads/main; git fetch -q; git remote set-head origin main",
    );
    let there = || sandbox.script("git ls-remote --heads origin | cut -f2 | tr '\\n' ' '");
    let (status, said) = push(&sandbox, "main");
    assert_eq!(status, 1, "{said}");
    assert!(said.contains("scrum: refs/heads/main is not pushed (status 1)"), "{said}");
    // A branch that is new there starts where it left the remote's own.
    let (status, said) = push(&sandbox, "main:topic");
    assert_eq!((status, there().as_str()), (1, "refs/heads/main "), "{said}");
    // Nobody answers: inconclusive is kept back too.
    sandbox.script("mv replies gone");
    let (status, said) = push(&sandbox, "main:topic");
    assert_eq!(status, 1, "{said}");
    assert!(said.contains("(status 3)"), "{said}");
    sandbox.script("mv gone replies; git config scrum.failOn convergent");
    let (status, said) = push(&sandbox, "main:topic");
    assert_eq!((status, there().as_str()), (0, "refs/heads/main refs/heads/topic "), "{said}");
    // A deletion is nothing to review.
    let (status, said) = push(&sandbox, ":topic");
    assert_eq!((status, there().as_str()), (0, "refs/heads/main "), "{said}");
    assert!(!said.contains("scrum:"), "{said}");
}
