//! `scrum report`: prints a saved run's tally again; also the printing and saving that `review` and `tally` share.

use std::path::Path;

use clap::Args;

use super::{
    Format, Global, TallyFormat, TallyOutputArgs,
    error::{CliError, Status},
    gauntlet,
    trust::Trust,
    ui::Ui,
    workspace::Workspace,
};
use crate::{
    config::StandIn,
    disposition::Disposition,
    gauntlet::markdown as page,
    process,
    report::{
        formats::{annotations, checkstyle, codequality, junit, rdjson, sarif},
        html, json, markdown, table,
    },
    run::saved::{self, SavedRun},
    store::{Decisions, Overrides, RunDir},
    tally::{
        self, Tally,
        gate::{self, Gate, Override, Policy},
    },
};

/// The page of a run, in its folder.
const PAGE: &str = "report.html";

#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// A run id, a prefix of one, a path, or `latest`
    #[arg(value_name = "RUN", default_value = "latest")]
    run: String,
    #[command(flatten)]
    output: TallyOutputArgs,
    /// Write the page to look at (into the run's folder, or to FILE) and open it with the desktop's program
    #[arg(long, help_heading = "Result")]
    open: bool,
}

pub(super) fn run(global: &Global, args: &ReportArgs, ui: Ui) -> Result<Status, CliError> {
    let workspace = Workspace::open_anywhere(global, ui)?;
    if let Some((dir, format)) = workspace.find_gauntlet(&args.run).zip(args.output.format.general()) {
        // It has no review, so there is no tally.
        let document = dir.gauntlet()?;
        let text =
            document.map(|document| gauntlet::shown(&document, format, args.output.file().is_none(), ui));
        Ui::result(&text.unwrap_or_default(), args.output.file())?;
        return Ok(Status::Done);
    }
    let dir = workspace.find_run(&args.run)?;
    let saved = open(&workspace, &dir, ui)?;
    let (tally, gate) = judged(&workspace, &dir, saved, None, ui)?;
    if args.open {
        return open_page(&dir, &html::render(&tally, &gate), &args.output, ui);
    }
    let text = shown(&tally, &gate, &args.output, ui) + &of_gauntlet(&dir, &args.output, ui)?;
    Ui::result(&text, args.output.file())?;
    Ok(Status::Done)
}

/// Writes the page and has it shown. Whether a browser comes up is the desktop's matter, so it is told where the page is.
fn open_page(dir: &RunDir, page: &str, output: &TallyOutputArgs, ui: Ui) -> Result<Status, CliError> {
    if !matches!(output.format, TallyFormat::Table | TallyFormat::Html) {
        return Err(
            CliError::new("only a page can be opened").hint("leave --format out, or say --format html")
        );
    }
    let file = output.file().map_or_else(|| dir.review.join(PAGE), Path::to_owned);
    Ui::result(page, Some(&file))?;
    ui.note(format_args!("opening {}", file.display()));
    let opened = process::open(&file);
    opened.map(|()| Status::Done).map_err(|error| {
        let file = file.display();
        CliError::new(format!("no program here opens pages: {error}")).hint(format!("open {file} yourself"))
    })
}

/// What people are told of the gauntlet that the run is the review of, if it is of one.
fn of_gauntlet(dir: &RunDir, output: &TallyOutputArgs, ui: Ui) -> Result<String, CliError> {
    let to_screen = output.file().is_none();
    Ok(match (dir.gauntlet()?, output.format) {
        (Some(document), TallyFormat::Table) => {
            format!("\n{}", gauntlet::shown(&document, Format::Table, to_screen, ui))
        }
        (Some(document), TallyFormat::Markdown) => page::section(&document),
        (Some(_) | None, _) => String::new(),
    })
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
    Ui::result(&shown(tally, gate, output, ui), output.file())
}

fn shown(tally: &Tally, gate: &Gate, output: &TallyOutputArgs, ui: Ui) -> String {
    match output.format {
        TallyFormat::Table => {
            let color = output.file().is_none() && ui.color_on_stdout();
            table::render(tally, gate, Ui::width(), color)
        }
        TallyFormat::Markdown => markdown::render(tally, gate),
        TallyFormat::Json => json::render(tally, gate),
        TallyFormat::Html => html::render(tally, gate),
        TallyFormat::Sarif => sarif::render(tally, gate),
        TallyFormat::Rdjson => rdjson::render(tally),
        TallyFormat::Checkstyle => checkstyle::render(tally),
        TallyFormat::Codequality => codequality::render(tally),
        TallyFormat::Junit => junit::render(tally, gate),
        TallyFormat::Annotations => annotations::render(tally, gate),
    }
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

/// Writes what a run leaves for others: `tally.json`, `tally.md` and `report.html`.
pub(super) fn write_products(dir: &RunDir, tally: &Tally, gate: &Gate) -> Result<(), CliError> {
    dir.write_output("tally.json", &json::render(tally, gate))?;
    dir.write_output("tally.md", &markdown::render(tally, gate))?;
    dir.write_output(PAGE, &html::render(tally, gate))?;
    Ok(())
}
