//! Who reviews: a [`Reviewer`] is one seat on the [`Panel`], and its [`Lineage`] says which models
//! it is related to.
//!
//! Values only: how a reviewer is asked is `provider`'s work, which lineage a model name has is
//! decided by `tally::lineage`.

mod access;
mod analyser;
mod program;
mod quirks;

use std::{fmt, num::NonZeroU32, time::Duration};

use crate::{
    cost::{Price, Tokens},
    coverage::Spent,
};

pub use access::{Access, Builtin, host, is_loopback, node_tool};
pub use analyser::{Analyser, AnalyserProgram, Levels, ReportFormat, ReportSource, Tree};
pub use program::{Invocation, OutputForm};
pub use quirks::{OutputLimit, Parameter, Quirks};

/// A name that is safe as part of a file name: ASCII letters, digits, `.`, `_`, `-`; neither empty, nor
/// starting with `.`, nor holding `__`, which parts bundle and reviewer in a reply's file name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReviewerId(String);

/// A reviewer id that cannot be part of a file name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("reviewer id {0:?} must be letters, digits, `.`, `_`, `-`, not start with `.` and not hold `__`")]
pub struct BadReviewerId(pub String);

impl ReviewerId {
    /// Checks `text`.
    pub fn new(text: &str) -> Result<Self, BadReviewerId> {
        let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        if text.is_empty() || text.len() > 100 || text.starts_with('.') || text.contains("__") || !plain {
            return Err(BadReviewerId(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ReviewerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The family a model descends from, such as `anthropic`, `moonshot`, `static:rules` or `unknown`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lineage(String);

impl Lineage {
    /// A lineage by name, in lower case.
    pub fn new(name: &str) -> Self {
        Self(name.trim().to_ascii_lowercase())
    }

    /// The one lineage that all models of unknown descent share.
    pub fn unknown() -> Self {
        Self("unknown".to_owned())
    }

    /// The one lineage of what a repository's past says.
    pub fn history() -> Self {
        Self("history".to_owned())
    }

    /// `false` for static tools and for the repository's history, which report facts and hold no opinion on others'.
    pub fn is_model(&self) -> bool {
        !self.0.starts_with("static:") && *self != Self::history()
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Lineage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One seat on the panel.
#[derive(Debug, Clone, PartialEq)]
pub struct Reviewer {
    /// Unique in its panel.
    pub id: ReviewerId,
    /// How it is asked.
    pub access: Access,
    /// Model name as the provider writes it; for programs and built-ins their own name.
    pub model: String,
    /// Declared or derived from `model`.
    pub lineage: Lineage,
    /// Sampling temperature, 0.0–2.0; the provider's default when absent.
    pub temperature: Option<f32>,
    /// Most tokens in an answer; the provider's default when absent.
    pub max_output_tokens: Option<u32>,
    /// Longest time for one attempt in all.
    pub timeout: Duration,
    /// Longest silence within an attempt.
    pub idle_timeout: Duration,
    /// What its tokens cost; `None` when nobody has said.
    pub price: Option<Price>,
    /// Who is asked in its place when its provider is out of order: reviewers of the same lineage, best first.
    pub fallback: Vec<ReviewerId>,
    /// How much may be sent to it.
    pub allowance: Allowance,
    /// A file it runs or reads that comes with the change under review: it must not be asked.
    pub tampered: Option<String>,
    /// Where its endpoint departs from the usual.
    pub quirks: Quirks,
}

impl Reviewer {
    /// A reviewer with the settings its provider would choose, ten minutes for an attempt, and no limits.
    pub fn new(id: ReviewerId, access: Access, model: String, lineage: Lineage) -> Self {
        let timeout = Duration::from_mins(10);
        Self {
            id,
            access,
            model,
            lineage,
            temperature: None,
            max_output_tokens: None,
            timeout,
            idle_timeout: timeout,
            price: None,
            fallback: Vec::new(),
            allowance: Allowance::default(),
            tampered: None,
            quirks: Quirks::default(),
        }
    }

    /// `spent` with what its tokens cost, where that was not told and a price is known. What is free costs nothing however many
    /// tokens there were.
    #[must_use]
    pub fn priced(&self, spent: Spent) -> Spent {
        let told = spent.cost_usd.filter(|usd| usd.is_finite() && *usd >= 0.0);
        let cost = |price: Price| {
            if price.is_free() {
                return Some(0.0);
            }
            let (input, output) = spent.tokens_in.zip(spent.tokens_out)?;
            let cached = spent.tokens_cached.unwrap_or_default();
            let cache_written = spent.tokens_cache_written.unwrap_or_default();
            Some(price.cost(Tokens { input, cached, cache_written, output }))
        };
        Spent { cost_usd: told.or_else(|| cost(self.price?)), ..spent }
    }

    /// Names the provider, which reviewers share that are asked in the same way: an endpoint and its key, or a program and the
    /// family of models that it asks. `None`: nothing that could be overloaded or out of order.
    pub fn service(&self) -> Option<String> {
        match &self.access {
            Access::OpenAi { base_url, api_key_env } | Access::Anthropic { base_url, api_key_env } => {
                let address = base_url.trim_end_matches('/').to_ascii_lowercase();
                Some(format!("{address} {}", api_key_env.as_deref().unwrap_or_default()))
            }
            Access::Command(program) => Some(format!("{} {}", program.argv.first()?, self.lineage)),
            Access::Sarif(_) | Access::Replay { .. } | Access::Builtin(_) => None,
        }
    }
}

/// How much may be sent within a minute; `None` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Allowance {
    /// Requests.
    pub requests_per_minute: Option<NonZeroU32>,
    /// Tokens of prompt and answer.
    pub tokens_per_minute: Option<NonZeroU32>,
}

/// What a run remembers of a reviewer: who it was, not how to reach it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seat {
    /// Unique in its panel.
    pub id: ReviewerId,
    /// The provider's name, such as `openai`.
    pub provider: String,
    /// Model name as the provider writes it.
    pub model: String,
    /// The family it counts as.
    pub lineage: Lineage,
}

impl Seat {
    /// Whether it answers without a model: nothing is paid for.
    pub fn is_free(&self) -> bool {
        ["builtin", "replay", "sarif"].contains(&self.provider.as_str())
    }
}

impl From<&Reviewer> for Seat {
    fn from(reviewer: &Reviewer) -> Self {
        Self {
            id: reviewer.id.clone(),
            provider: reviewer.access.provider().to_owned(),
            model: reviewer.model.clone(),
            lineage: reviewer.lineage.clone(),
        }
    }
}

/// The reviewers of a run, in configuration order; ids are unique.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Panel {
    /// Who sits on it.
    pub reviewers: Vec<Seat>,
}
