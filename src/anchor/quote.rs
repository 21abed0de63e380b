//! Finds quoted code in the shown part of a file: [`find`].
//!
//! Exactly, then without regard to blanks, then as part of a line; on the new side before the removed lines.

use super::map::{FileMap, Removed, Row, code, squeeze};
use crate::finding::LineRange;

/// A quote this short (in characters other than blanks) is not looked for inside longer lines.
const SHORTEST_PART: usize = 10;

/// So few of the given lines are looked at before the file is searched.
const FEW_ROWS: usize = 8;

/// Where quoted code stands.
pub(super) struct Found {
    /// New-side line; for removed code the line that took its place.
    pub(super) line: u32,
    /// On the old side only.
    pub(super) removed: bool,
    /// The line's own text.
    pub(super) code: String,
}

/// How well a line fits a quote; the first that fits anywhere wins.
#[derive(Clone, Copy)]
enum Fit {
    Exact,
    Blanks,
    Part,
}

const FITS: [Fit; 3] = [Fit::Exact, Fit::Blanks, Fit::Part];

/// The place of `quote` in `file`: within `given` where it stands there in any way; else, when it is long enough to tell
/// lines apart, within the one of the shown lines of `readings` that holds it; else its only place or the nearest to
/// `given`. Of several places with no line given, the first.
pub(super) fn find(
    file: &FileMap<'_>,
    quote: &str,
    given: Option<LineRange>,
    readings: &[(usize, usize)],
) -> Option<Found> {
    let written = first_line(quote)?;
    let texts = || [Some(written), undecorated(written)].into_iter().flatten();
    let given_rows = given.map(|range| file.rows_in(range)).unwrap_or_default();
    // Most quotes stand where they are said to; a long range is searched like the whole file.
    let close_by: Vec<_> = given_rows.iter().filter(|_| given_rows.len() <= FEW_ROWS).collect();
    texts().find_map(|text| on_new_side(&close_by, text, given)).or_else(|| {
        texts().find_map(|text| {
            let (rows, removed) = file.lines_holding(&squeeze(text));
            let inside: Vec<_> = rows
                .iter()
                .copied()
                .filter(|row| given.is_some_and(|range| range.start <= row.line && row.line <= range.end))
                .collect();
            on_new_side(&inside, text, given)
                .or_else(|| in_readings(file, readings, text))
                .or_else(|| on_new_side(&rows, text, given))
                .or_else(|| on_old_side(&removed, text, given))
        })
    })
}

/// The first line of a quote that has more than blanks.
fn first_line(quote: &str) -> Option<&str> {
    quote.lines().map(str::trim_end).find(|line| !line.trim().is_empty())
}

/// What a quote says of the code, without the diff's own marks.
pub(super) fn telling_line(quote: &str) -> Option<&str> {
    let written = first_line(quote)?;
    Some(undecorated(written).unwrap_or(written))
}

fn on_new_side(rows: &[&Row<'_>], text: &str, given: Option<LineRange>) -> Option<Found> {
    let squeezed = squeeze(text);
    FITS.iter().find_map(|fit| {
        let rows = rows.iter().filter(|row| fits(&row.text, text, &squeezed, *fit));
        let row = nearest(rows, |row| row.line, given)?;
        Some(Found { line: row.line, removed: false, code: row.code() })
    })
}

/// The only shown line of `readings` that holds a quote long enough to tell lines apart.
fn in_readings(file: &FileMap<'_>, readings: &[(usize, usize)], text: &str) -> Option<Found> {
    let squeezed = squeeze(text);
    let holds = |at: &usize| fits(&file.shown[*at].text, text, &squeezed, Fit::Part);
    let mut lines = readings.iter().flat_map(|(first, last)| *first..=*last).filter(holds);
    let only = lines.next().filter(|only| lines.all(|other| other == *only))?;
    let shown = &file.shown[only];
    Some(Found { line: shown.line, removed: shown.removed, code: code(&shown.text) })
}

fn on_old_side(lines: &[&Removed<'_>], text: &str, given: Option<LineRange>) -> Option<Found> {
    let squeezed = squeeze(text);
    FITS.iter().find_map(|fit| {
        let lines = lines.iter().filter(|line| fits(&line.text, text, &squeezed, *fit));
        let line = nearest(lines, |line| line.line, given)?;
        Some(Found { line: line.line, removed: true, code: code(&line.text) })
    })
}

fn nearest<T>(
    candidates: impl Iterator<Item = T>,
    line: impl Fn(&T) -> u32,
    given: Option<LineRange>,
) -> Option<T> {
    candidates.min_by_key(|candidate| {
        let at = line(candidate);
        given.map_or(0, |range| range.gap(LineRange::new(at, at)))
    })
}

fn fits(line: &str, text: &str, squeezed: &str, fit: Fit) -> bool {
    match fit {
        Fit::Exact => line.trim_end() == text,
        Fit::Blanks => same_squeezed(line, squeezed),
        Fit::Part => is_telling(squeezed) && squeeze(line).contains(squeezed),
    }
}

/// Whether `squeezed` is long enough to be told from other code.
pub(super) fn is_telling(squeezed: &str) -> bool {
    squeezed.chars().nth(SHORTEST_PART - 1).is_some()
}

fn same_squeezed(line: &str, squeezed: &str) -> bool {
    line.chars().filter(|c| !c.is_whitespace()).eq(squeezed.chars())
}

/// The quote without what the shown bundle puts before code: a line number column, and the diff's `+` or `-`.
fn undecorated(text: &str) -> Option<&str> {
    let trimmed = text.trim_start();
    let digits = trimmed.trim_start_matches(|c: char| c.is_ascii_digit());
    let bare = digits.strip_prefix('|').map_or(trimmed, str::trim_start);
    let code = bare.strip_prefix(['+', '-']).unwrap_or(bare);
    (code.len() < trimmed.len() && !code.trim().is_empty()).then_some(code)
}
