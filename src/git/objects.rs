//! Gives several threads the objects of one repository: [`Objects`].
//!
//! libgit2's handles are not shared: each thread opens its own. Nothing here knows what the objects mean.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use git2::{Blob, Oid, Repository};

use super::error::GitError;

/// Below this many items for each thread, opening another handle costs more than it gives.
const ITEMS_A_THREAD: usize = 8;
/// More threads than this only wait for the disk and memory.
const MOST_THREADS: usize = 8;

/// The objects of a repository, to be worked on in threads.
pub(super) struct Objects<'repo> {
    repo: &'repo Repository,
    threads: usize,
}

impl<'repo> Objects<'repo> {
    /// Objects that are all on disk.
    pub(super) fn new(repo: &'repo Repository) -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
        Self { repo, threads }
    }

    /// Objects of which some are in the memory of `repo` only: one thread works on them.
    pub(super) fn in_memory(repo: &'repo Repository) -> Self {
        Self { repo, threads: 1 }
    }

    /// Does `work` on each item, in threads, and gives the results in the items' order. The first error in that
    /// order among those met is given.
    pub(super) fn each<T: Sync, R: Send>(
        &self,
        items: &[T],
        work: impl Fn(&Repository, &T) -> Result<R, GitError> + Sync,
    ) -> Result<Vec<R>, GitError> {
        let threads = self.threads.min(items.len() / ITEMS_A_THREAD);
        if threads < 2 {
            return items.iter().map(|item| work(self.repo, item)).collect();
        }
        let queue = Queue { next: AtomicUsize::new(0), failed: AtomicBool::new(false) };
        let git_dir = self.repo.path();
        let mut results = std::thread::scope(|scope| {
            let others: Vec<_> = (1..threads)
                .map(|_| {
                    scope.spawn(|| {
                        let repo = Repository::open(git_dir).map_err(|e| GitError::opening(git_dir, &e))?;
                        Ok(queue.drain(items, &repo, &work))
                    })
                })
                .collect();
            let mut results = queue.drain(items, self.repo, &work);
            for other in others {
                match other.join() {
                    Ok(more) => results.extend(more?),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            Ok(results)
        })?;
        results.sort_by_key(|(at, _)| *at);
        results.into_iter().map(|(_, result)| result).collect()
    }
}

/// Which item is next; nobody starts another one after an error.
struct Queue {
    next: AtomicUsize,
    failed: AtomicBool,
}

impl Queue {
    fn drain<T, R>(
        &self,
        items: &[T],
        repo: &Repository,
        work: &impl Fn(&Repository, &T) -> Result<R, GitError>,
    ) -> Vec<(usize, Result<R, GitError>)> {
        let mut results = Vec::with_capacity(items.len() / 2);
        while !self.failed.load(Ordering::Relaxed) {
            let at = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(at) else { break };
            let result = work(repo, item);
            if result.is_err() {
                self.failed.store(true, Ordering::Relaxed);
            }
            results.push((at, result));
        }
        results
    }
}

/// Reads a blob; an error names it.
pub(super) fn blob(repo: &Repository, id: Oid) -> Result<Blob<'_>, GitError> {
    repo.find_blob(id).map_err(|error| GitError::object(id, &error))
}

/// Size of an object without reading all of it.
pub(super) fn size(repo: &Repository, id: Oid) -> Result<u64, GitError> {
    let database = repo.odb().map_err(GitError::while_doing("open the object database"))?;
    let (size, _) = database.read_header(id).map_err(|error| GitError::object(id, &error))?;
    Ok(size as u64)
}
