//! Keys of those who may ask `scrum serve`: [`Holder`]s, of whose keys only the hash is kept.
//!
//! A key is 256 random bits, so one round of SHA-256 keeps it as well as anything slower would. What a holder may do is decided
//! in `serve`.

use jiff::Timestamp;

use super::database::{Database, DatabaseError, Problem, Row, Sql, values};

/// Longest name of a holder or a tenant, in bytes.
pub const LONGEST_NAME: usize = 128;

/// Somebody who has a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Unique; [fit](fit_name) to be shown.
    pub name: String,
    /// The only tenant it may ask for; `None`: whichever it names.
    pub tenant: Option<String>,
    /// SHA-256 of its key.
    pub key: [u8; 32],
    /// Since when.
    pub since: Timestamp,
}

/// A name that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a name has 1 to {LONGEST_NAME} printable ASCII characters, and no space at its ends")]
pub struct BadName;

/// `name`, if it can be one of a holder or a tenant: it goes through headers and on terminals.
pub fn fit_name(name: &str) -> Result<&str, BadName> {
    let is_printable = name.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    let fits = (1..=LONGEST_NAME).contains(&name.len()) && is_printable && name.trim_ascii() == name;
    fits.then_some(name).ok_or(BadName)
}

/// Adds `holder`. False if there is one of that name, which stays as it is.
pub async fn add(database: &Database, holder: Holder) -> Result<bool, DatabaseError> {
    let insert = move |sql: &mut dyn Sql| {
        let Holder { name, tenant, key, since } = &holder;
        sql.execute(
            "INSERT INTO callers VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
            values![name, tenant.as_ref(), key.as_slice(), since.as_millisecond()],
        )
    };
    Ok(database.write(insert).await? == 1)
}

/// Takes the holder of that name out. False if there is none.
pub async fn remove(database: &Database, name: &str) -> Result<bool, DatabaseError> {
    let name = name.to_owned();
    let delete = move |sql: &mut dyn Sql| sql.execute("DELETE FROM callers WHERE name = ?1", values![&name]);
    Ok(database.write(delete).await? == 1)
}

/// All of them, by name.
pub async fn all(database: &Database) -> Result<Vec<Holder>, DatabaseError> {
    let select = |sql: &mut dyn Sql| {
        let rows = sql.query("SELECT name, tenant, key, since FROM callers ORDER BY name", &[])?;
        rows.iter().map(holder).collect()
    };
    database.read(select).await
}

fn holder(row: &Row) -> Result<Holder, Problem> {
    Ok(Holder {
        name: row.get(0)?,
        tenant: row.get(1)?,
        key: row.get::<Vec<u8>>(2)?.try_into().map_err(|_| row.unfit(2))?,
        since: Timestamp::from_millisecond(row.get(3)?).map_err(|_| row.unfit(3))?,
    })
}

#[cfg(test)]
mod tests {
    use super::{super::database::testing::each, *};

    fn of(name: &str, tenant: Option<&str>, key: u8) -> Holder {
        let since = Timestamp::from_millisecond(1_795_000_000_000).unwrap();
        Holder { name: name.to_owned(), tenant: tenant.map(str::to_owned), key: [key; 32], since }
    }

    #[tokio::test]
    async fn what_is_added_is_there_until_it_is_removed() {
        each(async |database| {
            let daemon = Database::at_for_daemon(database.address()).unwrap();
            let (ci, ada) = (of("ci", Some("acme"), 1), of("ada", None, 2));
            for holder in [&ci, &ada] {
                assert_eq!(add(&database, holder.clone()).await, Ok(true));
            }
            assert_eq!(add(&database, of("ci", None, 3)).await, Ok(false));
            assert_eq!(all(&daemon).await, Ok(vec![ada.clone(), ci]));
            assert_eq!(remove(&database, "ci").await, Ok(true));
            assert_eq!(remove(&database, "ci").await, Ok(false));
            assert_eq!(all(&daemon).await, Ok(vec![ada]));
        })
        .await;
    }

    #[test]
    fn names() {
        let check = |name: &str, fits: bool| assert_eq!(fit_name(name).is_ok(), fits, "{name:?}");
        check("ci", true);
        check("Ada Lovelace <ada@example.org>", true);
        check(&"x".repeat(LONGEST_NAME), true);
        check(&"x".repeat(LONGEST_NAME + 1), false);
        check("", false);
        check(" ci", false);
        check("c\ti", false);
        check("c\u{1b}[31mi", false);
        check("é", false);
    }
}
