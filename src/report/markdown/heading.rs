//! The beginning of the document: [`heading`], what was not read ([`gaps`]), and how reviewers were asked ([`asked`]).
//!
//! A person should see here in ten seconds whether to worry.

use std::fmt::Write as _;

use super::{
    escape,
    fold::{Entry, Section, Weight},
};
use crate::{
    report::{
        coverage, earlier, judged, sizes,
        summary::{self, gate_line},
        words,
    },
    reviewer::ReviewerId,
    tally::{Tally, gate::Gate, verdict},
};

/// Characters of a reason that are shown where there is little room.
const BRIEF: usize = 120;

/// Characters of a note that are shown.
const NOTE_SHOWN: usize = 300;

/// Verdict, gate, what became of earlier issues, and who answered; lines of at most `longest` characters before escaping.
pub(super) fn heading(tally: &Tally, gate: &Gate, longest: usize, notes: &[String]) -> String {
    let line = |text: &str| words::sentence(&escape::cell(&words::shortened(text, longest)));
    let conclusion = verdict::conclude(tally, gate);
    let (verdict, gate) = (line(&summary::verdict_line(&conclusion)), line(&gate_line(gate)));
    let mut out = format!("{}\n{verdict}. {gate}.\n", title(tally, conclusion.word()));
    for note in notes {
        let _ = writeln!(out, "\n> {note}");
    }
    let since: Vec<String> = earlier::counts(tally).into_iter().chain(earlier::scope_line(tally)).collect();
    if !since.is_empty() {
        let since: Vec<String> = since.iter().map(|one| line(one) + ".").collect();
        let _ = writeln!(out, "\n{}", since.join(" "));
    }
    let who = summary::who(tally).map(|who| line(&who) + ". ").unwrap_or_default();
    let spent: Vec<String> = coverage::spent_in_all(tally).into_iter().chain(summary::time(tally)).collect();
    let spent = if spent.is_empty() { String::new() } else { format!(" ({})", spent.join(", ")) };
    let by = summary::heard_words(summary::heard(tally).len()) + &spent + summary::unchecked_words(tally);
    let _ = writeln!(out, "\n{who}Coverage: {}{by}.", coverage::in_short(tally));
    if let Some(judged) = judged::in_short(tally) {
        let _ = writeln!(out, "\nJudged: {}.", escape::cell(&words::shortened(&judged, longest)));
    }
    if let Some(growth) = sizes::growth_in_short(&tally.run.growth) {
        let _ = writeln!(out, "\nContext: {growth}.");
    }
    out
}

/// What is left where nothing else fits.
pub(super) fn least(tally: &Tally, gate: &Gate) -> String {
    let conclusion = verdict::conclude(tally, gate);
    let gaps = coverage::gaps(tally).len();
    let gate = escape::cell(&words::shortened(&gate_line(gate), BRIEF));
    let unread = match gaps {
        0 => String::new(),
        gaps => format!("\n> **Not read:** {}\n", words::count(gaps, "part")),
    };
    let (gate, in_short) = (words::sentence(&gate), coverage::in_short(tally));
    format!("{}\n{gate}. Coverage: {in_short}.\n{unread}", title(tally, conclusion.word()))
}

fn title(tally: &Tally, verdict: &str) -> String {
    format!("## scrum: {verdict} – {}\n", summary::headline(tally))
}

/// What was not read, and why.
pub(super) fn gaps(tally: &Tally) -> Section {
    let bundles = summary::bundle_heads(tally).len();
    let entry = |gap: &coverage::Gap| {
        let head = format!(
            "> **Not read:** {} {}",
            escape::cell(gap.reviewer.as_str()),
            escape::cell(&gap.event(bundles))
        );
        let because = |reason: &str| {
            if reason.is_empty() { String::new() } else { format!(": {}", escape::cell(reason)) }
        };
        let brief = words::shortened(&gap.reason, BRIEF);
        Entry::new(format!("{head}{}\n", because(&gap.reason)), format!("{head}{}\n", because(&brief)))
    };
    quoted(Weight::Gap, "gap", coverage::gaps(tally).iter().map(entry).collect())
}

/// Who was asked, or answered, otherwise than one would expect; also what of the conversation does not count.
pub(super) fn asked(tally: &Tally) -> Section {
    let bundles = summary::bundle_heads(tally).len();
    let quote = |who: &ReviewerId, event: &str| {
        format!("> {}: {}\n", escape::cell(who.as_str()), escape::cell(event))
    };
    let routed = coverage::routed(tally);
    let routed = routed.iter().map(|line| format!("{}.\n", words::sentence(&escape::cell(line))));
    let substitutions = coverage::substitutions(tally);
    let substitutions = substitutions.iter().map(|one| quote(&one.reviewer, &one.event(bundles)));
    let remarks = coverage::remarks(tally, bundles);
    let remarks = remarks.iter().map(|(reviewer, remark)| quote(reviewer, remark));
    let notes = tally.since.iter().flat_map(|since| &since.notes);
    let notes = notes
        .map(|note| format!("> {}\n", words::sentence(&escape::cell(&words::in_brief(note, NOTE_SHOWN)))));
    let lines = routed.chain(substitutions).chain(remarks).chain(notes);
    quoted(Weight::Asked, "remark", lines.map(Entry::line).collect())
}

fn quoted(weight: Weight, noun: &'static str, entries: Vec<Entry>) -> Section {
    let (before, after) = <_>::default();
    Section { weight, before, entries, between: "\n", foot: String::new(), after, noun }
}
