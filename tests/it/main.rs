//! Integration tests: one binary, a module a subject.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests stop where something fails, and stand outside"
)]

mod agents;
mod architecture;
mod ask;
mod bad_input;
mod bounds;
mod browser;
mod bundle;
mod cases;
mod ci;
mod clients;
mod command;
mod context;
mod dispose;
mod end_to_end;
mod endpoints;
mod eval;
mod explain;
mod forge;
mod gate;
mod gauntlet;
mod git;
mod git_server;
mod guidance;
mod hostile;
mod invariance;
mod jobs;
mod keys;
mod lineage;
mod local_model;
mod markup;
mod mcp;
mod mock;
mod ops;
mod panel;
mod parity;
mod postgres;
mod probe;
mod provider;
mod published_schema;
mod relay;
mod reply;
mod reply_properties;
mod report;
mod rereview;
mod route;
mod sample_run;
mod sandbox;
mod serve;
mod setup;
mod smoke;
mod static_tools;
mod stats;
mod trust;
