//! What is sent to a chat endpoint and what comes back: [`Request`] and [`Chunk`].
//!
//! Reading is as lenient as servers are different: every field may be missing or null, unknown ones are skipped,
//! and a plain reply is a chunk whose choice has a `message` in place of a `delta`.

use std::borrow::Cow;

use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::Value;

use crate::{
    coverage::Spent,
    prompt::Prompt,
    provider::endpoint::{Manner, Said},
    reviewer::{OutputLimit, Parameter},
};

#[derive(Serialize)]
pub(super) struct Request<'a> {
    model: &'a str,
    messages: Vec<Message<'a>>,
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<StreamOptions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: Cow<'a, str>,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

impl<'a> Request<'a> {
    pub(super) fn new(model: &'a str, manner: &Manner, prompt: &'a Prompt) -> Self {
        let (system, user) = manner.messages(prompt);
        let system = system.map(|system| Message { role: "system", content: Cow::Borrowed(system) });
        let user = Message { role: "user", content: user };
        let options = manner.sends(Parameter::StreamOptions).then_some(StreamOptions { include_usage: true });
        Self {
            model,
            messages: system.into_iter().chain([user]).collect(),
            stream: true,
            stream_options: options,
            temperature: manner.temperature(),
            max_tokens: manner.limit_as(OutputLimit::MaxTokens),
            max_completion_tokens: manner.limit_as(OutputLimit::MaxCompletionTokens),
        }
    }
}

/// One event of a stream, or a whole plain reply.
#[derive(Debug, Deserialize)]
pub(in crate::provider) struct Chunk {
    #[serde(default)]
    choices: Option<Vec<Choice>>,
    #[serde(default)]
    usage: Option<Usage>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct Choice {
    #[serde(default)]
    delta: Option<Piece>,
    #[serde(default)]
    message: Option<Piece>,
    #[serde(default)]
    finish_reason: Option<String>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
struct Piece {
    #[serde(default)]
    content: Option<Content>,
    #[serde(default)]
    refusal: Option<String>,
    #[serde(default)]
    reasoning_content: Option<Value>,
    #[serde(default)]
    reasoning: Option<Value>,
    #[serde(default)]
    tool_calls: Option<Vec<IgnoredAny>>,
}

impl Chunk {
    /// Whether it has anything of the answer itself, tools' calls too. Servers send chunks that only name the role.
    pub(in crate::provider) fn holds_a_token(&self) -> bool {
        let choices = self.choices.iter().flatten();
        choices
            .filter_map(|choice| choice.delta.as_ref().or(choice.message.as_ref()))
            .any(Piece::holds_a_token)
    }
}

impl Piece {
    fn holds_a_token(&self) -> bool {
        let has_content = match &self.content {
            Some(Content::Text(text)) => !text.is_empty(),
            Some(Content::Parts(parts)) => !parts.is_empty(),
            None => false,
        };
        has_content
            || self.reasoning_bytes() > 0
            || self.refusal.as_ref().is_some_and(|text| !text.is_empty())
            || self.tool_calls.as_ref().is_some_and(|calls| !calls.is_empty())
    }

    /// Bytes of reasoning beside the content. Some servers send it under both names.
    fn reasoning_bytes(&self) -> usize {
        let length = |thought: &Option<Value>| thought.as_ref().and_then(Value::as_str).map_or(0, str::len);
        length(&self.reasoning_content).max(length(&self.reasoning))
    }
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Debug, Deserialize)]
struct Part {
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    text: Option<String>,
    /// A list of parts in Mistral's form.
    #[serde(default)]
    thinking: Option<Value>,
}

impl Content {
    /// The text, and how many bytes of reasoning stood in it.
    fn parted(self) -> (String, usize) {
        let parts = match self {
            Self::Text(text) => return (text, 0),
            Self::Parts(parts) => parts,
        };
        let (mut text, mut reasoning) = (String::new(), 0);
        for part in parts {
            match part.kind.as_deref() {
                None | Some("text" | "output_text") => text.extend(part.text),
                Some(_) => reasoning += part.text.map_or(0, |text| text.len()),
            }
            reasoning += part.thinking.map_or(0, |thinking| thinking.to_string().len());
        }
        (text, reasoning)
    }
}

#[derive(Debug, Deserialize)]
struct Usage {
    #[serde(default)]
    prompt_tokens: Option<u64>,
    #[serde(default)]
    completion_tokens: Option<u64>,
    #[serde(default)]
    prompt_tokens_details: Option<Details>,
    /// Moonshot's place for it.
    #[serde(default)]
    cached_tokens: Option<u64>,
    /// `DeepSeek`'s place for it.
    #[serde(default)]
    prompt_cache_hit_tokens: Option<u64>,
    /// `OpenRouter`'s, in credits, which are US dollars. Others may put anything here.
    #[serde(default)]
    cost: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct Details {
    #[serde(default)]
    cached_tokens: Option<u64>,
    /// `OpenRouter`'s.
    #[serde(default)]
    cache_write_tokens: Option<u64>,
}

impl From<Usage> for Spent {
    fn from(usage: Usage) -> Self {
        let details = usage.prompt_tokens_details.as_ref();
        let cached = details.and_then(|details| details.cached_tokens);
        Self {
            tokens_in: usage.prompt_tokens,
            tokens_cached: cached.or(usage.cached_tokens).or(usage.prompt_cache_hit_tokens),
            tokens_cache_written: details.and_then(|details| details.cache_write_tokens),
            tokens_out: usage.completion_tokens,
            cost_usd: usage.cost.as_ref().and_then(Value::as_f64),
        }
    }
}

impl From<Chunk> for Said {
    fn from(chunk: Chunk) -> Self {
        let usage = chunk.usage.map(Spent::from).unwrap_or_default();
        let Some(choice) = chunk.choices.into_iter().flatten().next() else {
            return Self { error: chunk.error, usage, ..Self::default() };
        };
        let piece = choice.delta.or(choice.message).unwrap_or_default();
        let beside = piece.reasoning_bytes();
        let (text, within) = piece.content.map(Content::parted).unwrap_or_default();
        Self {
            text,
            reasoning: beside + within,
            refusal: piece.refusal,
            finish: choice.finish_reason,
            error: chunk.error.or(choice.error),
            usage,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_servers_send() {
        let check = |json: &str, expect: Said| {
            let chunk: Chunk = serde_json::from_str(json).unwrap();
            assert_eq!(Said::from(chunk), expect, "{json}");
        };
        let text = |text: &str| Said { text: text.to_owned(), ..Said::default() };
        let finish = |word: &str, said: Said| Said { finish: Some(word.to_owned()), ..said };
        let counts = |tokens_in, tokens_cached, tokens_out| Said {
            usage: Spent {
                tokens_in: Some(tokens_in),
                tokens_cached,
                tokens_out: Some(tokens_out),
                ..Spent::default()
            },
            ..Said::default()
        };
        check(r#"{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}"#, text("a"));
        check(r#"{"choices":[{"delta":{"role":"assistant","content":null}}],"usage":null}"#, text(""));
        check(
            r#"{"choices":[{"delta":{},"finish_reason":"stop"}],"timings":{"a":[1]}}"#,
            finish("stop", text("")),
        );
        check(
            r#"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4,"x":{}}}"#,
            counts(3, None, 4),
        );
        check(r#"{"choices":null}"#, text(""));
        check(
            r#"{"choices":[{"message":{"content":"whole"},"finish_reason":"length"}]}"#,
            finish("length", text("whole")),
        );
        check("{}", text(""));
        check(
            r#"{"usage":{"prompt_tokens":3,"completion_tokens":4,"prompt_tokens_details":{"cached_tokens":2}}}"#,
            counts(3, Some(2), 4),
        );
        check(
            r#"{"usage":{"prompt_tokens":3,"completion_tokens":4,"cached_tokens":2}}"#,
            counts(3, Some(2), 4),
        );
        check(
            r#"{"usage":{"prompt_tokens":3,"completion_tokens":4,"prompt_cache_hit_tokens":2,"prompt_tokens_details":null}}"#,
            counts(3, Some(2), 4),
        );
        let written = Some(5);
        check(
            r#"{"usage":{"prompt_tokens_details":{"cached_tokens":null,"cache_write_tokens":5}}}"#,
            Said { usage: Spent { tokens_cache_written: written, ..Spent::default() }, ..Said::default() },
        );
        let cost = |cost_usd| Said { usage: Spent { cost_usd, ..Spent::default() }, ..Said::default() };
        check(r#"{"usage":{"cost":0.5}}"#, cost(Some(0.5)));
        check(r#"{"usage":{"cost":{"total":1}}}"#, cost(None));
    }

    #[test]
    fn reasoning_is_not_the_reply() {
        let check = |piece: &str, text: &str, reasoning: usize| {
            let chunk: Chunk =
                serde_json::from_str(&format!(r#"{{"choices":[{{"delta":{piece}}}]}}"#)).unwrap();
            let said = Said::from(chunk);
            assert_eq!((said.text.as_str(), said.reasoning), (text, reasoning), "{piece}");
        };
        check(r#"{"reasoning_content":"hm","content":""}"#, "", 2);
        check(r#"{"reasoning_content":"hm","reasoning":"hm","content":"a"}"#, "a", 2);
        check(r#"{"reasoning":{"effort":"x"},"content":"a"}"#, "a", 0);
        check(r#"{"content":[{"type":"text","text":"a"},{"type":"image"}]}"#, "a", 0);
        check(r#"{"content":[{"type":"thinking","thinking":"hm"},{"text":"a"}]}"#, "a", 4);
        check(r#"{"content":[{"type":"reasoning","text":"hm"},{"type":"text","text":"a"}]}"#, "a", 2);
    }
}
