//! Codex: `codex exec --json` prints an event a line.

use serde::Deserialize;

use super::{Part, Usage};

#[derive(Deserialize)]
#[serde(tag = "type")]
enum Line {
    #[serde(rename = "item.completed")]
    Item { item: Item },
    #[serde(rename = "turn.completed")]
    Turn { usage: Option<Tokens> },
    #[serde(rename = "turn.failed")]
    Failed { error: Complaint },
    /// Also told of connections that are tried again.
    #[serde(rename = "error")]
    Error(Complaint),
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Item {
    AgentMessage {
        text: String,
    },
    #[serde(other)]
    Other,
}

/// The cached ones are among the first, the reasoning among the second.
#[derive(Deserialize)]
struct Tokens {
    input_tokens: u64,
    output_tokens: u64,
}

#[derive(Deserialize)]
struct Complaint {
    message: String,
}

pub(super) fn parts(line: &[u8]) -> serde_json::Result<Vec<Part>> {
    Ok(match serde_json::from_slice(line)? {
        Line::Item { item: Item::AgentMessage { text } } => vec![Part::Text(text)],
        Line::Turn { usage } => {
            let usage = usage.map(|Tokens { input_tokens, output_tokens }| {
                Part::Usage(Usage { tokens_in: input_tokens, tokens_out: output_tokens, cost_usd: None })
            });
            usage.into_iter().chain([Part::Finished]).collect()
        }
        Line::Failed { error } => vec![Part::Failed(error.message)],
        Line::Error(error) => vec![Part::Complaint(error.message)],
        Line::Item { item: Item::Other } | Line::Other => Vec::new(),
    })
}
