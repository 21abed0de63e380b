//! A pull request and the last review of it, in `tally.json`: [`Pull`], [`Since`], [`EarlierIssue`].

use schemars::JsonSchema;
use serde::Serialize;

use super::{AgreementWord, DispositionEntry, SeverityWord};

/// A pull request as it was when the review began.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Pull {
    /// `github`, `gitlab` or `gitea`.
    pub platform: String,
    /// Root of the server's API.
    pub api: String,
    /// `owner/name`.
    pub project: String,
    /// Its number.
    pub number: u64,
    /// Full id of the commit that all of it is compared with; `range.base` is a later one where only what is new was asked about.
    pub base: String,
    /// Full id of the target branch's last commit.
    pub target: String,
    /// Full id of its last commit.
    pub head: String,
}

/// How much of a pull request was asked about.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Since {
    /// In one word.
    pub scope: ScopeWord,
    /// Why all of it was asked about again; null otherwise.
    pub reason: Option<String>,
    /// The last review; null when there is none that can be read.
    pub last: Option<LastReview>,
    /// Decisions in the conversation that do not count, and why, in words.
    pub notes: Vec<String>,
}

/// How much of a pull request was asked about.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ScopeWord {
    /// All: it was never reviewed.
    First,
    /// What came since the last review.
    Incremental,
    /// All of it again.
    Full,
}

/// The last review of the same pull request.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LastReview {
    /// Its run's id.
    pub run: String,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// Full id of the commit that all of the pull request was compared with.
    pub base: String,
    /// Full id of the pull request's last commit then.
    pub head: String,
    /// Issues that its record had no room for.
    pub dropped: usize,
}

/// How an issue relates to those of the last review.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StandingWord {
    /// That did not have it.
    New,
    /// That had it.
    StillOpen,
    /// It was fixed by then.
    BackAgain,
}

/// An issue of the last review that nobody reports now.
#[derive(Debug, Serialize, JsonSchema)]
pub struct EarlierIssue {
    /// Its id.
    pub id: String,
    /// What became of it.
    pub state: BecameWord,
    /// Repository path, of the head under review as far as it is there.
    pub path: String,
    /// First line; null when none is known.
    pub start_line: Option<u32>,
    /// Last line.
    pub end_line: Option<u32>,
    /// Enclosing function or type.
    pub symbol: Option<String>,
    /// As it was called.
    pub severity: SeverityWord,
    /// What its lineages agreed on.
    pub agreement: AgreementWord,
    /// Distinct lineages that found it.
    pub convergence: usize,
    /// Their names.
    pub lineages: Vec<String>,
    /// The claim, as the first reviewer put it.
    pub what: String,
    /// Its grounds.
    pub why: String,
    /// What a human decided about it; not there when nobody did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disposition: Option<DispositionEntry>,
}

/// What became of an issue that nobody reports now.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BecameWord {
    /// It was fixed by the last review, and its code is back.
    BackAgain,
    /// Its code stands, or nobody read what is there now.
    StillOpen,
    /// Its code is gone, and what is there now was read.
    Fixed,
    /// A human decided that it need not be looked at.
    Dismissed,
}
