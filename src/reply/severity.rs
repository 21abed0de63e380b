//! Words for how bad a finding is, from the scales reviewers use, on to our three: [`Severity`].
//!
//! The reviewer's own word is always kept beside it. Four-step scales (critical, high, medium, low) put the upper two
//! on `BLOCK`; the five steps of linters (blocker, critical, major, minor, info) put `major` on `WARN`.

use std::{collections::HashMap, sync::LazyLock};

use crate::finding::Severity;

const BLOCK: &[&str] = &[
    "block",
    "blocker",
    "blocking",
    "critical",
    "crit",
    "high",
    "highest",
    "fatal",
    "severe",
    "serious",
    "error",
    "urgent",
    "must fix",
    "must-fix",
    "showstopper",
    "p0",
    "p1",
    "s0",
    "s1",
    "sev0",
    "sev1",
    "严重",
    "致命",
    "高",
    "🔴",
    "🚨",
    "🛑",
    "❌",
    "⛔",
    "🔥",
];
const WARN: &[&str] = &[
    "warn",
    "warning",
    "warnings",
    "medium",
    "med",
    "moderate",
    "major",
    "normal",
    "important",
    "should fix",
    "should-fix",
    "p2",
    "s2",
    "sev2",
    "警告",
    "中",
    "🟠",
    "🟡",
    "⚠️",
    "⚠",
];
const INFO: &[&str] = &[
    "info",
    "informational",
    "information",
    "low",
    "lowest",
    "minor",
    "nit",
    "nits",
    "nitpick",
    "trivial",
    "note",
    "style",
    "cosmetic",
    "suggestion",
    "suggestions",
    "optional",
    "question",
    "hint",
    "consider",
    "p3",
    "p4",
    "p5",
    "s3",
    "s4",
    "sev3",
    "sev4",
    "低",
    "建议",
    "提示",
    "🔵",
    "🟢",
    "⚪",
    "ℹ️",
    "ℹ",
    "💡",
];

static BY_WORD: LazyLock<HashMap<&'static str, Severity>> = LazyLock::new(|| {
    let scales = [(BLOCK, Severity::Block), (WARN, Severity::Warn), (INFO, Severity::Info)];
    scales.iter().flat_map(|(words, severity)| words.iter().map(|word| (*word, *severity))).collect()
});

/// Our severity for one word (or two) of any usual scale, in any case.
pub(super) fn of_word(word: &str) -> Option<Severity> {
    if word.is_empty() || word.len() > 24 {
        return None;
    }
    BY_WORD.get(word.to_lowercase().as_str()).copied()
}

/// What stands after `SEVERITY:`: the first known word, else `Warn` with the words as given.
pub(super) fn of_value(value: &str) -> (Severity, &str) {
    let dress = |c: char| c.is_whitespace() || "*_`[](){}<>\"'|:".contains(c);
    let value = value.trim_matches(dress);
    let head = value.char_indices().nth(60).map_or(value, |(at, _)| &value[..at]);
    for word in head.split(|c: char| !c.is_alphanumeric() && c != '-').filter(|word| !word.is_empty()) {
        if let Some(severity) = of_word(word) {
            return (severity, word);
        }
    }
    let words = ["must fix", "should fix"];
    let known = words.into_iter().find_map(|word| find_ignoring_case(head, word));
    if let Some(word) = known {
        return (of_word(word).unwrap_or(Severity::Warn), word);
    }
    leading_sign(head).map_or((Severity::Warn, head), |(severity, sign, _)| (severity, sign))
}

fn find_ignoring_case<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    (0..text.len())
        .filter_map(|at| text.get(at..at + word.len()))
        .find(|part| part.eq_ignore_ascii_case(word))
}

/// A severity that opens a line and is set off from what follows: `[HIGH]`, `**Medium** —`, `🔴`, `nit:`.
/// Gives the severity, its word and the rest of the line.
pub(super) fn leading(body: &str) -> Option<(Severity, &str, &str)> {
    if let Some((severity, sign, rest)) = leading_sign(body) {
        return Some(leading_word(rest).unwrap_or((severity, sign, rest)));
    }
    leading_word(body)
}

fn leading_word(body: &str) -> Option<(Severity, &str, &str)> {
    let opened = body.trim_start_matches(['[', '(', '*', '_', '`', '{']);
    let word_end = opened.find(|c: char| !c.is_alphanumeric() && c != '-').unwrap_or(opened.len());
    let severity_end = two_words(opened, word_end).unwrap_or(word_end);
    let word = opened.get(..severity_end)?;
    let severity = of_word(word)?;
    let after = skip_noun(&opened[severity_end..]);
    let enclosed = opened.len() < body.len();
    let shouted = word.len() > 1 && word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    let set_off =
        after.trim_start().starts_with([']', ')', '*', '_', ':', '—', '–', '-', '|', '`', '/', ',', '}']);
    let ends = after.trim().is_empty();
    (set_off || ends || (shouted && after.starts_with(' ')) || (enclosed && after.starts_with('*')))
        .then(|| (severity, word, after.trim_start_matches(parts_severity)))
}

fn leading_sign(body: &str) -> Option<(Severity, &str, &str)> {
    let first = body.chars().next().filter(|c| !c.is_alphanumeric() && !c.is_ascii())?;
    let mut end = first.len_utf8();
    if body[end..].starts_with('\u{fe0f}') {
        end += '\u{fe0f}'.len_utf8();
    }
    Some((of_word(&body[..end])?, &body[..end], body[end..].trim_start()))
}

fn two_words(text: &str, first_end: usize) -> Option<usize> {
    let rest = text.get(first_end..)?.strip_prefix(' ')?;
    let second = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
    let end = first_end + 1 + second;
    of_word(text.get(..end)?).map(|_| end)
}

/// `High severity`, `Medium priority`: the noun says nothing.
fn skip_noun(after: &str) -> &str {
    let trimmed = after.trim_start();
    for noun in ["severity", "priority", "risk"] {
        if trimmed.get(..noun.len()).is_some_and(|word| word.eq_ignore_ascii_case(noun)) {
            return &trimmed[noun.len()..];
        }
    }
    after
}

/// Characters that stand between a severity and a place; a path may start with `.` or a code span.
fn parts_severity(c: char) -> bool {
    c.is_whitespace() || "])}*_:—–-|,·•/".contains(c)
}

/// Characters that stand between a place and a claim.
pub(super) fn is_separator(c: char) -> bool {
    c.is_whitespace() || "])}*_:—–-|`/,.•·".contains(c)
}

/// A heading that names only a severity for what follows: `Critical issues`, `🟡 Warnings`, `Low severity findings (2)`.
pub(super) fn of_section(heading: &str) -> Option<Severity> {
    if heading.len() > 60 {
        return None;
    }
    let fillers = [
        "issues", "issue", "findings", "severity", "priority", "problems", "bugs", "and", "concerns",
        "level", "items",
    ];
    let mut found = leading_sign(heading).map(|(severity, ..)| severity);
    for word in heading.split(|c: char| !c.is_alphanumeric() && c != '-').filter(|word| !word.is_empty()) {
        let lower = word.to_lowercase();
        match of_word(&lower).or_else(|| of_word(lower.trim_end_matches('s'))) {
            Some(severity) => found = found.or(Some(severity)),
            None if fillers.contains(&lower.as_str()) || lower.bytes().all(|byte| byte.is_ascii_digit()) => {}
            None => return None,
        }
    }
    found
}
