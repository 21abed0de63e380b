//! TBD.

pub mod history;
