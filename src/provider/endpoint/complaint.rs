//! What a server says is wrong: [`Complaint`], read from an error page or an error event, and what it is about.
//!
//! Every server has its own words; those known are here. What is told to people about it is `door`'s.

use serde_json::Value;

use crate::reviewer::{OutputLimit, Parameter};

/// What an error body says.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::provider) struct Complaint {
    /// HTTP status; where none was sent, the one the body names.
    pub(super) status: Option<u64>,
    pub(super) message: String,
    /// `type`, `code`, `status` and `param`, in lower case.
    pub(super) kinds: String,
}

/// The question and its answer together are larger than the model's context.
const TOO_LONG: [&str; 20] = [
    "context length",
    "context size",
    "context window",
    "context limit",
    "maximum context",
    "maximum model length",
    "maximum prompt length",
    "prompt is too long",
    "input is too long",
    "input tokens exceed",
    "too many input tokens",
    "input token count",
    "exceeded model token limit",
    "range of input length",
    "too many total text bytes",
    "reduce the length of the messages",
    "n_keep",
    "must have less than",
    "exceed_context_size_error",
    "context_length_exceeded",
];

/// Nobody pays for it any more; waiting does not help.
const OUT_OF_MONEY: [&str; 6] = [
    "insufficient_quota",
    "insufficient_balance",
    "billing_hard_limit_reached",
    "billing_error",
    "credit_balance_exhausted",
    "enforced_spend_limit_reached",
];

/// A filter of the provider keeps the question from the model.
const FILTERED: [&str; 4] =
    ["content_filter", "content_policy_violation", "data_inspection_failed", "content_moderation"];

/// Kinds of error that come again with the same question, in the words of `OpenAI`, Anthropic and Gemini.
const LASTING: [&str; 6] = [
    "invalid_request_error",
    "authentication_error",
    "permission_error",
    "not_found_error",
    "request_too_large",
    "invalid_argument",
];

/// Words that refuse a parameter by name, and not its value.
const REFUSING: [&str; 8] = [
    "unsupported",
    "not supported",
    "does not support",
    "unrecognized",
    "unknown",
    "not permitted",
    "extra_forbidden",
    "unexpected",
];

impl Complaint {
    /// What an error page says: JSON in one of many shapes, a web page, plain text.
    pub(super) fn of(status: u16, page: &[u8]) -> Self {
        let said = if let Ok(json) = serde_json::from_slice::<Value>(page) {
            Self::within(&json)
        } else {
            let text = String::from_utf8_lossy(page);
            let is_markup = text.trim_start().starts_with('<');
            let message = if is_markup {
                title_of(&text).unwrap_or("a web page").to_owned()
            } else {
                text.into_owned()
            };
            Self { message, ..Self::default() }
        };
        Self { status: Some(status.into()), ..said }
    }

    /// What an error object says, or one that holds it.
    pub(super) fn within(json: &Value) -> Self {
        let json = json.get(0).unwrap_or(json);
        let json = json.get("error").filter(|error| error.is_object()).unwrap_or(json);
        let text = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Null => None,
            other => Some(other.to_string()),
        };
        let message = match json {
            Value::String(text) => Some(text.clone()),
            _ => ["message", "detail", "error"].iter().find_map(|key| text(&json[*key])),
        };
        // A gateway puts the words of the server behind it here.
        let inner = text(&json["metadata"]["raw"]);
        let kinds =
            [&json["type"], &json["code"], &json["status"], &json["param"], &json["details"]["error_code"]];
        Self {
            status: json["code"].as_u64().or(json["status"].as_u64()),
            message: message.into_iter().chain(inner).collect::<Vec<_>>().join(": "),
            kinds: kinds.into_iter().filter_map(text).collect::<Vec<_>>().join(" ").to_lowercase(),
        }
    }

    pub(super) fn is_too_long(&self) -> bool {
        matches!(self.status, None | Some(400 | 413 | 422 | 500)) && self.mentions(&TOO_LONG)
    }

    pub(super) fn is_about_money(&self) -> bool {
        self.status == Some(402) || OUT_OF_MONEY.iter().any(|kind| self.kinds.contains(kind))
    }

    pub(super) fn is_filtered(&self) -> bool {
        FILTERED.iter().any(|kind| self.kinds.contains(kind))
    }

    /// Whether the same question would be turned away again; for complaints that came without an HTTP status.
    pub(super) fn is_lasting(&self) -> bool {
        matches!(self.status, Some(400..=407 | 410..=424))
            || LASTING.iter().any(|kind| self.kinds.contains(kind))
    }

    /// Whether the request is refused for `parameter`, or could be.
    pub(super) fn refuses(&self, parameter: Parameter) -> bool {
        match parameter {
            Parameter::Temperature => self.is_about_request() && self.mentions(&["temperature"]),
            Parameter::StreamOptions => {
                self.is_about_request() && self.mentions(&["stream_options", "include_usage"])
            }
            Parameter::System => {
                let words = ["system role", "developer instruction", "support 'system'", "role 'system'"];
                (self.is_about_request() || self.status == Some(500)) && self.mentions(&words)
            }
        }
    }

    /// Whether the output limit is refused under this name.
    pub(super) fn refuses_name(&self, name: OutputLimit) -> bool {
        self.is_about_request() && self.mentions(&[name.word()]) && self.mentions(&REFUSING)
    }

    fn is_about_request(&self) -> bool {
        matches!(self.status, Some(400 | 422))
    }

    fn mentions(&self, words: &[&str]) -> bool {
        let message = self.message.to_lowercase();
        words.iter().any(|word| message.contains(word) || self.kinds.contains(word))
    }
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
    fn complaints_in_all_shapes() {
        let check = |page: &str, message: &str, kinds: &str| {
            let complaint = Complaint::of(400, page.as_bytes());
            assert_eq!((complaint.message.as_str(), complaint.kinds.as_str()), (message, kinds), "{page}");
        };
        check(r#"{"error":{"message":"m","type":"T","code":"c"}}"#, "m", "t c");
        check(r#"{"error":{"message":"m","code":429,"metadata":{"raw":"x"}}}"#, "m: x", "429");
        check(
            r#"{"type":"error","error":{"type":"overloaded_error","message":"m"}}"#,
            "m",
            "overloaded_error",
        );
        check(
            r#"[{"error":{"code":400,"message":"m","status":"INVALID_ARGUMENT"}}]"#,
            "m",
            "400 invalid_argument",
        );
        check(r#"{"error":{"type":"t","message":"m","details":{"error_code":"e"}}}"#, "m", "t e");
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
    fn too_long_in_the_words_of_every_server() {
        let check = |status: u16, message: &str, expect: bool| {
            let page = serde_json::json!({"error": {"message": message}}).to_string();
            assert_eq!(Complaint::of(status, page.as_bytes()).is_too_long(), expect, "{message}");
        };
        check(400, "This model's maximum context length is 8192 tokens.", true);
        check(400, "Input tokens exceed the configured limit of 272000 tokens.", true);
        check(400, "Your input exceeds the context window of this model.", true);
        check(400, "the request exceeds the available context size, try increasing it", true);
        check(400, "request (9000 tokens) exceeds the available context size (8192 tokens)", true);
        check(400, "The decoder prompt (length 9) is longer than the maximum model length of 8.", true);
        check(400, "prompt is too long: 210000 tokens > 200000 maximum", true);
        check(400, "input length and `max_tokens` exceed context limit: 190000 + 16000 > 200000", true);
        check(
            400,
            "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
            true,
        );
        check(400, "Invalid request: Your request exceeded model token limit: 8192", true);
        check(400, "Range of input length should be [1, 30720]", true);
        check(
            400,
            "This model's maximum prompt length is 131072 but the request contains 200000 tokens.",
            true,
        );
        check(400, "Please reduce the length of the messages or completion.", true);
        check(500, "Cannot truncate prompt with n_keep (9) >= n_ctx (8)", true);
        check(400, "max_tokens is too large", false);
        check(429, "context length of the queue", false);
    }
}
