//! An issue's lines of the diff: [`Sources`] finds them, [`Row`] is one of them with what was found there.
//!
//! Only lines that were shown to reviewers are here, as they saw them. Which words of a line are comment, string or keyword is
//! told by the lexer of the rules reviewer ([`ink`]).

use std::{
    cell::OnceCell,
    collections::{BTreeMap, BTreeSet, HashMap},
};

use serde::Serialize;

use super::ink::{self, Ink};
use crate::{
    bundle::{
        lexer::{self, Zone},
        source::Language,
    },
    change::{Hunk, LineKind},
    finding::{LineRange, Severity},
    report::{foreign, summary, words},
    tally::{Issue, Member, Tally},
};

/// Lines shown before and behind what is meant.
const AROUND: usize = 3;

/// Lines of one place that are shown.
const OF_A_PLACE: u32 = 12;

/// Lines shown of an issue.
const MOST_LINES: usize = 48;

/// Characters of a line that are shown.
const LONGEST_LINE: usize = 240;

/// Characters of a claim that are shown below its line.
const CLAIM_SHOWN: usize = 200;

/// A line of the diff, or a gap.
#[derive(Serialize)]
pub(super) struct Row {
    kind: &'static str,
    old: Option<u32>,
    new: Option<u32>,
    ink: Vec<Ink>,
    /// Whether a finding is about it.
    hit: bool,
    notes: Vec<Note>,
}

/// What was found at a line.
#[derive(Serialize)]
struct Note {
    severity: &'static str,
    who: String,
    what: String,
}

/// The hunks of a tally's bundles by path.
pub(super) struct Sources<'a> {
    sheets: HashMap<String, Vec<Sheet<'a>>>,
}

/// A hunk, read when it is needed.
struct Sheet<'a> {
    hunk: &'a Hunk,
    language: Language,
    lines: OnceCell<Vec<Line>>,
}

struct Line {
    kind: LineKind,
    old: Option<u32>,
    new: Option<u32>,
    text: String,
    zones: Vec<Zone>,
}

impl<'a> Sources<'a> {
    pub(super) fn of(tally: &'a Tally) -> Self {
        let mut sheets: HashMap<String, Vec<Sheet<'a>>> = HashMap::new();
        for file in tally.bundles.iter().flat_map(|bundle| &bundle.files) {
            let language = Language::of(&file.path);
            let of_file = file.hunks.iter().map(|hunk| Sheet { hunk, language, lines: OnceCell::new() });
            sheets.entry(file.path.to_string()).or_default().extend(of_file);
        }
        for of_file in sheets.values_mut() {
            of_file.sort_by_key(|sheet| sheet.hunk.new_start);
        }
        Self { sheets }
    }

    /// The lines that `issue` is about, with what each reviewer found below them; nothing where they were not shown.
    pub(super) fn rows(&self, issue: &Issue) -> Vec<Row> {
        let places: Vec<(LineRange, &Member)> = summary::standing(issue)
            .filter(|member| member.anchored.path.as_deref() == Some(&issue.path))
            .filter_map(|member| Some((member.anchored.lines?, member)))
            .collect();
        let mut rows = Vec::new();
        for sheet in self.sheets.get(&issue.path).into_iter().flatten() {
            if places.iter().any(|(lines, _)| sheet.holds(*lines)) {
                sheet.rows(&places, &mut rows);
            }
        }
        rows.truncate(MOST_LINES);
        rows
    }
}

impl Sheet<'_> {
    fn holds(&self, lines: LineRange) -> bool {
        let last = self.hunk.new_start.saturating_add(self.hunk.new_lines.saturating_sub(1));
        lines.overlaps(LineRange::new(self.hunk.new_start, last))
    }

    fn lines(&self) -> &[Line] {
        self.lines.get_or_init(|| read(self.hunk, self.language))
    }

    fn rows(&self, places: &[(LineRange, &Member)], out: &mut Vec<Row>) {
        let lines = self.lines();
        let mut hits = BTreeSet::new();
        let mut below: BTreeMap<usize, Vec<&Member>> = BTreeMap::new();
        for (place, member) in places {
            let shown =
                LineRange { start: place.start, end: place.end.min(place.start.saturating_add(OF_A_PLACE)) };
            let meant = |line: &Line| line.new.is_some_and(|at| (shown.start..=shown.end).contains(&at));
            let at: Vec<usize> = (0..lines.len()).filter(|at| meant(&lines[*at])).collect();
            if let Some(last) = at.last() {
                below.entry(*last).or_default().push(member);
            }
            hits.extend(at);
        }
        let around = |at: &usize| at.saturating_sub(AROUND)..(at + AROUND + 1).min(lines.len());
        let shown: BTreeSet<usize> = hits.iter().flat_map(around).collect();
        let quotes: Vec<&str> =
            places.iter().filter_map(|(_, member)| member.anchored.finding.quote.as_deref()).collect();
        let mut before = None;
        for at in shown {
            let is_gap = if before.is_none() { !out.is_empty() } else { before != at.checked_sub(1) };
            if is_gap {
                out.push(Row {
                    kind: "gap",
                    old: None,
                    new: None,
                    ink: Vec::new(),
                    hit: false,
                    notes: Vec::new(),
                });
            }
            let notes = below.get(&at).map(|members| notes(members)).unwrap_or_default();
            out.push(lines[at].row(hits.contains(&at), self.language, &quotes, notes));
            before = Some(at);
        }
    }
}

impl Line {
    fn row(&self, hit: bool, language: Language, quotes: &[&str], notes: Vec<Note>) -> Row {
        let kind = match self.kind {
            LineKind::Context => "same",
            LineKind::Added => "added",
            LineKind::Removed => "removed",
        };
        let quoted = hit.then(|| ink::quoted(&self.text, quotes)).flatten();
        let ink = ink::of_line(&self.text, &self.zones, language, quoted, LONGEST_LINE);
        Row { kind, old: self.old, new: self.new, ink, hit, notes }
    }
}

/// What reviewers say about one line: those that are of one severity in one note, in the words of the first.
fn notes(members: &[&Member]) -> Vec<Note> {
    let mut by_severity: BTreeMap<_, Vec<&Member>> = BTreeMap::new();
    for member in members {
        by_severity.entry(member.anchored.finding.severity).or_default().push(member);
    }
    let note = |(severity, members): (Severity, Vec<&Member>)| {
        let mut names: Vec<String> =
            members.iter().map(|member| foreign::one_line(member.reviewer.as_str())).collect();
        names.dedup();
        let what = members.first().map_or("", |member| &member.anchored.finding.what);
        Note {
            severity: severity.word(),
            who: words::list_up_to(&names, 6),
            what: words::in_brief(what, CLAIM_SHOWN),
        }
    };
    by_severity.into_iter().rev().map(note).collect()
}

fn read(hunk: &Hunk, language: Language) -> Vec<Line> {
    let (mut old_side, mut new_side) = (String::new(), String::new());
    let mut lines: Vec<Line> = Vec::new();
    for line in hunk.lines() {
        let text = String::from_utf8_lossy(line.text).into_owned();
        let sides = [(line.old, &mut old_side), (line.new, &mut new_side)];
        for (_, side) in sides.into_iter().filter(|(number, _)| number.is_some()) {
            side.push_str(&text);
            side.push('\n');
        }
        lines.push(Line { kind: line.kind, old: line.old, new: line.new, text, zones: Vec::new() });
    }
    let zones = [old_side, new_side].map(|side| lexer::zones(language, side.as_bytes()));
    let mut at = [0, 0];
    for line in &mut lines {
        let side = usize::from(line.new.is_some());
        let length = line.text.len();
        line.zones = zones[side].get(at[side]..at[side] + length).unwrap_or_default().to_vec();
        if line.old.is_some() {
            at[0] += length + 1;
        }
        if line.new.is_some() {
            at[1] += length + 1;
        }
    }
    lines
}
