//! What shares a key and what does not, by example and by property.

use std::fmt::Write;

use http::HeaderName;
use proptest::prelude::*;
use serde_json::json;

use super::*;

const ON: Switches = Switches { coalesce: true, streams: true };
const HELLO: &[u8] = br#"{"model":"m","messages":[{"role":"user","content":"hello"}],"temperature":0.5}"#;

fn request<'a>(headers: &'a HeaderMap, body: &'a [u8]) -> Request<'a> {
    Request { credential: b"key-1", tenant: "org", provider: "p", route: "POST /v1/chat", headers, body }
}

fn key_of(body: &[u8]) -> Result<Key, Skip> {
    request(&HeaderMap::new(), body).key(ON)
}

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
}

#[test]
fn who_asks_whom_and_where_counts() {
    let none = HeaderMap::new();
    let plain = request(&none, HELLO);
    let other = [
        Request { credential: b"key-2", ..plain },
        Request { tenant: "other", ..plain },
        Request { provider: "q", ..plain },
        Request { route: "POST /api/threads/1/messages", ..plain },
        // Nothing can be moved over a border between two parts.
        Request { credential: b"key-1o", tenant: "rg", ..plain },
        Request { tenant: "", provider: "orgp", ..plain },
    ];
    let keys: std::collections::BTreeSet<_> =
        other.iter().chain([&plain]).map(|request| request.key(ON).unwrap()).collect();
    assert_eq!(keys.len(), other.len() + 1);
}

#[test]
fn headers_count_but_for_a_list() {
    let check = |pairs: &[(&'static str, &'static str)], same: bool| {
        let headers = headers(pairs);
        assert_eq!(request(&headers, HELLO).key(ON) == key_of(HELLO), same, "{pairs:?}");
    };
    check(&[("traceparent", "00-1-2-01"), ("x-request-id", "7"), ("user-agent", "curl")], true);
    check(&[("x-stainless-retry-count", "1"), ("x-forwarded-for", "10.0.0.1")], true);
    check(&[("cache-control", "no-cache"), ("x-scrum-coalesce", "on")], true);
    check(&[("idempotency-key", "a")], false);
    check(&[("openai-beta", "x=1")], false);
    check(&[("never-heard-of", "x")], false);
    let two = [headers(&[("idempotency-key", "a")]), headers(&[("idempotency-key", "b")])];
    assert_ne!(request(&two[0], HELLO).key(ON), request(&two[1], HELLO).key(ON));
}

#[test]
fn order_of_headers_makes_no_difference() {
    let two = [headers(&[("a", "1"), ("b", "2")]), headers(&[("b", "2"), ("a", "1")])];
    assert_eq!(request(&two[0], HELLO).key(ON), request(&two[1], HELLO).key(ON));
}

#[test]
fn what_is_not_coalesced() {
    let check = |body: serde_json::Value, expect: Option<Skip>| {
        assert_eq!(key_of(body.to_string().as_bytes()).err(), expect, "{body}");
    };
    check(
        json!({"messages": [{"role": "user", "content": "hi"}], "tools": [], "store": false, "n": 2}),
        None,
    );
    check(json!({"messages": [{"content": [{"type": "text", "text": "hi"}]}], "stream": true}), None);
    check(json!({"tools": [{"type": "function"}]}), Some(Skip::Tools));
    check(json!({"functions": [{"name": "f"}]}), Some(Skip::Tools));
    check(json!({"messages": [{"role": "tool", "content": "4"}]}), Some(Skip::ToolMessages));
    check(json!({"messages": [{"role": "assistant", "tool_calls": [{}]}]}), Some(Skip::ToolMessages));
    check(json!({"messages": [{"content": [{"type": "image_url"}]}]}), Some(Skip::Attachments));
    check(json!({"messages": [{"content": [{"text": "of no type"}]}]}), Some(Skip::Attachments));
    check(json!({"messages": [{"role": "assistant", "audio": {"id": "a"}}]}), Some(Skip::Attachments));
    check(json!({"role": "user", "content": "hi", "attachments": ["f"]}), Some(Skip::Attachments));
    check(json!({"store": true}), Some(Skip::Store));
    check(json!({"background": true}), Some(Skip::Background));
    check(json!([1]), Some(Skip::Malformed));
}

#[test]
fn what_two_readers_may_read_differently_is_passed_on() {
    let check = |body: &str, is_kept: bool| assert_eq!(key_of(body.as_bytes()).is_ok(), is_kept, "{body}");
    check(r#"{"seed":9007199254740991}"#, true);
    check(r#"{"seed":-9007199254740991}"#, true);
    // As doubles these two are one number, and would have shared an answer.
    check(r#"{"seed":9007199254740992}"#, false);
    check(r#"{"seed":9007199254740993}"#, false);
    check(r#"{"seed":-9223372036854775808}"#, false);
    check(r#"{"seed":1e300}"#, false);
    check(r#"{"model":"a","model":"b"}"#, false);
    check(r#"{"x":{"a":1,"\u0061":2}}"#, false);
    check(r#"{"model":"a"} trailing"#, false);
    check(r#"{"model":"\ud800"}"#, false);
    check(r#"{"model":"#, false);
    check("", false);
    check(&format!("{}{}", r#"{"x":"#.repeat(100_000), "}".repeat(100_000)), false);
    assert_eq!(key_of(b"{\"model\":\"\xff\"}"), Err(Skip::Malformed));
}

#[test]
fn switches_and_headers_turn_it_off() {
    let check =
        |switches: Switches, pairs: &[(&'static str, &'static str)], body: &str, expect: Option<Skip>| {
            let headers = headers(pairs);
            assert_eq!(request(&headers, body.as_bytes()).key(switches).err(), expect, "{pairs:?} {body}");
        };
    let no_streams = Switches { streams: false, ..ON };
    check(Switches { coalesce: false, ..ON }, &[], "{}", Some(Skip::SwitchedOff));
    check(no_streams, &[], r#"{"stream":true}"#, Some(Skip::StreamsOff));
    check(no_streams, &[], r#"{"stream":false}"#, None);
    check(ON, &[("x-scrum-coalesce", "Off")], "{}", Some(Skip::OptedOut));
    check(ON, &[("cache-control", "max-age=0, No-Store")], "{}", Some(Skip::NoStore));
    check(ON, &[("x-scrum-coalesce", "off")], "broken", Some(Skip::OptedOut));
}

#[test]
fn stream_and_whole_are_two() {
    assert_ne!(key_of(br#"{"stream":true}"#), key_of(br#"{"stream":false}"#));
}

/// JSON objects with members that nothing knows.
fn bodies() -> impl Strategy<Value = Value> {
    let numbers = (-LARGEST_EXACT..LARGEST_EXACT).prop_map(Value::from);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-(1_i64 << 53) + 1..1 << 53).prop_map(Value::from),
        (-1.0..1.0).prop_map(Value::from),
        numbers,
        any::<String>().prop_map(Value::from),
    ];
    let tree = leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from), object(inner),]
    });
    object(tree)
}

fn object(values: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    prop::collection::btree_map("\\PC{0,3}", values, 0..5)
        .prop_map(|members| members.into_iter().map(|(name, value)| (format!("x{name}"), value)).collect())
}

/// `value` as text, written in one of many ways.
fn written(value: &Value, choices: &mut impl FnMut() -> u8, text: &mut String) {
    let gap = [" ", "\n\t", "", ""][usize::from(choices() % 4)];
    text.push_str(gap);
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_cached_key(|_| choices());
            text.push('{');
            for (at, (name, value)) in members.into_iter().enumerate() {
                text.push_str(if at > 0 { "," } else { "" });
                written_text(name, choices, text);
                text.push(':');
                written(value, choices, text);
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for (at, item) in items.iter().enumerate() {
                text.push_str(if at > 0 { "," } else { "" });
                written(item, choices, text);
            }
            text.push(']');
        }
        Value::String(words) => written_text(words, choices, text),
        Value::Null | Value::Bool(_) | Value::Number(_) => text.push_str(&value.to_string()),
    }
    text.push_str(gap);
}

/// Some characters as they are, some escaped.
fn written_text(words: &str, choices: &mut impl FnMut() -> u8, text: &mut String) {
    text.push('"');
    for letter in words.chars() {
        let is_plain = letter != '"' && letter != '\\' && !letter.is_control();
        if is_plain && choices() < 200 {
            text.push(letter);
            continue;
        }
        for unit in letter.encode_utf16(&mut [0; 2]) {
            write!(text, "\\u{unit:04x}").unwrap();
        }
    }
    text.push('"');
}

/// Changes the value that comes after `skip` others. How many were skipped if there are not as many.
fn change(value: &mut Value, skip: usize) -> Result<(), usize> {
    let mut left = skip;
    let mut within = |inner: &mut Value| change(inner, left).map_err(|fewer| left = fewer).is_ok();
    let found = match value {
        Value::Object(members) => members.values_mut().any(&mut within),
        Value::Array(items) => items.iter_mut().any(&mut within),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    };
    if found {
        return Ok(());
    }
    if left > 0 {
        return Err(left - 1);
    }
    match value {
        Value::Null => *value = Value::Bool(false),
        Value::Bool(yes) => *yes = !*yes,
        Value::Number(number) => {
            let number = number.as_f64().unwrap();
            *value = Value::from(if number > 0.0 { number.next_down() } else { number.next_up() });
        }
        Value::String(text) => text.push('!'),
        Value::Array(items) => items.push(Value::Null),
        Value::Object(members) => {
            members.insert("added".to_owned(), Value::Null);
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn another_way_to_write_it_is_the_same(body in bodies(), bytes in prop::collection::vec(any::<u8>(), 1..200)) {
        let mut cycle = bytes.iter().copied().cycle();
        let mut choices = || cycle.next().unwrap_or_default();
        let mut text = String::new();
        written(&body, &mut choices, &mut text);
        let key = key_of(text.as_bytes());
        prop_assert!(key.is_ok(), "{}", text);
        prop_assert_eq!(key, key_of(body.to_string().as_bytes()), "{}", text);
    }

    #[test]
    fn any_other_value_is_another_request(body in bodies(), at in any::<prop::sample::Index>()) {
        let mut values = 0;
        let mut copy = body.clone();
        while change(&mut copy, values).is_ok() {
            copy = body.clone();
            values += 1;
        }
        let mut changed = body.clone();
        change(&mut changed, at.index(values)).unwrap();
        prop_assert_ne!(key_of(body.to_string().as_bytes()), key_of(changed.to_string().as_bytes()));
    }

    #[test]
    fn no_bytes_make_it_fail(body in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = key_of(&body);
    }
}
