//! The ways to ask a reviewer; a file each.
//!
//! [`Provider`] makes one attempt at one question. Retries, timeouts and concurrency belong to `run`.

pub mod builtin;

use std::time::Duration;

use crate::prompt::Prompt;

/// One question: a bundle put to a reviewer.
#[derive(Debug, Clone)]
pub struct Question {
    /// Bundle id, such as `c1_validatord`.
    pub bundle: String,
    /// What to send.
    pub prompt: Prompt,
}

/// A reply, whole or as far as it came.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answer {
    /// Text, verbatim.
    pub text: String,
    /// Why the text ends.
    pub end: End,
    /// Prompt tokens as the provider counted them.
    pub tokens_in: Option<u64>,
    /// Answer tokens as the provider counted them.
    pub tokens_out: Option<u64>,
}

/// Why an answer's text ends.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum End {
    /// The reviewer had finished.
    #[default]
    Stop,
    /// Cut off by a limit; the provider's word for it.
    Cut(String),
}

/// An attempt that gave no whole answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Worth another attempt: 429, 5xx, a lost connection.
    #[error("{reason}")]
    Transient {
        /// For people; never holds a key.
        reason: String,
        /// How long the provider asks to wait.
        retry_after: Option<Duration>,
        /// Text that had come before.
        partial: String,
    },
    /// Another attempt would end the same way: 400, 401, a program that is not installed.
    #[error("{reason}")]
    Permanent {
        /// For people; never holds a key.
        reason: String,
        /// Text that had come before.
        partial: String,
    },
}
