//! Stores for these tests: each of its own, with two nodes on it.

use scrum::store::{
    database::{Database, Server},
    jobs::Jobs,
};

use super::Nodes;

/// What keeps a store's data until the test is over.
pub(super) enum Place {
    Folder { _folder: tempfile::TempDir },
    Server,
}

/// On a file.
pub(super) fn sqlite() -> Nodes {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scrum.db");
    let open = || Database::open(&path).unwrap();
    nodes([open(), open()], Place::Folder { _folder: folder })
}

/// On a server; `None`, and a word about it, where none is installed.
pub(super) fn postgres() -> Option<Nodes> {
    let server = Server::parse(&crate::postgres::address()?).unwrap();
    let join = || Database::join(&server).unwrap();
    Some(nodes([join(), join()], Place::Server))
}

fn nodes([one, two]: [Database; 2], place: Place) -> Nodes {
    Nodes { one: Jobs::new(one.clone()), two: Jobs::new(two), database: one, _place: place }
}
