//! Takes jobs as long as there is room, and stores how they end: [`Dispatcher`].
//!
//! A slot is free when the ending of what was done there is stored; endings and claims share a commit. The store may fail for
//! as long as it likes: it is asked again and again.

use std::{panic::AssertUnwindSafe, pin::pin, sync::Arc, time::Duration};

use futures_util::FutureExt;
use tokio::{
    task::{JoinError, JoinSet, yield_now},
    time::{Instant, sleep, sleep_until, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::{LEASE, POLL, Queue, log, worker};
use crate::{
    job::Job,
    store::{
        database::DatabaseError,
        jobs::{Claimed, Ending, Held},
    },
};

/// How long it is waited before the store is asked again, at first and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));
/// How long the store may take over what it was asked before the daemon ends, and over endings after that.
const LAST_MOMENT: Duration = Duration::from_secs(5);

/// The one task that takes jobs.
pub(super) struct Dispatcher {
    queue: Arc<Queue>,
    works: JoinSet<Done>,
    /// Not stored yet.
    ended: Vec<Done>,
    /// When the store is to be asked for jobs next, whether or not there is news.
    look: Instant,
    /// After a failure of the store: when it is asked again, and how long was waited.
    pause: Option<(Instant, Duration)>,
}

/// An attempt that has ended; `None`: what came of it counts for nothing.
struct Done {
    job: Job,
    ending: Option<Ending>,
}

impl Done {
    fn held(&self) -> Held {
        held(&self.job)
    }
}

fn held(job: &Job) -> Held {
    Held { id: job.new.id.clone(), attempt: job.attempt }
}

impl Dispatcher {
    pub(super) fn new(queue: Arc<Queue>) -> Self {
        Self { queue, works: JoinSet::new(), ended: Vec::new(), look: Instant::now(), pause: None }
    }

    /// Does jobs until `end`, and then those under way, for `grace` at most.
    pub(super) async fn run(mut self, end: &CancellationToken, grace: Duration) {
        let working = async {
            while !end.is_cancelled() {
                self.turn(true).await;
                // Nothing of what is heard of is lost where this is dropped.
                end.run_until_cancelled(self.news(true)).await;
            }
        };
        let given_up = async {
            end.cancelled().await;
            sleep(LAST_MOMENT).await;
        };
        tokio::select! {
            () = working => {}
            // What was taken but not heard of is taken back by others, in time.
            () = given_up => {}
        }
        self.queue.trouble.end();
        self.leave(Instant::now() + grace).await;
    }

    /// Lets what is under way come to its end until `deadline`, and gives the rest back.
    async fn leave(mut self, deadline: Instant) {
        let queue = Arc::clone(&self.queue);
        let finishing = timeout_at(deadline + LAST_MOMENT, async {
            while !self.works.is_empty() || !self.ended.is_empty() {
                self.news(false).await;
                self.turn(false).await;
            }
        });
        let mut finishing = pin!(finishing);
        tokio::select! {
            _ = &mut finishing => return,
            () = sleep_until(deadline) => queue.underway.leave(),
        }
        // What the store does not take now is found there by whoever comes next.
        let _ = finishing.await;
    }

    /// Stores what has ended and, if it `takes` jobs, takes as many as there is room for then.
    async fn turn(&mut self, takes: bool) {
        let now = Instant::now();
        if self.pause.is_some_and(|(until, _)| now < until) {
            return;
        }
        let looks = takes && self.look <= now && self.queue.hold.reason().is_none();
        let room = if looks { self.most().saturating_sub(self.works.len()) } else { 0 };
        if room == 0 && self.ended.is_empty() {
            return;
        }
        let Ok(claimed) = self.queue.turn(&self.ended, room).await else {
            let (first, most) = PAUSES;
            let pause = self.pause.map_or(first, |(_, pause)| (pause * 2).min(most));
            self.pause = Some((Instant::now() + pause, pause));
            return;
        };
        self.pause = None;
        self.ended.clear();
        if looks && claimed.len() < room {
            self.look = now + POLL;
        }
        self.begin(claimed);
    }

    fn begin(&mut self, claimed: Vec<Claimed>) {
        let held: Vec<Held> = claimed.iter().map(|claimed| held(&claimed.job)).collect();
        let stops = self.queue.underway.given(&held);
        for (Claimed { job, waited }, stop) in claimed.into_iter().zip(stops) {
            self.queue.numbers.waited(job.new.priority, waited);
            log::begun(&job, waited);
            let work = worker::work(Arc::clone(&self.queue), job.clone(), stop);
            let mut work = Box::pin(async move {
                // A panic is the matter of this job alone.
                let ending = AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|_| Some(crashed()));
                Done { job, ending }
            });
            // What waits for nothing needs no task, and all of it shares the next commit.
            match work.as_mut().now_or_never() {
                Some(done) => self.end(done),
                None => drop(self.works.spawn(work)),
            }
        }
    }

    /// Waits until there is something to do.
    async fn news(&mut self, takes: bool) {
        if self.pause.is_none() && !self.ended.is_empty() {
            return;
        }
        let takes = takes && self.queue.hold.reason().is_none();
        let has_room = takes && self.works.len() + self.ended.len() < self.most();
        let due = self.pause.map(|(until, _)| until).or(has_room.then_some(self.look));
        tokio::select! {
            Some(done) = self.works.join_next() => {
                self.joined(done);
                // Others that end now share the commit.
                yield_now().await;
                while let Some(done) = self.works.try_join_next() {
                    self.joined(done);
                }
            }
            () = self.queue.wake.notified() => self.look = Instant::now(),
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
        }
    }

    fn joined(&mut self, done: Result<Done, JoinError>) {
        // Panics are caught inside, and nobody is aborted before all is dropped.
        if let Ok(done) = done {
            self.end(done);
        }
    }

    fn end(&mut self, done: Done) {
        match done.ending {
            Some(_) => {
                self.queue.underway.ended(&done.held());
                self.ended.push(done);
            }
            None => self.queue.underway.forget(&done.held()),
        }
    }

    fn most(&self) -> usize {
        self.queue.settings.workers as usize
    }
}

fn crashed() -> Ending {
    Ending::Again { reason: "scrum itself crashed".to_owned(), delay: Duration::ZERO }
}

impl Queue {
    /// Stores how attempts ended, and takes as many jobs as there is room for then.
    async fn turn(&self, ended: &[Done], room: usize) -> Result<Vec<Claimed>, DatabaseError> {
        let endings = ended.iter().filter_map(|done| Some((done.held(), done.ending.clone()?))).collect();
        let most = u32::try_from(room).unwrap_or(u32::MAX);
        self.underway.asking();
        self.trouble.asks(true);
        let turn = self.jobs.turn(&self.node, endings, most, LEASE).await;
        self.trouble.asks(false);
        let (states, claimed) = self.told(turn)?;
        for (done, state) in ended.iter().zip(states) {
            self.underway.forget(&done.held());
            match state {
                Some(state) => log::ended(&done.job, state),
                None => log::fenced(&done.job),
            }
            match state {
                Some(state) if state.is_final() => {
                    self.numbers.ended(done.job.new.task.kind, done.job.new.source, state);
                }
                // It waits again.
                Some(_) => {}
                None => self.numbers.fenced(),
            }
        }
        Ok(claimed)
    }
}
