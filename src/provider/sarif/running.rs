//! Runs a static tool over the changed files: [`run`].

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::ExitStatus,
};

use super::{
    analysis::Changed,
    cargo, log,
    places::{Places, os_path},
    shellcheck,
    told::Report,
};
use crate::{
    provider::{AskError, command::Program, in_brief},
    reviewer::{AnalyserProgram, Levels, ReportFormat},
};

/// Most bytes of file names given to one program; systems allow about two million.
const LONGEST_ARGUMENTS: usize = 500_000;
/// Longest report that is read, in bytes.
const LONGEST_REPORT: usize = 64 << 20;
/// Stands in a command for the changed files.
const FILES: &str = "{files}";
/// Stands in a command for the file the report is written to.
const REPORT: &str = "{report}";

/// Runs `program`, started as `started`, wherever below `root` it has something to look at, and puts the reports together.
pub(super) async fn run(
    program: &AnalyserProgram,
    started: &Program,
    levels: Levels,
    root: &Path,
    changed: &Changed,
) -> Result<Report, AskError> {
    let mut report = Report::default();
    for folder in folders(root, program.run_in.as_deref(), changed) {
        let files = files(root, &folder, changed);
        let places = Places::new(root, &folder, changed);
        for batch in batches(&program.argv, &files) {
            report.append(run_once(program, started, levels, &folder, batch, &places).await?);
        }
    }
    Ok(report)
}

/// The outermost folders at or above changed files that hold a file `marker`; without a marker the root.
fn folders(root: &Path, marker: Option<&str>, changed: &Changed) -> Vec<PathBuf> {
    let Some(marker) = marker else { return vec![root.to_owned()] };
    let outermost = |path| {
        let above: Vec<&Path> = os_path(path).ancestors().skip(1).collect();
        above.into_iter().rev().map(|folder| root.join(folder)).find(|folder| folder.join(marker).is_file())
    };
    let mut folders: Vec<PathBuf> = changed.files().filter_map(outermost).collect();
    folders.sort();
    folders.dedup();
    folders
}

/// The changed files below `folder` as its programs may be given them: never read as an option, never a link that leads
/// elsewhere.
fn files(root: &Path, folder: &Path, changed: &Changed) -> Vec<OsString> {
    let is_file = |path: &PathBuf| path.symlink_metadata().is_ok_and(|found| found.is_file());
    let files = changed.files().map(|path| root.join(os_path(path))).filter(is_file);
    files
        .filter_map(|file| Some(Path::new(".").join(file.strip_prefix(folder).ok()?).into_os_string()))
        .collect()
}

/// `files` in as many parts as fit a command line; one empty part for a command that is not given files.
fn batches<'a>(argv: &[String], files: &'a [OsString]) -> Vec<&'a [OsString]> {
    if !argv.iter().any(|argument| argument == FILES) {
        return vec![&[]];
    }
    let mut batches = Vec::new();
    let (mut from, mut length) = (0, 0);
    for (at, file) in files.iter().enumerate() {
        if length + file.len() > LONGEST_ARGUMENTS {
            batches.push(&files[from..at]);
            (from, length) = (at, 0);
        }
        length += file.len() + 1;
    }
    if from < files.len() {
        batches.push(&files[from..]);
    }
    batches
}

async fn run_once(
    program: &AnalyserProgram,
    started: &Program,
    levels: Levels,
    folder: &Path,
    files: &[OsString],
    places: &Places<'_>,
) -> Result<Report, AskError> {
    let scratch = tempfile::tempdir().map_err(|error| AskError::transient(error.to_string()))?;
    let file = scratch.path().join("report");
    let arguments = arguments(&program.argv, files, &file);
    let mut ended = started.run(&arguments, folder, LONGEST_REPORT).await?;
    let is_written = program.argv.iter().any(|argument| argument.contains(REPORT));
    let text = if is_written { written(&file).await } else { Ok(std::mem::take(&mut ended.stdout)) };
    let report = text.and_then(|text| match program.format {
        ReportFormat::Sarif => log::read(&text, places, levels, None),
        ReportFormat::Cargo => cargo::read(&text, places, levels),
        ReportFormat::Shellcheck => shellcheck::read(&text, places, levels),
    });
    if !is_usable(ended.status, &program.finding_exits) {
        if let (Ok(_), Some(code), []) = (&report, ended.status.code(), &program.finding_exits[..]) {
            let hint =
                format!("there is a report; where this status means findings, set finding_exits = [{code}]");
            let words = [ended.last_words.as_str(), &hint];
            ended.last_words =
                words.into_iter().filter(|words| !words.is_empty()).collect::<Vec<_>>().join("; ");
        }
        return Err(ended.failed(started));
    }
    report.map_err(|reason| match ended.last_words.as_str() {
        "" => started.failed(&in_brief(&reason)),
        words => started.failed(&in_brief(&format!("{reason}; it says: {words}"))),
    })
}

async fn written(report: &Path) -> Result<String, String> {
    let wrote = tokio::fs::metadata(report).await.map_err(|_| "there is no report".to_owned())?;
    if wrote.len() > LONGEST_REPORT as u64 {
        return Err(format!("the report is longer than {} MiB", LONGEST_REPORT >> 20));
    }
    let text = tokio::fs::read(report).await.map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn arguments(argv: &[String], files: &[OsString], report: &Path) -> Vec<OsString> {
    let put = |argument: &String| match argument.as_str() {
        FILES => files.to_vec(),
        _ => vec![argument.replace(REPORT, &report.to_string_lossy()).into()],
    };
    argv.iter().skip(1).flat_map(put).collect()
}

fn is_usable(status: ExitStatus, finding_exits: &[i32]) -> bool {
    status.success() || status.code().is_some_and(|code| finding_exits.contains(&code))
}
