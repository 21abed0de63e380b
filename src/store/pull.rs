//! `pull.json` of a run about a pull request: which one, the last review of it, and what people decided in its conversation.
//!
//! With it the run's tally can be computed again without a network.

use serde::{Deserialize, Serialize};

use super::{
    RunDir, StoreError,
    decisions::Line,
    load::read_json,
    record::{RecordError, by_word},
    write_json,
};
use crate::{
    post::record::{BadRecord, Record},
    pull::{Address, Platform, Reviewed},
    tally::since::{Scope, Since},
};

const FILE: &str = "pull.json";
const SCHEMA: &str = "scrum.pull/1";

/// `pull.json`.
#[derive(Debug, Serialize, Deserialize)]
struct PullRecord {
    schema: String,
    platform: String,
    api: String,
    project: String,
    number: u64,
    base: String,
    target: String,
    head: String,
    /// `first`, `incremental` or `full`.
    scope: String,
    /// Why it is full.
    reason: Option<String>,
    /// Hash of what decides who is asked what.
    asked: String,
    last: Option<Record>,
    decisions: Vec<Line>,
    notes: Vec<String>,
}

/// A part of `pull.json` that this version does not know.
#[derive(Debug, thiserror::Error)]
enum BadPull {
    #[error(transparent)]
    Word(#[from] RecordError),
    #[error(transparent)]
    Last(#[from] BadRecord),
    #[error("schema {0:?} is not known")]
    Schema(String),
}

impl RunDir {
    /// Writes down which pull request the run is about, and what the last review of it left.
    pub fn write_since(&self, since: &Since) -> Result<(), StoreError> {
        write_json(&self.review.join(FILE), &PullRecord::from(since))
    }

    /// What was written so; `None` for a run that is about no pull request.
    pub fn since(&self) -> Result<Option<Since>, StoreError> {
        let path = self.review.join(FILE);
        if !path.is_file() {
            return Ok(None);
        }
        let damaged = |error: BadPull| StoreError::Damaged { path: path.clone(), reason: error.to_string() };
        read_json::<PullRecord>(&path)?.since().map(Some).map_err(damaged)
    }
}

impl From<&Since> for PullRecord {
    fn from(since: &Since) -> Self {
        let Reviewed { address, base, target, head } = since.pull.clone();
        let reason = match &since.scope {
            Scope::Full(reason) => Some(reason.clone()),
            Scope::First | Scope::Incremental => None,
        };
        Self {
            schema: SCHEMA.to_owned(),
            platform: address.platform.word().to_owned(),
            api: address.api,
            project: address.project,
            number: address.number,
            base,
            target,
            head,
            scope: since.scope.word().to_owned(),
            reason,
            asked: since.fingerprint.clone(),
            last: since.last.as_ref().map(Record::from),
            decisions: since.decisions.iter().map(Line::from).collect(),
            notes: since.notes.clone(),
        }
    }
}

impl PullRecord {
    fn since(self) -> Result<Since, BadPull> {
        if self.schema != SCHEMA {
            return Err(BadPull::Schema(self.schema));
        }
        let scopes = [Scope::First, Scope::Incremental, Scope::Full(self.reason.unwrap_or_default())];
        let unknown = || RecordError::Word { what: "scope", word: self.scope.clone() };
        let scope = scopes.into_iter().find(|scope| scope.word() == self.scope).ok_or_else(unknown)?;
        let platform = by_word("platform", &self.platform, &Platform::ALL, Platform::word)?;
        let address = Address { platform, api: self.api, project: self.project, number: self.number };
        Ok(Since {
            pull: Reviewed { address, base: self.base, target: self.target, head: self.head },
            scope,
            fingerprint: self.asked,
            last: self.last.map(Record::last).transpose()?,
            decisions: self.decisions.into_iter().map(Line::disposition).collect::<Result<_, _>>()?,
            notes: self.notes,
        })
    }
}
