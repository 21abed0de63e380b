//! Compares two trees without reading any content: [`differences`] gives [`Pair`]s.
//!
//! Equal sub-trees are skipped by id. Renames are found elsewhere.

use std::cmp::Ordering;

use git2::{ObjectType, Oid, Repository, Tree};

use super::error::GitError;
use crate::change::RepoPath;

/// Bits of a git file mode that tell file, link and submodule apart.
const KIND_BITS: u32 = 0o170_000;

/// One side of a changed path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    /// Git file mode: `0o100644`, `0o100755`, `0o120000` (link), `0o160000` (submodule).
    pub(super) mode: u32,
    /// Blob, or the submodule's commit.
    pub(super) id: Oid,
}

impl Entry {
    pub(super) fn is_regular(self) -> bool {
        self.mode & KIND_BITS == 0o100_000
    }

    pub(super) fn is_submodule(self) -> bool {
        self.mode & KIND_BITS == 0o160_000
    }

    pub(super) fn same_kind(self, other: Self) -> bool {
        self.mode & KIND_BITS == other.mode & KIND_BITS
    }
}

/// A path that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pair {
    Added {
        path: RepoPath,
        new: Entry,
    },
    Deleted {
        path: RepoPath,
        old: Entry,
    },
    /// Other content, mode or kind.
    Changed {
        path: RepoPath,
        old: Entry,
        new: Entry,
    },
    /// `percent` of the content is the same.
    Renamed {
        old_path: RepoPath,
        old: Entry,
        path: RepoPath,
        new: Entry,
        percent: u32,
    },
}

impl Pair {
    /// Path on the new side; on the old side for a deletion.
    pub(super) fn path(&self) -> &RepoPath {
        match self {
            Self::Added { path, .. }
            | Self::Deleted { path, .. }
            | Self::Changed { path, .. }
            | Self::Renamed { path, .. } => path,
        }
    }

    /// Both sides of one path, unless they are equal or both absent.
    pub(super) fn of(path: RepoPath, old: Option<Entry>, new: Option<Entry>) -> Option<Self> {
        match (old, new) {
            (None, None) => None,
            (Some(old), Some(new)) if old == new => None,
            (None, Some(new)) => Some(Self::Added { path, new }),
            (Some(old), None) => Some(Self::Deleted { path, old }),
            (Some(old), Some(new)) => Some(Self::Changed { path, old, new }),
        }
    }
}

/// What differs from tree `old` to tree `new`, in path order; `None` is the empty tree.
pub(super) fn differences(
    repo: &Repository,
    old: Option<Oid>,
    new: Option<Oid>,
) -> Result<Vec<Pair>, GitError> {
    let mut walk = Walk { repo, folder: Vec::new(), pairs: Vec::new() };
    if old != new {
        walk.trees(old, new)?;
    }
    walk.pairs.sort_by(|one, other| one.path().cmp(other.path()));
    Ok(walk.pairs)
}

/// The tree with this id; an error names it.
pub(super) fn tree(repo: &Repository, id: Oid) -> Result<Tree<'_>, GitError> {
    repo.find_tree(id).map_err(|error| GitError::object(id, &error))
}

struct Walk<'repo> {
    repo: &'repo Repository,
    /// Path of the folder being compared, with a trailing `/` unless it is the root.
    folder: Vec<u8>,
    pairs: Vec<Pair>,
}

/// A tree's entry; `tree` entries are not yet known to differ in files.
struct Named {
    name: Vec<u8>,
    is_tree: bool,
    entry: Entry,
}

impl Named {
    /// Git's order within a tree: folders as if their name ended in `/`.
    fn order(&self, other: &Self) -> Ordering {
        let key = |named: &Self| if named.is_tree { b'/' } else { 0 };
        let left = self.name.iter().copied().chain([key(self)]);
        left.cmp(other.name.iter().copied().chain([key(other)]))
    }
}

impl Walk<'_> {
    fn trees(&mut self, old: Option<Oid>, new: Option<Oid>) -> Result<(), GitError> {
        let (old, new) = (self.entries(old)?, self.entries(new)?);
        let (mut old, mut new) = (old.into_iter().peekable(), new.into_iter().peekable());
        loop {
            let order = match (old.peek(), new.peek()) {
                (None, None) => return Ok(()),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(old), Some(new)) => old.order(new),
            };
            let old = if order.is_le() { old.next() } else { None };
            let new = if order.is_ge() { new.next() } else { None };
            self.entry(old.as_ref(), new.as_ref())?;
        }
    }

    /// Compares two entries of one name and one kind (folder or not), of which one may be absent.
    fn entry(&mut self, old: Option<&Named>, new: Option<&Named>) -> Result<(), GitError> {
        let Some(named) = new.or(old) else { return Ok(()) };
        let (old, new) = (old.map(|named| named.entry), new.map(|named| named.entry));
        if old == new {
            return Ok(());
        }
        let length = self.folder.len();
        self.folder.extend_from_slice(&named.name);
        if named.is_tree {
            self.folder.push(b'/');
            self.trees(old.map(|entry| entry.id), new.map(|entry| entry.id))?;
        } else {
            self.pairs.extend(Pair::of(RepoPath::new(self.folder.clone()), old, new));
        }
        self.folder.truncate(length);
        Ok(())
    }

    fn entries(&self, id: Option<Oid>) -> Result<Vec<Named>, GitError> {
        let Some(id) = id else { return Ok(Vec::new()) };
        let tree = tree(self.repo, id)?;
        Ok(tree.iter().map(|entry| named(&entry)).collect())
    }
}

fn named(entry: &git2::TreeEntry<'_>) -> Named {
    Named {
        name: entry.name_bytes().to_vec(),
        is_tree: entry.kind() == Some(ObjectType::Tree),
        entry: Entry { mode: entry.filemode().unsigned_abs(), id: entry.id() },
    }
}
