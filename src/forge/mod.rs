//! The servers where pull requests live: [`Forge`] is what `scrum` asks of one.
//!
//! One file a platform, each turning its API into the values of [`pull`](crate::pull); `client` carries requests for all. What to
//! say is decided elsewhere, and nothing that anybody wrote on a pull request decides where a request goes.

pub mod address;
mod any;
mod client;
pub mod gitea;
pub mod github;
pub mod gitlab;
pub mod waiting;

use std::time::Duration;

use secrecy::SecretString;

pub use any::AnyForge;

use crate::{
    pull::{Address, Comment, CommitStatus, Placed, PullRequest, Remark, Thread},
    report::words,
};

/// How much a platform takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most characters of one comment.
    pub comment: usize,
    /// Most remarks in one request.
    pub batch: usize,
}

/// A token, and where it came from. `Debug` does not show it.
#[derive(Debug, Clone)]
pub struct Token {
    /// The variable it came from, for error messages.
    pub variable: String,
    /// The token; white space around it does not count.
    pub secret: SecretString,
}

/// What opens a server. Without a token only what is public can be read.
#[derive(Debug, Clone)]
pub struct Credential {
    /// The token, where one was found.
    pub token: Option<Token>,
    /// The variables that were looked at, for error messages; none where nobody says that a token is for the server.
    pub variables: Vec<String>,
}

/// A pull request on its platform, seen by the account that the token belongs to.
///
/// Requests follow one another. Every method may fail with a [`ForgeError`] that says what to do; what was done until then stays.
pub trait Forge {
    /// Where it is.
    fn address(&self) -> &Address;

    /// How much the platform takes.
    fn limits(&self) -> Limits;

    /// Its facts as of now.
    fn pull(&self) -> impl Future<Output = Result<PullRequest, ForgeError>> + Send;

    /// The whole conversation, oldest first.
    fn comments(&self) -> impl Future<Output = Result<Vec<Comment>, ForgeError>> + Send;

    /// All threads at lines of the diff, oldest first.
    fn threads(&self) -> impl Future<Output = Result<Vec<Thread>, ForgeError>> + Send;

    /// Adds a comment to the conversation.
    fn comment(&self, body: &str) -> impl Future<Output = Result<Comment, ForgeError>> + Send;

    /// Replaces the text of a comment of ours.
    fn edit(&self, id: &str, body: &str) -> impl Future<Output = Result<(), ForgeError>> + Send;

    /// Takes a comment of ours out of the conversation.
    fn delete(&self, id: &str) -> impl Future<Output = Result<(), ForgeError>> + Send;

    /// Makes comments at lines of the diff between `pull`'s base and head; one answer for each of `remarks`, in their order. One that is
    /// refused does not keep the others away.
    fn remark(
        &self,
        pull: &PullRequest,
        remarks: &[Remark],
    ) -> impl Future<Output = Result<Vec<Placed>, ForgeError>> + Send;

    /// Takes a thread of ours that nobody answered out of sight: resolved where the platform can, else deleted.
    fn retire(&self, thread: &Thread) -> impl Future<Output = Result<(), ForgeError>> + Send;

    /// Whether an account may push to the repository.
    fn may_write(&self, login: &str) -> impl Future<Output = Result<bool, ForgeError>> + Send;

    /// Puts a status on a commit.
    fn set_status(&self, status: &CommitStatus) -> impl Future<Output = Result<(), ForgeError>> + Send;
}

/// What to do about a missing token, behind the words that it is missing.
fn to_set(variables: &[String]) -> String {
    if variables.is_empty() { String::new() } else { format!(": set {}", variables.join(" or ")) }
}

/// Two runs at once may both take the same thing away.
fn gone(done: Result<serde_json::Value, ForgeError>) -> Result<(), ForgeError> {
    match done {
        Ok(_) | Err(ForgeError::NotFound { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Whether `remark` is among `threads`: told after a request that may have made it without saying so.
fn stands(remark: &Remark, threads: &[Thread]) -> bool {
    threads.iter().any(|thread| thread.first.is_ours && thread.first.body.trim() == remark.body.trim())
}

/// A platform that does not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ForgeError {
    /// No variable with a token is set.
    #[error("no token for {server}{}", to_set(variables))]
    NoToken {
        /// Host of the server.
        server: String,
        /// Variables that are looked at; none where nobody says that a token is for this server.
        variables: Vec<String>,
    },
    /// The token is wrong or has expired.
    #[error("{server} does not accept the token in {variable}: {reason}")]
    BadToken {
        /// Host of the server.
        server: String,
        /// The variable the token came from.
        variable: String,
        /// What it says.
        reason: String,
    },
    /// The token is good but may not do this.
    #[error("the token in {variable} may not {action}: {reason}")]
    Forbidden {
        /// The variable the token came from.
        variable: String,
        /// What was tried: `comment on acme/shop#5`.
        action: String,
        /// What a token needs for changes there: "`statuses: write`".
        right: &'static str,
        /// What the server says.
        reason: String,
    },
    /// There is no such thing, or the token may not see it.
    #[error("{what} is not there, or {access}")]
    NotFound {
        /// What was asked for: `acme/shop#5`.
        what: String,
        /// Why it may be hidden: `the token in GITHUB_TOKEN may not see it`.
        access: String,
    },
    /// The repository has another name now.
    #[error("{old} is called {new} now")]
    Renamed {
        /// As asked for.
        old: String,
        /// As it is.
        new: String,
    },
    /// Too many requests, for longer than it is worth waiting.
    #[error("{server} allows no more requests for {}: {reason}", words::span(*pause))]
    Limited {
        /// Host of the server.
        server: String,
        /// Until it does.
        pause: Duration,
        /// What it says.
        reason: String,
    },
    /// The server does not take what was sent.
    #[error("{server} refused to {action}: {reason}")]
    Refused {
        /// Host of the server.
        server: String,
        /// What was tried.
        action: String,
        /// What it says.
        reason: String,
    },
    /// No answer, or none that can be read.
    #[error("cannot {action} at {server}: {reason}")]
    Unreachable {
        /// Host of the server.
        server: String,
        /// What was tried.
        action: String,
        /// Why.
        reason: String,
    },
}
