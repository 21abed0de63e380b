//! How a program that reviews is started, and what it prints: [`Invocation`]. Starting it and reading its output is
//! `provider`'s work.

use std::{collections::BTreeMap, path::PathBuf};

use serde::Deserialize;

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
