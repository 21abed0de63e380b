//! How long a report takes to be written, and how large it is, beside the Markdown of the same tally.
//!
//! `cargo bench --bench html -- [FOLDER]`: with a folder, each page is written there to be looked at. Reviewers answer in different
//! words about lines of code in several languages; some time out, some are of one lineage, and most issues are found by one alone.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]
#![expect(
    clippy::disallowed_methods,
    reason = "a measurement reads the clock and its arguments, and writes what is to be looked at"
)]

use std::{
    fmt::Write,
    path::Path,
    time::{Duration, Instant},
};

use scrum::{
    bundle::{Bundle, ExcludeReason, Excluded, Guard},
    change::{Content, FilePatch, FileStatus, Hunk, RangeInfo, RepoPath},
    coverage::{Outcome, State, Timing},
    report::{html, markdown},
    reviewer::{Lineage, Panel, ReviewerId, Seat},
    tally::{
        self, Input, RunInfo, Tally, TaskReply,
        gate::{self, FailOn, Gate, Policy},
    },
};

/// Issues and reviewers of each page.
const PAGES: [(usize, usize); 3] = [(3, 3), (30, 6), (300, 8)];

/// How often each is written; the median counts.
const ROUNDS: usize = 15;

/// Files of a bundle, hunks of a file, lines of a hunk.
const FILES: usize = 4;
const HUNKS: usize = 3;
const LINES: usize = 40;

/// Issues of a bundle at most.
const ISSUES: usize = 20;

const REVIEWERS: [(&str, &str, &str, &str); 8] = [
    ("opus", "anthropic", "claude-opus-4-7", "anthropic"),
    ("gpt", "openai", "gpt-5.2", "openai"),
    ("kimi", "openrouter", "moonshotai/kimi-k2", "moonshot"),
    ("sonnet", "anthropic", "claude-sonnet-4-6", "anthropic"),
    ("gemini", "google", "gemini-3-pro", "google"),
    ("deepseek", "openrouter", "deepseek/deepseek-v4", "deepseek"),
    ("gpt-mini", "openai", "gpt-5.2-mini", "openai"),
    ("rules", "builtin", "rules", "rules"),
];

const CODE: [(&str, [&str; 6]); 3] = [
    (
        "rs",
        [
            "    let mut connection = pool.get().await?; // one for each caller",
            "    if let Some(entry) = cache.get(&key) {",
            "        return Ok(entry.clone());",
            "    }",
            "    let answer = client.send(Request::new(\"/v1/items\")).await?;",
            "    for attempt in 0..MAX_ATTEMPTS { retry(attempt, &answer); }",
        ],
    ),
    (
        "py",
        [
            "    def load(self, path: str) -> dict[str, int]:",
            "        \"\"\"Reads the file and counts.\"\"\"",
            "        with open(path, encoding=\"utf-8\") as file:",
            "            return json.load(file)  # trusted",
            "        if not self.ready and retries > 3:",
            "            raise RuntimeError(f\"not ready after {retries}\")",
        ],
    ),
    (
        "go",
        [
            "\tfor _, item := range items {",
            "\t\tgo func() { results <- process(ctx, item) }()",
            "\t}",
            "\tselect {",
            "\tcase <-ctx.Done(): // the caller left",
            "\t\treturn nil, fmt.Errorf(\"stopped: %w\", ctx.Err())",
        ],
    ),
];

const CLAIMS: [(&str, &str, &str); 6] = [
    (
        "The connection is never returned to the pool",
        "Every early return leaves it checked out, so under load the pool runs dry and callers wait for ever.",
        "Give it back in a guard: `let _guard = pool.guard(connection);`",
    ),
    (
        "The cache key leaves out the tenant",
        "Two tenants that ask for the same item get one another's answer, which is a leak of data between customers.",
        "Put the tenant's id into the key.",
    ),
    (
        "The retry has no upper bound on its delay",
        "With a slow server the delays add up past the deadline of the request, and the work is done for nobody.",
        "let delay = delay.min(MAX_DELAY);\nif deadline.elapsed() + delay > limit {\n    return Err(Error::TooLate);\n}",
    ),
    (
        "The loop variable is captured by reference",
        "All goroutines may see the last item.",
        "Pass `item` as an argument.",
    ),
    (
        "The error is logged with the password in it",
        "`{:?}` of the request prints its headers.",
        "Redact the header `authorization`.",
    ),
    (
        "The file is read whole although only its first line is needed",
        "Large files take memory for nothing.",
        "",
    ),
];

const SEVERITIES: [&str; 6] = ["BLOCK", "BLOCK", "WARN", "WARN", "WARN", "INFO"];

fn main() {
    // Cargo itself adds `--bench`.
    let folder = std::env::args().skip(1).find(|word| !word.starts_with("--"));
    println!(
        "{:>7} {:>10} {:>9} {:>10} {:>10} {:>6} {:>9}",
        "issues", "reviewers", "findings", "html", "markdown", "ratio", "size"
    );
    for (issues, reviewers) in PAGES {
        let (tally, gate) = judged(issues, reviewers);
        let page = html::render(&tally, &gate);
        let [html, markdown] =
            [median(|| html::render(&tally, &gate).len()), median(|| markdown::render(&tally, &gate).len())];
        let findings: usize = tally.coverage.iter().map(|task| task.findings).sum();
        println!(
            "{:>7} {reviewers:>10} {findings:>9} {:>7.1} ms {:>7.1} ms {:>6.1} {:>6} KB",
            tally.issues.len(),
            html.as_secs_f64() * 1e3,
            markdown.as_secs_f64() * 1e3,
            html.as_secs_f64() / markdown.as_secs_f64(),
            page.len() / 1_000
        );
        if let Some(folder) = &folder {
            let file = Path::new(folder).join(format!("report-{issues}.html"));
            std::fs::write(&file, page).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        }
    }
}

fn median(write: impl Fn() -> usize) -> Duration {
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let begun = Instant::now();
            assert!(write() > 0, "a report says nothing");
            begun.elapsed()
        })
        .collect();
    times.sort();
    times[ROUNDS / 2]
}

/// A tally of about `issues` issues.
fn judged(issues: usize, reviewers: usize) -> (Tally, Gate) {
    let bundles: Vec<Bundle> = (0..issues.div_ceil(ISSUES).max(2)).map(bundle).collect();
    let seats: Vec<Seat> = REVIEWERS.iter().take(reviewers).map(seat).collect();
    let mut replies = Vec::new();
    for (number, bundle) in bundles.iter().enumerate() {
        let of_bundle = issues / bundles.len() + usize::from(number < issues % bundles.len());
        replies.extend(seats.iter().enumerate().map(|(at, seat)| TaskReply {
            outcome: outcome(bundle, seat, number, at),
            text: Some(reply(bundle, number * ISSUES, of_bundle, at, reviewers)),
        }));
    }
    let tally = tally::tally(Input {
        replies,
        dispositions: Vec::new(),
        since: None,
        run: RunInfo {
            id: "20261121-101500000-abcdef".to_owned(),
            started_at: "2026-11-21T10:15:00Z".to_owned(),
            finished_at: Some("2026-11-21T10:17:05Z".to_owned()),
            tool_version: "0.1.0".to_owned(),
            ..RunInfo::default()
        },
        range: RangeInfo {
            base: Some("1".repeat(40)),
            head: Some("2".repeat(40)),
            spec: "main..retry".to_owned(),
        },
        panel: Panel { reviewers: seats },
        bundles,
        excluded: vec![
            excluded("Cargo.lock", ExcludeReason::Lockfile, 48_000),
            excluded("logo.png", ExcludeReason::Binary, 9_000),
        ],
        judgements: <_>::default(),
    });
    let gate = gate::evaluate(&tally, &Policy::plain(FailOn::Block, 2));
    (tally, gate)
}

fn seat((id, provider, model, lineage): &(&str, &str, &str, &str)) -> Seat {
    let id = ReviewerId::new(id).unwrap_or_else(|error| panic!("{error}"));
    Seat { id, provider: (*provider).to_owned(), model: (*model).to_owned(), lineage: Lineage::new(lineage) }
}

fn excluded(path: &str, reason: ExcludeReason, bytes: u64) -> Excluded {
    Excluded { path: RepoPath::from(path), old_path: None, reason, bytes }
}

fn bundle(number: usize) -> Bundle {
    let name = ["gateway", "store", "worker", "web", "cli"][number % 5];
    Bundle {
        id: format!("c{}_{name}", number + 1),
        component: name.to_owned(),
        files: (0..FILES).map(|at| file(name, number, at)).collect(),
        guard: Guard::Ok,
    }
}

fn file(component: &str, number: usize, at: usize) -> FilePatch {
    let (extension, lines) = CODE[at % CODE.len()];
    let path =
        format!("{component}/src/part{number}/{}.{extension}", ["retry", "cache", "session", "items"][at]);
    let header = format!("diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n");
    FilePatch {
        path: RepoPath::from(path.as_str()),
        old_path: None,
        status: FileStatus::Modified,
        content: Content::Text,
        generated: false,
        header: header.into_bytes(),
        hunks: (0..HUNKS).map(|hunk| self::hunk(hunk, &lines, 1 + at)).collect(),
        size: 4_000,
    }
}

/// Lines of code, of which every third is new and every sixth stands for another one.
fn hunk(number: usize, lines: &[&str; 6], share: usize) -> Hunk {
    let start = 1 + number * 200;
    let (mut body, mut old, mut new) = (String::new(), 0, 0);
    for at in 0..LINES * share / 2 {
        let line = lines[at % lines.len()];
        match at % 3 {
            0 if at.is_multiple_of(2) => {
                let _ = writeln!(body, "-{}", line.replace("    ", "  "));
                let _ = writeln!(body, "+{line}");
                (old, new) = (old + 1, new + 1);
            }
            0 => {
                let _ = writeln!(body, "+{line}");
                new += 1;
            }
            _ => {
                let _ = writeln!(body, " {line}");
                (old, new) = (old + 1, new + 1);
            }
        }
    }
    let text = format!("@@ -{start},{old} +{start},{new} @@ fn handle\n{body}").into_bytes();
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Hunk { old_start: count(start), old_lines: old, new_start: count(start), new_lines: new, text }
}

/// One in sixteen questions has no answer in time, and some take two requests.
fn outcome(bundle: &Bundle, seat: &Seat, number: usize, at: usize) -> Outcome {
    let late = (number * 5 + at * 3) % 16 == 7;
    let state = if late { State::TimedOut } else { State::Answered };
    let milliseconds = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let asked_ms = milliseconds(number / 4 * 20_000 + at * 150);
    let latency_ms = if late { 60_000 } else { milliseconds(6_000 + (number * 7 + at * 13) % 11 * 1_700) };
    Outcome {
        reason: late.then(|| "no whole reply in 60 s".to_owned()),
        attempts: if (number + at) % 7 == 3 { 2 } else { 1 },
        latency_ms,
        tokens_in: Some(milliseconds(9_000 + number * 37)),
        tokens_out: Some(milliseconds(400 + at * 90)),
        cost_usd: Some(0.031),
        timing: Some(Timing { asked_ms, first_token_ms: (!late).then_some(asked_ms + latency_ms / 3) }),
        ..Outcome::new(bundle.id.clone(), seat.id.clone(), state)
    }
}

/// What reviewer number `reviewer` of `reviewers` says: every issue is found by one of them, every third by more.
fn reply(bundle: &Bundle, first: usize, issues: usize, reviewer: usize, reviewers: usize) -> String {
    let mut text = String::new();
    for at in 0..issues {
        let issue = first + at;
        let finders = if issue.is_multiple_of(3) { 2 + issue % (reviewers - 1) } else { 1 };
        if (reviewer + reviewers - issue % reviewers) % reviewers >= finders {
            continue;
        }
        let file = &bundle.files[at % FILES];
        let lines: Vec<_> =
            file.hunks[at / FILES % HUNKS].lines().filter(|line| line.new.is_some()).collect();
        let line = lines[(at * 7 + 3) % lines.len()];
        let (what, why, fix) = CLAIMS[issue % CLAIMS.len()];
        let said = ["", "It seems that ", "In this change: "][reviewer % 3];
        let number = line.new.unwrap_or_default();
        let _ = write!(
            text,
            "SEVERITY: {}\nWHERE: {}:{number}\nQUOTE: {}\nWHAT: {said}{what} (case {issue}).\nWHY: {why}\n",
            SEVERITIES[(issue + usize::from(reviewer == 3)) % SEVERITIES.len()],
            file.path,
            String::from_utf8_lossy(line.text).trim()
        );
        if !fix.is_empty() {
            let _ = writeln!(text, "FIX: {fix}");
        }
        text.push('\n');
    }
    text + ["VERDICT: hold\n", "VERDICT: ship-with-fixes\n", "VERDICT: ship\n"][reviewer % 3]
}
