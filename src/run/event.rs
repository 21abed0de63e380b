//! What happens during a run: [`RunEvent`], and the [`channel`] on which it is told.
//!
//! The run never waits for whoever listens. Events that matter always find room, since the channel is made for a
//! plan and a plan has only so many; those that tell how much has arrived are left out when the listener is slow.

use std::time::Duration;

use tokio::sync::mpsc;

use super::executor::Pace;
use crate::{coverage::Outcome, reviewer::ReviewerId};

/// One thing that happened. Tasks are named by their index in the plan.
#[derive(Debug, Clone, PartialEq)]
pub enum RunEvent {
    /// The first event.
    RunStarted {
        /// The tasks, in the order of the plan.
        tasks: Vec<TaskName>,
    },
    /// A request is being sent.
    Asked {
        /// Which task.
        task: usize,
        /// 1 for the first attempt.
        attempt: u32,
    },
    /// What has arrived so far for every task under way; told several times a second, also when nothing came.
    Tokens {
        /// The tasks under way, in the order of the plan.
        under_way: Vec<Arrived>,
    },
    /// An attempt failed; there will be another one.
    Retrying {
        /// Which task.
        task: usize,
        /// What went wrong, for people.
        reason: String,
        /// When the next attempt is due, from now.
        delay: Duration,
    },
    /// A task must wait before it is asked, since its provider takes nothing more for now. Told once for each attempt.
    Waiting {
        /// Which task.
        task: usize,
        /// Why, for people.
        reason: String,
        /// For how long, as far as it is known.
        delay: Option<Duration>,
    },
    /// The task is put to another reviewer of the same lineage, since the one before is out of order.
    FellBack {
        /// Which task.
        task: usize,
        /// Who is asked now.
        stand_in: ReviewerId,
        /// Why, for people.
        reason: String,
    },
    /// Nothing more is asked in this run.
    CutShort {
        /// Why, for people.
        reason: String,
    },
    /// A task has ended and its reply is saved.
    Finished {
        /// Which task.
        task: usize,
        /// What became of it.
        outcome: Box<Outcome>,
    },
    /// The last event.
    RunFinished {
        /// Whether the run was interrupted.
        interrupted: bool,
    },
}

/// A task's bundle and reviewer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskName {
    /// Bundle id, such as `c1_validatord`.
    pub bundle: String,
    /// Who is asked.
    pub reviewer: ReviewerId,
}

/// How far a task under way has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrived {
    /// Which task.
    pub task: usize,
    /// Tokens of this attempt so far; a guess.
    pub tokens: u64,
    /// Since the first attempt began.
    pub elapsed: Duration,
}

/// The run's end of the channel.
#[derive(Debug)]
pub struct EventSender {
    sender: mpsc::Sender<RunEvent>,
    spare: usize,
}

/// The listener's end of the channel. When it is dropped the run goes on unheard.
#[derive(Debug)]
pub struct EventReceiver(mpsc::Receiver<RunEvent>);

/// Events about tokens that may lie unread.
const SPARE: usize = 16;

/// A channel with room for every event that `tasks` tasks at `pace` can cause, each put to `voices` reviewers at most.
pub fn channel(tasks: usize, voices: usize, pace: &Pace) -> (EventSender, EventReceiver) {
    // An attempt is waited for, made and followed by another one; a voice is left; a task ends; the run begins, is cut short, ends.
    let per_voice = 3 * (pace.retries as usize + 1) + 1;
    let most = tasks * (per_voice * voices + 1) + 3;
    let (sender, receiver) = mpsc::channel(most + SPARE);
    (EventSender { sender, spare: most }, EventReceiver(receiver))
}

impl EventSender {
    /// Tells `event`. Never waits.
    pub(super) fn tell(&self, event: RunEvent) {
        // It fails only when nobody listens any more: there is room by construction.
        let _ = self.sender.try_send(event);
    }

    /// Whether news about tokens would be heard soon.
    pub(super) fn wants_tokens(&self) -> bool {
        self.sender.capacity() > self.spare
    }
}

impl EventReceiver {
    /// The next event; `None` when the run is over.
    pub async fn next(&mut self) -> Option<RunEvent> {
        self.0.recv().await
    }

    /// The next event for a listener with a thread of its own; `None` when the run is over.
    pub fn blocking_next(&mut self) -> Option<RunEvent> {
        self.0.blocking_recv()
    }
}
