//! What a running daemon can be asked from the shell: [`enqueue()`], [`jobs()`], [`cancel()`] and [`watch()`].
//!
//! How a daemon is spoken to is `daemon`'s matter.

mod cancel;
mod enqueue;
mod jobs;
mod watch;

use std::future::Future;

use clap::Args;

use super::{Global, error::CliError, ui::Ui, workspace::Workspace};
use crate::{config::env, daemon::Daemon, job::wire::Shown};
pub(super) use cancel::{CancelArgs, cancel};
pub(super) use enqueue::{EnqueueArgs, enqueue};
pub(super) use jobs::{JobsArgs, jobs};
pub(super) use watch::{WatchArgs, watch};

/// How many jobs are looked through for one whose id begins with what was given.
const LOOKED_THROUGH: usize = 2_000;
/// How many are asked for at once.
const PAGE: &str = "500";
/// The length of an id.
const WHOLE: usize = 36;

/// Which daemon is asked, and for whom.
#[derive(Debug, Args)]
#[command(next_help_heading = "Daemon")]
struct ServerArgs {
    /// Where it is [default: `listen` under `[serve]` in scrum.toml]; its key is taken from `SCRUM_KEY`
    #[arg(long, value_name = "URL", env = env::SERVER)]
    server: Option<String>,
    /// For whom it is asked, where the key does not say
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
}

impl ServerArgs {
    fn daemon(&self, workspace: &Workspace) -> Result<Daemon, CliError> {
        let listen = &workspace.config.serve.listen;
        let address = self.server.clone().unwrap_or_else(|| reached(listen));
        Ok(Daemon::at(&address, workspace.environment.secret(env::KEY), self.tenant.clone())?)
    }
}

/// A daemon that listens on all addresses is reached on this machine's own.
fn reached(listen: &str) -> String {
    match listen.rsplit_once(':') {
        Some(("0.0.0.0", port)) => format!("http://127.0.0.1:{port}"),
        Some(("[::]", port)) => format!("http://[::1]:{port}"),
        _ => format!("http://{listen}"),
    }
}

/// Runs what asks a daemon.
fn block_on<T>(work: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| CliError::new(format!("cannot start: {error}")))?;
    runtime.block_on(work)
}

/// The daemon, and where it is asked from.
fn opened(global: &Global, server: &ServerArgs, ui: Ui) -> Result<(Workspace, Daemon), CliError> {
    let workspace = Workspace::open_anywhere(global, ui)?;
    let daemon = server.daemon(&workspace)?;
    Ok((workspace, daemon))
}

/// The id of the only job whose id begins with `text`.
async fn named(daemon: &Daemon, text: &str) -> Result<String, CliError> {
    let text = text.to_ascii_lowercase();
    let is_part = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    if !is_part || text.len() > WHOLE {
        return Err(CliError::new(format!("{text:?} is no id of a job, nor the beginning of one")));
    }
    if text.len() == WHOLE {
        return Ok(text);
    }
    let mut found: Vec<Shown> = Vec::new();
    let mut seen = 0;
    let mut list = daemon.jobs(&[("limit", PAGE)]).await?;
    loop {
        seen += list.jobs.len();
        found.extend(list.jobs.into_iter().filter(|job| job.id.starts_with(&text)));
        match list.next {
            Some(next) if seen < LOOKED_THROUGH => list = daemon.more(&next).await?,
            _ => break,
        }
    }
    let hint = "`scrum jobs` shows them with their ids";
    match found.as_slice() {
        [job] => Ok(job.id.clone()),
        [] => Err(CliError::new(format!("no job whose id begins with {text}")).hint(hint)),
        several => Err(CliError::new(format!("{} jobs have an id that begins with {text}", several.len()))
            .hint("give more digits of the id")
            .hint(hint)),
    }
}
