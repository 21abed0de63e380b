//! Reads a run back: [`Saved`] is everything a tally is made of, the bundles still as text.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use serde::de::DeserializeOwned;

use super::{
    RunDir, StoreError, damaged, lines, read,
    record::{BundleRecord, Manifest, OutcomeRecord, RunRecord},
};
use crate::{
    bundle::{Excluded, Guard},
    coverage::{Outcome, Spent, State},
    digest,
    judgement::Judgements,
    reviewer::Panel,
    tally::{TaskReply, gate::Policy},
};

/// A run as found on disk.
#[derive(Debug)]
pub struct Saved {
    /// `run.json`.
    pub record: RunRecord,
    /// The bundles in order; empty when their folder is gone.
    pub bundles: Vec<SavedBundle>,
    /// What was left out.
    pub excluded: Vec<Excluded>,
    /// The last outcome of every task that ended, with its reply.
    pub replies: Vec<TaskReply>,
    /// What others were asked about the findings.
    pub judgements: Judgements,
}

/// A bundle as text.
#[derive(Debug)]
pub struct SavedBundle {
    /// `c1_validatord`.
    pub id: String,
    /// Component name.
    pub component: String,
    /// What the guard said.
    pub guard: Guard,
    /// The diff.
    pub diff: Vec<u8>,
}

impl RunDir {
    /// The panel and the gate's policy of a record that was read from this run.
    pub fn judged(&self, record: &RunRecord) -> Result<(Panel, Policy), StoreError> {
        let path = self.review.join("run.json");
        let in_words = damaged(&path);
        Ok((record.panel().map_err(&in_words)?, record.policy().map_err(&in_words)?))
    }

    /// `run.json`.
    pub fn record(&self) -> Result<RunRecord, StoreError> {
        read_json(&self.review.join("run.json"))
    }

    /// What of the run is not as it was when it was reviewed, in words; that nobody tampered with all of it alike cannot be told so.
    pub fn altered(&self, record: &RunRecord) -> Result<Vec<String>, StoreError> {
        if !self.has_bundles() {
            return Ok(vec!["its bundles are gone".to_owned()]);
        }
        let manifest: Manifest = read_json(&self.bundles.join("manifest.json"))?;
        let mut altered = Vec::new();
        if manifest.range != record.range {
            altered.push("its bundles are of another range".to_owned());
        }
        for bundle in &manifest.bundles {
            let diff = std::fs::read(self.diff_path(bundle)).unwrap_or_default();
            if digest::sha256(&[&diff]) != bundle.sha256 {
                altered.push(format!("bundle {} is not what was reviewed", bundle.id));
            }
        }
        if record.finished_at.is_some() {
            altered.extend(self.lost(record, &manifest)?);
        }
        Ok(altered)
    }

    /// What a finished run must hold and does not, in words: outcomes, replies, bundles. One that was cut short need not have asked
    /// everything.
    fn lost(&self, record: &RunRecord, manifest: &Manifest) -> Result<Vec<String>, StoreError> {
        let (panel, _) = self.judged(record)?;
        let routes = record.info().routes;
        let outcomes = self.load_outcomes()?;
        let ended: BTreeSet<_> =
            outcomes.iter().map(|one| (one.bundle.as_str(), one.reviewer.as_str())).collect();
        let bundles: BTreeSet<&str> = manifest.bundles.iter().map(|bundle| bundle.id.as_str()).collect();
        let asked = bundles
            .iter()
            .flat_map(|bundle| panel.reviewers.iter().map(move |seat| (*bundle, seat.id.as_str())));
        let mut lost: Vec<String> = asked
            .filter(|(bundle, reviewer)| record.cut_short.is_none() && routes.asks(bundle, reviewer))
            .filter(|task| !ended.contains(task))
            .map(|(bundle, reviewer)| {
                format!("what {reviewer} answered about bundle {bundle} is not on record")
            })
            .collect();
        for outcome in &outcomes {
            let Outcome { bundle, reviewer, .. } = outcome;
            if !bundles.contains(bundle.as_str()) {
                lost.push(format!("bundle {bundle} was reviewed and is gone"));
            }
            if outcome.state == State::Answered && !self.has_reply(outcome) {
                lost.push(format!("the reply of {reviewer} about bundle {bundle} is gone"));
            }
        }
        Ok(lost)
    }

    fn has_reply(&self, outcome: &Outcome) -> bool {
        let path = self.reply_path(file_name(&outcome.bundle), &outcome.reviewer);
        std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() > 0)
    }

    /// Reads the run.
    pub fn load(&self) -> Result<Saved, StoreError> {
        let record = self.record()?;
        let (bundles, excluded) = self.load_bundles()?;
        let replies = self.load_outcomes()?.into_iter().map(|outcome| self.load_reply(outcome));
        Ok(Saved {
            record,
            bundles,
            excluded,
            replies: replies.collect::<Result<_, _>>()?,
            judgements: self.load_judgements()?,
        })
    }

    /// Whether it is still known what was reviewed. Without that replies can be read, but their places not be checked.
    pub fn has_bundles(&self) -> bool {
        self.bundles.join("manifest.json").is_file()
    }

    fn load_bundles(&self) -> Result<(Vec<SavedBundle>, Vec<Excluded>), StoreError> {
        if !self.has_bundles() {
            return Ok((Vec::new(), Vec::new()));
        }
        let path = self.bundles.join("manifest.json");
        let manifest: Manifest = read_json(&path)?;
        let bundles = manifest.bundles.iter().map(|bundle| {
            Ok(SavedBundle {
                id: bundle.id.clone(),
                component: bundle.component.clone(),
                guard: bundle.guard().map_err(damaged(&path))?,
                diff: self.load_diff(bundle)?,
            })
        });
        let excluded = manifest.excluded.iter().map(|entry| entry.excluded().map_err(damaged(&path)));
        Ok((bundles.collect::<Result<_, _>>()?, excluded.collect::<Result<_, _>>()?))
    }

    fn diff_path(&self, bundle: &BundleRecord) -> PathBuf {
        self.bundles.join(format!("{}.diff", file_name(&bundle.id)))
    }

    /// A text of nothing is no diff, but would read as a bundle without files.
    fn load_diff(&self, bundle: &BundleRecord) -> Result<Vec<u8>, StoreError> {
        let path = self.diff_path(bundle);
        let diff = read(&path)?;
        if diff.is_empty() && bundle.bytes > 0 {
            let reason = format!("it is empty and had {} bytes", bundle.bytes);
            return Err(StoreError::Damaged { path, reason });
        }
        Ok(diff)
    }

    /// What the run has spent so far: on every question ever put, also those that were put again.
    pub fn spent(&self) -> Result<Spent, StoreError> {
        let (outcomes, judgements) = (self.outcome_lines()?, self.judgement_lines()?);
        let judged = judgements.iter().filter_map(|one| Some(&one.hearing()?.outcome));
        let asked = outcomes.iter().chain(judged).filter(|outcome| !outcome.cached);
        Ok(asked.fold(Spent::default(), |sum, outcome| sum.and(outcome.counted())))
    }

    /// Later lines win: a resumed run appends new outcomes for the tasks it asked again.
    fn load_outcomes(&self) -> Result<Vec<Outcome>, StoreError> {
        let by_task = |outcome: Outcome| ((outcome.bundle.clone(), outcome.reviewer.clone()), outcome);
        let last: BTreeMap<_, _> = self.outcome_lines()?.into_iter().map(by_task).collect();
        Ok(last.into_values().collect())
    }

    fn outcome_lines(&self) -> Result<Vec<Outcome>, StoreError> {
        let path = self.review.join("outcomes.jsonl");
        let mut outcomes = Vec::new();
        for line in lines(&path)? {
            // A line torn by a full disk is a task whose outcome is not known: the tally shows it as never asked.
            // What was written after it stands in the same line. A record is flat, so the last brace begins it.
            let line = line.rfind("{\"").map_or(line.as_str(), |at| &line[at..]);
            let Ok(record) = serde_json::from_str::<OutcomeRecord>(line) else { continue };
            outcomes.push(record.outcome().map_err(damaged(&path))?);
        }
        Ok(outcomes)
    }

    fn load_reply(&self, outcome: Outcome) -> Result<TaskReply, StoreError> {
        let path = self.reply_path(file_name(&outcome.bundle), &outcome.reviewer);
        let text = if path.is_file() { Some(read(&path)?) } else { None };
        Ok(TaskReply { outcome, text: text.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()) })
    }
}

/// A name from a file of the run, which must not lead out of its folder.
fn file_name(name: &str) -> &str {
    name.rsplit(['/', '\\']).next().unwrap_or(name)
}

pub(super) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, StoreError> {
    parse(path, &read(path)?)
}

fn parse<T: DeserializeOwned>(path: &Path, bytes: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(bytes)
        .map_err(|error| StoreError::Damaged { path: path.to_owned(), reason: error.to_string() })
}
