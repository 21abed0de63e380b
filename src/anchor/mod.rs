//! Checks each finding's place against the bundle it was made about, and moves it where a quote proves it wrong.
//!
//! The main type is [`Places`], the change as a map of places; [`anchor`] is the same for a single reply. No finding is
//! ever dropped: a place that cannot be found is named so.

mod map;
mod quote;
mod symbol;

#[cfg(test)]
mod tests;

use crate::{
    bundle::Bundle,
    finding::{Anchor, Finding, LineRange, Location},
};
use map::{FileMap, Row};

pub use map::Places;
pub(crate) use symbol::plain_name;

/// A finding with its place checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchored {
    /// The finding as read.
    pub finding: Finding,
    /// Repository path of the place; `None` when nowhere.
    pub path: Option<String>,
    /// New-side lines of the place, after any move.
    pub lines: Option<LineRange>,
    /// The enclosing function or type: named by the reviewer or by the hunk.
    pub symbol: Option<String>,
    /// How the place relates to the change.
    pub anchor: Anchor,
    /// What was corrected, for people: `moved from line 40 by its quote`.
    pub note: Option<String>,
    /// The text of the anchored line, at most 1,000 bytes, when it is in the bundle; part of an issue's id.
    pub code: Option<String>,
    /// The further places of the finding, checked likewise, in the reviewer's order.
    pub also: Vec<Place>,
}

/// A place that was checked. Its fields are those of [`Anchored`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Repository path; `None` when nowhere.
    pub path: Option<String>,
    /// New-side lines.
    pub lines: Option<LineRange>,
    /// The enclosing function or type.
    pub symbol: Option<String>,
    /// How the place relates to the change.
    pub anchor: Anchor,
    /// What was corrected, for people.
    pub note: Option<String>,
    /// The text of the anchored line.
    pub code: Option<String>,
}

/// Places `findings` in `bundle`; `change` are all bundles of the run (a finding may name a file of another one).
/// With no bundle at hand every place is `Unchecked`.
pub fn anchor(findings: Vec<Finding>, bundle: Option<&Bundle>, change: &[Bundle]) -> Vec<Anchored> {
    let own = bundle.filter(|own| change.iter().all(|other| other.id != own.id));
    let places = Places::new(change.iter().chain(own));
    findings.into_iter().map(|finding| places.anchor(finding, bundle.map(|own| own.id.as_str()))).collect()
}

impl Places<'_> {
    /// Places one finding that was made about the bundle named `bundle`. Without any bundle in the map, or about a
    /// bundle that is not in it, the place is `Unchecked`.
    pub fn anchor(&self, finding: Finding, bundle: Option<&str>) -> Anchored {
        let location = finding.location.clone().unwrap_or_default();
        let place = self.place(&location, Some(&finding), bundle);
        let also = finding.also_at.iter().map(|further| self.place(further, None, bundle)).collect();
        let Place { path, lines, symbol, anchor, note, code } = place;
        Anchored { finding, path, lines, symbol, anchor, note, code, also }
    }

    /// The quote of `finding`, where one is given, has a say.
    fn place(&self, location: &Location, finding: Option<&Finding>, bundle: Option<&str>) -> Place {
        let Some(bundle) = bundle.filter(|id| self.knows(id)) else {
            return unchecked(location, finding);
        };
        let Some((path, file)) = self.file_of(&location.path, bundle) else {
            return without_file(location);
        };
        let read_as = (path != location.path).then(|| format!("path read as {path}"));
        let spot = in_file(file, finding, location);
        let notes = [read_as, spot.note].into_iter().flatten();
        Place {
            path: Some(path.to_owned()),
            lines: spot.lines,
            symbol: spot.symbol,
            anchor: spot.anchor,
            code: spot.code,
            note: notes.reduce(|all, one| format!("{all}; {one}")),
        }
    }
}

/// A place within a known file.
struct Spot {
    lines: Option<LineRange>,
    symbol: Option<String>,
    anchor: Anchor,
    note: Option<String>,
    code: Option<String>,
}

fn in_file(file: &FileMap<'_>, finding: Option<&Finding>, location: &Location) -> Spot {
    let quote = finding.and_then(|finding| finding.quote.as_deref());
    let further = finding.map(|finding| finding.also_at.as_slice()).unwrap_or_default();
    let mut spot = match quote.filter(|quote| !quote.trim().is_empty()) {
        Some(quote) => by_quote(file, quote, location, further),
        None => by_lines(file, location),
    };
    if let Some(name) = &location.symbol {
        spot.symbol = Some(name.clone());
    }
    spot
}

/// By the quoted code; the given lines stay where the code stands in them, at one of the finding's further places, or
/// nowhere in the file.
fn by_quote(file: &FileMap<'_>, text: &str, location: &Location, further: &[Location]) -> Spot {
    let given = location.lines;
    let Some(found) = quote::find(file, text, given) else {
        let mut spot = by_lines(file, location);
        spot.note = Some("its quote does not stand in the change".to_owned());
        return spot;
    };
    let line = found.line;
    let stays = given.is_some_and(|range| range.start <= line && line <= range.end);
    let ranges = further.iter().filter(|place| place.path == location.path).filter_map(|place| place.lines);
    if !stays && given.is_some() && ranges.into_iter().any(|range| range.start <= line && line <= range.end) {
        return by_lines(file, location);
    }
    let lines = given.filter(|_| stays).unwrap_or(LineRange::new(line, line));
    let moved = |from: LineRange| match from {
        LineRange { start, end } if start == end => format!("moved from line {start} by its quote"),
        LineRange { start, end } => format!("moved from lines {start}-{end} by its quote"),
    };
    let mut note = match given {
        Some(_) if stays => None,
        Some(range) => Some(moved(range)),
        None => Some("placed by its quote".to_owned()),
    };
    if found.removed {
        note = Some(
            note.map_or_else(String::new, |note| note + "; ") + "the quoted code is removed by the change",
        );
    }
    let anchor = match given {
        Some(_) if !stays => Anchor::Moved,
        _ if found.removed || file.row(line).is_some_and(|row| row.changed) => Anchor::Changed,
        _ => Anchor::Context,
    };
    Spot { lines: Some(lines), symbol: file.symbol_at(line), anchor, note, code: Some(found.code) }
}

/// By the given lines: the best line of the range decides. Without lines, by the named symbol.
fn by_lines(file: &FileMap<'_>, location: &Location) -> Spot {
    let Some(lines) = location.lines else {
        return by_symbol(file, location.symbol.as_deref());
    };
    let rows = file.rows_in(lines);
    let best: Option<&Row<'_>> = rows.iter().find(|row| row.changed).or_else(|| rows.first());
    let anchor = match best {
        Some(row) if row.changed => Anchor::Changed,
        Some(_) => Anchor::Context,
        None if file.removal_in(lines) => Anchor::Changed,
        None => Anchor::File,
    };
    Spot {
        lines: Some(lines),
        symbol: best.and_then(|row| file.symbol_at(row.line)),
        anchor,
        note: None,
        code: best.map(Row::code),
    }
}

fn by_symbol(file: &FileMap<'_>, name: Option<&str>) -> Spot {
    let row = name.and_then(|name| symbol::find(file, name));
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

fn unchecked(location: &Location, finding: Option<&Finding>) -> Place {
    let code = finding.and_then(|finding| finding.quote.clone());
    let anchor = if location.path.is_empty() { Anchor::Nowhere } else { Anchor::Unchecked };
    Place { code, ..as_given(location, anchor) }
}

/// The change has no such file: `Outside` when the path could be one of the repository, `Nowhere` when it could not.
fn without_file(location: &Location) -> Place {
    match why_no_path(&location.path) {
        None => as_given(location, Anchor::Outside),
        Some(why) => Place { note: Some(why.to_owned()), ..as_given(location, Anchor::Nowhere) },
    }
}

fn as_given(location: &Location, anchor: Anchor) -> Place {
    let placed = anchor != Anchor::Nowhere;
    Place {
        path: Some(location.path.clone()).filter(|_| placed),
        lines: location.lines.filter(|_| placed),
        symbol: location.symbol.clone(),
        anchor,
        note: None,
        code: None,
    }
}

/// Why `path` cannot be inside a repository.
fn why_no_path(path: &str) -> Option<&'static str> {
    let drive = path.as_bytes().get(1) == Some(&b':');
    if path.trim().is_empty() {
        Some("no path given")
    } else if path.starts_with(['/', '\\', '~']) || drive || path.contains("://") {
        Some("the path is not relative to the repository")
    } else if path.split(['/', '\\']).any(|part| part == "..") {
        Some("the path leads out of the repository")
    } else if path.chars().any(char::is_control) {
        Some("the path holds control characters")
    } else {
        None
    }
}
