//! The issue × lineage matrix: [`Matrix`], who saw what, how severe, and who said otherwise on being asked.
//!
//! Its rows are the issues in the tally's order; what a row needs to be filtered by stands at its issue.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{
    names::Names,
    prose::{self, Part},
};
use crate::{
    coverage::State,
    finding::Severity,
    judgement::Examination,
    report::{foreign, judged, summary, words},
    reviewer::{Lineage, ReviewerId},
    tally::{Issue, Member, Tally},
};

/// Characters of a claim that are shown.
const CLAIM_SHOWN: usize = 120;

/// The matrix.
#[derive(Serialize)]
pub(super) struct Matrix {
    lineages: Vec<Column>,
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Column {
    name: String,
    /// What to know of a lineage that found nothing: that it was not heard.
    remark: &'static str,
    /// Reviewers of the lineage on the panel.
    seats: usize,
}

#[derive(Serialize)]
struct Row {
    id: String,
    short: String,
    severity: &'static str,
    place: String,
    what: Vec<Part>,
    agreement: &'static str,
    agreed: String,
    dismissed: bool,
    cells: Vec<Cell>,
}

/// What one lineage has to do with an issue.
#[derive(Serialize)]
struct Cell {
    /// The worst it called it; `None` where it did not report it.
    severity: Option<&'static str>,
    /// Whether it read what the issue is in.
    read: bool,
    found: usize,
    names: String,
    said: Vec<Answer>,
}

/// What a reviewer answered when it was asked about somebody else's finding.
#[derive(Serialize)]
struct Answer {
    word: String,
    who: String,
}

impl Matrix {
    pub(super) fn of(tally: &Tally, names: &Names<'_>) -> Self {
        let heard = summary::heard(tally);
        let seats =
            |lineage: &Lineage| tally.panel.reviewers.iter().filter(|seat| seat.lineage == *lineage).count();
        let column = |lineage: &&Lineage| Column {
            name: foreign::one_line(lineage.as_str()),
            remark: match (heard.contains(*lineage), seats(lineage)) {
                (true, _) => "",
                (false, 0) => "asked about claims only",
                (false, _) => "not heard",
            },
            seats: seats(lineage),
        };
        let readers = readers(tally);
        let row = |issue| row(issue, names, &readers, heard.len());
        Self {
            lineages: names.lineages.iter().map(column).collect(),
            rows: summary::counted(tally).map(row).collect(),
        }
    }
}

/// The lineages that gave a whole answer about each bundle.
fn readers(tally: &Tally) -> BTreeMap<&str, BTreeSet<&Lineage>> {
    let lineages: BTreeMap<&ReviewerId, &Lineage> =
        tally.panel.reviewers.iter().map(|seat| (&seat.id, &seat.lineage)).collect();
    let mut readers: BTreeMap<&str, BTreeSet<&Lineage>> = BTreeMap::new();
    for task in tally.coverage.iter().filter(|task| task.outcome.state == State::Answered) {
        let lineage = lineages.get(&task.outcome.reviewer);
        readers.entry(&task.outcome.bundle).or_default().extend(lineage);
    }
    readers
}

fn row(issue: &Issue, names: &Names<'_>, readers: &BTreeMap<&str, BTreeSet<&Lineage>>, heard: usize) -> Row {
    let what = issue.spokesman().map_or("", |member| &member.anchored.finding.what);
    let bundles: BTreeSet<&str> = summary::standing(issue).map(|member| member.bundle.as_str()).collect();
    let read = |lineage| {
        bundles.iter().any(|bundle| readers.get(bundle).is_some_and(|lineages| lineages.contains(lineage)))
    };
    Row {
        id: issue.id.clone(),
        short: names.directory.short_id(issue).to_owned(),
        severity: issue.severity.word(),
        place: summary::place(issue),
        what: prose::parts(&words::in_brief(what, CLAIM_SHOWN)),
        agreement: issue.agreement.word(),
        agreed: summary::agreement(issue, heard),
        dismissed: issue.dismissed().is_some(),
        cells: names.lineages.iter().map(|lineage| cell(issue, lineage, read(*lineage))).collect(),
    }
}

fn cell(issue: &Issue, lineage: &Lineage, read: bool) -> Cell {
    let own: Vec<&Member> = summary::standing(issue).filter(|member| member.lineage == *lineage).collect();
    let worst = own.iter().map(|member| member.anchored.finding.severity).max();
    let reviewers: BTreeSet<&str> = own.iter().map(|member| member.reviewer.as_str()).collect();
    let names: Vec<String> = reviewers.iter().map(|name| foreign::one_line(name)).collect();
    let asked = issue.examinations.iter().filter(|one| one.hearing.by.lineage == *lineage);
    let answer = |one: &Examination| Answer {
        word: judged::said(&one.hearing, one.answer.word()).word.to_lowercase(),
        who: foreign::one_line(one.hearing.by.id.as_str()),
    };
    Cell {
        severity: worst.map(Severity::word),
        read,
        found: reviewers.len(),
        names: words::list_up_to(&names, 8),
        said: asked.map(answer).collect(),
    }
}
