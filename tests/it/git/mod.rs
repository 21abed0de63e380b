//! Reading changes: against what the `git` program says about the same repositories.
#![expect(
    clippy::disallowed_methods,
    reason = "tests build repositories with the git program and read their own files"
)]

mod fixture;
mod special;
