//! Stores for these tests: each of its own, with two nodes on it.

use scrum::store::{database::Database, jobs::Jobs};

use super::Two;

/// What keeps a store's data until the test is over.
pub(super) enum Place {
    Folder { _folder: tempfile::TempDir },
}

/// A file.
pub(super) fn sqlite() -> Two {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scrum.db");
    let (database, other) = (Database::open(&path).unwrap(), Database::open(&path).unwrap());
    two(database, other, Place::Folder { _folder: folder })
}

fn two(database: Database, other: Database, place: Place) -> Two {
    Two { one: Jobs::new(database.clone()), two: Jobs::new(other), database, _place: place }
}
