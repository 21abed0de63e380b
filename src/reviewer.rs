//! Who reviews: a [`Reviewer`] is one seat on the [`Panel`], and its [`Lineage`] says which models
//! it is related to.
//!
//! Values only: how a reviewer is asked is `provider`'s work, which lineage a model name has is
//! decided by `tally::lineage`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    num::NonZeroU32,
    path::PathBuf,
    time::Duration,
};

use serde::Deserialize;
use url::{Host, Position, Url};

use crate::{
    cost::{Price, Tokens},
    coverage::Spent,
    finding::Severity,
};

/// A name that is safe as part of a file name: ASCII letters, digits, `.`, `_`, `-`; neither empty, nor
/// starting with `.`, nor holding `__`, which parts bundle and reviewer in a reply's file name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReviewerId(String);

/// A reviewer id that cannot be part of a file name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("reviewer id {0:?} must be letters, digits, `.`, `_`, `-`, not start with `.` and not hold `__`")]
pub struct BadReviewerId(pub String);

impl ReviewerId {
    /// Checks `text`.
    pub fn new(text: &str) -> Result<Self, BadReviewerId> {
        let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        if text.is_empty() || text.len() > 100 || text.starts_with('.') || text.contains("__") || !plain {
            return Err(BadReviewerId(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ReviewerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The family a model descends from, such as `anthropic`, `moonshot`, `static:rules` or `unknown`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lineage(String);

impl Lineage {
    /// A lineage by name, in lower case.
    pub fn new(name: &str) -> Self {
        Self(name.trim().to_ascii_lowercase())
    }

    /// The one lineage that all models of unknown descent share.
    pub fn unknown() -> Self {
        Self("unknown".to_owned())
    }

    /// The one lineage of what a repository's past says.
    pub fn history() -> Self {
        Self("history".to_owned())
    }

    /// `false` for static tools and for the repository's history, which report facts and hold no opinion on others'.
    pub fn is_model(&self) -> bool {
        !self.0.starts_with("static:") && *self != Self::history()
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Lineage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One seat on the panel.
#[derive(Debug, Clone, PartialEq)]
pub struct Reviewer {
    /// Unique in its panel.
    pub id: ReviewerId,
    /// How it is asked.
    pub access: Access,
    /// Model name as the provider writes it; for programs and built-ins their own name.
    pub model: String,
    /// Declared or derived from `model`.
    pub lineage: Lineage,
    /// Sampling temperature, 0.0–2.0; the provider's default when absent.
    pub temperature: Option<f32>,
    /// Most tokens in an answer; the provider's default when absent.
    pub max_output_tokens: Option<u32>,
    /// Longest time for one attempt in all.
    pub timeout: Duration,
    /// Longest silence within an attempt.
    pub idle_timeout: Duration,
    /// What its tokens cost; `None` when nobody has said.
    pub price: Option<Price>,
    /// Who is asked in its place when its provider is out of order: reviewers of the same lineage, best first.
    pub fallback: Vec<ReviewerId>,
    /// How much may be sent to it.
    pub allowance: Allowance,
    /// A file it runs or reads that comes with the change under review: it must not be asked.
    pub tampered: Option<String>,
    /// Where its endpoint departs from the usual.
    pub quirks: Quirks,
}

impl Reviewer {
    /// A reviewer with the settings its provider would choose, ten minutes for an attempt, and no limits.
    pub fn new(id: ReviewerId, access: Access, model: String, lineage: Lineage) -> Self {
        let timeout = Duration::from_mins(10);
        Self {
            id,
            access,
            model,
            lineage,
            temperature: None,
            max_output_tokens: None,
            timeout,
            idle_timeout: timeout,
            price: None,
            fallback: Vec::new(),
            allowance: Allowance::default(),
            tampered: None,
            quirks: Quirks::default(),
        }
    }
}

impl Reviewer {
    /// `spent` with what its tokens cost, where that was not told and a price is known. What is free costs nothing however many
    /// tokens there were.
    #[must_use]
    pub fn priced(&self, spent: Spent) -> Spent {
        let told = spent.cost_usd.filter(|usd| usd.is_finite() && *usd >= 0.0);
        let cost = |price: Price| {
            if price.is_free() {
                return Some(0.0);
            }
            let (input, output) = spent.tokens_in.zip(spent.tokens_out)?;
            let cached = spent.tokens_cached.unwrap_or_default();
            let cache_written = spent.tokens_cache_written.unwrap_or_default();
            Some(price.cost(Tokens { input, cached, cache_written, output }))
        };
        Spent { cost_usd: told.or_else(|| cost(self.price?)), ..spent }
    }

    /// Names the provider, which reviewers share that are asked in the same way: an endpoint and its key, or a program and the
    /// family of models that it asks. `None`: nothing that could be overloaded or out of order.
    pub fn service(&self) -> Option<String> {
        match &self.access {
            Access::OpenAi { base_url, api_key_env } | Access::Anthropic { base_url, api_key_env } => {
                let address = base_url.trim_end_matches('/').to_ascii_lowercase();
                Some(format!("{address} {}", api_key_env.as_deref().unwrap_or_default()))
            }
            Access::Command(program) => Some(format!("{} {}", program.argv.first()?, self.lineage)),
            Access::Sarif(_) | Access::Replay { .. } | Access::Builtin(_) => None,
        }
    }
}

/// How much may be sent within a minute; `None` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Allowance {
    /// Requests.
    pub requests_per_minute: Option<NonZeroU32>,
    /// Tokens of prompt and answer.
    pub tokens_per_minute: Option<NonZeroU32>,
}

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

/// How a reviewer is asked. One variant a provider.
#[derive(Debug, Clone, PartialEq)]
pub enum Access {
    /// An OpenAI-compatible chat endpoint.
    OpenAi {
        /// Up to and without `/chat/completions`, such as `https://api.openai.com/v1`.
        base_url: String,
        /// Environment variable that holds the key; `None` sends no key.
        api_key_env: Option<String>,
    },
    /// Anthropic's Messages API.
    Anthropic {
        /// Up to and without `/messages`, such as `https://api.anthropic.com/v1`; `/v1` may be left out.
        base_url: String,
        /// Environment variable that holds the key; `None` sends no key.
        api_key_env: Option<String>,
    },
    /// A program: prompt on stdin, reply on stdout.
    Command(Invocation),
    /// Saved replies.
    Replay {
        /// Folder with `<bundle>__<id>.md` or `<id>.md`.
        dir: PathBuf,
    },
    /// A static analyser.
    Sarif(Box<Analyser>),
    /// An offline reviewer of our own.
    Builtin(Builtin),
}

impl Access {
    /// The provider's name as configuration and tally write it.
    pub fn provider(&self) -> &'static str {
        match self {
            Self::OpenAi { .. } => "openai",
            Self::Anthropic { .. } => "anthropic",
            Self::Command(_) => "command",
            Self::Replay { .. } => "replay",
            Self::Sarif(_) => "sarif",
            Self::Builtin(_) => "builtin",
        }
    }

    /// The environment variable of its key, where it needs one.
    pub fn key_variable(&self) -> Option<&str> {
        match self {
            Self::OpenAi { api_key_env, .. } | Self::Anthropic { api_key_env, .. } => api_key_env.as_deref(),
            Self::Command(_) | Self::Sarif(_) | Self::Replay { .. } | Self::Builtin(_) => None,
        }
    }

    /// The program that is started, as it is called.
    pub fn program(&self) -> Option<&str> {
        match self {
            Self::Command(invocation) => invocation.argv.first().map(String::as_str),
            Self::Sarif(analyser) => match &analyser.source {
                ReportSource::Program(program) => program.argv.first().map(String::as_str),
                ReportSource::File(_) => None,
            },
            Self::OpenAi { .. } | Self::Anthropic { .. } | Self::Replay { .. } | Self::Builtin(_) => None,
        }
    }

    /// The tool that is started through `npx --no-install`: there where the project has it, whatever is on `PATH`.
    pub fn node_tool(&self) -> Option<&str> {
        let Self::Sarif(analyser) = self else { return None };
        let ReportSource::Program(program) = &analyser.source else { return None };
        node_tool(&program.argv)
    }

    /// The base URL of the endpoint that is asked.
    pub fn base_url(&self) -> Option<&str> {
        match self {
            Self::OpenAi { base_url, .. } | Self::Anthropic { base_url, .. } => Some(base_url),
            Self::Command(_) | Self::Sarif(_) | Self::Replay { .. } | Self::Builtin(_) => None,
        }
    }

    /// Whether what it is shown stays on this machine, as far as can be told: programs of agents pass it on to a model.
    pub fn stays_here(&self) -> bool {
        match self {
            Self::OpenAi { base_url, .. } | Self::Anthropic { base_url, .. } => is_loopback(base_url),
            Self::Command(_) => false,
            Self::Sarif(_) | Self::Replay { .. } | Self::Builtin(_) => true,
        }
    }
}

/// The tool that `npx --no-install` starts when `argv` is a call of it.
pub fn node_tool<T: AsRef<str>>(argv: &[T]) -> Option<&str> {
    let [program, option, tool, ..] = argv else { return None };
    (program.as_ref() == "npx" && option.as_ref() == "--no-install").then_some(tool.as_ref())
}

/// The host of a URL with its port, without the name and password that may stand before it; empty when `url` is none.
pub fn host(url: &str) -> String {
    Url::parse(url)
        .map_or_else(|_| String::new(), |url| url[Position::BeforeHost..Position::AfterPort].to_owned())
}

/// Whether `url` is on this machine: `localhost` or a loopback address.
pub fn is_loopback(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    })
}

/// How a program is started, and what it prints.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Invocation {
    /// Program and arguments; never passed through a shell.
    pub argv: Vec<String>,
    /// Variables set for the program.
    pub env: BTreeMap<String, String>,
    /// The variable that holds its key. Passed on where it is set: most of these programs can be logged in instead.
    pub api_key_env: Option<String>,
    /// Further variables that are passed on where they are set; a `*` at the end stands for any rest of a name.
    pub pass_env: Vec<String>,
    /// The form of its standard output.
    pub output: OutputForm,
    /// The folder it runs in; `None` is an empty one made for each attempt and removed after it.
    pub work_dir: Option<PathBuf>,
}

/// What a program prints: the reply itself, or an envelope of JSON around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutputForm {
    /// The reply and nothing else.
    #[default]
    Text,
    /// Claude Code, `--output-format json` or `stream-json`.
    ClaudeJson,
    /// Codex, `exec --json`: an event a line.
    CodexJsonl,
    /// opencode, `run --format json`: an event a line.
    OpencodeJsonl,
    /// Gemini CLI, `--output-format json`.
    GeminiJson,
    /// Antigravity CLI, `--output-format json`.
    AntigravityJson,
    /// llm, `--json`.
    LlmJson,
}

impl OutputForm {
    /// Every form.
    pub const ALL: [Self; 7] = [
        Self::Text,
        Self::ClaudeJson,
        Self::CodexJsonl,
        Self::OpencodeJsonl,
        Self::GeminiJson,
        Self::AntigravityJson,
        Self::LlmJson,
    ];

    /// The form's name in a configuration.
    pub fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::ClaudeJson => "claude-json",
            Self::CodexJsonl => "codex-jsonl",
            Self::OpencodeJsonl => "opencode-jsonl",
            Self::GeminiJson => "gemini-json",
            Self::AntigravityJson => "antigravity-json",
            Self::LlmJson => "llm-json",
        }
    }
}

/// A static analyser: where its report comes from and how it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Analyser {
    /// Where the report comes from.
    pub source: ReportSource,
    /// Globs of the changed files it is about, as in `[[component]] paths`; empty for all.
    pub paths: Vec<String>,
    /// How bad a finding of each of its levels is.
    pub levels: Levels,
    /// Whether it runs what stands in the repository: plugins, build scripts, configuration that is a program. On a
    /// stranger's change that is the stranger's code.
    pub runs_repository_code: bool,
}

/// Where a report of findings comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReportSource {
    /// A program that is run.
    Program(AnalyserProgram),
    /// A SARIF file that is there already.
    File(PathBuf),
}

/// How a static analyser is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnalyserProgram {
    /// Program and arguments; never passed through a shell. `{files}` stands for the changed files, each an argument,
    /// `{report}` for a temporary file that is read in place of stdout.
    pub argv: Vec<String>,
    /// Variables set for the program.
    pub env: BTreeMap<String, String>,
    /// Variables passed on where they are set, as in [`Invocation::pass_env`].
    pub pass_env: Vec<String>,
    /// The form of its report.
    pub format: ReportFormat,
    /// Exit statuses besides 0 that only say that there are findings.
    pub finding_exits: Vec<i32>,
    /// A file name: it runs in each outermost folder at or above a changed file that holds such a file; `None` runs it
    /// at the root.
    pub run_in: Option<String>,
    /// Which files it sees.
    pub tree: Tree,
}

/// The form of a static analyser's report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReportFormat {
    /// SARIF 2.1.
    #[default]
    Sarif,
    /// `cargo --message-format=json`.
    Cargo,
    /// `shellcheck --format=json1`.
    Shellcheck,
}

/// Which files a static analyser sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tree {
    /// The work tree where it holds the new side of the change, else an export of the new side.
    #[default]
    Any,
    /// Only the work tree: it needs what is not under version control, such as installed packages.
    Work,
    /// Only an export, because it looks at all files it finds.
    Export,
}

/// How bad findings of a static analyser's levels are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Levels {
    /// SARIF's `error`.
    pub error: Severity,
    /// SARIF's `warning`.
    pub warning: Severity,
    /// SARIF's `note`.
    pub note: Severity,
}

impl Default for Levels {
    fn default() -> Self {
        Self { error: Severity::Block, warning: Severity::Warn, note: Severity::Info }
    }
}

/// The reviewers that need no model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Builtin {
    /// Patterns over added lines; lineage `static:rules`.
    Rules,
    /// What the repository's past says about the change; lineage `history`.
    History,
}

/// What a run remembers of a reviewer: who it was, not how to reach it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seat {
    /// Unique in its panel.
    pub id: ReviewerId,
    /// The provider's name, such as `openai`.
    pub provider: String,
    /// Model name as the provider writes it.
    pub model: String,
    /// The family it counts as.
    pub lineage: Lineage,
}

impl Seat {
    /// Whether it answers without a model: nothing is paid for.
    pub fn is_free(&self) -> bool {
        ["builtin", "replay", "sarif"].contains(&self.provider.as_str())
    }
}

impl From<&Reviewer> for Seat {
    fn from(reviewer: &Reviewer) -> Self {
        Self {
            id: reviewer.id.clone(),
            provider: reviewer.access.provider().to_owned(),
            model: reviewer.model.clone(),
            lineage: reviewer.lineage.clone(),
        }
    }
}

/// The reviewers of a run, in configuration order; ids are unique.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Panel {
    /// Who sits on it.
    pub reviewers: Vec<Seat>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_on_this_machine() {
        let check = |url: &str, expect: bool| assert_eq!(is_loopback(url), expect, "{url}");
        check("http://localhost:11434/v1", true);
        check("http://127.0.0.2/v1", true);
        check("http://[::1]:8080/v1", true);
        check("http://me:key@127.0.0.1:1/v1", true);
        check("http://127.1/v1", true);
        check("http://127.0.0.1@example.com/v1", false);
        check("http://example.com\\@127.0.0.1/v1", false);
        check("http://localhost.example/v1", false);
        check("https://api.openai.com/v1", false);
        check("localhost:1234/v1", false);
        check("", false);
    }

    #[test]
    fn hosts() {
        let check = |url: &str, expect: &str| assert_eq!(host(url), expect, "{url}");
        check("https://api.openai.com/v1", "api.openai.com");
        check("http://me:key@[::1]:8080/v1?a=b", "[::1]:8080");
        check("http://example.com\\@127.0.0.1/v1", "example.com");
        check("no url", "");
    }
}
