//! Threads as callers read them: [`ThreadShown`], [`MessageShown`], [`Answered`].

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    conversation::{Message, Thread},
    coverage::Spent,
};

/// A thread with its messages.
#[derive(Debug, Serialize)]
pub(super) struct ThreadShown<'a> {
    thread_id: &'a str,
    title: &'a str,
    created_at: Timestamp,
    /// The run it is about.
    run: Option<&'a str>,
    issue: Option<&'a str>,
    /// Who is asked where a message does not say whom.
    reviewer: Option<&'a str>,
    messages: Vec<MessageShown<'a>>,
}

/// A message.
#[derive(Debug, Serialize)]
pub(super) struct MessageShown<'a> {
    id: &'a str,
    role: &'static str,
    content: &'a str,
    provider: &'a str,
    model: &'a str,
    reason: &'a str,
    scope: &'static str,
    caller: &'a str,
    created_at: Timestamp,
    /// `null` where the provider told nothing, and of questions.
    usage: Option<Usage>,
}

#[derive(Debug, Serialize)]
struct Usage {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
}

/// What a message's post is answered with.
#[derive(Debug, Serialize)]
pub(super) struct Answered<'a> {
    pub(super) thread_id: &'a str,
    pub(super) user_message_id: &'a str,
    pub(super) message: MessageShown<'a>,
    /// Why the answer ends: `stop`, `length` and the like.
    pub(super) finish_reason: Option<&'a str>,
    pub(super) history: History,
}

/// What the model was told of the conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct History {
    /// Messages.
    pub(super) told: usize,
    /// Earlier ones that had no room.
    pub(super) left_out: usize,
}

impl<'a> ThreadShown<'a> {
    pub(super) fn new(thread: &'a Thread, messages: &'a [Message]) -> Self {
        let about = thread.about.as_ref();
        Self {
            thread_id: &thread.id,
            title: &thread.title,
            created_at: thread.created,
            run: about.map(|about| about.run.as_str()),
            issue: about.and_then(|about| about.issue.as_deref()),
            reviewer: about.and_then(|about| about.reviewer.as_deref()),
            messages: messages.iter().map(MessageShown::from).collect(),
        }
    }
}

impl<'a> From<&'a Message> for MessageShown<'a> {
    fn from(message: &'a Message) -> Self {
        let Spent { tokens_in: prompt_tokens, tokens_out: completion_tokens, .. } = message.spent;
        let is_known = prompt_tokens.is_some() || completion_tokens.is_some();
        Self {
            id: &message.id,
            role: message.role.word(),
            content: &message.content,
            provider: &message.provider,
            model: &message.model,
            reason: &message.reason,
            scope: message.scope.word(),
            caller: &message.caller,
            created_at: message.created,
            usage: is_known.then_some(Usage { prompt_tokens, completion_tokens }),
        }
    }
}
