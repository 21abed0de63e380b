//! Judges whether a reply is whole from the signs in its text: [`Signs`] to [`Completeness`].
//!
//! Never takes silence for a clean review.

use super::Completeness;

/// Why a reply that says nothing of use is not whole.
pub(super) const SAYS_NOTHING: &str = "neither findings nor a verdict";

/// What the reading found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "independent signs, read once")]
pub(super) struct Signs {
    /// Findings made, retracted ones too.
    pub findings: usize,
    /// A verdict was given.
    pub verdict: bool,
    /// The `END` line was given.
    pub ended: bool,
    /// A code fence is open at the end.
    pub in_fence: bool,
    /// The last finding has a place and no claim.
    pub unfinished: bool,
    /// The last verdict label has no known word.
    pub vague_verdict: bool,
}

/// Whether the reply `text` with these signs is whole.
pub(super) fn of(text: &str, signs: Signs) -> Completeness {
    let cut = |reason: &str| Completeness::Incomplete(reason.to_owned());
    if signs.findings == 0 && !signs.verdict {
        return foreign(text).unwrap_or_else(|| cut(SAYS_NOTHING));
    }
    if signs.ended {
        return Completeness::Whole;
    }
    match signs {
        Signs { in_fence: true, verdict: false, .. } => cut("cut off inside a code block"),
        Signs { unfinished: true, .. } => cut("cut off before the last finding's claim"),
        Signs { vague_verdict: true, verdict: false, .. } => cut("cut off in the verdict"),
        Signs { verdict: false, .. } if ends_in_a_word(text) => cut("cut off in the middle of a sentence"),
        _ => Completeness::Whole,
    }
}

/// Text that is no review: an HTML page, an error as JSON.
pub(super) fn foreign(text: &str) -> Option<Completeness> {
    let start: String =
        text.trim_start_matches('\u{feff}').trim_start().chars().take(200).collect::<String>().to_lowercase();
    let html =
        ["<!doctype html", "<html", "<head", "<body", "<?xml"].iter().any(|mark| start.starts_with(mark));
    let commented = start.starts_with("<!--") && start.contains("<html");
    if html || commented {
        return Some(Completeness::Unusable("a web page instead of a review".to_owned()));
    }
    let error = start.starts_with('{') && (start.contains("\"error\"") || start.contains("\"errors\""));
    error.then(|| Completeness::Unusable("an error message instead of a review".to_owned()))
}

/// No line ending, no full stop, nothing that closes: the text breaks off.
fn ends_in_a_word(text: &str) -> bool {
    let broken = |c: char| c.is_alphanumeric() || ",(-–—:/\\=+&_".contains(c);
    let end = text.trim_end_matches([' ', '\t', '*']);
    let last_line = end.rsplit('\n').next().unwrap_or_default();
    let several_words = last_line.split_whitespace().count() > 1;
    !text.ends_with('\n')
        && end.chars().next_back().is_some_and(broken)
        && (several_words || opens_a_label(last_line))
}

/// `VERDI`: the beginning of a label of the contract.
fn opens_a_label(line: &str) -> bool {
    let word = line.trim_matches(['*', '#', ' ']);
    let labels = ["SEVERITY", "WHERE", "QUOTE", "WHAT", "WHY", "FIX", "RETRACT", "VERDICT"];
    word.len() > 2 && labels.iter().any(|label| label.starts_with(word))
}
