//! How a static analyser is run and how bad its findings are: [`Analyser`]. Running it and reading its report is
//! `provider`'s work.

use std::{collections::BTreeMap, path::PathBuf};

use serde::Deserialize;

use crate::finding::Severity;

/// A static analyser: where its report comes from and how it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Analyser {
    /// Where the report comes from.
    pub source: ReportSource,
    /// Globs of the changed files it is about, as in `[[component]] paths`; empty for all.
    pub paths: Vec<String>,
    /// How bad a finding of each of its levels is.
    pub levels: Levels,
    /// Whether it runs what stands in the repository: plugins, build scripts, configuration that is a program. On a
    /// stranger's change that is the stranger's code.
    pub runs_repository_code: bool,
}

/// Where a report of findings comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReportSource {
    /// A program that is run.
    Program(AnalyserProgram),
    /// A SARIF file that is there already.
    File(PathBuf),
}

/// How a static analyser is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnalyserProgram {
    /// Program and arguments; never passed through a shell. `{files}` stands for the changed files, each an argument,
    /// `{report}` for a temporary file that is read in place of stdout.
    pub argv: Vec<String>,
    /// Variables set for the program.
    pub env: BTreeMap<String, String>,
    /// Variables passed on where they are set, as in [`Invocation::pass_env`](super::Invocation::pass_env).
    pub pass_env: Vec<String>,
    /// The form of its report.
    pub format: ReportFormat,
    /// Exit statuses besides 0 that only say that there are findings.
    pub finding_exits: Vec<i32>,
    /// A file name: it runs in each outermost folder at or above a changed file that holds such a file; `None` runs it
    /// at the root.
    pub run_in: Option<String>,
    /// Which files it sees.
    pub tree: Tree,
}

/// The form of a static analyser's report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReportFormat {
    /// SARIF 2.1.
    #[default]
    Sarif,
    /// `cargo --message-format=json`.
    Cargo,
    /// `shellcheck --format=json1`.
    Shellcheck,
}

/// Which files a static analyser sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tree {
    /// The work tree where it holds the new side of the change, else an export of the new side.
    #[default]
    Any,
    /// Only the work tree: it needs what is not under version control, such as installed packages.
    Work,
    /// Only an export, because it looks at all files it finds.
    Export,
}

/// How bad findings of a static analyser's levels are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Levels {
    /// SARIF's `error`.
    pub error: Severity,
    /// SARIF's `warning`.
    pub warning: Severity,
    /// SARIF's `note`.
    pub note: Severity,
}

impl Default for Levels {
    fn default() -> Self {
        Self { error: Severity::Block, warning: Severity::Warn, note: Severity::Info }
    }
}
