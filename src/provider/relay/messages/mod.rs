//! Chat completions in the words of Anthropic's Messages API: [`request()`] there; [`completion`], [`Translator`] and
//! [`problem()`] back. Pure.
//!
//! What has a counterpart is translated, what changes nothing in the answer is left out, what would change it is refused by
//! name ([`Untranslatable`]), and what is unknown goes through untouched, so the API's own parameters work too. Where a
//! request goes, and whether it is made again, is not decided here.

mod events;
mod problem;
mod reply;
mod request;
mod stream;
#[cfg(test)]
mod tests;
mod tools;
mod turns;

use events::TooLong;
pub use problem::problem;
pub use reply::completion;
pub use request::request;
pub use stream::Translator;

/// A request that cannot be said in the words of the Messages API.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Untranslatable {
    /// The parameter, such as `seed` or `messages[2].role`; empty when it is the body itself.
    pub parameter: String,
    /// For the caller; repeats nothing of the request but names of parameters.
    pub reason: String,
}

impl Untranslatable {
    /// `fault` follows the name in the sentence.
    fn new(parameter: impl Into<String>, fault: &str) -> Self {
        let parameter = parameter.into();
        let subject = if parameter.is_empty() { "the body" } else { &parameter };
        Self { reason: format!("{subject} {fault}"), parameter }
    }

    fn no_counterpart(parameter: impl Into<String>) -> Self {
        Self::new(parameter, "has no counterpart in Anthropic's Messages API")
    }
}

/// An answer that is none, or not a whole one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is not what the API answers with.
    #[error("the provider's answer is not a message of Anthropic's API: {0}")]
    Strange(String),
    /// One event is longer than anybody sends.
    #[error("the provider sent an event of more than {} MB", .0 >> 20)]
    TooLong(usize),
    /// A stream that ended too early.
    #[error("the provider ended the stream before the answer was whole")]
    Unfinished,
    /// The provider said so itself; its words have been passed on.
    #[error("the provider reported an error in the middle of its answer")]
    Reported,
}

impl From<serde_json::Error> for Unreadable {
    fn from(error: serde_json::Error) -> Self {
        Self::Strange(error.to_string())
    }
}

impl From<TooLong> for Unreadable {
    fn from(TooLong(limit): TooLong) -> Self {
        Self::TooLong(limit)
    }
}
