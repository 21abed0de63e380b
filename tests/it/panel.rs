//! Whole panels against servers and programs that misbehave: nothing stops the others, nothing is lost.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroUsize,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use scrum::{
    coverage::{Outcome, State},
    provider::{Opener, Question, sarif::Site},
    reviewer::{Access, Builtin, Panel, Reviewer, ReviewerId},
    route::Routes,
    run::{
        bounds::Bounds,
        event::{EventReceiver, RunEvent, channel},
        executor::{Pace, Work, execute},
        plan::{Task, plan},
        respondent::Respondent,
    },
};
use tokio::sync::{Barrier, Notify};
use tokio_util::sync::CancellationToken;

use crate::{
    command::shell,
    mock::{Act, Mock, ending, event, json_page},
    provider::{open_ai, question, reviewer, surroundings},
};

/// For those of whom nothing is expected before their time is up.
const HALF_A_SECOND: Duration = Duration::from_millis(500);

/// For those who say something first, however busy the machine is.
const THREE_SECONDS: Duration = Duration::from_secs(3);

/// What was saved, by `bundle reviewer`.
type Saved = Arc<Mutex<BTreeMap<String, Option<String>>>>;

struct Run {
    respondents: Vec<Respondent>,
    questions: Vec<Arc<Question>>,
    pace: Pace,
    cancel: CancellationToken,
    saved: Saved,
    full_disk_for: &'static str,
}

impl Run {
    /// All of `reviewers` on `bundles` bundles, impatiently.
    fn new(bundles: usize, reviewers: Vec<Reviewer>) -> Self {
        let builtins = Arc::new(|_: Builtin, question: &Question| Ok(format!("on {}", question.bundle.id)));
        let mut opener = Opener::new(builtins, Site::nowhere(), surroundings());
        let open =
            |reviewer: Reviewer| Respondent::new(reviewer.clone(), opener.open(&reviewer, None).unwrap());
        Self {
            respondents: reviewers.into_iter().map(open).collect(),
            questions: (1..=bundles).map(|number| question(&format!("c{number}_core"))).collect(),
            pace: pace(100, 2),
            cancel: CancellationToken::new(),
            saved: Saved::default(),
            full_disk_for: "nobody",
        }
    }

    fn tasks(&self) -> Vec<Task> {
        let bundles: Vec<_> = self.questions.iter().map(|question| (*question.bundle).clone()).collect();
        plan(&bundles, &self.panel(), &Routes::default(), &BTreeSet::new())
    }

    fn panel(&self) -> Panel {
        Panel { reviewers: self.respondents.iter().map(|respondent| (&respondent.reviewer).into()).collect() }
    }

    async fn go(&self) -> (Vec<Outcome>, EventReceiver) {
        let tasks = self.tasks();
        let (events, receiver) = channel(tasks.len(), 1, &self.pace);
        let work =
            Work { tasks: &tasks, questions: &self.questions, respondents: &self.respondents, again: false };
        let (saved, full_disk_for) = (Arc::clone(&self.saved), self.full_disk_for);
        let save = Arc::new(move |outcome: &Outcome, text: Option<&str>| {
            if outcome.reviewer.as_str() == full_disk_for {
                return Err("no space left on device");
            }
            let name = format!("{} {}", outcome.bundle, outcome.reviewer);
            let earlier = saved.lock().unwrap().insert(name, text.map(str::to_owned));
            assert_eq!(earlier, None, "saved twice");
            Ok(())
        });
        let outcomes = execute(work, self.pace, &mut Bounds::default(), &events, &self.cancel, save).await;
        (outcomes, receiver)
    }

    /// Runs, and gives one line a task in the order of bundles and reviewers: state, attempts, reason.
    async fn lines(&self) -> Vec<String> {
        let (mut outcomes, _) = self.go().await;
        outcomes.sort_by_key(|outcome| (outcome.bundle.clone(), outcome.reviewer.clone()));
        outcomes.iter().map(line).collect()
    }

    fn saved(&self, name: &str) -> Option<String> {
        self.saved.lock().unwrap().get(name).cloned().flatten()
    }
}

fn pace(concurrency: usize, retries: u32) -> Pace {
    Pace {
        concurrency: NonZeroUsize::new(concurrency).unwrap(),
        retries,
        first_delay: Duration::from_millis(1),
    }
}

fn line(outcome: &Outcome) -> String {
    let Outcome { bundle, reviewer, state, attempts, reason, .. } = outcome;
    let reason = reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("{bundle} {reviewer} {} x{attempts}{reason}", state.word())
}

/// A reviewer on `mock`.
fn on(id: &str, mock: &Mock) -> Reviewer {
    reviewer(id, open_ai(&mock.url))
}

/// The same, given up after `limit` in all.
fn timed(limit: Duration, reviewer: Reviewer) -> Reviewer {
    Reviewer { timeout: limit, ..reviewer }
}

/// The same, given up after `limit` of silence.
fn impatient(limit: Duration, reviewer: Reviewer) -> Reviewer {
    Reviewer { idle_timeout: limit, ..reviewer }
}

async fn fine() -> Mock {
    Mock::always(|| Act::Reply("VERDICT: ship".to_owned())).await
}

#[tokio::test]
async fn every_fault_is_named_and_stops_nobody() {
    let good = fine().await;
    let hang = Mock::always(|| Act::Hang).await;
    let drip = Mock::always(|| Act::Drip).await;
    let stall = Mock::always(|| Act::Stall("half".to_owned())).await;
    let cut = Mock::always(|| Act::Cut(vec![event("torn")])).await;
    let page =
        Mock::always(|| json_page(400, &serde_json::json!({"error": {"code": "context_length_exceeded"}})))
            .await;
    let broken = Mock::always(|| json_page(500, &serde_json::json!({"error": "down"}))).await;
    let silent = Mock::always(|| Act::Reply(String::new())).await;
    let run = Run::new(
        1,
        vec![
            impatient(HALF_A_SECOND, on("a-hang", &hang)),
            timed(HALF_A_SECOND, on("b-drip", &drip)),
            impatient(THREE_SECONDS, on("c-stall", &stall)),
            on("d-cut", &cut),
            on("e-long", &page),
            on("f-down", &broken),
            on("g-silent", &silent),
            timed(THREE_SECONDS, shell("h-sleep", "echo so; sleep 1000")),
            shell("i-fails", "exit 1"),
            reviewer("j-rules", Access::Builtin(Builtin::Rules)),
            on("k-good", &good),
        ],
    );
    let lines = run.lines().await.join("\n").replace(&cut.url, "URL");
    insta::assert_snapshot!(without_causes(&lines), @r"
    c1_core a-hang timed-out x1: nothing came for 500ms
    c1_core b-drip timed-out x1: no whole reply within 500ms
    c1_core c-stall timed-out x1: nothing came for 3s
    c1_core d-cut incomplete x3: connection to URL lost: … (gave up after 3 attempts)
    c1_core e-long failed x1: the bundle is too large for the context of e-long-model: a smaller `warn_bytes` in [bundle] makes smaller bundles
    c1_core f-down failed x3: HTTP 500 Internal Server Error: down (gave up after 3 attempts)
    c1_core g-silent empty x1: the reply has no text
    c1_core h-sleep timed-out x1: no whole reply within 3s
    c1_core i-fails failed x1: program `sh`: exit status 1
    c1_core j-rules answered x1
    c1_core k-good answered x1
    ");
    assert_eq!(run.saved("c1_core c-stall").as_deref(), Some("half"));
    assert_eq!(run.saved("c1_core d-cut").as_deref(), Some("torn"));
    assert_eq!(run.saved("c1_core h-sleep").as_deref(), Some("so\n"));
    assert_eq!(run.saved("c1_core k-good").as_deref(), Some("VERDICT: ship"));
}

/// Without what the HTTP library says about a lost connection, which is up to it.
fn without_causes(lines: &str) -> String {
    let shorten = |line: &str| match (line.find("lost: "), line.find(" (gave up")) {
        (Some(from), Some(to)) => format!("{}lost: …{}", &line[..from], &line[to..]),
        _ => line.to_owned(),
    };
    lines.lines().map(shorten).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn a_rate_limited_reviewer_is_asked_again() {
    let mock = Mock::start(|asked| async move {
        match asked.number {
            0 => {
                Act::Page { status: 429, headers: vec![("retry-after", "0".to_owned())], body: String::new() }
            }
            1 => Act::Reset,
            _ => Act::Reply("VERDICT: ship".to_owned()),
        }
    })
    .await;
    let run = Run::new(1, vec![on("opus", &mock)]);
    let (outcomes, mut events) = run.go().await;
    assert_eq!(outcomes.iter().map(line).collect::<Vec<_>>(), ["c1_core opus answered x3"]);
    assert_eq!((outcomes[0].tokens_in, outcomes[0].tokens_out), (Some(7), Some(3)));
    assert_eq!(story(&mut events).await, "started asked 1 retrying asked 2 retrying asked 3 finished over");
}

#[tokio::test]
async fn a_long_rate_limit_is_not_waited_for() {
    let mock = Mock::always(|| Act::Page {
        status: 429,
        headers: vec![("retry-after", "3600".to_owned())],
        body: String::new(),
    })
    .await;
    let run = Run::new(1, vec![on("opus", &mock)]);
    assert_eq!(
        run.lines().await,
        [
            "c1_core opus failed x1: HTTP 429 Too Many Requests (it asks for a pause of 3600 s, longer than its timeout allows)"
        ]
    );
}

/// The events but those about tokens, a word each.
async fn story(events: &mut EventReceiver) -> String {
    let mut words = Vec::new();
    while let Some(event) = events.next().await {
        match event {
            RunEvent::RunStarted { .. } => words.push("started".to_owned()),
            RunEvent::Asked { attempt, .. } => words.push(format!("asked {attempt}")),
            RunEvent::Tokens { .. } => {}
            RunEvent::Retrying { .. } => words.push("retrying".to_owned()),
            RunEvent::Waiting { .. } => words.push("waiting".to_owned()),
            RunEvent::FellBack { stand_in, .. } => words.push(format!("falls back on {stand_in}")),
            RunEvent::CutShort { .. } => words.push("cut short".to_owned()),
            RunEvent::Finished { .. } => words.push("finished".to_owned()),
            RunEvent::RunFinished { interrupted } => {
                words.push(if interrupted { "interrupted" } else { "over" }.to_owned());
                break;
            }
        }
    }
    words.join(" ")
}

#[tokio::test(start_paused = true)]
async fn a_slow_reviewer_is_not_taken_for_a_silent_one() {
    let spread = || {
        let words = std::iter::repeat_with(|| event("word ")).take(320);
        Act::Spread(words.chain([ending("stop")]).collect(), Duration::from_mins(4))
    };
    let slow = Mock::always(spread).await;
    let patient = timed(Duration::from_mins(10), on("slow", &slow));
    let run = Run::new(1, vec![impatient(Duration::from_mins(1), patient)]);
    assert_eq!(run.lines().await, ["c1_core slow answered x1"]);
    assert_eq!(run.saved("c1_core slow"), Some("word ".repeat(320)));
}

#[tokio::test(start_paused = true)]
async fn when_each_was_asked_and_began_to_answer_is_written_down() {
    let mock = Mock::start(|asked| async move {
        match asked.number {
            // Half of it comes after two minutes, all of it after four.
            0 | 2 => {
                let words = std::iter::repeat_with(|| event("word ")).take(63);
                Act::Spread(words.chain([ending("stop")]).collect(), Duration::from_mins(4))
            }
            1 => Act::Reset,
            3 => Act::Stall("half".to_owned()),
            _ => json_page(400, &serde_json::json!({"error": "no"})),
        }
    })
    .await;
    let slow = timed(Duration::from_mins(10), impatient(Duration::from_mins(3), on("slow", &mock)));
    let run = Run { pace: pace(1, 2), ..Run::new(4, vec![slow]) };
    let (mut outcomes, _) = run.go().await;
    outcomes.sort_by_key(|outcome| outcome.bundle.clone());
    let minutes = |milliseconds: u64| (milliseconds + 30_000) / 60_000;
    let told = outcomes.iter().map(|outcome| {
        let timing = outcome.timing.unwrap();
        let first = timing.first_token_ms.map(minutes);
        (outcome.state.word(), minutes(timing.asked_ms), first, minutes(outcome.latency_ms))
    });
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            ("answered", 0, Some(2), 4),
            // Asked twice, the second time behind the next one.
            ("timed-out", 4, Some(8), 7),
            ("answered", 4, Some(6), 4),
            ("failed", 11, None, 0),
        ]
    );
}

#[tokio::test]
async fn as_many_at_once_as_allowed_and_no_more() {
    // Three must be there together, else nobody is answered.
    let barrier = Arc::new(Barrier::new(3));
    let mock = Mock::start(move |_| {
        let barrier = Arc::clone(&barrier);
        async move {
            barrier.wait().await;
            Act::Reply("VERDICT: ship".to_owned())
        }
    })
    .await;
    let run = Run { pace: pace(3, 0), ..Run::new(6, vec![on("opus", &mock), on("kimi", &mock)]) };
    let (outcomes, _) = run.go().await;
    assert!(outcomes.iter().all(|outcome| outcome.state == State::Answered), "{outcomes:?}");
    assert_eq!((outcomes.len(), mock.most_open()), (12, 3));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_bears_two_at_a_time_answers_all() {
    let open = Arc::new(AtomicUsize::new(0));
    let mock = Mock::start(move |asked| {
        let open = Arc::clone(&open);
        async move {
            if open.fetch_add(1, Ordering::SeqCst) >= 2 {
                open.fetch_sub(1, Ordering::SeqCst);
                return Act::Page { status: 429, headers: Vec::new(), body: String::new() };
            }
            tokio::time::sleep_until(asked.at + Duration::from_millis(20)).await;
            open.fetch_sub(1, Ordering::SeqCst);
            Act::Reply("VERDICT: ship".to_owned())
        }
    })
    .await;
    let run = Run { pace: pace(8, 9), ..Run::new(20, vec![on("opus", &mock)]) };
    let (outcomes, _) = run.go().await;
    assert!(outcomes.iter().all(|outcome| outcome.state == State::Answered), "{outcomes:?}");
}

#[tokio::test]
async fn a_reviewer_that_hangs_leaves_slots_to_the_others() {
    let others_done = Arc::new(Notify::new());
    let slow = Mock::start({
        let others_done = Arc::clone(&others_done);
        move |_| {
            let others_done = Arc::clone(&others_done);
            async move {
                others_done.notified().await;
                others_done.notify_one();
                Act::Reply("VERDICT: hold".to_owned())
            }
        }
    })
    .await;
    let quick = Mock::start(move |asked| {
        if asked.number == 7 {
            others_done.notify_one();
        }
        async { Act::Reply("VERDICT: ship".to_owned()) }
    })
    .await;
    let run = Run { pace: pace(2, 0), ..Run::new(8, vec![on("slow", &slow), on("quick", &quick)]) };
    let (outcomes, _) = run.go().await;
    assert!(outcomes.iter().all(|outcome| outcome.state == State::Answered), "{outcomes:?}");
}

#[tokio::test]
async fn an_interrupted_run_keeps_what_came() {
    let good = fine().await;
    let stall = Mock::always(|| Act::Stall("half".to_owned())).await;
    let run = Run { pace: pace(2, 0), ..Run::new(2, vec![on("good", &good), on("stall", &stall)]) };
    // Both of `good` are answered and both of `stall` have come halfway before the run is interrupted.
    let tasks = run.tasks();
    let (events, mut receiver) = channel(tasks.len(), 1, &run.pace);
    let work = Work { tasks: &tasks, questions: &run.questions, respondents: &run.respondents, again: false };
    let saved = Arc::clone(&run.saved);
    let save = Arc::new(move |outcome: &Outcome, text: Option<&str>| -> Result<(), String> {
        saved
            .lock()
            .unwrap()
            .insert(format!("{} {}", outcome.bundle, outcome.reviewer), text.map(str::to_owned));
        Ok(())
    });
    let watch = async {
        while let Some(event) = receiver.next().await {
            if let RunEvent::Tokens { under_way } = event
                && under_way.len() == 2
                && under_way.iter().all(|arrived| arrived.tokens == 1)
            {
                run.cancel.cancel();
                break;
            }
        }
    };
    let mut bounds = Bounds::default();
    let asking = execute(work, run.pace, &mut bounds, &events, &run.cancel, save);
    let (mut outcomes, ()) = tokio::join!(asking, watch);
    outcomes.sort_by_key(|outcome| (outcome.bundle.clone(), outcome.reviewer.clone()));
    assert_eq!(
        outcomes.iter().map(line).collect::<Vec<_>>(),
        [
            "c1_core good answered x1",
            "c1_core stall incomplete x1: interrupted",
            "c2_core good answered x1",
            "c2_core stall incomplete x1: interrupted",
        ]
    );
    assert_eq!(run.saved("c2_core stall").as_deref(), Some("half"));
    assert_eq!(story(&mut receiver).await, "finished finished interrupted");
}

#[tokio::test]
async fn a_run_interrupted_at_once_asks_nobody() {
    let good = fine().await;
    let run = Run { pace: pace(1, 0), ..Run::new(2, vec![on("good", &good)]) };
    run.cancel.cancel();
    let (outcomes, _) = run.go().await;
    assert!(outcomes.iter().all(|outcome| outcome.state == State::Skipped), "{outcomes:?}");
    assert_eq!(outcomes[1].attempts, 0);
    assert_eq!(run.saved.lock().unwrap().get("c2_core good"), Some(&None));
}

#[tokio::test]
async fn a_full_disk_fails_the_task_and_no_other() {
    let good = fine().await;
    let run = Run { full_disk_for: "opus", ..Run::new(1, vec![on("kimi", &good), on("opus", &good)]) };
    assert_eq!(
        run.lines().await,
        [
            "c1_core kimi answered x1",
            "c1_core opus failed x1: could not save the reply: no space left on device",
        ]
    );
}

#[tokio::test]
async fn a_listener_that_never_looks_holds_nothing_up() {
    let good = fine().await;
    let run = Run::new(20, vec![on("good", &good)]);
    let (outcomes, mut events) = run.go().await;
    assert_eq!(outcomes.len(), 20);
    let words = story(&mut events).await;
    assert_eq!(words.matches("finished").count(), 20, "{words}");
}

#[test]
fn a_resumed_plan_asks_for_what_is_missing() {
    let run = Run::new(2, vec![shell("a", "true"), shell("b", "true")]);
    let bundles: Vec<_> = run.questions.iter().map(|question| (*question.bundle).clone()).collect();
    let pair = |bundle: &str, id: &str| (bundle.to_owned(), ReviewerId::new(id).unwrap());
    let answered = BTreeSet::from([pair("c1_core", "a"), pair("c2_core", "b"), pair("c9_gone", "a")]);
    assert_eq!(
        plan(&bundles, &run.panel(), &Routes::default(), &answered),
        [Task { bundle: 0, reviewer: 1 }, Task { bundle: 1, reviewer: 0 }]
    );
}
