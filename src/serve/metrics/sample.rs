//! One request as it is remembered: [`Sample`], small, since ten thousand are kept.

use std::{sync::Arc, time::Duration};

use super::flight::Record;
use crate::coalesce::{Role, Skip};

/// How a request got its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Coalesced {
    /// By itself, and whoever joined it.
    Leader,
    /// Together with another one.
    Follower,
    /// It was there.
    Cache,
    /// By itself alone.
    Skipped(Skip),
}

impl From<Role> for Coalesced {
    fn from(role: Role) -> Self {
        match role {
            Role::Leader => Self::Leader,
            Role::Follower => Self::Follower,
            Role::Cache => Self::Cache,
        }
    }
}

impl Coalesced {
    /// As metrics name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Leader => Role::Leader.name(),
            Self::Follower => Role::Follower.name(),
            Self::Cache => Role::Cache.name(),
            Self::Skipped(_) => "skipped",
        }
    }

    /// Whether a provider is to be called for it.
    pub(super) fn begins_a_flight(self) -> bool {
        match self {
            Self::Leader | Self::Skipped(_) => true,
            Self::Follower | Self::Cache => false,
        }
    }
}

/// What became of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// All of it was passed on.
    Whole,
    /// It broke off.
    Broken,
    /// The client was gone before.
    Left,
}

/// Status of requests whose client left before there was one, as nginx has it.
pub(super) const CLIENT_LEFT: u16 = 499;

/// One request that has ended.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    /// `None`: it was turned away before.
    pub(super) coalesced: Option<Coalesced>,
    pub(super) status: u16,
    pub(super) ending: Ending,
    pub(super) latency: Span,
    pub(super) queue_wait: Option<Span>,
    pub(super) first_token: Option<Span>,
    /// Of the flight that was begun for it.
    pub(super) record: Option<Arc<Record>>,
}

impl Sample {
    /// Whether something went wrong that is not the client's leaving.
    pub(super) fn is_error(&self) -> bool {
        match self.ending {
            Ending::Left => false,
            Ending::Broken => true,
            Ending::Whole => self.status >= 400,
        }
    }
}

/// Microseconds, up to 71 minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Span(u32);

impl Span {
    pub(super) fn milliseconds(self) -> f64 {
        f64::from(self.0) / 1e3
    }

    pub(super) fn seconds(self) -> f64 {
        f64::from(self.0) / 1e6
    }
}

impl From<Duration> for Span {
    fn from(duration: Duration) -> Self {
        Self(u32::try_from(duration.as_micros()).unwrap_or(u32::MAX))
    }
}
