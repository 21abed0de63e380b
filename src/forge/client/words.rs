//! What an answer says for people: [`words`], from the error forms of all platforms.

use serde_json::Value;

/// What `body` says is wrong; empty when it says nothing known.
pub(super) fn words(body: &Value) -> String {
    let mut parts = Vec::new();
    for key in ["message", "error", "error_description", "errors"] {
        gather(&body[key], &mut parts);
    }
    parts.dedup();
    parts.join("; ")
}

/// Why a token is not taken. What platforms say is seldom more than a status, and Gitea's words are about a user of number 0.
pub(super) fn of_bad_token(words: &str) -> &str {
    let says_why = ["expired", "revoked"].iter().any(|why| words.contains(why));
    if says_why { words } else { "it is wrong, has expired or was revoked" }
}

/// Texts, lists of them, GitHub's objects with `message` or `field` and `code`, GitLab's lists by field.
fn gather(value: &Value, parts: &mut Vec<String>) {
    match value {
        Value::String(text) if !text.trim().is_empty() => parts.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| gather(item, parts)),
        Value::Object(fields) => match (&value["message"], &value["field"], &value["code"]) {
            (Value::String(message), _, _) => parts.push(message.clone()),
            (_, Value::String(field), Value::String(code)) => parts.push(format!("{field}: {code}")),
            _ => parts.extend(fields.iter().filter_map(|(field, inner)| {
                let mut told = Vec::new();
                gather(inner, &mut told);
                let told = (!told.is_empty()).then(|| told.join(", "))?;
                // It says nothing more than that there is one.
                Some(if field == "error" { told } else { format!("{field}: {told}") })
            })),
        },
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_all_platforms() {
        let check = |body: &str, expect: &str| {
            assert_eq!(words(&serde_json::from_str(body).unwrap()), expect, "{body}");
        };
        // GitHub.
        check(r#"{"message":"Bad credentials","documentation_url":"u","status":"401"}"#, "Bad credentials");
        check(
            r#"{"message":"Unprocessable Entity","errors":["Line could not be resolved"]}"#,
            "Unprocessable Entity; Line could not be resolved",
        );
        check(
            r#"{"message":"Validation Failed","errors":[{"resource":"R","code":"custom","field":"f","message":"m"},{"field":"f","code":"missing_field"}]}"#,
            "Validation Failed; m; f: missing_field",
        );
        check(r#"{"data":null,"errors":[{"type":"NOT_FOUND","path":["a"],"message":"no"}]}"#, "no");
        // GitLab.
        check(
            r#"{"message":{"line_code":["can't be blank","must be valid"]}}"#,
            "line_code: can't be blank, must be valid",
        );
        check(r#"{"message":{"error":"Try again later."}}"#, "Try again later.");
        check(r#"{"message":"404 Project Not Found"}"#, "404 Project Not Found");
        check(
            r#"{"error":"invalid_token","error_description":"Token was revoked."}"#,
            "invalid_token; Token was revoked.",
        );
        // Gitea.
        check(r#"{"errors":null,"message":"token is required","url":"u"}"#, "token is required");
        // Nothing known.
        check(r#"{"state":"open"}"#, "");
        check("[]", "");
        check("null", "");
    }

    #[test]
    fn tokens_that_are_not_taken() {
        let ours = "it is wrong, has expired or was revoked";
        let check = |words: &str, expect: &str| assert_eq!(of_bad_token(words), expect);
        check("Bad credentials", ours);
        check("401 Unauthorized", ours);
        check("user does not exist [uid: 0, name: ]", ours);
        check("invalid_token; Token was revoked.", "invalid_token; Token was revoked.");
    }
}
