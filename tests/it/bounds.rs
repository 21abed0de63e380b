//! What holds requests back: allowances, pauses, breakers, stand-ins and budgets. All times are those of tokio's paused clock,
//! which goes on only while nothing else can; nobody sleeps.

use std::{
    collections::BTreeSet,
    num::{NonZeroU32, NonZeroUsize},
    sync::Arc,
    time::Duration,
};

use scrum::{
    cost::Price,
    coverage::{Outcome, State},
    provider::{Opener, Question},
    reviewer::{Access, Allowance, Builtin, Panel, Reviewer},
    route::Routes,
    run::{
        bounds::Bounds,
        budget::{Budget, Limits},
        event::{EventReceiver, RunEvent, channel},
        executor::{Pace, Work, execute},
        plan::plan,
        respondent::{Respondent, Voice, most_voices},
    },
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{
    mock::{Act, Asked, Mock, ending, event},
    provider::{open_ai, question, reviewer},
};

/// How far sockets may lag behind the clock, which stands still only while nobody waits for them.
const LAG: Duration = Duration::from_secs(2);

struct Run {
    respondents: Vec<Respondent>,
    questions: Vec<Arc<Question>>,
    pace: Pace,
    bounds: Bounds,
    cancel: CancellationToken,
}

impl Run {
    /// Each of `seats` on `bundles` bundles; a seat's first reviewer is the one whose seat it is, the others stand in.
    fn new(bundles: usize, seats: Vec<Vec<Reviewer>>) -> Self {
        let mut opener = Opener::new(
            Arc::new(|_, _: &Question| Ok(String::new())),
            scrum::provider::sarif::Site::nowhere(),
            scrum::provider::Surroundings::default(),
        );
        let mut voice = |reviewer: Reviewer| {
            let provider = opener.open(&reviewer, None).unwrap();
            Voice { reviewer, provider }
        };
        let mut seat = |reviewers: Vec<Reviewer>| Respondent {
            reviewer: reviewers[0].clone(),
            voices: reviewers.into_iter().map(&mut voice).collect(),
            absence: None,
        };
        let concurrency = NonZeroUsize::new(16).unwrap();
        Self {
            respondents: seats.into_iter().map(&mut seat).collect(),
            questions: (1..=bundles).map(|number| question(&format!("c{number}_core"))).collect(),
            pace: Pace::new(concurrency),
            bounds: Bounds::default(),
            cancel: CancellationToken::new(),
        }
    }

    fn at_once(mut self, concurrency: usize) -> Self {
        self.pace.concurrency = NonZeroUsize::new(concurrency).unwrap();
        self
    }

    async fn go(&mut self) -> (Vec<Outcome>, EventReceiver) {
        let bundles: Vec<_> = self.questions.iter().map(|question| (*question.bundle).clone()).collect();
        let seats = self.respondents.iter().map(|respondent| (&respondent.reviewer).into()).collect();
        let tasks = plan(&bundles, &Panel { reviewers: seats }, &Routes::default(), &BTreeSet::new());
        let (events, receiver) = channel(tasks.len(), most_voices(&self.respondents), &self.pace);
        let work =
            Work { tasks: &tasks, questions: &self.questions, respondents: &self.respondents, again: false };
        let save = Arc::new(|_: &Outcome, _: Option<&str>| Ok::<(), String>(()));
        let outcomes = execute(work, self.pace, &mut self.bounds, &events, &self.cancel, save).await;
        (outcomes, receiver)
    }
}

/// A reviewer on `mock` that waits for ten minutes at most.
fn on(id: &str, mock: &Mock) -> Reviewer {
    patient(reviewer(id, open_ai(&mock.url)))
}

fn patient(reviewer: Reviewer) -> Reviewer {
    Reviewer { timeout: Duration::from_mins(10), idle_timeout: Duration::from_mins(2), ..reviewer }
}

/// A reviewer where nobody listens.
fn nowhere(id: &str) -> Reviewer {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    patient(reviewer(id, open_ai(&format!("http://{free}/v1"))))
}

fn allowed(reviewer: Reviewer, requests: u32, tokens: u32) -> Reviewer {
    let allowance = Allowance {
        requests_per_minute: NonZeroU32::new(requests),
        tokens_per_minute: NonZeroU32::new(tokens),
    };
    Reviewer { allowance, ..reviewer }
}

fn ship() -> Act {
    Act::Reply("VERDICT: ship".to_owned())
}

fn page(status: u16) -> Act {
    Act::Page { status, headers: Vec::new(), body: String::new() }
}

async fn fine() -> Mock {
    Mock::always(ship).await
}

/// When each request came, since `start`.
fn times(asked: &[Asked], start: Instant) -> Vec<Duration> {
    asked.iter().map(|asked| asked.at - start).collect()
}

fn words(outcomes: &[Outcome]) -> Vec<String> {
    let line = |outcome: &Outcome| {
        let by = outcome.answered_by.as_ref().map(|by| format!(" by {}", by.reviewer)).unwrap_or_default();
        let reason = outcome.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
        format!("{} {}{by} x{}{reason}", outcome.reviewer, outcome.state.word(), outcome.attempts)
    };
    outcomes.iter().map(line).collect()
}

fn count(outcomes: &[Outcome], state: State) -> usize {
    outcomes.iter().filter(|outcome| outcome.state == state).count()
}

/// The events but those about tokens.
async fn told(events: &mut EventReceiver) -> Vec<RunEvent> {
    let mut told = Vec::new();
    while let Some(event) = events.next().await {
        let is_last = matches!(event, RunEvent::RunFinished { .. });
        if !matches!(event, RunEvent::Tokens { .. }) {
            told.push(event);
        }
        if is_last {
            break;
        }
    }
    told
}

#[tokio::test(start_paused = true)]
async fn a_hundred_requests_at_sixty_a_minute() {
    let mock = fine().await;
    let mut run = Run::new(100, vec![vec![allowed(on("opus", &mock), 60, 0)]]);
    let start = Instant::now();
    let (outcomes, mut events) = run.go().await;
    assert_eq!(count(&outcomes, State::Answered), 100);
    for (second, at) in (0..).zip(times(&mock.asked(), start)) {
        let due = Duration::from_secs(second);
        assert!(at >= due && at < due + LAG, "{second}: {at:?}");
    }
    let waits =
        told(&mut events).await.into_iter().filter(|event| matches!(event, RunEvent::Waiting { .. })).count();
    assert_eq!(waits, 99);
}

#[tokio::test(start_paused = true)]
async fn tokens_are_paid_off_as_they_turn_out() {
    // A prompt of 16 bytes is taken for 4 tokens; the server then says that it took 7 and the answer 3.
    let mock = fine().await;
    let mut run = Run::new(7, vec![vec![allowed(on("opus", &mock), 0, 60)]]).at_once(1);
    let start = Instant::now();
    let (outcomes, _) = run.go().await;
    assert_eq!(count(&outcomes, State::Answered), 7);
    for (number, at) in (0..).zip(times(&mock.asked(), start)) {
        let due = Duration::from_secs(10 * number);
        assert!(at >= due && at < due + LAG, "{number}: {at:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_smallest_limit_counts_for_all_who_share_a_provider_and_for_nobody_else() {
    let (shared, other) = (fine().await, fine().await);
    let limited = allowed(on("opus", &shared), 60, 0);
    let generous = allowed(on("sonnet", &shared), 6, 0);
    let mut run = Run::new(2, vec![vec![limited], vec![generous], vec![on("gpt", &other)]]).at_once(1);
    let start = Instant::now();
    let (outcomes, _) = run.go().await;
    assert_eq!(count(&outcomes, State::Answered), 6);
    for (number, at) in (0..).zip(times(&shared.asked(), start)) {
        let due = Duration::from_secs(10 * number);
        assert!(at >= due && at < due + LAG, "{number}: {at:?}");
    }
    assert!(times(&other.asked(), start).iter().all(|at| *at < LAG), "who waits holds no slot");
}

#[tokio::test(start_paused = true)]
async fn an_allowance_lasts_from_one_round_to_the_next() {
    let mock = fine().await;
    let mut run = Run::new(1, vec![vec![allowed(on("opus", &mock), 2, 0)]]);
    let start = Instant::now();
    run.go().await;
    run.go().await;
    let times = times(&mock.asked(), start);
    assert!(times[1] >= Duration::from_secs(30), "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_waits_is_interrupted_at_once() {
    let mock = fine().await;
    let mut run = Run::new(3, vec![vec![allowed(on("opus", &mock), 1, 0)]]);
    let (start, cancel) = (Instant::now(), run.cancel.clone());
    let stop = async {
        tokio::time::sleep(Duration::from_secs(20)).await;
        cancel.cancel();
    };
    let ((outcomes, _), ()) = tokio::join!(run.go(), stop);
    assert!(start.elapsed() < Duration::from_secs(20) + LAG);
    let expect = ["opus answered x1", "opus skipped x0: interrupted", "opus skipped x0: interrupted"];
    assert_eq!(words(&outcomes), expect);
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_is_asked_for_is_kept_by_all() {
    let mock = Mock::start(|asked| async move {
        match asked.number {
            0 => Act::Page {
                status: 429,
                headers: vec![("retry-after", "30".to_owned())],
                body: String::new(),
            },
            _ => ship(),
        }
    })
    .await;
    let mut run = Run::new(3, vec![vec![on("opus", &mock)], vec![on("sonnet", &mock)]]).at_once(1);
    let start = Instant::now();
    let (outcomes, _) = run.go().await;
    assert_eq!(count(&outcomes, State::Answered), 6);
    let times = times(&mock.asked(), start);
    assert!(times[0] < LAG && times[1] >= Duration::from_secs(30), "{times:?}");
}

/// A server that is down until `until`, and when it was asked.
#[tokio::test(start_paused = true)]
async fn further_requests_of_an_attempt_draw_from_the_same_allowance() {
    let refusal = r#"{"error":{"message":"Unsupported value: 'temperature' does not support 0.5 with this model.","param":"temperature","code":"unsupported_value"}}"#;
    let mock = Mock::start(move |asked| async move {
        let page = Act::Page { status: 400, headers: Vec::new(), body: refusal.to_owned() };
        if asked.number == 0 { page } else { ship() }
    })
    .await;
    let warm = Reviewer { temperature: Some(0.5), ..on("opus", &mock) };
    let mut run = Run::new(3, vec![vec![allowed(warm, 6, 0)]]).at_once(1);
    let start = Instant::now();
    let (outcomes, _) = run.go().await;
    assert_eq!(
        words(&outcomes)[0],
        "opus answered x2: asked without temperature, which the model does not take"
    );
    let times: Vec<u64> = times(&mock.asked(), start).iter().map(Duration::as_secs).collect();
    // One every ten seconds: the second one of the first attempt takes the turn of the next attempt.
    assert_eq!(times, [0, 0, 20, 30]);
}

async fn down(until: Instant) -> Mock {
    Mock::start(move |asked| async move { if asked.at < until { page(503) } else { ship() } }).await
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_fails_five_times_is_left_alone_and_then_tried() {
    let start = Instant::now();
    let mock = down(start + Duration::from_secs(20)).await;
    let mut run = Run::new(12, vec![vec![on("opus", &mock)], vec![on("sonnet", &mock)]]).at_once(4);
    let (outcomes, mut events) = run.go().await;
    assert_eq!(count(&outcomes, State::Answered), 24, "{:?}", words(&outcomes));
    let times = times(&mock.asked(), start);
    // Five failures open it, and what was under way by then ends; then one request finds it down and the next one finds it well.
    let opened = times[4];
    let pause = |time: &&Duration| **time > opened + LAG && **time < opened + Duration::from_secs(15);
    assert_eq!(times.iter().filter(pause).count(), 0, "{times:?}");
    let trial = times.iter().filter(|time| {
        **time >= opened + Duration::from_secs(15) && **time < opened + Duration::from_secs(40)
    });
    assert!(
        trial.count() <= 1 || start + opened + Duration::from_secs(15) >= start + Duration::from_secs(20),
        "{times:?}"
    );
    let out_of_order = |event: &RunEvent| matches!(event, RunEvent::Waiting { reason, .. } if reason.contains("out of order: HTTP 503"));
    assert!(told(&mut events).await.iter().any(out_of_order));
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_stays_down_is_given_up() {
    let start = Instant::now();
    let mock = Mock::always(|| page(503)).await;
    let mut run = Run::new(40, vec![vec![on("opus", &mock)]]).at_once(4);
    let (outcomes, _) = run.go().await;
    assert_eq!(count(&outcomes, State::Answered), 0);
    // Five failures, what was under way with them, and three trials.
    assert!(mock.asked().len() <= 5 + 3 + 3, "{:?}", times(&mock.asked(), start));
    // The pauses of the first attempts, those of the breaker, and one more before the last task's last attempt.
    assert!(start.elapsed() < Duration::from_secs(15 + 15 + 30 + 60 + 15), "{:?}", start.elapsed());
    let last = words(&outcomes).pop().unwrap();
    assert!(last.starts_with("opus skipped x0: 127.0.0.1:"), "{last}");
    assert!(last.ends_with(" is out of order: HTTP 503 Service Unavailable"), "{last}");
}

#[tokio::test(start_paused = true)]
async fn an_impatient_reviewer_waits_for_no_outage() {
    let start = Instant::now();
    let mock = Mock::always(|| page(503)).await;
    let hasty = Reviewer { timeout: Duration::from_secs(10), ..on("opus", &mock) };
    let mut run = Run::new(40, vec![vec![hasty]]).at_once(4);
    let (outcomes, _) = run.go().await;
    assert_eq!(count(&outcomes, State::Answered), 0);
    assert!(start.elapsed() < Duration::from_secs(10) + LAG, "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_busy_provider_is_not_out_of_order() {
    let mock = Mock::start(|asked| async move { if asked.number < 12 { page(429) } else { ship() } }).await;
    let mut run = Run::new(6, vec![vec![on("opus", &mock)]]);
    let (outcomes, mut events) = run.go().await;
    assert_eq!(count(&outcomes, State::Answered), 6, "{:?}", words(&outcomes));
    assert!(!told(&mut events).await.iter().any(|event| matches!(event, RunEvent::Waiting { .. })));
}

#[tokio::test(start_paused = true)]
async fn who_stands_in_and_when() {
    let good = fine().await;
    let check = async |act: fn() -> Act, expect: &str| {
        let first = Mock::always(act).await;
        let mut run = Run::new(1, vec![vec![on("opus", &first), on("other", &good)]]);
        let (outcomes, _) = run.go().await;
        let words = words(&outcomes).join("\n").replace(&first.url, "URL");
        assert_eq!(words, expect);
    };
    check(ship, "opus answered x1").await;
    check(
        || page(401),
        "opus answered by other x2: other was asked instead: HTTP 401 Unauthorized: the key variable MOCK_KEY is not set",
    )
    .await;
    check(
        || page(404),
        "opus answered by other x2: other was asked instead: HTTP 404 Not Found: check model opus-model and base_url URL",
    )
    .await;
    check(
        || page(503),
        "opus answered by other x6: other was asked instead: HTTP 503 Service Unavailable (gave up after 5 attempts)",
    )
    .await;
    check(|| Act::Hang, "opus answered by other x2: other was asked instead: nothing came for 120s").await;
    check(|| Act::Stall("half".to_owned()), "opus timed-out x1: nothing came for 120s").await;
    check(|| page(400), "opus failed x1: HTTP 400 Bad Request").await;
    check(|| Act::Reply(String::new()), "opus empty x1: the reply has no text").await;
    check(
        || Act::Stream(vec![event("VERDICT: ship"), ending("length")]),
        "opus incomplete x1: the reply was cut off: length",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_stand_in_may_have_a_stand_in() {
    let good = fine().await;
    let mut run = Run::new(1, vec![vec![nowhere("opus"), nowhere("second"), on("third", &good)]]);
    let (outcomes, mut events) = run.go().await;
    let by = outcomes[0].answered_by.as_ref().map(|by| (by.reviewer.as_str(), by.model.as_str()));
    assert_eq!(
        (outcomes[0].state, outcomes[0].attempts, by),
        (State::Answered, 3, Some(("third", "third-model")))
    );
    let told = told(&mut events).await;
    let stand_ins = told.iter().filter_map(|event| match event {
        RunEvent::FellBack { stand_in, .. } => Some(stand_in.as_str()),
        _ => None,
    });
    assert_eq!(stand_ins.collect::<Vec<_>>(), ["second", "third"]);
}

#[tokio::test(start_paused = true)]
async fn nobody_is_left_and_all_reasons_are_told() {
    let second = Mock::always(|| page(403)).await;
    let first = Mock::always(|| Act::Cut(vec![event("torn")])).await;
    let mut run = Run::new(1, vec![vec![on("opus", &first), on("other", &second)]]);
    let (outcomes, _) = run.go().await;
    let reason = outcomes[0].reason.as_deref().unwrap();
    assert!(reason.starts_with("connection to "), "{reason}");
    let end = " (gave up after 5 attempts); other: HTTP 403 Forbidden: the key variable MOCK_KEY is not set";
    assert!(reason.ends_with(end), "{reason}");
    assert_eq!((outcomes[0].attempts, &outcomes[0].answered_by), (6, &None));
}

#[tokio::test(start_paused = true)]
async fn while_a_breaker_is_open_the_stand_in_is_asked_at_once() {
    let start = Instant::now();
    let (first, good) = (Mock::always(|| page(503)).await, fine().await);
    let mut run = Run::new(40, vec![vec![on("opus", &first), on("other", &good)]]).at_once(4);
    let (outcomes, _) = run.go().await;
    assert_eq!(count(&outcomes, State::Answered), 40);
    let untried = outcomes.iter().filter(|outcome| outcome.attempts == 1).count();
    assert!(untried >= 28, "{:?}", words(&outcomes));
    assert!(first.asked().len() <= 5 + 3, "{:?}", times(&first.asked(), start));
}

fn limits(cost_usd: Option<f64>, tokens: Option<u64>) -> Bounds {
    Bounds::new(Budget::new(Limits { cost_usd, tokens }, <_>::default()))
}

#[tokio::test(start_paused = true)]
async fn a_budget_is_passed_by_no_more_than_what_is_in_flight() {
    for at_once in [1, 4, 16] {
        let mock = Mock::start(|asked| async move {
            tokio::time::sleep_until(asked.at + Duration::from_secs(1 + asked.number as u64 % 3)).await;
            ship()
        })
        .await;
        // Seven tokens in and three out: 0.1 dollars a question.
        let priced = Reviewer {
            price: Some(Price { input: 10_000.0, output: 10_000.0, ..Price::FREE }),
            ..on("opus", &mock)
        };
        let mut run = Run::new(40, vec![vec![priced]]).at_once(at_once);
        run.bounds = limits(Some(0.95), None);
        let (outcomes, mut events) = run.go().await;
        let asked = mock.asked().len();
        assert!((10..10 + at_once).contains(&asked), "{asked} with {at_once} at once");
        assert_eq!(count(&outcomes, State::Answered), asked);
        let skipped = words(&outcomes)
            .into_iter()
            .filter(|line| line == "opus skipped x0: the budget of $0.95 is used up");
        assert_eq!(skipped.count(), 40 - asked);
        assert_eq!(run.bounds.cut_short(), Some("the budget of $0.95 is used up"));
        let told = told(&mut events).await;
        let cuts = told.iter().filter(|event| matches!(event, RunEvent::CutShort { .. }));
        assert_eq!(cuts.count(), 1);
        let ends = told.iter().filter_map(|event| match event {
            RunEvent::Finished { outcome, .. } => Some(outcome.state),
            _ => None,
        });
        assert!(ends.is_sorted(), "what is answered is told before what is skipped");
    }
}

#[tokio::test(start_paused = true)]
async fn a_budget_that_is_used_up_stops_nobody_who_costs_nothing() {
    let mock = fine().await;
    let rules = reviewer("rules", Access::Builtin(Builtin::Rules));
    let mut run = Run::new(3, vec![vec![on("opus", &mock)], vec![rules]]).at_once(1);
    run.bounds = limits(None, Some(10));
    let (outcomes, _) = run.go().await;
    let skipped = "opus skipped x0: the budget of 10 tokens is used up";
    let rules = "rules empty x1: the reply has no text";
    assert_eq!(words(&outcomes), ["opus answered x1", rules, skipped, rules, skipped, rules]);
    assert_eq!(mock.asked().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_pause_beyond_all_clocks_is_waited_for() {
    let mock = Mock::always(|| {
        let headers = vec![("retry-after", "17000000000000000000".to_owned())];
        Act::Page { status: 429, headers, body: String::new() }
    })
    .await;
    let forever = Reviewer { timeout: Duration::MAX, idle_timeout: Duration::MAX, ..on("opus", &mock) };
    let mut run = Run::new(1, vec![vec![forever]]);
    let ended = tokio::time::timeout(Duration::from_mins(1), run.go()).await;
    assert_eq!((ended.is_err(), mock.asked().len()), (true, 1));
}

#[tokio::test(start_paused = true)]
async fn a_budget_that_is_used_up_ends_pauses_too() {
    let mock = Mock::start(|asked| async move { if asked.number == 0 { page(503) } else { ship() } }).await;
    let mut run = Run::new(2, vec![vec![on("opus", &mock)]]).at_once(1);
    run.pace.first_delay = Duration::from_secs(20);
    run.bounds = limits(None, Some(10));
    let start = Instant::now();
    let (outcomes, _) = run.go().await;
    let end = "opus failed x1: HTTP 503 Service Unavailable; the budget of 10 tokens is used up";
    assert_eq!(words(&outcomes), [end, "opus answered x1"]);
    assert!(start.elapsed() < LAG);
}

#[tokio::test(start_paused = true)]
async fn a_budget_lasts_through_all_rounds_and_is_not_short_when_nothing_was_left_out() {
    let mock = fine().await;
    let mut run = Run::new(1, vec![vec![on("opus", &mock)]]);
    run.bounds = limits(None, Some(10));
    run.go().await;
    assert_eq!(run.bounds.cut_short(), None);
    let (outcomes, _) = run.go().await;
    assert_eq!(words(&outcomes), ["opus skipped x0: the budget of 10 tokens is used up"]);
    assert_eq!(mock.asked().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn failed_attempts_are_paid_for_where_they_are_told() {
    let usage = br#"data: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3}}"#;
    let mock = Mock::start(move |asked| async move {
        let told = [usage.as_slice(), b"\n\n"].concat();
        if asked.number == 0 { Act::Cut(vec![event("torn"), told]) } else { ship() }
    })
    .await;
    let mut run = Run::new(1, vec![vec![on("opus", &mock)]]);
    let (outcomes, _) = run.go().await;
    assert_eq!((outcomes[0].tokens_in, outcomes[0].tokens_out), (Some(14), Some(6)));
}
