//! Differences of JSON values, in words.

use proptest::prelude::*;

use super::*;

fn read(text: &str) -> Json<'_> {
    Json::read(text.as_bytes()).unwrap()
}

/// Each difference and its example; remarks in brackets.
fn found(left: &str, right: &str) -> String {
    let found = differences(&read(left), &read(right), &Part::Body, &Rule::default());
    let line = |one: &Difference| {
        let words = one.shape.words("A", "B");
        let line = format!("{words} ({})", one.example);
        if one.shape.is_remark() { format!("[{line}]") } else { line }
    };
    found.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn check(left: &str, right: &str, expect: &str) {
    assert_eq!(found(left, right), expect, "{left} {right}");
}

fn kinds(left: &str, right: &str) -> Vec<Shape> {
    let found = differences(&read(left), &read(right), &Part::Body, &Rule::default());
    found.into_iter().map(|one| one.shape).collect()
}

#[test]
fn plain_differences() {
    check(
        r#"{"a":1,"b":[2]}"#,
        r#"{"b":[2.0e0],"a":1}"#,
        "[same number, written as a whole one on one side only, which a strict reader may refuse at /b/* (2 against 2.0e0)]",
    );
    check(r#"{"a":1}"#, r#"{"a":2}"#, "other number at /a (1 against 2)");
    check(
        r#"{"a":9007199254740993}"#,
        r#"{"a":9007199254740992}"#,
        "other number at /a (9007199254740993 against 9007199254740992)",
    );
    check(r#"{"a":"1"}"#, r#"{"a":1}"#, "other type at /a: A text, B number (\"1\" against 1)");
    check(r#"{"a":1,"b":2}"#, r#"{"a":1}"#, "/b is missing on B (2)");
    check(r#"{"a":1}"#, r#"{"a":1,"b":""}"#, "/b is missing on A (\"\")");
    check(r#"{"a":1,"a":2}"#, r#"{"a":1}"#, "A repeats the key /a (2)");
    check(
        r#"{"a":1,"a":2}"#,
        r#"{"a":1,"a":2}"#,
        "[the key /a is repeated on both sides, and readers differ in which one counts (2 against 2)]",
    );
    check("[1,2]", "[1]", "other number of elements, body (2 against 1)");
    check("[1,2,3]", "[1,3,2]", "same elements in another order, body (element 1: 2 against 3)");
    check(r#"[{"a":1},{"a":2}]"#, r#"[{"a":3},{"a":4}]"#, "other number at /*/a (1 against 3)");
    check(
        r#"{"a":{"b":null}}"#,
        r#"{"a":{"b":false}}"#,
        "other type at /a/b: A null, B boolean (null against false)",
    );
    check(r#"{"ok":true}"#, r#"{"error":"x"}"#, "/error is missing on A (\"x\")\n/ok is missing on B (true)");
}

#[test]
fn the_same_leaves_elsewhere_are_one_difference() {
    check(
        r#"{"a":{"user_id":7,"name":"x"}}"#,
        r#"{"b":{"UserId":7,"Name":"x"}}"#,
        "same leaves, other structure: /a on A is /b on B ({\"a\":{\"name\":\"x\",\"user_id\":7}} against {\"b\":{\"Name\":\"x\",\"UserId\":7}})",
    );
    check(
        r#"{"elapsed_ms":7}"#,
        r#"{"elapsedMs":7}"#,
        "same leaves, other structure: the keys are spelled otherwise ({\"elapsed_ms\":7} against {\"elapsedMs\":7})",
    );
    check(
        r#"{"data":{"id":1,"tags":["a","b"]},"ok":true}"#,
        r#"{"id":1,"tags":["a","b"],"ok":true,"next":null}"#,
        "same leaves, other structure: what A has below /data, B has without it ({\"data\":{\"id\":1,\"tags\":[\"a\",\"b\"]},\"ok\":true} against {\"id\":1,\"next\":null,\"ok\":true,\"tags\":[\"a\",\"b\"]})",
    );
    check(
        r#"{"state":{"Active":{}}}"#,
        r#"{"state":"active"}"#,
        "same leaves, other structure at /state: A sends a tagged enum, whose tag is a key; on B the tag is all there is ({\"Active\":{}} against \"active\")",
    );
    check(
        r#"{"error":{"code":3,"message":"no such file"}}"#,
        r#"{"code":3,"message":"file not found"}"#,
        "same leaves, other structure: what A has below /error, B has without it ({\"error\":{\"code\":3,\"message\":\"no such file\"}} against {\"code\":3,\"message\":\"file not found\"})\n\
         other text at /error/message (\"no such file\" against \"file not found\")",
    );
}

/// The bodies of a service with serde's enums and of one with flat fields.
const ENUM_AGAINST_FLAT: [(&str, &str); 5] = [
    (
        r#"{"Schema":{"field":"fingerprint","reason":"is missing"}}"#,
        r#"{"Field":"fingerprint","Kind":"schema","Reason":"is missing"}"#,
    ),
    (
        r#"{"Schema":{"field":"operation","reason":"got \"sms\""}}"#,
        r#"{"Field":"operation","Kind":"schema","Reason":"got \"sms\""}"#,
    ),
    (
        r#"{"Completeness":{"reason":"must not be empty"}}"#,
        r#"{"Field":"","Kind":"completeness","Reason":"must not be empty"}"#,
    ),
    (
        r#"{"Completeness":{"reason":"3 exceeds 2"}}"#,
        r#"{"Field":"","Kind":"completeness","Reason":"3 exceeds 2"}"#,
    ),
    (
        r#"{"Consistency":{"reason":"no such worker"}}"#,
        r#"{"Field":"","Kind":"consistency","Reason":"no such worker"}"#,
    ),
];

#[test]
fn a_tagged_enum_against_flat_fields_is_one_cause() {
    let shapes: Vec<_> = ENUM_AGAINST_FLAT.iter().map(|(left, right)| kinds(left, right)).collect();
    assert!(shapes.iter().all(|shape| shape.len() == 1 && *shape == shapes[0]), "{shapes:#?}");
    insta::assert_snapshot!(found(ENUM_AGAINST_FLAT[0].0, ENUM_AGAINST_FLAT[0].1), @r#"same leaves, other structure: A sends a tagged enum, whose tag is a key; on B the tag is the value of /Kind beside flat fields ({"Schema":{"field":"fingerprint","reason":"is missing"}} against {"Field":"fingerprint","Kind":"schema","Reason":"is missing"})"#);
    insta::assert_snapshot!(found(ENUM_AGAINST_FLAT[2].1, ENUM_AGAINST_FLAT[2].0), @r#"same leaves, other structure: B sends a tagged enum, whose tag is a key; on A the tag is the value of /Kind beside flat fields ({"Field":"","Kind":"completeness","Reason":"must not be empty"} against {"Completeness":{"reason":"must not be empty"}})"#);
    // Further down, and with what both have, it is the same one at another place.
    let (left, right) = ENUM_AGAINST_FLAT[1];
    let within = |body: &str| format!(r#"{{"id":1,"errors":[{body},{body}]}}"#);
    let deep = kinds(&within(left), &within(right));
    assert_eq!(
        deep.iter().map(|shape| (shape.path.as_str(), &shape.kind)).collect::<Vec<_>>(),
        [("/errors/*", &shapes[0][0].kind)]
    );
}

/// Any JSON, written compactly.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|value| value.to_string()),
        any::<i8>().prop_map(|value| value.to_string()),
        "[1-9][0-9]{0,2}\\.[0-9]{1,2}",
        "[a-c]{0,2}".prop_map(|text| format!("{text:?}")),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        let members = prop::collection::vec(("[a-c]{1,2}", inner.clone()), 0..4);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            members.prop_map(|members| {
                let members: Vec<String> =
                    members.iter().map(|(key, value)| format!("{key:?}:{value}")).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

fn is_same(left: &str, right: &str) -> bool {
    kinds(left, right).iter().all(Shape::is_remark)
}

proptest! {
    #[test]
    fn a_value_equals_itself(text in json()) {
        prop_assert!(is_same(&text, &text));
    }

    #[test]
    fn whether_two_differ_does_not_depend_on_who_comes_first(a in json(), b in json()) {
        let equal = Json::read(a.as_bytes()).unwrap() == Json::read(b.as_bytes()).unwrap();
        prop_assert_eq!(is_same(&a, &b), is_same(&b, &a));
        prop_assert_eq!(is_same(&a, &b), equal);
    }

    #[test]
    fn the_order_of_members_does_not_count(
        members in prop::collection::btree_map("[a-e]{1,3}", json(), 0..5).prop_map(|map| map.into_iter().collect::<Vec<_>>()),
    ) {
        let object = |members: &mut dyn Iterator<Item = &(String, String)>| {
            let members: Vec<String> = members.map(|(key, value)| format!("{key:?}: {value}")).collect();
            format!("{{ {} }}", members.join(" , "))
        };
        prop_assert!(is_same(&object(&mut members.iter()), &object(&mut members.iter().rev())));
    }

    #[test]
    fn the_shape_does_not_depend_on_values(a in any::<u32>(), b in any::<u32>(), c in "[x-z]{1,9}", d in "[x-z]{1,9}") {
        let pair = |number: u32, text: &str| (
            format!(r#"{{"n":{number},"s":{text:?},"gone":1}}"#),
            format!(r#"{{"n":"{number}","s":"not {text}"}}"#),
        );
        let (one, other) = (pair(a, &c), pair(b, &d));
        prop_assert_eq!(kinds(&one.0, &one.1), kinds(&other.0, &other.1));
    }
}
