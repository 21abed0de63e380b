//! One attempt at one question, within the reviewer's limits: [`attempt`].

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep_until};

use super::respondent::Voice;
use crate::{
    provider::{Answer, AskError, Draft, Question, Sample},
    reviewer::Reviewer,
};

/// Why an attempt gave no answer.
pub(super) enum Trouble {
    /// The provider said so.
    Ask(AskError),
    /// It took too long.
    TimedOut {
        /// For people.
        reason: String,
        /// Nothing came at all, not even reasoning.
        silent: bool,
    },
}

impl Trouble {
    /// Why its provider may be out of order, if this is a sign of it: it could not be reached, broke off, or said nothing at all.
    pub(super) fn outage(&self) -> Option<&str> {
        match self {
            Self::TimedOut { reason, silent: true }
            | Self::Ask(
                AskError::Transient { reason, .. } | AskError::Unavailable { reason, for_now: true, .. },
            ) => Some(reason),
            Self::TimedOut { silent: false, .. }
            | Self::Ask(
                AskError::Busy { .. }
                | AskError::Permanent { .. }
                | AskError::Unavailable { for_now: false, .. },
            ) => None,
        }
    }
}

/// Asks `voice` once. What comes is in `draft`.
pub(super) async fn attempt(
    voice: &Voice,
    question: &Arc<Question>,
    sample: Sample,
    draft: Arc<Draft>,
) -> Result<Answer, Trouble> {
    let Reviewer { timeout, idle_timeout, .. } = &voice.reviewer;
    let deadline = later(Instant::now(), *timeout);
    let timed_out = |reason| Err(Trouble::TimedOut { reason, silent: draft.tokens() == 0 });
    let ask = voice.provider.ask(question, sample, &draft);
    tokio::pin!(ask);
    loop {
        // A limit on silence that is no shorter than the whole says nothing of its own.
        let silent_at =
            if idle_timeout < timeout { later(draft.last_sign(), *idle_timeout) } else { deadline };
        tokio::select! {
            biased;
            answer = &mut ask => return answer.map_err(Trouble::Ask),
            () = sleep_until(deadline.min(silent_at)) => {}
        }
        if Instant::now() >= deadline {
            return timed_out(format!("no whole reply within {timeout:?}"));
        }
        if idle_timeout < timeout && Instant::now() >= later(draft.last_sign(), *idle_timeout) {
            return timed_out(format!("nothing came for {idle_timeout:?}"));
        }
    }
}

/// `start` and `duration`, which may be as long as somebody wrote into a configuration.
pub(super) fn later(start: Instant, duration: Duration) -> Instant {
    const A_YEAR: Duration = Duration::from_hours(365 * 24);
    start + duration.min(A_YEAR)
}
