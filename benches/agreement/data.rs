//! Reads labelled pairs and recorded answers, and asks the shipped rule about each pair: [`Pair`].

use std::{collections::BTreeMap, fs, path::Path};

use scrum::{
    finding::Finding,
    reply,
    tally::{Evidence, Sameness, evidence},
};
use serde_json::Value;

/// The folder of recorded answers.
pub(crate) const ANSWERS: &str = "aacr-dev-contract";
/// Recorded findings of two lineages that stand so close are a pair.
const NEAR: u32 = 10;

/// Two claims with what the rule, and plain overlap of words, say of them.
pub(crate) struct Pair {
    /// The pull request's address.
    pub(crate) pull: String,
    /// What people say.
    pub(crate) label: String,
    /// What the rule counted.
    seen: Evidence,
    /// Share of all words, as they are written, that both hold.
    pub(crate) overlap: f64,
    /// Numbers of the two findings among all recorded ones; of labelled pairs nothing.
    pub(crate) findings: Option<[usize; 2]>,
}

impl Pair {
    fn new(pull: &str, label: &str, a: &Finding, b: &Finding) -> Self {
        let overlap = overlap(&a.what, &b.what);
        Self { pull: pull.into(), label: label.into(), seen: evidence(a, b), overlap, findings: None }
    }

    /// Likeness of the two, at least and at most, with so many words of each in doubt.
    pub(crate) fn likeness(&self, in_doubt: f64) -> (f64, f64) {
        let [a, b] = self.seen.telling.map(|words| number(words) + in_doubt);
        let (shared, length) = (number(self.seen.shared.len()), (a * b).sqrt());
        (shared / length, (shared + in_doubt) / length)
    }

    /// What is shipped says so.
    pub(crate) fn answer(&self) -> Sameness {
        self.seen.answer
    }
}

/// All that is measured on.
pub(crate) struct Data {
    /// Findings of two tools, the same or another known issue; no places.
    pub(crate) martian: Vec<Pair>,
    /// Remarks of two lineages on nearly the same lines.
    pub(crate) aacr: Vec<Pair>,
    /// All pairs of recorded findings of two lineages within ten lines; nobody labelled them.
    pub(crate) near: Vec<Pair>,
    /// How many findings are recorded, by pull request.
    pub(crate) findings: BTreeMap<String, usize>,
}

pub(crate) fn read(folder: &Path) -> Data {
    let (near, findings) = recorded(&folder.join(ANSWERS));
    Data {
        martian: martian(folder, usize::MAX),
        aacr: pairs(&folder.join("aacr-pairs.jsonl"), usize::MAX),
        near,
        findings,
    }
}

/// Findings of two tools, of each text the first `words` only.
pub(crate) fn martian(folder: &Path, words: usize) -> Vec<Pair> {
    pairs(&folder.join("martian-pairs.jsonl"), words)
}

/// A line a pair; a side is a text or holds one.
fn pairs(file: &Path, words: usize) -> Vec<Pair> {
    let side = |value: &Value| {
        let text = value.as_str().or_else(|| value["text"].as_str()).unwrap_or_default();
        claim(&text.split_whitespace().take(words).collect::<Vec<_>>().join(" "))
    };
    let pair = |line: &str| {
        let value: Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let word = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
        Pair::new(&word("pr"), &word("label"), &side(&value["a"]), &side(&value["b"]))
    };
    text(file).lines().map(pair).collect()
}

fn claim(what: &str) -> Finding {
    let mut reading = reply::read("SEVERITY: WARN\nWHERE: a.rs:1\nWHAT: a claim\n", None);
    Finding { what: what.to_owned(), ..reading.findings.remove(0) }
}

/// Every answer in `<pull request>/<lineage>.md` as the tally reads it.
fn recorded(folder: &Path) -> (Vec<Pair>, BTreeMap<String, usize>) {
    let mut pairs = Vec::new();
    let mut counts = BTreeMap::new();
    let mut before = 0;
    for pull in entries(folder) {
        let told: Value = serde_json::from_str(&text(&pull.join("expected.json"))).unwrap_or_default();
        let name = told["pr"].as_str().unwrap_or_default();
        let answers =
            entries(&pull).into_iter().filter(|file| file.extension().is_some_and(|end| end == "md"));
        let findings: Vec<_> = answers
            .flat_map(|file| {
                reply::read(&text(&file), None).findings.into_iter().map(move |found| (file.clone(), found))
            })
            .collect();
        for (at, (lineage, a)) in findings.iter().enumerate() {
            for (to, (other, b)) in findings.iter().enumerate().skip(at + 1) {
                if lineage != other && are_near(a, b) {
                    let pair = Pair::new(name, "near", a, b);
                    pairs.push(Pair { findings: Some([before + at, before + to]), ..pair });
                }
            }
        }
        before += findings.len();
        counts.insert(name.to_owned(), findings.len());
    }
    (pairs, counts)
}

fn are_near(a: &Finding, b: &Finding) -> bool {
    let (Some(a), Some(b)) = (&a.location, &b.location) else { return false };
    let gap = a.lines.zip(b.lines).map(|(a, b)| a.gap(b));
    a.path == b.path && gap.is_some_and(|gap| gap <= NEAR)
}

/// Words that both texts hold among all that either holds, in lower case and otherwise as written.
fn overlap(a: &str, b: &str) -> f64 {
    let words = |text: &str| {
        let lower = text.to_lowercase();
        let mut words: Vec<_> = lower
            .split(|c: char| !(c.is_alphanumeric() || c == '_'))
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect();
        words.sort_unstable();
        words.dedup();
        words
    };
    let (a, b) = (words(a), words(b));
    let both = a.iter().filter(|word| b.binary_search(word).is_ok()).count();
    number(both) / number((a.len() + b.len() - both).max(1))
}

/// A folder's entries in order of their names.
pub(crate) fn entries(folder: &Path) -> Vec<std::path::PathBuf> {
    let listed = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut entries: Vec<_> = listed.filter_map(|entry| Some(entry.ok()?.path())).collect();
    entries.sort();
    entries
}

pub(crate) fn text(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// Counts here stay far under 2^32.
pub(crate) fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
