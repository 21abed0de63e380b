//! How a job comes in: once, if there is room.

use super::{
    Enqueued,
    end::call_off,
    look::{id, rank, word},
};
use crate::{
    job::{
        JobId, NewJob, State, Task, order,
        room::{Full, Room},
    },
    store::database::{Engine, Note, Problem, Row, Sql, values},
};

/// A task as it is stored. Equal tasks are equal texts.
pub(super) fn text(task: &Task) -> String {
    serde_json::to_string(task).expect("a task has text for keys and no number that JSON lacks")
}

/// Stores a job. What it finds beforehand is true until the commit: on `SQLite` nobody else writes, on `PostgreSQL` nobody else is
/// in here.
pub(super) fn enqueue(sql: &mut dyn Sql, new: &NewJob, task: &str, room: Room) -> Result<Enqueued, Problem> {
    alone(sql)?;
    let mut waiting = waiting(sql)?;
    if waiting >= room.all {
        // Earlier work of this transaction may have counted one that was there already.
        sql.found().waiting = None;
        waiting = self::waiting(sql)?;
    }
    // Nothing else comes of a job that is there already: that is left to the insertion.
    let is_near = waiting >= room.of(&new.tenant);
    let may_be_other = is_near || new.dedupe_key.is_some() || new.subject.is_some();
    if may_be_other && is_stored(sql, new)? {
        return Ok(Enqueued::New(Vec::new()));
    }
    if let Some(same) = same(sql, new, task)? {
        return Ok(same);
    }
    let older = older(sql, new)?;
    let leave = older.iter().filter(|(_, state)| *state == State::Queued).count();
    let leave = leave as u64;
    // Nobody has more waiting than all have.
    let own = if is_near { own(sql, &new.tenant)? } else { waiting };
    match room.full(&new.tenant, waiting.saturating_sub(leave), own.saturating_sub(leave)) {
        Some(Full::Queue) => return Ok(Enqueued::Full { waiting }),
        Some(Full::Share) => return Ok(Enqueued::ShareFull { waiting: own }),
        None => {}
    }
    for (id, _) in &older {
        call_off(sql, id, "a newer job about the same came")?;
    }
    insert(sql, new, task)?;
    sql.found().waiting = sql.found().waiting.map(|waiting| waiting + 1);
    sql.note(Note::Ready);
    Ok(Enqueued::New(older))
}

/// Waits until nobody else stores a job. A statement of its own: what the next one sees is what there is when it begins.
fn alone(sql: &mut dyn Sql) -> Result<(), Problem> {
    match sql.engine() {
        Engine::Sqlite => {}
        Engine::Postgres if sql.found().is_alone => {}
        // The number is nobody else's: `scrumjob`.
        Engine::Postgres => {
            sql.execute_later("SELECT pg_advisory_xact_lock(8314615185728499554)", &[])?;
            sql.found().is_alone = true;
        }
    }
    Ok(())
}

fn is_stored(sql: &mut dyn Sql, new: &NewJob) -> Result<bool, Problem> {
    Ok(!sql.query("SELECT id FROM jobs WHERE id = ?1", values![new.id.as_str()])?.is_empty())
}

/// How many wait; what other nodes have taken since the transaction began may still be among them.
fn waiting(sql: &mut dyn Sql) -> Result<u64, Problem> {
    if let Some(waiting) = sql.found().waiting {
        return Ok(waiting);
    }
    let query = match sql.engine() {
        Engine::Sqlite => "SELECT number FROM jobs_queued",
        // Nodes would wait for one another at a number that all of them change.
        Engine::Postgres => "SELECT count(*) FROM jobs WHERE state = 'queued'",
    };
    let waiting = sql.query(query, &[])?.first().ok_or(Problem::GivenUp)?.get(0)?;
    sql.found().waiting = Some(waiting);
    Ok(waiting)
}

/// How many of `tenant` wait: as long as the queue is far from full, nobody counts them.
fn own(sql: &mut dyn Sql, tenant: &str) -> Result<u64, Problem> {
    let query = "SELECT count(*) FROM jobs WHERE state = 'queued' AND tenant = ?1";
    sql.query(query, values![tenant])?.first().map_or(Ok(0), |row| row.get(0))
}

/// The job that has the same dedupe key, if one waits or runs.
fn same(sql: &mut dyn Sql, new: &NewJob, task: &str) -> Result<Option<Enqueued>, Problem> {
    let Some(key) = &new.dedupe_key else { return Ok(None) };
    let query = "SELECT id, state, task FROM jobs
                 WHERE tenant = ?1 AND dedupe_key = ?2 AND state IN ('queued', 'running')";
    let found = sql.query(query, values![&new.tenant, key])?;
    let same = |row: &Row| {
        let is_same = row.get::<String>(2)? == task;
        let id = id(row, 0)?;
        Ok(if is_same { Enqueued::Same(id, word(row, 1, State::of)?) } else { Enqueued::Other(id) })
    };
    found.first().map(same).transpose()
}

/// Jobs about the same subject that wait or run, oldest first.
fn older(sql: &mut dyn Sql, new: &NewJob) -> Result<Vec<(JobId, State)>, Problem> {
    /// With `$lock`, nobody else changes them before we do.
    macro_rules! older {
        ($lock:literal) => {
            concat!(
                "SELECT id, state FROM jobs WHERE tenant = ?1 AND subject = ?2
                 AND state IN ('queued', 'running') ORDER BY id",
                $lock
            )
        };
    }
    let Some(subject) = &new.subject else { return Ok(Vec::new()) };
    let query = match sql.engine() {
        Engine::Sqlite => older!(""),
        Engine::Postgres => older!(" FOR UPDATE"),
    };
    let rows = sql.query(query, values![&new.tenant, subject])?;
    rows.iter().map(|row| Ok((id(row, 0)?, word(row, 1, State::of)?))).collect()
}

/// Stores it unless it is stored, behind all that wait with its tenant and its priority: also when the clock went backwards, the
/// first to come is the first to go.
fn insert(sql: &mut dyn Sql, new: &NewJob, task: &str) -> Result<(), Problem> {
    let now = sql.now()?;
    let statement =
        "INSERT INTO jobs (id, tenant, source, priority, kind, task, timeout_secs, max_attempts, \
                     dedupe_key, subject, state, place, created, since)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 'queued',
                 coalesce((SELECT max(place) FROM jobs
                           WHERE state = 'queued' AND tenant = ?2 AND priority = ?4 AND place > ?11), ?11), ?12, ?12)
         ON CONFLICT (id) DO NOTHING";
    let values = values![
        new.id.as_str(),
        &new.tenant,
        new.source.word(),
        rank(new.priority),
        new.task.kind.word(),
        task,
        new.timeout_secs,
        new.max_attempts,
        new.dedupe_key.as_ref(),
        new.subject.as_ref(),
        order::key(now, new.priority),
        now,
    ];
    sql.execute_later(statement, values)
}

/// Stores a job and removes it at once. A full disk may have room for less than that.
pub(super) fn try_out(sql: &mut dyn Sql) -> Result<(), Problem> {
    // Behind all others, as one that came.
    let nobodys = "ffffffff-ffff-ffff-ffff-ffffffffffff";
    let statement =
        "INSERT INTO jobs (id, tenant, source, priority, kind, task, timeout_secs, max_attempts, state, place, created, since)
         VALUES (?1, '', 'api', 0, 'noop', '{}', 0, 0, 'queued', 0, 0, 0)";
    sql.execute(statement, values![nobodys])?;
    sql.execute("DELETE FROM jobs WHERE id = ?1", values![nobodys]).map(drop)
}
