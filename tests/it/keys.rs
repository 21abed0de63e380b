//! `scrum keys` as a user meets it: a key is shown once, and what is kept is of no use to a thief.

use std::fs;

use crate::sandbox::{Printed, Sandbox};

fn add(sandbox: &Sandbox, arguments: &[&str]) -> Printed {
    sandbox.scrum(&[&["keys", "add"], arguments].concat())
}

/// The lines of `scrum keys list`, without their days.
fn listed(sandbox: &Sandbox) -> Vec<String> {
    let printed = sandbox.scrum(&["keys", "list"]);
    assert_eq!(printed.status, 0, "{printed:?}");
    let words = |line: &str| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    printed.stdout.lines().map(words).collect()
}

#[test]
fn a_key_is_made_listed_and_taken_away() {
    let sandbox = Sandbox::new();
    let ci = add(&sandbox, &["ci", "--tenant", "acme"]);
    assert_eq!(ci.status, 0, "{ci:?}");
    let ada = add(&sandbox, &["ada"]);
    let form = |printed: &Printed| {
        let key = printed.stdout.strip_prefix("scrum_").unwrap().strip_suffix('\n').unwrap();
        key.len() == 43 && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    assert!(form(&ci) && form(&ada) && ci.stdout != ada.stdout, "{ci:?} {ada:?}");
    assert_eq!(listed(&sandbox), ["name tenant", "ada any", "ci acme"]);
    assert_eq!(sandbox.script("git status --short"), "", "nobody commits the file by mistake");
    let removed = sandbox.scrum(&["keys", "remove", "ci"]);
    assert_eq!((removed.status, removed.stdout.as_str()), (0, ""), "{removed:?}");
    assert_eq!(listed(&sandbox), ["name tenant", "ada any"]);
}

#[test]
fn nothing_that_is_kept_holds_a_key() {
    let sandbox = Sandbox::new();
    let key = add(&sandbox, &["ci"]).stdout.trim().trim_start_matches("scrum_").to_owned();
    let folder = sandbox.repo().join(".scrum");
    let files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!files.is_empty());
    for file in files.iter().filter(|file| file.is_file()) {
        let bytes = fs::read(file).unwrap();
        let is_there = bytes.windows(12).any(|part| part == &key.as_bytes()[..12]);
        assert!(!is_there, "{}", file.display());
    }
}

#[test]
fn what_goes_wrong_is_told_with_what_to_do() {
    let sandbox = Sandbox::new();
    assert_eq!(add(&sandbox, &["ci"]).status, 0);
    let told = |arguments: &[&str]| {
        let printed = sandbox.scrum(arguments);
        assert_eq!((printed.status, printed.stdout.as_str()), (2, ""), "{printed:?}");
        printed.stderr
    };
    insta::assert_snapshot!(told(&["keys", "list", "--store", "postgres://ada:hunter2@127.0.0.1:1/scrum"]), @r#"
    error: PostgreSQL "scrum" at 127.0.0.1: the server cannot be reached: error connecting to server: Connection refused (os error 111)
    hint: does it run, and may this machine reach it?
    "#);
    insta::assert_snapshot!(told(&["keys", "add", "ci"]), @"
    error: ci has a key already in .scrum/scrum.db
    hint: another name, or `scrum keys remove` first: what is kept is a hash, no key can be shown again
    ");
    insta::assert_snapshot!(told(&["keys", "remove", "cd"]), @"
    error: cd has no key in .scrum/scrum.db
    hint: keys: ci
    ");
    insta::assert_snapshot!(told(&["keys", "add", " "]), @"
    error: invalid value ' ' for '<NAME>': a name has 1 to 128 printable ASCII characters, and no space at its ends

    For more information, try '--help'.
    ");
    let nowhere = told(&["keys", "add", "ada", "--store", ".git/HEAD/x.db"]);
    assert!(nowhere.starts_with("error: "), "{nowhere}");
}

#[test]
fn without_keys_the_list_says_how_to_make_one() {
    let sandbox = Sandbox::new();
    let printed = sandbox.scrum(&["keys", "list"]);
    assert_eq!((printed.status, printed.stdout.as_str()), (0, ""), "{printed:?}");
    assert!(printed.stderr.contains("`scrum keys add NAME` makes one"), "{printed:?}");
    assert!(!sandbox.repo().join(".scrum").exists(), "looking makes no file");
    add(&sandbox, &["ci"]);
    let removed = sandbox.scrum(&["keys", "remove", "ci"]);
    assert!(removed.stderr.contains("that was the last one"), "{removed:?}");
}
