//! Passes a caller's chat request on to an endpoint, and its answer back.

pub mod messages;
