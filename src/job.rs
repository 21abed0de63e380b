//! Work that waits its turn in `scrum serve`: [`Job`], and the words about it that people, metrics and the database use.
//!
//! Plain data. What may follow on what is decided by the store, in one statement each; whose turn it is by [`order`], who may still wait by [`room`].

pub mod order;
pub mod room;
pub mod wire;

use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Enumerations whose words are a closed set: what a database, an address and a metric's label say.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$each:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$each])* $variant,)+
        }

        impl $name {
            /// Each of them.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// As it is written everywhere.
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// The one that is written so.
            pub fn of(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.word() == word)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.pad(self.word())
            }
        }
    };
}

words! {
    /// What is to be done.
    Kind {
        /// `scrum review`.
        Review = "review",
        /// `scrum parity`.
        Parity = "parity",
        /// `scrum smoke`.
        Smoke = "smoke",
        /// `scrum gauntlet`.
        Gauntlet = "gauntlet",
        /// `scrum eval`.
        Eval = "eval",
        /// Nothing, for a given time: to measure the queue by.
        Noop = "noop",
    }
}

words! {
    /// How soon, in comparison with others of the same moment. None waits for ever: see [`order`].
    Priority {
        /// Somebody is waiting for it.
        High = "high",
        /// As usual.
        Normal = "normal",
        /// Whenever there is room.
        Low = "low",
    }
}

words! {
    /// Where a job stands.
    State {
        /// Waits.
        Queued = "queued",
        /// A worker has it.
        Running = "running",
        /// It was done; what it found is another matter.
        Succeeded = "succeeded",
        /// It could not be done.
        Failed = "failed",
        /// Somebody called it off.
        Cancelled = "cancelled",
        /// It took longer than it may, or made no progress for longer than it may.
        TimedOut = "timed_out",
    }
}

impl State {
    /// Nothing follows on it.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }
}

words! {
    /// Who brought it.
    Source {
        /// A request of HTTP.
        Api = "api",
        /// `scrum enqueue`.
        Cli = "cli",
        /// A webhook of GitHub.
        Github = "github",
        /// A webhook of GitLab.
        Gitlab = "gitlab",
        /// A webhook of Gitea or Forgejo.
        Gitea = "gitea",
    }
}

/// A job's name: a UUID of version 7, so later ones sort behind earlier ones.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct JobId(String);

impl JobId {
    /// `text`, if it has a UUID's form.
    pub fn parse(text: &str) -> Option<Self> {
        uuid::Uuid::try_parse(text).ok().map(|id| Self(id.hyphenated().to_string()))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&self.0)
    }
}

/// What a job is to do. Everything in it was written by a caller: it is checked against what the daemon allows before it is
/// stored, and again before it is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// What.
    pub kind: Kind,
    /// A path on the daemon's machine or a URL, as its configuration knows it; `None` for [`Kind::Noop`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repo: Option<String>,
    /// `A..B`, `A...B` or one commit; for a URL, of full SHAs or names of branches there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<String>,
    /// A panel that the configuration names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub panel: Option<String>,
    /// The file that declares it, in the repository: `gauntlet.toml`, a parity spec, an evaluation's data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Address of the pull request whose comment is to be written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull: Option<String>,
    /// Milliseconds that [`Kind::Noop`] takes.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub work_ms: u64,
}

impl Task {
    /// Only that.
    pub fn new(kind: Kind) -> Self {
        Self { kind, repo: None, range: None, panel: None, file: None, pull: None, work_ms: 0 }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// A job that is to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJob {
    /// Made by whoever stores it: storing it twice stores it once.
    pub id: JobId,
    /// For whom; jobs of one tenant wait for one another, not for those of others.
    pub tenant: String,
    /// Who brought it.
    pub source: Source,
    /// How soon.
    pub priority: Priority,
    /// What.
    pub task: Task,
    /// Longest time of one attempt, in seconds.
    pub timeout_secs: u32,
    /// Most attempts, those included that ended because a node died.
    pub max_attempts: u32,
    /// While a job with this key waits or runs, the same task is that job and another task is refused.
    pub dedupe_key: Option<String>,
    /// What it is about, such as a pull request: an older job of the tenant about the same thing is called off.
    pub subject: Option<String>,
}

/// A job as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// As it was brought.
    pub new: NewJob,
    /// Where it stands.
    pub state: State,
    /// How often a worker has taken it.
    pub attempt: u32,
    /// The node that has it, or had it last.
    pub node: Option<String>,
    /// When it was stored.
    pub created: Timestamp,
    /// When the last attempt began.
    pub started: Option<Timestamp>,
    /// When it came to its end.
    pub finished: Option<Timestamp>,
    /// What came of it: a JSON object, by [`Kind`].
    pub result: Option<String>,
    /// Why it did not succeed, for people.
    pub reason: Option<String>,
}
