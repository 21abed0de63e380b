//! Shows what reviewers have been worth: [`render`], [`render_markdown`] and [`render_json`] for `scrum stats`.

pub mod plot;

use std::fmt::Write as _;

use serde::Serialize;

use crate::{
    proportion::Proportion,
    report::{
        bars, foreign, json,
        layout::{self, Ink, NARROWEST},
        markdown::escape,
        wire, words,
    },
    tally::{
        spent::Spent,
        worth::{Figures, LineageWorth, Worth},
    },
};

/// What is not known.
const UNKNOWN: &str = "–";

/// What the scale of intervals is of.
const PRECISION: &str = "precision";

/// Columns of that scale.
const SHORTEST_SCALE: usize = 21;
const LONGEST_SCALE: usize = 61;

/// For a terminal `width` columns wide (at least 40 are used), with a final newline.
pub fn render(worth: &Worth, width: usize, color: bool) -> String {
    let (width, ink) = (width.max(NARROWEST), Ink { on: color });
    let mut parts = Vec::new();
    if !worth.lineages.is_empty() {
        parts.push(table(worth, &FOUND, width, ink));
        if worth.lineages.iter().any(|one| one.figures.spent.is_something()) {
            parts.push(table(worth, &SPENT, width, ink));
        }
        parts.extend(intervals(worth, width, ink));
    }
    let lines = closing(worth);
    parts.push(
        lines.iter().map(|line| layout::wrap_hanging(line, width, "", "  ").join("\n") + "\n").collect(),
    );
    parts.join("\n")
}

/// As Markdown, with a final newline.
pub fn render_markdown(worth: &Worth) -> String {
    let columns: Vec<&Column> = FOUND.iter().chain(&SPENT).collect();
    let heading: Vec<&str> = columns.iter().map(|column| column.heading).collect();
    let mut out = String::new();
    if !worth.lineages.is_empty() {
        let _ = writeln!(out, "| | {} |\n|---|{}", heading.join(" | "), "---:|".repeat(columns.len()));
        for (name, figures) in rows(worth, |lineage| format!("**{}**", escape::cell(lineage)), escape::cell) {
            let cells: Vec<String> = columns.iter().map(|column| (column.cell)(figures)).collect();
            let _ = writeln!(out, "| {name} | {} |", cells.join(" | "));
        }
        out.push('\n');
    }
    let lines: Vec<String> = closing(worth).iter().map(|line| escape::text(line) + "\n").collect();
    out + &lines.join("\n")
}

/// A figure of each row.
struct Column {
    heading: &'static str,
    cell: fn(&Figures) -> String,
}

const FOUND: [Column; 7] = [
    Column { heading: "issues", cell: |figures| number(figures.issues) },
    Column { heading: "decided", cell: |figures| number(figures.decided()) },
    Column { heading: "real", cell: |figures| number(figures.real) },
    Column { heading: "false", cell: |figures| number(figures.false_) },
    Column { heading: "wontfix", cell: |figures| number(figures.wontfix) },
    Column { heading: "precision", cell: |figures| words::share(figures.precision()) },
    Column { heading: "alone", cell: |figures| number(figures.alone) },
];

const SPENT: [Column; 5] = [
    Column { heading: "answers", cell: |figures| number(figures.spent.answers) },
    Column { heading: "tokens in", cell: |figures| tokens(figures.spent.tokens_in) },
    Column { heading: "tokens out", cell: |figures| tokens(figures.spent.tokens_out) },
    Column { heading: "cost", cell: |figures| cost(figures, figures.spent.cost_usd) },
    Column { heading: "per real issue", cell: |figures| cost(figures, figures.cost_per_real()) },
];

fn number(count: usize) -> String {
    words::grouped(count as u64)
}

fn tokens(count: Option<u64>) -> String {
    count.map_or(UNKNOWN.to_owned(), words::grouped)
}

/// A sum that lacks some prices is the least that it was.
fn cost(figures: &Figures, amount: Option<f64>) -> String {
    amount.map_or(UNKNOWN.to_owned(), |amount| format!("{}{}", least(&figures.spent), words::dollars(amount)))
}

fn least(spent: &Spent) -> &'static str {
    if spent.unpriced > 0 { "at least " } else { "" }
}

/// Every lineage, its reviewers behind it.
fn rows<'a>(
    worth: &'a Worth,
    lineage: impl Fn(&str) -> String,
    reviewer: impl Fn(&str) -> String,
) -> Vec<(String, &'a Figures)> {
    let group = |one: &'a LineageWorth| {
        let head = (lineage(one.lineage.as_str()), &one.figures);
        let own = one.reviewers.iter().map(|(finder, figures)| (reviewer(finder.reviewer.as_str()), figures));
        std::iter::once(head).chain(own).collect::<Vec<_>>()
    };
    worth.lineages.iter().flat_map(group).collect()
}

/// Lineages with their reviewers indented below; figures stand in line on the right, or in a row where there is no room.
fn table(worth: &Worth, columns: &[Column], width: usize, ink: Ink) -> String {
    let rows = rows(worth, foreign::one_line, |reviewer| format!("  {}", foreign::one_line(reviewer)));
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|(_, figures)| columns.iter().map(|column| (column.cell)(figures)).collect())
        .collect();
    let widths: Vec<usize> = columns
        .iter()
        .enumerate()
        .map(|(at, column)| {
            cells.iter().map(|row| layout::width_of(&row[at])).fold(column.heading.len(), usize::max)
        })
        .collect();
    let right = |text: &str, width: usize| " ".repeat(width.saturating_sub(layout::width_of(text))) + text;
    let heading: Vec<String> =
        columns.iter().zip(&widths).map(|(column, width)| right(column.heading, *width)).collect();
    let heading: Vec<&str> = std::iter::once("").chain(heading.iter().map(String::as_str)).collect();
    let lined = |((name, _), row): (&(String, &Figures), &Vec<String>)| {
        let figures = row.iter().zip(&widths).map(|(cell, width)| right(cell, *width));
        std::iter::once(name.clone()).chain(figures).collect()
    };
    let names = rows.iter().map(|(name, _)| layout::width_of(name)).max().unwrap_or(0);
    if names + widths.iter().map(|one| one + layout::GAP).sum::<usize>() > width {
        return rows.iter().zip(&cells).map(|((name, _), row)| in_a_row(name, columns, row, width)).collect();
    }
    layout::columns(&heading, rows.iter().zip(&cells).map(lined).collect(), ink)
}

/// `opus: issues 2, decided 1, …`.
fn in_a_row(name: &str, columns: &[Column], cells: &[String], width: usize) -> String {
    let figures = columns.iter().zip(cells).map(|(column, cell)| format!("{} {cell}", column.heading));
    let line = format!("{}: {}", name.trim_start(), figures.collect::<Vec<_>>().join(", "));
    let indent = &name[..name.len() - name.trim_start().len()];
    layout::wrap_hanging(&line, width, indent, "    ").join("\n") + "\n"
}

/// Precision with its interval on one scale, so that one sees who differs; `None` where fewer than two lineages can be compared, or where
/// there is no room. The reviewer of a lineage that has no other is left out.
fn intervals(worth: &Worth, width: usize, ink: Ink) -> Option<String> {
    let decided = |figures: &Figures| figures.precision().of > 0;
    let lineages: Vec<&LineageWorth> = worth.lineages.iter().filter(|one| decided(&one.figures)).collect();
    let rows: Vec<(String, Proportion)> = lineages
        .iter()
        .flat_map(|one| {
            let several = one.reviewers.len() > 1;
            let own = one.reviewers.iter().filter(move |(_, figures)| several && decided(figures));
            let own = own.map(|(finder, figures)| (format!("  {}", finder.reviewer), figures.precision()));
            std::iter::once((foreign::one_line(one.lineage.as_str()), one.figures.precision())).chain(own)
        })
        .collect();
    let names = rows.iter().map(|(name, _)| layout::width_of(name)).fold(PRECISION.len(), usize::max);
    let scale = width.saturating_sub(names + layout::GAP).min(LONGEST_SCALE);
    if lineages.len() < 2 || scale < SHORTEST_SCALE {
        return None;
    }
    let ends = format!("0 %{:^middle$}100 %", "50 %", middle = scale - "0 %100 %".len());
    let heading = ink.strong(&format!("{PRECISION:names$}  {ends}")) + "\n";
    let line = |(name, precision): &(String, Proportion)| {
        let pad = " ".repeat(names - layout::width_of(name));
        format!("{name}{pad}  {}\n", bars::interval(*precision, scale))
    };
    Some(heading + &rows.iter().map(line).collect::<String>())
}

/// What was counted and what the words above mean.
fn closing(worth: &Worth) -> Vec<String> {
    if worth.runs == 0 && worth.issues == 0 {
        return vec!["There are no runs yet: `scrum review` makes one.".to_owned()];
    }
    let (runs, issues) = (words::count(worth.runs, "run"), words::count(worth.issues, "issue"));
    let mut lines = vec![format!("{issues} in {runs}, each counted once; {} decided", number(worth.decided))];
    if worth.unplaced > 0 {
        let findings = words::count(worth.unplaced, "finding");
        lines.push(format!(
            "Not counted, as nothing tells them again in another run: {findings} without a place"
        ));
    }
    if worth.judging.answers > 0 {
        lines.push(judging(&worth.judging));
    }
    if worth.decided == 0 {
        lines.push("Decide with: scrum dispose RUN ISSUE real|false|wontfix".to_owned());
    } else {
        lines.push(
            "Precision: real of those decided real or false, with its 95 % interval (Wilson). Alone: real issues that \
             no other lineage, or no other reviewer, found."
                .to_owned(),
        );
    }
    lines
}

/// What questions about claims took; the adjudicator may not even be a reviewer.
fn judging(spent: &Spent) -> String {
    let questions = words::count(spent.answers, "question");
    let cost = spent.cost_usd.map_or_else(
        || "at a price that is not known".to_owned(),
        |amount| format!("for {}{}", least(spent), words::dollars(amount)),
    );
    format!("On top of that, {questions} about claims (adjudicator, --verify) answered {cost}")
}

/// The same as a document.
#[derive(Debug, Serialize)]
struct Document {
    schema: &'static str,
    runs: usize,
    issues: usize,
    decided: usize,
    /// Findings without a place, of all runs together.
    unplaced: usize,
    /// Answers to questions about claims.
    judging: wire::Spent,
    lineages: Vec<Entry>,
    reviewers: Vec<Entry>,
}

#[derive(Debug, Serialize)]
struct Entry {
    #[serde(skip_serializing_if = "Option::is_none")]
    reviewer: Option<String>,
    lineage: String,
    issues: usize,
    decided: usize,
    real: usize,
    #[serde(rename = "false")]
    false_: usize,
    wontfix: usize,
    precision: Option<f64>,
    /// 95 % Wilson; null when nothing was decided.
    precision_interval: Option<[f64; 2]>,
    alone: usize,
    #[serde(flatten)]
    spent: wire::Spent,
    cost_per_real_usd: Option<f64>,
}

fn entry(reviewer: Option<&str>, lineage: &str, figures: &Figures) -> Entry {
    let precision = figures.precision();
    let (low, high) = precision.wilson();
    Entry {
        reviewer: reviewer.map(str::to_owned),
        lineage: lineage.to_owned(),
        issues: figures.issues,
        decided: figures.decided(),
        real: figures.real,
        false_: figures.false_,
        wontfix: figures.wontfix,
        precision: precision.share(),
        precision_interval: precision.share().map(|_| [low, high]),
        alone: figures.alone,
        spent: json::spent(&figures.spent),
        cost_per_real_usd: figures.cost_per_real(),
    }
}

/// As JSON (`scrum.stats/1`), with a final newline.
pub fn render_json(worth: &Worth) -> String {
    let reviewers = worth.lineages.iter().flat_map(|one| &one.reviewers);
    json::pretty(&Document {
        schema: "scrum.stats/1",
        runs: worth.runs,
        issues: worth.issues,
        decided: worth.decided,
        unplaced: worth.unplaced,
        judging: json::spent(&worth.judging),
        lineages: worth.lineages.iter().map(|one| entry(None, one.lineage.as_str(), &one.figures)).collect(),
        reviewers: reviewers
            .map(|(finder, figures)| entry(Some(finder.reviewer.as_str()), finder.lineage.as_str(), figures))
            .collect(),
    })
}
