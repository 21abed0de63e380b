//! Runs a review: plans the tasks, asks all reviewers at once, tells what happens as events.
//!
//! [`execute`](executor::execute) is the heart. It never prints: whoever wants to show or count something listens
//! to [`RunEvent`](event::RunEvent).

pub(crate) mod allowance;
pub mod asking;
mod attempt;
pub mod bounds;
mod breaker;
pub mod budget;
pub mod checkup;
pub mod conversation;
pub mod event;
pub mod executor;
pub mod judging;
pub mod offline;
pub mod parity;
pub mod plan;
pub mod posting;
pub mod probe;
mod queue;
pub mod recall;
mod record;
pub mod respondent;
pub mod retry;
pub mod review;
pub mod routing;
pub mod saved;
mod saving;
pub mod smoke;
pub mod survey;
pub mod tree;
pub mod whereabouts;
mod work;

use jiff::Timestamp;

/// A run's id: its start in UTC to the millisecond, and six digits of its nonce. Ids sort by time.
pub fn run_id(started: Timestamp, nonce: &str) -> String {
    let digits: String = nonce.chars().take(6).collect();
    format!("{}-{digits}", started.strftime("%Y%m%d-%H%M%S%3f"))
}

/// A moment as records write it: RFC 3339, UTC, to the second.
pub fn timestamp(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
