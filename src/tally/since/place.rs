//! Finds the code of an earlier issue in the files under review: [`whereabouts`].
//!
//! Pure: the two versions of the file and their difference are given.

use super::{Earlier, Whereabouts, left::CODE_KEPT};
use crate::{
    anchor::squeeze,
    change::{FilePatch, LineKind},
    finding::LineRange,
};

/// Letters and digits that a line of code needs to be told from others by its text.
const LEAST_TELLING: usize = 4;

/// A file at the last review's head and at the one under review.
#[derive(Debug, Clone, Copy, Default)]
pub struct Versions<'a> {
    /// Then; `None` when that is not at hand.
    pub before: Option<&'a str>,
    /// Now, with its path; `None` when there is no such file.
    pub now: Option<(&'a str, &'a str)>,
    /// What differs between the two; `None` when nothing does or `before` is not at hand.
    pub difference: Option<&'a FilePatch>,
}

/// Where the code of `issue` is now.
///
/// With both versions at hand it is gone when all its lines were taken out or rewritten and, so that a move is none, its line of code
/// stands fewer times in the file than before. With only the new one it is gone when its line of code does not stand there.
pub fn whereabouts(issue: &Earlier, file: Versions<'_>) -> Whereabouts {
    let Some((path, now)) = file.now else { return Whereabouts::Gone };
    let there = |lines| Whereabouts::There { path: path.to_owned(), lines };
    let code = issue.code.as_deref().map(squeeze).filter(|code| is_telling(code));
    let standing = code.as_deref().map(|code| lines_holding(now, code));
    let Some(before) = file.before else {
        return match standing.as_deref() {
            None => Whereabouts::Unknown,
            Some([]) => Whereabouts::Gone,
            Some(found) => there(nearest(found, issue.lines)),
        };
    };
    let moved = issue.lines.map(|lines| mapped(lines, file.difference));
    match (moved, &code, standing.as_deref()) {
        (Some(Some(lines)), ..) => there(Some(lines)),
        (Some(None), Some(code), Some(found)) | (None, Some(code), Some(found)) => {
            let is_moved = !found.is_empty() && found.len() >= lines_holding(before, code).len();
            if is_moved { there(nearest(found, issue.lines)) } else { Whereabouts::Gone }
        }
        (Some(None), ..) => Whereabouts::Gone,
        (None, ..) => there(None),
    }
}

/// Where `lines` of the old side are on the new one, as far as they are still there; `None` when none of them is.
fn mapped(lines: LineRange, difference: Option<&FilePatch>) -> Option<LineRange> {
    let Some(file) = difference else { return Some(lines) };
    let mut kept = (lines.start..=lines.end).filter_map(|line| new_line(line, file));
    let first = kept.next()?;
    Some(LineRange::new(first, kept.last().unwrap_or(first)))
}

fn new_line(line: u32, file: &FilePatch) -> Option<u32> {
    let mut shift = 0_i64;
    for hunk in &file.hunks {
        // A hunk without old lines stands behind the line it names.
        let begins = hunk.old_start + u32::from(hunk.old_lines == 0);
        if line < begins {
            break;
        }
        if line < begins.saturating_add(hunk.old_lines) {
            let own = hunk.lines().find(|one| one.old == Some(line))?;
            return if own.kind == LineKind::Context { own.new } else { None };
        }
        shift += i64::from(hunk.new_lines) - i64::from(hunk.old_lines);
    }
    u32::try_from(i64::from(line) + shift).ok()
}

/// Numbers of the lines that are `code`, which is without blanks.
fn lines_holding(text: &str, code: &str) -> Vec<u32> {
    let is_cut = code.chars().count() >= CODE_KEPT / 2;
    let holds = |line: &str| {
        let line = squeeze(line);
        line == code || (is_cut && line.starts_with(code))
    };
    (1..).zip(text.lines()).filter(|(_, line)| holds(line)).map(|(number, _)| number).collect()
}

fn nearest(found: &[u32], lines: Option<LineRange>) -> Option<LineRange> {
    let from = lines.map_or(0, |lines| lines.start);
    let line = found.iter().copied().min_by_key(|line| line.abs_diff(from))?;
    let more = lines.map_or(0, |lines| lines.end - lines.start);
    Some(LineRange::new(line, line.saturating_add(more)))
}

/// Whether a line says enough to be found by what it says.
fn is_telling(code: &str) -> bool {
    code.chars().filter(|c| c.is_alphanumeric()).take(LEAST_TELLING).count() == LEAST_TELLING
}
