//! `scrum report`: prints a saved run's tally again; also the printing and saving that `review` and `tally` share.

use clap::Args;

use super::{
    Global, TallyFormat, TallyOutputArgs,
    error::{CliError, Status},
    trust::Trust,
    ui::Ui,
    workspace::Workspace,
};
use crate::{
    config::StandIn,
    disposition::Disposition,
    report::{
        formats::{annotations, checkstyle, codequality, junit, rdjson, sarif},
        json, markdown, table,
    },
    run::saved::{self, SavedRun},
    store::{Decisions, Overrides, RunDir},
    tally::{
        self, Tally,
        gate::{self, Gate, Override, Policy},
    },
};

#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// A run id, a prefix of one, a path, or `latest`
    #[arg(value_name = "RUN", default_value = "latest")]
    run: String,
    #[command(flatten)]
    output: TallyOutputArgs,
}

pub(super) fn run(global: &Global, args: &ReportArgs, ui: Ui) -> Result<Status, CliError> {
    let workspace = Workspace::open_anywhere(global, ui)?;
    let dir = workspace.find_run(&args.run)?;
    let saved = open(&workspace, &dir, ui)?;
    let (tally, gate) = judged(&workspace, &dir, saved, None, ui)?;
    print(&tally, &gate, &args.output, ui)?;
    Ok(Status::Done)
}

/// A saved run with what humans decided; what of the decisions does not read is told. A run that is not as it
/// was when it was reviewed counts as cut short.
pub(super) fn open(workspace: &Workspace, dir: &RunDir, ui: Ui) -> Result<SavedRun, CliError> {
    let mut run = saved::open_undecided(dir)?;
    let trust = workspace.trust_in(&run)?;
    run.input.dispositions = decisions(workspace, dir, &trust, ui)?;
    let altered = dir.altered(&run.record)?;
    let altered = (!altered.is_empty()).then(|| altered.join("; "));
    let info = &mut run.input.run;
    info.cut_short = info.cut_short.take().or(altered);
    Ok(run)
}

/// Judges a saved run by `policy`, else by its own; overrides that are about it count.
pub(super) fn judged(
    workspace: &Workspace,
    dir: &RunDir,
    saved: SavedRun,
    policy: Option<&Policy>,
    ui: Ui,
) -> Result<(Tally, Gate), CliError> {
    let overrides = overrides(workspace, dir, &workspace.trust_in(&saved)?, ui)?;
    let tally = tally::tally(saved.input);
    let gate = gate::evaluate(&tally, policy.unwrap_or(&saved.policy));
    let gate = gate.overruled(&tally.run.id, &tally.range, &overrides);
    Ok((tally, gate))
}

/// Overrides of a run, without what its change brings along.
pub(super) fn overrides(
    workspace: &Workspace,
    dir: &RunDir,
    trust: &Trust,
    ui: Ui,
) -> Result<Vec<Override>, CliError> {
    let file = dir.overrides_file();
    let found = match trust.stand_in(workspace.repo.as_ref(), &file, ui) {
        Ok(StandIn::Disk) => dir.overrides()?,
        Ok(StandIn::Text(text)) => Overrides::read(text.lines(), &file),
        Ok(StandIn::Nothing) => Overrides::default(),
        Err(error) => return Err(CliError::new(format!("cannot read {}: {error}", workspace.shown(&file)))),
    };
    for line in &found.unusable {
        ui.warning(format_args!("not an override and left out: {line}"));
    }
    Ok(found.overrides)
}

/// What humans decided about the issues of a run, without what its change brings along.
pub(super) fn decisions(
    workspace: &Workspace,
    dir: &RunDir,
    trust: &Trust,
    ui: Ui,
) -> Result<Vec<Disposition>, CliError> {
    let file = dir.decisions_file();
    let decisions = match trust.stand_in(workspace.repo.as_ref(), &file, ui) {
        Ok(StandIn::Disk) => dir.decisions()?,
        Ok(StandIn::Text(text)) => Decisions::read(text.lines(), &file),
        Ok(StandIn::Nothing) => Decisions::default(),
        Err(error) => return Err(CliError::new(format!("cannot read {}: {error}", workspace.shown(&file)))),
    };
    warn_of_unusable(&decisions.unusable, ui);
    Ok(decisions.dispositions)
}

/// Tells of lines that were meant to be decisions.
pub(super) fn warn_of_unusable(lines: &[String], ui: Ui) {
    for line in lines {
        ui.warning(format_args!("not a decision and left out: {line}"));
    }
}

/// Prints a tally in the form asked for.
pub(super) fn print(tally: &Tally, gate: &Gate, output: &TallyOutputArgs, ui: Ui) -> Result<(), CliError> {
    let text = match output.format {
        TallyFormat::Table => {
            let color = output.file().is_none() && ui.color_on_stdout();
            table::render(tally, gate, Ui::width(), color)
        }
        TallyFormat::Markdown => markdown::render(tally, gate),
        TallyFormat::Json => json::render(tally, gate),
        TallyFormat::Sarif => sarif::render(tally, gate),
        TallyFormat::Rdjson => rdjson::render(tally),
        TallyFormat::Checkstyle => checkstyle::render(tally),
        TallyFormat::Codequality => codequality::render(tally),
        TallyFormat::Junit => junit::render(tally, gate),
        TallyFormat::Annotations => annotations::render(tally, gate),
    };
    Ui::result(&text, output.file())
}

/// Prints a tally where somebody waits for a file or for a document to read in.
pub(super) fn print_document(
    tally: &Tally,
    gate: &Gate,
    output: &TallyOutputArgs,
    ui: Ui,
) -> Result<(), CliError> {
    if output.format == TallyFormat::Table && output.file().is_none() {
        return Ok(());
    }
    print(tally, gate, output, ui)
}

/// Writes what a run leaves for others: `tally.json` and `tally.md`.
pub(super) fn write_products(dir: &RunDir, tally: &Tally, gate: &Gate) -> Result<(), CliError> {
    dir.write_output("tally.json", &json::render(tally, gate))?;
    dir.write_output("tally.md", &markdown::render(tally, gate))?;
    Ok(())
}
