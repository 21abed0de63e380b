//! What went wrong, in the shape that clients of chat completions read: [`problem`].

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::provider::{in_brief, relay::Problem};

#[derive(Deserialize)]
struct Page {
    error: Detail,
}

#[derive(Deserialize)]
struct Detail {
    message: String,
}

/// `body`, an answer of `status` that is no success, as `{"error": …}`. What is not the API's own, such as a proxy's web page, is
/// told in brief.
pub fn problem(status: StatusCode, body: &[u8]) -> String {
    let message = serde_json::from_slice(body).map_or_else(
        |_| {
            let page = in_brief(&String::from_utf8_lossy(body));
            let told = format!("the provider answered with status {}: {page}", status.as_u16());
            told.trim_end_matches([':', ' ']).to_owned()
        },
        |Page { error }| error.message,
    );
    Problem::new(status, message).to_json()
}

/// An error that a stream reports, whose status nobody knows any more.
pub(super) fn reported(error: &Value) -> Value {
    let word = error["type"].as_str().filter(|word| *word != "api_error").unwrap_or("server_error");
    json!({ "error": { "message": error["message"], "type": word, "param": null, "code": null } })
}
