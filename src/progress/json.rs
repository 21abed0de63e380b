//! A run as lines of JSON, `scrum.events/1`: [`Told`] is one of them, [`Lines`] makes them of events.
//!
//! Other programs read them, so what is there stays as it is: docs/design/events.md. Text of models is in none of them.

use std::{io::Write, time::Duration};

use serde::Serialize;
use tokio::time::Instant;

use crate::{
    coverage::Outcome,
    gauntlet::smoke::Checked,
    report::foreign,
    run::{
        event::{Arrived, RunEvent, TaskName},
        smoke::SmokeEvent,
    },
};

/// The form of these lines.
pub const SCHEMA: &str = "scrum.events/1";

/// How often it is told what has arrived of answers.
const TOKENS: Duration = Duration::from_secs(1);

/// Most bytes of all bundles' names, and of all reviewers', in a line.
const NAMES: usize = 4 << 10;

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Told<'a> {
    /// The first.
    Began {
        /// [`SCHEMA`].
        schema: &'static str,
        /// Version of this program.
        version: &'static str,
    },
    /// A remark for people.
    Note {
        /// What.
        text: String,
    },
    /// Something that deserves attention.
    Warning {
        /// What.
        text: String,
    },
    /// Why it ends with exit status 2.
    Error {
        /// What.
        text: String,
        /// What to do.
        hints: &'a [String],
    },
    /// A part of the work is done.
    Step {
        /// `bundle`, `review`, `parse`, `tally` or `report`.
        step: &'static str,
        /// How long it took.
        ms: u64,
    },
    /// The run's folders are there.
    Run {
        /// Its id.
        run: &'a str,
    },
    /// Reviewers are about to be asked.
    Asking {
        /// About how many pairs of a bundle and a reviewer.
        tasks: usize,
        /// The bundles, in order; left out where names would be too many.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        bundles: Vec<&'a str>,
        /// The reviewers, in order; likewise.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        reviewers: Vec<&'a str>,
    },
    /// A request is being sent.
    Asked {
        /// For what.
        #[serde(flatten)]
        task: Task<'a>,
        /// From 1.
        attempt: u32,
    },
    /// What has arrived so far, of all that is under way; told once a second where it is more than before.
    Tokens {
        /// How many requests are under way.
        under_way: usize,
        /// Tokens of theirs; a guess.
        tokens: u64,
    },
    /// An attempt failed; there will be another one.
    Retrying {
        /// For what.
        #[serde(flatten)]
        task: Task<'a>,
        /// Why.
        reason: String,
        /// When, from now.
        delay_ms: u64,
    },
    /// A task must wait for its provider.
    Waiting {
        /// Which.
        #[serde(flatten)]
        task: Task<'a>,
        /// Why.
        reason: String,
        /// For how long, as far as it is known.
        #[serde(skip_serializing_if = "Option::is_none")]
        delay_ms: Option<u64>,
    },
    /// Another reviewer is asked.
    FellBack {
        /// For what.
        #[serde(flatten)]
        task: Task<'a>,
        /// Who.
        stand_in: &'a str,
        /// Why.
        reason: String,
    },
    /// Nothing more is asked.
    CutShort {
        /// Why.
        reason: String,
    },
    /// A task has ended and its reply is saved.
    Finished {
        /// Which.
        #[serde(flatten)]
        task: Task<'a>,
        /// `answered`, or the word for what else became of it.
        state: &'static str,
        /// Why.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// How often it was asked.
        attempts: u32,
        /// It was known before.
        cached: bool,
        /// How long it took.
        ms: u64,
        /// Of the prompt, where the provider told.
        #[serde(skip_serializing_if = "Option::is_none")]
        tokens_in: Option<u64>,
        /// Of the answer, where the provider told.
        #[serde(skip_serializing_if = "Option::is_none")]
        tokens_out: Option<u64>,
        /// US dollars, where they are known.
        #[serde(skip_serializing_if = "Option::is_none")]
        cost_usd: Option<f64>,
    },
    /// Nobody is asked any more.
    Answered {
        /// It was interrupted.
        interrupted: bool,
    },
    /// A check of a chain, or a service of it, has come to its end or is up.
    Check {
        /// Its name.
        name: &'a str,
        /// `passed`, `failed`, `skipped`; of a service `ready` or `not ready`.
        result: &'static str,
        /// Why.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// How long it took.
        ms: u64,
    },
    /// So many cases of a comparison are done.
    Cases {
        /// Of which one.
        name: &'a str,
        /// How many.
        done: usize,
        /// Of how many.
        total: usize,
    },
}

/// A bundle and who is asked about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Task<'a> {
    bundle: &'a str,
    reviewer: &'a str,
}

impl<'a> From<&'a TaskName> for Task<'a> {
    fn from(name: &'a TaskName) -> Self {
        Self { bundle: &name.bundle, reviewer: name.reviewer.as_str() }
    }
}

/// Writes a line to stderr.
pub fn tell(told: &Told<'_>) {
    if let Ok(line) = serde_json::to_string(told) {
        // Progress that cannot be written must not end the run.
        let _ = writeln!(anstream::stderr().lock(), "{line}");
    }
}

/// Full milliseconds.
pub fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// What must be remembered to put events into lines.
#[derive(Debug, Default)]
pub struct Lines {
    tasks: Vec<TaskName>,
    tokens: Option<(Instant, u64)>,
}

impl Lines {
    /// What `event` is worth telling at `now`, if it is.
    pub fn told<'a>(&'a mut self, event: &'a RunEvent, now: Instant) -> Option<Told<'a>> {
        match event {
            RunEvent::RunStarted { tasks } => {
                self.tasks.clone_from(tasks);
                Some(asking(tasks))
            }
            RunEvent::Asked { task, attempt } => {
                Some(Told::Asked { task: self.task(*task)?, attempt: *attempt })
            }
            RunEvent::Tokens { under_way } => self.tokens(under_way, now),
            RunEvent::Retrying { task, reason, delay } => Some(Told::Retrying {
                task: self.task(*task)?,
                reason: foreign::one_line(reason),
                delay_ms: millis(*delay),
            }),
            RunEvent::Waiting { task, reason, delay } => Some(Told::Waiting {
                task: self.task(*task)?,
                reason: foreign::one_line(reason),
                delay_ms: delay.map(millis),
            }),
            RunEvent::FellBack { task, stand_in, reason } => Some(Told::FellBack {
                task: self.task(*task)?,
                stand_in: stand_in.as_str(),
                reason: foreign::one_line(reason),
            }),
            RunEvent::CutShort { reason } => Some(Told::CutShort { reason: foreign::one_line(reason) }),
            RunEvent::Finished { task, outcome } => Some(finished(self.task(*task)?, outcome)),
            RunEvent::RunFinished { interrupted } => Some(Told::Answered { interrupted: *interrupted }),
        }
    }

    fn task(&self, index: usize) -> Option<Task<'_>> {
        self.tasks.get(index).map(Task::from)
    }

    fn tokens<'a>(&mut self, under_way: &[Arrived], now: Instant) -> Option<Told<'a>> {
        let tokens = under_way.iter().map(|one| one.tokens).sum();
        let is_news = self.tokens.is_none_or(|(at, told)| now.duration_since(at) >= TOKENS && tokens != told);
        is_news.then(|| {
            self.tokens = Some((now, tokens));
            Told::Tokens { under_way: under_way.len(), tokens }
        })
    }
}

fn asking(tasks: &[TaskName]) -> Told<'_> {
    let mut bundles: Vec<&str> = Vec::new();
    let mut reviewers: Vec<&str> = Vec::new();
    for task in tasks {
        for (names, name) in [(&mut bundles, task.bundle.as_str()), (&mut reviewers, task.reviewer.as_str())]
        {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    let is_short = |names: &[&str]| names.iter().map(|name| name.len()).sum::<usize>() <= NAMES;
    let is_told = is_short(&bundles) && is_short(&reviewers);
    let told = |names: Vec<_>| if is_told { names } else { Vec::new() };
    Told::Asking { tasks: tasks.len(), bundles: told(bundles), reviewers: told(reviewers) }
}

fn finished<'a>(task: Task<'a>, outcome: &Outcome) -> Told<'a> {
    Told::Finished {
        task,
        state: outcome.state.word(),
        reason: outcome.reason.as_deref().map(foreign::one_line),
        attempts: outcome.attempts,
        cached: outcome.cached,
        ms: outcome.latency_ms,
        tokens_in: outcome.tokens_in,
        tokens_out: outcome.tokens_out,
        cost_usd: outcome.cost_usd,
    }
}

/// What an event of a chain is worth telling, if it is.
pub fn of_chain(event: &SmokeEvent) -> Option<Told<'_>> {
    match event {
        SmokeEvent::Started { service, trouble, took } => Some(Told::Check {
            name: service,
            result: if trouble.is_none() { "ready" } else { "not ready" },
            reason: trouble.as_deref().map(foreign::one_line),
            ms: millis(*took),
        }),
        SmokeEvent::Checked(Checked { name, result, took, .. }) => Some(Told::Check {
            name,
            result: result.word(),
            reason: result.reason().map(foreign::one_line),
            ms: millis(*took),
        }),
        SmokeEvent::Begun { .. }
        | SmokeEvent::Starting { .. }
        | SmokeEvent::Checking { .. }
        | SmokeEvent::Ticked { .. }
        | SmokeEvent::Stopping => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reviewer::ReviewerId;

    /// The lines of `events`, of which each comes half a second after the one before.
    fn lines(events: &[RunEvent]) -> String {
        let mut lines = Lines::default();
        let began = Instant::now();
        let mut all = String::new();
        for (number, event) in (0..).zip(events) {
            if let Some(told) = lines.told(event, began + Duration::from_millis(500) * number) {
                all = all + &serde_json::to_string(&told).unwrap() + "\n";
            }
        }
        all
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_in_lines() {
        let reviewer = || ReviewerId::new("opus").unwrap();
        let tasks = vec![TaskName { bundle: "c1_core".to_owned(), reviewer: reviewer() }];
        let tokens = |tokens| RunEvent::Tokens {
            under_way: vec![Arrived { task: 0, tokens, elapsed: Duration::from_secs(1) }],
        };
        let outcome = Outcome {
            bundle: "c1_core".to_owned(),
            reviewer: reviewer(),
            state: crate::coverage::State::Failed,
            reason: Some("no \u{1b}[31m\nroom".to_owned()),
            attempts: 2,
            cached: false,
            latency_ms: 4_213,
            tokens_in: Some(10),
            tokens_out: None,
            cost_usd: Some(0.25),
            guessed: None,
            answered_by: None,
            timing: None,
        };
        let events = [
            RunEvent::RunStarted { tasks },
            RunEvent::Asked { task: 0, attempt: 1 },
            tokens(0),
            tokens(5),
            tokens(7),
            tokens(7),
            tokens(7),
            RunEvent::Asked { task: 9, attempt: 1 },
            RunEvent::Retrying {
                task: 0,
                reason: "HTTP 503".to_owned(),
                delay: Duration::from_millis(1_500),
            },
            RunEvent::Waiting { task: 0, reason: "60 a minute".to_owned(), delay: None },
            RunEvent::FellBack { task: 0, stand_in: reviewer(), reason: "HTTP 503".to_owned() },
            RunEvent::CutShort { reason: "the budget is used up".to_owned() },
            RunEvent::Finished { task: 0, outcome: Box::new(outcome) },
            RunEvent::RunFinished { interrupted: false },
        ];
        insta::assert_snapshot!(lines(&events), @r#"
        {"event":"asking","tasks":1,"bundles":["c1_core"],"reviewers":["opus"]}
        {"event":"asked","bundle":"c1_core","reviewer":"opus","attempt":1}
        {"event":"tokens","under_way":1,"tokens":0}
        {"event":"tokens","under_way":1,"tokens":7}
        {"event":"retrying","bundle":"c1_core","reviewer":"opus","reason":"HTTP 503","delay_ms":1500}
        {"event":"waiting","bundle":"c1_core","reviewer":"opus","reason":"60 a minute"}
        {"event":"fell_back","bundle":"c1_core","reviewer":"opus","stand_in":"opus","reason":"HTTP 503"}
        {"event":"cut_short","reason":"the budget is used up"}
        {"event":"finished","bundle":"c1_core","reviewer":"opus","state":"failed","reason":"no ␛[31m room","attempts":2,"cached":false,"ms":4213,"tokens_in":10,"cost_usd":0.25}
        {"event":"answered","interrupted":false}
        "#);
    }
}
