//! Finds findings in tags: `<finding severity="high"><file>a.rs</file>…</finding>`: [`read`].
//!
//! Tags and attributes become the keys of `document`. This is no reader of XML: models put raw code between their tags.

use serde_json::{Map, Value};

use super::{
    document::Document,
    label::{self, Label},
};

/// Elements that may be a finding.
const FINDINGS: &[&str] = &[
    "finding",
    "issue",
    "problem",
    "comment",
    "bug",
    "defect",
    "vulnerability",
    "concern",
    "violation",
    "item",
    "review_comment",
    "review-comment",
    "invoke",
];
/// Bytes that may be looked at in vain, as a multiple of the reply's: bounds the work for tags that enclose no finding.
const VAIN_SHARE: usize = 2;
/// Deepest nesting of one finding's parts.
const DEEPEST: usize = 4;

/// Whether a finding's opening tag stands in `text`.
pub(super) fn opens(text: &str) -> bool {
    text.lines().any(|line| {
        let tag = line.trim_start().strip_prefix('<').and_then(|_| next_tag(line, 0));
        tag.is_some_and(|tag| is_finding_name(tag.name) || label::of_name(tag.name) == Some(Label::File))
    })
}

fn is_finding_name(name: &str) -> bool {
    FINDINGS.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// Takes every finding in tags, and a verdict in a tag, into `document`.
pub(super) fn read(text: &str, document: &mut Document) {
    let (mut at, mut vain) = (0, VAIN_SHARE * text.len() + 1_000);
    let mut file: Option<Value> = None;
    while let Some(tag) = next_tag(text, at) {
        at = tag.end;
        match label::of_name(tag.name) {
            _ if is_finding_name(tag.name) => {
                let (inner, end, cut) = element(text, &tag);
                let mut map = members(inner, &tag, 0);
                if !is_finding(&map) {
                    let Some(left) = vain.checked_sub(inner.len()) else { break };
                    vain = left;
                    continue;
                }
                if let Some(file) =
                    file.clone().filter(|_| !names(&map, Label::File) && !names(&map, Label::Where))
                {
                    map.insert("file".to_owned(), file);
                }
                document.cut |= cut;
                document.take(
                    Value::Object(Map::from_iter([(
                        "findings".to_owned(),
                        Value::Array(vec![Value::Object(map)]),
                    )])),
                    tag.start..end,
                );
                at = end;
            }
            Some(Label::Verdict) => {
                let (inner, end, cut) = element(text, &tag);
                // One that is never closed must not hide what follows: it reaches to the end of its line.
                let line = inner.find('\n').filter(|_| cut);
                let (inner, end) = line.map_or((inner, end), |line| (&inner[..line], tag.end + line));
                let member = ("verdict".to_owned(), Value::String(inner.trim().to_owned()));
                document.take(Value::Object(Map::from_iter([member])), tag.start..end);
                at = end;
            }
            Some(Label::File) => {
                file =
                    tag.attributes().find(|(key, _)| matches!(*key, "path" | "name")).map(|(_, value)| value);
            }
            _ => {}
        }
    }
}

/// Two of the parts that every finding has.
fn is_finding(map: &Map<String, Value>) -> bool {
    let parts =
        [&[Label::Severity][..], &[Label::File, Label::Where, Label::Lines], &[Label::What, Label::Why]];
    parts.iter().filter(|labels| labels.iter().any(|label| names(map, *label))).count() >= 2
}

fn names(map: &Map<String, Value>, wanted: Label) -> bool {
    map.keys().any(|key| label::of_name(key) == Some(wanted))
}

/// An opening tag.
struct Tag<'a> {
    name: &'a str,
    /// What stands behind the name.
    rest: &'a str,
    start: usize,
    end: usize,
}

impl<'a> Tag<'a> {
    /// `key="value"` pairs.
    fn attributes(&self) -> impl Iterator<Item = (&'a str, Value)> {
        let mut rest = self.rest;
        std::iter::from_fn(move || {
            let (key, after) = rest.split_once('=')?;
            let after = after.trim_start();
            let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''))?;
            let (value, after) = after[1..].split_once(quote)?;
            rest = after;
            Some((key.trim(), Value::String(decoded(value))))
        })
    }
}

/// Longest tag believed, in bytes.
const LONGEST_TAG: usize = 2_000;

/// The next opening tag at or behind `from`.
fn next_tag(text: &str, from: usize) -> Option<Tag<'_>> {
    let mut at = from;
    loop {
        let start = at + text[at..].find('<')?;
        at = start + 1;
        let inside = &text[at..];
        let named = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-".contains(byte);
        let length = inside.bytes().take(40).take_while(named).count();
        if length == 0 || !inside[length..].starts_with(['>', ' ', '\n', '/']) {
            continue;
        }
        let close = inside.bytes().take(LONGEST_TAG).position(|byte| matches!(byte, b'>' | b'<'));
        if let Some(close) = close.filter(|close| inside.as_bytes()[*close] == b'>') {
            let rest = &inside[length..close];
            return Some(Tag { name: &inside[..length], rest, start, end: at + close + 1 });
        }
    }
}

/// What stands in an element, where it ends, and whether that is the text's end.
fn element<'a>(text: &'a str, tag: &Tag<'_>) -> (&'a str, usize, bool) {
    if tag.rest.ends_with('/') {
        return ("", tag.end, false);
    }
    let inner = &text[tag.end..];
    let mut at = 0;
    while let Some(close) = inner[at..].find("</").map(|close| at + close) {
        at = close + 2;
        let name = inner.get(at..at + tag.name.len()).filter(|name| name.eq_ignore_ascii_case(tag.name));
        if let Some(after) = name.and_then(|name| inner[at + name.len()..].trim_start().strip_prefix('>')) {
            return (&inner[..close], text.len() - after.len(), false);
        }
    }
    (inner, text.len(), true)
}

/// The attributes and labelled elements of an element; text beside them is the claim.
fn members(inner: &str, tag: &Tag<'_>, depth: usize) -> Map<String, Value> {
    let mut map: Map<String, Value> = tag.attributes().map(|(key, value)| (key.to_owned(), value)).collect();
    let (mut at, mut beside) = (0, String::new());
    while let Some(child) = next_tag(inner, at) {
        let given = child
            .attributes()
            .find(|(key, _)| *key == "name")
            .and_then(|(_, value)| value.as_str().map(str::to_owned));
        let name =
            given.filter(|_| label::of_name(child.name).is_none()).unwrap_or_else(|| child.name.to_owned());
        if label::of_name(&name).is_none() {
            beside.push_str(&inner[at..child.end]);
            at = child.end;
            continue;
        }
        beside.push_str(&inner[at..child.start]);
        let (content, end, _) = element(inner, &child);
        let parts = if depth < DEEPEST { members(content, &child, depth + 1) } else { Map::new() };
        let labelled = parts.keys().any(|key| label::of_name(key).is_some() && key != BESIDE);
        let value = if labelled { Value::Object(parts) } else { Value::String(decoded(content)) };
        map.entry(name).or_insert(value);
        at = end;
    }
    beside.push_str(&inner[at..]);
    if !beside.trim().is_empty() {
        map.entry(BESIDE.to_owned()).or_insert_with(|| Value::String(decoded(&beside)));
    }
    map
}

/// The key of the text beside the labelled elements.
const BESIDE: &str = "what";

/// Without the marks of character data, and with the five characters that are written as names.
fn decoded(text: &str) -> String {
    let text = text.trim();
    let text = text.strip_prefix("<![CDATA[").and_then(|text| text.strip_suffix("]]>")).unwrap_or(text);
    if !text.contains('&') {
        return text.trim().to_owned();
    }
    let named = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    named.iter().fold(text.trim().to_owned(), |text, (name, sign)| text.replace(name, sign))
}
