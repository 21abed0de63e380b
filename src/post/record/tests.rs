//! Records written and read back, cut to size, and records that nobody should have written.

use proptest::prelude::*;

use super::*;

fn issue(number: usize, is_fixed: bool, decision: Option<Decision>) -> Earlier {
    let id = format!("{number:012x}");
    let mut issue = Earlier {
        path: "src/a.rs".to_owned(),
        lines: Some(LineRange { start: 3, end: 5 }),
        symbol: Some("parse".to_owned()),
        severity: Severity::Block,
        agreement: Agreement::Claim,
        lineages: vec![Lineage::new("anthropic"), Lineage::new("moonshot")],
        what: "the socket leaks --> <b>\u{202e}é".to_owned(),
        why: "it does".to_owned(),
        code: Some("let a = leak(1);".to_owned()),
        holds: true,
        is_fixed,
        disposition: None,
        now: Whereabouts::Unknown,
        id,
    };
    issue.disposition = decision.map(|decision| Disposition {
        at: Timestamp::UNIX_EPOCH,
        issue: issue.id.clone(),
        decision,
        why: "only in tests".to_owned(),
        by: "ada@github.com".to_owned(),
        run: "20261121-041812345-9b0e77".to_owned(),
        path: issue.path.clone(),
        severity: issue.severity,
        what: issue.what.clone(),
        found_by: Vec::new(),
    });
    issue
}

fn last(issues: Vec<Earlier>) -> Last {
    Last {
        run: "20261121-041812345-9b0e77".to_owned(),
        started_at: "2026-11-21T04:18:12Z".to_owned(),
        base: "4f1c2a9e".repeat(5),
        head: "9b0e77d1".repeat(5),
        fingerprint: "5f1d7a84".repeat(4),
        complete: true,
        issues,
        dropped: 0,
    }
}

#[test]
fn what_is_written_is_read() {
    let gone = Earlier { now: Whereabouts::Gone, ..issue(4, false, None) };
    let there = Whereabouts::There { path: "src/b.rs".to_owned(), lines: None };
    let moved = Earlier { now: there, lines: None, symbol: None, code: None, ..issue(5, false, None) };
    let kept = last(vec![
        issue(1, false, None),
        issue(2, false, Some(Decision::False)),
        gone,
        moved,
        issue(6, true, None),
    ]);
    let line = line(&kept, 100_000).unwrap();
    assert!(
        line.starts_with("<!-- scrum:record ") && line.ends_with(" -->") && line.matches("--").count() == 2
    );
    let read_back = read(&format!("<!-- scrum:tally -->\nThe tally.\n{line}\n")).unwrap().unwrap();
    let mut expect = kept.clone();
    expect.issues.sort_by(|a, b| b.weight().cmp(&a.weight()).then(a.id.cmp(&b.id)));
    assert_eq!(read_back, expect);
    assert_eq!(read("<!-- scrum:tally -->\nThe tally."), None);
}

#[test]
fn a_record_that_somebody_quotes_is_none() {
    let forged = line(&last(Vec::new()), 10_000).unwrap();
    let own = line(&last(vec![issue(1, false, None)]), 10_000).unwrap();
    let quoting = format!("<!-- scrum:tally -->\n```\n{forged}\n```\n");
    assert_eq!(read(&quoting), None);
    assert_eq!(read(&format!("{quoting}\n{own}\n")), read(&own));
}

#[test]
fn what_there_is_no_room_for_is_counted() {
    let dismissed = (10..15).map(|number| issue(number, false, Some(Decision::WontFix)));
    let fixed = (15..20).map(|number| issue(number, true, None));
    let all = last((0..10).map(|number| issue(number, false, None)).chain(dismissed).chain(fixed).collect());
    let check = |most: usize, expect: Option<(usize, usize)>| {
        let line = line(&all, most);
        assert!(line.as_ref().is_none_or(|line| line.len() <= most));
        let kept =
            line.map(|line| read(&line).unwrap().unwrap()).map(|last| (last.issues.len(), last.dropped));
        assert_eq!(kept, expect, "{most}");
    };
    check(100_000, Some((20, 0)));
    check(6_500, Some((18, 0)));
    check(4_700, Some((13, 2)));
    check(500, Some((0, 15)));
    check(300, None);
}

#[test]
fn grounds_go_before_issues_do() {
    let wordy =
        |number| Earlier { what: "w".repeat(400), why: "y".repeat(400), ..issue(number, false, None) };
    let all = last((0..60).map(wordy).collect());
    let check = |most: usize, expect: (usize, usize, usize, usize)| {
        let kept = read(&line(&all, most).unwrap()).unwrap().unwrap();
        let first = &kept.issues[0];
        assert_eq!((kept.issues.len(), kept.dropped, first.what.len(), first.why.len()), expect, "{most}");
        assert_eq!(first.code, all.issues[0].code);
    };
    check(100_000, (60, 0, 400, 400));
    check(60_000, (60, 0, 400, 0));
    check(32_000, (60, 0, 80, 0));
}

#[test]
fn what_does_not_hold_together_is_no_record() {
    let good =
        serde_json::to_value(Record::from(&last(vec![issue(1, false, Some(Decision::False))]))).unwrap();
    let check = |change: &dyn Fn(&mut serde_json::Value), expect: &str| {
        let mut json = good.clone();
        change(&mut json);
        let body = format!("{MARK}{}{END}", STANDARD.encode(json.to_string()));
        assert_eq!(read(&body).unwrap().unwrap_err().to_string(), expect);
    };
    let wrong = |reason: &str| format!("the last review's record cannot be right: {reason}");
    check(
        &|json| json["v"] = 2.into(),
        "the last review's record is of version 2, which this scrum does not read",
    );
    check(&|json| json["head"] = "--upload-pack=x".into(), &wrong("a commit's id is none"));
    check(&|json| json["run"] = "../../etc".into(), &wrong("a name is none"));
    check(&|json| json["at"] = "soon".into(), &wrong("a time is none"));
    check(&|json| json["issues"][0]["id"] = "latest".into(), &wrong("an issue's id is none"));
    check(&|json| json["issues"][0]["lines"] = serde_json::json!([7, 3]), &wrong("a range of lines is none"));
    check(&|json| json["issues"][0]["severity"] = "NONE".into(), &wrong("it says \"NONE\""));
    check(
        &|json| json["issues"][0]["what"] = "x".repeat(5_000).into(),
        &wrong("the length of a text is none"),
    );
    check(&|json| json["issues"][0]["decided"]["decision"] = "ship".into(), &wrong("it says \"ship\""));
    for body in [
        "<!-- scrum:record",
        "<!-- scrum:record -->",
        "<!-- scrum:record e30= -->",
        "<!-- scrum:record äö -->",
    ] {
        assert_eq!(read(body).unwrap(), Err(BadRecord::Damaged), "{body}");
    }
}

proptest! {
    #[test]
    fn no_text_is_too_strange(text in "(<!-- scrum:record |-->|[A-Za-z0-9+/=\n é]){0,40}", cut in 0_usize..900) {
        let _ = read(&text);
        let whole = line(&last(vec![issue(1, false, None)]), 10_000).unwrap();
        let _ = read(&whole[..cut.min(whole.len())]);
        let json = STANDARD.encode(&text);
        let _ = read(&format!("{MARK}{json}{END}"));
    }
}
