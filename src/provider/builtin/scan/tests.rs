//! What a change brings in, as opposed to what it moves or keeps.

use super::*;
use crate::provider::builtin::tests::{bundle_of, patch_of};

fn find(rules: &RuleSet, bundle: Bundle) -> Vec<Remark> {
    let bundles = [bundle];
    scan(rules, &bundles[0], &RemovedLines::of(&bundles))
}

/// `line: rule` of every remark.
fn check(path: &str, old: &str, new: &str, expect: &[&str]) {
    let rules = RuleSet::new(&[]).unwrap();
    let remarks = find(&rules, bundle_of(path, old, new));
    let told: Vec<String> = remarks
        .iter()
        .map(|remark| {
            format!("{}: {}", remark.line, remark.why.rsplit_once("(rule ").unwrap().1.trim_end_matches(')'))
        })
        .collect();
    assert_eq!(told, expect, "{path}: {new}");
}

#[test]
fn only_what_is_new_is_reported() {
    check("src/a.ts", "", "a()\neval(x)\n", &["2: js-eval"]);
    check("src/a.ts", "eval(x)\n", "a()\nb()\n", &[]);
    check("src/a.ts", "  eval(x)\n", "if (a) {\n    eval(x)\n}\n", &[]);
    check("src/a.ts", "eval(x)\n", "eval(x, y)\n", &[]);
    check("src/a.ts", "eval(x)\n", "eval(x, y)\neval(z)\n", &["2: js-eval"]);
}

#[test]
fn a_changed_credential_is_new() {
    check(
        "app.py",
        "API_KEY = 'q8Zt5Lw1Xc7Vb3Nm'\n",
        "API_KEY = 'm2Kd9Rf6Yh4Tg0Pj'\n",
        &["1: assigned-secret"],
    );
}

#[test]
fn a_line_moved_between_files_or_bundles_is_not_new() {
    let rules = RuleSet::new(&[]).unwrap();
    let mut bundle = bundle_of("src/a.ts", "eval(x)\n", "");
    bundle.files.push(patch_of("src/b.ts", "", "eval(x)\n"));
    assert_eq!(find(&rules, bundle), []);
    let bundles = [bundle_of("src/a.ts", "eval(x)\n", ""), bundle_of("lib/b.ts", "", "eval(x)\n")];
    assert_eq!(scan(&rules, &bundles[1], &RemovedLines::of(&bundles)), []);
}

#[test]
fn a_credential_is_never_repeated() {
    let rules = RuleSet::new(&[]).unwrap();
    let bundle =
        bundle_of("src/app.py", "", "x = eval(y, token='ghp_a8Kd0Qm3Zt7Yb2Nw5Vx9Lp4Rs6Cj1Hf8Ge2U')\n");
    let remarks = find(&rules, bundle);
    assert_eq!(remarks.len(), 2);
    assert!(remarks.iter().all(|remark| !format!("{remark:?}").contains("a8Kd0Q")));
}

#[test]
fn one_remark_a_rule_and_file() {
    let rules = RuleSet::new(&[]).unwrap();
    let remarks = find(&rules, bundle_of("src/a.ts", "", "eval(a)\nb()\neval(c)\neval(d)\n"));
    let told: Vec<_> =
        remarks.iter().map(|remark| (remark.line, remark.quote.as_deref(), remark.why.as_str())).collect();
    let why = "whoever has a hand in the argument runs code here; the same on lines 3, 4 (rule js-eval)";
    assert_eq!(told, [(1, Some("eval(a)"), why)]);
}

#[test]
fn overlong_lines_and_deleted_files_are_passed_over() {
    check("src/a.ts", "", &format!("{}; eval(x)\n", "a".repeat(3_000)), &[]);
    check("src/a.ts", "eval(x)\n", "", &[]);
}
