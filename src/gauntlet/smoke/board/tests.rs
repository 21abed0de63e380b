//! Tests of what may run when.

use std::{num::NonZeroUsize, path::PathBuf, time::Duration};

use super::{
    super::{Action, Check},
    *,
};
use crate::gauntlet::program::{Program, Service, WaitFor};

fn program() -> Program {
    Program {
        argv: vec!["true".to_owned()],
        folder: PathBuf::from("/"),
        env: [].into(),
        pass_env: Vec::new(),
    }
}

/// `a b:a c*:b,db` is a chain of `a`, `b` that needs it, and `c`, parallel, that needs `b` and `db`; `!` stops where it fails.
fn chain(services: &[&str], checks: &str, concurrency: usize) -> Chain {
    let check = |word: &str| {
        let (name, needs) = word.split_once(':').unwrap_or((word, ""));
        Check {
            name: name.trim_end_matches(['*', '!']).to_owned(),
            layer: "smoke".to_owned(),
            action: Action::Command { program: program(), expect_status: 0 },
            timeout: Duration::from_secs(1),
            expect_output: None,
            needs: needs.split(',').filter(|need| !need.is_empty()).map(str::to_owned).collect(),
            parallel: name.contains('*'),
            on_failure: name.contains('!').then_some(OnFailure::Stop),
        }
    };
    let service = |name: &&str| Service {
        name: (*name).to_owned(),
        program: program(),
        wait_for: WaitFor::Port("127.0.0.1:1".to_owned()),
        timeout: Duration::from_secs(1),
    };
    Chain {
        services: services.iter().map(service).collect(),
        checks: checks.split_whitespace().map(check).collect(),
        on_failure: OnFailure::Continue,
        concurrency: NonZeroUsize::new(concurrency).unwrap(),
    }
}

/// Runs a chain: what is under way longest ends first; names in `bad` fail. Each line is what is begun at once.
fn story(chain: &Chain, bad: &[&str]) -> String {
    let (mut board, mut lines, mut under_way) =
        (Board::new(chain), Vec::new(), std::collections::VecDeque::new());
    loop {
        let mut begun = Vec::new();
        while let Some(step) = board.begin() {
            under_way.push_back(step);
            begun.push(match step {
                Step::Start(at) => format!("+{}", chain.services[at].name),
                Step::Check(at) => chain.checks[at].name.clone(),
            });
        }
        lines.extend((!begun.is_empty()).then(|| begun.join(" ")));
        match under_way.pop_front() {
            Some(Step::Start(at)) => board.started(at, !bad.contains(&chain.services[at].name.as_str())),
            Some(Step::Check(at)) if bad.contains(&chain.checks[at].name.as_str()) => {
                board.over(at, CheckResult::Failed("bad".to_owned()));
            }
            Some(Step::Check(at)) => board.over(at, CheckResult::Passed),
            None => break,
        }
    }
    let skipped = chain.checks.iter().zip(board.results()).filter_map(|(check, result)| match result {
        CheckResult::Skipped(reason) => Some(format!("-{}: {reason}", check.name)),
        CheckResult::Passed | CheckResult::Failed(_) => None,
    });
    lines.into_iter().chain(skipped).collect::<Vec<_>>().join("\n")
}

fn check(services: &[&str], checks: &str, concurrency: usize, bad: &[&str], expect: &str) {
    assert_eq!(story(&chain(services, checks, concurrency), bad), expect, "{checks}");
}

#[test]
fn one_after_the_other_and_parallel_ones_beside() {
    check(&[], "", 4, &[], "");
    check(&[], "a b c", 4, &[], "a\nb\nc");
    check(&[], "a b* c d*", 4, &[], "a b d\nc");
    check(&[], "a* b* c* d*", 2, &[], "a b\nc\nd");
    check(&[], "a:b b", 4, &[], "b\na");
    // `c` waits behind `b`, which waits for `a`, although it needs nothing.
    check(&[], "a* b:a c d*", 4, &[], "a d\nb\nc");
    check(&[], "a* b*:a c*:b", 4, &[], "a\nb\nc");
}

#[test]
fn what_needs_a_failed_check_is_skipped() {
    check(&[], "a b:a c:b d", 4, &["a"], "a\nd\n-b: needs a, which failed\n-c: needs b, which was skipped");
    check(
        &[],
        "a* b!* c*:b d e*",
        2,
        &["b"],
        "a b\nd\n-c: needs b, which failed\n-e: the chain stops where b failed",
    );
    check(
        &[],
        "a! b c",
        4,
        &["a"],
        "a\n-b: the chain stops where a failed\n-c: the chain stops where a failed",
    );
}

#[test]
fn services_are_started_when_they_are_needed() {
    check(&["db"], "a b:db c:db", 4, &[], "a\n+db\nb\nc");
    check(
        &["db"],
        "a b:db c:db d",
        4,
        &["db"],
        "a\n+db\nd\n-b: needs db, which was not ready\n-c: needs db, which was not ready",
    );
    // One that nobody names is needed by all.
    check(&["db"], "a b", 4, &[], "+db\na\nb");
    check(
        &["db"],
        "a b*",
        4,
        &["db"],
        "+db\n-a: needs db, which was not ready\n-b: needs db, which was not ready",
    );
    // One after the other, as declared; what does not need them goes on.
    check(&["db", "app"], "a:app,db b* c*:db", 4, &[], "+db b\n+app c\na");
    // A server that must be built first.
    check(&["app"], "build health:build,app", 4, &["build"], "build\n-health: needs build, which failed");
}

#[test]
fn what_is_not_over_when_it_ends_is_skipped() {
    let chain = chain(&[], "a b c*", 4);
    let mut board = Board::new(&chain);
    assert_eq!(
        (board.begin(), board.begin(), board.begin()),
        (Some(Step::Check(0)), Some(Step::Check(2)), None)
    );
    board.end("interrupted".to_owned());
    board.over(0, CheckResult::Passed);
    assert_eq!(board.begin(), None);
    let skipped = || CheckResult::Skipped("interrupted".to_owned());
    assert_eq!(board.results(), [CheckResult::Passed, skipped(), skipped()]);
}
