//! What is asked: [`request`].
//!
//! Parameters and their defaults are those of `openai` 3.3.1 for Python (`completion_create_params`), their counterparts
//! those of `anthropic` 0.121.0 (`message_create_params`). Whether a value is one that the API takes is the API's to say.

use serde_json::{Map, Value, json};

use super::{Untranslatable, tools, turns};

/// What changes nothing in the answer, or only how it is told.
const LEFT_OUT: [&str; 5] =
    ["prediction", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "stream_options"];

/// What changes the answer, or promises something about it, and cannot be had; unless it asks for nothing ([`is_idle`]).
const REFUSED: [&str; 15] = [
    "audio",
    "frequency_penalty",
    "function_call",
    "functions",
    "logit_bias",
    "logprobs",
    "modalities",
    "moderation",
    "n",
    "presence_penalty",
    "seed",
    "store",
    "top_logprobs",
    "verbosity",
    "web_search_options",
];

/// What is translated, or the same in both.
const TRANSLATED: [&str; 16] = [
    "max_completion_tokens",
    "max_tokens",
    "messages",
    "metadata",
    "parallel_tool_calls",
    "reasoning_effort",
    "response_format",
    "safety_identifier",
    "service_tier",
    "stop",
    "stream",
    "temperature",
    "tool_choice",
    "tools",
    "top_p",
    "user",
];

/// `body`, a chat request, as a request for the Messages API. `usual_limit` is the most tokens of an answer where the
/// caller names no number, on which the API insists.
///
/// # Errors
///
/// It is no chat request, or asks for something that has no counterpart.
pub fn request(body: &[u8], usual_limit: u32) -> Result<Vec<u8>, Untranslatable> {
    let mut asked: Map<String, Value> =
        serde_json::from_slice(body).map_err(|_| Untranslatable::new("", "is not a JSON object"))?;
    asked.retain(|name, value| !(value.is_null() && is_known(name)));
    asked.retain(|name, _| !LEFT_OUT.contains(&name.as_str()));
    limit(&mut asked, usual_limit);
    stops(&mut asked);
    caller(&mut asked);
    tier(&mut asked);
    effort(&mut asked)?;
    format(&mut asked)?;
    temperature(&asked)?;
    refuse(&mut asked)?;
    tools::translate(&mut asked)?;
    turns::translate(&mut asked)?;
    Ok(Value::Object(asked).to_string().into_bytes())
}

fn is_known(name: &str) -> bool {
    [&TRANSLATED[..], &REFUSED, &LEFT_OUT].iter().any(|names| names.contains(&name))
}

fn refuse(asked: &mut Map<String, Value>) -> Result<(), Untranslatable> {
    for name in REFUSED {
        match asked.get(name) {
            None => {}
            Some(value) if is_idle(name, value) => drop(asked.shift_remove(name)),
            Some(_) if matches!(name, "functions" | "function_call") => {
                return Err(Untranslatable::new(
                    name,
                    "is an older form of tools and tool_choice: use those",
                ));
            }
            Some(_) => return Err(Untranslatable::no_counterpart(name)),
        }
    }
    Ok(())
}

/// Whether `value` of a parameter asks for what would be without it.
fn is_idle(name: &str, value: &Value) -> bool {
    match name {
        "n" => value == &json!(1),
        "logprobs" | "store" => value == &json!(false),
        "frequency_penalty" | "presence_penalty" | "top_logprobs" => value.as_f64() == Some(0.0),
        "logit_bias" => value == &json!({}),
        "functions" => value == &json!([]),
        "modalities" => value == &json!(["text"]),
        "verbosity" => value == &json!("medium"),
        _ => false,
    }
}

/// From 0 to 2 there, from 0 to 1 here. What is hotter cannot be had, and 1 in its place would be another question.
fn temperature(asked: &Map<String, Value>) -> Result<(), Untranslatable> {
    match asked.get("temperature").and_then(Value::as_f64) {
        Some(degree) if degree > 1.0 => {
            Err(Untranslatable::new("temperature", "is from 0 to 1 for Anthropic's models"))
        }
        _ => Ok(()),
    }
}

/// The newer name goes before the older one.
fn limit(asked: &mut Map<String, Value>, usual: u32) {
    if let Some(newer) = asked.shift_remove("max_completion_tokens") {
        asked.insert("max_tokens".to_owned(), newer);
    }
    asked.entry("max_tokens").or_insert_with(|| json!(usual));
}

fn stops(asked: &mut Map<String, Value>) {
    if let Some(stop) = asked.shift_remove("stop") {
        let several = if stop.is_array() { stop } else { json!([stop]) };
        asked.entry("stop_sequences").or_insert(several);
    }
}

/// Who asks on whose behalf. Other members of `metadata` are for the provider's archive, which has no counterpart and does
/// not change the answer.
fn caller(asked: &mut Map<String, Value>) {
    let metadata = asked.shift_remove("metadata");
    let user = ["user", "safety_identifier"].map(|name| asked.shift_remove(name));
    let own = metadata.as_ref().and_then(|metadata| metadata.get("user_id")).cloned();
    if let Some(id) = own.into_iter().chain(user.into_iter().flatten()).next() {
        asked.insert("metadata".to_owned(), json!({ "user_id": id }));
    }
}

/// The words of the one API say nothing to the other, but `auto`.
fn tier(asked: &mut Map<String, Value>) {
    let is_theirs = |tier: &Value| matches!(tier.as_str(), Some("auto" | "standard_only"));
    if !asked.get("service_tier").is_some_and(is_theirs) {
        asked.shift_remove("service_tier");
    }
}

fn effort(asked: &mut Map<String, Value>) -> Result<(), Untranslatable> {
    let Some(effort) = asked.shift_remove("reasoning_effort") else { return Ok(()) };
    match effort.as_str() {
        Some("none") => {
            asked.entry("thinking").or_insert_with(|| json!({ "type": "disabled" }));
            Ok(())
        }
        Some("low" | "medium" | "high" | "xhigh" | "max") => configure(asked, "effort", effort),
        _ => Err(Untranslatable::new(
            "reasoning_effort",
            "is none, low, medium, high, xhigh or max for Anthropic's models",
        )),
    }
}

fn format(asked: &mut Map<String, Value>) -> Result<(), Untranslatable> {
    let Some(mut format) = asked.shift_remove("response_format") else { return Ok(()) };
    match format["type"].as_str() {
        Some("text") => Ok(()),
        Some("json_schema") => {
            let schema = format.pointer_mut("/json_schema/schema").map(Value::take);
            let schema = schema.ok_or_else(|| {
                Untranslatable::new(
                    "response_format.json_schema.schema",
                    "is missing: answers are held to it",
                )
            })?;
            configure(asked, "format", json!({ "type": "json_schema", "schema": schema }))
        }
        Some("json_object") => {
            let fault = "has no counterpart in Anthropic's Messages API: name a schema (json_schema)";
            Err(Untranslatable::new("response_format", fault))
        }
        _ => Err(Untranslatable::no_counterpart("response_format")),
    }
}

/// Sets a member of `output_config` unless the caller did.
fn configure(asked: &mut Map<String, Value>, member: &str, value: Value) -> Result<(), Untranslatable> {
    let config = asked.entry("output_config").or_insert_with(|| json!({}));
    let config =
        config.as_object_mut().ok_or_else(|| Untranslatable::new("output_config", "is not an object"))?;
    config.entry(member).or_insert(value);
    Ok(())
}
