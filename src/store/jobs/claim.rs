//! How a node comes to hold jobs, and goes on holding them.

use std::{collections::HashMap, time::Duration};

use super::{
    Claimed, Held,
    look::{COLUMNS, columns, priority, read},
};
use crate::{
    job::order::{Candidate, Turns},
    store::database::{Engine, Note, Problem, Row, Sql, values},
};

/// Candidates beyond what a node wants, for those that another node takes at this moment: as many nodes can take without getting in
/// one another's way.
const NODES: u32 = 4;

/// What came of an attempt to take jobs.
pub(super) struct Taken {
    /// When, in milliseconds by the database's clock.
    pub(super) at: i64,
    /// Tenants who had something waiting.
    pub(super) waiting: Vec<String>,
    /// The jobs, in their order.
    pub(super) claimed: Vec<Claimed>,
}

/// Takes at most `most` jobs whose turn it is.
pub(super) fn claim(
    sql: &mut dyn Sql,
    turns: &Turns,
    node: &str,
    most: u32,
    lease: Duration,
) -> Result<Taken, Problem> {
    let at = sql.now()?;
    let enough = match sql.engine() {
        Engine::Sqlite => most,
        Engine::Postgres => most.saturating_mul(NODES),
    };
    let candidates = candidates(sql, at, enough)?;
    let mut waiting: Vec<_> = candidates.iter().map(|one| one.tenant.clone()).collect();
    waiting.dedup();
    let order = turns.order(at, candidates).into_iter().map(|one| one.id);
    let order: Vec<_> = order.take(enough as usize).collect();
    let claimed = take(sql, &order, node, most, lease)?;
    let taken = claimed.len() as u64;
    sql.found().waiting = sql.found().waiting.map(|waiting| waiting.saturating_sub(taken));
    for one in &claimed {
        sql.note(Note::Changed(one.job.new.id.clone()));
    }
    Ok(Taken { at, waiting, claimed })
}

/// Finds the first jobs of each tenant and priority by the index of those that wait, and by it alone: it steps from tenant to tenant.
macro_rules! candidates {
    ($join:literal, $found:literal, $end:literal) => {
        concat!(
            "WITH RECURSIVE tenants (tenant) AS (
               SELECT (SELECT tenant FROM jobs WHERE state = 'queued' ORDER BY tenant LIMIT 1)
               UNION ALL
               SELECT (SELECT tenant FROM jobs WHERE state = 'queued' AND tenant > tenants.tenant ORDER BY tenant LIMIT 1)
               FROM tenants WHERE tenants.tenant IS NOT NULL
             ), lanes (tenant, priority) AS (
               SELECT tenant, 0 FROM tenants WHERE tenant IS NOT NULL
               UNION ALL SELECT tenant, 1 FROM tenants WHERE tenant IS NOT NULL
               UNION ALL SELECT tenant, 2 FROM tenants WHERE tenant IS NOT NULL
             )
             SELECT first.tenant, first.priority, first.place, first.id FROM lanes CROSS JOIN ",
            $join,
            "(SELECT ",
            $found,
            " FROM jobs WHERE state = 'queued' AND tenant = lanes.tenant AND priority = lanes.priority
              AND (not_before IS NULL OR not_before <= ?1 OR since > ?1)
              ORDER BY place, id LIMIT ?2)",
            $end
        )
    };
}

/// [`candidates()`], as `SQLite` has it.
pub(super) const CANDIDATES: &str = candidates!("jobs AS first WHERE first.id IN ", "id", "");

/// Jobs that can be taken, at most `most` of a tenant's with a priority. One that is put off is no candidate, unless it was put off before the clock went backwards.
fn candidates(sql: &mut dyn Sql, now: i64, most: u32) -> Result<Vec<Candidate>, Problem> {
    let query = match sql.engine() {
        Engine::Sqlite => CANDIDATES,
        Engine::Postgres => candidates!("LATERAL ", "tenant, priority, place, id", " AS first"),
    };
    let candidate = |row: &Row| {
        Ok(Candidate { tenant: row.get(0)?, priority: priority(row, 1)?, key: row.get(2)?, id: row.get(3)? })
    };
    sql.query(query, values![now, most])?.iter().map(candidate).collect()
}

/// Takes the jobs that `$chosen` chooses. They are found by their names: `state || ''` keeps a server from going through all that wait
/// instead, because few did when it last counted.
macro_rules! take {
    ($chosen:literal) => {
        concat!(
            "UPDATE jobs SET state = 'running', attempt = attempt + 1, node = ?1, lease_until = ?2, started = ?3
             WHERE state || '' = 'queued' AND id ",
            $chosen,
            " RETURNING ",
            columns!(),
            ", jobs.since, jobs.not_before"
        )
    };
}

/// Takes the first `most` jobs of `order`, but for those that another node is taking.
fn take(
    sql: &mut dyn Sql,
    order: &[String],
    node: &str,
    most: u32,
    lease: Duration,
) -> Result<Vec<Claimed>, Problem> {
    if order.is_empty() {
        return Ok(Vec::new());
    }
    let statement = match sql.engine() {
        Engine::Sqlite => take!("IN (SELECT value FROM json_each(?4) ORDER BY key LIMIT ?5)"),
        // Without a join, there is one way only to do it.
        Engine::Postgres => take!(
            "= ANY (ARRAY(
               SELECT id FROM jobs, (SELECT ARRAY(SELECT json_array_elements_text(CAST(CAST(?4 AS TEXT) AS JSON))) AS ids) AS wanted
               WHERE state || '' = 'queued' AND id = ANY (wanted.ids)
               ORDER BY array_position(wanted.ids, id) LIMIT ?5 FOR UPDATE OF jobs SKIP LOCKED
             ))"
        ),
    };
    let (now, until) = (sql.now()?, until(sql, lease)?);
    let wanted = serde_json::json!(order).to_string();
    let rows = sql.query(statement, values![node, until, now, wanted, most])?;
    let mut claimed = rows.iter().map(|row| claimed(row, now)).collect::<Result<Vec<_>, _>>()?;
    let places: HashMap<&str, usize> = order.iter().map(String::as_str).zip(0..).collect();
    claimed.sort_by_key(|one| places.get(one.job.new.id.as_str()).copied());
    Ok(claimed)
}

fn claimed(row: &Row, now: i64) -> Result<Claimed, Problem> {
    let since = row.get::<i64>(COLUMNS)?.max(row.get::<Option<i64>>(COLUMNS + 1)?.unwrap_or(i64::MIN));
    let waited = u64::try_from(now.saturating_sub(since)).unwrap_or(0);
    Ok(Claimed { job: read(row)?, waited: Duration::from_millis(waited) })
}

/// When a lease from now ends.
fn until(sql: &mut dyn Sql, lease: Duration) -> Result<i64, Problem> {
    Ok(sql.now()?.saturating_add(i64::try_from(lease.as_millis()).unwrap_or(i64::MAX)))
}

/// Renews leases, and gives those that are lost.
pub(super) fn renew(
    sql: &mut dyn Sql,
    node: &str,
    held: &[Held],
    lease: Duration,
) -> Result<Vec<Held>, Problem> {
    let statement =
        "UPDATE jobs SET lease_until = ?1 WHERE id = ?2 AND attempt = ?3 AND node = ?4 AND state = 'running'";
    let until = until(sql, lease)?;
    let all: Vec<_> =
        held.iter().map(|one| values![until, one.id.as_str(), one.attempt, node].to_vec()).collect();
    let renewed = sql.execute_each(statement, &all)?;
    Ok(held.iter().zip(renewed).filter(|(_, rows)| *rows == 0).map(|(one, _)| one.clone()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::database::{Database, testing::joined};

    /// Whatever is kept of jobs that are over, and however many wait, an index leads to those that are wanted.
    #[tokio::test]
    async fn nothing_is_searched_through() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("scrum.db")).unwrap();
        let explain: &'static str = String::leak(format!("EXPLAIN QUERY PLAN {CANDIDATES}"));
        let plan = move |sql: &mut dyn Sql| {
            let rows = sql.query(explain, values![1_i64, 10_i64])?;
            rows.iter().map(|row| row.get::<String>(3)).collect::<Result<Vec<_>, _>>()
        };
        let mut plan = database.read(plan).await.unwrap();
        plan.retain(|step| step.contains("jobs") || step.contains("first"));
        plan.sort();
        plan.dedup();
        let expect = [
            // To the first of them.
            "SCAN jobs USING COVERING INDEX jobs_waiting",
            "SEARCH first USING PRIMARY KEY (id=?)",
            "SEARCH jobs USING COVERING INDEX jobs_waiting (tenant>?)",
            "SEARCH jobs USING INDEX jobs_waiting (tenant=? AND priority=?)",
        ];
        assert_eq!(plan, expect);
    }

    /// Nor by a server that counted when there were few, and has kept the plan it made then.
    #[tokio::test]
    async fn a_server_that_knows_of_few_searches_through_nothing() {
        let Some(database) = joined() else { return };
        let add = async |state: &'static str, most: u32| {
            let add = move |sql: &mut dyn Sql| {
                let rows = "INSERT INTO jobs (id, tenant, source, priority, kind, task, timeout_secs, max_attempts, state, place, created, since)
                            SELECT gen_random_uuid(), '', 'api', 1, 'noop', '{\"kind\":\"noop\"}', 60, 3, ?1, n, 0, 0
                            FROM generate_series(1, ?2) AS n";
                sql.execute(rows, values![state, most])
            };
            assert_eq!(database.write(add).await, Ok(u64::from(most)));
        };
        add("succeeded", 20).await;
        database.write(|sql| sql.execute("ANALYZE jobs", &[])).await.unwrap();
        let take = move |sql: &mut dyn Sql| {
            let taken = claim(sql, &Turns::default(), "a", 10, Duration::from_secs(15))?.claimed.len();
            let read = "SELECT CAST(sum(seq_tup_read + idx_tup_fetch) AS BIGINT)
                        FROM pg_stat_xact_user_tables WHERE relname = 'jobs'";
            Ok((taken, sql.query(read, &[])?[0].get::<u64>(0)?))
        };
        add("queued", 1).await;
        assert_eq!(database.write(take).await.unwrap().0, 1);
        add("queued", 5_000).await;
        let (taken, read) = database.write(take).await.unwrap();
        assert_eq!(taken, 10);
        assert!(read < 300, "{read} rows were read");
    }
}
