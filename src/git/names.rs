//! Names of files that differ between two trees, for reading many commits one after the other.
//!
//! [`TreeNames`] keeps the trees it has read: a commit's tree is its successor's parent. It reads no file
//! and looks for no renames.

use std::{cmp::Ordering, collections::HashMap, rc::Rc};

use git2::{Odb, Oid, Repository};

use crate::change::RepoPath;

/// Bytes of trees that are kept.
const MOST_KEPT: usize = 48 << 20;
/// Mode of a tree's entry that is a tree.
const TREE_MODE: &[u8] = b"40000";

/// Reads trees and remembers them.
pub(super) struct TreeNames<'repo> {
    objects: Odb<'repo>,
    kept: HashMap<Oid, Rc<[u8]>>,
    kept_bytes: usize,
}

/// One entry of a tree, as it stands in the object.
#[derive(Clone, Copy)]
struct Entry<'t> {
    mode: &'t [u8],
    name: &'t [u8],
    id: &'t [u8],
}

impl Entry<'_> {
    fn is_tree(self) -> bool {
        self.mode == TREE_MODE
    }

    /// Git's order: a tree's name counts as if it ended in `/`.
    fn order(self, other: Self) -> Ordering {
        let end = |entry: Entry<'_>| if entry.is_tree() { b'/' } else { 0 };
        let common = self.name.len().min(other.name.len());
        let byte = |entry: Entry<'_>| entry.name.get(common).copied().unwrap_or_else(|| end(entry));
        self.name[..common].cmp(&other.name[..common]).then_with(|| byte(self).cmp(&byte(other)))
    }
}

impl<'repo> TreeNames<'repo> {
    pub(super) fn new(repo: &'repo Repository) -> Result<Self, git2::Error> {
        Ok(Self { objects: repo.odb()?, kept: HashMap::new(), kept_bytes: 0 })
    }

    /// Paths of files that differ between the trees `old` and `new`, in git's order; empty when there are more than
    /// `most`.
    pub(super) fn differing(
        &mut self,
        old: Oid,
        new: Oid,
        most: usize,
    ) -> Result<Vec<RepoPath>, git2::Error> {
        let mut paths = Vec::new();
        self.walk(Some(old), Some(new), &mut Vec::new(), most, &mut paths)?;
        if paths.len() > most {
            paths.clear();
        }
        Ok(paths)
    }

    fn walk(
        &mut self,
        old: Option<Oid>,
        new: Option<Oid>,
        folder: &mut Vec<u8>,
        most: usize,
        paths: &mut Vec<RepoPath>,
    ) -> Result<(), git2::Error> {
        let (old, new) = (self.tree(old)?, self.tree(new)?);
        let (mut olds, mut news) = (entries(&old).peekable(), entries(&new).peekable());
        while paths.len() <= most {
            let order = match (olds.peek(), news.peek()) {
                (None, None) => return Ok(()),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(a), Some(b)) => a.order(*b),
            };
            let a = if order.is_le() { olds.next() } else { None };
            let b = if order.is_ge() { news.next() } else { None };
            if let (Some(a), Some(b)) = (a, b)
                && a.id == b.id
                && a.mode == b.mode
            {
                continue;
            }
            let Some(named) = b.or(a) else { continue };
            let length = folder.len();
            folder.extend_from_slice(named.name);
            if named.is_tree() {
                folder.push(b'/');
                self.walk(id_of(a)?, id_of(b)?, folder, most, paths)?;
            } else {
                paths.push(RepoPath::new(folder.as_slice()));
            }
            folder.truncate(length);
        }
        Ok(())
    }

    fn tree(&mut self, id: Option<Oid>) -> Result<Rc<[u8]>, git2::Error> {
        let Some(id) = id else { return Ok(Rc::from([])) };
        if let Some(known) = self.kept.get(&id) {
            return Ok(Rc::clone(known));
        }
        let bytes: Rc<[u8]> = Rc::from(self.objects.read(id)?.data());
        if self.kept_bytes + bytes.len() > MOST_KEPT {
            self.kept.clear();
            self.kept_bytes = 0;
        }
        self.kept_bytes += bytes.len();
        self.kept.insert(id, Rc::clone(&bytes));
        Ok(bytes)
    }
}

fn id_of(entry: Option<Entry<'_>>) -> Result<Option<Oid>, git2::Error> {
    entry.map(|entry| Oid::from_bytes(entry.id)).transpose()
}

/// `mode name\0id` one after the other; a damaged tail ends them.
fn entries(tree: &[u8]) -> impl Iterator<Item = Entry<'_>> {
    const ID: usize = 20;
    let mut rest = tree;
    std::iter::from_fn(move || {
        let space = rest.iter().position(|byte| *byte == b' ')?;
        let end = space + rest[space..].iter().position(|byte| *byte == 0)?;
        let id = rest.get(end + 1..end + 1 + ID)?;
        let entry = Entry { mode: &rest[..space], name: &rest[space + 1..end], id };
        rest = &rest[end + 1 + ID..];
        Some(entry)
    })
}
