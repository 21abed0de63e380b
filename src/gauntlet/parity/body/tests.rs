//! Differences of bodies of every kind.

use proptest::prelude::*;
use regex::Regex;

use super::*;
use crate::gauntlet::parity::{Pointer, Replacement};

const JSON: &str = "application/json; charset=utf-8";

fn found(left: &[u8], right: &[u8], kinds: [&str; 2], rule: &Rule) -> String {
    let body = |bytes, kind| Body { bytes, kind: Some(kind) };
    let found = differences(body(left, kinds[0]), body(right, kinds[1]), &Part::Body, rule);
    let lines: Vec<String> =
        found.iter().map(|one| format!("{} ({})", one.shape.words("A", "B"), one.example)).collect();
    lines.join("\n")
}

fn check(left: &str, right: &str, expect: &str) {
    assert_eq!(
        found(left.as_bytes(), right.as_bytes(), ["", ""], &Rule::default()),
        expect,
        "{left:?} {right:?}"
    );
}

#[test]
fn text_by_line() {
    check("a\nb\n", "a\nb\n", "");
    check("a\nb", "a\nc", "other text, body (line 2: \"b\" against \"c\")");
    check("a\n", "a\nc\n", "other text, body (line 2: the end against \"c\")");
    check("a\r\nb\r\n", "a\nb\n", "same lines, but A ends them with CR LF, body ()");
    check("a\nb\n", "a\nb", "same text, but only A ends it with a line break, body ()");
    check("a\nb\r\n", "a\r\nb\n", "other text, body ()");
    check("\u{feff}a", "a", "A begins with a byte-order mark, body ()");
    check("1.0", "1", "other text, body (line 1: \"1.0\" against \"1\")");
    check(
        "",
        " \n",
        "same text, but only B ends it with a line break, body ()\nother text, body (line 1: \"\" against \" \")",
    );
}

#[test]
fn json_however_it_is_laid_out() {
    check("{\"a\": 1,\n \"b\": [ ]}", "{\"b\":[],\"a\":1}\r\n", "");
    check("\u{feff}{\"a\":1}", "{\"a\":1}", "A begins with a byte-order mark, body ()");
    check("{\"a\":1}", "{\"a\":1,}", "body: A sends JSON, B text (line 1: Trailing commas are not allowed)");
    check("{\"a\":1}", "", "body: A sends JSON, B nothing ()");
    check("{\"a\":1}\n{\"b\":2}\n", "{ \"a\": 1 }\n{\"b\":3}", "other number at /b (2 against 3)");
    check("{\"a\":1}\n{\"b\":2}\n", "{\n\"a\": 1 }", "other number of elements, body (2 against 1 lines)");
    let scalars = |kinds| found(b"1", b"1.50e0", kinds, &Rule::default());
    assert_eq!(scalars([JSON, ""]), "other number, body (1 against 1.50e0)");
    assert_eq!(scalars(["text/plain", ""]), "other text, body (line 1: \"1\" against \"1.50e0\")");
    let lines = found(b"1\n2", b"1\n3", ["application/x-ndjson", ""], &Rule::default());
    assert_eq!(lines, "other number, body (2 against 3)");
}

#[test]
fn bytes_that_are_no_text() {
    let bytes = |left: &[u8], right: &[u8]| found(left, right, [JSON, JSON], &Rule::default());
    assert_eq!(bytes(b"a\xff", b"a\xfe\x00"), "other bytes, body (2 against 3 bytes, the same up to byte 1)");
    assert_eq!(bytes(b"{\"a\":\"\xff\"}", b"{\"a\":1}"), "body: A sends bytes, B JSON ()");
    assert_eq!(bytes(b"\xff\xfe{\x00}\x00", b"{}"), "body: A sends bytes, B JSON ()");
    assert_eq!(bytes(b"\xff", b"\xff"), "");
}

#[test]
fn what_does_not_count_is_not_compared() {
    let pointer = |text| vec![Pointer::read(text).unwrap()];
    let rule = Rule {
        ignore: pointer("/took"),
        mask: pointer("/id"),
        sort: pointer("/tags"),
        replacements: vec![Replacement { pattern: Regex::new("[0-9]{4}").unwrap(), with: "YEAR".to_owned() }],
        ..Rule::default()
    };
    let check = |left: &str, right: &str, expect: &str| {
        assert_eq!(found(left.as_bytes(), right.as_bytes(), ["", ""], &rule), expect, "{left} {right}");
    };
    check(r#"{"id":1,"tags":[1,2],"took":3}"#, r#"{"id":"x","tags":[2,1]}"#, "");
    check(r#"{"id":1}"#, "{}", "/id is missing on B ([masked])");
    check(r#"{"at":"in 2024"}"#, r#"{"at":"in 2026"}"#, "");
    check("in 2024", "in 2026", "");
    check("{\"took\":1}\n{\"took\":2}", "{}\n{\"took\":3}", "");
}

/// Any rule of the kinds that take pointers.
fn rule() -> impl Strategy<Value = Rule> {
    let pointers = || {
        let pointer = prop_oneof![Just(""), Just("/*"), Just("/a"), Just("/b/*"), Just("/*/a"), Just("/a/0")];
        prop::collection::vec(pointer.prop_map(|text| Pointer::read(text).unwrap()), 0..3)
    };
    (pointers(), pointers(), pointers()).prop_map(|(ignore, mask, sort)| Rule {
        ignore,
        mask,
        sort,
        ..Rule::default()
    })
}

proptest! {
    #[test]
    fn a_body_equals_itself(body in any::<Vec<u8>>(), rule in rule()) {
        prop_assert_eq!(found(&body, &body, ["", JSON], &rule), "");
    }

    #[test]
    fn json_equals_itself_with_other_white_space(
        body in "\\{(\"[a-c]\":\\[?(1|\"x\"|null)\\]?)?\\}", rule in rule(),
    ) {
        if Json::read(body.as_bytes()).is_ok() {
            let spaced = format!(" {}\n", body.replace(':', " :\t"));
            prop_assert_eq!(found(body.as_bytes(), spaced.as_bytes(), ["", ""], &rule), "");
        }
    }

    #[test]
    fn whether_bodies_differ_does_not_depend_on_who_comes_first(a in ".{0,20}", b in ".{0,20}", rule in rule()) {
        let differ = |a: &str, b: &str| !found(a.as_bytes(), b.as_bytes(), ["", ""], &rule).is_empty();
        prop_assert_eq!(differ(&a, &b), differ(&b, &a));
        prop_assert_eq!(differ(&a, &b), a != b);
    }

    #[test]
    fn nothing_is_left_to_differ_where_all_is_ignored(a in "[a-c]{1,2}", b in "[a-c]{1,2}", n in any::<i32>()) {
        let rule = Rule { ignore: vec![Pointer::read("/*").unwrap()], ..Rule::default() };
        let (left, right) = (format!("{{\"{a}\":{n}}}"), format!("{{\"{b}\":[\"{n}\"]}}"));
        prop_assert_eq!(found(left.as_bytes(), right.as_bytes(), ["", ""], &rule), "");
    }
}
