//! The reader against replies as models write them.

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
    };
    assert_eq!(read(reply, Some("abcd1234")), reading);
}

proptest! {
    #[test]
    fn any_text_is_read(text in any::<String>(), nonce in proptest::option::of("[a-z0-9]{8}")) {
        read(&text, nonce.as_deref());
    }
}
