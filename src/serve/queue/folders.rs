//! Where jobs work: [`Folders`] gives each attempt a folder of its own, which is removed with it.
//!
//! Daemons may share the place. Each has a lock there as long as it lives, so that whoever comes later can tell what is left of
//! dead ones, and removes it. Nothing is kept here for later: what is of use is in the store.
#![expect(clippy::disallowed_methods, reason = "the place where folders of jobs are made and removed")]

use std::{
    ffi::OsStr,
    fs::{self, DirBuilder, File, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use crate::{
    job::JobId,
    store::{jobs::Held, keep_out_of_git},
};

/// Behind a daemon's name this is its lock.
const LOCK: &str = "lock";

/// The folders of this daemon's jobs.
#[derive(Debug)]
pub(super) struct Folders {
    place: PathBuf,
    own: PathBuf,
    _lock: File,
}

impl Folders {
    /// Those of `node` in `place`; removes what dead daemons left there.
    pub(super) fn open(place: &Path, node: &str) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(place)?;
        let place = place.canonicalize()?;
        keep_out_of_git(&place).map_err(io::Error::other)?;
        let own = place.join(node);
        let lock = locked(&own)?.ok_or(io::ErrorKind::WouldBlock)?;
        DirBuilder::new().mode(0o700).create(&own)?;
        for entry in fs::read_dir(&place)?.flatten() {
            // A folder or its lock.
            let path = entry.path().with_extension("");
            let name = path.file_name().and_then(OsStr::to_str);
            let is_node = name.is_some_and(|name| JobId::parse(name).is_some());
            if is_node
                && path != own
                && let Ok(Some(_lock)) = locked(&path)
            {
                // What cannot be removed now is tried again by the next daemon.
                let _ = fs::remove_dir_all(&path);
                let _ = fs::remove_file(path.with_extension(LOCK));
            }
        }
        Ok(Self { place, own, _lock: lock })
    }

    /// What is kept for all jobs: answers that need not be asked for again, copies of repositories.
    pub(super) fn place(&self) -> &Path {
        &self.place
    }

    /// A new folder for an attempt.
    pub(super) fn make(&self, held: &Held) -> io::Result<TempDir> {
        tempfile::Builder::new()
            .prefix(&format!("{}-{}", held.id, held.attempt))
            .rand_bytes(0)
            .tempdir_in(&self.own)
    }
}

impl Drop for Folders {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.own);
        let _ = fs::remove_file(self.own.with_extension(LOCK));
    }
}

/// The lock of the daemon whose folder is at `path`; `None` where it lives.
fn locked(path: &Path) -> io::Result<Option<File>> {
    let lock = path.with_extension(LOCK);
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(lock)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(fs::TryLockError::WouldBlock) => Ok(None),
        Err(fs::TryLockError::Error(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_living_keep_theirs_and_the_dead_leave_nothing() {
        let place = tempfile::tempdir().unwrap();
        let id = |last: char| format!("01890000-0000-7000-8000-00000000000{last}");
        let held = Held { id: JobId::parse(&id('9')).unwrap(), attempt: 1 };
        let living = Folders::open(place.path(), &id('1')).unwrap();
        let theirs = living.make(&held).unwrap();
        let dead = place.path().join(id('2'));
        fs::create_dir_all(dead.join("job")).unwrap();
        fs::create_dir_all(place.path().join("mirrors")).unwrap();
        let second = Folders::open(place.path(), &id('3')).unwrap();
        assert!(theirs.path().is_dir() && place.path().join("mirrors").is_dir() && !dead.exists());
        assert!(!dead.with_extension(LOCK).exists());
        let own = second.make(&held).unwrap().keep();
        assert_eq!(own.file_name().unwrap().to_str(), Some(format!("{}-1", held.id).as_str()));
        drop(second);
        assert!(!own.exists() && theirs.path().is_dir());
        assert!(Folders::open(place.path(), &id('1')).is_err(), "one daemon, one name");
    }
}
