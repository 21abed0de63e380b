//! Shows a [`GauntletDocument`] as Markdown: [`render`] as a page, [`section`] as a part of a pull request's comment.
//!
//! Whether it may ship comes first, then the phases in a table, then each of them. Text of commands, servers, diffs and models
//! passes through [`escape`].

use std::fmt::Write as _;

use super::{
    document::{EngagementEntry, GapEntry, GauntletDocument, SideEntry, SpecEntry},
    words::{self, TREND},
};
use crate::report::{
    markdown::escape,
    words::{count, list_up_to, sentence},
};

/// Issues of several lineages that are shown.
const ISSUES_SHOWN: usize = 10;

/// The whole page, with a final newline.
pub fn render(document: &GauntletDocument) -> String {
    let parts = [
        heading(document),
        phases(document),
        smoke(document),
        review(document),
        document.parity.specs.iter().map(parity).collect::<Vec<_>>().join("\n"),
        gaps(&document.gaps),
        trend(document),
        footer(document),
    ];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
}

/// A part of a comment that opens on a click, with a final newline.
pub fn section(document: &GauntletDocument) -> String {
    let title = format!("Gauntlet: {}", words::assessment(document.assessment.result));
    let gaps: String = document.gaps.iter().map(|gap| bullet(&gap_line(gap))).collect();
    let gaps = if gaps.is_empty() { gaps } else { format!("\nKnown gaps:\n\n{gaps}") };
    format!(
        "\n<details>\n<summary>{title}</summary>\n\n{}\n{}{gaps}\n</details>\n",
        reasons(document, 0),
        phases(document)
    )
}

fn heading(document: &GauntletDocument) -> String {
    let word = words::assessment(document.assessment.result);
    let first = document.assessment.reasons.first().map(|reason| format!(" – {}", escape::text(reason)));
    let rest = reasons(document, 1);
    let rest = if rest.is_empty() { rest } else { format!("\n{rest}") };
    let notes: String = document.notes.iter().map(|note| paragraph(&escape::text(note))).collect();
    format!("## Gauntlet: {word}{}\n{rest}{notes}", first.unwrap_or_default())
}

/// All reasons but the first `skipped`, a line each.
fn reasons(document: &GauntletDocument, skipped: usize) -> String {
    let reasons = document.assessment.reasons.iter().skip(skipped);
    reasons.map(|reason| bullet(&escape::text(reason))).collect()
}

fn phases(document: &GauntletDocument) -> String {
    let rows = words::phases(document).into_iter().map(Vec::from).collect::<Vec<_>>();
    table(&["Phase", "State", "Result"].map(str::to_owned), &rows)
}

fn smoke(document: &GauntletDocument) -> String {
    let smoke = &document.smoke;
    if smoke.total == 0 && smoke.services.is_empty() {
        return String::new();
    }
    let mut out = format!("### Smoke: {}\n\n", words::checks(smoke));
    for (layer, passed, total) in words::layers(smoke) {
        let names =
            smoke.checks.iter().filter(|check| check.layer == layer).map(|check| escape::cell(&check.name));
        let names: Vec<String> = names.collect();
        let _ = writeln!(out, "- **{}** {passed} / {total}: {}", escape::cell(layer), names.join(", "));
    }
    let trouble = |(text, output): (String, Option<&str>)| {
        let output = output.map(|file| format!(" (output: {})", escape::code(file)));
        bullet(&format!("{}{}", escape::text(&text), output.unwrap_or_default()))
    };
    let troubles: String = words::troubles(smoke).into_iter().map(trouble).collect();
    if troubles.is_empty() { out } else { format!("{out}\nNot passed:\n\n{troubles}") }
}

fn review(document: &GauntletDocument) -> String {
    let review = &document.review;
    let Some(range) = review.range.as_ref().filter(|_| review.headline.is_some()) else {
        return String::new();
    };
    let mut out =
        format!("### Review of {}: {}\n\n", escape::code(range), escape::text(&words::reviewed(review)));
    if let Some(gate) = &review.gate {
        let _ = writeln!(out, "{}.\n", escape::text(&sentence(gate)));
    }
    for bundle in &review.bundles {
        let _ = writeln!(out, "- {}", escape::cell(&words::bundle(bundle)));
    }
    if !review.issues.is_empty() {
        out += "\nFound by more than one lineage:\n\n";
    }
    for issue in review.issues.iter().take(ISSUES_SHOWN) {
        let (place, what) = (escape::code(&issue.place), escape::text(&issue.what));
        let _ = writeln!(out, "- **{}** {place} · {}: {what}", issue.severity, issue.agreement);
    }
    if let Some(more) = review.issues.len().checked_sub(ISSUES_SHOWN).filter(|more| *more > 0) {
        let _ = writeln!(out, "- and {}", count(more, "more issue"));
    }
    out + &engagement(document)
}

fn engagement(document: &GauntletDocument) -> String {
    let said = &document.review.engagement;
    if said.is_empty() {
        return String::new();
    }
    let row = |one: &EngagementEntry| {
        let silence =
            one.silence.as_ref().map(|words| format!(" · **fell silent**: {}", escape::cell(words)));
        let name = escape::cell(&one.now.reviewer);
        format!("- {name}: {}{}\n", escape::cell(&words::said(one)), silence.unwrap_or_default())
    };
    format!("\nHow much each model said:\n\n{}", said.iter().map(row).collect::<String>())
}

fn parity(spec: &SpecEntry) -> String {
    let side = |side: &SideEntry| format!("{} {}", escape::cell(&side.name), escape::code(&side.at));
    let sides: Vec<String> = spec.sides.iter().map(side).collect();
    let mut out = format!("### Parity: {} — {}\n\n", escape::text(&spec.name), sides.join(" vs "));
    let _ = writeln!(out, "{}\n", escape::text(&sentence(&spec.rule)));
    let (listed, left_out) = words::listed(spec);
    if !listed.is_empty() {
        out += &table(&words::case_heading(spec), &listed.into_iter().map(words::case).collect::<Vec<_>>());
        out.push('\n');
    }
    let left_out =
        if left_out > 0 { format!(" {} not listed.", count(left_out, "match")) } else { String::new() };
    let _ = writeln!(out, "Tally: {}.{left_out}", words::tally(spec));
    if let Some(lacking) = &spec.lacking {
        let _ = writeln!(out, "\nNot wholly compared: {}.", escape::text(lacking));
    }
    if !spec.causes.is_empty() {
        let _ = writeln!(out, "\n{}:\n", sentence(&count(spec.causes.len(), "cause")));
    }
    for cause in &spec.causes {
        let cases = list_up_to(&cause.cases, 6);
        let told = words::cause(&cause.cases, &cause.words);
        let _ = writeln!(out, "- {} ({})", escape::text(&told), escape::cell(&cases));
    }
    if let Some(report) = &spec.report {
        let _ = writeln!(out, "\nIn full: {}", escape::code(report));
    }
    out
}

fn gaps(gaps: &[GapEntry]) -> String {
    if gaps.is_empty() {
        return String::new();
    }
    let heading = ["Gap", "Standing", "Why", "Accepted by"].map(str::to_owned);
    let row = |gap: &GapEntry| {
        let cases = if gap.cases.is_empty() {
            String::new()
        } else {
            format!(": {}", count(gap.cases.len(), "case"))
        };
        vec![words::about(gap), format!("{}{cases}", gap.standing), gap.why.clone(), words::acceptance(gap)]
    };
    format!("### Known gaps\n\n{}", table(&heading, &gaps.iter().map(row).collect::<Vec<_>>()))
}

fn gap_line(gap: &GapEntry) -> String {
    let (about, by) = (escape::code(&words::about(gap)), escape::cell(&words::acceptance(gap)));
    format!("{about} {}: {} ({by})", escape::cell(&gap.standing), escape::text(&gap.why))
}

/// The last ones, the newest first, this one on top.
fn trend(document: &GauntletDocument) -> String {
    if document.trend.is_empty() {
        return String::new();
    }
    let this = document.line();
    let lines = [&this].into_iter().chain(document.trend.iter().rev());
    let rows: Vec<Vec<String>> = lines.map(|line| words::trend(line).into()).collect();
    format!("### Trend\n\n{}", table(&TREND.map(str::to_owned), &rows))
}

fn footer(document: &GauntletDocument) -> String {
    let run = &document.run;
    let head = run
        .head
        .as_ref()
        .map(|head| format!("{} · ", escape::code(&head.chars().take(7).collect::<String>())));
    let (head, id, version) =
        (head.unwrap_or_default(), escape::code(&run.id), escape::code(&run.tool_version));
    let (file, at) = (escape::code(&run.file), escape::code(&run.started_at));
    format!("<sub>{head}{at} · run {id} · {file} · scrum {version}</sub>\n")
}

fn bullet(text: &str) -> String {
    format!("- {text}\n")
}

fn paragraph(text: &str) -> String {
    format!("\n{text}\n")
}

/// Foreign cells in a table.
fn table(heading: &[String], rows: &[Vec<String>]) -> String {
    let row = |cells: &[String]| {
        let cells: Vec<String> = cells.iter().map(|cell| escape::text(cell)).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let rule = "|---".repeat(heading.len());
    format!("{}{rule}|\n{}", row(heading), rows.iter().map(|cells| row(cells)).collect::<String>())
}
