//! How a reviewer is reached: [`Access`], one variant a provider, and what its address says.
//!
//! Values only: nothing is asked or looked up here.

use std::path::PathBuf;

use url::{Host, Position, Url};

use super::{Analyser, Invocation, ReportSource};

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

/// The reviewers that need no model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Builtin {
    /// Patterns over added lines; lineage `static:rules`.
    Rules,
    /// What the repository's past says about the change; lineage `history`.
    History,
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
