//! How far one task has come: [`Record`]. What follows from it is the executor's decision.

use std::sync::Arc;

use tokio::time::Instant;

use super::retry::Patience;
use crate::{
    coverage::{Spent, State},
    provider::Draft,
};

/// One task's history.
#[derive(Default)]
pub(super) struct Record {
    /// Whom it is put to: a line of the queue.
    pub(super) line: usize,
    /// Requests made, to whomever.
    pub(super) attempts: u32,
    /// Requests made to whom it is put to now.
    pub(super) attempts_here: u32,
    pub(super) first_asked: Option<Instant>,
    pub(super) patience: Option<Patience>,
    /// The attempt under way.
    pub(super) draft: Option<Arc<Draft>>,
    /// Tokens of the attempt's prompt; a guess.
    pub(super) sent: u64,
    /// Further requests of the attempt under way that its provider's limits have counted.
    pub(super) further: u32,
    /// What all attempts took, as far as providers told.
    pub(super) spent: Spent,
    /// The same with guesses for what none told, where there are any.
    pub(super) guessed: Option<Spent>,
    /// When the first token of the attempt that ended last came.
    pub(super) first_token: Option<Instant>,
    /// What came of earlier attempts.
    pub(super) partial: Option<Partial>,
    /// Why the last attempt is to be followed by another one.
    pub(super) trouble: Option<String>,
    /// Why those who were to be asked before could not be.
    pub(super) earlier: Vec<String>,
    /// Listeners know that it waits for its provider.
    pub(super) is_held: bool,
    /// There will be no further attempt.
    pub(super) is_settled: bool,
}

/// Text of an attempt that did not give a whole reply.
pub(super) struct Partial {
    /// Whose it is: a line of the queue.
    pub(super) line: usize,
    pub(super) text: String,
    pub(super) first_token: Option<Instant>,
}

impl Record {
    /// An attempt begins.
    pub(super) fn begin(&mut self, draft: Arc<Draft>, sent: u64, now: Instant) {
        self.attempts += 1;
        self.attempts_here += 1;
        self.first_asked.get_or_insert(now);
        (self.draft, self.sent, self.trouble, self.is_held) = (Some(draft), sent, None, false);
        self.further = 0;
    }

    /// The stand-in is asked from now on, for `reason`.
    pub(super) fn next_line(&mut self, reason: String) {
        let reason = match self.trouble.take() {
            Some(trouble) => format!("{trouble}; {reason}"),
            None => reason,
        };
        self.earlier.push(reason);
        self.line += 1;
        (self.attempts_here, self.patience, self.is_held) = (0, None, false);
    }

    /// What it has come to, having been asked, when it is not asked again.
    pub(super) fn unanswered(&self) -> State {
        if self.partial.is_some() { State::Incomplete } else { State::Failed }
    }

    /// Neither under way nor over.
    pub(super) fn is_waiting(&self) -> bool {
        !self.is_settled && self.draft.is_none()
    }
}
