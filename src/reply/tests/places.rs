//! How places are written, several of them in one finding, frames that models put around findings, and what is none.

use super::*;

/// How a place may be written, and what is read.
const PLACES: &[(&str, &str)] = &[
    ("a.rs:3", "a.rs:3"),
    ("src/a.rs:3-7", "src/a.rs:3-7"),
    ("src/a.rs:7-3", "src/a.rs:3-7"),
    ("src/a.rs:3:14", "src/a.rs:3"),
    ("src/a.rs:3:1-7:20", "src/a.rs:3-7"),
    ("src/a.rs#L3", "src/a.rs:3"),
    ("src/a.rs#L3-L7", "src/a.rs:3-7"),
    ("src/a.rs:L3-L7", "src/a.rs:3-7"),
    ("src/a.rs#L3C5-L7C1", "src/a.rs:3-7"),
    ("`src/a.rs:3`", "src/a.rs:3"),
    ("`src/a.rs`:3", "src/a.rs:3"),
    ("**src/a.rs:3**", "src/a.rs:3"),
    ("**`src/a.rs:3–7`**", "src/a.rs:3-7"),
    ("[src/a.rs:3](src/a.rs#L3)", "src/a.rs:3"),
    ("[the lock](src/a.rs#L3)", "src/a.rs:3"),
    ("[`src/a.rs`](src/a.rs):3", "src/a.rs:3"),
    // A folder of the repository may be called so; whether it is git's prefix is told by the change.
    ("a/src/a.rs:3", "a/src/a.rs:3"),
    ("./src/a.rs:3", "src/a.rs:3"),
    ("https://github.com/o/r/blob/0123abc/src/a.rs#L3-L7", "src/a.rs:3-7"),
    ("src/a.rs (line 3)", "src/a.rs:3"),
    ("src/a.rs (lines 3–7)", "src/a.rs:3-7"),
    ("`src/a.rs` (lines 3 to 7)", "src/a.rs:3-7"),
    ("src/a.rs (L3-L7)", "src/a.rs:3-7"),
    ("src/a.rs lines 3 to 7", "src/a.rs:3-7"),
    ("src/a.rs, line 3", "src/a.rs:3"),
    ("src/a.rs, lines 3-7", "src/a.rs:3-7"),
    ("src/a.rs at line 3", "src/a.rs:3"),
    ("src/a.rs line 3", "src/a.rs:3"),
    ("src/a.rs:3..7", "src/a.rs:3-7"),
    ("src/a.rs: line 3", "src/a.rs:3"),
    ("src/a.rs:lines 3-7", "src/a.rs:3-7"),
    ("src/a.rs:3 (in `parse`)", "src/a.rs:3"),
    ("src/a.rs:3 — the loop", "src/a.rs:3"),
    ("src/a.rs:3, src/b.rs:9", "src/a.rs:3 + src/b.rs:9"),
    ("src/a.rs:3 and src/b.rs:9-10", "src/a.rs:3 + src/b.rs:9-10"),
    ("src/a.rs (lines 3, 9 and 20-22)", "src/a.rs:3 + src/a.rs:9 + src/a.rs:20-22"),
    ("src/a.rs", "src/a.rs"),
    ("src/a.rs:parse", "src/a.rs::parse"),
    ("src/a.rs::parse", "src/a.rs::parse"),
    ("src/a.rs:Parser::parse()", "src/a.rs::Parser::parse"),
    ("src/a.rs::impl Parser", "src/a.rs::impl Parser"),
    ("src/a.rs (`parse`)", "src/a.rs::parse"),
    ("src/my file.rs:3", "src/my file.rs:3"),
    ("y/sp ace #1 ä.py:1", "y/sp ace #1 ä.py:1"),
    ("src/a.rs #3: the lock of b.rs:9", "src/a.rs:3"),
    ("Makefile #L3", "Makefile:3"),
    ("app/[id]/(group)/page.tsx:3", "app/[id]/(group)/page.tsx:3"),
    (".github/workflows/ci.yml:3", ".github/workflows/ci.yml:3"),
    ("Makefile:3", "Makefile:3"),
    ("__init__.py:3", "__init__.py:3"),
    ("src\\win\\a.rs:3", "src/win/a.rs:3"),
    ("C:\\src\\a.rs:3", "C:/src/a.rs:3"),
    ("src/a.rs:0", "src/a.rs"),
    ("src/a.rs:99999999999999999999", "src/a.rs"),
    ("src/@types/x.d.ts:3", "src/@types/x.d.ts:3"),
    ("src/c++/a.h++:3", "src/c++/a.h++:3"),
];

#[test]
fn places_are_read_in_every_dress() {
    for (form, expect) in PLACES {
        check(
            &format!("SEVERITY: WARN\nWHERE: {form}\nWHAT: It leaks.\n"),
            &[&format!("WARN {expect} It leaks.")],
        );
    }
}

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
        &["WARN a.rs:3 In full:\n- Line 4: a detail"],
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
fn a_place_that_says_there_is_none_is_no_path() {
    for place in [
        "n/a",
        "N/A",
        "none",
        "None.",
        "-",
        "—",
        "general",
        "multiple files",
        "`N/A`",
        "**N/A**",
        "n/a (whole change)",
        "[none]",
        "all files",
        "(none)",
        "N/A — general",
    ] {
        check(&format!("SEVERITY: WARN\nWHERE: {place}\nWHAT: It leaks.\n"), &["WARN  It leaks."]);
    }
    for key in ["where", "file", "path", "location"] {
        check(
            &format!("[{{\"severity\": \"WARN\", \"{key}\": \"N/A\", \"what\": \"It leaks.\"}}]"),
            &["WARN  It leaks."],
        );
    }
    check("SEVERITY: WARN\nFILE: general\nWHAT: It leaks.\n", &["WARN  It leaks."]);
    check("SEVERITY: WARN\nWHERE: general.rs:3\nWHAT: It leaks.\n", &["WARN general.rs:3 It leaks."]);
    check(
        "SEVERITY: WARN\nWHERE: multiple files (src/a.rs:3)\nWHAT: It leaks.\n",
        &["WARN src/a.rs:3 It leaks."],
    );
}

#[test]
fn nothing_to_report_is_no_finding() {
    let reading = read("SEVERITY: INFO\nWHERE: none\nWHAT: No issues found.\n\nVERDICT: ship", None);
    assert_eq!(reading.rejects[0].reason, "says that there is nothing to say");
    assert_eq!((reading.findings.len(), reading.verdict), (0, Some(Verdict::Ship)));
}

#[test]
fn a_verdict_that_asks_for_changes_never_stands_alone() {
    let reasons = |text: &str| -> Vec<String> {
        read(text, None).rejects.into_iter().map(|reject| reject.reason).collect()
    };
    let unexplained = "asks for changes, and no finding could be read";
    assert_eq!(reasons("The last line is lost in parse().\n\nVERDICT: hold, see above"), [unexplained]);
    assert_eq!(reasons("VERDICT: ship-with-fixes"), [unexplained]);
    assert!(reasons("WHERE: a.rs:3\nWHAT: It leaks.\n\nVERDICT: hold").is_empty());
    assert!(reasons("All of it is fine.\n\nVERDICT: ship").is_empty());
}

#[test]
fn of_two_severities_for_one_claim_both_stand() {
    check(
        "SEVERITY: WARN\nWHERE: a.rs:3\nWHAT: It leaks.\n\nSEVERITY: BLOCK\nWHERE: a.rs:3\nWHAT: It leaks.\n",
        &["WARN a.rs:3 It leaks.", "BLOCK a.rs:3 It leaks."],
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

#[test]
fn places_are_read_in_further_spellings() {
    check("WHERE: src/a.rs@45\nWHAT: It leaks.", &["WARN src/a.rs:45 It leaks."]);
    check(
        "WHERE: node_modules/a.js@1.2/b.js:3\nWHAT: It leaks.",
        &["WARN node_modules/a.js@1.2/b.js:3 It leaks."],
    );
    check(
        "* Fichier `a.rb`, lignes 20 à 24 : inutile.",
        &["WARN a.rb:20-24 Fichier `a.rb`, lignes 20 à 24 : inutile."],
    );
    check("1. `a.rb` の 34行目：漏れ。", &["WARN a.rb:34 漏れ。"]);
    check("1. `a.rb` の 12〜15行目：漏れ。", &["WARN a.rb:12-15 漏れ。"]);
    check(
        "In `@src/a.ts`:\n- Around line 45-52: It leaks.\n- Line 70: It loops.\n\nIn `@b.ts`:\n- Around line 8: It stops.",
        &["WARN src/a.ts:45-52 It leaks.", "WARN src/a.ts:70 It loops.", "WARN b.ts:8 It stops."],
    );
}

#[test]
fn a_code_span_that_opens_a_claim_keeps_its_mark() {
    check("1. **a.rs:3** – `stop` hangs.", &["WARN a.rs:3 `stop` hangs."]);
    check("`a.rs:3`: It hangs.", &["WARN a.rs:3 It hangs."]);
}

#[test]
fn a_section_gives_its_severity_until_the_next_one() {
    check(
        "### 🔴 Critical\n\n**1. Leak**\n* **File:** a.rs\n* **Line:** 3\n* **Fix:** Close it.\n\n### 🟢 Low\n\n**2. Typo**\n* **File:** b.rs\n* **Line:** 4\n* **Description:** It is misspelt.\n",
        &["BLOCK a.rs:3 Leak", "INFO b.rs:4 Typo\n\nIt is misspelt."],
    );
    check(
        "## Blocking\n\n### Leak\n`a.rs:3`\n\nIt leaks.\n\n## Info\n\n### Typo\n`b.rs:4`\n\nMisspelt.\n",
        &["BLOCK a.rs:3 It leaks.", "INFO b.rs:4 Misspelt."],
    );
}

#[test]
fn a_place_named_in_praise_is_no_finding() {
    let reading = read("The change at a.rs:3 is right.\n\nNo issues found. LGTM!\n", None);
    assert_eq!((reading.findings.len(), reading.rejects.len()), (0, 1));
    assert_eq!(reading.completeness, Completeness::Incomplete("neither findings nor a verdict".into()));
    check(
        "The lock at a.rs:3 leaks. No issues in other files.",
        &["WARN a.rs:3 The lock at a.rs:3 leaks. No issues in other files."],
    );
}

#[test]
fn a_closing_tag_that_is_quoted_hides_nothing() {
    let first = "SEVERITY: BLOCK\nWHERE: a.rs:3\nWHAT: It leaks.\n\n";
    for quoted in ["QUOTE: text.split(\"</think>", "**WHAT**: It cuts at </think>"] {
        let second =
            format!("SEVERITY: INFO\nWHERE: b.rs:4\n{quoted}\nWHY: Drafts.\n\nVERDICT: hold, that\n");
        let reading = read(&format!("{first}{second}"), None);
        assert_eq!(reading.findings.len(), 2, "{quoted}: {reading:?}");
    }
}

#[test]
fn a_thinking_tag_that_is_only_shown_hides_nothing() {
    check(
        "WHERE: a.rs:3\nWHAT: The template is cut at\n</think>\nwhich users may write.\n\nVERDICT: hold",
        &["WARN a.rs:3 The template is cut at\n</think>\nwhich users may write."],
    );
    check(
        "WHERE: x.rs:1\nWHAT: Draft.\n</think>\nWHERE: b.rs:4\nWHAT: It stops.\n",
        &["WARN b.rs:4 It stops."],
    );
    let shown = "```\n<think>\n```\n\nWHERE: a.rs:3\nWHAT: It leaks.\n\n```\n</think>\n```\n\nWHERE: b.rs:4\nWHAT: It stops.\n";
    check(shown, &["WARN a.rs:3 It leaks.\n\n```\n</think>\n```", "WARN b.rs:4 It stops."]);
    check(
        "<think>\n```\nx\n```\nWHERE: a.rs:3\nWHAT: Draft.\n</think>\nWHERE: b.rs:4\nWHAT: It stops.\n",
        &["WARN b.rs:4 It stops."],
    );
}
