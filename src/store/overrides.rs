//! Overrides of the gate on disk: `overrides.jsonl` in the folder of the run that they are about, a line each, only ever appended.
//!
//! A line that does not read costs no other, and is told.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{
    RunDir, StoreError, append_line, lines,
    record::{RecordError, by_word},
    to_json,
};
use crate::tally::gate::{GateResult, Override};

const FILE: &str = "overrides.jsonl";
const SCHEMA: &str = "scrum.override/1";

/// What stands in a run's file of overrides.
#[derive(Debug, Default)]
pub struct Overrides {
    /// In the order they were written.
    pub overrides: Vec<Override>,
    /// Lines that are none, in words.
    pub unusable: Vec<String>,
}

impl RunDir {
    /// The file that holds the run's overrides, whether or not it exists.
    pub fn overrides_file(&self) -> PathBuf {
        self.review.join(FILE)
    }

    /// The overrides of the run.
    pub fn overrides(&self) -> Result<Overrides, StoreError> {
        let path = self.overrides_file();
        Ok(Overrides::read(lines(&path)?.iter().map(String::as_str), &path))
    }

    /// Writes an override down.
    pub fn append_override(&self, one: &Override) -> Result<(), StoreError> {
        let path = self.overrides_file();
        append_line(&path, &to_json(&path, &Line::from(one))?)
    }
}

impl Overrides {
    /// The overrides in the lines of a file, which is named for those that are none.
    pub fn read<'a>(lines: impl IntoIterator<Item = &'a str>, path: &Path) -> Self {
        let mut found = Self::default();
        for (at, line) in lines.into_iter().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            match parse(line) {
                Ok(one) => found.overrides.push(one),
                Err(reason) => found.unusable.push(format!("{} line {}: {reason}", path.display(), at + 1)),
            }
        }
        found
    }
}

fn parse(line: &str) -> Result<Override, String> {
    let line: Line = serde_json::from_str(line).map_err(|error| error.to_string())?;
    if line.schema != SCHEMA {
        return Err(format!("schema {:?} is not known", line.schema));
    }
    if line.why.trim().is_empty() {
        return Err("it says no reason".to_owned());
    }
    line.overruled().map_err(|error| error.to_string())
}

/// One line of the file.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    schema: String,
    run: String,
    base: Option<String>,
    head: Option<String>,
    policy: String,
    result: String,
    reasons: Vec<String>,
    /// Which issues failed. A line without them is about no answer that could be told apart.
    issues: Option<Vec<String>>,
    why: String,
    by: String,
    /// RFC 3339, UTC.
    at: jiff::Timestamp,
}

impl From<&Override> for Line {
    fn from(one: &Override) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            run: one.run.clone(),
            base: one.base.clone(),
            head: one.head.clone(),
            policy: one.policy.clone(),
            result: one.result.word().to_owned(),
            reasons: one.reasons.clone(),
            issues: one.issues.clone(),
            why: one.why.clone(),
            by: one.by.clone(),
            at: one.at,
        }
    }
}

impl Line {
    fn overruled(self) -> Result<Override, RecordError> {
        Ok(Override {
            result: by_word("result", &self.result, &GateResult::ALL, GateResult::word)?,
            at: self.at,
            by: self.by,
            why: self.why,
            run: self.run,
            base: self.base,
            head: self.head,
            policy: self.policy,
            reasons: self.reasons,
            issues: self.issues,
        })
    }
}
