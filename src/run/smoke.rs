//! Runs a smoke chain: [`execute`] begins what the [`Board`] lets begin, and stops every service in the end.
//!
//! It never prints: who wants to show something listens to [`SmokeEvent`]. What is done in a check or to start a service is
//! told to it as [`Hands`]; [`hands()`] gives those that really do it.

mod hands;

use std::{fmt::Display, time::Duration};

use futures_util::{
    FutureExt, StreamExt,
    future::{BoxFuture, join_all},
    stream::FuturesUnordered,
};
use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

use crate::gauntlet::{
    program::Service,
    smoke::{
        Chain, Check, CheckResult, Checked, Seen, Served, ServiceResult, Smoke,
        board::{Board, Step},
        files::file_names,
        judge::judge,
        log,
    },
};

pub use hands::hands;

/// How often listeners hear that time goes by.
const TICK: Duration = Duration::from_millis(200);
/// Events that may lie unread beside those that matter.
const SPARE: usize = 16;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SmokeEvent {
    /// The first event; how many checks there are.
    Begun {
        /// Checks in all.
        checks: usize,
    },
    /// A service is being started.
    Starting {
        /// Its name.
        service: String,
    },
    /// A service is ready, or never will be.
    Started {
        /// Its name.
        service: String,
        /// Why it is not ready.
        trouble: Option<String>,
        /// How long that took.
        took: Duration,
    },
    /// A check is being made.
    Checking {
        /// Its name.
        check: String,
    },
    /// A check is over.
    Checked(Checked),
    /// What is under way, with how long it has been; told several times a second.
    Ticked {
        /// Names of checks and services.
        under_way: Vec<(String, Duration)>,
    },
    /// Services are being stopped.
    Stopping,
}

/// The executor's end of the channel.
#[derive(Debug)]
pub struct SmokeSender(mpsc::Sender<SmokeEvent>);

/// A channel with room for every event of `chain` that matters.
pub fn channel(chain: &Chain) -> (SmokeSender, mpsc::Receiver<SmokeEvent>) {
    let (sender, receiver) = mpsc::channel(2 * (chain.checks.len() + chain.services.len()) + 2 + SPARE);
    (SmokeSender(sender), receiver)
}

impl SmokeSender {
    fn tell(&self, event: SmokeEvent) {
        // It fails only when nobody listens any more: there is room by construction.
        let _ = self.0.try_send(event);
    }

    fn tick(&self, under_way: impl FnOnce() -> Vec<(String, Duration)>) {
        if self.0.capacity() > self.0.max_capacity() - SPARE {
            self.tell(SmokeEvent::Ticked { under_way: under_way() });
        }
    }
}

/// What a service left that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// All it printed.
    pub output: String,
    /// How it ended, where it had before it was asked to.
    pub died: Option<String>,
}

/// A service that was ready, or why it is not there.
pub type StartedService<'a> = Result<Box<dyn Held<'a> + 'a>, Absent>;

/// A service that could not be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absent {
    /// Why.
    pub reason: String,
    /// All it printed.
    pub output: String,
}

/// A service that was ready.
pub trait Held<'a>: Send {
    /// How it ended, where it has.
    fn has_died(&mut self) -> Option<String>;
    /// Stops it.
    fn stop(self: Box<Self>) -> BoxFuture<'a, Left>;
}

/// What does things. Each is told by the chain that it was handed to.
pub struct Hands<'a> {
    /// Makes a check.
    pub check: Box<dyn Fn(&'a Check) -> BoxFuture<'a, Seen> + Send + Sync + 'a>,
    /// Starts a service.
    pub start: Box<dyn Fn(&'a Service) -> BoxFuture<'a, StartedService<'a>> + Send + Sync + 'a>,
}

/// What came of a step.
enum Came<'a> {
    Started(usize, StartedService<'a>),
    Checked(usize, Seen),
}

/// Runs `chain`, which began at `started_at`, until it is over or `end` is cancelled.
///
/// `keep` is called with the file name and the text of every output; it tells where that is from the folder of the run.
pub async fn execute<'a, E: Display>(
    chain: &'a Chain,
    hands: &Hands<'a>,
    events: SmokeSender,
    end: &CancellationToken,
    started_at: String,
    keep: impl Fn(&str, &str) -> Result<String, E>,
) -> Result<Smoke, E> {
    let began = Instant::now();
    let mut execution = Execution::new(chain, hands, events);
    let mut ticker = interval(TICK);
    ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
    execution.events.tell(SmokeEvent::Begun { checks: chain.checks.len() });
    let mut is_interrupted = false;
    loop {
        execution.begin();
        tokio::select! {
            biased;
            () = end.cancelled(), if !is_interrupted => {
                is_interrupted = true;
                execution.board.end("interrupted".to_owned());
            }
            came = execution.steps.next() => match came {
                Some((came, took)) => execution.take(came, took, &keep)?,
                None => break,
            },
            _ = ticker.tick() => execution.tick(),
        }
    }
    let (checks, services) = execution.finish(&keep).await?;
    Ok(Smoke { started_at, took: began.elapsed(), checks, services, interrupted: is_interrupted })
}

struct Execution<'a, 'h> {
    chain: &'a Chain,
    hands: &'h Hands<'a>,
    events: SmokeSender,
    board: Board<'a>,
    steps: FuturesUnordered<BoxFuture<'a, (Came<'a>, Duration)>>,
    under_way: Vec<(Step, Instant)>,
    checked: Vec<Option<Checked>>,
    served: Vec<Option<Served>>,
    running: Vec<(usize, Box<dyn Held<'a> + 'a>)>,
    /// File names of the services, then of the checks.
    files: Vec<String>,
}

impl<'a, 'h> Execution<'a, 'h> {
    fn new(chain: &'a Chain, hands: &'h Hands<'a>, events: SmokeSender) -> Self {
        let services = chain.services.iter().map(|service| service.name.as_str());
        let names = services.chain(chain.checks.iter().map(|check| check.name.as_str()));
        Self {
            chain,
            hands,
            events,
            board: Board::new(chain),
            steps: FuturesUnordered::new(),
            under_way: Vec::new(),
            checked: vec![None; chain.checks.len()],
            served: vec![None; chain.services.len()],
            running: Vec::new(),
            files: file_names(names),
        }
    }

    fn begin(&mut self) {
        for (at, held) in &mut self.running {
            if held.has_died().is_some() {
                self.board.died(*at);
            }
        }
        while let Some(step) = self.board.begin() {
            let (chain, hands, began) = (self.chain, self.hands, Instant::now());
            self.under_way.push((step, began));
            let came = match step {
                Step::Start(at) => {
                    let service = &chain.services[at];
                    self.events.tell(SmokeEvent::Starting { service: service.name.clone() });
                    (hands.start)(service).map(move |started| Came::Started(at, started)).boxed()
                }
                Step::Check(at) => {
                    let check = &chain.checks[at];
                    self.events.tell(SmokeEvent::Checking { check: check.name.clone() });
                    (hands.check)(check).map(move |seen| Came::Checked(at, seen)).boxed()
                }
            };
            self.steps.push(came.map(move |came| (came, began.elapsed())).boxed());
        }
    }

    fn take<E>(
        &mut self,
        came: Came<'a>,
        took: Duration,
        keep: &impl Fn(&str, &str) -> Result<String, E>,
    ) -> Result<(), E> {
        match came {
            Came::Checked(at, seen) => {
                self.under_way.retain(|(step, _)| *step != Step::Check(at));
                let check = &self.chain.checks[at];
                let result = self.beside_services(at, judge(check, &seen));
                let file = &self.files[self.chain.services.len() + at];
                let output = Some(keep(file, &log::of_check(check, &seen))?);
                let checked =
                    Checked { name: check.name.clone(), layer: check.layer.clone(), result, took, output };
                self.board.over(at, checked.result.clone());
                self.events.tell(SmokeEvent::Checked(checked.clone()));
                self.checked[at] = Some(checked);
            }
            Came::Started(at, started) => {
                self.under_way.retain(|(step, _)| *step != Step::Start(at));
                self.board.started(at, started.is_ok());
                let trouble = started.as_ref().err().map(|absent| absent.reason.clone());
                let name = &self.chain.services[at].name;
                self.events.tell(SmokeEvent::Started { service: name.clone(), trouble, took });
                let served = |result, output| Served { name: name.clone(), result, took, output };
                self.served[at] = Some(match started {
                    Ok(held) => {
                        self.running.push((at, held));
                        served(ServiceResult::Stopped, None)
                    }
                    Err(Absent { reason, output }) => {
                        let file = self.keep_service(at, &output, keep)?;
                        served(ServiceResult::NotReady(reason), Some(file))
                    }
                });
            }
        }
        Ok(())
    }

    /// What a check comes to: one whose service is dead by now was not made of what it was to be made of.
    fn beside_services(&mut self, check: usize, result: CheckResult) -> CheckResult {
        let (needed, services) = (self.board.services_of(check), &self.chain.services);
        let mut needed = self.running.iter_mut().filter(|(service, _)| needed.contains(service));
        let died = needed.find_map(|(at, held)| {
            Some(format!("service {} died: {}", services[*at].name, held.has_died()?))
        });
        match (result, died) {
            (CheckResult::Passed, Some(died)) => CheckResult::Failed(died),
            (CheckResult::Failed(reason), Some(died)) => CheckResult::Failed(format!("{reason}; {died}")),
            (result @ CheckResult::Skipped(_), _) | (result, None) => result,
        }
    }

    fn keep_service<E>(
        &self,
        at: usize,
        output: &str,
        keep: &impl Fn(&str, &str) -> Result<String, E>,
    ) -> Result<String, E> {
        keep(&self.files[at], &log::of_service(&self.chain.services[at].program.argv, output))
    }

    fn tick(&self) {
        let name = |step: &Step| match *step {
            Step::Start(at) => self.chain.services[at].name.clone(),
            Step::Check(at) => self.chain.checks[at].name.clone(),
        };
        self.events
            .tick(|| self.under_way.iter().map(|(step, began)| (name(step), began.elapsed())).collect());
    }

    /// Stops every service, and gathers what came of all.
    async fn finish<E>(
        mut self,
        keep: &impl Fn(&str, &str) -> Result<String, E>,
    ) -> Result<(Vec<Checked>, Vec<Served>), E> {
        if !self.running.is_empty() {
            self.events.tell(SmokeEvent::Stopping);
        }
        let stopping = std::mem::take(&mut self.running);
        let stopped =
            join_all(stopping.into_iter().map(|(at, held)| held.stop().map(move |left| (at, left)))).await;
        for (at, left) in stopped {
            let file = self.keep_service(at, &left.output, keep)?;
            if let Some(served) = &mut self.served[at] {
                served.output = Some(file);
                if let Some(how) = left.died {
                    served.result = ServiceResult::Died(how);
                }
            }
        }
        let results = self.board.results().into_iter().zip(&self.chain.checks);
        let checks = results
            .zip(self.checked)
            .map(|((result, check), checked)| checked.unwrap_or_else(|| not_done(check, result)));
        Ok((checks.collect(), self.served.into_iter().flatten().collect()))
    }
}

fn not_done(check: &Check, result: CheckResult) -> Checked {
    Checked {
        name: check.name.clone(),
        layer: check.layer.clone(),
        result,
        took: Duration::ZERO,
        output: None,
    }
}

#[cfg(test)]
mod tests;
