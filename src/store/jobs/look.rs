//! Jobs as they stand: one, some, how many, and whether they can change.

use jiff::Timestamp;

use super::{Counts, Filter};
use crate::{
    job::{Job, JobId, Kind, NewJob, Priority, Source, State},
    store::database::{Problem, Row, Sql, values},
};

/// What [`read`] reads, in its order.
macro_rules! columns {
    () => {
        "jobs.id, jobs.tenant, jobs.source, jobs.priority, jobs.task, jobs.timeout_secs, jobs.max_attempts, \
         jobs.dedupe_key, jobs.subject, jobs.state, jobs.attempt, jobs.node, jobs.created, jobs.started, \
         jobs.finished, jobs.result, jobs.reason"
    };
}
pub(super) use columns;

/// How many [`columns`] there are.
pub(super) const COLUMNS: usize = 17;

/// A job, from its [`columns`].
pub(super) fn read(row: &Row) -> Result<Job, Problem> {
    let task: String = row.get(4)?;
    let new = NewJob {
        id: id(row, 0)?,
        tenant: row.get(1)?,
        source: word(row, 2, Source::of)?,
        priority: priority(row, 3)?,
        task: serde_json::from_str(&task).map_err(|_| row.unfit(4))?,
        timeout_secs: row.get(5)?,
        max_attempts: row.get(6)?,
        dedupe_key: row.get(7)?,
        subject: row.get(8)?,
    };
    Ok(Job {
        new,
        state: word(row, 9, State::of)?,
        attempt: row.get(10)?,
        node: row.get(11)?,
        created: moment(row, 12)?.ok_or_else(|| row.unfit(12))?,
        started: moment(row, 13)?,
        finished: moment(row, 14)?,
        result: row.get(15)?,
        reason: row.get(16)?,
    })
}

/// A job's name.
pub(super) fn id(row: &Row, column: usize) -> Result<JobId, Problem> {
    JobId::parse(&row.get::<String>(column)?).ok_or_else(|| row.unfit(column))
}

/// One of a closed set of words.
pub(super) fn word<T>(row: &Row, column: usize, of: fn(&str) -> Option<T>) -> Result<T, Problem> {
    of(&row.get::<String>(column)?).ok_or_else(|| row.unfit(column))
}

/// How soon; written as its place among [`Priority::ALL`].
pub(super) fn priority(row: &Row, column: usize) -> Result<Priority, Problem> {
    let place: u32 = row.get(column)?;
    let found = Priority::ALL.iter().find(|one| rank(**one) == place);
    found.copied().ok_or_else(|| row.unfit(column))
}

/// A priority as a number, 0 for the most urgent.
pub(super) fn rank(priority: Priority) -> u32 {
    match priority {
        Priority::High => 0,
        Priority::Normal => 1,
        Priority::Low => 2,
    }
}

/// A point in time, from milliseconds.
pub(super) fn moment(row: &Row, column: usize) -> Result<Option<Timestamp>, Problem> {
    let milliseconds: Option<i64> = row.get(column)?;
    let moment = milliseconds.map(Timestamp::from_millisecond).transpose();
    moment.map_err(|_| row.unfit(column))
}

/// A job, of `tenant` only if it is given.
pub(super) fn job(sql: &mut dyn Sql, tenant: Option<&str>, id: &JobId) -> Result<Option<Job>, Problem> {
    let query = concat!(
        "SELECT ",
        columns!(),
        " FROM jobs WHERE id = ?1 AND (CAST(?2 AS TEXT) IS NULL OR tenant = CAST(?2 AS TEXT))"
    );
    sql.query(query, values![id.as_str(), tenant])?.first().map(read).transpose()
}

/// Jobs of `tenant` about `subject` that wait or run, oldest first.
pub(super) fn about(sql: &mut dyn Sql, tenant: &str, subject: &str) -> Result<Vec<JobId>, Problem> {
    let rows = sql.query(ABOUT, values![tenant, subject])?;
    rows.iter().map(|row| id(row, 0)).collect()
}

const ABOUT: &str = "SELECT id FROM jobs WHERE tenant = ?1 AND subject = ?2
                     AND state IN ('queued', 'running') ORDER BY id";

/// A list, narrowed by `$more`, which lets an index find the few that wait or run.
macro_rules! list {
    ($more:literal) => {
        concat!(
            "SELECT ",
            columns!(),
            " FROM jobs WHERE (CAST(?1 AS TEXT) IS NULL OR tenant = CAST(?1 AS TEXT))
             AND (CAST(?2 AS TEXT) IS NULL OR kind = CAST(?2 AS TEXT))
             AND (CAST(?3 AS TEXT) IS NULL OR id < CAST(?3 AS TEXT))
             AND (CAST(?4 AS TEXT) = '' OR (',' || CAST(?4 AS TEXT) || ',') LIKE ('%,' || state || ',%'))",
            $more,
            " ORDER BY id DESC LIMIT ?5"
        )
    };
}

/// Some jobs, newest first.
pub(super) fn list(sql: &mut dyn Sql, filter: &Filter) -> Result<Vec<Job>, Problem> {
    let query = match filter.states[..] {
        [State::Queued] => list!(" AND state = 'queued'"),
        [State::Running] => list!(" AND state = 'running'"),
        _ => list!(""),
    };
    let states = filter.states.iter().map(|state| state.word()).collect::<Vec<_>>().join(",");
    let kind = filter.kind.map(Kind::word);
    let before = filter.before.as_ref().map(JobId::as_str);
    let rows = sql.query(query, values![filter.tenant.as_ref(), kind, before, states, filter.most])?;
    rows.iter().map(read).collect()
}

/// How many there are.
pub(super) fn counts(sql: &mut dyn Sql) -> Result<Counts, Problem> {
    let mut counts = Counts::default();
    let waiting = "SELECT priority, count(*), min(since) FROM jobs WHERE state = 'queued' GROUP BY priority";
    for row in sql.query(waiting, &[])? {
        counts.waiting.push((priority(&row, 0)?, row.get(1)?));
        counts.oldest = [counts.oldest, moment(&row, 2)?].into_iter().flatten().min();
    }
    counts.waiting.sort_unstable();
    let over = "SELECT state, count(*) FROM jobs WHERE finished IS NOT NULL GROUP BY state";
    for row in sql.query(over, &[])? {
        counts.by_state.push((word(&row, 0, State::of)?, row.get(1)?));
    }
    let running = sql.query("SELECT count(*) FROM jobs WHERE state = 'running'", &[])?;
    counts.running = running.first().map_or(Ok(0), |row| row.get(0))?;
    let queued = counts.waiting.iter().map(|(_, jobs)| jobs).sum();
    counts.by_state.extend([(State::Queued, queued), (State::Running, counts.running)]);
    counts.by_state.retain(|(_, jobs)| *jobs > 0);
    counts.by_state.sort_unstable();
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::database::Database;

    /// However many jobs of a tenant there are, an index leads to those about one thing.
    #[tokio::test]
    async fn a_subject_is_looked_up() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("scrum.db")).unwrap();
        let explain: &'static str = String::leak(format!("EXPLAIN QUERY PLAN {ABOUT}"));
        let plan = move |sql: &mut dyn Sql| {
            let rows = sql.query(explain, values!["acme", "pull/7"])?;
            rows.iter().map(|row| row.get::<String>(3)).collect::<Result<Vec<_>, _>>()
        };
        let plan = database.read(plan).await.unwrap();
        assert_eq!(plan[0], "SEARCH jobs USING INDEX jobs_about (tenant=? AND subject=?)", "{plan:?}");
    }
}
