//! The same cases put to several sides, and whether their answers are the same: a [`Spec`] says what is asked, [`judge`] compares what was
//! answered, a [`Report`] gathers it.
//!
//! Nothing is asked here: `run::parity` does that, through `probe`.

mod answer;
mod body;
mod compare;
mod json;
mod leaves;
mod markdown;
mod number;
mod pointer;
pub mod recording;
mod report;
mod rule;
mod shape;
mod table;
mod verdict;
pub mod wire;

use std::{collections::BTreeMap, num::NonZeroUsize, path::PathBuf, time::Duration};

pub use answer::{Answer, Heard, Silence, SilenceKind, Status, Written};
pub use markdown::markdown;
pub use pointer::{BadPointer, Pointer};
pub use report::{Cause, Report, Standing, causal};
pub use rule::{Replacement, Rule, Tolerance};
pub use shape::{Difference, Form, Kind, Part, Restructuring, Shape, Tag, Which};
pub use table::table;
pub use verdict::{Compared, Side, Verdict, judge};

use super::program::{Program, Service};

/// What is asked of whom, and what counts as the same.
#[derive(Debug, Clone)]
pub struct Spec {
    /// Its name in reports and in the register of gaps.
    pub name: String,
    /// Two or more, of distinct names; the first is the one that others are compared with.
    pub sides: Vec<Target>,
    /// Started before anybody is asked, and stopped in the end.
    pub services: Vec<Service>,
    /// One or more, of distinct names.
    pub cases: Vec<Case>,
    /// What counts as the same.
    pub rule: Rule,
    /// Cases under way at once.
    pub concurrency: NonZeroUsize,
}

/// A side, and how it is asked.
#[derive(Debug, Clone)]
pub struct Target {
    /// Its name.
    pub name: String,
    /// How.
    pub access: Access,
    /// Longest time for one answer, where a case says no other.
    pub timeout: Duration,
}

/// How a side is asked.
#[derive(Debug, Clone)]
pub enum Access {
    /// By HTTP.
    Http {
        /// Where paths of cases begin, without a slash at the end.
        url: String,
        /// Sent with every case, over its own headers.
        headers: Vec<(String, String)>,
    },
    /// As a program that reads the case's body.
    Command {
        /// What is started for each case.
        program: Program,
        /// Globs, below its folder, of files it writes that are compared too.
        files: Vec<String>,
    },
    /// Not at all: these are its answers, by case.
    Recorded {
        /// Where they were read.
        file: PathBuf,
        /// What it said.
        answers: BTreeMap<String, Answer>,
    },
}

/// One thing that every side is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Its name.
    pub name: String,
    /// Of HTTP.
    pub method: String,
    /// Behind the side's address: empty, or beginning with `/` or `?`.
    pub path: String,
    /// Of the request.
    pub headers: Vec<(String, String)>,
    /// Of the request, or standard input.
    pub body: Option<Vec<u8>>,
    /// Longest time for one answer.
    pub timeout: Option<Duration>,
    /// Answers without content, or a failure of all sides, are what is asked for here.
    pub allow_empty: bool,
}

impl Access {
    /// Where that is, for people.
    pub fn address(&self) -> String {
        match self {
            Self::Http { url, .. } => url.clone(),
            Self::Command { program, .. } => program.argv.join(" "),
            Self::Recorded { file, .. } => format!("recorded in {}", file.display()),
        }
    }
}
