//! Replies in JSON, whole and broken off.

use super::*;

#[test]
fn json_is_read_by_the_same_labels() {
    for json in [
        r#"{"findings":[{"severity":"high","file":"a.rs","line":3,"message":"It leaks."}],"verdict":"hold"}"#,
        r#"[{"severity":"critical","path":"a.rs","start_line":3,"end_line":3,"description":"It leaks."}]"#,
        r#"{"comments":[{"priority":"P1","location":"a.rs:3","issue":"It leaks."}]}"#,
        r#"{"findings":[{"body":"It leaks.","priority":0,"code_location":{"absolute_file_path":"a.rs","line_range":{"start":3,"end":3}}}],"overall_correctness":"patch is incorrect"}"#,
        r#"{"severity":"error","filePath":"a.rs","lineNumber":"3","title":"It leaks."}"#,
        r#"{"severity":"error","location":{"path":"a.rs","range":[3,3]},"text":"It leaks."}"#,
    ] {
        for reply in [
            json.to_owned(),
            format!("```json\n{json}\n```"),
            format!("Here is my review:\n\n```json\n{json}\n```\n\nVERDICT: hold\n"),
            format!("Findings:\n{json}\n"),
        ] {
            check(&reply, &["BLOCK a.rs:3 It leaks."]);
        }
    }
}

#[test]
fn json_without_findings_takes_none_from_the_text() {
    let check = |json: &str| {
        let reading = read(&format!("1. In `a.rs:3` the lock is never released.\n\n{json}\n"), None);
        let places: Vec<_> = reading.findings.iter().map(|one| one.where_text.as_str()).collect();
        assert_eq!(places, ["a.rs:3"], "{json}");
    };
    check("```json\n{\"verdict\": \"hold\"}\n```");
    check("```json\n{\"file\": \"b.rs\", \"severity\": \"high\"}\n```");
    check("[\n");
}

#[test]
fn json_over_the_bounds_says_what_is_left_out() {
    let places = format!("[{}]", vec![r#"{"file": "a.rs", "line": 1}"#; 300].join(","));
    let reading = read(&places, None);
    assert_eq!(reading.rejects.len(), 201);
    assert_eq!(reading.rejects[200].reason, "100 more findings or rejects than one reply may have");
    let long = format!(r#"[{{"file": "a.rs", "line": 1, "message": "{}"}}]"#, "x".repeat(100_000));
    assert_eq!(read(&long, None).findings[0].what.len(), 64 * 1024);
}

#[test]
fn json_that_breaks_off_keeps_what_is_whole() {
    let reading = read(
        "```json\n{\"findings\":[{\"file\":\"a.rs\",\"line\":3,\"message\":\"It leaks.\"},{\"file\":\"b.rs\",\"li",
        None,
    );
    assert_eq!(reading.findings.iter().map(shown).collect::<Vec<_>>(), ["WARN a.rs:3 It leaks."]);
    assert_eq!(
        reading.rejects,
        [Reject { text: "{\"file\":\"b.rs\"}".into(), reason: "a place without a claim".into() }]
    );
    assert_eq!(reading.completeness, Completeness::Incomplete("cut off inside its data".into()));
}
