//! Words for what an endpoint says instead of answering, and whether asking again could help.
//!
//! [`Door`] knows what was tried where, so every message names it. No message holds the key, a control character
//! or more than a few lines.

use std::{error::Error, time::Duration};

use async_openai::error::OpenAIError;
use jiff::Timestamp;
use reqwest::{
    StatusCode,
    header::{HeaderMap, RETRY_AFTER},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::provider::{AskError, one_line};

/// What is named in messages.
pub(super) struct Door {
    /// Base URL, as it may be shown.
    pub(super) address: String,
    /// Environment variable of the key.
    pub(super) variable: Option<String>,
    pub(super) model: String,
    pub(super) key: SecretString,
}

/// What an error body says.
#[derive(Debug, Default, PartialEq)]
struct Complaint {
    message: String,
    /// `type` and `code`, in lower case.
    kinds: String,
}

impl Door {
    /// The server answered with an error status.
    pub(super) fn refused(&self, status: StatusCode, retry_after: Option<Duration>, page: &[u8]) -> AskError {
        let complaint = complaint_of(page);
        let said = self.quoted(&complaint.message);
        let permanent = |words: &str| AskError::permanent(format!("{words}{said}"));
        let unavailable = |words: &str| AskError::unavailable(format!("{words}{said}"));
        if matches!(status.as_u16(), 400 | 413 | 422 | 500) && too_long(&complaint) {
            return permanent("the bundle does not fit the model's context");
        }
        if out_of_money(&complaint) {
            return unavailable("the account has no quota or credit left");
        }
        match status.as_u16() {
            429 => AskError::Busy { reason: format!("{}{said}", status_words(status)), retry_after },
            408 | 409 | 425 | 500..=599 => AskError::Transient {
                reason: format!("{}{said}", status_words(status)),
                retry_after,
                partial: String::new(),
            },
            401 | 403 => unavailable(&self.key_words(status)),
            402 => unavailable("the account has no quota or credit left"),
            404 | 405 => unavailable(&format!(
                "{}: check model {} and base_url {}",
                status_words(status),
                one_line(&self.model),
                self.address
            )),
            413 => permanent("the bundle is too large for the server"),
            300..=399 => unavailable(&format!(
                "{} redirects elsewhere ({}): put the final address in base_url",
                self.address,
                status.as_u16()
            )),
            _ => permanent(&status_words(status)),
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
    pub(super) fn lost(&self, error: &reqwest::Error) -> AskError {
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

    /// An error that came through async-openai; our own are handed back as they are.
    pub(super) fn told(&self, error: OpenAIError) -> AskError {
        match error {
            OpenAIError::Boxed(inner) => match inner.downcast::<AskError>() {
                Ok(own) => *own,
                Err(other) => AskError::permanent(self.clean(&other.to_string())),
            },
            OpenAIError::Reqwest(error) => self.lost(&error),
            OpenAIError::StreamError(error) => {
                AskError::transient(format!("unreadable stream: {}", self.clean(&error.to_string())))
            }
            other => AskError::permanent(self.clean(&other.to_string())),
        }
    }

    /// An `error` object in the middle of a stream, or in a reply with status 200.
    pub(super) fn error_event(&self, error: &Value) -> AskError {
        let complaint = complaint_in(error);
        let said = self.quoted(&complaint.message);
        if too_long(&complaint) {
            return AskError::permanent(format!("the bundle does not fit the model's context{said}"));
        }
        if out_of_money(&complaint) {
            return AskError::unavailable(format!("the account has no quota or credit left{said}"));
        }
        let status = error["code"].as_u64().or(error["status"].as_u64());
        if matches!(status, Some(400..=407 | 410..=424)) {
            return AskError::permanent(format!("the server reported an error{said}"));
        }
        AskError::transient(format!("the server reported an error{said}"))
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

    pub(super) fn declined(&self, words: &str) -> AskError {
        AskError::permanent(format!("the model refused{}", self.quoted(words)))
    }

    /// `: text`, made safe to show; nothing for an empty text.
    fn quoted(&self, text: &str) -> String {
        let text = self.clean(text);
        if text.is_empty() { text } else { format!(": {text}") }
    }

    fn clean(&self, text: &str) -> String {
        one_line(&self.without_key(text.to_owned()))
    }

    pub(super) fn without_key(&self, text: String) -> String {
        let key = self.key.expose_secret();
        if key.is_empty() || !text.contains(key) { text } else { text.replace(key, "[key]") }
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

/// How long the server asks to wait: seconds, or an HTTP date.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    wait_until(headers.get(RETRY_AFTER)?.to_str().ok()?.trim(), Timestamp::now())
}

fn wait_until(value: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = value.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let then = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?;
    Some(Duration::try_from(then.duration_since(now)).unwrap_or(Duration::ZERO))
}

fn status_words(status: StatusCode) -> String {
    match status.canonical_reason() {
        Some(words) => format!("HTTP {} {words}", status.as_u16()),
        None => format!("HTTP {}", status.as_u16()),
    }
}

fn too_long(complaint: &Complaint) -> bool {
    let kinds = ["exceed_context_size_error", "context_length_exceeded"];
    let words = [
        "context length",
        "context size",
        "context window",
        "maximum context",
        "prompt is too long",
        "input is too long",
        "too many input tokens",
        "input token count",
    ];
    let message = complaint.message.to_lowercase();
    kinds.iter().any(|kind| complaint.kinds.contains(kind)) || words.iter().any(|word| message.contains(word))
}

fn out_of_money(complaint: &Complaint) -> bool {
    ["insufficient_quota", "insufficient_balance", "billing_hard_limit_reached"]
        .iter()
        .any(|kind| complaint.kinds.contains(kind))
}

fn complaint_of(page: &[u8]) -> Complaint {
    if let Ok(json) = serde_json::from_slice::<Value>(page) {
        let inner = json.get("error").filter(|error| !error.is_null());
        return complaint_in(inner.unwrap_or(&json));
    }
    let text = String::from_utf8_lossy(page);
    let is_markup = text.trim_start().starts_with('<');
    let message =
        if is_markup { title_of(&text).unwrap_or("a web page").to_owned() } else { text.into_owned() };
    Complaint { message, kinds: String::new() }
}

fn complaint_in(json: &Value) -> Complaint {
    let text = |key: &str| match &json[key] {
        Value::String(text) => Some(text.clone()),
        Value::Null => None,
        other => Some(other.to_string()),
    };
    let message = match json {
        Value::String(text) => Some(text.clone()),
        _ => text("message").or_else(|| text("detail")).or_else(|| text("error")),
    };
    let kinds = [text("type"), text("code")].into_iter().flatten().collect::<Vec<_>>().join(" ");
    Complaint { message: message.unwrap_or_default(), kinds: kinds.to_lowercase() }
}

fn title_of(page: &str) -> Option<&str> {
    let from = page.find("<title>")? + "<title>".len();
    let length = page[from..].find("</title>")?;
    Some(page[from..from + length].trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_in_seconds_and_as_dates() {
        let now: Timestamp = "2026-11-21T04:00:00Z".parse().unwrap();
        let check = |value: &str, expect: Option<u64>| {
            assert_eq!(wait_until(value, now), expect.map(Duration::from_secs), "{value}");
        };
        check("7", Some(7));
        check("0", Some(0));
        check("Sat, 21 Nov 2026 04:01:30 GMT", Some(90));
        check("Sat, 21 Nov 2026 03:00:00 GMT", Some(0));
        check("-1", None);
        check("1e300", None);
        check("NaN", None);
        check("soon", None);
        check("", None);
    }

    #[test]
    fn complaints_in_all_shapes() {
        let check = |page: &str, message: &str, kinds: &str| {
            let expect = Complaint { message: message.to_owned(), kinds: kinds.to_owned() };
            assert_eq!(complaint_of(page.as_bytes()), expect, "{page}");
        };
        check(r#"{"error":{"message":"m","type":"T","code":"c"}}"#, "m", "t c");
        check(r#"{"error":{"message":"m","code":429,"metadata":{"raw":"x"}}}"#, "m", "429");
        check(r#"{"error":"m"}"#, "m", "");
        check(r#"{"error":null,"detail":"d"}"#, "d", "");
        check(r#"{"message":"m","type":"t"}"#, "m", "t");
        check(r#""text""#, "text", "");
        check("[]", "", "");
        check("plain", "plain", "");
        check("<html><head><title> 502 Bad Gateway </title>", "502 Bad Gateway", "");
        check("<p>", "a web page", "");
        check("", "", "");
    }

    #[test]
    fn the_key_never_shows() {
        let door = |key: &str| Door {
            address: "http://h".to_owned(),
            variable: None,
            model: "m".to_owned(),
            key: SecretString::from(key.to_owned()),
        };
        let check = |key: &str, page: &str, expect: &str| {
            let error = door(key).refused(StatusCode::BAD_REQUEST, None, page.as_bytes());
            assert_eq!(error, AskError::permanent(expect));
        };
        check(
            "sk-1234",
            "Authorization: Bearer sk-1234!",
            "HTTP 400 Bad Request: Authorization: Bearer [key]!",
        );
        check("", "all fine", "HTTP 400 Bad Request: all fine");
        let AskError::Permanent { reason, .. } =
            door("sk-1234").refused(StatusCode::BAD_REQUEST, None, "sk-1234 ".repeat(10_000).as_bytes())
        else {
            panic!("a bad request is permanent")
        };
        assert!(reason.len() < 1_000 && !reason.contains("sk-1"), "{reason}");
    }
}
