//! Puts what an attempt tells and writes into the store while it goes on: [`record`].

use std::{sync::Arc, time::Duration};

use tokio::{sync::mpsc, task::spawn_blocking, time::sleep};

use super::{
    Queue,
    files::{Files, Marks},
};
use crate::store::{database::DatabaseError, jobs::Held};

/// Most news that are taken together.
const TOGETHER: usize = 100;
/// About how many bytes of files are stored together.
const BYTES: usize = 2 << 20;
/// How long it is waited before the store is asked again.
const PAUSE: Duration = Duration::from_millis(500);

/// Something that is to be stored.
#[derive(Debug)]
pub(super) enum News {
    /// A line for those who follow the job.
    Event(String),
    /// Files were written.
    Files,
}

/// The attempt is not the one that counts any more.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotOurs;

/// Stores all `news` and `files` until nobody tells any. The store is asked until it answers.
pub(super) async fn record(
    queue: Arc<Queue>,
    held: Held,
    mut files: Files,
    mut news: mpsc::Receiver<News>,
) -> Result<(), NotOurs> {
    loop {
        let mut together = Vec::new();
        let is_over = news.recv_many(&mut together, TOGETHER).await == 0;
        let mut has_files = is_over;
        let mut events = Vec::new();
        for one in together {
            match one {
                News::Event(event) => events.push(event),
                News::Files => has_files = true,
            }
        }
        while !events.is_empty() {
            let told = queue.jobs.tell(&queue.node, held.clone(), events.clone()).await;
            if queue.is_stored(told).await? {
                events.clear();
            }
        }
        while has_files {
            let (back, changed, marks) = read(files).await.ok_or(NotOurs)?;
            files = back;
            has_files = !changed.is_empty();
            if !has_files {
                break;
            }
            let kept = queue.jobs.keep(&queue.node, held.clone(), changed).await;
            if queue.is_stored(kept).await? {
                files.keep(marks);
            }
        }
        if is_over {
            return Ok(());
        }
    }
}

type Changed = Vec<(String, Vec<u8>)>;

async fn read(files: Files) -> Option<(Files, Changed, Marks)> {
    let read = spawn_blocking(move || {
        let (changed, marks) = files.changed(BYTES);
        (files, changed, marks)
    });
    read.await.ok()
}

impl Queue {
    /// False, after a while, where the store has to be asked again.
    async fn is_stored(&self, said: Result<bool, DatabaseError>) -> Result<bool, NotOurs> {
        match self.told(said) {
            Ok(true) => Ok(true),
            Ok(false) => Err(NotOurs),
            Err(_) => {
                sleep(PAUSE).await;
                Ok(false)
            }
        }
    }
}
