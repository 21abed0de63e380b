//! Ctrl-C: the first asks the run to end and save what came, the second ends the process at once.
//!
//! [`watch`] listens until the process ends, on a thread of its own, so that neither a long tally nor a reader that
//! does not take the result can keep it from being heard.
#![expect(
    clippy::disallowed_methods,
    reason = "a second Ctrl-C must end the process even if everything else hangs"
)]

use std::{io, time::Duration};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::{
    runtime,
    signal::unix::{self, SignalKind, signal},
};
use tokio_util::sync::CancellationToken;

use super::error::CliError;

/// What a shell reports for a process that was ended by SIGINT.
const INTERRUPTED: i32 = 130;
/// How long the programs under way may take to be ended once Ctrl-C has come twice.
const LAST_MOMENT: Duration = Duration::from_millis(250);
/// How long a run may take to save what came once whoever started it is gone.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// What Ctrl-C (or SIGTERM) has asked for.
#[derive(Debug, Clone, Default)]
pub(super) struct Interrupt {
    /// Cancelled by the first: end and keep what came.
    pub(super) end: CancellationToken,
    /// Cancelled by the second: drop everything.
    pub(super) drop_all: CancellationToken,
}

/// Likewise, with words for what keeps it from listening.
pub(super) fn watched() -> Result<Interrupt, CliError> {
    watch().map_err(|error| CliError::new(format!("cannot listen for Ctrl-C: {error}")))
}

/// Listens from now on.
pub(super) fn watch() -> io::Result<Interrupt> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let mut signals = {
        let _inside = runtime.enter();
        Signals { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? }
    };
    let interrupt = Interrupt::default();
    let asked = interrupt.clone();
    let listen = async move {
        signals.next().await;
        asked.end.cancel();
        signals.next().await;
        asked.drop_all.cancel();
        tokio::time::sleep(LAST_MOMENT).await;
        std::process::exit(INTERRUPTED);
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || runtime.block_on(listen))?;
    Ok(interrupt)
}

/// Sends this process TERM when its standard input ends, and once more when it has not ended soon after.
pub(super) fn end_with_stdin() {
    std::thread::spawn(|| {
        // An error is an end as well.
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        for _ in 0..2 {
            // It is this very process, which is there.
            let _ = kill(Pid::this(), Signal::SIGTERM);
            std::thread::sleep(LAST_WORDS);
        }
    });
}

struct Signals {
    interrupt: unix::Signal,
    terminate: unix::Signal,
}

impl Signals {
    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
