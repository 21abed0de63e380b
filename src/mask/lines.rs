//! The lines of a text that may hold credentials: [`Text`], of a file's patch or of a commit's message.
//!
//! [`map`] writes a patch anew with other words in the same lines. Nothing here knows what a credential is.

use std::ops::Range;

use super::{
    Place, Side,
    scan::{Masked, Span},
};
use crate::change::{FilePatch, Hunk, HunkLine, RepoPath};

/// One line, without the diff's sign and line end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'t> {
    /// What its number counts.
    pub(super) side: Side,
    /// 1-based.
    pub(super) number: u32,
    /// The hunk it stands in, counted from 0; lines of several hunks do not follow one another.
    pub(super) hunk: usize,
    pub(super) text: &'t [u8],
}

/// A text and what is masked in it.
pub(super) struct Text<'t> {
    bundle: &'t str,
    /// The file; `None` for a commit's message.
    pub(super) path: Option<&'t RepoPath>,
    pub(super) lines: Vec<Line<'t>>,
    /// By line.
    pub(super) masked: Vec<Masked>,
}

impl<'t> Text<'t> {
    pub(super) fn of_file(bundle: &'t str, file: &'t FilePatch) -> Self {
        let mut lines = Vec::new();
        for (number, text) in (1..).zip(split(&file.header)) {
            if let Some(text) = in_header(text) {
                lines.push(Line { side: Side::Header, number, hunk: 0, text });
            }
        }
        for (hunk, at) in file.hunks.iter().zip(1..) {
            let head = split(&hunk.text).next().unwrap_or_default();
            lines.push(Line { side: Side::Section, number: hunk.new_start, hunk: 0, text: head });
            lines.extend(hunk.lines().map(|line| {
                let (side, number) = numbered(&line);
                Line { side, number, hunk: at, text: without_cr(line.text) }
            }));
        }
        Self { bundle, path: Some(&file.path), masked: vec![Masked::default(); lines.len()], lines }
    }

    pub(super) fn of_message(message: &'t str) -> Self {
        let line = |(number, text)| Line { side: Side::New, number, hunk: 0, text };
        let lines: Vec<_> = (1..).zip(split(message.as_bytes())).map(line).collect();
        Self { bundle: "", path: None, masked: vec![Masked::default(); lines.len()], lines }
    }

    /// What is masked, in the text's order.
    pub(super) fn spans(&self) -> impl Iterator<Item = (&Line<'t>, &Span)> {
        self.lines
            .iter()
            .zip(&self.masked)
            .flat_map(|(line, spans)| spans.spans().map(move |span| (line, span)))
    }

    /// The place of `at` in `line` of a file.
    pub(super) fn place(&self, line: &Line<'_>, at: Range<usize>) -> Place {
        let path = self.path.cloned().unwrap_or_else(|| RepoPath::new(""));
        Place::Line { bundle: self.bundle.to_owned(), path, side: line.side, line: line.number, at }
    }

    /// A message with `markers`, one a span, in place of what is masked.
    pub(super) fn rewritten(&self, mut markers: impl Iterator<Item = String>) -> String {
        let mut out = Vec::new();
        for (line, spans) in self.lines.iter().zip(&self.masked) {
            let words: Vec<String> = markers.by_ref().take(spans.spans().len()).collect();
            let spans = spans.spans().zip(&words).map(|(span, word)| (span.at.clone(), word.as_str()));
            out.extend(replaced(line.text, spans));
            out.push(b'\n');
        }
        String::from_utf8_lossy(&out).trim_end_matches('\n').to_owned()
    }
}

/// Lines without their end.
fn split(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split_inclusive(|byte| *byte == b'\n')
        .map(|line| without_cr(line.strip_suffix(b"\n").unwrap_or(line)))
}

fn without_cr(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// A removed line of a deletion that stands in a header, where a change of kind has one.
fn in_header(line: &[u8]) -> Option<&[u8]> {
    line.strip_prefix(b"-").filter(|_| !line.starts_with(b"--- "))
}

/// `text` with words in place of parts of it, which are in order.
pub(super) fn replaced<'w>(text: &[u8], parts: impl Iterator<Item = (Range<usize>, &'w str)>) -> Vec<u8> {
    let (mut out, mut from) = (Vec::with_capacity(text.len()), 0);
    for (at, word) in parts {
        // A run on disk may have been edited: a part that is not there stays as it is.
        if at.start < from || at.end > text.len() || at.is_empty() {
            continue;
        }
        out.extend_from_slice(&text[from..at.start]);
        out.extend_from_slice(word.as_bytes());
        from = at.end;
    }
    out.extend_from_slice(&text[from..]);
    out
}

/// `file` with each line that can be masked as `words` gives it, by side, number and text.
pub(super) fn map(file: &FilePatch, words: impl Fn(Side, u32, &[u8]) -> Vec<u8>) -> FilePatch {
    let mut header = Vec::with_capacity(file.header.len());
    for (number, raw) in (1..).zip(file.header.split_inclusive(|byte| *byte == b'\n')) {
        if in_header(raw).is_some() {
            push(raw, 1, |text| words(Side::Header, number, text), &mut header);
        } else {
            header.extend_from_slice(raw);
        }
    }
    let hunks = file.hunks.iter().map(|hunk| map_hunk(hunk, &words)).collect();
    FilePatch { header, hunks, ..file.clone() }
}

fn map_hunk(hunk: &Hunk, words: &impl Fn(Side, u32, &[u8]) -> Vec<u8>) -> Hunk {
    let mut text = Vec::with_capacity(hunk.text.len());
    let mut raws = hunk.text.split_inclusive(|byte| *byte == b'\n');
    let head = raws.next().unwrap_or_default();
    push(head, 0, |head| words(Side::Section, hunk.new_start, head), &mut text);
    let mut lines = hunk.lines();
    for raw in raws {
        // `lines` leaves out the remark about a missing line end only.
        let line = if raw.starts_with(b"\\") { None } else { lines.next() };
        if let Some(line) = line {
            let (side, number) = numbered(&line);
            push(raw, 1, |text| words(side, number, text), &mut text);
        } else {
            text.extend_from_slice(raw);
        }
    }
    Hunk { text, ..hunk.clone() }
}

/// `raw` with what stands between its first `sign` bytes and its end as `words` gives it.
fn push(raw: &[u8], sign: usize, words: impl Fn(&[u8]) -> Vec<u8>, out: &mut Vec<u8>) {
    let (sign, line) = raw.split_at(sign.min(raw.len()));
    let text = without_cr(line.strip_suffix(b"\n").unwrap_or(line));
    out.extend_from_slice(sign);
    out.extend(words(text));
    out.extend_from_slice(&line[text.len()..]);
}

fn numbered(line: &HunkLine<'_>) -> (Side, u32) {
    match (line.new, line.old) {
        (Some(new), _) => (Side::New, new),
        (None, old) => (Side::Old, old.unwrap_or_default()),
    }
}
