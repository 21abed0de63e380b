//! JSON as it was written: [`Json`] keeps every digit of a number and every repeated key.
//!
//! Texts are borrowed from what was read. Members are ordered by their keys, which have no order in JSON. What is nested too deeply to be anything but an attack is no JSON here.

use std::borrow::Cow;

use json_event_parser::{JsonEvent, SliceJsonParser};

use super::number::Number;

/// Deepest nesting that is read.
const DEEPEST: usize = 200;

/// A JSON value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Json<'a> {
    /// A value that is there and not compared.
    Masked,
    Null,
    Bool(bool),
    Number(Number),
    String(Cow<'a, str>),
    Array(Vec<Json<'a>>),
    /// Ordered by key; those of one key in the order in which they came.
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
}

/// Text that is no JSON, with the 1-based line and the reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub(super) struct NotJson {
    line: u64,
    reason: String,
}

impl NotJson {
    /// A number or a word alone, which nobody called JSON.
    pub(super) fn scalar() -> Self {
        Self { line: 1, reason: "a bare value that is not called JSON".to_owned() }
    }
}

/// An array or object that is not closed yet, with the key that waits for its value.
enum Open<'a> {
    Array(Vec<Json<'a>>),
    Object(Vec<(Cow<'a, str>, Json<'a>)>, Cow<'a, str>),
}

impl<'a> Json<'a> {
    /// Reads one document.
    pub(super) fn read(text: &'a [u8]) -> Result<Self, NotJson> {
        let mut parser = SliceJsonParser::new(text);
        let (mut open, mut root) = (Vec::new(), None);
        loop {
            let event = parser.parse_next().map_err(|error| NotJson {
                line: error.location().start.line + 1,
                reason: error.message().to_owned(),
            })?;
            let value = match event {
                JsonEvent::String(text) => Self::String(text),
                JsonEvent::Number(text) => Self::Number(Number::new(&text)),
                JsonEvent::Boolean(value) => Self::Bool(value),
                JsonEvent::Null => Self::Null,
                JsonEvent::StartArray | JsonEvent::StartObject if open.len() >= DEEPEST => {
                    return Err(NotJson { line: 1, reason: format!("nested more than {DEEPEST} deep") });
                }
                JsonEvent::StartArray => {
                    open.push(Open::Array(Vec::new()));
                    continue;
                }
                JsonEvent::StartObject => {
                    open.push(Open::Object(Vec::new(), Cow::Borrowed("")));
                    continue;
                }
                JsonEvent::ObjectKey(name) => {
                    if let Some(Open::Object(_, key)) = open.last_mut() {
                        *key = name;
                    }
                    continue;
                }
                JsonEvent::EndArray | JsonEvent::EndObject => match open.pop() {
                    Some(closed) => closed.close(),
                    None => continue,
                },
                JsonEvent::Eof => {
                    return root.ok_or_else(|| NotJson { line: 1, reason: "empty".to_owned() });
                }
            };
            match open.last_mut() {
                Some(Open::Array(items)) => items.push(value),
                Some(Open::Object(members, key)) => members.push((std::mem::take(key), value)),
                None => root = Some(value),
            }
        }
    }

    /// Its type in a word.
    pub(super) fn type_word(&self) -> &'static str {
        match self {
            Self::Masked => "masked value",
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Number(_) => "number",
            Self::String(_) => "text",
            Self::Array(_) => "array",
            Self::Object(_) => "object",
        }
    }

    /// An array or an object.
    pub(super) fn is_container(&self) -> bool {
        matches!(self, Self::Array(_) | Self::Object(_))
    }

    /// `null`, `""`, `[]` or `{}`: what many writers leave out.
    pub(super) fn is_hollow(&self) -> bool {
        match self {
            Self::Null => true,
            Self::String(text) => text.is_empty(),
            Self::Array(items) => items.is_empty(),
            Self::Object(members) => members.is_empty(),
            Self::Masked | Self::Bool(_) | Self::Number(_) => false,
        }
    }

    /// On one line.
    pub(super) fn compact(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, None);
        out
    }

    /// On many lines, two spaces a level.
    pub(super) fn pretty(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, Some(0));
        out
    }

    fn write(&self, out: &mut String, indent: Option<usize>) {
        match self {
            Self::Masked => out.push_str("[masked]"),
            Self::Null => out.push_str("null"),
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Number(number) => out.push_str(number.text()),
            Self::String(text) => out.push_str(&quoted(text)),
            Self::Array(items) => {
                let items = items.iter().map(|item| (String::new(), item));
                write_all(out, ['[', ']'], items, indent);
            }
            Self::Object(members) => {
                let colon = if indent.is_some() { ": " } else { ":" };
                let members = members.iter().map(|(key, value)| (quoted(key) + colon, value));
                write_all(out, ['{', '}'], members, indent);
            }
        }
    }
}

impl<'a> Open<'a> {
    fn close(self) -> Json<'a> {
        match self {
            Self::Array(items) => Json::Array(items),
            Self::Object(mut members, _) => {
                members.sort_by(|(a, _), (b, _)| a.cmp(b));
                Json::Object(members)
            }
        }
    }
}

fn write_all<'a>(
    out: &mut String,
    [open, close]: [char; 2],
    parts: impl Iterator<Item = (String, &'a Json<'a>)>,
    indent: Option<usize>,
) {
    let deeper = indent.map(|depth| depth + 1);
    let new_line = |out: &mut String, depth: Option<usize>| {
        if let Some(depth) = depth {
            out.push('\n');
            out.push_str(&"  ".repeat(depth));
        }
    };
    out.push(open);
    let mut is_empty = true;
    for (before, value) in parts {
        if !is_empty {
            out.push(',');
        }
        is_empty = false;
        new_line(out, deeper);
        out.push_str(&before);
        value.write(out, deeper);
    }
    if !is_empty {
        new_line(out, indent);
    }
    out.push(close);
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_was_written_is_lost() {
        let check = |text: &str, expect: &str| {
            let found =
                Json::read(text.as_bytes()).map_or_else(|error| error.to_string(), |json| json.compact());
            assert_eq!(found, expect, "{text}");
        };
        check(r#" {"b": 1, "a": [true, null, "é\u00e9\n"]} "#, r#"{"a":[true,null,"éé\n"],"b":1}"#);
        check("12345678901234567890.10e-2", "12345678901234567890.10e-2");
        check(r#"{"a":1,"b":2,"a":0}"#, r#"{"a":1,"a":0,"b":2}"#);
        check("[]", "[]");
        check("", "line 1: Unexpected end of file, a value was expected");
        check("{\"a\":\n1,}", "line 2: Trailing commas are not allowed");
        check("1 2", "line 1: The JSON already contains one root element");
        check(&"[".repeat(100_000), "line 1: nested more than 200 deep");
        let deep = "[".repeat(200) + &"]".repeat(200);
        check(&deep, &deep);
    }

    #[test]
    fn pretty() {
        let json = Json::read(br#"{"b":{},"a":[1,{"c":"d"}]}"#).unwrap();
        assert_eq!(
            json.pretty(),
            "{\n  \"a\": [\n    1,\n    {\n      \"c\": \"d\"\n    }\n  ],\n  \"b\": {}\n}"
        );
    }
}
