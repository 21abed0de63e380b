//! Jobs of `scrum serve`: [`Queue`], which those who bring jobs share with those who do them.
//!
//! `dispatcher` takes jobs as long as there is room, `worker` does one, `keeper` keeps what is under way this node's and takes
//! back what others have left lying. What may follow on what is the store's affair, and HTTP is `api`'s.

pub(super) mod api;
mod child;
mod dispatcher;
pub(super) mod files;
mod folders;
mod hold;
mod keeper;
mod listener;
mod log;
mod naming;
mod recorder;
mod result;
#[cfg(test)]
mod tests;
mod trouble;
mod underway;
mod watch;
mod worker;

use std::{io, path::PathBuf, sync::Arc, time::Duration};

use http::StatusCode;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{
    Workplace,
    ground::Grounds,
    metrics::queue::{Held, Numbers, Refused},
    withheld::Withheld,
};
use crate::{
    config,
    job::{JobId, NewJob, State, room::Full, wire::Ailment},
    provider::relay::Problem,
    report::words,
    store::{
        Store,
        database::DatabaseError,
        jobs::{Counts, Enqueued, Jobs},
    },
};
use folders::Folders;
use hold::Hold;
use trouble::Trouble;
use underway::{Stop, Underway, Why};

/// How long a job is this node's without a word of it.
const LEASE: Duration = Duration::from_secs(15);
/// How often it is looked for jobs that nobody told of.
const POLL: Duration = Duration::from_secs(1);

/// What jobs are done with.
pub(super) struct Workshop {
    program: PathBuf,
    folders: Folders,
    grounds: Grounds,
    /// The daemon's own runs, where theirs go.
    runs: Store,
    withheld: Withheld,
    /// What the gate says of a pull request that a platform told of is put on its commit.
    posts_status: bool,
}

/// What the operator lets jobs have.
pub(super) struct Offered {
    /// What they may be about.
    pub(super) repositories: Vec<config::Repository>,
    /// What they do not see.
    pub(super) withheld: Withheld,
    /// What the gate says of a pull request that a platform told of is put on its commit.
    pub(super) posts_status: bool,
}

impl Workshop {
    /// For the jobs of `node`, at `place`.
    pub(super) fn open(place: Workplace, offered: Offered, runs: Store, node: &str) -> io::Result<Self> {
        let Offered { repositories, withheld, posts_status } = offered;
        let folders = Folders::open(&place.folder, node)?;
        let grounds = Grounds::new(repositories, place.repository.as_deref(), place.config, folders.place());
        Ok(Self { program: place.program, folders, grounds, runs, withheld, posts_status })
    }
}

/// There is no room for a job: `waiting` wait already, of all tenants or of its own. `retry_secs` later there may be some.
pub(super) fn no_room(full: Full, waiting: u64, retry_secs: u64) -> Problem {
    let number = words::count(usize::try_from(waiting).unwrap_or(usize::MAX), "job");
    let (code, message) = match full {
        Full::Queue => (
            "queue_full",
            format!("the queue is full: {number} waiting, as many as may (`waiting` of [serve.queue])"),
        ),
        Full::Share => (
            "tenant_queue_full",
            format!(
                "this tenant's share of the queue is full: {number} waiting, as many as may of one tenant (`waiting_per_tenant` of [serve.queue])"
            ),
        ),
    };
    Problem::new(StatusCode::TOO_MANY_REQUESTS, message).code(code).retry_after(retry_secs)
}

/// The jobs, and what this node does about them.
pub(super) struct Queue {
    /// Where they are.
    pub(super) jobs: Jobs,
    pub(super) settings: config::Queue,
    pub(super) numbers: Arc<Numbers>,
    /// This daemon's name as long as it runs.
    pub(super) node: String,
    /// No other daemon has this store: what runs there is a dead one's.
    is_alone: bool,
    workshop: Workshop,
    underway: Underway,
    hold: Hold,
    trouble: Trouble,
    wake: Notify,
}

impl Queue {
    /// Nothing is done until [`Self::work`].
    pub(super) fn new(
        jobs: Jobs,
        settings: config::Queue,
        numbers: Arc<Numbers>,
        (node, is_alone): (String, bool),
        workshop: Workshop,
    ) -> Arc<Self> {
        numbers.workers(settings.workers);
        let (underway, hold, trouble, wake) = <_>::default();
        Arc::new(Self { jobs, settings, numbers, node, is_alone, workshop, underway, hold, trouble, wake })
    }

    /// What jobs may be about.
    pub(super) fn grounds(&self) -> &Grounds {
        &self.workshop.grounds
    }

    /// Stores a job, unless it is there already or too many wait; ends older ones about the same subject.
    pub(super) async fn bring(&self, new: NewJob) -> Result<Enqueued, DatabaseError> {
        let (id, kind, source) = (new.id.clone(), new.task.kind, new.source);
        let enqueued = self.told(self.jobs.enqueue(new, self.settings.waiting).await)?;
        match &enqueued {
            Enqueued::New(called_off) => {
                self.numbers.enqueued(kind, source);
                log::stored(&id, kind, source);
                for (id, was) in called_off {
                    log::called_off(id, *was);
                    // Jobs about one subject are of one kind and come from one place.
                    self.numbers.ended(kind, source, State::Cancelled);
                    self.underway.call_off(id);
                }
                self.wake.notify_one();
            }
            Enqueued::Same(..) | Enqueued::Other(_) => self.numbers.deduplicated(),
            Enqueued::Full { .. } => self.numbers.refused(Refused::Full),
            Enqueued::ShareFull { .. } => self.numbers.refused(Refused::TenantFull),
        }
        Ok(enqueued)
    }

    /// Calls a job off, as [`Jobs::cancel`] does, and ends what this node does for it.
    pub(super) async fn cancel(
        &self,
        tenant: Option<&str>,
        id: &JobId,
    ) -> Result<Option<State>, DatabaseError> {
        let was = self.told(self.jobs.cancel(tenant, id).await)?;
        if let Some(was) = was.filter(|state| !state.is_final()) {
            log::called_off(id, was);
            self.underway.call_off(id);
            self.count_end(id, State::Cancelled).await;
        }
        Ok(was)
    }

    /// How many jobs there are.
    pub(super) async fn counts(&self) -> Result<Counts, DatabaseError> {
        self.told(self.jobs.counts().await)
    }

    /// What is used up, so that this node begins no job, and how many percent of it are used.
    pub(super) fn held(&self) -> Option<(Held, u8)> {
        self.hold.percent()
    }

    /// What keeps this node from doing jobs.
    pub(super) fn ailments(&self) -> Vec<Ailment> {
        self.trouble.ailments(self.hold.reason().map(|(_, since)| since))
    }

    /// Does jobs until `end`; those under way then have `grace`, and are given back.
    pub(super) async fn work(self: Arc<Self>, end: CancellationToken, grace: Duration) {
        if self.is_alone {
            end.run_until_cancelled(self.take_back()).await;
        }
        let done = CancellationToken::new();
        // Not to its end: the store may be away.
        let keeping = done.run_until_cancelled(async {
            tokio::join!(keeper::keep(&self), keeper::hear(&self), hold::watch_machine(&self))
        });
        let working = async {
            dispatcher::Dispatcher::new(Arc::clone(&self)).run(&end, grace).await;
            done.cancel();
        };
        tokio::join!(keeping, working);
    }

    /// Nothing runs any more of an attempt that was told to stop.
    fn stopped(&self, stop: &Stop) {
        if stop.why == Why::CalledOff {
            self.numbers.cancelled_in(stop.at.elapsed());
        }
    }

    /// Counts the end of a job of which only the name is known.
    async fn count_end(&self, id: &JobId, state: State) {
        if let Ok(Some(job)) = self.jobs.job(None, id).await {
            self.numbers.ended(job.new.task.kind, job.new.source, state);
        }
    }

    /// What the store said. That it fails is remembered; that it answers does not mean that it does all its work: a full disk can be
    /// read, and takes what is small.
    fn told<T>(&self, said: Result<T, DatabaseError>) -> Result<T, DatabaseError> {
        if let Err(error) = &said {
            self.numbers.store_failed();
            log::store_failed(error);
            self.trouble.store(Some(error));
        }
        said
    }
}
