//! The ways to ask a reviewer; a file each.
//!
//! [`Provider`] makes one attempt at one question. Retries, timeouts and concurrency belong to `run`.

mod anthropic;
pub mod builtin;
pub mod command;
pub mod discovery;
pub mod draft;
pub mod endpoint;
mod openai;
pub mod relay;
mod remark;
pub mod replay;
pub mod sarif;

use std::{fmt, sync::Arc, time::Duration};

use secrecy::SecretString;

use crate::{
    bundle::Bundle,
    coverage::Spent,
    prompt::Prompt,
    report::words,
    reviewer::{Access, Builtin, Reviewer},
    secret::Keys,
};
pub use command::Surroundings;
pub use draft::Draft;
use endpoint::{Endpoint, HttpClients, Protocol, Way};

/// One question: a bundle put to a reviewer.
#[derive(Debug, Clone)]
pub struct Question {
    /// What is reviewed.
    pub bundle: Arc<Bundle>,
    /// What to send.
    pub prompt: Prompt,
    /// The run's nonce, which an answer's `END` line repeats.
    pub nonce: Arc<str>,
}

/// Which answers to a question will do, where a gateway stands before the model that gives one answer to all who ask the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sample {
    /// Any, also one that was given to somebody else.
    #[default]
    Any,
    /// One that nobody else gets.
    Own,
}

/// A reply, whole or as far as it came.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answer {
    /// Text, verbatim.
    pub text: String,
    /// Why the text ends.
    pub end: End,
    /// Prompt tokens as the provider counted them.
    pub tokens_in: Option<u64>,
    /// Those of `tokens_in` that came from the provider's cache, which cost less.
    pub tokens_cached: Option<u64>,
    /// Those of `tokens_in` that the provider put into its cache, which may cost more.
    pub tokens_cache_written: Option<u64>,
    /// Answer tokens as the provider counted them.
    pub tokens_out: Option<u64>,
    /// Price in US dollars as the provider told it.
    pub cost_usd: Option<f64>,
    /// What a reader should know of how it was asked for, such as a setting that was left out.
    pub remark: Option<String>,
}

impl Answer {
    /// The same answer, with what an earlier request for it took as well.
    #[must_use]
    fn after(self, earlier: &Self) -> Self {
        let both = |now: Option<u64>, before: Option<u64>| match (now, before) {
            (Some(now), Some(before)) => Some(now + before),
            (now, before) => now.or(before),
        };
        let cost = [self.cost_usd, earlier.cost_usd].into_iter().flatten().reduce(|now, before| now + before);
        Self {
            tokens_in: both(self.tokens_in, earlier.tokens_in),
            tokens_cached: both(self.tokens_cached, earlier.tokens_cached),
            tokens_cache_written: both(self.tokens_cache_written, earlier.tokens_cache_written),
            tokens_out: both(self.tokens_out, earlier.tokens_out),
            cost_usd: cost,
            ..self
        }
    }
}

impl Answer {
    /// What it took, as far as the provider told.
    pub fn spent(&self) -> Spent {
        let Self { tokens_in, tokens_cached, tokens_cache_written, tokens_out, cost_usd, .. } = *self;
        Spent { tokens_in, tokens_cached, tokens_cache_written, tokens_out, cost_usd }
    }
}

/// Why an answer's text ends.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum End {
    /// The reviewer had finished.
    #[default]
    Stop,
    /// Cut off by a limit; the provider's word for it.
    Cut(String),
}

/// An attempt that gave no whole answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// Worth another attempt: 5xx, a lost connection.
    #[error("{reason}")]
    Transient {
        /// For people; never holds a key.
        reason: String,
        /// How long the provider asks to wait.
        retry_after: Option<Duration>,
        /// Text that had come before.
        partial: String,
    },
    /// Too much at a time: 429. Worth another attempt, and the provider is in order.
    #[error("{reason}")]
    Busy {
        /// For people; never holds a key.
        reason: String,
        /// How long the provider asks to wait.
        retry_after: Option<Duration>,
    },
    /// Nobody there, or nobody let in: no connection, 401, a model that is gone, a program that is not installed. Whatever the
    /// question, only somebody else can answer it now.
    #[error("{reason}")]
    Unavailable {
        /// For people; never holds a key.
        reason: String,
        /// Whether another attempt may go better.
        for_now: bool,
        /// Text that had come before.
        partial: String,
    },
    /// Another attempt at this question would end the same way: 400, a refusal.
    #[error("{reason}")]
    Permanent {
        /// For people; never holds a key.
        reason: String,
        /// Text that had come before.
        partial: String,
    },
}

impl AskError {
    fn transient(reason: impl Into<String>) -> Self {
        Self::Transient { reason: reason.into(), retry_after: None, partial: String::new() }
    }

    fn permanent(reason: impl Into<String>) -> Self {
        Self::Permanent { reason: reason.into(), partial: String::new() }
    }

    fn unavailable(reason: impl Into<String>) -> Self {
        Self::Unavailable { reason: reason.into(), for_now: false, partial: String::new() }
    }

    fn unreachable(reason: impl Into<String>) -> Self {
        Self::Unavailable { reason: reason.into(), for_now: true, partial: String::new() }
    }

    /// The same error with the text that had come before.
    #[must_use]
    fn after(self, text: String) -> Self {
        match self {
            Self::Transient { reason, retry_after, .. } => {
                Self::Transient { reason, retry_after, partial: text }
            }
            Self::Permanent { reason, .. } => Self::Permanent { reason, partial: text },
            Self::Unavailable { reason, for_now, .. } => Self::Unavailable { reason, for_now, partial: text },
            busy @ Self::Busy { .. } => busy,
        }
    }
}

/// Answers a question in this process, or says why not; may take its time, it runs on a thread of its own.
pub type AnswerBuiltin = Arc<dyn Fn(Builtin, &Question) -> Result<String, String> + Send + Sync>;

/// A reviewer that can be asked.
#[derive(Clone)]
pub enum Provider {
    /// An OpenAI-compatible chat endpoint.
    OpenAi(Endpoint),
    /// Anthropic's Messages API.
    Anthropic(Endpoint),
    /// A program.
    Command(command::Program),
    /// Saved replies.
    Replay(replay::Folder),
    /// A static analyser.
    Sarif(Arc<sarif::StaticTool>),
    /// A reviewer of our own, and what answers for it.
    Builtin(Builtin, AnswerBuiltin),
}

/// Makes providers; those it makes share their connections.
pub struct Opener {
    http: HttpClients,
    builtins: AnswerBuiltin,
    surroundings: Surroundings,
    keys: Keys,
    site: sarif::Site,
}

/// A reviewer that cannot be asked as it is configured.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The address of an endpoint cannot be used.
    #[error("reviewer {reviewer}: base_url {base_url:?}: {reason}")]
    BadUrl {
        /// Reviewer id.
        reviewer: String,
        /// As configured.
        base_url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A key that its HTTP header cannot carry, such as one with a line break in it.
    #[error("reviewer {reviewer}: the key in {variable} holds characters that cannot be sent")]
    BadKey {
        /// Reviewer id.
        reviewer: String,
        /// Environment variable.
        variable: String,
    },
    /// `command = []`.
    #[error("reviewer {reviewer}: the command is empty")]
    NoProgram {
        /// Reviewer id.
        reviewer: String,
    },
    /// Globs of a static analyser that do not parse.
    #[error("reviewer {reviewer}: paths: {reason}")]
    BadPaths {
        /// Reviewer id.
        reviewer: String,
        /// What is wrong.
        reason: String,
    },
    /// No HTTP client on this machine, for instance because it has no root certificates.
    #[error("reviewer {reviewer}: cannot set up HTTP: {reason}")]
    Http {
        /// Reviewer id.
        reviewer: String,
        /// What went wrong.
        reason: String,
    },
}

impl Opener {
    /// An opener; `builtins` answers for the reviewers of our own, static tools look at `site`, programs see their
    /// part of `surroundings`.
    pub fn new(builtins: AnswerBuiltin, site: sarif::Site, surroundings: Surroundings) -> Self {
        Self { http: HttpClients::default(), builtins, keys: Keys::default(), surroundings, site }
    }

    /// Makes the provider of `reviewer`. `key` is the value of the reviewer's key variable. Sends nothing.
    pub fn open(&mut self, reviewer: &Reviewer, key: Option<SecretString>) -> Result<Provider, OpenError> {
        if let Some(key) = &key {
            self.keys.add(key);
        }
        Ok(match &reviewer.access {
            Access::OpenAi { base_url, api_key_env } => {
                let way = Way { protocol: Protocol::Chat, base_url, variable: api_key_env.as_deref(), key };
                Provider::OpenAi(Endpoint::open(reviewer, way, &mut self.http)?)
            }
            Access::Anthropic { base_url, api_key_env } => {
                let way =
                    Way { protocol: Protocol::Messages, base_url, variable: api_key_env.as_deref(), key };
                Provider::Anthropic(Endpoint::open(reviewer, way, &mut self.http)?)
            }
            Access::Command(invocation) => {
                let program = command::Program::new(invocation, &self.surroundings)
                    .ok_or_else(|| OpenError::NoProgram { reviewer: reviewer.id.to_string() })?;
                Provider::Command(program.keeping(self.keys.clone()))
            }
            Access::Replay { dir } => Provider::Replay(replay::Folder::new(dir.clone(), reviewer.id.clone())),
            Access::Sarif(analyser) => Provider::Sarif(Arc::new(sarif::StaticTool::open(
                reviewer,
                analyser,
                &self.site,
                &self.surroundings,
                self.keys.clone(),
            )?)),
            Access::Builtin(which) => Provider::Builtin(*which, Arc::clone(&self.builtins)),
        })
    }
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opener").finish_non_exhaustive()
    }
}

impl Provider {
    /// Makes one attempt. What arrives is in `draft` as it arrives. Dropping the future ends the attempt: the
    /// connection is closed, the program and all it started are killed.
    pub async fn ask(
        &self,
        question: &Arc<Question>,
        sample: Sample,
        draft: &Arc<Draft>,
    ) -> Result<Answer, AskError> {
        match self {
            Self::OpenAi(endpoint) | Self::Anthropic(endpoint) => {
                endpoint.ask(&question.prompt, sample, draft).await
            }
            Self::Command(program) => program.ask(&question.prompt, draft).await,
            Self::Replay(folder) => folder.ask(&question.bundle.id).await,
            Self::Sarif(tool) => tool.ask(question).await,
            Self::Builtin(which, answer) => ask_builtin(*which, answer, question).await,
        }
    }
}

impl Provider {
    /// `text` with the reviewer's key, should a server have sent it back, replaced by `[key]`; likewise every key that a
    /// program could have read in its environment.
    pub fn without_key(&self, text: String) -> String {
        match self {
            Self::OpenAi(endpoint) | Self::Anthropic(endpoint) => endpoint.without_key(text),
            Self::Command(program) => program.without_keys(text),
            Self::Sarif(tool) => tool.without_keys(text),
            Self::Replay(_) | Self::Builtin(..) => text,
        }
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OpenAi(_) => "OpenAi",
            Self::Anthropic(_) => "Anthropic",
            Self::Command(_) => "Command",
            Self::Replay(_) => "Replay",
            Self::Sarif(_) => "Sarif",
            Self::Builtin(..) => "Builtin",
        })
    }
}

async fn ask_builtin(
    which: Builtin,
    answer: &AnswerBuiltin,
    question: &Arc<Question>,
) -> Result<Answer, AskError> {
    let (answer, question) = (Arc::clone(answer), Arc::clone(question));
    match tokio::task::spawn_blocking(move || answer(which, &question)).await {
        Ok(Ok(text)) => Ok(Answer { text, ..Answer::default() }),
        Ok(Err(reason)) => Err(AskError::permanent(in_brief(&reason))),
        Err(error) if error.is_panic() => {
            Err(AskError::permanent("the built-in reviewer failed on this bundle: please report it"))
        }
        Err(_) => Err(AskError::permanent("the built-in reviewer was stopped")),
    }
}

/// Longest reason in an [`AskError`], in characters.
const LONGEST_REASON: usize = 600;

/// Foreign text made fit for one line of an error.
fn in_brief(text: &str) -> String {
    words::in_brief(text, LONGEST_REASON)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reviewer::{Invocation, Lineage, ReviewerId};

    #[test]
    fn foreign_text_becomes_one_harmless_line() {
        let check = |input: &str, expect: &str| assert_eq!(in_brief(input), expect);
        check("  over\n\tlimit  ", "over limit");
        check("\u{1b}[31mred", "␛[31mred");
        check("\u{202e}evil", "\\u{202e}evil");
        check("", "");
        assert_eq!(in_brief(&"x".repeat(10_000)).chars().count(), LONGEST_REASON);
    }

    #[test]
    fn nothing_prints_a_key() {
        let key = "sk-very-secret-0123456789";
        let surroundings = [("TOOL_KEY".to_owned(), SecretString::from(key))].into_iter().collect();
        let nobody: AnswerBuiltin = Arc::new(|_, _| Err(String::new()));
        let mut opener = Opener::new(nobody, sarif::Site::nowhere(), surroundings);
        let invocation = Invocation {
            argv: vec!["tool".to_owned()],
            pass_env: vec!["TOOL_KEY".to_owned()],
            ..Invocation::default()
        };
        let endpoint = Access::OpenAi { base_url: "http://127.0.0.1:9/v1".to_owned(), api_key_env: None };
        for access in [endpoint, Access::Command(invocation)] {
            let id = ReviewerId::new("a").unwrap();
            let reviewer = Reviewer::new(id, access, "gpt-5".to_owned(), Lineage::unknown());
            let provider = opener.open(&reviewer, Some(SecretString::from(key))).unwrap();
            let inner = if let Provider::Command(program) = &provider {
                format!("{program:?}")
            } else {
                String::new()
            };
            let printed = format!("{provider:?} {opener:?} {reviewer:?} {inner}");
            assert!(!printed.contains(key), "{printed}");
        }
    }
}
