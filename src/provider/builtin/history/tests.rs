//! Remarks from a past that is written out.

use std::collections::BTreeSet;

use super::*;
use crate::{
    bundle::{Bundle, Guard},
    provider::{builtin::tests::patch_of, remark},
};

fn past(count: usize, title: &str, paths: &[&str]) -> Vec<PastCommit> {
    let mut paths: Vec<crate::change::RepoPath> = paths.iter().map(|path| (*path).into()).collect();
    paths.sort();
    let one = |at| PastCommit {
        id: format!("{at:040x}"),
        title: title.to_owned(),
        kind: CommitKind::of_title(title),
        paths: paths.clone(),
    };
    (0..count).map(one).collect()
}

fn split_of(files: &[(&str, usize)]) -> Split {
    let files = files.iter().map(|(path, lines)| patch_of(path, "", &"added();\n".repeat(*lines))).collect();
    let bundle = Bundle { id: "c1_a".to_owned(), component: "a".to_owned(), files, guard: Guard::Ok };
    Split { bundles: vec![bundle], excluded: Vec::new() }
}

/// The reply about a change of `files` (path and added lines) with the commit title `title`.
fn reply(history: &History, files: &[(&str, usize)], title: &str) -> String {
    let commits = [Commit { id: "c".to_owned(), message: title.to_owned() }];
    let rules = RuleSet::new(&[]).unwrap();
    remark::write(remarks(history, &split_of(files), &commits, &rules), "read", "")
}

fn is_silent(history: &History, files: &[(&str, usize)], title: &str) -> bool {
    reply(history, files, title).starts_with("VERDICT")
}

/// Commits that do not touch what the test is about.
fn elsewhere() -> Vec<PastCommit> {
    past(60, "Work elsewhere", &["other.go"])
}

#[test]
fn a_missing_companion_is_named_with_its_figures() {
    let mut commits = past(9, "Add a field", &["api.go", "docs/api.md"]);
    commits.extend(past(1, "Polish", &["api.go"]));
    commits.extend(elsewhere());
    let mut history = History { commits, ..History::default() };
    insta::assert_snapshot!(reply(&history, &[("api.go", 3)], "Add another field"), @r#"
    SEVERITY: INFO
    WHERE: api.go:1
    QUOTE: added();
    WHAT: `docs/api.md` usually changes with this file and is not in this change
    WHY: in 9 of the last 10 commits that touched `api.go`, `docs/api.md` changed too, most recently in 00000000 ("Add a field")
    FIX: look whether it must follow

    VERDICT: ship, 1 remark above; read
    "#);
    assert!(is_silent(&history, &[("api.go", 3), ("docs/api.md", 1)], "Add both"));
    history.gone = BTreeSet::from(["docs/api.md".into()]);
    assert!(is_silent(&history, &[("api.go", 3)], "Add another field"));
}

#[test]
fn a_companion_that_goes_with_everything_is_no_habit() {
    let history = History { commits: past(30, "Work", &["api.go", "version.txt"]), ..History::default() };
    assert!(is_silent(&history, &[("api.go", 3)], "Work"));
}

#[test]
fn a_habit_that_has_ended_is_not_held_up() {
    let mut commits = past(2, "Work", &["api.go"]);
    commits.extend(past(13, "Work", &["api.go", "docs/api.md"]));
    commits.extend(elsewhere());
    let history = History { commits, ..History::default() };
    assert!(is_silent(&history, &[("api.go", 3)], "Work"));
}

#[test]
fn a_source_without_its_usual_test_is_named_once() {
    let mut commits = past(5, "Work", &["api.go", "api_test.go"]);
    commits.extend(past(5, "Work", &["api.go", "flow_test.go"]));
    commits.extend(elsewhere());
    let history = History { commits, ..History::default() };
    insta::assert_snapshot!(reply(&history, &[("api.go", 12), ("b.go", 3)], "Retry on 429"), @"
    SEVERITY: INFO
    WHERE: api.go:1
    QUOTE: added();
    WHAT: the change comes without a test, which is unusual for this file
    WHY: 10 of the last 10 commits that touched `api.go` changed a test too, most often `api_test.go` (5 times); this one adds 12 lines to it and touches no test
    FIX: add a test that fails without this change, or say why none is needed

    VERDICT: ship, 1 remark above; read
    ");
    assert!(is_silent(&history, &[("api.go", 12)], "refactor: split the function"));
    assert!(is_silent(&history, &[("api.go", 3)], "Retry on 429"));
    assert!(is_silent(&history, &[("api.go", 12), ("new_test.go", 3)], "Retry on 429"));
}

#[test]
fn lines_that_a_fix_removed_are_named_when_they_return() {
    let commits = past(1, "Fix a deadlock on close", &["pool.go"]);
    let line = |line, text: &str| ReturnedLine {
        path: "pool.go".into(),
        line,
        text: text.to_owned(),
        removed_by: commits[0].id.clone(),
        removed_in_all: 2,
    };
    let returned =
        vec![line(1, "pool.lock.Lock()"), line(2, "token = \"ghp_a8Kd0Qm3Zt7Yb2Nw5Vx9Lp4Rs6Cj1Hf8Ge2U\"")];
    let mut history = History { commits, returned, ..History::default() };
    insta::assert_snapshot!(reply(&history, &[("pool.go", 2)], "Speed up"), @r#"
    SEVERITY: WARN
    WHERE: pool.go:1
    QUOTE: pool.lock.Lock()
    WHAT: 2 lines come back that an earlier fix had removed
    WHY: commit 00000000 ("Fix a deadlock on close") took them out of the same file
    FIX: read that commit and make sure that what it mended stays mended

    VERDICT: ship-with-fixes, 1 remark above; read
    "#);
    assert!(is_silent(&history, &[("pool.go", 2)], "Revert \"Fix a deadlock on close\""));
    history.returned[0].removed_in_all = 5;
    assert!(is_silent(&history, &[("pool.go", 2)], "Speed up"));
    history.returned.remove(0);
    assert!(!reply(&history, &[("pool.go", 2)], "Speed up").contains("ghp_"));
}

#[test]
fn a_file_of_many_fixes_is_named_when_much_is_added() {
    let mut commits = past(9, "Fix a wrong length", &["parse.go"]);
    commits.extend(past(3, "Work", &["parse.go"]));
    commits.extend(elsewhere());
    let history = History { commits, ..History::default() };
    insta::assert_snapshot!(reply(&history, &[("parse.go", 40)], "Work"), @"
    SEVERITY: INFO
    WHERE: parse.go:1
    QUOTE: added();
    WHAT: 9 of the last 12 commits to this file were fixes
    WHY: in the whole repository it was 9 of 72; faults cluster, so these 40 added lines deserve a slower reading

    VERDICT: ship, 1 remark above; read
    ");
    assert!(is_silent(&history, &[("parse.go", 5)], "Work"));
}

#[test]
fn no_past_gives_no_remark() {
    assert!(is_silent(&History::default(), &[("a.go", 50)], "Work"));
}
