//! Keeps the reviewers' keys out of what comes back from outside: [`Keys`].
//!
//! A server may repeat what it was sent, and a program what stands in its environment. Keys are looked for as they are, in
//! base64 and URL-encoded. Nothing here says who may have a key.

use std::{
    fmt,
    fmt::Write,
    sync::{Arc, PoisonError, RwLock},
};

use secrecy::{ExposeSecret, SecretString};

/// What stands in a key's place.
const MARK: &str = "[key]";

/// Forms of shorter ones would be found in ordinary words.
const SHORTEST: usize = 8;
/// A short word such as `none`, `test` or `x` fills the variable of a server that wants no key, and stands in every answer.
const SHORTEST_WORD: usize = 4;

/// The keys of a run, shared by all of its providers: one that is added later is known to those opened before.
#[derive(Clone, Default)]
pub(super) struct Keys(Arc<RwLock<Vec<SecretString>>>);

impl Keys {
    /// One key by itself.
    pub(super) fn of(key: &SecretString) -> Self {
        let keys = Self::default();
        keys.add(key);
        keys
    }

    /// Learns `key` in every form in which it may come back.
    pub(super) fn add(&self, key: &SecretString) {
        let forms = forms(key.expose_secret()).into_iter().map(SecretString::from);
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.extend(forms);
        // A form that holds another one goes first.
        known.sort_by_key(|form| std::cmp::Reverse(form.expose_secret().len()));
    }

    /// `text` with `[key]` in place of every key.
    pub(super) fn conceal(&self, text: String) -> String {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known
            .iter()
            .map(ExposeSecret::expose_secret)
            .fold(text, |text, form| if text.contains(form) { text.replace(form, MARK) } else { text })
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}

fn forms(key: &str) -> Vec<String> {
    let is_word = key.bytes().all(|byte| byte.is_ascii_alphabetic());
    if key.len() < SHORTEST_WORD || is_word && key.len() < SHORTEST {
        return Vec::new();
    }
    let mut forms = vec![key.to_owned()];
    if key.len() >= SHORTEST {
        forms.extend((0..3).map(|before| base64(key.as_bytes(), before)));
        forms.push(url_encoded(key));
        forms.dedup();
    }
    forms
}

/// The characters that `key` alone decides in the base64 of a text in which `before` bytes, modulo 3, stand before it.
fn base64(key: &[u8], before: usize) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let whole: Vec<u8> = std::iter::repeat_n(0, before).chain(key.iter().copied()).collect();
    let first_bit = (8 * before).div_ceil(6);
    let bits = whole.len() * 8;
    let sextet = |at: usize| {
        (0..6).fold(0, |value, bit| {
            let bit = at * 6 + bit;
            value << 1 | usize::from(whole[bit / 8] >> (7 - bit % 8) & 1)
        })
    };
    (first_bit..bits / 6).map(|at| char::from(LETTERS[sextet(at)])).collect()
}

/// As a form or a query has it: all but letters, digits and `-._~` in percent signs.
fn url_encoded(key: &str) -> String {
    let mut out = String::with_capacity(key.len());
    for byte in key.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a `String` cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_in_every_form() {
        let keys = Keys::default();
        keys.add(&SecretString::from("sk-very+secret/0123"));
        let check = |text: &str, expect: &str| assert_eq!(keys.conceal(text.to_owned()), expect);
        check("Bearer sk-very+secret/0123!", "Bearer [key]!");
        check("?key=sk-very%2Bsecret%2F0123&a", "?key=[key]&a");
        // base64 of `sk-very+secret/0123`, of `:` and it, of `a:` and it.
        check("Basic c2stdmVyeStzZWNyZXQvMDEyMw==", "Basic [key]w==");
        check("OnNrLXZlcnkrc2VjcmV0LzAxMjM=", "On[key]M=");
        check("YTpzay12ZXJ5K3NlY3JldC8wMTIz", "YTp[key]");
        check("nothing", "nothing");
        assert_eq!(format!("{keys:?}"), "Keys { .. }");
    }

    #[test]
    fn a_word_in_place_of_a_key_stays_in_sentences() {
        let check = |key: &str, text: &str, expect: &str| {
            assert_eq!(Keys::of(&SecretString::from(key)).conceal(text.to_owned()), expect, "{key:?}");
        };
        check("x", "expects a text", "expects a text");
        check("test", "no test covers this", "no test covers this");
        check("EMPTY", "EMPTY is returned", "EMPTY is returned");
        check("sk-1234", "Bearer sk-1234", "Bearer [key]");
    }
}
