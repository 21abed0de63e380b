//! Scores of small cases, with figures reckoned by hand.

use proptest::prelude::*;

use super::{
    Case, Estimate, Level, Scores, Step, Worth,
    labels::{Label, Labels, Ruling, TrueIssue},
    score,
};
use crate::{
    change::RangeInfo,
    coverage::{Outcome, State},
    finding::LineRange,
    judgement::Judgements,
    proportion::Proportion,
    reviewer::{Lineage, Panel, ReviewerId, Seat},
    tally::{Agreement, Input, RunInfo, Tally, TaskReply, lineage, tally},
};

const LEAK: &str = "the file handle is never closed when parsing fails, so descriptors leak";
const LEAK_TOO: &str = "descriptors leak: when parsing fails the file handle is never closed";
const RACE: &str = "two threads may increment the retry counter at once and lose an update";
const TYPO: &str = "the comment above the constructor misspells the name of the protocol";
const TERSE: &str = "off by one";

/// Replies by reviewer, each a list of places with what is wrong there.
fn answers(replies: &[(&str, &[(&str, &str)])]) -> Tally {
    let id = |name: &str| ReviewerId::new(name).unwrap();
    let seat = |(name, _): &(&str, _)| Seat {
        id: id(name),
        provider: "file".to_owned(),
        model: (*name).to_owned(),
        lineage: lineage::of(name),
    };
    let reply = |(name, said): &(&str, &[(&str, &str)])| {
        let block =
            |(place, what): &(&str, &str)| format!("SEVERITY: WARN\nWHERE: {place}\nWHAT: {what}\n\n");
        let blocks: Vec<String> = said.iter().map(block).collect();
        TaskReply {
            outcome: Outcome::new("all".to_owned(), id(name), State::Answered),
            text: Some(blocks.concat() + "VERDICT: hold\n"),
        }
    };
    tally(Input {
        run: RunInfo::default(),
        range: RangeInfo::default(),
        panel: Panel { reviewers: replies.iter().map(seat).collect() },
        bundles: Vec::new(),
        excluded: Vec::new(),
        replies: replies.iter().map(reply).collect(),
        judgements: Judgements::default(),
        dispositions: Vec::new(),
        since: None,
    })
}

fn issue(id: &str, path: &str, line: u32, text: &str) -> TrueIssue {
    TrueIssue {
        id: id.to_owned(),
        path: Some(path.to_owned()),
        lines: Some(LineRange::new(line, line)),
        text: text.to_owned(),
    }
}

fn label(reviewer: &str, path: &str, line: u32, ruling: Ruling) -> Label {
    Label {
        reviewer: ReviewerId::new(reviewer).unwrap(),
        path: path.to_owned(),
        lines: Some(LineRange::new(line, line)),
        text: None,
        ruling,
    }
}

fn case(labels: Labels, saved: Tally) -> Case {
    Case { labels, saved, asked: None }
}

fn of(hits: usize, of: usize) -> Proportion {
    Proportion { hits, of }
}

/// Three true issues, of which three reviewers find two, each one by two of them, with two wrong findings.
fn golden() -> Case {
    let issues = vec![
        issue("leak", "a.rs", 10, LEAK),
        issue("race", "b.rs", 5, RACE),
        issue("typo", "c.rs", 90, TYPO),
    ];
    let saved = answers(&[
        (
            "claude",
            &[("a.rs:10", LEAK_TOO), ("c.rs:1", "the lock is taken twice in one call and waits for itself")],
        ),
        ("gpt", &[("a.rs:10", LEAK), ("b.rs:5", RACE)]),
        (
            "gemini",
            &[("b.rs:8", RACE), ("b.rs:40", "the cache grows without bound as nothing evicts old entries")],
        ),
    ]);
    case(Labels { issues: Some(issues), findings: Vec::new() }, saved)
}

#[test]
fn reviewers_of_a_golden_list() {
    let worth = |name: &str, descent: &str, precision, recall| Worth {
        name: name.to_owned(),
        lineage: Lineage::new(descent),
        answered: 1,
        findings: 2,
        precision,
        recall,
        alone: of(0, 2),
    };
    let scores = score(&[golden()]);
    let expect = [
        worth("claude", "anthropic", of(1, 2), of(1, 3)),
        worth("gemini", "google", of(1, 2), of(1, 3)),
        worth("gpt", "openai", of(2, 2), of(2, 3)),
    ];
    assert_eq!(scores.reviewers, expect);
    assert_eq!((scores.precision, scores.recall), (of(4, 6), of(2, 3)));
    assert_eq!((scores.unjudged, scores.unread, scores.relative), (0, 0, false));
}

#[test]
fn agreement_on_the_claim_against_chance() {
    let scores = score(&[golden()]);
    let expect = [
        Level {
            agreement: Agreement::Single,
            lineages: 1,
            issues: of(0, 2),
            by_chance: Some(1.0 - 2.0 / 6.0),
            findings: of(0, 2),
            pairs: of(0, 0),
        },
        Level {
            agreement: Agreement::Claim,
            lineages: 2,
            issues: of(2, 2),
            // Both findings are wrong with probability 2/6 · 1/5.
            by_chance: Some(1.0 - (2.0 / 6.0) * (1.0 / 5.0)),
            findings: of(4, 4),
            pairs: of(2, 2),
        },
    ];
    assert_eq!(scores.agreement, expect);
    let [place, claim] = scores.contrasts.as_slice() else { panic!("two contrasts") };
    assert_eq!((place.issues, claim.issues), (None, Some(Estimate { value: 1.0, interval: None })));
}

#[test]
fn further_lineages() {
    let gains = score(&[golden()]).gains;
    let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} {b}");
    // Each found issue is found by two of three: one lineage misses it in one of three panels, two never do.
    let expect = [(4.0 / 9.0, 4.0 / 9.0), (2.0 / 3.0, 2.0 / 9.0), (2.0 / 3.0, 0.0)];
    assert_eq!(gains.by_size.len(), expect.len());
    for (Step { recall, gain, .. }, (recall_expected, gain_expected)) in gains.by_size.iter().zip(expect) {
        near(recall.value, recall_expected);
        near(gain.value, gain_expected);
    }
    let order: Vec<_> = gains.greedy.iter().map(|one| (one.lineage.as_str(), one.new)).collect();
    assert_eq!(order, [("openai", 2), ("anthropic", 0), ("google", 0)]);
    let shapley: Vec<_> = gains.shapley.iter().map(|(lineage, gain)| (lineage.as_str(), *gain)).collect();
    assert_eq!(shapley, [("anthropic", 1.0 / 6.0), ("google", 1.0 / 6.0), ("openai", 1.0 / 3.0)]);
}

#[test]
fn a_label_of_the_finding_itself_comes_first() {
    let mut case = golden();
    case.labels.findings = vec![
        label("gpt", "a.rs", 10, Ruling::Invalid),
        label("gemini", "b.rs", 40, Ruling::Matches(vec!["typo".to_owned()])),
    ];
    let scores = score(&[case]);
    assert_eq!((scores.precision, scores.recall, scores.unread), (of(4, 6), of(3, 3), 0));
}

fn judged() -> Case {
    let saved = answers(&[
        ("claude", &[("a.rs:10", LEAK), ("b.rs:5", TERSE)]),
        ("gpt", &[("a.rs:11", LEAK_TOO), ("b.rs:5", "index is wrong")]),
        ("gemini", &[("c.rs:7", TYPO)]),
    ]);
    let labels = vec![
        label("claude", "a.rs", 10, Ruling::Valid),
        label("claude", "b.rs", 5, Ruling::Valid),
        label("gpt", "a.rs", 11, Ruling::Valid),
        label("gpt", "b.rs", 5, Ruling::Valid),
        label("gpt", "z.rs", 1, Ruling::Valid),
    ];
    case(Labels { issues: None, findings: labels }, saved)
}

/// The leak is one true issue of both. What stands at one place without a settled claim is two; what was not found in the replies
/// is one more.
#[test]
fn judged_findings_name_true_issues() {
    let scores = score(&[judged()]);
    assert_eq!((scores.real, scores.unread, scores.relative), (4, 1, true));
    assert_eq!((scores.precision, scores.recall, scores.unjudged), (of(4, 4), of(3, 4), 1));
    let gemini = &scores.lineages[1];
    assert_eq!((gemini.name.as_str(), gemini.findings, gemini.precision), ("google", 1, of(0, 0)));
}

/// Another panel is judged by what was judged about those who were there before.
#[test]
fn judgements_hold_for_others_who_say_the_same() {
    let mut case = judged();
    case.labels.findings.push(label("gemini", "c.rs", 7, Ruling::Invalid));
    case.asked = Some(answers(&[("kimi", &[("a.rs:9", LEAK), ("c.rs:7", TYPO), ("q.rs:3", RACE)])]));
    let scores = score(&[case]);
    assert_eq!((scores.precision, scores.recall, scores.unjudged), (of(1, 2), of(1, 4), 1));
    assert_eq!(scores.reviewers.len(), 1);
}

#[test]
fn nothing_is_no_score() {
    let scores = score(&[]);
    assert_eq!((scores.cases, scores.recall, scores.reviewers.len()), (0, of(0, 0), 0));
    assert_eq!(scores.gains.by_size, []);
}

/// A case in which each of some lineages found the issues that its bits say, of eight.
fn found(bits: &[u8]) -> Scores {
    const NAMES: [&str; 4] = ["claude", "gpt", "gemini", "kimi"];
    let texts: Vec<(String, String)> =
        (0..8).map(|at| (format!("f{at}.rs:1"), format!("{RACE} in part{at}"))).collect();
    let issues = texts
        .iter()
        .enumerate()
        .map(|(at, (_, text))| issue(&format!("i{at}"), &format!("f{at}.rs"), 1, text));
    let issues = Some(issues.collect());
    let own: Vec<Vec<(&str, &str)>> = bits
        .iter()
        .map(|own| {
            let held = texts.iter().enumerate().filter(|(at, _)| own >> at & 1 == 1);
            held.map(|(_, (place, text))| (place.as_str(), text.as_str())).collect()
        })
        .collect();
    let replies: Vec<(&str, &[(&str, &str)])> =
        NAMES.iter().zip(&own).map(|(name, own)| (*name, own.as_slice())).collect();
    score(&[case(Labels { issues, findings: Vec::new() }, answers(&replies))])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Shapley values and gains both add up to the union's recall; the means are those of all subsets, counted one by one.
    #[test]
    fn gains_add_up(bits in proptest::collection::vec(any::<u8>(), 1..=4)) {
        let scores = found(&bits);
        let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
        let union = scores.recall.share().unwrap_or_default();
        let gains = &scores.gains;
        prop_assert!(near(gains.shapley.iter().map(|(_, gain)| gain).sum(), union));
        prop_assert!(near(gains.by_size.iter().map(|step| step.gain.value).sum(), union));
        prop_assert_eq!(gains.greedy.last().map(|one| one.recall), Some(scores.recall));
        for step in &gains.by_size {
            let subsets = (0_u32..1 << bits.len()).filter(|set| set.count_ones() as usize == step.lineages);
            let recalls: Vec<f64> = subsets
                .map(|set| {
                    let inside = bits.iter().enumerate().filter(|(at, _)| set >> at & 1 == 1);
                    let union = inside.fold(0, |all, (_, own)| all | own);
                    f64::from(union.count_ones()) / 8.0
                })
                .collect();
            let mean = recalls.iter().sum::<f64>() / f64::from(u32::try_from(recalls.len()).unwrap());
            prop_assert!(near(step.recall.value, mean), "{} {mean}", step.recall.value);
        }
    }
}
