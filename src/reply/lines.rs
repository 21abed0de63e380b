//! Line numbers as reviewers write them: `:12`, `:12:5`, `#L10-L20`, `(lines 3–5)`, `at line 7`, `L3 to L5`: [`Spec`].
//!
//! Every function looks at a bounded number of characters, so callers may try it at each position.

use crate::finding::{LAST_LINE, LineRange};

/// Most separate line numbers taken from one place (`lines 3, 9 and 20`).
const MOST_SPECS: usize = 20;

/// A line or a range as written; ends may be in the wrong order, and 0 is not a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spec {
    start: u32,
    end: u32,
}

impl Spec {
    /// The range; `None` when it names line 0.
    pub(super) fn range(self) -> Option<LineRange> {
        let (start, end) = if self.end == 0 { (self.start, self.start) } else { (self.start, self.end) };
        (start > 0).then(|| LineRange::new(start, end))
    }
}

/// The lines behind a path, and what follows them.
pub(super) fn after_path(after: &str) -> Option<(Vec<Spec>, &str)> {
    let (opened, numbers) = opener(after)?;
    let (specs, rest) = list(numbers, opened)?;
    let rest = rest.trim_start_matches([']', '`', '*']);
    let rest = if opened == Opener::Parenthesis {
        rest.trim_start().strip_prefix([')', ']']).unwrap_or(rest)
    } else {
        rest
    };
    Some((specs, rest))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opener {
    /// `:12` or `#L12`: commas after it part places, not lines.
    Colon,
    /// `(lines 12`.
    Parenthesis,
    /// `line 12`.
    Word,
}

/// What parts a path from its lines.
fn opener(after: &str) -> Option<(Opener, &str)> {
    let spaced = after.trim_start_matches(['`', '*', '"', ']', '”', '」']);
    if let Some(rest) = spaced.strip_prefix([':', '：', '#', '@']) {
        let rest = rest.trim_start_matches([' ', '*', '`', ':']);
        return Some((Opener::Colon, without_word(rest).unwrap_or(rest)));
    }
    let trimmed = spaced.trim_start();
    if let Some(rest) = trimmed.strip_prefix(['(', '[', '（', '【']) {
        let rest = rest.trim_start();
        let rest = strip_ignoring_case(rest, "at ").unwrap_or(rest).trim_start_matches([':', '*', '`']);
        return Some((Opener::Parenthesis, without_word(rest).unwrap_or(rest)));
    }
    let rest =
        trimmed.trim_start_matches([',', '，', '-', '—', '–', '|', ':', '：', ';', '/', '*']).trim_start();
    let links = [
        "at ", "on ", "around ", "in ", "near ", "的", "à la ", "en la ", "na ", "auf ", "в ", "на ", "の",
        "의",
    ];
    let rest = links.iter().find_map(|link| strip_ignoring_case(rest, link)).unwrap_or(rest);
    let rest = rest.trim_start_matches(['*', ' ']);
    without_word(rest).or_else(|| word_behind(rest)).map(|rest| (Opener::Word, rest))
}

/// `34行目`, `12〜15行`: the word for lines stands behind the numbers.
fn word_behind(text: &str) -> Option<&str> {
    let number = |c: char| c.is_ascii_digit() || "-–〜～~ ".contains(c);
    let end = text.char_indices().take(24).find(|(_, c)| !number(*c)).map(|(at, _)| at)?;
    (text.starts_with(|c: char| c.is_ascii_digit()) && text[end..].starts_with('行')).then_some(text)
}

/// Words for lines, in the languages that label.
const LINE_WORDS: &[&str] = &[
    "line numbers",
    "line number",
    "lines",
    "line",
    "ln",
    "ll",
    "l",
    "zeilen",
    "zeile",
    "líneas",
    "línea",
    "lineas",
    "linea",
    "lignes",
    "ligne",
    "linhas",
    "linha",
    "righe",
    "riga",
    "строках",
    "строки",
    "строке",
    "строка",
    "стр",
    "第",
    "行号",
    "行番号",
    "行",
];

/// Takes `line`, `lines`, `Line:`, `ln.`, `L` off the front of a number; `None` when no such word stands there.
fn without_word(text: &str) -> Option<&str> {
    for word in LINE_WORDS {
        if let Some(rest) = strip_ignoring_case(text, word) {
            let rest = rest.trim_start_matches(['.', ':', '：', '*', ' ', '#', '`', '~', '第']);
            let rest = rest.strip_prefix(['L', 'l']).unwrap_or(rest);
            if rest.starts_with(|c: char| c.is_ascii_digit()) {
                return Some(rest);
            }
        }
    }
    None
}

fn strip_ignoring_case<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let head = text.get(..word.len())?;
    head.eq_ignore_ascii_case(word).then(|| &text[word.len()..])
}

fn list(text: &str, opened: Opener) -> Option<(Vec<Spec>, &str)> {
    let (first, mut rest) = one(text)?;
    let mut specs = vec![first];
    while specs.len() < MOST_SPECS {
        let next = rest.trim_start();
        let marks = [", and ", ", ", ",", "、", "，", "and ", "& ", "und ", "et ", "y ", "e ", "и ", "和"];
        let Some(next) = marks.iter().find_map(|mark| next.strip_prefix(mark)) else { break };
        let next = next.trim_start();
        let Some((spec, after)) = one(without_word(next).unwrap_or(next)) else { break };
        if opened == Opener::Colon && !ends_list(after) {
            break;
        }
        specs.push(spec);
        rest = after;
    }
    if let Some(rest) = rest.trim_start_matches(' ').strip_prefix('行') {
        return Some((specs, rest.trim_start_matches('目')));
    }
    // `file:10th`, `v:1.2.3`: no line numbers.
    let ends = !rest.starts_with(|c: char| c.is_alphanumeric() || c == '/' || c == '_') && !decimal(rest);
    ends.then_some((specs, rest))
}

/// Behind a colon a further number is a line only when nothing else follows.
fn ends_list(after: &str) -> bool {
    let after = after.trim_start_matches(['`', '*']).trim_start();
    after.is_empty() || after.starts_with([',', ';', ')', ']'])
}

fn decimal(rest: &str) -> bool {
    rest.strip_prefix('.').is_some_and(|tail| tail.starts_with(|c: char| c.is_ascii_alphanumeric()))
}

/// `12`, `L12`, `12:5`, `12-14`, `12:5-14:8`, `L12C5 to L14`.
fn one(text: &str) -> Option<(Spec, &str)> {
    let (start, rest) = number(text)?;
    let rest = column(rest);
    match range_mark(rest).and_then(number) {
        Some((end, after)) => Some((Spec { start, end }, column(after))),
        None => Some((Spec { start, end: start }, rest)),
    }
}

fn number(text: &str) -> Option<(u32, &str)> {
    let text = text.trim_start();
    let text = without_word(text).unwrap_or(text);
    let digits = text.bytes().take(11).take_while(u8::is_ascii_digit).count();
    let line = text[..digits].parse().ok().filter(|line| *line <= LAST_LINE)?;
    Some((line, &text[digits..]))
}

fn column(rest: &str) -> &str {
    let Some(tail) = rest.strip_prefix([':', 'C', 'c']) else { return rest };
    let digits = tail.bytes().take(11).take_while(u8::is_ascii_digit).count();
    if digits == 0 { rest } else { &tail[digits..] }
}

/// What joins the ends of a range; the text behind it.
fn range_mark(rest: &str) -> Option<&str> {
    let tight = ["..=", "..", "-", "–", "—", "‐", "‑", "−", "~", "〜", "～"];
    let trimmed = rest.trim_start();
    let words =
        ["to ", "through ", "until ", "and line ", "bis ", "à ", "au ", "al ", "до ", "по ", "至", "到"];
    let mark = tight
        .iter()
        .find_map(|mark| trimmed.strip_prefix(mark))
        .filter(|_| trimmed.len() == rest.len() || spaced_range(trimmed));
    mark.or_else(|| {
        words
            .iter()
            .find_map(|word| strip_ignoring_case(trimmed, word).or_else(|| trimmed.strip_prefix(word)))
    })
}

/// ` - 12` is a range only when nothing but digits follow: ` - 2 locks are taken` is a remark.
fn spaced_range(trimmed: &str) -> bool {
    let tail = trimmed.trim_start_matches(|c: char| !c.is_alphanumeric());
    let tail = tail.strip_prefix(['L', 'l']).unwrap_or(tail);
    let after = tail.trim_start_matches(|c: char| c.is_ascii_digit());
    tail.len() > after.len() && !after.trim_start().starts_with(char::is_alphabetic)
}

/// `on lines 3-5 of `: lines that stand before their path at the end of `before`.
pub(super) fn before_path(before: &str) -> Option<Spec> {
    let tail_start = before.char_indices().rev().nth(40).map_or(0, |(at, _)| at);
    let tail = before[tail_start..].trim_end_matches(['`', '*', ' ', '"', '(', '[']);
    let tail = tail
        .strip_suffix(" of")
        .or_else(|| tail.strip_suffix(" in"))
        .or_else(|| tail.strip_suffix(" from"))?;
    let at = tail.to_ascii_lowercase().rfind("line")?;
    let (spec, rest) = one(without_word(&tail[at..])?)?;
    rest.trim().is_empty().then_some(spec)
}

/// `line 42 of `, `lines 3-5 in `: lines before the path they are in, and what follows.
pub(super) fn ahead_of_path(text: &str) -> Option<(Spec, &str)> {
    let (spec, rest) = one(without_word(text)?)?;
    let rest = rest.trim_start();
    let links = ["of file ", "in file ", "of ", "in ", "from ", "von ", "de ", "du ", "di ", "в ", "файла "];
    links.iter().find_map(|link| strip_ignoring_case(rest, link)).map(|rest| (spec, rest.trim_start()))
}

/// Lines at the start of a text that has no path: `Line 42: …`, `L3-L5`, `42-45`.
pub(super) fn alone(body: &str) -> Option<(LineRange, &str)> {
    let body = body.trim_start_matches(['(', '[', '`', '*', ':']);
    let body = strip_ignoring_case(body, "around ").unwrap_or(body);
    let (spec, rest) = one(without_word(body)?)?;
    let rest = rest.trim_start_matches(' ').strip_prefix('行').unwrap_or(rest);
    let rest = rest.trim_start_matches([')', ']', '`', '*']);
    let set_off =
        rest.trim().is_empty() || rest.trim_start().starts_with([':', '：', '—', '–', '-', ',', '.', '(']);
    spec.range().filter(|_| set_off).map(|range| (range, rest))
}

/// A text that is nothing but line numbers, as behind `Line:`.
pub(super) fn only(text: &str) -> Vec<LineRange> {
    let text = text.trim().trim_matches(['`', '*', '(', ')', '[', ']', '#', '"', ':', '~']).trim();
    let bare = without_word(text).unwrap_or(text);
    let Some((specs, rest)) = list(bare, Opener::Word) else { return Vec::new() };
    let remark = rest.trim_start();
    if !remark.is_empty() && !remark.starts_with(['(', '（', '—', '–', '-', ',', '`', '*', '.', ')']) {
        return Vec::new();
    }
    specs.into_iter().filter_map(Spec::range).collect()
}
