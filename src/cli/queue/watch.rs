//! `scrum watch`: follows a job to its end, also over broken connections, and ends as what it did.
//!
//! While it waits, it is said why, once each: [`Patience`].

use std::{collections::BTreeSet, pin::pin, time::Duration};

use clap::Args;
use futures_util::{Stream, StreamExt};
use serde_json::Value;
use tokio::time::sleep;

use super::{ServerArgs, block_on, named, opened};
use crate::{
    cli::{
        Global,
        error::{CliError, Status},
        interrupt::{self, Interrupt},
        ui::Ui,
    },
    daemon::{Daemon, DaemonError, Heard},
    job::{
        State,
        wire::{Shown, Standing},
    },
    report::{foreign, words},
};

pub(super) const EXIT_STATUS: &str = "\
Exit status, of a job that is followed:
  0    done (and the gate passed)
  1    the gate failed
  2    it failed, was called off or took too long
  3    inconclusive
  130  interrupted; the job goes on";

/// Waits before a broken connection is made again, in turn; then it is given up.
const PAUSES: [Duration; 6] = [
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(20),
];

#[derive(Debug, Args)]
#[command(after_help = EXIT_STATUS)]
pub(in crate::cli) struct WatchArgs {
    /// The job's id, or the beginning of it
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    server: ServerArgs,
}

/// Follows a job to its end.
pub(in crate::cli) fn watch(global: &Global, args: &WatchArgs, ui: Ui) -> Result<Status, CliError> {
    let (_, daemon) = opened(global, &args.server, ui)?;
    let id = block_on(named(&daemon, &args.id))?;
    ended(&daemon, &id, &interrupt::watched()?, ui)
}

/// Follows the job `id` to its end, tells what came of it, and how that ends this command.
pub(super) fn ended(daemon: &Daemon, id: &str, interrupt: &Interrupt, ui: Ui) -> Result<Status, CliError> {
    block_on(async {
        let following = follow(daemon, id, ui);
        let Some(job) = interrupt.end.run_until_cancelled(following).await else {
            ui.note(format_args!("{id} goes on; `scrum cancel {id}` calls it off"));
            return Ok(Status::Interrupted);
        };
        conclude(daemon, &job?, ui).await
    })
}

/// What was heard of a job so far.
#[derive(Default)]
struct Following {
    /// The number of the last event.
    after: u64,
    /// How it stood last.
    shown: Option<(State, u32)>,
    /// This connection told something.
    has_heard: bool,
    patience: Patience,
}

/// What was said of why a job waits, and how often it was asked.
#[derive(Default)]
struct Patience {
    said: BTreeSet<Delay>,
    asked: u32,
}

/// What keeps a job waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Delay {
    /// The machine has something else to do.
    Busy,
    /// Other jobs have.
    Others,
}

/// The job as it ended.
async fn follow(daemon: &Daemon, id: &str, ui: Ui) -> Result<Shown, CliError> {
    let mut following = Following::default();
    let mut pauses = PAUSES.into_iter();
    loop {
        following.has_heard = false;
        let broken = match following.listen(daemon, id, ui).await {
            Ok(Some(job)) => return Ok(job),
            Ok(None) => None,
            Err(error) if error.is_passing() => Some(error),
            Err(error) => return Err(error.into()),
        };
        if following.has_heard {
            pauses = PAUSES.into_iter();
        }
        match (pauses.next(), broken) {
            (Some(pause), _) => sleep(pause).await,
            (None, Some(error)) => return Err(error.into()),
            (None, None) => return Err(CliError::new(format!("the daemon tells nothing of {id} any more"))),
        }
    }
}

impl Following {
    /// Shows what is heard over one connection; `Some` when that was the end.
    async fn listen(&mut self, daemon: &Daemon, id: &str, ui: Ui) -> Result<Option<Shown>, DaemonError> {
        let mut heard = pin!(daemon.watch(id, self.after).await?);
        while let Some(heard) = self.next(&mut heard, daemon, ui).await {
            let heard = heard?;
            self.has_heard = true;
            match heard {
                Heard::Told { seq, what, .. } => {
                    self.after = seq;
                    tell(&what, ui);
                }
                Heard::Job(job) if job.state.is_final() => return Ok(Some(*job)),
                Heard::Job(job) => {
                    let mark = (job.state, job.attempt);
                    if self.shown.replace(mark) != Some(mark) {
                        ui.note(standing(&job));
                    }
                }
            }
        }
        Ok(None)
    }

    /// What is heard next. As long as the job waits, it is asked why, more and more seldom.
    async fn next<T>(
        &mut self,
        heard: &mut (impl Stream<Item = T> + Unpin),
        daemon: &Daemon,
        ui: Ui,
    ) -> Option<T> {
        while self.shown.is_some_and(|(state, _)| state == State::Queued) {
            tokio::select! {
                biased;
                heard = heard.next() => return heard,
                () = sleep(self.patience.pause()) => {}
            }
            // Whoever does not answer now may do so later.
            if let Some(words) =
                daemon.standing().await.ok().and_then(|standing| self.patience.words(&standing))
            {
                ui.note(words);
            }
        }
        heard.next().await
    }
}

impl Patience {
    /// Until it is asked once more: 1 s, 2 s, 4 s, and so on to a minute.
    fn pause(&mut self) -> Duration {
        self.asked += 1;
        Duration::from_secs(1 << (self.asked - 1).min(6)).min(Duration::from_mins(1))
    }

    /// What has not been said yet of what a job waits for.
    fn words(&mut self, standing: &Standing) -> Option<String> {
        let (delay, words) = delay(standing)?;
        self.said.insert(delay).then(|| format!("waits: {words}"))
    }
}

/// Why a job waits where the queue stands so; `None` where nothing keeps it.
fn delay(standing: &Standing) -> Option<(Delay, String)> {
    let percent = || standing.held_percent.map(|percent| format!(" {percent} %")).unwrap_or_default();
    match standing.held.as_deref() {
        Some("cpu") => return Some((Delay::Busy, format!("the machine is busy: processor{}", percent()))),
        Some(other) => {
            return Some((
                Delay::Busy,
                format!("the machine is busy: {}{}", foreign::one_line(other), percent()),
            ));
        }
        None => {}
    }
    let running = words::count(usize::try_from(standing.running).unwrap_or(usize::MAX), "job");
    // One of them is the job itself.
    let others = standing.waiting.values().fold(0_u64, |sum, one| sum.saturating_add(*one)).saturating_sub(1);
    let is_full = standing.running >= standing.limits.running || others > 0;
    is_full.then(|| (Delay::Others, format!("{running} running, {} waiting besides", words::grouped(others))))
}

/// `running, attempt 2 of 3`.
fn standing(job: &Shown) -> String {
    match job.attempt {
        0 | 1 => job.state.to_string(),
        attempt => format!("{}, attempt {attempt} of {}", job.state, job.max_attempts),
    }
}

fn tell(what: &Value, ui: Ui) {
    let name = what["event"].as_str().unwrap_or("event");
    let text = what["text"].as_str();
    match (name, text) {
        ("warning" | "error", Some(text)) => ui.warning(text),
        ("note", Some(text)) => ui.note(text),
        _ => ui.note(in_words(name, what)),
    }
}

/// `finished bundle=c1 reviewer=opus state=answered`.
fn in_words(name: &str, what: &Value) -> String {
    let mut line = name.to_owned();
    for (key, value) in what.as_object().into_iter().flatten().filter(|(key, _)| *key != "event") {
        match value {
            Value::String(text) => line.extend([" ", key, "=", text]),
            Value::Number(number) => line.extend([" ", key, "=", &number.to_string()]),
            Value::Bool(true) => line.extend([" ", key]),
            Value::Bool(false) | Value::Null | Value::Array(_) | Value::Object(_) => {}
        }
    }
    foreign::one_line(&line)
}

/// Prints what came of a job, and says how this command ends.
async fn conclude(daemon: &Daemon, job: &Shown, ui: Ui) -> Result<Status, CliError> {
    let job = daemon.job(&job.id).await?;
    let files = job.links.files.as_deref().unwrap_or_default();
    let named = |name: &str| files.iter().find(|file| file.name.rsplit('/').next() == Some(name));
    // A gauntlet may hold a review too.
    if let Some(report) = named("gauntlet.md").or_else(|| named("tally.md")) {
        let bytes = daemon.file(&report.href).await?;
        let lines = foreign::lines(&String::from_utf8_lossy(&bytes));
        Ui::result(&(lines.join("\n") + "\n"), None)?;
    }
    let is_document = |name: &str| {
        ["/tally.json", "/gauntlet.json"].iter().any(|end| name.ends_with(end)) || name.contains("/document/")
    };
    for file in files.iter().filter(|file| is_document(&file.name)) {
        ui.note(format_args!("{}: {}", file.name, daemon.link(&file.href)));
    }
    let reason = || job.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
    match job.state {
        State::Succeeded => Ok(status(&job)),
        State::Failed => Err(CliError::new(format!("{} failed{}", job.id, reason()))),
        State::Cancelled => Err(CliError::new(format!("{} was called off", job.id))),
        State::TimedOut => Err(CliError::new(format!("{} took too long{}", job.id, reason()))),
        State::Queued | State::Running => {
            Err(CliError::new(format!("{} has not ended: {}", job.id, job.state)))
        }
    }
}

/// How what the job ran has ended.
fn status(job: &Shown) -> Status {
    match job.result.as_ref().and_then(|result| result["exit"].as_u64()) {
        Some(1) => Status::GateFailed,
        Some(3) => Status::Inconclusive,
        Some(_) | None => Status::Done,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::job::wire::Limits;

    fn standing(held: Option<(&str, u8)>, waiting: &[u64], running: u64) -> Standing {
        let waiting = ["high", "normal", "low"].into_iter().map(str::to_owned).zip(waiting.iter().copied());
        Standing {
            waiting: waiting.collect(),
            running,
            jobs: BTreeMap::new(),
            oldest_wait_seconds: None,
            held: held.map(|(word, _)| word.to_owned()),
            held_percent: held.map(|(_, percent)| percent),
            node: String::new(),
            limits: Limits {
                waiting: 200,
                waiting_per_tenant: 100,
                running: 10,
                timeout_secs: 60,
                max_attempts: 3,
                jobs_per_minute: None,
            },
        }
    }

    #[test]
    fn why_a_job_waits() {
        let check = |held, waiting: &[u64], running, expect: Option<&str>| {
            let words = delay(&standing(held, waiting, running)).map(|(_, words)| words);
            assert_eq!(words.as_deref(), expect);
        };
        check(None, &[0, 1, 0], 0, None);
        check(Some(("cpu", 93)), &[0, 1, 0], 0, Some("the machine is busy: processor 93 %"));
        check(Some(("memory", 88)), &[0, 4, 0], 10, Some("the machine is busy: memory 88 %"));
        check(None, &[0, 1, 0], 10, Some("10 jobs running, 0 waiting besides"));
        check(None, &[1, 1, 1], 1, Some("1 job running, 2 waiting besides"));
    }

    #[test]
    fn each_reason_is_said_once() {
        let mut patience = Patience::default();
        let busy = standing(Some(("cpu", 93)), &[0, 1], 0);
        assert_eq!(patience.words(&busy).as_deref(), Some("waits: the machine is busy: processor 93 %"));
        assert_eq!(patience.words(&standing(Some(("cpu", 95)), &[0, 1], 0)), None);
        assert!(patience.words(&standing(None, &[0, 2], 10)).is_some());
        assert_eq!(patience.words(&busy), None);
        let pauses: Vec<u64> = (0..9).map(|_| patience.pause().as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    }
}
