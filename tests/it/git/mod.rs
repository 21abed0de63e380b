//! Reading changes: against what the `git` program says about the same repositories.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests build repositories with the git program and read their own files"
)]

mod diff_text;
mod errors;
mod fixture;
mod libgit2_diffs;
mod mirror;
mod properties;
mod ranges;
mod special;
