//! Runs the offline reviewers over the last commits of repositories and counts what they say.
//!
//! `cargo bench --bench builtin -- [--commits N] [--skip N] [--sample N] [--seed N] [--only RULE] REPOSITORY…`
//!
//! Each commit that is not a merge is reviewed alone, with the past before it. Printed are, for each repository and in
//! all, added lines, findings, and added lines a finding; then how often each rule spoke, the times, and a sample of findings drawn
//! with a fixed seed, each with the diff around its line. `docs/design/builtin.md` tells how the sample is judged.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]
#![expect(clippy::disallowed_methods, reason = "a measurement reads the clock and its arguments")]

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use scrum::{
    bundle::{self, Bundle, Split, SplitRules},
    change::Hunk,
    git::{RangeSpec, Repo},
    provider::builtin::{Hindsight, RemovedLines, RuleSet, answer_by_rules},
    reviewer::Builtin,
};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let arguments = Arguments::read();
    let mut all = Tally::default();
    let mut spoken = Vec::new();
    for path in &arguments.repositories {
        let (tally, found) = review(path, &arguments)?;
        println!("{:<40} {tally}", name_of(path));
        all.add(&tally);
        spoken.extend(found);
    }
    println!("{:<40} {all}", "all");
    print_times(&all);
    print_rules(&spoken);
    print_sample(spoken, &arguments);
    Ok(())
}

struct Arguments {
    repositories: Vec<PathBuf>,
    commits: usize,
    skip: usize,
    sample: usize,
    seed: u64,
    only: Option<String>,
}

impl Arguments {
    fn read() -> Self {
        let mut read =
            Self { repositories: Vec::new(), commits: 200, skip: 0, sample: 0, seed: 1, only: None };
        let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
        while let Some(word) = words.next() {
            let mut number = || words.next().and_then(|word| word.parse::<usize>().ok()).unwrap_or_default();
            match word.as_str() {
                "--commits" => read.commits = number(),
                "--skip" => read.skip = number(),
                "--sample" => read.sample = number(),
                "--seed" => read.seed = number() as u64,
                "--only" => read.only = words.next(),
                _ => read.repositories.push(PathBuf::from(word)),
            }
        }
        read
    }
}

#[derive(Default)]
struct Tally {
    commits: usize,
    added: usize,
    rules: usize,
    history: usize,
    scanning: Duration,
    collecting: Duration,
    slowest_collect: Duration,
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.commits += other.commits;
        self.added += other.added;
        self.rules += other.rules;
        self.history += other.history;
        self.scanning += other.scanning;
        self.collecting += other.collecting;
        self.slowest_collect = self.slowest_collect.max(other.slowest_collect);
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let found = self.rules + self.history;
        let lines = self.added.checked_div(found).unwrap_or(self.added);
        let Self { commits, added, rules, history, .. } = self;
        write!(
            f,
            "{commits} commits, {added} added lines, {found} findings ({rules} rules, {history} history): one in {lines}"
        )
    }
}

/// A finding and where to look at it.
struct Spoken {
    repository: String,
    commit: String,
    block: String,
    around: String,
}

impl Spoken {
    /// The rule's id, or the first words of what `history` says.
    fn kind(&self) -> String {
        let field =
            |name: &str| self.block.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        if let Some((_, id)) = field("WHY: ").rsplit_once("(rule ") {
            return id.trim_end_matches(')').to_owned();
        }
        let words: Vec<&str> =
            field("WHAT: ").split(' ').filter(|word| word.chars().all(char::is_lowercase)).collect();
        format!("history: {}", words[..words.len().min(4)].join(" "))
    }
}

fn name_of(path: &Path) -> String {
    path.components()
        .rev()
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .find(|part| part != "repo")
        .unwrap_or_default()
}

fn review(path: &Path, arguments: &Arguments) -> Result<(Tally, Vec<Spoken>), Failure> {
    let (repo, raw) = (Repo::discover(path)?, git2::Repository::open(path)?);
    let (mut tally, mut spoken) = (Tally::default(), Vec::new());
    for commit in last_commits(&raw, arguments)? {
        let change = repo.read(&RangeSpec::Commits(commit.to_string()))?;
        let start = Instant::now();
        let history = repo.history(&change)?;
        let collected = start.elapsed();
        let commits = change.commits.clone();
        let split = bundle::split(change, &SplitRules::default())?;
        let start = Instant::now();
        let rules = RuleSet::new(&[])?;
        let hindsight = Hindsight::new(&rules, &history, &split, &commits);
        let found = answers(&rules, &hindsight, &split);
        tally.scanning += start.elapsed();
        tally.collecting += collected;
        tally.slowest_collect = tally.slowest_collect.max(collected);
        tally.commits += 1;
        tally.added +=
            split.bundles.iter().flat_map(|bundle| &bundle.files).map(|file| file.counts().0).sum::<usize>();
        for (which, block, around) in found {
            *(if which == Builtin::Rules { &mut tally.rules } else { &mut tally.history }) += 1;
            spoken.push(Spoken { repository: name_of(path), commit: commit.to_string(), block, around });
        }
    }
    Ok((tally, spoken))
}

fn last_commits(repo: &git2::Repository, arguments: &Arguments) -> Result<Vec<git2::Oid>, Failure> {
    let mut walk = repo.revwalk()?;
    walk.set_sorting(git2::Sort::TIME)?;
    walk.push_head()?;
    let single = |id: &git2::Oid| repo.find_commit(*id).is_ok_and(|commit| commit.parent_count() == 1);
    Ok(walk.filter_map(Result::ok).filter(single).skip(arguments.skip).take(arguments.commits).collect())
}

fn answers(rules: &RuleSet, hindsight: &Hindsight, split: &Split) -> Vec<(Builtin, String, String)> {
    let mut found = Vec::new();
    let removed = RemovedLines::of(&split.bundles);
    for bundle in &split.bundles {
        let by_rules = answer_by_rules(rules, &removed, bundle, "");
        let by_history = hindsight.answer(bundle, "");
        for (which, reply) in [(Builtin::Rules, by_rules), (Builtin::History, by_history)] {
            let blocks = reply.split("\n\n").filter(|block| block.starts_with("SEVERITY: "));
            found.extend(blocks.map(|block| (which, block.to_owned(), around(bundle, block))));
        }
    }
    found
}

/// Seven lines of the diff to each side of the finding's line.
fn around(bundle: &Bundle, block: &str) -> String {
    let place = block.lines().find_map(|line| line.strip_prefix("WHERE: ")).unwrap_or_default();
    let (path, line) = place.rsplit_once(':').unwrap_or_default();
    let line: u32 = line.parse().unwrap_or_default();
    let files = bundle.files.iter().filter(|file| file.path.to_string() == path);
    let mut hunks = files.flat_map(|file| &file.hunks);
    hunks.find_map(|hunk| excerpt(hunk, line)).unwrap_or_default()
}

fn excerpt(hunk: &Hunk, line: u32) -> Option<String> {
    let at = hunk.lines().position(|known| known.new == Some(line))?;
    let body = hunk.text.split(|byte| *byte == b'\n').skip(1);
    let shown: Vec<String> = body
        .skip(at.saturating_sub(7))
        .take(15)
        .map(|line| String::from_utf8_lossy(line).into_owned())
        .collect();
    Some(format!("@@ {}\n{}", hunk.section(), shown.join("\n")))
}

fn print_times(tally: &Tally) {
    let each = |time: Duration| time / u32::try_from(tally.commits.max(1)).unwrap_or(1);
    println!(
        "rules read, compiled and run: {:?} a commit; past collected: {:?} a commit, {:?} at most",
        each(tally.scanning),
        each(tally.collecting),
        tally.slowest_collect,
    );
}

fn print_rules(spoken: &[Spoken]) {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for one in spoken {
        *counts.entry(one.kind()).or_default() += 1;
    }
    for (kind, count) in counts {
        println!("{count:>5} {kind}");
    }
}

fn print_sample(mut spoken: Vec<Spoken>, arguments: &Arguments) {
    spoken.retain(|one| arguments.only.as_ref().is_none_or(|only| one.kind().starts_with(only.as_str())));
    shuffle(&mut spoken, arguments.seed);
    for (at, one) in spoken.iter().take(arguments.sample).enumerate() {
        println!(
            "\n==== {} {} {}\n{}\n----\n{}",
            at + 1,
            one.repository,
            &one.commit[..10],
            one.block,
            one.around
        );
    }
}

/// Fisher and Yates' shuffle, driven by splitmix64.
fn shuffle(list: &mut [Spoken], mut seed: u64) {
    for at in (1..list.len()).rev() {
        seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let other = usize::try_from((mixed ^ (mixed >> 31)) % (at as u64 + 1)).unwrap_or_default();
        list.swap(at, other);
    }
}
