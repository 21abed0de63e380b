//! Which changed file a path means that a reviewer wrote: [`Paths`].
//!
//! Only paths of the change are ever given back, so text of a reply decides nothing but which of them it is.

use std::collections::{BTreeMap, HashMap};

/// The paths of a change, new ones and those that files were renamed from.
#[derive(Debug, Default)]
pub(super) struct Paths {
    /// By their last part in lower case: every path that is known, and the changed file that it stands for.
    by_name: HashMap<String, BTreeMap<String, String>>,
}

impl Paths {
    /// Learns a changed file, and the path it had before it was renamed.
    pub(super) fn add(&mut self, path: &str, old_path: Option<&str>) {
        for known in old_path.into_iter().chain([path]) {
            let same_name = self.by_name.entry(last_part(known)).or_default();
            // What is a changed file itself stands for nothing else.
            if known == path || !same_name.contains_key(known) {
                same_name.insert(known.to_owned(), path.to_owned());
            }
        }
    }

    /// The changed file that `given` means: as written, without `a/` or `b/`, as the end of exactly one path, in other
    /// letter case, or as an absolute path that ends in exactly one path with a folder.
    pub(super) fn find(&self, given: &str) -> Option<&str> {
        let same_name = self.by_name.get(&last_part(given))?;
        // A folder of the repository may be called like git's prefix.
        let written = || [Some(given), unprefixed(given)].into_iter().flatten();
        let exact = written().find_map(|path| same_name.get(path)).map(String::as_str);
        exact.or_else(|| written().find_map(|path| nearly(path, same_name)))
    }
}

/// `path` without the prefix that git writes before it in a diff, if that may be one.
pub(super) fn unprefixed(path: &str) -> Option<&str> {
    path.strip_prefix("a/").or_else(|| path.strip_prefix("b/"))
}

/// The only file of `same_name` that `given` means without being written like it.
fn nearly<'a>(given: &str, same_name: &'a BTreeMap<String, String>) -> Option<&'a str> {
    let ways: [&dyn Fn(&str) -> bool; 3] = [
        &|known| ends_in(known, given, str::eq),
        &|known| ends_in(known, given, str::eq_ignore_ascii_case),
        &|known| is_absolute(given) && known.contains('/') && ends_in(given, known, str::eq),
    ];
    let is_usable = matches!(why_no_path(given), None | Some(NOT_RELATIVE));
    let mut ways = ways.iter().filter(|_| is_usable);
    ways.find_map(|fits| only(same_name, fits)).filter(|path| !path.is_empty())
}

/// The one file that paths which fit stand for; empty when there are several.
fn only<'a>(paths: &'a BTreeMap<String, String>, fits: &dyn Fn(&str) -> bool) -> Option<&'a str> {
    let mut fitting = paths.iter().filter(|(known, _)| fits(known)).map(|(_, path)| path.as_str());
    let first = fitting.next()?;
    Some(if fitting.all(|other| other == first) { first } else { "" })
}

/// Whether `path` is `end`, or a folder and then `end`.
fn ends_in(path: &str, end: &str, same: impl Fn(&str, &str) -> bool) -> bool {
    let Some(at) = path.len().checked_sub(end.len()) else { return false };
    path.is_char_boundary(at) && same(&path[at..], end) && (at == 0 || path[..at].ends_with('/'))
}

fn last_part(path: &str) -> String {
    path.rsplit('/').next().unwrap_or_default().to_lowercase()
}

fn is_absolute(path: &str) -> bool {
    path.starts_with('/') || path.as_bytes().get(1) == Some(&b':')
}

const NOT_RELATIVE: &str = "the path is not relative to the repository";

/// Why `path` cannot be inside a repository.
pub(super) fn why_no_path(path: &str) -> Option<&'static str> {
    if path.trim().is_empty() {
        Some("no path given")
    } else if path.split(['/', '\\']).any(|part| part == "..") {
        Some("the path leads out of the repository")
    } else if path.chars().any(char::is_control) {
        Some("the path holds control characters")
    } else if is_absolute(path) || path.starts_with(['\\', '~']) || path.contains("://") {
        Some(NOT_RELATIVE)
    } else {
        None
    }
}
