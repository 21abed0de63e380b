//! Tests of the tally over hand-made findings: agreement, counting, ids, and that order never matters.

mod gate;
mod properties;
mod since;
mod whole_run;

use super::{
    claim::Claim,
    explain::{Because, Join, Parting, Rule, explain},
    gate::{FailOn, GateResult, Policy, evaluate},
    *,
};
use crate::{
    bundle::Guard,
    change::{Content, FilePatch, FileStatus, Hunk},
    coverage::State,
    finding::{Finding, Location},
    reply::{Completeness, Reading},
    reviewer::Seat,
    route::Routes,
};

const LEAK: &str =
    "the socket leaks when the handshake fails because the early return skips close on that path";
const LEAK_AGAIN: &str =
    "when the handshake fails the early return skips close, so the socket leaks for good";
const RACE: &str =
    "two threads may bump the shared counter at once without any lock, which loses increments under load";

fn reviewer(id: &str, lineage: &str) -> Seat {
    Seat {
        id: ReviewerId::new(id).unwrap(),
        provider: "replay".to_owned(),
        model: id.to_owned(),
        lineage: Lineage::new(lineage),
    }
}

fn panel() -> Panel {
    let seats = [
        ("opus", "anthropic"),
        ("sonnet", "anthropic"),
        ("kimi", "moonshot"),
        ("gpt", "openai"),
        ("odd", "unknown"),
        ("strange", "unknown"),
    ];
    Panel { reviewers: seats.iter().map(|(id, lineage)| reviewer(id, lineage)).collect() }
}

fn finding(at: &str, what: &str) -> Finding {
    let (path, place) = at.split_once(':').unwrap_or((at, ""));
    let lines = place.split_once('-').unwrap_or((place, place));
    let lines = lines.0.parse().and_then(|start| Ok(LineRange::new(start, lines.1.parse()?))).ok();
    let symbol = (lines.is_none() && !place.is_empty()).then(|| place.to_owned());
    let location = (!path.is_empty()).then(|| Location { path: path.to_owned(), lines, symbol });
    Finding {
        severity: Severity::Warn,
        severity_word: "WARN".to_owned(),
        where_text: at.to_owned(),
        location,
        also_at: Vec::new(),
        quote: None,
        what: what.to_owned(),
        why: String::new(),
        fix: String::new(),
        retracted: false,
    }
}

fn outcome(bundle: &str, reviewer: &str, state: State) -> Outcome {
    Outcome {
        bundle: bundle.to_owned(),
        reviewer: ReviewerId::new(reviewer).unwrap(),
        state,
        reason: None,
        attempts: 1,
        cached: false,
        latency_ms: 5,
        tokens_in: None,
        tokens_out: None,
        cost_usd: None,
        guessed: None,
        answered_by: None,
        timing: None,
    }
}

type Task = (Outcome, Option<Reading>);

fn task(bundle: &str, reviewer: &str, findings: Vec<Finding>) -> Task {
    let reading = Reading { findings, verdict: Some(Verdict::Hold), ..Reading::default() };
    (outcome(bundle, reviewer, State::Answered), Some(reading))
}

/// The tally of readings about no bundle at hand.
fn tallied(tasks: Vec<Task>) -> Tally {
    assembled(
        answers::assemble(tasks.into_iter(), &panel(), &[], &Routes::default()),
        Input {
            run: RunInfo::default(),
            range: RangeInfo::default(),
            panel: panel(),
            bundles: Vec::new(),
            excluded: Vec::new(),
            replies: Vec::new(),
            judgements: Judgements::default(),
            dispositions: Vec::new(),
            since: None,
        },
    )
}

/// One finding for each `reviewer path:line what`.
fn of(findings: &[(&str, &str, &str)]) -> Tally {
    tallied(findings.iter().map(|(by, at, what)| task("c1_x", by, vec![finding(at, what)])).collect())
}

/// As [`of`]; what follows a comma in the place are further places.
fn of_several(findings: &[(&str, &str, &str)]) -> Tally {
    let read = |(by, at, what): &(&str, &str, &str)| {
        let mut places = at.split(", ");
        let mut one = finding(places.next().unwrap_or_default(), what);
        one.also_at = places.filter_map(|place| finding(place, what).location).collect();
        task("c1_x", by, vec![one])
    };
    tallied(findings.iter().map(read).collect())
}

/// `agreement convergence members path:start-end`, an issue a line.
fn shape(tally: &Tally) -> Vec<String> {
    let line = |issue: &Issue| {
        let lines = issue.lines.map_or_else(String::new, |lines| format!(":{}-{}", lines.start, lines.end));
        let (word, count) = (issue.agreement.word(), issue.convergence());
        format!("{word} {count} {} {}{lines}", issue.members.len(), issue.path)
    };
    tally.issues.iter().map(line).collect()
}

#[track_caller]
fn check(findings: &[(&str, &str, &str)], expect: &[&str]) {
    assert_eq!(shape(&of(findings)), expect);
}

#[test]
fn further_places_meet_by_claim_only() {
    let check = |findings: &[(&str, &str, &str)], expect: &[&str]| {
        assert_eq!(shape(&of_several(findings)), expect);
        let turned: Vec<_> = findings.iter().rev().copied().collect();
        assert_eq!(shape(&of_several(&turned)), expect);
    };
    check(&[("opus", "a:5, b:90", LEAK), ("kimi", "b:91", LEAK_AGAIN)], &["claim 2 2 a:5-5"]);
    check(&[("opus", "c:5, b:90", LEAK), ("kimi", "b:91", LEAK_AGAIN)], &["claim 2 2 b:91-91"]);
    check(&[("opus", "a:5, a:90", LEAK), ("kimi", "a:91", LEAK_AGAIN)], &["claim 2 2 a:5-5"]);
    check(
        &[("opus", "a:5, b:90", LEAK), ("kimi", "b:90", RACE)],
        &["single 1 1 a:5-5", "single 1 1 b:90-90"],
    );
    check(
        &[("opus", "a:5, b:90", "Bad."), ("kimi", "b:90", "Wrong.")],
        &["single 1 1 a:5-5", "single 1 1 b:90-90"],
    );
    check(
        &[("opus", "a:5, b:90", LEAK), ("kimi", "b:90, c:3", LEAK_AGAIN), ("gpt", "c:3", LEAK)],
        &["claim 2 2 a:5-5", "single 1 1 c:3-3"],
    );
    // One reviewer's two locations stay two, and one lineage stays one.
    check(
        &[("opus", "a:5, b:90", LEAK), ("opus", "b:90", LEAK)],
        &["single 1 1 a:5-5", "single 1 1 b:90-90"],
    );
    check(&[("opus", "a:5, b:90", LEAK), ("sonnet", "b:90", LEAK)], &["single 1 2 a:5-5"]);
}

#[test]
fn a_further_place_meets_whatever_else_its_reviewer_says_at_the_first() {
    let index = "an index runs past the end of items for an empty list, since nobody looks at its length";
    let findings = [("opus", "a:5", index), ("opus", "a:5, b:90", LEAK), ("kimi", "b:91", LEAK_AGAIN)];
    assert_eq!(shape(&of_several(&findings)), ["claim 2 3 a:5-5"]);
    let repeated = [findings.as_slice(), &[("sonnet", "a:5, b:90", LEAK)]].concat();
    assert_eq!(shape(&of_several(&repeated)), ["claim 2 4 a:5-5"]);
}

#[test]
fn a_sibling_that_repeats_hides_no_member() {
    let note = |by: &str, what: &str| {
        let tally = of(&[(by, "a:5", what)]);
        cluster::Note::new(tally.issues[0].members[0].clone())
    };
    let cluster: Vec<_> =
        (0..20).flat_map(|at| ["opus", "sonnet"].map(|by| note(by, &format!("{LEAK} {at:02}")))).collect();
    let seen: Vec<usize> = cluster::compared(&cluster).map(|(at, _)| at).collect();
    assert_eq!(seen, (0..cluster::MOST_COMPARED).map(|at| 2 * at).collect::<Vec<_>>());
}

#[test]
fn convergence_counts_lineages() {
    check(&[("opus", "a:5", LEAK), ("opus", "a:5", LEAK), ("sonnet", "a:5", LEAK)], &["single 1 3 a:5-5"]);
    check(&[("opus", "a:5", LEAK), ("kimi", "a:5", LEAK)], &["claim 2 2 a:5-5"]);
    check(&[("odd", "a:5", LEAK), ("strange", "a:5", LEAK)], &["single 1 2 a:5-5"]);
    check(&[("opus", "a:5", LEAK), ("kimi", "a:5", LEAK), ("gpt", "a:5", LEAK)], &["claim 3 3 a:5-5"]);
}

#[test]
fn the_same_claim_agrees_within_ten_lines_or_in_one_symbol() {
    check(&[("opus", "a:5", LEAK), ("kimi", "a:15", LEAK_AGAIN)], &["claim 2 2 a:5-5"]);
    check(
        &[("opus", "a:5", LEAK), ("kimi", "a:16", LEAK_AGAIN)],
        &["single 1 1 a:5-5", "single 1 1 a:16-16"],
    );
    check(&[("opus", "a:open", LEAK), ("kimi", "a:Door::open()", LEAK_AGAIN)], &["claim 2 2 a"]);
    check(&[("opus", "a:5", LEAK), ("kimi", "b:5", LEAK)], &["single 1 1 a:5-5", "single 1 1 b:5-5"]);
}

#[test]
fn no_chain_from_member_to_member() {
    check(
        &[("opus", "a:5", LEAK), ("kimi", "a:13", LEAK), ("gpt", "a:21", LEAK)],
        &["claim 2 2 a:5-5", "single 1 1 a:21-21"],
    );
}

#[test]
fn terse_claims_agree_on_the_place_only_where_they_meet() {
    check(&[("opus", "a:5", "off by one"), ("kimi", "a:4-6", "reads past the end")], &["place 2 2 a:4-6"]);
    check(
        &[("opus", "a:5", "off by one"), ("kimi", "a:6", "reads past the end")],
        &["single 1 1 a:5-5", "single 1 1 a:6-6"],
    );
}

#[test]
fn claims_that_differ_are_issues_that_name_each_other() {
    let tally = of(&[("opus", "a:5", LEAK), ("kimi", "a:5", RACE)]);
    assert_eq!(shape(&tally), ["single 1 1 a:5-5", "single 1 1 a:5-5"]);
    assert_eq!(tally.issues[0].see_also, [tally.issues[1].id.clone()]);
    assert_eq!(tally.issues[1].see_also, [tally.issues[0].id.clone()]);
    assert_eq!(of(&[("opus", "a:5", LEAK), ("kimi", "a:40", RACE)]).issues[0].see_also, [""; 0]);
}

#[test]
fn one_location_of_one_reviewer_is_one_entry() {
    check(&[("opus", "a:5", LEAK), ("opus", "a:5", RACE)], &["single 1 2 a:5-5"]);
    check(&[("opus", "a:5", LEAK), ("opus", "a:5", RACE), ("kimi", "a:6", LEAK_AGAIN)], &["claim 2 3 a:5-5"]);
    // Two claims that another lineage confirms one by one are two issues.
    check(
        &[("opus", "a:5", LEAK), ("opus", "a:5", RACE), ("kimi", "a:5", LEAK_AGAIN), ("kimi", "a:5", RACE)],
        &["claim 2 2 a:5-5", "claim 2 2 a:5-5"],
    );
    // The same words at two locations are two entries.
    check(&[("opus", "a:5", LEAK), ("opus", "a:7", LEAK)], &["single 1 1 a:5-5", "single 1 1 a:7-7"]);
}

#[test]
fn evidence_names_what_is_shared() {
    let a = finding("a:5", "Parsing overflows the retryCount when `madvise` fails");
    let b = finding("a:5", "retryCount overflows, since madvise is called twice");
    let seen = evidence(&a, &b);
    let shown =
        format!("{:?} {:.2}–{:.2} {:?} {:?}", seen.answer, seen.least, seen.most, seen.telling, seen.shared);
    insta::assert_snapshot!(shown, @r#"Same 0.50–0.80 [7, 7] ["Count", "madvise", "overflows", "retry", "retryCount"]"#);
    let signs = finding("a:5", "!!");
    assert_eq!(evidence(&signs, &signs).shared, ["!!"]);
}

#[test]
fn agreement_reaches_over_bundles() {
    let tally = tallied(vec![
        task("c1_x", "opus", vec![finding("a:5", LEAK)]),
        task("c2_x", "kimi", vec![finding("a:5", LEAK_AGAIN)]),
    ]);
    assert_eq!(shape(&tally), ["claim 2 2 a:5-5"]);
}

#[test]
fn what_is_taken_back_is_shown_and_not_counted() {
    let mut withdrawn = finding("a:5", LEAK_AGAIN);
    withdrawn.retracted = true;
    withdrawn.severity = Severity::Block;
    let tally = tallied(vec![
        task("c1_x", "opus", vec![finding("a:5", LEAK)]),
        task("c1_x", "kimi", vec![withdrawn.clone()]),
    ]);
    assert_eq!(shape(&tally), ["single 1 2 a:5-5"]);
    assert_eq!(tally.issues[0].severity, Severity::Warn);
    let alone = tallied(vec![task("c1_x", "kimi", vec![withdrawn])]);
    assert_eq!(shape(&alone), ["single 0 1 a:5-5"]);
    assert!(!alone.issues[0].is_counted());
    let policy = &Policy::plain(FailOn::Any, 1);
    assert_eq!(evaluate(&alone, policy).result, GateResult::Pass);
}

#[test]
fn findings_without_a_place_stand_apart() {
    let tally = of(&[("opus", "", LEAK), ("kimi", "a", RACE)]);
    assert_eq!(shape(&tally), ["single 1 1 a"]);
    assert_eq!(tally.unplaced.len(), 1);
}

#[test]
fn ranked_by_agreement_then_convergence_then_severity() {
    check(
        &[
            ("opus", "c:5", LEAK),
            ("opus", "b:5", "off by one"),
            ("kimi", "b:5", "reads past the end"),
            ("opus", "a:5", LEAK),
            ("kimi", "a:5", LEAK),
        ],
        &["claim 2 2 a:5-5", "place 2 2 b:5-5", "single 1 1 c:5-5"],
    );
}

#[test]
fn an_id_knows_no_line_number() {
    let id = |at: &str, what: &str| of(&[("opus", at, what)]).issues[0].id.clone();
    assert_eq!(id("a:5", LEAK), id("a:905", LEAK));
    assert_eq!(id("a:5", "Line 5 leaks the socket."), id("a:6", "line 6: LEAKS the socket"));
    assert_ne!(id("a:5", LEAK), id("b:5", LEAK));
    assert_ne!(id("a:5", LEAK), id("a:5", RACE));
    let twice = of(&[("opus", "a:5", LEAK), ("opus", "a:50", LEAK)]);
    assert_eq!(twice.issues[1].id, format!("{}-2", twice.issues[0].id));
}

#[test]
fn a_reply_that_is_not_whole_lowers_its_task() {
    let states = |completeness, verdict| {
        let reading = Reading { verdict, completeness, ..Reading::default() };
        let tally = tallied(vec![(outcome("c1_x", "opus", State::Answered), Some(reading))]);
        let outcome = tally.coverage[0].outcome.clone();
        (outcome.state, outcome.reason.unwrap_or_default())
    };
    let text = str::to_owned;
    assert_eq!(states(Completeness::Whole, Some(Verdict::Ship)), (State::Answered, String::new()));
    assert_eq!(states(Completeness::Whole, None), (State::Answered, text("no verdict given")));
    assert_eq!(states(Completeness::Incomplete(text("cut")), None), (State::Incomplete, text("cut")));
    assert_eq!(states(Completeness::Unusable(text("HTML")), None), (State::Failed, text("HTML")));
    assert_eq!(states(Completeness::Empty, None), (State::Empty, text("a reply without text")));
    let late = tallied(vec![(outcome("c1_x", "opus", State::TimedOut), None)]);
    assert_eq!(late.coverage[0].outcome.state, State::TimedOut);
}

#[test]
fn a_task_without_a_record_was_never_asked() {
    let bundles = [bundle("c10_b"), bundle("c2_a")];
    let panel = Panel { reviewers: vec![reviewer("opus", "anthropic")] };
    let tasks = vec![task("c10_b", "opus", vec![])];
    let answers = answers::assemble(tasks.into_iter(), &panel, &bundles, &Routes::default());
    let states: Vec<_> =
        answers.coverage.iter().map(|one| (one.outcome.bundle.as_str(), one.outcome.state)).collect();
    assert_eq!(states, [("c2_a", State::Skipped), ("c10_b", State::Answered)]);
}

fn bundle(id: &str) -> Bundle {
    Bundle { id: id.to_owned(), component: String::new(), files: Vec::new(), guard: Guard::Ok }
}
