//! What is told of waiting for a server: [`Wait`], handed to [`OnWait`] when it begins.
//!
//! When to wait is decided by the client alone, and whoever listens words it.

use std::{sync::Arc, time::Duration};

/// Hears of each wait that is long enough to wonder about.
pub type OnWait = Arc<dyn Fn(&Wait) + Send + Sync>;

/// Why nothing goes on for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// Host of the server.
    pub server: String,
    /// What is waited for.
    pub cause: Cause,
}

/// What is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// The answer to a request that was sent. Told once for all requests to a server.
    Answer,
    /// The next attempt, as the last one failed for this reason. Told once a request.
    Failed(String),
    /// The end of a limit.
    Limited {
        /// Whether it is GitHub's limit of changes in a short time.
        is_secondary: bool,
        /// Until then.
        pause: Duration,
    },
}

/// For whoever does not want to know.
pub fn in_silence() -> OnWait {
    Arc::new(|_| ())
}
