//! Several places in one finding, frames that models put around findings, and what is none.

use super::*;

#[test]
fn further_places_are_kept_with_their_finding() {
    for place in [
        "WHERE: a.rs:3, b.rs:9",
        "WHERE: a.rs:3 (also b.rs:9)",
        "WHERE: a.rs:3; also at b.rs:9",
        "WHERE: a.rs:3 | b.rs:9",
        "WHERE: a.rs:3\nWHERE: b.rs:9",
        "WHERE: a.rs:3\nALSO AT: b.rs:9",
        "WHERE:\n- a.rs:3\n- b.rs:9",
        "**Files:** `a.rs:3`, `b.rs:9`",
    ] {
        check(&format!("SEVERITY: WARN\n{place}\nWHAT: It leaks.\n"), &["WARN a.rs:3 + b.rs:9 It leaks."]);
    }
    check("WHERE: a.rs:3, 9, 12-14\nWHAT: It leaks.", &["WARN a.rs:3 + a.rs:9 + a.rs:12-14 It leaks."]);
    check(
        "WHERE: a.rs:3\nWHAT: It leaks. Same issue at b.rs:9.",
        &["WARN a.rs:3 + b.rs:9 It leaks. Same issue at b.rs:9."],
    );
    check("- a.rs:3, b.rs:9: It leaks.", &["WARN a.rs:3 + b.rs:9 It leaks."]);
    check("WHERE: a.rs:3\nWHAT: It is also in use.", &["WARN a.rs:3 It is also in use."]);
}

#[test]
fn a_path_may_come_last() {
    for (place, expect) in [
        ("line 42 of src/a.rs", "src/a.rs:42"),
        ("Lines 3-5 in `src/a.rs`", "src/a.rs:3-5"),
        ("`Parser::parse` in `src/a.rs`", "src/a.rs::Parser::parse"),
        ("function `parse` (src/a.rs:42)", "src/a.rs:42"),
        ("src/a.rs::parse:42", "src/a.rs:42"),
    ] {
        check(&format!("WHERE: {place}\nWHAT: It leaks."), &[&format!("WARN {expect} It leaks.")]);
    }
}

#[test]
fn lists_and_tables_of_every_shape_are_read() {
    for reply in [
        "- **High**\n  - File: `a.rs`\n  - Lines: 3\n  - Issue: It leaks.\n- **Low**\n  - File: `b.rs`\n  - Lines: 9\n  - Issue: Typo.",
        "## a.rs\n\n1. **Line 3** (High): It leaks.\n\n## b.rs\n\n1. **Line 9** (Low): Typo.",
        "Finding 1 (BLOCK): a.rs:3\nIt leaks.\n\nFinding 2 (nit): b.rs:9\nTypo.",
        "Severity | File | Line | Issue\n--- | --- | --- | ---\nhigh | a.rs | 3 | It leaks.\nlow | b.rs | 9 | Typo.",
        "### `a.rs`\n\n| Line | Severity | Issue |\n|---|---|---|\n| 3 | High | It leaks. |\n\n### `b.rs`\n\n| Line | Severity | Issue |\n|---|---|---|\n| 9 | Low | Typo. |",
        "| Field | Value |\n|---|---|\n| Severity | High |\n| File | a.rs |\n| Line | 3 |\n| Issue | It leaks. |\n\n| Field | Value |\n|---|---|\n| Severity | Low |\n| File | b.rs |\n| Line | 9 |\n| Issue | Typo. |",
        "Here is my review:\n\n```\nSEVERITY: BLOCK\nWHERE: a.rs:3\nWHAT: It leaks.\n\nSEVERITY: INFO\nWHERE: b.rs:9\nWHAT: Typo.\n```",
        "```\nSEVERITY: BLOCK\nWHERE: a.rs:3\nWHAT: It leaks.\n```\n\n```\nSEVERITY: INFO\nWHERE: b.rs:9\nWHAT: Typo.\n```\n\nVERDICT: hold",
    ] {
        check(reply, &["BLOCK a.rs:3 It leaks.", "INFO b.rs:9 Typo."]);
    }
    check("- **Line 3**: In full:\n  - Line 4: a detail", &[]);
    check(
        "## a.rs\n\n- **Line 3**: In full:\n  - Line 4: a detail",
        &["WARN a.rs:3 In full:\n  - Line 4: a detail"],
    );
}

#[test]
fn tables_of_files_and_counts_are_no_findings() {
    check(
        "| File | Summary |\n|---|---|\n| a.rs | Adds a cache |\n\n| Severity | Count |\n|---|---|\n| High | 2 |\n\nVERDICT: ship",
        &[],
    );
}

#[test]
fn nothing_to_report_is_no_finding() {
    let reading = read("SEVERITY: INFO\nWHERE: none\nWHAT: No issues found.\n\nVERDICT: ship", None);
    assert_eq!(reading.rejects[0].reason, "says that there is nothing to say");
    assert_eq!((reading.findings.len(), reading.verdict), (0, Some(Verdict::Ship)));
}

#[test]
fn of_two_severities_for_one_claim_the_worse_stands() {
    let reply =
        "SEVERITY: WARN\nWHERE: a.rs:3\nWHAT: It leaks.\n\nSEVERITY: BLOCK\nWHERE: a.rs:3\nWHAT: It leaks.\n";
    check(reply, &["BLOCK a.rs:3 It leaks."]);
    assert_eq!(
        read(reply, None).rejects,
        [Reject { text: "It leaks.".into(), reason: "says WARN where the same claim says BLOCK".into() }]
    );
}

#[test]
fn thoughts_in_other_tags_and_places_are_left_out() {
    let answer = "WHERE: a.rs:3\nWHAT: It leaks.";
    for (open, close) in [
        ("<THINK>\n", "\n</THINK>\n"),
        ("<thought>\n", "\n</thought>\n"),
        ("◁think▷", "◁/think▷"),
        ("[THINK]\n", "[/THINK]\n"),
        ("<|begin_of_thought|>\n", "<|end_of_thought|>\n"),
        ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
        ("<think>a</think><think>", "</think>\n"),
    ] {
        check(&format!("{open}WHERE: x.rs:1\nWHAT: draft{close}{answer}"), &["WARN a.rs:3 It leaks."]);
    }
    check(
        &format!("{answer}\n\n<thinking>\nWHERE: x.rs:1\nWHAT: draft\n</thinking>\n"),
        &["WARN a.rs:3 It leaks."],
    );
    let endless = read(&format!("<think>\n{answer}\n"), None);
    assert_eq!(
        (endless.findings.len(), endless.rejects[0].reason.as_str()),
        (0, "stands in thinking that never ends")
    );
}
