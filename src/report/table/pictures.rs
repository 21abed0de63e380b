//! Two pictures for those who would rather look: who answered what, and how much each reviewer did.
//!
//! Neither is drawn where there is nothing to see in it: everybody answered everything, or all did the same. What they show is told
//! in words elsewhere, so they are left out where a terminal is too narrow.

use std::{
    collections::{BTreeSet, HashMap},
    fmt::Write as _,
};

use super::Screen;
use crate::{
    coverage::State,
    report::{
        bars::bar,
        coverage,
        layout::{self, GAP},
        summary, words,
    },
    reviewer::ReviewerId,
    tally::Coverage,
};

/// Shorter bars are not worth a look.
const SHORTEST_BAR: usize = 4;
/// Longer ones only make the eye travel.
const LONGEST_BAR: usize = 20;
/// Of fewer bundles a sentence says as much.
const FEWEST_BUNDLES: usize = 3;
/// Numbers over a grid of more than nine bundles stand this many columns apart.
const STEP: usize = 5;

/// One reviewer's row of the grid.
struct Row<'a> {
    reviewer: &'a ReviewerId,
    /// In the order of the bundles.
    cells: Vec<State>,
}

impl Screen<'_> {
    /// Reviewers by bundles, where one of them answered some and not others: what all answered, or one of them not at all, a sentence
    /// tells as well.
    pub(super) fn grid(&self) -> String {
        let rows = self.rows();
        let is_mixed = |row: &Row<'_>| row.cells.iter().any(|state| *state != row.cells[0]);
        if rows.len() < 2 || rows[0].cells.len() < FEWEST_BUNDLES || !rows.iter().any(is_mixed) {
            return String::new();
        }
        let names = self.widest_name(rows.iter().map(|row| row.reviewer));
        // A number over the last column may be longer than that.
        let room = self.width - names - GAP - 3;
        let room = room - room % STEP;
        let bundles = rows[0].cells.len();
        let states: BTreeSet<State> = rows.iter().flat_map(|row| &row.cells).copied().collect();
        let mut out = self.legend(&states);
        for from in (0..bundles).step_by(room) {
            let part = from..bundles.min(from + room);
            let is_whole =
                |row: &Row<'_>| row.cells[part.clone()].iter().all(|state| *state == State::Answered);
            if rows.iter().all(is_whole) {
                continue;
            }
            let numbers =
                if bundles < 10 { "123456789"[..bundles].to_owned() } else { numbers(part.start, part.end) };
            let _ = writeln!(out, "{:names$}  {}", "", self.ink.faint(&numbers));
            for Row { reviewer, cells } in &rows {
                let cells: String = cells[part.clone()].iter().map(|state| self.cell(*state)).collect();
                let _ = writeln!(out, "{:<names$}  {cells}", words::shortened(reviewer.as_str(), names));
            }
        }
        out
    }

    fn rows(&self) -> Vec<Row<'_>> {
        let tasks = self.tally.coverage.iter().map(|Coverage { outcome, .. }| outcome);
        let states: HashMap<(&str, &ReviewerId), State> =
            tasks.map(|outcome| ((outcome.bundle.as_str(), &outcome.reviewer), outcome.state)).collect();
        let bundles = summary::bundle_heads(self.tally);
        let row = |reviewer| {
            let state = |(bundle, _): &(&str, String)| states.get(&(*bundle, reviewer)).copied();
            let cells = bundles.iter().map(|bundle| state(bundle).unwrap_or(State::NotRouted)).collect();
            Row { reviewer, cells }
        };
        let seats = self.tally.panel.reviewers.iter().map(|seat| row(&seat.id));
        seats.filter(|row| !row.cells.is_empty()).collect()
    }

    fn legend(&self, states: &BTreeSet<State>) -> String {
        let told = states.iter().map(|state| format!("{} {}", mark(*state), coverage::state_word(*state)));
        let told = told.collect::<Vec<_>>().join(", ").replace(' ', "\u{a0}").replace(",\u{a0}", ", ");
        let line = format!("Who answered, a column a bundle: {told}");
        layout::wrap_hanging(&line, self.width, "", "  ").join("\n").replace('\u{a0}', " ") + "\n"
    }

    fn cell(&self, state: State) -> String {
        let mark = mark(state).to_string();
        match state {
            State::Answered => mark,
            State::NotRouted => self.ink.faint(&mark),
            State::Incomplete | State::Failed | State::TimedOut | State::Empty | State::Skipped => {
                self.ink.alarm(&mark)
            }
        }
    }

    /// What each model did, as bars, where at least two of the figures differ between them.
    pub(super) fn engagement(&self) -> String {
        let workers: Vec<(&ReviewerId, [u64; 3])> = self.workers();
        let mut columns: Vec<Column> = COLUMNS
            .iter()
            .enumerate()
            .filter_map(|(at, figure)| {
                Column::of(figure, workers.iter().map(|(_, figures)| figures[at]).collect())
            })
            .collect();
        if columns.len() < 2 {
            return String::new();
        }
        let names = self.widest_name(workers.iter().map(|(reviewer, _)| *reviewer));
        let room = self.width - names;
        while columns.last().is_some() && longest_bar(&columns, room) < SHORTEST_BAR {
            columns.pop();
        }
        if columns.is_empty() {
            return String::new();
        }
        let longest = longest_bar(&columns, room).min(LONGEST_BAR);
        let rows = workers.iter().enumerate().map(|(at, (reviewer, _))| {
            let name = words::shortened(reviewer.as_str(), names);
            std::iter::once(name).chain(columns.iter().map(|column| column.cell(at, longest))).collect()
        });
        let heading: Vec<&str> =
            std::iter::once("reviewer").chain(columns.iter().map(|column| column.figure.heading)).collect();
        layout::columns(&heading, rows.collect(), self.ink)
    }

    /// Models that were asked, in the order of the panel, with their figures in the order of [`COLUMNS`].
    fn workers(&self) -> Vec<(&ReviewerId, [u64; 3])> {
        let seats = self.tally.panel.reviewers.iter().filter(|seat| !seat.is_free());
        let figures = seats.map(|seat| {
            let own = self.tally.coverage.iter().filter(|task| task.outcome.reviewer == seat.id);
            let sum = |of: fn(&Coverage) -> u64| own.clone().map(of).fold(0, u64::saturating_add);
            let asked = own.clone().any(|task| task.outcome.attempts > 0);
            (
                asked,
                &seat.id,
                [
                    sum(|task| task.findings as u64),
                    sum(|task| task.outcome.tokens_out.unwrap_or_default()),
                    sum(|task| task.outcome.latency_ms),
                ],
            )
        });
        figures.filter(|(asked, ..)| *asked).map(|(_, reviewer, figures)| (reviewer, figures)).collect()
    }

    /// Columns for names; they take a third at most.
    fn widest_name<'b>(&self, names: impl Iterator<Item = &'b ReviewerId>) -> usize {
        let widest = names.map(|name| layout::width_of(name.as_str())).max().unwrap_or(0);
        widest.clamp("reviewer".len(), self.width / 3)
    }
}

/// A figure that is drawn.
struct Figure {
    heading: &'static str,
    words: fn(u64) -> String,
    /// Under it, the largest is no more than noise.
    least: u64,
}

/// In the order in which they give way where there is no room, the last first.
const COLUMNS: [Figure; 3] = [
    Figure { heading: "findings", words: words::grouped, least: 1 },
    Figure { heading: "tokens out", words: words::grouped, least: 1 },
    Figure { heading: "time", words: words::duration, least: 1_000 },
];

struct Column {
    figure: &'static Figure,
    values: Vec<u64>,
    most: u64,
    /// Columns that the widest number takes.
    number: usize,
}

impl Column {
    /// `None` where all `values` are the same, or too small to differ.
    fn of(figure: &'static Figure, values: Vec<u64>) -> Option<Self> {
        let most = values.iter().copied().max().filter(|most| *most >= figure.least)?;
        let number = values.iter().map(|value| layout::width_of(&(figure.words)(*value))).max()?;
        values.iter().any(|value| *value != most).then_some(Self { figure, values, most, number })
    }

    fn cell(&self, at: usize, longest: usize) -> String {
        let (value, number) = (self.values[at], self.number);
        format!("{:>number$} {}", (self.figure.words)(value), bar(value, self.most, longest))
    }
}

/// How long bars can be where all `columns` stand in `room`.
fn longest_bar(columns: &[Column], room: usize) -> usize {
    // A heading may be wider than the number and the shortest bar.
    let number = |column: &Column| (column.number + 1).max(column.figure.heading.len() - SHORTEST_BAR);
    let taken: usize = columns.iter().map(|column| GAP + number(column)).sum();
    room.saturating_sub(taken) / columns.len().max(1)
}

/// `1   5    10   15`: the numbers of the columns from `from` to before `to`, which count from 0; a multiple of [`STEP`] and the first.
fn numbers(from: usize, to: usize) -> String {
    let named = (from..to).filter(|at| *at == from || (at + 1) % STEP == 0);
    named.fold(String::new(), |line, at| format!("{line:<width$}{}", at + 1, width = at - from))
}

/// One character for each state; letters and signs where something is missing, so that they tell themselves apart without colour.
fn mark(state: State) -> char {
    match state {
        State::Answered => '█',
        State::Incomplete => '▌',
        State::Failed => 'x',
        State::TimedOut => 't',
        State::Empty => 'o',
        State::Skipped => '-',
        State::NotRouted => '·',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_over_their_columns() {
        let check = |from, to, expect: &str| assert_eq!(numbers(from, to), expect);
        check(0, 1, "1");
        check(0, 12, "1   5    10");
        check(50, 61, "51  55   60");
        check(95, 106, "96  100  105");
    }
}
