//! What can be wrong with a database, in words that name it: [`DatabaseError`].
//!
//! The engines' codes are sorted by what somebody can do about them. What to do is said in `cli/error`.

use std::io;

use rusqlite::ErrorCode;

/// A database, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {problem}")]
pub struct DatabaseError {
    /// The file, or the server without what lets one in.
    pub name: String,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with a database.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A daemon holds its lock file.
    #[error("another scrum serve is using it")]
    InUse,
    /// Another program kept it locked for longer than we wait.
    #[error("another program keeps it locked")]
    Locked,
    /// A later version of this program wrote it.
    #[error("a newer scrum wrote it: its schema is {found}, this scrum knows up to {known}")]
    Newer {
        /// Its schema.
        found: usize,
        /// The last one we know.
        known: usize,
    },
    /// A database, but not one of ours.
    #[error("it is a database of another program")]
    Foreign,
    /// No database at all, or one whose pages contradict one another.
    #[error("it is damaged or no database: {0}")]
    Damaged(String),
    /// It, or its folder, may not be written.
    #[error("it cannot be written: {0}")]
    ReadOnly(String),
    /// No room on the disk.
    #[error("the disk is full")]
    Full,
    /// A copy is to be a new file, and there is one.
    #[error("it is there already")]
    Exists,
    /// It cannot be opened or made.
    #[error("it cannot be opened: {0}")]
    Unreachable(String),
    /// A setting that everything rests on did not take.
    #[error("{name} is {found:?} there, and must be {wanted:?}")]
    Setting {
        /// Its name.
        name: &'static str,
        /// As read back.
        found: String,
        /// As set.
        wanted: &'static str,
    },
    /// The address of a server that is none.
    #[error("this is no address of a PostgreSQL server")]
    BadAddress,
    /// The server does not let us in, or do what must be done.
    #[error("the server refuses: {0}")]
    Refused(String),
    /// The connection to the server was cut, or there is none to be had.
    #[error("the server cannot be reached: {0}")]
    Cut(String),
    /// Others changed the same at the same time, again and again.
    #[error("others are changing the same: {0}")]
    Conflict(String),
    /// Anything else that the engine says.
    #[error("{0}")]
    Other(String),
    /// Whoever worked on it is gone; whether a change was kept is not known.
    #[error("the work on it was given up")]
    GivenUp,
}

impl From<rusqlite::Error> for Problem {
    fn from(error: rusqlite::Error) -> Self {
        let words = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged(words),
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Self::ReadOnly(words),
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::CannotOpen) => Self::Unreachable(words),
            _ => Self::Other(words),
        }
    }
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Self::ReadOnly(error.to_string())
            }
            _ => Self::Unreachable(error.to_string()),
        }
    }
}
