//! Recorded replies of real models against the places they name, and hostile ones against the reader's bounds.

#![expect(clippy::disallowed_methods, reason = "fixtures are read from disk")]

use std::{collections::BTreeMap, path::Path};

use super::reply_properties::assert_all;
use proptest::prelude::*;
use scrum::{
    finding::{Finding, Reject},
    reply::{Completeness, Reading, read},
};

fn fixtures() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/replies")
}

fn place(finding: &Finding) -> String {
    let Some(location) = &finding.location else { return finding.where_text.clone() };
    // Whether `a/` is git's prefix or a folder is told by the change, which is not at hand here.
    let path = location.path.strip_prefix("a/").unwrap_or(&location.path);
    location.lines.map_or_else(|| path.to_owned(), |lines| format!("{path}:{}-{}", lines.start, lines.end))
}

#[test]
fn every_place_of_the_recorded_replies_is_read_and_none_is_invented() {
    let table = std::fs::read_to_string(fixtures().join("places.toml")).unwrap();
    let table: BTreeMap<String, Vec<String>> = toml::from_str(&table).unwrap();
    assert!(table.len() >= 15, "only {} replies", table.len());
    for (name, places) in table {
        let reading = read(&std::fs::read_to_string(fixtures().join(&name)).unwrap(), None);
        assert_eq!(reading.findings.iter().map(place).collect::<Vec<_>>(), places, "{name}");
        assert_eq!((reading.completeness, reading.rejects), (Completeness::Whole, Vec::new()), "{name}");
    }
}

#[test]
fn rambling_of_a_small_model_is_no_review() {
    let folder = std::fs::read_dir(fixtures().join("local")).unwrap();
    let texts: Vec<String> =
        folder.map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap()).collect();
    assert_eq!(texts.len(), 7);
    for text in texts {
        for nonce in [None, Some("90608735fd5228a8")] {
            let reading = read(&text, nonce);
            assert_eq!((reading.findings, reading.verdict), (Vec::new(), None), "{text}");
            assert!(matches!(reading.completeness, Completeness::Incomplete(_)), "{text}");
        }
    }
}

#[test]
fn a_reply_cut_at_any_byte_keeps_every_finding_before_the_cut() {
    let text =
        std::fs::read_to_string(fixtures().join("wild/ClickHouse-ClickHouse-75474/claude.md")).unwrap();
    let whole = read(&text, None).findings;
    for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
        let cut = read(&text[..end], None).findings;
        let sure = cut.len().saturating_sub(1);
        assert_eq!(cut[..sure], whole[..sure], "cut at {end}");
    }
}

/// Texts that make careless readers loop, recurse or swell, each repeated to a tenth of a megabyte.
const HOSTILE: &[&str] = &[
    "\n",
    "\r\n",
    "#",
    "# a\n\n",
    "1. x\n",
    "WHERE: a.rs:1\n",
    "SEVERITY: WARN\nWHERE: a.rs:1\n\n",
    "WHERE: a.rs:1\nWHAT: x\n",
    "```a\n",
    "```\n",
    "~~~~a\n```b\n````c\n",
    "{\n",
    "[1,\n",
    "[",
    "{\"a\":",
    "a",
    ":1",
    "`",
    "*",
    "🔴",
    "|",
    "| File | Issue |\n",
    "src/a.rs ",
    "line 1 of ",
    "[a](",
    "RETRACT: a.rs:1\n",
    "WHERE: a.rs:1\nWHAT: x.\nRETRACT: b.rs:2\n",
    "on reflection. ",
    "VERDICT:\n",
    "<think>",
    "</think>\n",
    "{\"file\":\"a\",\"line\":1,\"what\":\"x\"}\n",
    "@@ -1 +1 @@\n+a\n",
    "WHERE: \"",
    "- ",
    "WHAT: x\n",
    "\u{202e}\u{0}\u{1b}[2J",
];

#[test]
fn hostile_replies_are_read_within_bounds() {
    for unit in HOSTILE {
        let text = unit.repeat(100_000 / unit.len());
        let Reading { findings, rejects, .. } = read(&text, None);
        assert!(
            findings.len() <= 2_000 && rejects.len() <= 201,
            "{unit:?}: {} findings, {} rejects",
            findings.len(),
            rejects.len()
        );
        let bytes = |finding: &Finding| {
            finding.what.len() + finding.why.len() + finding.fix.len() + finding.where_text.len()
        };
        let kept: usize =
            findings.iter().map(bytes).chain(rejects.iter().map(|reject| reject.text.len())).sum();
        assert!(kept <= 2 * text.len() + 1_000, "{unit:?}: {kept} bytes kept");
    }
}

/// What the fuzzer once found, and small texts of every form: its seeds too.
#[test]
fn every_property_holds_for_the_corpus() {
    let mut read = 0;
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/reply")).unwrap() {
        assert_all(&std::fs::read_to_string(entry.unwrap().path()).unwrap());
        read += 1;
    }
    assert!(read >= 100, "only {read} texts");
}

#[test]
fn what_is_left_out_is_said() {
    let reading = read(&"WHERE: a.rs:1\nWHAT: x\n\n".repeat(2_003), None);
    assert_eq!(reading.findings.len(), 2_000);
    assert_eq!(
        reading.rejects,
        [Reject {
            text: String::new(),
            reason: "3 more findings or rejects than one reply may have".to_owned()
        }]
    );
    assert!(matches!(reading.completeness, Completeness::Incomplete(_)), "{:?}", reading.completeness);
}

#[test]
fn a_block_behind_the_bounds_leaves_no_clean_reply() {
    let many = "SEVERITY: INFO\nWHERE: a.rs:1\nWHAT: x\n\n".repeat(2_000);
    let blocked = "SEVERITY: BLOCK\nWHERE: b.rs:1\nWHAT: It leaks.\n\nVERDICT: ship, fine\nEND abcd\n";
    let row = r#"{"file": "a.rs", "line": 1, "severity": "info", "message": "x"},"#.repeat(2_000);
    let data =
        format!(r#"[{row}{{"file": "b.rs", "line": 1, "severity": "block", "message": "It leaks."}}]"#);
    for text in
        [format!("{many}{blocked}"), data.clone(), format!("{data}\n\nVERDICT: ship, fine\nEND abcd\n")]
    {
        let reading = read(&text, Some("abcd"));
        let reason = "1 more findings or rejects than one reply may have".to_owned();
        assert_eq!(reading.completeness, Completeness::Incomplete(reason));
        assert_eq!(reading.left_out, 1);
    }
}

/// Lines that mean something to the reader, to be shuffled.
fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        "SEVERITY: (BLOCK|WARN|INFO|high|nit)",
        "(WHERE|File|Location): [`*]{0,2}[a-z]{1,4}(/[a-z]{1,3})?\\.rs(:[0-9]{1,3}(-[0-9]{1,3})?)?[`*]{0,2}",
        "(WHAT|WHY|FIX|QUOTE): [ -~]{0,30}",
        "[-*#0-9.]{0,3} ?[a-z/]{1,6}\\.[a-z]{1,3}:[0-9]{1,4} ?[ -~]{0,20}",
        "(```|~~~)[a-z]{0,4}",
        "RETRACT: [a-z]{1,3}\\.rs:[0-9]",
        "VERDICT: (ship|hold|ship-with-fixes)",
        "[|>+-]{1,2} [ -~]{0,20}",
        "[ -~]{0,40}",
        Just(String::new()),
    ]
}

proptest! {
    #[test]
    fn every_property_holds_for_lines_that_mean_something(lines in prop::collection::vec(line(), 0..40)) {
        assert_all(&lines.join("\n"));
    }

    #[test]
    fn every_text_of_a_finding_stands_in_the_reply(lines in prop::collection::vec(line(), 0..40)) {
        let reply = lines.join("\n");
        // White space of a line is told as a space.
        let plain = |text: &str| text.replace('*', "").replace('\u{c}', " ");
        let in_reply = |text: &str| text.lines().all(|line| plain(&reply).contains(plain(line).trim()));
        for finding in read(&reply, None).findings {
            for text in [&finding.what, &finding.why, &finding.fix, &finding.where_text, &finding.severity_word] {
                prop_assert!(in_reply(text), "{text:?} is not in {reply:?}");
            }
        }
    }

    #[test]
    fn a_finding_in_the_contract_form_is_never_lost(noise in prop::collection::vec("[a-zA-Z ,]{0,40}", 0..10), line in 1..5_000_u32) {
        let noise = noise.join("\n");
        let reply = format!("{noise}\n\nSEVERITY: BLOCK\nWHERE: src/lib.rs:{line}\nWHAT: It breaks.\n\nVERDICT: hold\n");
        let reading = read(&reply, None);
        prop_assert_eq!(reading.findings.iter().map(place).collect::<Vec<_>>(), [format!("src/lib.rs:{line}-{line}")]);
        prop_assert_eq!(reading.completeness, Completeness::Whole);
    }
}
