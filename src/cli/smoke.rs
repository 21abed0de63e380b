//! `scrum smoke`: runs the chain of checks that `gauntlet.toml` declares. [`carry_out`] does it for a whole gauntlet too.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::{
    Global,
    error::{CliError, Status},
    interrupt::{self, Interrupt},
    secrets::secrets,
    supervise,
    ui::Ui,
    workspace::Workspace,
};
use crate::{
    clock,
    config::gauntlet,
    gauntlet::smoke::{Chain, Smoke, Verdict, junit, markdown, table, wire},
    progress,
    run::{
        self,
        smoke::{channel, execute, hands},
    },
    store::RunDir,
};

/// Name of the file where only a folder is named.
const FILE_NAME: &str = "gauntlet.toml";

#[derive(Debug, Args)]
#[command(after_help = EXIT_STATUS)]
pub(super) struct SmokeArgs {
    /// What declares the checks, or the folder of a gauntlet.toml [default: the repository's root]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Form of the result
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT", help_heading = "Result")]
    format: Form,
    /// Write the result to FILE instead of standard output
    #[arg(short, long, value_name = "FILE", help_heading = "Result")]
    output: Option<PathBuf>,
}

const EXIT_STATUS: &str = "\
Exit status:
  0    every check passed
  1    a check failed, or a service ended by itself
  2    wrong use, configuration or another error
  3    nothing failed, but not all could be checked, as when a service is not ready
  130  interrupted; services are stopped all the same";

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Form {
    /// For a terminal
    #[default]
    Table,
    /// For a document
    Markdown,
    /// For machines (`scrum.smoke/1`)
    Json,
    /// Test cases in `JUnit` XML, a suite for each layer
    Junit,
}

pub(super) fn run(global: &Global, args: &SmokeArgs, ui: Ui) -> Result<Status, CliError> {
    Ui::check_output(args.output.as_deref())?;
    let workspace = Workspace::open_anywhere(global, ui)?;
    let chain = chain(&workspace, args.file.as_deref())?;
    let interrupt = interrupt::watched()?;
    let nonce = clock::nonce().map_err(|error| CliError::new(format!("no random numbers: {error}")))?;
    let dir = workspace.store.create_smoke(&run::run_id(clock::now(), &nonce))?;
    let Some(smoke) = carry_out(&workspace, &chain, &dir, &interrupt, ui)? else {
        ui.note(format_args!(
            "ended at once; what was printed until then is in {}",
            kept_in(&workspace, &dir)
        ));
        return Ok(Status::Interrupted);
    };
    let folder = workspace.shown(&dir.review).to_string();
    let text = match args.format {
        Form::Table => {
            let color = args.output.is_none() && ui.color_on_stdout();
            table::render(&smoke, &folder, Ui::width(), color)
        }
        Form::Markdown => markdown::render(&smoke),
        Form::Json => wire::render(&smoke),
        Form::Junit => junit::render(&smoke),
    };
    Ui::result(&text, args.output.as_deref())?;
    ui.note(format_args!("all that was printed is in {}", kept_in(&workspace, &dir)));
    Ok(status(&smoke))
}

fn kept_in(workspace: &Workspace, dir: &RunDir) -> String {
    workspace.shown(&dir.review.join("smoke")).to_string()
}

fn status(smoke: &Smoke) -> Status {
    match smoke.verdict() {
        _ if smoke.interrupted => Status::Interrupted,
        Verdict::Pass => Status::Done,
        Verdict::Fail => Status::GateFailed,
        Verdict::Inconclusive => Status::Inconclusive,
    }
}

/// The chain in the file that is named, else in that of the repository's root.
fn chain(workspace: &Workspace, file: Option<&Path>) -> Result<Chain, CliError> {
    let path = file.map_or_else(|| workspace.root(), |file| workspace.resolve(file));
    let path = if path.is_dir() { path.join(FILE_NAME) } else { path };
    if !path.is_file() {
        let error = CliError::new(format!("there is no file {}", workspace.shown(&path)));
        return Err(error.hint("docs/design/gauntlet.md says what stands in one: [[smoke]], [[service]]"));
    }
    let chain = gauntlet::read(&path)?.chain;
    if chain.checks.is_empty() {
        let error = CliError::new(format!("{} declares no check", workspace.shown(&path)));
        return Err(error.hint("declare one: [[smoke]] with name = \"unit\", command = [\"make\", \"test\"]"));
    }
    Ok(chain)
}

/// Runs `chain` and keeps all that is printed in `dir`. `None` when everything was dropped.
pub(super) fn carry_out(
    workspace: &Workspace,
    chain: &Chain,
    dir: &RunDir,
    interrupt: &Interrupt,
    ui: Ui,
) -> Result<Option<Smoke>, CliError> {
    let secrets = secrets(workspace);
    let hands = hands(&secrets, &interrupt.end);
    let (sender, receiver) = channel(chain);
    let shown = ui.progress();
    let progress = std::thread::spawn(move || progress::smoke::show(receiver, shown));
    let started_at = run::timestamp(clock::now());
    let keep = |file: &str, text: &str| dir.keep_smoke(file, text);
    let work = execute(chain, &hands, sender, &interrupt.end, started_at, keep);
    let done = supervise::until_dropped(interrupt, work);
    // A panic while drawing must not cost the result.
    let _ = progress.join();
    Ok(done?.transpose()?)
}
