//! Runs a review: plans the tasks, asks all reviewers at once, tells what happens as events.
//!
//! [`execute`](executor::execute) is the heart. It never prints: whoever wants to show or count something listens
//! to [`RunEvent`](event::RunEvent).

pub mod event;
pub mod executor;
pub mod plan;
mod queue;
mod retry;
