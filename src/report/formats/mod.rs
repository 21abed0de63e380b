//! Shows a [`Tally`](crate::tally::Tally) in the forms that other programs read: code scanning, review bots, build servers.
//!
//! What each form keeps and what it has no room for is in `docs/design/formats.md`. What is said of an issue is in `plain`, of
//! what was not read in [`notice`]: a partial review must look partial in every form. Nothing foreign is markup here.

pub mod annotations;
pub mod brief;
pub mod checkstyle;
pub mod codequality;
pub mod junit;
pub mod notice;
mod plain;
pub mod rdjson;
pub mod sarif;
pub(crate) mod suites;
mod xml;
