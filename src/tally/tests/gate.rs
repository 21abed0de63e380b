//! What the gate says of a tally.

use super::{
    super::gate::{self, Bar},
    *,
};
use crate::bundle::{ExcludeReason, Excluded};

/// `result: reasons` for a policy.
#[track_caller]
pub(super) fn gate(tally: &Tally, fail_on: FailOn, min_lineages: usize, expect: &str) {
    let gate = evaluate(tally, &Policy::plain(fail_on, min_lineages));
    assert_eq!(format!("{}: {}", gate.result.word(), gate.reasons.join("; ")), expect);
}

#[test]
fn the_gate_fails_on_what_it_is_told() {
    let tally = of(&[("opus", "a:5", LEAK), ("kimi", "a:5", LEAK), ("gpt", "", LEAK)]);
    gate(&tally, FailOn::Never, 1, "off: ");
    gate(&tally, FailOn::Convergent, 1, "fail: 1 issue that two or more lineages agree on");
    let both = "fail: 1 issue of WARN or worse; 1 finding of WARN or worse without a usable place";
    gate(&tally, FailOn::Warn, 1, both);
    gate(
        &tally,
        FailOn::Block,
        3,
        "pass: nothing that fails, and every bundle was answered by 3 lineages or more",
    );
    gate(&tally, FailOn::Block, 4, "inconclusive: 3 lineages answered, 4 asked for");
    gate(&tally, FailOn::Never, 4, "inconclusive: 3 lineages answered, 4 asked for");
    let failing = "fail: 1 issue that two or more lineages agree on; 3 lineages answered, 4 asked for";
    gate(&tally, FailOn::Convergent, 4, failing);
}

#[test]
fn a_pass_tells_what_nobody_was_shown() {
    let mut tally = of(&[("opus", "a:5", LEAK)]);
    let file = |path: &str, reason| Excluded { path: path.into(), old_path: None, reason, bytes: 9 };
    tally.excluded = vec![file("new.rs", ExcludeReason::Generated)];
    let passed = "pass: nothing that fails, and every bundle was answered by 1 lineage or more";
    gate(&tally, FailOn::Block, 1, &format!("{passed}; 1 file was shown to nobody (1 generated)"));
    tally.excluded.extend(["a.lock", "b.lock"].map(|path| file(path, ExcludeReason::Lockfile)));
    gate(
        &tally,
        FailOn::Block,
        1,
        &format!("{passed}; 3 files were shown to nobody (2 lockfile, 1 generated)"),
    );
}

#[test]
fn the_gate_passes_only_what_was_read_whole() {
    let tally = tallied(vec![
        task("c1_x", "opus", vec![]),
        task("c1_x", "kimi", vec![]),
        task("c2_y", "opus", vec![]),
        task("c2_y", "sonnet", vec![]),
        (outcome("c3_z", "opus", State::Failed), None),
    ]);
    gate(
        &tally,
        FailOn::Any,
        2,
        "inconclusive: bundle c2_y was answered by 1 lineage, 2 asked for; bundle c3_z was answered by nobody",
    );
    gate(&tally, FailOn::Never, 2, "off: ");
    let nobody = tallied(vec![(outcome("c1_x", "opus", State::Failed), None)]);
    gate(&nobody, FailOn::Never, 1, "inconclusive: no reviewer answered");
    gate(&tallied(vec![]), FailOn::Any, 1, "pass: nothing to review");
}

/// `policy: result: reasons` for a policy of rules `glob FAIL-ON`, whose usual bar comes last without a glob.
#[track_caller]
fn judged(tally: &Tally, policy: &Policy, expect: &str) {
    let gate = evaluate(tally, policy);
    assert_eq!(format!("{}: {}: {}", gate.policy, gate.result.word(), gate.reasons.join("; ")), expect);
}

fn rule(glob: &str, bar: Bar) -> gate::Rule {
    gate::Rule::new(vec![glob.to_owned()], bar).unwrap()
}

#[test]
fn agreement_may_be_asked_for() {
    let tally = of(&[("opus", "a:5", LEAK), ("kimi", "a:5", LEAK), ("gpt", "b:9", RACE)]);
    let asking = |agreement, min_agreeing| {
        let bar = Bar { fail_on: FailOn::Warn, agreement, min_agreeing };
        Policy { bar, ..Policy::plain(FailOn::Never, 1) }
    };
    let passed = "nothing that fails, and every bundle was answered by 1 lineage or more";
    judged(
        &tally,
        &asking(Agreement::Single, 1),
        "fail-on warn, min-lineages 1: fail: 2 issues of WARN or worse",
    );
    judged(
        &tally,
        &asking(Agreement::Claim, 1),
        "fail-on warn, agreement claim, min-lineages 1: fail: 1 issue of WARN or worse whose claim lineages agree on",
    );
    judged(
        &tally,
        &asking(Agreement::Single, 2),
        "fail-on warn, min-agreeing 2, min-lineages 1: fail: 1 issue of WARN or worse found by 2 lineages or more",
    );
    judged(
        &tally,
        &asking(Agreement::Single, 3),
        &format!("fail-on warn, min-agreeing 3, min-lineages 1: pass: {passed}"),
    );
    // Where nobody is left to agree, nothing could have failed.
    let alone = of(&[("opus", "a:5", LEAK), ("sonnet", "a:5", LEAK)]);
    let expect =
        "fail-on warn, agreement place, min-lineages 1: inconclusive: 1 lineage answered, 2 needed to agree";
    judged(&alone, &asking(Agreement::Place, 1), expect);
    gate(&alone, FailOn::Convergent, 1, "inconclusive: 1 lineage answered, 2 needed to agree");
}

#[test]
fn paths_have_their_own_bars_and_the_first_that_fits_counts() {
    let tally = of(&[
        ("opus", "src/auth/key.rs:5", LEAK),
        ("kimi", "src/auth/tests/a.rs:5", LEAK),
        ("gpt", "docs/a.md:9", RACE),
        ("gpt", "", RACE),
    ]);
    let never = Bar::of(FailOn::Never);
    let ruled = |rules| Policy { rules, ..Policy::plain(FailOn::Block, 1) };
    judged(
        &tally,
        &ruled(vec![rule("src/auth/tests/**", never), rule("src/auth/**", Bar::of(FailOn::Warn))]),
        "fail-on block, min-lineages 1; src/auth/tests/**: fail-on never; src/auth/**: fail-on warn: \
         fail: 1 issue of WARN or worse (gate.rule 2: src/auth/**)",
    );
    judged(
        &tally,
        &ruled(vec![rule("src/auth/**", Bar::of(FailOn::Warn)), rule("src/auth/tests/**", never)]),
        "fail-on block, min-lineages 1; src/auth/**: fail-on warn; src/auth/tests/**: fail-on never: \
         fail: 2 issues of WARN or worse (gate.rule 1: src/auth/**)",
    );
    judged(
        &tally,
        &Policy { rules: vec![rule("*", never)], ..Policy::plain(FailOn::Never, 1) },
        "fail-on never, min-lineages 1; *: fail-on never: off: ",
    );
}

#[test]
fn a_former_path_counts_and_a_finding_without_place_is_judged_by_its_bundle() {
    let mut tally = of(&[("opus", "lib/key.rs:5", LEAK), ("opus", "", RACE)]);
    let file = FilePatch {
        path: "lib/key.rs".into(),
        old_path: Some("src/auth/key.rs".into()),
        status: FileStatus::Renamed,
        content: Content::Text,
        generated: false,
        header: Vec::new(),
        hunks: Vec::new(),
        size: 0,
    };
    tally.bundles =
        vec![Bundle { id: "c1_x".into(), component: "x".into(), files: vec![file], guard: Guard::Ok }];
    // A milder rule for its new name takes nothing away, nor does one that comes first.
    for mild in ["lib/**", "nothing/**"] {
        let rules = vec![rule(mild, Bar::of(FailOn::Never)), rule("src/auth/**", Bar::of(FailOn::Warn))];
        let expect = format!(
            "fail-on never, min-lineages 1; {mild}: fail-on never; src/auth/**: fail-on warn: fail: \
             1 issue of WARN or worse (gate.rule 2: src/auth/**); \
             1 finding of WARN or worse without a usable place (gate.rule 2: src/auth/**)"
        );
        judged(&tally, &Policy { rules, ..Policy::plain(FailOn::Never, 1) }, &expect);
    }
    let rules = vec![rule("src/auth/**", Bar::of(FailOn::Warn))];
    judged(
        &tally,
        &Policy { rules, ..Policy::plain(FailOn::Never, 1) },
        "fail-on never, min-lineages 1; src/auth/**: fail-on warn: fail: \
         1 issue of WARN or worse (gate.rule 1: src/auth/**); \
         1 finding of WARN or worse without a usable place (gate.rule 1: src/auth/**)",
    );
}

#[test]
fn coverage_may_be_asked_for() {
    let tally = tallied(vec![
        task("c1_x", "opus", vec![]),
        task("c1_x", "kimi", vec![]),
        (outcome("c1_x", "gpt", State::TimedOut), None),
        (outcome("c1_x", "odd", State::NotRouted), None),
    ]);
    let asking = |min_coverage| Policy { min_coverage, ..Policy::plain(FailOn::Block, 1) };
    judged(
        &tally,
        &asking(66),
        "fail-on block, min-lineages 1, min-coverage 66 %: pass: nothing that fails, and every bundle was \
         answered by 1 lineage or more",
    );
    judged(
        &tally,
        &asking(67),
        "fail-on block, min-lineages 1, min-coverage 67 %: inconclusive: 2 of 3 questions answered in full, \
         67 % asked for",
    );
}

#[test]
fn an_override_is_about_one_run_its_commits_and_this_answer() {
    let tally = of(&[("opus", "a:5", LEAK)]);
    let gate = || evaluate(&tally, &Policy::plain(FailOn::Warn, 1));
    let range = |head: &str| RangeInfo { head: Some(head.to_owned()), ..RangeInfo::default() };
    let one = |at: i64| gate::Override {
        at: jiff::Timestamp::new(at, 0).unwrap(),
        by: format!("ada {at}"),
        why: "known".to_owned(),
        run: "r1".to_owned(),
        base: None,
        head: range("h1").head,
        policy: gate().policy,
        result: GateResult::Fail,
        reasons: gate().reasons,
        issues: Some(gate().issues),
    };
    let check = |run: &str, head: &str, one: gate::Override, expect: bool| {
        let gate = gate().overruled(run, &range(head), std::slice::from_ref(&one));
        assert_eq!((gate.result, gate.lets_through()), (GateResult::Fail, expect), "{run} {head} {one:?}");
    };
    check("r1", "h1", one(1), true);
    check("r2", "h1", one(1), false);
    check("r1", "h2", one(1), false);
    check("r1", "h1", gate::Override { policy: "fail-on any, min-lineages 1".to_owned(), ..one(1) }, false);
    check("r1", "h1", gate::Override { reasons: Vec::new(), ..one(1) }, false);
    check("r1", "h1", gate::Override { result: GateResult::Inconclusive, ..one(1) }, false);
    // As many issues, but another one.
    let other = evaluate(&of(&[("opus", "a:5", RACE)]), &Policy::plain(FailOn::Warn, 1));
    assert_eq!(other.reasons, gate().reasons);
    check("r1", "h1", gate::Override { issues: Some(other.issues), ..one(1) }, false);
    check("r1", "h1", gate::Override { issues: None, ..one(1) }, false);
    let both = gate().overruled("r1", &range("h1"), &[one(2), one(1)]);
    assert_eq!(both.overruled, Some(one(2)));
}

#[test]
fn where_models_were_asked_one_must_have_answered() {
    let offline = [reviewer("rules", "static:rules"), reviewer("history", "history")];
    let answered = vec![task("c1_x", "rules", vec![]), task("c1_x", "history", vec![])];
    let models = ["opus", "kimi"].map(|model| (outcome("c1_x", model, State::Failed), None));
    let mut down = tallied([answered.clone(), models.to_vec()].concat());
    down.panel.reviewers.extend(offline.clone());
    gate(&down, FailOn::Block, 2, "inconclusive: bundle c1_x was answered by no model that was asked");
    gate(&down, FailOn::Never, 2, "off: ");
    let mut one_up = tallied([answered.clone(), vec![task("c1_x", "kimi", vec![])]].concat());
    one_up.panel.reviewers.extend(offline.clone());
    let passed = "pass: nothing that fails, and every bundle was answered by 2 lineages or more";
    gate(&one_up, FailOn::Block, 2, passed);
    let mut without_models = tallied(answered);
    without_models.panel.reviewers = offline.to_vec();
    gate(&without_models, FailOn::Block, 2, &format!("{passed}; no model was asked"));
}
