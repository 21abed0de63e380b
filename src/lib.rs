//! Asks independent language models to review the same change, and tallies honestly where they agree.
//!
//! The modules stand in the order in which data flows through them; a module names only those above it.
//!
//! ```text
//! range ─ git ─▶ change ─ bundle ─▶ bundles ─ prompt ─▶ questions ─ run, provider ─▶ replies
//!                                                                                       │
//! text ◀─ report ─ tally ◀─ issues ◀─ tally ─ places ◀─ anchor ─ findings ◀─ reply ──────┘
//! ```
//!
//! `cli::review` puts them together: `prepare` goes as far as the questions, `perform` from there to the text.

/// This program's version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

// Values: what everything is about.
pub mod change;
pub mod conversation;
pub mod cost;
pub mod coverage;
pub mod digest;
pub mod disposition;
pub mod finding;
pub mod history;
pub mod job;
pub mod judgement;
pub mod proportion;
pub mod pull;
pub mod retry_after;
pub mod reviewer;
pub mod route;
pub mod secret;
pub mod survey;

// Stages: pure, each from one value to the next.
pub mod bundle;
pub mod estimate;
pub mod mask;
pub mod prompt;
pub mod reply;

pub mod anchor;
pub mod tally;

pub mod judge;

pub mod eval;
pub mod report;

pub mod post;

pub mod gauntlet;

// Means: machinery with tasks and time in it, which knows neither reviews nor providers.
pub mod coalesce;
pub mod process;

// Edges: the only code that touches the world. They never name one another.
pub mod clock;
pub mod config;
pub mod daemon;
pub mod forge;
pub mod git;
pub mod probe;
pub mod provider;
pub mod store;

// A run: plans, asks, and tells what happens as events; progress listens.
pub mod run;

pub mod progress;

// Faces.
pub mod cli;
pub mod serve;
