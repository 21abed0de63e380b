//! A parity [`Report`] for a terminal: what does not match, why, and the tally last.

use super::{
    report::{Cause, Report, Standing},
    verdict::{Compared, Verdict},
};
use crate::report::{
    foreign,
    layout::{self, Ink, NARROWEST},
    words,
};

/// Most cases, and causes, that are told.
const MOST_LINES: usize = 30;
/// Cases that are named for a cause.
const CASES_NAMED: usize = 6;
/// Characters of an example.
const EXAMPLE: usize = 300;

/// The report for a terminal `width` columns wide, with a final newline. Without `color` the text holds no escape.
pub fn table(report: &Report, width: usize, color: bool) -> String {
    let screen = Screen { report, width: width.max(NARROWEST), ink: Ink { on: color } };
    let sections = [
        screen.cases(),
        screen.causes("Causes", &report.causes),
        screen.causes("Remarks", &report.remarks),
        screen.end(),
    ];
    let shown: Vec<String> = sections.into_iter().filter(|section| !section.is_empty()).collect();
    shown.join("\n")
}

struct Screen<'a> {
    report: &'a Report,
    width: usize,
    ink: Ink,
}

impl Screen<'_> {
    fn cases(&self) -> String {
        let open: Vec<&Compared> =
            self.report.cases.iter().filter(|case| case.verdict != Verdict::Match).collect();
        let rows: Vec<Vec<String>> = open.iter().take(MOST_LINES).map(|case| self.row(case)).collect();
        if rows.is_empty() {
            return String::new();
        }
        let mut heading = vec!["case".to_owned()];
        heading.extend(self.report.sides.iter().map(|side| foreign::one_line(&side.name)));
        heading.push("result".to_owned());
        let heading: Vec<&str> = heading.iter().map(String::as_str).collect();
        let more = match open.len().saturating_sub(MOST_LINES) {
            0 => String::new(),
            more => format!("and {more} more\n"),
        };
        layout::columns(&heading, rows, self.ink) + &more
    }

    fn row(&self, case: &Compared) -> Vec<String> {
        let status = |status: &Option<super::Status>| {
            status.map_or("no answer".to_owned(), |status| status.to_string())
        };
        let result = match (&case.reason, self.report.is_accepted(case)) {
            (Some(reason), _) => format!("{}: {}", case.verdict.word(), foreign::one_line(reason)),
            (None, true) => "diff, a known gap".to_owned(),
            (None, false) => case.verdict.word().to_owned(),
        };
        let name = layout::wrap(&foreign::one_line(&case.name), self.width / 3).join("\n");
        let statuses: Vec<String> = case.statuses.iter().map(status).collect();
        let used = self.name_width()
            + statuses.iter().map(|status| layout::width_of(status) + layout::GAP).sum::<usize>();
        let used = used + layout::GAP;
        let result = layout::wrap(&result, self.width.saturating_sub(used).max(20)).join("\n");
        [name].into_iter().chain(statuses).chain([self.ink.alarm(&result)]).collect()
    }

    /// Columns of the longest name that is shown.
    fn name_width(&self) -> usize {
        let open = self.report.cases.iter().filter(|case| case.verdict != Verdict::Match).take(MOST_LINES);
        open.map(|case| layout::width_of(&case.name)).max().unwrap_or(0).min(self.width / 3)
    }

    fn causes(&self, title: &str, causes: &[Cause]) -> String {
        if causes.is_empty() {
            return String::new();
        }
        let cause = |cause: &Cause| {
            let (left, right) = (&self.report.sides[0].name, &self.report.sides[cause.side].name);
            let text = format!(
                "{} ({}: {})",
                cause.shape.words(left, right),
                words::count(cause.cases.len(), "case"),
                words::list_up_to(&cause.cases, CASES_NAMED)
            );
            let mut lines = layout::wrap_hanging(&foreign::one_line(&text), self.width, "- ", "  ");
            if !cause.example.is_empty() {
                let example = words::in_brief(&cause.example, EXAMPLE);
                lines.extend(layout::wrap_hanging(&example, self.width, "    ", "    "));
            }
            lines.join("\n") + "\n"
        };
        let more = match causes.len().saturating_sub(MOST_LINES) {
            0 => String::new(),
            more => format!("and {more} more\n"),
        };
        format!("{}\n", self.ink.strong(&format!("{title} ({})", causes.len())))
            + &causes.iter().take(MOST_LINES).map(cause).collect::<String>()
            + &more
    }

    fn end(&self) -> String {
        let report = self.report;
        let sides: Vec<String> =
            report.sides.iter().map(|side| format!("{} {}", side.name, side.address)).collect();
        let subject = foreign::one_line(&format!("{}: {}", report.name, sides.join(" vs ")));
        let mut lines = vec![self.ink.faint(&layout::wrap(&subject, self.width).join("\n"))];
        let notes = report.notes.iter().flat_map(|note| layout::wrap(&foreign::one_line(note), self.width));
        lines.extend(notes);
        let tally = match report.standing() {
            Standing::Matched => self.ink.strong(&report.tally_line()),
            Standing::Diverged | Standing::Inconclusive => self.ink.alarm(&report.tally_line()),
        };
        lines.push(tally);
        lines.extend(
            Some(report.summary())
                .filter(|summary| !summary.is_empty())
                .map(|summary| words::sentence(&summary)),
        );
        lines.join("\n") + "\n"
    }
}
