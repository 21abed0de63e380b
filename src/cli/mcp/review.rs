//! The tool that reviews: [`review`] runs `scrum review` as a process of its own.
//!
//! So the size guard, the budget, trust and the mask are the command's, its words are the agent's, and nothing it prints reaches
//! the protocol. Cancelling is its Ctrl-C: what was answered is saved.

use std::{io, path::Path, time::Duration};

use rmcp::{
    RoleServer,
    model::{CallToolRequestParams, ProgressNotificationParam},
    service::RequestContext,
};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines},
    process::{ChildStderr, ChildStdout},
};
use tokio_util::sync::CancellationToken;

use super::{Answer, Server, arguments, saved, tools::ISSUES_SHOWN, tools::Review};
use crate::{
    cli::{Global, error::CliError},
    process::{self, Group, Pipes},
    report::formats::brief::Brief,
};

/// How long a review may take to save what it has before it is asked again, more firmly.
const PATIENCE: Duration = Duration::from_secs(10);
/// The exit status of a command that could not do what it was asked to.
const BROKEN: i32 = 2;

/// Reviews, tells progress, and gives the tally in short.
pub(super) async fn review(
    server: &Server,
    call: CallToolRequestParams,
    context: &RequestContext<RoleServer>,
) -> Result<Answer, CliError> {
    let asked: Review = arguments(call.arguments)?;
    let ended = server.reviews.track_future(run(server, &asked, context)).await?;
    if ended.status == Some(BROKEN) || ended.run.is_none() {
        return Err(ended.error());
    }
    let run = ended.run.clone().unwrap_or_default();
    if run.is_empty() {
        return Ok(saved::answer(&Brief::of_nothing(ended.told)));
    }
    let brief = server.apart(move |global, ui| saved::in_short(global, &run, 0, ISSUES_SHOWN, ui)).await?;
    let answer = saved::answer(&brief);
    let warnings: Vec<&str> =
        ended.told.iter().map(String::as_str).filter(|line| line.starts_with("warning: ")).collect();
    let warnings = if warnings.is_empty() { String::new() } else { warnings.join("\n") + "\n" };
    Ok(Answer { words: warnings + &answer.words, ..answer })
}

/// How a review ended.
struct Ended {
    /// The exit status; `None` when a signal ended it.
    status: Option<i32>,
    /// The run's id, empty where there was nothing to review; `None` when there is no document.
    run: Option<String>,
    /// What it wrote to standard error, by line.
    told: Vec<String>,
}

impl Ended {
    /// Its own words and hints.
    fn error(&self) -> CliError {
        let from = self.told.iter().position(|line| line.starts_with("error: "));
        let words = self.told.get(from.unwrap_or(0)..).unwrap_or_default();
        let mut error = CliError::new("the review came to nothing");
        if let Some((first, rest)) = words.split_first() {
            first.strip_prefix("error: ").unwrap_or(first).clone_into(&mut error.message);
            for line in rest {
                match line.strip_prefix("hint: ") {
                    Some(hint) => error.hints.push(hint.to_owned()),
                    None => error.message.extend(["\n", line]),
                }
            }
        }
        error
    }
}

async fn run(
    server: &Server,
    asked: &Review,
    context: &RequestContext<RoleServer>,
) -> Result<Ended, CliError> {
    let broken = |error: io::Error| CliError::new(format!("cannot review: {error}"));
    let mut group = start(&server.global, asked).map_err(broken)?;
    let Pipes { stdin, stdout, stderr } = group.pipes();
    drop(stdin);
    let document = tokio::spawn(whole(stdout));
    let telling = told(stderr, context);
    let stop = stop(&context.ct, &server.over);
    let (told, status) = tokio::join!(telling, ended(&mut group, stop));
    let document = document.await.unwrap_or_default();
    let tally: Option<Value> = serde_json::from_slice(&document).ok();
    let run = tally.map(|tally| tally["run"]["id"].as_str().unwrap_or_default().to_owned());
    Ok(Ended { status: status.map_err(broken)?, run, told })
}

/// Over when the call is cancelled or the client is gone.
fn stop(call: &CancellationToken, over: &CancellationToken) -> impl Future<Output = ()> {
    let (call, over) = (call.clone(), over.clone());
    async move {
        tokio::select! {
            () = call.cancelled() => {}
            () = over.cancelled() => {}
        }
    }
}

/// Waits for the end; asks for it once when `stop` is over, and again when that takes too long.
async fn ended(group: &mut Group, stop: impl Future<Output = ()>) -> io::Result<Option<i32>> {
    tokio::select! {
        status = group.ended() => return Ok(status?.code()),
        () = stop => {}
    }
    group.interrupt();
    tokio::select! {
        status = group.ended() => return Ok(status?.code()),
        () = tokio::time::sleep(PATIENCE) => {}
    }
    group.interrupt();
    Ok(group.ended().await?.code())
}

fn start(global: &Global, asked: &Review) -> io::Result<Group> {
    let mut command = process::program(std::env::current_exe()?);
    command.args(words(global, asked));
    Group::start(command)
}

/// The command line. A value never stands where it could be read as a flag.
fn words(global: &Global, asked: &Review) -> Vec<String> {
    let path = |path: &Path| path.to_string_lossy().into_owned();
    let single = [
        ("directory", global.directory.as_deref().map(path)),
        ("config", global.config.as_deref().map(path)),
        ("panel", asked.panel.clone()),
        ("resume", asked.resume.clone()),
    ];
    let lists = [
        ("reviewer", &asked.reviewers),
        ("component", &asked.components),
        ("include", &asked.include),
        ("exclude", &asked.exclude),
    ];
    let single = single.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let many =
        lists.into_iter().flat_map(|(name, values)| values.iter().map(move |value| (name, value.clone())));
    let flags = [("--staged", asked.staged), ("--worktree", asked.worktree)];
    let mut words = ["review", "--format=json", "--color=never"].map(str::to_owned).to_vec();
    words.extend(single.chain(many).map(|(name, value)| format!("--{name}={value}")));
    words.extend(flags.into_iter().filter(|(_, is_set)| *is_set).map(|(flag, _)| flag.to_owned()));
    words.extend(asked.range.iter().flat_map(|range| ["--".to_owned(), range.clone()]));
    words
}

async fn whole(stdout: Option<ChildStdout>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(mut stdout) = stdout {
        // What cannot be read is no document, which is told.
        let _ = stdout.read_to_end(&mut bytes).await;
    }
    bytes
}

/// Every line of standard error; each is told to the client as it comes.
async fn told(stderr: Option<ChildStderr>, context: &RequestContext<RoleServer>) -> Vec<String> {
    let mut all = Vec::new();
    let Some(stderr) = stderr else { return all };
    let mut lines: Lines<_> = BufReader::new(stderr).lines();
    let token = context.meta.get_progress_token();
    while let Ok(Some(line)) = lines.next_line().await {
        all.push(line);
        if let (Some(token), Some(line)) = (&token, all.last()) {
            let step = f64::from(u32::try_from(all.len()).unwrap_or(u32::MAX));
            let progress = ProgressNotificationParam::new(token.clone(), step).with_message(line.clone());
            // A client that does not listen must not end the review.
            let _ = context.peer.notify_progress(progress).await;
        }
    }
    all
}
