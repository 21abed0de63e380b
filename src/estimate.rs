//! How many tokens a text is, and what a question will cost, before anything is sent: [`tokens`], [`Forecast`].
//!
//! No tokenizer: vocabularies differ by family and most are not published. Tokens are counted by the kinds of
//! characters that all of them cut at, with weights fitted to six vocabularies over 350 diffs as reviewers see them:
//! 3 % off the mean of the six on average, 8 % at the 95th percentile (docs/design/cost.md).

use std::ops::RangeInclusive;

use crate::{
    cost::{self, Price, Tokens},
    reviewer::{Lineage, Reviewer},
};

/// Tokens of a typical answer, from the 10th to the 90th percentile of 263 recorded ones. Reasoning that is not part of
/// the answer comes on top; nobody knows before how much.
pub const ANSWER: RangeInclusive<u64> = 80..=680;

/// Weights in hundredths of a token.
const WORD: u64 = 110;
const DIGIT: u64 = 95;
const FOREIGN_BYTE: u64 = 30;
const LINE: u64 = 60;
const BLANKS: u64 = 80;
const TWO_SIGNS: u64 = 80;

/// How families of tokenizers differ from the mean, in percent, as measured; those not named are taken for the mean.
const FAMILIES: [(&str, u64); 6] =
    [("anthropic", 137), ("google", 112), ("alibaba", 105), ("openai", 94), ("deepseek", 94), ("meta", 94)];

/// Tokens of `text`, in a tokenizer of the middle.
pub fn tokens(text: &str) -> u64 {
    let (mut sum, mut run) = (0, Run::default());
    for byte in text.bytes() {
        sum += run.weigh(byte);
    }
    u64::div_ceil(sum, 100)
}

/// `tokens` as models of `lineage` count them.
pub fn as_counted_by(lineage: &Lineage, tokens: u64) -> u64 {
    let family = FAMILIES.iter().find(|(name, _)| *name == lineage.as_str());
    tokens.saturating_mul(family.map_or(100, |(_, percent)| *percent)).div_ceil(100)
}

/// What the bytes before were, as far as it matters.
#[derive(Default, Clone, Copy, PartialEq)]
enum Run {
    #[default]
    Start,
    Small,
    /// So many capitals in a row.
    Capitals(usize),
    Blank,
    Blanks,
    /// Signs in a row, odd in number or even.
    Odd,
    Even,
    Other,
}

impl Run {
    /// What `byte` adds behind the run, in hundredths; it becomes part of the run.
    fn weigh(&mut self, byte: u8) -> u64 {
        let (next, weight) = match (byte, *self) {
            (b'a'..=b'z', Self::Small | Self::Capitals(1)) => (Self::Small, 0),
            (b'a'..=b'z', _) => (Self::Small, WORD),
            (b'A'..=b'Z', Self::Capitals(so_far)) => (Self::Capitals(so_far + 1), 0),
            (b'A'..=b'Z', _) => (Self::Capitals(1), WORD),
            (b'0'..=b'9', _) => (Self::Other, DIGIT),
            (b' ' | b'\t', Self::Blank) => (Self::Blanks, BLANKS),
            (b' ' | b'\t', Self::Blanks) => (Self::Blanks, 0),
            (b' ' | b'\t', _) => (Self::Blank, 0),
            (b'\n', _) => (Self::Other, LINE),
            (0x80.., _) => (Self::Other, FOREIGN_BYTE),
            (_, Self::Odd) => (Self::Even, 0),
            (_, _) => (Self::Odd, TWO_SIGNS),
        };
        *self = next;
        weight
    }
}

/// What asking one reviewer will take.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    /// Questions that are to be sent.
    pub requests: usize,
    /// Questions whose answers are known already.
    pub cached: usize,
    /// Tokens of the prompts to be sent.
    pub tokens_in: u64,
    /// Tokens of the answers, from short ones to long ones.
    pub tokens_out: RangeInclusive<u64>,
    /// US dollars, accordingly; `None` without a price.
    pub cost_usd: Option<(f64, f64)>,
}

impl Forecast {
    /// What `reviewer` will take for questions of so many [`tokens`] each, besides `cached` ones that are known.
    pub fn new(reviewer: &Reviewer, questions: &[u64], cached: usize) -> Self {
        let tokens_in = questions.iter().map(|tokens| as_counted_by(&reviewer.lineage, *tokens)).sum();
        let most = reviewer.max_output_tokens.map_or(u64::MAX, u64::from);
        let answers = |tokens: u64| tokens.min(most).saturating_mul(questions.len() as u64);
        let tokens_out = answers(*ANSWER.start())..=answers(*ANSWER.end());
        let cost =
            |price: Price, output: u64| price.cost(Tokens { input: tokens_in, output, ..Tokens::default() });
        let cost_usd =
            reviewer.price.map(|price| (cost(price, *tokens_out.start()), cost(price, *tokens_out.end())));
        Self { requests: questions.len(), cached, tokens_in, tokens_out, cost_usd }
    }
}

/// All of `forecasts` together: what is known of the cost, and whether that is all of it.
pub fn together(forecasts: &[Forecast]) -> (Forecast, bool) {
    let known = || forecasts.iter().filter_map(|one| one.cost_usd);
    let sum = Forecast {
        requests: forecasts.iter().map(|one| one.requests).sum(),
        cached: forecasts.iter().map(|one| one.cached).sum(),
        tokens_in: forecasts.iter().map(|one| one.tokens_in).sum(),
        tokens_out: forecasts.iter().map(|one| *one.tokens_out.start()).sum()
            ..=forecasts.iter().map(|one| *one.tokens_out.end()).sum(),
        cost_usd: Some((cost::total(known().map(|cost| cost.0)), cost::total(known().map(|cost| cost.1)))),
    };
    (sum, forecasts.iter().all(|one| one.requests == 0 || one.cost_usd.is_some()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reviewer::{Access, ReviewerId};

    /// What six vocabularies make of it (`o200k`, Claude 2, `DeepSeek` V3, Gemma 3, Llama 3.1, Qwen 3), and the estimate.
    #[test]
    fn near_to_what_tokenizers_count() {
        let check = |text: &str, counted: [u64; 6], expect: u64| {
            assert_eq!(tokens(text), expect, "{text:?}");
            let (least, most) = (counted.iter().min().unwrap(), counted.iter().max().unwrap());
            assert!(
                expect * 10 >= least * 8 && expect * 10 <= most * 12,
                "{text:?}: {expect} for {counted:?}"
            );
        };
        check("", [0; 6], 0);
        check("    42| +    let mut total_bytes = 0;\n", [14, 14, 13, 16, 14, 15], 14);
        let two_lines = "      | -        return Err(StoreError::Write { path, source });\n     7|          if err != nil {\n";
        check(two_lines, [25, 27, 25, 27, 26, 26], 26);
        let header = "diff --git a/src/HTTPServer.rs b/src/HTTPServer.rs\nindex 0123456..89abcde 100644\n";
        check(header, [29, 27, 31, 42, 29, 38], 38);
        check(
            "Der Rückgabewert wird nicht geprüft. 戻り値が確認されていません。",
            [20, 28, 22, 18, 22, 22],
            23,
        );
    }

    fn reviewer(lineage: &str, price: Option<Price>, max_output_tokens: Option<u32>) -> Reviewer {
        let access = Access::OpenAi { base_url: "https://example.org/v1".to_owned(), api_key_env: None };
        let id = ReviewerId::new("x").unwrap();
        Reviewer {
            max_output_tokens,
            price,
            ..Reviewer::new(id, access, "m".to_owned(), Lineage::new(lineage))
        }
    }

    #[test]
    fn what_asking_takes() {
        let price = Some(Price { input: 1.0, output: 10.0, ..Price::FREE });
        let check = |reviewer: &Reviewer,
                     questions: &[u64],
                     expect: (u64, RangeInclusive<u64>, Option<(f64, f64)>)| {
            let forecast = Forecast::new(reviewer, questions, 3);
            assert_eq!((forecast.tokens_in, forecast.tokens_out, forecast.cost_usd), expect);
        };
        check(
            &reviewer("unknown", price, None),
            &[1_000, 500],
            (1_500, 160..=1_360, Some((0.003_1, 0.015_1))),
        );
        check(&reviewer("google", price, Some(100)), &[1_000], (1_120, 80..=100, Some((0.001_92, 0.002_12))));
        check(&reviewer("anthropic", None, None), &[1_000], (1_370, 80..=680, None));
        check(&reviewer("openai", price, None), &[], (0, 0..=0, Some((0.0, 0.0))));
    }

    #[test]
    fn a_sum_says_whether_it_is_all() {
        let price = Some(Price { input: 1.0, output: 10.0, ..Price::FREE });
        let [priced, unpriced] =
            [price, None].map(|price| Forecast::new(&reviewer("x", price, None), &[1_000], 1));
        let idle = Forecast::new(&reviewer("x", None, None), &[], 2);
        let cost = |forecasts: &[Forecast]| {
            let (all, is_all) = together(forecasts);
            (all.requests, all.cached, all.cost_usd, is_all)
        };
        assert_eq!(cost(&[priced.clone(), idle]), (1, 3, Some((0.001_8, 0.007_8)), true));
        assert_eq!(cost(&[priced, unpriced]), (2, 2, Some((0.001_8, 0.007_8)), false));
    }
}
