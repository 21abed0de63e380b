//! The forms for other programs, each held to a schema (tests/fixtures/schemas).

use proptest::prelude::*;
use scrum::{
    coverage::State,
    finding::{LineRange, Severity},
    report::{
        foreign,
        formats::{annotations, checkstyle, codequality, junit, rdjson, sarif},
    },
    tally::{
        Agreement, Issue, Tally,
        gate::{FailOn, Gate, GateResult, Policy, evaluate},
    },
};
use serde_json::Value;
use uppsala::XsdValidator;

use super::{hostile, nobody_answered, quiet, sample, shown};
use crate::markup;

macro_rules! schema {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/schemas/", $name))
    };
}

/// What is wrong with a JSON document, one error a line.
fn json_errors(schema: &str, document: &Value) -> String {
    let validator = jsonschema::options().should_validate_formats(true).build(&value(schema)).unwrap();
    let errors: Vec<String> = validator.iter_errors(document).map(|error| error.to_string()).collect();
    errors.join("\n")
}

/// What is wrong with an XML document, one error a line.
fn xml_errors(schema: &str, document: &str) -> String {
    let schema = uppsala::parse(schema).unwrap();
    let document = match uppsala::parse(document) {
        Ok(document) => document,
        Err(error) => return error.to_string(),
    };
    let errors = XsdValidator::from_schema(&schema).unwrap().validate(&document);
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn value(json: &str) -> Value {
    serde_json::from_str(json).unwrap()
}

/// Every form of the tally is valid, printable and whole.
#[track_caller]
fn check(tally: &Tally, gate: &Gate) {
    let texts = texts(tally, gate);
    let [sarif, rdjson, checkstyle, codequality, junit, _] = &texts;
    assert_eq!(json_errors(schema!("sarif-2.1.0.json"), &value(sarif)), "");
    assert_eq!(json_errors(schema!("rdformat.json"), &value(rdjson)), "");
    assert_eq!(json_errors(schema!("gitlab-codequality.json"), &value(codequality)), "");
    assert_eq!(xml_errors(schema!("checkstyle.xsd"), checkstyle), "");
    assert_eq!(xml_errors(schema!("junit-10.xsd"), junit), "");
    for text in &texts {
        let acts = |c: &char| (c.is_control() && *c != '\n') || ('\u{202a}'..='\u{202e}').contains(c);
        assert_eq!(text.chars().find(acts), None);
        assert!(text.ends_with('\n'));
    }
}

fn texts(tally: &Tally, gate: &Gate) -> [String; 6] {
    [
        sarif::render(tally, gate),
        rdjson::render(tally),
        checkstyle::render(tally),
        codequality::render(tally),
        junit::render(tally, gate),
        annotations::render(tally, gate),
    ]
}

/// The sample with one issue set aside by a human.
fn dismissed() -> Tally {
    let mut tally = sample::tally();
    tally.issues[1].disposition = Some(sample::decided("tests only"));
    tally
}

/// Nothing was there to be asked about.
fn empty() -> Tally {
    let mut tally = quiet();
    tally.bundles.clear();
    tally.coverage.clear();
    tally
}

/// As many issues as `count`, each with an id and a path of its own.
fn many(count: usize) -> Tally {
    let mut tally = sample::tally();
    let severities = [Severity::Block, Severity::Warn, Severity::Info];
    let one = sample::member("kimi", "c2_web", Severity::Info, "src/a.rs:1", "The counter overflows.");
    let one = sample::issue("", Agreement::Single, vec![one]);
    let issue = |at: usize| {
        let mut issue = Issue { id: format!("{at:012x}"), path: format!("src/file{at}.rs"), ..one.clone() };
        issue.severity = severities[at % 3];
        issue.members[0].anchored.path = Some(issue.path.clone());
        issue
    };
    tally.issues = (0..count).map(issue).collect();
    tally
}

#[test]
fn every_tally_is_valid_in_every_form() {
    check(&sample::tally(), &sample::failed());
    check(&sample::judged(dismissed(), "since `x` is set"), &sample::off());
    check(&quiet(), &sample::off());
    check(&empty(), &sample::off());
    let (tally, gate) = nobody_answered();
    check(&tally, &gate);
}

#[test]
fn schemas_refuse_what_is_wrong() {
    let mut log = value(&sarif::render(&sample::tally(), &sample::failed()));
    log["runs"][0]["results"][0]["level"] = "fatal".into();
    assert!(json_errors(schema!("sarif-2.1.0.json"), &log).contains("\"fatal\" is not one of"));
    let mut result = value(&rdjson::render(&sample::tally()));
    result["diagnostics"][0]["severity"] = "LOUD".into();
    assert_ne!(json_errors(schema!("rdformat.json"), &result), "");
    assert_ne!(
        json_errors(schema!("gitlab-codequality.json"), &serde_json::json!([{"description": "x"}])),
        ""
    );
    let wrong = checkstyle::render(&sample::tally()).replacen("line=\"42\"", "line=\"0\"", 1);
    assert_ne!(xml_errors(schema!("checkstyle.xsd"), &wrong), "");
    let wrong = junit::render(&sample::tally(), &sample::failed()).replacen("<failure", "<failed", 1);
    assert_ne!(xml_errors(schema!("junit-10.xsd"), &wrong), "");
    assert_ne!(xml_errors(schema!("junit-10.xsd"), "<testsuites>\u{1}</testsuites>"), "");
}

#[test]
fn hostile_text_stays_text() {
    check(&hostile::tally(), &hostile::gate());
    let calm = sample::judged(sample::tally(), "calm");
    let evil = "]]></failure>&lt;\" <!-- ](https://evil.example) {0} \u{ffff}\u{fffe}\0\n::error file=x::y\r::stop-commands::z %0A";
    let tally = hostile::tally_of(evil);
    check(&tally, &sample::failed());
    let lines = |tally| annotations::render(tally, &sample::failed()).lines().count();
    assert_eq!(lines(&tally), lines(&calm));
    for diagnostic in value(&rdjson::render(&hostile::tally()))["diagnostics"].as_array().unwrap() {
        let live = markup::live(diagnostic["message"].as_str().unwrap());
        assert!(live.is_empty(), "{live:?} in {diagnostic}");
    }
    let log = value(&sarif::render(&tally, &sample::failed()));
    let run = &log["runs"][0];
    let told = [&run["results"], &run["invocations"][0]["toolExecutionNotifications"]];
    for one in told.into_iter().flat_map(|list| list.as_array().unwrap()) {
        assert!(!one["message"]["text"].as_str().unwrap().contains("]("), "{one}");
    }
}

#[test]
fn sarif_names_the_commit_and_succeeds_as_far_as_the_gate_does() {
    let run = |tally: &Tally, gate: &Gate| value(&sarif::render(tally, gate))["runs"][0].clone();
    let mut tally = quiet();
    assert!(run(&tally, &sample::off()).get("versionControlProvenance").is_none());
    tally.run.repository = Some("https://github.com/acme/shop".to_owned());
    check(&tally, &sample::off());
    let head = tally.range.head.clone();
    assert_eq!(
        run(&tally, &sample::off())["versionControlProvenance"],
        serde_json::json!([{"repositoryUri": "https://github.com/acme/shop", "revisionId": head}])
    );
    let succeeded = |tally: &Tally, gate: &Gate| {
        let invocation = &run(tally, gate)["invocations"][0];
        (
            invocation["executionSuccessful"].as_bool().unwrap(),
            invocation["toolExecutionNotifications"][0].clone(),
        )
    };
    let (nothing, told) = succeeded(&empty(), &evaluate(&empty(), &Policy::plain(FailOn::Block, 1)));
    assert_eq!((nothing, &told["level"]), (true, &"note".into()), "{told}");
    let (unheard, gate) = nobody_answered();
    assert!(!succeeded(&unheard, &gate).0);
    let few = evaluate(&quiet(), &Policy::plain(FailOn::Block, 9));
    assert_eq!(few.result, GateResult::Inconclusive);
    assert!(!succeeded(&quiet(), &few).0);
    let mut cut = empty();
    cut.run.cut_short = Some("its bundles are gone".to_owned());
    assert!(!succeeded(&cut, &evaluate(&cut, &Policy::plain(FailOn::Block, 1))).0);
}

#[test]
fn ten_thousand_issues_are_all_there() {
    let tally = many(10_000);
    check(&tally, &sample::failed());
    let log = value(&sarif::render(&tally, &sample::failed()));
    let results = log["runs"][0]["results"].as_array().unwrap();
    let mut prints: Vec<&str> =
        results.iter().map(|one| one["partialFingerprints"]["scrumIssue/v1"].as_str().unwrap()).collect();
    prints.dedup();
    assert_eq!(prints.len(), 10_000);
    assert_eq!(checkstyle::render(&tally).matches("source=\"scrum.single\"").count(), 10_000);
    assert_eq!(
        junit::render(&tally, &sample::failed()).matches("classname=\"scrum.issues\"").count(),
        10_000
    );
}

#[test]
fn code_scanning_is_never_given_more_than_it_takes() {
    let log = sarif::render(&many(25_001), &sample::failed());
    assert_eq!(log.matches("\"scrumIssue/v1\"").count(), 25_000);
    assert!(log.contains("1 issue of the lowest rank is not in this file: code scanning takes 25,000."));
}

#[test]
fn annotations_keep_to_the_limits_of_a_step() {
    let text = annotations::render(&many(100), &sample::failed());
    let made = |level: &str| text.lines().filter(|line| line.starts_with(&format!("::{level} "))).count();
    assert_eq!([made("error"), made("warning"), made("notice")], [10, 10, 10]);
    let last = text.lines().last().unwrap();
    assert!(last.contains("10 annotations of a level: 24 BLOCK, 25 WARN and 24 INFO."), "{last}");
}

#[test]
fn paths_are_those_of_the_files() {
    let mut tally = sample::tally();
    let paths = [r#""src/caf\351 \"1\".rs""#, r#""say \"hi\".rs""#, "with space, %25 and:colon.rs"];
    for (issue, path) in tally.issues.iter_mut().zip(paths) {
        path.clone_into(&mut issue.path);
        issue.lines = None;
    }
    check(&tally, &sample::failed());
    let log = value(&sarif::render(&tally, &sample::failed()));
    let place = |at: usize| &log["runs"][0]["results"][at]["locations"][0]["physicalLocation"];
    let uris: Vec<&str> = (0..3).map(|at| place(at)["artifactLocation"]["uri"].as_str().unwrap()).collect();
    assert_eq!(
        uris,
        ["src/caf%E9%20%221%22.rs", "say%20%22hi%22.rs", "with%20space%2C%20%2525%20and%3Acolon.rs"]
    );
    assert_eq!(place(0)["region"]["startLine"], 1, "code scanning wants a line");
    let diagnostics = value(&rdjson::render(&tally));
    let location = |at: usize| &diagnostics["diagnostics"][at]["location"];
    assert_eq!(location(1)["path"], r#"say "hi".rs"#);
    assert_eq!(location(0)["path"], r#""src/caf\351 \"1\".rs""#, "spelled out, as it is no text");
    assert_eq!(location(0).get("range"), None);
    let text = annotations::render(&tally, &sample::failed());
    assert!(text.contains("file=with space%2C %2525 and%3Acolon.rs,title="), "{text}");
}

#[test]
fn a_partial_review_looks_partial() {
    let mut tally = quiet();
    tally.coverage[3].outcome.state = State::TimedOut;
    tally.coverage[3].outcome.reason = Some("no byte for 60 s".into());
    let told = "Not read: kimi timed out on c2 web: no byte for 60 s.";
    for text in texts(&tally, &sample::off()) {
        assert!(text.contains("timed out") && text.contains("no byte for 60 s"), "{text}");
    }
    let invocation = &value(&sarif::render(&tally, &sample::off()))["runs"][0]["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    assert_eq!(invocation["toolExecutionNotifications"][0]["message"]["text"], told);
    assert_eq!(
        value(&sarif::render(&quiet(), &sample::off()))["runs"][0]["invocations"][0]["executionSuccessful"],
        true
    );
    let (tally, gate) = nobody_answered();
    assert!(junit::render(&tally, &gate).contains("errors=\"7\""));
    for text in texts(&empty(), &sample::off()) {
        assert!(
            text.contains("Nothing to review") || text.contains("nothing was put to a reviewer"),
            "{text}"
        );
    }
}

#[test]
fn what_a_human_dismissed_is_not_open() {
    let tally = dismissed();
    let log = value(&sarif::render(&tally, &sample::failed()));
    let suppressed: Vec<&Value> = (0..4)
        .map(|at| &log["runs"][0]["results"][at]["suppressions"])
        .filter(|one| !one.is_null())
        .collect();
    assert_eq!(suppressed.len(), 1);
    assert_eq!(
        suppressed[0],
        &serde_json::json!([{
            "justification": "decided false by tests only on 1970-01-01: tests only",
            "kind": "external",
            "status": "accepted",
        }])
    );
    let gone = "The subscription is not cancelled";
    for text in [checkstyle::render(&tally), codequality::render(&tally), rdjson::render(&tally)] {
        assert!(!text.contains(gone) && text.contains("1 issue dismissed by a human"), "{text}");
    }
    assert!(junit::render(&tally, &sample::failed()).contains("<skipped message=\"decided false by"));
}

/// A command as the runner reads it: name, properties, message.
fn read(line: &str) -> (String, Vec<(String, String)>, String) {
    let data = |text: &str| text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%");
    let property = |text: &str| data(&text.replace("%3A", ":").replace("%2C", ","));
    let (head, message) = line.strip_prefix("::").unwrap().split_once("::").unwrap();
    let (name, properties) = head.split_once(' ').unwrap();
    let pair = |pair: &str| {
        let (key, value) = pair.split_once('=').unwrap();
        (key.to_owned(), property(value))
    };
    (name.to_owned(), properties.split(',').map(pair).collect(), data(message))
}

proptest! {
    #[test]
    fn any_text_is_valid_and_is_read_back(text in any::<String>()) {
        let tally = hostile::tally_of(&text);
        prop_assert_eq!(xml_errors(schema!("checkstyle.xsd"), &checkstyle::render(&tally)), "");
        prop_assert_eq!(xml_errors(schema!("junit-10.xsd"), &junit::render(&tally, &sample::failed())), "");
        let shown = foreign::one_line(&text);
        for line in annotations::render(&tally, &sample::failed()).lines() {
            let (name, properties, message) = read(line);
            prop_assert!(["error", "warning", "notice"].contains(&name.as_str()));
            prop_assert!(properties.iter().any(|(key, value)| key == "title" && !value.is_empty()));
            prop_assert!(properties.iter().all(|(key, _)| ["file", "line", "endLine", "title"].contains(&key.as_str())));
            prop_assert!(message.contains(&shown) || properties.len() == 1, "{message:?}");
        }
    }
}

#[test]
fn issues_without_lines_keep_their_place() {
    let mut tally = sample::tally();
    tally.issues[0].lines = Some(LineRange::new(42, 45));
    let text = annotations::render(&tally, &sample::failed());
    assert!(
        text.contains("file=validatord/src/auth.rs,line=42,endLine=45,title=BLOCK%2C 2 of 3 lineages"),
        "{text}"
    );
}

#[test]
fn forms_of_the_sample() {
    let (tally, gate) = (dismissed(), sample::failed());
    insta::assert_snapshot!("sarif", shown(&sarif::render(&tally, &gate)));
    insta::assert_snapshot!("rdjson", shown(&rdjson::render(&tally)));
    insta::assert_snapshot!("checkstyle", shown(&checkstyle::render(&tally)));
    insta::assert_snapshot!("codequality", shown(&codequality::render(&tally)));
    insta::assert_snapshot!("junit", shown(&junit::render(&tally, &gate)));
    insta::assert_snapshot!("annotations", shown(&annotations::render(&tally, &gate)));
}
