//! `scrum jobs`: what a daemon has to do and has done.

use clap::{Args, ValueEnum};
use jiff::Timestamp;

use super::{ServerArgs, block_on, named, opened};
use crate::{
    cli::{
        Global,
        error::{CliError, Status},
        ui::Ui,
    },
    clock,
    daemon::Daemon,
    job::{
        Kind, State,
        wire::{List, Shown},
    },
    report::{foreign::one_line, json, words},
};

#[derive(Debug, Args)]
pub(in crate::cli) struct JobsArgs {
    /// Show this one: its id, or the beginning of it
    #[arg(value_name = "ID", conflicts_with_all = ["state", "kind", "limit"])]
    id: Option<String>,
    /// Only jobs in this state: queued, running, succeeded, failed, cancelled or `timed_out` (repeatable)
    #[arg(long, value_name = "STATE", value_delimiter = ',', value_parser = parse_state)]
    state: Vec<State>,
    /// Only jobs of this kind
    #[arg(long, value_name = "KIND", value_parser = super::enqueue::parse_kind)]
    kind: Option<Kind>,
    /// At most so many, the newest first
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=500))]
    limit: u16,
    /// Form of the result
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT", help_heading = "Result")]
    format: Form,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Form {
    /// For a terminal
    #[default]
    Table,
    /// For machines, as the daemon says it
    Json,
}

/// Lists jobs, or shows one.
pub(in crate::cli) fn jobs(global: &Global, args: &JobsArgs, ui: Ui) -> Result<Status, CliError> {
    let (_, daemon) = opened(global, &args.server, ui)?;
    match &args.id {
        Some(id) => {
            let job = block_on(async { Ok(daemon.job(&named(&daemon, id).await?).await?) })?;
            let text = match args.format {
                Form::Json => json::pretty(&job),
                Form::Table => sheet(&job, &daemon, clock::now()),
            };
            Ui::result(&text, None)?;
        }
        None => list(args, &daemon, ui)?,
    }
    Ok(Status::Done)
}

fn list(args: &JobsArgs, daemon: &Daemon, ui: Ui) -> Result<(), CliError> {
    let states = args.state.iter().map(|state| state.word()).collect::<Vec<_>>().join(",");
    let limit = args.limit.to_string();
    let mut query = vec![("limit", limit.as_str())];
    if !states.is_empty() {
        query.push(("state", &states));
    }
    if let Some(kind) = args.kind {
        query.push(("kind", kind.word()));
    }
    let list: List = block_on(async { Ok(daemon.jobs(&query).await?) })?;
    match args.format {
        Form::Json => return Ui::result(&json::pretty(&list), None),
        Form::Table if list.jobs.is_empty() => ui.note("no such jobs"),
        Form::Table => Ui::result(&table(&list.jobs, clock::now()), None)?,
    }
    if list.next.is_some() {
        ui.note("there are older ones: `--limit N` shows more");
    }
    Ok(())
}

/// A line each.
fn table(jobs: &[Shown], now: Timestamp) -> String {
    let head = ["id", "kind", "state", "priority", "since", "took", "about"].map(str::to_owned);
    let row = |job: &Shown| {
        [
            one_line(&job.id),
            job.kind.to_string(),
            job.state.to_string(),
            job.priority.to_string(),
            since(job.created, now),
            took(job, now),
            about(job),
        ]
    };
    let rows: Vec<[String; 7]> = std::iter::once(head).chain(jobs.iter().map(row)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..6).map(width).collect();
    let line = |row: &[String; 7]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}  "));
        format!("{}{}", cells.collect::<String>(), row[6]).trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

/// `3 min`.
fn since(moment: Timestamp, now: Timestamp) -> String {
    words::span(now.duration_since(moment).try_into().unwrap_or_default())
}

/// How long the last attempt took, or has taken so far.
fn took(job: &Shown, now: Timestamp) -> String {
    let Some(started) = job.started else { return "-".to_owned() };
    let took = job.finished.unwrap_or(now).duration_since(started);
    words::duration(took.as_millis().try_into().unwrap_or_default())
}

fn about(job: &Shown) -> String {
    if let Some(pull) = &job.pull {
        return one_line(pull);
    }
    let repo = job.repo.as_deref().map(|repo| repo.trim_end_matches('/').rsplit('/').next().unwrap_or(repo));
    // Ids of commits are shown as git does.
    let range = job.range.as_deref().map(|range| {
        let ends = range.split("..").map(|end| if end.len() == 40 { &end[..10] } else { end });
        ends.collect::<Vec<_>>().join("..")
    });
    let parts = [repo.map(str::to_owned), range, job.file.clone()];
    one_line(&parts.into_iter().flatten().collect::<Vec<_>>().join(" "))
}

/// All of one, a line for each thing that is known.
fn sheet(job: &Shown, daemon: &Daemon, now: Timestamp) -> String {
    let result = job.result.as_ref().map(ToString::to_string);
    let attempts = format!("{} of {}", job.attempt, job.max_attempts);
    let text = |text: &Option<String>| text.clone();
    let lines = [
        ("id", Some(job.id.clone())),
        ("kind", Some(job.kind.to_string())),
        ("state", Some(job.state.to_string())),
        ("reason", text(&job.reason)),
        ("result", result),
        ("priority", Some(job.priority.to_string())),
        ("source", Some(job.source.to_string())),
        ("tenant", Some(job.tenant.clone()).filter(|tenant| !tenant.is_empty())),
        ("repository", text(&job.repo)),
        ("range", text(&job.range)),
        ("panel", text(&job.panel)),
        ("file", text(&job.file)),
        ("pull request", text(&job.pull)),
        ("dedupe key", text(&job.dedupe_key)),
        ("brought", Some(format!("{} ({} ago)", job.created, since(job.created, now)))),
        ("took", job.started.map(|_| took(job, now))),
        ("attempts", Some(attempts)),
        ("node", text(&job.node)),
    ];
    let told = lines.into_iter().filter_map(|(name, text)| Some(format!("{name:14}{}\n", one_line(&text?))));
    let files = job.links.files.iter().flatten().map(|file| {
        let size = words::size(file.size);
        format!("{:14}{} ({size}) {}\n", "file", one_line(&file.name), one_line(&daemon.link(&file.href)))
    });
    told.chain(files).collect()
}

fn parse_state(word: &str) -> Result<State, String> {
    let known = || State::ALL.iter().map(|state| state.word()).collect::<Vec<_>>().join(", ");
    State::of(word).ok_or_else(|| format!("one of {}", known()))
}
