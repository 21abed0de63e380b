//! Integration tests: one binary, a module a subject.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests stop where something fails, and stand outside"
)]

mod command;
mod mock;
mod panel;
mod provider;
