//! The engine of one machine: [`Sqlite`], a connection to a file.

pub(super) mod file;
mod schema;

use rusqlite::{
    Row as Given, Statement, ToSql, params_from_iter,
    types::{ToSqlOutput, ValueRef},
};

use super::{
    Engine, Found, Note, Problem, Row, Sql, Value,
    connection::{Connection, Stopped},
};

/// Statements that a connection keeps prepared.
const PREPARED: usize = 128;

/// A connection with its transaction.
pub(super) struct Sqlite {
    connection: rusqlite::Connection,
    begin: &'static str,
    now: i64,
    notes: Vec<Note>,
    found: Found,
}

impl Sqlite {
    /// Of a connection that may write. It takes the lock at once: taken later, it may be somebody else's by then.
    pub(super) fn writer(connection: rusqlite::Connection) -> Self {
        Self::new(connection, "BEGIN IMMEDIATE")
    }

    /// Of a connection that only reads.
    pub(super) fn reader(connection: rusqlite::Connection) -> Self {
        Self::new(connection, "BEGIN")
    }

    fn new(connection: rusqlite::Connection, begin: &'static str) -> Self {
        connection.set_prepared_statement_cache_capacity(PREPARED);
        Self { connection, begin, now: 0, notes: Vec::new(), found: Found::default() }
    }

    fn run(&self, sql: &str) -> Result<(), Problem> {
        self.connection.prepare_cached(sql)?.execute(())?;
        Ok(())
    }
}

impl Sql for Sqlite {
    fn execute(&mut self, sql: &'static str, values: &[Value]) -> Result<u64, Problem> {
        let changed = self.connection.prepare_cached(sql)?.execute(params_from_iter(values))?;
        Ok(changed as u64)
    }

    fn query(&mut self, sql: &'static str, values: &[Value]) -> Result<Vec<Row>, Problem> {
        rows(&mut *self.connection.prepare_cached(sql)?, values)
    }

    fn now(&mut self) -> Result<i64, Problem> {
        Ok(self.now)
    }

    fn engine(&self) -> Engine {
        Engine::Sqlite
    }

    fn note(&mut self, note: Note) {
        self.notes.push(note);
    }

    fn found(&mut self) -> &mut Found {
        &mut self.found
    }
}

impl Connection for Sqlite {
    fn begin(&mut self) -> Result<(), Problem> {
        self.run(self.begin)?;
        self.found = Found::default();
        let clock = "SELECT CAST(1000 * unixepoch('subsec') AS INTEGER)";
        let now = self.connection.prepare_cached(clock)?.query_row((), |row| row.get(0));
        self.now = now.inspect_err(|_| self.roll_back())?;
        Ok(())
    }

    fn commit(&mut self) -> Result<(), Stopped> {
        self.run("COMMIT").inspect_err(|_| self.roll_back()).map_err(Stopped::Around)
    }

    fn roll_back(&mut self) {
        self.notes.clear();
        // A full disk, for one, has made SQLite do it by itself.
        if !self.connection.is_autocommit() {
            let _ = self.run("ROLLBACK");
        }
    }

    fn notes(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.notes)
    }

    /// It has waited for the lock already, and nothing else passes by itself.
    fn try_again(&mut self, _: &Problem) -> bool {
        false
    }
}

fn rows(statement: &mut Statement<'_>, values: &[Value]) -> Result<Vec<Row>, Problem> {
    let columns = statement.column_count();
    let mut found = statement.query(params_from_iter(values))?;
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        rows.push(Row((0..columns).map(|column| value(row, column)).collect::<Result<_, _>>()?));
    }
    Ok(rows)
}

fn value(row: &Given<'_>, column: usize) -> rusqlite::Result<Value> {
    let value = row.get_ref(column)?;
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(_) => Value::Text(value.as_str()?.to_owned()),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
    })
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Real(number) => ValueRef::Real(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}
