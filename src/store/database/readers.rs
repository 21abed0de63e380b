//! A few connections that only read: [`Readers`] lends one at a time to each reader.
//!
//! A read sees one moment, and neither waits for the writer nor holds it up.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rusqlite::Connection;
use tokio::{sync::Semaphore, task::spawn_blocking};

use super::{Problem, file};

/// How many may read at a time.
const READERS: usize = 4;

/// Connections that nobody uses at the moment; at most [`READERS`] are made.
pub(super) struct Readers {
    path: PathBuf,
    turns: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl Readers {
    /// Of the database at `path`; none is made yet.
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, turns: Arc::new(Semaphore::new(READERS)), idle: Arc::default() }
    }

    /// What `look` finds. It goes on also when whoever asked for it goes, so it must be short: the write-ahead log grows as
    /// long as somebody looks at an old state.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Problem> {
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| Problem::GivenUp)?;
        let (path, idle) = (self.path.clone(), Arc::clone(&self.idle));
        let looked = spawn_blocking(move || {
            let waiting = lock(&idle).pop();
            let connection = waiting.map_or_else(|| file::reader(&path), Ok)?;
            let found = at_one_moment(&connection, look);
            lock(&idle).push(connection);
            drop(turn);
            Ok(found?)
        });
        looked.await.map_err(|_| Problem::GivenUp)?
    }
}

fn at_one_moment<T>(
    connection: &Connection,
    look: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let moment = connection.unchecked_transaction()?;
    look(&moment)
}

fn lock(idle: &Mutex<Vec<Connection>>) -> MutexGuard<'_, Vec<Connection>> {
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}
