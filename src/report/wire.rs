//! The shapes of `tally.json`: [`TallyDocument`] is schema `scrum.tally/1`, published in `schema/tally.schema.json`.
//!
//! Kept apart from the core types, so that those can change and the document cannot by accident. Keys are
//! written in the order they stand here. Filling them is `json`'s work.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

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

/// One component's share of the change.
#[derive(Debug, Serialize, JsonSchema)]
pub struct BundleEntry {
    /// Running number and component.
    pub id: String,
    /// Component name.
    pub component: String,
    /// Bytes of its diff.
    pub bytes: u64,
    /// SHA-256 of its diff, in lower-case hexadecimal.
    pub sha256: String,
    /// The guard's word on its size.
    pub guard: GuardWord,
    /// Names of the panels it was put to, joined by ` + `; absent where it was put to everybody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub panel: Option<String>,
    /// Files, in path order.
    pub files: Vec<FileEntry>,
}

/// The guard's word on a bundle's size.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum GuardWord {
    /// Small enough.
    Ok,
    /// Over the warning size.
    Warn,
    /// Over the failing size, and not to be sent.
    Oversize,
    /// Over the failing size, and sent all the same.
    Forced,
}

/// A file of a bundle.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FileEntry {
    /// Repository path, quoted as git does when it holds control characters, `"`, `\` or bytes that are not UTF-8.
    pub path: String,
    /// `added`, `deleted`, `modified`, `renamed`, `copied` or `type-changed`.
    pub status: String,
    /// Lines added in this bundle.
    pub added: usize,
    /// Lines removed in this bundle.
    pub removed: usize,
}

/// A file that was not shown.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ExcludedFile {
    /// Repository path.
    pub path: String,
    /// `lockfile`, `vendored`, `generated`, `minified`, `binary`, `ignored`, `filtered` or `other-component`.
    pub reason: String,
    /// Bytes of its patch; for binary files, of the file.
    pub bytes: u64,
}

/// A piece of text that reviewers saw a marker for, such as `[masked: aws-key #1]`. What it was is nowhere in a tally.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MaskedText {
    /// What it is: `aws-key`, `password`, `private-key`.
    pub kind: String,
    /// The same for the same value throughout the run; counted for each kind from 1.
    pub number: u32,
    /// Bundle id; null in a commit's message.
    pub bundle: Option<String>,
    /// Repository path; null in a commit's message.
    pub path: Option<String>,
    /// What `line` counts: `new` or `old` lines of the file, `section` the line at which the hunk begins whose `@@` line it
    /// is, `header` lines of the patch's header; null in a commit's message.
    pub side: Option<String>,
    /// 1-based; null in a commit's message.
    pub line: Option<u32>,
    /// Full id of the commit whose message it is in; null in a bundle.
    pub commit: Option<String>,
}

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
    /// Prompt tokens as the provider counted them.
    pub tokens_in: Option<u64>,
    /// Answer tokens as the provider counted them.
    pub tokens_out: Option<u64>,
    /// Price in US dollars, when known.
    pub cost_usd: Option<f64>,
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
    /// Prompt tokens, where providers counted them.
    pub tokens_in: Option<u64>,
    /// Answer tokens, likewise.
    pub tokens_out: Option<u64>,
    /// US dollars, as far as known.
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

/// How bad a finding is.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum SeverityWord {
    /// Worth knowing.
    Info,
    /// Should be fixed.
    Warn,
    /// Must not merge.
    Block,
}

/// What the lineages of an issue agree on.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AgreementWord {
    /// The same claim about the same place.
    Claim,
    /// The same place; whether they claim the same is not settled.
    Place,
    /// One lineage only.
    Single,
}

/// Findings that belong together.
#[derive(Debug, Serialize, JsonSchema)]
pub struct IssueEntry {
    /// Stable across pushes.
    pub id: String,
    /// Repository path.
    pub path: String,
    /// First line on the new side.
    pub start_line: Option<u32>,
    /// Last line on the new side.
    pub end_line: Option<u32>,
    /// Enclosing function or type.
    pub symbol: Option<String>,
    /// The worst of its standing members.
    pub severity: SeverityWord,
    /// What the lineages agree on.
    pub agreement: AgreementWord,
    /// Distinct lineages with a standing member; 0 when all were taken back, and then the issue is not counted.
    pub convergence: usize,
    /// Their names.
    pub lineages: Vec<String>,
    /// Reviewers with a standing member.
    pub reviewers: Vec<String>,
    /// Ids of near issues that are not the same.
    pub see_also: Vec<String>,
    /// All findings of the issue.
    pub members: Vec<Finding>,
    /// What an adjudicator answered about its claims; left out when nobody was asked. Adds nothing to `convergence`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub adjudications: Vec<Judgement>,
    /// What reviewers of other lineages answered about its claims; left out when nobody was asked. Adds nothing to
    /// `convergence` and changes no gate.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub examinations: Vec<Judgement>,
    /// Why a claim of it should have been examined and was not; left out when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_examined: Option<String>,
    /// Whether every claim in it was refuted; left out when not. It is counted all the same.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub refuted: bool,
    /// What a human decided about it; not there when nobody did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disposition: Option<DispositionEntry>,
}

/// What somebody answered about other reviewers' claims.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Judgement {
    /// Who was asked.
    pub reviewer: String,
    /// Of which descent.
    pub lineage: String,
    /// Which model.
    pub model: String,
    /// The answer; `UNSURE` also when none came, or it broke the rules: `reason` says so.
    pub answer: AnswerWord,
    /// What the answer rests on, verbatim; empty when nothing was quoted.
    pub quote: String,
    /// Whether the quote stands in what was shown.
    pub quote_found: bool,
    /// The answer's one sentence.
    pub why: String,
    /// How far the question came.
    pub state: StateWord,
    /// Why it was not answered, or why the answer does not count.
    pub reason: Option<String>,
    /// What it took.
    #[serde(flatten)]
    pub effort: Effort,
}

/// An answer about claims.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum AnswerWord {
    /// One fix would settle both claims.
    Same,
    /// It would not.
    Different,
    /// The code bears the claim out.
    Confirmed,
    /// A line of the code contradicts the claim.
    Refuted,
    /// Not decided.
    Unsure,
}

/// What a human decided about an issue.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DispositionEntry {
    /// `real`; `false` or `wontfix`, which then weighs neither on the gate nor on the verdict.
    pub decision: String,
    /// The human's reason; empty when none was given.
    pub why: String,
    /// The human's name.
    pub by: String,
    /// RFC 3339, UTC.
    pub at: String,
}

/// One claim of one reviewer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Finding {
    /// Who.
    pub reviewer: String,
    /// Of which descent.
    pub lineage: String,
    /// About which bundle.
    pub bundle: String,
    /// On the common scale.
    pub severity: SeverityWord,
    /// The reviewer's own word for it.
    pub severity_word: String,
    /// The place as the reviewer wrote it.
    #[serde(rename = "where")]
    pub where_text: String,
    /// Repository path of the checked place.
    pub path: Option<String>,
    /// First line of the checked place.
    pub start_line: Option<u32>,
    /// Last line of the checked place.
    pub end_line: Option<u32>,
    /// How the place relates to the change.
    pub anchor: AnchorWord,
    /// The claim.
    pub what: String,
    /// Its grounds.
    pub why: String,
    /// The proposed mending.
    pub fix: String,
    /// Taken back in the same answer.
    pub retracted: bool,
    /// How the place was read where it is not as the reviewer wrote it, or what is wrong with it.
    pub note: Option<String>,
    /// Further places of the same claim, in the reviewer's order.
    pub also_at: Vec<Place>,
}

/// A further place of a claim, checked like the first.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Place {
    /// Repository path; null when the place cannot be in the repository.
    pub path: Option<String>,
    /// First line on the new side.
    pub start_line: Option<u32>,
    /// Last line on the new side.
    pub end_line: Option<u32>,
    /// Named or enclosing function or type.
    pub symbol: Option<String>,
    /// How the place relates to the change.
    pub anchor: AnchorWord,
    /// As of a finding.
    pub note: Option<String>,
}

/// How a place relates to the change.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AnchorWord {
    /// On a changed line.
    Changed,
    /// In a hunk's context.
    Context,
    /// In a changed file, outside its hunks.
    File,
    /// Wrong line given; moved to where the quoted code stands, or to what the number means in another way of counting.
    Moved,
    /// In a file that the change does not touch.
    Outside,
    /// No usable place.
    Nowhere,
    /// No bundle at hand to check against.
    Unchecked,
}

/// Text that was not usable.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RejectEntry {
    /// About which bundle.
    pub bundle: String,
    /// Whose answer.
    pub reviewer: String,
    /// The text, verbatim.
    pub text: String,
    /// Why it was not usable.
    pub reason: String,
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
