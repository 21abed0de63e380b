//! From a configuration entry to an [`Analyser`]: checks the keys that only static tools have.

use super::{ConfigError, file, invocation, panel::wrong};
use crate::{
    finding::Severity,
    reviewer::{Analyser, AnalyserProgram, Levels, ReportFormat, ReportSource},
};

/// The analyser that `entry` describes.
pub(super) fn analyser(entry: &file::Reviewer) -> Result<Analyser, ConfigError> {
    Ok(Analyser {
        source: source(entry)?,
        paths: entry.paths.clone(),
        levels: levels(entry.levels.unwrap_or_default()),
        runs_repository_code: entry.runs_repository_code,
    })
}

/// Keys that mean nothing to other providers, and whether `entry` has them.
pub(super) fn keys(entry: &file::Reviewer) -> [(&'static str, bool); 8] {
    [
        ("report", entry.report.is_some()),
        ("format", entry.format.is_some()),
        ("paths", !entry.paths.is_empty()),
        ("finding_exits", !entry.finding_exits.is_empty()),
        ("run_in", entry.run_in.is_some()),
        ("tree", entry.tree.is_some()),
        ("levels", entry.levels.is_some()),
        ("runs_repository_code", entry.runs_repository_code),
    ]
}

fn source(entry: &file::Reviewer) -> Result<ReportSource, ConfigError> {
    match (&entry.command, &entry.report) {
        (Some(_), Some(_)) => Err(wrong(&entry.id, "takes a `command` or a `report`, not both")),
        (None, None) => Err(wrong(
            &entry.id,
            "needs a `command` that writes SARIF, or the SARIF file of an earlier run as `report`",
        )),
        (None, Some(_)) if entry.format.is_some_and(|format| format != ReportFormat::Sarif) => {
            Err(wrong(&entry.id, "a saved `report` must be SARIF"))
        }
        (None, Some(file)) => Ok(ReportSource::File(file.clone())),
        (Some(argv), None) if argv.first().is_none_or(String::is_empty) => {
            Err(wrong(&entry.id, "the `command` is empty"))
        }
        (Some(argv), None) => Ok(ReportSource::Program(AnalyserProgram {
            argv: argv.clone(),
            env: entry.env.clone(),
            pass_env: invocation::pass_env(entry)?,
            format: entry.format.unwrap_or_default(),
            finding_exits: entry.finding_exits.clone(),
            run_in: entry.run_in.clone(),
            tree: entry.tree.unwrap_or_default(),
        })),
    }
}

fn levels(words: file::Levels) -> Levels {
    let usual = Levels::default();
    let or = |word: Option<file::SeverityWord>, usual| word.map_or(usual, severity);
    Levels {
        error: or(words.error, usual.error),
        warning: or(words.warning, usual.warning),
        note: or(words.note, usual.note),
    }
}

fn severity(word: file::SeverityWord) -> Severity {
    match word {
        file::SeverityWord::Block => Severity::Block,
        file::SeverityWord::Warn => Severity::Warn,
        file::SeverityWord::Info => Severity::Info,
    }
}
