//! Holds a bundle against the rules.
//!
//! [`scan`] reports what a change brings in: a match on an added line, unless the same line was only moved
//! or the removed lines held as many matches before. One remark a rule and file; further lines are named in it.

use std::collections::HashSet;

use super::rules::{Match, Rule, RuleSet};
use crate::{
    bundle::{
        Bundle,
        lexer::{self, Zone},
        source::{Language, Purpose},
    },
    change::{FilePatch, Hunk, LineKind},
    provider::remark::Remark,
};

/// Longer lines are data or minified, and not looked at.
const LONGEST_LINE: usize = 2_000;
/// A match over more lines than this is an accident of a pattern that may cross lines.
const MOST_LINES: usize = 8;

/// Lines that a whole change removes, without surrounding white space: what was only moved is not new.
#[derive(Debug, Default)]
pub struct RemovedLines(HashSet<Vec<u8>>);

impl RemovedLines {
    /// Those of all bundles of a change.
    pub fn of(bundles: &[Bundle]) -> Self {
        let hunks = bundles.iter().flat_map(|bundle| &bundle.files).flat_map(|file| &file.hunks);
        let removed = hunks.flat_map(Hunk::lines).filter(|line| line.kind == LineKind::Removed);
        Self(removed.map(|line| line.text.trim_ascii().to_vec()).filter(|text| !text.is_empty()).collect())
    }

    fn hold(&self, line: &[u8]) -> bool {
        self.0.contains(line.trim_ascii())
    }
}

/// What the rules find in `bundle`, in the order of files and rules.
pub(super) fn scan(rules: &RuleSet, bundle: &Bundle, removed: &RemovedLines) -> Vec<Remark> {
    bundle.files.iter().flat_map(|file| scan_file(rules, file, removed)).collect()
}

/// A rule's places in one file.
struct Hits<'r> {
    rule: &'r Rule,
    places: Vec<Place>,
}

struct Place {
    line: u32,
    text: Vec<u8>,
}

fn scan_file(rules: &RuleSet, file: &FilePatch, removed: &RemovedLines) -> Vec<Remark> {
    let (language, purpose) = (Language::of(&file.path), Purpose::of(&file.path));
    let mut hits: Vec<Hits<'_>> = Vec::new();
    for hunk in &file.hunks {
        let side = Side::new(hunk, LineKind::Added);
        let occurring = rules.occurring(language, &side.text);
        if occurring.is_empty() {
            continue;
        }
        let reading = Reading::new(hunk, side, language, purpose);
        for rule in occurring {
            let places = reading.places(rule, removed);
            match hits.iter_mut().find(|hits| hits.rule.id == rule.id) {
                Some(known) => known.places.extend(places),
                None => hits.push(Hits { rule, places }),
            }
        }
    }
    hits.into_iter().filter_map(|hits| remark(rules, file, &hits)).collect()
}

/// A hunk as the rules read it.
struct Reading {
    purpose: Purpose,
    new: Side,
    new_zones: Vec<Zone>,
    old: Side,
    old_zones: Vec<Zone>,
    /// Byte of the new side from which on unit tests stand inside the source.
    tests_from: usize,
}

impl Reading {
    fn new(hunk: &Hunk, new: Side, language: Language, purpose: Purpose) -> Self {
        let old = Side::new(hunk, LineKind::Removed);
        let (new_zones, old_zones) = (lexer::zones(language, &new.text), lexer::zones(language, &old.text));
        let inside = language == Language::Rust && purpose == Purpose::Source;
        let tests_from = if inside { start_of_tests(hunk, &new.text) } else { usize::MAX };
        Self { purpose, new, new_zones, old, old_zones, tests_from }
    }

    /// Where the change brings in what `rule` looks for.
    fn places(&self, rule: &Rule, removed: &RemovedLines) -> Vec<Place> {
        let found = rule.matches(&self.new.text, &self.new_zones);
        let mut places: Vec<Place> = found
            .iter()
            .filter(|found| rule.applies_to(self.purpose_at(found.start)))
            .filter_map(|found| self.new.place_of(rule, found))
            .filter(|place| rule.secret || !removed.hold(&place.text))
            .collect();
        places.dedup_by_key(|place| place.line);
        if !places.is_empty() && !rule.secret {
            let before = rule.matches(&self.old.text, &self.old_zones);
            let before = before.iter().filter_map(|found| self.old.place_of(rule, found)).count();
            places.drain(..before.min(places.len()));
        }
        places
    }

    fn purpose_at(&self, byte: usize) -> Purpose {
        if byte >= self.tests_from { Purpose::Tests } else { self.purpose }
    }
}

/// Rust keeps unit tests inside the source: behind `#[cfg(test)]`, or in a hunk that shows `#[test]` without it.
fn start_of_tests(hunk: &Hunk, new: &[u8]) -> usize {
    let find =
        |text: &[u8], mark: &str| text.windows(mark.len()).position(|window| window == mark.as_bytes());
    if let Some(at) = find(new, "#[cfg(test)]") {
        return at;
    }
    let inside = find(new, "#[test]").is_some() || hunk.section().contains("mod test");
    if inside { 0 } else { usize::MAX }
}

fn remark(rules: &RuleSet, file: &FilePatch, hits: &Hits<'_>) -> Option<Remark> {
    let (first, rest) = hits.places.split_first()?;
    let rule = hits.rule;
    let may_quote = !rule.secret && !rules.holds_secret(&first.text);
    Some(Remark {
        severity: rule.severity,
        path: file.path.clone(),
        line: first.line,
        quote: may_quote.then(|| String::from_utf8_lossy(&first.text).into_owned()),
        what: rule.what.clone(),
        why: format!("{}{} (rule {})", rule.why, also_on(rest), rule.id),
        fix: rule.fix.clone(),
    })
}

fn also_on(rest: &[Place]) -> String {
    let shown: Vec<String> = rest.iter().take(8).map(|place| place.line.to_string()).collect();
    match (rest.len(), rest.len() - shown.len()) {
        (0, _) => String::new(),
        (1, _) => format!("; the same on line {}", shown[0]),
        (_, 0) => format!("; the same on lines {}", shown.join(", ")),
        (_, more) => format!("; the same on lines {} and {more} more", shown.join(", ")),
    }
}

/// One side of a hunk as text.
struct Side {
    text: Vec<u8>,
    lines: Vec<SideLine>,
}

struct SideLine {
    start: usize,
    number: u32,
    /// Only on this side.
    own: bool,
}

impl Side {
    /// The side on which lines of kind `own` stand.
    fn new(hunk: &Hunk, own: LineKind) -> Self {
        let mut side = Self { text: Vec::with_capacity(hunk.text.len()), lines: Vec::new() };
        for line in hunk.lines() {
            if line.kind != own && line.kind != LineKind::Context {
                continue;
            }
            let number = if own == LineKind::Removed { line.old } else { line.new };
            let start = side.text.len();
            side.lines.push(SideLine { start, number: number.unwrap_or_default(), own: line.kind == own });
            if line.text.len() <= LONGEST_LINE {
                side.text.extend_from_slice(line.text.strip_suffix(b"\r").unwrap_or(line.text));
            }
            side.text.push(b'\n');
        }
        side
    }

    /// The first line of the match that is this side's own, unless the rule excuses the match.
    fn place_of(&self, rule: &Rule, found: &Match) -> Option<Place> {
        let first = self.line_at(found.start);
        let last = self.line_at(found.end.saturating_sub(1).max(found.start));
        let at = (first..=last).find(|at| self.lines[*at].own)?;
        let near = self.text_of(first.saturating_sub(5), (last + 4).min(self.lines.len() - 1));
        if last - first >= MOST_LINES || rule.is_excused(self.text_of(first, last), near) {
            return None;
        }
        let text = self.text_of(at, at).trim_ascii_end().to_vec();
        Some(Place { line: self.lines[at].number, text })
    }

    fn line_at(&self, byte: usize) -> usize {
        self.lines.partition_point(|line| line.start <= byte).saturating_sub(1)
    }

    fn text_of(&self, first: usize, last: usize) -> &[u8] {
        let end = self.lines.get(last + 1).map_or(self.text.len(), |line| line.start);
        &self.text[self.lines[first].start..end]
    }
}

#[cfg(test)]
mod tests;
