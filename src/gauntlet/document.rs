//! What a gauntlet leaves: [`GauntletDocument`] is schema `scrum.gauntlet/1`, published in `schema/gauntlet.schema.json`.
//!
//! Answers of programs and servers cannot be had again, so the document is the record itself: it is read back to be shown, and
//! every report is made of it. Keys are written in the order they stand here. Text is kept as it came.

use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde::{Deserialize, Serialize};

use super::{
    assess::{Assessment, Weight},
    engagement::Engagement,
};
use crate::report::json;

/// Whether this may ship: what each phase came to, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "scrum.gauntlet/1")]
pub struct GauntletDocument {
    /// Always `scrum.gauntlet/1`.
    pub schema: GauntletSchema,
    /// Which run.
    pub run: Run,
    /// The answer.
    pub assessment: AssessmentEntry,
    /// The chain of checks.
    pub smoke: Smoke,
    /// The review of the declared range.
    pub review: Review,
    /// The comparisons.
    pub parity: Parity,
    /// The register of known gaps, in the order of the file.
    pub gaps: Vec<GapEntry>,
    /// The last gauntlets of the same file before this one, the oldest first.
    pub trend: Vec<Line>,
    /// What a reader should know besides.
    pub notes: Vec<String>,
}

/// Name and version of the document's schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub enum GauntletSchema {
    /// The only one so far.
    #[serde(rename = "scrum.gauntlet/1")]
    One,
}

/// Facts of the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// Run id; the review of the gauntlet, if it has one, has the same.
    pub id: String,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// RFC 3339, UTC; null after an interruption.
    pub finished_at: Option<String>,
    /// Version of scrum.
    pub tool_version: String,
    /// The file that declares it, from the repository's root.
    pub file: String,
    /// Full id of the commit that was checked out; null without a repository.
    pub head: Option<String>,
}

/// The answer with its reasons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AssessmentEntry {
    /// In one word.
    pub result: AssessmentWord,
    /// Why, what decides first.
    pub reasons: Vec<String>,
}

/// Whether this may ship.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AssessmentWord {
    /// Everything declared was carried out, and nothing speaks against it.
    Ship,
    /// Likewise, but for accepted divergences.
    ShipWithKnownGap,
    /// Something speaks against it.
    Hold,
    /// Not everything could be carried out.
    Inconclusive,
}

/// What a phase came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PhaseWord {
    /// Nothing speaks against it.
    Passed,
    /// Nothing but accepted divergences.
    KnownGap,
    /// Something speaks against it.
    Failed,
    /// It could not be carried out wholly.
    Incomplete,
    /// The file declares none.
    NotDeclared,
    /// It was declared, and left out on request.
    LeftOut,
}

/// A chain of checks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Smoke {
    /// What it came to.
    pub state: PhaseWord,
    /// Checks that passed.
    pub passed: usize,
    /// All checks.
    pub total: usize,
    /// From the first start to the last end, in milliseconds.
    pub duration_ms: u64,
    /// Every check, in the order of the file.
    pub checks: Vec<CheckEntry>,
    /// Services that were not there, or not to the end.
    pub services: Vec<ServiceEntry>,
}

/// A service that was not there, or not to the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServiceEntry {
    /// Its name.
    pub name: String,
    /// How it fared.
    pub result: ServiceWord,
    /// Why.
    pub reason: String,
    /// The file with its output, from the run's folder; null where there is none.
    pub output: Option<String>,
}

/// How a service fared that was not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceWord {
    /// It never was ready.
    NotReady,
    /// It ended while it was needed.
    Died,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CheckEntry {
    /// Its name.
    pub name: String,
    /// Its layer.
    pub layer: String,
    /// How it ended.
    pub result: CheckWord,
    /// What was seen instead, or why it was not carried out; null where it passed.
    pub reason: Option<String>,
    /// In milliseconds.
    pub duration_ms: u64,
    /// The file with its output, from the run's folder; null where there is none.
    pub output: Option<String>,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CheckWord {
    /// As expected.
    Passed,
    /// Otherwise, or not in time.
    Failed,
    /// Not carried out, or not to its end.
    Skipped,
}

/// The review of the declared range.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Review {
    /// What it came to.
    pub state: PhaseWord,
    /// The range; null where there is no review.
    pub range: Option<String>,
    /// What the tally came to in a word; null where there is none.
    pub verdict: Option<String>,
    /// What it came to in a sentence; null where there is none.
    pub headline: Option<String>,
    /// The gate's answer in a sentence; null where there is none.
    pub gate: Option<String>,
    /// Issues of two or more lineages.
    pub convergent: usize,
    /// All issues.
    pub distinct: usize,
    /// What was found in each bundle.
    pub bundles: Vec<BundleEntry>,
    /// Issues that lineages agree on, ranked.
    pub issues: Vec<IssueEntry>,
    /// How much each model said; reviewers that work offline are left out.
    pub engagement: Vec<EngagementEntry>,
}

/// One bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BundleEntry {
    /// Bundle id.
    pub id: String,
    /// Bytes of its diff.
    pub bytes: u64,
    /// Issues of two or more lineages with a member here; null when nobody read the bundle.
    pub convergent: Option<usize>,
    /// Issues with a member here; null when nobody read the bundle.
    pub distinct: Option<usize>,
}

/// An issue that lineages agree on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IssueEntry {
    /// As in the tally.
    pub id: String,
    /// BLOCK, WARN or INFO.
    pub severity: String,
    /// `src/lib.rs:42`.
    pub place: String,
    /// `2 of 3 lineages`.
    pub agreement: String,
    /// What is wrong, in the words of one of them.
    pub what: String,
}

/// How much a model said, and before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EngagementEntry {
    /// This time.
    #[serde(flatten)]
    pub now: Engagement,
    /// Output tokens of the median reply in the last gauntlet that asked it; null where none did.
    pub median_before: Option<u64>,
    /// Why it counts as having fallen silent; null where it does not.
    pub silence: Option<String>,
}

/// All comparisons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Parity {
    /// What they came to.
    pub state: PhaseWord,
    /// Each of them, in the order of the file.
    pub specs: Vec<SpecEntry>,
}

/// One comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SpecEntry {
    /// Its name.
    pub name: String,
    /// The sides that were compared: name and address or command.
    pub sides: Vec<SideEntry>,
    /// What is left out of the comparison, in words.
    pub rule: String,
    /// Cases that match.
    pub matches: usize,
    /// Cases that differ.
    pub diffs: usize,
    /// Of those, the ones that known gaps accept.
    pub accepted: usize,
    /// All cases, with those that could not be compared.
    pub total: usize,
    /// Why not every case was compared; null where every one was.
    pub lacking: Option<String>,
    /// Divergences of one cause.
    pub causes: Vec<CauseEntry>,
    /// Every case.
    pub cases: Vec<CaseEntry>,
    /// The file with both bodies of every divergence, from the run's folder; null where there is none.
    pub report: Option<String>,
}

/// One side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SideEntry {
    /// Its name.
    pub name: String,
    /// Its address or command.
    pub at: String,
}

/// Divergences of one cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CauseEntry {
    /// The cause in words.
    pub words: String,
    /// The cases that have it.
    pub cases: Vec<String>,
}

/// One case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaseEntry {
    /// Its name.
    pub name: String,
    /// The status that each side answered with; null where it did not.
    pub statuses: Vec<Option<String>>,
    /// What came of it.
    pub result: CaseWord,
    /// Why it could not be compared; null where it could.
    pub reason: Option<String>,
    /// Whether the statuses are the same; null where they could not be compared.
    pub status_match: Option<bool>,
    /// Whether the bodies are the same; null where they could not be compared.
    pub body_match: Option<bool>,
    /// The shapes of its differences, by their words.
    pub shapes: Vec<String>,
    /// Whether known gaps accept its divergence.
    pub is_accepted: bool,
}

/// What came of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CaseWord {
    /// The same status and the same body.
    Match,
    /// Not the same.
    Diff,
    /// All sides failed the same way.
    Empty,
    /// A side could not answer.
    Error,
    /// A side's own answers differ.
    Unstable,
}

/// A known gap and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GapEntry {
    /// What it is about: a glob on `SPEC/CASE`.
    pub matches: String,
    /// The only shape of differences it is about; null for any.
    pub shape: Option<String>,
    /// Why it may stay.
    pub why: String,
    /// Who answers for that.
    pub accepted_by: String,
    /// The first day on which it is accepted.
    pub since: Option<String>,
    /// The last one.
    pub until: Option<String>,
    /// What became of it, in words.
    pub standing: String,
    /// The divergences it fits.
    pub cases: Vec<String>,
}

/// One line of `gauntlets.jsonl`: what a gauntlet came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Line {
    /// Always `scrum.gauntlet-summary/1`.
    pub schema: LineSchema,
    /// Run id.
    pub run: String,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// The file that declares it.
    pub file: String,
    /// Full id of the commit that was checked out.
    pub head: Option<String>,
    /// What it came to.
    pub assessment: AssessmentWord,
    /// Its checks; null where none were carried out.
    pub smoke: Option<SmokeFigures>,
    /// Its review; null where there was none.
    pub review: Option<ReviewFigures>,
    /// Its comparisons; null where there were none.
    pub parity: Option<ParityFigures>,
    /// How much each model said.
    pub engagement: Vec<Engagement>,
}

/// Name and version of a line's schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub enum LineSchema {
    /// The only one so far.
    #[serde(rename = "scrum.gauntlet-summary/1")]
    One,
}

/// A chain of checks in figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SmokeFigures {
    /// Checks that passed.
    pub passed: usize,
    /// All checks.
    pub total: usize,
    /// In milliseconds.
    pub duration_ms: u64,
}

/// A review in figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReviewFigures {
    /// What it came to in a word.
    pub verdict: String,
    /// Issues of two or more lineages.
    pub convergent: usize,
    /// All issues.
    pub distinct: usize,
}

/// All comparisons in figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ParityFigures {
    /// Cases that match.
    pub matches: usize,
    /// Cases that differ.
    pub diffs: usize,
    /// Of those, the ones that were accepted.
    pub accepted: usize,
    /// All cases.
    pub total: usize,
}

impl From<Assessment> for AssessmentWord {
    fn from(assessment: Assessment) -> Self {
        match assessment {
            Assessment::Ship => Self::Ship,
            Assessment::ShipWithKnownGap => Self::ShipWithKnownGap,
            Assessment::Hold => Self::Hold,
            Assessment::Inconclusive => Self::Inconclusive,
        }
    }
}

impl From<AssessmentWord> for Assessment {
    fn from(word: AssessmentWord) -> Self {
        match word {
            AssessmentWord::Ship => Self::Ship,
            AssessmentWord::ShipWithKnownGap => Self::ShipWithKnownGap,
            AssessmentWord::Hold => Self::Hold,
            AssessmentWord::Inconclusive => Self::Inconclusive,
        }
    }
}

impl From<Weight> for PhaseWord {
    fn from(weight: Weight) -> Self {
        match weight {
            Weight::Fine => Self::Passed,
            Weight::Known => Self::KnownGap,
            Weight::Lacking => Self::Incomplete,
            Weight::Against => Self::Failed,
        }
    }
}

impl PhaseWord {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::KnownGap => "known gap",
            Self::Failed => "failed",
            Self::Incomplete => "incomplete",
            Self::NotDeclared => "not declared",
            Self::LeftOut => "left out",
        }
    }

    /// Whether it was begun.
    pub fn was_tried(self) -> bool {
        !matches!(self, Self::NotDeclared | Self::LeftOut)
    }
}

impl GauntletDocument {
    /// Indented, with a final newline.
    pub fn render(&self) -> String {
        json::pretty(self)
    }

    /// What later gauntlets need of it.
    pub fn line(&self) -> Line {
        let Self { run, smoke, review, parity, .. } = self;
        let sum = |of: fn(&SpecEntry) -> usize| parity.specs.iter().map(of).sum();
        Line {
            schema: LineSchema::One,
            run: run.id.clone(),
            started_at: run.started_at.clone(),
            file: run.file.clone(),
            head: run.head.clone(),
            assessment: self.assessment.result,
            smoke: smoke.state.was_tried().then_some(SmokeFigures {
                passed: smoke.passed,
                total: smoke.total,
                duration_ms: smoke.duration_ms,
            }),
            review: review.verdict.clone().map(|verdict| ReviewFigures {
                verdict,
                convergent: review.convergent,
                distinct: review.distinct,
            }),
            parity: parity.state.was_tried().then(|| ParityFigures {
                matches: sum(|spec| spec.matches),
                diffs: sum(|spec| spec.diffs),
                accepted: sum(|spec| spec.accepted),
                total: sum(|spec| spec.total),
            }),
            engagement: review.engagement.iter().map(|one| one.now.clone()).collect(),
        }
    }
}

/// The JSON Schema (2020-12) of `scrum.gauntlet/1` documents.
pub fn schema() -> Schema {
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<GauntletDocument>()
}
