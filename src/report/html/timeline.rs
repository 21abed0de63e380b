//! The run in time: [`Timeline`], for each reviewer when it was asked, began to answer and ended.
//!
//! Drawn of what the run wrote down; what was taken from a cache, or has no times, is only counted.

use serde::Serialize;

use crate::{
    coverage::{Outcome, State},
    report::{coverage, foreign, words},
    tally::Tally,
};

/// Units of the view box: the whole width, and what names take of it.
const WIDTH: f64 = 1000.0;
const NAMES: f64 = 150.0;

/// Height of a bar, and from one to the next.
const BAR: f64 = 11.0;
const STEP: f64 = 14.0;

/// Between two reviewers, and above and below all.
const GAP: f64 = 8.0;
const AXIS: f64 = 22.0;

/// Letters of a name that are shown.
const NAME_SHOWN: usize = 20;

/// Who was under way when.
#[derive(Serialize)]
pub(super) struct Timeline {
    width: f64,
    height: f64,
    left: f64,
    bar: f64,
    lanes: Vec<Lane>,
    ticks: Vec<Tick>,
    /// Questions that were answered and have no times.
    untimed: usize,
    cached: usize,
}

#[derive(Serialize)]
struct Lane {
    reviewer: String,
    name: String,
    y: f64,
    height: f64,
    bars: Vec<Bar>,
    told: String,
}

#[derive(Serialize)]
struct Bar {
    x: f64,
    y: f64,
    /// Until the first token; all of it where no first token is known.
    waiting: f64,
    width: f64,
    known: bool,
    state: &'static str,
    requests: u32,
    told: String,
}

#[derive(Serialize)]
struct Tick {
    x: f64,
    label: String,
}

impl Timeline {
    pub(super) fn of(tally: &Tally) -> Self {
        let tasks: Vec<&Outcome> = tally.coverage.iter().map(|task| &task.outcome).collect();
        let timed: Vec<&Outcome> = tasks.iter().copied().filter(|task| is_timed(task)).collect();
        let last = timed.iter().map(|task| end(task)).max().unwrap_or_default().max(1);
        let scale = (WIDTH - NAMES) / figure(last);
        let mut y = AXIS;
        let mut lanes = Vec::new();
        for seat in &tally.panel.reviewers {
            let own: Vec<&Outcome> = timed.iter().copied().filter(|task| task.reviewer == seat.id).collect();
            if own.is_empty() {
                continue;
            }
            let lane = lane(seat.id.as_str(), own, scale, y);
            y += lane.height + GAP;
            lanes.push(lane);
        }
        Self {
            width: WIDTH,
            height: tenths(y),
            left: NAMES,
            bar: BAR,
            lanes,
            ticks: ticks(last, scale),
            untimed: tasks
                .iter()
                .filter(|task| task.attempts > 0 && !task.cached && task.timing.is_none())
                .count(),
            cached: tasks.iter().filter(|task| task.cached).count(),
        }
    }
}

fn is_timed(task: &Outcome) -> bool {
    task.timing.is_some() && task.attempts > 0 && !task.cached
}

fn start(task: &Outcome) -> u64 {
    task.timing.map_or(0, |timing| timing.asked_ms)
}

fn end(task: &Outcome) -> u64 {
    start(task).saturating_add(task.latency_ms)
}

/// One reviewer's questions, each in the first track that is free.
fn lane(reviewer: &str, mut own: Vec<&Outcome>, scale: f64, y: f64) -> Lane {
    own.sort_by_key(|task| (start(task), end(task)));
    let mut tracks: Vec<u64> = Vec::new();
    let mut bars = Vec::new();
    for task in &own {
        let free = tracks.iter().position(|until| *until <= start(task)).unwrap_or(tracks.len());
        if free == tracks.len() {
            tracks.push(0);
        }
        tracks[free] = end(task);
        bars.push(bar(task, scale, tenths(y + figure(free as u64) * STEP)));
    }
    let whole = own.iter().filter(|task| task.state == State::Answered).count();
    let last = own.iter().map(|task| end(task)).max().unwrap_or_default();
    let reviewer = foreign::one_line(reviewer);
    let told = format!(
        "{whole} of {} answered, the last after {}",
        words::count(own.len(), "question"),
        words::duration(last)
    );
    let name = words::shortened(&reviewer, NAME_SHOWN);
    Lane { reviewer, name, y, height: figure(tracks.len() as u64) * STEP, bars, told }
}

fn bar(task: &Outcome, scale: f64, y: f64) -> Bar {
    let first = task.timing.and_then(|timing| timing.first_token_ms);
    let waited = first.map(|first| first.saturating_sub(start(task)).min(task.latency_ms));
    let first = waited.map(|waited| format!(", first token {} later", words::duration(waited)));
    let requests = (task.attempts > 1).then(|| format!(", {} requests", task.attempts));
    let told = format!(
        "{}: {}, asked after {}{}, ended after {}{}",
        words::bundle_name(&task.bundle),
        coverage::state_word(task.state),
        words::duration(start(task)),
        first.unwrap_or_default(),
        words::duration(end(task)),
        requests.unwrap_or_default()
    );
    Bar {
        x: tenths(NAMES + figure(start(task)) * scale),
        y,
        waiting: tenths(figure(waited.unwrap_or(task.latency_ms)) * scale),
        width: tenths((figure(task.latency_ms) * scale).max(2.0)),
        known: waited.is_some(),
        state: task.state.word(),
        requests: task.attempts,
        told,
    }
}

/// A mark at every round number of seconds or minutes, at most ten.
fn ticks(last: u64, scale: f64) -> Vec<Tick> {
    const STEPS: [u64; 16] = [
        10, 50, 100, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000,
        3_600_000, 21_600_000,
    ];
    let step = STEPS.into_iter().find(|step| last / step <= 8).unwrap_or(last.div_ceil(8).max(1));
    let tick = |at: u64| Tick { x: tenths(NAMES + figure(at) * scale), label: words::duration(at) };
    (0..=last / step).map(|number| tick(number * step)).collect()
}

fn tenths(figure: f64) -> f64 {
    (figure * 10.0).round() / 10.0
}

fn figure(count: u64) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
}
