//! What is answered: [`completion`]; its words and counts also serve a stream.
//!
//! Reading is lenient: every field but the content may be missing, blocks of other kinds (a search of the provider's own, a
//! signature) say nothing to a client of chat completions.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Unreadable;
use crate::provider::anthropic::{Stop, Tokens, Usage};

/// A whole answer, or the beginning of one.
#[derive(Debug, Deserialize)]
pub(super) struct Message {
    #[serde(default)]
    pub(super) id: String,
    #[serde(default)]
    pub(super) model: String,
    content: Vec<Block>,
    #[serde(default)]
    pub(super) usage: Option<Usage>,
    #[serde(flatten)]
    stop: Stop,
}

/// A piece of an answer: the fields of all kinds, of which each has a few.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Block {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    pub(super) text: Option<String>,
    #[serde(default)]
    pub(super) thinking: Option<String>,
    #[serde(default)]
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    input: Option<Map<String, Value>>,
}

impl Block {
    /// Whether it calls a tool of the caller's.
    pub(super) fn is_call(&self) -> bool {
        self.kind == "tool_use"
    }

    /// What the tool is called with, in JSON. A stream begins with an empty object and tells the rest in pieces.
    pub(super) fn arguments(self) -> Option<String> {
        self.input.filter(|input| !input.is_empty()).map(|input| Value::Object(input).to_string())
    }
}

/// `body`, a whole answer of the Messages API, as a chat completion. `created` is in seconds since 1970.
pub fn completion(body: &[u8], created: i64) -> Result<Vec<u8>, Unreadable> {
    let Message { id, model, content, usage, stop } = serde_json::from_slice(body)?;
    let (mut text, mut thoughts, mut calls) = (String::new(), String::new(), Vec::new());
    for block in content {
        text.extend(block.text.as_deref());
        thoughts.extend(block.thinking.as_deref());
        if block.is_call() {
            let (id, name) = (block.id.clone(), block.name.clone());
            let arguments = block.arguments().unwrap_or_else(|| "{}".to_owned());
            calls.push(
                json!({ "id": id, "type": "function", "function": { "name": name, "arguments": arguments } }),
            );
        }
    }
    let has_text = !text.is_empty() || calls.is_empty();
    let mut message =
        json!({ "role": "assistant", "content": has_text.then_some(text), "refusal": stop.refusal() });
    if !thoughts.is_empty() {
        message["reasoning_content"] = json!(thoughts);
    }
    if !calls.is_empty() {
        message["tool_calls"] = json!(calls);
    }
    let finish = finish_reason(stop.stop_reason.as_deref().unwrap_or_default());
    let choice = json!({ "index": 0, "message": message, "logprobs": null, "finish_reason": finish });
    let mut whole = json!({ "id": id, "object": "chat.completion", "created": created, "model": model, "choices": [choice] });
    if let Some(usage) = usage {
        whole["usage"] = counts(usage, &mut Tokens::default());
    }
    Ok(whole.to_string().into_bytes())
}

/// The word of chat completions for why an answer ends. Whatever is not known to be an end is a cut, so that nobody takes a
/// torn answer for a whole one.
pub(super) fn finish_reason(stop_reason: &str) -> &'static str {
    match stop_reason {
        "end_turn" | "stop_sequence" => "stop",
        "tool_use" => "tool_calls",
        "refusal" => "content_filter",
        _ => "length",
    }
}

/// The counts so far, of which `now` are the latest. What came from the cache or went into it is a part of the prompt.
pub(super) fn counts(now: Usage, sum: &mut Tokens) -> Value {
    let spent = sum.take(now);
    let (prompt, reply) = (spent.tokens_in.unwrap_or(0), spent.tokens_out.unwrap_or(0));
    let mut usage = json!({
        "prompt_tokens": prompt,
        "completion_tokens": reply,
        "total_tokens": prompt.saturating_add(reply),
        "prompt_tokens_details": {
            "cached_tokens": spent.tokens_cached.unwrap_or(0),
            "cache_write_tokens": spent.tokens_cache_written.unwrap_or(0),
        },
    });
    if let Some(thought) = sum.thinking() {
        usage["completion_tokens_details"] = json!({ "reasoning_tokens": thought });
    }
    usage
}
