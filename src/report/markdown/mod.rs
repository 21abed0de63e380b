//! Shows a [`Tally`] as Markdown for a pull request: [`render`].
//!
//! Agreed issues come first with every lineage's wording, then what one reviewer calls a BLOCK; the rest is
//! folded. All foreign text passes through [`escape`].

pub mod escape;

use std::{collections::HashMap, fmt::Write as _};

use crate::{
    coverage::State,
    finding::{Anchor, Severity},
    report::{
        coverage, earlier, foreign,
        judged::{self, Said},
        masks, sizes,
        summary::{self, Directory},
        words,
    },
    reviewer::{ReviewerId, Seat},
    tally::{
        Coverage, Issue, Member, Tally,
        gate::Gate,
        since::{Became, Carried},
        verdict,
    },
};

/// Characters of a note that are shown.
const NOTE_SHOWN: usize = 300;

/// Characters of an earlier issue's claim that are shown.
const CLAIM_SHOWN: usize = 400;

/// Lines of an unusable text that are shown.
const REJECT_LINES: usize = 6;

/// Further places of a finding that are shown.
const PLACES_SHOWN: usize = 8;

/// The tally as Markdown, with a final newline.
pub fn render(tally: &Tally, gate: &Gate) -> String {
    let writer = Writer { tally, heard: summary::heard(tally).len(), directory: Directory::of(tally) };
    let sections = [
        heading(tally, gate),
        writer.convergent(),
        writer.blocks(),
        writer.refuted(),
        writer.others(),
        still_open(tally),
        writer.dismissed(),
        fixed(tally),
        unplaced(tally),
        retracted(tally),
        rejects(tally),
        ledger(tally),
        left_out(tally),
        masked(tally),
        footer(tally),
    ];
    let shown: Vec<String> = sections.into_iter().filter(|section| !section.is_empty()).collect();
    shown.join("\n")
}

fn heading(tally: &Tally, gate: &Gate) -> String {
    let headline = words::sentence(&summary::headline(tally));
    let conclusion = verdict::conclude(tally, gate);
    let verdict = words::sentence(&escape::cell(&summary::verdict_line(&conclusion)));
    let gate = words::sentence(&escape::cell(&summary::gate_line(gate)));
    let spent = coverage::spent_in_all(tally).map(|spent| format!(" ({spent})")).unwrap_or_default();
    let by = summary::heard_words(summary::heard(tally).len()) + &spent + summary::unchecked_words(tally);
    let mut out =
        format!("## scrum: {headline}\n\n{verdict}. {gate}. Coverage: {}{by}.\n", coverage::in_short(tally));
    if let Some(line) = earlier::scope_line(tally) {
        let _ = writeln!(out, "\n{}.", words::sentence(&escape::cell(&line)));
    }
    for note in tally.since.iter().flat_map(|since| &since.notes) {
        let _ = writeln!(out, "\n> {}", escape::cell(&words::in_brief(note, NOTE_SHOWN)));
    }
    let bundles = summary::bundle_heads(tally).len();
    if let Some(judged) = judged::in_short(tally) {
        let _ = writeln!(out, "\nJudged: {}.", escape::cell(&judged));
    }
    if let Some(growth) = sizes::growth_in_short(&tally.run.growth) {
        let _ = writeln!(out, "\nContext: {growth}.");
    }
    for line in coverage::routed(tally) {
        let _ = writeln!(out, "\n{}.", words::sentence(&escape::cell(&line)));
    }
    for gap in coverage::gaps(tally) {
        let because =
            if gap.reason.is_empty() { String::new() } else { format!(": {}", escape::cell(&gap.reason)) };
        let event = escape::cell(&gap.event(bundles));
        let _ = writeln!(out, "\n> **Not read:** {} {event}{because}", escape::cell(gap.reviewer.as_str()));
    }
    for substitution in coverage::substitutions(tally) {
        let event = escape::cell(&substitution.event(bundles));
        let _ = writeln!(out, "\n> {}: {event}", escape::cell(substitution.reviewer.as_str()));
    }
    for (reviewer, remark) in coverage::remarks(tally, bundles) {
        let _ = writeln!(out, "\n> {}: {}", escape::cell(reviewer.as_str()), escape::cell(&remark));
    }
    out
}

/// Writes issues; knows what each of them needs to know of the whole tally.
struct Writer<'a> {
    tally: &'a Tally,
    heard: usize,
    directory: Directory<'a>,
}

impl<'a> Writer<'a> {
    fn convergent(&self) -> String {
        let issues = summary::open(self.tally).filter(|issue| issue.is_convergent());
        self.section("Found by more than one lineage", issues)
    }

    fn blocks(&self) -> String {
        self.section(
            "BLOCK by one lineage alone",
            self.alone().filter(|issue| issue.severity == Severity::Block && !issue.is_refuted()),
        )
    }

    fn refuted(&self) -> String {
        let entries: Vec<String> =
            self.alone().filter(|issue| issue.is_refuted()).map(|issue| self.entry(issue)).collect();
        if entries.is_empty() {
            return String::new();
        }
        let issues = words::count(entries.len(), "BLOCK");
        folded(&format!("{issues} refuted by another lineage, counted all the same"), &entries.join("\n"))
    }

    fn others(&self) -> String {
        let entries: Vec<String> = self
            .alone()
            .filter(|issue| issue.severity != Severity::Block)
            .map(|issue| self.entry(issue))
            .collect();
        if entries.is_empty() {
            return String::new();
        }
        let only = entries.len() == summary::open(self.tally).count();
        let noun = if only { "issue" } else { "other issue" };
        folded(&format!("{} by one lineage alone", words::count(entries.len(), noun)), &entries.join("\n"))
    }

    /// Folded, each with the decision in front of what was said.
    fn dismissed(&self) -> String {
        let now = summary::dismissed(self.tally).map(|(issue, _)| self.entry(issue));
        let earlier = earlier::of(self.tally, Became::Dismissed).map(earlier_entry);
        let entries: Vec<String> = now.chain(earlier).collect();
        if entries.is_empty() {
            return String::new();
        }
        let count = words::count(entries.len(), "issue");
        folded(&format!("{count} dismissed by a human, not counted by gate and verdict"), &entries.join("\n"))
    }

    fn alone(&self) -> impl Iterator<Item = &'a Issue> {
        summary::open(self.tally).filter(|issue| !issue.is_convergent())
    }

    fn section(&self, title: &str, issues: impl Iterator<Item = &'a Issue>) -> String {
        let entries: Vec<String> = issues.map(|issue| self.entry(issue)).collect();
        if entries.is_empty() { String::new() } else { format!("### {title}\n\n{}", entries.join("\n")) }
    }

    /// One issue: a line of its own, then what each reviewer says.
    fn entry(&self, issue: &Issue) -> String {
        let agreement = summary::agreement(issue, self.heard);
        let agreed = summary::agreed_on(issue.agreement).map(|on| format!(", {on}")).unwrap_or_default();
        let place = escape::code(&summary::place(issue));
        let examined = escape::cell(&judged::examined_cell(issue));
        let examined = if examined.is_empty() { examined } else { format!(" · {examined}") };
        let id = escape::code(&issue.id);
        let standing = earlier::standing(issue)
            .map(|standing| format!(" · {}", escape::cell(&standing)))
            .unwrap_or_default();
        let mut out =
            format!("**{}** {place} · {agreement}{agreed}{examined} · {id}{standing}\n\n", issue.severity);
        if let Some(disposition) = &issue.disposition {
            let decided = words::sentence(&escape::cell(&summary::decided_words(disposition)));
            let _ = writeln!(out, "**{decided}**\n");
        }
        summary::standing(issue).for_each(|member| out += &said(member));
        judged::adjudicated(issue).for_each(|said| out += &judgement("adjudicated", &said));
        judged::examined(issue).for_each(|said| out += &judgement("examined", &said));
        let near = self.directory.neighbours(issue);
        if !near.is_empty() {
            let near: Vec<String> = near.iter().map(|place| escape::code(place)).collect();
            let _ = writeln!(out, "- near, but another claim: {}", words::list_up_to(&near, 5));
        }
        out
    }
}

/// What nobody reports now and still stands: BLOCKs to be seen at once, the rest folded.
fn still_open(tally: &Tally) -> String {
    let open = || earlier::of(tally, Became::StillOpen);
    let (blocks, others): (Vec<_>, Vec<_>) = open().partition(|one| one.issue.severity == Severity::Block);
    let mut out = String::new();
    if !blocks.is_empty() {
        let entries: Vec<String> = blocks.into_iter().map(earlier_entry).collect();
        let _ = write!(out, "### Still open from the last review\n\n{}", entries.join("\n"));
    }
    if !others.is_empty() {
        let gap = if out.is_empty() { "" } else { "\n" };
        let issues = words::count(others.len(), "issue");
        let entries: Vec<String> = others.into_iter().map(earlier_entry).collect();
        let title = format!("{issues} of WARN or less still open from the last review");
        let _ = write!(out, "{gap}{}", folded(&title, &entries.join("\n")));
    }
    out
}

fn fixed(tally: &Tally) -> String {
    let entries: Vec<String> = earlier::of(tally, Became::Fixed).map(earlier_entry).collect();
    if entries.is_empty() {
        return String::new();
    }
    let issues = words::count(entries.len(), "issue");
    folded(&format!("{issues} fixed since the last review"), &entries.join("\n"))
}

/// An issue of the last review that nobody reports now.
fn earlier_entry(one: &Carried) -> String {
    let (severity, place, id) =
        (one.issue.severity, escape::code(&earlier::place(one)), escape::code(&one.issue.id));
    let finders = escape::cell(&earlier::finders(one));
    let mut out = format!("**{severity}** {place} · {finders} · {id}\n\n");
    if let Some(disposition) = &one.issue.disposition {
        let decided = words::sentence(&escape::cell(&summary::decided_words(disposition)));
        let _ = writeln!(out, "**{decided}**\n");
    }
    let what = escape::text(&words::in_brief(&one.issue.what, CLAIM_SHOWN));
    let _ = writeln!(out, "- {what}");
    out
}

/// What somebody says about others' claims, as an item of the list; set apart from who found something.
fn judgement(how: &str, said: &Said<'_>) -> String {
    let (who, why, quote) =
        (escape::cell(&said.who()), escape::text(&words::sentence(&said.why())), said.quote());
    let quote = if quote.is_empty() { quote } else { format!("\n  <br>Quote: {}", escape::code(&quote)) };
    format!("- *{how} by* {who}: {}. {why}{quote}\n", said.word)
}

/// What one reviewer says, as an item of a list.
fn said(member: &Member) -> String {
    let finding = &member.anchored.finding;
    let who =
        format!("**{}** ({})", escape::cell(member.reviewer.as_str()), escape::cell(member.lineage.as_str()));
    let mut out = format!("- {who} {}: {}", own_word(member), escape::rich(&finding.what, "  "));
    if !finding.why.trim().is_empty() {
        let _ = write!(out, "  <br>Why: {}", escape::rich(&finding.why, "  "));
    }
    out += &mending(&finding.fix);
    let remarks = place_remarks(member);
    if !remarks.is_empty() {
        let remarks = escape::cell(&remarks.join("; "));
        let _ = writeln!(out, "  <br>Place: {} ({remarks})", escape::code(&finding.where_text));
    }
    let also: Vec<String> = summary::also_at(member).iter().map(|place| escape::code(place)).collect();
    if !also.is_empty() {
        let _ = writeln!(out, "  <br>Also at {}", words::list_up_to(&also, PLACES_SHOWN));
    }
    out
}

/// What is to be known about a place. Unchecked places are told once, at the top; a move tells its own reason.
fn place_remarks(member: &Member) -> Vec<&str> {
    let anchored = &member.anchored;
    if member.anchor() == Anchor::Unchecked || anchored.finding.where_text.trim().is_empty() {
        return Vec::new();
    }
    let told = member.anchor() == Anchor::Moved && anchored.note.is_some();
    let lies = summary::place_note(member.anchor()).filter(|_| !told);
    lies.into_iter().chain(anchored.note.as_deref()).collect()
}

/// The severity, with the reviewer's own word where it is another one.
fn own_word(member: &Member) -> String {
    let finding = &member.anchored.finding;
    let (ours, own) = (finding.severity.word(), finding.severity_word.trim());
    if own.is_empty() || own.eq_ignore_ascii_case(ours) {
        return ours.to_owned();
    }
    format!("{ours} (\"{}\")", escape::cell(own))
}

/// A proposed mending; code of several lines as a block.
fn mending(fix: &str) -> String {
    let lines = foreign::lines(fix.trim());
    match lines.as_slice() {
        [] => String::new(),
        _ if fix.contains("```") => format!("  <br>Fix: {}", escape::rich(fix, "  ")),
        [one] => format!("  <br>Fix: {}\n", escape::text(one)),
        several => format!("  <br>Fix:\n\n{}", escape::fence(several, "  ")),
    }
}

fn unplaced(tally: &Tally) -> String {
    let members = summary::unplaced(tally);
    if members.is_empty() {
        return String::new();
    }
    let entries: String = members.iter().map(|member| said(member)).collect();
    folded(&format!("{} without a place in the change", words::count(members.len(), "finding")), &entries)
}

fn retracted(tally: &Tally) -> String {
    let line = |member: &&Member| {
        let finding = &member.anchored.finding;
        let (reviewer, what) = (escape::cell(member.reviewer.as_str()), escape::text(&finding.what));
        let place = escape::code(&finding.where_text);
        format!("({reviewer} emitted a {} on {place} and took it back: {what})\n", finding.severity)
    };
    summary::retracted(tally).iter().map(line).collect::<Vec<_>>().join("\n")
}

fn rejects(tally: &Tally) -> String {
    if tally.rejects.is_empty() {
        return String::new();
    }
    let entry = |reject: &crate::tally::RejectedText| {
        let lines: Vec<String> = foreign::lines(&reject.text)
            .iter()
            .take(REJECT_LINES)
            .map(|line| words::shortened(line, 200))
            .collect();
        let (reviewer, reason) = (escape::cell(reject.reviewer.as_str()), escape::cell(&reject.reason));
        let bundle = escape::cell(&words::bundle_name(&reject.bundle));
        format!("- {reviewer} on {bundle}: {reason}\n\n{}", escape::fence(&lines, "  "))
    };
    let entries: Vec<String> = tally.rejects.iter().map(entry).collect();
    folded(&format!("{} not usable", words::count(tally.rejects.len(), "text")), &entries.join("\n"))
}

/// Bundle × reviewer as a table; left out when nobody was asked.
fn ledger(tally: &Tally) -> String {
    if tally.coverage.is_empty() {
        return String::new();
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
    for (bundle, head) in summary::bundle_heads(tally) {
        let figures = found
            .get(bundle)
            .map_or("– | –".to_owned(), |found| format!("{} | {}", found.convergent, found.distinct));
        let _ = write!(out, "| {} | {figures} |", escape::cell(&head));
        for reviewer in reviewers {
            let _ = write!(out, " {} |", task_cell(tasks.get(&(bundle, &reviewer.id)).copied()));
        }
        out.push('\n');
    }
    out + &spent_row(tally)
}

/// What each reviewer took, below what it said.
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

fn left_out(tally: &Tally) -> String {
    let lines = coverage::excluded_lines(&tally.excluded);
    if lines.is_empty() {
        return String::new();
    }
    let entries: Vec<String> = lines.iter().map(|line| format!("- {}\n", escape::cell(line))).collect();
    format!("Not shown to reviewers:\n\n{}", entries.concat())
}

fn masked(tally: &Tally) -> String {
    let masks = &tally.run.masks;
    if masks.is_empty() {
        return String::new();
    }
    let count = words::count(masks::count(masks), "credential");
    let lines = masks::lines(masks);
    let entries: Vec<String> = lines.iter().map(|line| format!("- {}\n", escape::cell(line))).collect();
    format!("{count} masked for reviewers:\n\n{}", entries.concat())
}

fn footer(tally: &Tally) -> String {
    let range = &tally.range;
    let again = match (&range.base, &range.head) {
        (Some(base), Some(head)) => format!("scrum review {base}..{head}"),
        _ if tally.run.id.is_empty() => String::new(),
        _ => format!("scrum report {}", tally.run.id),
    };
    let parts = [
        ("", &range.spec),
        ("run ", &tally.run.id),
        ("scrum ", &tally.run.tool_version),
        ("again: ", &again),
    ];
    let told = parts.iter().filter(|(_, text)| !text.is_empty());
    let told: Vec<String> = told.map(|(label, text)| format!("{label}{}", escape::code(text))).collect();
    format!("<sub>{}</sub>\n", told.join(" · "))
}

fn folded(title: &str, body: &str) -> String {
    format!("<details>\n<summary>{title}</summary>\n\n{body}\n</details>\n")
}
