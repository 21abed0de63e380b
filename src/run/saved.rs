//! A run on disk made whole again: [`open()`] gives what [`tally`](crate::tally::tally) needs, without asking anybody.

use crate::{
    bundle::Bundle,
    change::RangeInfo,
    coverage::{Outcome, State},
    git::{self, GitError},
    judgement::Judgements,
    reviewer::Panel,
    store::{Decisions, LooseReply, RunDir, SavedBundle, StoreError, record::RunRecord},
    tally::{Input, RunInfo, TaskReply, gate::Policy},
};

/// A saved run: its record, and what its tally is made of.
#[derive(Debug)]
pub struct SavedRun {
    /// `run.json`.
    pub record: RunRecord,
    /// Everything the tally is made of.
    pub input: Input,
    /// The gate's policy.
    pub policy: Policy,
    /// Lines of the decisions' file that are no decisions, in words.
    pub unusable: Vec<String>,
}

/// A saved run that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SavedError {
    /// Its files.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// One of its bundles does not read.
    #[error("bundle {bundle} of the run is damaged: {source}")]
    Bundle {
        /// Bundle id.
        bundle: String,
        /// What is wrong with it.
        source: GitError,
    },
}

/// Reads the run in `dir`, with what humans decided about its issues.
pub fn open(dir: &RunDir) -> Result<SavedRun, SavedError> {
    let mut run = open_undecided(dir)?;
    Decisions { dispositions: run.input.dispositions, unusable: run.unusable } = dir.decisions()?;
    Ok(run)
}

/// Reads the run in `dir` alone.
pub fn open_undecided(dir: &RunDir) -> Result<SavedRun, SavedError> {
    let saved = dir.load()?;
    let (panel, policy) = dir.judged(&saved.record)?;
    let input = Input {
        run: saved.record.info(),
        range: RangeInfo::from(&saved.record.range),
        panel,
        bundles: saved.bundles.into_iter().map(bundle).collect::<Result<_, _>>()?,
        excluded: saved.excluded,
        replies: saved.replies,
        judgements: saved.judgements,
        dispositions: Vec::new(),
        since: dir.since()?,
    };
    Ok(SavedRun { record: saved.record, input, policy, unusable: Vec::new() })
}

fn bundle(saved: SavedBundle) -> Result<Bundle, SavedError> {
    let files = git::read_diff(&saved.diff)
        .map_err(|source| SavedError::Bundle { bundle: saved.id.clone(), source })?
        .files;
    Ok(Bundle { id: saved.id, component: saved.component, files, guard: saved.guard })
}

/// What a tally of loose replies is made of: no bundles, so places stay unchecked.
pub fn loose(name: &str, replies: Vec<LooseReply>, panel: Panel) -> Input {
    let replies = replies.into_iter().map(|reply| TaskReply {
        outcome: Outcome::new(reply.bundle, reply.reviewer, State::Answered),
        text: Some(reply.text),
    });
    Input {
        run: RunInfo { id: name.to_owned(), tool_version: crate::VERSION.to_owned(), ..RunInfo::default() },
        range: RangeInfo { spec: name.to_owned(), ..RangeInfo::default() },
        panel,
        bundles: Vec::new(),
        excluded: Vec::new(),
        replies: replies.collect(),
        judgements: Judgements::default(),
        dispositions: Vec::new(),
        since: None,
    }
}
