//! What makes two requests the same: [`Key`], made of a whole [`Request`]; and which requests have none, and why: [`Skip`].
//!
//! Everything counts unless it is listed in `LEFT_OUT`, so a parameter that nobody here has heard of makes another
//! request, never somebody else's answer. Tenant and credential always count. Bodies are compared in the canonical form of
//! RFC 8785: order of members, spaces and ways to write the same text or number make no difference.

use std::fmt;

use http::{HeaderMap, header::CACHE_CONTROL};
use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};

use crate::digest;

/// Headers that do not shape an answer: how this hop is spoken, who speaks and for whom, which is counted otherwise, and
/// names that are new for each request. Those that begin with one of [`LEFT_OUT_FAMILIES`] too.
const LEFT_OUT: &[&str] = &[
    "accept",
    "accept-encoding",
    "accept-language",
    "api-key",
    "authorization",
    "baggage",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "date",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "origin",
    "pragma",
    "priority",
    "proxy-authorization",
    "proxy-connection",
    "referer",
    "request-id",
    "te",
    "trace-id",
    "traceparent",
    "tracestate",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
    "x-api-key",
    "x-client-request-id",
    "x-correlation-id",
    "x-org-id",
    "x-real-ip",
    "x-request-id",
    "x-scrum-coalesce",
    "x-scrum-forwarded",
    "x-scrum-timeout",
];

/// Of proxies, browsers, tracers and the `OpenAI` clients' notes about themselves.
const LEFT_OUT_FAMILIES: &[&str] = &["sec-", "x-amzn-trace-", "x-b3-", "x-forwarded-", "x-stainless-"];

/// Largest whole number up to which every one has a double of its own (RFC 8785 writes all numbers as doubles).
const LARGEST_EXACT: f64 = 9_007_199_254_740_991.0;

/// The name of all requests that may share an answer: 256 bits of a hash over everything that shapes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(pub(super) [u8; 32]);

impl Key {
    /// The hash itself.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// One request, as far as it decides about its answer.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// What the caller proved itself with; empty where nothing is asked for.
    pub credential: &'a [u8],
    /// For whom the caller asks (`x-org-id`); empty where it does not say.
    pub tenant: &'a str,
    /// Who answers.
    pub provider: &'a str,
    /// Method and path, for a thread with its id: its messages need not be in the body then.
    pub route: &'a str,
    /// All headers.
    pub headers: &'a HeaderMap,
    /// As it came.
    pub body: &'a [u8],
}

/// Which requests may be coalesced at all.
#[derive(Debug, Clone, Copy)]
pub struct Switches {
    /// Any (`COALESCE_ENABLED`).
    pub coalesce: bool,
    /// Those answered with a stream (`STREAM_FANOUT_ENABLED`).
    pub streams: bool,
}

/// Why a request is not coalesced. The first reason that holds counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Skip {
    /// Coalescing is off.
    SwitchedOff,
    /// `x-scrum-coalesce: off`: the caller wants a sample of its own.
    OptedOut,
    /// `Cache-Control: no-store`.
    NoStore,
    /// The body is no JSON object that everybody reads alike (RFC 7493): broken, a member twice, a number that a double
    /// does not hold exactly.
    Malformed,
    /// A stream, and streams are off.
    StreamsOff,
    /// Tools or functions are offered: the model may act.
    Tools,
    /// The conversation holds calls of tools, or what they gave.
    ToolMessages,
    /// Something other than text: images, sound, files.
    Attachments,
    /// `store`: each answer is to be kept by the provider under a name of its own.
    Store,
    /// `background`: each call is a job of its own.
    Background,
}

impl Skip {
    /// As metrics name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::SwitchedOff => "switched_off",
            Self::OptedOut => "opted_out",
            Self::NoStore => "no_store",
            Self::Malformed => "malformed",
            Self::StreamsOff => "streams_off",
            Self::Tools => "tools",
            Self::ToolMessages => "tool_messages",
            Self::Attachments => "attachments",
            Self::Store => "store",
            Self::Background => "background",
        }
    }
}

impl Request<'_> {
    /// The request's key, or why it is to be answered alone.
    pub fn key(&self, switches: Switches) -> Result<Key, Skip> {
        if !switches.coalesce {
            return Err(Skip::SwitchedOff);
        }
        refused_by_header(self.headers)?;
        let Strict(body) = serde_json::from_slice(self.body).map_err(|_| Skip::Malformed)?;
        let Value::Object(members) = &body else { return Err(Skip::Malformed) };
        refused_by_body(members, switches)?;
        let canonical = serde_json_canonicalizer::to_vec(&body).map_err(|_| Skip::Malformed)?;
        Ok(self.hash(&canonical))
    }

    fn hash(&self, body: &[u8]) -> Key {
        let mut headers: Vec<(&str, &[u8])> =
            self.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        headers.retain(|(name, _)| counts(name));
        headers.sort_by_key(|(name, _)| *name);
        let mut parts = vec![self.credential, self.tenant.as_bytes(), self.provider.as_bytes()];
        parts.extend([self.route.as_bytes(), body]);
        parts.extend(headers.into_iter().flat_map(|(name, value)| [name.as_bytes(), value]));
        // Each part's length goes before it, so that no part's end can pass for the next one's beginning.
        let lengths: Vec<[u8; 8]> = parts.iter().map(|part| (part.len() as u64).to_be_bytes()).collect();
        let told: Vec<&[u8]> =
            lengths.iter().zip(parts).flat_map(|(length, part)| [length.as_slice(), part]).collect();
        Key(digest::sha256_bytes(&told))
    }
}

fn counts(header: &str) -> bool {
    !LEFT_OUT.contains(&header) && !LEFT_OUT_FAMILIES.iter().any(|family| header.starts_with(family))
}

fn refused_by_header(headers: &HeaderMap) -> Result<(), Skip> {
    let says = |name: &str, word: &str| {
        let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|part| part.trim().eq_ignore_ascii_case(word))
    };
    if says("x-scrum-coalesce", "off") {
        return Err(Skip::OptedOut);
    }
    if says(CACHE_CONTROL.as_str(), "no-store") {
        return Err(Skip::NoStore);
    }
    Ok(())
}

fn refused_by_body(body: &Map<String, Value>, switches: Switches) -> Result<(), Skip> {
    let has = |member: &str| body.get(member).is_some_and(is_something);
    let messages = || body.get("messages").and_then(Value::as_array).into_iter().flatten();
    let reasons = [
        (has("stream") && !switches.streams, Skip::StreamsOff),
        (has("tools") || has("functions"), Skip::Tools),
        (messages().any(is_of_tool), Skip::ToolMessages),
        (has("attachments") || messages().any(has_attachment), Skip::Attachments),
        (has("store"), Skip::Store),
        (has("background"), Skip::Background),
    ];
    reasons.into_iter().find(|(holds, _)| *holds).map_or(Ok(()), |(_, reason)| Err(reason))
}

/// Whether a member says more than if it were left out.
fn is_something(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Array(items) => !items.is_empty(),
        Value::Bool(true) | Value::Number(_) | Value::String(_) | Value::Object(_) => true,
    }
}

fn is_of_tool(message: &Value) -> bool {
    let role = message.get("role").and_then(Value::as_str);
    let calls = ["tool_calls", "function_call", "tool_call_id"];
    matches!(role, Some("tool" | "function"))
        || calls.iter().any(|member| message.get(member).is_some_and(is_something))
}

fn has_attachment(message: &Value) -> bool {
    let parts = message.get("content").and_then(Value::as_array).into_iter().flatten();
    let is_text = |part: &Value| {
        part.is_string() || matches!(part.get("type").and_then(Value::as_str), Some("text" | "refusal"))
    };
    let others = ["attachments", "audio"];
    parts.into_iter().any(|part| !is_text(part))
        || others.iter().any(|member| message.get(member).is_some_and(is_something))
}

/// JSON that everybody reads alike. serde's own `Value` takes the last of two members with one name, and a number near
/// enough; another reader may not.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without repeated members or inexact numbers")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        exact(value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        exact(value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        exact(value)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((name, Strict(value))) = members.next_entry()? {
            if object.insert(name, value).is_some() {
                return Err(A::Error::custom("a member twice"));
            }
        }
        Ok(Value::Object(object))
    }
}

fn exact<E: Error>(number: impl Into<Value>) -> Result<Value, E> {
    let number = number.into();
    if number.as_f64().is_some_and(|number| number.abs() <= LARGEST_EXACT) {
        Ok(number)
    } else {
        Err(E::custom("a number that a double does not hold exactly"))
    }
}

#[cfg(test)]
mod tests;
