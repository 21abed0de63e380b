//! Bodies, whatever they are: [`differences`] tells JSON, JSON lines, text and bytes apart and compares each in its own way.

use super::{
    compare,
    json::{Json, NotJson},
    rule::Rule,
    shape::{Difference, Form, Kind, Part, Shape, Which},
};
use crate::report::words::shortened;

/// UTF-8's byte-order mark.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// Most characters of a line in an example.
const LINE_SHOWN: usize = 100;

/// A body, and what its sender calls it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Body<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) kind: Option<&'a str>,
}

/// A body, read as what it is.
enum Content<'a> {
    Empty,
    Json(Json<'a>),
    Lines(Vec<Json<'a>>),
    Text(&'a str, NotJson),
    Bytes,
}

impl Content<'_> {
    fn form(&self) -> Form {
        match self {
            Self::Empty => Form::Empty,
            Self::Json(_) => Form::Json,
            Self::Lines(_) => Form::JsonLines,
            Self::Text(..) => Form::Text,
            Self::Bytes => Form::Bytes,
        }
    }
}

/// How `right` differs from `left` under `rule`.
pub(super) fn differences(left: Body<'_>, right: Body<'_>, part: &Part, rule: &Rule) -> Vec<Difference> {
    if left.bytes == right.bytes {
        return Vec::new();
    }
    let told = |kind: Kind, example: String| Difference {
        shape: Shape { part: part.clone(), path: String::new(), kind },
        example,
    };
    let (a, b) = (without_mark(left.bytes), without_mark(right.bytes));
    let marked = lone(a.len() < left.bytes.len(), b.len() < right.bytes.len());
    let mut found: Vec<Difference> =
        marked.map(|side| told(Kind::ByteOrderMark { side }, String::new())).into_iter().collect();
    let is_json = says(left.kind, "json") || says(right.kind, "json");
    let is_lines = [left.kind, right.kind]
        .iter()
        .any(|kind| ["ndjson", "jsonl", "json-seq"].iter().any(|word| says(*kind, word)));
    match (read(a, is_json, is_lines), read(b, is_json, is_lines)) {
        (Content::Json(a), Content::Json(b)) => found.extend(json(a, b, part, rule)),
        (Content::Lines(a), Content::Lines(b)) => found.extend(lines(a, b, part, rule)),
        (Content::Lines(a), Content::Json(b)) => found.extend(lines(a, vec![b], part, rule)),
        (Content::Json(a), Content::Lines(b)) => found.extend(lines(vec![a], b, part, rule)),
        (Content::Text(a, _), Content::Text(b, _)) => {
            found.extend(
                texts(&rule.replaced(a), &rule.replaced(b))
                    .into_iter()
                    .map(|(kind, example)| told(kind, example)),
            );
        }
        (Content::Empty, Content::Empty) => {
            let (a, b) = (String::from_utf8_lossy(a), String::from_utf8_lossy(b));
            found.extend(texts(&a, &b).into_iter().map(|(kind, example)| told(kind, example)));
        }
        (Content::Bytes, Content::Bytes) => {
            found.extend((a != b).then(|| told(Kind::Bytes, byte_example(a, b))));
        }
        (a, b) => {
            let example = [&a, &b].into_iter().find_map(|content| match content {
                Content::Text(_, why) => Some(why.to_string()),
                Content::Empty | Content::Json(_) | Content::Lines(_) | Content::Bytes => None,
            });
            found.push(told(Kind::Form { left: a.form(), right: b.form() }, example.unwrap_or_default()));
        }
    }
    found
}

/// Whether `rule` leaves nothing of a body that holds something.
pub(super) fn is_used_up(body: Body<'_>, rule: &Rule) -> bool {
    let is_nothing = |json: &Json| json.is_hollow() || *json == Json::Masked;
    let is_left = |mut json: Json| {
        rule.normalise(&mut json);
        !is_nothing(&json)
    };
    match read(without_mark(body.bytes), says(body.kind, "json"), false) {
        Content::Json(json) => !is_nothing(&json) && !is_left(json),
        Content::Lines(lines) => !lines.iter().all(is_nothing) && !lines.into_iter().any(is_left),
        Content::Text(text, _) => rule.replaced(text).trim().is_empty(),
        Content::Empty | Content::Bytes => false,
    }
}

/// The body for people: JSON laid out with its keys in order, anything else as it is.
pub(super) fn shown(body: Body<'_>) -> String {
    let bytes = without_mark(body.bytes);
    match read(bytes, says(body.kind, "json"), false) {
        Content::Json(json) => json.pretty(),
        Content::Empty | Content::Lines(_) | Content::Text(..) | Content::Bytes => {
            String::from_utf8_lossy(bytes).into_owned()
        }
    }
}

fn says(kind: Option<&str>, word: &str) -> bool {
    kind.is_some_and(|kind| kind.to_ascii_lowercase().contains(word))
}

fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(MARK).unwrap_or(bytes)
}

fn lone(left: bool, right: bool) -> Option<Which> {
    match (left, right) {
        (true, false) => Some(Which::Left),
        (false, true) => Some(Which::Right),
        (true, true) | (false, false) => None,
    }
}

/// A bare number or word counts as JSON only where it is called so.
fn read(bytes: &[u8], is_json: bool, is_lines: bool) -> Content<'_> {
    if bytes.trim_ascii().is_empty() {
        return Content::Empty;
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return Content::Bytes };
    let why = match Json::read(bytes) {
        Ok(json) if is_lines => return Content::Lines(vec![json]),
        Ok(json) if is_json || json.is_container() => return Content::Json(json),
        Ok(_) => NotJson::scalar(),
        Err(error) => error,
    };
    let documents =
        text.lines().filter(|line| !line.trim().is_empty()).map(|line| Json::read(line.as_bytes()));
    match documents.collect::<Result<Vec<_>, _>>() {
        Ok(lines) if is_lines || lines.len() > 1 && lines.iter().all(Json::is_container) => {
            Content::Lines(lines)
        }
        Ok(_) | Err(_) => Content::Text(text, why),
    }
}

fn json(mut left: Json<'_>, mut right: Json<'_>, part: &Part, rule: &Rule) -> Vec<Difference> {
    rule.normalise(&mut left);
    rule.normalise(&mut right);
    compare::differences(&left, &right, part, rule)
}

/// The rule's pointers begin at each line.
fn lines(left: Vec<Json<'_>>, right: Vec<Json<'_>>, part: &Part, rule: &Rule) -> Vec<Difference> {
    let count = (left.len(), right.len());
    let mut found = Vec::new();
    if count.0 != count.1 {
        let shape = Shape { part: part.clone(), path: String::new(), kind: Kind::Length };
        found.push(Difference { shape, example: format!("{} against {} lines", count.0, count.1) });
        return found;
    }
    for (left, right) in left.into_iter().zip(right) {
        for difference in json(left, right, part, rule) {
            if !found.iter().any(|known: &Difference| known.shape == difference.shape) {
                found.push(difference);
            }
        }
    }
    found
}

fn texts(left: &str, right: &str) -> Vec<(Kind, String)> {
    let mut found = Vec::new();
    let (a, b) = (left.replace("\r\n", "\n"), right.replace("\r\n", "\n"));
    if let Some(crlf) = lone(a.len() < left.len(), b.len() < right.len()) {
        found.push((Kind::LineEndings { crlf }, String::new()));
    }
    let (short_a, short_b) = (a.strip_suffix('\n').unwrap_or(&a), b.strip_suffix('\n').unwrap_or(&b));
    if let Some(side) = lone(short_a.len() < a.len(), short_b.len() < b.len()) {
        found.push((Kind::FinalNewline { side }, String::new()));
    }
    if short_a != short_b || found.is_empty() && left != right {
        found.push((Kind::Text, line_example(short_a, short_b)));
    }
    found
}

/// The first line in which two texts differ.
fn line_example(left: &str, right: &str) -> String {
    let (mut a, mut b) = (left.split('\n'), right.split('\n'));
    let mut number = 0;
    loop {
        number += 1;
        match (a.next(), b.next()) {
            (None, None) => return String::new(),
            (a, b) if a == b => {}
            (a, b) => {
                let line = |line: Option<&str>| {
                    line.map_or("the end".to_owned(), |line| format!("{:?}", shortened(line, LINE_SHOWN)))
                };
                return format!("line {number}: {} against {}", line(a), line(b));
            }
        }
    }
}

fn byte_example(left: &[u8], right: &[u8]) -> String {
    let at = left.iter().zip(right).take_while(|(a, b)| a == b).count();
    let is_wide = |bytes: &[u8]| bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff");
    let wide = if is_wide(left) || is_wide(right) { "; UTF-16 is not read as text" } else { "" };
    format!("{} against {} bytes, the same up to byte {at}{wide}", left.len(), right.len())
}

#[cfg(test)]
mod tests;
