//! Runs opened to be looked at or counted: [`Runs`] reads them from the folder of runs or, of a job that another node did, from the
//! store.
//!
//! What was made of a run for a page is kept until it takes too much room; a decision made since makes it anew.

use std::{
    collections::VecDeque,
    fs, io,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use tokio::task::spawn_blocking;

use super::index::Entry;
use crate::{
    job::JobId,
    run::saved::{self, SavedError, SavedRun},
    serve::queue::files::Files,
    store::{RunDir, Store, StoreError, database::DatabaseError, jobs::Jobs},
    tally::{
        self, Tally,
        gate::{self, Gate},
    },
};

/// Most bytes of pages that are kept.
const MOST: usize = 32 << 20;

/// A run that cannot be shown.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unreadable {
    /// It is neither here nor in the store.
    #[error("its files are gone")]
    Gone,
    /// The store does not answer.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// What was kept cannot be read.
    #[error(transparent)]
    Saved(#[from] SavedError),
    /// It does not fit its template.
    #[error("its report cannot be made")]
    Unshown,
    /// There is no room to read it.
    #[error("its files cannot be laid out: {0}")]
    Disk(#[from] io::Error),
}

impl From<StoreError> for Unreadable {
    fn from(error: StoreError) -> Self {
        Self::Saved(error.into())
    }
}

/// Where runs are.
pub(super) struct Runs {
    jobs: Jobs,
    store: Store,
    shelf: Mutex<Shelf>,
}

/// Pages, the latest used last.
#[derive(Default)]
struct Shelf {
    pages: VecDeque<(String, Stamp, Arc<str>)>,
    bytes: usize,
}

/// When what people decided about a run was written last.
type Stamp = [Option<SystemTime>; 2];

impl Shelf {
    fn get(&mut self, run: &str, stamp: Stamp) -> Option<Arc<str>> {
        let at = self.pages.iter().position(|(id, made, _)| id == run && *made == stamp)?;
        let page = self.pages.remove(at)?;
        let text = Arc::clone(&page.2);
        self.pages.push_back(page);
        Some(text)
    }

    fn put(&mut self, run: String, stamp: Stamp, page: Arc<str>) {
        self.bytes += page.len();
        self.pages.push_back((run, stamp, page));
        while self.bytes > MOST && self.pages.len() > 1 {
            self.bytes -= self.pages.pop_front().map_or(0, |(_, _, page)| page.len());
        }
    }
}

impl Runs {
    pub(super) fn new(jobs: Jobs, store: Store) -> Self {
        Self { jobs, store, shelf: Mutex::default() }
    }

    /// The report of a run, without what stands around it.
    pub(super) async fn report(&self, entry: &Entry) -> Result<Arc<str>, Unreadable> {
        let run = entry.run().ok_or(Unreadable::Gone)?.to_owned();
        let stamp = self.store.exactly(&run).map_or([None, None], |dir| stamp(&dir));
        let shelf = || self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(page) = shelf().get(&run, stamp) {
            return Ok(page);
        }
        let page = self.with(entry, |dir| {
            let (tally, gate) = judged(dir)?;
            let page = super::pages::report(&tally, &gate).ok_or(Unreadable::Unshown)?;
            Ok(Arc::<str>::from(page))
        });
        let page = page.await?;
        shelf().put(run, stamp, Arc::clone(&page));
        Ok(page)
    }

    /// A run as it was saved, without what was decided about it.
    pub(super) async fn saved(&self, entry: &Entry) -> Result<SavedRun, Unreadable> {
        self.with(entry, |dir| Ok(saved::open_undecided(dir)?)).await
    }

    /// Reads a run by `read` where it lies, or from a copy of what the store has of it.
    async fn with<T: Send + 'static>(
        &self,
        entry: &Entry,
        read: impl FnOnce(&RunDir) -> Result<T, Unreadable> + Send + 'static,
    ) -> Result<T, Unreadable> {
        let run = entry.run().ok_or(Unreadable::Gone)?.to_owned();
        if let Some(dir) = self.store.exactly(&run) {
            return in_background(move || read(&dir)).await;
        }
        let job = entry.done.as_ref().ok_or(Unreadable::Gone)?;
        let files = self.files(&job.job.new.id, &run).await?;
        in_background(move || {
            let folder = tempfile::tempdir()?;
            let mut restored = Files::new(folder.path().to_owned());
            for (name, bytes) in files {
                restored.restore(&name, &bytes)?;
            }
            let parts = ["cache", "bundles", "reviews"].map(PathBuf::from);
            let store = Store::new(folder.path(), parts.each_ref().map(PathBuf::as_path));
            read(&store.exactly(&run).ok_or(Unreadable::Gone)?)
        })
        .await
    }

    /// What the store has of a run.
    async fn files(&self, job: &JobId, run: &str) -> Result<Vec<(String, Vec<u8>)>, Unreadable> {
        let own = ["bundles", "reviews"].map(|part| format!("{part}/{run}/"));
        let mut files = Vec::new();
        for (name, _) in self.jobs.files(job).await? {
            if own.iter().any(|own| name.starts_with(own.as_str()))
                && let Some(bytes) = self.jobs.file(job, &name).await?
            {
                files.push((name, bytes));
            }
        }
        Ok(files)
    }
}

async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Unreadable> + Send + 'static,
) -> Result<T, Unreadable> {
    spawn_blocking(work).await.map_err(|_| Unreadable::Disk(io::Error::other("reading it broke off")))?
}

/// A run's tally with what was decided about it, and what its gate says.
fn judged(dir: &RunDir) -> Result<(Tally, Gate), Unreadable> {
    let SavedRun { record, mut input, policy, .. } = saved::open(dir)?;
    let altered = dir.altered(&record)?;
    let altered = (!altered.is_empty()).then(|| altered.join("; "));
    input.run.cut_short = input.run.cut_short.take().or(altered);
    let tally = tally::tally(input);
    let gate = gate::evaluate(&tally, &policy);
    let gate = gate.overruled(&tally.run.id, &tally.range, &dir.overrides()?.overrides);
    Ok((tally, gate))
}

fn stamp(dir: &RunDir) -> Stamp {
    let written = |path: PathBuf| fs::metadata(path).and_then(|about| about.modified()).ok();
    [written(dir.decisions_file()), written(dir.overrides_file())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_looked_at_for_long_makes_room() {
        let mut shelf = Shelf::default();
        let page = || Arc::<str>::from("x".repeat(MOST / 2));
        let now = [Some(SystemTime::UNIX_EPOCH), None];
        shelf.put("a".to_owned(), now, page());
        shelf.put("b".to_owned(), now, page());
        assert!(shelf.get("a", now).is_some());
        assert!(shelf.get("a", [None, None]).is_none(), "it was decided about since");
        shelf.put("c".to_owned(), now, page());
        assert_eq!(["a", "b", "c"].map(|run| shelf.get(run, now).is_some()), [true, false, true]);
        assert_eq!(shelf.bytes, MOST);
    }
}
