//! The tables, and how older files get them: [`migrate`] runs what `user_version` says is missing.
//!
//! A migration that was released is never changed; what is to be otherwise is a new one at the end.

use rusqlite::{Connection, TransactionBehavior};

use super::Problem;

/// From nothing to the present schema; the number of those that were run is the file's `user_version`.
const MIGRATIONS: &[&str] = &[
    include_str!("schema/001_threads.sql"),
    include_str!("schema/002_callers.sql"),
    include_str!("schema/003_jobs.sql"),
    include_str!("schema/004_nodes.sql"),
    include_str!("schema/005_deliveries.sql"),
];

/// Marks a database as ours: `scrm`.
const APPLICATION: i32 = 0x7363_726d;

/// Whether a database is ours, or empty, and of a schema that we know.
pub(super) fn recognise(connection: &Connection) -> Result<(), Problem> {
    let (application, found) = mark(connection)?;
    let tables: u32 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match application {
        APPLICATION if found > MIGRATIONS.len() => Err(Problem::Newer { found, known: MIGRATIONS.len() }),
        APPLICATION => Ok(()),
        0 if tables == 0 && found == 0 => Ok(()),
        _ => Err(Problem::Foreign),
    }
}

/// Brings the tables up to date, all of it or nothing.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), Problem> {
    if mark(connection)? == (APPLICATION, MIGRATIONS.len()) {
        return Ok(());
    }
    let all = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Somebody else may have been faster.
    recognise(&all)?;
    let (_, done) = mark(&all)?;
    for migration in MIGRATIONS.iter().skip(done) {
        all.execute_batch(migration)?;
    }
    all.pragma_update(None, "application_id", APPLICATION)?;
    all.pragma_update(None, "user_version", i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX))?;
    Ok(all.commit()?)
}

/// Whose it is, and how many migrations it has had.
fn mark(connection: &Connection) -> Result<(i32, usize), Problem> {
    let number = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let version = usize::try_from(number("user_version")?).unwrap_or(usize::MAX);
    Ok((number("application_id")?, version))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every older file, with something in each of its tables, loses nothing.
    #[test]
    fn what_was_there_stays_there() {
        for done in 0..=MIGRATIONS.len() {
            let mut connection = Connection::open_in_memory().unwrap();
            for migration in &MIGRATIONS[..done] {
                connection.execute_batch(migration).unwrap();
            }
            if done > 0 {
                let thread = "INSERT INTO threads (id, tenant, title, created) VALUES ('t', '', 'Burst', 1)";
                connection.execute_batch(thread).unwrap();
                connection.pragma_update(None, "application_id", APPLICATION).unwrap();
            }
            connection.pragma_update(None, "user_version", i64::try_from(done).unwrap()).unwrap();
            migrate(&mut connection).unwrap();
            migrate(&mut connection).unwrap();
            assert_eq!(mark(&connection).unwrap(), (APPLICATION, MIGRATIONS.len()));
            let threads: i64 =
                connection.query_row("SELECT count(*) FROM threads", [], |row| row.get(0)).unwrap();
            assert_eq!(threads, i64::from(done > 0), "{done}");
        }
    }
}
