//! Everything that must outlive the process and is no run: [`Database`], one `SQLite` file.
//!
//! One thread writes, in transactions that are on disk before anybody is answered; a few connections read. Which tables
//! there are is in `schema/`; what stands in them is the affair of the modules beside this one, which hand in work as
//! closures over [`Sql`]. docs/design/threads.md says why it is done so.

mod connection;
mod error;
mod notes;
mod readers;
mod sql;
mod sqlite;
#[cfg(test)]
mod tests;
mod writer;

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::sync::broadcast;

pub use error::{DatabaseError, Problem};
pub use notes::Note;
use notes::Notes;
use readers::Readers;
pub(crate) use sql::values;
pub use sql::{Engine, FromValue, Row, Sql, Value};
use sqlite::{Sqlite, file};
use writer::Writer;

/// An open database; copies share it. Dropping the last one waits for what is being written.
#[derive(Clone)]
pub struct Database {
    open: Arc<Open>,
}

struct Open {
    path: PathBuf,
    // Before the writer: the last connection to close tidies up, and only it can.
    readers: Readers,
    writer: Writer,
    notes: Notes,
}

impl Database {
    /// Opens the file for a short while, also beside a daemon; makes it, with its folder, where there is none.
    pub fn open(path: &Path) -> Result<Self, DatabaseError> {
        Self::connect(path, |_| Ok(None))
    }

    /// Opens the file and keeps every other daemon from it until the database is dropped.
    pub fn open_for_daemon(path: &Path) -> Result<Self, DatabaseError> {
        Self::connect(path, |path| file::lock(path).map(Some))
    }

    fn connect(
        path: &Path,
        lock: impl FnOnce(&Path) -> Result<Option<File>, Problem>,
    ) -> Result<Self, DatabaseError> {
        let open = || {
            let path = file::create(path)?;
            let lock = lock(&path)?;
            let notes = Notes::new();
            let writer = Writer::start(Sqlite::writer(file::writer(&path)?), notes.clone(), lock)?;
            let read = path.clone();
            let readers = Readers::new(move || Ok(Sqlite::reader(file::reader(&read)?)));
            Ok(Open { path, readers, writer, notes })
        };
        let open = open().map_err(|problem| DatabaseError { path: path.to_owned(), problem })?;
        Ok(Self { open: Arc::new(open) })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.open.path
    }

    /// Changes something: `work` runs in a transaction, shared with others that wait, and what it gave is given when it is
    /// on disk. If it fails, nothing of it was done. It may be run again, when its transaction was taken back for another's
    /// sake, so it makes no ids and counts nothing outside. It must not begin or end a transaction itself.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl Fn(&mut dyn Sql) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, DatabaseError> {
        self.open.writer.run(work).await.map_err(|problem| self.named(problem))
    }

    /// Looks something up, as it is at one moment.
    pub async fn read<T: Send + 'static>(
        &self,
        look: impl Fn(&mut dyn Sql) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, DatabaseError> {
        self.open.readers.run(look).await.map_err(|problem| self.named(problem))
    }

    /// Tells what changes from now on, through whichever node.
    pub fn notes(&self) -> broadcast::Receiver<Note> {
        self.open.notes.listen()
    }

    fn named(&self, problem: Problem) -> DatabaseError {
        DatabaseError { path: self.open.path.clone(), problem }
    }
}
