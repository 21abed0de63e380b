//! How many recorded findings the reader finds at exactly the path and lines that people noted, and what it invents.
//!
//! `cargo bench --bench recorded -- FOLDER…`; a FOLDER holds cases as `docs/design/evaluation.md` describes them, each `expected.json` with
//! all findings of its replies. Measures no time: it runs as a bench because the recordings are not part of the repository.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]
#![expect(clippy::disallowed_methods, reason = "reads the recordings that it is given")]

use std::{collections::BTreeMap, fs, path::Path, process::ExitCode};

use scrum::{
    finding::Finding,
    reply::{Completeness, read},
};
use serde::Deserialize;

/// The labels of one case, as far as they say where findings are.
#[derive(Deserialize)]
struct Labels {
    findings: Vec<Label>,
}

#[derive(Deserialize)]
struct Label {
    #[serde(alias = "lineage")]
    reviewer: String,
    path: String,
    from: u32,
    to: u32,
}

/// Path, first and last line.
type Place = (String, u32, u32);

/// What the reading of a folder came to.
#[derive(Default)]
struct Counts {
    replies: usize,
    found: usize,
    missed: usize,
    invented: usize,
}

fn main() -> ExitCode {
    // Cargo itself adds `--bench`.
    let folders: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    if folders.is_empty() {
        println!("no recordings given, nothing measured: cargo bench --bench recorded -- FOLDER…");
    }
    let mut exact = true;
    for folder in &folders {
        let mut counts = Counts::default();
        for case in sorted(Path::new(folder)) {
            if case.join("expected.json").is_file() {
                measure(&case, &mut counts);
            }
        }
        let Counts { replies, found, missed, invented } = counts;
        println!("{folder}: {replies} replies, {found} found, {missed} missed, {invented} invented");
        exact &= replies > 0 && missed + invented == 0;
    }
    if exact { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn measure(case: &Path, counts: &mut Counts) {
    let mut expected = labels(case);
    for file in sorted(case).into_iter().filter(|file| file.extension().is_some_and(|end| end == "md")) {
        let reviewer = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let mut wanted = expected.remove(&reviewer).unwrap_or_default();
        let reading = read(&text(&file), None);
        let mut invented = Vec::new();
        for place in reading.findings.iter().map(place) {
            match wanted.iter().position(|other| *other == place) {
                Some(at) => {
                    wanted.swap_remove(at);
                    counts.found += 1;
                }
                None => invented.push(place),
            }
        }
        counts.replies += 1;
        say(&file, &wanted, &invented, &reading.completeness);
        counts.missed += wanted.len();
        counts.invented += invented.len();
    }
    counts.missed += expected.values().map(Vec::len).sum::<usize>();
}

fn say(file: &Path, missed: &[Place], invented: &[Place], completeness: &Completeness) {
    if !missed.is_empty() || !invented.is_empty() || *completeness != Completeness::Whole {
        println!("  {}: missed {missed:?}, invented {invented:?}, {completeness:?}", file.display());
    }
}

fn place(finding: &Finding) -> Place {
    let Some(location) = &finding.location else { return (finding.where_text.clone(), 0, 0) };
    let lines = location.lines.map_or((0, 0), |lines| (lines.start, lines.end));
    (location.path.strip_prefix("a/").unwrap_or(&location.path).to_owned(), lines.0, lines.1)
}

/// The places of a case by reviewer.
fn labels(case: &Path) -> BTreeMap<String, Vec<Place>> {
    let labels: Labels = serde_json::from_str(&text(&case.join("expected.json"))).expect("labels");
    let mut places: BTreeMap<String, Vec<Place>> = BTreeMap::new();
    for label in labels.findings {
        places.entry(label.reviewer).or_default().push((label.path, label.from, label.to));
    }
    places
}

fn sorted(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    paths
}

fn text(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}
