//! The guard: [`judge`] judges a bundle by the bytes of its diff.
//!
//! What to do about one that is too large is worded in `report::sizes`. Nothing here stops a run.

use super::{Guard, Limits};

/// The guard's word on `bytes` of diff. A bundle of exactly a limit's size is still within it.
pub(super) fn judge(bytes: usize, limits: &Limits, force: bool) -> Guard {
    if bytes > limits.fail_bytes {
        if force { Guard::Forced } else { Guard::Oversize }
    } else if bytes > limits.warn_bytes {
        Guard::Warn
    } else {
        Guard::Ok
    }
}

impl Guard {
    /// Every word the guard can say.
    pub const ALL: [Self; 4] = [Self::Ok, Self::Warn, Self::Oversize, Self::Forced];

    /// The word used in manifests and tallies; an oversize bundle that was not forced is never in a tally.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Oversize => "oversize",
            Self::Forced => "forced",
        }
    }
}
