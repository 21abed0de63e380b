//! Integration tests: one binary, a module a subject.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests stop where something fails, and stand outside"
)]

mod architecture;
mod bad_input;
mod bundle;
mod cases;
mod command;
mod dispose;
mod end_to_end;
mod endpoints;
mod eval;
mod explain;
mod git;
mod guidance;
mod invariance;
mod lineage;
mod mock;
mod panel;
mod provider;
mod reply;
mod reply_properties;
mod report;
mod route;
mod sample_run;
mod sandbox;
mod stats;
mod trust;
