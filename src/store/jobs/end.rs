//! How an attempt ends, and with it a job: by its own word, by somebody's who calls it off, or because its node is gone.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    Ending, Held, Reaped,
    look::{id, word},
};
use crate::{
    job::{JobId, State},
    store::database::{Engine, Note, Problem, Row, Sql, values},
};

/// Ends attempts. For each the state it led to, also when it had been told before; `None`: it was no more this node's to end.
pub(super) fn finish(
    sql: &mut dyn Sql,
    node: &str,
    ended: &[(Held, Ending)],
) -> Result<Vec<Option<State>>, Problem> {
    let now = sql.now()?;
    let over = ended.iter().filter_map(|(held, ending)| match outcome(ending) {
        Outcome::Over { state, result, reason } => {
            Some(values![held.id.as_str(), held.attempt, node, state.word(), now, result, reason].to_vec())
        }
        Outcome::Again { .. } => None,
    });
    let mut changed = sql.execute_each(OVER, &over.collect::<Vec<_>>())?.into_iter();
    let mut end = |(held, ending): &(Held, Ending)| {
        let state = match outcome(ending) {
            Outcome::Over { state, .. } => (changed.next() == Some(1)).then_some(state),
            Outcome::Again { reason, delay, counts } => again(sql, node, held, (&reason, delay, counts))?,
        };
        let Some(state) = state else { return confirm(sql, node, held, ending) };
        sql.note(Note::Changed(held.id.clone()));
        if state == State::Queued {
            sql.found().waiting = None;
            sql.note(Note::Ready);
        }
        Ok(Some(state))
    };
    ended.iter().map(&mut end).collect()
}

/// Ends an attempt for good.
const OVER: &str = "UPDATE jobs SET state = ?4, finished = ?5, result = ?6, reason = ?7, lease_until = NULL
                    WHERE id = ?1 AND attempt = ?2 AND node = ?3 AND state = 'running'";

/// What an ending means for its row.
enum Outcome<'a> {
    Over { state: State, result: Option<&'a str>, reason: Option<String> },
    Again { reason: String, delay: Duration, counts: bool },
}

fn outcome(ending: &Ending) -> Outcome<'_> {
    let over = |state, reason| Outcome::Over { state, result: None, reason: Some(storable(reason)) };
    match ending {
        Ending::Succeeded(result) => {
            Outcome::Over { state: State::Succeeded, result: Some(result), reason: None }
        }
        Ending::Failed(reason) => over(State::Failed, reason),
        Ending::TimedOut(reason) => over(State::TimedOut, reason),
        Ending::Again { reason, delay } => {
            Outcome::Again { reason: storable(reason), delay: *delay, counts: true }
        }
        Ending::GivenBack => Outcome::Again {
            reason: "the daemon that had it was stopped".to_owned(),
            delay: Duration::ZERO,
            counts: false,
        },
    }
}

/// `PostgreSQL` has no text with the character of number zero in it.
fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// Lets a job wait again, or fail where no attempt is left. `?1`: the reason, `?2`: now, `?3`: not before, `?4`: attempts that do
/// not count.
macro_rules! again {
    ($which:literal) => {
        concat!(
            "UPDATE jobs SET
               state = CASE WHEN attempt - given_back - ?4 >= max_attempts THEN 'failed' ELSE 'queued' END,
               finished = CASE WHEN attempt - given_back - ?4 >= max_attempts THEN CAST(?2 AS BIGINT) END,
               given_back = given_back + ?4, reason = ?1, since = ?2, not_before = ?3, lease_until = NULL
             WHERE state = 'running' AND ",
            $which,
            " RETURNING state, id"
        )
    };
}

fn again(
    sql: &mut dyn Sql,
    node: &str,
    held: &Held,
    (reason, delay, counts): (&str, Duration, bool),
) -> Result<Option<State>, Problem> {
    let statement = again!("id = ?5 AND attempt = ?6 AND node = ?7");
    let now = sql.now()?;
    let delay = i64::try_from(delay.as_millis()).unwrap_or(i64::MAX);
    let not_before = (delay > 0).then_some(now.saturating_add(delay));
    let back = i64::from(!counts);
    let values = values![reason, now, not_before, back, held.id.as_str(), held.attempt, node];
    sql.query(statement, values)?.first().map(|row| word(row, 0, State::of)).transpose()
}

/// The state of an attempt that ended in just this way before.
fn confirm(sql: &mut dyn Sql, node: &str, held: &Held, ending: &Ending) -> Result<Option<State>, Problem> {
    let query = "SELECT state, result, reason FROM jobs WHERE id = ?1 AND attempt = ?2 AND node = ?3";
    let found = sql.query(query, values![held.id.as_str(), held.attempt, node])?;
    let Some(row) = found.first() else { return Ok(None) };
    let (state, result, reason) = (word(row, 0, State::of)?, row.get(1)?, row.get(2)?);
    let is_same = match outcome(ending) {
        Outcome::Over { state: then, result: told, reason: why } => {
            then == state && told.map(str::to_owned) == result && why == reason
        }
        Outcome::Again { reason: why, .. } => {
            matches!(state, State::Queued | State::Failed) && Some(why) == reason
        }
    };
    Ok(is_same.then_some(state))
}

/// Takes back what runs with a lease that ended by `moment`, in milliseconds.
pub(super) fn reap(sql: &mut dyn Sql, moment: i64) -> Result<Reaped, Problem> {
    let statement = again!("lease_until <= ?5");
    let reason = "the daemon that ran it was lost in the middle of it";
    let (now, none) = (sql.now()?, None::<i64>);
    let rows = sql.query(statement, values![reason, now, none, 0_i64, moment])?;
    sql.found().waiting = None;
    let mut reaped = Reaped::default();
    for row in &rows {
        let id = id(row, 1)?;
        sql.note(Note::Changed(id.clone()));
        match word(row, 0, State::of)? {
            State::Queued => reaped.requeued.push(id),
            _ => reaped.failed.push(id),
        }
    }
    if !reaped.requeued.is_empty() {
        sql.note(Note::Ready);
    }
    reaped.requeued.sort_unstable();
    reaped.failed.sort_unstable();
    Ok(reaped)
}

/// What became of the wish to call a job off.
pub(super) enum CalledOff {
    /// It was in this state; `None`: there is no such job.
    From(Option<State>),
    /// Somebody else is changing it. To wait for that with other jobs in hand, for which somebody may wait who has this one, could last
    /// until the server ends one of both.
    NotYet,
}

/// Calls a job off.
pub(super) fn cancel(sql: &mut dyn Sql, tenant: Option<&str>, id: &JobId) -> Result<CalledOff, Problem> {
    /// With `$lock`, nobody else changes it before we do.
    macro_rules! state {
        ($lock:literal) => {
            concat!(
                "SELECT state FROM jobs WHERE id = ?1 AND (CAST(?2 AS TEXT) IS NULL OR tenant = CAST(?2 AS TEXT))",
                $lock
            )
        };
    }
    let which = values![id.as_str(), tenant];
    let found = match sql.engine() {
        Engine::Sqlite => sql.query(state!(""), which)?,
        Engine::Postgres => sql.query(state!(" FOR UPDATE SKIP LOCKED"), which)?,
    };
    if found.is_empty() && sql.engine() == Engine::Postgres && !sql.query(state!(""), which)?.is_empty() {
        return Ok(CalledOff::NotYet);
    }
    let state = found.first().map(|row: &Row| word(row, 0, State::of)).transpose()?;
    if state.is_some_and(|state| !state.is_final()) {
        call_off(sql, id, "it was called off")?;
    }
    Ok(CalledOff::From(state))
}

/// Ends a job that waits or runs, whoever has it.
pub(super) fn call_off(sql: &mut dyn Sql, id: &JobId, reason: &'static str) -> Result<(), Problem> {
    let statement = "UPDATE jobs SET state = 'cancelled', finished = ?2, reason = ?3, lease_until = NULL
                     WHERE id = ?1 AND state IN ('queued', 'running')";
    let now = sql.now()?;
    sql.execute(statement, values![id.as_str(), now, reason])?;
    sql.found().waiting = None;
    sql.note(Note::CalledOff(id.clone()));
    sql.note(Note::Changed(id.clone()));
    Ok(())
}

/// Removes jobs that ended before `moment`; what they told and left goes with them.
pub(super) fn prune(sql: &mut dyn Sql, moment: Timestamp, most: u32) -> Result<u64, Problem> {
    let statement = "DELETE FROM jobs WHERE id IN (
                       SELECT id FROM jobs WHERE finished IS NOT NULL AND finished < ?1 ORDER BY finished LIMIT ?2)";
    sql.execute(statement, values![moment.as_millisecond(), most])
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::Notify;

    use super::*;
    use crate::store::{database::testing::joined, jobs::Jobs};

    /// Somebody has the first row until the second job is called off.
    #[tokio::test]
    async fn one_that_somebody_has_keeps_no_other_from_being_called_off() {
        let Some(database) = joined() else { return };
        let [first, second] =
            ["01970000-0000-7000-8000-000000000001", "01970000-0000-7000-8000-000000000002"];
        for id in [first, second] {
            let add = move |sql: &mut dyn Sql| {
                let row = "INSERT INTO jobs (id, tenant, source, priority, kind, task, timeout_secs, max_attempts, state, place, created, since)
                           VALUES (?1, '', 'api', 1, 'noop', '{\"kind\":\"noop\"}', 60, 3, 'queued', 0, 0, 0)";
                sql.execute(row, values![id])
            };
            assert_eq!(database.write(add).await, Ok(1));
        }
        let has = Arc::new(Notify::new());
        let tell = Arc::clone(&has);
        let until_the_second_is = move |sql: &mut dyn Sql| {
            sql.query("SELECT id FROM jobs WHERE id = ?1 FOR UPDATE", values![first])?;
            tell.notify_one();
            for _ in 0..1_000 {
                let called_off = "SELECT id FROM jobs WHERE id = ?1 AND state = 'cancelled'";
                if !sql.query(called_off, values![second])?.is_empty() {
                    return Ok(true);
                }
                sql.query("SELECT 1 FROM pg_sleep(0.01)", &[])?;
            }
            Ok(false)
        };
        let jobs = Jobs::new(database.clone());
        let call_off = async |id| jobs.cancel(None, &JobId::parse(id).unwrap()).await;
        let both = async {
            has.notified().await;
            tokio::join!(call_off(first), call_off(second))
        };
        let (held, (one, other)) = tokio::join!(database.write(until_the_second_is), both);
        assert_eq!((held, one, other), (Ok(true), Ok(Some(State::Queued)), Ok(Some(State::Queued))));
    }
}
