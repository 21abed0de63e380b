//! Asks all reviewers at once, within limits, and records what became of every task.
//!
//! [`execute`] is one loop that owns all state: which tasks wait, which are under way, which pause before another
//! attempt, which are being saved. Attempts are futures inside it, so when it ends early they end too. When a request may
//! go is the [`Bounds`]' answer. What a reply says is not looked at here.

use std::{
    fmt::Display,
    hash::{BuildHasher, RandomState},
    sync::Arc,
    time::Duration,
};

use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::{
    allowance::prompt_tokens,
    attempt::{Trouble, attempt, later},
    bounds::{Bounds, Gate},
    event::{Arrived, EventSender, RunEvent, TaskName},
    plan::Task,
    queue::Queue,
    record::{Partial, Record},
    respondent::{Line, lines},
    retry::Patience,
    saving::Saves,
};
use crate::{
    coverage::{Outcome, Spent, State, Timing},
    estimate,
    provider::{Answer, AskError, Draft, End, Question, Sample},
};

pub use super::work::{Pace, Work};

/// How often listeners hear what has arrived.
const TICK: Duration = Duration::from_millis(100);

/// Does `work` and gives back what became of it, in the order of the tasks.
///
/// `save` is called once for every task, on a thread where it may block, with the text that came:
/// the reply when the outcome is answered, incomplete or empty, otherwise what had come of one, if anything. When
/// it fails the task has failed. When `cancel` is cancelled nothing more is asked, what is under way is dropped,
/// and the open tasks are skipped or, where something had come, incomplete: "interrupted". When the budget of `bounds` is used
/// up no provider is asked any more, but what is under way is waited for, and what answers without one is still asked.
///
/// # Panics
///
/// When a task names a question or a respondent that is not there.
pub async fn execute<S, E>(
    work: Work<'_>,
    pace: Pace,
    bounds: &mut Bounds,
    events: &EventSender,
    cancel: &CancellationToken,
    save: Arc<S>,
) -> Vec<Outcome>
where
    S: Fn(&Outcome, Option<&str>) -> Result<(), E> + Send + Sync + 'static,
    E: Display + Send + 'static,
{
    let mut execution = Execution::new(work, pace, bounds, events, save);
    let mut ticker = interval(TICK);
    ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
    events.tell(RunEvent::RunStarted { tasks: work.tasks.iter().map(|task| work.name(*task)).collect() });
    let interrupted = loop {
        execution.begin_tasks();
        if execution.open == 0 && execution.saves.is_empty() {
            break false;
        }
        let wake = execution.wake;
        tokio::select! {
            biased;
            () = cancel.cancelled() => break true,
            Some(step) = execution.steps.next() => execution.take(step),
            Some((task, outcome)) = execution.saves.next() => execution.record(task, outcome),
            () = sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => {}
            _ = ticker.tick() => execution.tell_tokens(),
        }
    };
    while let Some((task, outcome)) = execution.saves.next().await {
        execution.record(task, outcome);
    }
    execution.interrupt();
    while let Some((task, outcome)) = execution.saves.next().await {
        execution.record(task, outcome);
    }
    events.tell(RunEvent::RunFinished { interrupted });
    execution.outcomes.into_iter().flatten().collect()
}

/// Something a task was waiting for.
enum Step {
    /// An attempt is over.
    Ended(usize, Result<Answer, Trouble>),
    /// The pause before another attempt is over.
    Due(usize),
}

struct Execution<'a, S> {
    work: Work<'a>,
    pace: Pace,
    bounds: &'a mut Bounds,
    events: &'a EventSender,
    began: Instant,
    seeds: RandomState,
    lines: Vec<Line<'a>>,
    queue: Queue,
    /// When somebody who is held may be asked.
    wake: Option<Instant>,
    records: Vec<Record>,
    /// How many tasks will still be asked, or are being asked.
    open: usize,
    steps: FuturesUnordered<BoxFuture<'a, Step>>,
    saves: Saves<'a, S>,
    outcomes: Vec<Option<Outcome>>,
}

impl<'a, S, E> Execution<'a, S>
where
    S: Fn(&Outcome, Option<&str>) -> Result<(), E> + Send + Sync + 'static,
    E: Display + Send + 'static,
{
    fn new(
        work: Work<'a>,
        pace: Pace,
        bounds: &'a mut Bounds,
        events: &'a EventSender,
        save: Arc<S>,
    ) -> Self {
        let (lines, first) = lines(work.respondents, bounds);
        let record = |task: &Task| Record {
            line: first[task.reviewer],
            earlier: work.respondents[task.reviewer].absence.clone().into_iter().collect(),
            ..Record::default()
        };
        Self {
            work,
            pace,
            bounds,
            events,
            began: Instant::now(),
            seeds: RandomState::new(),
            queue: Queue::new(lines.len(), work.tasks.iter().map(|task| first[task.reviewer])),
            lines,
            wake: None,
            records: work.tasks.iter().map(record).collect(),
            open: work.tasks.len(),
            steps: FuturesUnordered::new(),
            saves: Saves::new(save),
            outcomes: vec![None; work.tasks.len()],
        }
    }

    fn line(&self, task: usize) -> Line<'a> {
        self.lines[self.records[task].line]
    }

    fn question(&self, task: usize) -> &'a Arc<Question> {
        &self.work.questions[self.work.tasks[task].bundle]
    }

    fn begin_tasks(&mut self) {
        self.wake = None;
        if let Some(reason) = self.bounds.used_up() {
            self.stop(&reason);
        }
        self.queue.release();
        self.count_further();
        let now = Instant::now();
        while self.queue.under_way() < self.pace.concurrency.get()
            && let Some((line, task)) = self.queue.next()
        {
            let Line { voice, service, has_stand_in, .. } = self.lines[line];
            match self.bounds.gate(service, now, voice.reviewer.timeout) {
                Gate::Open => {
                    self.queue.begin(line);
                    self.begin(task, now);
                }
                Gate::Broken(_, reason) | Gate::Shut(reason) if has_stand_in => {
                    self.queue.withdraw(line);
                    self.fall_back(task, reason);
                }
                Gate::Shut(reason) => {
                    self.queue.withdraw(line);
                    self.not_asked(task, reason);
                }
                Gate::Limited(until, reason) => self.hold(line, task, Some(until), reason),
                Gate::Broken(until, reason) => self.hold(line, task, until, reason),
            }
        }
    }

    fn begin(&mut self, task: usize, now: Instant) {
        let (Line { voice, service, sample, .. }, question) = (self.line(task), self.question(task));
        let draft = Arc::new(Draft::new());
        let tokens = prompt_tokens(question);
        let record = &mut self.records[task];
        record.begin(Arc::clone(&draft), tokens, now);
        self.bounds.began(service, task, tokens);
        self.events.tell(RunEvent::Asked { task, attempt: record.attempts });
        // What came of earlier attempts may be kept where this one goes.
        let sample = if record.attempts > 1 || self.work.again { Sample::Own } else { sample };
        let attempt = attempt(voice, question, sample, draft);
        self.steps.push(attempt.map(move |result| Step::Ended(task, result)).boxed());
    }

    /// Counts the requests that attempts under way have made besides their first, before anybody else is asked.
    fn count_further(&mut self) {
        for record in &mut self.records {
            let Some(further) = record.draft.as_ref().map(|draft| draft.further_requests()) else { continue };
            let new = further - std::mem::replace(&mut record.further, further);
            self.bounds.further(self.lines[record.line].service, new, record.sent);
        }
    }

    /// Leaves `line` alone until `until`, or until something else has happened.
    fn hold(&mut self, line: usize, task: usize, until: Option<Instant>, reason: String) {
        self.queue.hold(line);
        self.wake = [self.wake, until].into_iter().flatten().min();
        if !std::mem::replace(&mut self.records[task].is_held, true) {
            let delay = until.map(|until| until.saturating_duration_since(Instant::now()));
            self.events.tell(RunEvent::Waiting { task, reason, delay });
        }
    }

    /// The budget is used up: nothing more begins that may cost something, and what of it is not under way ends behind what is.
    fn stop(&mut self, reason: &str) {
        for (at, _) in self.lines.iter().enumerate().filter(|(_, line)| line.service.is_some()) {
            self.queue.clear(at);
        }
        let may_cost = |task: &usize| self.line(*task).service.is_some();
        let waiting: Vec<usize> = (0..self.records.len())
            .filter(|task| self.records[*task].is_waiting() && may_cost(task))
            .collect();
        if !waiting.is_empty() && self.bounds.cut(reason) {
            self.events.tell(RunEvent::CutShort { reason: reason.to_owned() });
        }
        if self.queue.under_way() > 0 || !self.saves.is_empty() {
            return;
        }
        for task in waiting {
            self.not_asked(task, reason.to_owned());
        }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Due(task) if self.records[task].is_settled => {}
            Step::Due(task) => self.queue.again(task, self.records[task].line),
            Step::Ended(task, result) => {
                self.queue.end(self.records[task].line);
                self.ended(task, result);
            }
        }
    }

    fn ended(&mut self, task: usize, result: Result<Answer, Trouble>) {
        let left = self.spent(task, result.as_ref().ok());
        let (line, Line { service, has_stand_in, .. }) = (self.records[task].line, self.line(task));
        match result.as_ref().err().and_then(Trouble::outage) {
            Some(reason) => self.bounds.failed(service, task, reason, Instant::now()),
            None => self.bounds.worked(service),
        }
        match result {
            Ok(answer) => {
                self.queue.relax(line);
                self.answered(task, answer);
            }
            Err(Trouble::TimedOut { reason, silent: true }) => {
                self.keep(task, left);
                self.gone(task, State::TimedOut, reason);
            }
            Err(Trouble::TimedOut { reason, silent: false }) => {
                self.keep(task, left);
                self.failed(task, State::TimedOut, reason);
            }
            Err(Trouble::Ask(AskError::Permanent { reason, partial })) => {
                self.keep(task, partial);
                self.failed(task, State::Failed, reason);
            }
            Err(Trouble::Ask(AskError::Unavailable { reason, for_now, partial })) => {
                self.keep(task, partial);
                if for_now && !has_stand_in {
                    self.queue.tighten(line);
                    self.retry(task, reason, None);
                } else {
                    self.gone(task, State::Failed, reason);
                }
            }
            Err(Trouble::Ask(AskError::Busy { reason, retry_after })) => {
                self.queue.tighten(line);
                self.retry(task, reason, retry_after);
            }
            Err(Trouble::Ask(AskError::Transient { reason, retry_after, partial })) => {
                self.queue.tighten(line);
                self.keep(task, partial);
                self.retry(task, reason, retry_after);
            }
        }
    }

    /// Counts what an attempt took that has just ended, and takes out what is left in its draft.
    fn spent(&mut self, task: usize, answer: Option<&Answer>) -> String {
        let Line { voice, service, .. } = self.line(task);
        let record = &mut self.records[task];
        let Some(draft) = record.draft.take() else { return String::new() };
        record.first_token = draft.first_token();
        let further = draft.further_requests();
        record.attempts += further;
        self.bounds.further(service, further - record.further, record.sent);
        let told = answer.map_or_else(|| draft.spent(), Answer::spent);
        let told = voice.reviewer.priced(told);
        // Who tells nothing is counted by a guess: a limit on tokens would mean nothing to programs otherwise.
        let guessed = answer.filter(|_| told.tokens() == 0 && service.is_some()).map(|answer| Spent {
            tokens_in: Some(record.sent),
            tokens_out: Some(estimate::tokens(&answer.text)),
            cost_usd: told.cost_usd,
            ..Spent::default()
        });
        let counted = guessed.map_or(told, |guessed| voice.reviewer.priced(guessed));
        if guessed.is_some() || record.guessed.is_some() {
            record.guessed = Some(record.guessed.unwrap_or(record.spent).and(counted));
        }
        record.spent = record.spent.and(told);
        if counted.tokens() > 0 {
            let thought = record.sent.saturating_mul(u64::from(further) + 1);
            self.bounds.correct(service, thought, counted.tokens());
        }
        self.bounds.spend(counted);
        draft.take_text()
    }

    fn retry(&mut self, task: usize, reason: String, retry_after: Option<Duration>) {
        let (pace, seed) = (self.pace, self.seeds.hash_one(task));
        let Line { voice, service, .. } = self.line(task);
        let timeout = voice.reviewer.timeout;
        let record = &mut self.records[task];
        let patience = record
            .patience
            .get_or_insert_with(|| Patience::new(pace.retries, pace.first_delay, timeout, seed));
        match patience.next_delay(retry_after) {
            Ok(delay) => {
                record.trouble = Some(reason.clone());
                if let Some(pause) = retry_after {
                    self.bounds.pause(service, later(Instant::now(), pause));
                }
                self.steps.push(sleep(delay).map(move |()| Step::Due(task)).boxed());
                self.events.tell(RunEvent::Retrying { task, reason, delay });
            }
            Err(give_up) => {
                let reason = give_up.told(&reason, record.attempts_here);
                self.gone(task, self.records[task].unanswered(), reason);
            }
        }
    }

    /// The provider is out of order for `task`: its stand-in is asked, or it has failed.
    fn gone(&mut self, task: usize, state: State, reason: String) {
        if self.line(task).has_stand_in {
            self.fall_back(task, reason);
        } else {
            self.failed(task, state, reason);
        }
    }

    fn fall_back(&mut self, task: usize, reason: String) {
        let record = &mut self.records[task];
        record.next_line(reason.clone());
        let line = record.line;
        self.queue.again(task, line);
        let stand_in = self.lines[line].voice.reviewer.id.clone();
        self.events.tell(RunEvent::FellBack { task, stand_in, reason });
    }

    /// Ends a task that waits, for a reason that is not its own.
    fn not_asked(&mut self, task: usize, reason: String) {
        let record = &mut self.records[task];
        let (state, reason) = match record.trouble.take() {
            Some(trouble) if reason.ends_with(&trouble) => (record.unanswered(), reason),
            Some(trouble) => (record.unanswered(), format!("{trouble}; {reason}")),
            None if record.attempts > 0 => (record.unanswered(), reason),
            None => (State::Skipped, reason),
        };
        self.failed(task, state, reason);
    }

    /// Keeps `text` as what came of the task, unless it says nothing.
    fn keep(&mut self, task: usize, text: String) {
        if !text.trim().is_empty() {
            let record = &mut self.records[task];
            let (line, first_token) = (record.line, record.first_token);
            let text = self.lines[line].voice.provider.without_key(text);
            record.partial = Some(Partial { line, text, first_token });
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
        let Record { line, earlier, first_token, .. } = &self.records[task];
        let remark = (!earlier.is_empty()).then(|| {
            format!("{} was asked instead: {}", self.lines[*line].voice.reviewer.id, earlier.join("; "))
        });
        let reason = [reason, answer.remark, remark]
            .into_iter()
            .flatten()
            .reduce(|reason, remark| format!("{reason}; {remark}"));
        let outcome = self.outcome(task, state, reason, Some((*line, *first_token)));
        let text = self.line(task).voice.provider.without_key(answer.text);
        self.save(task, outcome, Some(text));
    }

    fn failed(&mut self, task: usize, state: State, reason: String) {
        let record = &mut self.records[task];
        let kept =
            record.partial.take().map(|Partial { line, text, first_token }| ((line, first_token), text));
        let (by, partial) = kept.unzip();
        let own = &self.lines[record.line].voice.reviewer.id;
        let reason = match record.earlier.as_slice() {
            [] => reason,
            earlier => format!("{}; {own}: {reason}", earlier.join("; ")),
        };
        let outcome = self.outcome(task, state, Some(reason), by);
        self.save(task, outcome, partial);
    }

    /// The record of a task; `by` is the line that its text comes from and when that began to come, where there is a text.
    fn outcome(
        &self,
        task: usize,
        state: State,
        reason: Option<String>,
        by: Option<(usize, Option<Instant>)>,
    ) -> Outcome {
        let TaskName { bundle, reviewer } = self.work.name(self.work.tasks[task]);
        let Record { attempts, first_asked, spent, guessed, .. } = &self.records[task];
        Outcome {
            state,
            reason,
            attempts: *attempts,
            latency_ms: first_asked.map_or(0, |first| milliseconds(first.elapsed())),
            tokens_in: spent.tokens_in,
            tokens_out: spent.tokens_out,
            cost_usd: spent.cost_usd,
            guessed: guessed.map(Box::new),
            answered_by: by.and_then(|(line, _)| self.lines[line].voice.as_stand_in(&reviewer)),
            timing: first_asked.map(|first| Timing {
                asked_ms: self.milliseconds_at(first),
                first_token_ms: by.and_then(|(_, token)| token).map(|token| self.milliseconds_at(token)),
            }),
            ..Outcome::new(bundle, reviewer, state)
        }
    }

    fn milliseconds_at(&self, moment: Instant) -> u64 {
        milliseconds(moment.saturating_duration_since(self.began))
    }

    /// Ends the task: its outcome is recorded once it is saved.
    fn save(&mut self, task: usize, outcome: Outcome, text: Option<String>) {
        self.records[task].is_settled = true;
        self.open -= 1;
        self.saves.begin(task, outcome, text);
    }

    fn record(&mut self, task: usize, outcome: Outcome) {
        self.events.tell(RunEvent::Finished { task, outcome: Box::new(outcome.clone()) });
        self.outcomes[task] = Some(outcome);
    }

    /// Ends everything that is under way or waits. Nothing happens when all tasks are done.
    fn interrupt(&mut self) {
        self.steps.clear();
        for task in 0..self.records.len() {
            if self.records[task].is_settled {
                continue;
            }
            let left = self.spent(task, None);
            self.keep(task, left);
            let came = self.records[task].partial.is_some();
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

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
