//! opencode: `opencode run --format json` prints an event a line.

use serde::Deserialize;

use super::{Part, Usage};

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line {
    Text {
        part: Text,
    },
    StepFinish {
        part: Step,
    },
    Error {
        error: Failure,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Text {
    text: String,
}

#[derive(Deserialize)]
struct Step {
    reason: String,
    tokens: Option<Tokens>,
    cost: Option<f64>,
}

/// No token is in two of these.
#[derive(Deserialize)]
struct Tokens {
    input: u64,
    output: u64,
    #[serde(default)]
    reasoning: u64,
    #[serde(default)]
    cache: Cache,
}

#[derive(Deserialize, Default)]
struct Cache {
    read: u64,
    write: u64,
}

#[derive(Deserialize)]
struct Failure {
    name: String,
    #[serde(default)]
    data: Details,
}

#[derive(Deserialize, Default)]
struct Details {
    message: Option<String>,
}

pub(super) fn parts(line: &[u8]) -> serde_json::Result<Vec<Part>> {
    Ok(match serde_json::from_slice(line)? {
        Line::Text { part } => vec![Part::Text(part.text)],
        Line::StepFinish { part } => step(part),
        Line::Error { error } => vec![Part::Failed(error.data.message.unwrap_or(error.name))],
        Line::Other => Vec::new(),
    })
}

fn step(step: Step) -> Vec<Part> {
    let Step { reason, tokens, cost } = step;
    let usage = tokens.map(|Tokens { input, output, reasoning, cache }| {
        let tokens_in = input.saturating_add(cache.read).saturating_add(cache.write);
        Part::Usage(Usage { tokens_in, tokens_out: output.saturating_add(reasoning), cost_usd: cost })
    });
    let end = match reason.as_str() {
        "tool-calls" => None,
        "length" | "content-filter" | "error" => Some(Part::Cut(reason)),
        _ => Some(Part::Finished),
    };
    usage.into_iter().chain(end).collect()
}
