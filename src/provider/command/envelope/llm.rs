//! llm: `llm prompt --json` prints a list with one record, as `llm logs --json` does.

use serde::Deserialize;

use super::{Part, Usage};

#[derive(Deserialize)]
struct Record {
    response: String,
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
}

pub(super) fn parts(document: &[u8]) -> serde_json::Result<Vec<Part>> {
    let records: Vec<Record> = serde_json::from_slice(document)?;
    let each = records.into_iter().flat_map(|Record { response, input_tokens, output_tokens }| {
        let usage = input_tokens
            .zip(output_tokens)
            .map(|(tokens_in, tokens_out)| Part::Usage(Usage { tokens_in, tokens_out, cost_usd: None }));
        [Some(Part::Text(response)), usage, Some(Part::Finished)]
    });
    Ok(each.flatten().collect())
}
