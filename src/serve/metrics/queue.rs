//! What the queue did, in numbers: [`Numbers`], which dispatcher and HTTP tell and `GET /metrics` reads.
//!
//! Labels are the words of closed enums. How many wait and run is not kept here: that is asked of the store at each look, so
//! it is true after a restart and on every node.

mod register;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use prometheus::{
    Counter, Gauge, Histogram, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec,
    proto::{MetricFamily, MetricType},
};

use self::register::Register;
use super::exposition::family;
use crate::{
    job::{Kind, Priority, Source, State},
    store::jobs::Counts,
};

/// Seconds of waiting for a turn: a few milliseconds where there is room, and up to hours where there is none.
const WAITS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0,
    3600.0,
];
/// Seconds of a step: parsing takes milliseconds, a review by models that reason takes minutes.
const STEPS: &[f64] = &[
    0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 3600.0,
];
/// Seconds until a job that was called off is gone; 0.3 is what is promised.
const CANCELS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 5.0];

/// The word of jobs that were stored, where others stand by how they ended.
const ENQUEUED: &str = "enqueued";

/// Why a job was not taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// As many wait as may.
    Full,
    /// As many of its tenant wait as may.
    TenantFull,
    /// Its tenant brings more than it may.
    TenantLimit,
    /// It is not what this daemon does, or for nobody it does it for.
    NotAllowed,
}

impl Refused {
    const ALL: [Self; 4] = [Self::Full, Self::TenantFull, Self::TenantLimit, Self::NotAllowed];

    fn word(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::TenantFull => "tenant_full",
            Self::TenantLimit => "tenant_limit",
            Self::NotAllowed => "not_allowed",
        }
    }
}

/// A part of a job that takes time of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A change is made into bundles.
    Bundle,
    /// Reviewers are asked.
    Review,
    /// Their replies are read.
    Parse,
    /// Findings are joined and counted.
    Tally,
    /// The report is written.
    Report,
    /// Nothing is done, for as long as was asked for.
    Noop,
}

impl Step {
    /// Each of them.
    pub const ALL: [Self; 6] =
        [Self::Bundle, Self::Review, Self::Parse, Self::Tally, Self::Report, Self::Noop];

    /// As it is written everywhere.
    pub fn word(self) -> &'static str {
        match self {
            Self::Bundle => "bundle",
            Self::Review => "review",
            Self::Parse => "parse",
            Self::Tally => "tally",
            Self::Report => "report",
            Self::Noop => "noop",
        }
    }

    /// The one that is written so.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.word() == word)
    }
}

/// What is used up, so that no new job begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// Processors.
    Cpu,
    /// Memory.
    Memory,
}

impl Held {
    const ALL: [Self; 2] = [Self::Cpu, Self::Memory];

    /// As it is written everywhere.
    pub fn word(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Memory => "memory",
        }
    }
}

/// What of the machine, or of the part of it that this process may use, is taken: shares from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Usage {
    /// Of its processors' time, over the last while.
    pub cpu: f64,
    /// Of its memory.
    pub memory: f64,
}

/// All numbers of the queue since the start of this process.
pub struct Numbers {
    register: Register,
    jobs: IntCounterVec,
    refused: IntCounterVec,
    deduplicated: IntCounter,
    wait: HistogramVec,
    step: HistogramVec,
    cancel: Histogram,
    lost: IntCounter,
    fenced: IntCounter,
    reaped: IntCounterVec,
    workers: IntGauge,
    running: IntGauge,
    held: IntGaugeVec,
    cpu: Gauge,
    memory: Gauge,
    store_failures: IntCounter,
    tokens: IntCounterVec,
    cost: Counter,
}

impl Numbers {
    /// Nothing has happened yet.
    pub fn new() -> Arc<Self> {
        let register = Register::default();
        let numbers = Self {
            jobs: register.counters(
                "jobs_total",
                "Jobs that were stored (enqueued) or came to their end.",
                &["kind", "source", "status"],
            ),
            refused: register.counters("jobs_refused_total", "Jobs that were not taken in.", &["reason"]),
            deduplicated: register
                .counter("jobs_deduplicated_total", "Jobs that were there already, by their dedupe key."),
            wait: register.histograms(
                "queue_wait_seconds",
                "Time from when a job could be taken until a worker took it.",
                &["priority"],
                WAITS,
            ),
            step: register.histograms(
                "job_step_seconds",
                "How long the steps of jobs took.",
                &["step"],
                STEPS,
            ),
            cancel: register.histogram(
                "job_cancel_seconds",
                "Time from when a job was called off until nothing of it ran.",
                CANCELS,
            ),
            lost: register.counter(
                "job_leases_lost_total",
                "Attempts that were stopped because they were this node's no longer.",
            ),
            fenced: register.counter("job_results_fenced_total", "Results that came too late to count."),
            reaped: register.counters(
                "jobs_reaped_total",
                "Jobs taken back from nodes that were not heard of.",
                &["outcome"],
            ),
            workers: register.gauge("workers", "Most jobs that this node runs at a time."),
            running: register.gauge("workers_running", "Jobs that this node runs."),
            held: register.gauges(
                "queue_held",
                "1 while this node begins no job because too much is used up.",
                &["reason"],
            ),
            cpu: register.share("cpu_ratio", "Share of the processors' time that is used, from 0 to 1."),
            memory: register.share("memory_ratio", "Share of the memory that is used, from 0 to 1."),
            store_failures: register
                .counter("queue_store_failures_total", "Requests to the store that failed."),
            tokens: register.counters(
                "jobs_tokens_total",
                "Tokens that jobs used, as providers counted them.",
                &["direction"],
            ),
            cost: register.sum("jobs_cost_usd_total", "US dollars that jobs spent."),
            register,
        };
        numbers.begin_at_zero();
        Arc::new(numbers)
    }

    /// Without this a first event could not be told from a series that has just begun.
    fn begin_at_zero(&self) {
        for reason in Refused::ALL {
            self.refused.with_label_values(&[reason.word()]);
        }
        for step in Step::ALL {
            self.step.with_label_values(&[step.word()]);
        }
        for direction in ["in", "out"] {
            self.tokens.with_label_values(&[direction]);
        }
        self.reaped(0, 0);
        for priority in Priority::ALL {
            self.wait.with_label_values(&[priority.word()]);
        }
        self.held(None);
    }

    /// A job was stored.
    pub fn enqueued(&self, kind: Kind, source: Source) {
        self.jobs.with_label_values(&[kind.word(), source.word(), ENQUEUED]).inc();
        for state in State::ALL.iter().filter(|state| state.is_final()) {
            self.jobs.with_label_values(&[kind.word(), source.word(), state.word()]);
        }
    }

    /// A job was not taken in.
    pub fn refused(&self, reason: Refused) {
        self.refused.with_label_values(&[reason.word()]).inc();
    }

    /// A job that was brought was there already.
    pub fn deduplicated(&self) {
        self.deduplicated.inc();
    }

    /// A worker took a job after such a wait.
    pub fn waited(&self, priority: Priority, wait: Duration) {
        self.wait.with_label_values(&[priority.word()]).observe(wait.as_secs_f64());
    }

    /// A job came to its end, once for each job. Told by whoever ended it, when that is stored.
    pub fn ended(&self, kind: Kind, source: Source, state: State) {
        self.jobs.with_label_values(&[kind.word(), source.word(), state.word()]).inc();
    }

    /// A step of a job took so long.
    pub fn step(&self, step: Step, took: Duration) {
        self.step.with_label_values(&[step.word()]).observe(took.as_secs_f64());
    }

    /// An attempt was stopped because it is this node's no longer, and nobody called it off.
    pub fn lost(&self) {
        self.lost.inc();
    }

    /// A result came too late to count.
    pub fn fenced(&self) {
        self.fenced.inc();
    }

    /// Jobs were taken back from nodes that were not heard of.
    pub fn reaped(&self, requeued: u64, failed: u64) {
        self.reaped.with_label_values(&["requeued"]).inc_by(requeued);
        self.reaped.with_label_values(&["failed"]).inc_by(failed);
    }

    /// So long after a job was called off nothing of it ran.
    pub fn cancelled_in(&self, took: Duration) {
        self.cancel.observe(took.as_secs_f64());
    }

    /// This node runs so many jobs at most.
    pub fn workers(&self, most: u32) {
        self.workers.set(most.into());
    }

    /// A job runs on this node until the guard is dropped.
    pub fn running(self: &Arc<Self>) -> Worker {
        self.running.inc();
        Worker(Arc::clone(self))
    }

    /// Why no new job begins, if none does.
    pub fn held(&self, reason: Option<Held>) {
        for each in Held::ALL {
            self.held.with_label_values(&[each.word()]).set((reason == Some(each)).into());
        }
    }

    /// What is taken of the machine, as it was seen last.
    pub fn usage(&self) -> Usage {
        Usage { cpu: self.cpu.get(), memory: self.memory.get() }
    }

    /// What of the machine is taken.
    pub fn used(&self, usage: Usage) {
        self.cpu.set(usage.cpu);
        self.memory.set(usage.memory);
    }

    /// The store could not be read or written.
    pub fn store_failed(&self) {
        self.store_failures.inc();
    }

    /// A job asked models. Nothing that is not a sum of dollars is added: a counter never goes down.
    pub fn spent(&self, tokens_in: u64, tokens_out: u64, cost_usd: f64) {
        self.tokens.with_label_values(&["in"]).inc_by(tokens_in);
        self.tokens.with_label_values(&["out"]).inc_by(tokens_out);
        if cost_usd.is_finite() && cost_usd > 0.0 {
            self.cost.inc_by(cost_usd);
        }
    }

    pub(super) fn families(&self) -> Vec<MetricFamily> {
        self.register.families()
    }
}

/// A job that runs on this node.
pub struct Worker(Arc<Numbers>);

impl Drop for Worker {
    fn drop(&mut self) {
        self.0.running.dec();
    }
}

/// How many jobs there are at `now`, as the store has just said.
pub(super) fn standing(counts: &Counts, now: Timestamp) -> Vec<MetricFamily> {
    let depth = Priority::ALL.iter().map(|each| ("priority", each.word(), count(&counts.waiting, *each)));
    let states = State::ALL.iter().map(|each| ("state", each.word(), count(&counts.by_state, *each)));
    let age = counts.oldest.map_or(0.0, |since| now.duration_since(since).as_secs_f64().max(0.0));
    vec![
        gauge("queue_depth", "Jobs that wait, on all nodes.", depth),
        gauge("jobs_kept", "Jobs that are kept, on all nodes.", states),
        family(
            MetricType::GAUGE,
            "queue_oldest_seconds",
            "How long the job that came first of those that wait has been there.",
            std::iter::once((vec![], age)),
        ),
    ]
}

fn count<T: Copy + PartialEq>(counts: &[(T, u64)], of: T) -> u64 {
    counts.iter().find(|(each, _)| *each == of).map_or(0, |(_, count)| *count)
}

fn gauge(
    name: &str,
    help: &str,
    series: impl Iterator<Item = (&'static str, &'static str, u64)>,
) -> MetricFamily {
    #[expect(clippy::cast_precision_loss, reason = "the format has doubles only")]
    let series = series.map(|(label, word, count)| (vec![(label, word.to_owned())], count as f64));
    family(MetricType::GAUGE, name, help, series)
}
