//! Pictures of figures over time: where bars and points stand. Templates draw them as SVG, coloured by the page's style.

use serde::Serialize;

use super::index::Entry;
use crate::{
    proportion::Proportion,
    store::chronicle::CameTo,
    tally::worth::{Figures, Worth},
};

/// Most runs in a chart.
const RUNS: usize = 60;
/// Width and height of what is drawn, in the picture's own units.
const WIDTH: f64 = 440.0;
const HEIGHT: f64 = 96.0;

/// How a repository did, run by run, the oldest first.
#[derive(Debug, Serialize)]
pub(super) struct Trend {
    width: f64,
    height: f64,
    most: u64,
    bars: Vec<Bar>,
    /// Share of issues that several lineages saw, as points of a line.
    agreement: Vec<Point>,
    /// Share of questions that were answered.
    heard: Vec<Point>,
}

/// The issues of a run or a month, one kind upon the other.
#[derive(Debug, Serialize)]
pub(super) struct Bar {
    x: f64,
    width: f64,
    label: String,
    parts: Vec<Part>,
}

#[derive(Debug, Serialize)]
struct Part {
    kind: &'static str,
    count: u64,
    y: f64,
    height: f64,
}

#[derive(Debug, Serialize)]
struct Point {
    x: f64,
    y: f64,
    label: String,
    percent: u64,
}

/// The latest runs of those given, which come newest first. `None`: fewer than two came to anything.
pub(super) fn trend<'a>(newest: impl Iterator<Item = &'a Entry>) -> Option<Trend> {
    let mut runs: Vec<(&Entry, &CameTo)> =
        newest.filter_map(|entry| Some((entry, entry.came_to()?))).take(RUNS).collect();
    if runs.len() < 2 {
        return None;
    }
    runs.reverse();
    let most = runs.iter().map(|(_, came_to)| came_to.totals.distinct).max().unwrap_or(0).max(1);
    let places = places(runs.len());
    let bar = |((x, width), (entry, came_to)): (&(f64, f64), &(&Entry, &CameTo))| {
        let by = came_to.totals.by_severity;
        let counts = [("block", by.block), ("warn", by.warn), ("info", by.info)];
        let label = format!("{} {}", entry.at().strftime("%Y-%m-%d"), entry.range());
        bar((*x, *width), label, &counts, most)
    };
    let line = |share: fn(&CameTo) -> Option<Proportion>| {
        let point = |((x, width), (entry, came_to)): (&(f64, f64), &(&Entry, &CameTo))| {
            let share = share(came_to)?.share()?;
            let label = entry.at().strftime("%Y-%m-%d").to_string();
            Some(Point {
                x: rounded(x + width / 2.0),
                y: rounded(HEIGHT * (1.0 - share)),
                label,
                percent: percent(share),
            })
        };
        places.iter().zip(&runs).filter_map(point).collect()
    };
    Some(Trend {
        width: WIDTH,
        height: HEIGHT,
        most,
        bars: places.iter().zip(&runs).map(bar).collect(),
        agreement: line(|one| Some(proportion(one.totals.convergent, one.totals.distinct))),
        heard: line(|one| one.heard.map(|(answered, asked)| proportion(answered, asked))),
    })
}

/// A lineage's issues, month by month.
#[derive(Debug, Serialize)]
pub(super) struct Months {
    width: f64,
    height: f64,
    most: u64,
    bars: Vec<Bar>,
    first: String,
    last: String,
}

/// What of a lineage's issues people decided to be real or false, and what is open.
pub(super) fn months(months: &[(String, Worth)], lineage: &str) -> Months {
    let of = |worth: &Worth| {
        worth
            .lineages
            .iter()
            .find(|one| one.lineage.as_str() == lineage)
            .map(|one| one.figures)
            .unwrap_or_default()
    };
    let months = &months[months.len().saturating_sub(24)..];
    let all: Vec<(&str, Figures)> = months.iter().map(|(month, worth)| (month.as_str(), of(worth))).collect();
    let most = all.iter().map(|(_, figures)| figures.issues as u64).max().unwrap_or(0).max(1);
    let bar = |(place, (month, figures)): (&(f64, f64), &(&str, Figures))| {
        let open = figures.issues.saturating_sub(figures.real + figures.false_);
        let counts = [("real", figures.real as u64), ("false", figures.false_ as u64), ("open", open as u64)];
        bar(*place, (*month).to_owned(), &counts, most)
    };
    let ends = |one: Option<&(&str, Figures)>| one.map_or_else(String::new, |(month, _)| (*month).to_owned());
    Months {
        width: WIDTH,
        height: HEIGHT,
        most,
        bars: places(all.len()).iter().zip(&all).map(bar).collect(),
        first: ends(all.first()),
        last: ends(all.last()),
    }
}

/// Left side and width of each of `count` bars.
fn places(count: usize) -> Vec<(f64, f64)> {
    let step = (WIDTH / number(count as u64).max(1.0)).min(48.0);
    (0..count).map(|at| (rounded(number(at as u64) * step), rounded((step - 2.0).max(1.0)))).collect()
}

/// Kinds one upon the other, the first at the bottom.
fn bar((x, width): (f64, f64), label: String, counts: &[(&'static str, u64)], most: u64) -> Bar {
    let mut top = HEIGHT;
    let part = |(kind, count): &(&'static str, u64)| {
        let height = HEIGHT * number(*count) / number(most);
        top -= height;
        Part { kind, count: *count, y: rounded(top), height: rounded(height) }
    };
    Bar { x, width, label, parts: counts.iter().map(part).collect() }
}

fn proportion(hits: u64, of: u64) -> Proportion {
    let [hits, of] = [hits, of].map(|number| usize::try_from(number).unwrap_or(usize::MAX));
    Proportion { hits: hits.min(of), of }
}

/// Whole percent.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share is from 0 to 1")]
pub(super) fn percent(share: f64) -> u64 {
    (share * 100.0).round() as u64
}

#[expect(clippy::cast_precision_loss, reason = "no eye sees it")]
fn number(count: u64) -> f64 {
    count as f64
}

fn rounded(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}
