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
    /// What a run's limits count, where the provider tells no tokens: a guess, which no report shows.
    pub guessed: Option<Box<Spent>>,
    /// Who gave the text in the reviewer's place; `None` when the reviewer itself did, or nobody.
    pub answered_by: Option<StandIn>,
    /// When it was asked and began to answer; `None` when it was never asked, or nobody wrote it down.
    pub timing: Option<Timing>,
}

/// When a task was under way, in milliseconds since its reviewers began to be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timing {
    /// The first request was sent.
    pub asked_ms: u64,
    /// The first token of the text that was kept came, reasoning included; `None` where none is told apart from the whole.
    pub first_token_ms: Option<u64>,
}

/// A reviewer of the same lineage that answered in another one's place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StandIn {
    /// Who.
    pub reviewer: ReviewerId,
    /// Model name as its provider writes it.
    pub model: String,
}

/// What requests took, as far as it was told.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Spent {
    /// Prompt tokens.
    pub tokens_in: Option<u64>,
    /// Those of them that came from the provider's cache.
    pub tokens_cached: Option<u64>,
    /// Those of them that the provider put into its cache.
    pub tokens_cache_written: Option<u64>,
    /// Answer tokens.
    pub tokens_out: Option<u64>,
    /// US dollars.
    pub cost_usd: Option<f64>,
}

impl Spent {
    /// Tokens both ways.
    pub fn tokens(&self) -> u64 {
        self.tokens_in.unwrap_or_default().saturating_add(self.tokens_out.unwrap_or_default())
    }

    /// Both together; what neither tells stays unknown.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        fn sum<T>(a: Option<T>, b: Option<T>, add: impl Fn(T, T) -> T) -> Option<T> {
            match (a, b) {
                (Some(a), Some(b)) => Some(add(a, b)),
                (a, b) => a.or(b),
            }
        }
        // A provider may tell any figure.
        let tokens = |a, b| sum(a, b, u64::saturating_add);
        Self {
            tokens_in: tokens(self.tokens_in, other.tokens_in),
            tokens_cached: tokens(self.tokens_cached, other.tokens_cached),
            tokens_cache_written: tokens(self.tokens_cache_written, other.tokens_cache_written),
            tokens_out: tokens(self.tokens_out, other.tokens_out),
            cost_usd: sum(self.cost_usd, other.cost_usd, |a, b| a + b),
        }
    }
}

impl Outcome {
    /// What it took.
    pub fn spent(&self) -> Spent {
        let Self { tokens_in, tokens_out, cost_usd, .. } = *self;
        Spent { tokens_in, tokens_out, cost_usd, ..Spent::default() }
    }

    /// What a run's limits count of it.
    pub fn counted(&self) -> Spent {
        self.guessed.as_deref().copied().unwrap_or_else(|| self.spent())
    }

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
            guessed: None,
            answered_by: None,
            timing: None,
        }
    }
}
