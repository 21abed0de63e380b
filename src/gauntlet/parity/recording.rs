//! Answers as a file that can stand in for a side: [`line()`] writes one, [`read`] reads them all. A JSON object a line.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use super::answer::{Answer, Status, Written};

/// A line that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct BadLine {
    /// 1-based.
    pub line: usize,
    /// Why not.
    pub reason: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    case: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exit: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signal: Option<i32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    headers: Vec<(String, String)>,
    #[serde(flatten)]
    body: Content,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    files: Vec<FileLine>,
}

#[derive(Serialize, Deserialize)]
struct FileLine {
    name: String,
    #[serde(flatten)]
    content: Content,
}

/// Text as it is, other bytes in base64.
#[derive(Serialize, Deserialize, Default)]
struct Content {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body_base64: Option<String>,
}

impl Content {
    fn of(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self { body: Some(text.to_owned()), body_base64: None },
            Err(_) => Self { body: None, body_base64: Some(STANDARD.encode(bytes)) },
        }
    }

    fn bytes(self) -> Result<Vec<u8>, String> {
        match (self.body, self.body_base64) {
            (Some(_), Some(_)) => Err("has both `body` and `body_base64`".to_owned()),
            (Some(text), None) => Ok(text.into_bytes()),
            (None, Some(code)) => STANDARD.decode(code).map_err(|error| format!("body_base64: {error}")),
            (None, None) => Ok(Vec::new()),
        }
    }
}

/// What a side said to `case`, as a line with its end.
pub fn line(case: &str, answer: &Answer) -> String {
    let (status, exit, signal) = match answer.status {
        Status::Http(code) => (Some(code), None, None),
        Status::Exit(code) => (None, Some(code), None),
        Status::Signal(number) => (None, None, Some(number)),
    };
    let files = answer.files.iter();
    let line = Line {
        case: case.to_owned(),
        status,
        exit,
        signal,
        headers: answer.headers.clone(),
        body: Content::of(&answer.body),
        files: files
            .map(|file| FileLine { name: file.name.clone(), content: Content::of(&file.content) })
            .collect(),
    };
    serde_json::json!(line).to_string() + "\n"
}

/// The answers of a file by case.
pub fn read(text: &str) -> Result<BTreeMap<String, Answer>, BadLine> {
    let mut answers = BTreeMap::new();
    for (line, text) in (1..).zip(text.lines()).filter(|(_, text)| !text.trim().is_empty()) {
        let bad = |reason: String| BadLine { line, reason };
        let read: Line = serde_json::from_str(text).map_err(|error| bad(error.to_string()))?;
        let case = read.case.clone();
        let answer = answer(read).map_err(bad)?;
        if answers.insert(case.clone(), answer).is_some() {
            return Err(bad(format!("case {case:?} is there twice")));
        }
    }
    Ok(answers)
}

fn answer(line: Line) -> Result<Answer, String> {
    let status = match (line.status, line.exit, line.signal) {
        (Some(code), None, None) => Status::Http(code),
        (None, Some(code), None) => Status::Exit(code),
        (None, None, Some(number)) => Status::Signal(number),
        _ => return Err("needs `status`, `exit` or `signal`, one of them".to_owned()),
    };
    let file = |file: FileLine| Ok::<_, String>(Written { name: file.name, content: file.content.bytes()? });
    Ok(Answer {
        status,
        headers: line.headers,
        body: line.body.bytes()?,
        files: line.files.into_iter().map(file).collect::<Result<_, _>>()?,
        stderr: String::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_as_they_were_written() {
        let answer = |status, body: &[u8]| Answer {
            status,
            headers: vec![("content-type".to_owned(), "text/plain".to_owned())],
            body: body.to_vec(),
            files: vec![Written { name: "out/a.json".to_owned(), content: vec![0xff] }],
            stderr: String::new(),
        };
        let first = answer(Status::Http(422), "Grüße\n".as_bytes());
        let second = answer(Status::Signal(9), &[0xff, 0]);
        let text = line("a", &first) + "\n" + &line("b", &second);
        insta::assert_snapshot!(text, @r#"
        {"case":"a","status":422,"headers":[["content-type","text/plain"]],"body":"Grüße\n","files":[{"name":"out/a.json","body_base64":"/w=="}]}

        {"case":"b","signal":9,"headers":[["content-type","text/plain"]],"body_base64":"/wA=","files":[{"name":"out/a.json","body_base64":"/w=="}]}
        "#);
        let expect = BTreeMap::from([("a".to_owned(), first), ("b".to_owned(), second)]);
        assert_eq!(read(&text), Ok(expect));
    }

    #[test]
    fn a_broken_line_is_named() {
        let check = |text: &str, expect: &str| assert_eq!(read(text).unwrap_err().to_string(), expect);
        check(
            "{\"case\":\"a\",\"exit\":0}\n\n{\"case\":",
            "line 3: EOF while parsing a value at line 1 column 8",
        );
        check("{\"case\":\"a\"}", "line 1: needs `status`, `exit` or `signal`, one of them");
        check(
            "{\"case\":\"a\",\"exit\":0}\n{\"case\":\"a\",\"exit\":0}",
            "line 2: case \"a\" is there twice",
        );
        check(
            "{\"case\":\"a\",\"exit\":0,\"body_base64\":\"?\"}",
            "line 1: body_base64: Invalid symbol 63, offset 0.",
        );
    }
}
