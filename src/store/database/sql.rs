//! What work on a database is written in: statements through [`Sql`], with [`Value`]s in and [`Row`]s out, on either engine.
//!
//! One text of SQL for both, in what they have in common. Where they differ, work asks for the [`Engine`] and chooses.

use super::{Note, Problem};

/// Which program keeps the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// `SQLite`, in this process: one writes at a time.
    Sqlite,
    /// A server of `PostgreSQL`: several nodes write at a time, READ COMMITTED.
    Postgres,
}

/// A transaction, while it is open.
pub trait Sql {
    /// Runs a statement with `values` for its `?1`, `?2`, …; how many rows it changed. It must not give rows.
    fn execute(&mut self, sql: &'static str, values: &[Value]) -> Result<u64, Problem>;

    /// Runs a statement of which nobody needs to know how many rows it changed: a server is not waited for. If it fails, all of the
    /// transaction does.
    fn execute_later(&mut self, sql: &'static str, values: &[Value]) -> Result<(), Problem> {
        self.execute(sql, values).map(drop)
    }

    /// Runs a statement for each of `all`, one after the other, and waits once; how many rows it changed each time.
    fn execute_each(&mut self, sql: &'static str, all: &[Vec<Value>]) -> Result<Vec<u64>, Problem> {
        all.iter().map(|values| self.execute(sql, values)).collect()
    }

    /// Runs a statement that gives rows, also one that changes something.
    fn query(&mut self, sql: &'static str, values: &[Value]) -> Result<Vec<Row>, Problem>;

    /// When the transaction began, in milliseconds since 1970, by the one clock of all who use the database.
    fn now(&mut self) -> Result<i64, Problem>;

    /// Who answers.
    fn engine(&self) -> Engine;

    /// Tells all nodes something once the transaction is kept, and nobody if it is not.
    fn note(&mut self, note: Note);

    /// What earlier work of this transaction has found, so that it is not asked for again. Nothing at its beginning.
    fn found(&mut self) -> &mut Found;
}

/// What work in one transaction leaves to work that follows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Found {
    /// Nobody else stores a job until its end.
    pub is_alone: bool,
    /// So many jobs wait at most.
    pub waiting: Option<u64>,
}

/// What stands in one column.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing.
    Null,
    /// A whole number.
    Integer(i64),
    /// Another number.
    Real(f64),
    /// A text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// What a statement gave, column by column.
#[derive(Debug, Clone, PartialEq)]
pub struct Row(pub(super) Vec<Value>);

impl Row {
    /// The column at `index`, from 0.
    pub fn get<T: FromValue>(&self, index: usize) -> Result<T, Problem> {
        let value = self.0.get(index).ok_or_else(|| Problem::Other(format!("there is no column {index}")))?;
        T::from_value(value).ok_or_else(|| self.unfit(index))
    }

    /// That the column at `index` holds something that nobody of ours has put there.
    pub fn unfit(&self, index: usize) -> Problem {
        let shown = match self.0.get(index) {
            Some(Value::Text(text)) => format!("{text:?}"),
            Some(Value::Bytes(bytes)) => format!("{} bytes", bytes.len()),
            other => format!("{other:?}"),
        };
        Problem::Other(format!("column {index} is {shown}, which cannot be read"))
    }
}

/// What a column can be read as.
pub trait FromValue: Sized {
    /// `None`: it is something else.
    fn from_value(value: &Value) -> Option<Self>;
}

impl FromValue for i64 {
    fn from_value(value: &Value) -> Option<Self> {
        if let Value::Integer(number) = value { Some(*number) } else { None }
    }
}

impl FromValue for u64 {
    fn from_value(value: &Value) -> Option<Self> {
        i64::from_value(value)?.try_into().ok()
    }
}

impl FromValue for u32 {
    fn from_value(value: &Value) -> Option<Self> {
        i64::from_value(value)?.try_into().ok()
    }
}

impl FromValue for f64 {
    fn from_value(value: &Value) -> Option<Self> {
        if let Value::Real(number) = value { Some(*number) } else { None }
    }
}

impl FromValue for String {
    fn from_value(value: &Value) -> Option<Self> {
        if let Value::Text(text) = value { Some(text.clone()) } else { None }
    }
}

impl FromValue for Vec<u8> {
    fn from_value(value: &Value) -> Option<Self> {
        if let Value::Bytes(bytes) = value { Some(bytes.clone()) } else { None }
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: &Value) -> Option<Self> {
        if *value == Value::Null { Some(None) } else { T::from_value(value).map(Some) }
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Integer(number.into())
    }
}

/// Databases have no larger numbers than `i64::MAX`, and nothing of ours counts that far.
impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Integer(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Real(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// The values of a statement, each from whatever stands there.
macro_rules! values {
    ($($value:expr),* $(,)?) => { &[$($crate::store::database::Value::from($value)),*] };
}

pub(crate) use values;
