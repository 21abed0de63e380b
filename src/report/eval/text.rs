//! Writes [`Scores`] for people: [`table`] for a terminal, [`markdown`] for a document.
//!
//! What is said stands in `sections`.

use super::sections::{Section, sections, subject};
use crate::{
    eval::Scores,
    report::{
        foreign,
        layout::{self, Ink, NARROWEST},
        markdown::escape,
    },
};

/// How to read the figures; under every form for people.
const LEGEND: &str = "In brackets 95 % intervals: Wilson's for shares of a count, by bootstrap over cases for means and \
    differences. An issue is true when one of its findings is; by chance: if the true findings of each case were dealt out at \
    random. Recall counts the true issues of all cases, answered or not.";

/// The scores for a terminal `width` columns wide, with a final newline; without `color` no escape at all.
pub fn table(scores: &Scores, width: usize, color: bool) -> String {
    let (width, ink) = (width.max(NARROWEST), Ink { on: color });
    let wrapped = |text: &str| layout::wrap(text, width).join("\n");
    let section = |section: Section| {
        let rows = section.rows.iter().map(|row| row.iter().map(|cell| foreign::one_line(cell)).collect());
        let columns = layout::columns(&section.heading, rows.collect(), ink);
        let remarks: String = section.remarks.iter().map(|remark| wrapped(remark) + "\n").collect();
        format!("{}\n\n{columns}{remarks}", ink.strong(section.title))
    };
    let first = ink.faint(&wrapped(&subject(scores))) + "\n";
    let last = ink.faint(&wrapped(LEGEND)) + "\n";
    let parts = [first].into_iter().chain(sections(scores).into_iter().map(section)).chain([last]);
    parts.collect::<Vec<_>>().join("\n")
}

/// The scores as GitHub Markdown.
pub fn markdown(scores: &Scores) -> String {
    let section = |section: Section| {
        let table = format!("### {}\n\n{}", section.title, pipes(&section));
        section.remarks.into_iter().fold(table, |text, remark| text + "\n" + &remark + "\n")
    };
    let first = format!("{}.\n", subject(scores));
    let parts = [first].into_iter().chain(sections(scores).into_iter().map(section));
    parts.chain([format!("{LEGEND}\n")]).collect::<Vec<_>>().join("\n")
}

fn pipes(section: &Section) -> String {
    let heading = format!("| {} |\n|{}\n", section.heading.join(" | "), "---|".repeat(section.heading.len()));
    section.rows.iter().fold(heading, |text, row| {
        let cells: Vec<String> = row.iter().map(|cell| escape::cell(cell)).collect();
        text + "| " + &cells.join(" | ") + " |\n"
    })
}
