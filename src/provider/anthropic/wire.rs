//! What is sent to the Messages API and what its events say: [`Request`] and [`Event`].
//!
//! Reading is lenient: every field may be missing or null, unknown events and blocks say nothing, and a plain reply is
//! read as one event.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    coverage::Spent,
    prompt::Prompt,
    provider::endpoint::{Manner, Said},
};

#[derive(Serialize)]
pub(super) struct Request<'a> {
    model: &'a str,
    max_tokens: u32,
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    system: Option<[Instructions<'a>; 1]>,
    messages: [Message<'a>; 1],
}

#[derive(Serialize)]
struct Instructions<'a> {
    r#type: &'static str,
    text: &'a str,
    cache_control: CacheControl,
}

#[derive(Serialize)]
struct CacheControl {
    r#type: &'static str,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: Cow<'a, str>,
}

impl<'a> Request<'a> {
    pub(super) fn new(model: &'a str, manner: &Manner, prompt: &'a Prompt) -> Self {
        let (system, user) = manner.messages(prompt);
        let cache_control = CacheControl { r#type: "ephemeral" };
        Self {
            model,
            max_tokens: manner.limit().unwrap_or(super::DEFAULT_LIMIT),
            stream: true,
            temperature: manner.temperature(),
            system: system.map(|text| [Instructions { r#type: "text", text, cache_control }]),
            messages: [Message { role: "user", content: user }],
        }
    }

    pub(super) fn to_json(&self) -> String {
        serde_json::json!(self).to_string()
    }
}

/// An event of a stream, or a whole plain reply: the fields of all kinds, of which each has a few.
#[derive(Debug, Deserialize)]
pub(super) struct Event {
    /// Of `message_start`.
    #[serde(default)]
    message: Option<Reply>,
    #[serde(default)]
    content_block: Option<Block>,
    /// Of `content_block_delta` and `message_delta`.
    #[serde(default)]
    delta: Option<Delta>,
    #[serde(default)]
    error: Option<Value>,
    /// Of `message_delta` and of a plain reply.
    #[serde(flatten)]
    reply: Reply,
}

/// A reply, or what has changed about it.
#[derive(Debug, Default, Deserialize)]
struct Reply {
    #[serde(default)]
    content: Option<Vec<Block>>,
    #[serde(default)]
    usage: Option<Usage>,
    #[serde(flatten)]
    stop: Stop,
}

#[derive(Debug, Default, Deserialize)]
struct Delta {
    #[serde(flatten)]
    block: Block,
    #[serde(flatten)]
    stop: Stop,
}

/// A piece of the reply or of the reasoning; other kinds have neither.
#[derive(Debug, Default, Deserialize)]
struct Block {
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    thinking: Option<String>,
}

/// Why the reply ends.
#[derive(Debug, Default, Deserialize)]
pub(in crate::provider) struct Stop {
    #[serde(default)]
    pub(in crate::provider) stop_reason: Option<String>,
    /// Of a refusal.
    #[serde(default)]
    stop_details: Option<StopDetails>,
}

#[derive(Debug, Deserialize)]
struct StopDetails {
    #[serde(default)]
    category: Option<String>,
    #[serde(default)]
    explanation: Option<String>,
}

impl Stop {
    /// Why the model declined, if it did and if that is told.
    pub(in crate::provider) fn refusal(&self) -> Option<&str> {
        let details = self.stop_details.as_ref()?;
        details.explanation.as_deref().or(details.category.as_deref())
    }
}

/// Cumulative counts; `input_tokens` are those that neither came from the cache nor went into it.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub(in crate::provider) struct Usage {
    #[serde(default)]
    input_tokens: Option<u64>,
    #[serde(default)]
    cache_creation_input_tokens: Option<u64>,
    #[serde(default)]
    cache_read_input_tokens: Option<u64>,
    #[serde(default)]
    output_tokens: Option<u64>,
    #[serde(default)]
    output_tokens_details: Option<OutputTokens>,
}

/// What `output_tokens` were spent on.
#[derive(Debug, Clone, Copy, Deserialize)]
struct OutputTokens {
    #[serde(default)]
    thinking_tokens: Option<u64>,
}

/// The counts of a stream so far: an event repeats only some of them.
#[derive(Debug, Default)]
pub(in crate::provider) struct Tokens(Usage);

impl Tokens {
    /// Those of the reply's tokens that were spent on reasoning.
    pub(in crate::provider) fn thinking(&self) -> Option<u64> {
        self.0.output_tokens_details?.thinking_tokens
    }

    /// What was spent so far, `now` being the latest counts.
    pub(in crate::provider) fn take(&mut self, now: Usage) -> Spent {
        let Self(sum) = self;
        sum.input_tokens = now.input_tokens.or(sum.input_tokens);
        sum.cache_creation_input_tokens = now.cache_creation_input_tokens.or(sum.cache_creation_input_tokens);
        sum.cache_read_input_tokens = now.cache_read_input_tokens.or(sum.cache_read_input_tokens);
        sum.output_tokens = now.output_tokens.or(sum.output_tokens);
        sum.output_tokens_details = now.output_tokens_details.or(sum.output_tokens_details);
        let cached = sum.cache_read_input_tokens;
        let written = sum.cache_creation_input_tokens;
        let beside = written.unwrap_or(0).saturating_add(cached.unwrap_or(0));
        Spent {
            tokens_in: sum.input_tokens.map(|fresh| fresh.saturating_add(beside)),
            tokens_cached: cached,
            tokens_cache_written: written,
            tokens_out: sum.output_tokens,
            cost_usd: None,
        }
    }
}

impl Event {
    /// What the event says, with the counts of the events before it in `tokens`.
    pub(super) fn said(self, tokens: &mut Tokens) -> Said {
        let mut said = Said { error: self.error, ..Said::default() };
        let delta = self.delta.unwrap_or_default();
        let mut stops = vec![delta.stop];
        let mut blocks: Vec<Block> = self.content_block.into_iter().chain([delta.block]).collect();
        for reply in self.message.into_iter().chain([self.reply]) {
            blocks.extend(reply.content.into_iter().flatten());
            stops.push(reply.stop);
            if let Some(usage) = reply.usage {
                said.usage = tokens.take(usage);
            }
        }
        for block in blocks {
            said.text.extend(block.text);
            said.reasoning += block.thinking.map_or(0, |thinking| thinking.len());
        }
        for stop in stops {
            said.refusal = stop.refusal().map(str::to_owned).or(said.refusal);
            said.finish = stop.stop_reason.or(said.finish);
        }
        said
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_of_a_stream() {
        let mut tokens = Tokens::default();
        let mut check = |json: &str, expect: Said| {
            let event: Event = serde_json::from_str(json).unwrap();
            assert_eq!(event.said(&mut tokens), expect, "{json}");
        };
        let text = |text: &str| Said { text: text.to_owned(), ..Said::default() };
        let counts = |tokens_in, tokens_cached: Option<u64>, tokens_out| Spent {
            tokens_cache_written: tokens_cached.map(|_| 20),
            tokens_in: Some(tokens_in),
            tokens_cached,
            tokens_out: Some(tokens_out),
            cost_usd: None,
        };
        check(
            r#"{"type":"message_start","message":{"id":"m","content":[],"stop_reason":null,"usage":{"input_tokens":3,"cache_creation_input_tokens":20,"cache_read_input_tokens":100,"output_tokens":1}}}"#,
            Said { usage: counts(123, Some(100), 1), ..Said::default() },
        );
        check(
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":""}}"#,
            text(""),
        );
        check(
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}}"#,
            Said { reasoning: 2, ..Said::default() },
        );
        check(
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"x"}}"#,
            text(""),
        );
        check(r#"{"type":"content_block_stop","index":0}"#, text(""));
        check(
            r#"{"type":"content_block_start","index":1,"content_block":{"type":"text","text":"a"}}"#,
            text("a"),
        );
        check(r#"{"type":"ping"}"#, text(""));
        check(
            r#"{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"b"}}"#,
            text("b"),
        );
        check(r#"{"type":"unheard_of","delta":{"wings":2}}"#, text(""));
        check(
            r#"{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":9}}"#,
            Said { finish: Some("end_turn".to_owned()), usage: counts(123, Some(100), 9), ..Said::default() },
        );
        check(r#"{"type":"message_stop"}"#, text(""));
        check(
            r#"{"type":"message_delta","delta":{"stop_reason":"refusal","stop_details":{"type":"refusal","category":"cyber","explanation":null}}}"#,
            Said { finish: Some("refusal".to_owned()), refusal: Some("cyber".to_owned()), ..Said::default() },
        );
        check(
            r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
            Said {
                error: Some(serde_json::json!({"type": "overloaded_error", "message": "Overloaded"})),
                ..Said::default()
            },
        );
    }

    #[test]
    fn a_plain_reply_is_one_event() {
        let json = r#"{"type":"message","content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"a"}],"stop_reason":"max_tokens","usage":{"input_tokens":3,"output_tokens":4}}"#;
        let event: Event = serde_json::from_str(json).unwrap();
        let usage = Spent { tokens_in: Some(3), tokens_out: Some(4), ..Spent::default() };
        let finish = Some("max_tokens".to_owned());
        let expect = Said { text: "a".to_owned(), reasoning: 2, finish, usage, ..Said::default() };
        assert_eq!(event.said(&mut Tokens::default()), expect);
    }
}
