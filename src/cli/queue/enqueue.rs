//! `scrum enqueue`: brings a job to a daemon. What is asked for is said in full, so that it is the same whenever its turn comes.

use std::path::Path;

use clap::Args;

use super::{
    ServerArgs, block_on, opened,
    watch::{self, ended},
};
use crate::{
    cli::{
        Global,
        error::{CliError, Status},
        interrupt,
        ui::Ui,
        workspace::Workspace,
    },
    git::{RangeSpec, Repo},
    job::{Kind, Priority, Source, wire::Order},
    report::foreign::one_line,
};

#[derive(Debug, Args)]
#[command(after_help = watch::EXIT_STATUS)]
pub(in crate::cli) struct EnqueueArgs {
    /// review, parity, smoke, gauntlet, eval, or noop to try the queue
    #[arg(value_name = "KIND", value_parser = parse_kind)]
    kind: Kind,
    /// Of a review the range, as for `scrum review`; of others the file that declares it, from the repository's root
    #[arg(value_name = "RANGE|FILE")]
    what: Option<String>,
    /// A repository the daemon may work on: a path on its machine, or a URL [default: the one around the working directory]
    #[arg(long, value_name = "PATH|URL")]
    repo: Option<String>,
    /// Of others than reviews: at this commit, or of this range [default: HEAD]
    #[arg(long, value_name = "RANGE")]
    range: Option<String>,
    /// Ask this panel of the daemon's configuration
    #[arg(long, value_name = "NAME")]
    panel: Option<String>,
    /// Review this pull request, and put the tally there
    #[arg(long, value_name = "URL")]
    pr: Option<String>,
    /// How soon: high, normal or low
    #[arg(long, value_name = "PRIORITY", default_value = "normal", value_parser = parse_priority)]
    priority: Priority,
    /// End an attempt after so long
    #[arg(long, value_name = "SECS", value_parser = clap::value_parser!(u32).range(1..))]
    timeout: Option<u32>,
    /// While a job with this key waits or runs, it is this one
    #[arg(long, value_name = "KEY")]
    dedupe_key: Option<String>,
    /// How long a noop takes, in milliseconds
    #[arg(long, value_name = "MS")]
    work_ms: Option<u64>,
    /// Follow it to its end, as `scrum watch` does
    #[arg(short, long)]
    watch: bool,
    #[command(flatten)]
    server: ServerArgs,
}

/// Brings a job, and follows it if that is wished.
pub(in crate::cli) fn enqueue(global: &Global, args: &EnqueueArgs, ui: Ui) -> Result<Status, CliError> {
    let (workspace, daemon) = opened(global, &args.server, ui)?;
    let order = order(&workspace, args)?;
    let (brought, is_new) = block_on(async { Ok(daemon.enqueue(&order).await?) })?;
    let id = one_line(&brought.id);
    Ui::result(&format!("{id}\n"), None)?;
    if !is_new {
        ui.note(format_args!("a job with this key is there already: {}", brought.state));
    }
    if args.watch {
        return ended(&daemon, &id, &interrupt::watched()?, ui);
    }
    ui.note(format_args!("{}; `scrum watch {id}` follows it", brought.state));
    Ok(Status::Done)
}

fn order(workspace: &Workspace, args: &EnqueueArgs) -> Result<Order, CliError> {
    let (range, file) = match (args.kind, &args.what) {
        (Kind::Review, Some(_)) if args.range.is_some() => {
            return Err(CliError::new("the range is given twice"));
        }
        (Kind::Review, what) => (what.clone().or_else(|| args.range.clone()), None),
        (Kind::Noop, Some(_)) => return Err(CliError::new("a noop is about nothing")),
        (_, what) => (args.range.clone(), what.clone()),
    };
    let mut order = Order {
        file,
        panel: args.panel.clone(),
        pull: args.pr.clone(),
        work_ms: args.work_ms,
        priority: Some(args.priority),
        source: Some(Source::Cli),
        dedupe_key: args.dedupe_key.clone(),
        timeout_secs: args.timeout,
        range,
        ..Order::new(args.kind)
    };
    match &args.repo {
        _ if args.kind == Kind::Noop => {}
        Some(repo) => order.repo = Some(elsewhere(workspace, repo)),
        None => here(workspace, &mut order)?,
    }
    Ok(order)
}

/// A repository that is named. What is a folder here is told from the root on: the daemon runs in another one.
fn elsewhere(workspace: &Workspace, repo: &str) -> String {
    let path = workspace.resolve(Path::new(repo));
    if path.is_dir() && !repo.contains("://") {
        path_text(&path).unwrap_or_else(|| repo.to_owned())
    } else {
        repo.to_owned()
    }
}

/// The repository around the working directory, and the commits that are meant now.
fn here(workspace: &Workspace, order: &mut Order) -> Result<(), CliError> {
    let repo = workspace.repo.as_ref().ok_or_else(|| {
        CliError::new("not in a git repository").hint("`--repo PATH|URL` says which one is meant")
    })?;
    let root = repo.root();
    order.repo = Some(path_text(&root).ok_or_else(|| {
        CliError::new(format!("{} cannot be told to a daemon: it is no Unicode", root.display()))
    })?);
    if order.pull.is_none() {
        order.range = commits(repo, order.kind, order.range.as_deref())?;
    }
    Ok(())
}

/// Full ids: branches move.
fn commits(repo: &Repo, kind: Kind, range: Option<&str>) -> Result<Option<String>, CliError> {
    let spec = match range {
        None if kind != Kind::Review => return Ok(repo.head()),
        None => RangeSpec::Default,
        Some(range) => RangeSpec::Commits(range.to_owned()),
    };
    let change = repo.read(&spec)?;
    if change.files.is_empty() && kind == Kind::Review {
        return Err(CliError::new(format!("no file differs in {}", change.range.spec)));
    }
    let range = &change.range;
    Ok(match (&range.base, &range.head) {
        (Some(base), Some(head)) => Some(format!("{base}..{head}")),
        (None, head) | (head, None) => head.clone(),
    })
}

fn path_text(path: &Path) -> Option<String> {
    path.canonicalize().ok()?.to_str().map(str::to_owned)
}

pub(super) fn parse_kind(word: &str) -> Result<Kind, String> {
    Kind::of(word).ok_or_else(|| {
        format!("one of {}", Kind::ALL.iter().map(|kind| kind.word()).collect::<Vec<_>>().join(", "))
    })
}

fn parse_priority(word: &str) -> Result<Priority, String> {
    Priority::of(word).ok_or_else(|| "one of high, normal, low".to_owned())
}
