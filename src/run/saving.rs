//! Saves what became of tasks while others are asked: [`Saves`]. When to end a task is the executor's decision.

use std::{fmt::Display, sync::Arc};

use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use tokio::sync::Semaphore;

use crate::coverage::{Outcome, State};

/// How many replies are written at a time, so that a burst of them does not become a crowd of threads.
const WRITERS: usize = 4;

/// Outcomes that are being saved.
pub(super) struct Saves<'a, S> {
    save: Arc<S>,
    writers: Arc<Semaphore>,
    under_way: FuturesUnordered<BoxFuture<'a, (usize, Outcome)>>,
}

impl<S, E> Saves<'_, S>
where
    S: Fn(&Outcome, Option<&str>) -> Result<(), E> + Send + Sync + 'static,
    E: Display + Send + 'static,
{
    /// With `save`, which may block.
    pub(super) fn new(save: Arc<S>) -> Self {
        Self { save, writers: Arc::new(Semaphore::new(WRITERS)), under_way: FuturesUnordered::new() }
    }

    /// Whether all are saved.
    pub(super) fn is_empty(&self) -> bool {
        self.under_way.is_empty()
    }

    /// The next task that is saved, and what became of it: it has failed when it could not be saved.
    pub(super) async fn next(&mut self) -> Option<(usize, Outcome)> {
        self.under_way.next().await
    }

    /// Begins to save what became of `task`, with the text that came.
    pub(super) fn begin(&mut self, task: usize, outcome: Outcome, text: Option<String>) {
        let (save, writers) = (Arc::clone(&self.save), Arc::clone(&self.writers));
        let write = async move {
            let _turn = writers.acquire_owned().await;
            let told = outcome.clone();
            let written = tokio::task::spawn_blocking(move || {
                save(&told, text.as_deref()).map_err(|error| error.to_string())
            });
            let problem = match written.await {
                Ok(Ok(())) => return (task, outcome),
                Ok(Err(problem)) => problem,
                Err(error) => error.to_string(),
            };
            let reason = Some(format!("could not save the reply: {problem}"));
            (task, Outcome { state: State::Failed, reason, ..outcome })
        };
        self.under_way.push(write.boxed());
    }
}
