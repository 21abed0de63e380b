//! Gemini CLI: `--output-format json` prints one document, on stderr when it failed.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Part, Usage};

/// `session_id` tells it from other JSON; the rest depends on how it went.
#[derive(Deserialize)]
struct Document {
    #[serde(rename = "session_id")]
    _session: String,
    response: Option<String>,
    #[serde(default)]
    stats: Stats,
    error: Option<Failure>,
}

#[derive(Deserialize, Default)]
struct Stats {
    #[serde(default)]
    models: BTreeMap<String, Model>,
}

#[derive(Deserialize)]
struct Model {
    tokens: Tokens,
}

/// The cached ones are part of the prompt; thoughts are not part of the candidates.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Tokens {
    prompt: u64,
    candidates: u64,
    thoughts: u64,
}

#[derive(Deserialize)]
struct Failure {
    message: String,
}

pub(super) fn parts(document: &[u8]) -> serde_json::Result<Vec<Part>> {
    let Document { response, stats, error, .. } = serde_json::from_slice(document)?;
    let usage = stats.models.into_values().map(|Model { tokens }| {
        let tokens_out = tokens.candidates.saturating_add(tokens.thoughts);
        Part::Usage(Usage { tokens_in: tokens.prompt, tokens_out, cost_usd: None })
    });
    let end = error.map_or(Part::Finished, |error| Part::Failed(error.message));
    Ok(usage.chain(response.map(Part::Reply)).chain([end]).collect())
}
