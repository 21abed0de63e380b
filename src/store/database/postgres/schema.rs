//! The tables on a server, and how older ones get there: [`migrate`].
//!
//! As with a file, a migration that was released is never changed.

use postgres::Transaction;

use super::{Problem, Server};

/// From nothing to the present schema; the number of those that were run stands in `scrum_schema`.
const MIGRATIONS: &[&str] = &[
    include_str!("schema/001_threads.sql"),
    include_str!("schema/002_callers.sql"),
    include_str!("schema/003_jobs.sql"),
    include_str!("schema/004_nodes.sql"),
    include_str!("schema/005_deliveries.sql"),
];

/// Who migrates has this lock; `scrm`.
const LOCK: i64 = 0x7363_726d;

/// Brings the tables in the first schema of the search path up to date, all of it or nothing.
pub(in super::super) fn migrate(server: &Server) -> Result<(), Problem> {
    let mut client = server.connect()?;
    // Others that start at the same time may take longer than a lock usually may.
    client.batch_execute("SET lock_timeout = '60s'")?;
    let mut all = client.transaction()?;
    all.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK])?;
    let done = recognise(&mut all)?;
    for migration in MIGRATIONS.iter().skip(done) {
        all.batch_execute(migration)?;
    }
    if done < MIGRATIONS.len() {
        let version = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
        all.execute("UPDATE scrum_schema SET version = $1", &[&version])?;
    }
    Ok(all.commit()?)
}

/// How many migrations the tables have had. Makes the mark of ours in a schema that is empty.
fn recognise(all: &mut Transaction<'_>) -> Result<usize, Problem> {
    let is_ours: bool = all
        .query_one("SELECT to_regclass(quote_ident(current_schema()) || '.scrum_schema') IS NOT NULL", &[])?
        .get(0);
    if is_ours {
        let found: i64 = all.query_one("SELECT version FROM scrum_schema", &[])?.get(0);
        let found = usize::try_from(found).unwrap_or(usize::MAX);
        return if found > MIGRATIONS.len() {
            Err(Problem::Newer { found, known: MIGRATIONS.len() })
        } else {
            Ok(found)
        };
    }
    let tables: i64 =
        all.query_one("SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()", &[])?.get(0);
    if tables > 0 {
        return Err(Problem::Foreign);
    }
    all.batch_execute(include_str!("schema/mark.sql"))?;
    Ok(0)
}
