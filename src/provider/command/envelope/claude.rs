//! Claude Code: `--output-format stream-json` prints an event a line, `json` only the last of them.

use serde::Deserialize;

use super::{Part, Usage};

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line {
    Assistant {
        message: Message,
    },
    Result(Outcome),
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Message {
    content: Vec<Block>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Block {
    Text {
        text: String,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Outcome {
    #[serde(default)]
    is_error: bool,
    subtype: Option<String>,
    result: Option<String>,
    stop_reason: Option<String>,
    usage: Option<Tokens>,
    total_cost_usd: Option<f64>,
}

/// Prompt tokens are told in three parts, by what the cache had to do with them.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Tokens {
    #[serde(rename = "input_tokens")]
    uncached: u64,
    #[serde(rename = "cache_creation_input_tokens")]
    cached_now: u64,
    #[serde(rename = "cache_read_input_tokens")]
    cached_before: u64,
    #[serde(rename = "output_tokens")]
    answer: u64,
}

pub(super) fn parts(line: &[u8]) -> serde_json::Result<Vec<Part>> {
    Ok(match serde_json::from_slice(line)? {
        Line::Assistant { message } => message.content.into_iter().filter_map(text).map(Part::Text).collect(),
        Line::Result(outcome) => ending(outcome),
        Line::Other => Vec::new(),
    })
}

fn text(block: Block) -> Option<String> {
    match block {
        Block::Text { text } => Some(text),
        Block::Other => None,
    }
}

fn ending(outcome: Outcome) -> Vec<Part> {
    let Outcome { is_error, subtype, result, stop_reason, usage, total_cost_usd } = outcome;
    let mut parts = Vec::new();
    if let Some(tokens) = usage {
        let tokens_in =
            tokens.uncached.saturating_add(tokens.cached_now).saturating_add(tokens.cached_before);
        parts.push(Part::Usage(Usage { tokens_in, tokens_out: tokens.answer, cost_usd: total_cost_usd }));
    }
    if is_error {
        let kind = subtype.unwrap_or_else(|| "it failed without a reason".to_owned());
        parts.push(Part::Failed(result.filter(|text| !text.is_empty()).unwrap_or(kind)));
        return parts;
    }
    parts.extend(result.map(Part::Reply));
    parts.push(match stop_reason.as_deref() {
        Some(word @ ("max_tokens" | "model_context_window_exceeded" | "refusal")) => {
            Part::Cut(word.to_owned())
        }
        _ => Part::Finished,
    });
    parts
}
