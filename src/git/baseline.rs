//! The revision whose files may steer a review: [`Baseline`].
//!
//! It is the base of the range, or where that is not on the default branch yet, the commit at which it left it: so no
//! commit of a branch under review speaks for itself, however small a part of it is reviewed. What its files mean, and
//! when the work tree's count instead, is decided elsewhere.

use std::path::{Component, Path, PathBuf};

use git2::{ErrorCode, ObjectType, Oid, Repository, TreeEntry};

use super::error::GitError;
use super::folders::{self, as_path};
use super::objects::{self, blob};
use super::trees::Entry;
use super::{Repo, range, trees};
use crate::change::{RangeInfo, RepoPath};

/// Larger files are not for reading, in bytes.
const LARGEST_NEARBY: u64 = 1 << 20;

/// The commit whose files may steer a review; a diff file and a first commit have none, nor has a base without any
/// ancestor on the default branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Baseline(Option<Oid>);

impl Baseline {
    /// Abbreviated id of the commit.
    pub fn name(self) -> Option<String> {
        self.0.map(|id| id.to_string()[..8].to_owned())
    }

    pub(super) fn tree(self, repo: &Repository) -> Result<Option<Oid>, GitError> {
        self.0.map(|commit| tree_of(repo, commit)).transpose()
    }
}

/// The revision whose files may steer a review against `base`.
pub(super) fn of(repo: &Repository, base: Option<Oid>) -> Result<Baseline, GitError> {
    let commit = base.map(|base| range::on_default_branch(repo, base)).transpose()?.flatten();
    Ok(Baseline(commit))
}

impl Repo {
    /// The revision whose files may steer a review of `range`.
    pub fn baseline(&self, range: &RangeInfo) -> Result<Baseline, GitError> {
        let base = range.base.as_deref().map(Oid::from_str).transpose();
        let base = base.map_err(GitError::while_doing("read the base's id"))?;
        of(&self.inner, base)
    }

    /// The content of the regular file at `path` of `baseline`; `None` where there is none. Links are not followed.
    pub fn file_at(&self, baseline: Baseline, path: &RepoPath) -> Result<Option<Vec<u8>>, GitError> {
        let Some(tree) = baseline.tree(&self.inner)? else { return Ok(None) };
        let tree = trees::tree(&self.inner, tree)?;
        match tree.get_path(as_path(path.as_bytes())) {
            Ok(entry) if entry.filemode() & 0o170_000 == 0o100_000 => {
                Ok(Some(blob(&self.inner, entry.id())?.content().to_vec()))
            }
            Ok(_) => Ok(None),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(error) => Err(GitError::while_doing("read the base's files")(error)),
        }
    }

    /// In each folder of `baseline` at or above one of `paths` the first regular file of `names` that there is, lossily as text.
    /// Those over 1 MiB are passed over.
    pub fn nearby_files<'a>(
        &self,
        baseline: Baseline,
        paths: impl Iterator<Item = &'a RepoPath>,
        names: &[&str],
    ) -> Result<Vec<(RepoPath, String)>, GitError> {
        let Some(tree) = baseline.tree(&self.inner)? else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        folders::each(&self.inner, tree, &folders::above(paths), &mut |folder, tree| {
            let regular = |entry: &TreeEntry<'_>| entry.filemode() & 0o170_000 == 0o100_000;
            let first = names.iter().find_map(|name| tree.get_name(name).filter(regular));
            let Some(entry) = first else { return Ok(()) };
            if objects::size(&self.inner, entry.id())? > LARGEST_NEARBY {
                return Ok(());
            }
            let path = if folder.is_empty() { Vec::new() } else { [folder, b"/"].concat() };
            let path = RepoPath::new([&path, entry.name_bytes()].concat());
            let content = String::from_utf8_lossy(blob(&self.inner, entry.id())?.content()).into_owned();
            found.push((path, content));
            Ok(())
        })?;
        Ok(found)
    }

    /// Whether the commit that is checked out has anything at `path`. What cannot be read counts as committed.
    pub fn is_committed(&self, path: &RepoPath) -> bool {
        let Ok(head) = self.inner.head().and_then(|head| head.peel_to_tree()) else { return false };
        standing(&self.inner, head.id(), path).map_or(true, |found| !found.is_empty())
    }

    /// Whether the commit that is checked out has the same as `baseline` at `path`.
    pub fn is_checked_out(&self, baseline: Baseline, path: &RepoPath) -> Result<bool, GitError> {
        let head = self.inner.head().and_then(|head| head.peel_to_commit());
        let head = Baseline(head.map(|commit| commit.id()).ok());
        let standing = |commit: Baseline| {
            commit.tree(&self.inner)?.map_or(Ok(Vec::new()), |tree| standing(&self.inner, tree, path))
        };
        Ok(head == baseline || standing(head)? == standing(baseline)?)
    }
}

/// The paths below the folder `root` that `file` goes by: as written first, then where links lead.
pub fn paths_below(root: &Path, file: &Path) -> Vec<RepoPath> {
    let written = without_dots(file);
    let below = |root: &Path, file: &Path| {
        let path = file.strip_prefix(root).ok().filter(|path| !path.as_os_str().is_empty())?;
        Some(RepoPath::new(path.as_os_str().as_encoded_bytes()))
    };
    let mut paths: Vec<RepoPath> = below(root, &written).into_iter().collect();
    if let Ok(root) = root.canonicalize() {
        paths.extend(below(&root, &written));
        paths.extend(file.canonicalize().ok().and_then(|file| below(&root, &file)));
    }
    paths.dedup();
    paths
}

/// `a/./b/../c` as `a/c`.
fn without_dots(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}

/// Whether one of `changed` is `path`, lies in it, or is a folder it lies in. Names that a file system may take for one
/// another are the same.
pub fn touches(changed: &[RepoPath], path: &RepoPath) -> bool {
    let path = alike(path.as_bytes());
    changed
        .iter()
        .map(|changed| alike(changed.as_bytes()))
        .any(|changed| is_in(&changed, &path) || is_in(&path, &changed))
}

fn is_in(inner: &str, outer: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn tree_of(repo: &Repository, commit: Oid) -> Result<Oid, GitError> {
    repo.find_commit(commit).map(|commit| commit.tree_id()).map_err(|error| GitError::object(commit, &error))
}

/// The entries of `tree` that a file system may take for `path`, and those on the way that are no folders.
fn standing(repo: &Repository, tree: Oid, path: &RepoPath) -> Result<Vec<(Vec<u8>, Entry)>, GitError> {
    let parts: Vec<String> = path.as_bytes().split(|byte| *byte == b'/').map(alike).collect();
    let mut found = Vec::new();
    let mut folders = vec![tree];
    for (at, part) in parts.iter().enumerate() {
        for folder in std::mem::take(&mut folders) {
            let folder = trees::tree(repo, folder)?;
            for entry in folder.iter().filter(|entry| alike(entry.name_bytes()) == *part) {
                if entry.kind() == Some(ObjectType::Tree) && at + 1 < parts.len() {
                    folders.push(entry.id());
                    continue;
                }
                let mode = entry.filemode().unsigned_abs();
                found.push((entry.name_bytes().to_vec(), Entry { mode, id: entry.id() }));
            }
        }
    }
    Ok(found)
}

/// What file systems that fold names make of one: without case, and without characters that some pass over.
fn alike(name: &[u8]) -> String {
    let is_passed_over = |c: &char| matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}');
    let text = String::from_utf8_lossy(name);
    text.chars()
        .filter(|c| !is_passed_over(c))
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_touches_what_a_file_system_takes_for_its_files() {
        let check = |changed: &str, path: &str, expect: bool| {
            assert_eq!(touches(&[changed.into()], &path.into()), expect, "{changed} {path}");
        };
        check("scrum.toml", "scrum.toml", true);
        check("Scrum.TOML", "scrum.toml", true);
        check("\u{17f}crum.toml", "scrum.toml", true);
        check("scr\u{200c}um.toml", "scrum.toml", true);
        check("prompts", "prompts/mine.md", true);
        check("prompts/mine.md", "prompts", true);
        check("prompts/mine.mdx", "prompts/mine.md", false);
        check("sub/scrum.toml", "scrum.toml", false);
    }

    #[test]
    fn paths_lose_their_dots() {
        let check = |file: &str, expect: &[&str]| {
            let expect: Vec<RepoPath> = expect.iter().map(|path| RepoPath::from(*path)).collect();
            assert_eq!(paths_below(Path::new("/no/repo"), Path::new(file)), expect, "{file}");
        };
        check("/no/repo/./a/../b.md", &["b.md"]);
        check("/no/repo/../other/b.md", &[]);
        check("/no/repo", &[]);
    }
}
