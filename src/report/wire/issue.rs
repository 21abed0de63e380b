//! What was found, in `tally.json`: [`IssueEntry`], and text that is no usable finding.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Effort, StandingWord, StateWord};

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
    /// How it relates to the last review of the same pull request; not there when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub standing: Option<StandingWord>,
    /// What that review called it, where it is still open and was called worse, or found by more lineages: gate and verdict count it so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub was: Option<Was>,
}

/// What an issue was called at the last review.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Was {
    /// How bad.
    pub severity: SeverityWord,
    /// By whom.
    pub lineages: Vec<String>,
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
    /// The id of the issue that it was made about, where that says the same in other words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
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
