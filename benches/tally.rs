//! How long a tally takes, from the replies' text to the three reports, as the number of findings grows tenfold.
//!
//! `cargo bench --bench tally -- [REPLIES] [NAME]` (10,000 without it; only scenarios with NAME in their name). Each reply has ten findings. Every scenario is run with a tenth of the replies and with all
//! of them; the last column is how much longer a finding took then: near 1 is linear.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]
#![expect(clippy::disallowed_methods, reason = "a measurement reads the clock and its arguments")]

use std::{
    fmt::Write,
    time::{Duration, Instant},
};

use scrum::{
    bundle::{Bundle, Guard},
    change::{Content, FilePatch, FileStatus, Hunk, RangeInfo, RepoPath},
    coverage::{Outcome, State},
    report::{json, markdown, table},
    reviewer::{Lineage, Panel, ReviewerId, Seat},
    tally::{
        self, Input, RunInfo, TaskReply,
        gate::{self, FailOn, Policy},
    },
};

/// Lines that a bundle adds …
const LINES: u32 = 1_000;
/// … unless there are so many bundles that they would be more than this together.
const ALL_LINES: u32 = 1_000_000;
const FINDINGS: usize = 10;
const LINEAGES: [&str; 5] = ["anthropic", "openai", "google", "moonshot", "unknown"];
const SUBJECTS: [&str; 8] =
    ["retry", "cache", "socket", "timeout", "lock", "buffer", "password", "migration"];
const FAULTS: [&str; 8] = [
    "leaks",
    "overflows",
    "is never closed",
    "races",
    "is logged",
    "deadlocks",
    "is ignored",
    "drops writes",
];

/// What the findings of a scenario are like.
#[derive(Clone, Copy)]
struct Scenario {
    name: &'static str,
    /// Reviewers that share the replies; the other factor is bundles.
    reviewers: fn(usize) -> usize,
    /// The line or symbol of a finding, by its number in all.
    place: fn(usize) -> String,
    /// The quote of a finding.
    quote: fn(usize) -> Option<String>,
    /// Which of the claims it makes.
    claim: fn(usize) -> usize,
    /// The text of a bundle's first added line.
    first_line: fn() -> String,
}

/// What honest reviewers give; the others each change one thing.
const HONEST: Scenario = Scenario {
    name: "spread over all lines",
    reviewers: |_| 10,
    place: |at| spread(at).to_string(),
    quote: |_| None,
    claim: |at| at,
    first_line: || "let first = 1;".to_owned(),
};

const SCENARIOS: [Scenario; 8] = [
    HONEST,
    Scenario { name: "all on one line", place: |_| "1".to_owned(), ..HONEST },
    Scenario { name: "all in one symbol", place: |_| "step".to_owned(), ..HONEST },
    Scenario { name: "all the same words", claim: |_| 0, ..HONEST },
    Scenario { name: "a reviewer a reply", reviewers: |replies| replies, ..HONEST },
    Scenario { name: "one reviewer", reviewers: |_| 1, ..HONEST },
    Scenario {
        name: "quotes of nothing",
        quote: |at| Some(format!("no_such_code_{at}(in, the, change);")),
        ..HONEST
    },
    Scenario {
        name: "on a line of 50 KB",
        place: |_| "1".to_owned(),
        first_line: || (0..8_000).fold(String::new(), |text, at| text + &format!("w{at}, ")),
        ..HONEST
    },
];

fn spread(at: usize) -> u32 {
    u32::try_from(at * 7 % 1_000).unwrap_or_default() % LINES + 1
}

fn main() {
    // Cargo itself adds `--bench`.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let replies: usize = words.iter().find_map(|word| word.parse().ok()).unwrap_or(10_000).max(100);
    let named =
        |one: &&Scenario| words.iter().all(|word| word.parse::<usize>().is_ok() || one.name.contains(word));
    println!("{:<24} {:>9} {:>9} {:>9} {:>9} {:>7}", "", "findings", "tally", "reports", "issues", "growth");
    for scenario in SCENARIOS.iter().filter(named) {
        let small = measured(scenario, replies / 10);
        let large = measured(scenario, replies);
        let a_finding = |(time, findings): (Duration, u32)| time.as_secs_f64() / f64::from(findings.max(1));
        println!("{:<24} {:>43.2}", "", a_finding(large) / a_finding(small));
    }
}

/// Prints one line; gives the time of all and the number of findings.
fn measured(scenario: &Scenario, replies: usize) -> (Duration, u32) {
    let input = input(scenario, replies);
    let begun = Instant::now();
    let tally = tally::tally(input);
    let tallied = begun.elapsed();
    let gate = gate::evaluate(&tally, &Policy::plain(FailOn::Block, 2));
    let reports = [
        table::render(&tally, &gate, 100, false),
        markdown::render(&tally, &gate),
        json::render(&tally, &gate),
    ];
    let all = begun.elapsed();
    assert!(reports.iter().all(|report| !report.is_empty()), "a report says nothing");
    let findings: usize = tally.coverage.iter().map(|task| task.findings).sum();
    println!(
        "{:<24} {findings:>9} {:>7} ms {:>6} ms {:>9}",
        scenario.name,
        tallied.as_millis(),
        all.saturating_sub(tallied).as_millis(),
        tally.issues.len()
    );
    (all, u32::try_from(findings).unwrap_or(u32::MAX))
}

fn input(scenario: &Scenario, replies: usize) -> Input {
    let reviewers = (scenario.reviewers)(replies).clamp(1, replies);
    let seats: Vec<Seat> = (0..reviewers).map(seat).collect();
    let bundles = replies / reviewers;
    let lines = LINES.min(ALL_LINES / u32::try_from(bundles).unwrap_or(u32::MAX)).max(1);
    let bundles: Vec<Bundle> = (0..bundles).map(|at| bundle(at, &(scenario.first_line)(), lines)).collect();
    let tasks = bundles.iter().flat_map(|bundle| seats.iter().map(move |seat| (bundle, seat)));
    let replies = tasks.enumerate().map(|(at, (bundle, seat))| TaskReply {
        outcome: Outcome::new(bundle.id.clone(), seat.id.clone(), State::Answered),
        text: Some(reply(scenario, at, bundle)),
    });
    Input {
        replies: replies.collect(),
        dispositions: Vec::new(),
        since: None,
        run: RunInfo::default(),
        range: RangeInfo::default(),
        panel: Panel { reviewers: seats.clone() },
        bundles: bundles.clone(),
        excluded: Vec::new(),
        judgements: <_>::default(),
    }
}

fn seat(at: usize) -> Seat {
    Seat {
        id: ReviewerId::new(&format!("r{at}")).unwrap_or_else(|error| panic!("{error}")),
        provider: "replay".to_owned(),
        model: "any".to_owned(),
        lineage: Lineage::new(LINEAGES[at % LINEAGES.len()]),
    }
}

fn bundle(at: usize, first_line: &str, lines: u32) -> Bundle {
    let path = format!("src/part{at}/code.rs");
    let mut text = format!("@@ -0,0 +1,{lines} @@\n+{first_line}\n");
    for line in 2..=lines {
        let _ = writeln!(text, "+    let value_{line} = step_{line}(input, {line});");
    }
    let hunk = Hunk { old_start: 0, old_lines: 0, new_start: 1, new_lines: lines, text: text.into_bytes() };
    let header = format!("diff --git a/{path} b/{path}\nnew file mode 100644\n--- /dev/null\n+++ b/{path}\n");
    let file = FilePatch {
        path: RepoPath::from(path.as_str()),
        old_path: None,
        status: FileStatus::Added,
        content: Content::Text,
        generated: false,
        header: header.into_bytes(),
        hunks: vec![hunk],
        size: 0,
    };
    Bundle {
        id: format!("c{}_part{at}", at + 1),
        component: format!("part{at}"),
        files: vec![file],
        guard: Guard::Ok,
    }
}

fn reply(scenario: &Scenario, reply: usize, bundle: &Bundle) -> String {
    let mut text = String::new();
    for at in reply * FINDINGS..(reply + 1) * FINDINGS {
        let claim = (scenario.claim)(at);
        let (subject, fault) = (SUBJECTS[claim % 8], FAULTS[claim / 8 % 8]);
        let _ = writeln!(text, "SEVERITY: WARN\nWHERE: {}:{}", bundle.files[0].path, (scenario.place)(at));
        if let Some(quote) = (scenario.quote)(at) {
            let _ = writeln!(text, "QUOTE: {quote}");
        }
        let _ = writeln!(text, "WHAT: The {subject} {fault} when caller {} shuts down early.", claim % 97);
        let _ = writeln!(
            text,
            "WHY: Nothing guards the {subject} against variant {}, so it {fault}.\n",
            claim % 89
        );
    }
    text + "VERDICT: ship-with-fixes\n"
}
