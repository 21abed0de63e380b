//! Files that a spec names, by glob or by name: [`matching`], and [`content`].
#![expect(clippy::disallowed_methods, reason = "this is the edge that reads configuration files")]

use std::path::{Component, Path, PathBuf};

use globset::GlobBuilder;
use ignore::WalkBuilder;

use super::LARGEST;

/// Most files of one glob; one that matches more is most likely a mistake.
const MOST_FILES: usize = 10_000;

/// The files below `folder` that `pattern` matches, from `folder` and in order; one at least.
pub(super) fn matching(folder: &Path, pattern: &str) -> Result<Vec<PathBuf>, String> {
    let is_plain = |part: &&str| !part.contains(['*', '?', '[', '{']);
    let start: PathBuf = pattern.split_inclusive('/').take_while(is_plain).collect::<String>().into();
    if start.as_os_str().len() == pattern.len() {
        return Ok(vec![start]);
    }
    let rest = &pattern[start.as_os_str().len()..];
    let glob = GlobBuilder::new(rest).literal_separator(true).build().map_err(|error| error.to_string())?;
    let (glob, top) = (glob.compile_matcher(), folder.join(&start));
    let walk = WalkBuilder::new(&top).standard_filters(false).build();
    let mut found: Vec<PathBuf> = walk
        .flatten()
        .filter(|entry| entry.path().is_file())
        .filter_map(|entry| entry.path().strip_prefix(&top).ok().map(Path::to_owned))
        .filter(|path| glob.is_match(path))
        .map(|path| start.join(path))
        .collect();
    found.sort();
    match found.len() {
        0 => Err(format!("no file matches {pattern:?}")),
        1..=MOST_FILES => Ok(found),
        many => Err(format!("{pattern:?} matches {many} files, at most {MOST_FILES} are read")),
    }
}

/// All of a file.
pub(super) fn content(path: &Path) -> Result<Vec<u8>, String> {
    let told = |error: std::io::Error| format!("cannot read {}: {error}", path.display());
    let length = std::fs::metadata(path).map_err(told)?.len();
    if length > LARGEST {
        return Err(format!("{} is larger than {} MiB", path.display(), LARGEST >> 20));
    }
    std::fs::read(path).map_err(told)
}

/// A path as part of a case's name: without the steps up.
pub(super) fn name(path: &Path) -> String {
    let named = path.components().filter(|part| matches!(part, Component::Normal(_)));
    named.collect::<PathBuf>().display().to_string()
}
