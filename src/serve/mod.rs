//! The HTTP face.

pub mod metrics;
