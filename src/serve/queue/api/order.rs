//! Reads what callers want done: [`read`] takes a body apart, [`task`] says what of it can be done at all.
//!
//! All of it was written by strangers and may come to stand in a command: no text begins with `-`, holds a control character or
//! is long. Which repositories there are is not known here.

use http::StatusCode;
use serde_json::{Map, Value};
use url::Url;

use crate::{
    config,
    job::{Kind, Source, Task, wire::Order},
    provider::relay::Problem,
    report::foreign::is_hidden,
};

/// Most characters of the texts of an [`Order`]; its schema says the same.
const LONGEST: [(&str, usize); 6] =
    [("repo", 1024), ("range", 512), ("panel", 128), ("file", 512), ("pull", 1024), ("dedupe_key", 200)];
/// Longest no-op, in milliseconds.
const LONGEST_WORK: u64 = 3_600_000;
/// Longest attempt that may be asked for, in seconds.
const LONGEST_ATTEMPT: u32 = 86_400;
/// The keys of an [`Order`].
const KEYS: [&str; 12] = [
    "kind",
    "repo",
    "range",
    "panel",
    "file",
    "pull",
    "work_ms",
    "priority",
    "source",
    "tenant",
    "dedupe_key",
    "timeout_secs",
];

/// An order, or what is wrong with the body.
pub(super) fn read(body: &[u8]) -> Result<Order, Problem> {
    serde_json::from_slice(body).map_err(|error| blamed(body, &error))
}

/// Finds the key that is to blame. The body is read a second time: this is no order that counts.
fn blamed(body: &[u8], error: &serde_json::Error) -> Problem {
    let object: Map<String, Value> = match serde_json::from_slice(body) {
        Ok(object) => object,
        Err(error) => return unreadable(format!("the body is no JSON object: {error}")),
    };
    if let Some(unknown) = object.keys().find(|key| !KEYS.contains(&key.as_str())) {
        let advice = match config::nearest(unknown, KEYS.into_iter()) {
            Some(key) => format!("did you mean `{key}`?"),
            None => format!("there are {}", KEYS.join(", ")),
        };
        return unreadable(format!("there is no key {unknown:?}: {advice}")).about(unknown.clone());
    }
    if !object.contains_key("kind") {
        return unreadable(format!("`kind` is missing: one of {}", words(Kind::ALL))).about("kind");
    }
    for (key, value) in object {
        let mut alone = Map::from_iter([("kind".to_owned(), Value::from("noop"))]);
        alone.insert(key.clone(), value);
        if let Err(error) = serde_json::from_value::<Order>(alone.into()) {
            return unreadable(format!("`{key}`: {error}")).about(key);
        }
    }
    unreadable(format!("the body cannot be used: {error}"))
}

fn words(kinds: &[Kind]) -> String {
    kinds.iter().map(|kind| kind.word()).collect::<Vec<_>>().join(", ")
}

fn unreadable(message: String) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, message).code("invalid_body")
}

fn wrong(key: &'static str, reason: impl std::fmt::Display) -> Problem {
    let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, format!("`{key}` {reason}"));
    problem.code("invalid_value").about(key)
}

/// Checks all of `order` that can be checked without knowing this daemon.
pub(super) fn check(order: &Order) -> Result<(), Problem> {
    let Order { repo, range, panel, file, pull, dedupe_key, .. } = order;
    for ((key, most), text) in LONGEST.into_iter().zip([repo, range, panel, file, pull, dedupe_key]) {
        if let Some(text) = text {
            plain(key, text, most)?;
        }
    }
    if let Some(source @ (Source::Github | Source::Gitlab | Source::Gitea)) = order.source {
        return Err(wrong(
            "source",
            format_args!("is {source}, which only webhooks are: it can be api or cli"),
        ));
    }
    if order.timeout_secs.is_some_and(|seconds| !(1..=LONGEST_ATTEMPT).contains(&seconds)) {
        return Err(wrong("timeout_secs", format_args!("must be from 1 to {LONGEST_ATTEMPT}")));
    }
    if order.work_ms.is_some_and(|time| time > LONGEST_WORK) {
        return Err(wrong("work_ms", format_args!("must be at most {LONGEST_WORK}")));
    }
    if let Some(range) = range {
        check_range(range)?;
    }
    if let Some(file) = file {
        check_file(file)?;
    }
    if pull.as_ref().is_some_and(|pull| !is_web_address(pull)) {
        return Err(wrong("pull", "must be the address of a pull request's page"));
    }
    check_kind(order)
}

/// What `order` is about, which has been checked.
pub(super) fn task(order: Order) -> Task {
    let Order { kind, repo, range, panel, file, pull, work_ms, .. } = order;
    Task { kind, repo, range, panel, file, pull, work_ms: work_ms.unwrap_or_default() }
}

/// A text that is shown, stored, and given to programs.
fn plain(key: &'static str, text: &str, most: usize) -> Result<(), Problem> {
    if text.len() > most && text.chars().nth(most).is_some() {
        return Err(wrong(key, format_args!("is longer than {most} characters")));
    }
    if text.trim().len() != text.len() || text.is_empty() {
        return Err(wrong(key, "is empty, or has space around it"));
    }
    if text.chars().any(|c| c.is_control() || is_hidden(c)) {
        return Err(wrong(key, "holds a character that cannot be seen"));
    }
    if text.starts_with('-') {
        return Err(wrong(key, "begins with `-`"));
    }
    Ok(())
}

fn check_range(range: &str) -> Result<(), Problem> {
    if range.chars().any(char::is_whitespace) {
        return Err(wrong("range", "holds a space"));
    }
    let ends = range.split("..").map(|end| end.trim_start_matches('.'));
    if ends.clone().count() > 2 || ends.clone().any(|end| end.is_empty() || end.starts_with('-')) {
        return Err(wrong("range", "must be `A..B`, `A...B` or one commit"));
    }
    Ok(())
}

/// A path that leads out of nowhere.
fn check_file(file: &str) -> Result<(), Problem> {
    let leads_out = |piece: &str| matches!(piece, "" | "." | "..");
    if file.contains('\\') || file.split('/').any(leads_out) {
        return Err(wrong("file", "must be a path in the repository, such as `gauntlet.toml`"));
    }
    Ok(())
}

fn is_web_address(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none()
    })
}

/// Whether everything is there that the kind needs, and nothing that it does not know.
fn check_kind(order: &Order) -> Result<(), Problem> {
    let Order { kind, repo, range, panel, file, pull, work_ms, .. } = order;
    let is_noop = *kind == Kind::Noop;
    let given = [
        ("repo", repo.is_some(), !is_noop),
        ("range", range.is_some(), !is_noop),
        ("panel", panel.is_some(), matches!(kind, Kind::Review | Kind::Gauntlet | Kind::Eval)),
        ("file", file.is_some(), !is_noop && *kind != Kind::Review),
        ("pull", pull.is_some(), matches!(kind, Kind::Review | Kind::Gauntlet)),
        ("work_ms", work_ms.is_some(), is_noop),
    ];
    if let Some((key, ..)) = given.into_iter().find(|(_, is_given, is_known)| *is_given && !is_known) {
        return Err(wrong(key, format_args!("is nothing that a job of kind {kind} knows")));
    }
    let needed = [
        ("repo", repo.is_none() && !is_noop),
        ("range", range.is_none() && pull.is_none() && *kind == Kind::Review),
        ("file", file.is_none() && matches!(kind, Kind::Parity | Kind::Eval)),
    ];
    match needed.into_iter().find(|(_, is_missing)| *is_missing) {
        Some((key, _)) => Err(wrong(key, format_args!("is missing: a job of kind {kind} needs it"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is wrong with a body: status, key, message.
    fn check(body: &str, expect: Result<(), (u16, &str, &str)>) {
        let read = read(body.as_bytes()).and_then(|order| super::check(&order));
        let read = read.map_err(|problem| {
            (problem.status.as_u16(), problem.parameter.unwrap_or_default(), problem.message)
        });
        let expect = expect.map_err(|(status, key, message)| (status, key.to_owned(), message.to_owned()));
        assert_eq!(read, expect, "{body}");
    }

    #[test]
    fn bodies() {
        check(r#"{"kind":"noop"}"#, Ok(()));
        check(r#"{"kind":"noop","work_ms":5,"priority":"high","source":"cli","dedupe_key":"a"}"#, Ok(()));
        check(
            r#"{"kind":"review","repo":"/srv/git/app","range":"A..B","panel":"offline","timeout_secs":900}"#,
            Ok(()),
        );
        check(r#"{"kind":"review","repo":"https://h/a","pull":"https://h/a/pull/5"}"#, Ok(()));
        check(r#"{"kind":"parity","repo":"/a","range":"main","file":"parity/validator.toml"}"#, Ok(()));
        let told = |body: &str| {
            let problem = read(body.as_bytes()).and_then(|order| super::check(&order)).unwrap_err();
            format!("{} {:?}: {}", problem.status.as_u16(), problem.parameter, problem.message)
        };
        insta::assert_snapshot!(told("[]"), @"400 None: the body is no JSON object: invalid type: sequence, expected a map at line 1 column 0");
        insta::assert_snapshot!(told("{"), @"400 None: the body is no JSON object: EOF while parsing an object at line 1 column 1");
        insta::assert_snapshot!(told("{}"), @r#"400 Some("kind"): `kind` is missing: one of review, parity, smoke, gauntlet, eval, noop"#);
        insta::assert_snapshot!(told(r#"{"kind":"revue"}"#), @r#"400 Some("kind"): `kind`: unknown variant `revue`, expected one of `review`, `parity`, `smoke`, `gauntlet`, `eval`, `noop`"#);
        insta::assert_snapshot!(told(r#"{"kind":"noop","workms":5}"#), @r#"400 Some("workms"): there is no key "workms": did you mean `work_ms`?"#);
        insta::assert_snapshot!(told(r#"{"kind":"noop","colour":5}"#), @r#"400 Some("colour"): there is no key "colour": there are kind, repo, range, panel, file, pull, work_ms, priority, source, tenant, dedupe_key, timeout_secs"#);
        insta::assert_snapshot!(told(r#"{"kind":"noop","timeout_secs":"5"}"#), @r#"400 Some("timeout_secs"): `timeout_secs`: invalid type: string "5", expected u32"#);
        insta::assert_snapshot!(told(r#"{"kind":"noop","kind":"noop"}"#), @"400 None: the body cannot be used: duplicate field `kind` at line 1 column 21");
        insta::assert_snapshot!(told(r#"{"kind":"noop","timeout_secs":0}"#), @r#"422 Some("timeout_secs"): `timeout_secs` must be from 1 to 86400"#);
        insta::assert_snapshot!(told(r#"{"kind":"noop","source":"github"}"#), @r#"422 Some("source"): `source` is github, which only webhooks are: it can be api or cli"#);
        insta::assert_snapshot!(told(r#"{"kind":"noop","repo":"/srv"}"#), @r#"422 Some("repo"): `repo` is nothing that a job of kind noop knows"#);
        insta::assert_snapshot!(told(r#"{"kind":"review","repo":"/srv"}"#), @r#"422 Some("range"): `range` is missing: a job of kind review needs it"#);
        insta::assert_snapshot!(told(r#"{"kind":"review","range":"A..B"}"#), @r#"422 Some("repo"): `repo` is missing: a job of kind review needs it"#);
        insta::assert_snapshot!(told(r#"{"kind":"eval","repo":"/srv"}"#), @r#"422 Some("file"): `file` is missing: a job of kind eval needs it"#);
    }

    #[test]
    fn texts_that_are_more_than_words() {
        let check = |key: &'static str, text: &str, is_taken: bool| {
            let kind = if matches!(key, "repo" | "range" | "pull" | "panel") { "review" } else { "gauntlet" };
            let mut body = serde_json::json!({ "kind": kind, "repo": "/srv", "range": "A..B" });
            if kind == "gauntlet" {
                body["file"] = "gauntlet.toml".into();
            }
            body[key] = text.into();
            let order = read(body.to_string().as_bytes()).unwrap();
            let told = super::check(&order).map_err(|problem| problem.parameter.unwrap());
            assert_eq!(told, if is_taken { Ok(()) } else { Err(key.to_owned()) }, "{key} {text:?}");
        };
        for key in ["repo", "range", "panel", "file", "pull", "dedupe_key"] {
            for text in
                ["", " ", " a", "-a", "--config=x", "a\nb", "a\u{1b}[2J", "a\u{202e}b", &"a".repeat(1_025)]
            {
                check(key, text, false);
            }
        }
        check("range", "A", true);
        check("range", "A...B", true);
        check("range", "feature/x~2..v1.0", true);
        for range in ["A..-B", "A..", "..B", "A..B..C", "A B", "A..--upload-pack=x"] {
            check("range", range, false);
        }
        check("file", "a/b.toml", true);
        for file in ["/etc/passwd", "../a", "a/../../b", "a//b", "./a", "a\\..\\b"] {
            check("file", file, false);
        }
        check("pull", "https://h.example/a/pull/5", true);
        for pull in ["5", "javascript:alert(1)", "file:///etc", "https://u:p@h.example/a"] {
            check("pull", pull, false);
        }
        check("repo", &"a".repeat(1_024), true);
    }
}
