//! Reads an answer to a question about claims, `ANSWER:`, `QUOTE:` and `WHY:`: [`read_judgement`] to a [`Statement`].
//!
//! Strict about the one word, tolerant of its dress. Whether the word is one of the question's, and whether the quote
//! stands in what was shown, is `judge`'s decision.

use super::{
    line::{Bare, Kind, Line, Lines, bare},
    thinking,
};

/// Longest quote and reason kept, in bytes.
const LONGEST: usize = 2_000;

/// Most quotes kept of one reply.
const MOST: usize = 20;

/// What a reply states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The one word of the vocabulary, or why there is none.
    pub answer: Result<&'static str, NoAnswer>,
    /// Every quote, without the marks around it.
    pub quotes: Vec<String>,
    /// The first reason; empty when none is given.
    pub why: String,
}

/// Why a reply answers nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// Not even the label.
    #[error("it has no ANSWER line")]
    Missing,
    /// Another word, several, or none.
    #[error("it is not one of the words asked for")]
    Foreign,
    /// Two answers.
    #[error("it contradicts itself")]
    Contradiction,
}

/// Reads `text`, whose answer is one of `vocabulary`, which are words in capitals. Only the reviewer's own lines give
/// answers and reasons: what stands behind `>` or in a fence is quoted.
pub fn read_judgement(text: &str, vocabulary: &[&'static str]) -> Statement {
    let mut statement = Statement { answer: Err(NoAnswer::Missing), quotes: Vec::new(), why: String::new() };
    let (answer, thinking) = thinking::without(text);
    if thinking == thinking::Thinking::Unfinished {
        return statement;
    }
    let mut lines = Lines::new(unwrapped(&answer));
    while let Some(line) = lines.next() {
        if line.kind != Kind::Prose {
            continue;
        }
        match labelled(line.raw) {
            Some((Label::Answer, value)) => statement.answers(one_of(vocabulary, value)),
            Some((Label::Quote, "")) => statement.quotes(below(lines.clone())),
            Some((Label::Quote, value)) => statement.quotes(Some(undressed(value))),
            Some((Label::Why, value)) if statement.why.is_empty() => statement.why = bounded(value),
            Some((Label::Why, _)) | None => {}
        }
    }
    statement
}

impl Statement {
    fn answers(&mut self, word: Option<&'static str>) {
        self.answer = match (self.answer, word) {
            (Err(NoAnswer::Missing), Some(word)) => Ok(word),
            (Ok(earlier), Some(word)) if earlier == word => Ok(word),
            (Ok(_), Some(_)) => Err(NoAnswer::Contradiction),
            (Err(NoAnswer::Missing) | Ok(_), None) => Err(NoAnswer::Foreign),
            (Err(reason), _) => Err(reason),
        };
    }

    fn quotes(&mut self, quote: Option<&str>) {
        if self.quotes.len() < MOST {
            self.quotes.extend(quote.map(bounded));
        }
    }
}

fn bounded(text: &str) -> String {
    text[..text.floor_char_boundary(LONGEST)].to_owned()
}

/// A reply that as a whole stands in one code fence, taken out of it.
fn unwrapped(text: &str) -> &str {
    let inner = || {
        let (_, rest) = text.trim().strip_prefix("```")?.split_once('\n')?;
        rest.strip_suffix("```").filter(|inner| !inner.contains("```"))
    };
    inner().unwrap_or(text)
}

enum Label {
    Answer,
    Quote,
    Why,
}

/// The label a line opens with and the rest of the line.
fn labelled(raw: &str) -> Option<(Label, &str)> {
    let Bare { struck: false, body, .. } = bare(raw) else { return None };
    let end = body.find([':', '：'])?;
    let label = match body[..end].trim_matches(['*', '_', ' ']).to_ascii_lowercase().as_str() {
        "answer" => Label::Answer,
        "quote" => Label::Quote,
        "why" | "reason" => Label::Why,
        _ => return None,
    };
    let rest = body[end..].trim_start_matches([':', '：']);
    Some((label, rest.trim_start_matches(['*', '_']).trim()))
}

/// The word that `value` opens with, set off from what follows. `SAME?`, `SAME place` and `SAME or DIFFERENT` are none.
fn one_of(vocabulary: &[&'static str], value: &str) -> Option<&'static str> {
    let mut words = value.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let first = words.next()?;
    let word = vocabulary.iter().find(|word| first.eq_ignore_ascii_case(word))?;
    let after = &value[value.find(first)? + first.len()..];
    let next = after.trim_start_matches([' ', '*', '_', '`', '"']).chars().next();
    let set_off = next.is_none_or(|c| matches!(c, '.' | ',' | ';' | ':' | '(' | '-' | '–' | '—' | '!'));
    let another = words.any(|other| other != *word && vocabulary.contains(&other));
    (set_off && !another).then_some(*word)
}

/// The quote that stands below its label: the next line with anything on it that is not a fence.
fn below(mut lines: Lines<'_>) -> Option<&str> {
    let is_code = |line: &Line<'_>| line.kind != Kind::Blank && !line.raw.trim_start().starts_with("```");
    let line = lines.find(is_code)?;
    let no_label = line.kind != Kind::Prose || labelled(line.raw).is_none();
    no_label.then(|| undressed(line.raw.trim_start_matches(['>', ' '])))
}

/// Without the marks that people put around a quote.
fn undressed(value: &str) -> &str {
    let mut text = value.trim();
    for (open, close) in [("`", "`"), ("\"", "\""), ("'", "'"), ("“", "”"), ("«", "»")] {
        let inner = text.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
        text = inner.map_or(text, str::trim);
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WORDS: &[&str] = &["SAME", "DIFFERENT", "UNSURE"];

    struct Expected(Result<&'static str, NoAnswer>);

    impl From<&'static str> for Expected {
        fn from(word: &'static str) -> Self {
            Self(Ok(word))
        }
    }

    impl From<NoAnswer> for Expected {
        fn from(reason: NoAnswer) -> Self {
            Self(Err(reason))
        }
    }

    #[track_caller]
    fn check(text: &str, answer: impl Into<Expected>, quotes: &[&str], why: &str) {
        let Expected(answer) = answer.into();
        let quotes = quotes.iter().map(|one| (*one).to_owned()).collect();
        let expect = Statement { answer, quotes, why: why.to_owned() };
        assert_eq!(read_judgement(text, WORDS), expect, "{text}");
    }

    #[test]
    fn dress_does_not_matter() {
        check("ANSWER: SAME\nQUOTE: let n = 0;\nWHY: One fix.\n", "SAME", &["let n = 0;"], "One fix.");
        check("**Answer:** same\n**Quote:** `let n = 0;`\n", "SAME", &["let n = 0;"], "");
        check("- **ANSWER: Unsure**\n- **WHY:** no", "UNSURE", &[], "no");
        check("### ANSWER: DIFFERENT.\r\nQUOTE: \"a b\"\r\n", "DIFFERENT", &["a b"], "");
        check("ANSWER: UNSURE (the caller is not shown)", "UNSURE", &[], "");
        check("ANSWER: SAME — one HTTP status settles both", "SAME", &[], "");
        check("```\nANSWER: SAME\nQUOTE: x\n```\n", "SAME", &["x"], "");
        check("ANSWER: SAME\n\nANSWER: same\n", "SAME", &[], "");
    }

    #[test]
    fn a_quote_may_stand_below_its_label() {
        check("ANSWER: SAME\nQUOTE:\n```go\nif n < 0 {\n```\nWHY: y", "SAME", &["if n < 0 {"], "y");
        check("QUOTE:\n\n> if n < 0 {\nANSWER: SAME", "SAME", &["if n < 0 {"], "");
        check("QUOTE:\nWHY: none needed\nANSWER: SAME", "SAME", &[], "none needed");
    }

    #[test]
    fn thoughts_quotes_and_samples_answer_nothing() {
        check("<think>ANSWER: SAME</think>\nANSWER: DIFFERENT", "DIFFERENT", &[], "");
        for silent in
            ["<think>\nANSWER: SAME", "> ANSWER: SAME\nI cannot say.", "The answer: it is the same", ""]
        {
            check(silent, NoAnswer::Missing, &[], "");
        }
        check("~~ANSWER: SAME~~\nANSWER: UNSURE", "UNSURE", &[], "");
        check("One claim says:\n```\nANSWER: SAME\n```\nANSWER: UNSURE", "UNSURE", &[], "");
    }

    #[test]
    fn what_is_not_one_word_is_no_answer() {
        for vague in ["SAME, DIFFERENT or UNSURE", "SAME | DIFFERENT", "not same", "SAME?", "SAME place", ""]
        {
            check(&format!("ANSWER: {vague}"), NoAnswer::Foreign, &[], "");
        }
        check("ANSWER: SAME\nANSWER: DIFFERENT\nANSWER: SAME", NoAnswer::Contradiction, &[], "");
    }

    proptest! {
        /// Whatever stands around it, an answer is only given by a line that a reader would take for one.
        #[test]
        fn any_text_is_read(text in "(ANSWER: ?|SAME|DIFFERENT|QUOTE:|```|> |\\*\\*|<think>|</think>|\n|\\PC){0,40}") {
            let statement = read_judgement(&text, WORDS);
            prop_assert!(statement.quotes.len() <= MOST);
            if statement.answer.is_ok() {
                prop_assert!(text.to_uppercase().contains("ANSWER"), "{}", text);
            }
        }
    }
}
