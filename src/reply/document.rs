//! Findings in structured data, from JSON or tags alike: [`Document`].
//!
//! Keys are the labels of the text form, in any spelling, at any depth: findings may stand in lists, below the path of their file, or
//! below the name of their severity. How the data is found in a reply is `json`'s and `tags`' part.

use std::ops::Range;

use serde_json::{Map, Value};

use super::{
    block::{MOST_FINDINGS, MOST_REJECTS},
    draft::bounded,
    fields::Fields,
    label::{self, Label},
    place, severity,
};
use crate::finding::{Finding, Reject, Severity, Verdict};

/// Longest reject kept, in bytes.
const LONGEST_REJECT: usize = 4_000;
/// Texts shorter than this hold no review.
const SHORTEST_REVIEW: usize = 12;

/// What the structured data in a reply says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Document {
    /// Findings in order.
    pub findings: Vec<Finding>,
    /// Objects that are no usable findings.
    pub rejects: Vec<Reject>,
    /// The last verdict.
    pub verdict: Option<Verdict>,
    /// A document breaks off.
    pub cut: bool,
    /// Longer texts in it: a program's own output may hold the review as one.
    pub texts: Vec<String>,
    /// Where the documents stand in the reply, in order.
    pub spans: Vec<Range<usize>>,
    /// Findings and rejects over the bounds.
    pub left_out: usize,
}

/// What an object has from those around it.
#[derive(Debug, Clone, Copy, Default)]
struct Around<'a> {
    path: Option<&'a str>,
    severity: Option<(Severity, &'a str)>,
    inside: bool,
}

impl Document {
    /// Takes in one document that stands at `span`.
    pub(super) fn take(&mut self, value: Value, span: Range<usize>) {
        self.walk(value, Around::default());
        self.spans.push(span);
    }

    /// Nothing more comes. `None` when it says nothing.
    pub(super) fn closed(self) -> Option<Self> {
        let says = !self.findings.is_empty()
            || !self.rejects.is_empty()
            || self.verdict.is_some()
            || !self.texts.is_empty();
        says.then_some(self)
    }

    /// The reply without its documents.
    pub(super) fn outside(&self, text: &str) -> String {
        let mut out = String::new();
        let mut at = 0;
        for span in &self.spans {
            out.push_str(&text[at..span.start]);
            at = span.end;
        }
        out.push_str(&text[at..]);
        out
    }

    fn walk(&mut self, value: Value, around: Around<'_>) {
        match value {
            Value::Array(items) => {
                for item in items {
                    self.walk(item, Around { inside: true, ..around });
                }
            }
            Value::Object(map) => self.object(map, around),
            Value::String(text) if text.len() >= SHORTEST_REVIEW && text.contains([':', '\n']) => {
                self.texts.push(text);
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn object(&mut self, map: Map<String, Value>, around: Around<'_>) {
        let fields = Fields::of(&map);
        self.verdict = fields.verdict.or(self.verdict);
        if !is_finding(&fields, &map, around) {
            self.members(map, fields.path.as_deref(), around);
            return;
        }
        match fields.finding(around.path, around.severity) {
            Ok(finding) if self.findings.len() < MOST_FINDINGS => self.findings.push(finding),
            Ok(_) => self.left_out += 1,
            Err(reason) => self.reject(map, reason),
        }
    }

    /// Looks for findings in the members of an object that is none itself.
    fn members(&mut self, map: Map<String, Value>, path: Option<&str>, around: Around<'_>) {
        for (key, value) in map {
            let named = place::looks_like_path(&key).then_some(key.as_str());
            let given =
                severity::of_section(&key).filter(|_| value.is_array() && label::of_name(&key).is_none());
            let around = Around {
                path: named.or(path).or(around.path),
                severity: given.map(|given| (given, key.as_str())).or(around.severity),
                inside: true,
            };
            self.walk(value, around);
        }
    }

    fn reject(&mut self, map: Map<String, Value>, reason: &str) {
        if self.rejects.len() < MOST_REJECTS {
            let text = bounded(&Value::Object(map).to_string(), LONGEST_REJECT).to_owned();
            self.rejects.push(Reject { text, reason: reason.to_owned() });
        } else {
            self.left_out += 1;
        }
    }
}

/// An object with a place is a finding, and one inside of another that claims something with a severity or below a path; one that holds
/// findings is none.
fn is_finding(fields: &Fields, map: &Map<String, Value>, around: Around<'_>) -> bool {
    let placed = fields.has_place() || fields.has_lines() && fields.claims();
    let below = fields.claims() && (around.path.is_some() || around.severity.is_some());
    let graded = fields.severity.is_some();
    (placed || around.inside && (below || graded))
        && !map.iter().any(|(key, value)| holds_findings(key, value))
}

/// Whether a member is a list of objects that claim something: `"comments": [{"body": …}]`, not `"locations": […]`.
fn holds_findings(key: &str, value: &Value) -> bool {
    let claims = |item: &Value| {
        let map = item.as_object();
        map.is_some_and(|map| Fields::of(map).claims() || map.values().any(Value::is_array))
    };
    let named = label::of_name(key).filter(|_| !key.eq_ignore_ascii_case("files"));
    let place = matches!(named, Some(Label::Where | Label::Also | Label::Lines | Label::Fix));
    !place && value.as_array().is_some_and(|items| items.iter().any(claims))
}
