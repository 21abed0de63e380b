//! What of a chat request decides where it goes: [`Outline`]. The rest is passed on unread.

use std::{borrow::Cow, fmt, ops::Range};

use bytes::Bytes;
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// What of a chat request decides where it goes. Of members with one name the last counts, as most servers read them.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Outline {
    /// The model's name.
    pub(super) model: Option<String>,
    /// Where its value stands in the body, with its quotes.
    place: Range<usize>,
    /// Whether the answer is to be a stream.
    pub(super) stream: bool,
    /// Most tokens of the answer.
    pub(super) max_tokens: Option<u64>,
}

impl Outline {
    /// The outline of `body`; `None` if that is no JSON object.
    pub(super) fn of(body: &[u8]) -> Option<Self> {
        let Members { model, stream, max_tokens } = serde_json::from_slice(body).ok()?;
        let place = model.map_or(0..0, |raw| {
            // The value is a part of the body.
            let start = raw.get().as_ptr() as usize - body.as_ptr() as usize;
            start..start + raw.get().len()
        });
        let model = model.and_then(|raw| serde_json::from_str(raw.get()).ok());
        let stream = stream.is_some_and(|raw| raw.get() == "true");
        let max_tokens = max_tokens.and_then(|raw| raw.get().parse().ok());
        Some(Self { model, place, stream, max_tokens })
    }

    /// `body`, of which this is the outline, with `model` for its model; everything else as it is.
    pub(super) fn with_model(&self, body: &Bytes, model: &str) -> Bytes {
        if self.model.as_deref() == Some(model) {
            return body.clone();
        }
        let (before, after) = (&body[..self.place.start], &body[self.place.end..]);
        let name = serde_json::Value::from(model).to_string();
        [before, name.as_bytes(), after].concat().into()
    }
}

struct Members<'a> {
    model: Option<&'a RawValue>,
    stream: Option<&'a RawValue>,
    max_tokens: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a chat request")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
        let mut members = Members { model: None, stream: None, max_tokens: None };
        while let Some(Name(name)) = map.next_key()? {
            let member = match name.as_ref() {
                "model" => &mut members.model,
                "stream" => &mut members.stream,
                "max_tokens" | "max_completion_tokens" => &mut members.max_tokens,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            *member = Some(map.next_value()?);
        }
        Ok(members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_models_name_is_replaced() {
        let check = |body: &'static str, expect: &str| {
            let body = Bytes::from_static(body.as_bytes());
            let outline = Outline::of(&body).unwrap();
            assert_eq!(outline.with_model(&body, "gpt-\"5\""), expect.as_bytes());
        };
        check(r#"{ "model" : "fast","x":1e2, "x":3}"#, r#"{ "model" : "gpt-\"5\"","x":1e2, "x":3}"#);
        check(
            r#"{"a":{"model":"b"},"mod\u0065l":"fast"}"#,
            r#"{"a":{"model":"b"},"mod\u0065l":"gpt-\"5\""}"#,
        );
        check(r#"{"model":"a","model":"b"}"#, r#"{"model":"a","model":"gpt-\"5\""}"#);
        check(r#"{"model":"gpt-\u00225\""}"#, r#"{"model":"gpt-\u00225\""}"#);
    }

    #[test]
    fn outlines() {
        let check = |body: &str, model: Option<&str>, stream: bool, max_tokens: Option<u64>| {
            let outline = Outline::of(body.as_bytes()).unwrap();
            assert_eq!(
                (outline.model.as_deref(), outline.stream, outline.max_tokens),
                (model, stream, max_tokens)
            );
        };
        check(r#"{"model":"m","stream":true,"max_tokens":7}"#, Some("m"), true, Some(7));
        check(r#"{"model":5,"stream":"true","max_tokens":-1}"#, None, false, None);
        check(r#"{"max_completion_tokens":9,"messages":[{"stream":true}]}"#, None, false, Some(9));
        check("{}", None, false, None);
        assert_eq!(Outline::of(b"[]"), None);
        assert_eq!(Outline::of(b"{\"model\":"), None);
    }
}
