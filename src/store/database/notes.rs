//! What is told about a change, to whoever waits for one: [`Note`].
//!
//! A note wakes somebody up and carries nothing that is not in the database; one may be lost, so whoever waits also looks for
//! himself now and then.

use std::{
    collections::BTreeSet,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{Notify, broadcast};

use crate::job::JobId;

/// Notes that a listener may be behind by before it misses some, and that wait to be told to other nodes.
const BEHIND: usize = 1_024;

/// Notes in one payload, which has less than 8,000 bytes.
const PAYLOAD: usize = 128;

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

impl Note {
    fn line(&self) -> String {
        match self {
            Self::Ready => "ready".to_owned(),
            Self::CalledOff(id) => format!("off {id}"),
            Self::Changed(id) => format!("changed {id}"),
            Self::Missed => "missed".to_owned(),
        }
    }

    /// A line of another node, perhaps of another version.
    fn of(line: &str) -> Self {
        let of = |prefix: &str| line.strip_prefix(prefix).and_then(JobId::parse);
        match line {
            "ready" => Self::Ready,
            _ => of("off ")
                .map(Self::CalledOff)
                .or_else(|| of("changed ").map(Self::Changed))
                .unwrap_or(Self::Missed),
        }
    }
}

/// Where notes go: to listeners of this process, and to other nodes where there can be some.
#[derive(Clone)]
pub(super) struct Notes {
    here: broadcast::Sender<Note>,
    beyond: Option<Arc<Outbox>>,
}

impl Notes {
    /// For listeners of this process.
    pub(super) fn here() -> Self {
        Self { here: broadcast::Sender::new(BEHIND), beyond: None }
    }

    /// For other nodes too; `node` names this one.
    pub(super) fn shared(node: String) -> (Self, Arc<Outbox>) {
        let here = broadcast::Sender::new(BEHIND);
        let outbox = Outbox { node, here: here.clone(), waiting: Mutex::default(), filled: Notify::new() };
        let outbox = Arc::new(outbox);
        (Self { here, beyond: Some(Arc::clone(&outbox)) }, outbox)
    }

    pub(super) fn listen(&self) -> broadcast::Receiver<Note> {
        self.here.subscribe()
    }

    pub(super) fn tell(&self, notes: Vec<Note>) {
        if notes.is_empty() {
            return;
        }
        if let Some(beyond) = &self.beyond {
            beyond.put(&notes);
        }
        for note in notes {
            // Nobody may be listening.
            let _ = self.here.send(note);
        }
    }
}

/// Notes on their way to other nodes, and from them.
pub(super) struct Outbox {
    node: String,
    here: broadcast::Sender<Note>,
    waiting: Mutex<BTreeSet<Note>>,
    filled: Notify,
}

impl Outbox {
    fn put(&self, notes: &[Note]) {
        let mut waiting = self.waiting();
        waiting.extend(notes.iter().cloned());
        if waiting.len() > BEHIND {
            *waiting = BTreeSet::from([Note::Missed]);
        }
        drop(waiting);
        self.filled.notify_one();
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeSet<Note>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is to be told, as payloads, once there is something.
    pub(super) async fn take(&self) -> Vec<String> {
        loop {
            let waiting = mem::take(&mut *self.waiting());
            if !waiting.is_empty() {
                let lines: Vec<_> = waiting.iter().map(Note::line).collect();
                return lines
                    .chunks(PAYLOAD)
                    .map(|some| format!("{}\n{}", self.node, some.join("\n")))
                    .collect();
            }
            self.filled.notified().await;
        }
    }

    /// Passes on what a node told, unless it was this one.
    pub(super) fn hear(&self, payload: &str) {
        let (node, lines) = payload.split_once('\n').unwrap_or_default();
        if node != self.node {
            for line in lines.lines() {
                let _ = self.here.send(Note::of(line));
            }
        }
    }

    /// Nobody listened for a while.
    pub(super) fn missed(&self) {
        let _ = self.here.send(Note::Missed);
    }
}
