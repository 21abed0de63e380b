//! How far a run is, as far as its job tells: [`Progress`] is made of its events, one after the other.
//!
//! What was found is not among them: that is known when all have answered.

use std::collections::BTreeMap;

use jiff::Timestamp;
use minijinja::{Value, context, value::Serde};
use serde::{Deserialize, Serialize};

use crate::store::jobs::Event;

/// Most remarks and checks that are kept, the latest.
const LATEST: usize = 30;
/// Most cells: a grid that is larger is counted only.
const CELLS: usize = 4_096;

/// What is known so far.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Progress {
    /// Number of the last event.
    pub(super) last: u64,
    attempt: u32,
    bundles: Vec<String>,
    reviewers: Vec<String>,
    /// By bundle and reviewer.
    cells: BTreeMap<(usize, usize), Cell>,
    /// How many pairs there are.
    tasks: usize,
    ended: usize,
    tokens: u64,
    cost_usd: f64,
    step: Option<String>,
    pub(super) run: Option<String>,
    remarks: Vec<Remark>,
    checks: Vec<Check>,
    cases: Option<Cases>,
}

/// A bundle and a reviewer.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(super) struct Cell {
    /// `waiting`, `asked`, `retrying`, or what became of it.
    state: String,
    reason: Option<String>,
    /// Since when, or how long it took, in milliseconds.
    ms: Option<u64>,
    since: Option<Timestamp>,
    cached: bool,
}

/// Something for people.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Remark {
    at: Timestamp,
    tone: &'static str,
    text: String,
}

/// A check of a chain.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Check {
    name: String,
    result: String,
    reason: Option<String>,
    ms: u64,
}

/// Cases of a comparison.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Cases {
    name: String,
    done: usize,
    total: usize,
}

/// What is read of an event. What is not known is nothing to us.
#[derive(Debug, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Line {
    Run {
        run: String,
    },
    Step {
        step: String,
    },
    Asking {
        tasks: usize,
        #[serde(default)]
        bundles: Vec<String>,
        #[serde(default)]
        reviewers: Vec<String>,
    },
    Asked {
        bundle: String,
        reviewer: String,
    },
    Retrying {
        bundle: String,
        reviewer: String,
        reason: String,
    },
    Waiting {
        bundle: String,
        reviewer: String,
        reason: String,
    },
    FellBack {
        bundle: String,
        reviewer: String,
        stand_in: String,
        reason: String,
    },
    Finished {
        bundle: String,
        reviewer: String,
        state: String,
        reason: Option<String>,
        cached: bool,
        ms: u64,
        tokens_in: Option<u64>,
        tokens_out: Option<u64>,
        cost_usd: Option<f64>,
    },
    CutShort {
        reason: String,
    },
    Check {
        name: String,
        result: String,
        reason: Option<String>,
        ms: u64,
    },
    Cases {
        name: String,
        done: usize,
        total: usize,
    },
    Warning {
        text: String,
    },
    Error {
        text: String,
    },
    #[serde(other)]
    Other,
}

/// A row of the grid.
#[derive(Debug, Serialize)]
pub(super) struct Row<'a> {
    bundle: &'a str,
    cells: Vec<Cell>,
}

impl Progress {
    /// Takes an event in. A new attempt begins anew, but for answers, which are kept for it.
    pub(super) fn see(&mut self, event: &Event) {
        self.last = event.seq;
        if event.attempt != self.attempt {
            let attempt = event.attempt;
            *self = Self { last: self.last, attempt, run: self.run.take(), ..Self::default() };
        }
        let at = event.at;
        match serde_json::from_str(&event.data).unwrap_or(Line::Other) {
            Line::Run { run } => self.run = Some(run),
            Line::Step { step } => self.step = Some(step),
            Line::Asking { tasks, bundles, reviewers } => self.asking(tasks, &bundles, &reviewers),
            Line::Asked { bundle, reviewer } => {
                self.put(
                    &bundle,
                    &reviewer,
                    Cell { state: "asked".to_owned(), since: Some(at), ..Cell::default() },
                );
            }
            Line::Retrying { bundle, reviewer, reason } => {
                self.held(&bundle, &reviewer, "retrying", reason, at);
            }
            Line::Waiting { bundle, reviewer, reason } => {
                self.held(&bundle, &reviewer, "waiting", reason, at);
            }
            Line::FellBack { bundle, reviewer, stand_in, reason } => {
                self.remark(
                    "plain",
                    format!("{stand_in} is asked about {bundle} in place of {reviewer}: {reason}"),
                    at,
                );
            }
            Line::Finished {
                bundle,
                reviewer,
                state,
                reason,
                cached,
                ms,
                tokens_in,
                tokens_out,
                cost_usd,
            } => {
                self.ended += 1;
                self.tokens += tokens_in.unwrap_or_default() + tokens_out.unwrap_or_default();
                self.cost_usd += cost_usd.unwrap_or_default();
                self.put(&bundle, &reviewer, Cell { state, reason, ms: Some(ms), since: None, cached });
            }
            Line::CutShort { reason } => {
                self.remark("warning", format!("Nothing more is asked: {reason}"), at);
            }
            Line::Check { name, result, reason, ms } => {
                latest(&mut self.checks, Check { name, result, reason, ms });
            }
            Line::Cases { name, done, total } => self.cases = Some(Cases { name, done, total }),
            Line::Warning { text } => self.remark("warning", text, at),
            Line::Error { text } => self.remark("error", text, at),
            Line::Other => {}
        }
    }

    fn asking(&mut self, tasks: usize, bundles: &[String], reviewers: &[String]) {
        self.tasks += tasks;
        let is_all = tasks == bundles.len() * reviewers.len();
        for bundle in bundles {
            for reviewer in reviewers {
                let state = if is_all { "waiting" } else { "open" };
                self.put(bundle, reviewer, Cell { state: state.to_owned(), ..Cell::default() });
            }
        }
    }

    fn held(&mut self, bundle: &str, reviewer: &str, state: &str, reason: String, at: Timestamp) {
        let cell = Cell { state: state.to_owned(), reason: Some(reason), since: Some(at), ..Cell::default() };
        self.put(bundle, reviewer, cell);
    }

    fn put(&mut self, bundle: &str, reviewer: &str, cell: Cell) {
        let place = (position(&mut self.bundles, bundle), position(&mut self.reviewers, reviewer));
        if self.cells.len() < CELLS || self.cells.contains_key(&place) {
            self.cells.insert(place, cell);
        }
    }

    fn remark(&mut self, tone: &'static str, text: String, at: Timestamp) {
        latest(&mut self.remarks, Remark { at, tone, text });
    }

    /// How many of how many have answered, or cases are done.
    pub(super) fn counted(&self) -> Option<(usize, usize)> {
        let of_cases = || self.cases.as_ref().map(|cases| (cases.done, cases.total));
        (self.tasks > 0).then_some((self.ended.min(self.tasks), self.tasks)).or_else(of_cases)
    }

    /// For a template.
    pub(super) fn value(&self) -> Value {
        let rows: Vec<Row<'_>> =
            self.bundles.iter().enumerate().map(|(at, bundle)| self.row(at, bundle)).collect();
        context! {
            attempt => self.attempt,
            reviewers => Serde(&self.reviewers),
            rows => Serde(&rows),
            counted => self.counted(),
            tokens => self.tokens,
            cost_usd => (self.cost_usd > 0.0).then_some(self.cost_usd),
            step => self.step.clone(),
            remarks => Serde(&self.remarks),
            checks => Serde(&self.checks),
            cases => Serde(&self.cases),
        }
    }

    fn row<'a>(&self, at: usize, bundle: &'a str) -> Row<'a> {
        let open = || Cell { state: "open".to_owned(), ..Cell::default() };
        let cells =
            (0..self.reviewers.len()).map(|one| self.cells.get(&(at, one)).cloned().unwrap_or_else(open));
        Row { bundle, cells: cells.collect() }
    }
}

fn position(names: &mut Vec<String>, name: &str) -> usize {
    names.iter().position(|known| known == name).unwrap_or_else(|| {
        names.push(name.to_owned());
        names.len() - 1
    })
}

fn latest<T>(all: &mut Vec<T>, one: T) {
    if all.len() == LATEST {
        all.remove(0);
    }
    all.push(one);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The grid after `lines` of one attempt, a row a line.
    fn grid(lines: &[&str]) -> Vec<String> {
        let mut progress = Progress::default();
        for (seq, data) in (1..).zip(lines) {
            let event = Event { seq, attempt: 1, at: Timestamp::UNIX_EPOCH, data: (*data).to_owned() };
            progress.see(&event);
        }
        let rows = progress.bundles.iter().enumerate().map(|(at, bundle)| {
            let cells: Vec<String> =
                progress.row(at, bundle).cells.into_iter().map(|cell| cell.state).collect();
            format!("{bundle}: {}", cells.join(" "))
        });
        rows.chain([format!("{:?}", progress.counted())]).collect()
    }

    #[test]
    fn cells_fill_as_answers_come_in() {
        let asking = r#"{"event":"asking","tasks":4,"bundles":["c1","c2"],"reviewers":["opus","kimi"]}"#;
        let asked = r#"{"event":"asked","bundle":"c1","reviewer":"kimi","attempt":1}"#;
        let finished = r#"{"event":"finished","bundle":"c1","reviewer":"opus","state":"answered","attempts":1,"cached":false,"ms":3}"#;
        assert_eq!(grid(&[asking]), ["c1: waiting waiting", "c2: waiting waiting", "Some((0, 4))"]);
        let all = [asking, asked, finished, r#"{"event":"new","x":1}"#, "no json"];
        assert_eq!(grid(&all), ["c1: answered asked", "c2: waiting waiting", "Some((1, 4))"]);
        // Nobody said who is asked about what.
        let tasks = r#"{"event":"asking","tasks":3}"#;
        assert_eq!(grid(&[tasks, asked]), ["c1: asked", "Some((0, 3))"]);
        let routed = r#"{"event":"asking","tasks":3,"bundles":["c1","c2"],"reviewers":["opus","kimi"]}"#;
        assert_eq!(grid(&[routed, finished]), ["c1: answered open", "c2: open open", "Some((1, 3))"]);
        assert_eq!(grid(&[]), ["None"]);
    }

    #[test]
    fn a_new_attempt_begins_anew() {
        let mut progress = Progress::default();
        let told = |seq, attempt, data: &str| Event {
            seq,
            attempt,
            at: Timestamp::UNIX_EPOCH,
            data: data.to_owned(),
        };
        progress.see(&told(1, 1, r#"{"event":"run","run":"r1"}"#));
        progress.see(&told(2, 1, r#"{"event":"asking","tasks":3}"#));
        progress.see(&told(3, 2, r#"{"event":"asking","tasks":2}"#));
        assert_eq!(
            (progress.counted(), progress.run.as_deref(), progress.last),
            (Some((0, 2)), Some("r1"), 3)
        );
    }
}
