//! May this ship? The judging of a gauntlet's phases, without touching the world.
//!
//! Commands and requests are made by `probe` under the direction of `run`; what came of them is ordered, compared and
//! judged here.

pub mod assess;
pub mod carried;
pub mod conclude;
pub mod document;
pub mod engagement;
pub mod gap;
pub mod markdown;
pub mod parity;
pub mod program;
pub mod review;
pub mod smoke;
pub mod terminal;
mod words;

#[cfg(test)]
mod tests;
