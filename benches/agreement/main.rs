//! How well the rule for "the same claim" does on labelled pairs: chosen on some pull requests, tried on the others.
//!
//! `cargo bench --bench agreement -- FOLDER [SVG]`; FOLDER holds `martian-pairs.jsonl`, `aacr-pairs.jsonl` and
//! `aacr-dev-contract/`, as described in `docs/design/agreement.md`. Prints what that page shows, and draws the curve.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]
#![expect(
    clippy::disallowed_methods,
    reason = "reads the recordings that it is given, and draws what it found"
)]

mod data;
mod fit;
mod interval;
mod plot;
mod stability;

use std::{collections::HashSet, fs, path::Path};

use scrum::{digest::sha256, tally::Sameness};

use data::{Data, Pair};
use fit::{BOUNDS, Figures, Pulls, fit, links, parts};
use interval::Counted;

/// Parts that the pull requests are cut into; each is tried with figures from the others.
const FOLDS: usize = 10;

fn main() {
    // Cargo itself adds `--bench`.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let Some(folder) = words.first() else {
        println!("no recordings given, nothing measured: cargo bench --bench agreement -- FOLDER [SVG]");
        return;
    };
    let data = data::read(Path::new(folder));
    let all: Pulls =
        data.findings.keys().chain(data.martian.iter().map(|pair| &pair.pull)).cloned().collect();
    let figures = fit(&data, &all);
    println!(
        "{} pull requests, {} near pairs in {} findings",
        all.len(),
        data.near.len(),
        data.findings.values().sum::<usize>()
    );
    println!(
        "figures chosen on all of them: {} words in doubt, bound {:.2}\n",
        figures.in_doubt, figures.bound
    );
    held_out(&data, &all);
    as_shipped(&data);
    by_length(Path::new(folder));
    against_overlap(&data, figures.in_doubt);
    stability::print(&Path::new(folder).join(data::ANSWERS));
    let curve = curve(&data, figures.in_doubt);
    if let Some(file) = words.get(1) {
        let drawn = plot::draw(&curve, figures.bound);
        fs::write(file, drawn).unwrap_or_else(|error| panic!("{file}: {error}"));
    }
}

/// A pair of each set, and the recorded findings, judged by one function.
struct Judged<'a> {
    data: &'a Data,
    linked: &'a dyn Fn(&Pair) -> bool,
}

impl Judged<'_> {
    fn same(&self) -> Counted {
        Counted::of(self.data.martian.iter().filter(|pair| pair.label == "same"), self.linked)
    }

    fn different(&self) -> Counted {
        Counted::of(self.data.martian.iter().filter(|pair| pair.label == "different"), self.linked)
    }

    fn same_lines(&self) -> Counted {
        Counted::of(self.data.aacr.iter().filter(|pair| pair.label == "different"), self.linked)
    }

    /// Recorded findings that agree with one of another lineage.
    fn findings(&self) -> Counted {
        let linked = self.data.near.iter().filter(|pair| (self.linked)(pair));
        let agreeing: HashSet<(&str, usize)> = linked
            .flat_map(|pair| pair.findings.into_iter().flatten().map(|one| (pair.pull.as_str(), one)))
            .collect();
        let mut counted = Counted::default();
        for (pull, of) in &self.data.findings {
            counted.add(pull, agreeing.iter().filter(|(one, _)| one == pull).count(), *of);
        }
        counted
    }

    fn print(&self, title: &str) {
        let [same, different, lines, findings] =
            [self.same(), self.different(), self.same_lines(), self.findings()];
        println!("{title:<34} {same}  {different}  {lines}  {findings}");
    }
}

/// Figures from nine tenths of the pull requests, tried on the tenth; all tenths together.
fn held_out(data: &Data, all: &Pulls) {
    let mut order: Vec<_> = all.iter().collect();
    order.sort_by_key(|pull| sha256(&[pull.as_bytes()]));
    let fold = |pull: &str| order.iter().position(|one| *one == pull).unwrap_or_default() % FOLDS;
    let chosen: Vec<Figures> = (0..FOLDS)
        .map(|held| fit(data, &all.iter().filter(|pull| fold(pull) != held).cloned().collect()))
        .collect();
    let shown: Vec<_> = chosen.iter().map(|one| format!("{}/{:.2}", one.in_doubt, one.bound)).collect();
    println!("each tenth of the pull requests judged with figures from the others: {}", shown.join(" "));
    println!(
        "{:<34} {:<19}  {:<19}  {:<19}  {:<19}",
        "share (95 % by pull request)", "same", "different", "on the same lines", "recorded findings"
    );
    Judged { data, linked: &|pair| links(pair, chosen[fold(&pair.pull)]) }.print("linked");
    Judged { data, linked: &|pair| parts(pair, chosen[fold(&pair.pull)]) }.print("parted");
}

/// What the shipped rule answers, with its own figures and its look at the language.
fn as_shipped(data: &Data) {
    println!("\nthe shipped rule");
    Judged { data, linked: &|pair| pair.answer() == Sameness::Same }.print("linked");
    Judged { data, linked: &|pair| pair.answer() == Sameness::Different }.print("parted");
    for label in ["related", "same"] {
        let those = data.aacr.iter().filter(|pair| pair.label == label);
        let answers: Vec<_> = those.map(|pair| format!("{:?}", pair.answer())).collect();
        println!("on the same lines, {label}: {}", answers.join(" "));
    }
}

/// Whether short claims fare as long ones do: the same pairs, cut to their first words.
fn by_length(folder: &Path) {
    println!("\n| claims | same: linked | unclear | parted | different: linked | unclear | parted |");
    println!("|---|---|---|---|---|---|---|");
    for (title, words) in
        [("whole", usize::MAX), ("20 words", 20), ("14 words", 14), ("10 words", 10), ("6 words", 6)]
    {
        let pairs = data::martian(folder, words);
        let cells = ["same", "different"].map(|label| {
            let those: Vec<_> = pairs.iter().filter(|pair| pair.label == label).collect();
            let answers = [Sameness::Same, Sameness::Unclear, Sameness::Different];
            let share =
                |answer| Counted::of(those.iter().copied(), &|pair| pair.answer() == answer).percent();
            answers.map(|answer| format!("{:.1} %", share(answer))).join(" | ")
        });
        println!("| {title} | {} |", cells.join(" | "));
    }
}

/// The rule beside the share of words that both hold, each where it links three quarters of the same pairs.
fn against_overlap(data: &Data, in_doubt: f64) {
    println!("\nwhere three quarters of the same pairs are linked");
    let rule = |pair: &Pair| pair.likeness(in_doubt).0;
    let overlap = |pair: &Pair| pair.overlap;
    for (title, likeness) in
        [("shared words, some in doubt", &rule as &dyn Fn(&Pair) -> f64), ("simple overlap", &overlap)]
    {
        let mut same: Vec<_> =
            data.martian.iter().filter(|pair| pair.label == "same").map(likeness).collect();
        same.sort_unstable_by(|a, b| b.total_cmp(a));
        let bound = same[(same.len() * 3).div_ceil(4) - 1];
        Judged { data, linked: &|pair| likeness(pair) >= bound }.print(&format!("{title} from {bound:.2}"));
    }
}

/// Percent linked at each bound: same, different, on the same lines, recorded findings.
fn curve(data: &Data, in_doubt: f64) -> Vec<(f64, [f64; 4])> {
    println!("\n| bound | same | different | on the same lines | recorded findings |\n|---|---|---|---|---|");
    let point = |percent: u32| {
        let bound = f64::from(percent) / 100.0;
        let judged = Judged { data, linked: &|pair| links(pair, Figures { in_doubt, bound }) };
        let shares = [judged.same(), judged.different(), judged.same_lines(), judged.findings()]
            .map(|one| one.percent());
        let cells: Vec<_> = shares.iter().map(|one| format!("{one:.1} %")).collect();
        println!("| {bound:.2} | {} |", cells.join(" | "));
        (bound, shares)
    };
    BOUNDS.filter(|percent| (20..=42).contains(percent) && percent % 2 == 0).map(point).collect()
}
