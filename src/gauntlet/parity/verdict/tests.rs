//! What answers come to.

use super::*;
use crate::gauntlet::parity::{Case, Pointer, Silence, SilenceKind, Written};

fn sides() -> [Side; 2] {
    let side = |name: &str, port: u16| Side {
        name: name.to_owned(),
        address: format!("http://127.0.0.1:{port}"),
        writes: false,
    };
    [side("Rust", 3100), side("Go", 4110)]
}

#[expect(clippy::unnecessary_wraps, reason = "what is heard may be silence")]
fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Heard {
    Ok(Answer {
        status: Status::Http(status),
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        body: body.as_bytes().to_vec(),
        files: Vec::new(),
        stderr: String::new(),
    })
}

fn silence(kind: SilenceKind, words: &str) -> Heard {
    Err(Silence { kind, words: words.to_owned() })
}

fn case(allow_empty: bool) -> Case {
    Case {
        name: "case".to_owned(),
        method: "GET".to_owned(),
        path: String::new(),
        headers: Vec::new(),
        body: None,
        timeout: None,
        allow_empty,
    }
}

/// The verdict, then why, or the shapes of the differences.
fn told(heard: &[Vec<Heard>], rule: &Rule, allow_empty: bool) -> String {
    let compared = judge(&case(allow_empty), &sides(), rule, heard);
    let shapes = compared.differences.iter().map(|(_, one)| one.shape.words("Rust", "Go"));
    let told: Vec<String> =
        [compared.verdict.word().to_owned()].into_iter().chain(compared.reason).chain(shapes).collect();
    told.join(": ")
}

fn check(left: Heard, right: Heard, expect: &str) {
    assert_eq!(told(&[vec![left], vec![right]], &Rule::default(), false), expect);
}

#[test]
fn answers_match_or_differ() {
    check(answer(200, &[], "{}"), answer(200, &[("x", "y")], " {}"), "match");
    check(answer(200, &[], "{}"), answer(201, &[], "{}"), "diff: other status: Rust HTTP 200, Go HTTP 201");
    check(answer(200, &[], "[1]"), answer(200, &[], "[2]"), "diff: other number at /*");
    check(answer(204, &[], ""), answer(204, &[], ""), "match");
    check(answer(500, &[], ""), answer(502, &[], ""), "diff: other status: Rust HTTP 500, Go HTTP 502");
}

#[test]
fn failing_the_same_way_is_no_match() {
    let refused = |words| silence(SilenceKind::Down, words);
    check(
        refused("refused"),
        refused("refused too"),
        "empty: all sides could not be reached: Rust: refused; Go: refused too",
    );
    check(refused("refused"), answer(200, &[], "{}"), "error: Rust: refused");
    check(refused("refused"), silence(SilenceKind::TimedOut, "slow"), "error: Rust: refused; Go: slow");
    let page = || answer(502, &[("content-type", "text/html")], "<p>bad gateway");
    check(page(), page(), "empty: all sides failed with a web page (HTTP 502)");
    check(
        answer(404, &[], ""),
        answer(404, &[], " "),
        "empty: all sides answered with an empty body (HTTP 404)",
    );
    let empty = || vec![answer(404, &[], "")];
    assert_eq!(told(&[empty(), empty()], &Rule::default(), true), "match");
}

#[test]
fn ignoring_everything_does_not_fool_the_guard() {
    let rule = Rule { ignore: vec![Pointer::read("/*").unwrap()], ..Rule::default() };
    let one = |status, body: &str| vec![answer(status, &[], body)];
    let nothing = "empty: the rule leaves nothing of the bodies to compare";
    assert_eq!(told(&[one(200, "{\"a\":1}"), one(200, "{\"b\":2}")], &rule, false), nothing);
    assert_eq!(told(&[one(200, "{\"a\":1}\n{\"a\":2}\n"), one(200, "{}\n{}\n")], &rule, false), "match");
    assert_eq!(
        told(&[one(200, "{\"a\":1}\n{\"a\":2}\n"), one(200, "{\"a\":1}\n{\"b\":2}\n")], &rule, false),
        nothing
    );
    assert_eq!(told(&[one(200, "{\"a\":1}"), one(200, "{\"b\":2}")], &rule, true), "match");
    assert_eq!(told(&[one(200, "{\"a\":1}"), one(200, "{}")], &rule, false), "match");
    assert_eq!(
        told(&[one(500, "oops"), one(500, "oops")], &rule, false),
        "empty: all sides failed without a word of their own (HTTP 500)"
    );
}

#[test]
fn files_that_nobody_wrote_are_no_match() {
    let ended = |status: Status, file: Option<&str>| {
        let files = file.map(|text| Written { name: "out/a".to_owned(), content: text.into() });
        let (body, headers) = (b"done\n".to_vec(), Vec::new());
        vec![Ok(Answer { status, headers, body, files: files.into_iter().collect(), stderr: String::new() })]
    };
    let check = |left, right, expect: &str| {
        let writing = sides().map(|side| Side { writes: true, ..side });
        let compared = judge(&case(false), &writing, &Rule::default(), &[left, right]);
        let told: Vec<&str> =
            [compared.verdict.word()].into_iter().chain(compared.reason.as_deref()).collect();
        assert_eq!(told.join(": "), expect);
    };
    let (fine, killed) = (Status::Exit(0), Status::Signal(11));
    check(ended(fine, None), ended(fine, None), "empty: no side wrote a file of those to compare");
    check(ended(fine, Some("a")), ended(fine, Some("a")), "match");
    check(ended(fine, Some("a")), ended(fine, None), "diff");
    check(ended(killed, Some("a")), ended(killed, Some("a")), "empty: all sides were killed (signal 11)");
}

#[test]
fn who_contradicts_himself_is_not_compared() {
    let same = || vec![answer(200, &[], "[1]"), answer(200, &[], "[1]")];
    let other = vec![answer(200, &[], "[1]"), answer(200, &[], "[2]")];
    let gone = vec![answer(200, &[], "[1]"), silence(SilenceKind::Broken, "connection reset")];
    let told = |right| told(&[same(), right], &Rule::default(), false);
    assert_eq!(told(same()), "match");
    assert_eq!(
        told(other),
        "unstable: Go answers otherwise when asked again: other number at /* (1 against 2)"
    );
    assert_eq!(told(gone), "unstable: Go answers at one time and not at another: connection reset");
}

#[test]
fn headers_where_they_count() {
    let to = |place: &str| vec![answer(302, &[("location", place)], "")];
    let told = |left, right| told(&[left, right], &Rule::default(), false);
    assert_eq!(told(to("http://127.0.0.1:3100/next"), to("http://127.0.0.1:4110/next")), "match");
    assert_eq!(told(to("/next"), to("/other")), "diff: other value at header location");
    let rule = Rule { headers: vec!["content-type".to_owned()], ..Rule::default() };
    let typed = |kind: &str| vec![answer(200, &[("content-type", kind)], "{}")];
    let told = |left, right| super::tests::told(&[left, right], &rule, false);
    assert_eq!(told(typed("a/b"), typed("a/b")), "match");
    assert_eq!(
        told(typed("a/b"), vec![answer(200, &[], "{}")]),
        "diff: header content-type is missing on Go"
    );
}

#[test]
fn files_that_commands_wrote() {
    let wrote = |files: &[(&str, &str)]| {
        let files = files.iter();
        vec![Ok(Answer {
            status: Status::Exit(0),
            headers: Vec::new(),
            body: Vec::new(),
            files: files
                .map(|(name, text)| super::super::Written {
                    name: (*name).to_owned(),
                    content: text.as_bytes().to_vec(),
                })
                .collect(),
            stderr: String::new(),
        })]
    };
    let told = |left, right| told(&[left, right], &Rule::default(), false);
    assert_eq!(told(wrote(&[("a.json", "{\"x\":1}")]), wrote(&[("a.json", "{ \"x\": 1 }")])), "match");
    assert_eq!(
        told(wrote(&[("a.json", "{\"x\":1}")]), wrote(&[("a.json", "{\"x\":2}")])),
        "diff: other number at /x of file a.json"
    );
    assert_eq!(
        told(wrote(&[("a", "1")]), wrote(&[("b", "1")])),
        "diff: file a is missing on Go: file b is missing on Rust"
    );
    assert_eq!(told(wrote(&[]), wrote(&[])), "empty: all sides answered with an empty body (exit 0)");
}
