//! Reads unified-diff text line by line: [`Lines`], and [`hunk`] for one hunk.
//!
//! Both libgit2's output and diff files from elsewhere go through here, so a hunk means the same everywhere.
//! Nothing here interprets file headers.

use super::error::GitError;
use crate::change::Hunk;

/// A cursor over the lines of a text, each with its newline.
#[derive(Clone)]
pub(super) struct Lines<'a> {
    rest: &'a [u8],
    number: usize,
}

impl<'a> Lines<'a> {
    /// Starts before the first line.
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self { rest: text, number: 1 }
    }

    /// The next line without taking it; empty at the end.
    pub(super) fn peek(&self) -> &'a [u8] {
        let end = memchr_newline(self.rest).map_or(self.rest.len(), |at| at + 1);
        &self.rest[..end]
    }

    /// Everything from the next line on.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// An error at the next line.
    pub(super) fn error(&self, reason: &'static str) -> GitError {
        GitError::BadDiff { line: self.number, reason }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let line = self.peek();
        self.rest = &self.rest[line.len()..];
        self.number += 1;
        (!line.is_empty()).then_some(line)
    }
}

fn memchr_newline(text: &[u8]) -> Option<usize> {
    text.iter().position(|byte| *byte == b'\n')
}

/// The line without its line end, be it `\n` or `\r\n`.
pub(super) fn trimmed(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Takes one hunk whose `@@` line is next. Its line counts decide where it ends, never the lines' look.
pub(super) fn hunk(lines: &mut Lines<'_>) -> Result<Hunk, GitError> {
    let start = lines.rest();
    let [old_start, old_lines, new_start, new_lines] =
        ranges(lines.peek()).ok_or_else(|| lines.error("expected `@@ -LINE,COUNT +LINE,COUNT @@`"))?;
    lines.next();
    let (mut old_left, mut new_left) = (old_lines, new_lines);
    while old_left > 0 || new_left > 0 {
        let (old, new) = match lines.peek().first() {
            Some(b' ' | b'\n' | b'\r') => (1, 1),
            Some(b'-') => (1, 0),
            Some(b'+') => (0, 1),
            Some(b'\\') => (0, 0),
            Some(_) => return Err(lines.error("expected a line of the hunk above, which is too short")),
            None => return Err(lines.error("the text ends in the middle of a hunk")),
        };
        let too_long = || lines.error("the hunk above has more lines than its `@@` line says");
        old_left = old_left.checked_sub(old).ok_or_else(too_long)?;
        new_left = new_left.checked_sub(new).ok_or_else(too_long)?;
        lines.next();
    }
    if lines.peek().starts_with(b"\\") {
        lines.next();
    }
    let mut text = start[..start.len() - lines.rest().len()].to_vec();
    if !text.ends_with(b"\n") {
        text.push(b'\n');
    }
    Ok(Hunk { old_start, old_lines, new_start, new_lines, text })
}

/// Start and count of both sides of an `@@` line; a missing count is 1.
fn ranges(line: &[u8]) -> Option<[u32; 4]> {
    let rest = line.strip_prefix(b"@@ -")?;
    let (old_start, old_lines, rest) = range(rest)?;
    let (new_start, new_lines, rest) = range(rest.strip_prefix(b" +")?)?;
    rest.starts_with(b" @@").then_some([old_start, old_lines, new_start, new_lines])
}

fn range(text: &[u8]) -> Option<(u32, u32, &[u8])> {
    let (start, rest) = number(text)?;
    match rest.strip_prefix(b",") {
        Some(rest) => number(rest).map(|(count, rest)| (start, count, rest)),
        None => Some((start, 1, rest)),
    }
}

fn number(text: &[u8]) -> Option<(u32, &[u8])> {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let digits = std::str::from_utf8(&text[..end]).ok()?;
    Some((digits.parse().ok()?, &text[end..]))
}
