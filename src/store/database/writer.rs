//! A thread that writes: [`Writer`] takes work in turn and commits together what waits together.
//!
//! A commit waits for the disk, so that work which came meanwhile shares the next one. Work that fails keeps nothing of what it
//! did, and costs the others only that they are done again, each by itself. Nobody is answered before the commit.

use std::{
    fs::File,
    iter,
    panic::{AssertUnwindSafe, catch_unwind},
    thread::{self, JoinHandle},
};

use tokio::sync::{mpsc, oneshot};

use super::{
    Problem, Sql,
    connection::{Connection, Stopped},
    notes::Notes,
};

/// Work that may wait; whoever brings more waits for room.
const WAITING: usize = 1_024;

/// Most of what is committed together: more would make each of them wait for longer than it spares the disk.
const GROUP: usize = 32;

/// The way to the thread that writes. Dropping it waits until all that was brought is done.
pub(super) struct Writer {
    way: Option<mpsc::Sender<Box<dyn Work>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread, which keeps `lock` as long as it lives.
    pub(super) fn start(
        mut connection: impl Connection + Send + 'static,
        notes: Notes,
        lock: Option<File>,
    ) -> Result<Self, Problem> {
        let (way, queue) = mpsc::channel(WAITING);
        let thread = thread::Builder::new().name("database".to_owned()).spawn(move || {
            work_off(&mut connection, &notes, queue);
            drop(connection);
            drop(lock);
        })?;
        Ok(Self { way: Some(way), thread: Some(thread) })
    }

    /// Has `work` done in a transaction and gives what it gave, once that is on disk. Work that was taken on is begun also when
    /// whoever asked for it goes.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl Fn(&mut dyn Sql) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let (teller, told) = oneshot::channel();
        let way = self.way.as_ref().ok_or(Problem::GivenUp)?;
        let asked = Asked { work, found: None, teller };
        way.send(Box::new(asked)).await.map_err(|_| Problem::GivenUp)?;
        told.await.map_err(|_| Problem::GivenUp)?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.way = None;
        let Some(writing) = self.thread.take() else { return };
        // Work may have held the last handle.
        if writing.thread().id() != thread::current().id() {
            let _ = writing.join();
        }
    }
}

/// Something to do in a transaction, perhaps more than once, until it is kept.
trait Work: Send {
    fn run(&mut self, sql: &mut dyn Sql) -> Result<(), Problem>;

    /// Whether anybody waits for what it finds.
    fn is_awaited(&self) -> bool;

    /// Tells whoever waits what the last run found, if that is kept.
    fn answer(self: Box<Self>, kept: Result<(), Problem>);
}

struct Asked<T, W> {
    work: W,
    found: Option<T>,
    teller: oneshot::Sender<Result<T, Problem>>,
}

impl<T: Send, W: Fn(&mut dyn Sql) -> Result<T, Problem> + Send> Work for Asked<T, W> {
    fn run(&mut self, sql: &mut dyn Sql) -> Result<(), Problem> {
        self.found = None;
        let done = catch_unwind(AssertUnwindSafe(|| (self.work)(sql)));
        self.found = Some(done.map_err(|_| Problem::GivenUp)??);
        Ok(())
    }

    fn is_awaited(&self) -> bool {
        !self.teller.is_closed()
    }

    fn answer(self: Box<Self>, kept: Result<(), Problem>) {
        let Self { found, teller, .. } = *self;
        let _ = teller.send(kept.and_then(|()| found.ok_or(Problem::GivenUp)));
    }
}

fn work_off(connection: &mut impl Connection, notes: &Notes, mut queue: mpsc::Receiver<Box<dyn Work>>) {
    while let Some(first) = queue.blocking_recv() {
        let waiting = iter::once(first).chain(iter::from_fn(|| queue.try_recv().ok()));
        work_through(connection, notes, waiting.take(GROUP).collect());
    }
}

/// Does work in one transaction, or, where some of it fails, each in one of its own, and answers all of it. Which one failed is not
/// always known: a server may say so only when others have been done after it.
fn work_through(connection: &mut impl Connection, notes: &Notes, mut group: Vec<Box<dyn Work>>) {
    match together(connection, &mut group) {
        Ok(()) => {
            notes.tell(connection.notes());
            answer(group, &Ok(()));
        }
        Err(Stopped::Working(_)) if group.len() > 1 => {
            for work in group {
                work_through(connection, notes, vec![work]);
            }
        }
        Err(Stopped::Working(problem) | Stopped::Around(problem)) => answer(group, &Err(problem)),
    }
}

fn answer(group: Vec<Box<dyn Work>>, kept: &Result<(), Problem>) {
    for work in group {
        work.answer(kept.clone());
    }
}

/// Does all of it in one transaction, as often as it takes as long as anybody waits for it: a daemon that ends while its server is
/// away has given up what it asked for.
fn together(connection: &mut impl Connection, group: &mut [Box<dyn Work>]) -> Result<(), Stopped> {
    loop {
        match once(connection, group) {
            Err(stopped) if is_awaited(group) && connection.try_again(stopped.problem()) => {}
            done => return done,
        }
    }
}

fn is_awaited(group: &[Box<dyn Work>]) -> bool {
    group.iter().any(|work| work.is_awaited())
}

fn once(connection: &mut impl Connection, group: &mut [Box<dyn Work>]) -> Result<(), Stopped> {
    connection.begin().map_err(Stopped::Around)?;
    if let Err(problem) = group.iter_mut().try_for_each(|work| work.run(connection)) {
        connection.roll_back();
        let is_cut = matches!(problem, Problem::Cut(_));
        return Err(if is_cut { Stopped::Around(problem) } else { Stopped::Working(problem) });
    }
    connection.commit()
}
