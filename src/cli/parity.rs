//! `scrum parity`: puts the same cases to several sides and says where they differ.

use std::{path::PathBuf, sync::Arc};

use clap::Args;
use globset::{GlobBuilder, GlobMatcher};

use super::{
    Format, Global, OutputArgs,
    error::{CliError, Status},
    interrupt, ui,
    ui::Ui,
};
use crate::{
    clock,
    config::parity as specs,
    gauntlet::parity::{Case, Report, Spec, Standing, markdown, recording, table, wire},
    probe::Secrets,
    report::words::{count, list_up_to},
    run::{
        parity::{Carried, Wanted, perform},
        timestamp,
    },
    store,
};

#[derive(Debug, Args)]
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
    let here = match &global.directory {
        Some(directory) => directory.clone(),
        None => ui::current_directory()?,
    };
    Ui::check_output(args.output.output.as_deref())?;
    let mut spec = specs::load(&here.join(&args.spec))?;
    let recorded = recorded_sides(&spec, &args.record)?;
    keep(&mut spec, &args.only)?;
    let spec = Arc::new(spec);
    let wanted = Wanted {
        repeat: args.repeat.into(),
        record: recorded.iter().map(|(side, _)| *side).collect(),
        date: timestamp(clock::now()),
        secrets: Secrets::default(),
    };
    let interrupt =
        interrupt::watch().map_err(|error| CliError::new(format!("cannot listen to signals: {error}")))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| CliError::new(format!("cannot start the runtime: {error}")))?;
    let carried = runtime.block_on(perform(&spec, &wanted, &interrupt.end, |_| ()));
    runtime.shutdown_background();
    let Carried { report, answers } = match carried {
        Ok(carried) => carried,
        Err(error) => {
            ui.warning(format_args!("nothing was compared: {error}"));
            return Ok(if interrupt.end.is_cancelled() { Status::Interrupted } else { Status::Inconclusive });
        }
    };
    for ((_, file), answers) in recorded.iter().zip(&answers) {
        let line = |case: &Case| Some(recording::line(&case.name, answers.get(&case.name)?));
        let lines: String = spec.cases.iter().filter_map(line).collect();
        store::write(file, lines.as_bytes())?;
        if answers.len() < spec.cases.len() {
            let missing = count(spec.cases.len() - answers.len(), "answer");
            ui.warning(format_args!("{missing} could not be recorded in {}", file.display()));
        }
    }
    print(&report, args, ui)?;
    if interrupt.end.is_cancelled() {
        return Ok(Status::Interrupted);
    }
    Ok(match report.standing() {
        Standing::Matched => Status::Done,
        Standing::Diverged => Status::GateFailed,
        Standing::Inconclusive => Status::Inconclusive,
    })
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
    let file = args.output.output.as_deref();
    let text = match args.output.format {
        Format::Table => table(report, Ui::width(), file.is_none() && ui.color_on_stdout()),
        Format::Markdown => markdown(report),
        Format::Json => wire::json(report),
    };
    Ui::result(&text, file)
}
