//! Looks into the folders at or above changed files: [`each`], and [`package_roots`] with it.
//!
//! Only those folders are read, never a whole tree. What a package root is good for is the bundle's business.

use std::collections::BTreeSet;
use std::path::Path;

use git2::{Oid, Repository, Tree};

use super::error::GitError;
use super::trees;
use crate::change::{Change, FileStatus, RepoPath};

/// Files that make a folder a package, by their whole name.
const MANIFESTS: [&str; 22] = [
    "Cargo.toml",
    "go.mod",
    "package.json",
    "deno.json",
    "pyproject.toml",
    "setup.py",
    "setup.cfg",
    "pom.xml",
    "build.gradle",
    "build.gradle.kts",
    "build.sbt",
    "mix.exs",
    "rebar.config",
    "composer.json",
    "Gemfile",
    "pubspec.yaml",
    "Package.swift",
    "Project.toml",
    "dune-project",
    "stack.yaml",
    "build.zig",
    "shard.yml",
];
/// Files that make a folder a package, by the end of their name.
const MANIFEST_ENDS: [&str; 6] = [".gemspec", ".csproj", ".fsproj", ".vbproj", ".cabal", ".rockspec"];

/// A set of folders without trailing `/`; the root is the empty name.
pub(super) type Folders = BTreeSet<Vec<u8>>;

/// The folders at or above the given paths, the root included.
pub(super) fn above<'a>(paths: impl Iterator<Item = &'a RepoPath>) -> Folders {
    let mut folders = Folders::from([Vec::new()]);
    for path in paths {
        let mut folder = path.parent();
        while !folder.is_empty() && folders.insert(folder.to_vec()) {
            folder = parent(folder);
        }
    }
    folders
}

fn parent(folder: &[u8]) -> &[u8] {
    folder.iter().rposition(|byte| *byte == b'/').map_or(&[], |at| &folder[..at])
}

/// Shows `visit` each of `folders` that is in the tree `root`, parents first. `folders` holds all parents too.
pub(super) fn each(
    repo: &Repository,
    root: Oid,
    folders: &Folders,
    visit: &mut impl FnMut(&[u8], &Tree<'_>) -> Result<(), GitError>,
) -> Result<(), GitError> {
    enter(repo, root, &mut Vec::new(), folders, visit)
}

fn enter(
    repo: &Repository,
    id: Oid,
    path: &mut Vec<u8>,
    folders: &Folders,
    visit: &mut impl FnMut(&[u8], &Tree<'_>) -> Result<(), GitError>,
) -> Result<(), GitError> {
    let tree = trees::tree(repo, id)?;
    visit(path, &tree)?;
    for entry in tree.iter().filter(|entry| entry.kind() == Some(git2::ObjectType::Tree)) {
        let length = path.len();
        if length > 0 {
            path.push(b'/');
        }
        path.extend_from_slice(entry.name_bytes());
        if folders.contains(path) {
            enter(repo, entry.id(), path, folders, visit)?;
        }
        path.truncate(length);
    }
    Ok(())
}

/// See [`super::Repo::package_roots`].
pub(super) fn package_roots(repo: &Repository, change: &Change) -> Result<Vec<RepoPath>, GitError> {
    let (gone, kept): (Vec<_>, Vec<_>) =
        change.files.iter().partition(|file| file.status == FileStatus::Deleted);
    let new_folders = above(kept.iter().map(|file| &file.path));
    let old_folders = above(gone.iter().map(|file| &file.path));
    let mut roots = Folders::new();
    match &change.range.head {
        Some(head) => in_commit(repo, head, &new_folders, &mut roots)?,
        None => in_work(repo, &new_folders, &mut roots)?,
    }
    if let (Some(base), false) = (&change.range.base, gone.is_empty()) {
        in_commit(repo, base, &old_folders, &mut roots)?;
    }
    roots.remove(&Vec::new());
    Ok(roots.into_iter().map(RepoPath::new).collect())
}

fn in_commit(repo: &Repository, id: &str, folders: &Folders, roots: &mut Folders) -> Result<(), GitError> {
    let doing = GitError::while_doing("read a commit's tree");
    let commit = Oid::from_str(id).and_then(|id| repo.find_commit(id)).map_err(&doing)?;
    each(repo, commit.tree_id(), folders, &mut |folder, tree| {
        if tree.iter().any(|entry| is_manifest(entry.name_bytes())) {
            roots.insert(folder.to_vec());
        }
        Ok(())
    })
}

/// Manifests in the index, and in the work tree for folders that are not added yet.
fn in_work(repo: &Repository, folders: &Folders, roots: &mut Folders) -> Result<(), GitError> {
    let index = repo.index().map_err(GitError::while_doing("read the index"))?;
    for entry in index.iter() {
        let path = RepoPath::new(entry.path);
        if is_manifest(path.file_name()) && folders.contains(path.parent()) {
            roots.insert(path.parent().to_vec());
        }
    }
    let Some(work_tree) = repo.workdir() else { return Ok(()) };
    let untracked = folders.iter().filter(|folder| holds_manifest(&work_tree.join(as_path(folder))));
    roots.extend(untracked.cloned());
    Ok(())
}

/// A folder that cannot be listed holds none: it may be gone from the work tree.
fn holds_manifest(folder: &Path) -> bool {
    std::fs::read_dir(folder)
        .is_ok_and(|entries| entries.flatten().any(|entry| is_manifest(entry.file_name().as_encoded_bytes())))
}

pub(super) fn is_manifest(name: &[u8]) -> bool {
    MANIFESTS.iter().any(|manifest| manifest.as_bytes() == name)
        || MANIFEST_ENDS.iter().any(|end| name.len() > end.len() && name.ends_with(end.as_bytes()))
}

/// A path in the repository as a path on disk.
#[cfg(unix)]
pub(super) fn as_path(bytes: &[u8]) -> &Path {
    use std::os::unix::ffi::OsStrExt;
    Path::new(std::ffi::OsStr::from_bytes(bytes))
}

/// A path in the repository as a path on disk; git stores UTF-8 where paths are not bytes.
#[cfg(not(unix))]
pub(super) fn as_path(bytes: &[u8]) -> &Path {
    Path::new(std::str::from_utf8(bytes).unwrap_or_default())
}
