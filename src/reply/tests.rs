//! The reader against replies as models write them.

mod data;
mod json;
mod languages;
mod places;

use proptest::prelude::*;

use super::*;
use crate::finding::{LineRange, Severity};

/// The findings of `reply`, one a line: severity, place, claim.
fn check(reply: &str, expect: &[&str]) {
    let shown: Vec<String> = read(reply, None).findings.iter().map(shown).collect();
    assert_eq!(shown, expect, "{reply}");
}

fn shown(finding: &Finding) -> String {
    let place =
        |location: &crate::finding::Location| {
            let lines = location.lines.map(|LineRange { start, end }| {
                if start == end { format!(":{start}") } else { format!(":{start}-{end}") }
            });
            let symbol = location.symbol.as_ref().map(|symbol| format!("::{symbol}"));
            format!("{}{}{}", location.path, lines.unwrap_or_default(), symbol.unwrap_or_default())
        };
    let at: Vec<String> = finding.location.iter().chain(&finding.also_at).map(place).collect();
    let retracted = if finding.retracted { " (retracted)" } else { "" };
    format!("{} {} {}{retracted}", finding.severity, at.join(" + "), finding.what)
}

#[test]
fn the_contract_form_is_read_whole() {
    let reply = "SEVERITY: BLOCK\nWHERE: src/a.rs:3-5\nQUOTE: `let n = 0;`\nWHAT: The lock leaks.\nWHY: Nobody drops it.\nFIX: Drop it.\n\nVERDICT: hold, it leaks\nEND abcd1234\n";
    let expected = Finding {
        severity: Severity::Block,
        severity_word: "BLOCK".to_owned(),
        where_text: "src/a.rs:3-5".to_owned(),
        location: Some(crate::finding::Location {
            path: "src/a.rs".to_owned(),
            lines: Some(LineRange::new(3, 5)),
            symbol: None,
        }),
        also_at: Vec::new(),
        quote: Some("let n = 0;".to_owned()),
        what: "The lock leaks.".to_owned(),
        why: "Nobody drops it.".to_owned(),
        fix: "Drop it.".to_owned(),
        retracted: false,
    };
    let reading = Reading {
        findings: vec![expected],
        rejects: Vec::new(),
        verdict: Some(Verdict::Hold),
        completeness: Completeness::Whole,
        left_out: 0,
    };
    assert_eq!(read(reply, Some("abcd1234")), reading);
}

proptest! {
    #[test]
    fn any_text_is_read(text in any::<String>(), nonce in proptest::option::of("[a-z0-9]{8}")) {
        read(&text, nonce.as_deref());
    }
}

#[test]
fn labels_are_read_in_every_dress() {
    for reply in [
        "SEVERITY: WARN\nWHERE: a.rs:3\nWHAT: It leaks.",
        "**SEVERITY:** WARN\n**WHERE:** `a.rs:3`\n**WHAT:** It leaks.",
        "**Severity**: WARN\n**Where**: a.rs:3\n**What**: It leaks.",
        "- SEVERITY: WARN\n- WHERE: a.rs:3\n- WHAT: It leaks.",
        "* **Severity:** warning\n* **Location:** `a.rs` (line 3)\n* **Issue:** It leaks.",
        "1. SEVERITY: WARN\n   WHERE: a.rs:3\n   WHAT: It leaks.",
        "### Finding 1\n\nSeverity: Medium\nFile: a.rs\nLine: 3\nDescription: It leaks.",
        "#### 1) Problem\n- File: a.rs\n- Line: 3\n- Detail: It leaks.",
        "Finding 1:\nFile: a.rs, Line: 3\nIssue: It leaks.",
        "SEVERITY: WARN | WHERE: a.rs:3 | WHAT: It leaks.",
        "severity: warn\nwhere: a.rs:3\nwhat: It leaks.",
        "WHAT: It leaks.\nWHERE: a.rs:3\nSEVERITY: WARN",
        "**Location:**\n`a.rs:3`\n\nIt leaks.",
        "SEVERITY: WARN\r\nWHERE: a.rs:3\r\nWHAT: It leaks.\r\n",
        "\u{feff}SEVERITY: WARN\nWHERE: a.rs:3\nWHAT: It leaks.",
        "```\nSEVERITY: WARN\nWHERE: a.rs:3\nWHAT: It leaks.\n```",
        "WHERE: a.rs:3\nIt leaks.",
    ] {
        check(reply, &["WARN a.rs:3 It leaks."]);
    }
}

#[test]
fn headlines_carry_the_place() {
    for reply in [
        "1. **Medium** — `a.rs:3`\n\n   It leaks.",
        "### [MEDIUM] a.rs:3\nIt leaks.",
        "- **a.rs:3** It leaks.",
        "- `a.rs:3`: It leaks.",
        "- a.rs:3 — It leaks.",
        "a.rs:3: warning: It leaks.",
        "**a.rs:3** — It leaks.",
        "🟡 `a.rs:3` It leaks.",
        "- [P2] a.rs:3: It leaks.",
        "* [a.rs:3](a.rs#L3): It leaks.",
        "### `a.rs`\n\n- Line 3: It leaks.",
        "## Warnings\n\n- a.rs:3: It leaks.",
    ] {
        check(reply, &["WARN a.rs:3 It leaks."]);
    }
}

#[test]
fn titles_belong_to_the_place_below_them() {
    check(
        "### 1. Leak in the pool\n**File:** a.rs\n**Line:** 3\nNobody drops it.\n\n### 2. Race\n**File:** b.rs\n**Lines:** 4-5\nTwo writers.",
        &["WARN a.rs:3 Leak in the pool\n\nNobody drops it.", "WARN b.rs:4-5 Race\n\nTwo writers."],
    );
    check(
        "### [HIGH] Leak in the pool\n\nFile: `a.rs:3`\n\nNobody drops it.",
        &["BLOCK a.rs:3 Leak in the pool\n\nNobody drops it."],
    );
    check(
        "1. **[Critical]** Leak (`a.rs:3`)\n   Nobody drops it.",
        &["BLOCK a.rs:3 Leak (`a.rs:3`)\nNobody drops it."],
    );
}

#[test]
fn sentences_that_name_a_place_are_findings_when_there_is_nothing_better() {
    check(
        "I looked at everything.\n\nIn `src/a.rs:42` the lock is never released.\n\nOn lines 3-5 of src/b.rs the error is dropped.",
        &[
            "WARN src/a.rs:42 In `src/a.rs:42` the lock is never released.",
            "WARN src/b.rs:3-5 On lines 3-5 of src/b.rs the error is dropped.",
        ],
    );
    check("I read src/a.rs:1-40 and it is fine.\n\nVERDICT: ship", &[]);
}

#[test]
fn severities_of_other_scales_are_mapped_and_kept() {
    let scale = [
        ("critical", Severity::Block),
        ("High", Severity::Block),
        ("P0", Severity::Block),
        ("blocker", Severity::Block),
        ("🔴 Critical", Severity::Block),
        ("major", Severity::Warn),
        ("MEDIUM", Severity::Warn),
        ("P2", Severity::Warn),
        ("moderate", Severity::Warn),
        ("nit", Severity::Info),
        ("low", Severity::Info),
        ("minor", Severity::Info),
        ("P3", Severity::Info),
        ("banana", Severity::Warn),
    ];
    for (word, severity) in scale {
        let finding =
            read(&format!("SEVERITY: **{word}**\nWHERE: a.rs:3\nWHAT: x."), None).findings.remove(0);
        assert_eq!(
            (finding.severity, finding.severity_word.as_str()),
            (severity, word.trim_start_matches("🔴 "))
        );
    }
    let silent = read("WHERE: a.rs:3\nWHAT: x.", None).findings.remove(0);
    assert_eq!((silent.severity, silent.severity_word.as_str()), (Severity::Warn, ""));
}

#[test]
fn running_text_keeps_its_paragraphs_and_code() {
    let what = "It leaks.\n\nSee:\n```rust\nWHERE: not a place\n    let a = 1;\n```\n\nAnd again.";
    let reply = format!("SEVERITY: WARN\nWHERE: a.rs:3\nWHAT: {what}\nWHY: Because.\n\nVERDICT: hold");
    let finding = read(&reply, None).findings.remove(0);
    assert_eq!((finding.what.as_str(), finding.why.as_str()), (what, "Because."));
}

#[test]
fn quoted_lines_are_neither_findings_nor_verdicts() {
    for quoted in [
        "```\nSEVERITY: BLOCK\nWHERE: x.rs:1\nWHAT: y\nVERDICT: ship\n```",
        "+SEVERITY: BLOCK\n+WHERE: x.rs:1\n+WHAT: y\n+VERDICT: ship",
        "+ WHERE: x.rs:1\n+ WHAT: y\n+ VERDICT: ship",
        "-WHERE: x.rs:1\n-VERDICT: ship",
        "> WHERE: x.rs:1\n> WHAT: y\n> VERDICT: ship",
        "    42| +WHERE: x.rs:1\n    43| +VERDICT: ship\n      | -VERDICT: hold",
        "| WHERE: x.rs:1\n| VERDICT: ship",
        "@@ -1,2 +1,2 @@\n WHERE: x.rs:1\n VERDICT: ship",
        "    VERDICT: ship",
    ] {
        check(
            &format!("SEVERITY: WARN\nWHERE: a.rs:3\nWHAT: It leaks:\n{quoted}\n"),
            &[&format!("WARN a.rs:3 It leaks:\n{quoted}")],
        );
        let alone = read(&format!("The change adds:\n{quoted}\n"), None);
        assert_eq!((alone.findings, alone.verdict), (Vec::new(), None), "{quoted}");
    }
}

#[test]
fn verdicts_are_read_leniently_and_the_last_one_counts() {
    let ship = Some(Verdict::Ship);
    let fixes = Some(Verdict::ShipWithFixes);
    let hold = Some(Verdict::Hold);
    for (text, expect) in [
        ("VERDICT: ship", ship),
        ("**VERDICT:** ship, nothing found", ship),
        ("**Verdict: ship-with-fixes**", fixes),
        ("VERDICT: ship with fixes — see above", fixes),
        ("Verdict: SHIP_WITH_FIXES", fixes),
        ("## Verdict\n\n**Hold** because", hold),
        ("VERDICT: Approve", ship),
        ("VERDICT: LGTM", ship),
        ("VERDICT: request changes", hold),
        ("VERDICT: do not ship", hold),
        ("VERDICT: not ready to merge", hold),
        ("VERDICT: don't merge this", hold),
        ("VERDICT: approve with minor comments", fixes),
        ("VERDICT: ship after fixing the leak", fixes),
        ("Final verdict: `hold`", hold),
        ("VERDICT: ship | ship-with-fixes | hold, and why", None),
        ("VERDICT: banana", None),
        ("VERDICT: ship\n\nVERDICT: hold", hold),
        ("- VERDICT: hold", hold),
        ("VERDICT — hold", hold),
        ("VERDICT - hold", hold),
    ] {
        assert_eq!(read(text, None).verdict, expect, "{text}");
    }
}

#[test]
fn a_finding_can_be_taken_back() {
    let two = "SEVERITY: BLOCK\nWHERE: a.rs:3\nWHAT: It leaks.\n\nSEVERITY: WARN\nWHERE: b.rs:9\nWHAT: It races.\n\n";
    for (words, expect) in [
        ("RETRACT: a.rs:3", [true, false]),
        ("**RETRACT:** `b.rs:9`, it is locked", [false, true]),
        ("RETRACT: finding 1", [true, false]),
        ("Withdrawn: a.rs:3", [true, false]),
        ("On reflection this is fine.", [false, true]),
        ("Retracting this: the caller holds the lock.", [false, true]),
        ("Retracting the BLOCK on a.rs:3, it is dropped.", [true, false]),
        ("Wait, reviewing again - this appears correct. Please disregard this comment.", [false, true]),
        ("Never mind, that is guarded above.", [false, true]),
        ("RETRACT: none", [false, false]),
        ("Withdrawn funds are counted twice.", [false, false]),
        ("The check gives a false positive.", [false, false]),
    ] {
        let reading = read(&format!("{two}{words}\n\nVERDICT: hold\n"), None);
        let retracted: Vec<bool> = reading.findings.iter().map(|finding| finding.retracted).collect();
        assert_eq!(retracted, expect, "{words}");
    }
    let unknown = read(&format!("{two}RETRACT: c.rs:1\nVERDICT: hold"), None);
    assert_eq!(
        unknown.rejects,
        [Reject { text: "RETRACT: c.rs:1".into(), reason: "takes back a finding that was not made".into() }]
    );
}

#[test]
fn thoughts_are_not_the_answer() {
    check(
        "<think>\nWHERE: x.rs:1\nWHAT: maybe\n```\n</think>\nWHERE: a.rs:3\nWHAT: It leaks.",
        &["WARN a.rs:3 It leaks."],
    );
    check(
        "WHERE: x.rs:1\nWHAT: maybe\n</think>\n\nWHERE: a.rs:3\nWHAT: It leaks.",
        &["WARN a.rs:3 It leaks."],
    );
    check("WHERE: a.rs:3\nWHAT: `<think>` is not escaped.", &["WARN a.rs:3 `<think>` is not escaped."]);
    assert_eq!(
        read("<think>I wonder", None).completeness,
        Completeness::Incomplete("cut off while thinking".into())
    );
}

#[test]
fn completeness_is_judged_from_the_text() {
    let incomplete = |reason: &str| Completeness::Incomplete(reason.to_owned());
    let block = "SEVERITY: WARN\nWHERE: a.rs:3\nWHAT: It leaks.";
    for (text, expect) in [
        (String::new(), Completeness::Empty),
        (" \n\t\u{feff}".into(), Completeness::Empty),
        (
            "<!DOCTYPE html><html><body>502</body></html>".into(),
            Completeness::Unusable("a web page instead of a review".into()),
        ),
        (
            "{\"error\":{\"message\":\"overloaded\"}}".into(),
            Completeness::Unusable("an error message instead of a review".into()),
        ),
        ("I cannot help with that.".into(), incomplete("neither findings nor a verdict")),
        ("{\"findings\": []}".into(), incomplete("neither findings nor a verdict")),
        (block.into(), Completeness::Whole),
        ("VERDICT: ship".into(), Completeness::Whole),
        (
            format!("{block}\n\nSEVERITY: WARN\nWHERE: b.rs:3"),
            incomplete("cut off before the last finding's claim"),
        ),
        (
            format!("{block}\n\nSEVERITY: WARN\nWHERE: b.rs:3\nWHAT: the len"),
            incomplete("cut off in the middle of a sentence"),
        ),
        (format!("{block}\n```rust\nlet a"), incomplete("cut off inside a code block")),
        (format!("{block}\n\nVERDI"), incomplete("cut off in the middle of a sentence")),
        (
            "<html><body>502 at server/app.js:12:5</body></html>".into(),
            Completeness::Unusable("a web page instead of a review".into()),
        ),
        (
            "{\"error\": {\"message\": \"failed at app.js:12:5\"}}".into(),
            Completeness::Unusable("an error message instead of a review".into()),
        ),
        (format!("{block}\n\nVERDICT: "), incomplete("cut off in the verdict")),
        (format!("{block}\n\nVERDICT: hold"), Completeness::Whole),
    ] {
        assert_eq!(read(&text, None).completeness, expect, "{text}");
    }
}

#[test]
fn copied_examples_and_places_without_a_claim_are_rejected_with_their_text() {
    let reasons =
        |text: &str| read(text, None).rejects.into_iter().map(|reject| reject.reason).collect::<Vec<_>>();
    assert_eq!(
        reasons(
            "SEVERITY: BLOCK | WARN | INFO\nWHERE: path:line | path:start-end | path:symbol\nWHAT: one sentence\n"
        ),
        ["copied from the prompt's example"]
    );
    assert_eq!(
        reasons("SEVERITY: WARN\nWHERE: .git/example-only.c:7\nWHAT: The condition assigns.\n"),
        ["copied from the prompt's example"]
    );
    let bare = read("SEVERITY: WARN\nWHERE: a.rs:3\n\nVERDICT: hold", None);
    assert_eq!(
        bare.rejects,
        [Reject { text: "SEVERITY: WARN\nWHERE: a.rs:3".into(), reason: "a place without a claim".into() }]
    );
}

#[test]
fn tables_are_read_by_their_header() {
    check(
        "| # | Severity | File | Line | Issue |\n|---|---|---|---|---|\n| 1 | High | `a.rs` | 3 | It leaks. |\n| 2 | Low | b.rs | 4-5 | A \\| B. |\n",
        &["BLOCK a.rs:3 It leaks.", "INFO b.rs:4-5 A \\| B."],
    );
}

#[test]
fn a_forgotten_fence_hides_nothing() {
    check(
        "WHERE: a.rs:3\nWHAT: One.\n```suggestion\nlet a;\n\nWHERE: b.rs:4\nWHAT: Two.\n```suggestion\nlet b;\n```\n\nWHERE: c.rs:5\nWHAT: Three.",
        &[
            "WARN a.rs:3 One.\n```suggestion\nlet a;",
            "WARN b.rs:4 Two.\n```suggestion\nlet b;\n```",
            "WARN c.rs:5 Three.",
        ],
    );
}

#[test]
fn a_place_without_a_path_leaves_the_finding_unplaced() {
    let finding =
        read("SEVERITY: BLOCK\nWHERE: the whole design of the parser\nWHAT: It is quadratic.\n", None)
            .findings
            .remove(0);
    assert_eq!((finding.location, finding.where_text.as_str()), (None, "the whole design of the parser"));
}

#[test]
fn a_markdown_report_is_read_with_its_sections() {
    check(
        "## Review\n\n### Critical Issues\n\n1. **Injection in `src/q.py:45`**\n   Raw id.\n\n### Minor Issues\n\n- `src/u.py:7`: unused\n- In `src/u.py`, line 9, the loop is off by one.\n\n### Summary\n\nMind src/q.py:45.\n\n**Verdict:** Request changes",
        &[
            "BLOCK src/q.py:45 Injection in `src/q.py:45`\nRaw id.",
            "INFO src/u.py:7 unused",
            "INFO src/u.py:9 In `src/u.py`, line 9, the loop is off by one.",
        ],
    );
}

#[test]
fn signs_before_labels_do_not_hide_them() {
    check(
        "📄 **File:** `src/x.ts`\n📍 **Line(s):** 14-18\n⚠️ **Severity:** High\n**Issue:** Not awaited.",
        &["BLOCK src/x.ts:14-18 Not awaited."],
    );
}

#[test]
fn a_retraction_may_count_the_findings_out() {
    check(
        "WHERE: a.rs:1\nWHAT: One.\n\nWHERE: b.rs:2\nWHAT: Two.\n\n---\nOn reflection, the first finding is fine.\n",
        &["WARN a.rs:1 One. (retracted)", "WARN b.rs:2 Two."],
    );
    check(
        "WHERE: a.rs:1\nWHAT: One.\n\nWHERE: a.rs:parse\nWHAT: Two.\n\nRETRACT: a.rs:1\nRETRACT: a.rs:1\n",
        &["WARN a.rs:1 One. (retracted)", "WARN a.rs::parse Two."],
    );
}
