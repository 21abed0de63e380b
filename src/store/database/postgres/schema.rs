//! The tables on a server, and how older ones get there: [`migrate`].
//!
//! As with a file, a migration that was released is never changed.

use tokio::runtime;
use tokio_postgres::Transaction;

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
    runtime::Builder::new_current_thread().enable_all().build()?.block_on(run(server))
}

async fn run(server: &Server) -> Result<(), Problem> {
    let mut client = server.session().await?;
    // Others that start at the same time may take longer than a lock usually may.
    client.batch_execute("SET lock_timeout = '60s'").await?;
    let all = client.transaction().await?;
    all.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK]).await?;
    let done = recognise(&all).await?;
    for migration in MIGRATIONS.iter().skip(done) {
        all.batch_execute(migration).await?;
    }
    if done < MIGRATIONS.len() {
        let version = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
        all.execute("UPDATE scrum_schema SET version = $1", &[&version]).await?;
    }
    Ok(all.commit().await?)
}

/// How many migrations the tables have had. Makes the mark of ours in a schema that is empty.
async fn recognise(all: &Transaction<'_>) -> Result<usize, Problem> {
    let number = async |query: &str| Ok::<i64, Problem>(all.query_one(query, &[]).await?.get(0));
    let ours = "SELECT count(to_regclass(quote_ident(current_schema()) || '.scrum_schema'))";
    if number(ours).await? > 0 {
        let found = usize::try_from(number("SELECT version FROM scrum_schema").await?).unwrap_or(usize::MAX);
        return if found > MIGRATIONS.len() {
            Err(Problem::Newer { found, known: MIGRATIONS.len() })
        } else {
            Ok(found)
        };
    }
    if number("SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()").await? > 0 {
        return Err(Problem::Foreign);
    }
    all.batch_execute(include_str!("schema/mark.sql")).await?;
    Ok(0)
}
