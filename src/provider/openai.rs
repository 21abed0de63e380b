//! OpenAI-compatible chat endpoints, asked for a stream.
//!
//! [`Endpoint`] makes the request and gathers the reply. `wire` has the shapes of what is sent and received,
//! `exchange` the HTTP side, `door` the words for what a server says instead of answering. The key comes in as
//! an argument: nothing here reads the environment.

mod address;
mod door;
mod exchange;
mod wire;

use std::{future::poll_fn, sync::Arc, time::Duration};

use async_openai::{Client, error::OpenAIError};
use futures_util::{Stream, StreamExt};
use secrecy::SecretString;

use super::{Answer, AskError, Draft, End, OpenError};
use crate::{coverage::Spent, prompt::Prompt, reviewer::Reviewer};
use address::Address;
pub use address::HttpClients;
use door::Door;
use exchange::{Exchange, Flow};
use wire::{Chunk, Message, Request, StreamOptions};

/// Longest reply, in bytes; what is over is cut off.
const LONGEST_REPLY: usize = 4 << 20;
/// How long token counts are waited for once the reviewer has finished.
const GRACE: Duration = Duration::from_secs(2);

/// An endpoint with a model behind it.
#[derive(Clone)]
pub struct Endpoint {
    http: reqwest::Client,
    address: Address,
    door: Arc<Door>,
    temperature: Option<f32>,
    max_output_tokens: Option<u32>,
}

impl Endpoint {
    /// The model of `reviewer` at `base_url`; `variable` is where the key came from, for error messages.
    pub(super) fn open(
        reviewer: &Reviewer,
        base_url: &str,
        variable: Option<&str>,
        key: Option<SecretString>,
        clients: &mut HttpClients,
    ) -> Result<Self, OpenError> {
        let id = || reviewer.id.to_string();
        let key = key.unwrap_or_default();
        let url = address::parse(base_url).map_err(|(shown, reason)| OpenError::BadUrl {
            reviewer: id(),
            base_url: shown,
            reason,
        })?;
        let address = Address::new(&url, key.clone()).ok_or_else(|| OpenError::BadKey {
            reviewer: id(),
            variable: variable.unwrap_or_default().to_owned(),
        })?;
        let http = clients
            .for_url(&url)
            .map_err(|error| OpenError::Http { reviewer: id(), reason: door::root_cause(&error) })?;
        let door = Door {
            address: address::shown(&url),
            variable: variable.map(str::to_owned),
            model: reviewer.model.clone(),
            key,
        };
        Ok(Self {
            http,
            address,
            door: Arc::new(door),
            temperature: reviewer.temperature,
            max_output_tokens: reviewer.max_output_tokens,
        })
    }

    pub(super) fn without_key(&self, text: String) -> String {
        self.door.without_key(text)
    }

    pub(super) async fn ask(&self, prompt: &Prompt, draft: &Arc<Draft>) -> Result<Answer, AskError> {
        let flow = Arc::new(Flow::default());
        let exchange = Exchange {
            http: self.http.clone(),
            door: Arc::clone(&self.door),
            draft: Arc::clone(draft),
            flow: Arc::clone(&flow),
        };
        let client = Client::build(self.http.clone(), self.address.clone()).with_http_service(exchange);
        let request = self.request(prompt);
        let gathered = match client.chat().create_stream_byot::<_, Chunk>(&request).await {
            Ok(stream) => gather(stream, draft, &flow, &self.door).await,
            Err(error) => Err(self.door.told(error)),
        };
        let text = draft.take_text();
        match gathered {
            Ok(reply) => Ok(Answer { text, ..reply }),
            Err(error) => Err(error.after(text)),
        }
    }

    fn request<'a>(&'a self, prompt: &'a Prompt) -> Request<'a> {
        let (old, new) = if self.address.is_openai() {
            (None, self.max_output_tokens)
        } else {
            (self.max_output_tokens, None)
        };
        Request {
            model: &self.door.model,
            messages: [
                Message { role: "system", content: &prompt.system },
                Message { role: "user", content: &prompt.user },
            ],
            stream: true,
            stream_options: StreamOptions { include_usage: true },
            temperature: self.temperature,
            max_tokens: old,
            max_completion_tokens: new,
        }
    }
}

/// Reads chunks into `draft` until the reviewer has finished. The answer's text is left in the draft.
async fn gather(
    mut stream: impl Stream<Item = Result<Chunk, OpenAIError>> + Unpin,
    draft: &Draft,
    flow: &Flow,
    door: &Door,
) -> Result<Answer, AskError> {
    let mut gathered = Gathered::default();
    loop {
        let next = if gathered.end.is_some() {
            tokio::time::timeout(GRACE, next_chunk(&mut stream, flow)).await.unwrap_or(None)
        } else {
            next_chunk(&mut stream, flow).await
        };
        match next {
            None => break,
            Some(Ok(chunk)) => {
                if !gathered.take(chunk, draft, door)? {
                    break;
                }
            }
            Some(Err(OpenAIError::JSONDeserialize(..))) => gathered.unreadable += 1,
            Some(Err(_)) if gathered.end.is_some() => break,
            Some(Err(error)) => return Err(flow.broken().unwrap_or_else(|| door.told(error))),
        }
    }
    gathered.finish(flow, door)
}

/// The next chunk; says so to the sender when none is ready.
async fn next_chunk<S: Stream + Unpin>(stream: &mut S, flow: &Flow) -> Option<S::Item> {
    poll_fn(|context| {
        let polled = stream.poll_next_unpin(context);
        if polled.is_pending() {
            flow.digested();
        }
        polled
    })
    .await
}

/// What the chunks of a stream have said so far, apart from the text.
#[derive(Default)]
struct Gathered {
    end: Option<End>,
    refusal: String,
    unreadable: usize,
    chunks: usize,
    tokens_in: Option<u64>,
    tokens_out: Option<u64>,
}

impl Gathered {
    /// Takes one chunk in; false when the reply has become too long.
    fn take(&mut self, chunk: Chunk, draft: &Draft, door: &Door) -> Result<bool, AskError> {
        self.chunks += 1;
        if let Some(error) = chunk.error.filter(|error| !error.is_null()) {
            return Err(door.error_event(&error));
        }
        if let Some(usage) = chunk.usage {
            self.tokens_in = usage.prompt_tokens.or(self.tokens_in);
            self.tokens_out = usage.completion_tokens.or(self.tokens_out);
            draft.note_spent(Spent {
                tokens_in: self.tokens_in,
                tokens_out: self.tokens_out,
                cost_usd: None,
            });
        }
        let Some(choice) = chunk.choices.into_iter().flatten().next() else { return Ok(true) };
        if let Some(piece) = choice.delta.or(choice.message.map(|whole| *whole)) {
            draft.push_unseen(piece.reasoning_bytes());
            self.refusal.extend(piece.refusal);
            if let Some(content) = piece.content
                && !draft.push(content.into_text().as_bytes(), LONGEST_REPLY)
            {
                self.end = Some(End::Cut(format!("over {} MiB", LONGEST_REPLY >> 20)));
                return Ok(false);
            }
        }
        if let Some(word) = choice.finish_reason.filter(|word| !word.is_empty()) {
            self.end = Some(wire::end_of(&word));
        }
        Ok(true)
    }

    fn finish(self, flow: &Flow, door: &Door) -> Result<Answer, AskError> {
        if !self.refusal.is_empty() {
            return Err(door.declined(&self.refusal));
        }
        if self.chunks == 0 && self.unreadable > 0 {
            return Err(door.unreadable(self.unreadable));
        }
        let end = match self.end {
            Some(end) => end,
            None if flow.said_done() => End::Stop,
            None => return Err(door.cut_off()),
        };
        Ok(Answer { end, tokens_in: self.tokens_in, tokens_out: self.tokens_out, ..Answer::default() })
    }
}
