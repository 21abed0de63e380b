//! Messages of platforms that were acted upon, so that none is acted upon twice: [`is_known`], [`remember`].
//!
//! Only hashes are kept, of the last while. What is done about a message is decided in `serve`.

use std::time::Duration;

use super::database::{Database, DatabaseError, Sql, values};

/// How long a message is remembered.
const KEEP: Duration = Duration::from_hours(24 * 30);
/// How many are.
const MOST: i64 = 20_000;

/// Whether a message with one of these keys was remembered.
pub async fn is_known(database: &Database, keys: Vec<String>) -> Result<bool, DatabaseError> {
    let look = move |sql: &mut dyn Sql| {
        for key in &keys {
            if !sql.query("SELECT at FROM deliveries WHERE key = ?1", values![key])?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    };
    database.read(look).await
}

/// Remembers a message by its keys, and forgets those that are too old or too many.
pub async fn remember(database: &Database, keys: Vec<String>) -> Result<(), DatabaseError> {
    let keep = i64::try_from(KEEP.as_millis()).unwrap_or(i64::MAX);
    let write = move |sql: &mut dyn Sql| {
        let now = sql.now()?;
        for key in &keys {
            let insert = "INSERT INTO deliveries (key, at) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
            sql.execute(insert, values![key, now])?;
        }
        sql.execute("DELETE FROM deliveries WHERE at < ?1", values![now.saturating_sub(keep)])?;
        let surplus = "DELETE FROM deliveries WHERE at < (SELECT at FROM deliveries ORDER BY at DESC LIMIT 1 OFFSET ?1)";
        sql.execute(surplus, values![MOST])?;
        Ok(())
    };
    database.write(write).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_remembered_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("scrum.db");
        let keys = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let database = Database::open(&path).unwrap();
        assert_eq!(is_known(&database, keys(&["a", "b"])).await, Ok(false));
        assert_eq!(remember(&database, keys(&["a", "b"])).await, Ok(()));
        assert_eq!(remember(&database, keys(&["b", "c"])).await, Ok(()));
        drop(database);
        let database = Database::open(&path).unwrap();
        assert_eq!(is_known(&database, keys(&["x", "b"])).await, Ok(true));
        assert_eq!(is_known(&database, keys(&["x"])).await, Ok(false));
    }
}
