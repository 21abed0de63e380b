//! The files of a run as they stand on disk: [`RunRecord`] is `run.json`, [`Manifest`] is `manifest.json`,
//! [`OutcomeRecord`] a line of `outcomes.jsonl`.
//!
//! They are versioned apart from the core's types, which may change without them.

mod manifest;
mod mask;
mod outcome;

use serde::{Deserialize, Serialize};

use crate::{
    bundle::SplitError,
    change::{Commit, RangeInfo},
    judgement::BadClaimId,
    mask::Mask,
    prompt::guidance::Source,
    reviewer::{BadReviewerId, Lineage, Panel, ReviewerId, Seat},
    route::Routed,
    tally::{
        Agreement, RunInfo,
        gate::{Bar, FailOn, Policy, Rule},
    },
};

pub use manifest::{BundleRecord, ContextRecord, ExcludedRecord, FileRecord, Manifest};
pub use mask::MaskRecord;
pub use outcome::OutcomeRecord;

/// `run.json`: what was asked, by whom, with which settings.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunRecord {
    /// `scrum.run/1`.
    pub schema: String,
    /// Run id.
    pub id: String,
    /// Version of scrum that asked.
    pub tool_version: String,
    /// Hash of the prompt templates.
    pub prompt_hash: String,
    /// The fence nonce the prompts were sent with.
    pub nonce: String,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// RFC 3339, UTC; absent while running and after an interruption.
    pub finished_at: Option<String>,
    /// The change.
    pub range: RangeRecord,
    /// The page of the repository, without credentials; absent where it is on no server that has pages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// Its commits, told to reviewers as intent.
    pub commits: Vec<CommitRecord>,
    /// Why not everything was asked that should have been; absent when nothing kept the run from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut_short: Option<String>,
    /// Who was asked.
    pub panel: Vec<SeatRecord>,
    /// Who was asked about which bundle, where rules chose; absent when everybody was asked about everything.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<RouteRecord>,
    /// The gate's policy.
    pub gate: PolicyRecord,
    /// What reviewers saw markers for: where it stands, never what it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub masked: Vec<MaskRecord>,
    /// What others are asked about the findings; absent when nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judging: Option<JudgingRecord>,
    /// How much more than the hunks was shown; absent when nothing more was asked for.
    #[serde(default, skip_serializing_if = "ContextRecord::is_plain")]
    pub context: ContextRecord,
    /// What maintainers' guidance was told, bundle by bundle.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub guidance: Vec<GuidanceRecord>,
}

/// A text of guidance told about one bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuidanceRecord {
    bundle: String,
    source: String,
    /// Of the whole text, in hexadecimal.
    sha256: String,
    /// Of the whole text.
    bytes: usize,
    /// Bytes of it that were told.
    told: usize,
}

impl GuidanceRecord {
    /// `source` as told about `bundle`.
    pub fn new(bundle: &str, source: Source) -> Self {
        let Source { name, sha256, bytes, told } = source;
        Self { bundle: bundle.to_owned(), source: name, sha256, bytes, told }
    }
}

/// What others are asked about the findings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JudgingRecord {
    /// Whether BLOCKs of one lineage are examined.
    pub verify: bool,
    /// Who decides on pairs of claims; none when nobody does.
    pub adjudicator: Option<String>,
    /// Hash of the texts of both questions.
    pub prompt_hash: String,
}

/// Whom one bundle was put to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteRecord {
    bundle: String,
    panel: String,
    reviewers: Vec<String>,
    by_rules_alone: bool,
}

/// Two commits and the words that named them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RangeRecord {
    base: Option<String>,
    head: Option<String>,
    spec: String,
}

/// A commit of the range.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CommitRecord {
    id: String,
    message: String,
}

/// A seat on the panel.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SeatRecord {
    pub(super) reviewer: String,
    provider: String,
    model: String,
    lineage: String,
}

/// The gate's policy.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PolicyRecord {
    #[serde(flatten)]
    bar: BarRecord,
    min_lineages: usize,
    /// Percent; absent when none is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    min_coverage: Option<u8>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    rules: Vec<RuleRecord>,
}

/// Which issues fail.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct BarRecord {
    fail_on: String,
    /// Absent when none is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    agreement: Option<String>,
    /// Absent when one is enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    min_agreeing: Option<usize>,
}

/// Which issues fail at some paths.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct RuleRecord {
    paths: Vec<String>,
    #[serde(flatten)]
    bar: BarRecord,
}

/// A record with a word this version does not know.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// An enumeration's word.
    #[error("unknown {what} {word:?}")]
    Word {
        /// Of which enumeration.
        what: &'static str,
        /// The word.
        word: String,
    },
    /// A reviewer id.
    #[error(transparent)]
    ReviewerId(#[from] BadReviewerId),
    /// A claim's name.
    #[error(transparent)]
    ClaimId(#[from] BadClaimId),
    /// A glob of the gate's.
    #[error(transparent)]
    Glob(#[from] SplitError),
}

pub(super) fn by_word<T: Copy>(
    what: &'static str,
    word: &str,
    all: &[T],
    name: fn(T) -> &'static str,
) -> Result<T, RecordError> {
    let found = all.iter().copied().find(|value| name(*value) == word);
    found.ok_or_else(|| RecordError::Word { what, word: word.to_owned() })
}

impl RunRecord {
    /// The version of `run.json` that this program writes.
    pub const SCHEMA: &str = "scrum.run/1";

    /// The facts of the run that the tally repeats.
    pub fn info(&self) -> RunInfo {
        let unfinished = self.finished_at.is_none().then(|| "the run is not finished".to_owned());
        RunInfo {
            id: self.id.clone(),
            started_at: self.started_at.clone(),
            finished_at: self.finished_at.clone(),
            tool_version: self.tool_version.clone(),
            prompt_hash: self.prompt_hash.clone(),
            repository: self.repository.clone(),
            nonce: Some(self.nonce.clone()),
            masks: self.masks(),
            cut_short: self.cut_short.clone().or(unfinished),
            routes: self.routes.iter().map(RouteRecord::routed).collect(),
            growth: self.context.growth(),
        }
    }

    /// Who was asked.
    pub fn panel(&self) -> Result<Panel, RecordError> {
        let seats = self.panel.iter().map(SeatRecord::seat);
        Ok(Panel { reviewers: seats.collect::<Result<_, RecordError>>()? })
    }

    /// The gate's policy.
    pub fn policy(&self) -> Result<Policy, RecordError> {
        let rule = |rule: &RuleRecord| Ok(Rule::new(rule.paths.clone(), rule.bar.bar()?)?);
        Ok(Policy {
            bar: self.gate.bar.bar()?,
            min_lineages: self.gate.min_lineages,
            min_coverage: self.gate.min_coverage.unwrap_or(0),
            rules: self.gate.rules.iter().map(rule).collect::<Result<_, RecordError>>()?,
        })
    }

    /// What reviewers saw markers for.
    pub fn masks(&self) -> Vec<Mask> {
        self.masked.iter().map(MaskRecord::mask).collect()
    }

    /// The commits told as intent.
    pub fn commits(&self) -> Vec<Commit> {
        self.commits.iter().map(|c| Commit { id: c.id.clone(), message: c.message.clone() }).collect()
    }
}

impl From<&RangeInfo> for RangeRecord {
    fn from(range: &RangeInfo) -> Self {
        Self { base: range.base.clone(), head: range.head.clone(), spec: range.spec.clone() }
    }
}

impl From<&RangeRecord> for RangeInfo {
    fn from(range: &RangeRecord) -> Self {
        Self { base: range.base.clone(), head: range.head.clone(), spec: range.spec.clone() }
    }
}

impl From<&Commit> for CommitRecord {
    fn from(commit: &Commit) -> Self {
        Self { id: commit.id.clone(), message: commit.message.clone() }
    }
}

impl From<&Seat> for SeatRecord {
    fn from(seat: &Seat) -> Self {
        Self {
            reviewer: seat.id.to_string(),
            provider: seat.provider.clone(),
            model: seat.model.clone(),
            lineage: seat.lineage.to_string(),
        }
    }
}

impl SeatRecord {
    /// The core's form.
    pub(super) fn seat(&self) -> Result<Seat, RecordError> {
        Ok(Seat {
            id: ReviewerId::new(&self.reviewer)?,
            provider: self.provider.clone(),
            model: self.model.clone(),
            lineage: Lineage::new(&self.lineage),
        })
    }
}

impl From<(&str, &Routed)> for RouteRecord {
    fn from((bundle, routed): (&str, &Routed)) -> Self {
        Self {
            bundle: bundle.to_owned(),
            panel: routed.panel.clone(),
            reviewers: routed.reviewers.iter().cloned().collect(),
            by_rules_alone: routed.by_rules_alone,
        }
    }
}

impl RouteRecord {
    /// The core's form.
    fn routed(&self) -> (String, Routed) {
        let reviewers = self.reviewers.iter().cloned().collect();
        let (panel, by_rules_alone) = (self.panel.clone(), self.by_rules_alone);
        (self.bundle.clone(), Routed { panel, reviewers, by_rules_alone })
    }
}

impl From<&Policy> for PolicyRecord {
    fn from(policy: &Policy) -> Self {
        let rule = |rule: &Rule| RuleRecord { paths: rule.paths().to_vec(), bar: rule.bar.into() };
        Self {
            bar: policy.bar.into(),
            min_lineages: policy.min_lineages,
            min_coverage: Some(policy.min_coverage).filter(|percent| *percent > 0),
            rules: policy.rules.iter().map(rule).collect(),
        }
    }
}

impl From<Bar> for BarRecord {
    fn from(bar: Bar) -> Self {
        let agreement = Some(bar.agreement).filter(|least| *least > Agreement::Single);
        Self {
            fail_on: bar.fail_on.word().to_owned(),
            agreement: agreement.map(|least| least.word().to_owned()),
            min_agreeing: Some(bar.min_agreeing).filter(|least| *least > 1),
        }
    }
}

impl BarRecord {
    /// The core's form.
    fn bar(&self) -> Result<Bar, RecordError> {
        let fail_on = by_word("fail-on", &self.fail_on, &FailOn::ALL, FailOn::word)?;
        let agreement = self.agreement.as_deref();
        let agreement =
            agreement.map(|word| by_word("agreement", word, &Agreement::ALL, Agreement::word)).transpose()?;
        Ok(Bar {
            agreement: agreement.unwrap_or(Agreement::Single),
            min_agreeing: self.min_agreeing.unwrap_or(1),
            ..Bar::of(fail_on)
        })
    }
}
