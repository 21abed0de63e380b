//! The engine that several nodes share: [`Postgres`], a connection to a server that mends itself.
//!
//! A connection can be cut at any moment, also while a commit is under way, when nobody here knows whether it was done. So each
//! transaction that writes also counts up a row of its writer: what stands in that row afterwards is the answer.

pub(super) mod news;
mod row;
mod schema;
mod server;
mod session;

use std::{thread, time::Duration};

use tokio_postgres::error::SqlState;

use super::{
    Engine, Found, Note, Problem, Row, Sql, Value,
    connection::{Connection, Stopped},
    values,
};
pub(super) use schema::migrate;
pub use server::Server;
use session::Session;

/// How often a transaction is tried anew before it is given up, with [`pause`]s between: for about half a minute.
const TRIES: u32 = 20;

/// When a transaction began by the clock of the server, in milliseconds since 1970.
macro_rules! clock {
    () => {
        "CAST(extract(epoch FROM now()) * 1000 AS BIGINT)"
    };
}

/// A connection with its transaction.
pub(super) struct Postgres {
    server: Server,
    role: Role,
    open: Option<Session>,
    notes: Vec<Note>,
    found: Found,
    /// What broke the transaction. The server would take its COMMIT for a ROLLBACK, and not call that an error.
    broken: Option<Problem>,
    tries: u32,
}

enum Role {
    /// By the name of its row, with what is to stand in it when the transaction is kept.
    Writer(String, i64),
    Reader,
}

impl Postgres {
    /// A connection that may write; `name` is a UUID.
    pub(super) fn writer(server: Server, name: String) -> Self {
        Self::new(server, Role::Writer(name, 0))
    }

    /// A connection that only reads.
    pub(super) fn reader(server: Server) -> Self {
        Self::new(server, Role::Reader)
    }

    fn new(server: Server, role: Role) -> Self {
        Self { server, role, open: None, notes: Vec::new(), found: Found::default(), broken: None, tries: 0 }
    }

    fn session(&mut self) -> Result<&mut Session, Problem> {
        if self.open.is_none() {
            let mut open = Session::open(&self.server)?;
            if let Role::Writer(name, _) = &self.role {
                // So that there is something to wait for in `find_out`.
                open.query(
                    "INSERT INTO scrum_commits VALUES (?1, 0, 0) ON CONFLICT DO NOTHING",
                    values![name],
                )?;
            }
            self.open = Some(open);
        }
        self.open.as_mut().ok_or(Problem::GivenUp)
    }

    /// Does something with the open connection, and remembers if that breaks the transaction.
    fn with<T>(
        &mut self,
        act: impl FnOnce(&mut Session) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, Problem> {
        if let Some(broken) = &self.broken {
            return Err(broken.clone());
        }
        let open = self.open.as_mut().ok_or_else(|| Problem::Cut("there is no connection".to_owned()))?;
        act(open).map_err(|error| {
            let problem = Problem::from(error);
            self.broken = Some(problem.clone());
            problem
        })
    }

    /// Whether the transaction was kept whose commit was cut off.
    fn find_out(&mut self) -> Result<(), Problem> {
        let Role::Writer(name, number) = &self.role else { return Ok(()) };
        let (name, number) = (name.clone(), *number);
        loop {
            self.open = None;
            // Waits until the old transaction has come to its end, if it still has one to come to.
            let found = self.session().and_then(|open| {
                let sql = "SELECT number FROM scrum_commits WHERE writer = ?1 FOR UPDATE";
                let found = open.query(sql, values![&name])?;
                Ok(found.first().is_some_and(|row| row.get::<_, i64>(0) == number))
            });
            match found {
                Ok(true) => return Ok(()),
                Ok(false) => return Err(Problem::Cut("the connection was cut".to_owned())),
                Err(problem) if self.try_again(&problem) => {}
                Err(_) => return Err(Problem::GivenUp),
            }
        }
    }
}

impl Sql for Postgres {
    fn execute(&mut self, sql: &'static str, values: &[Value]) -> Result<u64, Problem> {
        let changed = self.with(|open| open.send(sql, values).and_then(|()| open.settle()))?;
        changed.last().copied().ok_or(Problem::GivenUp)
    }

    fn execute_later(&mut self, sql: &'static str, values: &[Value]) -> Result<(), Problem> {
        self.with(|open| open.send(sql, values))
    }

    fn execute_each(&mut self, sql: &'static str, all: &[Vec<Value>]) -> Result<Vec<u64>, Problem> {
        let mut changed = self.with(|open| {
            all.iter().try_for_each(|values| open.send(sql, values))?;
            open.settle()
        })?;
        Ok(changed.split_off(changed.len().saturating_sub(all.len())))
    }

    fn query(&mut self, sql: &'static str, values: &[Value]) -> Result<Vec<Row>, Problem> {
        let found = self.with(|open| open.query(sql, values))?;
        found.iter().map(row::row).collect()
    }

    fn now(&mut self) -> Result<i64, Problem> {
        match self.with(Session::begun)? {
            Some(now) => Ok(now),
            None => self.query(concat!("SELECT ", clock!()), &[])?.first().ok_or(Problem::GivenUp)?.get(0),
        }
    }

    fn engine(&self) -> Engine {
        Engine::Postgres
    }

    fn note(&mut self, note: Note) {
        self.notes.push(note);
    }

    fn found(&mut self) -> &mut Found {
        &mut self.found
    }
}

impl Connection for Postgres {
    fn begin(&mut self) -> Result<(), Problem> {
        self.session()?;
        self.found = Found::default();
        let sql = match &mut self.role {
            Role::Reader => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY".to_owned(),
            Role::Writer(name, number) => {
                *number += 1;
                format!(
                    "BEGIN; INSERT INTO scrum_commits VALUES ('{name}', {number}, {clock}) ON CONFLICT (writer)
                     DO UPDATE SET number = excluded.number, at = excluded.at RETURNING at",
                    clock = clock!()
                )
            }
        };
        self.with(|open| open.begin(sql)).inspect_err(|_| self.roll_back())
    }

    fn commit(&mut self) -> Result<(), Stopped> {
        // Had it not begun for certain, a server could still do all of it after `find_out` has looked.
        let begun = self.with(Session::begun);
        // If a statement before it failed, the server makes an end of the transaction of it.
        let kept = match begun.and_then(|_| self.with(|open| open.simple("COMMIT").map(drop))) {
            Err(Problem::Cut(_)) if self.open.is_some() => {
                self.broken = None;
                self.find_out().map_err(Stopped::Around)
            }
            other => other.map_err(Stopped::Working),
        };
        match &kept {
            Ok(()) => self.tries = 0,
            Err(_) => self.roll_back(),
        }
        kept
    }

    fn roll_back(&mut self) {
        self.notes.clear();
        let broken = self.broken.take();
        let Some(open) = &mut self.open else { return };
        if matches!(broken, Some(Problem::Cut(_))) || open.is_closed() {
            self.open = None;
            return;
        }
        // Nothing depends on the answer: where there is none, what is asked next has none either.
        open.forget("ROLLBACK");
        if broken.is_none() {
            self.tries = 0;
        }
    }

    fn notes(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.notes)
    }

    fn try_again(&mut self, problem: &Problem) -> bool {
        let is_passing = matches!(problem, Problem::Cut(_) | Problem::Conflict(_));
        if !is_passing || self.tries >= TRIES {
            return false;
        }
        thread::sleep(pause(self.tries));
        self.tries += 1;
        true
    }
}

/// A client has a runtime of its own, which must not end inside of another one.
impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(open) = self.open.take() {
            let _ = thread::spawn(move || drop(open)).join();
        }
    }
}

/// Before the next try, after so many: none at first, for a connection that was idle when the server was started anew.
fn pause(tries: u32) -> Duration {
    let milliseconds = if tries == 0 { 0 } else { 25 << tries.min(7) };
    Duration::from_millis(milliseconds).min(Duration::from_secs(2))
}

/// Sorted by what can be done about it. What the server says of a statement names tables and columns; a password is not among
/// what either side says.
impl From<tokio_postgres::Error> for Problem {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(said) = error.as_db_error() else {
            let words = words(&error);
            let is_cut = error.is_closed()
                || std::error::Error::source(&error)
                    .is_some_and(<dyn std::error::Error>::is::<std::io::Error>);
            return if is_cut { Self::Cut(words) } else { Self::Other(words) };
        };
        let words = said.message().to_owned();
        match said.code() {
            &SqlState::T_R_DEADLOCK_DETECTED | &SqlState::T_R_SERIALIZATION_FAILURE => Self::Conflict(words),
            &SqlState::LOCK_NOT_AVAILABLE => Self::Locked,
            &SqlState::DISK_FULL => Self::Full,
            &SqlState::READ_ONLY_SQL_TRANSACTION => Self::ReadOnly(words),
            &SqlState::INSUFFICIENT_PRIVILEGE => Self::Refused(words),
            &SqlState::TOO_MANY_CONNECTIONS | &SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT => {
                Self::Cut(words)
            }
            // 08: connection exceptions; 57P: the server is stopped, started or has lost one of its own.
            code if code.code().starts_with("08") || code.code().starts_with("57P") => Self::Cut(words),
            // 28: who we are; 3D: no such database; 3F: no such schema.
            code if ["28", "3D", "3F"].iter().any(|class| code.code().starts_with(class)) => {
                Self::Refused(words)
            }
            _ => Self::Other(words),
        }
    }
}

/// An error and what it comes from.
fn words(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        let more = source.to_string();
        if !words.contains(&more) {
            words = format!("{words}: {more}");
        }
        next = source.source();
    }
    words
}

#[cfg(test)]
mod tests;
