//! What a reviewer is told: the templates of `prompts/` filled with one bundle, fenced as data by the run's nonce.
//!
//! [`Templates`] holds the texts and their hash; [`Templates::render`] fills them. It sends nothing.

use crate::{bundle::Bundle, change::Commit};

/// The two texts that make one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// Rules and answer format; the same for all bundles of a run.
    pub system: String,
    /// The bundle and the authors' intent.
    pub user: String,
}

impl Prompt {
    /// Both texts as one, for programs that take a single text on stdin.
    pub fn joined(&self) -> String {
        format!("{}\n\n{}", self.system, self.user)
    }
}

/// The prompt templates of a run.
#[derive(Debug, Clone)]
pub struct Templates {
    _private: (),
}

/// A template that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("prompt template {name}: {reason}")]
pub struct TemplateError {
    /// Which one: `review.system.md` or `review.user.md`.
    pub name: String,
    /// What is wrong, with its line.
    pub reason: String,
}

impl Templates {
    /// The embedded templates, each replaced by the given text where there is one.
    pub fn new(system: Option<String>, user: Option<String>) -> Result<Self, TemplateError> {
        let _ = (system, user);
        unimplemented!()
    }

    /// SHA-256 over the template texts, in lower-case hexadecimal.
    pub fn hash(&self) -> String {
        unimplemented!()
    }

    /// The question about `bundle`.
    pub fn render(&self, bundle: &Bundle, commits: &[Commit], nonce: &str) -> Result<Prompt, TemplateError> {
        let _ = (bundle, commits, nonce);
        unimplemented!()
    }
}
