//! What attempts leave behind: events for those who watch, files for the next attempt.

use super::{Event, Held, look::moment};
use crate::{
    job::JobId,
    store::database::{Engine, Note, Problem, Row, Sql, values},
};

/// Whether the attempt is the one that runs, and will be until the commit.
fn holds(sql: &mut dyn Sql, node: &str, held: &Held) -> Result<bool, Problem> {
    /// With `$lock`, nobody else changes it before we are done.
    macro_rules! holds {
        ($lock:literal) => {
            concat!(
                "SELECT id FROM jobs WHERE id = ?1 AND attempt = ?2 AND node = ?3 AND state = 'running'",
                $lock
            )
        };
    }
    let query = match sql.engine() {
        Engine::Sqlite => holds!(""),
        Engine::Postgres => holds!(" FOR UPDATE"),
    };
    let found = sql.query(query, values![held.id.as_str(), held.attempt, node])?;
    Ok(!found.is_empty())
}

/// Adds events.
pub(super) fn tell(sql: &mut dyn Sql, node: &str, held: &Held, events: &[String]) -> Result<bool, Problem> {
    if !holds(sql, node, held)? {
        return Ok(false);
    }
    let last =
        sql.query("SELECT coalesce(max(seq), 0) FROM job_events WHERE job = ?1", values![held.id.as_str()])?;
    let last: i64 = last.first().map_or(Ok(0), |row| row.get(0))?;
    let now = sql.now()?;
    let statement = "INSERT INTO job_events (job, seq, attempt, at, data) VALUES (?1, ?2, ?3, ?4, ?5)";
    for (seq, event) in (last + 1..).zip(events) {
        sql.execute_later(statement, values![held.id.as_str(), seq, held.attempt, now, event])?;
    }
    sql.note(Note::Changed(held.id.clone()));
    Ok(true)
}

/// Events after `after`, in order.
pub(super) fn events(sql: &mut dyn Sql, id: &JobId, after: u64, most: u32) -> Result<Vec<Event>, Problem> {
    let query =
        "SELECT seq, attempt, at, data FROM job_events WHERE job = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3";
    let event = |row: &Row| {
        let at = moment(row, 2)?.ok_or_else(|| row.unfit(2))?;
        Ok(Event { seq: row.get(0)?, attempt: row.get(1)?, at, data: row.get(3)? })
    };
    sql.query(query, values![id.as_str(), after, most])?.iter().map(event).collect()
}

/// Keeps files, each in place of one with its name.
pub(super) fn keep(
    sql: &mut dyn Sql,
    node: &str,
    held: &Held,
    files: &[(String, Vec<u8>)],
) -> Result<bool, Problem> {
    if !holds(sql, node, held)? {
        return Ok(false);
    }
    let statement = "INSERT INTO job_files (job, name, bytes) VALUES (?1, ?2, ?3)
                     ON CONFLICT (job, name) DO UPDATE SET bytes = excluded.bytes";
    for (name, bytes) in files {
        sql.execute_later(statement, values![held.id.as_str(), name, bytes.as_slice()])?;
    }
    Ok(true)
}

/// Names and sizes, by name.
pub(super) fn files(sql: &mut dyn Sql, id: &JobId) -> Result<Vec<(String, u64)>, Problem> {
    let query = "SELECT name, length(bytes) FROM job_files WHERE job = ?1 ORDER BY name";
    let rows = sql.query(query, values![id.as_str()])?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// One file's bytes.
pub(super) fn file(sql: &mut dyn Sql, id: &JobId, name: &str) -> Result<Option<Vec<u8>>, Problem> {
    let query = "SELECT bytes FROM job_files WHERE job = ?1 AND name = ?2";
    sql.query(query, values![id.as_str(), name])?.first().map(|row| row.get(0)).transpose()
}
