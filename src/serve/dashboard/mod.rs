//! The dashboard: pages about runs, queue, gateway and reviewers, made by the daemon and kept up by one stream each. [`Board`] is
//! what they share.
//!
//! ```text
//! GET a page ─▶ View ─▶ values ─▶ templates ─▶ the page, whole and readable without a script
//! GET /live?of=a page ─▶ the same View ─▶ the same values ─▶ those parts of it that changed, as they change
//! ```
//!
//! Nothing is changed here: a job is called off by the same request as anywhere else. docs/design/dashboard.md says why all this
//! is so.

mod chart;
mod index;
mod live;
mod pages;
mod progress;
mod runs;
mod show;
mod values;
mod view;
mod worth;

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    extract::{Extension, Request, State},
    response::Response,
};
use http::StatusCode;
use tokio::sync::{Mutex as Turn, Semaphore};
use tokio_util::sync::CancellationToken;

use super::{
    callers::Caller,
    gateway::Gateway,
    operation::{self, Offer},
    queue::Queue,
};
use crate::{
    job::JobId,
    provider::relay::Problem,
    store::{
        Store,
        database::{Database, DatabaseError},
        jobs::Jobs,
    },
};
use index::Index;
use pages::PAGES;
pub(super) use pages::refused;
use progress::Progress;
use runs::Runs;
use view::View;
use worth::Counting;

/// Most streams at a time.
const STREAMS: usize = 200;

/// What all pages share.
pub(super) struct Board {
    queue: Arc<Queue>,
    gateway: Arc<Gateway>,
    database: Database,
    store: Store,
    jobs: Jobs,
    index: Index,
    runs: Runs,
    counting: Counting,
    /// How far runs are that somebody looked at.
    progress: Mutex<HashMap<JobId, Arc<Turn<Progress>>>>,
    streams: Arc<Semaphore>,
    /// Where the repository is that the daemon was started in; empty: in none.
    home: String,
    end: CancellationToken,
}

impl Board {
    /// Over the jobs of `queue` and the runs of `store`; those made by hand are of the repository at `home`. Nothing is read yet.
    pub(super) fn new(
        queue: Arc<Queue>,
        gateway: Arc<Gateway>,
        database: Database,
        store: Store,
        home: String,
    ) -> Arc<Self> {
        let jobs = queue.jobs.clone();
        Arc::new(Self {
            queue,
            gateway,
            index: Index::new(jobs.clone(), store.clone()),
            runs: Runs::new(jobs.clone(), store.clone()),
            counting: Counting::default(),
            progress: Mutex::default(),
            streams: Arc::new(Semaphore::new(STREAMS)),
            home,
            end: CancellationToken::new(),
            database,
            store,
            jobs,
        })
    }

    /// The ids of the runs that somebody may see who sees only those of `tenant`.
    pub(super) async fn runs_of(&self, tenant: &str) -> Result<HashSet<String>, DatabaseError> {
        let known = self.index.known().await?;
        let seen = known.newest().filter(|entry| entry.is_seen(Some(tenant)));
        Ok(seen.filter_map(|entry| entry.run().map(str::to_owned)).collect())
    }

    /// Hears what changes until `end`.
    pub(super) async fn keep_up(self: Arc<Self>, end: CancellationToken) {
        end.run_until_cancelled(self.index.keep_up(self.database.notes())).await;
        self.end.cancel();
    }

    fn progress(&self) -> MutexGuard<'_, HashMap<JobId, Arc<Turn<Progress>>>> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the runs that are not counted yet, unless somebody does already.
    fn count(self: &Arc<Self>) {
        if self.counting.begin() {
            tokio::spawn(Arc::clone(self).count_all());
        }
    }

    async fn count_all(self: Arc<Self>) {
        // What cannot be listed now is counted when somebody looks again.
        let missing = match self.index.known().await {
            Ok(known) => {
                let over = known.newest().filter(|entry| entry.came_to().is_some());
                self.counting.missing(over.filter_map(|entry| Some((entry.run()?.to_owned(), entry))))
            }
            Err(_) => Vec::new(),
        };
        for (run, entry) in missing {
            if self.end.is_cancelled() {
                break;
            }
            let saved = self.runs.saved(&entry).await.ok();
            let (board, tenant) = (Arc::clone(&self), entry.tenant().map(str::to_owned));
            let count = move || {
                let tally = saved.map(worth::tally);
                board.counting.count(&run, tenant.as_deref(), entry.at(), tally.as_ref());
            };
            if tokio::task::spawn_blocking(count).await.is_err() {
                break;
            }
        }
        self.counting.rest();
    }
}

/// The addresses of pages, for those who may ask.
pub(super) fn router<S: Clone + Send + Sync + 'static>(board: Arc<Board>) -> Router<S> {
    Router::new()
        .offer(operation::OVERVIEW, page)
        .offer(operation::RUNS, page)
        .offer(operation::RUN, page)
        .offer(operation::QUEUE, page)
        .offer(operation::GATEWAY, page)
        .offer(operation::REVIEWERS, page)
        .offer(operation::LIVE, live::live)
        .with_state(board)
}

/// Shows the page that the address is of.
async fn page(
    State(board): State<Arc<Board>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Response {
    let uri = request.uri();
    let shown = match View::of(uri.path(), uri.query().unwrap_or_default()) {
        Ok(view) => board.show(&view, &caller).await,
        Err(problem) => Err(problem),
    };
    shown.unwrap_or_else(|problem| refused(request.headers(), problem))
}

impl Board {
    async fn show(self: &Arc<Self>, view: &View, caller: &Caller) -> Result<Response, Problem> {
        let values = self.values(view, caller).await?;
        Ok(PAGES.page(StatusCode::OK, view.template(), values))
    }
}

/// The database does not do its part. Its words name a file or a server, so readers do not get them.
fn broken(_: DatabaseError) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the store does not answer at the moment")
        .code("store_failed")
        .retry_after(1)
}

fn no_such_run() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "no such run").code("run_not_found")
}
