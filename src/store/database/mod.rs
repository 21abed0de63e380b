//! Everything that must outlive the process and is no run: [`Database`], a `SQLite` file or tables on a server of `PostgreSQL`.
//!
//! One thread writes, on a server two, in transactions that are on disk before anybody is answered; a few connections read. Which tables
//! there are is in `schema/`; what stands in them is the affair of the modules beside this one, which hand in work as
//! closures over [`Sql`]. docs/design/threads.md says why it is done so.

mod connection;
mod error;
mod notes;
mod postgres;
mod readers;
mod sql;
mod sqlite;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod writer;

use std::{
    fmt,
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

use tokio::sync::broadcast;

pub use error::{DatabaseError, Problem};
pub use notes::Note;
use notes::Notes;
pub use postgres::Server;
use postgres::{Postgres, news::News};
use readers::Readers;
pub(crate) use sql::values;
pub use sql::{Engine, Found, FromValue, Row, Sql, Value};
use sqlite::{Sqlite, file};
use writer::Writer;

/// An open database; copies share it. Dropping the last one waits for what is being written.
#[derive(Clone)]
pub struct Database {
    open: Arc<Open>,
}

struct Open {
    address: Address,
    // Before the writer: the last connection to close tidies up, and only it can.
    readers: Readers,
    writer: Writer,
    /// Where two can write at a time.
    beside: Option<Writer>,
    notes: Notes,
    /// Ends with the database.
    _news: Option<News>,
}

/// Where a database is.
#[derive(Debug, Clone)]
pub enum Address {
    /// In a file.
    File(PathBuf),
    /// On a server.
    Server(Server),
}

impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => fmt::Display::fmt(&path.display(), out),
            Self::Server(server) => fmt::Display::fmt(server, out),
        }
    }
}

impl Database {
    /// Copies the file at `path`, as it is at one moment, into one that is not there yet, also while a daemon uses it.
    pub fn copy(path: &Path, to: &Path) -> Result<(), DatabaseError> {
        let named = |problem| DatabaseError { name: to.display().to_string(), problem };
        file::copy(path, to).map_err(named)
    }

    /// Opens what is at an address for a short while, also beside a daemon.
    pub fn at(address: &Address) -> Result<Self, DatabaseError> {
        match address {
            Address::File(path) => Self::open(path),
            Address::Server(server) => Self::join(server),
        }
    }

    /// Opens what is at an address for a daemon: a file for this one alone, a server for as many as there are.
    pub fn at_for_daemon(address: &Address) -> Result<Self, DatabaseError> {
        match address {
            Address::File(path) => Self::open_for_daemon(path),
            Address::Server(server) => Self::join(server),
        }
    }

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
            let notes = Notes::here();
            let writer = Writer::start(Sqlite::writer(file::writer(&path)?), notes.clone(), lock)?;
            let read = path.clone();
            let readers = Readers::new(move || Ok(Sqlite::reader(file::reader(&read)?)));
            Ok(Open { address: Address::File(path), readers, writer, beside: None, notes, _news: None })
        };
        let open = open().map_err(|problem| DatabaseError { name: path.display().to_string(), problem })?;
        Ok(Self { open: Arc::new(open) })
    }

    /// Opens the tables on a server; makes them where there are none.
    pub fn join(server: &Server) -> Result<Self, DatabaseError> {
        let open = || {
            // A client runs a runtime of its own, which cannot be done inside of another one.
            thread::scope(|scope| scope.spawn(|| postgres::migrate(server)).join())
                .map_err(|_| Problem::GivenUp)??;
            let node = uuid::Uuid::now_v7().to_string();
            let (notes, outbox) = Notes::shared(node.clone());
            let writer = |name| Writer::start(Postgres::writer(server.clone(), name), notes.clone(), None);
            let (writer, beside) = (writer(node)?, Some(writer(uuid::Uuid::now_v7().to_string())?));
            let read = server.clone();
            let readers = Readers::new(move || Ok(Postgres::reader(read.clone())));
            let news = News::start(server.clone(), outbox)?;
            let address = Address::Server(server.clone());
            Ok(Open { address, readers, writer, beside, notes, _news: Some(news) })
        };
        let open = open().map_err(|problem| DatabaseError { name: server.to_string(), problem })?;
        Ok(Self { open: Arc::new(open) })
    }

    /// Where it is.
    pub fn address(&self) -> &Address {
        &self.open.address
    }

    /// The file, if it is one.
    pub fn path(&self) -> Option<&Path> {
        match &self.open.address {
            Address::File(path) => Some(path),
            Address::Server(_) => None,
        }
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

    /// Changes something as [`Self::write`] does: on a server not behind what others bring, but beside it.
    pub async fn write_beside<T: Send + 'static>(
        &self,
        work: impl Fn(&mut dyn Sql) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, DatabaseError> {
        let writer = self.open.beside.as_ref().unwrap_or(&self.open.writer);
        writer.run(work).await.map_err(|problem| self.named(problem))
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
        DatabaseError { name: self.open.address.to_string(), problem }
    }
}
