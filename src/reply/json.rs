//! Findings in a reply that is JSON, or holds it: [`read`].
//!
//! Keys are the labels of the text form, in any spelling. A document that was cut off is closed behind its last whole
//! object.

use serde_json::{Map, Value};

use super::{
    block::{MOST_FINDINGS, MOST_REJECTS},
    draft::{self, LONGEST_TEXT, bounded},
    label::{self, Label},
    lines, place, severity, verdict,
};
use crate::finding::{Finding, LineRange, Location, Reject, Severity, Verdict};

/// Brackets tried that open no document.
const MOST_FAILURES: usize = 16;

/// What the JSON in a reply says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Document {
    /// Findings in order.
    pub findings: Vec<Finding>,
    /// Objects that are no usable findings.
    pub rejects: Vec<Reject>,
    /// The last verdict.
    pub verdict: Option<Verdict>,
    /// A document breaks off.
    pub cut: bool,
    left_out: usize,
}

/// Reads every JSON document in `text`; `None` when there is none that says anything.
pub(super) fn read(text: &str) -> Option<Document> {
    let mut document = Document::default();
    let (mut rest, mut failures) = (text, 0);
    while let Some(at) = next_start(rest).filter(|_| failures < MOST_FAILURES) {
        let here = &rest[at..];
        let mut values = serde_json::Deserializer::from_str(here).into_iter::<Value>();
        match values.next() {
            Some(Ok(value)) => {
                document.walk(&value, 0);
                rest = &here[values.byte_offset()..];
            }
            Some(Err(error)) if error.is_eof() => {
                document.cut_off(here);
                break;
            }
            _ => {
                failures += 1;
                rest = &here[1..];
            }
        }
    }
    if document.left_out > 0 {
        let reason = format!("{} more findings or rejects than one reply may have", document.left_out);
        document.rejects.push(Reject { text: String::new(), reason });
    }
    let says = !document.findings.is_empty() || !document.rejects.is_empty() || document.verdict.is_some();
    says.then_some(document)
}

/// Whether `text` looks like nothing but JSON, fence or not.
pub(super) fn opens(text: &str) -> bool {
    let text = text.trim_start();
    let text = text
        .strip_prefix("```")
        .map_or(text, |rest| rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric()).trim_start());
    text.starts_with(['{', '['])
}

/// A bracket at the start of a line.
fn next_start(text: &str) -> Option<usize> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim_start();
        if trimmed.starts_with(['{', '[']) {
            return Some(at + line.len() - trimmed.len());
        }
        at += line.len();
    }
    None
}

impl Document {
    /// Reads what is whole of a document that breaks off.
    fn cut_off(&mut self, text: &str) {
        self.cut = true;
        let (end, closers) = last_whole(text);
        if let Ok(value) = serde_json::from_str::<Value>(&format!("{}{closers}", &text[..end])) {
            self.walk(&value, 0);
        }
        let tail = text[end..].trim_start_matches([',', ' ', '\n', '\r', '\t']);
        if !tail.is_empty() {
            self.reject(tail, "cut off in the middle");
        }
    }

    fn walk(&mut self, value: &Value, depth: usize) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.walk(item, depth + 1)),
            Value::Object(map) => self.object(map, depth),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn object(&mut self, map: &Map<String, Value>, depth: usize) {
        let fields = Fields::of(map);
        if let Some(given) = fields.verdict {
            self.verdict = Some(given);
        }
        let holds_list = map
            .values()
            .any(|value| value.as_array().is_some_and(|items| items.iter().any(Value::is_object)));
        if holds_list || !fields.placed && (depth == 0 || fields.severity.is_none()) {
            map.values().for_each(|value| self.walk(value, depth + 1));
            return;
        }
        match fields.finding() {
            Ok(finding) if self.findings.len() < MOST_FINDINGS => self.findings.push(finding),
            Ok(_) => self.left_out += 1,
            Err(reason) => self.reject(&Value::Object(map.clone()).to_string(), reason),
        }
    }

    fn reject(&mut self, text: &str, reason: &str) {
        if self.rejects.len() < MOST_REJECTS {
            self.rejects.push(Reject { text: bounded(text, 4_000).to_owned(), reason: reason.to_owned() });
        } else {
            self.left_out += 1;
        }
    }
}

/// Where the last whole object in a list ends, and what closes the brackets open there.
fn last_whole(text: &str) -> (usize, String) {
    let mut open: Vec<u8> = Vec::new();
    let (mut in_string, mut escaped) = (false, false);
    let mut best = (0, String::new());
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' => open.push(b'}'),
            b'[' => open.push(b']'),
            b'}' | b']' => {
                open.pop();
                // The depth is bounded by the parser's own limit, so the closers stay short.
                if byte == b'}' && open.last() == Some(&b']') && open.len() <= 128 {
                    best = (at + 1, String::new());
                    best.1.extend(open.iter().rev().map(|closer| char::from(*closer)));
                }
            }
            _ => {}
        }
    }
    best
}

/// The fields of one object by their labels.
#[derive(Debug, Default)]
struct Fields {
    severity: Option<(Severity, String)>,
    where_text: String,
    places: Vec<Location>,
    path: Option<String>,
    ranges: Vec<LineRange>,
    start: Option<u32>,
    end: Option<u32>,
    symbol: Option<String>,
    quote: Option<String>,
    what: Vec<String>,
    why: Vec<String>,
    fix: Vec<String>,
    verdict: Option<Verdict>,
    retracted: bool,
    placed: bool,
}

impl Fields {
    fn of(map: &Map<String, Value>) -> Self {
        let mut fields = Self::default();
        for (key, value) in map {
            if let Some(label) = label::of_name(key) {
                fields.take(label, value);
            }
        }
        fields.placed = fields.path.is_some() || !fields.where_text.is_empty();
        fields
    }

    fn take(&mut self, label: Label, value: &Value) {
        let text = scalar(value);
        match label {
            Label::Severity => {
                self.severity = text.filter(|text| !text.is_empty()).map(|text| severity_of(value, &text));
            }
            Label::Where => self.take_where(value),
            Label::File => self.path = text.filter(|text| !text.is_empty()).or(self.path.take()),
            Label::Lines => self.take_lines(value),
            Label::Start => self.start = number(value).or(self.start),
            Label::End => self.end = number(value).or(self.end),
            Label::Symbol => self.symbol = text.filter(|text| !text.is_empty()),
            Label::Quote => self.quote = text.filter(|text| !text.is_empty()),
            Label::What => self.what.extend(text.filter(|text| !text.is_empty())),
            Label::Why => self.why.extend(text.filter(|text| !text.is_empty())),
            Label::Fix => self.fix.extend(text.filter(|text| !text.is_empty())),
            Label::Retract => self.retracted = value.as_bool().unwrap_or(false),
            Label::Verdict => self.verdict = text.and_then(|text| verdict::of_value(&text)),
        }
    }

    fn take_where(&mut self, value: &Value) {
        match value {
            Value::Object(map) => {
                let inner = Self::of(map);
                self.path = inner.path.or(self.path.take());
                self.ranges.extend(inner.ranges);
                self.start = inner.start.or(self.start);
                self.end = inner.end.or(self.end);
                self.symbol = inner.symbol.or(self.symbol.take());
                self.places.extend(inner.places);
            }
            Value::Array(items) => items.iter().take(20).for_each(|item| self.take_where(item)),
            _ => {
                let text = scalar(value).unwrap_or_default();
                self.places.extend(place::whole(&text));
                if self.where_text.is_empty() {
                    self.where_text = text;
                }
            }
        }
    }

    /// A number, a text (`10-12`), a list of two, or an object with both ends.
    fn take_lines(&mut self, value: &Value) {
        match value {
            Value::Array(items) => match items.iter().map(number).collect::<Vec<_>>()[..] {
                [Some(start), Some(end)] => self.ranges.extend(range(start, end)),
                [Some(line), ..] => self.ranges.extend(range(line, line)),
                _ => {}
            },
            Value::Object(map) => {
                let inner = Self::of(map);
                self.start = inner.start.or(self.start);
                self.end = inner.end.or(self.end);
            }
            _ => {
                let single = number(value).and_then(|line| range(line, line));
                self.ranges.extend(
                    single
                        .map_or_else(|| lines::only(&scalar(value).unwrap_or_default()), |range| vec![range]),
                );
            }
        }
    }

    fn finding(mut self) -> Result<Finding, &'static str> {
        let places = self.all_places();
        if places.iter().any(draft::is_example) {
            return Err("copied from the prompt's example");
        }
        let (what, why, fix) =
            draft::promoted(self.what.join("\n\n"), self.why.join("\n\n"), self.fix.join("\n\n"));
        if what.is_empty() {
            return Err("a place without a claim");
        }
        let titled = severity::leading(&what).map(|(severity, word, _)| (severity, word.to_owned()));
        let (severity, severity_word) = titled
            .filter(|_| self.severity.is_none())
            .or(self.severity)
            .unwrap_or((Severity::Warn, String::new()));
        let mut places = places.into_iter();
        let location = places.next().filter(|place| !place.path.is_empty());
        let where_text = if self.where_text.is_empty() {
            location.as_ref().map(shown).unwrap_or_default()
        } else {
            self.where_text
        };
        Ok(Finding {
            severity,
            severity_word,
            where_text,
            location,
            also_at: places.collect(),
            quote: self.quote,
            what,
            why,
            fix,
            retracted: self.retracted,
        })
    }

    fn all_places(&mut self) -> Vec<Location> {
        let mut places = std::mem::take(&mut self.places);
        if let Some(path) = &self.path {
            places.splice(0..0, place::whole(path));
        }
        let own = self.start.or(self.end).and_then(|start| range(start, self.end.unwrap_or(start)));
        let lines = own.or(self.ranges.first().copied());
        if let Some(first) = places.first_mut() {
            first.lines = first.lines.or(lines);
            if first.lines.is_none() {
                first.symbol = first.symbol.take().or(self.symbol.take());
            }
        }
        places
    }
}

fn shown(place: &Location) -> String {
    match place.lines {
        Some(lines) if lines.start == lines.end => format!("{}:{}", place.path, lines.start),
        Some(lines) => format!("{}:{}-{}", place.path, lines.start, lines.end),
        None => place.path.clone(),
    }
}

/// Numbers on a priority scale are `P0`, `P1` and so on.
fn severity_of(value: &Value, text: &str) -> (Severity, String) {
    let word = if value.is_number() { format!("P{text}") } else { text.to_owned() };
    let (severity, word) = severity::of_value(&word);
    (severity, word.to_owned())
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(bounded(text, LONGEST_TEXT).to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(_) | Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A line number, also inside `{"line": 3}`.
fn number(value: &Value) -> Option<u32> {
    match value {
        Value::Number(number) => number.as_u64().and_then(|number| u32::try_from(number).ok()),
        Value::String(text) => text.trim().parse().ok(),
        Value::Object(map) => map.get("line").and_then(number),
        Value::Null | Value::Bool(_) | Value::Array(_) => None,
    }
}

fn range(start: u32, end: u32) -> Option<LineRange> {
    (start > 0).then(|| LineRange::new(start, if end == 0 { start } else { end }))
}
