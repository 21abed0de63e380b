//! Antigravity CLI: `--output-format json` prints one document.

use serde::Deserialize;

use super::{Part, Usage};

#[derive(Deserialize)]
struct Document {
    status: String,
    response: Option<String>,
    error: Option<String>,
    usage: Option<Tokens>,
}

#[derive(Deserialize)]
struct Tokens {
    #[serde(rename = "input_tokens")]
    prompt: u64,
    #[serde(rename = "output_tokens")]
    answer: u64,
    #[serde(rename = "thinking_tokens", default)]
    thoughts: u64,
}

pub(super) fn parts(document: &[u8]) -> serde_json::Result<Vec<Part>> {
    let Document { status, response, error, usage } = serde_json::from_slice(document)?;
    let usage = usage.map(|Tokens { prompt, answer, thoughts }| {
        let tokens_out = answer.saturating_add(thoughts);
        Part::Usage(Usage { tokens_in: prompt, tokens_out, cost_usd: None })
    });
    let end = if status == "SUCCESS" { Part::Finished } else { Part::Failed(error.unwrap_or(status)) };
    Ok(usage.into_iter().chain(response.map(Part::Reply)).chain([end]).collect())
}
