//! Tests of the tally over hand-made findings: agreement, counting, ids, and that order never matters.

use proptest::prelude::*;

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
    let policy = Policy { fail_on: FailOn::Any, min_lineages: 1 };
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

/// `result: reasons` for a policy.
#[track_caller]
fn gate(tally: &Tally, fail_on: FailOn, min_lineages: usize, expect: &str) {
    let gate = evaluate(tally, Policy { fail_on, min_lineages });
    assert_eq!(format!("{}: {}", gate.result.word(), gate.reasons.join("; ")), expect);
}

#[test]
fn the_gate_fails_on_what_it_is_told() {
    let tally = of(&[("opus", "a:5", LEAK), ("kimi", "a:5", LEAK), ("gpt", "", LEAK)]);
    gate(&tally, FailOn::Never, 1, "off: ");
    gate(&tally, FailOn::Convergent, 1, "fail: 1 issue that two or more lineages agree on");
    let both = "fail: 1 issue of WARN or worse; 1 finding of WARN or worse without a usable place";
    gate(&tally, FailOn::Warn, 1, both);
    gate(
        &tally,
        FailOn::Block,
        3,
        "pass: nothing that fails, and every bundle was answered by 3 lineages or more",
    );
    gate(&tally, FailOn::Block, 4, "inconclusive: 3 lineages answered, 4 asked for");
    gate(&tally, FailOn::Never, 4, "inconclusive: 3 lineages answered, 4 asked for");
    let failing = "fail: 1 issue that two or more lineages agree on; 3 lineages answered, 4 asked for";
    gate(&tally, FailOn::Convergent, 4, failing);
}

#[test]
fn the_gate_passes_only_what_was_read_whole() {
    let tally = tallied(vec![
        task("c1_x", "opus", vec![]),
        task("c1_x", "kimi", vec![]),
        task("c2_y", "opus", vec![]),
        task("c2_y", "sonnet", vec![]),
        (outcome("c3_z", "opus", State::Failed), None),
    ]);
    gate(
        &tally,
        FailOn::Any,
        2,
        "inconclusive: bundle c2_y was answered by 1 lineage, 2 asked for; bundle c3_z was answered by nobody",
    );
    gate(&tally, FailOn::Never, 2, "off: ");
    let nobody = tallied(vec![(outcome("c1_x", "opus", State::Failed), None)]);
    gate(&nobody, FailOn::Never, 1, "inconclusive: no reviewer answered");
    gate(&tallied(vec![]), FailOn::Any, 1, "pass: nothing to review");
}

const OPUS: &str = "SEVERITY: BLOCK
WHERE: src/a.rs:90
QUOTE: let n = parse(text);
WHAT: The result of parse is used without a check, so a malformed header panics the worker thread.
WHY: The added line drops the error branch that the old code had.

VERDICT: hold, a panic on input
";
const KIMI: &str = "SEVERITY: WARN
WHERE: a.rs:2-3
WHAT: A malformed header now panics the worker, because the result of parse goes unchecked.
WHY: The old code had an error branch; the added line drops it.

VERDICT: ship-with-fixes
";

/// A whole run: two bundles, three reviewers, one of them cut off.
fn run() -> Input {
    let text = "@@ -1,2 +1,3 @@ fn head(text: &str) {\n     log(text);\n+    let n = parse(text);\n     n\n";
    let hunk =
        |text: &str| Hunk { old_start: 1, old_lines: 2, new_start: 1, new_lines: 3, text: text.into() };
    let file = |path: &str| FilePatch {
        path: path.into(),
        old_path: None,
        status: FileStatus::Modified,
        content: Content::Text,
        generated: false,
        header: Vec::new(),
        hunks: vec![hunk(text)],
        size: 0,
    };
    let bundle = |id: &str, paths: &[&str]| Bundle {
        files: paths.iter().map(|path| file(path)).collect(),
        ..self::bundle(id)
    };
    let reply = |bundle: &str, by: &str, text: &str| TaskReply {
        outcome: outcome(bundle, by, State::Answered),
        text: Some(text.to_owned()),
    };
    Input {
        run: RunInfo::default(),
        range: RangeInfo::default(),
        panel: Panel { reviewers: panel().reviewers.into_iter().take(3).collect() },
        bundles: vec![bundle("c1_a", &["src/a.rs", "src/b.rs"]), bundle("c2_z", &["z.rs"])],
        excluded: Vec::new(),
        replies: vec![
            reply("c1_a", "opus", OPUS),
            reply("c1_a", "kimi", KIMI),
            reply("c1_a", "sonnet", "<html><body>502 Bad Gateway</body></html>"),
            reply("c2_z", "opus", "VERDICT: ship\n"),
            reply("c2_z", "kimi", ""),
        ],
        judgements: Judgements::default(),
        dispositions: Vec::new(),
    }
}

#[test]
fn a_whole_run() {
    let tally = tally(run());
    assert_eq!(shape(&tally), ["claim 2 2 src/a.rs:2-2"]);
    let issue = &tally.issues[0];
    assert_eq!((issue.severity, issue.symbol.as_deref()), (Severity::Block, Some("head")));
    let places: Vec<_> =
        issue.members.iter().map(|one| (one.anchored.anchor, one.anchored.note.as_deref())).collect();
    let expect = [
        (Anchor::Moved, Some("moved from line 90 by its quote")),
        (Anchor::Changed, Some("path read as src/a.rs")),
    ];
    assert_eq!(places, expect);
    let word = |one: &Coverage| {
        format!("{} {} {}", one.outcome.bundle, one.outcome.reviewer, one.outcome.state.word())
    };
    let states: Vec<_> = tally.coverage.iter().map(word).collect();
    assert_eq!(
        states,
        [
            "c1_a kimi answered",
            "c1_a opus answered",
            "c1_a sonnet failed",
            "c2_z kimi empty",
            "c2_z opus answered",
            "c2_z sonnet skipped",
        ]
    );
    gate(
        &tally,
        FailOn::Warn,
        2,
        "fail: 1 issue of WARN or worse; bundle c2_z was answered by 1 lineage, 2 asked for",
    );
}

#[test]
fn the_order_of_a_run_s_lists_never_matters() {
    let mut turned = run();
    turned.panel.reviewers.reverse();
    turned.bundles.reverse();
    turned.bundles.iter_mut().for_each(|bundle| bundle.files.reverse());
    turned.replies.reverse();
    assert_eq!(tally(turned), tally(run()));
}

/// Recorded wordings of issues and small variations, so that same, unclear and different all occur.
fn any_finding() -> impl Strategy<Value = Finding> {
    let paths = prop::sample::select(vec!["a", "b", "b/c", ""]);
    let texts = prop::sample::select(vec![LEAK, LEAK_AGAIN, RACE, "off by one", "reads past the end", ""]);
    let symbols = prop::option::weighted(0.2, prop::sample::select(vec!["open", "close"]));
    let severities = prop::sample::select(vec![Severity::Info, Severity::Warn, Severity::Block]);
    let also = prop::option::weighted(0.2, prop::sample::select(vec!["a:3", "b:20", "b/c:7-9"]));
    let lines = prop::option::of((1..40_u32, 0..4_u32));
    (paths, lines, texts, symbols, severities, prop::bool::weighted(0.1), also).prop_map(
        |(path, lines, what, symbol, severity, retracted, also)| {
            let lines = lines.map(|(start, more)| LineRange::new(start, start + more));
            let symbol = symbol.filter(|_| lines.is_none()).map(str::to_owned);
            let location = (!path.is_empty()).then(|| Location { path: path.to_owned(), lines, symbol });
            let also_at = also.and_then(|also| finding(also, what).location).into_iter().collect();
            Finding { severity, location, also_at, retracted, ..finding(path, what) }
        },
    )
}

fn any_tasks() -> impl Strategy<Value = Vec<Task>> {
    let reviewers = prop::sample::select(vec!["opus", "kimi", "gpt", "odd", "strange"]);
    let bundles = prop::sample::select(vec!["c1_x", "c2_y"]);
    let task = (bundles, reviewers, prop::collection::vec(any_finding(), 0..6));
    prop::collection::vec(task.prop_map(|(bundle, by, findings)| self::task(bundle, by, findings)), 0..8)
}

/// Checks a rule on the findings alone, without the code that applied it.
#[track_caller]
fn holds(members: &[Member], at: usize, join: &Join) {
    let place = |at: usize| &members[at].anchored;
    let answer = |a: usize, b: usize| evidence(&place(a).finding, &place(b).finding).answer;
    let lines_apart = |a: usize, b: usize| Some(place(a).lines?.gap(place(b).lines?));
    let near = |a: usize, nearness: Nearness| match nearness {
        Nearness::Overlap => lines_apart(a, at) == Some(0),
        Nearness::Lines(gap) => lines_apart(a, at) == Some(gap) && (1..=10).contains(&gap),
        Nearness::NamedSymbol | Nearness::SameSymbol => {
            place(a).symbol.is_some() && place(a).symbol == place(at).symbol
        }
        Nearness::WholeFile => place(a).lines.is_none() && place(at).lines.is_none(),
    };
    let holds = match &join.rule {
        Rule::First => at == 0,
        Rule::Claim { to, nearness, same_as, comparison } => {
            *to <= *same_as
                && *same_as < at
                && near(*to, *nearness)
                && answer(*same_as, at) == Sameness::Same
                && comparison.answer == Sameness::Same
        }
        Rule::Place { to, nearness, comparison } => {
            *to < at && nearness.meets() && near(*to, *nearness) && comparison.answer != Sameness::Different
        }
        Rule::Further { to, same_as, .. } => {
            let names = |a: usize, b: usize| place(a).also.iter().any(|also| also.path == place(b).path);
            answer(*same_as, at) == Sameness::Same && (names(*to, at) || names(at, *to))
        }
        Rule::Location { with } => {
            members[*with].reviewer == members[at].reviewer && place(*with).lines == place(at).lines
        }
        Rule::TakenBack { beside, same } => {
            place(at).finding.retracted
                && place(*beside).lines == place(at).lines
                && (*same || members[*beside].reviewer == members[at].reviewer)
        }
    };
    let counted = |at: usize| !place(at).finding.retracted;
    let relative = (0..at)
        .find(|other| counted(*other) && counted(at) && members[*other].lineage == members[at].lineage);
    assert!(holds && join.counts_with == relative, "member {at}: {join:?}");
}

/// Tasks and the same in another order, their findings too.
fn any_shuffled() -> impl Strategy<Value = (Vec<Task>, Vec<Task>)> {
    any_tasks().prop_flat_map(|tasks| {
        let shuffled = Just(tasks.clone()).prop_shuffle();
        (Just(tasks), shuffled, any::<u64>()).prop_map(|(tasks, mut shuffled, turn)| {
            for (_, reading) in &mut shuffled {
                if let Some(findings) =
                    reading.as_mut().map(|one| &mut one.findings).filter(|all| !all.is_empty())
                {
                    let by = usize::try_from(turn % 7).unwrap() % findings.len();
                    findings.rotate_left(by);
                }
            }
            (tasks, shuffled)
        })
    })
}

fn counted(tally: &Tally) -> usize {
    tally.issues.iter().map(|issue| issue.members.len()).sum::<usize>() + tally.unplaced.len()
}

proptest! {
    #[test]
    fn order_never_matters((tasks, shuffled) in any_shuffled()) {
        prop_assert_eq!(tallied(tasks), tallied(shuffled));
    }

    #[test]
    fn nothing_is_thrown_away(tasks in any_tasks(), more in any_tasks()) {
        let found = |tasks: &[Task]| tasks.iter().flat_map(|(_, one)| one).map(|one| one.findings.len()).sum::<usize>();
        let all = [tasks.clone(), more].concat();
        prop_assert_eq!(counted(&tallied(tasks.clone())), found(&tasks));
        prop_assert_eq!(counted(&tallied(all.clone())), found(&all));
    }

    #[test]
    fn every_issue_is_explained_by_rules_that_hold(tasks in any_tasks()) {
        let tally = tallied(tasks);
        for issue in &tally.issues {
            let explanation = explain(&tally, issue).unwrap();
            prop_assert_eq!(explanation.joins.len(), issue.members.len());
            for (at, join) in explanation.joins.iter().enumerate() {
                holds(&issue.members, at, join);
            }
            let by_place = explanation.joins.iter().zip(&issue.members).any(|(join, member)| {
                matches!(join.rule, Rule::Place { to, .. } if issue.members[to].lineage != member.lineage)
            });
            prop_assert!(!issue.is_counted() || by_place == (issue.agreement == Agreement::Place));
            let parted: Vec<_> = explanation.partings.iter().map(|parting| parting.issue.clone()).collect();
            prop_assert_eq!(&parted, &issue.see_also);
            for Parting { because, nearness, comparison, .. } in explanation.partings {
                let differ = comparison.answer == Sameness::Different;
                match because {
                    Because::ClaimsDiffer | Because::MembersDiffer => prop_assert!(differ),
                    Because::OnlyNear => prop_assert!(!differ && !nearness.is_some_and(Nearness::meets)),
                    Because::OneReviewer(by) => prop_assert!(issue.members.iter().any(|one| one.reviewer == by)),
                    Because::Settled | Because::FitsAnother => prop_assert!(!differ),
                }
            }
        }
    }

    #[test]
    fn an_echo_of_the_same_lineage_raises_nothing(tasks in any_tasks()) {
        let echo = tasks.iter().filter(|(one, _)| one.reviewer.as_str() == "opus").cloned().map(|(mut one, reading)| {
            one.reviewer = ReviewerId::new("sonnet").unwrap();
            (one, reading)
        });
        let with_echo: Vec<_> = tasks.iter().cloned().chain(echo).collect();
        let names = |tally: Tally| -> Vec<_> {
            tally.issues.into_iter().map(|one| (one.id, one.agreement, one.lineages, one.severity)).collect()
        };
        prop_assert_eq!(names(tallied(tasks)), names(tallied(with_echo)));
    }

    #[test]
    fn evidence_is_what_the_rule_saw(tasks in any_tasks()) {
        let members: Vec<_> = tallied(tasks).issues.into_iter().flat_map(|one| one.members).collect();
        for (a, b) in members.iter().zip(members.iter().skip(1)) {
            let claim = |one: &Member| Claim::read(&one.anchored.finding.what, &one.anchored.finding.why);
            let seen = evidence(&a.anchored.finding, &b.anchored.finding);
            prop_assert_eq!((seen.answer, seen.least), (claim(a).compare(&claim(b)), claim(a).similarity(&claim(b))));
            let number = |words: usize| f32::from(u16::try_from(words).unwrap());
            let [a, b] = seen.telling.map(|words| (number(words) + 3.0).sqrt());
            prop_assert!((number(seen.shared.len()) / (a * b) - seen.least).abs() < 1e-4, "{seen:?}");
        }
    }

    #[test]
    fn no_issue_has_more_lineages_than_stand_by_it(tasks in any_tasks()) {
        for issue in tallied(tasks).issues {
            let mut standing: Vec<_> = issue.members.iter()
                .filter(|one| !one.anchored.finding.retracted).map(|one| one.lineage.clone()).collect();
            standing.sort();
            standing.dedup();
            prop_assert_eq!(&standing, &issue.lineages);
            prop_assert_eq!(issue.agreement != Agreement::Single, issue.convergence() > 1);
        }
    }
}
