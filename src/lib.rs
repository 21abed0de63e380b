//! Asks independent language models to review the same change, and tallies honestly where they agree.

/// This program's version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

pub mod change;
pub mod coverage;
pub mod digest;
pub mod finding;
pub mod history;
pub mod reviewer;

pub mod anchor;
pub mod bundle;
pub mod prompt;
pub mod reply;
pub mod report;
pub mod tally;

pub mod clock;
pub mod config;
pub mod git;
pub mod provider;
pub mod store;

pub mod progress;
pub mod run;

pub mod cli;
