//! Keeps keys and tokens out of what comes back from outside: [`Keys`].
//!
//! A server may repeat what it was sent, and a program what stands in its environment. Keys are looked for as they are, in
//! base64 and URL-encoded. Nothing here says who may have a key.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};

/// What stands in a key's place.
const MARK: &str = "[key]";

/// A shorter value, or a form of one, could be a word of a reply.
pub(super) const SHORTEST: usize = 8;
/// A short word such as `none`, `test` or `x` fills the variable of a server that wants no key, and stands in every answer.
const SHORTEST_WORD: usize = 3;

/// What a form or a query has in percent signs: all but letters, digits and `-._~`.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The keys of a run. Clones share them: one that is added later is known to all.
#[derive(Clone, Default)]
pub struct Keys(Arc<RwLock<Vec<SecretString>>>);

impl Keys {
    /// One key by itself.
    pub fn of(key: &SecretString) -> Self {
        let keys = Self::default();
        keys.add(key);
        keys
    }

    /// Learns `key` in every form in which it may come back.
    pub fn add(&self, key: &SecretString) {
        let forms = forms(key.expose_secret()).into_iter().map(SecretString::from);
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.extend(forms);
        // A form that holds another one goes first.
        known.sort_by_key(|form| std::cmp::Reverse(form.expose_secret().len()));
    }

    /// `text` with `[key]` in place of every key.
    pub fn conceal(&self, text: String) -> String {
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
        let encoded = (0..3).map(|before| base64(key.as_bytes(), before));
        // The alphabet of RFC 4648, and its other one for URLs.
        forms.extend(encoded.flat_map(|form| [form.replace('+', "-").replace('/', "_"), form]));
        let in_url = utf8_percent_encode(key, RESERVED).to_string();
        forms.extend([lower_percents(&in_url), in_url]);
        // Some write JSON like that.
        forms.push(key.replace('/', "\\/"));
        forms.sort();
        forms.dedup();
    }
    forms
}

/// The characters that `key` alone decides in the base64 of a text in which `before` bytes, modulo 3, stand before it.
fn base64(key: &[u8], before: usize) -> String {
    let whole: Vec<u8> = std::iter::repeat_n(0, before).chain(key.iter().copied()).collect();
    let letters = STANDARD_NO_PAD.encode(&whole);
    letters[(8 * before).div_ceil(6)..8 * whole.len() / 6].to_owned()
}

/// `%2b` for `%2B`.
fn lower_percents(text: &str) -> String {
    let mut parts = text.split('%');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |out, part| match part.split_at_checked(2) {
        Some((digits, rest)) => format!("{out}%{}{rest}", digits.to_ascii_lowercase()),
        None => out + part,
    })
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
        check("?key=sk-very%2bsecret%2f0123&a", "?key=[key]&a");
        // base64 of `sk-very+secret/0123`, of `:` and it, of `a:` and it.
        check("Basic c2stdmVyeStzZWNyZXQvMDEyMw==", "Basic [key]w==");
        check("OnNrLXZlcnkrc2VjcmV0LzAxMjM=", "On[key]M=");
        check("YTpzay12ZXJ5K3NlY3JldC8wMTIz", "YTp[key]");
        check(r#"{"message":"bad sk-very+secret\/0123"}"#, r#"{"message":"bad [key]"}"#);
        check("nothing", "nothing");
        let keys = Keys::of(&SecretString::from("sk~~~~???>>>0123"));
        assert_eq!(keys.conceal("c2t-fn5-Pz8_Pj4-MDEyMw==".to_owned()), "[key]w==");
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
