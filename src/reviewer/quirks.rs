//! Where an endpoint, or its model, departs from its protocol: [`Quirks`]. Which server has which is configuration.

use std::collections::BTreeSet;

/// Where an endpoint, or its model, departs from what its protocol's servers usually want.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Quirks {
    /// Header that carries the key; `None` is the protocol's own. `authorization` carries it as `Bearer KEY`.
    pub key_header: Option<String>,
    /// Under which name the output limit is sent; Anthropic's protocol knows one only.
    pub output_limit: OutputLimit,
    /// What the model does not take and is not sent.
    pub without: BTreeSet<Parameter>,
}

/// The two names of the output limit among OpenAI-compatible servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OutputLimit {
    /// `max_tokens`, which nearly every server understands.
    #[default]
    MaxTokens,
    /// `max_completion_tokens`, which newer models of `OpenAI` insist on.
    MaxCompletionTokens,
}

impl OutputLimit {
    /// As sent.
    pub fn word(self) -> &'static str {
        match self {
            Self::MaxTokens => "max_tokens",
            Self::MaxCompletionTokens => "max_completion_tokens",
        }
    }

    /// The other name.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::MaxTokens => Self::MaxCompletionTokens,
            Self::MaxCompletionTokens => Self::MaxTokens,
        }
    }
}

/// A part of a request that some models or servers refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Parameter {
    /// `temperature`.
    Temperature,
    /// `stream_options`, which asks for token counts at the end of a stream.
    StreamOptions,
    /// A message of the system's own; without it the instructions stand before the question.
    System,
}

impl Parameter {
    /// Every parameter.
    pub const ALL: [Self; 3] = [Self::Temperature, Self::StreamOptions, Self::System];
}
