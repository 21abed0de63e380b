//! What watchers of jobs share: [`Tails`]. However many watch a job, the store is asked once for each thing that happens to it.
//!
//! Nothing waits here for a reader: each takes what it has not seen yet, from what is remembered or else from the store.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use bytes::Bytes;
use serde_json::value::RawValue;
use tokio::{
    sync::{
        Mutex as Turn, MutexGuard as TurnGuard,
        broadcast::{Receiver, error::RecvError},
        watch,
    },
    time::Instant,
};

use crate::{
    job::{
        JobId, State,
        wire::{JOB, Shown, TOLD, Told},
    },
    report::json::printable,
    store::{
        database::{DatabaseError, Note},
        jobs::{Event, Jobs},
    },
};

/// How long nothing may be heard of a job before it is looked for all the same.
pub(super) const POLL: Duration = Duration::from_secs(2);
/// Most events that are read at once, and remembered.
const MOST: u32 = 256;

/// The jobs that somebody watches.
pub(super) struct Tails {
    jobs: Jobs,
    open: Mutex<HashMap<JobId, Weak<Tail>>>,
}

/// The latest of one job.
pub(super) struct Tail {
    id: JobId,
    jobs: Jobs,
    /// Counts what was heard of the job.
    news: watch::Sender<u64>,
    known: Turn<Known>,
}

/// What is known of it.
#[derive(Default)]
struct Known {
    /// How much had been heard when the store was asked, and when that was; `None`: there is more than was read.
    as_of: Option<(u64, Instant)>,
    job: Option<Standing>,
    /// The latest events, without gaps, each with its number and text.
    events: VecDeque<(u64, Bytes)>,
    /// The number of the last event that was read.
    last: u64,
}

/// How a job stands.
#[derive(Clone)]
struct Standing {
    /// Whose it is.
    tenant: String,
    /// What makes one snapshot another than the last.
    mark: Mark,
    text: Bytes,
}

/// A job's state and attempt.
pub(super) type Mark = (State, u32);

/// What a watcher has seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// The number of the last event.
    pub(super) event: u64,
    /// The last snapshot.
    pub(super) mark: Option<Mark>,
}

impl Tails {
    pub(super) fn new(jobs: Jobs) -> Self {
        Self { jobs, open: Mutex::default() }
    }

    /// The tail of a job, shared by all who watch it now.
    pub(super) fn of(&self, id: &JobId) -> Arc<Tail> {
        let mut open = self.open();
        if let Some(tail) = open.get(id).and_then(Weak::upgrade) {
            return tail;
        }
        open.retain(|_, tail| tail.strong_count() > 0);
        let known = Turn::default();
        let tail = Tail { id: id.clone(), jobs: self.jobs.clone(), news: watch::Sender::new(0), known };
        let tail = Arc::new(tail);
        open.insert(id.clone(), Arc::downgrade(&tail));
        tail
    }

    /// Passes on what is heard, as long as anything can be.
    pub(super) async fn keep_up(&self, mut notes: Receiver<Note>) {
        loop {
            match notes.recv().await {
                Ok(Note::Changed(id) | Note::CalledOff(id)) => {
                    if let Some(tail) = self.open().get(&id).and_then(Weak::upgrade) {
                        tail.news();
                    }
                }
                Ok(Note::Missed) | Err(RecvError::Lagged(_)) => {
                    self.open().values().filter_map(Weak::upgrade).for_each(|tail| tail.news());
                }
                Ok(Note::Ready) => {}
                Err(RecvError::Closed) => return,
            }
        }
    }

    fn open(&self) -> MutexGuard<'_, HashMap<JobId, Weak<Tail>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tail {
    /// Changes whenever something is heard.
    pub(super) fn listen(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    fn news(&self) {
        self.news.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Whether there is such a job, and `tenant` has it.
    pub(super) async fn is_of(&self, tenant: &str) -> Result<bool, DatabaseError> {
        Ok(self.latest().await?.0.job.as_ref().is_some_and(|job| job.tenant == tenant))
    }

    /// What is known, with all that was heard of taken up, and how much that was.
    async fn latest(&self) -> Result<(TurnGuard<'_, Known>, u64), DatabaseError> {
        let mut known = self.known.lock().await;
        let heard = *self.news.borrow();
        let is_fresh = known.as_of.is_some_and(|(as_of, at)| as_of == heard && at.elapsed() < POLL);
        if !is_fresh {
            known.look(&self.id, &self.jobs, heard).await?;
        }
        Ok((known, heard))
    }

    /// What there is that `seen` lacks, as text of the stream; `seen` has it then. Empty: nothing yet; `None`: there is no such job any
    /// more. How a job stands comes before what it tells, but for its end, which comes last.
    pub(super) async fn after(&self, seen: &mut Seen) -> Result<Option<Vec<Bytes>>, DatabaseError> {
        let (mut known, heard) = self.latest().await?;
        // What has been seen may be far behind what was read just now.
        while known.as_of.is_none() && known.last <= seen.event {
            known.look(&self.id, &self.jobs, heard).await?;
        }
        let Some(job) = known.job.clone() else { return Ok(None) };
        let mut told = Vec::new();
        if seen.mark.is_none() && !job.mark.0.is_final() {
            seen.mark = Some(job.mark);
            told.push(job.text.clone());
        }
        let first = known.events.front().map_or(known.last, |(seq, _)| seq - 1);
        if seen.event < first {
            drop(known);
            let events = self.jobs.events(&self.id, seen.event, MOST).await?;
            seen.event = events.last().map_or(first, |event| event.seq);
            told.extend(events.iter().map(text_of));
            return Ok(Some(told));
        }
        told.extend(known.events.iter().filter(|(seq, _)| *seq > seen.event).map(|(_, text)| text.clone()));
        // A number that there is not yet stands for all that there is.
        seen.event = known.last;
        if known.as_of.is_some() && seen.mark != Some(job.mark) {
            seen.mark = Some(job.mark);
            told.push(job.text);
        }
        Ok(Some(told))
    }
}

impl Known {
    async fn look(&mut self, id: &JobId, jobs: &Jobs, heard: u64) -> Result<(), DatabaseError> {
        let (job, events) = jobs.latest(id, self.last, MOST).await?;
        let is_all = events.len() < MOST as usize;
        self.as_of = is_all.then(|| (heard, Instant::now()));
        self.last = events.last().map_or(self.last, |event| event.seq);
        self.events.extend(events.iter().map(|event| (event.seq, text_of(event))));
        let surplus = self.events.len().saturating_sub(MOST as usize);
        self.events.drain(..surplus);
        self.job = job.map(|job| {
            let (mark, tenant) = ((job.state, job.attempt), job.new.tenant.clone());
            let text = serde_json::to_string(&Shown::new(job)).unwrap_or_default();
            Standing {
                tenant,
                mark,
                text: Bytes::from(format!("event: {JOB}\ndata: {}\n\n", printable(text))),
            }
        });
        Ok(())
    }
}

/// An event as it stands in the stream. What a job told is kept as it is written, but for what would end a line.
fn text_of(event: &Event) -> Bytes {
    let one_line = printable(event.data.replace(['\r', '\n'], " "));
    let data = RawValue::from_string(one_line).unwrap_or_default();
    let told = Told { attempt: event.attempt, at: event.at, what: &data };
    let told = serde_json::to_string(&told).unwrap_or_default();
    Bytes::from(format!("id: {}\nevent: {TOLD}\ndata: {told}\n\n", event.seq))
}
