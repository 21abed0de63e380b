//! What holds for the reading of any text: [`assert_all`]. The fuzz target `reply` and the plain tests share it.

use scrum::{
    finding::Finding,
    reply::{Completeness, Reading, read},
};

/// A finding that no text may hide when it stands behind it.
const BEHIND: &str =
    "\n\nSEVERITY: BLOCK\nWHERE: behind/everything.rs:4711\nWHAT: It stands behind.\n\nVERDICT: hold\n";

/// Panics unless every property holds for `text`.
pub(crate) fn assert_all(text: &str) {
    let reading = read(text, None);
    assert_eq!(reading, read(text, None), "reading is deterministic");
    assert_bounds(text, &reading);
    assert_sound(text, &reading);
    assert_nonce_only_ends(text, &reading);
    assert_nothing_hides_what_follows(text);
}

/// No reply makes the reading larger than itself by more than a small factor.
fn assert_bounds(text: &str, reading: &Reading) {
    assert!(reading.findings.len() <= 2_000, "{} findings", reading.findings.len());
    assert!(reading.rejects.len() <= 201, "{} rejects", reading.rejects.len());
    let rejects = reading.rejects.iter().map(|reject| reject.text.len());
    let kept: usize = reading.findings.iter().map(bytes).chain(rejects).sum();
    assert!(kept <= 3 * text.len() + 1_000, "{kept} bytes kept of {}", text.len());
}

fn bytes(finding: &Finding) -> usize {
    let places = finding.location.iter().chain(&finding.also_at);
    let names = places.map(|place| place.symbol.as_ref().map_or(0, String::len));
    let quote = finding.quote.as_ref().map_or(0, String::len);
    let texts = [&finding.what, &finding.why, &finding.fix, &finding.where_text, &finding.severity_word];
    texts.into_iter().map(String::len).sum::<usize>() + names.sum::<usize>() + quote
}

/// Every finding claims something, every line number is one, and only a reply that says something is whole.
fn assert_sound(text: &str, reading: &Reading) {
    for finding in &reading.findings {
        assert!(!finding.what.trim().is_empty(), "a finding without a claim: {finding:?}");
        for place in finding.location.iter().chain(&finding.also_at) {
            assert!(place.lines.is_none_or(|lines| 0 < lines.start && lines.start <= lines.end), "{place:?}");
        }
    }
    let says = !reading.findings.is_empty() || reading.verdict.is_some();
    assert!(says || reading.completeness != Completeness::Whole, "whole without a word");
    let blank = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}').is_empty();
    assert_eq!(reading.completeness == Completeness::Empty, blank);
}

/// A nonce tells which `END` line is real, and nothing else.
fn assert_nonce_only_ends(text: &str, reading: &Reading) {
    let other = read(text, Some("nonce-of-no-reply"));
    if !text.contains("END ") {
        assert_eq!(*reading, other, "the nonce matters where nothing ends");
    }
    assert!(other.verdict.is_none() || reading.verdict.is_some(), "a nonce adds a verdict");
}

/// Whatever stands before it, a finding in the contract's form is read, or the reading says that something is missing.
fn assert_nothing_hides_what_follows(text: &str) {
    let reading = read(&format!("{text}{BEHIND}"), None);
    let found = reading
        .findings
        .iter()
        .any(|finding| finding.location.as_ref().is_some_and(|place| place.path == "behind/everything.rs"));
    let said = !reading.rejects.is_empty() || reading.completeness != Completeness::Whole;
    assert!(found || said, "a finding behind {text:?} is lost: {reading:?}");
}
