//! Who shares which call: [`Board`], the one place where requests meet, and one lock for all that happens there.
//!
//! Joining, leaving, landing, sealing, and taking from the shelf each hold that lock from look to deed, so whoever finds a
//! flight on the board gets its whole answer. The lock is never held while anything is waited for. What makes the call is
//! `task`; this file starts nothing and reads no network.

use std::{
    collections::HashMap,
    future::poll_fn,
    pin::Pin,
    sync::{
        Arc, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::Stream;
use tokio::time::Instant;

use super::{
    Counts, Key, Limits, Mutex, MutexGuard, Role, Skip, Usage,
    log::{Broken, Head, Log, Share},
    shelf::Shelf,
};

/// Flights that newcomers may join, finished answers, and how often which happened.
pub(super) struct Board {
    state: Mutex<State>,
    limits: Limits,
    /// Bytes that all logs of flights hold together.
    held: Arc<AtomicUsize>,
}

struct State {
    /// Never one that has landed, was abandoned or was sealed.
    flights: HashMap<Key, Arc<Log>>,
    shelf: Shelf,
    counts: Counts,
}

impl Board {
    pub(super) fn new(limits: Limits) -> Self {
        let shelf = Shelf::new(limits.shelf);
        let state = State { flights: HashMap::new(), shelf, counts: Counts::default() };
        Self { state: Mutex::new(state), limits, held: Arc::default() }
    }

    /// Finds the flight or the finished answer for `key`, or begins a flight that the caller must let somebody pilot.
    pub(super) fn join(self: &Arc<Self>, key: Key) -> (Role, Reader, Option<Pilot>) {
        let mut state = self.lock();
        let (role, log) = if let Some(log) = state.flights.get(&key) {
            (Role::Follower, Arc::clone(log))
        } else if let Some(log) = state.shelf.get(&key, Instant::now()) {
            (Role::Cache, Arc::clone(log))
        } else {
            let Limits { flight_bytes, total_bytes, .. } = self.limits;
            let log = Arc::new(Log::new(Share::new(flight_bytes, total_bytes, Arc::clone(&self.held))));
            state.flights.insert(key, Arc::clone(&log));
            (Role::Leader, log)
        };
        state.counts.joined(role);
        let board = Arc::clone(self);
        let reader = Reader { place: log.join(), flight: Flight { board, key, log }, is_finished: false };
        let pilot =
            (role == Role::Leader).then(|| Pilot { flight: reader.flight.clone(), end: Err(Broken::Lost) });
        (role, reader, pilot)
    }

    /// Counts a request that is not coalesced.
    pub(super) fn skip(&self, reason: Skip) {
        self.lock().counts.skipped(reason);
    }

    pub(super) fn counts(&self) -> Counts {
        self.lock().counts.clone()
    }

    pub(super) fn usage(&self) -> Usage {
        let state = self.lock();
        let (answers, answer_bytes) = state.shelf.size();
        let flight_bytes = self.held.load(Ordering::Relaxed);
        Usage { flights: state.flights.len(), flight_bytes, answers, answer_bytes }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Lets nobody join `flight` any more. Whether somebody could until now.
    fn close(&mut self, flight: &Flight) -> bool {
        let is_open = self.flights.get(&flight.key).is_some_and(|open| Arc::ptr_eq(open, &flight.log));
        if is_open {
            self.flights.remove(&flight.key);
        }
        is_open
    }
}

/// One call and all who share it; also what is left of it on the shelf.
#[derive(Clone)]
struct Flight {
    board: Arc<Board>,
    key: Key,
    log: Arc<Log>,
}

/// One listener's view of an answer: first [`head`](Self::head), then the chunks, from the first, as a [`Stream`].
///
/// Dropping it is leaving. When the last leaves a call that is under way, the call is cancelled.
pub struct Reader {
    flight: Flight,
    place: usize,
    is_finished: bool,
}

impl Reader {
    /// Waits for status and headers. They stay, so this may be called again.
    pub async fn head(&mut self) -> Result<Arc<Head>, Broken> {
        poll_fn(|context| self.flight.log.poll_head(self.place, context)).await
    }
}

impl Stream for Reader {
    type Item = Result<Bytes, Broken>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.is_finished {
            return Poll::Ready(None);
        }
        let next = self.flight.log.poll_chunk(self.place, context);
        self.is_finished = matches!(next, Poll::Ready(None | Some(Err(_))));
        next
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut state = self.flight.board.lock();
        if self.flight.log.leave(self.place) {
            state.close(&self.flight);
        }
    }
}

/// The writing side of a flight, for the one task that makes the call. Dropping it is landing: however that task ends, its
/// readers are told.
pub(super) struct Pilot {
    flight: Flight,
    end: Result<(), Broken>,
}

impl Pilot {
    pub(super) fn log(&self) -> &Log {
        &self.flight.log
    }

    /// From now on newcomers begin their own flight, and this one may forget what all its readers have.
    pub(super) fn seal(&self) {
        let mut state = self.flight.board.lock();
        state.close(&self.flight);
        self.flight.log.seal();
    }

    /// Ends the flight, and puts a whole answer on the shelf.
    pub(super) fn land(mut self, end: Result<(), Broken>) {
        self.end = end;
    }
}

impl Drop for Pilot {
    fn drop(&mut self) {
        let Flight { board, key, log } = &self.flight;
        let mut state = board.lock();
        log.end(self.end.clone());
        // A flight that was closed before has forgotten its beginning, or was abandoned.
        if state.close(&self.flight) {
            state.shelf.put(*key, log, Instant::now());
        }
    }
}
