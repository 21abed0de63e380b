//! The files a program writes: [`Written`] looks before it starts and after it has ended.

#![expect(clippy::disallowed_methods, reason = "what programs write is read here")]

use std::{
    collections::BTreeMap,
    fs::{File, Metadata},
    io::{self, Read},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use ignore::WalkBuilder;

use super::output::{Kept, MOST, Output};

/// Most files that are read; a glob that matches more is most likely a mistake.
const MOST_FILES: usize = 1_000;

/// What there was before.
pub(super) struct Written {
    folder: PathBuf,
    globs: GlobSet,
    /// Where the globs begin, none inside of another one.
    starts: Vec<PathBuf>,
    before: BTreeMap<PathBuf, Mark>,
}

/// By which a file is told from an earlier one at its place.
#[derive(PartialEq, Eq)]
struct Mark {
    node: u64,
    length: u64,
    changed: (i64, i64),
}

impl From<&Metadata> for Mark {
    fn from(file: &Metadata) -> Self {
        Self { node: file.ino(), length: file.len(), changed: (file.ctime(), file.ctime_nsec()) }
    }
}

impl Written {
    /// Looks at what is there.
    pub(super) async fn before(folder: &Path, globs: &[String]) -> Result<Self, String> {
        let starts = outermost(globs.iter().map(|glob| start(glob)).collect());
        let before = BTreeMap::new();
        let written = Self { folder: folder.to_owned(), globs: compiled(globs)?, starts, before };
        apart(move || Ok(Self { before: written.marks()?, ..written })).await
    }

    /// Reads what is new, or no longer what it was.
    pub(super) async fn after(self) -> Result<BTreeMap<String, Output>, String> {
        apart(move || {
            let fresh = |(path, mark): &(PathBuf, Mark)| self.before.get(path) != Some(mark);
            let fresh: Vec<_> = self.marks()?.into_iter().filter(fresh).collect();
            if fresh.len() > MOST_FILES {
                return Err(format!("{} were written, at most {MOST_FILES} are read", fresh.len()));
            }
            let content = |(path, _): (PathBuf, Mark)| {
                let name = path.to_string_lossy().into_owned();
                let content = content(&self.folder.join(path)).map_err(|error| format!("{name}: {error}"))?;
                Ok((name, content))
            };
            fresh.into_iter().map(content).collect()
        })
        .await
    }

    fn marks(&self) -> Result<BTreeMap<PathBuf, Mark>, String> {
        let mut marks = BTreeMap::new();
        for start in self.starts.iter().map(|start| self.folder.join(start)).filter(|start| start.exists()) {
            for entry in WalkBuilder::new(start).standard_filters(false).build() {
                let entry = entry.map_err(|error| error.to_string())?;
                let Ok(path) = entry.path().strip_prefix(&self.folder) else { continue };
                // A link may lead anywhere, and is no file that was written.
                if entry.file_type().is_some_and(|kind| kind.is_file()) && self.globs.is_match(path) {
                    let file = entry.metadata().map_err(|error| error.to_string())?;
                    marks.insert(path.to_owned(), Mark::from(&file));
                }
            }
        }
        Ok(marks)
    }
}

/// Does `work` on a thread where it may block.
async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(error.to_string()))
}

fn compiled(globs: &[String]) -> Result<GlobSet, String> {
    let mut set = GlobSetBuilder::new();
    for glob in globs {
        if glob.starts_with('/') || glob.split('/').any(|part| part == "..") {
            return Err(format!("{glob:?} leads out of the folder"));
        }
        let plain = glob.strip_prefix("./").unwrap_or(glob);
        set.add(GlobBuilder::new(plain).literal_separator(true).build().map_err(|error| error.to_string())?);
    }
    set.build().map_err(|error| error.to_string())
}

/// The folder, or the file, that all of what `glob` matches is in.
fn start(glob: &str) -> PathBuf {
    let is_plain = |part: &&str| !part.contains(['*', '?', '[', '{', '\\']);
    glob.split('/').take_while(is_plain).filter(|part| *part != ".").collect()
}

fn outermost(mut starts: Vec<PathBuf>) -> Vec<PathBuf> {
    starts.sort();
    starts.dedup_by(|one, before| one.starts_with(before));
    starts
}

fn content(path: &Path) -> io::Result<Output> {
    let (mut file, mut kept, mut buffer) = (File::open(path)?, Kept::new(MOST), vec![0; 64 << 10]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(kept.output()),
            length => kept.push(&buffer[..length]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_are_looked_for_where_they_begin() {
        let check = |globs: &[&str], expect: &[&str]| {
            let expect: Vec<_> = expect.iter().map(PathBuf::from).collect();
            assert_eq!(outermost(globs.iter().map(|glob| start(glob)).collect()), expect, "{globs:?}");
        };
        check(&["out/*.json"], &["out"]);
        check(&["./out/a.json", "out/a/*.json", "outer/b"], &["out/a", "out/a.json", "outer/b"]);
        check(&["out/**/*.json", "out/a.json", "*.txt"], &[""]);
        check(&[], &[]);
    }

    #[test]
    fn globs_stay_in_the_folder() {
        let check = |glob: &str, expect: &str| {
            assert_eq!(compiled(&[glob.to_owned()]).map(drop), Err(expect.to_owned()));
        };
        check("/etc/*", "\"/etc/*\" leads out of the folder");
        check("out/../../*", "\"out/../../*\" leads out of the folder");
        check("out/[", "error parsing glob 'out/[': unclosed character class; missing ']'");
    }
}
