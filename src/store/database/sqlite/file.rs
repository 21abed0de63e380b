//! The file itself: [`create`] makes it for its owner's eyes only, [`lock`] keeps a second daemon away, [`writer`] and
//! [`reader`] connect to it.
//!
//! `SQLite` keeps its settings per connection, so each connection sets them all, and reads them back: a setting that did not
//! take is otherwise found out when the power fails.

use std::{
    fs::{DirBuilder, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use backon::{BlockingRetryable, ConstantBuilder};
use rusqlite::{Connection, ErrorCode, OpenFlags, types::ValueRef};

use super::{Problem, schema};

/// How long a connection waits for a lock that another program holds.
pub(in super::super) const BUSY: Duration = Duration::from_secs(5);

/// What every connection is set to, and must say when asked. FULL: what was answered for survives a power cut, not only
/// a crash of ours.
const SETTINGS: [(&str, &str); 4] = [
    ("journal_mode", "wal"),
    ("synchronous", "2"),
    ("foreign_keys", "1"),
    ("journal_size_limit", "16777216"),
];

/// Makes the file and the folders above it where there is none, and gives its true path.
pub(in super::super) fn create(path: &Path) -> Result<PathBuf, io::Error> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    // A file that is there must not be opened: closing it would undo the locks that SQLite has on it in this process.
    match OpenOptions::new().create_new(true).write(true).mode(0o600).open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        Ok(_) | Err(_) => {}
    }
    // Names such as `:memory:` mean something else to SQLite, and two names of one file must have one lock.
    path.canonicalize()
}

/// Takes the lock that one daemon at a time may have, beside the file. It is given back when the handle is dropped, also
/// by a crash.
pub(in super::super) fn lock(path: &Path) -> Result<File, Problem> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".lock");
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(PathBuf::from(beside))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Problem::InUse),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// A connection that may write, to a database of ours with all its tables.
pub(in super::super) fn writer(path: &Path) -> Result<Connection, Problem> {
    let mut connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    schema::migrate(&mut connection)?;
    Ok(connection)
}

/// A connection that only reads. Needs that of the writer beside it, which keeps the index of the write-ahead log.
pub(in super::super) fn reader(path: &Path) -> Result<Connection, Problem> {
    connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
}

/// Writes the database at `path` as it is at one moment into a new file, also while a daemon uses it.
pub(in super::super) fn copy(path: &Path, to: &Path) -> Result<(), Problem> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    schema::recognise(&connection)?;
    // Its owner's only, as the first one; and whatever is there stays.
    let copy = OpenOptions::new().create_new(true).write(true).mode(0o600).open(to);
    let copy = copy.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Problem::Exists,
        _ => error.into(),
    })?;
    let written = to.to_str().ok_or_else(|| Problem::Unreachable("its name is no UTF-8".to_owned()));
    let written = written.and_then(|to| Ok(connection.execute("VACUUM INTO ?1", [to])?));
    match written.and_then(|_| Ok(copy.sync_all()?)) {
        Ok(()) => Ok(()),
        Err(problem) => {
            let _ = std::fs::remove_file(to);
            Err(problem)
        }
    }
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, Problem> {
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY)?;
    // Before anything is set: the journal's mode is kept in the file, and it may be somebody else's.
    schema::recognise(&connection)?;
    for (name, wanted) in SETTINGS {
        set(&connection, name, wanted)?;
        let found = setting(&connection, name)?;
        if found != wanted {
            return Err(Problem::Setting { name, found, wanted });
        }
    }
    Ok(connection)
}

/// Sets a pragma. Who changes a new file's journal is told at once when another one does so too, without
/// [`Connection::busy_timeout`]; so it is tried again for that long here.
fn set(connection: &Connection, name: &str, value: &str) -> rusqlite::Result<()> {
    const PAUSE: Duration = Duration::from_millis(20);
    let times = BUSY.as_millis() / PAUSE.as_millis();
    let pauses = ConstantBuilder::new().with_delay(PAUSE).with_max_times(usize::try_from(times).unwrap_or(0));
    let busy = |error: &rusqlite::Error| error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy);
    (|| connection.pragma_update(None, name, value)).retry(pauses).when(busy).call()
}

/// A pragma's value as text.
pub(in super::super) fn setting(connection: &Connection, name: &str) -> rusqlite::Result<String> {
    connection.pragma_query_value(None, name, |row| {
        Ok(match row.get_ref(0)? {
            ValueRef::Integer(number) => number.to_string(),
            other => other.as_str()?.to_owned(),
        })
    })
}
