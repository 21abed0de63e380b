//! The files of a run, from an attempt's folder into the store and back: [`Files`].
//!
//! Their names are made here, from the tree of the run's own folders, of plain parts only; links are not followed. Attempts
//! come and go, and what they have paid for stays.
#![expect(clippy::disallowed_methods, reason = "the place where files of jobs are read and written")]

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    time::SystemTime,
};

use crate::store;

/// Most bytes of one file.
const LARGEST: u64 = 8 << 20;
/// Most bytes of all.
const MOST_BYTES: u64 = 64 << 20;
/// Most files.
const MOST: usize = 5_000;
/// Most folders above a file.
const DEEPEST: usize = 6;
/// Folders of runs: their diffs, and all else.
pub(super) const PARTS: [&str; 2] = ["bundles", "reviews"];

/// The files below a folder, and which of them are in the store as they are.
#[derive(Debug)]
pub(in crate::serve) struct Files {
    root: PathBuf,
    kept: BTreeMap<String, Mark>,
}

/// Tells that a file was written again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    bytes: u64,
    changed: SystemTime,
}

/// Which files were read, as they were then.
#[derive(Debug)]
pub(super) struct Marks(Vec<(String, Mark)>);

impl Files {
    /// Those below `root`, of which none is kept yet.
    pub(in crate::serve) fn new(root: PathBuf) -> Self {
        Self { root, kept: BTreeMap::new() }
    }

    /// Writes what was kept.
    pub(in crate::serve) fn restore(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        if !is_plain(name) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("{name:?} is no file of a run")));
        }
        let path = self.root.join(name);
        make_folder_of(&path)?;
        store::write(&path, bytes).map_err(io::Error::other)?;
        if let Some(mark) = mark(&path) {
            self.kept.insert(name.to_owned(), mark);
        }
        Ok(())
    }

    /// Files that are not in the store as they are, of about `most` bytes; none when all are. What is too large is left out.
    pub(super) fn changed(&self, most: usize) -> (Vec<(String, Vec<u8>)>, Marks) {
        let mut found = BTreeMap::new();
        for part in PARTS {
            find(&self.root, part, 1, &mut found);
        }
        let (mut changed, mut marks, mut bytes, mut all) = (Vec::new(), Vec::new(), 0, 0);
        for (name, mark) in found {
            all += mark.bytes;
            if all > MOST_BYTES || bytes > most {
                break;
            }
            if self.kept.get(&name) != Some(&mark)
                && let Ok(content) = read(&self.root.join(&name))
            {
                bytes += content.len();
                changed.push((name.clone(), content));
                marks.push((name, mark));
            }
        }
        (changed, Marks(marks))
    }

    /// What was read is in the store.
    pub(super) fn keep(&mut self, marks: Marks) {
        self.kept.extend(marks.0);
    }
}

/// Makes the folder that a file at `path` will be in.
pub(super) fn make_folder_of(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)
}

/// Files below the folder `name` of `root`.
fn find(root: &Path, name: &str, depth: usize, found: &mut BTreeMap<String, Mark>) {
    for entry in fs::read_dir(root.join(name)).into_iter().flatten().flatten() {
        let Some(own) = entry.file_name().to_str().filter(|own| is_plain(own)).map(str::to_owned) else {
            continue;
        };
        let path = format!("{name}/{own}");
        // Of a link it tells that it is one.
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() && depth < DEEPEST {
            find(root, &path, depth + 1, found);
        } else if kind.is_file()
            // What lies beside the runs is of all runs.
            && depth > 1
            && found.len() < MOST
            && let Some(mark) = mark(&entry.path()).filter(|mark| mark.bytes <= LARGEST)
        {
            found.insert(path, mark);
        }
    }
}

fn mark(path: &Path) -> Option<Mark> {
    let about = fs::symlink_metadata(path).ok()?;
    Some(Mark { bytes: about.len(), changed: about.modified().ok()? })
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LARGEST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Parts of letters, digits and `-_.+`, none of which is hidden.
fn is_plain(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.+".contains(&byte);
    let mut parts = name.split('/');
    parts.all(|part| !part.is_empty() && !part.starts_with('.') && part.bytes().all(is_plain))
}

/// The last of the runs that are named so, of those that can be gone on with.
pub(super) fn unfinished<'a>(names: impl Iterator<Item = &'a str>) -> Option<String> {
    let run = |name: &'a str| name.strip_prefix("reviews/")?.strip_suffix("/run.json");
    names.filter_map(run).filter(|id| !id.contains('/')).max().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(files: &Files) -> Vec<String> {
        files.changed(usize::MAX).0.into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn a_file_is_read_once_until_it_is_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut files = Files::new(folder.path().to_owned());
        assert_eq!(names(&files), [] as [&str; 0]);
        let replies = folder.path().join("reviews/r1/replies");
        fs::create_dir_all(&replies).unwrap();
        fs::write(replies.join("c1__opus.md"), "fine").unwrap();
        fs::write(folder.path().join("reviews/findings.jsonl"), "of all runs").unwrap();
        fs::write(replies.join(".hidden"), "").unwrap();
        fs::write(replies.join("a b"), "").unwrap();
        std::os::unix::fs::symlink("/etc/passwd", replies.join("link")).unwrap();
        std::os::unix::fs::symlink("/etc", folder.path().join("reviews/r1/etc")).unwrap();
        let reply = "reviews/r1/replies/c1__opus.md";
        assert_eq!(names(&files), [reply]);
        let (_, marks) = files.changed(usize::MAX);
        files.keep(marks);
        assert_eq!(names(&files), [] as [&str; 0]);
        fs::write(replies.join("c1__opus.md"), "not fine").unwrap();
        assert_eq!(names(&files), [reply]);
    }

    #[test]
    fn what_was_kept_is_written_where_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let mut files = Files::new(folder.path().to_owned());
        files.restore("reviews/r1/run.json", b"{}").unwrap();
        assert_eq!(fs::read(folder.path().join("reviews/r1/run.json")).unwrap(), b"{}");
        assert_eq!(names(&files), [] as [&str; 0], "it is in the store");
        for name in ["../x", "/etc/x", "reviews/../../x", "reviews//x", "", "a/.git", "a\u{0}"] {
            assert!(files.restore(name, b"").is_err(), "{name:?}");
        }
    }

    #[test]
    fn the_run_to_go_on_with() {
        let check = |names: &[&str], expect: Option<&str>| {
            assert_eq!(unfinished(names.iter().copied()).as_deref(), expect);
        };
        check(&[], None);
        check(&["bundles/1/manifest.json", "reviews/1/replies/run.json"], None);
        check(&["reviews/1/run.json", "reviews/2/run.json", "reviews/2/tally.json"], Some("2"));
    }
}
