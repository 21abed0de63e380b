//! What became of a task: one bundle put to one reviewer.
//!
//! [`Outcome`] is the fact the run records; `tally` lowers it when the reply turns out to be unusable. A task
//! that was not answered is never clean.

use crate::reviewer::ReviewerId;

/// How far a task came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// A whole reply.
    Answered,
    /// A reply that was cut off, or one without findings and without a verdict.
    Incomplete,
    /// No reply: refused, broken or unreadable.
    Failed,
    /// No reply, or no whole one, in time.
    TimedOut,
    /// A reply without text.
    Empty,
    /// Never asked.
    Skipped,
    /// Not to be asked: rules put the bundle to others.
    NotRouted,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 7] = [
        Self::Answered,
        Self::Incomplete,
        Self::Failed,
        Self::TimedOut,
        Self::Empty,
        Self::Skipped,
        Self::NotRouted,
    ];

    /// The word used in the tally.
    pub fn word(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Incomplete => "incomplete",
            Self::Failed => "failed",
            Self::TimedOut => "timed-out",
            Self::Empty => "empty",
            Self::Skipped => "skipped",
            Self::NotRouted => "not-routed",
        }
    }
}

/// The record of one task.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Bundle id, such as `c1_validatord`.
    pub bundle: String,
    /// Who was asked.
    pub reviewer: ReviewerId,
    /// How far it came.
    pub state: State,
    /// Why it is not `Answered`, for people; also remarks on an answer.
    pub reason: Option<String>,
    /// Requests made, the first one counted; 0 when never asked.
    pub attempts: u32,
    /// Taken from a cache, nothing asked.
    pub cached: bool,
    /// From the first request to the end of the reply, in milliseconds.
    pub latency_ms: u64,
    /// Prompt tokens as the provider counted them.
    pub tokens_in: Option<u64>,
    /// Answer tokens as the provider counted them.
    pub tokens_out: Option<u64>,
    /// Price in US dollars, when known.
    pub cost_usd: Option<f64>,
}

impl Outcome {
    /// The record of a task that was never asked and cost nothing.
    pub fn new(bundle: String, reviewer: ReviewerId, state: State) -> Self {
        Self {
            bundle,
            reviewer,
            state,
            reason: None,
            attempts: 0,
            cached: false,
            latency_ms: 0,
            tokens_in: None,
            tokens_out: None,
            cost_usd: None,
        }
    }
}
