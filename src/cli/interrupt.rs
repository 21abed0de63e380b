//! Ctrl-C: the first asks the run to end and save what came, the second ends the process at once.
#![expect(
    clippy::disallowed_methods,
    reason = "a second Ctrl-C must end the process even if everything else hangs"
)]

use tokio_util::sync::CancellationToken;

/// What a shell reports for a process that was ended by SIGINT.
const INTERRUPTED: i32 = 130;

/// A token that the first Ctrl-C (or SIGTERM) cancels. Needs a running runtime.
pub(super) fn watch() -> CancellationToken {
    let cancel = CancellationToken::new();
    let first = cancel.clone();
    tokio::spawn(async move {
        stopped().await;
        first.cancel();
        stopped().await;
        std::process::exit(INTERRUPTED);
    });
    cancel
}

async fn stopped() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        // Without a handler for SIGTERM, Ctrl-C alone is watched.
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
