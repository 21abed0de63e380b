//! Who was asked about what, how far it came and what it took, in `tally.json`: [`Task`].

use schemars::JsonSchema;
use serde::Serialize;

/// One bundle put to one reviewer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Task {
    /// Bundle id.
    pub bundle: String,
    /// Reviewer id.
    pub reviewer: String,
    /// How far it came.
    pub state: StateWord,
    /// Why it was not answered; also remarks on an answer.
    pub reason: Option<String>,
    /// What it took.
    #[serde(flatten)]
    pub effort: Effort,
    /// The reviewer's verdict on the bundle; null when it gave none.
    pub verdict: Option<VerdictWord>,
}

/// What one question took.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Effort {
    /// Requests made; 0 when never asked.
    pub attempts: u32,
    /// Taken from a cache.
    pub cached: bool,
    /// From the first request to the end of the answer, in milliseconds.
    pub latency_ms: u64,
    /// From when reviewers began to be asked to the first request, in milliseconds; absent where nobody wrote it down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked_ms: Option<u64>,
    /// From the same moment to the first token of the answer, in milliseconds; absent where it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_token_ms: Option<u64>,
    /// Tokens and dollars.
    #[serde(flatten)]
    pub usage: Usage,
    /// Id of the reviewer of the same lineage that answered in this one's place; absent when this one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered_by: Option<String>,
    /// The model that reviewer asked; absent likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered_model: Option<String>,
}

/// What several questions took.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Spent {
    /// Whole answers that somebody was asked for.
    pub answers: usize,
    /// Answers taken from the cache, which cost nothing.
    pub cached: usize,
    /// Replies whose price is not known: with any of them `cost_usd` is only part of the cost.
    pub unpriced: usize,
    /// Tokens and dollars.
    #[serde(flatten)]
    pub usage: Usage,
}

/// What was sent and answered, and its price.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Usage {
    /// Prompt tokens, where the provider counted them.
    pub tokens_in: Option<u64>,
    /// Answer tokens, likewise.
    pub tokens_out: Option<u64>,
    /// Price in US dollars, as far as known.
    pub cost_usd: Option<f64>,
}

/// How far a task came.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StateWord {
    /// A whole answer.
    Answered,
    /// Cut off, or neither findings nor a verdict.
    Incomplete,
    /// No answer: refused, broken or unreadable.
    Failed,
    /// No whole answer in time.
    TimedOut,
    /// An answer without text.
    Empty,
    /// Never asked.
    Skipped,
    /// Not to be asked: rules put the bundle to others.
    NotRouted,
}

/// What a reviewer concluded.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum VerdictWord {
    /// Merge as it is.
    Ship,
    /// Merge after repairs.
    ShipWithFixes,
    /// Do not merge.
    Hold,
}
