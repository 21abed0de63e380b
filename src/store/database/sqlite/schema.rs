//! The tables, and how older files get them: [`migrate`] runs what `user_version` says is missing.
//!
//! A migration that was released is never changed; what is to be otherwise is a new one at the end.

use rusqlite::{Connection, Row, TransactionBehavior};

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
    let Mark { application, done: found, tables } = mark(connection)?;
    match application {
        APPLICATION if found > MIGRATIONS.len() => Err(Problem::Newer { found, known: MIGRATIONS.len() }),
        APPLICATION => Ok(()),
        0 if tables == 0 && found == 0 => Ok(()),
        _ => Err(Problem::Foreign),
    }
}

/// Brings the tables up to date, all of it or nothing.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), Problem> {
    let Mark { application, done, .. } = mark(connection)?;
    if (application, done) == (APPLICATION, MIGRATIONS.len()) {
        return Ok(());
    }
    let all = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Somebody else may have been faster.
    recognise(&all)?;
    for migration in MIGRATIONS.iter().skip(mark(&all)?.done) {
        all.execute_batch(migration)?;
    }
    all.pragma_update(None, "application_id", APPLICATION)?;
    all.pragma_update(None, "user_version", i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX))?;
    Ok(all.commit()?)
}

/// What a file says about itself.
struct Mark {
    /// Whose it is.
    application: i32,
    /// How many migrations it has had.
    done: usize,
    tables: u32,
}

/// In one statement, so as it is at one moment: somebody else may be making the tables.
fn mark(connection: &Connection) -> Result<Mark, Problem> {
    let sql = "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema) \
               FROM pragma_application_id, pragma_user_version";
    let read = |row: &Row<'_>| {
        let done = usize::try_from(row.get::<_, i32>(1)?).unwrap_or(usize::MAX);
        Ok(Mark { application: row.get(0)?, done, tables: row.get(2)? })
    };
    Ok(connection.query_row(sql, [], read)?)
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
            let mark = mark(&connection).unwrap();
            assert_eq!((mark.application, mark.done), (APPLICATION, MIGRATIONS.len()));
            let threads: i64 =
                connection.query_row("SELECT count(*) FROM threads", [], |row| row.get(0)).unwrap();
            assert_eq!(threads, i64::from(done > 0), "{done}");
        }
    }
}
