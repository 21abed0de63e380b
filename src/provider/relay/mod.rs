//! Passes a caller's chat request on to an endpoint, and its answer back as the bytes that come.

mod watch;

pub use watch::Watch;

/// Why an answer is not whole. Its words name no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Torn {
    /// The stream ended too early.
    #[error("the provider ended the stream before the answer was whole")]
    Unfinished,
    /// The provider reported an error inside its answer, which has been passed on.
    #[error("the provider reported an error in the middle of its answer")]
    Reported,
}
