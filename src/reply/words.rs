//! Words in any case, looked up in fixed lists without making a copy of most of them: [`Words`].
//!
//! Knows nothing of what the words mean.

use std::collections::HashMap;

/// Longest word looked up in one piece of memory, in bytes; longer ones are in no list.
const LONGEST: usize = 64;

/// Lower-case words, each with what it stands for.
#[derive(Debug)]
pub(super) struct Words<T>(HashMap<&'static str, T>);

impl<T: Copy> FromIterator<(&'static str, T)> for Words<T> {
    /// The first meaning of a word stays.
    fn from_iter<I: IntoIterator<Item = (&'static str, T)>>(words: I) -> Self {
        let mut by_word = HashMap::new();
        for (word, meaning) in words {
            by_word.entry(word).or_insert(meaning);
        }
        Self(by_word)
    }
}

impl<T: Copy> Words<T> {
    /// What `word` stands for, in whatever case it is written.
    pub(super) fn get(&self, word: &str) -> Option<T> {
        if word.is_empty() || word.len() > LONGEST {
            return None;
        }
        if !word.is_ascii() {
            return self.0.get(word.to_lowercase().as_str()).copied();
        }
        let mut lower = [0; LONGEST];
        let lower = &mut lower[..word.len()];
        lower.copy_from_slice(word.as_bytes());
        lower.make_ascii_lowercase();
        std::str::from_utf8(lower).ok().and_then(|word| self.0.get(word)).copied()
    }
}
