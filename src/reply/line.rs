//! Lines of a reply as [`Line`]s: which are prose, which are code or quoted from a diff, and what a line says without its
//! Markdown dress.
//!
//! Only prose may carry structure. It does not know what a label or a place is.

use std::sync::LazyLock;

use super::words::Words;

/// What a line may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing but white space.
    Blank,
    /// In a code fence, or the fence itself.
    Code,
    /// Quoted: a diff line, a block quote, a numbered bundle line.
    Quoted,
    /// A row of a Markdown table.
    Table,
    /// The reviewer's own words.
    Prose,
}

/// One line and where it stands in the text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    /// Without its line ending.
    pub raw: &'a str,
    /// Byte offset of `raw`.
    pub start: usize,
    /// Byte offset just behind the line ending.
    pub end: usize,
    /// Its use.
    pub kind: Kind,
}

/// The lines of a text in order, in one pass and constant memory.
#[derive(Debug, Clone)]
pub(super) struct Lines<'a> {
    text: &'a str,
    at: usize,
    fence: Option<Fence>,
    in_hunk: bool,
    runs_out: bool,
}

#[derive(Debug, Clone, Copy)]
struct Fence {
    mark: u8,
    length: usize,
}

/// How a fence ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FenceEnd {
    /// By its closing line.
    Closed,
    /// Another one is opened inside it: the closing line was forgotten.
    Forgotten,
    /// Not before the end of the text.
    RunsOut,
}

impl<'a> Lines<'a> {
    /// All lines of `text`. A fence that is never closed does not count as one, so it cannot hide what follows.
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0, fence: None, in_hunk: false, runs_out: false }
    }

    /// Whether a code fence was still open at the end of the text; known when all lines were taken.
    pub(super) fn ended_in_fence(&self) -> bool {
        self.runs_out
    }

    /// The next line with anything on it, without moving on.
    pub(super) fn peek_filled(&self) -> Option<Line<'a>> {
        self.clone().find(|line| line.kind != Kind::Blank)
    }

    fn kind(&mut self, raw: &str) -> Kind {
        if let Some(fence) = self.fence {
            if closes(raw, fence) {
                self.fence = None;
            }
            return Kind::Code;
        }
        let Some(fence) = opens(raw) else { return self.outside_fence(raw) };
        match fence_end(&self.text[self.at..], fence) {
            FenceEnd::Closed => self.fence = Some(fence),
            FenceEnd::Forgotten => {}
            FenceEnd::RunsOut => self.runs_out = true,
        }
        Kind::Code
    }

    fn outside_fence(&mut self, raw: &str) -> Kind {
        let trimmed = raw.trim();
        if trimmed.is_empty() {
            self.in_hunk = false;
            return Kind::Blank;
        }
        if raw.starts_with("@@ -") || raw.starts_with("diff --git ") {
            self.in_hunk = true;
        }
        self.in_hunk &= continues_diff(raw);
        match () {
            () if self.in_hunk => Kind::Quoted,
            () if is_row(trimmed) => Kind::Table,
            () if is_quoted(raw) => Kind::Quoted,
            () => Kind::Prose,
        }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let length = rest.find('\n').map_or(rest.len(), |at| at + 1);
        let raw = rest[..length].trim_end_matches(['\n', '\r']);
        let start = self.at;
        self.at += length;
        let kind = self.kind(raw);
        Some(Line { raw, start, end: self.at, kind })
    }
}

/// Longest fence believed: few lengths bound how often a line is looked at by [`fence_end`].
const LONGEST_FENCE: usize = 8;

fn opens(raw: &str) -> Option<Fence> {
    let trimmed = raw.trim_start();
    let trimmed = trimmed.strip_prefix("- ").unwrap_or(trimmed).trim_start();
    let mark = *trimmed.as_bytes().first().filter(|byte| matches!(byte, b'`' | b'~'))?;
    let length = trimmed.bytes().take_while(|byte| *byte == mark).count();
    let info = &trimmed[length..];
    let is_span = mark == b'`' && info.contains('`');
    ((3..=LONGEST_FENCE).contains(&length) && !is_span).then_some(Fence { mark, length })
}

/// Looks ahead, at most to the next fence of the same kind, so that all looks together pass each line a bounded number of times.
fn fence_end(rest: &str, fence: Fence) -> FenceEnd {
    for raw in rest.split('\n') {
        if closes(raw, fence) {
            return FenceEnd::Closed;
        }
        if opens(raw).is_some_and(|inner| inner.mark == fence.mark && inner.length == fence.length) {
            return FenceEnd::Forgotten;
        }
    }
    FenceEnd::RunsOut
}

fn closes(raw: &str, fence: Fence) -> bool {
    let trimmed = raw.trim();
    trimmed.len() >= fence.length && trimmed.bytes().all(|byte| byte == fence.mark)
}

fn continues_diff(raw: &str) -> bool {
    let heads = ["diff --git ", "index ", "new file ", "deleted file ", "similarity ", "rename "];
    raw.starts_with(['+', '-', ' ', '\\', '@']) || heads.iter().any(|head| raw.starts_with(head))
}

/// `| a | b |`: at least two bars, one at each end.
fn is_row(trimmed: &str) -> bool {
    trimmed.len() > 2 && trimmed.starts_with('|') && trimmed.ends_with('|')
}

fn is_quoted(raw: &str) -> bool {
    let indent = indent(raw);
    let bytes = &raw.as_bytes()[indent..];
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    match bytes.first() {
        Some(b'>' | b'|') => true,
        Some(b'+') => indent == 0,
        Some(b'-') if indent == 0 => is_removed_line(&raw[1..]),
        Some(b'0'..=b'9') => bytes[digits..].trim_ascii_start().starts_with(b"|"),
        _ => false,
    }
}

/// Behind a `-` in the first column: a bullet has one to three spaces, a rule and a bold word are no diff either.
fn is_removed_line(rest: &str) -> bool {
    let spaces = rest.bytes().take_while(|byte| *byte == b' ').count();
    let first = rest.trim_start().chars().next();
    spaces > 3 || rest.starts_with('\t') || (spaces == 0 && first.is_some_and(char::is_alphanumeric))
}

/// Width of the leading white space, in bytes.
pub(super) fn indent(raw: &str) -> usize {
    raw.len() - raw.trim_start().len()
}

/// How deep a heading is, by its marks.
pub(super) fn heading_level(raw: &str) -> usize {
    raw.trim_start().bytes().take_while(|byte| *byte == b'#').count()
}

/// How a line is set off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marker {
    /// Not at all.
    None,
    /// A bullet.
    Bullet,
    /// A numbered item, also `Finding 3:`.
    Number,
    /// A heading.
    Heading,
}

/// A line without its Markdown dress.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bare<'a> {
    /// The outermost mark.
    pub marker: Marker,
    /// The words start bold.
    pub bold: bool,
    /// The words are struck through.
    pub struck: bool,
    /// What is left; a suffix of the line.
    pub body: &'a str,
}

/// Takes bullets, numbers, heading marks and an opening bold off `raw`.
pub(super) fn bare(raw: &str) -> Bare<'_> {
    let mut bare = Bare { marker: Marker::None, bold: false, struck: false, body: raw.trim() };
    for _ in 0..6 {
        if let Some(rest) = bare.body.strip_prefix("~~") {
            bare.struck = true;
            bare.body = rest.strip_suffix("~~").unwrap_or(rest);
        }
        let Some((marker, rest)) = one_mark(bare.body) else { break };
        match marker {
            Some(marker) if bare.marker == Marker::None || marker == Marker::Number => bare.marker = marker,
            Some(_) => {}
            None => bare.bold = true,
        }
        bare.body = rest.trim_start();
    }
    bare
}

/// The first mark of `text` (`None` inside: bold) and what follows it.
fn one_mark(text: &str) -> Option<(Option<Marker>, &str)> {
    if let Some(rest) = text.strip_prefix("**").or_else(|| text.strip_prefix("__")) {
        return Some((None, rest));
    }
    let hashes = text.bytes().take_while(|byte| *byte == b'#').count();
    if (1..=6).contains(&hashes) && text[hashes..].starts_with(' ') {
        return Some((Some(Marker::Heading), &text[hashes..]));
    }
    for bullet in ["- ", "* ", "• ", "– ", "· ", "▪ ", "‣ ", "◦ ", "[ ] ", "[x] "] {
        if let Some(rest) = text.strip_prefix(bullet) {
            return Some((Some(Marker::Bullet), rest));
        }
    }
    number(text).map(|rest| (Some(Marker::Number), rest))
}

/// Words that findings are counted with.
const COUNTED: &[&str] = &[
    "finding",
    "issue",
    "problem",
    "bug",
    "comment",
    "item",
    "concern",
    "defect",
    "问题",
    "問題",
    "指摘",
    "发现",
    "문제",
    "befund",
    "fehler",
    "hallazgo",
    "problema",
    "problème",
    "achado",
    "проблема",
    "замечание",
];

static COUNTED_WORDS: LazyLock<Words<()>> =
    LazyLock::new(|| COUNTED.iter().map(|word| (*word, ())).collect());

/// `1.`, `2)`, `(3)`, `#4`, `Finding 5:`, `Issue #6 —`.
fn number(text: &str) -> Option<&str> {
    let word = text.char_indices().take(16).find(|(_, c)| !c.is_alphabetic()).map_or(0, |(at, _)| at);
    let named = word > 0 && COUNTED_WORDS.get(&text[..word]).is_some();
    if word > 0 && !named {
        return None;
    }
    let rest = text[word..].trim_start().trim_start_matches(['(', '#', '[']);
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 || digits > 3 {
        return None;
    }
    let after = &rest[digits..];
    let hash = text.starts_with('#');
    let end = after.trim_start().trim_start_matches(['.', ')', ']', ':', '—', '–', '-']);
    let marked =
        after.starts_with([')', ']']) || after.starts_with(". ") || after.starts_with(".*") || after == ".";
    let loose = named
        && (end.len() < after.trim_start().len()
            || after.is_empty()
            || after.starts_with([' ', '(', '[', '：']));
    let marked = marked || after.starts_with('、');
    let end = end.trim_start_matches(['：', '、']);
    (marked || loose || (hash && after.starts_with([' ', ':', '.']))).then_some(end)
}
