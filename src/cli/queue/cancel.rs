//! `scrum cancel`: calls jobs off.

use clap::Args;

use super::{ServerArgs, block_on, named, opened};
use crate::{
    cli::{
        Global,
        error::{CliError, Status},
        ui::Ui,
    },
    daemon::{Daemon, DaemonError},
    job::State,
};

#[derive(Debug, Args)]
pub(in crate::cli) struct CancelArgs {
    /// Ids of jobs, or beginnings of them
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
    #[command(flatten)]
    server: ServerArgs,
}

/// Calls jobs off; one that cannot be does not keep the others.
pub(in crate::cli) fn cancel(global: &Global, args: &CancelArgs, ui: Ui) -> Result<Status, CliError> {
    let (_, daemon) = opened(global, &args.server, ui)?;
    let is_all = block_on(async {
        let mut is_all = true;
        for id in &args.ids {
            match one(&daemon, id).await {
                Ok((id, was)) => ui.note(format_args!("{id} is called off; it was {was}")),
                Err(error) => {
                    is_all = false;
                    // What is told of each is told once.
                    let _ = ui.error(&error);
                }
            }
        }
        Ok(is_all)
    })?;
    Ok(if is_all { Status::Done } else { Status::Unusable })
}

async fn one(daemon: &Daemon, id: &str) -> Result<(String, State), CliError> {
    let id = named(daemon, id).await?;
    match daemon.cancel(&id).await {
        Ok(called_off) => Ok((id, called_off.was)),
        // It names the job itself.
        Err(DaemonError::Refused { message, status: 409, .. }) => Err(CliError::new(message)),
        Err(DaemonError::Refused { message, status: 404, .. }) => {
            Err(CliError::new(format!("{id}: {message}")))
        }
        Err(error) => Err(error.into()),
    }
}
