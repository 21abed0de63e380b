//! How requests were answered: [`Role`] of each, [`Counts`] of all; and what coalescing holds now, its [`Usage`].

use std::collections::BTreeMap;

use super::Skip;

/// How one request got its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It was the first: the provider was called for it.
    Leader,
    /// It shares a call that was under way.
    Follower,
    /// The answer was there already.
    Cache,
}

impl Role {
    /// As callers are told.
    pub fn name(self) -> &'static str {
        match self {
            Self::Leader => "leader",
            Self::Follower => "follower",
            Self::Cache => "cache",
        }
    }
}

/// How many requests were answered how, since the start. Every request is in exactly one number.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts {
    /// Flights begun: calls of providers, not counting a flight's own retries.
    pub leaders: u64,
    /// Requests that joined a flight.
    pub followers: u64,
    /// Requests answered from the shelf.
    pub hits: u64,
    /// Requests that were not coalesced, by the reason.
    pub skipped: BTreeMap<Skip, u64>,
}

impl Counts {
    /// All requests.
    pub fn requests(&self) -> u64 {
        self.leaders + self.followers + self.hits + self.skipped.values().sum::<u64>()
    }

    pub(super) fn joined(&mut self, role: Role) {
        *match role {
            Role::Leader => &mut self.leaders,
            Role::Follower => &mut self.followers,
            Role::Cache => &mut self.hits,
        } += 1;
    }

    pub(super) fn skipped(&mut self, reason: Skip) {
        *self.skipped.entry(reason).or_default() += 1;
    }
}

/// What coalescing holds at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Flights that newcomers may join.
    pub flights: usize,
    /// Bytes that all flights hold.
    pub flight_bytes: usize,
    /// Answers on the shelf; those that expired may be among them until others need their place.
    pub answers: usize,
    /// Bytes of the answers on the shelf.
    pub answer_bytes: usize,
}
