//! Labelled changes on disk: [`labelled_cases`] reads folders with an `expected.json`.
//!
//! The replies beside it are read as any others, by [`loose_replies`](super::loose_replies) or as a run. What labels mean is
//! `eval`'s concern; the format's page is `docs/design/evaluation.md`.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Component, Path, PathBuf},
};

use serde::Deserialize;

use super::{StoreError, load::read_json};
use crate::{
    eval::labels::{Label, Labels, Ruling, TrueIssue},
    finding::LineRange,
    reviewer::{Lineage, ReviewerId},
};

const FILE: &str = "expected.json";

/// A folder with labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelledCase {
    /// The folder's name.
    pub name: String,
    /// The folder.
    pub folder: PathBuf,
    /// What people know.
    pub labels: Labels,
    /// Lineages of reviewers whose name is no model's.
    pub lineages: BTreeMap<ReviewerId, Lineage>,
    /// The change itself, when it can be put to a panel.
    pub change: Option<ChangeAt>,
}

/// Where a change can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeAt {
    /// Commits of a repository.
    Range {
        /// The repository's folder.
        repo: PathBuf,
        /// As `scrum review` takes it.
        range: String,
    },
    /// A diff file.
    Diff(PathBuf),
}

/// The cases in `folder`: itself, or those of its folders that have labels, by name.
pub fn labelled_cases(folder: &Path) -> Result<Vec<LabelledCase>, StoreError> {
    if folder.join(FILE).is_file() {
        return Ok(vec![case(folder)?]);
    }
    let entries =
        std::fs::read_dir(folder).map_err(|source| StoreError::Read { path: folder.to_owned(), source })?;
    let mut folders: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    folders.retain(|path| path.join(FILE).is_file());
    folders.sort_unstable();
    folders.iter().map(|path| case(path)).collect()
}

/// `expected.json` as it is written. Keys that are not named here are its author's own and are left alone.
#[derive(Debug, Deserialize)]
struct Document {
    #[serde(default)]
    findings: Vec<FindingEntry>,
    issues: Option<Vec<IssueEntry>>,
    #[serde(default)]
    lineages: BTreeMap<String, String>,
    repo: Option<PathBuf>,
    range: Option<String>,
    base: Option<String>,
    head: Option<String>,
    diff: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
struct FindingEntry {
    #[serde(alias = "lineage")]
    reviewer: String,
    path: String,
    from: Option<u32>,
    to: Option<u32>,
    text: Option<String>,
    valid: Option<Flag>,
    matches: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
struct IssueEntry {
    id: String,
    path: Option<String>,
    from: Option<u32>,
    to: Option<u32>,
    text: String,
}

/// A truth value, also as 0 or 1.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(untagged)]
enum Flag {
    Word(bool),
    Number(u8),
}

fn case(folder: &Path) -> Result<LabelledCase, StoreError> {
    let path = folder.join(FILE);
    let document: Document = read_json(&path)?;
    let damaged = |reason| StoreError::Damaged { path: path.clone(), reason };
    Ok(LabelledCase {
        name: folder.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        folder: folder.to_owned(),
        change: change(folder, &document).map_err(damaged)?,
        lineages: lineages(&document.lineages).map_err(damaged)?,
        labels: labels(document).map_err(damaged)?,
    })
}

fn lineages(entries: &BTreeMap<String, String>) -> Result<BTreeMap<ReviewerId, Lineage>, String> {
    let lineage = |(reviewer, lineage): (&String, &String)| {
        let reviewer = ReviewerId::new(reviewer).map_err(|error| error.to_string())?;
        Ok((reviewer, Lineage::new(lineage)))
    };
    entries.iter().map(lineage).collect()
}

/// A diff stands beside its labels, so that foreign labels cannot name another file to be sent away.
fn change(folder: &Path, document: &Document) -> Result<Option<ChangeAt>, String> {
    let ends = || Some(format!("{}..{}", document.base.as_ref()?, document.head.as_ref()?));
    match (&document.diff, &document.repo, document.range.clone().or_else(ends)) {
        (Some(diff), _, _) if !is_file_name(diff) => {
            Err(format!("`diff` is {}, which is no file name", diff.display()))
        }
        (Some(diff), _, _) if folder.join(diff).is_symlink() => {
            Err(format!("`diff` is {}, which leads elsewhere", diff.display()))
        }
        (Some(diff), _, _) => Ok(Some(ChangeAt::Diff(folder.join(diff)))),
        (None, Some(repo), Some(range)) => Ok(Some(ChangeAt::Range { repo: folder.join(repo), range })),
        (None, Some(_), None) => Err("`repo` without `range`, or `base` and `head`".to_owned()),
        (None, None, _) => Ok(None),
    }
}

fn is_file_name(path: &Path) -> bool {
    let mut parts = path.components();
    matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None))
}

fn labels(document: Document) -> Result<Labels, String> {
    let issue = |entry: IssueEntry| TrueIssue {
        id: entry.id,
        path: entry.path,
        lines: lines(entry.from, entry.to),
        text: entry.text,
    };
    let issues: Option<Vec<TrueIssue>> =
        document.issues.map(|entries| entries.into_iter().map(issue).collect());
    let mut ids = BTreeSet::new();
    if let Some(twice) = issues.iter().flatten().find(|issue| !ids.insert(issue.id.as_str())) {
        return Err(format!("two issues have the id {:?}", twice.id));
    }
    let findings = document.findings.into_iter().enumerate();
    let findings = findings
        .map(|(at, entry)| label(entry, &ids).map_err(|reason| format!("finding {} {reason}", at + 1)));
    let findings = findings.collect::<Result<_, _>>()?;
    Ok(Labels { issues, findings })
}

fn lines(from: Option<u32>, to: Option<u32>) -> Option<LineRange> {
    let from = from.or(to)?;
    Some(LineRange::new(from, to.unwrap_or(from)))
}

fn label(entry: FindingEntry, ids: &BTreeSet<&str>) -> Result<Label, String> {
    let ruling = match (entry.matches, entry.valid) {
        (Some(matches), _) if matches.is_empty() => Ruling::Invalid,
        (Some(matches), _) => {
            if let Some(unknown) = matches.iter().find(|id| !ids.contains(id.as_str())) {
                return Err(format!("matches {unknown:?}, which is no issue of this file"));
            }
            Ruling::Matches(matches)
        }
        (None, Some(Flag::Word(true) | Flag::Number(1))) => Ruling::Valid,
        (None, Some(Flag::Word(false) | Flag::Number(0))) => Ruling::Invalid,
        (None, Some(Flag::Number(number))) => return Err(format!("has `valid` {number}, not 0 or 1")),
        (None, None) => return Err("has neither `valid` nor `matches`".to_owned()),
    };
    Ok(Label {
        reviewer: ReviewerId::new(&entry.reviewer).map_err(|error| format!("is by nobody: {error}"))?,
        path: entry.path,
        lines: lines(entry.from, entry.to),
        text: entry.text,
        ruling,
    })
}
