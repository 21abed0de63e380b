//! Whether a finding speaks of certain lines of code: [`Names`], what it calls by name.
//!
//! Names are weighed by how few lines of the file have them, so `return` says nothing and a rare function's name much. It
//! proves a place that a number leads to; it never finds one.

use std::collections::BTreeMap;

use super::{
    define::{is_word_char, words},
    map::{FileMap, squeeze},
    quote,
};
use crate::finding::Finding;

/// Names of one finding that are looked at.
const MOST_NAMES: usize = 16;
/// A name on more lines than this tells none of them.
const MOST_LINES: usize = 64;
/// How sure a proof must be: hardly any other place of the file may fit as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    /// One in twenty: a finding by itself.
    Alone,
    /// One in eight: beside another proof of the same counting, or for a line that the change removes, which has no other
    /// number.
    Supported,
}

impl Proof {
    fn one_in(self) -> usize {
        match self {
            Self::Alone => 20,
            Self::Supported => 8,
        }
    }
}

/// What a finding calls by name.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Words in code spans, and words that only code has: `retry_count`, `retryCount`, `retry()`.
    words: Vec<String>,
    /// Code spans and the quote, without blanks, when they are long enough to be found by.
    codes: Vec<String>,
}

impl Names {
    /// Reads the claim, its grounds and the quote.
    pub(super) fn of(finding: &Finding) -> Self {
        let mut names = Self::default();
        for text in [&finding.what, &finding.why] {
            for (at, part) in text.split('`').enumerate() {
                let span = at % 2 == 1 && !part.contains('\n');
                if span {
                    names.add_code(part);
                }
                let named = |word: &&str| span || looks_like_code(part, word);
                words(part)
                    .filter(|word| word.chars().any(char::is_alphabetic))
                    .filter(named)
                    .for_each(|word| names.add(word));
            }
        }
        if let Some(line) = finding.quote.as_deref().and_then(quote::telling_line) {
            names.add_code(line);
        }
        names
    }

    fn add(&mut self, word: &str) {
        if self.words.len() < MOST_NAMES && word.len() > 1 && self.words.iter().all(|known| known != word) {
            self.words.push(word.to_owned());
        }
    }

    fn add_code(&mut self, span: &str) {
        let code = squeeze(span);
        if self.codes.len() < MOST_NAMES && quote::is_telling(&code) {
            self.codes.push(code);
        }
    }

    /// Whether the shown lines `first` to `last` have any of the names.
    pub(super) fn touch(&self, file: &FileMap<'_>, first: usize, last: usize) -> bool {
        let within = |at: &usize| (first..=last).contains(at);
        self.words.iter().any(|word| file.lines_with(word).iter().any(within))
            || self.codes.iter().any(|code| stands_in(file, first, last, code))
    }

    /// Whether the names prove that the finding means the shown lines `first` to `last`: hardly any other place of the
    /// file has as many and as rare ones, or a whole piece of code stands there and nowhere else.
    pub(super) fn prove(&self, file: &FileMap<'_>, (first, last): (usize, usize), proof: Proof) -> bool {
        let length = last - first + 1;
        self.rarely_fit(file, first, length, proof) || self.only_stand_in(file, first, last)
    }

    fn rarely_fit(&self, file: &FileMap<'_>, first: usize, length: usize, proof: Proof) -> bool {
        let places = file.shown.len() + 1 - length;
        let weights = self.weights(file, length);
        let Some(own) = weights.get(&first).filter(|own| **own > 0.0) else { return false };
        let as_good = weights.values().filter(|weight| *weight + 1e-3 >= *own).count();
        as_good * proof.one_in() <= places
    }

    /// What the names in a stretch of `length` lines weigh, by its first line; stretches without any are left out.
    fn weights(&self, file: &FileMap<'_>, length: usize) -> BTreeMap<usize, f32> {
        let mut weights = BTreeMap::new();
        for word in &self.words {
            let lines = file.lines_with(word);
            if lines.len() > MOST_LINES {
                continue;
            }
            #[expect(clippy::cast_precision_loss, reason = "a weight")]
            let weight = (file.shown.len() as f32 / lines.len() as f32).ln();
            let mut from = 0;
            for at in lines {
                let start = from.max((at + 1).saturating_sub(length));
                for first in start..=*at {
                    *weights.entry(first).or_default() += weight;
                }
                from = at + 1;
            }
        }
        weights
    }

    fn only_stand_in(&self, file: &FileMap<'_>, first: usize, last: usize) -> bool {
        self.codes.iter().any(|code| stands_in(file, first, last, code) && file.holds_once(code))
    }
}

fn stands_in(file: &FileMap<'_>, first: usize, last: usize, code: &str) -> bool {
    file.shown[first..=last].iter().any(|line| squeeze(&line.text).contains(code))
}

/// Whether `word`, a part of `text`, is written as only code is.
fn looks_like_code(text: &str, word: &str) -> bool {
    let end = word.as_ptr() as usize - text.as_ptr() as usize + word.len();
    let inner_capital =
        word.chars().zip(word.chars().skip(1)).any(|(a, b)| a.is_lowercase() && b.is_uppercase());
    let joined = word.trim_matches('_').contains('_');
    debug_assert!(word.chars().all(is_word_char));
    inner_capital || joined || text[end..].starts_with("()")
}
