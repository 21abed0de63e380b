//! What the runs of a folder came to, followed as the folder grows: [`Chronicle`].
//!
//! Only what is new is read: lines of `findings.jsonl` behind those that were read, and folders that were not there. A run is
//! known by its folder; one without a line is asked for its `tally.json`, and one without that is not over. Runs are not opened
//! here.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs::{self, File},
    io::{Read, Seek, SeekFrom},
    os::unix::fs::MetadataExt,
    path::Path,
    time::SystemTime,
};

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use serde::Deserialize;

use super::{RunDir, Store};

/// Most runs without an end that are looked at again each time.
const UNFINISHED: usize = 64;

/// A run in short.
#[derive(Debug, Clone, PartialEq)]
pub struct Brief {
    /// Its id.
    pub id: String,
    /// When it began.
    pub at: Timestamp,
    /// The page of its repository, where it is on a server that has pages.
    pub repository: Option<String>,
    /// The change, as it was named.
    pub range: String,
    /// What it came to; `None` as long as that is not known.
    pub came_to: Option<CameTo>,
}

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct CameTo {
    /// The verdict in a word.
    pub verdict: String,
    /// The gate's answer in a word.
    pub gate: String,
    /// Issues.
    pub totals: Totals,
    /// Tasks with a whole answer, and all; `None` where nobody says.
    pub heard: Option<(u64, u64)>,
}

/// Issues of a run.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct Totals {
    /// With two or more lineages.
    pub convergent: u64,
    /// All.
    pub distinct: u64,
    /// By severity.
    pub by_severity: BySeverity,
    /// What it took.
    pub spent: Spent,
}

/// Issues by severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "UPPERCASE")]
pub struct BySeverity {
    /// Must not be merged.
    pub block: u64,
    /// To be repaired.
    pub warn: u64,
    /// To be known.
    pub info: u64,
}

/// What a run took.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct Spent {
    /// US dollars, where they are known.
    pub cost_usd: Option<f64>,
}

/// A line of `findings.jsonl`.
#[derive(Deserialize)]
struct Line {
    run: String,
    totals: Totals,
    verdict: String,
    gate: String,
    answered: u64,
    asked: u64,
}

/// What of `tally.json` the same is made of.
#[derive(Deserialize)]
struct Document {
    totals: Totals,
    verdict: Word,
    gate: Word,
    coverage: Vec<Task>,
}

#[derive(Deserialize)]
struct Word {
    result: String,
}

#[derive(Deserialize)]
struct Task {
    state: String,
}

/// What of `run.json` is told.
#[derive(Deserialize)]
struct Record {
    started_at: String,
    repository: Option<String>,
    range: Range,
}

#[derive(Deserialize)]
struct Range {
    spec: String,
}

/// What is new since somebody asked the last time.
#[derive(Debug, Default, PartialEq)]
pub struct News {
    /// Runs that are new or stand elsewhere.
    pub told: Vec<Brief>,
    /// Runs that are gone.
    pub gone: Vec<String>,
}

/// Tells one state of a file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    inode: u64,
    bytes: u64,
    changed: SystemTime,
}

/// What is known of the runs of a store.
#[derive(Debug)]
pub struct Chronicle {
    store: Store,
    file: Option<Mark>,
    /// Bytes of the file that were read: whole lines.
    read: u64,
    folder: Option<SystemTime>,
    lines: HashMap<String, CameTo>,
    /// Every folder there is; `None`: it is no run, or not yet.
    runs: BTreeMap<String, Option<Brief>>,
}

impl Chronicle {
    /// Of the runs of `store`; nothing is read yet.
    pub fn new(store: Store) -> Self {
        Self { store, file: None, read: 0, folder: None, lines: HashMap::new(), runs: BTreeMap::new() }
    }

    /// Reads what is new. What cannot be read is not there.
    pub fn follow(&mut self) -> News {
        let mut news = News::default();
        let mut touched = self.lines();
        self.folders(&mut touched, &mut news.gone);
        let unfinished = |(id, brief): (&String, &Option<Brief>)| {
            brief.as_ref().is_none_or(|brief| brief.came_to.is_none()).then(|| id.clone())
        };
        touched.extend(self.runs.iter().rev().filter_map(unfinished).take(UNFINISHED));
        for id in touched {
            let Some(before) = self.runs.get(&id) else { continue };
            let now = self.brief(&id, before.as_ref());
            if let Some(now) = now.filter(|now| before.as_ref() != Some(now)) {
                self.runs.insert(id, Some(now.clone()));
                news.told.push(now);
            }
        }
        news
    }

    /// The runs that new lines are about.
    fn lines(&mut self) -> BTreeSet<String> {
        let path = self.store.reviews.join("findings.jsonl");
        let now = mark(&path);
        if now == self.file {
            return BTreeSet::new();
        }
        let grew = self.file.zip(now).is_some_and(|(before, now)| {
            before.inode == now.inode && before.bytes < now.bytes && self.read <= before.bytes
        });
        if !grew {
            self.read = 0;
        }
        self.file = now;
        let text = rest(&path, self.read).unwrap_or_default();
        // The last one may be in the midst of being written.
        let whole = memchr::memrchr(b'\n', &text).map_or(0, |at| at + 1);
        self.read += whole as u64;
        let mut touched = BTreeSet::new();
        for line in text[..whole].split(|byte| *byte == b'\n') {
            let Ok(Line { run, totals, verdict, gate, answered, asked }) = serde_json::from_slice(line)
            else {
                continue;
            };
            touched.insert(run.clone());
            self.lines.insert(run, CameTo { verdict, gate, totals, heard: Some((answered, asked)) });
        }
        touched
    }

    /// Looks which folders there are.
    fn folders(&mut self, touched: &mut BTreeSet<String>, gone: &mut Vec<String>) {
        let now = fs::metadata(&self.store.reviews).and_then(|about| about.modified()).ok();
        if now == self.folder {
            return;
        }
        self.folder = now;
        let mut left = std::mem::take(&mut self.runs);
        for entry in fs::read_dir(&self.store.reviews).into_iter().flatten().flatten() {
            let Some(id) = entry.file_name().to_str().filter(|id| begun(id).is_some()).map(str::to_owned)
            else {
                continue;
            };
            let known = left.remove(&id).unwrap_or_else(|| {
                touched.insert(id.clone());
                None
            });
            self.runs.insert(id, known);
        }
        gone.extend(left.into_keys());
    }

    fn brief(&self, id: &str, before: Option<&Brief>) -> Option<Brief> {
        let folder = self.store.reviews.join(id);
        let mut brief = if let Some(brief) = before {
            brief.clone()
        } else {
            let Record { started_at, repository, range } = document(&folder.join("run.json"))?;
            let at = started_at.parse().ok().or_else(|| begun(id))?;
            Brief { id: id.to_owned(), at, repository, range: range.spec, came_to: None }
        };
        let told = self.lines.get(id).cloned();
        brief.came_to = told.or_else(|| came_to(&folder.join("tally.json"))).or(brief.came_to);
        Some(brief)
    }
}

impl Store {
    /// The run whose id is `id`, not one that begins so. One look at the disk, however many runs there are.
    pub fn exactly(&self, id: &str) -> Option<RunDir> {
        begun(id)?;
        Some(self.run(id)).filter(|run| run.review.join("run.json").is_file())
    }
}

fn mark(path: &Path) -> Option<Mark> {
    let about = fs::metadata(path).ok()?;
    Some(Mark { inode: about.ino(), bytes: about.len(), changed: about.modified().ok()? })
}

fn rest(path: &Path, from: u64) -> std::io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn document<T: for<'a> Deserialize<'a>>(path: &Path) -> Option<T> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

fn came_to(path: &Path) -> Option<CameTo> {
    let Document { totals, verdict, gate, coverage } = document(path)?;
    let answered = coverage.iter().filter(|task| task.state == "answered").count();
    let heard = Some((answered as u64, coverage.len() as u64));
    Some(CameTo { verdict: verdict.result, gate: gate.result, totals, heard })
}

/// When a run began, by its id: `20261121-062149897-4ac24b`. `None`: it is no id of a run.
pub fn begun(id: &str) -> Option<Timestamp> {
    let is_plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let (day, rest) = id.split_once('-').filter(|_| is_plain)?;
    let (time, _) = rest.split_once('-')?;
    let (clock, milliseconds) = time.split_at_checked(6)?;
    let at = DateTime::strptime("%Y%m%d %H%M%S", format!("{day} {clock}")).ok()?;
    let at = at.to_zoned(TimeZone::UTC).ok()?.timestamp();
    let milliseconds: i64 = milliseconds.parse().ok().filter(|_| milliseconds.len() == 3)?;
    Timestamp::from_millisecond(at.as_millisecond() + milliseconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "20260101-000000001-ab";
    const SECOND: &str = "20260102-000000002-cd";

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn put(&self, path: &str, text: &str) {
            let path = self.0.path().join("reviews").join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }

        fn run(&self, id: &str) {
            let record = r#"{"started_at":"2026-01-01T00:00:00Z","range":{"spec":"A..B"}}"#;
            self.put(&format!("{id}/run.json"), record);
        }
    }

    fn folder() -> (Folder, Chronicle) {
        let folder = Folder(tempfile::tempdir().unwrap());
        let places = [Path::new("cache"), Path::new("bundles"), Path::new("reviews")];
        let chronicle = Chronicle::new(Store::new(folder.0.path(), places));
        (folder, chronicle)
    }

    fn line(id: &str, distinct: u64) -> String {
        let totals = format!(
            r#"{{"convergent":0,"distinct":{distinct},"by_severity":{{"BLOCK":0,"INFO":0,"WARN":{distinct}}}}}"#
        );
        format!(r#"{{"run":"{id}","totals":{totals},"verdict":"ship","gate":"off","answered":2,"asked":3}}"#)
            + "\n"
    }

    /// `id issues` of each run that is told; `-id` of those that are gone.
    fn told(chronicle: &mut Chronicle) -> Vec<String> {
        let News { told, gone } = chronicle.follow();
        let told = told.into_iter().map(|brief| match brief.came_to {
            Some(came_to) => format!("{} {} {:?}", brief.id, came_to.totals.distinct, came_to.heard),
            None => format!("{} under way", brief.id),
        });
        told.chain(gone.into_iter().map(|id| format!("-{id}"))).collect()
    }

    #[test]
    fn what_is_new_is_told_once() {
        let (folder, mut chronicle) = folder();
        assert_eq!(told(&mut chronicle), [] as [&str; 0]);
        folder.run(FIRST);
        assert_eq!(told(&mut chronicle), [format!("{FIRST} under way")]);
        assert_eq!(told(&mut chronicle), [] as [&str; 0]);
        folder.put("findings.jsonl", &(line(FIRST, 1) + "torn"));
        assert_eq!(told(&mut chronicle), [format!("{FIRST} 1 Some((2, 3))")]);
        folder.run(SECOND);
        folder.put("findings.jsonl", &(line(FIRST, 1) + &line(SECOND, 22)));
        assert_eq!(told(&mut chronicle), [format!("{SECOND} 22 Some((2, 3))")]);
        folder.put("findings.jsonl", &(line(FIRST, 3) + &line(SECOND, 22)));
        assert_eq!(told(&mut chronicle), [format!("{FIRST} 3 Some((2, 3))")]);
        fs::remove_dir_all(folder.0.path().join("reviews").join(FIRST)).unwrap();
        assert_eq!(told(&mut chronicle), [format!("-{FIRST}")]);
    }

    #[test]
    fn a_run_without_a_line_is_asked_for_its_tally() {
        let (folder, mut chronicle) = folder();
        folder.run(FIRST);
        let tally = r#"{"totals":{"convergent":1,"distinct":2},"verdict":{"result":"hold"},"gate":{"result":"fail"},
                        "coverage":[{"state":"answered"},{"state":"failed"}]}"#;
        folder.put(&format!("{FIRST}/tally.json"), tally);
        folder.put("20260103-000000003-ef/gauntlet.json", "{}");
        folder.put("notes/run.json", "{}");
        assert_eq!(told(&mut chronicle), [format!("{FIRST} 2 Some((1, 2))")]);
    }

    #[test]
    fn when_a_run_began() {
        let check = |id: &str, expect: Option<&str>| {
            assert_eq!(begun(id).map(|at| at.to_string()).as_deref(), expect, "{id}");
        };
        check("20261121-062149897-4ac24b", Some("2026-11-21T06:21:49.897Z"));
        for id in
            ["", "notes", "20261121", "20261321-062149897-4ac24b", "20261121-0621-4a", "2026/1-062149897-a"]
        {
            check(id, None);
        }
        check("20261121-06214989\u{e9}-a", None);
    }
}
