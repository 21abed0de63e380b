//! Findings in a Markdown table: a [`Header`] that names a place and a claim, and rows below it.

use super::{
    draft::{self, bounded},
    label::{self, Label},
    lines, place, severity,
};
use crate::finding::{Finding, LineRange, Location, Reject, Severity};

/// Most columns looked at.
const MOST_COLUMNS: usize = 20;

/// What each column holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    columns: Vec<Option<Label>>,
}

/// The cells of a row, trimmed; `\|` does not part cells.
pub(super) fn cells(raw: &str) -> Vec<&str> {
    let row = raw.trim().trim_start_matches('|');
    let row = row.strip_suffix('|').unwrap_or(row);
    let mut cells = Vec::new();
    let mut start = 0;
    let bytes = row.as_bytes();
    for at in 0..bytes.len() {
        if bytes[at] == b'|' && (at == 0 || bytes[at - 1] != b'\\') && cells.len() < MOST_COLUMNS {
            cells.push(row[start..at].trim());
            start = at + 1;
        }
    }
    cells.push(row[start..].trim());
    cells
}

/// The line below a header: `--- | :---:`.
pub(super) fn is_rule(raw: &str) -> bool {
    raw.contains('|') && raw.contains("--") && raw.chars().all(|c| "-:| \t".contains(c))
}

impl Header {
    /// A header is a row that names a claim.
    pub(super) fn of(cells: &[&str]) -> Option<Self> {
        let columns: Vec<Option<Label>> = cells.iter().map(|cell| label::of_name(cell)).collect();
        let several = columns.len() > 2 || columns.iter().flatten().count() == columns.len();
        let header = Self { columns };
        (several && header.has(&[Label::What, Label::Why, Label::Fix])).then_some(header)
    }

    fn has(&self, wanted: &[Label]) -> bool {
        self.columns.iter().flatten().any(|label| wanted.contains(label))
    }

    /// The finding of a row; `None` for the line below the header, for empty rows, and for rows that say neither lines nor how bad it is:
    /// those list the files of a change. `file` is the one that the text above the table names.
    pub(super) fn finding(
        &self,
        cells: &[&str],
        raw: &str,
        file: Option<&str>,
    ) -> Option<Result<Finding, Reject>> {
        let ruled = cells.iter().all(|cell| cell.chars().all(|c| "-: ".contains(c)));
        let placed = self.has(&[Label::Where, Label::File]) || (file.is_some() && self.has(&[Label::Lines]));
        let graded = self.has(&[Label::Severity, Label::Lines]);
        let precise = || {
            cells.iter().any(|cell| {
                place::whole(cell).iter().any(|place| place.lines.is_some()) || place::within(cell).is_some()
            })
        };
        (!ruled && (placed && graded || precise())).then(|| self.read(cells, raw, file))
    }

    fn read(&self, cells: &[&str], raw: &str, file: Option<&str>) -> Result<Finding, Reject> {
        let text = |wanted: Label| {
            let parts: Vec<&str> = self
                .columns
                .iter()
                .zip(cells)
                .filter(|(label, _)| **label == Some(wanted))
                .map(|(_, cell)| *cell)
                .collect();
            parts.join("\n\n").trim().to_owned()
        };
        let reject =
            |reason: &str| Reject { text: bounded(raw.trim(), 4_000).to_owned(), reason: reason.to_owned() };
        let where_text =
            Some(text(Label::Where)).filter(|cell| !cell.is_empty()).unwrap_or_else(|| text(Label::File));
        let where_text = if where_text.is_empty() { file.unwrap_or_default().to_owned() } else { where_text };
        let mut places = place::whole(&where_text);
        if places.is_empty() {
            places.extend(place::within(&text(Label::What)).map(|(place, _)| place));
        }
        let ranges = lines::only(&text(Label::Lines));
        if let Some(path) =
            places.first().filter(|place| place.lines.is_none()).map(|place| place.path.clone())
        {
            let in_path =
                |lines: &LineRange| Location { path: path.clone(), lines: Some(*lines), symbol: None };
            places.splice(0..usize::from(!ranges.is_empty()), ranges.iter().map(in_path));
        }
        places.extend(place::further(
            &text(Label::Also),
            places.first().map_or("", |place| place.path.as_str()),
        ));
        if places.iter().any(draft::is_example) {
            return Err(reject("copied from the prompt's example"));
        }
        let (what, why, fix) = draft::promoted(text(Label::What), text(Label::Why), text(Label::Fix));
        if what.is_empty() {
            return Err(reject("a table row without a claim"));
        }
        let word = text(Label::Severity);
        let (severity, word) = if word.is_empty() { (Severity::Warn, "") } else { severity::of_value(&word) };
        let mut places = places.into_iter();
        let location: Option<Location> = places.next();
        Ok(Finding {
            severity,
            severity_word: word.to_owned(),
            location,
            also_at: places.collect(),
            quote: Some(text(Label::Quote)).filter(|quote| !quote.is_empty()),
            what,
            why,
            fix,
            retracted: where_text.starts_with("~~"),
            where_text,
        })
    }
}
