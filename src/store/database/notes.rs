//! What is told about a change, to whoever waits for one: [`Note`].
//!
//! A note wakes somebody up and carries nothing that is not in the database; one may be lost, so whoever waits also looks for
//! himself now and then.

use tokio::sync::broadcast;

use crate::job::JobId;

/// Notes that a listener may be behind by before it misses some.
const BEHIND: usize = 1_024;

/// Something has changed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Note {
    /// A job can be taken.
    Ready,
    /// A job was called off.
    CalledOff(JobId),
    /// A job stands elsewhere, or told something.
    Changed(JobId),
    /// Notes may have been lost: whoever waits for anything is to look for it.
    Missed,
}

/// Where notes go.
#[derive(Clone)]
pub(super) struct Notes {
    here: broadcast::Sender<Note>,
}

impl Notes {
    pub(super) fn new() -> Self {
        Self { here: broadcast::Sender::new(BEHIND) }
    }

    pub(super) fn listen(&self) -> broadcast::Receiver<Note> {
        self.here.subscribe()
    }

    pub(super) fn tell(&self, notes: Vec<Note>) {
        for note in notes {
            // Nobody may be listening.
            let _ = self.here.send(note);
        }
    }
}
