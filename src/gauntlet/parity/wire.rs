//! The JSON form of a parity report: schema `scrum.parity/1`, published in `schema/parity.schema.json`.

use schemars::{JsonSchema, Schema, schema_for};
use serde::Serialize;

use super::{
    report::{Cause, Report, Standing},
    verdict::{Compared, Side},
};

/// What a parity spec came to.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "scrum.parity/1")]
struct Document<'a> {
    /// Always `scrum.parity/1`.
    schema: SchemaWord,
    /// The spec's name.
    name: &'a str,
    /// When it began, RFC 3339 in UTC.
    date: &'a str,
    /// What all of it comes to.
    result: ResultWord,
    /// Who was asked; others are compared with the first.
    sides: Vec<SideEntry<'a>>,
    /// What does not count, in words, a part each.
    rule: &'a [String],
    /// How often each side was asked each case.
    repeat: usize,
    /// How many cases came to what.
    totals: Totals,
    /// Divergences by cause, most cases first.
    causes: Vec<CauseEntry<'a>>,
    /// What is worth knowing and no divergence, grouped likewise.
    remarks: Vec<CauseEntry<'a>>,
    /// Every case, in the order of the spec.
    cases: Vec<CaseEntry<'a>>,
    /// What is to be said about the register of gaps.
    notes: &'a [String],
}

#[derive(Debug, Serialize, JsonSchema)]
enum SchemaWord {
    #[serde(rename = "scrum.parity/1")]
    V1,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum ResultWord {
    Matched,
    Diverged,
    Inconclusive,
}

#[derive(Debug, Serialize, JsonSchema)]
struct SideEntry<'a> {
    /// Its name.
    name: &'a str,
    /// Where it was asked.
    address: &'a str,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Totals {
    /// Same status, same content.
    r#match: usize,
    /// Different.
    diff: usize,
    /// Of those, accepted.
    known_gap: usize,
    /// All sides failed the same way or said nothing.
    empty: usize,
    /// A side gave no answer.
    error: usize,
    /// A side contradicts itself.
    unstable: usize,
    /// Not asked, because everything was stopped.
    unasked: usize,
}

#[derive(Debug, Serialize, JsonSchema)]
struct CauseEntry<'a> {
    /// The side that differs from the first.
    side: &'a str,
    /// `status`, `structure`, `missing`, `repeated`, `type`, `value`, `length`, `order`, `form`, `line-endings`, `final-newline`,
    /// `byte-order-mark`, `text` or `bytes`; of remarks `number-form` or `repeated-on-both`.
    shape: &'static str,
    /// JSON pointer to where, `*` for any element; empty where there is none.
    path: &'a str,
    /// In words.
    what: String,
    /// What it looks like in the first of the cases.
    example: &'a str,
    /// Names of the cases.
    cases: &'a [String],
}

#[derive(Debug, Serialize, JsonSchema)]
struct CaseEntry<'a> {
    /// Its name.
    name: &'a str,
    /// `match`, `diff`, `empty`, `error` or `unstable`.
    verdict: &'static str,
    /// Why, unless it matched or differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    /// Who accepted the divergence, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    known_gap: Option<&'a str>,
    /// How each side's answer ended, such as `HTTP 422` or `exit 1`; null where there was none.
    statuses: Vec<Option<String>>,
    /// Whether those are the same; null where one is missing.
    statuses_match: Option<bool>,
    /// Whether bodies and files are the same; null where one is missing.
    bodies_match: Option<bool>,
    /// What each side said, at most 64 KiB of each body; left out of a match.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    answers: &'a [String],
}

/// The report as a JSON document, with a final newline.
pub fn json(report: &Report) -> String {
    let document = Document {
        schema: SchemaWord::V1,
        name: &report.name,
        date: &report.date,
        result: match report.standing() {
            Standing::Matched => ResultWord::Matched,
            Standing::Diverged => ResultWord::Diverged,
            Standing::Inconclusive => ResultWord::Inconclusive,
        },
        sides: report
            .sides
            .iter()
            .map(|Side { name, address, writes: _ }| SideEntry { name, address })
            .collect(),
        rule: &report.rule,
        repeat: report.repeat,
        totals: totals(report),
        causes: report.causes.iter().map(|one| cause(one, report)).collect(),
        remarks: report.remarks.iter().map(|one| cause(one, report)).collect(),
        cases: report.cases.iter().map(|one| case(one, report)).collect(),
        notes: &report.notes,
    };
    format!("{:#}\n", serde_json::json!(document))
}

/// The schema of what [`json`] writes.
pub fn schema() -> Schema {
    schema_for!(Document<'_>)
}

fn totals(report: &Report) -> Totals {
    use super::Verdict::{Diff, Empty, Error, Match, Unstable};
    Totals {
        r#match: report.count(Match),
        diff: report.count(Diff),
        known_gap: report.cases.iter().filter(|case| report.is_accepted(case)).count(),
        empty: report.count(Empty),
        error: report.count(Error),
        unstable: report.count(Unstable),
        unasked: report.unasked,
    }
}

fn cause<'a>(cause: &'a Cause, report: &'a Report) -> CauseEntry<'a> {
    let (left, right) = (&report.sides[0].name, &report.sides[cause.side].name);
    CauseEntry {
        side: right,
        shape: cause.shape.kind.word(),
        path: &cause.shape.path,
        what: cause.shape.words(left, right),
        example: &cause.example,
        cases: &cause.cases,
    }
}

fn case<'a>(case: &'a Compared, report: &'a Report) -> CaseEntry<'a> {
    let known_gap = report.is_accepted(case).then(|| report.accepted.get(&case.name)).flatten();
    CaseEntry {
        name: &case.name,
        verdict: case.verdict.word(),
        reason: case.reason.as_deref(),
        known_gap: known_gap.map(String::as_str),
        statuses: case.statuses.iter().map(|status| status.map(|status| status.to_string())).collect(),
        statuses_match: case.statuses_match(),
        bodies_match: case.bodies_match,
        answers: &case.shown,
    }
}
