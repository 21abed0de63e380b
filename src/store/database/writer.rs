//! The one thread that writes: [`Writer`] takes jobs in turn and commits those that wait together.
//!
//! A commit waits for the disk, so that jobs which came meanwhile share the next one. Each runs in a savepoint: one that
//! fails takes back what it did, and nothing of the others. Nobody is answered before the commit.

use std::{
    fs::File,
    iter,
    panic::{AssertUnwindSafe, catch_unwind},
    thread::{self, JoinHandle},
};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::Problem;

/// Jobs that may wait; whoever brings another waits for room.
const WAITING: usize = 1_024;

/// Most jobs of one commit.
const GROUP: usize = 256;

/// Does its work, or takes the reason why nothing is done; says whether what it did is to be kept, and how to answer.
type Job = Box<dyn FnOnce(Result<&Connection, Problem>) -> (Result<(), Problem>, Answer) + Send>;

/// Answers for a job, once it is known whether its commit succeeded.
type Answer = Box<dyn FnOnce(Result<(), Problem>)>;

/// The way to the thread that writes. Dropping it waits until all that was brought is done.
pub(super) struct Writer {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread, which keeps `lock` as long as it lives.
    pub(super) fn start(connection: Connection, lock: Option<File>) -> Result<Self, Problem> {
        let (jobs, queue) = mpsc::channel(WAITING);
        let thread = thread::Builder::new().name("database".to_owned()).spawn(move || {
            work_off(&connection, queue);
            drop(connection);
            drop(lock);
        })?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Has `work` done in a transaction and gives what it gave, once that is on disk. Work that was taken on is done also when
    /// whoever asked for it goes.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Problem> {
        let (teller, told) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            let result = connection.and_then(|connection| Ok(work(connection)?));
            let worked = result.as_ref().map(|_| ()).map_err(Clone::clone);
            let answer = move |committed: Result<(), Problem>| {
                let _ = teller.send(result.and_then(|value| committed.map(|()| value)));
            };
            (worked, Box::new(answer) as Answer)
        });
        let jobs = self.jobs.as_ref().ok_or(Problem::GivenUp)?;
        jobs.send(job).await.map_err(|_| Problem::GivenUp)?;
        told.await.map_err(|_| Problem::GivenUp)?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        let Some(writing) = self.thread.take() else { return };
        // A job may have held the last handle.
        if writing.thread().id() != thread::current().id() {
            let _ = writing.join();
        }
    }
}

fn work_off(connection: &Connection, mut queue: mpsc::Receiver<Job>) {
    while let Some(first) = queue.blocking_recv() {
        let waiting = iter::once(first).chain(iter::from_fn(|| queue.try_recv().ok()));
        commit_together(connection, waiting.take(GROUP));
    }
}

/// Does jobs and commits them together, then answers them all.
fn commit_together(connection: &Connection, jobs: impl Iterator<Item = Job>) {
    let begun = connection.execute_batch("BEGIN IMMEDIATE").map_err(Problem::from);
    let mut answers = Vec::new();
    let mut lost = None;
    for job in jobs {
        let (worked, answer) = match &begun {
            Ok(()) => work(connection, job),
            Err(problem) => (Ok(()), Some(job(Err(problem.clone())).1)),
        };
        answers.extend(answer);
        // A full disk, for one, makes SQLite take back the whole transaction. What came next would be one of its own.
        if begun.is_ok() && connection.is_autocommit() {
            lost = Some(worked.err().unwrap_or(Problem::GivenUp));
            break;
        }
    }
    let committed = lost.map_or_else(|| commit(connection), Err);
    for answer in answers {
        answer(committed.clone());
    }
}

/// Does one job in a savepoint. There is no answer where it panicked: whoever waits for one finds that out.
fn work(connection: &Connection, job: Job) -> (Result<(), Problem>, Option<Answer>) {
    if let Err(error) = connection.execute_batch("SAVEPOINT job") {
        let problem = Problem::from(error);
        return (Err(problem.clone()), Some(job(Err(problem)).1));
    }
    let done = catch_unwind(AssertUnwindSafe(|| job(Ok(connection))));
    let (worked, answer) = match done {
        Ok((worked, answer)) => (worked, Some(answer)),
        Err(_) => (Err(Problem::GivenUp), None),
    };
    let end = if worked.is_ok() { "RELEASE job" } else { "ROLLBACK TO job; RELEASE job" };
    // Fails only where the whole transaction is gone, which is seen by whoever commits.
    let _ = connection.execute_batch(end);
    (worked, answer)
}

fn commit(connection: &Connection) -> Result<(), Problem> {
    let committed = connection.execute_batch("COMMIT");
    if committed.is_err() && !connection.is_autocommit() {
        let _ = connection.execute_batch("ROLLBACK");
    }
    Ok(committed?)
}
