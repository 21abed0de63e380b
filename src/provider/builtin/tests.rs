//! The offline reviewers as a whole, and the bundles their tests are made of.

use super::*;
use crate::{
    bundle::Guard,
    change::{Content, FilePatch, FileStatus, Hunk},
};

/// A file whose one hunk, at line 1, replaces `old` by `new`.
pub(in crate::provider) fn patch_of(path: &str, old: &str, new: &str) -> FilePatch {
    let mut text = format!("@@ -1,{} +1,{} @@\n", old.lines().count(), new.lines().count()).into_bytes();
    old.lines().for_each(|line| text.extend_from_slice(format!("-{line}\n").as_bytes()));
    new.lines().for_each(|line| text.extend_from_slice(format!("+{line}\n").as_bytes()));
    let count = |lines: &str| u32::try_from(lines.lines().count()).unwrap();
    let hunk = Hunk {
        old_start: u32::from(!old.is_empty()),
        old_lines: count(old),
        new_start: 1,
        new_lines: count(new),
        text,
    };
    FilePatch {
        path: path.into(),
        old_path: None,
        status: FileStatus::Modified,
        content: Content::Text,
        generated: false,
        header: Vec::new(),
        hunks: vec![hunk],
        size: 0,
    }
}

/// A bundle of one such file.
pub(super) fn bundle_of(path: &str, old: &str, new: &str) -> Bundle {
    Bundle {
        id: "c1_a".to_owned(),
        component: "a".to_owned(),
        files: vec![patch_of(path, old, new)],
        guard: Guard::Ok,
    }
}

fn rules() -> RuleSet {
    RuleSet::new(&[]).unwrap()
}

#[test]
fn rules_answer_in_the_form_of_a_review() {
    let bundle =
        bundle_of("src/a.py", "", "def f(url, seen=[]):\n    return requests.get(url, verify=False)\n");
    insta::assert_snapshot!(answer_by_rules(&rules(), &RemovedLines::default(), &bundle, "n7"), @"
    SEVERITY: WARN
    WHERE: src/a.py:1
    QUOTE: def f(url, seen=[]):
    WHAT: a default argument is shared between calls
    WHY: the list, dict or set is made once when the function is defined; what one call adds, the next one sees (rule python-mutable-default)
    FIX: default to `None` and make it inside

    SEVERITY: WARN
    WHERE: src/a.py:2
    QUOTE: return requests.get(url, verify=False)
    WHAT: the server's certificate is not checked
    WHY: anybody on the way can read and change what is sent (rule python-tls-off)
    FIX: keep verification on; give the private authority's file with `verify=`

    SEVERITY: INFO
    WHERE: src/a.py:2
    QUOTE: return requests.get(url, verify=False)
    WHAT: the request has no time limit
    WHY: without `timeout` the call waits as long as the server likes, for ever if need be (rule python-request-without-timeout)
    FIX: pass `timeout=`

    VERDICT: ship-with-fixes, 3 remarks above; 2 added lines were held against 156 patterns
    END n7
    ");
}

#[test]
fn silence_is_a_verdict_too() {
    let bundle = bundle_of("src/a.py", "", "x = 1\n");
    let split = Split { bundles: vec![bundle.clone()], excluded: Vec::new() };
    let rules = rules();
    let silence = format!(
        "VERDICT: ship, nothing to remark; 1 added line was held against {} patterns\nEND n\n",
        rules.len()
    );
    assert_eq!(answer_by_rules(&rules, &RemovedLines::default(), &bundle, "n"), silence);
    let hindsight = Hindsight::new(&rules, &History::default(), &split, &[]);
    let history = "VERDICT: ship, nothing to remark; 0 earlier commits were read\nEND n\n";
    assert_eq!(hindsight.answer(&bundle, "n"), history);
}

#[test]
fn a_remark_about_the_change_stands_in_one_bundle() {
    let (first, second) = (bundle_of("a.rs", "", "a\n"), bundle_of("Cargo.toml", "", "b\n"));
    let split = Split { bundles: vec![first.clone(), second.clone()], excluded: Vec::new() };
    let source = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
    let package = |name: &str| format!("[[package]]\nname = \"{name}\"\nversion = \"1.0.0\"\n{source}\n");
    let lockfile = crate::history::Lockfile {
        path: "Cargo.lock".into(),
        before: package("a"),
        after: format!("{}{}{}", package("a"), package("new"), package("newer")),
    };
    let history = History { lockfiles: vec![lockfile], ..History::default() };
    let hindsight = Hindsight::new(&rules(), &history, &split, &[]);
    assert!(hindsight.answer(&first, "").starts_with("VERDICT: ship"));
    assert!(hindsight.answer(&second, "").contains("WHAT: Cargo.lock: come in: new 1.0.0, newer 1.0.0"));
}
