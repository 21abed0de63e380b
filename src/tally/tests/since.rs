//! A tally beside the last review's issues: what is new, still open, fixed, dismissed, back again.

use super::*;
use crate::{
    bundle::{Bundle, ExcludeReason, Excluded},
    disposition::Decision,
    pull::{Address, Platform, Reviewed},
    tally::since::{Descent, Earlier, Last, MOST_LEFT, Scope, Since, Whereabouts, scope},
};

/// An earlier issue at `src/a.rs` of one lineage that says `what`.
fn earlier(id: &str, line: u32, what: &str) -> Earlier {
    let lines = Some(LineRange::new(line, line));
    Earlier {
        id: id.to_owned(),
        path: "src/a.rs".to_owned(),
        lines,
        symbol: None,
        severity: Severity::Warn,
        agreement: Agreement::Single,
        lineages: vec![Lineage::new("anthropic")],
        what: what.to_owned(),
        why: String::new(),
        code: None,
        holds: false,
        is_fixed: false,
        disposition: None,
        now: Whereabouts::There { path: "src/a.rs".to_owned(), lines },
    }
}

fn dismissed(issue: Earlier) -> Earlier {
    let disposition = Disposition {
        at: jiff::Timestamp::UNIX_EPOCH,
        issue: issue.id.clone(),
        decision: Decision::False,
        why: String::new(),
        by: "Ada".to_owned(),
        run: String::new(),
        path: issue.path.clone(),
        severity: issue.severity,
        what: issue.what.clone(),
        found_by: Vec::new(),
    };
    Earlier { disposition: Some(disposition), ..issue }
}

fn last(issues: Vec<Earlier>) -> Last {
    Last {
        run: "20261121-041812345-9b0e77".to_owned(),
        started_at: "2026-11-21T04:18:12Z".to_owned(),
        base: "base".to_owned(),
        head: "head".to_owned(),
        fingerprint: "f".to_owned(),
        complete: true,
        issues,
        dropped: 0,
    }
}

fn since(scope: Scope, issues: Vec<Earlier>) -> Since {
    let address = Address {
        platform: Platform::GitHub,
        api: "https://api.github.com".to_owned(),
        project: "acme/shop".to_owned(),
        number: 5,
    };
    let commit = |name: &str| name.to_owned();
    let pull = Reviewed { address, base: commit("base"), target: commit("base"), head: commit("new") };
    let (fingerprint, decisions, notes) = ("f".to_owned(), Vec::new(), Vec::new());
    Since { pull, scope, fingerprint, last: Some(last(issues)), decisions, notes }
}

/// The tally of `reviewer path:line what` findings on a bundle with `src/a.rs`, beside the last review.
fn beside(scope: Scope, issues: Vec<Earlier>, findings: &[(&str, &str, &str)]) -> Tally {
    beside_excluded(scope, issues, findings, Vec::new())
}

fn beside_excluded(
    scope: Scope,
    issues: Vec<Earlier>,
    findings: &[(&str, &str, &str)],
    excluded: Vec<Excluded>,
) -> Tally {
    let file = FilePatch {
        path: "src/a.rs".into(),
        old_path: None,
        status: FileStatus::Modified,
        content: Content::Text,
        generated: false,
        header: Vec::new(),
        hunks: Vec::<Hunk>::new(),
        size: 0,
    };
    let (id, component) = ("c1_x".to_owned(), "x".to_owned());
    let bundles = vec![Bundle { id, component, files: vec![file], guard: Guard::Ok }];
    let mut tasks: Vec<Task> =
        findings.iter().map(|(by, at, what)| task("c1_x", by, vec![finding(at, what)])).collect();
    if tasks.is_empty() {
        tasks.push(task("c1_x", "opus", Vec::new()));
    }
    let input = Input {
        run: RunInfo::default(),
        range: RangeInfo::default(),
        panel: panel(),
        bundles,
        excluded,
        replies: Vec::new(),
        judgements: Judgements::default(),
        dispositions: Vec::new(),
        since: Some(since(scope, issues)),
    };
    assembled(answers::assemble(tasks.into_iter(), &panel(), &[], &Routes::default()), input)
}

/// `standing what` of each issue, then `became id` of what is carried.
fn told(tally: &Tally) -> Vec<String> {
    let issue = |issue: &Issue| {
        let standing = issue.standing.map_or("none", Standing::word);
        let was = issue.earlier.as_ref().map(|before| format!(" was {}", before.id)).unwrap_or_default();
        let dismissed = if issue.dismissed().is_some() { " dismissed" } else { "" };
        format!("{standing}{was}{dismissed}")
    };
    let carried = |one: &Carried| format!("{} {}", one.became.word(), one.issue.id);
    tally.issues.iter().map(issue).chain(tally.earlier.iter().map(carried)).collect()
}

#[track_caller]
fn check(issues: Vec<Earlier>, findings: &[(&str, &str, &str)], expect: &[&str]) {
    assert_eq!(told(&beside(Scope::Incremental, issues.clone(), findings)), expect);
    let reversed = issues.into_iter().rev().collect();
    assert_eq!(told(&beside(Scope::Incremental, reversed, findings)), expect, "in the other order");
}

/// The id that a finding gets.
fn id_of(at: &str, what: &str) -> String {
    beside(Scope::First, Vec::new(), &[("opus", at, what)]).issues[0].id.clone()
}

#[test]
fn by_its_id_an_issue_is_known_wherever_it_stands() {
    let id = id_of("src/a.rs:5", LEAK);
    let open = earlier(&id, 300, "other words altogether");
    check(vec![open.clone()], &[("opus", "src/a.rs:5", LEAK)], &[&format!("still-open was {id}")]);
    let fixed = Earlier { is_fixed: true, now: Whereabouts::Gone, ..open.clone() };
    check(vec![fixed.clone()], &[("opus", "src/a.rs:5", LEAK)], &[&format!("back-again was {id}")]);
    check(vec![fixed.clone()], &[], &[&format!("fixed {id}")]);
    let back = Earlier { now: open.now.clone(), ..fixed };
    check(vec![back], &[], &[&format!("back-again {id}")]);
    let expect = format!("still-open was {id} dismissed");
    check(vec![dismissed(open.clone())], &[("opus", "src/a.rs:5", LEAK)], &[&expect]);
    check(vec![dismissed(open)], &[], &[&format!("dismissed {id}")]);
    check(Vec::new(), &[("opus", "src/a.rs:5", LEAK)], &["new"]);
}

#[test]
fn in_other_words_at_the_same_place_it_is_the_same() {
    let open = || earlier("000000000001", 5, LEAK);
    check(vec![open()], &[("kimi", "src/a.rs:8", LEAK_AGAIN)], &["still-open was 000000000001"]);
    check(vec![open()], &[("kimi", "src/a.rs:5", RACE)], &["new", "still-open 000000000001"]);
    check(vec![open()], &[("kimi", "src/a.rs:50", LEAK_AGAIN)], &["new", "still-open 000000000001"]);
    check(vec![open()], &[("kimi", "src/b.rs:5", LEAK_AGAIN)], &["new", "still-open 000000000001"]);
    // Of two one is it.
    let twice = vec![open(), earlier("000000000002", 6, LEAK)];
    check(
        twice,
        &[("kimi", "src/a.rs:8", LEAK_AGAIN)],
        &["still-open was 000000000001", "still-open 000000000002"],
    );
    // A decision stays with the id that it was made about.
    check(vec![dismissed(open())], &[("kimi", "src/a.rs:8", LEAK_AGAIN)], &["still-open was 000000000001"]);
}

#[test]
fn gone_is_fixed_only_where_somebody_read_what_is_there_now() {
    let gone = |path: &str| {
        let issue = earlier("000000000001", 5, LEAK);
        Earlier { path: path.to_owned(), now: Whereabouts::Gone, ..issue }
    };
    check(vec![gone("src/a.rs")], &[], &["fixed 000000000001"]);
    check(vec![gone("src/unread.rs")], &[], &["still-open 000000000001"]);
    let whole = beside(Scope::Full("asked for".to_owned()), vec![gone("src/reverted.rs")], &[]);
    assert_eq!(told(&whole), ["fixed 000000000001"]);
    let moved = Excluded {
        path: "vendor/moved.rs".into(),
        old_path: Some("src/moved.rs".into()),
        reason: ExcludeReason::Lockfile,
        bytes: 9,
    };
    let full = Scope::Full("asked for".to_owned());
    let hidden = beside_excluded(full, vec![gone("src/moved.rs")], &[], vec![moved]);
    assert_eq!(told(&hidden), ["still-open 000000000001"]);
    check(vec![Earlier { now: Whereabouts::Unknown, ..gone("src/a.rs") }], &[], &["still-open 000000000001"]);
}

#[test]
fn what_is_back_again_counts_as_open() {
    let there = Whereabouts::There { path: "src/a.rs".to_owned(), lines: None };
    let back = Earlier { is_fixed: true, now: there, ..earlier("000000000001", 5, LEAK) };
    let tally = beside(Scope::Incremental, vec![back], &[]);
    assert_eq!(told(&tally), ["back-again 000000000001"]);
    let gate = evaluate(&tally, &Policy::plain(FailOn::Warn, 1));
    assert_eq!(gate.reasons, ["1 issue of WARN or worse still open from the last review"]);
}

#[test]
fn what_is_still_open_weighs_no_less_than_before() {
    let id = id_of("src/a.rs:5", LEAK);
    let lineages = vec![Lineage::new("anthropic"), Lineage::new("openai")];
    let agreed = Earlier {
        severity: Severity::Block,
        agreement: Agreement::Claim,
        lineages,
        holds: true,
        ..earlier(&id, 5, LEAK)
    };
    let judged = |issues: Vec<Earlier>, findings: &[(&str, &str, &str)], fail_on| {
        let tally = beside(Scope::Incremental, issues, findings);
        let gate = evaluate(&tally, &Policy::plain(fail_on, 1));
        let word = verdict::conclude(&tally, &gate).word();
        (word, gate.result, gate.reasons[0].clone())
    };
    let held = |reason: &str| ("hold", GateResult::Fail, reason.to_owned());
    let warns = [("opus", "src/a.rs:5", LEAK)];
    let (block, convergent) = (FailOn::Block, FailOn::Convergent);
    assert_eq!(
        judged(vec![agreed.clone()], &[], block),
        held("1 issue of BLOCK still open from the last review")
    );
    assert_eq!(judged(vec![agreed.clone()], &warns, block), held("1 issue of BLOCK"));
    assert_eq!(
        judged(vec![agreed.clone()], &warns, convergent),
        held("1 issue that two or more lineages agree on")
    );
    let passed = |word, reason: &str| (word, GateResult::Pass, reason.to_owned());
    let all = "nothing that fails, and every bundle was answered by 1 lineage or more";
    assert_eq!(judged(vec![dismissed(agreed.clone())], &[], block), passed("ship", all));
    let fixed = Earlier { now: Whereabouts::Gone, ..agreed };
    assert_eq!(judged(vec![fixed], &[], block), passed("ship", all));
}

#[test]
fn what_the_last_record_had_no_room_for_lets_nothing_pass() {
    let mut tally = beside(Scope::Full("no room".to_owned()), Vec::new(), &[]);
    let policy = Policy::plain(FailOn::Block, 1);
    assert_eq!(evaluate(&tally, &policy).result, GateResult::Pass);
    tally.since.as_mut().unwrap().last.as_mut().unwrap().dropped = 36;
    let gate = evaluate(&tally, &policy);
    let reason = "36 issues of the last review are not known any more".to_owned();
    assert_eq!((gate.result, gate.reasons), (GateResult::Inconclusive, vec![reason]));
}

#[test]
fn what_was_dropped_is_told_until_all_was_read_anew() {
    let mut tally = beside(Scope::Full("no room".to_owned()), Vec::new(), &[]);
    tally.run.finished_at = Some("2026-11-21T04:19:40Z".to_owned());
    tally.since.as_mut().unwrap().last.as_mut().unwrap().dropped = 36;
    let left = |tally: &Tally| {
        let left = Last::left_by(tally, &evaluate(tally, &Policy::plain(FailOn::Block, 1))).unwrap();
        (left.dropped, left.complete)
    };
    assert_eq!(left(&tally), (0, false));
    let check = |change: &dyn Fn(&mut Tally)| {
        let mut tally = tally.clone();
        change(&mut tally);
        assert_eq!(left(&tally), (36, false));
    };
    check(&|tally| tally.run.finished_at = None);
    check(&|tally| tally.run.cut_short = Some("the budget is used up".to_owned()));
    check(&|tally| tally.coverage[0].outcome.state = State::TimedOut);
    check(&|tally| tally.since.as_mut().unwrap().scope = Scope::Incremental);
}

#[test]
fn no_more_is_left_than_the_next_review_reads() {
    let one = earlier("00000000000a", 5, LEAK);
    let many = (0..MOST_LEFT + 7).map(|at| Earlier { id: format!("{at:012x}"), ..one.clone() });
    let mut all: Vec<Earlier> = many.collect();
    (all[3].is_fixed, all[3].now) = (true, Whereabouts::Gone);
    all[9].severity = Severity::Block;
    let tally = beside(Scope::Incremental, all, &[]);
    let left = Last::left_by(&tally, &evaluate(&tally, &Policy::plain(FailOn::Never, 1))).unwrap();
    assert_eq!((left.issues.len(), left.dropped), (MOST_LEFT, 6));
    assert_eq!(left.issues[0].id, format!("{:012x}", 9));
}

#[test]
fn how_much_is_asked_about() {
    let check = |change: &dyn Fn(&mut Last), wants_all, descent, expect: &str| {
        let mut last = last(Vec::new());
        change(&mut last);
        let scope = scope(Some(&last), wants_all, ("base", "f"), descent);
        let told = match scope {
            Scope::First => "first".to_owned(),
            Scope::Incremental => "incremental".to_owned(),
            Scope::Full(reason) => reason,
        };
        assert_eq!(told, expect);
    };
    let same = |_: &mut Last| {};
    check(&same, false, Descent::Ancestor, "incremental");
    check(&same, true, Descent::Ancestor, "asked for");
    check(&same, false, Descent::Rewritten, "history was rewritten: head is not in it any more");
    check(&same, false, Descent::Cut, "head is not in this shallow clone");
    check(
        &|last| last.base = "other".to_owned(),
        false,
        Descent::Ancestor,
        "it is compared with base now, not with other",
    );
    check(
        &|last| last.fingerprint = "g".to_owned(),
        false,
        Descent::Ancestor,
        "who is asked, or what they are told, is configured otherwise now",
    );
    check(
        &|last| last.complete = false,
        false,
        Descent::Ancestor,
        "the last review was not answered in full",
    );
    let no_room = "there was no room for all issues of the last review in its record";
    check(&|last| last.dropped = 1, false, Descent::Ancestor, no_room);
    assert_eq!(scope(None, true, ("base", "f"), Descent::Ancestor), Scope::First);
}
