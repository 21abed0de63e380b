//! The files of a run as they stand on disk: [`RunRecord`] is `run.json`, [`Manifest`] is `manifest.json`,
//! [`OutcomeRecord`] a line of `outcomes.jsonl`.
//!
//! They are versioned apart from the core's types, which may change without them.

use serde::{Deserialize, Serialize};

use crate::{
    bundle::{
        Bundle, ExcludeReason, Excluded, Guard, Split,
        context::{Context, Growth},
    },
    change::{Commit, RangeInfo, RepoPath},
    coverage::{Outcome, Spent, StandIn, State},
    judgement::BadClaimId,
    mask::{Mask, Place, Side},
    prompt::guidance::Source,
    reviewer::{BadReviewerId, Lineage, Panel, ReviewerId, Seat},
    route::Routed,
    tally::{
        RunInfo,
        gate::{FailOn, Policy},
    },
};

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

/// A mask, in a line of a bundle or in a commit's message.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MaskRecord {
    kind: String,
    number: u32,
    #[serde(flatten)]
    place: PlaceRecord,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum PlaceRecord {
    Line { bundle: String, path: String, side: SideRecord, line: u32, from: usize, to: usize },
    Commit { commit: String },
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum SideRecord {
    New,
    Old,
    Section,
    Header,
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
    fail_on: String,
    min_lineages: usize,
}

/// `manifest.json`: the bundles of a run and what was left out of them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Manifest {
    /// `scrum.bundles/1`.
    pub schema: String,
    /// The change.
    pub range: RangeRecord,
    /// The bundles in order.
    pub bundles: Vec<BundleRecord>,
    /// What was left out.
    pub excluded: Vec<ExcludedRecord>,
    /// What became of showing more around the hunks.
    #[serde(default, skip_serializing_if = "ContextRecord::is_plain")]
    pub context: ContextRecord,
}

/// How many hunks show what was asked for, and why others do not.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ContextRecord {
    asked: String,
    grown: usize,
    too_large: usize,
    not_found: usize,
    shared: usize,
    without_text: usize,
    #[serde(default)]
    bytes: usize,
}

impl ContextRecord {
    /// The core's form; an unknown word is that of nothing asked for.
    fn growth(&self) -> Growth {
        let word = Context::ALL.into_iter().find(|context| context.word() == self.asked);
        Growth {
            context: word.unwrap_or_default(),
            grown: self.grown,
            too_large: self.too_large,
            not_found: self.not_found,
            shared: self.shared,
            without_text: self.without_text,
            bytes: self.bytes,
        }
    }

    /// Whether nothing more was asked for.
    fn is_plain(&self) -> bool {
        self.asked.is_empty() || self.asked == Context::Hunk.word()
    }
}

impl From<&Growth> for ContextRecord {
    fn from(growth: &Growth) -> Self {
        Self {
            asked: growth.context.word().to_owned(),
            grown: growth.grown,
            too_large: growth.too_large,
            not_found: growth.not_found,
            shared: growth.shared,
            without_text: growth.without_text,
            bytes: growth.bytes,
        }
    }
}

/// One bundle; its text is `<id>.diff` beside the manifest.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BundleRecord {
    /// `c1_validatord`.
    pub id: String,
    /// Component name.
    pub component: String,
    /// Size of the diff.
    pub bytes: usize,
    /// SHA-256 of the diff in hexadecimal.
    pub sha256: String,
    /// `ok`, `warn`, `oversize` or `forced`.
    pub guard: String,
    /// The files in it.
    pub files: Vec<FileRecord>,
}

/// One file of a bundle.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FileRecord {
    path: String,
    status: String,
    added: usize,
    removed: usize,
}

/// One file that was left out.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExcludedRecord {
    path: String,
    reason: String,
    bytes: u64,
}

/// One task's outcome.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OutcomeRecord {
    bundle: String,
    reviewer: String,
    state: String,
    reason: Option<String>,
    attempts: u32,
    cached: bool,
    latency_ms: u64,
    tokens_in: Option<u64>,
    tokens_out: Option<u64>,
    cost_usd: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    guessed_tokens: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    guessed_cost_usd: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answered_by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answered_model: Option<String>,
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
        RunInfo {
            id: self.id.clone(),
            started_at: self.started_at.clone(),
            finished_at: self.finished_at.clone(),
            tool_version: self.tool_version.clone(),
            prompt_hash: self.prompt_hash.clone(),
            nonce: Some(self.nonce.clone()),
            masks: self.masks(),
            cut_short: self.cut_short.clone(),
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
        let fail_on = by_word("fail-on", &self.gate.fail_on, &FailOn::ALL, FailOn::word)?;
        Ok(Policy { fail_on, min_lineages: self.gate.min_lineages })
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

impl From<&Mask> for MaskRecord {
    fn from(mask: &Mask) -> Self {
        let place = match &mask.place {
            Place::Commit { id } => PlaceRecord::Commit { commit: id.clone() },
            Place::Line { bundle, path, side, line, at } => PlaceRecord::Line {
                bundle: bundle.clone(),
                path: path.to_string(),
                side: (*side).into(),
                line: *line,
                from: at.start,
                to: at.end,
            },
        };
        Self { kind: mask.kind.clone(), number: mask.number, place }
    }
}

impl MaskRecord {
    fn mask(&self) -> Mask {
        let place = match &self.place {
            PlaceRecord::Commit { commit } => Place::Commit { id: commit.clone() },
            PlaceRecord::Line { bundle, path, side, line, from, to } => Place::Line {
                bundle: bundle.clone(),
                path: RepoPath::from_display(path),
                side: (*side).into(),
                line: *line,
                at: *from..*to,
            },
        };
        Mask { kind: self.kind.clone(), number: self.number, place }
    }
}

impl From<Side> for SideRecord {
    fn from(side: Side) -> Self {
        match side {
            Side::New => Self::New,
            Side::Old => Self::Old,
            Side::Section => Self::Section,
            Side::Header => Self::Header,
        }
    }
}

impl From<SideRecord> for Side {
    fn from(side: SideRecord) -> Self {
        match side {
            SideRecord::New => Self::New,
            SideRecord::Old => Self::Old,
            SideRecord::Section => Self::Section,
            SideRecord::Header => Self::Header,
        }
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

impl From<Policy> for PolicyRecord {
    fn from(policy: Policy) -> Self {
        Self { fail_on: policy.fail_on.word().to_owned(), min_lineages: policy.min_lineages }
    }
}

impl Manifest {
    /// The manifest of `split`.
    pub fn new(range: &RangeInfo, split: &Split) -> Self {
        Self {
            schema: "scrum.bundles/1".to_owned(),
            range: range.into(),
            bundles: split.bundles.iter().map(BundleRecord::new).collect(),
            excluded: split.excluded.iter().map(ExcludedRecord::new).collect(),
            context: ContextRecord::default(),
        }
    }
}

impl BundleRecord {
    fn new(bundle: &Bundle) -> Self {
        Self {
            id: bundle.id.clone(),
            component: bundle.component.clone(),
            bytes: bundle.byte_len(),
            sha256: bundle.sha256(),
            guard: bundle.guard.word().to_owned(),
            files: bundle.files.iter().map(FileRecord::new).collect(),
        }
    }

    /// What the guard said.
    pub fn guard(&self) -> Result<Guard, RecordError> {
        by_word("guard", &self.guard, &Guard::ALL, Guard::word)
    }
}

impl FileRecord {
    fn new(file: &crate::change::FilePatch) -> Self {
        let (added, removed) = file.counts();
        Self { path: file.path.to_string(), status: file.status.word().to_owned(), added, removed }
    }
}

impl ExcludedRecord {
    fn new(excluded: &Excluded) -> Self {
        Self {
            path: excluded.path.to_string(),
            reason: excluded.reason.word().to_owned(),
            bytes: excluded.bytes,
        }
    }

    /// The core's form.
    pub fn excluded(&self) -> Result<Excluded, RecordError> {
        let reason = by_word("reason", &self.reason, &ExcludeReason::ALL, ExcludeReason::word)?;
        Ok(Excluded { path: RepoPath::from_display(&self.path), reason, bytes: self.bytes })
    }
}

impl From<&Outcome> for OutcomeRecord {
    fn from(outcome: &Outcome) -> Self {
        Self {
            bundle: outcome.bundle.clone(),
            reviewer: outcome.reviewer.to_string(),
            state: outcome.state.word().to_owned(),
            reason: outcome.reason.clone(),
            attempts: outcome.attempts,
            cached: outcome.cached,
            latency_ms: outcome.latency_ms,
            tokens_in: outcome.tokens_in,
            tokens_out: outcome.tokens_out,
            cost_usd: outcome.cost_usd,
            guessed_tokens: outcome.guessed.map(|guess| guess.tokens()),
            guessed_cost_usd: outcome.guessed.and_then(|guess| guess.cost_usd),
            answered_by: outcome.answered_by.as_ref().map(|by| by.reviewer.to_string()),
            answered_model: outcome.answered_by.as_ref().map(|by| by.model.clone()),
        }
    }
}

impl OutcomeRecord {
    /// The core's form.
    pub fn outcome(self) -> Result<Outcome, RecordError> {
        let stand_in = |id: String| {
            let model = self.answered_model.unwrap_or_default();
            Ok::<_, RecordError>(StandIn { reviewer: ReviewerId::new(&id)?, model })
        };
        let guess =
            |tokens| Spent { tokens_in: Some(tokens), cost_usd: self.guessed_cost_usd, ..Spent::default() };
        Ok(Outcome {
            guessed: self.guessed_tokens.map(guess),
            answered_by: self.answered_by.map(stand_in).transpose()?,
            state: by_word("state", &self.state, &State::ALL, State::word)?,
            reviewer: ReviewerId::new(&self.reviewer)?,
            bundle: self.bundle,
            reason: self.reason,
            attempts: self.attempts,
            cached: self.cached,
            latency_ms: self.latency_ms,
            tokens_in: self.tokens_in,
            tokens_out: self.tokens_out,
            cost_usd: self.cost_usd,
        })
    }
}
