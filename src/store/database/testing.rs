//! Databases for tests: [`each`] runs one test on both engines.

#[path = "../../../tests/it/postgres.rs"]
pub(crate) mod server;

use super::{Database, Server};

/// Tables of their own on the tests' server; `None` where it says why there are none.
pub(crate) fn joined() -> Option<Database> {
    let address = server::address()?;
    Some(Database::join(&Server::parse(&address).unwrap()).unwrap())
}

/// Runs a test on an empty database of each engine.
pub(crate) async fn each(test: impl AsyncFn(Database)) {
    let folder = tempfile::tempdir().unwrap();
    test(Database::open(&folder.path().join("scrum.db")).unwrap()).await;
    if let Some(database) = joined() {
        test(database).await;
    }
}
