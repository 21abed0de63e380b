//! Words for what an endpoint says instead of answering, and whether asking again could help.
//!
//! [`Door`] knows what was tried where, so every message names it. No message holds the key, a control character
//! or more than a few lines.

use std::{error::Error, time::Duration};

use jiff::Timestamp;
use reqwest::{StatusCode, header::HeaderMap};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::complaint::Complaint;
use crate::{
    provider::{AskError, in_brief},
    retry_after,
    secret::Keys,
};

/// What is named in messages.
pub(in crate::provider) struct Door {
    /// Base URL, as it may be shown.
    pub(super) address: String,
    /// Environment variable of the key.
    pub(super) variable: Option<String>,
    pub(in crate::provider) model: String,
    pub(super) key: SecretString,
    /// The same, as it is found in texts.
    pub(super) keys: Keys,
}

/// A request that was turned away, or broke off.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{error}")]
pub(in crate::provider) struct Refusal {
    /// In words.
    pub(super) error: AskError,
    /// As the server put it, where it said something.
    pub(super) complaint: Option<Box<Complaint>>,
}

impl From<AskError> for Refusal {
    fn from(error: AskError) -> Self {
        Self { error, complaint: None }
    }
}

impl Door {
    /// The server answered with an error status.
    pub(super) fn refused(&self, status: StatusCode, retry_after: Option<Duration>, page: &[u8]) -> Refusal {
        let complaint = Complaint::of(status.as_u16(), page);
        let error = self.lasting(&complaint).unwrap_or_else(|| {
            let words = format!("{}{}", self.status_advice(status), self.quoted(&complaint.message));
            match status.as_u16() {
                429 => AskError::Busy { reason: words, retry_after },
                408 | 409 | 425 | 500..=599 => {
                    AskError::Transient { reason: words, retry_after, partial: String::new() }
                }
                300..=399 | 401..=405 => AskError::unavailable(words),
                _ => AskError::permanent(words),
            }
        });
        Refusal { error, complaint: Some(Box::new(complaint)) }
    }

    /// An `error` object in the middle of a stream, or in a reply with status 200.
    pub(super) fn error_event(&self, error: &Value) -> Refusal {
        let complaint = Complaint::within(error);
        let error = self.lasting(&complaint).unwrap_or_else(|| {
            let words = format!("the server reported an error{}", self.quoted(&complaint.message));
            if complaint.is_lasting() { AskError::permanent(words) } else { AskError::transient(words) }
        });
        Refusal { error, complaint: Some(Box::new(complaint)) }
    }

    /// Words for complaints that mean the same whatever their status.
    fn lasting(&self, complaint: &Complaint) -> Option<AskError> {
        let words = if complaint.is_too_long() {
            format!(
                "the bundle is too large for the context of {}: a smaller `warn_bytes` in [bundle] makes smaller bundles",
                in_brief(&self.model)
            )
        } else if complaint.is_about_money() {
            let words = "the account has no quota or credit left";
            return Some(AskError::unavailable(format!("{words}{}", self.quoted(&complaint.message))));
        } else if complaint.is_filtered() {
            "the provider's content filter refused the bundle".to_owned()
        } else {
            return None;
        };
        Some(AskError::permanent(format!("{words}{}", self.quoted(&complaint.message))))
    }

    /// The status in words, and what can be done about it.
    fn status_advice(&self, status: StatusCode) -> String {
        match status.as_u16() {
            401 | 403 => self.key_words(status),
            404 | 405 => format!(
                "{}: check model {} and base_url {}",
                status_words(status),
                in_brief(&self.model),
                self.address
            ),
            413 => "the bundle is too large for the server: a smaller `warn_bytes` in [bundle] makes smaller bundles".to_owned(),
            300..=399 => format!(
                "{} redirects elsewhere ({}): put the final address in base_url",
                self.address,
                status.as_u16()
            ),
            _ => status_words(status),
        }
    }

    fn key_words(&self, status: StatusCode) -> String {
        let about_key = match &self.variable {
            Some(name) if self.key.expose_secret().is_empty() => {
                format!("the key variable {name} is not set")
            }
            Some(name) => format!("the key in {name} was not accepted"),
            None => "no key was sent; name its variable in api_key_env".to_owned(),
        };
        format!("{}: {about_key}", status_words(status))
    }

    /// The request did not get through, or the connection was lost.
    pub(in crate::provider) fn lost(&self, error: &reqwest::Error) -> AskError {
        let cause = self.clean(&root_cause(error));
        if error.is_builder() || error.is_request() && cause.contains("certificate") {
            return AskError::unavailable(format!("cannot use {}: {cause}", self.address));
        }
        if cause.contains("InvalidContentType") {
            return AskError::unavailable(format!(
                "{} does not speak TLS: try http:// in base_url",
                self.address
            ));
        }
        if error.is_connect() {
            return AskError::unreachable(format!("cannot connect to {}: {cause}", self.address));
        }
        AskError::transient(format!("connection to {} lost: {cause}", self.address))
    }

    /// A stream that is none in the middle.
    pub(in crate::provider) fn torn(&self, error: &str) -> AskError {
        AskError::transient(format!("unreadable stream: {}", self.clean(error)))
    }

    pub(super) fn web_page(&self) -> AskError {
        AskError::permanent(format!(
            "{} answered with a web page, not a model's reply: check base_url (it usually ends in /v1)",
            self.address
        ))
    }

    pub(super) fn nothing(&self) -> AskError {
        AskError::transient(format!("{} answered with an empty body", self.address))
    }

    pub(super) fn too_long(&self) -> AskError {
        AskError::permanent(format!("{} sent too much without a readable event", self.address))
    }

    pub(super) fn bad_json(&self, error: &serde_json::Error) -> AskError {
        if error.is_eof() {
            return self.cut_off();
        }
        AskError::permanent(format!("{} answered with broken JSON: {error}", self.address))
    }

    pub(super) fn unreadable(&self, events: usize) -> AskError {
        AskError::permanent(format!("none of the {events} events that {} sent is a chat reply", self.address))
    }

    pub(super) fn cut_off(&self) -> AskError {
        AskError::transient(format!("{} ended the stream before the reply was whole", self.address))
    }

    pub(super) fn withheld(&self) -> AskError {
        AskError::permanent(format!("{}: the provider's content filter withheld the reply", self.address))
    }

    /// A reply that ends with the provider's word for trouble of its own.
    pub(super) fn broken_down(&self, word: &str) -> AskError {
        AskError::transient(format!("{} broke off the reply: {word}", self.address))
    }

    pub(super) fn declined(&self, words: &str) -> AskError {
        AskError::permanent(format!("the model refused{}", self.quoted(words)))
    }

    /// `: text`, made safe to show; nothing for an empty text.
    fn quoted(&self, text: &str) -> String {
        let text = self.clean(text);
        if text.is_empty() { text } else { format!(": {text}") }
    }

    pub(in crate::provider) fn clean(&self, text: &str) -> String {
        in_brief(&self.without_key(text.to_owned()))
    }

    pub(super) fn without_key(&self, text: String) -> String {
        self.keys.conceal(text)
    }
}

/// What stands at the bottom of an error's causes, which says most.
pub(super) fn root_cause(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

/// How long the server asks to wait; a date counts from now.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    retry_after::asked(headers, || Some(Timestamp::now()))
}

fn status_words(status: StatusCode) -> String {
    match status.canonical_reason() {
        Some(words) => format!("HTTP {} {words}", status.as_u16()),
        None => format!("HTTP {}", status.as_u16()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_never_shows() {
        let door = |key: &str| Door {
            address: "http://h".to_owned(),
            variable: None,
            model: "m".to_owned(),
            key: SecretString::from(key.to_owned()),
            keys: Keys::of(&SecretString::from(key.to_owned())),
        };
        let check = |key: &str, page: &str, expect: &str| {
            let error = door(key).refused(StatusCode::BAD_REQUEST, None, page.as_bytes());
            assert_eq!(error.error, AskError::permanent(expect));
        };
        check(
            "sk-1234",
            "Authorization: Bearer sk-1234!",
            "HTTP 400 Bad Request: Authorization: Bearer [key]!",
        );
        check("", "all fine", "HTTP 400 Bad Request: all fine");
        let AskError::Permanent { reason, .. } = door("sk-1234")
            .refused(StatusCode::BAD_REQUEST, None, "sk-1234 ".repeat(10_000).as_bytes())
            .error
        else {
            panic!("a bad request is permanent")
        };
        assert!(reason.len() < 1_000 && !reason.contains("sk-1"), "{reason}");
    }
}
