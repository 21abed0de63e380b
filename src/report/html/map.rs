//! A map of the change: [`Map`], its files by size, with the worst that was found in each, and which nobody read.
//!
//! Left-out files stand beside it and not to scale: one lockfile would be larger than all the code.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
};

use serde::Serialize;

use super::treemap::{Rectangle, squarified};
use crate::{
    bundle::Excluded,
    coverage::State,
    finding::Severity,
    report::{foreign, summary, words},
    tally::{Issue, Tally},
};

/// Size of the picture, in units of its view box.
const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 220.0;

/// Its share that left-out files have, and where it begins.
const LEFT_OUT: f64 = 120.0;
const GAP: f64 = 12.0;

/// Files in the picture; smaller ones are in the list alone.
const DRAWN: usize = 250;

/// Units that a letter takes in the picture.
const LETTER: f64 = 6.4;

/// Files by size.
#[derive(Serialize)]
pub(super) struct Map {
    width: f64,
    height: f64,
    files: Vec<File>,
    /// How many more there are than the picture shows.
    undrawn: usize,
}

#[derive(Serialize)]
struct File {
    path: String,
    /// What is not a line of text is 0.
    added: usize,
    removed: usize,
    size: String,
    severity: Option<&'static str>,
    found: String,
    issue: Option<String>,
    /// `read`, `partly`, `unread` or `left-out`.
    read: &'static str,
    why: String,
    shape: Option<Shape>,
}

/// Where it is in the picture, rounded to tenths, and what fits into it.
#[derive(Serialize)]
struct Shape {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
    label: String,
}

/// A file while its pieces are put together.
#[derive(Default)]
struct Pieces {
    bytes: usize,
    added: usize,
    removed: usize,
    bundles: Vec<usize>,
}

impl Map {
    pub(super) fn of(tally: &Tally) -> Self {
        let issues = issues_by_path(tally);
        let reading = reading(tally);
        let mut files: Vec<(usize, File)> = shown(tally)
            .into_iter()
            .map(|(path, pieces)| (pieces.bytes, file(&path, &pieces, issues.get(path.as_str()), &reading)))
            .collect();
        files.sort_by_key(|(bytes, _)| Reverse(*bytes));
        let mut left_out: Vec<(usize, File)> = left_out(tally);
        left_out.sort_by_key(|(bytes, _)| Reverse(*bytes));
        let undrawn = files.len().saturating_sub(DRAWN) + left_out.len().saturating_sub(DRAWN);
        draw(&mut files, &mut left_out);
        let files = files.into_iter().chain(left_out).map(|(_, file)| file).collect();
        Self { width: WIDTH, height: HEIGHT, files, undrawn }
    }
}

fn issues_by_path(tally: &Tally) -> HashMap<&str, Vec<&Issue>> {
    let mut by_path: HashMap<&str, Vec<&Issue>> = HashMap::new();
    for issue in summary::open(tally) {
        by_path.entry(&issue.path).or_default().push(issue);
    }
    by_path
}

/// Of each bundle: whole answers, and questions.
fn reading(tally: &Tally) -> Vec<(usize, usize)> {
    let mut counts: HashMap<&str, (usize, usize)> = HashMap::new();
    for task in tally.coverage.iter().filter(|task| task.outcome.state != State::NotRouted) {
        let (answered, asked) = counts.entry(&task.outcome.bundle).or_default();
        *answered += usize::from(task.outcome.state == State::Answered);
        *asked += 1;
    }
    tally.bundles.iter().map(|bundle| counts.get(bundle.id.as_str()).copied().unwrap_or_default()).collect()
}

fn shown(tally: &Tally) -> BTreeMap<String, Pieces> {
    let mut files: BTreeMap<String, Pieces> = BTreeMap::new();
    for (number, bundle) in tally.bundles.iter().enumerate() {
        for patch in &bundle.files {
            let pieces = files.entry(patch.path.to_string()).or_default();
            let (added, removed) = patch.counts();
            pieces.bytes += patch.byte_len();
            pieces.added += added;
            pieces.removed += removed;
            pieces.bundles.push(number);
        }
    }
    files
}

fn file(path: &str, pieces: &Pieces, issues: Option<&Vec<&Issue>>, reading: &[(usize, usize)]) -> File {
    let issues = issues.map(Vec::as_slice).unwrap_or_default();
    let worst = issues.iter().map(|issue| issue.severity).max();
    let counts: Vec<(usize, usize)> =
        pieces.bundles.iter().filter_map(|bundle| reading.get(*bundle)).copied().collect();
    let (answered, asked) = counts.iter().min_by_key(|(answered, _)| *answered).copied().unwrap_or_default();
    let read = match (answered, asked) {
        (0, _) => "unread",
        (answered, asked) if answered < asked => "partly",
        _ => "read",
    };
    let why = match (answered, asked) {
        (_, 0) => "nobody was asked about it".to_owned(),
        (0, asked) => format!("none of {} answered", words::count(asked, "reviewer")),
        (answered, asked) => format!("{answered} of {} answered", words::count(asked, "reviewer")),
    };
    File {
        path: foreign::one_line(path),
        added: pieces.added,
        removed: pieces.removed,
        size: words::size(pieces.bytes as u64),
        severity: worst.map(Severity::word),
        found: if issues.is_empty() {
            "nothing found".to_owned()
        } else {
            words::count(issues.len(), "issue")
        },
        issue: issues.first().map(|issue| issue.id.clone()),
        read,
        why,
        shape: None,
    }
}

fn left_out(tally: &Tally) -> Vec<(usize, File)> {
    let file = |one: &Excluded| File {
        path: foreign::one_line(&one.path.to_string()),
        added: 0,
        removed: 0,
        size: words::size(one.bytes),
        severity: None,
        found: "not shown".to_owned(),
        issue: None,
        read: "left-out",
        why: one.reason.word().to_owned(),
        shape: None,
    };
    let sized = |one: &Excluded| (usize::try_from(one.bytes).unwrap_or(usize::MAX), file(one));
    tally.excluded.iter().map(sized).collect()
}

fn draw(files: &mut [(usize, File)], left_out: &mut [(usize, File)]) {
    let all = Rectangle { x: 0.0, y: 0.0, width: WIDTH, height: HEIGHT };
    let (room, beside) = match (files.is_empty(), left_out.is_empty()) {
        (_, true) | (true, false) => (all, all),
        (false, false) => (
            Rectangle { width: WIDTH - LEFT_OUT - GAP, ..all },
            Rectangle { x: WIDTH - LEFT_OUT, width: LEFT_OUT, ..all },
        ),
    };
    let weights = |files: &[(usize, File)]| -> Vec<f64> {
        files.iter().take(DRAWN).map(|(bytes, _)| figure(*bytes).max(1.0)).collect()
    };
    place(files, &squarified(&weights(files), room));
    let weights: Vec<f64> = weights(left_out).into_iter().map(f64::sqrt).collect();
    place(left_out, &squarified(&weights, beside));
}

fn place(files: &mut [(usize, File)], rectangles: &[Rectangle]) {
    let tenths = |figure: f64| (figure * 10.0).round() / 10.0;
    for ((_, file), one) in files.iter_mut().zip(rectangles) {
        let name = file.path.rsplit('/').next().unwrap_or_default();
        let letters = (one.width - 8.0) / LETTER;
        let fits = one.height >= 17.0 && letters >= figure(name.chars().count().min(7));
        let label = if fits { cut(name, letters) } else { String::new() };
        let (width, height) = (tenths(one.width), tenths(one.height));
        file.shape = Some(Shape { x: tenths(one.x), y: tenths(one.y), width, height, label });
    }
}

/// As much of the name as `letters` hold.
fn cut(name: &str, letters: f64) -> String {
    let most = (1..200).take_while(|most| figure(*most) <= letters).last().unwrap_or(1);
    words::shortened(name, most)
}

fn figure(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
}
