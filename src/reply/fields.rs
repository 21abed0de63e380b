//! The fields of one object by their labels, put together to a finding: [`Fields`].
//!
//! Decides nothing about which objects are findings.

use serde_json::{Map, Value};

use super::{
    draft::{self, LONGEST_TEXT, bounded},
    label::{self, Label},
    lines, place, retract, severity, verdict,
};
use crate::finding::{Finding, LAST_LINE, LineRange, Location, Severity, Verdict};

/// Most places taken from one object.
const MOST_PLACES: usize = 50;
/// Deepest nesting of one place or text.
const DEEPEST: usize = 6;

/// What an object says.
#[derive(Debug, Default)]
pub(super) struct Fields {
    /// Our severity and the word given.
    pub severity: Option<(Severity, String)>,
    /// The path, when it comes apart from its lines.
    pub path: Option<String>,
    /// The conclusion.
    pub verdict: Option<Verdict>,
    where_text: String,
    places: Vec<Location>,
    also: Vec<Location>,
    ranges: Vec<LineRange>,
    start: Option<u32>,
    end: Option<u32>,
    symbol: Option<String>,
    quote: Option<String>,
    what: Vec<String>,
    why: Vec<String>,
    fix: Vec<String>,
    retracted: bool,
}

impl Fields {
    /// The fields of `map`.
    pub(super) fn of(map: &Map<String, Value>) -> Self {
        Self::at_depth(map, 0)
    }

    fn at_depth(map: &Map<String, Value>, depth: usize) -> Self {
        let mut fields = Self::default();
        if depth <= DEEPEST {
            for (key, value) in map {
                if let Some(label) = label::of_name(key) {
                    fields.take(label, value, depth);
                }
            }
        }
        fields
    }

    /// Whether it names a place of its own.
    pub(super) fn has_place(&self) -> bool {
        self.path.is_some() || !self.places.is_empty() || !self.where_text.is_empty()
    }

    /// Whether it names lines.
    pub(super) fn has_lines(&self) -> bool {
        self.start.or(self.end).is_some()
            || !self.ranges.is_empty()
            || self.places.iter().any(|place| place.lines.is_some())
    }

    /// Whether it says anything.
    pub(super) fn claims(&self) -> bool {
        !(self.what.is_empty() && self.why.is_empty() && self.fix.is_empty())
    }

    fn take(&mut self, label: Label, value: &Value, depth: usize) {
        let text = scalar(value).filter(|text| !text.is_empty());
        match label {
            Label::Severity => {
                self.severity = text.map(|text| severity_of(value, &text)).or(self.severity.take());
            }
            Label::Where => self.take_where(value, depth),
            Label::Also => self.take_also(value, depth),
            Label::File => self.take_file(value, text, depth),
            Label::Lines => self.take_lines(value, depth),
            Label::Start => self.start = number(value).or(self.start),
            Label::End => self.end = number(value).or(self.end),
            Label::Symbol => self.symbol = text.or(self.symbol.take()),
            Label::Quote => self.quote = text.or(self.quote.take()),
            Label::What => self.what.extend(prose(value)),
            Label::Why => self.why.extend(prose(value)),
            Label::Fix => self.fix.extend(prose(value)),
            Label::Retract | Label::Status => {
                let said = || text.is_some_and(|text| retract::says_so(&text));
                self.retracted |= value.as_bool().unwrap_or_else(said);
            }
            Label::Verdict => self.take_verdict(value, text, depth),
        }
    }

    fn take_verdict(&mut self, value: &Value, text: Option<String>, depth: usize) {
        let inner = value.as_object().and_then(|map| Self::at_depth(map, depth + 1).verdict);
        self.verdict = inner.or_else(|| text.and_then(|text| verdict::of_value(&text))).or(self.verdict);
    }

    /// `{"file": {"path": …}}` and `{"files": ["a.rs", "b.rs"]}` too.
    fn take_file(&mut self, value: &Value, text: Option<String>, depth: usize) {
        match value {
            Value::Object(_) => self.take_where(value, depth),
            Value::Array(items) if items.iter().all(Value::is_string) => self.take_where(value, depth),
            _ => self.path = text.or(self.path.take()),
        }
    }

    fn take_where(&mut self, value: &Value, depth: usize) {
        match value {
            Value::Object(map) => {
                let mut inner = Self::at_depth(map, depth + 1);
                if inner.has_place() {
                    self.places.extend(inner.all_places(None));
                } else {
                    self.ranges.append(&mut inner.ranges);
                    self.start = inner.start.or(self.start);
                    self.end = inner.end.or(self.end);
                }
                self.symbol = inner.symbol.or(self.symbol.take());
            }
            Value::Array(items) => {
                items.iter().take(MOST_PLACES).for_each(|item| self.take_where(item, depth + 1));
            }
            Value::Number(_) => self.take_lines(value, depth),
            _ => {
                let text = scalar(value).unwrap_or_default();
                self.places.extend(place::whole(&text));
                if self.where_text.is_empty() {
                    self.where_text = text;
                }
            }
        }
    }

    fn take_also(&mut self, value: &Value, depth: usize) {
        let mut inner = Self::default();
        match value {
            Value::Array(items) => {
                items.iter().take(MOST_PLACES).for_each(|item| self.take_also(item, depth + 1));
            }
            _ if depth > DEEPEST => {}
            _ => inner.take_where(value, depth),
        }
        if inner.has_place() || inner.has_lines() {
            self.also.extend(inner.all_places(Some("")));
        }
    }

    /// A number, a text (`10-12`), a list of two, or an object with both ends.
    fn take_lines(&mut self, value: &Value, depth: usize) {
        match value {
            Value::Array(items) => match items.iter().take(3).map(number).collect::<Vec<_>>()[..] {
                [Some(start), Some(end)] => self.ranges.extend(range(start, end)),
                [Some(line), ..] => self.ranges.extend(range(line, line)),
                _ => items
                    .iter()
                    .take(MOST_PLACES)
                    .filter_map(scalar)
                    .for_each(|text| self.ranges.extend(lines::only(&text))),
            },
            Value::Object(map) => {
                let inner = Self::at_depth(map, depth + 1);
                self.start = inner.start.or(self.start);
                self.end = inner.end.or(self.end);
                self.ranges.extend(inner.ranges);
            }
            _ => {
                let single = number(value).and_then(|line| range(line, line));
                let read = || lines::only(&scalar(value).unwrap_or_default());
                self.ranges.extend(single.map_or_else(read, |range| vec![range]));
            }
        }
    }

    /// The finding, or why it is none; `path` and `given` are what the objects around it say.
    pub(super) fn finding(
        mut self,
        path: Option<&str>,
        given: Option<(Severity, &str)>,
    ) -> Result<Finding, &'static str> {
        let places = self.all_places(path);
        if places.iter().any(draft::is_example) {
            return Err("copied from the prompt's example");
        }
        let joined = |parts: &[String]| bounded(&parts.join("\n\n"), LONGEST_TEXT).trim().to_owned();
        let (what, why, fix) = draft::promoted(joined(&self.what), joined(&self.why), joined(&self.fix));
        if what.is_empty() {
            return Err("a place without a claim");
        }
        if places.is_empty() && draft::says_nothing(&self.where_text, &what) {
            return Err("says that there is nothing to say");
        }
        let titled = || severity::leading(&what).map(|(severity, word, _)| (severity, word.to_owned()));
        let (severity, severity_word) = self
            .severity
            .or_else(titled)
            .or_else(|| given.map(|(severity, word)| (severity, word.to_owned())))
            .unwrap_or((Severity::Warn, String::new()));
        let mut places = places.into_iter();
        let location = places.next().filter(|place| !place.path.is_empty());
        let where_text = Some(self.where_text)
            .filter(|text| !text.is_empty())
            .unwrap_or_else(|| location.as_ref().map(shown).unwrap_or_default());
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

    /// All places, the main one first. `around` is the path to take when there is no other.
    fn all_places(&mut self, around: Option<&str>) -> Vec<Location> {
        let mut places = std::mem::take(&mut self.places);
        if let Some(path) = &self.path {
            places.splice(0..0, place::of_path(path));
        } else if let Some(path) = around.filter(|_| places.is_empty()) {
            places.push(Location { path: path.to_owned(), ..Location::default() });
        }
        let own = self.start.or(self.end).and_then(|start| range(start, self.end.unwrap_or(start)));
        let mut ranges = own.into_iter().chain(std::mem::take(&mut self.ranges));
        if let Some(first) = places.first_mut() {
            first.lines = first.lines.or_else(|| ranges.next());
            if first.lines.is_none() {
                first.symbol = first.symbol.take().or(self.symbol.take());
            }
            let path = first.path.clone();
            let further = if own.is_some() { 0 } else { MOST_PLACES };
            places.extend(ranges.take(further).map(|lines| Location {
                path: path.clone(),
                lines: Some(lines),
                symbol: None,
            }));
            let also = self.also.drain(..).map(|place| {
                if place.path.is_empty() { Location { path: path.clone(), ..place } } else { place }
            });
            places.extend(also);
            places.truncate(MOST_PLACES);
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
        Value::String(text) => Some(bounded(text.trim(), LONGEST_TEXT).to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(_) | Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Running text: a text, `{"text": …}`, or a list of texts.
fn prose(value: &Value) -> Option<String> {
    let text = match value {
        Value::Object(map) => map.get("text").or_else(|| map.get("markdown")).and_then(scalar)?,
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n"),
        _ => scalar(value)?,
    };
    Some(bounded(&text, LONGEST_TEXT).to_owned()).filter(|text| !text.is_empty())
}

/// A line number, also inside `{"line": 3}`.
fn number(value: &Value) -> Option<u32> {
    match value {
        Value::Number(number) => number.as_u64().and_then(|number| u32::try_from(number).ok()),
        Value::String(text) => text.trim().trim_start_matches(['L', 'l']).parse().ok(),
        Value::Object(map) => map.get("line").and_then(number),
        Value::Null | Value::Bool(_) | Value::Array(_) => None,
    }
    .filter(|line| *line <= LAST_LINE)
}

fn range(start: u32, end: u32) -> Option<LineRange> {
    (start > 0).then(|| LineRange::new(start, if end == 0 { start } else { end }))
}
