//! The end of the document: [`ledger`], a line a bundle, and [`footer`], how to have it again.

use std::{collections::HashMap, fmt::Write as _};

use super::{
    escape,
    fold::{Entry, Section, Weight},
};
use crate::{
    coverage::State,
    report::{coverage, summary},
    reviewer::{ReviewerId, Seat},
    tally::{
        Coverage, Tally,
        since::{Scope, short},
    },
};

/// Bundle × reviewer as a table; left out when nobody was asked.
pub(super) fn ledger(tally: &Tally) -> Section {
    if tally.coverage.is_empty() {
        return Section::fixed(String::new());
    }
    let mut out = String::from("### Coverage\n\n| bundle | convergent | distinct |");
    let reviewers = &tally.panel.reviewers;
    for reviewer in reviewers {
        let _ = write!(out, " {} |", escape::cell(reviewer.id.as_str()));
    }
    let _ = write!(out, "\n|---|---:|---:|{}\n", "---|".repeat(reviewers.len()));
    let found = summary::by_bundle(tally);
    // Of several records of one task the first stands.
    let tasks: HashMap<_, _> = tally.coverage.iter().rev().map(|task| (task_of(task), task)).collect();
    let row = |(bundle, head): (&str, String)| {
        let figures = found
            .get(bundle)
            .map_or("– | –".to_owned(), |found| format!("{} | {}", found.convergent, found.distinct));
        let cell = |seat: &Seat| format!(" {} |", task_cell(tasks.get(&(bundle, &seat.id)).copied()));
        let cells: String = reviewers.iter().map(cell).collect();
        Entry::line(format!("| {} | {figures} |{cells}\n", escape::cell(&head)))
    };
    let entries = summary::bundle_heads(tally).into_iter().map(row).collect();
    let out = out + &spent_row(tally);
    Section {
        weight: Weight::Bundle,
        before: out,
        entries,
        between: "",
        after: String::new(),
        noun: "bundle",
    }
}

/// What each reviewer took.
fn spent_row(tally: &Tally) -> String {
    let spent = coverage::spent_by_reviewer(tally);
    if spent.is_empty() {
        return String::new();
    }
    let cell = |seat: &Seat| format!(" {} |", spent.get(&seat.id).map_or("–", String::as_str));
    format!("| spent | | |{}\n", tally.panel.reviewers.iter().map(cell).collect::<String>())
}

fn task_of(task: &Coverage) -> (&str, &ReviewerId) {
    (&task.outcome.bundle, &task.outcome.reviewer)
}

/// The verdict where there is an answer, else what became of the task.
fn task_cell(task: Option<&Coverage>) -> String {
    match task {
        None => "not asked".to_owned(),
        Some(task) if task.outcome.state == State::Answered => {
            task.verdict.map_or("answered", |verdict| verdict.word()).to_owned()
        }
        Some(task) if task.outcome.state == State::NotRouted => "not asked".to_owned(),
        Some(task) => format!("**{}**", coverage::state_word(task.outcome.state)),
    }
}

/// How to have it all again.
pub(super) fn footer(tally: &Tally) -> String {
    let range = &tally.range;
    let again = match (&range.base, &range.head) {
        (Some(base), Some(head)) => format!("scrum review {base}..{head}"),
        _ if tally.run.id.is_empty() => String::new(),
        _ => format!("scrum report {}", tally.run.id),
    };
    let parts = [("run ", &tally.run.id), ("scrum ", &tally.run.tool_version), ("again: ", &again)];
    let told = parts.iter().filter(|(_, text)| !text.is_empty());
    let told = told.map(|(label, text)| format!("{label}{}", escape::code(text)));
    let told: Vec<String> = reviewed(tally).into_iter().chain(told).collect();
    format!("<sub>{}</sub>\n", told.join(" · "))
}

/// What was reviewed, names and commits as code.
fn reviewed(tally: &Tally) -> Option<String> {
    let spec = &tally.range.spec;
    let after = tally.since.as_ref().filter(|since| since.scope == Scope::Incremental);
    if let Some((since, last)) = after.and_then(|since| Some((since, since.last.as_ref()?))) {
        let (pull, head) = (since.pull.address.to_string(), short(&last.head));
        return Some(format!("{} after {}", escape::code(&pull), escape::code(head)));
    }
    (!spec.is_empty()).then(|| escape::code(spec))
}

/// How to see all of a saved run, as a code span.
pub(super) fn reprint(tally: &Tally) -> String {
    escape::code(&format!("scrum report {} --format markdown", tally.run.id))
}
