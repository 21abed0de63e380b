//! What each provider was asked since the start, for people: [`ProviderRow`], from the same books as all else.

use serde::Serialize;

use super::{Answered, books::Books};

/// A provider's calls.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProviderRow {
    /// The reviewer's id.
    pub name: String,
    /// How calls ended, in a word or a status, and how many did.
    pub calls: Vec<(String, u64)>,
    /// Calls whose status has not come yet.
    pub unanswered: u64,
    /// Calls that repeat another.
    pub retries: u64,
    /// Tokens of prompts, where it tells.
    pub tokens_in: Option<u64>,
    /// Tokens of answers, where it tells.
    pub tokens_out: Option<u64>,
    /// US dollars, where they are known.
    pub cost_usd: Option<f64>,
}

/// A row each.
pub(super) fn rows(books: &Books) -> Vec<ProviderRow> {
    let row = |(name, provider): (&std::sync::Arc<str>, &super::books::Provider)| {
        let spent = provider.sums.spent;
        ProviderRow {
            name: name.to_string(),
            calls: provider.calls.iter().map(|(answered, count)| (word(*answered), *count)).collect(),
            unanswered: provider.unanswered,
            retries: provider.retries,
            tokens_in: spent.tokens_in,
            tokens_out: spent.tokens_out,
            cost_usd: spent.cost_usd,
        }
    };
    books.providers.iter().map(row).collect()
}

fn word(answered: Answered) -> String {
    match answered {
        Answered::Status(status) => status.to_string(),
        Answered::Failed => "no answer".to_owned(),
        Answered::Cancelled => "cancelled".to_owned(),
    }
}
