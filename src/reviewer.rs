//! Who reviews: a [`Reviewer`] is one seat on the [`Panel`], and its [`Lineage`] says which models
//! it is related to.
//!
//! Values only: how a reviewer is asked is `provider`'s work, which lineage a model name has is
//! decided by `tally::lineage`.

use std::{collections::BTreeMap, fmt, num::NonZeroU32, path::PathBuf, time::Duration};

use crate::cost::Price;

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

/// How a reviewer is asked. One variant a provider.
#[derive(Debug, Clone, PartialEq)]
pub enum Access {
    /// An OpenAI-compatible chat endpoint.
    OpenAi {
        /// Up to and without `/chat/completions`, such as `https://api.openai.com/v1`.
        base_url: String,
        /// Environment variable that holds the key; `None` sends no key.
        api_key_env: Option<String>,
    },
    /// A program: prompt on stdin, reply on stdout.
    Command {
        /// Program and arguments; never passed through a shell.
        argv: Vec<String>,
        /// Variables set for the program on top of the inherited environment.
        env: BTreeMap<String, String>,
    },
    /// Saved replies.
    Replay {
        /// Folder with `<bundle>__<id>.md` or `<id>.md`.
        dir: PathBuf,
    },
    /// An offline reviewer of our own.
    Builtin(Builtin),
}

impl Access {
    /// The provider's name as configuration and tally write it.
    pub fn provider(&self) -> &'static str {
        match self {
            Self::OpenAi { .. } => "openai",
            Self::Command { .. } => "command",
            Self::Replay { .. } => "replay",
            Self::Builtin(_) => "builtin",
        }
    }
}

/// The reviewers that need no model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Builtin {
    /// Patterns over added lines; lineage `static:rules`.
    Rules,
    /// What the repository's past says about the change; lineage `history`.
    History,
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
