//! A line of `outcomes.jsonl`: [`OutcomeRecord`].

use serde::{Deserialize, Serialize};

use super::{RecordError, by_word};
use crate::{
    coverage::{Outcome, Spent, StandIn, State, Timing},
    reviewer::ReviewerId,
};

/// One task's outcome.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OutcomeRecord {
    bundle: String,
    reviewer: String,
    state: String,
    reason: Option<String>,
    attempts: u32,
    cached: bool,
    latency_ms: u64,
    tokens_in: Option<u64>,
    tokens_out: Option<u64>,
    cost_usd: Option<f64>,
    /// Where the provider tells no tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    guessed_tokens: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    guessed_cost_usd: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answered_by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answered_model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    asked_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    first_token_ms: Option<u64>,
}

impl From<&Outcome> for OutcomeRecord {
    fn from(outcome: &Outcome) -> Self {
        Self {
            bundle: outcome.bundle.clone(),
            reviewer: outcome.reviewer.to_string(),
            state: outcome.state.word().to_owned(),
            reason: outcome.reason.clone(),
            attempts: outcome.attempts,
            cached: outcome.cached,
            latency_ms: outcome.latency_ms,
            tokens_in: outcome.tokens_in,
            tokens_out: outcome.tokens_out,
            cost_usd: outcome.cost_usd,
            guessed_tokens: outcome.guessed.as_ref().map(|guess| guess.tokens()),
            guessed_cost_usd: outcome.guessed.as_ref().and_then(|guess| guess.cost_usd),
            answered_by: outcome.answered_by.as_ref().map(|by| by.reviewer.to_string()),
            answered_model: outcome.answered_by.as_ref().map(|by| by.model.clone()),
            asked_ms: outcome.timing.map(|timing| timing.asked_ms),
            first_token_ms: outcome.timing.and_then(|timing| timing.first_token_ms),
        }
    }
}

impl OutcomeRecord {
    /// The core's form.
    pub fn outcome(self) -> Result<Outcome, RecordError> {
        let stand_in = |id: String| {
            let model = self.answered_model.unwrap_or_default();
            Ok::<_, RecordError>(StandIn { reviewer: ReviewerId::new(&id)?, model })
        };
        let guess =
            |tokens| Spent { tokens_in: Some(tokens), cost_usd: self.guessed_cost_usd, ..Spent::default() };
        Ok(Outcome {
            guessed: self.guessed_tokens.map(guess).map(Box::new),
            answered_by: self.answered_by.map(stand_in).transpose()?,
            state: by_word("state", &self.state, &State::ALL, State::word)?,
            reviewer: ReviewerId::new(&self.reviewer)?,
            bundle: self.bundle,
            reason: self.reason,
            attempts: self.attempts,
            cached: self.cached,
            latency_ms: self.latency_ms,
            tokens_in: self.tokens_in,
            tokens_out: self.tokens_out,
            cost_usd: self.cost_usd,
            timing: self.asked_ms.map(|asked_ms| Timing { asked_ms, first_token_ms: self.first_token_ms }),
        })
    }
}
