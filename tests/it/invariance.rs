//! What a tally must not depend on: the order of anything it is given, and how many models of one lineage say a thing.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use scrum::{
    bundle::{Bundle, Guard},
    change::{Content, FilePatch, FileStatus, Hunk, RangeInfo},
    coverage::{Outcome, State},
    judgement::{ClaimId, Examination, ExaminationAnswer, Hearing, Judgements, Pair, Ruling, RulingAnswer},
    report::{json, markdown, table},
    reviewer::{Lineage, Panel, ReviewerId, Seat},
    tally::{
        Agreement, Input, Member, RunInfo, Tally, TaskReply,
        explain::explain,
        gate::{FailOn, Policy, evaluate},
        tally,
    },
};

const SEATS: [(&str, &str); 6] = [
    ("opus", "anthropic"),
    ("sonnet", "anthropic"),
    ("gpt", "openai"),
    ("kimi", "moonshot"),
    ("odd", "unknown"),
    ("strange", "unknown"),
];
/// Files by bundle; each has two hunks with a function each.
const FILES: [(&str, &[&str]); 2] = [("c1_app", &["src/app.rs", "src/lib.rs"]), ("c2_web", &["web/app.ts"])];
/// Wordings of several issues: some the same in other words, some about the same thing, some terse, one not English.
const CLAIMS: [&str; 12] = [
    "The socket leaks when the handshake fails, because the early return skips close on that path.",
    "When the handshake fails the early return skips close, so the socket leaks for good.",
    "The socket is closed twice when the handshake succeeds, which may close a stranger's descriptor.",
    "Two threads may bump the shared counter at once without any lock, which loses increments under load.",
    "Increments of the shared counter are lost under load, since two threads may bump it without a lock.",
    "The shared counter is read before it is written, so the first request sees a stale zero.",
    "The retry loop never sleeps between attempts and floods the server with requests when it is down.",
    "off by one",
    "reads past the end of `items`",
    "`items.len() - 1` underflows for an empty list",
    "这里没有检查空指针，当请求失败并且响应体为空时会导致工作进程崩溃",
    "!!",
];

/// One finding of a reply; its number is written into FIX, which no rule looks at.
#[derive(Debug, Clone)]
struct Found {
    number: usize,
    place: String,
    claim: usize,
    severity: &'static str,
    retracted: bool,
}

/// What one seat answers about one bundle.
#[derive(Debug, Clone)]
struct Answer {
    seat: usize,
    bundle: usize,
    findings: Vec<Found>,
}

impl Answer {
    fn text(&self) -> String {
        let blocks = self.findings.iter().map(|one| {
            let Found { number, place, claim, severity, retracted } = one;
            let mark = if *retracted { "\n\nWithdrawn: on reflection this is fine." } else { "" };
            let what = CLAIMS[*claim];
            format!("SEVERITY: {severity}\nWHERE: {place}\nWHAT: {what}\nFIX: number {number}.{mark}\n\n")
        });
        blocks.collect::<String>() + "VERDICT: ship-with-fixes\n"
    }
}

fn any_found() -> impl Strategy<Value = (usize, Found)> {
    let line = || prop_oneof![1..20_u32, 60..80_u32];
    let place = prop_oneof![
        6 => line().prop_map(|line| format!(":{line}")),
        3 => (line(), 1..6_u32).prop_map(|(line, more)| format!(":{line}-{}", line + more)),
        2 => prop::sample::select(vec![":open", ":close"]).prop_map(str::to_owned),
        1 => Just(String::new()),
    ];
    let severities = prop::sample::select(vec!["INFO", "WARN", "BLOCK"]);
    let retracted = prop::bool::weighted(0.1);
    (0..3_usize, place, line(), 0..CLAIMS.len(), severities, retracted).prop_map(
        |(file, place, further, claim, severity, retracted)| {
            let bundle = file / 2;
            let path = FILES[bundle].1[file % 2];
            let also = match further % 6 {
                0 => format!(", also at {}:{further}", FILES[0].1[1]),
                1 => format!(", also at {path}:{further}"),
                _ => String::new(),
            };
            let place = format!("{path}{place}{also}");
            (bundle, Found { number: 0, place, claim, severity, retracted })
        },
    )
}

/// Findings of several seats, each with its own number; a seat answers a bundle once.
fn any_answers() -> impl Strategy<Value = Vec<Answer>> {
    prop::collection::vec((0..SEATS.len(), any_found()), 0..40).prop_map(|all| {
        let mut answers: BTreeMap<(usize, usize), Vec<Found>> = BTreeMap::new();
        for (number, (seat, (bundle, found))) in all.into_iter().enumerate() {
            answers.entry((seat, bundle)).or_default().push(Found { number, ..found });
        }
        let answer = |((seat, bundle), findings)| Answer { seat, bundle, findings };
        answers.into_iter().map(answer).collect()
    })
}

/// What only one of the two models of a lineage says: the other one is silent.
fn without(answers: &[Answer], seat: &str) -> Vec<Answer> {
    answers.iter().filter(|one| SEATS[one.seat].0 != seat).cloned().collect()
}

fn input(answers: &[Answer]) -> Input {
    let seat = |(id, lineage): &(&str, &str)| Seat {
        id: ReviewerId::new(id).unwrap(),
        provider: "replay".to_owned(),
        model: (*id).to_owned(),
        lineage: Lineage::new(lineage),
    };
    let reply = |one: &Answer| TaskReply {
        outcome: Outcome::new(
            FILES[one.bundle].0.to_owned(),
            ReviewerId::new(SEATS[one.seat].0).unwrap(),
            State::Answered,
        ),
        text: Some(one.text()),
    };
    Input {
        run: RunInfo::default(),
        range: RangeInfo::default(),
        panel: Panel { reviewers: SEATS.iter().map(seat).collect() },
        bundles: FILES.iter().map(|(id, paths)| bundle(id, paths)).collect(),
        excluded: Vec::new(),
        replies: answers.iter().map(reply).collect(),
        judgements: <_>::default(),
        dispositions: Vec::new(),
        since: None,
    }
}

fn bundle(id: &str, paths: &[&str]) -> Bundle {
    let files = paths.iter().map(|path| FilePatch {
        path: (*path).into(),
        old_path: None,
        status: FileStatus::Modified,
        content: Content::Text,
        generated: false,
        header: Vec::new(),
        hunks: vec![hunk(1, "open"), hunk(60, "close")],
        size: 0,
    });
    Bundle { id: id.to_owned(), component: id.to_owned(), files: files.collect(), guard: Guard::Ok }
}

/// Twenty lines, every second one added, in the function of that name.
fn hunk(start: u32, name: &str) -> Hunk {
    let line = |at: u32| {
        let sign = if at.is_multiple_of(2) { '+' } else { ' ' };
        format!("{sign}    step_{at}(items, counter);\n")
    };
    let body: String = (start..start + 20).map(line).collect();
    let text = format!("@@ -{start},10 +{start},20 @@ fn {name}(items: &[Item]) {{\n{body}");
    Hunk { old_start: start, old_lines: 10, new_start: start, new_lines: 20, text: text.into_bytes() }
}

/// What an adjudicator and an examiner say about some of the claims: decided by `seed` and the claims alone.
fn judged(mut input: Input, seed: u64) -> Input {
    let tally = tally(input.clone());
    let mut claims: Vec<ClaimId> =
        tally.issues.iter().flat_map(|issue| &issue.members).map(Member::claim_id).collect();
    claims.sort();
    claims.dedup();
    let chance = |name: &str| {
        name.bytes().fold(seed, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)) >> 40
    };
    for (at, first) in claims.iter().enumerate() {
        for second in &claims[at + 1..] {
            let answer = match chance(&format!("{first}{second}")) % 12 {
                0 | 1 => RulingAnswer::Same,
                2 | 3 => RulingAnswer::Different,
                4 => RulingAnswer::Unsure,
                _ => continue,
            };
            let pair = Pair::new(first.clone(), second.clone());
            input.judgements.rulings.push(Ruling { pair, answer, hearing: hearing() });
        }
        let answer = ExaminationAnswer::ALL[usize::try_from(chance(&first.to_string()) % 3).unwrap()];
        let claim = first.clone();
        input.judgements.examinations.push(Examination { claim, answer, hearing: hearing() });
    }
    input
}

fn hearing() -> Hearing {
    let id = ReviewerId::new("judge").unwrap();
    let by = Seat {
        id: id.clone(),
        provider: "replay".to_owned(),
        model: "judge".to_owned(),
        lineage: Lineage::new("mistral"),
    };
    let outcome = Outcome::new("ruling_0".to_owned(), id, State::Answered);
    Hearing { by, outcome, quote: String::new(), quote_found: false, why: String::new() }
}

fn shuffled_judgements(judgements: &Judgements, mut seed: u64) -> Judgements {
    let mut judgements = judgements.clone();
    shuffle(&mut judgements.rulings, &mut seed);
    shuffle(&mut judgements.examinations, &mut seed);
    judgements
}

/// tally.json, the table and the Markdown, one after the other.
fn reports(tally: &Tally) -> String {
    let gate = evaluate(tally, &Policy::plain(FailOn::Convergent, 2));
    [json::render(tally, &gate), table::render(tally, &gate, 100, false), markdown::render(tally, &gate)]
        .concat()
}

/// Puts a list into an order that `seed` decides.
fn shuffle<T>(list: &mut [T], seed: &mut u64) {
    for at in (1..list.len()).rev() {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        list.swap(at, usize::try_from(*seed >> 33).unwrap() % (at + 1));
    }
}

fn shuffled(answers: &[Answer], mut seed: u64) -> Input {
    let mut answers = answers.to_vec();
    for one in &mut answers {
        shuffle(&mut one.findings, &mut seed);
    }
    let mut input = input(&answers);
    shuffle(&mut input.replies, &mut seed);
    shuffle(&mut input.panel.reviewers, &mut seed);
    shuffle(&mut input.bundles, &mut seed);
    for bundle in &mut input.bundles {
        shuffle(&mut bundle.files, &mut seed);
        bundle.files.iter_mut().for_each(|file| shuffle(&mut file.hunks, &mut seed));
    }
    input
}

/// Reviewer and number of every finding in the tally.
fn present(tally: &Tally) -> Vec<(String, String)> {
    let members = tally.issues.iter().flat_map(|issue| &issue.members).chain(&tally.unplaced);
    let mut all: Vec<_> =
        members.map(|one| (one.reviewer.to_string(), one.anchored.finding.fix.clone())).collect();
    all.sort();
    all
}

/// For every finding of the given seats the convergence of the issue that holds it.
fn convergence(tally: &Tally, of: &BTreeSet<&str>) -> BTreeMap<(String, String), usize> {
    let members =
        tally.issues.iter().flat_map(|issue| issue.members.iter().map(|one| (one, issue.convergence())));
    members
        .filter(|(one, _)| of.contains(one.reviewer.as_str()))
        .map(|(one, count)| ((one.reviewer.to_string(), one.anchored.finding.fix.clone()), count))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_order_changes_a_byte(answers in any_answers(), seed in any::<u64>()) {
        let given = reports(&tally(input(&answers)));
        prop_assert_eq!(given, reports(&tally(shuffled(&answers, seed))));
    }

    #[test]
    fn no_order_changes_a_byte_of_what_was_judged(answers in any_answers(), seed in any::<u64>()) {
        let judged = judged(input(&answers), seed);
        let mut other = shuffled(&answers, seed);
        other.judgements = shuffled_judgements(&judged.judgements, seed);
        let given = tally(judged);
        prop_assert_eq!(reports(&given), reports(&tally(other)));
        for issue in &given.issues {
            prop_assert!(explain(&given, issue).is_some(), "{} cannot be explained", issue.id);
        }
    }

    /// Judgements put findings to other issues; they make none, lose none, and add no lineage that did not find it.
    #[test]
    fn no_judgement_adds_or_loses_anything(answers in any_answers(), seed in any::<u64>()) {
        let without = tally(input(&answers));
        let with = tally(judged(input(&answers), seed));
        prop_assert_eq!(present(&with), present(&without));
        for issue in &with.issues {
            let standing = issue.members.iter().filter(|member| !member.anchored.finding.retracted);
            let found: BTreeSet<_> = standing.map(|member| member.lineage.clone()).collect();
            prop_assert_eq!(&found.into_iter().collect::<Vec<_>>(), &issue.lineages);
            prop_assert_eq!(issue.agreement == Agreement::Single, issue.convergence() < 2);
        }
    }

    #[test]
    fn every_finding_is_there_once_whatever_is_added(answers in any_answers(), more in any_answers()) {
        let mut all = answers.clone();
        for mut one in more {
            one.findings.iter_mut().for_each(|found| found.number += 1_000);
            match all.iter_mut().find(|other| (other.seat, other.bundle) == (one.seat, one.bundle)) {
                Some(other) => other.findings.append(&mut one.findings),
                None => all.push(one),
            }
        }
        let given = |answers: &[Answer]| {
            let fix = |one: &Answer| {
                let seat = SEATS[one.seat].0.to_owned();
                one.findings.iter().map(move |found| (seat.clone(), format!("number {}.", found.number))).collect::<Vec<_>>()
            };
            let mut all: Vec<_> = answers.iter().flat_map(fix).collect();
            all.sort();
            all
        };
        prop_assert_eq!(present(&tally(input(&answers))), given(&answers));
        prop_assert_eq!(present(&tally(input(&all))), given(&all));
    }

    /// A second model that repeats what its sibling says, all of it or a part, adds no agreement.
    #[test]
    fn a_sibling_that_repeats_raises_nothing(answers in any_answers(), part in any::<u64>(), seed in any::<u64>()) {
        let alone = without(&answers, "sonnet");
        let echo = alone.iter().filter(|one| SEATS[one.seat].0 == "opus").map(|one| {
            let said = one.findings.iter().filter(|found| part >> (found.number % 64) & 1 == 1);
            Answer { seat: 1, bundle: one.bundle, findings: said.cloned().collect() }
        });
        let both: Vec<_> = alone.iter().cloned().chain(echo).collect();
        let others: BTreeSet<_> = ["opus", "gpt", "kimi", "odd", "strange"].into();
        for rule in [None, Some(seed)] {
            let tallied = |answers: &[Answer]| {
                let input = input(answers);
                tally(rule.map_or_else(|| input.clone(), |seed| judged(input.clone(), seed)))
            };
            let before = convergence(&tallied(&alone), &others);
            for (finding, count) in convergence(&tallied(&both), &others) {
                prop_assert!(count <= before[&finding], "{finding:?} rose from {} to {count}", before[&finding]);
            }
        }
    }
}
