//! Reads the commits of a range as the authors' words: [`told`].
//!
//! It walks from the newest commit back and stops when it has enough, so that a range of thousands of commits
//! costs no more than one of hundreds.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use git2::{Oid, Repository};

use super::error::GitError;
use super::range::{RangeSpec, Resolved};
use crate::change::Commit;

/// At most this many commits of a range are told, the newest ones.
const MOST_COMMITS: usize = 200;

/// The commits that lead to the new side and not to the old one, oldest first: the newest 200, with a note when
/// there are more. A commit reviewed alone is told alone.
pub(super) fn told(
    repo: &Repository,
    resolved: &Resolved,
    notes: &mut Vec<String>,
) -> Result<Vec<Commit>, GitError> {
    let Some(head) = resolved.head else { return Ok(Vec::new()) };
    let alone = matches!(&resolved.spec, RangeSpec::Commits(text) if !text.contains(".."));
    let mut ids = if alone { vec![head] } else { Walk::newest(repo, head, resolved.base)? };
    if ids.len() > MOST_COMMITS {
        notes.push(format!(
            "the range has more than {MOST_COMMITS} commits: only the newest {MOST_COMMITS} are told"
        ));
        ids.truncate(MOST_COMMITS);
    }
    ids.into_iter().rev().map(|id| message(repo, id)).collect()
}

fn message(repo: &Repository, id: Oid) -> Result<Commit, GitError> {
    let commit = repo.find_commit(id).map_err(|error| GitError::object(id, &error))?;
    let message = String::from_utf8_lossy(commit.message_bytes()).into_owned();
    Ok(Commit { id: id.to_string(), message })
}

/// What is known about a commit.
#[derive(Clone, Copy)]
struct Seen {
    /// The old side has it too.
    in_base: bool,
    queued: bool,
}

/// A walk from both sides, newest commit first.
struct Walk<'repo> {
    repo: &'repo Repository,
    /// Commit time in seconds, then order of arrival, so that children come before parents of the same second.
    queue: BinaryHeap<(i64, Reverse<usize>, Oid)>,
    seen: HashMap<Oid, Seen>,
    arrivals: usize,
    /// Queued commits that are not known to be in the base.
    open: usize,
}

impl<'repo> Walk<'repo> {
    /// Newest first; all of them, or more than [`MOST_COMMITS`].
    fn newest(repo: &'repo Repository, head: Oid, base: Option<Oid>) -> Result<Vec<Oid>, GitError> {
        let (queue, seen) = (BinaryHeap::new(), HashMap::new());
        let mut walk = Self { repo, queue, seen, arrivals: 0, open: 0 };
        walk.meet(head, false)?;
        base.map_or(Ok(()), |base| walk.meet(base, true))?;
        let mut found: Vec<(i64, Oid)> = Vec::new();
        while let Some((time, _, id)) = walk.queue.pop() {
            let done = walk.open == 0 || found.len() > MOST_COMMITS;
            if done && found.last().is_none_or(|(oldest, _)| time < *oldest) {
                break;
            }
            if !walk.pass(id)? {
                found.push((time, id));
            }
        }
        Ok(found.into_iter().map(|(_, id)| id).filter(|id| !walk.seen[id].in_base).collect())
    }

    /// Takes a commit off the queue, meets its parents and says whether the base has it.
    fn pass(&mut self, id: Oid) -> Result<bool, GitError> {
        let Seen { in_base, .. } = self.seen[&id];
        self.seen.insert(id, Seen { in_base, queued: false });
        self.open -= usize::from(!in_base);
        let commit = self.repo.find_commit(id).map_err(|error| GitError::object(id, &error))?;
        commit.parent_ids().try_for_each(|parent| self.meet(parent, in_base))?;
        Ok(in_base)
    }

    /// Queues a commit that is new, or now known to be in the base.
    fn meet(&mut self, id: Oid, in_base: bool) -> Result<(), GitError> {
        let before = self.seen.get(&id).copied();
        if before.is_some_and(|before| before.in_base || !in_base) {
            return Ok(());
        }
        let queued = before.is_some_and(|before| before.queued);
        self.seen.insert(id, Seen { in_base, queued: true });
        if queued {
            self.open -= 1;
            return Ok(());
        }
        self.open += usize::from(!in_base);
        let commit = self.repo.find_commit(id).map_err(|error| GitError::object(id, &error))?;
        self.queue.push((commit.time().seconds(), Reverse(self.arrivals), id));
        self.arrivals += 1;
        Ok(())
    }
}
