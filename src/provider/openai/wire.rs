//! What is sent to a chat endpoint and what comes back: [`Request`] and [`Chunk`].
//!
//! Reading is as lenient as servers are different: every field may be missing or null, unknown ones are skipped,
//! and a plain reply is a chunk whose choice has a `message` in place of a `delta`.

use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::Value;

use crate::provider::End;

#[derive(Serialize)]
pub(super) struct Request<'a> {
    pub(super) model: &'a str,
    pub(super) messages: [Message<'a>; 2],
    pub(super) stream: bool,
    pub(super) stream_options: StreamOptions,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) temperature: Option<f32>,
    /// What nearly every server understands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_tokens: Option<u32>,
    /// What newer models at `OpenAI` insist on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_completion_tokens: Option<u32>,
}

#[derive(Serialize)]
pub(super) struct Message<'a> {
    pub(super) role: &'static str,
    pub(super) content: &'a str,
}

#[derive(Serialize)]
pub(super) struct StreamOptions {
    pub(super) include_usage: bool,
}

/// One event of a stream, or a whole plain reply.
#[derive(Debug, Deserialize)]
pub(super) struct Chunk {
    #[serde(default)]
    pub(super) choices: Option<Vec<Choice>>,
    #[serde(default)]
    pub(super) usage: Option<Usage>,
    #[serde(default)]
    pub(super) error: Option<Value>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Choice {
    #[serde(default)]
    pub(super) delta: Option<Piece>,
    #[serde(default)]
    pub(super) message: Option<Box<Piece>>,
    #[serde(default)]
    pub(super) finish_reason: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Piece {
    #[serde(default)]
    pub(super) content: Option<Content>,
    #[serde(default)]
    pub(super) refusal: Option<String>,
    #[serde(default)]
    reasoning_content: Option<Thought>,
    #[serde(default)]
    reasoning: Option<Thought>,
}

impl Piece {
    /// Bytes of reasoning in this piece.
    pub(super) fn reasoning_bytes(&self) -> usize {
        let length = |thought: &Option<Thought>| match thought {
            Some(Thought::Text(text)) => text.len(),
            Some(Thought::Other(_)) | None => 0,
        };
        length(&self.reasoning_content).max(length(&self.reasoning))
    }
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Thought {
    Text(String),
    Other(IgnoredAny),
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Debug, Deserialize)]
pub(super) struct Part {
    #[serde(default)]
    text: Option<String>,
}

impl Content {
    pub(super) fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Parts(parts) => parts.into_iter().filter_map(|part| part.text).collect(),
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Usage {
    #[serde(default)]
    pub(super) prompt_tokens: Option<u64>,
    #[serde(default)]
    pub(super) completion_tokens: Option<u64>,
}

/// What a `finish_reason` means. A word nobody knows is taken for a cut: better an answer marked incomplete than a
/// torn one taken for whole.
pub(super) fn end_of(word: &str) -> End {
    match word.to_ascii_lowercase().as_str() {
        "stop" | "end_turn" | "eos" | "eos_token" | "stop_sequence" | "completed" => End::Stop,
        _ => End::Cut(crate::provider::one_line(word)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_servers_send() {
        let check = |json: &str, text: Option<&str>, finish: Option<&str>| {
            let chunk: Chunk = serde_json::from_str(json).unwrap();
            let choice = chunk.choices.into_iter().flatten().next();
            let (mut seen, mut end) = (None, None);
            if let Some(choice) = choice {
                end = choice.finish_reason;
                seen = choice
                    .delta
                    .or(choice.message.map(|whole| *whole))
                    .and_then(|piece| piece.content)
                    .map(Content::into_text);
            }
            assert_eq!((seen.as_deref(), end.as_deref()), (text, finish), "{json}");
        };
        check(r#"{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}"#, Some("a"), None);
        check(r#"{"choices":[{"delta":{"role":"assistant","content":null}}],"usage":null}"#, None, None);
        check(r#"{"choices":[{"delta":{},"finish_reason":"stop"}],"timings":{"a":[1]}}"#, None, Some("stop"));
        check(r#"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4,"x":{}}}"#, None, None);
        check(r#"{"choices":null}"#, None, None);
        check(r#"{"choices":[{"delta":{"reasoning_content":"hm","content":""}}]}"#, Some(""), None);
        check(
            r#"{"choices":[{"delta":{"content":[{"type":"text","text":"a"},{"type":"image"}]}}]}"#,
            Some("a"),
            None,
        );
        check(
            r#"{"choices":[{"message":{"content":"whole"},"finish_reason":"length"}]}"#,
            Some("whole"),
            Some("length"),
        );
        check("{}", None, None);
    }

    #[test]
    fn unknown_ends_are_cuts() {
        assert_eq!(end_of("stop"), End::Stop);
        assert_eq!(end_of("STOP"), End::Stop);
        assert_eq!(end_of("length"), End::Cut("length".to_owned()));
        assert_eq!(end_of("content_filter"), End::Cut("content_filter".to_owned()));
    }
}
