//! Shows a [`GauntletDocument`] on a terminal: [`render`].
//!
//! Whether it may ship stands last, where the terminal stops. Width and colour are given.

use super::{
    document::{AssessmentWord, EngagementEntry, GapEntry, GauntletDocument, SpecEntry},
    words::{self, TREND},
};
use crate::report::{
    foreign,
    layout::{self, Ink, NARROWEST},
    words::{count, list_up_to},
};

/// For a terminal `width` columns wide (at least 40 are used), with a final newline.
pub fn render(document: &GauntletDocument, width: usize, color: bool) -> String {
    let page = Page { document, width: width.max(NARROWEST), ink: Ink { on: color } };
    let mut parts = vec![page.smoke(), page.review()];
    parts.extend(document.parity.specs.iter().map(|spec| page.parity(spec)));
    parts.extend([page.gaps(), page.trend(), page.result()]);
    parts.retain(|part| !part.is_empty());
    parts.join("\n")
}

struct Page<'a> {
    document: &'a GauntletDocument,
    width: usize,
    ink: Ink,
}

impl Page<'_> {
    fn title(&self, text: &str) -> String {
        let lines = layout::wrap_hanging(&foreign::one_line(text), self.width, "", "  ");
        self.ink.strong(&lines.join("\n")) + "\n"
    }

    /// A line of foreign text below a title.
    fn line(&self, text: &str) -> String {
        layout::wrap_hanging(&foreign::one_line(text), self.width, "  ", "    ").join("\n") + "\n"
    }

    fn alarm(&self, text: &str) -> String {
        self.ink.alarm(self.line(text).trim_end_matches('\n')) + "\n"
    }

    fn smoke(&self) -> String {
        let smoke = &self.document.smoke;
        if smoke.total == 0 && smoke.services.is_empty() {
            return String::new();
        }
        let layer = |(name, passed, total)| self.line(&format!("{name} {passed} / {total}"));
        let layers: String = words::layers(smoke).into_iter().map(layer).collect();
        let trouble = |(text, output): (String, Option<&str>)| {
            let output = output.map(|file| format!(" (output: {file})")).unwrap_or_default();
            self.alarm(&format!("{text}{output}"))
        };
        let troubles: String = words::troubles(smoke).into_iter().map(trouble).collect();
        self.title(&format!("Smoke: {}", words::checks(smoke))) + &layers + &troubles
    }

    fn review(&self) -> String {
        let review = &self.document.review;
        let Some(range) = review.range.as_ref().filter(|_| review.headline.is_some()) else {
            return String::new();
        };
        let mut out = self.title(&format!("Review of {range}: {}", words::reviewed(review)));
        out.extend(review.bundles.iter().map(|bundle| self.line(&words::bundle(bundle))));
        out.extend(review.issues.iter().map(|issue| {
            self.line(&format!("{} {} {}: {}", issue.severity, issue.place, issue.agreement, issue.what))
        }));
        out.extend(review.engagement.iter().map(|one| self.said(one)));
        out.extend(review.gate.iter().map(|gate| self.line(gate)));
        out
    }

    fn said(&self, one: &EngagementEntry) -> String {
        let line = format!("{}: {}", one.now.reviewer, words::said(one));
        match &one.silence {
            Some(silence) => self.alarm(&format!("{line}; fell silent: {silence}")),
            None => self.line(&line),
        }
    }

    fn parity(&self, spec: &SpecEntry) -> String {
        let mut out = self.title(&format!("Parity: {} — {}", spec.name, words::sides(spec)));
        out += &self.line(&spec.rule);
        let (listed, left_out) = words::listed(spec);
        let rows: Vec<Vec<String>> = listed.into_iter().map(words::case).collect();
        out += &self.table(&words::case_heading(spec), rows);
        if left_out > 0 {
            out += &self.line(&format!("{left_out} that match are not listed"));
        }
        out += &self.line(&words::tally(spec));
        out.extend(spec.causes.iter().map(|cause| {
            let told = words::cause(&cause.cases, &cause.words);
            self.line(&format!("{told} ({})", list_up_to(&cause.cases, 3)))
        }));
        out.extend(spec.lacking.iter().map(|why| self.alarm(&format!("not wholly compared: {why}"))));
        out
    }

    fn gaps(&self) -> String {
        if self.document.gaps.is_empty() {
            return String::new();
        }
        let line = |gap: &GapEntry| {
            let cases = if gap.cases.is_empty() {
                String::new()
            } else {
                format!(", {}", count(gap.cases.len(), "case"))
            };
            let by = words::acceptance(gap);
            self.line(&format!("{} {}{cases}: {} ({by})", words::about(gap), gap.standing, gap.why))
        };
        self.title("Known gaps") + &self.document.gaps.iter().map(line).collect::<String>()
    }

    fn trend(&self) -> String {
        if self.document.trend.is_empty() {
            return String::new();
        }
        let this = self.document.line();
        let lines = [&this].into_iter().chain(self.document.trend.iter().rev());
        let rows = lines.map(|line| words::trend(line).into()).collect();
        self.title("Trend") + &self.table(&TREND.map(str::to_owned), rows)
    }

    /// Columns where there is room for them, else a line a row.
    fn table(&self, heading: &[String], rows: Vec<Vec<String>>) -> String {
        if rows.is_empty() {
            return String::new();
        }
        let rows: Vec<Vec<String>> =
            rows.into_iter().map(|row| row.iter().map(|cell| foreign::one_line(cell)).collect()).collect();
        let heading: Vec<String> = heading.iter().map(|cell| foreign::one_line(cell)).collect();
        let heading: Vec<&str> = heading.iter().map(String::as_str).collect();
        let plain = layout::columns(&heading, rows.clone(), Ink { on: false });
        if plain.lines().all(|line| layout::width_of(line) + 2 <= self.width) {
            let table = layout::columns(&heading, rows, self.ink);
            return textwrap::indent(&table, "  ");
        }
        let told = |row: &Vec<String>| self.line(&row.join(" · "));
        rows.iter().map(told).collect()
    }

    fn result(&self) -> String {
        let phases = words::phases(self.document).into_iter().map(|[name, state, line]| {
            let line = if line.is_empty() { line } else { format!(": {line}") };
            self.line(&format!("{name} {state}{line}"))
        });
        let assessment = &self.document.assessment;
        let head = format!("May this ship? {}", words::assessment(assessment.result));
        let head = match assessment.result {
            AssessmentWord::Hold | AssessmentWord::Inconclusive => self.ink.alarm(&head),
            AssessmentWord::Ship | AssessmentWord::ShipWithKnownGap => self.ink.strong(&head),
        };
        let notes = self.document.notes.iter();
        let reasons = assessment.reasons.iter().chain(notes).map(|reason| self.line(reason));
        format!(
            "{}\n{head}\n{}",
            self.title("Phases") + &phases.collect::<String>(),
            reasons.collect::<String>()
        )
    }
}
