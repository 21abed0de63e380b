//! Human decisions on disk: `dispositions.jsonl` in the folder of all reviews, a line a decision, only ever appended.
//!
//! A line that does not read costs no other, and is told: a merge may leave its marks in the file.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{
    RunDir, Store, StoreError, append_line, create_folder, lines,
    record::{RecordError, by_word},
    to_json,
};
use crate::{
    disposition::{Decision, Disposition, Finder},
    finding::Severity,
    reviewer::{Lineage, ReviewerId},
};

const FILE: &str = "dispositions.jsonl";
const SCHEMA: &str = "scrum.disposition/1";

/// All decisions of a folder of reviews.
#[derive(Debug, Default)]
pub struct Decisions {
    /// In the order they were written.
    pub dispositions: Vec<Disposition>,
    /// Lines that are none, in words.
    pub unusable: Vec<String>,
}

impl Store {
    /// The decisions about the runs of this store.
    pub fn decisions(&self) -> Result<Decisions, StoreError> {
        load(&self.reviews.join(FILE))
    }
}

impl RunDir {
    /// The decisions about this run and those beside it.
    pub fn decisions(&self) -> Result<Decisions, StoreError> {
        load(&self.decisions_file())
    }

    /// The file that holds them, whether or not it exists.
    pub fn decisions_file(&self) -> PathBuf {
        self.review.parent().unwrap_or(&self.review).join(FILE)
    }

    /// Writes decisions down, and says where.
    pub fn append_decisions(&self, dispositions: &[Disposition]) -> Result<PathBuf, StoreError> {
        let path = self.decisions_file();
        if let Some(folder) = path.parent() {
            create_folder(folder)?;
        }
        for one in dispositions {
            append_line(&path, &to_json(&path, &Line::from(one))?)?;
        }
        Ok(path)
    }
}

impl Decisions {
    /// The decisions in the lines of a file, which is named for those that are none.
    pub fn read<'a>(lines: impl IntoIterator<Item = &'a str>, path: &Path) -> Self {
        let mut decisions = Self::default();
        for (at, line) in lines.into_iter().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            match parse(line) {
                Ok(one) => decisions.dispositions.push(one),
                Err(reason) => {
                    decisions.unusable.push(format!("{} line {}: {reason}", path.display(), at + 1));
                }
            }
        }
        decisions
    }
}

fn load(path: &Path) -> Result<Decisions, StoreError> {
    Ok(Decisions::read(lines(path)?.iter().map(String::as_str), path))
}

fn parse(line: &str) -> Result<Disposition, String> {
    let line: Line = serde_json::from_str(line).map_err(|error| error.to_string())?;
    if line.schema != SCHEMA {
        return Err(format!("schema {:?} is not known", line.schema));
    }
    line.disposition().map_err(|error| error.to_string())
}

/// One line of the file.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Line {
    schema: String,
    issue: String,
    decision: String,
    why: String,
    by: String,
    /// RFC 3339, UTC.
    at: jiff::Timestamp,
    run: String,
    path: String,
    severity: String,
    what: String,
    found_by: Vec<FinderLine>,
    /// Whether one lineage alone found it; for readers, it follows from `found_by`.
    sole: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct FinderLine {
    reviewer: String,
    lineage: String,
}

impl From<&Disposition> for Line {
    fn from(one: &Disposition) -> Self {
        let finder = |finder: &Finder| FinderLine {
            reviewer: finder.reviewer.to_string(),
            lineage: finder.lineage.to_string(),
        };
        let first = one.found_by.first().map(|finder| &finder.lineage);
        Self {
            schema: SCHEMA.to_owned(),
            issue: one.issue.clone(),
            decision: one.decision.word().to_owned(),
            why: one.why.clone(),
            by: one.by.clone(),
            at: one.at,
            run: one.run.clone(),
            path: one.path.clone(),
            severity: one.severity.word().to_owned(),
            what: one.what.clone(),
            found_by: one.found_by.iter().map(finder).collect(),
            sole: first.is_some() && one.found_by.iter().all(|finder| Some(&finder.lineage) == first),
        }
    }
}

impl Line {
    pub(super) fn disposition(self) -> Result<Disposition, RecordError> {
        let severities = [Severity::Info, Severity::Warn, Severity::Block];
        let finder = |line: FinderLine| {
            Ok(Finder { reviewer: ReviewerId::new(&line.reviewer)?, lineage: Lineage::new(&line.lineage) })
        };
        Ok(Disposition {
            at: self.at,
            issue: self.issue,
            decision: by_word("decision", &self.decision, &Decision::ALL, Decision::word)?,
            why: self.why,
            by: self.by,
            run: self.run,
            path: self.path,
            severity: by_word("severity", &self.severity, &severities, Severity::word)?,
            what: self.what,
            found_by: self.found_by.into_iter().map(finder).collect::<Result<_, RecordError>>()?,
        })
    }
}
