//! What a reviewer concluded, in the contract's words or the usual others: [`Verdict`].
//!
//! Only the words behind a `VERDICT:` label are looked at, never running text.

use crate::finding::Verdict;

/// Words looked at: the conclusion comes first, the reasons after it.
const WORDS: usize = 12;

const HOLD: &[&str] = &[
    "hold",
    "reject",
    "rejected",
    "block",
    "blocked",
    "nack",
    "no-go",
    "decline",
    "fail",
    "failed",
    "request changes",
    "requests changes",
    "changes requested",
    "request_changes",
    "changes required",
    "needs work",
    "need work",
    "needs changes",
    "needs fixes",
    "not ready",
    "incorrect",
    "patch is incorrect",
    "rework",
];
const FIXES: &[&str] = &[
    "ship with fixes",
    "ship-with-fixes",
    "ship_with_fixes",
    "minor changes",
    "minor fixes",
    "conditional",
    "conditionally",
    "comment",
    "approve with comments",
    "approve_with_comments",
];
const SHIP: &[&str] = &[
    "ship",
    "ship it",
    "approve",
    "approved",
    "approves",
    "accept",
    "accepted",
    "lgtm",
    "merge",
    "mergeable",
    "pass",
    "passed",
    "ack",
    "go",
    "correct",
    "patch is correct",
    "looks good",
    "clean",
];
const REFUSALS: &[&str] = &["not", "don't", "dont", "never", "cannot", "can't", "no", "don’t", "can’t"];
const CONDITIONS: &[&str] =
    &["with", "after", "once", "provided", "if", "conditional", "conditionally", "pending", "subject"];

/// The verdict a value opens with; `None` when it says none, or offers all of them as the prompt's form does.
pub(super) fn of_value(value: &str) -> Option<Verdict> {
    let words: Vec<String> =
        value.split(parts_words).filter(|word| !word.is_empty()).take(WORDS).map(str::to_lowercase).collect();
    let offered = words.join(" ");
    if offered.starts_with("ship ship-with-fixes hold") || offered.starts_with("ship ship with fixes hold") {
        return None;
    }
    (0..words.len()).find_map(|at| starting_at(&words, at))
}

fn parts_words(c: char) -> bool {
    !(c.is_alphanumeric() || "-_'’".contains(c))
}

fn starting_at(words: &[String], at: usize) -> Option<Verdict> {
    let found = longest(words, at)?;
    let refused = words[at.saturating_sub(2)..at].iter().any(|word| REFUSALS.contains(&word.as_str()));
    match found {
        (Verdict::Ship, _) if refused => Some(Verdict::Hold),
        (Verdict::Ship, next) if is_conditional(&words[next..]) => Some(Verdict::ShipWithFixes),
        (Verdict::Hold, _) if refused => None,
        (verdict, _) => Some(verdict),
    }
}

fn is_conditional(after: &[String]) -> bool {
    let first = after.first().is_some_and(|word| CONDITIONS.contains(&word.as_str()));
    first && !after.get(1).is_some_and(|word| ["confidence", "no"].contains(&word.as_str()))
}

/// The longest known phrase at `at` and where it ends.
fn longest(words: &[String], at: usize) -> Option<(Verdict, usize)> {
    let scales = [(HOLD, Verdict::Hold), (FIXES, Verdict::ShipWithFixes), (SHIP, Verdict::Ship)];
    (1..=3).rev().filter(|length| at + length <= words.len()).find_map(|length| {
        let phrase = words[at..at + length].join(" ");
        let known = scales.iter().find(|(phrases, _)| phrases.contains(&phrase.as_str()));
        known.map(|(_, verdict)| (*verdict, at + length))
    })
}
