//! Where in a changed file a place lies: by quote, by lines, by symbol, or by lines that count something else ([`Site`]).
//!
//! Nothing is given up: what stands nowhere keeps the lines that it was given.

use super::{
    counting::Counting,
    evidence::{Names, Proof},
    map::{FileMap, Row, code},
    quote, symbol,
};
use crate::finding::{Anchor, Finding, LineRange, Location};

/// A named place in a known file.
pub(super) struct Site<'s, 'a> {
    pub(super) file: &'s FileMap<'a>,
    /// The number of the bundle that the finding is about.
    pub(super) bundle: u32,
    pub(super) location: &'s Location,
    /// How the reply counts, where it is proven to count otherwise than it was asked to.
    pub(super) habit: &'s [Counting],
}

/// A place within a file.
pub(super) struct Spot {
    pub(super) lines: Option<LineRange>,
    pub(super) symbol: Option<String>,
    pub(super) anchor: Anchor,
    pub(super) note: Option<String>,
    pub(super) code: Option<String>,
}

impl Site<'_, '_> {
    /// The place. Quote and names are those of `finding`, when it is its first place.
    pub(super) fn spot(&self, finding: Option<&Finding>) -> Spot {
        let quote = finding.and_then(|finding| finding.quote.as_deref());
        let further = finding.map(|finding| finding.also_at.as_slice()).unwrap_or_default();
        let mut spot = match quote.filter(|quote| !quote.trim().is_empty()) {
            Some(quote) => self.by_quote(quote, further, finding),
            None => self.by_lines(finding),
        };
        if let Some(name) = &self.location.symbol {
            spot.symbol = Some(name.clone());
        }
        spot
    }

    /// By the quoted code; the given lines stay where the code stands in them, at one of the finding's further places,
    /// or nowhere in the file.
    fn by_quote(&self, text: &str, further: &[Location], finding: Option<&Finding>) -> Spot {
        let given = self.location.lines;
        let Some(found) = quote::find(self.file, text, given, &self.other_readings()) else {
            let mut spot = self.by_lines(finding);
            spot.note = Some(joined(spot.note, "its quote does not stand in the change"));
            return spot;
        };
        let line = found.line;
        let holds = |range: LineRange| range.start <= line && line <= range.end;
        let stays = given.is_some_and(holds);
        let same_path = |place: &&Location| place.path == self.location.path;
        let mut elsewhere = further.iter().filter(same_path).filter_map(|place| place.lines);
        if !stays && given.is_some() && elsewhere.any(holds) {
            return self.by_lines(finding);
        }
        let mut note = match given {
            Some(_) if stays => None,
            Some(range) => Some(format!("moved from {} by its quote", lines_words(range))),
            None => Some("placed by its quote".to_owned()),
        };
        if found.removed {
            note = Some(joined(note, "the quoted code is removed by the change"));
        }
        let anchor = match given {
            Some(_) if !stays => Anchor::Moved,
            _ if found.removed || self.file.row(line).is_some_and(|row| row.changed) => Anchor::Changed,
            _ => Anchor::Context,
        };
        let lines = given.filter(|_| stays).unwrap_or(LineRange::new(line, line));
        Spot { lines: Some(lines), symbol: self.file.symbol_at(line), anchor, note, code: Some(found.code) }
    }

    /// By the given lines: the best line of the range decides. Without lines, by the named symbol.
    fn by_lines(&self, finding: Option<&Finding>) -> Spot {
        let Some(lines) = self.location.lines else { return self.by_symbol() };
        let rows = self.file.rows_in(lines);
        let best: Option<&Row<'_>> = rows.iter().find(|row| row.changed).or_else(|| rows.first());
        let anchor = match best {
            Some(row) if row.changed => Anchor::Changed,
            Some(_) => Anchor::Context,
            None if self.file.removal_in(lines) => Anchor::Changed,
            None => Anchor::File,
        };
        if let Some(spot) = self.by_other_counting(lines, anchor, finding) {
            return spot;
        }
        Spot {
            lines: Some(lines),
            symbol: best.and_then(|row| self.file.symbol_at(row.line)),
            anchor,
            note: None,
            code: best.map(Row::code),
        }
    }

    /// Where the given lines lead when they count something else, if that is proven: by the reply as a whole, or for
    /// lines that the change does not show by what the finding names.
    fn by_other_counting(&self, lines: LineRange, anchor: Anchor, finding: Option<&Finding>) -> Option<Spot> {
        let names = finding.map(Names::of).unwrap_or_default();
        let proves = |counting: Counting, place: (usize, usize)| {
            let gone = counting == Counting::Old && self.file.shown[place.0].removed;
            let proof = if gone { Proof::Supported } else { Proof::Alone };
            anchor == Anchor::File && names.prove(self.file, place, proof)
        };
        let proven = |counting: &Counting| {
            let place = self.file.numbers.read(*counting, self.bundle, lines);
            let by_reply = self.habit.contains(counting);
            place.filter(|place| by_reply || self.habit.is_empty() && proves(*counting, *place))
        };
        let mut readings = Counting::OTHERS.into_iter().filter_map(|one| Some((one, proven(&one)?)));
        let (counting, place) = readings.next()?;
        let one = readings.all(|(_, other)| other == place);
        one.then(|| self.translated(lines, counting, place)).filter(|spot| spot.lines != Some(lines))
    }

    fn translated(&self, given: LineRange, counting: Counting, (first, last): (usize, usize)) -> Spot {
        let shown = &self.file.shown[first..=last];
        let at = |line: u32| self.file.row(line).is_some_and(|row| row.changed);
        let best = shown.iter().find(|line| line.removed || at(line.line)).unwrap_or(&shown[0]);
        let lines = LineRange::new(shown[0].line, shown[shown.len() - 1].line);
        let note = format!("moved from {}, counted in {}", lines_words(given), counting.words());
        let gone = best.removed.then_some("the change removes what stands there");
        Spot {
            lines: Some(lines),
            symbol: self.file.symbol_at(best.line),
            anchor: Anchor::Moved,
            note: Some(gone.map_or(note.clone(), |gone| joined(Some(note), gone))),
            code: Some(code(&best.text)),
        }
    }

    /// The shown lines that the given ones may mean when they count something else.
    fn other_readings(&self) -> Vec<(usize, usize)> {
        let read = |counting: Counting| self.file.numbers.read(counting, self.bundle, self.location.lines?);
        Counting::OTHERS.into_iter().filter_map(read).collect()
    }

    fn by_symbol(&self) -> Spot {
        let name = self.location.symbol.as_deref();
        let row = name.and_then(|name| symbol::find(self.file, name));
        let anchor = match row {
            Some(row) if row.changed => Anchor::Changed,
            Some(_) => Anchor::Context,
            None => Anchor::File,
        };
        Spot {
            lines: row.map(|row| LineRange::new(row.line, row.line)),
            symbol: name.map(str::to_owned),
            anchor,
            note: None,
            code: row.map(Row::code),
        }
    }
}

fn joined(note: Option<String>, more: &str) -> String {
    note.map_or_else(String::new, |note| note + "; ") + more
}

fn lines_words(range: LineRange) -> String {
    match range {
        LineRange { start, end } if start == end => format!("line {start}"),
        LineRange { start, end } => format!("lines {start}-{end}"),
    }
}
