//! What went wrong, in the shape that clients of chat completions read: [`problem`].

use serde::Deserialize;
use serde_json::{Value, json};

use crate::provider::in_brief;

#[derive(Deserialize)]
struct Page {
    error: Value,
}

/// `body`, an answer of `status` that is no success, as `{"error": …}`. What is not the API's own, such as a proxy's web page, is
/// told in brief.
pub fn problem(status: u16, body: &[u8]) -> Vec<u8> {
    let message = match serde_json::from_slice(body) {
        Ok(Page { error }) if error["message"].is_string() => error["message"].clone(),
        _ => {
            let page = in_brief(&String::from_utf8_lossy(body));
            json!(format!("the provider answered with status {status}: {page}").trim_end_matches([':', ' ']))
        }
    };
    shaped(&message, kind(status)).to_string().into_bytes()
}

/// An error that a stream reports, whose status nobody knows any more.
pub(super) fn reported(error: &Value) -> Value {
    let word = error["type"].as_str().filter(|word| *word != "api_error");
    shaped(&error["message"], word.unwrap_or("server_error"))
}

fn shaped(message: &Value, kind: &str) -> Value {
    json!({ "error": { "message": message, "type": kind, "param": null, "code": null } })
}

/// The API's word for errors of a status.
fn kind(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        429 => "rate_limit_error",
        400..=499 => "invalid_request_error",
        _ => "server_error",
    }
}
