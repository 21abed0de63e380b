//! Shows a bundle as reviewers see it: each line of a hunk behind its new-side line number.
//!
//! [`numbered`] gives text in which nothing from the diff can start a line of its own, so no line of code can pass
//! for a header, a fence or an instruction's end. It does not change what is written to disk.

use std::{borrow::Cow, fmt::Write, ops::Range};

use super::Bundle;
use crate::{
    change::{FilePatch, Hunk},
    finding::LineRange,
    report::foreign::is_hidden,
};

/// The gutter of a line that the new side does not have.
const BLANK: &str = "      | ";

/// What git starts the lines of a file header with.
const HEADER_WORDS: [&[u8]; 17] = [
    b"diff --git ",
    b"index ",
    b"--- ",
    b"+++ ",
    b"old mode ",
    b"new mode ",
    b"new file mode ",
    b"deleted file mode ",
    b"similarity index ",
    b"dissimilarity index ",
    b"rename from ",
    b"rename to ",
    b"rename old ",
    b"rename new ",
    b"copy from ",
    b"copy to ",
    b"Binary files ",
];

/// `bundle` with six columns of new-side line number before each hunk line, blank for removed lines, then `| ` and
/// the diff line; headers as they are. Bytes that are not UTF-8 become U+FFFD, control and direction-changing
/// characters are spelled `<U+001B>`; the carriage returns of a file whose lines all end in one are left out.
pub fn numbered(bundle: &Bundle) -> String {
    let mut out = String::with_capacity(bundle.byte_len() * 5 / 4);
    for file in &bundle.files {
        show_header(file, &mut out);
        let hide_cr = all_end_in_cr(file);
        file.hunks.iter().for_each(|hunk| show_hunk(hunk, hide_cr, &mut out));
    }
    out
}

/// Longest line of an excerpt, in bytes: a generated line may be a whole file.
const LONGEST_LINE: usize = 1_000;

/// The hunks of the file `path`, which may stand in several of `bundles`, as [`numbered`] shows them: about `most` bytes of
/// lines in a row, with the new-side `lines` in the middle. Empty when no bundle has a hunk of the file.
pub fn excerpt(bundles: &[Bundle], path: &str, lines: Option<LineRange>, most: usize) -> String {
    let files = bundles.iter().flat_map(|bundle| &bundle.files).filter(|file| file.path.to_string() == path);
    let mut hunks: Vec<_> = files.flat_map(|file| file.hunks.iter().map(move |hunk| (hunk, file))).collect();
    hunks.sort_by_key(|(hunk, _)| (hunk.new_start, hunk.old_start));
    let mut all = String::new();
    for (hunk, file) in hunks {
        show_hunk(hunk, all_end_in_cr(file), &mut all);
    }
    let rows: Vec<&str> = all.lines().map(|row| &row[..row.floor_char_boundary(LONGEST_LINE)]).collect();
    let shown = window(&rows, lines, most);
    let left_out = |is_cut: bool| if is_cut { "      (further lines of the change left out)\n" } else { "" };
    let mut out = left_out(shown.start > 0).to_owned();
    out.extend(rows[shown.clone()].iter().flat_map(|row| [row, "\n"]));
    out + left_out(shown.end < rows.len())
}

/// The rows around those of `lines`, as many as `most` bytes hold; from the first one where `lines` are not among them.
fn window(rows: &[&str], lines: Option<LineRange>, most: usize) -> Range<usize> {
    let number = |row: &str| row.split('|').next().and_then(|gutter| gutter.trim().parse::<u32>().ok());
    let is_meant =
        |row: &&str| lines.zip(number(row)).is_some_and(|(lines, n)| lines.start <= n && n <= lines.end);
    let start = rows.iter().position(is_meant).unwrap_or_default();
    let meant = rows[start..].iter().rposition(is_meant).map_or(start, |last| start + last + 1);
    let (mut shown, mut left) = (start..start, most);
    let mut fits = |row: Option<&&str>| {
        let room = row.and_then(|row| left.checked_sub(row.len() + 1));
        left = room.unwrap_or(left);
        room.is_some()
    };
    while shown.end < meant && fits(rows.get(shown.end)) {
        shown.end += 1;
    }
    loop {
        let (up, down) = (shown.start > 0 && fits(rows.get(shown.start - 1)), fits(rows.get(shown.end)));
        shown = shown.start - usize::from(up)..shown.end + usize::from(down);
        if !up && !down {
            return shown;
        }
    }
}

/// The header of a change of kind holds the old file's deletion with its hunk, which is shown as a hunk.
fn show_header(file: &FilePatch, out: &mut String) {
    let mut in_hunk = false;
    for line in lines(&file.header) {
        let is_hunk_line = in_hunk && matches!(line.first(), Some(b'-' | b'\\'));
        in_hunk = is_hunk_line || line.starts_with(b"@@ -");
        let is_header = in_hunk || HEADER_WORDS.iter().any(|word| line.starts_with(word));
        if is_hunk_line || !is_header {
            out.push_str(BLANK);
        }
        push_line(line, out);
    }
}

fn show_hunk(hunk: &Hunk, hide_cr: bool, out: &mut String) {
    let mut number = hunk.new_start;
    for (at, line) in lines(&hunk.text).enumerate() {
        if at == 0 && line.starts_with(b"@@ ") {
            push_line(line, out);
            continue;
        }
        if matches!(line.first(), Some(b'-' | b'\\')) {
            out.push_str(BLANK);
        } else {
            let _ = write!(out, "{number:>6}| ");
            number = number.saturating_add(1);
        }
        push_line(line.strip_suffix(b"\r").filter(|_| hide_cr).unwrap_or(line), out);
    }
}

/// Lines without their newline.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split_inclusive(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\n").unwrap_or(line))
}

/// Whether every line of `file` that is shown ends in a carriage return; the last line of a file may lack it.
fn all_end_in_cr(file: &FilePatch) -> bool {
    let ends = |hunk: &Hunk| {
        let mut rows = lines(&hunk.text).skip(1).peekable();
        std::iter::from_fn(|| {
            let row = rows.next()?;
            let last = rows.peek().is_some_and(|next| next.starts_with(b"\\"));
            Some(last || row.starts_with(b"\\") || row.ends_with(b"\r"))
        })
        .all(|ends| ends)
    };
    !file.hunks.is_empty() && file.hunks.iter().all(ends)
}

fn push_line(line: &[u8], out: &mut String) {
    out.push_str(&harmless(&String::from_utf8_lossy(line)));
    out.push('\n');
}

/// `text` with control characters other than tab, line separators, direction marks and invisible characters spelled out.
pub(crate) fn harmless(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_harmful(c) {
            let _ = write!(out, "<U+{:04X}>", u32::from(c));
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Control characters reach terminals, line separators forge lines, direction marks make code read other than it
/// runs (CVE-2021-42574), and tags spell words that models read and people do not see.
fn is_harmful(c: char) -> bool {
    (c.is_control() && c != '\t') || is_hidden(c)
}
