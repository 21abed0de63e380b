//! The command line: [`main`] reads the arguments, runs one subcommand and turns its end into an exit status.
//!
//! Each subcommand has a file; words for errors are made in `error`, printing in `ui`.

mod ask;
mod bundle;
mod cache;
mod dispose;
mod doctor;
mod error;
mod eval;
mod explain;
mod found;
mod gate;
mod gauntlet;
mod guidance;
mod init;
mod interrupt;
mod judge;
mod keys;
mod lineage;
mod mcp;
mod parity;
mod post;
mod pull;
mod queue;
mod report;
mod review;
mod secrets;
mod serve;
mod smoke;
mod stats;
mod supervise;
mod tally;
mod trust;
mod ui;
mod workspace;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::{
    bundle::context::Context,
    tally::gate::{Bar, FailOn, Policy},
};

/// Several independent models review one change; you get one honest tally.
///
/// scrum splits a commit range into bundles small enough to be read whole, asks every reviewer of the panel about every
/// bundle, and counts agreement by distinct model lineage.
#[derive(Debug, Parser)]
#[command(name = "scrum", version, arg_required_else_help = true, after_help = EXIT_STATUS)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

const EXIT_STATUS: &str = "\
Exit status:
  0    done (and the gate passed)
  1    the gate failed
  2    wrong use, configuration, oversize bundles or another error
  3    inconclusive: no reviewer answered, or fewer lineages than asked
  130  interrupted; what was answered is saved and can be resumed";

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "General")]
struct Global {
    /// Run as if started in DIR
    #[arg(short = 'C', long = "directory", value_name = "DIR", global = true)]
    directory: Option<PathBuf>,
    /// Use FILE instead of the repository's scrum.toml
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// Show no progress
    #[arg(short, long, global = true)]
    quiet: bool,
    /// How to tell on standard error what goes on
    #[arg(long, value_enum, default_value_t, value_name = "FORM", global = true, conflicts_with = "quiet")]
    progress: ui::ProgressAs,
    /// End like on Ctrl-C when standard input ends: for programs that start scrum and may die
    #[arg(long, global = true)]
    end_with_stdin: bool,
    /// Colour in tables and messages
    #[arg(long, value_enum, default_value_t, value_name = "WHEN", global = true)]
    color: ui::ColorWhen,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Review a change with the whole panel and print the tally
    Review(Box<review::ReviewArgs>),
    /// Only split a change into bundles and check their sizes
    Bundle(bundle::BundleArgs),
    /// Recompute the tally of a saved run, or of a plain folder of replies
    Tally(tally::TallyArgs),
    /// Print the tally of a saved run again
    Report(report::ReportArgs),
    /// Say whether a saved run passes the policy, and put that on its commit
    Gate(gate::GateCommand),
    /// Put a saved run's tally on its pull request
    Post(post::PostArgs),
    /// Say which reviewers could run here, why not the others, and what to do
    Doctor(doctor::DoctorArgs),
    /// Write a scrum.toml for this repository from what is found here
    Init(init::InitArgs),
    /// Say why findings are one issue, and near ones others
    Explain(explain::ExplainArgs),
    /// Ask a reviewer about an issue it reported, and go on with the conversation
    Ask(ask::AskArgs),
    /// Say which family models descend from, and why
    Lineage(lineage::LineageArgs),
    /// Say what each reviewer has been worth here, over all runs and decisions
    Stats(stats::StatsArgs),
    /// Decide about issues: real, false or wontfix, for this run and all later ones
    Dispose(dispose::DisposeArgs),
    /// Say what is kept of earlier answers and what that was worth, or take some out
    Cache(cache::CacheArgs),
    /// Score a panel on changes whose true issues are known
    Eval(eval::EvalArgs),
    /// Run the chain of checks that gauntlet.toml declares
    Smoke(smoke::SmokeArgs),
    /// Put the same cases to two implementations of one interface, and say where they differ
    Parity(parity::ParityArgs),
    /// Say whether this may ship: a chain of checks, a review, and a comparison of implementations, as gauntlet.toml declares
    Gauntlet(gauntlet::GauntletArgs),
    /// Serve models to many at once: identical requests at a time are one call of the provider
    Serve(serve::ServeArgs),
    /// Bring a job to a daemon: a review, or something else that takes a while
    Enqueue(queue::EnqueueArgs),
    /// List a daemon's jobs, or show one
    Jobs(queue::JobsArgs),
    /// Call jobs off
    Cancel(queue::CancelArgs),
    /// Follow a job to its end, and print what came of it
    Watch(queue::WatchArgs),
    /// Say who may ask a daemon, give somebody a key, or take it away
    Keys(keys::KeysArgs),
    /// Serve agents over the Model Context Protocol on standard input and output: review, tally, explain, dispose
    Mcp,
}

/// Which change to look at, and which part of it.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "What to look at")]
struct ChangeArgs {
    /// `A..B`, `A...B` (from the merge base) or one commit `X`
    ///
    /// Without it: from the merge base with the default branch to HEAD; on that branch, the last commit.
    #[arg(value_name = "RANGE", help_heading = clap::builder::Resettable::Reset, conflicts_with_all = ["staged", "worktree", "diff"])]
    range: Option<String>,
    /// What is staged, against HEAD
    #[arg(long, conflicts_with_all = ["worktree", "diff"])]
    staged: bool,
    /// The work tree with untracked files, against HEAD
    #[arg(long, conflicts_with = "diff")]
    worktree: bool,
    /// A diff from FILE, or from standard input with `-`
    #[arg(long, value_name = "FILE")]
    diff: Option<PathBuf>,
    /// Only this component (repeatable)
    #[arg(long = "component", value_name = "NAME")]
    components: Vec<String>,
    /// Only paths that match (repeatable)
    #[arg(long, value_name = "GLOB")]
    include: Vec<String>,
    /// Leave out paths that match (repeatable); they are listed as excluded
    #[arg(long, value_name = "GLOB")]
    exclude: Vec<String>,
    /// Show this much around each change, while the bundle is not large
    #[arg(long, value_name = "hunk|function|file", value_parser = parse_context)]
    context: Option<Context>,
}

/// Where a tally goes, and in which form.
#[derive(Debug, Args)]
#[command(next_help_heading = "Result")]
struct TallyOutputArgs {
    /// Form of the result
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: TallyFormat,
    /// Write the result to FILE instead of standard output, which is `-`
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl TallyOutputArgs {
    fn file(&self) -> Option<&Path> {
        ui::named_file(self.output.as_deref())
    }
}

/// The forms of a tally; what those for other programs keep and drop is in docs/design/formats.md.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum TallyFormat {
    /// For a terminal
    #[default]
    Table,
    /// For a pull request
    Markdown,
    /// For machines; `schema` names the document
    Json,
    /// A page to look at, in one file
    Html,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// For reviewdog
    Rdjson,
    /// Checkstyle XML
    Checkstyle,
    /// GitLab's code quality report
    Codequality,
    /// Test cases in `JUnit` XML: coverage and issues
    Junit,
    /// Workflow commands of GitHub Actions
    Annotations,
}

impl TallyFormat {
    /// The same form where something else than a tally is shown; `None` for those that know tallies only.
    fn general(self) -> Option<Format> {
        match self {
            Self::Table => Some(Format::Table),
            Self::Markdown => Some(Format::Markdown),
            Self::Json => Some(Format::Json),
            Self::Html
            | Self::Sarif
            | Self::Rdjson
            | Self::Checkstyle
            | Self::Codequality
            | Self::Junit
            | Self::Annotations => None,
        }
    }
}

/// Where the result goes, and in which form.
#[derive(Debug, Args)]
#[command(next_help_heading = "Result")]
struct OutputArgs {
    /// Form of the result
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,
    /// Write the result to FILE instead of standard output, which is `-`
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl OutputArgs {
    fn file(&self) -> Option<&Path> {
        ui::named_file(self.output.as_deref())
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a terminal
    #[default]
    Table,
    /// For a pull request
    Markdown,
    /// For machines; `schema` names the document
    Json,
}

/// When the gate fails.
#[derive(Debug, Args)]
#[command(next_help_heading = "Gate")]
struct GateArgs {
    /// Exit with 1 when there is: any issue, one of WARN or worse, a BLOCK, or one that two lineages agree on
    #[arg(long, value_name = "never|any|warn|block|convergent", value_parser = parse_fail_on)]
    fail_on: Option<FailOn>,
    /// Exit with 3 when fewer distinct lineages answered
    #[arg(long, value_name = "N")]
    min_lineages: Option<usize>,
}

impl GateArgs {
    /// The policy with the flags laid over it; what fails by flag fails so at all paths.
    fn over(&self, policy: Policy) -> Policy {
        let policy = match self.fail_on {
            Some(fail_on) => Policy { bar: Bar { fail_on, ..policy.bar }, rules: Vec::new(), ..policy },
            None => policy,
        };
        Policy { min_lineages: self.min_lineages.unwrap_or(policy.min_lineages), ..policy }
    }
}

fn parse_fail_on(word: &str) -> Result<FailOn, String> {
    let known = FailOn::ALL.into_iter().find(|value| value.word() == word);
    known.ok_or_else(|| format!("one of {}", FailOn::ALL.map(FailOn::word).join(", ")))
}

fn parse_context(word: &str) -> Result<Context, String> {
    let known = Context::ALL.into_iter().find(|value| value.word() == word);
    known.ok_or_else(|| format!("one of {}", Context::ALL.map(Context::word).join(", ")))
}

/// Reads the process's arguments and runs; the only entry point.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return ui::usage(&error),
    };
    let ui = ui::Ui::new(cli.global.color, cli.global.quiet).progressing(cli.global.progress);
    if cli.global.end_with_stdin {
        // A job of a daemon, beside others of the same user.
        crate::process::conceal();
        interrupt::end_with_stdin();
    }
    let done = match cli.command {
        Command::Review(args) => review::run(&cli.global, &args, ui),
        Command::Bundle(args) => bundle::run(&cli.global, &args, ui),
        Command::Tally(args) => tally::run(&cli.global, &args, ui),
        Command::Report(args) => report::run(&cli.global, &args, ui),
        Command::Gate(args) => gate::run(&cli.global, &args, ui),
        Command::Post(args) => post::run(&cli.global, &args, ui),
        Command::Lineage(args) => lineage::run(&cli.global, &args, ui),
        Command::Stats(args) => stats::run(&cli.global, &args, ui),
        Command::Ask(args) => ask::run(&cli.global, &args, ui),
        Command::Explain(args) => explain::run(&cli.global, &args, ui),
        Command::Doctor(args) => doctor::run(&cli.global, &args, ui),
        Command::Init(args) => init::run(&cli.global, &args, ui),
        Command::Dispose(args) => dispose::run(&cli.global, &args, ui),
        Command::Cache(args) => cache::run(&cli.global, &args, ui),
        Command::Eval(args) => eval::run(&cli.global, &args, ui),
        Command::Smoke(args) => smoke::run(&cli.global, &args, ui),
        Command::Parity(args) => parity::run(&cli.global, &args, ui),
        Command::Gauntlet(args) => gauntlet::run(&cli.global, &args, ui),
        Command::Serve(args) => serve::run(&cli.global, &args, ui),
        Command::Enqueue(args) => queue::enqueue(&cli.global, &args, ui),
        Command::Jobs(args) => queue::jobs(&cli.global, &args, ui),
        Command::Cancel(args) => queue::cancel(&cli.global, &args, ui),
        Command::Watch(args) => queue::watch(&cli.global, &args, ui),
        Command::Keys(args) => keys::run(&cli.global, &args, ui),
        Command::Mcp => mcp::run(&cli.global, ui),
    };
    done.map_or_else(|error| ui.error(&error), error::Status::exit_code)
}
