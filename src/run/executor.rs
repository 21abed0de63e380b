//! Asks all reviewers at once, within limits, and records what became of every task.
//!
//! [`execute`] is one loop that owns all state: which tasks wait, which are under way, which pause before another
//! attempt, which are being saved. Attempts are futures inside it, so when it ends early they end too. What a
//! reply says is not looked at here.

use std::{
    fmt::Display,
    hash::{BuildHasher, RandomState},
    num::NonZeroUsize,
    sync::Arc,
    time::Duration,
};

use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use tokio::{
    sync::Semaphore,
    time::{Instant, MissedTickBehavior, interval, sleep, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{
    event::{Arrived, EventSender, RunEvent, TaskName},
    plan::Task,
    queue::Queue,
    retry::{GiveUp, Patience},
};
use crate::{
    cost::Tokens,
    coverage::{Outcome, State},
    provider::{Answer, AskError, Draft, End, Provider, Question},
    reviewer::Reviewer,
};

/// How often listeners hear what has arrived.
const TICK: Duration = Duration::from_millis(100);

/// A reviewer and the way to ask it.
#[derive(Debug, Clone)]
pub struct Respondent {
    /// Who, and how long an attempt may take.
    pub reviewer: Reviewer,
    /// How.
    pub provider: Provider,
}

/// What is to be done.
#[derive(Debug, Clone, Copy)]
pub struct Work<'a> {
    /// From [`plan`](super::plan::plan).
    pub tasks: &'a [Task],
    /// One a bundle, in the order planned for.
    pub questions: &'a [Arc<Question>],
    /// One a reviewer, in the order planned for.
    pub respondents: &'a [Respondent],
}

/// How hard to push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Most attempts under way at a time, all reviewers together.
    pub concurrency: NonZeroUsize,
    /// Most attempts of a task after the first.
    pub retries: u32,
    /// About the pause before the second attempt; it doubles from there.
    pub first_delay: Duration,
}

impl Pace {
    /// The usual patience at `concurrency`.
    pub fn new(concurrency: NonZeroUsize) -> Self {
        Self { concurrency, retries: 4, first_delay: Duration::from_secs(1) }
    }
}

/// Does `work` and gives back what became of it, in the order of the tasks.
///
/// `save` is called once for every task, on a thread where it may block, with the text that came:
/// the reply when the outcome is answered, incomplete or empty, otherwise what had come of one, if anything. When
/// it fails the task has failed. When `cancel` is cancelled nothing more is asked, what is under way is dropped,
/// and the open tasks are skipped or, where something had come, incomplete: "interrupted".
///
/// # Panics
///
/// When a task names a question or a respondent that is not there.
pub async fn execute<S, E>(
    work: Work<'_>,
    pace: Pace,
    events: &EventSender,
    cancel: &CancellationToken,
    save: Arc<S>,
) -> Vec<Outcome>
where
    S: Fn(&Outcome, Option<&str>) -> Result<(), E> + Send + Sync + 'static,
    E: Display + Send + 'static,
{
    let mut execution = Execution::new(work, pace, events, save);
    let mut ticker = interval(TICK);
    ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
    events.tell(RunEvent::RunStarted { tasks: work.tasks.iter().map(|task| work.name(*task)).collect() });
    let interrupted = loop {
        execution.begin_tasks();
        if execution.steps.is_empty() && execution.saves.is_empty() {
            break false;
        }
        tokio::select! {
            biased;
            () = cancel.cancelled() => break true,
            Some(step) = execution.steps.next() => execution.take(step),
            Some((task, outcome)) = execution.saves.next() => execution.record(task, outcome),
            _ = ticker.tick() => execution.tell_tokens(),
        }
    };
    execution.interrupt();
    while let Some((task, outcome)) = execution.saves.next().await {
        execution.record(task, outcome);
    }
    events.tell(RunEvent::RunFinished { interrupted });
    execution.outcomes.into_iter().flatten().collect()
}

impl Work<'_> {
    fn name(&self, task: Task) -> TaskName {
        TaskName {
            bundle: self.questions[task.bundle].bundle.id.clone(),
            reviewer: self.respondents[task.reviewer].reviewer.id.clone(),
        }
    }
}

/// Something a task was waiting for.
enum Step {
    /// An attempt is over.
    Ended(usize, Result<Answer, Trouble>),
    /// The pause before another attempt is over.
    Due(usize),
}

/// Why an attempt gave no answer.
enum Trouble {
    Ask(AskError),
    TimedOut(String),
}

/// One task's history.
#[derive(Default)]
struct Record {
    attempts: u32,
    first_asked: Option<Instant>,
    patience: Option<Patience>,
    /// The attempt under way.
    draft: Option<Arc<Draft>>,
    /// What came of earlier attempts.
    partial: String,
    /// There will be no further attempt.
    is_settled: bool,
}

impl Record {
    /// Ends the attempt under way: counts the requests it made, and gives back what had come of it.
    fn close_draft(&mut self) -> String {
        let Some(draft) = self.draft.take() else { return String::new() };
        self.attempts += draft.further_requests();
        draft.take_text()
    }
}

struct Execution<'a, S> {
    work: Work<'a>,
    pace: Pace,
    events: &'a EventSender,
    save: Arc<S>,
    /// Few replies are written at a time, so that a burst of them does not become a crowd of threads.
    writers: Arc<Semaphore>,
    seeds: RandomState,
    queue: Queue,
    records: Vec<Record>,
    steps: FuturesUnordered<BoxFuture<'a, Step>>,
    saves: FuturesUnordered<BoxFuture<'a, (usize, Outcome)>>,
    outcomes: Vec<Option<Outcome>>,
}

impl<'a, S, E> Execution<'a, S>
where
    S: Fn(&Outcome, Option<&str>) -> Result<(), E> + Send + Sync + 'static,
    E: Display + Send + 'static,
{
    fn new(work: Work<'a>, pace: Pace, events: &'a EventSender, save: Arc<S>) -> Self {
        let count = work.tasks.len();
        Self {
            work,
            pace,
            events,
            save,
            writers: Arc::new(Semaphore::new(4)),
            seeds: RandomState::new(),
            queue: Queue::new(work.tasks),
            records: std::iter::repeat_with(Record::default).take(count).collect(),
            steps: FuturesUnordered::new(),
            saves: FuturesUnordered::new(),
            outcomes: vec![None; count],
        }
    }

    fn respondent(&self, task: usize) -> &'a Respondent {
        &self.work.respondents[self.work.tasks[task].reviewer]
    }

    fn begin_tasks(&mut self) {
        while self.queue.under_way() < self.pace.concurrency.get()
            && let Some(task) = self.queue.begin()
        {
            let draft = Arc::new(Draft::new());
            let record = &mut self.records[task];
            record.attempts += 1;
            record.first_asked.get_or_insert_with(Instant::now);
            record.draft = Some(Arc::clone(&draft));
            self.events.tell(RunEvent::Asked { task, attempt: record.attempts });
            let question = &self.work.questions[self.work.tasks[task].bundle];
            let attempt = attempt(self.respondent(task), question, draft);
            self.steps.push(attempt.map(move |result| Step::Ended(task, result)).boxed());
        }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Due(task) => self.queue.again(task, self.work.tasks[task].reviewer),
            Step::Ended(task, result) => {
                self.queue.end(self.work.tasks[task].reviewer);
                self.ended(task, result);
            }
        }
    }

    fn ended(&mut self, task: usize, result: Result<Answer, Trouble>) {
        let left = self.records[task].close_draft();
        match result {
            Ok(answer) => {
                self.queue.relax(self.work.tasks[task].reviewer);
                self.answered(task, answer);
            }
            Err(Trouble::TimedOut(reason)) => {
                self.keep(task, left);
                self.failed(task, State::TimedOut, reason);
            }
            Err(Trouble::Ask(AskError::Permanent { reason, partial })) => {
                self.keep(task, partial);
                self.failed(task, State::Failed, reason);
            }
            Err(Trouble::Ask(AskError::Transient { reason, retry_after, partial })) => {
                self.queue.tighten(self.work.tasks[task].reviewer);
                self.keep(task, partial);
                self.retry(task, reason, retry_after);
            }
        }
    }

    fn retry(&mut self, task: usize, reason: String, retry_after: Option<Duration>) {
        let (pace, timeout) = (self.pace, self.respondent(task).reviewer.timeout);
        let seed = self.seeds.hash_one(task);
        let record = &mut self.records[task];
        let patience = record
            .patience
            .get_or_insert_with(|| Patience::new(pace.retries, pace.first_delay, timeout, seed));
        match patience.next_delay(retry_after) {
            Ok(delay) => {
                self.steps.push(sleep(delay).map(move |()| Step::Due(task)).boxed());
                self.events.tell(RunEvent::Retrying { task, reason, delay });
            }
            Err(give_up) => {
                let reason = gave_up(&reason, &give_up, record.attempts);
                let state = if record.partial.trim().is_empty() { State::Failed } else { State::Incomplete };
                self.failed(task, state, reason);
            }
        }
    }

    /// Keeps `text` as what came of the task, unless it says nothing.
    fn keep(&mut self, task: usize, text: String) {
        if !text.trim().is_empty() {
            self.records[task].partial = text;
        }
    }

    fn answered(&mut self, task: usize, answer: Answer) {
        let (state, reason) = match &answer.end {
            End::Cut(word) => (State::Incomplete, Some(format!("the reply was cut off: {word}"))),
            End::Stop if answer.text.trim().is_empty() => {
                (State::Empty, Some("the reply has no text".to_owned()))
            }
            End::Stop => (State::Answered, None),
        };
        let reason = [reason, answer.remark.clone()]
            .into_iter()
            .flatten()
            .reduce(|why, remark| format!("{why}; {remark}"));
        let outcome = Outcome {
            tokens_in: answer.tokens_in,
            tokens_out: answer.tokens_out,
            cost_usd: cost(&self.respondent(task).reviewer, &answer),
            ..self.outcome(task, state, reason)
        };
        self.save(task, outcome, Some(answer.text));
    }

    fn failed(&mut self, task: usize, state: State, reason: String) {
        let outcome = self.outcome(task, state, Some(reason));
        let partial = std::mem::take(&mut self.records[task].partial);
        self.save(task, outcome, Some(partial).filter(|text| !text.is_empty()));
    }

    fn outcome(&self, task: usize, state: State, reason: Option<String>) -> Outcome {
        let TaskName { bundle, reviewer } = self.work.name(self.work.tasks[task]);
        let record = &self.records[task];
        Outcome {
            bundle,
            reviewer,
            state,
            reason,
            attempts: record.attempts,
            cached: false,
            latency_ms: record.first_asked.map_or(0, milliseconds_since),
            tokens_in: None,
            tokens_out: None,
            cost_usd: None,
        }
    }

    /// Ends the task: its outcome is recorded once it is saved.
    fn save(&mut self, task: usize, outcome: Outcome, text: Option<String>) {
        self.records[task].is_settled = true;
        let text = text.map(|text| self.respondent(task).provider.without_key(text));
        let (save, writers) = (Arc::clone(&self.save), Arc::clone(&self.writers));
        let write = async move {
            let _turn = writers.acquire_owned().await;
            let told = outcome.clone();
            let written = tokio::task::spawn_blocking(move || {
                save(&told, text.as_deref()).map_err(|error| error.to_string())
            });
            let problem = match written.await {
                Ok(Ok(())) => return (task, outcome),
                Ok(Err(problem)) => problem,
                Err(error) => error.to_string(),
            };
            let reason = Some(format!("could not save the reply: {problem}"));
            (task, Outcome { state: State::Failed, reason, ..outcome })
        };
        self.saves.push(write.boxed());
    }

    fn record(&mut self, task: usize, outcome: Outcome) {
        self.events.tell(RunEvent::Finished { task, outcome: outcome.clone() });
        self.outcomes[task] = Some(outcome);
    }

    /// Ends everything that is under way or waits. Nothing happens when all tasks are done.
    fn interrupt(&mut self) {
        self.steps.clear();
        for task in 0..self.records.len() {
            if self.records[task].is_settled {
                continue;
            }
            let left = self.records[task].close_draft();
            self.keep(task, left);
            let came = !self.records[task].partial.is_empty();
            let state = if came { State::Incomplete } else { State::Skipped };
            self.failed(task, state, "interrupted".to_owned());
        }
    }

    fn tell_tokens(&self) {
        if !self.events.wants_tokens() {
            return;
        }
        let arrived = |(task, record): (usize, &Record)| {
            let draft = record.draft.as_ref()?;
            let elapsed = record.first_asked.map(|first| first.elapsed()).unwrap_or_default();
            Some(Arrived { task, tokens: draft.tokens(), elapsed })
        };
        let under_way = self.records.iter().enumerate().filter_map(arrived).collect();
        self.events.tell(RunEvent::Tokens { under_way });
    }
}

/// What the provider told, else what its tokens cost. What is free costs nothing however many there were.
pub(super) fn cost(reviewer: &Reviewer, answer: &Answer) -> Option<f64> {
    let told = answer.cost_usd.filter(|usd| usd.is_finite() && *usd >= 0.0);
    told.or_else(|| match reviewer.price? {
        price if price.is_free() => Some(0.0),
        price => {
            let (input, output) = (answer.tokens_in?, answer.tokens_out?);
            let cached = answer.tokens_cached.unwrap_or_default();
            Some(price.cost(Tokens { input, cached, output, ..Tokens::default() }))
        }
    })
}

/// One attempt, within the reviewer's limits.
async fn attempt(
    respondent: &Respondent,
    question: &Arc<Question>,
    draft: Arc<Draft>,
) -> Result<Answer, Trouble> {
    let Reviewer { timeout, idle_timeout, .. } = &respondent.reviewer;
    let deadline = later(Instant::now(), *timeout);
    let ask = respondent.provider.ask(question, &draft);
    tokio::pin!(ask);
    loop {
        // A limit on silence that is no shorter than the whole says nothing of its own.
        let silent_at =
            if idle_timeout < timeout { later(draft.last_sign(), *idle_timeout) } else { deadline };
        tokio::select! {
            biased;
            answer = &mut ask => return answer.map_err(Trouble::Ask),
            () = sleep_until(deadline.min(silent_at)) => {}
        }
        if Instant::now() >= deadline {
            return Err(Trouble::TimedOut(format!("no whole reply within {timeout:?}")));
        }
        if idle_timeout < timeout && Instant::now() >= later(draft.last_sign(), *idle_timeout) {
            return Err(Trouble::TimedOut(format!("nothing came for {idle_timeout:?}")));
        }
    }
}

/// `start` and `duration`, which may be as long as somebody wrote into a configuration.
fn later(start: Instant, duration: Duration) -> Instant {
    const A_YEAR: Duration = Duration::from_hours(365 * 24);
    start + duration.min(A_YEAR)
}

fn milliseconds_since(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX)
}

fn gave_up(reason: &str, give_up: &GiveUp, attempts: u32) -> String {
    match give_up {
        GiveUp::Attempts | GiveUp::NoTime if attempts == 1 => reason.to_owned(),
        GiveUp::Attempts | GiveUp::NoTime => format!("{reason} (gave up after {attempts} attempts)"),
        GiveUp::TooLong(delay) => {
            format!("{reason} (it asks for a pause of {} s, longer than its timeout allows)", delay.as_secs())
        }
    }
}
