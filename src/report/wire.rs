//! The shapes of `tally.json`: [`TallyDocument`] is schema `scrum.tally/1`, published in `schema/tally.schema.json`.
//!
//! Kept apart from the core types, so that those can change and the document cannot by accident. Keys are
//! written in the order they stand here. Filling them is `json`'s work.

mod bundle;
mod issue;
mod since;
mod task;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

pub use bundle::{BundleEntry, ExcludedFile, FileEntry, GuardWord, MaskedText};
pub use issue::{
    AgreementWord, AnchorWord, AnswerWord, DispositionEntry, Finding, IssueEntry, Judgement, Place,
    RejectEntry, SeverityWord, Was,
};
pub use since::{BecameWord, EarlierIssue, LastReview, Pull, ScopeWord, Since, StandingWord};
pub use task::{Effort, Spent, StateWord, Task, Usage, VerdictWord};

/// What the reviewers of one run found, where they agree, and what was not read.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "scrum.tally/1")]
pub struct TallyDocument {
    /// Always `scrum.tally/1`.
    pub schema: TallySchema,
    /// Which run.
    pub run: Run,
    /// Which change.
    pub range: Range,
    /// Which pull request it is about; left out where it is about none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pull: Option<Pull>,
    /// How much of it was asked about, and the last review of it; left out where it is about none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Since>,
    /// Who was asked.
    pub panel: Vec<Seat>,
    /// What was shown.
    pub bundles: Vec<BundleEntry>,
    /// What was left out, and why.
    pub excluded: Vec<ExcludedFile>,
    /// Credentials that reviewers saw markers for.
    pub masked: Vec<MaskedText>,
    /// Every bundle × reviewer.
    pub coverage: Vec<Task>,
    /// Findings that belong together, ranked.
    pub issues: Vec<IssueEntry>,
    /// Issues of the last review of the same pull request that nobody reports now; left out where there are none. What is `still-open`
    /// counts for gate and verdict.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<EarlierIssue>,
    /// Findings without a usable place.
    pub unplaced: Vec<Finding>,
    /// Text that looked like a finding and was not usable.
    pub rejects: Vec<RejectEntry>,
    /// Counts.
    pub totals: Totals,
    /// What the run comes to, whatever the gate is set to.
    pub verdict: VerdictEntry,
    /// The gate's answer.
    pub gate: GateEntry,
}

/// Name and version of the document's schema.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
pub enum TallySchema {
    /// The only one so far.
    #[serde(rename = "scrum.tally/1")]
    One,
}

/// Facts of the run.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Run {
    /// Run id.
    pub id: String,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// RFC 3339, UTC; null after an interruption.
    pub finished_at: Option<String>,
    /// Version of scrum that asked.
    pub tool_version: String,
    /// SHA-256 of the prompt templates.
    pub prompt_hash: String,
    /// Why not everything was asked that should have been, such as a budget that is used up; absent when nothing kept the run
    /// from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut_short: Option<String>,
    /// How much more than the hunks was shown; absent when nothing more was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<Context>,
}

/// How much more than the hunks was shown.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Context {
    /// What was asked for: `function` or `file`.
    pub asked: String,
    /// Hunks that show it.
    pub grown: usize,
    /// All hunks that could have.
    pub hunks: usize,
    /// Bytes that the bundles are larger for it.
    pub bytes: usize,
}

/// The two states that were compared.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Range {
    /// Full commit id of the old side; null for the empty tree and for diff files.
    pub base: Option<String>,
    /// Full commit id of the new side; null for index, worktree and diff files.
    pub head: Option<String>,
    /// The range as written, or as derived.
    pub spec: String,
}

/// One reviewer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Seat {
    /// Its id, unique in the panel.
    pub reviewer: String,
    /// How it was asked.
    pub provider: String,
    /// Model name as the provider writes it.
    pub model: String,
    /// The family the model descends from.
    pub lineage: String,
    /// What its reviews took; left out where nothing is known of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spent: Option<Spent>,
}

/// What the run comes to, by severities, agreement and coverage.
#[derive(Debug, Serialize, JsonSchema)]
pub struct VerdictEntry {
    /// In one word.
    pub result: RunVerdictWord,
    /// Why.
    pub reasons: Vec<String>,
}

/// What the run comes to in one word.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RunVerdictWord {
    /// Nothing of WARN or worse.
    Ship,
    /// Something to repair.
    ShipWithFixes,
    /// A BLOCK that several lineages agree on, or that no second one was there to confirm.
    Hold,
    /// Too little was read to say.
    Inconclusive,
}

/// Counts; retracted findings are only in `retracted`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Totals {
    /// Issues with two or more lineages.
    pub convergent: usize,
    /// All issues.
    pub distinct: usize,
    /// Findings that were taken back.
    pub retracted: usize,
    /// Texts that were not usable.
    pub rejected: usize,
    /// Issues by severity: `BLOCK`, `WARN`, `INFO`.
    pub by_severity: BTreeMap<String, usize>,
    /// Issues by lineage; an issue of two lineages counts for both.
    pub by_lineage: BTreeMap<String, usize>,
    /// Issues that a human decided about: `real`, `false`, `wontfix`; not there when nobody did.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub decided: BTreeMap<String, usize>,
    /// What all reviews and questions about claims took; left out where nothing is known of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spent: Option<Spent>,
}

/// The gate's answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct GateEntry {
    /// The answer.
    pub result: GateWord,
    /// The policy in words.
    pub policy: String,
    /// Why.
    pub reasons: Vec<String>,
    /// Who lets the run pass all the same; not there when nobody does. `result` stays what the gate said.
    #[serde(rename = "override", skip_serializing_if = "Option::is_none")]
    pub overruled: Option<OverrideEntry>,
}

/// A human's word against the gate's.
#[derive(Debug, Serialize, JsonSchema)]
pub struct OverrideEntry {
    /// The human's name.
    pub by: String,
    /// RFC 3339, UTC.
    pub at: String,
    /// The human's reason.
    pub why: String,
}

/// The gate's answer in one word.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum GateWord {
    /// Nothing that fails, and enough was read.
    Pass,
    /// Something that fails.
    Fail,
    /// Too little was read to say.
    Inconclusive,
    /// No gate was asked for.
    Off,
}

/// One line of `findings.jsonl`: what a run came to.
#[derive(Debug, Serialize)]
pub struct SummaryLine {
    /// Always `scrum.summary/1`.
    pub schema: &'static str,
    /// Run id.
    pub run: String,
    /// RFC 3339, UTC; null after an interruption.
    pub finished_at: Option<String>,
    /// Which change.
    pub range: Range,
    /// Counts.
    pub totals: Totals,
    /// Counts of each bundle.
    pub bundles: Vec<BundleCounts>,
    /// Tasks with a whole answer.
    pub answered: usize,
    /// All tasks.
    pub asked: usize,
    /// What the run comes to in one word.
    pub verdict: RunVerdictWord,
    /// The gate's answer in one word.
    pub gate: GateWord,
}

/// What was found in one bundle.
#[derive(Debug, Serialize)]
pub struct BundleCounts {
    /// Bundle id.
    pub id: String,
    /// Bytes of its diff.
    pub bytes: u64,
    /// Issues of two or more lineages with a member here; null when nobody read the bundle.
    pub convergent: Option<usize>,
    /// Issues with a member here; null when nobody read the bundle.
    pub distinct: Option<usize>,
}
