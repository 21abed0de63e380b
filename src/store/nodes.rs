//! Which daemons share a database, and where others reach them: [`Nodes`].

use super::database::{Database, DatabaseError, Problem, Sql, values};

/// After so many milliseconds without a word a node counts as gone. It says one every [`BEAT_MS`].
const GONE_MS: i64 = 6_000;

/// How often a node is to say that it is there, in milliseconds.
pub const BEAT_MS: u64 = 1_500;

/// A daemon that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its name: a UUID of each start.
    pub id: String,
    /// Where others reach it: a URL without a path.
    pub address: String,
}

/// The nodes of a database.
#[derive(Clone)]
pub struct Nodes {
    database: Database,
}

impl Nodes {
    /// Those in `database`.
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// Says that `node` is there, and gives all that are, by name.
    pub async fn beat(&self, node: Node) -> Result<Vec<Node>, DatabaseError> {
        self.database
            .write(move |sql| {
                let Node { id, address } = &node;
                let now = sql.now()?;
                sql.execute(
                    "INSERT INTO nodes (id, address, seen) VALUES (?1, ?2, ?3)
                     ON CONFLICT (id) DO UPDATE SET address = excluded.address, seen = excluded.seen",
                    values![id, address, now],
                )?;
                sql.execute("DELETE FROM nodes WHERE seen < ?1", values![now - 10 * GONE_MS])?;
                living(sql, now)
            })
            .await
    }

    /// Says that a node goes.
    pub async fn leave(&self, id: String) -> Result<(), DatabaseError> {
        let delete = move |sql: &mut dyn Sql| sql.execute("DELETE FROM nodes WHERE id = ?1", values![&id]);
        self.database.write(delete).await.map(drop)
    }
}

fn living(sql: &mut dyn Sql, now: i64) -> Result<Vec<Node>, Problem> {
    let query = "SELECT id, address FROM nodes WHERE seen >= ?1 ORDER BY id";
    let rows = sql.query(query, values![now - GONE_MS])?;
    rows.iter().map(|row| Ok(Node { id: row.get(0)?, address: row.get(1)? })).collect()
}

#[cfg(test)]
mod tests {
    use super::{super::database::testing::each, *};

    #[tokio::test]
    async fn who_is_there() {
        each(async |database| {
            let nodes = Nodes::new(database.clone());
            let node = |id: &str| Node { id: id.to_owned(), address: format!("http://{id}:4001") };
            assert_eq!(nodes.beat(node("b")).await, Ok(vec![node("b")]));
            assert_eq!(nodes.beat(node("a")).await, Ok(vec![node("a"), node("b")]));
            let silent = "UPDATE nodes SET seen = seen - 6001 WHERE id = 'a'";
            database.write(move |sql| sql.execute(silent, &[])).await.unwrap();
            assert_eq!(nodes.beat(node("b")).await, Ok(vec![node("b")]));
            assert_eq!(nodes.beat(node("a")).await, Ok(vec![node("a"), node("b")]));
            nodes.leave("b".to_owned()).await.unwrap();
            assert_eq!(nodes.beat(node("a")).await, Ok(vec![node("a")]));
        })
        .await;
    }
}
