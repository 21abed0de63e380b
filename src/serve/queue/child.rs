//! An attempt at a job that is done by a process of its own: [`perform`].
//!
//! The process is this very program with the arguments that a person would give, in a folder and a process group of its own. Its
//! panics, leaks and floods stay there; what it brought is in the store before its folder goes. What it may work on, and by which
//! configuration, is decided in `ground`.

use std::{
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    process::ExitStatus,
    sync::Arc,
    time::Duration,
};

use secrecy::ExposeSecret;
use serde_json::json;
use tokio::{
    sync::oneshot,
    task::spawn_blocking,
    time::{Instant, sleep_until, timeout},
};
use tokio_util::task::AbortOnDropHandle;

use super::{
    Queue, Stop,
    files::{self, Files},
    listener::Listener,
    naming::Naming,
    recorder::{self, NotOurs},
    result,
    underway::Why,
};
use crate::{
    config::env,
    job::{Job, Kind, Source},
    process::{self, Group},
    serve::ground::Ground,
    store::jobs::{Ending, Held},
};

/// How long a process may take to save what it has when it is told to end.
const PATIENCE: Duration = Duration::from_secs(2);
/// The same for one that was called off, each time it is told.
const IMPATIENCE: Duration = Duration::from_millis(100);
/// How long it is waited before a job is begun again, for each attempt it had.
const DELAY: Duration = Duration::from_secs(2);
/// Where its runs are, in the folder of an attempt.
const RUNS: &str = "runs";

/// How following a process ended.
enum Came {
    /// By itself.
    Ended(io::Result<ExitStatus>),
    /// Its time is over.
    TooLong,
    /// It got no further.
    Silent,
    /// It is to stop.
    Told(Stop),
}

impl From<NotOurs> for Came {
    fn from(_: NotOurs) -> Self {
        Self::Told(Stop { why: Why::Lost, at: Instant::now() })
    }
}

/// One attempt.
struct Attempt<'a> {
    queue: &'a Arc<Queue>,
    job: &'a Job,
    held: Held,
    folder: &'a Path,
    ground: Ground,
    /// When its time is over.
    deadline: Instant,
}

/// Does `job`; what came of it, and whether it was told to stop.
pub(super) async fn perform(
    queue: &Arc<Queue>,
    job: &Job,
    mut stop: oneshot::Receiver<Stop>,
) -> (Ending, Option<Stop>) {
    let deadline = Instant::now() + Duration::from_secs(job.new.timeout_secs.into());
    let held = Held { id: job.new.id.clone(), attempt: job.attempt };
    let folder = match queue.workshop.folders.make(&held) {
        Ok(folder) => folder,
        Err(error) => return (again(job, format!("cannot make the job's folder: {error}")), None),
    };
    let came = prepared(queue, job, held, folder.path(), deadline, &mut stop).await;
    let came = match came {
        Ok(attempt) => attempt.perform(&mut stop).await,
        Err(came) => came,
    };
    // It may hold a whole repository.
    let _ = spawn_blocking(move || drop(folder)).await;
    came
}

/// Gets the repository.
async fn prepared<'a>(
    queue: &'a Arc<Queue>,
    job: &'a Job,
    held: Held,
    folder: &'a Path,
    deadline: Instant,
    stop: &mut oneshot::Receiver<Stop>,
) -> Result<Attempt<'a>, (Ending, Option<Stop>)> {
    let within = deadline.saturating_duration_since(Instant::now());
    let task = &job.new.task;
    let preparing = queue.workshop.grounds.prepare(&job.new.tenant, task, folder, within);
    let ground = tokio::select! {
        biased;
        Ok(stop) = stop => return Err((Ending::GivenBack, Some(stop))),
        ground = preparing => ground,
        () = sleep_until(deadline) => return Err((too_long(job), None)),
    };
    match ground {
        Ok(Some(ground)) => Ok(Attempt { queue, job, held, folder, ground, deadline }),
        Ok(None) => Err((Ending::Failed(format!("{} is about no repository", task.kind)), None)),
        Err(error) => {
            let naming = Naming::new(folder, queue.workshop.folders.place(), None);
            Err((ground_lost(job, error.is_passing(), naming.told(&error.to_string())), None))
        }
    }
}

fn ground_lost(job: &Job, is_passing: bool, reason: String) -> Ending {
    if is_passing { again(job, reason) } else { Ending::Failed(reason) }
}

impl Attempt<'_> {
    async fn perform(&self, stop: &mut oneshot::Receiver<Stop>) -> (Ending, Option<Stop>) {
        let (files, run) = match self.restored().await {
            Ok(restored) => restored,
            Err(reason) => return (again(self.job, reason), None),
        };
        let resumed = run.is_some();
        let (ending, stopped) = self.one(self.arguments(run.as_deref()), files, stop).await;
        // Where the configuration has changed meanwhile, the run cannot be gone on with, and is begun anew.
        if resumed && stopped.is_none() && matches!(ending, Ending::Failed(_)) {
            let files = Files::new(self.folder.join(RUNS));
            return self.one(self.arguments(None), files, stop).await;
        }
        (ending, stopped)
    }

    /// What earlier attempts have kept, back in the folder, and the run to go on with.
    async fn restored(&self) -> Result<(Files, Option<String>), String> {
        let mut files = Files::new(self.folder.join(RUNS));
        if self.job.attempt == 1 || self.job.new.task.kind != Kind::Review {
            return Ok((files, None));
        }
        let (jobs, id) = (&self.queue.jobs, &self.held.id);
        let names = self.queue.told(jobs.files(id).await).map_err(|error| error.to_string())?;
        for (name, _) in &names {
            let bytes = self.queue.told(jobs.file(id, name).await).map_err(|error| error.to_string())?;
            files.restore(name, &bytes.unwrap_or_default()).map_err(|error| error.to_string())?;
        }
        let run = files::unfinished(names.iter().map(|(name, _)| name.as_str()));
        Ok((files, run))
    }

    /// The command and its arguments.
    fn arguments(&self, run: Option<&str>) -> Vec<OsString> {
        let task = &self.job.new.task;
        if let Some(run) = run {
            let post = task.pull.is_some().then_some("--post".into());
            return [task.kind.word().into(), format!("--resume={run}").into()]
                .into_iter()
                .chain(post)
                .chain(self.status())
                .collect();
        }
        let mut arguments = self.ground.arguments(task);
        arguments.splice(1..1, self.status());
        if let Some(output) = self.printed() {
            let mut to = OsString::from("--output=");
            to.push(output);
            arguments.splice(1..1, ["--format=json".into(), to]);
        }
        arguments
    }

    /// Puts what the gate says on the commit, where a platform told of it.
    fn status(&self) -> Option<OsString> {
        let is_told = match self.job.new.source {
            Source::Github | Source::Gitlab | Source::Gitea => true,
            Source::Api | Source::Cli => false,
        };
        let is_review = self.job.new.task.kind == Kind::Review;
        (self.queue.workshop.posts_status && is_told && is_review).then(|| "--status".into())
    }

    /// Where the process writes what came of it, where that is no run.
    fn printed(&self) -> Option<PathBuf> {
        let kind = self.job.new.task.kind;
        let prints = matches!(kind, Kind::Smoke | Kind::Parity | Kind::Eval);
        prints.then(|| result::printed(&self.folder.join(RUNS), kind))
    }

    /// One process from its start to its end.
    async fn one(
        &self,
        arguments: Vec<OsString>,
        files: Files,
        stop: &mut oneshot::Receiver<Stop>,
    ) -> (Ending, Option<Stop>) {
        let mut group = match self.start(arguments) {
            Ok(group) => group,
            Err(error) => return (again(self.job, format!("cannot start a process: {error}")), None),
        };
        let (listener, news) = Listener::new(Arc::clone(&self.queue.numbers), self.naming());
        let listener = Arc::new(listener);
        listener.tell(
            json!({ "event": "attempt", "attempt": self.held.attempt, "ground": self.ground.told() })
                .to_string(),
        );
        let recording = recorder::record(Arc::clone(self.queue), self.held.clone(), files, news);
        let mut recording = AbortOnDropHandle::new(tokio::spawn(recording));
        // As long as it is open, the process knows that we live.
        let pipes = group.pipes();
        let lifeline = pipes.stdin;
        let ear = Arc::clone(&listener);
        let mut hearing = AbortOnDropHandle::new(tokio::spawn(async move {
            // What cannot be read is as if it had not been said.
            let _ = tokio::join!(
                async { if let Some(stderr) = pipes.stderr { ear.lines(stderr).await } else { Ok(()) } },
                async { if let Some(stdout) = pipes.stdout { ear.drain(stdout).await } else { Ok(()) } },
            );
        }));
        let came = tokio::select! {
            biased;
            Ok(stop) = &mut *stop => Came::Told(stop),
            Ok(Err(lost)) = &mut recording => lost.into(),
            status = group.ended() => Came::Ended(status),
            () = sleep_until(self.deadline) => Came::TooLong,
            () = listener.watch.silence(self.queue.settings.stall) => Came::Silent,
        };
        let quickly = matches!(came, Came::Told(Stop { why: Why::CalledOff | Why::Lost, .. }));
        if let Came::Told(stop) = &came
            && quickly
        {
            group.end_at_once(IMPATIENCE).await;
            self.end_strays().await;
            self.queue.stopped(stop);
            return (Ending::GivenBack, Some(*stop));
        }
        // Nobody is left in the group then.
        let _ = group.stop(PATIENCE).await;
        self.end_strays().await;
        drop(lifeline);
        if timeout(process::GRACE, &mut hearing).await.is_err() {
            // Something it started holds its pipes open.
            hearing.abort();
        }
        let ending = self.ending(&came, &listener).await;
        drop(listener);
        // All that it wrote is in the store before it is said that it has ended.
        tokio::select! {
            biased;
            recorded = &mut recording => if let Ok(Err(NotOurs)) = recorded {
                return (ending, Some(Stop { why: Why::Lost, at: Instant::now() }));
            },
            Ok(stop) = &mut *stop => return (ending, Some(stop)),
        }
        match came {
            Came::Told(stop) => (ending, Some(stop)),
            Came::Ended(_) | Came::TooLong | Came::Silent => (ending, None),
        }
    }

    /// Ends what its process has left in groups of their own, as one does that is killed itself.
    async fn end_strays(&self) {
        let runs = self.folder.join(RUNS);
        let ending = spawn_blocking(move || process::kill_started_with(env::RUNS_DIR, runs.as_os_str()));
        let _ = ending.await;
    }

    fn naming(&self) -> Naming {
        Naming::new(self.folder, self.queue.workshop.folders.place(), Some(&self.ground.config))
    }

    fn start(&self, arguments: Vec<OsString>) -> io::Result<Group> {
        if let Some(output) = self.printed() {
            files::make_folder_of(&output)?;
        }
        let workshop = &self.queue.workshop;
        let mut command = process::program(&workshop.program);
        command.arg("--config").arg(&self.ground.config).arg("-C").arg(&self.ground.folder);
        command
            .args(["--progress=json", "--end-with-stdin"])
            .args(arguments)
            .current_dir(&self.ground.folder);
        command.env(env::RUNS_DIR, self.folder.join(RUNS));
        command.env(env::CACHE_DIR, workshop.folders.place().join("cache"));
        command.env_remove(env::PANEL).env_remove(env::NO_CACHE);
        for name in workshop.withheld.from(&self.ground) {
            command.env_remove(name);
        }
        for (name, value) in &self.ground.environment {
            command.env(name, value.expose_secret());
        }
        Group::start(command)
    }

    async fn ending(&self, came: &Came, listener: &Listener) -> Ending {
        let status = match came {
            Came::Ended(Ok(status)) => *status,
            Came::Ended(Err(error)) => return again(self.job, format!("its process was lost: {error}")),
            Came::TooLong => return too_long(self.job),
            Came::Silent => {
                let stall = self.queue.settings.stall.as_secs();
                return Ending::TimedOut(format!("it made no progress for {stall} s"));
            }
            Came::Told(_) => return Ending::GivenBack,
        };
        let complaint = listener.heard().complaint();
        match status.code() {
            Some(code @ (0 | 1 | 3)) => {
                let (runs, kind) = (self.folder.join(RUNS), self.job.new.task.kind);
                let spent = result::Spent::of(&listener.heard());
                let run = listener.heard().run.clone();
                let store = self.queue.workshop.runs.clone();
                let made = spawn_blocking(move || result::made(code, kind, &runs, run, spent, &store)).await;
                made.map_or_else(|error| again(self.job, error.to_string()), Ending::Succeeded)
            }
            Some(2) => Ending::Failed(complaint.unwrap_or_else(|| "exit status 2".to_owned())),
            _ => {
                let how = format!("its process ended: {}", process::ending(status));
                again(self.job, complaint.map_or(how.clone(), |words| format!("{how}: {words}")))
            }
        }
    }
}

/// Another attempt may do better.
fn again(job: &Job, reason: String) -> Ending {
    Ending::Again { reason, delay: DELAY * job.attempt }
}

/// The ending of an attempt that took longer than it may.
pub(super) fn too_long(job: &Job) -> Ending {
    Ending::TimedOut(format!("it took longer than {} s", job.new.timeout_secs))
}
