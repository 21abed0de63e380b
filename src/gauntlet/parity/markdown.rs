//! A parity [`Report`] as Markdown, in the order in which one asks: does it match, why not, what did each say.

use std::fmt::Write as _;

use super::{
    Status,
    report::{Cause, Report},
    shape::Part,
    verdict::{Compared, Side, Verdict},
};
use crate::report::{foreign, markdown::escape, words};

/// Most causes that are told.
const MOST_CAUSES: usize = 30;
/// Most divergences that are shown with what each side said.
const MOST_SHOWN: usize = 50;
/// Most lines of what a side said.
const MOST_LINES: usize = 60;
/// Most characters of a line of it.
const LINE_SHOWN: usize = 400;
/// Most cases that are named for a cause.
const CASES_NAMED: usize = 12;

/// The report as Markdown, with a final newline.
pub fn markdown(report: &Report) -> String {
    let parts = [
        heading(report),
        overview(report),
        notes(report),
        causes("Causes", &report.causes, report),
        not_compared(report),
        divergences(report),
        causes("Remarks (no divergence)", &report.remarks, report),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("\n")
}

fn heading(report: &Report) -> String {
    let named = |side: &Side, between: &str| {
        format!("{}{between}{}", escape::cell(&side.name), escape::code(&side.address))
    };
    let sides: Vec<String> = report.sides.iter().map(|side| named(side, " ")).collect();
    let addresses: Vec<String> = report.sides.iter().map(|side| named(side, ": ")).collect();
    let rule: Vec<String> = ["same status and same body".to_owned()]
        .into_iter()
        .chain(report.rule.iter().map(|part| escape::cell(part)))
        .collect();
    let repeat = match report.repeat {
        0 | 1 => String::new(),
        times => format!(" Each side was asked {times} times."),
    };
    format!(
        "# Parity: {} — {}\n\nDate: {} · {}\n\nThe same cases to all sides. Match = {}.{repeat}\n",
        escape::cell(&report.name),
        sides.join(" vs "),
        report.date,
        addresses.join(" · "),
        rule.join("; "),
    )
}

fn overview(report: &Report) -> String {
    let names: Vec<String> =
        report.sides.iter().map(|side| format!("{} status", escape::cell(&side.name))).collect();
    let ruled = "---|".repeat(names.len() + 3);
    let mut out = format!("| Case | {} | Status match | Body match |\n|{ruled}\n", names.join(" | "));
    for case in &report.cases {
        let statuses: Vec<String> = case.statuses.iter().map(|status| status_cell(*status)).collect();
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} |",
            escape::code_cell(&case.name),
            statuses.join(" | "),
            answer(case.statuses_match()),
            body_cell(report, case)
        );
    }
    let _ = writeln!(out, "\n**Tally:** {}", report.tally_line());
    let summary = report.summary();
    if !summary.is_empty() {
        let _ = writeln!(out, "\n{}.", words::sentence(&summary));
    }
    out
}

fn status_cell(status: Option<Status>) -> String {
    match status {
        Some(Status::Http(code)) => code.to_string(),
        Some(status) => status.to_string(),
        None => "no answer".to_owned(),
    }
}

fn answer(matches: Option<bool>) -> &'static str {
    match matches {
        Some(true) => "yes",
        Some(false) => "**no**",
        None => "–",
    }
}

fn body_cell(report: &Report, case: &Compared) -> String {
    let headers = case.differences.iter().any(|(_, one)| matches!(one.shape.part, Part::Header(_)));
    let mut cell = answer(case.bodies_match).to_owned();
    match case.verdict {
        Verdict::Diff if headers => cell += ", headers differ",
        Verdict::Empty | Verdict::Unstable | Verdict::Error => {
            cell = format!("{cell} ({})", case.verdict.word());
        }
        Verdict::Match | Verdict::Diff => {}
    }
    if report.is_accepted(case) { cell + " (known gap)" } else { cell }
}

fn notes(report: &Report) -> String {
    let accepted = report.cases.iter().filter(|case| report.is_accepted(case)).filter_map(|case| {
        let why = report.accepted.get(&case.name)?;
        Some(format!("- {}: known gap: {}\n", escape::code(&case.name), escape::cell(why)))
    });
    let others = report.notes.iter().map(|note| format!("- {}\n", escape::cell(note)));
    let lines: String = accepted.chain(others).collect();
    if lines.is_empty() { lines } else { format!("## Known gaps\n\n{lines}") }
}

fn causes(title: &str, causes: &[Cause], report: &Report) -> String {
    if causes.is_empty() {
        return String::new();
    }
    let mut out = format!("## {title}\n\n");
    for cause in causes.iter().take(MOST_CAUSES) {
        let (left, right) = (&report.sides[0].name, &report.sides[cause.side].name);
        let names: Vec<String> = cause.cases.iter().map(|case| escape::code(case)).collect();
        let _ = writeln!(
            out,
            "1. **{}** in {}: {}",
            escape::cell(&words::sentence(&cause.shape.words(left, right))),
            words::count(names.len(), "case"),
            words::list_up_to(&names, CASES_NAMED)
        );
        if !cause.example.is_empty() {
            let _ = writeln!(out, "   - {}", escape::code(&cause.example));
        }
    }
    if causes.len() > MOST_CAUSES {
        let _ = writeln!(out, "\nand {} more.", causes.len() - MOST_CAUSES);
    }
    out
}

fn not_compared(report: &Report) -> String {
    let line = |case: &Compared| {
        let reason = escape::cell(case.reason.as_deref()?);
        Some(format!("- {} ({}): {reason}\n", escape::code(&case.name), case.verdict.word()))
    };
    let lines: String = report.cases.iter().filter_map(line).collect();
    if lines.is_empty() { lines } else { format!("## Not compared\n\n{lines}") }
}

fn divergences(report: &Report) -> String {
    let diff: Vec<&Compared> = report.cases.iter().filter(|case| case.verdict == Verdict::Diff).collect();
    if diff.is_empty() {
        return String::new();
    }
    let mut out = "## Divergences\n".to_owned();
    for case in diff.iter().take(MOST_SHOWN) {
        let known = if report.is_accepted(case) { " (known gap)" } else { "" };
        let _ = writeln!(out, "\n### DIFF — {}{known}", escape::code(&case.name));
        for ((side, status), shown) in report.sides.iter().zip(&case.statuses).zip(&case.shown) {
            let status = status.map_or("no answer".to_owned(), |status| status.to_string());
            let _ = write!(
                out,
                "\n{} ({status}):\n\n{}",
                escape::cell(&side.name),
                escape::fence(&excerpt(shown), "")
            );
        }
    }
    if diff.len() > MOST_SHOWN {
        let _ =
            writeln!(out, "\nand {} more, which the JSON form of this report has.", diff.len() - MOST_SHOWN);
    }
    out
}

fn excerpt(text: &str) -> Vec<String> {
    let lines = foreign::lines(text);
    let mut shown: Vec<String> =
        lines.iter().take(MOST_LINES).map(|line| words::shortened(line, LINE_SHOWN)).collect();
    if lines.len() > MOST_LINES {
        shown.push(format!("… {} more", words::count(lines.len() - MOST_LINES, "line")));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_adds_no_cells_to_the_table() {
        let check = |name: &str, expect: &str| {
            let side = |name: &str| Side { name: name.to_owned(), address: String::new(), writes: false };
            let case = Compared {
                name: name.to_owned(),
                verdict: Verdict::Diff,
                reason: None,
                statuses: vec![Some(Status::Http(200)); 2],
                bodies_match: Some(false),
                differences: Vec::new(),
                remarks: Vec::new(),
                shown: Vec::new(),
            };
            let sides = vec![side("a"), side("b")];
            let report = Report::new("x", String::new(), sides, Vec::new(), 1, vec![case]);
            assert_eq!(overview(&report).lines().nth(2), Some(expect));
        };
        check("a/b", "| `a/b` | 200 | 200 | yes | **no** |");
        check("a | 200 | yes |", r"| a \| 200 \| yes \| | 200 | 200 | yes | **no** |");
        check(r"a\|b", r"| a\\\|b | 200 | 200 | yes | **no** |");
    }
}
