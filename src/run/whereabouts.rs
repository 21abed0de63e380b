//! Looks for the code of earlier issues at the head under review: [`look`] asks git for both versions of their files.
//!
//! What follows from them is `tally::since::place`'s matter.

use std::collections::BTreeMap;

use crate::{
    change::{Change, FilePatch, FileStatus, RepoPath},
    git::Repo,
    tally::since::{
        Last, Whereabouts,
        place::{Versions, whereabouts},
    },
};

/// The changes that tell where a file went.
#[derive(Debug, Clone, Copy)]
pub struct Differences<'a> {
    /// From the last review's head to the one under review; `None` where that commit is not here.
    pub since: Option<&'a Change>,
    /// From the pull request's base to its head.
    pub whole: &'a Change,
}

/// Notes of each of the issues of `last` where its code is at the commit `head`.
pub fn look(repo: &Repo, last: &mut Last, head: &str, differences: Differences<'_>) {
    let mut files: BTreeMap<String, File<'_>> = BTreeMap::new();
    let then = last.head.clone();
    for issue in &mut last.issues {
        let path = &issue.path;
        let file =
            files.entry(path.clone()).or_insert_with(|| File::read(repo, path, [&then, head], differences));
        // A path that was no file then tells nothing; a line of code was shown to somebody.
        let is_known = differences.since.is_none() && issue.code.is_some();
        let is_file = is_known || file.is_anywhere();
        issue.now = if is_file { whereabouts(issue, file.versions()) } else { Whereabouts::Unknown };
    }
}

/// A file then and now.
struct File<'a> {
    before: Option<String>,
    now: Option<(String, String)>,
    difference: Option<&'a FilePatch>,
}

impl<'a> File<'a> {
    fn read(repo: &Repo, path: &str, [then, head]: [&str; 2], differences: Differences<'a>) -> Self {
        let path = RepoPath::from_display(path);
        let moved = |change: &'a Change| {
            let mut files = change.files.iter();
            files.find(|file| file.status == FileStatus::Renamed && file.old_path.as_ref() == Some(&path))
        };
        let same = |change: &'a Change| change.files.iter().find(|file| file.path == path);
        let difference = differences.since.and_then(|change| moved(change).or_else(|| same(change)));
        let renamed = difference.filter(|file| file.status == FileStatus::Renamed);
        let at = |path: &RepoPath| Some((path.to_string(), repo.text_at(head, path)?));
        let mut now = at(renamed.map_or(&path, |file| &file.path));
        if now.is_none() && differences.since.is_none() {
            now = moved(differences.whole).and_then(|file| at(&file.path));
        }
        let before = differences.since.and_then(|_| repo.text_at(then, &path));
        Self { before, now, difference }
    }

    fn is_anywhere(&self) -> bool {
        self.difference.is_some() || self.before.is_some() || self.now.is_some()
    }

    fn versions(&self) -> Versions<'_> {
        let now = self.now.as_ref().map(|(path, text)| (path.as_str(), text.as_str()));
        Versions { before: self.before.as_deref(), now, difference: self.difference }
    }
}
