//! Jobs in the database: [`Jobs`]. Every step from one state to the next is one conditional change, so whoever comes second
//! changes nothing.
//!
//! What becomes of jobs that are there is written beside those that come, all of it in one place but for older ones that a new one
//! calls off: two transactions that change several of the same rows would now and then wait for each other.
//!
//! When to take, renew and reap is the daemon's affair. What is promised and why it holds is in docs/design/queue.md.

mod claim;
mod end;
mod enqueue;
mod look;
mod told;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use tokio::{
    sync::broadcast,
    time::{Instant, sleep},
};

use super::database::{Database, DatabaseError, Note, Problem, Sql};
use crate::job::{Job, JobId, Kind, NewJob, Priority, State, order::Turns, room::Room};
use end::CalledOff;

/// When to look again at what somebody else is changing: after about as long as a commit takes, later on less often.
const SHORTLY: Duration = Duration::from_millis(2);
/// For how long that is looked at again.
const PATIENCE: Duration = Duration::from_secs(5);

/// The jobs of a database; copies share it.
#[derive(Clone)]
pub struct Jobs {
    database: Database,
    /// Whose turn it is here. Each node takes tenants in turn for itself, which is as good as together, and writes nothing.
    turns: Arc<Mutex<Turns>>,
}

/// What became of a job that was brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Enqueued {
    /// It is stored. Older jobs about the same subject were called off: those, each with the state it was in.
    New(Vec<(JobId, State)>),
    /// One with its dedupe key and its task is there already.
    Same(JobId, State),
    /// One with its dedupe key and another task is there.
    Other(JobId),
    /// As many wait as may.
    Full {
        /// How many wait.
        waiting: u64,
    },
    /// As many of its tenant wait as may.
    ShareFull {
        /// How many of them wait.
        waiting: u64,
    },
}

/// A worker's hold on a job: what it says later counts only as long as this attempt is the one that runs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Held {
    /// The job.
    pub id: JobId,
    /// Its attempt, from 1.
    pub attempt: u32,
}

/// A job that this node is to do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// The job; its `attempt` is this one.
    pub job: Job,
    /// How long it waited since it was stored, or since it could be taken again.
    pub waited: Duration,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// With a result: a JSON object.
    Succeeded(String),
    /// For good, whatever attempts are left.
    Failed(String),
    /// Without a result, but another attempt may have one; `Failed` when none is left.
    Again {
        /// Why, for people.
        reason: String,
        /// Not before.
        delay: Duration,
    },
    /// It took too long.
    TimedOut(String),
    /// The node is going: somebody else may take it at once, and the attempt does not count.
    GivenBack,
}

/// Jobs whose node has not been heard of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reaped {
    /// They wait again.
    pub requeued: Vec<JobId>,
    /// They had no attempt left.
    pub failed: Vec<JobId>,
}

/// One thing a job told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// From 1, without gaps, over all attempts.
    pub seq: u64,
    /// Which attempt told it.
    pub attempt: u32,
    /// When.
    pub at: Timestamp,
    /// A JSON object.
    pub data: String,
}

/// Which jobs to list, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only of this tenant.
    pub tenant: Option<String>,
    /// Only in one of these states; all when empty.
    pub states: Vec<State>,
    /// Only of this kind.
    pub kind: Option<Kind>,
    /// Only those stored before this one.
    pub before: Option<JobId>,
    /// At most so many.
    pub most: u32,
}

/// How many there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Waiting, by priority.
    pub waiting: Vec<(Priority, u64)>,
    /// Since when the oldest of them waits.
    pub oldest: Option<Timestamp>,
    /// Running, on all nodes.
    pub running: u64,
    /// All that are kept, by state.
    pub by_state: Vec<(State, u64)>,
}

impl Jobs {
    /// Those in `database`.
    pub fn new(database: Database) -> Self {
        Self { database, turns: Arc::default() }
    }

    /// Tells of changes from now on, through whichever node.
    pub fn notes(&self) -> broadcast::Receiver<Note> {
        self.database.notes()
    }

    /// Stores a job, unless as many wait as there is `room` for.
    pub async fn enqueue(&self, new: NewJob, room: impl Into<Room>) -> Result<Enqueued, DatabaseError> {
        let room = room.into();
        let task = enqueue::text(&new.task);
        self.database.write(move |sql| enqueue::enqueue(sql, &new, &task, room)).await
    }

    /// Takes at most `most` jobs whose turn it is, for `lease` from now.
    pub async fn claim(&self, node: &str, most: u32, lease: Duration) -> Result<Vec<Claimed>, DatabaseError> {
        Ok(self.turn(node, Vec::new(), most, lease).await?.1)
    }

    /// [`Self::finish`] and then [`Self::claim`], all of it or nothing: the ones that end make room for those that are taken, and
    /// nobody ever sees more of them run than may.
    pub async fn turn(
        &self,
        node: &str,
        ended: Vec<(Held, Ending)>,
        most: u32,
        lease: Duration,
    ) -> Result<(Vec<Option<State>>, Vec<Claimed>), DatabaseError> {
        let (node, turns) = (node.to_owned(), Arc::clone(&self.turns));
        let turn = move |sql: &mut dyn Sql| {
            let states = end::finish(sql, &node, &ended)?;
            if most == 0 {
                return Ok((states, None));
            }
            let turns = turns.lock().unwrap_or_else(PoisonError::into_inner).clone();
            Ok((states, Some(claim::claim(sql, &turns, &node, most, lease)?)))
        };
        let (states, taken) = self.database.write_beside(turn).await?;
        let Some(claim::Taken { at, waiting, claimed }) = taken else { return Ok((states, Vec::new())) };
        let taken = claimed.iter().map(|one| one.job.new.tenant.as_str());
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.took(at, waiting.iter().map(String::as_str), taken);
        Ok((states, claimed))
    }

    /// Keeps `held` for another `lease`. Gives those that `node` holds no longer: called off, or taken by another one.
    pub async fn renew(
        &self,
        node: &str,
        held: Vec<Held>,
        lease: Duration,
    ) -> Result<Vec<Held>, DatabaseError> {
        let node = node.to_owned();
        self.database.write_beside(move |sql| claim::renew(sql, &node, &held, lease)).await
    }

    /// Ends attempts. For each the state it led to; `None`: it was not this node's any more, and nothing changed. An ending that is told
    /// twice counts once and is confirmed twice.
    pub async fn finish(
        &self,
        node: &str,
        ended: Vec<(Held, Ending)>,
    ) -> Result<Vec<Option<State>>, DatabaseError> {
        Ok(self.turn(node, ended, 0, Duration::ZERO).await?.0)
    }

    /// Takes back what nodes hold that have not renewed it in time.
    pub async fn reap(&self) -> Result<Reaped, DatabaseError> {
        let until_now = |sql: &mut dyn Sql| {
            let now = sql.now()?;
            end::reap(sql, now)
        };
        self.database.write_beside(until_now).await
    }

    /// Takes back everything that runs, whoever has it: for a daemon that knows to be alone.
    pub async fn reap_all(&self) -> Result<Reaped, DatabaseError> {
        self.database.write_beside(|sql| end::reap(sql, i64::MAX)).await
    }

    /// Calls a job off, of `tenant` only if it is given. The state it was in: if that is final, nothing changed. `None`: there is none.
    pub async fn cancel(&self, tenant: Option<&str>, id: &JobId) -> Result<Option<State>, DatabaseError> {
        let (begun, mut pause) = (Instant::now(), SHORTLY);
        loop {
            let (tenant, id) = (tenant.map(str::to_owned), id.clone());
            let is_late = begun.elapsed() >= PATIENCE;
            let cancel = move |sql: &mut dyn Sql| match end::cancel(sql, tenant.as_deref(), &id)? {
                CalledOff::NotYet if is_late => Err(Problem::Locked),
                done => Ok(done),
            };
            match self.database.write_beside(cancel).await? {
                CalledOff::From(state) => return Ok(state),
                CalledOff::NotYet => sleep(pause).await,
            }
            pause = (pause * 2).min(25 * SHORTLY);
        }
    }

    /// A job.
    pub async fn job(&self, tenant: Option<&str>, id: &JobId) -> Result<Option<Job>, DatabaseError> {
        let (tenant, id) = (tenant.map(str::to_owned), id.clone());
        self.database.read(move |sql| look::job(sql, tenant.as_deref(), &id)).await
    }

    /// Jobs of `tenant` about `subject` that wait or run, oldest first.
    pub async fn about(&self, tenant: &str, subject: &str) -> Result<Vec<JobId>, DatabaseError> {
        let (tenant, subject) = (tenant.to_owned(), subject.to_owned());
        self.database.read(move |sql| look::about(sql, &tenant, &subject)).await
    }

    /// Some jobs.
    pub async fn list(&self, filter: Filter) -> Result<Vec<Job>, DatabaseError> {
        self.database.read(move |sql| look::list(sql, &filter)).await
    }

    /// Changes nothing, but writes as much as if a job came, in each way that there is: whether one could be stored, and its end.
    pub async fn try_out(&self) -> Result<(), DatabaseError> {
        self.database.write(enqueue::try_out).await?;
        self.database.write_beside(enqueue::try_out).await
    }

    /// How many there are.
    pub async fn counts(&self) -> Result<Counts, DatabaseError> {
        self.database.read(look::counts).await
    }

    /// Adds to what a job told. False: the attempt is not the one that runs, and nothing was added.
    pub async fn tell(&self, node: &str, held: Held, events: Vec<String>) -> Result<bool, DatabaseError> {
        let node = node.to_owned();
        self.database.write_beside(move |sql| told::tell(sql, &node, &held, &events)).await
    }

    /// What a job told after `seq`, at most `most`.
    pub async fn events(&self, id: &JobId, after: u64, most: u32) -> Result<Vec<Event>, DatabaseError> {
        let id = id.clone();
        self.database.read(move |sql| told::events(sql, &id, after, most)).await
    }

    /// Keeps files of a job, in place of those with the same name; later attempts find them. False as with [`Self::tell`].
    pub async fn keep(
        &self,
        node: &str,
        held: Held,
        files: Vec<(String, Vec<u8>)>,
    ) -> Result<bool, DatabaseError> {
        let node = node.to_owned();
        self.database.write_beside(move |sql| told::keep(sql, &node, &held, &files)).await
    }

    /// A job and what it told after `seq`, at most `most`, as they are at one moment.
    pub async fn latest(
        &self,
        id: &JobId,
        after: u64,
        most: u32,
    ) -> Result<(Option<Job>, Vec<Event>), DatabaseError> {
        let id = id.clone();
        let look = move |sql: &mut dyn Sql| {
            let job = look::job(sql, None, &id)?;
            let may_have_told = job.as_ref().is_some_and(|job| job.attempt > 0);
            let events = if may_have_told { told::events(sql, &id, after, most)? } else { Vec::new() };
            Ok((job, events))
        };
        self.database.read(look).await
    }

    /// Names and sizes in bytes of a job's files, by name.
    pub async fn files(&self, id: &JobId) -> Result<Vec<(String, u64)>, DatabaseError> {
        let id = id.clone();
        self.database.read(move |sql| told::files(sql, &id)).await
    }

    /// One of them.
    pub async fn file(&self, id: &JobId, name: &str) -> Result<Option<Vec<u8>>, DatabaseError> {
        let (id, name) = (id.clone(), name.to_owned());
        self.database.read(move |sql| told::file(sql, &id, &name)).await
    }

    /// Removes at most `most` jobs that came to their end before `moment`, with all that belongs to them. How many it were.
    pub async fn prune(&self, moment: Timestamp, most: u32) -> Result<u64, DatabaseError> {
        self.database.write_beside(move |sql| end::prune(sql, moment, most)).await
    }
}
