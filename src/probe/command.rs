//! A program run to its end, and what came of it: [`run`].
//!
//! It sees our environment without our keys, runs in its own process group, and leaves nobody behind. Dropping the future
//! kills the whole group.

use std::{
    collections::BTreeMap, io, os::unix::process::ExitStatusExt, path::PathBuf, process::ExitStatus,
    time::Duration,
};

use tokio::{io::AsyncWriteExt, process::ChildStdin, time::Instant};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::{
    GRACE, Secrets,
    output::{Listener, Output},
    written::Written,
};
use crate::{
    gauntlet::program::{How, Program},
    process::{self, Group, Pipes},
};

/// What is asked of a program.
#[derive(Debug, Clone)]
pub struct Asked<'a> {
    /// What is started.
    pub program: &'a Program,
    /// What it reads; its stdin is closed behind it.
    pub stdin: &'a [u8],
    /// How long it may take; then it and all it started are ended.
    pub timeout: Duration,
    /// Globs, from the program's folder, of files whose content is asked for if the program writes them; `*` stops at `/`.
    pub files: &'a [String],
}

/// What came of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// How it ended.
    pub how: How,
    /// What it printed.
    pub stdout: Output,
    /// What it complained.
    pub stderr: Output,
    /// From its start to its end.
    pub took: Duration,
    /// The files that were asked for and that it made or changed, by their path from its folder.
    pub files: BTreeMap<String, Output>,
}

impl From<ExitStatus> for How {
    fn from(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) => Self::Exited(code),
            (None, signal) => Self::Killed(signal.unwrap_or_default()),
        }
    }
}

/// Why a program could not be run.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// `command = []`.
    #[error("the command is empty")]
    Empty,
    /// The folder it is to run in is none.
    #[error("program `{program}`: there is no folder {}", folder.display())]
    NoFolder {
        /// Its name.
        program: String,
        /// What was said.
        folder: PathBuf,
    },
    /// Not on `PATH`, or not where its path says.
    #[error("program `{program}` not found")]
    NotFound {
        /// Its name.
        program: String,
    },
    /// There, but no program, or not for us.
    #[error("program `{program}` may not be executed")]
    NotExecutable {
        /// Its name.
        program: String,
    },
    /// The system refused.
    #[error("program `{program}` could not be started: {source}")]
    NotStarted {
        /// Its name.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// It ran, and could not be followed.
    #[error("program `{program}`: {source}")]
    Lost {
        /// Its name.
        program: String,
        /// What went wrong.
        source: io::Error,
    },
    /// Its files could not be read.
    #[error("program `{program}`: files: {reason}")]
    Files {
        /// Its name.
        program: String,
        /// What went wrong, naming the file or the glob.
        reason: String,
    },
}

impl CommandError {
    pub(super) fn not_started(program: String, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::NotFound => Self::NotFound { program },
            io::ErrorKind::PermissionDenied => Self::NotExecutable { program },
            _ => Self::NotStarted { program, source },
        }
    }
}

/// Runs a program to its end, to the end of its time, or until `end` is cancelled.
pub async fn run(
    asked: &Asked<'_>,
    secrets: &Secrets,
    end: &CancellationToken,
) -> Result<Ended, CommandError> {
    let name = || asked.program.name().to_owned();
    let lost = |source| CommandError::Lost { program: name(), source };
    let unread = |reason| CommandError::Files { program: name(), reason };
    let written = Written::before(&asked.program.folder, asked.files).await.map_err(unread)?;
    let started = Instant::now();
    let mut group = super::start(asked.program, secrets)?;
    let Pipes { stdin, stdout, stderr } = group.pipes();
    let (mut stdout, mut stderr) = (Listener::new().to(stdout), Listener::new().to(stderr));
    let feeding = AbortOnDropHandle::new(tokio::spawn(feed(stdin, asked.stdin.to_vec())));
    let how = followed(group, asked.timeout, end, async {
        let until = Instant::now() + process::GRACE;
        stdout.finish(until).await?;
        stderr.finish(until).await
    });
    let how = how.await.map_err(lost)?;
    let took = started.elapsed();
    drop(feeding);
    let files = written.after().await.map_err(unread)?;
    Ok(Ended { how, stdout: stdout.output(), stderr: stderr.output(), took, files })
}

/// Waits for the end of the program, whatever brings it about, and then for what it has printed.
async fn followed(
    mut group: Group,
    limit: Duration,
    end: &CancellationToken,
    printed: impl Future<Output = io::Result<()>>,
) -> io::Result<How> {
    let how = tokio::select! {
        status = group.ended() => How::from(status?),
        () = tokio::time::sleep(limit) => How::TimedOut,
        () = end.cancelled() => How::Interrupted,
    };
    match how {
        // Whoever it left behind may still be printing, and is ended when `group` is dropped.
        How::Exited(_) | How::Killed(_) => printed.await?,
        How::TimedOut | How::Interrupted => {
            group.stop(GRACE).await?;
            printed.await?;
        }
    }
    Ok(how)
}

async fn feed(stdin: Option<ChildStdin>, bytes: Vec<u8>) {
    if let Some(mut stdin) = stdin {
        // An error only says that the program ended or closed its stdin without reading it all.
        let _ = stdin.write_all(&bytes).await;
    }
}
