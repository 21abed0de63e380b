//! A few connections that only read: [`Readers`] lends one at a time to each reader.
//!
//! A read sees one moment, and neither waits for the writer nor holds it up.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::{sync::Semaphore, task::spawn_blocking};

use super::{Problem, Sql, connection::Connection};

/// How many may read at a time.
const READERS: usize = 4;

/// Makes a connection.
type Connect = dyn Fn() -> Result<Box<dyn Connection + Send>, Problem> + Send + Sync;

/// Connections that nobody uses at the moment; at most [`READERS`] are made.
pub(super) struct Readers {
    connect: Arc<Connect>,
    turns: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<Box<dyn Connection + Send>>>>,
}

impl Readers {
    /// Those that `connect` makes; none is made yet.
    pub(super) fn new<C: Connection + Send + 'static>(
        connect: impl Fn() -> Result<C, Problem> + Send + Sync + 'static,
    ) -> Self {
        let connect = move || Ok(Box::new(connect()?) as Box<dyn Connection + Send>);
        Self { connect: Arc::new(connect), turns: Arc::new(Semaphore::new(READERS)), idle: Arc::default() }
    }

    /// What `look` finds. It goes on also when whoever asked for it goes, so it must be short: the write-ahead log grows as
    /// long as somebody looks at an old state.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        look: impl Fn(&mut dyn Sql) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| Problem::GivenUp)?;
        let (connect, idle) = (Arc::clone(&self.connect), Arc::clone(&self.idle));
        let looked = spawn_blocking(move || {
            let waiting = lock(&idle).pop();
            let mut connection = waiting.map_or_else(|| connect(), Ok)?;
            let found = at_one_moment(&mut *connection, look);
            lock(&idle).push(connection);
            drop(turn);
            found
        });
        looked.await.map_err(|_| Problem::GivenUp)?
    }
}

fn at_one_moment<T>(
    connection: &mut dyn Connection,
    look: impl Fn(&mut dyn Sql) -> Result<T, Problem>,
) -> Result<T, Problem> {
    loop {
        let found = connection.begin().and_then(|()| look(connection));
        connection.roll_back();
        match found {
            Err(problem) if connection.try_again(&problem) => {}
            found => return found,
        }
    }
}

fn lock<T>(idle: &Mutex<T>) -> MutexGuard<'_, T> {
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}
