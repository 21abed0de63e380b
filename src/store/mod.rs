//! Runs on disk: [`Store`] knows the two folders, [`RunDir`] writes and reads one run.
//!
//! Replies are written as they arrive, each whole or not at all. It keeps bytes: reading bundles' diffs and judging
//! replies is left to others.
#![expect(clippy::disallowed_methods, reason = "this is the edge that reads and writes runs")]

mod adopt;
pub mod cache;
pub mod callers;
pub mod chronicle;
pub mod database;
mod decisions;
pub mod deliveries;
mod folder;
mod gauntlets;
pub mod jobs;
mod judgements;
mod labels;
mod load;
pub mod nodes;
mod overrides;
mod pull;
pub mod record;
mod smoke;
pub mod threads;

use std::{
    fs::{File, OpenOptions},
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use serde::Serialize;

pub use cache::Cache;
pub use decisions::Decisions;
pub use folder::{LooseReply, loose_replies};
pub use gauntlets::Gauntlets;
pub use labels::{ChangeAt, LabelledCase, labelled_cases};
pub use load::{Saved, SavedBundle};
pub use overrides::Overrides;
use record::{Manifest, OutcomeRecord, RecordError, RunRecord};

use crate::{bundle::Split, coverage::Outcome, report::json, reviewer::ReviewerId};

/// The folders runs are kept in.
#[derive(Debug, Clone)]
pub struct Store {
    bundles: PathBuf,
    reviews: PathBuf,
    cache: PathBuf,
}

/// One run's two folders.
#[derive(Debug, Clone)]
pub struct RunDir {
    /// Run id.
    pub id: String,
    /// `bundles/<run>`.
    pub bundles: PathBuf,
    /// `reviews/<run>`.
    pub review: PathBuf,
}

/// Something about the disk, or about a run on it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file or folder that cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file or folder that cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file that is not what its name says.
    #[error("{} is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// RUN names nothing.
    #[error("no run {name:?} in {}", reviews.display())]
    NoSuchRun {
        /// As asked for.
        name: String,
        /// Where it was looked for.
        reviews: PathBuf,
        /// The newest runs there are.
        known: Vec<String>,
    },
    /// RUN is a prefix of several.
    #[error("{name:?} could be any of {}", candidates.join(", "))]
    Ambiguous {
        /// As asked for.
        name: String,
        /// What it fits.
        candidates: Vec<String>,
    },
}

impl Store {
    /// A store whose folders are absolute or start at `root`. Nothing is created yet.
    pub fn new(root: &Path, [cache, bundles, reviews]: [&Path; 3]) -> Self {
        Self { bundles: root.join(bundles), reviews: root.join(reviews), cache: root.join(cache) }
    }

    /// Creates the folders of a new run and writes its `manifest.json`, diffs and `run.json`.
    pub fn create(
        &self,
        record: &RunRecord,
        manifest: &Manifest,
        split: &Split,
    ) -> Result<RunDir, StoreError> {
        let run = self.run(&record.id);
        create_folder(&run.bundles)?;
        create_folder(&run.review.join("replies"))?;
        self.keep_out_of_git()?;
        for bundle in &split.bundles {
            write(&run.bundles.join(format!("{}.diff", bundle.id)), &bundle.diff())?;
        }
        write_json(&run.bundles.join("manifest.json"), manifest)?;
        run.write_record(record)?;
        Ok(run)
    }

    /// Where answers are kept for other runs, and where runs are kept.
    pub fn folders(&self) -> [&Path; 3] {
        [&self.cache, &self.bundles, &self.reviews]
    }

    /// Writes only bundles, for `scrum bundle`.
    pub fn create_bundles(
        &self,
        id: &str,
        manifest: &Manifest,
        split: &Split,
    ) -> Result<PathBuf, StoreError> {
        let folder = self.bundles.join(id);
        create_folder(&folder)?;
        self.keep_out_of_git()?;
        for bundle in &split.bundles {
            write(&folder.join(format!("{}.diff", bundle.id)), &bundle.diff())?;
        }
        write_json(&folder.join("manifest.json"), manifest)?;
        Ok(folder)
    }

    fn run(&self, id: &str) -> RunDir {
        RunDir { id: id.to_owned(), bundles: self.bundles.join(id), review: self.reviews.join(id) }
    }

    fn keep_out_of_git(&self) -> Result<(), StoreError> {
        keep_out_of_git(&self.bundles)?;
        keep_out_of_git(&self.reviews)
    }

    /// Appends one line to `findings.jsonl` in one write, so that two runs at once never mix their lines.
    pub fn append_finding_line(&self, line: &str) -> Result<(), StoreError> {
        create_folder(&self.reviews)?;
        append_line(&self.reviews.join("findings.jsonl"), line)
    }

    /// The run that `name` means: a run id, a prefix of one, `latest`, or a path to a run's folder.
    pub fn find(&self, name: &str) -> Result<RunDir, StoreError> {
        let as_path = Path::new(name);
        if as_path.join("run.json").is_file() {
            return Ok(self.run_at(as_path));
        }
        self.find_by_id(name, |_| true)
    }

    /// Likewise, but never by a path: for names that strangers give. Those not in `sight` might as well not be there.
    pub fn find_by_id(&self, name: &str, sight: impl Fn(&str) -> bool) -> Result<RunDir, StoreError> {
        let mut known = self.run_ids();
        known.retain(|id| sight(id));
        known.sort_unstable();
        let fitting: Vec<_> = known.iter().filter(|id| id.starts_with(name)).cloned().collect();
        match (name, fitting.as_slice(), known.last()) {
            ("latest", _, Some(newest)) => Ok(self.run(newest)),
            (_, [only], _) => Ok(self.run(only)),
            (_, [_, ..], _) if known.iter().any(|id| id == name) => Ok(self.run(name)),
            (_, [_, ..], _) => Err(StoreError::Ambiguous { name: name.to_owned(), candidates: fitting }),
            (_, [], _) => Err(StoreError::NoSuchRun {
                name: name.to_owned(),
                reviews: self.reviews.clone(),
                known: known.into_iter().rev().take(5).collect(),
            }),
        }
    }

    fn run_at(&self, folder: &Path) -> RunDir {
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        let id = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let beside = folder.ancestors().nth(2).map(|above| above.join("bundles").join(&id));
        let bundles = beside.filter(|path| path.is_dir()).unwrap_or_else(|| self.bundles.join(&id));
        RunDir { id, bundles, review: folder }
    }

    /// Every run, the oldest first.
    pub fn runs(&self) -> Vec<RunDir> {
        let mut ids = self.run_ids();
        ids.sort_unstable();
        ids.iter().map(|id| self.run(id)).collect()
    }

    fn run_ids(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.reviews).into_iter().flatten().flatten();
        entries
            .filter(|entry| entry.path().join("run.json").is_file())
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect()
    }
}

impl RunDir {
    /// Saves a task's reply, then its outcome. A task without text leaves only its outcome.
    pub fn save(&self, outcome: &Outcome, text: Option<&str>) -> Result<(), StoreError> {
        if let Some(text) = text {
            write(&self.reply_path(&outcome.bundle, &outcome.reviewer), text.as_bytes())?;
        }
        let path = self.review.join("outcomes.jsonl");
        let line = to_json(&path, &OutcomeRecord::from(outcome))?;
        append_line(&path, &line)
    }

    /// Writes `run.json`.
    pub fn write_record(&self, record: &RunRecord) -> Result<(), StoreError> {
        write_json(&self.review.join("run.json"), record)
    }

    /// Writes a product of the run, such as `tally.json`, into its folder.
    pub fn write_output(&self, name: &str, text: &str) -> Result<(), StoreError> {
        write(&self.review.join(name), text.as_bytes())
    }

    fn reply_path(&self, bundle: &str, reviewer: &ReviewerId) -> PathBuf {
        self.review.join("replies").join(format!("{bundle}__{reviewer}.md"))
    }
}

/// A folder named `.scrum` ignores itself, so that what is in it is never committed by accident.
pub fn keep_out_of_git(folder: &Path) -> Result<(), StoreError> {
    let mut above = folder.ancestors();
    let Some(own) = above.find(|path| path.file_name().is_some_and(|name| name == ".scrum")) else {
        return Ok(());
    };
    let ignore = own.join(".gitignore");
    if ignore.exists() {
        return Ok(());
    }
    create_folder(own)?;
    write(&ignore, b"*\n")
}

/// Writes `bytes` to `path`, whole or not at all.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let in_words = |source| StoreError::Write { path: path.to_owned(), source };
    let mut file = tempfile::Builder::new()
        .prefix(".scrum-")
        .permissions(readable_by_all())
        .tempfile_in(folder)
        .map_err(in_words)?;
    file.write_all(bytes).map_err(in_words)?;
    file.persist(path).map_err(|error| in_words(error.error))?;
    Ok(())
}

/// What a plain `open` would ask for; the process's umask takes its share.
fn readable_by_all() -> std::fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o666)
}

fn create_folder(path: &Path) -> Result<(), StoreError> {
    std::fs::create_dir_all(path).map_err(|source| StoreError::Write { path: path.to_owned(), source })
}

fn append_line(path: &Path, line: &str) -> Result<(), StoreError> {
    let in_words = |source| StoreError::Write { path: path.to_owned(), source };
    let mut file = OpenOptions::new().create(true).read(true).append(true).open(path).map_err(in_words)?;
    // A full disk may have torn the last line off; this one must not be lost with it.
    let torn = if ends_inside_a_line(&mut file).map_err(in_words)? { "\n" } else { "" };
    file.write_all(format!("{torn}{}\n", line.trim_end()).as_bytes()).map_err(in_words)
}

fn ends_inside_a_line(file: &mut File) -> std::io::Result<bool> {
    let mut last = [b'\n'];
    if file.seek(SeekFrom::End(0))? > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    Ok(last != *b"\n")
}

fn to_json<T: Serialize>(path: &Path, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value)
        .map(json::printable)
        .map_err(|error| StoreError::Damaged { path: path.to_owned(), reason: error.to_string() })
}

fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), StoreError> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| StoreError::Damaged { path: path.to_owned(), reason: error.to_string() })?;
    write(path, (json::printable(text) + "\n").as_bytes())
}

fn read(path: &Path) -> Result<Vec<u8>, StoreError> {
    std::fs::read(path).map_err(|source| StoreError::Read { path: path.to_owned(), source })
}

/// The lines of a file of lines; none when there is no file. What follows a line torn by a full disk stands on a line of its
/// own.
fn lines(path: &Path) -> Result<Vec<String>, StoreError> {
    if !path.is_file() {
        return Ok(Vec::new());
    }
    Ok(String::from_utf8_lossy(&read(path)?).lines().map(str::to_owned).collect())
}

fn damaged(path: &Path) -> impl Fn(RecordError) -> StoreError {
    let path = path.to_owned();
    move |error| StoreError::Damaged { path: path.clone(), reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_line_costs_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines");
        append_line(&path, "one").unwrap();
        std::fs::write(&path, "one\ntor").unwrap();
        append_line(&path, "two").unwrap();
        append_line(&path, "three\n").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one\ntor\ntwo\nthree\n");
    }
}
