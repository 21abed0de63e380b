//! Issues and what was said about them: [`Writer`] makes a section of each kind.

use std::fmt::Write as _;

use super::{
    escape,
    fold::{self, Entry, Section, Weight},
    folded,
};
use crate::{
    finding::Severity,
    report::{
        earlier, foreign,
        judged::{self, Said},
        summary::{self, Directory},
        words,
    },
    tally::{
        Issue, Member, Tally,
        since::{Became, Carried},
    },
};

/// Further places of a finding that are shown.
const PLACES_SHOWN: usize = 8;

/// Characters of an earlier issue's claim that are shown.
const CLAIM_SHOWN: usize = 400;

/// Characters of a claim that are shown where there is little room.
const BRIEF: usize = 160;

/// Writes issues; knows what each of them needs to know of the whole tally.
pub(super) struct Writer<'a> {
    tally: &'a Tally,
    heard: usize,
    directory: Directory<'a>,
}

impl<'a> Writer<'a> {
    pub(super) fn of(tally: &'a Tally) -> Self {
        Self { tally, heard: summary::heard(tally).len(), directory: Directory::of(tally) }
    }

    pub(super) fn convergent(&self) -> Section {
        let issues = summary::open(self.tally).filter(|issue| issue.is_convergent());
        section(Weight::Convergent, "Found by more than one lineage", self.entries(issues))
    }

    pub(super) fn blocks(&self) -> Section {
        let blocks = self.alone().filter(|issue| issue.severity == Severity::Block && !issue.is_refuted());
        section(Weight::Block, "BLOCK by one lineage alone", self.entries(blocks))
    }

    /// BLOCKs of the last review that nobody reports now and still stand.
    pub(super) fn earlier_blocks(&self) -> Section {
        let blocks = earlier::open(self.tally).filter(|one| one.issue.severity == Severity::Block);
        section(Weight::Carried, "Still open from the last review", blocks.map(earlier_entry).collect())
    }

    pub(super) fn refuted(&self) -> Section {
        let entries = self.entries(self.alone().filter(|issue| issue.is_refuted()));
        let issues = words::count(entries.len(), "BLOCK");
        let title = format!("{issues} refuted by another lineage, counted all the same");
        folded(Weight::Refuted, "BLOCK", &title, "\n", entries)
    }

    pub(super) fn others(&self) -> Section {
        let entries = self.entries(self.alone().filter(|issue| issue.severity != Severity::Block));
        let only = entries.len() == summary::open(self.tally).count();
        let noun = if only { "issue" } else { "other issue" };
        let title = format!("{} by one lineage alone", words::count(entries.len(), noun));
        folded(Weight::Other, "issue", &title, "\n", entries)
    }

    /// What else of the last review still stands.
    pub(super) fn earlier_others(&self) -> Section {
        let others = earlier::open(self.tally).filter(|one| one.issue.severity != Severity::Block);
        let entries: Vec<Entry> = others.map(earlier_entry).collect();
        let issues = words::count(entries.len(), "issue");
        let title = format!("{issues} of WARN or less still open from the last review");
        folded(Weight::Other, "issue", &title, "\n", entries)
    }

    /// Each with the decision in front of what was said.
    pub(super) fn dismissed(&self) -> Section {
        let now = self.entries(summary::dismissed(self.tally).map(|(issue, _)| issue));
        let earlier = earlier::of(self.tally, Became::Dismissed).map(earlier_entry);
        let entries: Vec<Entry> = now.into_iter().chain(earlier).collect();
        let count = words::count(entries.len(), "issue");
        let title = format!("{count} dismissed by a human, not counted by gate and verdict");
        folded(Weight::Dismissed, "issue", &title, "\n", entries)
    }

    /// Issues of the last review whose code is gone.
    pub(super) fn fixed(&self) -> Section {
        let entries: Vec<Entry> = earlier::of(self.tally, Became::Fixed).map(earlier_entry).collect();
        let issues = words::count(entries.len(), "issue");
        folded(Weight::Fixed, "issue", &format!("{issues} fixed since the last review"), "\n", entries)
    }

    /// `issue` in at most `most` characters.
    pub(super) fn alone_in(&self, issue: &Issue, most: usize) -> String {
        let whole = self.entry(issue);
        if fold::length(&whole) <= most { whole } else { self.brief(issue) }
    }

    fn alone(&self) -> impl Iterator<Item = &'a Issue> {
        summary::open(self.tally).filter(|issue| !issue.is_convergent())
    }

    fn entries(&self, issues: impl Iterator<Item = &'a Issue>) -> Vec<Entry> {
        issues.map(|issue| Entry::new(self.entry(issue), self.brief(issue))).collect()
    }

    /// One issue in a line.
    fn brief(&self, issue: &Issue) -> String {
        let what = issue.spokesman().map_or("", |member| &member.anchored.finding.what);
        format!("- {}: {}\n", self.head(issue), escape::cell(&words::in_brief(what, BRIEF)))
    }

    /// Severity, place, agreement and id.
    fn head(&self, issue: &Issue) -> String {
        let agreement = summary::agreement(issue, self.heard);
        let agreed = summary::agreed_on(issue.agreement).map(|on| format!(", {on}")).unwrap_or_default();
        let place = escape::code(&summary::place(issue));
        let standing =
            earlier::standing(issue).map(|word| format!(" · {}", escape::cell(&word))).unwrap_or_default();
        let examined = escape::cell(&judged::examined_cell(issue));
        let examined = if examined.is_empty() { examined } else { format!(" · {examined}") };
        let id = escape::code(&issue.id);
        format!("**{}** {place} · {agreement}{agreed}{standing}{examined} · {id}", issue.severity)
    }

    /// One issue: a line of its own, then what each reviewer says.
    fn entry(&self, issue: &Issue) -> String {
        let mut out = format!("{}\n\n", self.head(issue));
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

/// What somebody says about others' claims, as an item of the list; set apart from who found something.
fn judgement(how: &str, said: &Said<'_>) -> String {
    let (who, why, quote) =
        (escape::cell(&said.who()), escape::text(&words::sentence(&said.why())), said.quote());
    let quote = if quote.is_empty() { quote } else { format!("\n  <br>Quote: {}", escape::code(&quote)) };
    format!("- *{how} by* {who}: {}. {why}{quote}\n", said.word)
}

fn section(weight: Weight, title: &str, entries: Vec<Entry>) -> Section {
    if entries.is_empty() {
        return Section::fixed(String::new());
    }
    let before = format!("### {title}\n\n");
    let (foot, after) = <_>::default();
    Section { weight, before, entries, between: "\n", foot, after, noun: "issue" }
}

/// An issue of the last review that nobody reports now.
fn earlier_entry(one: &Carried) -> Entry {
    let (severity, place, id) =
        (one.issue.severity, escape::code(&earlier::place(one)), escape::code(&one.issue.id));
    let back = if one.became == Became::BackAgain { " · back again" } else { "" };
    let head = format!("**{severity}** {place} · {}{back} · {id}", escape::cell(&earlier::finders(one)));
    let decided = one.issue.disposition.as_ref().map(|disposition| {
        format!("**{}**\n\n", words::sentence(&escape::cell(&summary::decided_words(disposition))))
    });
    let what = escape::text(&words::in_brief(&one.issue.what, CLAIM_SHOWN));
    let brief = escape::cell(&words::in_brief(&one.issue.what, BRIEF));
    let full = format!("{head}\n\n{}- {what}\n", decided.unwrap_or_default());
    Entry::new(full, format!("- {head}: {brief}\n"))
}

/// What one reviewer says in a line.
pub(super) fn said_briefly(member: &Member) -> String {
    let what = escape::cell(&words::in_brief(&member.anchored.finding.what, BRIEF));
    format!("- **{}** {}: {what}\n", escape::cell(member.reviewer.as_str()), own_word(member))
}

/// What one reviewer says, as an item of a list.
pub(super) fn said(member: &Member) -> String {
    let finding = &member.anchored.finding;
    let who =
        format!("**{}** ({})", escape::cell(member.reviewer.as_str()), escape::cell(member.lineage.as_str()));
    let mut out = format!("- {who} {}: {}", own_word(member), escape::rich(&finding.what, "  "));
    if !finding.why.trim().is_empty() {
        let _ = write!(out, "  <br>Why: {}", escape::rich(&finding.why, "  "));
    }
    out += &mending(&finding.fix);
    // A block of code ends its line by itself.
    let turn = if out.ends_with("```\n") { "" } else { "<br>" };
    let remarks = summary::place_remarks(member);
    if !remarks.is_empty() {
        let remarks = escape::cell(&remarks.join("; "));
        let _ = writeln!(out, "  {turn}Place: {} ({remarks})", escape::code(&finding.where_text));
    }
    let also: Vec<String> = summary::also_at(member).iter().map(|place| escape::code(place)).collect();
    if !also.is_empty() {
        let _ = writeln!(out, "  <br>Also at {}", words::list_up_to(&also, PLACES_SHOWN));
    }
    out
}

/// The severity, with the reviewer's own word where it is another one.
fn own_word(member: &Member) -> String {
    let ours = member.anchored.finding.severity.word();
    let own = summary::own_word(member).map(|own| format!(" (\"{}\")", escape::cell(own)));
    format!("{ours}{}", own.unwrap_or_default())
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
