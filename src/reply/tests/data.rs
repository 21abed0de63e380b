//! Replies that are data, or hold it: JSON as models write it, tags, the output of programs.

use super::*;

#[test]
fn loose_json_is_read() {
    for reply in [
        "{\"issues\": [{\"severity\": \"CRITICAL\", \"filePath\": \"a.rs\", \"startLine\": 3, \"message\": \"It leaks.\",},],}",
        "```json\n{\n  // one\n  \"findings\": [{\"severity\": \"high\", \"file\": \"a.rs\", \"line\": 3, \"message\": \"It leaks.\"}] // two\n}\n```",
        "{'severity': 'high', 'file': 'a.rs', 'line': 3, 'message': \"It leaks.\", 'fixed': False}",
        "{severity: \"high\", file: \"a.rs\", line: 3, message: \"It leaks.\"}",
        "Result: {\"severity\": \"high\", \"file\": \"a.rs\", \"lines\": \"L3\", \"message\": \"It leaks.\"}",
    ] {
        check(reply, &["BLOCK a.rs:3 It leaks."]);
    }
}

#[test]
fn findings_may_stand_below_their_file_or_severity() {
    for reply in [
        r#"{"a.rs": [{"line": 3, "severity": "high", "message": "It leaks."}]}"#,
        r#"{"files": [{"path": "a.rs", "comments": [{"line": 3, "severity": "high", "message": "It leaks."}]}]}"#,
        r#"{"critical": [{"file": "a.rs", "line": 3, "issue": "It leaks."}], "warnings": []}"#,
        r#"{"runs":[{"results":[{"level":"error","message":{"text":"It leaks."},"locations":[{"physicalLocation":{"artifactLocation":{"uri":"a.rs"},"region":{"startLine":3,"endLine":3}}}]}]}]}"#,
    ] {
        check(reply, &["BLOCK a.rs:3 It leaks."]);
    }
}

#[test]
fn data_names_several_places() {
    for reply in [
        r#"{"severity":"high","file":"a.rs","line":3,"message":"It leaks.","also_at":["b.rs:9",{"file":"c.rs","line":4}]}"#,
        r#"{"severity":"high","locations":[{"file":"a.rs","line":3},{"file":"b.rs","line":9},"c.rs:4"],"message":"It leaks."}"#,
    ] {
        check(reply, &["BLOCK a.rs:3 + b.rs:9 + c.rs:4 It leaks."]);
    }
    check(
        r#"{"severity":"high","file":"a.rs","lines":"3, 9","message":"It leaks."}"#,
        &["BLOCK a.rs:3 + a.rs:9 It leaks."],
    );
}

#[test]
fn tags_are_read_like_keys() {
    for reply in [
        "<findings>\n<finding>\n<severity>high</severity>\n<file>a.rs</file>\n<line>3</line>\n<description>It leaks.</description>\n</finding>\n</findings>",
        "<review><issue severity=\"critical\" file=\"a.rs\" line=\"3\">It leaks.</issue></review>",
        "<file path=\"a.rs\">\n<comment line=\"3\" severity=\"high\">It leaks.</comment>\n</file>",
        "<finding><severity>BLOCK</severity><location><file>a.rs</file><start_line>3</start_line></location><what>It leaks.</what></finding>",
        "<invoke name=\"report\">\n<parameter name=\"severity\">high</parameter>\n<parameter name=\"where\">a.rs:3</parameter>\n<parameter name=\"what\">It leaks.</parameter>\n</invoke>",
        "<finding>\nSEVERITY: BLOCK\nWHERE: a.rs:3\nWHAT: It leaks.\n</finding>",
    ] {
        check(reply, &["BLOCK a.rs:3 It leaks."]);
    }
    let verdict = "<finding><file>a.rs</file><line>3</line><what>x</what></finding>\n<verdict>hold</verdict>";
    assert_eq!(read(verdict, None).verdict, Some(Verdict::Hold));
    check("The `<comment>` element is never closed.\n\nVERDICT: hold", &[]);
}

#[test]
fn a_review_in_the_output_of_a_program_is_read() {
    let review = "SEVERITY: BLOCK\\nWHERE: a.rs:3\\nWHAT: It leaks.\\n\\nVERDICT: hold\\n";
    for reply in [
        format!("{{\"type\":\"result\",\"is_error\":false,\"result\":\"{review}\",\"session_id\":\"x\"}}"),
        format!("{{\"choices\":[{{\"message\":{{\"role\":\"assistant\",\"content\":\"{review}\"}}}}]}}"),
        format!(
            "{{\"type\":\"turn.started\"}}\n{{\"type\":\"item\",\"item\":{{\"text\":\"I look at a.rs:1 first.\"}}}}\n{{\"type\":\"item\",\"item\":{{\"text\":\"{review}\"}}}}"
        ),
    ] {
        check(&reply, &["BLOCK a.rs:3 It leaks."]);
        assert_eq!(read(&reply, None).verdict, Some(Verdict::Hold));
    }
}

#[test]
fn text_around_data_is_not_lost() {
    let json = r#"[{"severity":"high","file":"a.rs","line":3,"message":"It leaks."}]"#;
    check(
        &format!("```json\n{json}\n```\n\nSEVERITY: WARN\nWHERE: b.rs:9\nWHAT: It races.\n"),
        &["BLOCK a.rs:3 It leaks.", "WARN b.rs:9 It races."],
    );
    check(&format!("{json}\n\nIn short, a.rs:3 leaks.\n"), &["BLOCK a.rs:3 It leaks."]);
}

#[test]
fn what_breaks_off_in_data_is_not_guessed() {
    let cut = |json: &str| {
        let reading = read(json, None);
        (reading.findings.iter().map(shown).collect::<Vec<_>>(), reading.completeness)
    };
    let incomplete = || Completeness::Incomplete("cut off inside its data".to_owned());
    assert_eq!(
        cut(r#"[{"file":"a.rs","severity":"low","message":"It leaks.","line":4"#),
        (vec!["INFO a.rs It leaks.".to_owned()], incomplete()),
        "4 may be the half of 42",
    );
    assert_eq!(
        cut(r#"[{"file":"a.rs","line":42,"message":"It le"#),
        (vec!["WARN a.rs:42 It le".to_owned()], incomplete())
    );
}
