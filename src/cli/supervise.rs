//! Runs work that asks reviewers, with progress on stderr and Ctrl-C under control: [`supervised`].

use tokio_util::sync::CancellationToken;

use super::{error::CliError, interrupt::Interrupt, ui::Ui};
use crate::{
    progress,
    run::event::{EventReceiver, EventSender},
};

/// Does `work`, which tells of what happens through `events`. `None` when everything is to be dropped.
pub(super) fn supervised<T>(
    (sender, receiver): (EventSender, EventReceiver),
    ui: Ui,
    interrupt: &Interrupt,
    work: impl AsyncFnOnce(&EventSender, &CancellationToken) -> T,
) -> Result<Option<T>, CliError> {
    let shown = ui.progress();
    let progress = std::thread::spawn(move || progress::show(receiver, shown));
    let done = until_dropped(interrupt, async { work(&sender, &interrupt.end).await });
    drop(sender);
    // A panic while drawing must not cost the replies.
    let _ = progress.join();
    done
}

/// Does `work`. `None` when everything is to be dropped.
pub(super) fn until_dropped<T>(
    interrupt: &Interrupt,
    work: impl Future<Output = T>,
) -> Result<Option<T>, CliError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|error| CliError::new(format!("cannot start the runtime: {error}")))?;
    let done = runtime.block_on(async {
        tokio::select! {
            biased;
            () = interrupt.drop_all.cancelled() => None,
            done = work => Some(done),
        }
    });
    runtime.shutdown_background();
    Ok(done)
}
