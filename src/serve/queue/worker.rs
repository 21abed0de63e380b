//! One attempt at a job: [`work`].

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::oneshot,
    time::{Instant, sleep},
};

use super::{Queue, Stop, child, underway::Why};
use crate::{
    job::{Job, Kind},
    serve::metrics::queue::Step,
    store::jobs::Ending,
};

/// Does `job` until it has come to an end, its time is over or it is told to stop. `None`: its end is nobody's business any more.
pub(super) async fn work(queue: Arc<Queue>, job: Job, stop: oneshot::Receiver<Stop>) -> Option<Ending> {
    let running = queue.numbers.running();
    let (ending, stopped) = match job.new.task.kind {
        Kind::Noop => nothing(&queue, &job, stop).await,
        Kind::Review | Kind::Parity | Kind::Smoke | Kind::Gauntlet | Kind::Eval => {
            child::perform(&queue, &job, stop).await
        }
    };
    drop(running);
    match stopped.map(|stop| stop.why) {
        None => Some(ending),
        Some(Why::Leaving) => Some(Ending::GivenBack),
        Some(Why::Lost | Why::CalledOff) => None,
    }
}

/// A timer fires a millisecond late, which is for ever where nothing is to be done.
async fn pass(time: Duration) {
    if !time.is_zero() {
        sleep(time).await;
    }
}

async fn nothing(queue: &Queue, job: &Job, stop: oneshot::Receiver<Stop>) -> (Ending, Option<Stop>) {
    let began = Instant::now();
    let timeout = Duration::from_secs(job.new.timeout_secs.into());
    let done = Ending::Succeeded("{}".to_owned());
    tokio::select! {
        biased;
        Ok(stop) = stop => {
            queue.stopped(&stop);
            (done, Some(stop))
        }
        () = pass(Duration::from_millis(job.new.task.work_ms)) => {
            queue.numbers.step(Step::Noop, began.elapsed());
            (done, None)
        }
        () = sleep(timeout) => (child::too_long(job), None),
    }
}
