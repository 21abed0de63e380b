//! The smoke chain: named checks by layer, the [`Chain`] as it is declared and the [`Smoke`] that came of it.
//!
//! [`board`] says what may run now, [`judge`] whether a check passed; `summary`, `table`, `markdown`, `wire` (JSON) and
//! `junit` tell it. Running anything is left to `run`.

pub mod board;
pub mod files;
pub mod judge;
pub mod junit;
pub mod log;
pub mod markdown;
pub mod order;
pub mod summary;
pub mod table;
pub mod wire;

use std::{num::NonZeroUsize, time::Duration};

use http::{HeaderMap, Method};
use regex::Regex;
use url::Url;

use super::program::{How, Program, Service};

/// A chain as it is declared: names are unique, needs are there and end, all has been checked.
#[derive(Debug, Clone)]
pub struct Chain {
    /// What must run while checks do.
    pub services: Vec<Service>,
    /// In order of declaration.
    pub checks: Vec<Check>,
    /// What happens when a check fails that does not say it itself.
    pub on_failure: OnFailure,
    /// Most checks under way at once.
    pub concurrency: NonZeroUsize,
}

/// What happens to the rest of the chain when a check fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnFailure {
    /// All that does not need it goes on.
    #[default]
    Continue,
    /// Nothing more is begun.
    Stop,
}

/// One check.
#[derive(Debug, Clone)]
pub struct Check {
    /// Unique.
    pub name: String,
    /// By which it is summed up.
    pub layer: String,
    /// What is done.
    pub action: Action,
    /// How long it may take.
    pub timeout: Duration,
    /// What its output must show; in an HTTP answer its body.
    pub expect_output: Option<Regex>,
    /// Names of checks that must have passed and services that must be ready.
    pub needs: Vec<String>,
    /// Whether it may run beside others.
    pub parallel: bool,
    /// What happens when it fails; as the chain says when `None`.
    pub on_failure: Option<OnFailure>,
}

/// What a check does.
#[derive(Debug, Clone)]
pub enum Action {
    /// Runs a program that must end with this exit status.
    Command {
        /// The program.
        program: Program,
        /// 0 unless declared otherwise.
        expect_status: i32,
    },
    /// Makes a request that must be answered with this status, or any 2xx.
    Http {
        /// The request.
        request: Request,
        /// `None` is any 2xx.
        expect_status: Option<u16>,
    },
}

/// An HTTP request.
#[derive(Debug, Clone)]
pub struct Request {
    /// `GET` unless declared otherwise.
    pub method: Method,
    /// Where to.
    pub url: Url,
    /// What is said beside what HTTP needs.
    pub headers: HeaderMap,
    /// What is sent.
    pub body: Vec<u8>,
}

/// What was seen of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// A program ended.
    Ended {
        /// How.
        how: How,
        /// What it printed.
        stdout: String,
        /// What it complained.
        stderr: String,
    },
    /// A server answered.
    Answered {
        /// HTTP's status.
        status: u16,
        /// What it answered.
        body: String,
    },
    /// It could not be done; why.
    NotDone(String),
    /// Its time was over before there was an answer.
    TimedOut,
    /// We were asked to end.
    Interrupted,
}

/// What came of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Smoke {
    /// RFC 3339.
    pub started_at: String,
    /// From the first start to the last end.
    pub took: Duration,
    /// In order of declaration.
    pub checks: Vec<Checked>,
    /// In order of declaration; those that nobody came to need are left out.
    pub services: Vec<Served>,
    /// Whether it was ended before its end.
    pub interrupted: bool,
}

/// What came of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Its name.
    pub name: String,
    /// Its layer.
    pub layer: String,
    /// What came of it.
    pub result: CheckResult,
    /// From its start to its end.
    pub took: Duration,
    /// The file with all it printed, from the folder of the run.
    pub output: Option<String>,
}

/// How a check ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckResult {
    /// All was as expected.
    Passed,
    /// It was not; what was seen instead.
    Failed(String),
    /// It was not done; why.
    Skipped(String),
}

impl CheckResult {
    /// As it is told and stored.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed(_) => "failed",
            Self::Skipped(_) => "skipped",
        }
    }

    /// What was seen instead, or why it was not done.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Passed => None,
            Self::Failed(reason) | Self::Skipped(reason) => Some(reason),
        }
    }
}

/// What came of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// Its name.
    pub name: String,
    /// What came of it.
    pub result: ServiceResult,
    /// From its start until it was ready, or was given up.
    pub took: Duration,
    /// The file with all it printed, from the folder of the run.
    pub output: Option<String>,
}

/// How a service fared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServiceResult {
    /// It ran until it was stopped.
    Stopped,
    /// It never was ready; why.
    NotReady(String),
    /// It ended while it was needed; how.
    Died(String),
}

/// What a chain says about whether this may ship.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Every check passed.
    Pass,
    /// A check failed, or a service died.
    Fail,
    /// Nothing failed, and not all could be done.
    Inconclusive,
}

impl Smoke {
    /// What it comes to.
    pub fn verdict(&self) -> Verdict {
        let failed = self.checks.iter().any(|check| matches!(check.result, CheckResult::Failed(_)));
        let died = self.services.iter().any(|service| matches!(service.result, ServiceResult::Died(_)));
        let all = self.checks.iter().all(|check| check.result == CheckResult::Passed);
        match (failed || died, all && !self.interrupted) {
            (true, _) => Verdict::Fail,
            (false, true) => Verdict::Pass,
            (false, false) => Verdict::Inconclusive,
        }
    }
}

#[cfg(test)]
mod tests;
