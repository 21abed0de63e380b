//! `scrum parity`: puts the same cases to several sides and says where they differ.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use globset::{GlobBuilder, GlobMatcher};
use jiff::tz::TimeZone;

use super::{
    Format, Global, OutputArgs,
    error::{CliError, Status},
    gauntlet::FILE_NAME,
    interrupt::{self, Interrupt},
    secrets::secrets,
    supervise,
    ui::Ui,
    workspace::Workspace,
};
use crate::{
    clock,
    config::{gauntlet, parity as specs},
    gauntlet::conclude::hold_against,
    gauntlet::gap::Register,
    gauntlet::parity::{Answer, Case, Report, Spec, Standing, markdown, recording, table, wire},
    probe::service::ServiceError,
    progress,
    report::words::{count, list_up_to},
    run::{
        parity::{Carried, Wanted, perform},
        timestamp,
    },
    store,
};

const EXIT_STATUS: &str = "\
Exit status:
  0    all cases match, or their difference is a known gap
  1    a case differs
  2    wrong use, an unusable spec or another error
  3    no difference, but not all cases could be compared, as when a side is down
  130  interrupted; services are stopped all the same";

#[derive(Debug, Args)]
#[command(after_help = EXIT_STATUS)]
pub(super) struct ParityArgs {
    /// The spec: its sides, its cases, and what does not count
    #[arg(value_name = "SPEC")]
    spec: PathBuf,
    /// Ask each side each case N times, and do not compare what a side contradicts itself in
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=100))]
    repeat: u16,
    /// Only the cases whose name matches (repeatable)
    #[arg(long, value_name = "GLOB")]
    only: Vec<String>,
    /// Write what a side says to FILE, which can stand in for it as `answers = "FILE"` (repeatable)
    #[arg(long, value_name = "SIDE=FILE", value_parser = parse_record)]
    record: Vec<(String, PathBuf)>,
    /// Take the known gaps from FILE [default: the nearest gauntlet.toml beside or above SPEC]
    #[arg(long, value_name = "FILE")]
    gaps: Option<PathBuf>,
    #[command(flatten)]
    output: OutputArgs,
}

fn parse_record(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((side, file)) if !side.is_empty() && !file.is_empty() => Ok((side.to_owned(), file.into())),
        _ => Err("it must be the name of a side, `=`, and a file".to_owned()),
    }
}

pub(super) fn run(global: &Global, args: &ParityArgs, ui: Ui) -> Result<Status, CliError> {
    Ui::check_output(args.output.file())?;
    let workspace = Workspace::open_anywhere(global, ui)?;
    let mut spec = specs::load(&workspace.resolve(&args.spec))?;
    let recorded = recorded_sides(&spec, &args.record)?;
    let register = register(&workspace, args)?;
    keep(&mut spec, &args.only)?;
    let (spec, interrupt) = (Arc::new(spec), interrupt::watched()?);
    let record = recorded.iter().map(|(side, _)| *side).collect();
    let mut carried = match carry_out(&workspace, &spec, args.repeat.into(), record, &interrupt, ui)? {
        Some(Ok(carried)) => carried,
        Some(Err(error)) if !interrupt.end.is_cancelled() => {
            ui.warning(format_args!("nothing was compared: {error}"));
            return Ok(Status::Inconclusive);
        }
        Some(Err(_)) | None => return Ok(Status::Interrupted),
    };
    for ((_, file), answers) in recorded.iter().zip(&carried.answers) {
        write_record(&spec, answers, file, ui)?;
    }
    if let Some(register) = register {
        let today = clock::now().to_zoned(TimeZone::UTC).date();
        hold_against(&mut carried.report, &register, args.only.is_empty(), today);
    }
    print(&carried.report, args, ui)?;
    Ok(if interrupt.end.is_cancelled() { Status::Interrupted } else { status(carried.report.standing()) })
}

fn status(standing: Standing) -> Status {
    match standing {
        Standing::Matched => Status::Done,
        Standing::Diverged => Status::GateFailed,
        Standing::Inconclusive => Status::Inconclusive,
    }
}

/// What is known to differ: as the file named says, else the nearest `gauntlet.toml` of the repository.
fn register(workspace: &Workspace, args: &ParityArgs) -> Result<Option<Register>, CliError> {
    let spec = workspace.resolve(&args.spec);
    let root = workspace.root();
    let above = || spec.ancestors().skip(1).take_while(|folder| folder.starts_with(&root));
    let nearest = || above().map(|folder| folder.join(FILE_NAME)).find(|file| file.is_file());
    let file = args.gaps.as_ref().map(|file| workspace.resolve(file)).or_else(nearest);
    Ok(file.map(|file| gauntlet::read(&file)).transpose()?.map(|declared| declared.gaps))
}

/// Asks all sides and compares; `record` are the places of sides whose answers are wanted too. An error says that a service
/// is not there; `None` when everything was dropped.
pub(super) fn carry_out(
    workspace: &Workspace,
    spec: &Arc<Spec>,
    repeat: usize,
    record: Vec<usize>,
    interrupt: &Interrupt,
    ui: Ui,
) -> Result<Option<Result<Carried, ServiceError>>, CliError> {
    let (date, secrets) = (timestamp(clock::now()), secrets(workspace));
    let wanted = Wanted { repeat, date, record, secrets };
    let bar = progress::parity::bar(&spec.name, spec.cases.len(), ui.progress());
    let done =
        supervise::until_dropped(interrupt, perform(spec, &wanted, &interrupt.end, |done| bar.at(done)));
    bar.end();
    done
}

fn write_record(
    spec: &Spec,
    answers: &BTreeMap<String, Answer>,
    file: &Path,
    ui: Ui,
) -> Result<(), CliError> {
    let line = |case: &Case| Some(recording::line(&case.name, answers.get(&case.name)?));
    let lines: String = spec.cases.iter().filter_map(line).collect();
    store::write(file, lines.as_bytes())?;
    if answers.len() < spec.cases.len() {
        let missing = count(spec.cases.len() - answers.len(), "answer");
        ui.warning(format_args!("{missing} could not be recorded in {}", file.display()));
    }
    Ok(())
}

/// The places of the sides whose answers are to be written, and where to.
fn recorded_sides(spec: &Spec, wanted: &[(String, PathBuf)]) -> Result<Vec<(usize, PathBuf)>, CliError> {
    let place = |(name, file): &(String, PathBuf)| {
        Ui::check_output(Some(file))?;
        let side = spec.sides.iter().position(|side| side.name == *name);
        let side = side.ok_or_else(|| {
            let known: Vec<&str> = spec.sides.iter().map(|side| side.name.as_str()).collect();
            CliError::new(format!("there is no side named {name:?}"))
                .hint(format!("sides: {}", known.join(", ")))
        })?;
        Ok((side, file.clone()))
    };
    wanted.iter().map(place).collect()
}

/// Keeps the cases that one of the globs matches; all without a glob.
fn keep(spec: &mut Spec, globs: &[String]) -> Result<(), CliError> {
    let compiled = |glob: &String| {
        let glob = GlobBuilder::new(glob).literal_separator(false).build();
        glob.map(|glob| glob.compile_matcher()).map_err(|error| CliError::new(format!("--only: {error}")))
    };
    let globs: Vec<GlobMatcher> = globs.iter().map(compiled).collect::<Result<_, _>>()?;
    let names: Vec<String> = spec.cases.iter().map(|case| case.name.clone()).collect();
    spec.cases.retain(|case| globs.is_empty() || globs.iter().any(|glob| glob.is_match(&case.name)));
    if spec.cases.is_empty() {
        return Err(
            CliError::new("--only: no case matches").hint(format!("cases: {}", list_up_to(&names, 10)))
        );
    }
    Ok(())
}

fn print(report: &Report, args: &ParityArgs, ui: Ui) -> Result<(), CliError> {
    let file = args.output.file();
    let text = match args.output.format {
        Format::Table => table(report, Ui::width(), file.is_none() && ui.color_on_stdout()),
        Format::Markdown => markdown(report),
        Format::Json => wire::json(report),
    };
    Ui::result(&text, file)
}
