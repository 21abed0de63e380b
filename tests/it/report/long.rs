//! A tally with thousands of issues and hundreds of bundles as a comment: short enough, and what was folded is counted right.

use scrum::{
    coverage::State,
    finding::Severity,
    report::markdown,
    tally::{
        Agreement, Issue, Tally,
        gate::{FailOn, Policy, evaluate},
    },
};

use super::sample;

/// `issues` WARNs with long texts of two bytes a character over `bundles` bundles, all of which one reviewer did not read.
fn huge(issues: usize, bundles: usize) -> Tally {
    let mut tally = sample::tally();
    let name = |at: usize| format!("c{}_part", at % bundles + 1);
    tally.bundles = (0..bundles).map(|at| sample::bundle(&name(at), "src/a.rs", 9)).collect();
    let states = [("opus", State::Answered), ("kimi", State::TimedOut)];
    let tasks =
        (0..bundles).flat_map(|at| states.map(|(by, state)| sample::task(&name(at), by, state, None)));
    tally.coverage = tasks.collect();
    let issue = |at: usize| {
        let what = format!("claim {at}. {}", "ünd sö wéiter | ".repeat(25));
        let place = format!("src/file{at}.rs:{}", at + 1);
        let member = sample::member("opus", &name(at), Severity::Warn, &place, &what);
        Issue {
            path: format!("src/file{at}.rs"),
            ..sample::issue(&format!("{at:012x}"), Agreement::Single, vec![member])
        }
    };
    tally.issues = (0..issues).map(issue).collect();
    tally
}

/// The number in front of `words`, 0 where they are not there.
fn counted(text: &str, words: &str) -> usize {
    let before = text.find(words).map(|at| &text[..at]);
    let digits = |before: &str| {
        let number: Vec<char> =
            before.trim_end().chars().rev().take_while(|c| c.is_ascii_digit() || *c == ',').collect();
        number.into_iter().rev().filter(char::is_ascii_digit).collect::<String>().parse().unwrap()
    };
    before.map_or(0, digits)
}

#[test]
fn thousands_of_issues_fit_a_comment_and_are_counted() {
    let check = |issues, bundles, most: usize| {
        let tally = huge(issues, bundles);
        let gate = evaluate(&tally, &Policy::plain(FailOn::Warn, 1));
        let text = markdown::within(&tally, &gate, most, &[]);
        let length = text.chars().count();
        assert!(length <= most, "{issues} {bundles}: {length} > {most}");
        let told = text.matches("claim ").count();
        let left_out = counted(&text, "issues left out here");
        assert_eq!(told + left_out, issues, "{told} told of {issues}, {bundles} bundles, {most} characters");
        // Half of the room is not given away.
        assert!(length > most / 2, "{issues} {bundles}: {length} of {most}");
        (told, left_out)
    };
    for most in [4_000, 65_000, 1_000_000] {
        check(5_000, 500, most);
    }
    check(5_000, 1, 65_000);
    check(50, 500, 32_000);
}
