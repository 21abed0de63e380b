//! Integration tests: one binary, a module a subject.

mod architecture;
mod bad_input;
mod bundle;
mod cases;
mod git;
mod reply;
mod report;
mod sandbox;
