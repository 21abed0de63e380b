//! Integration tests: one binary, a module a subject.

mod command;
mod mock;
mod panel;
mod provider;
