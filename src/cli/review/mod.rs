//! `scrum review`: the main job. [`run`] prepares a run, or takes up an interrupted one, and performs it.
//!
//! Preparing sends nothing, so `--dry-run` ends there.

mod asked;
mod material;
mod perform;
mod phase;
mod prepare;
mod preview;
mod pull;
mod resume;

use std::num::NonZeroUsize;

use clap::{Args, builder::FalseyValueParser};
use tokio::time::Instant;

pub(super) use asked::{Asked, asked, voice};
pub(super) use material::Material;
pub(super) use perform::warn_of_unpriced;
pub(super) use phase::{Phase, Reviewed, ready};
use prepare::Job;
pub(super) use prepare::record;
use pull::Pulled;
pub(super) use pull::bring;

use super::{
    ChangeArgs, GateArgs, Global, TallyOutputArgs,
    error::{CliError, Status},
    gate, interrupt,
    ui::Ui,
    workspace::Workspace,
};
use crate::config::env;

const ASKING: &str = "Whom to ask";

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(super) struct ReviewArgs {
    #[command(flatten)]
    change: ChangeArgs,
    /// Review this pull request: a number, the address of its page, or `auto` for the one that the CI job is about
    ///
    /// Only what was pushed after its last review is asked about; issues from before are carried over until they are gone.
    #[arg(long, help_heading = "What to look at", value_name = "N|URL", conflicts_with_all = ["range", "staged", "worktree", "diff"])]
    pr: Option<String>,
    /// With --pr: ask about all of it, not only about what was pushed after its last review
    #[arg(long, help_heading = "What to look at", requires = "pr")]
    full: bool,
    /// Put the tally on the pull request, as `scrum post` does
    #[arg(long, help_heading = "Result", conflicts_with_all = ["range", "staged", "worktree", "diff", "dry_run"])]
    post: bool,
    /// With --post: put what the gate says on the commit too, as `scrum gate --status` does, unless it is off
    #[arg(long, help_heading = "Result", requires = "post")]
    status: bool,
    /// Ask this panel: `auto` (every reviewer configured, else all that `scrum doctor` finds), `offline`, or a name from `panel.NAME` in scrum.toml
    #[arg(long, help_heading = ASKING, value_name = "NAME", env = env::PANEL, conflicts_with = "reviewers")]
    panel: Option<String>,
    /// Ask this reviewer (repeatable), instead of a panel
    #[arg(short, long = "reviewer", help_heading = ASKING, value_name = "ID")]
    reviewers: Vec<String>,
    /// Most requests and programs under way at once
    #[arg(long, help_heading = ASKING, value_name = "N", env = env::CONCURRENCY)]
    concurrency: Option<NonZeroUsize>,
    /// Ask nothing more once the run is known to have spent this much, in US dollars; the result is inconclusive then
    #[arg(long, help_heading = ASKING, value_name = "USD", value_parser = dollars)]
    max_cost: Option<f64>,
    /// Ask nothing more once the run has spent this many tokens, of prompts and answers; the result is inconclusive then
    #[arg(long, help_heading = ASKING, value_name = "N")]
    max_tokens: Option<u64>,
    /// Longest time for one attempt, for every reviewer
    #[arg(long, help_heading = ASKING, value_name = "SECS", value_parser = clap::value_parser!(u64).range(1..))]
    timeout: Option<u64>,
    /// Ask for everything anew, also what was answered before; what comes is kept for later all the same
    #[arg(long, help_heading = ASKING, env = env::NO_CACHE, value_parser = FalseyValueParser::new())]
    no_cache: bool,
    /// Go on with a run that was interrupted: ask only for what is missing
    #[arg(long, help_heading = ASKING, value_name = "RUN", conflicts_with_all = ["range", "staged", "worktree", "diff", "pr", "full", "components", "include", "exclude", "context", "panel", "reviewers"])]
    resume: Option<String>,
    /// Put each BLOCK of one lineage to a reviewer of another one: CONFIRMED, REFUTED or UNSURE, shown beside it
    #[arg(long, help_heading = ASKING)]
    verify: bool,
    /// Show bundles, sizes, tokens and reviewers; send nothing
    #[arg(long, help_heading = ASKING, conflicts_with = "resume")]
    dry_run: bool,
    #[command(flatten)]
    gate: GateArgs,
    #[command(flatten)]
    output: TallyOutputArgs,
    /// A gauntlet shows what comes of it
    #[arg(skip)]
    is_phase: bool,
}

fn dollars(text: &str) -> Result<f64, String> {
    let usd: Option<f64> = text.strip_prefix('$').unwrap_or(text).parse().ok();
    usd.filter(|usd| usd.is_finite() && *usd >= 0.0)
        .ok_or_else(|| "must be an amount such as 0.50".to_owned())
}

pub(super) fn run(global: &Global, args: &ReviewArgs, ui: Ui) -> Result<Status, CliError> {
    Ui::check_output(args.output.file())?;
    if let Some(name) = &args.resume {
        let (mut workspace, dir) = Workspace::for_run(global, name, ui)?;
        let job = resume::resume(&mut workspace, args, dir, ui)?;
        return performed(global, &workspace, args, job, ui);
    }
    let began = Instant::now();
    let (mut workspace, pulled) = open(global, args, ui)?;
    let prepared = prepare::prepare(&mut workspace, args, pulled, ui)?;
    ui.step("bundle", began);
    match prepared {
        Some(job) => performed(global, &workspace, args, job, ui),
        None => Ok(Status::Done),
    }
}

/// Performs `job`, and says on its commit what the gate says, where that is asked for.
fn performed(
    global: &Global,
    workspace: &Workspace,
    args: &ReviewArgs,
    job: Job,
    ui: Ui,
) -> Result<Status, CliError> {
    let dir = job.dir.clone();
    let status = perform::perform(workspace, args, job, &interrupt::watched()?, ui)?;
    if args.status && status != Status::Interrupted {
        gate::tell(global, &args.gate, &dir, args.pr.as_deref(), ui);
    }
    Ok(status)
}

/// Opens what is reviewed: a pull request or another change.
fn open(global: &Global, args: &ReviewArgs, ui: Ui) -> Result<(Workspace, Option<Pulled>), CliError> {
    match &args.pr {
        Some(given) => {
            pull::open(global, given, args.post, ui).map(|(workspace, pulled)| (workspace, Some(pulled)))
        }
        None => Ok((Workspace::for_change(global, &args.change, ui)?, None)),
    }
}
