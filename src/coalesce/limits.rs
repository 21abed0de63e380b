//! How much memory and time coalescing may take: [`Limits`].

use std::time::Duration;

/// How much memory and time coalescing may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Most bytes a flight holds while newcomers may join it, and most that it runs ahead of its slowest reader.
    pub flight_bytes: usize,
    /// Most bytes that all flights hold together, but for one chunk each.
    pub total_bytes: usize,
    /// Greatest age of a flight; its readers are told when it is reached.
    pub age: Duration,
    /// How long a reader may take nothing while others wait for room.
    pub stall: Duration,
    /// Finished answers.
    pub shelf: ShelfLimits,
}

impl Default for Limits {
    fn default() -> Self {
        let shelf = ShelfLimits { age: Duration::from_secs(30), bytes: 64 << 20, answer_bytes: 1 << 20 };
        Self {
            flight_bytes: 8 << 20,
            total_bytes: 64 << 20,
            age: Duration::from_mins(10),
            stall: Duration::from_secs(5),
            shelf,
        }
    }
}

/// How many finished answers are kept, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct ShelfLimits {
    /// How long a successful answer is kept; zero keeps nothing at all.
    pub age: Duration,
    /// Most bytes of all answers together.
    pub bytes: usize,
    /// Most bytes of one answer; a larger one is not kept.
    pub answer_bytes: usize,
}
