//! How close a run comes to the ideal schedule, and how much memory many open streams take.
//!
//! `cargo bench --bench orchestration`. The chat server and each measurement are processes of their own, started
//! from this binary. Prints one line a measurement and fails when a limit is exceeded.

#![expect(clippy::disallowed_methods, clippy::print_stdout, reason = "measures a process from outside")]
#![expect(clippy::unwrap_used, reason = "a measurement that cannot be made should say where")]

#[path = "../tests/it/mock/mod.rs"]
#[expect(dead_code, reason = "the tests use the rest of it")]
mod mock;

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader},
    num::NonZeroUsize,
    path::Path,
    process::{Child, Command, ExitCode, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use mock::{Act, Mock, ending, event};
use scrum::{
    bundle::{Bundle, Guard},
    coverage::{Outcome, State},
    prompt::Prompt,
    provider::{Opener, Question, Surroundings, sarif::Site},
    reviewer::{Access, Lineage, Panel, Reviewer, ReviewerId},
    route::Routes,
    run::{
        bounds::Bounds,
        event::channel,
        executor::{Pace, Work, execute},
        plan::plan,
        respondent::Respondent,
    },
    store::RunDir,
};
use tokio::sync::Barrier;
use tokio_util::sync::CancellationToken;

const BUNDLES: usize = 20;
const REVIEWERS: usize = 5;
const TASKS: usize = BUNDLES * REVIEWERS;
const LATENCY: Duration = Duration::from_millis(300);
const PROMPT_BYTES: usize = 30_000;
const REPLY_BYTES: usize = 64 << 10;
const RUNS: usize = 3;
const MOST_RATIO: f64 = 1.03;
const MOST_MEGABYTES: f64 = 60.0;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", "latency"] => serve(Duration::ZERO),
        ["serve", "streams"] => serve(LATENCY),
        ["measure", concurrency, url, folder] => {
            measure(concurrency.parse().unwrap(), url, Path::new(folder));
        }
        _ => return compare(),
    }
    ExitCode::SUCCESS
}

/// Runs all measurements and judges them. What they save is kept until the end: file systems are slow to create files
/// where many were deleted a moment ago.
fn compare() -> ExitCode {
    let mut fits = true;
    let saved = tempfile::tempdir().unwrap();
    let figures = |concurrency: usize, url: &str| figures(concurrency, url, saved.path());
    let (server, url) = start(&["serve", "latency"]);
    for concurrency in [8, 32, 100] {
        let rounds = TASKS.div_ceil(concurrency);
        let ideal = LATENCY.as_secs_f64() * f64::from(u32::try_from(rounds).unwrap());
        let runs: Vec<Figures> = (0..RUNS).map(|_| figures(concurrency, &url)).collect();
        let wall = runs.iter().map(|run| run.wall).fold(f64::INFINITY, f64::min);
        let processor = runs.iter().map(|run| run.processor).fold(f64::INFINITY, f64::min);
        let ratio = wall / ideal;
        println!(
            "{TASKS} tasks of 300 ms, {concurrency} at once: {wall:.3} s, {ratio:.3} of ideal, {processor:.2} s of processor"
        );
        fits &= ratio <= MOST_RATIO;
    }
    stop(server);
    let (server, url) = start(&["serve", "streams"]);
    let run = figures(TASKS, &url);
    println!(
        "{TASKS} open streams of 64 KB: {:.1} MB at most, {:.2} s of processor",
        run.megabytes, run.processor
    );
    fits &= run.megabytes < MOST_MEGABYTES;
    stop(server);
    if fits { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

struct Figures {
    wall: f64,
    processor: f64,
    megabytes: f64,
}

fn figures(concurrency: usize, url: &str, folder: &Path) -> Figures {
    let (child, line) = start(&["measure", &concurrency.to_string(), url, &folder.to_string_lossy()]);
    stop(child);
    let numbers: Vec<f64> = line.split_whitespace().map(|word| word.parse().unwrap()).collect();
    let [wall, processor, megabytes] = numbers[..] else { panic!("not three figures: {line}") };
    Figures { wall, processor, megabytes }
}

/// Starts this binary again and reads its first line.
fn start(arguments: &[&str]) -> (Child, String) {
    let program = std::env::current_exe().unwrap();
    let mut child = Command::new(program).args(arguments).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (child, line.trim().to_owned())
}

fn stop(mut child: Child) {
    // A measurement has ended by itself.
    let _ = child.kill();
    child.wait().unwrap();
}

/// Serves for ever: short replies after the latency, or long ones of which all are open at the same time and take
/// `spread` to come.
#[tokio::main]
async fn serve(spread: Duration) {
    let all_open = Arc::new(Barrier::new(TASKS));
    let mock = Mock::start(move |asked| {
        let all_open = Arc::clone(&all_open);
        async move {
            if spread.is_zero() {
                tokio::time::sleep_until(asked.at + LATENCY).await;
                return Act::Reply("VERDICT: ship".to_owned());
            }
            all_open.wait().await;
            let words = std::iter::repeat_with(|| event("word word word. ")).take(REPLY_BYTES / 16);
            Act::Spread(words.chain([ending("stop")]).collect(), spread)
        }
    })
    .await;
    println!("{}", mock.url);
    std::future::pending::<()>().await;
}

/// Does one run and prints wall time and processor time in seconds and the most memory in megabytes.
#[tokio::main]
async fn measure(concurrency: usize, url: &str, folder: &Path) {
    let questions: Vec<Arc<Question>> = (1..=BUNDLES).map(question).collect();
    let mut opener =
        Opener::new(Arc::new(|_, _: &Question| Ok(String::new())), Site::nowhere(), Surroundings::default());
    let respondent = |number| {
        let reviewer = reviewer(number, url);
        let provider = opener.open(&reviewer, None).unwrap();
        Respondent::new(reviewer, provider)
    };
    let respondents: Vec<Respondent> = (1..=REVIEWERS).map(respondent).collect();
    let panel =
        Panel { reviewers: respondents.iter().map(|respondent| (&respondent.reviewer).into()).collect() };
    let bundles: Vec<Bundle> = questions.iter().map(|question| (*question.bundle).clone()).collect();
    let pace = Pace::new(NonZeroUsize::new(concurrency).unwrap());
    let review = folder.join(std::process::id().to_string());
    std::fs::create_dir_all(review.join("replies")).unwrap();
    let dir = RunDir { id: "bench".to_owned(), bundles: review.clone(), review };
    let save = Arc::new(move |outcome: &Outcome, text: Option<&str>| dir.save(outcome, text));
    let began = Instant::now();
    let tasks = plan(&bundles, &panel, &Routes::default(), &BTreeSet::new());
    let (events, mut listener) = channel(tasks.len(), 1, &pace);
    let listening = tokio::spawn(async move { while listener.next().await.is_some() {} });
    let work = Work { tasks: &tasks, questions: &questions, respondents: &respondents, again: false };
    let outcomes =
        execute(work, pace, &mut Bounds::default(), &events, &CancellationToken::new(), save).await;
    let wall = began.elapsed().as_secs_f64();
    drop(events);
    listening.await.unwrap();
    assert!(outcomes.iter().all(|outcome| outcome.state == State::Answered), "{outcomes:?}");
    println!("{wall} {} {}", processor_seconds(), most_megabytes());
}

fn question(number: usize) -> Arc<Question> {
    let component = format!("part{number}");
    let bundle =
        Bundle { id: format!("c{number}_{component}"), component, files: Vec::new(), guard: Guard::Ok };
    let prompt = Prompt {
        system: "Review this.".to_owned(),
        user: "    42| +    let n = 0;\n".repeat(PROMPT_BYTES / 24),
    };
    Arc::new(Question { bundle: Arc::new(bundle), prompt, nonce: Arc::from("n1") })
}

fn reviewer(number: usize, url: &str) -> Reviewer {
    let id = ReviewerId::new(&format!("reviewer{number}")).unwrap();
    let access = Access::OpenAi { base_url: url.to_owned(), api_key_env: None };
    Reviewer {
        timeout: Duration::from_mins(1),
        idle_timeout: Duration::from_mins(1),
        ..Reviewer::new(id, access, format!("model{number}"), Lineage::unknown())
    }
}

/// `VmHWM` of this process.
fn most_megabytes() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1_024.0
}

/// User and system time of this process; a tick is 10 ms on Linux.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let after_name = stat.rsplit(')').next().unwrap();
    let ticks: f64 =
        after_name.split_whitespace().skip(11).take(2).map(|word| word.parse::<f64>().unwrap()).sum();
    ticks / 100.0
}
