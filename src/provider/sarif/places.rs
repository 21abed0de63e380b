//! From the places a report names to paths of the repository: [`Places`].
//!
//! A report's word opens no file and names no folder: all it can do is be equal to a path of the change.

use std::{
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use url::Url;

use super::analysis::Changed;
use crate::change::RepoPath;

/// How the paths in a report are meant.
pub(super) struct Places<'a> {
    changed: &'a Changed,
    /// The root of the tree and the folder in it where the tool ran; `None` for a report that came from elsewhere.
    ran: Option<Ran>,
}

struct Ran {
    root: PathBuf,
    folder: PathBuf,
    url: Url,
}

impl<'a> Places<'a> {
    /// For a report made in `folder`, which is `root` or lies in it; both without symbolic links.
    pub(super) fn new(root: &Path, folder: &Path, changed: &'a Changed) -> Self {
        let url = Url::from_directory_path(folder).ok();
        let ran = url.map(|url| Ran { root: root.to_owned(), folder: folder.to_owned(), url });
        Self { changed, ran }
    }

    /// For a report from another place: relative paths start at the root, absolute ones are known by their end.
    pub(super) fn elsewhere(changed: &'a Changed) -> Self {
        Self { changed, ran: None }
    }

    /// The repository's path for `place`, a path or URI that is relative to `base` where there is one.
    pub(super) fn path(&self, base: Option<&str>, place: &str) -> Option<RepoPath> {
        self.literally(place).or_else(|| self.as_uri(base, place))
    }

    /// Many tools write paths where URIs are asked for, and do not escape them.
    fn literally(&self, place: &str) -> Option<RepoPath> {
        let plain = place.strip_prefix("./").unwrap_or(place);
        let path = match &self.ran {
            Some(ran) => below(&ran.root, &ran.folder.join(plain))?,
            None => RepoPath::from(plain),
        };
        self.changed.holds(&path).then_some(path)
    }

    fn as_uri(&self, base: Option<&str>, place: &str) -> Option<RepoPath> {
        let start =
            self.ran.as_ref().map_or_else(|| Url::parse("file:///").ok(), |ran| Some(ran.url.clone()))?;
        let start = match base {
            Some(base) => start.join(base).ok()?,
            None => start,
        };
        let file = start.join(place).ok()?.to_file_path().ok()?;
        match &self.ran {
            Some(ran) => below(&ran.root, &file),
            None => self.by_end(&file),
        }
    }

    /// The one changed file that `file` ends with.
    fn by_end(&self, file: &Path) -> Option<RepoPath> {
        let mut fitting = self.changed.files().filter(|path| file.ends_with(os_path(path)));
        let first = fitting.next()?;
        fitting.next().is_none().then(|| first.clone())
    }
}

fn below(root: &Path, file: &Path) -> Option<RepoPath> {
    file.strip_prefix(root).ok().map(|path| RepoPath::new(path.as_os_str().as_bytes()))
}

/// A repository's path as the system writes it.
pub(super) fn os_path(path: &RepoPath) -> &Path {
    Path::new(std::ffi::OsStr::from_bytes(path.as_bytes()))
}
