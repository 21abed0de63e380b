//! An answer as it comes: [`Translator`].
//!
//! Blocks come one after the other and are told as they come. Pings, signatures, citations and events that nobody knows yet
//! say nothing to a client of chat completions.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Unreadable,
    events::Events,
    reply::{self, Block, Message},
};
use crate::provider::anthropic::{Stop, Tokens, Usage};

/// Turns a stream of the Messages API into one of chat completions. What comes out depends on the bytes alone, not on how they
/// are cut. Holds at most one event.
#[derive(Debug)]
pub struct Translator {
    created: i64,
    includes_usage: bool,
    events: Events,
    id: String,
    model: String,
    tokens: Tokens,
    usage: Value,
    calls: usize,
    /// The call whose arguments are coming, and whether any came.
    open: Option<(usize, bool)>,
    state: State,
}

#[derive(Debug, Clone, PartialEq)]
enum State {
    Coming,
    Whole,
    Broken(Unreadable),
}

/// An event: the fields of all kinds, of which each has a few.
#[derive(Debug, Deserialize)]
struct Event {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    message: Option<Message>,
    #[serde(default)]
    content_block: Option<Block>,
    #[serde(default)]
    delta: Option<Delta>,
    #[serde(default)]
    usage: Option<Usage>,
    #[serde(default)]
    error: Value,
}

#[derive(Debug, Default, Deserialize)]
struct Delta {
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    thinking: Option<String>,
    #[serde(default)]
    partial_json: Option<String>,
    #[serde(flatten)]
    stop: Stop,
}

impl Translator {
    /// For one answer. With `include_usage` its last chunk has the counts of tokens; `created` is in seconds since 1970.
    pub fn new(include_usage: bool, created: i64) -> Self {
        Self {
            created,
            includes_usage: include_usage,
            events: Events::default(),
            id: String::new(),
            model: String::new(),
            tokens: Tokens::default(),
            usage: Value::Null,
            calls: 0,
            open: None,
            state: State::Coming,
        }
    }

    /// What `piece` of the answer says. An error that the provider reports is passed on as an event, and nothing after it.
    ///
    /// # Errors
    ///
    /// It is not what the API sends. What came before it in the same piece is given out first, and the error the next time.
    pub fn feed(&mut self, mut piece: &[u8]) -> Result<Vec<u8>, Unreadable> {
        let mut said = Vec::new();
        while self.state == State::Coming {
            let step = match self.events.next(&mut piece) {
                Ok(None) => break,
                Ok(Some(data)) => self.event(&data, &mut said),
                Err(error) => Err(error.into()),
            };
            if let Err(error) = step {
                self.state = State::Broken(error);
            }
        }
        match &self.state {
            State::Broken(error) if said.is_empty() => Err(error.clone()),
            _ => Ok(said),
        }
    }

    /// The stream has ended.
    ///
    /// # Errors
    ///
    /// It ended before the answer was whole, or with an error.
    pub fn finish(self) -> Result<(), Unreadable> {
        match self.state {
            State::Whole => Ok(()),
            State::Coming => Err(Unreadable::Unfinished),
            State::Broken(error) => Err(error),
        }
    }

    fn event(&mut self, data: &[u8], said: &mut Vec<u8>) -> Result<(), Unreadable> {
        let event: Event = serde_json::from_slice(data)?;
        let delta = event.delta.unwrap_or_default();
        match event.kind.as_str() {
            "message_start" => self.begin(event.message, said),
            "content_block_start" => self.block(event.content_block.unwrap_or_default(), said),
            "content_block_delta" => self.more(&delta, said),
            "content_block_stop" => self.close(said),
            "message_delta" => self.stop(&delta.stop, event.usage, said),
            "message_stop" => self.end(said),
            "error" => {
                tell(said, &super::problem::reported(&event.error));
                return Err(Unreadable::Reported);
            }
            _ => {}
        }
        Ok(())
    }

    fn begin(&mut self, message: Option<Message>, said: &mut Vec<u8>) {
        if let Some(message) = message {
            (self.id, self.model) = (message.id, message.model);
            self.count(message.usage);
        }
        self.chunk(&json!({ "role": "assistant", "content": "", "refusal": null }), None, said);
    }

    fn block(&mut self, block: Block, said: &mut Vec<u8>) {
        self.open = None;
        if block.is_call() {
            let call = json!({
                "index": self.calls,
                "id": block.id,
                "type": "function",
                "function": { "name": block.name, "arguments": "" },
            });
            self.chunk(&json!({ "tool_calls": [call] }), None, said);
            self.open = Some((self.calls, false));
            self.calls += 1;
            if let Some(arguments) = block.arguments() {
                self.argue(&arguments, said);
            }
        } else {
            self.speak(block.text.as_deref(), block.thinking.as_deref(), said);
        }
    }

    fn more(&mut self, delta: &Delta, said: &mut Vec<u8>) {
        self.speak(delta.text.as_deref(), delta.thinking.as_deref(), said);
        self.argue(delta.partial_json.as_deref().unwrap_or_default(), said);
    }

    fn speak(&self, text: Option<&str>, thoughts: Option<&str>, said: &mut Vec<u8>) {
        for (name, piece) in [("content", text), ("reasoning_content", thoughts)] {
            if let Some(piece) = piece.filter(|piece| !piece.is_empty()) {
                self.chunk(&json!({ name: piece }), None, said);
            }
        }
    }

    /// A piece of the arguments of the call that is open. Tools of the provider's own have arguments too, and no call.
    fn argue(&mut self, piece: &str, said: &mut Vec<u8>) {
        if let Some((index, _)) = self.open
            && !piece.is_empty()
        {
            self.open = Some((index, true));
            let call = json!({ "index": index, "function": { "arguments": piece } });
            self.chunk(&json!({ "tool_calls": [call] }), None, said);
        }
    }

    /// A call without arguments is one with an empty object, which clients must be able to read.
    fn close(&mut self, said: &mut Vec<u8>) {
        if matches!(self.open, Some((_, false))) {
            self.argue("{}", said);
        }
        self.open = None;
    }

    fn stop(&mut self, stop: &Stop, usage: Option<Usage>, said: &mut Vec<u8>) {
        self.count(usage);
        if let Some(word) = &stop.stop_reason {
            let delta = stop.refusal().map_or_else(|| json!({}), |why| json!({ "refusal": why }));
            self.chunk(&delta, Some(reply::finish_reason(word)), said);
        }
    }

    fn end(&mut self, said: &mut Vec<u8>) {
        if self.includes_usage {
            let mut last = self.frame();
            last["choices"] = json!([]);
            last["usage"] = self.usage.take();
            tell(said, &last);
        }
        said.extend_from_slice(b"data: [DONE]\n\n");
        self.state = State::Whole;
    }

    fn count(&mut self, usage: Option<Usage>) {
        if let Some(usage) = usage {
            self.usage = reply::counts(usage, &mut self.tokens);
        }
    }

    fn chunk(&self, delta: &Value, finish: Option<&str>, said: &mut Vec<u8>) {
        let mut chunk = self.frame();
        chunk["choices"] = json!([{ "index": 0, "delta": delta, "logprobs": null, "finish_reason": finish }]);
        if self.includes_usage {
            chunk["usage"] = Value::Null;
        }
        tell(said, &chunk);
    }

    fn frame(&self) -> Value {
        json!({ "id": self.id, "object": "chat.completion.chunk", "created": self.created, "model": self.model })
    }
}

fn tell(said: &mut Vec<u8>, data: &Value) {
    said.extend_from_slice(format!("data: {data}\n\n").as_bytes());
}
