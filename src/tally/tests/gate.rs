//! What the gate says of a tally.

use super::*;

/// `result: reasons` for a policy.
#[track_caller]
pub(super) fn gate(tally: &Tally, fail_on: FailOn, min_lineages: usize, expect: &str) {
    let gate = evaluate(tally, Policy { fail_on, min_lineages });
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
