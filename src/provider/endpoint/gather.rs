//! Puts an answer together from what the events of a stream say: [`gather`].

use std::{future::poll_fn, time::Duration};

use futures_util::{Stream, StreamExt};
use serde_json::Value;

use super::{
    door::{Door, Refusal},
    exchange::{Exchange, Flow},
};
use crate::{
    coverage::Spent,
    prompt::Prompt,
    provider::{Answer, AskError, Draft, End},
};

/// Longest reply, in bytes; what is over is cut off.
const LONGEST_REPLY: usize = 4 << 20;
/// How long token counts are waited for once the reviewer has finished.
const GRACE: Duration = Duration::from_secs(2);
/// Bytes a token that no tokenizer reaches over a whole question: code takes 2.5 to 4.5, its line numbers less.
const MOST_BYTES_A_TOKEN: u64 = 8;
/// Fewer tokens than this are what a server counts that leaves out those it still had in its cache.
const FEWEST_TOKENS: u64 = 1_000;

/// What one event says, whatever its protocol.
#[derive(Debug, Default, PartialEq)]
pub(in crate::provider) struct Said {
    /// A piece of the reply.
    pub(in crate::provider) text: String,
    /// Bytes of reasoning, which is not part of the reply.
    pub(in crate::provider) reasoning: usize,
    /// A piece of why the model does not answer.
    pub(in crate::provider) refusal: Option<String>,
    /// The server's word for why the reply ends.
    pub(in crate::provider) finish: Option<String>,
    pub(in crate::provider) error: Option<Value>,
    /// Token counts so far and price, as far as told.
    pub(in crate::provider) usage: Spent,
}

impl Said {
    /// Whether the server tells that it failed.
    pub(in crate::provider) fn is_failure(&self) -> bool {
        let word = self.finish.as_deref().unwrap_or_default();
        self.error.as_ref().is_some_and(|error| !error.is_null()) || finish_of(word) == Finish::Breakdown
    }
}

/// An event that says nothing.
#[derive(Debug)]
pub(in crate::provider) enum Trouble {
    /// It is not of the protocol.
    Unreadable,
    /// It is none: the stream broke off.
    Lost(AskError),
}

/// A whole reply.
#[derive(Debug)]
pub(in crate::provider) struct Reply {
    pub(super) answer: Answer,
    finish: Finish,
}

impl Reply {
    /// Whether the output limit was reached before the reply began.
    pub(super) fn is_all_reasoning(&self) -> bool {
        self.finish == Finish::Limit && self.answer.text.trim().is_empty()
    }

    /// Marks a reply as incomplete when the server's own count shows that it saw only a part of the question: Ollama
    /// and others drop what is over their context without a word.
    pub(super) fn checked(mut self, prompt: &Prompt) -> Self {
        let bytes = (prompt.system.len() + prompt.user.len()) as u64;
        if let Some(tokens) = self.answer.tokens_in
            && (FEWEST_TOKENS..bytes / MOST_BYTES_A_TOKEN).contains(&tokens)
            && self.answer.end == End::Stop
        {
            self.answer.end = End::Cut(format!(
                "the server counted {tokens} tokens in a question of {bytes} bytes, so it saw only a part of it: \
                 raise its context length, or lower `warn_bytes` in [bundle]"
            ));
        }
        self
    }
}

/// What a server's word for the end of a reply means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Finish {
    Stop,
    /// The output limit.
    Limit,
    /// The context is full.
    Full,
    /// The model asks for a tool.
    Tool,
    /// A filter of the provider.
    Filter,
    /// The model declined.
    Refusal,
    /// The provider broke down.
    Breakdown,
    /// Nobody knows. Taken for a cut: better an answer marked incomplete than a torn one taken for whole.
    Other,
}

/// The words of all protocols: none means different things in two of them.
fn finish_of(word: &str) -> Finish {
    match word.to_ascii_lowercase().as_str() {
        "stop" | "end_turn" | "eos" | "eos_token" | "stop_sequence" | "completed" => Finish::Stop,
        "length" | "max_tokens" => Finish::Limit,
        "model_context_window_exceeded" => Finish::Full,
        "tool_calls" | "tool_use" | "function_call" | "pause_turn" => Finish::Tool,
        "content_filter" => Finish::Filter,
        "refusal" => Finish::Refusal,
        "error" | "insufficient_system_resource" => Finish::Breakdown,
        _ => Finish::Other,
    }
}

/// Reads a stream of events to its end.
pub(in crate::provider) async fn gather(
    mut events: impl Stream<Item = Result<Said, Trouble>> + Unpin,
    exchange: &Exchange,
) -> Result<Reply, Refusal> {
    let Exchange { door, draft, flow, .. } = exchange;
    let mut gathered = Gathered::default();
    loop {
        let next = if gathered.finish.is_some() {
            tokio::time::timeout(GRACE, next_event(&mut events, flow)).await.unwrap_or(None)
        } else {
            next_event(&mut events, flow).await
        };
        match next {
            None => break,
            Some(Ok(said)) => {
                if !gathered.take(said, draft, door)? {
                    break;
                }
            }
            Some(Err(Trouble::Unreadable)) => gathered.unreadable += 1,
            Some(Err(Trouble::Lost(_))) if gathered.finish.is_some() => break,
            Some(Err(Trouble::Lost(error))) => return Err(flow.broken().unwrap_or(error).into()),
        }
    }
    gathered.finish(flow, door, draft)
}

/// The next event; says so to the sender when none is ready.
async fn next_event<S: Stream + Unpin>(events: &mut S, flow: &Flow) -> Option<S::Item> {
    poll_fn(|context| {
        let polled = events.poll_next_unpin(context);
        if polled.is_pending() {
            flow.digested();
        }
        polled
    })
    .await
}

/// What the events of a stream have said so far, apart from the text.
#[derive(Default)]
struct Gathered {
    finish: Option<String>,
    is_too_long: bool,
    refusal: String,
    read: usize,
    unreadable: usize,
    usage: Spent,
}

impl Gathered {
    /// Takes in what an event says; false when the reply has become too long.
    fn take(&mut self, said: Said, draft: &Draft, door: &Door) -> Result<bool, Refusal> {
        self.read += 1;
        if let Some(error) = said.error.filter(|error| !error.is_null()) {
            return Err(door.error_event(&error));
        }
        self.usage = newer(said.usage, self.usage);
        draft.note_spent(self.usage);
        self.refusal.extend(said.refusal);
        draft.push_unseen(said.reasoning);
        self.is_too_long = !draft.push(said.text.as_bytes(), LONGEST_REPLY);
        self.finish = said.finish.filter(|word| !word.is_empty()).or(self.finish.take());
        Ok(!self.is_too_long)
    }

    fn finish(self, flow: &Flow, door: &Door, draft: &Draft) -> Result<Reply, Refusal> {
        if !self.refusal.is_empty() {
            return Err(door.declined(&self.refusal).into());
        }
        if self.read == 0 && self.unreadable > 0 {
            return Err(door.unreadable(self.unreadable).into());
        }
        let word = match &self.finish {
            _ if self.is_too_long => format!("over {} MiB", LONGEST_REPLY >> 20),
            Some(word) => door.clean(word),
            None if flow.said_done() => "stop".to_owned(),
            None => return Err(door.cut_off().into()),
        };
        let (finish, is_blank) = (finish_of(&word), draft.is_blank());
        let end = match finish {
            Finish::Stop => End::Stop,
            Finish::Limit if is_blank => End::Cut(all_reasoning(&word, self.usage.tokens_out)),
            Finish::Full => End::Cut(format!("{word}: question and reply fill the model's context")),
            Finish::Tool => End::Cut(format!("{word}: it asked for a tool, and there is none")),
            Finish::Filter if is_blank => return Err(door.withheld().into()),
            Finish::Filter => End::Cut(format!("{word}: the provider's content filter stopped it")),
            Finish::Refusal => return Err(door.declined("").into()),
            Finish::Breakdown => return Err(door.broken_down(&word).into()),
            Finish::Limit | Finish::Other => End::Cut(word),
        };
        let text = draft.take_text();
        let Spent { tokens_in, tokens_cached, tokens_cache_written, tokens_out, cost_usd } = self.usage;
        let answer = Answer {
            text,
            end,
            tokens_in,
            tokens_cached,
            tokens_cache_written,
            tokens_out,
            cost_usd,
            remark: None,
        };
        Ok(Reply { answer, finish })
    }
}

/// Figures of an event, and earlier ones where it is silent.
pub(in crate::provider) fn newer(now: Spent, earlier: Spent) -> Spent {
    Spent {
        tokens_in: now.tokens_in.or(earlier.tokens_in),
        tokens_cached: now.tokens_cached.or(earlier.tokens_cached),
        tokens_cache_written: now.tokens_cache_written.or(earlier.tokens_cache_written),
        tokens_out: now.tokens_out.or(earlier.tokens_out),
        cost_usd: now.cost_usd.or(earlier.cost_usd),
    }
}

fn all_reasoning(word: &str, tokens: Option<u64>) -> String {
    let count = tokens.map(|tokens| format!("{tokens} ")).unwrap_or_default();
    format!("{word}: all {count}tokens went into reasoning, none were left for an answer")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_that_was_cut_shows_in_the_count() {
        let check = |bytes: usize, tokens_in: Option<u64>, is_cut: bool| {
            let prompt = Prompt { system: String::new(), user: "x".repeat(bytes) };
            let reply = Reply { answer: Answer { tokens_in, ..Answer::default() }, finish: Finish::Stop }
                .checked(&prompt);
            assert_eq!(matches!(reply.answer.end, End::Cut(_)), is_cut, "{bytes} {tokens_in:?}");
        };
        check(60_000, Some(4_096), true);
        check(60_000, Some(15_000), false);
        check(60_000, Some(12), false);
        check(60_000, None, false);
        check(2_000, Some(1_000), false);
        check(0, Some(0), false);
    }

    #[test]
    fn words_for_the_end() {
        let check = |word: &str, expect: Finish| assert_eq!(finish_of(word), expect, "{word}");
        check("stop", Finish::Stop);
        check("STOP", Finish::Stop);
        check("end_turn", Finish::Stop);
        check("length", Finish::Limit);
        check("max_tokens", Finish::Limit);
        check("model_context_window_exceeded", Finish::Full);
        check("tool_calls", Finish::Tool);
        check("content_filter", Finish::Filter);
        check("refusal", Finish::Refusal);
        check("error", Finish::Breakdown);
        check("bored", Finish::Other);
    }
}
