//! What tokens cost: a [`Price`] by the million, and sums of dollars that are the same in any order.
//!
//! Where prices come from is `config`'s work; nothing here guesses one.

use jiff::civil::Date;

/// What tokens cost, in US dollars per million.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Price {
    /// Of the prompt.
    pub input: f64,
    /// Of the answer, reasoning included.
    pub output: f64,
    /// Of prompt tokens that the provider had in its cache; as `input` when absent.
    pub cached_input: Option<f64>,
    /// Of prompt tokens that the provider put into its cache; as `input` when absent.
    pub cache_write: Option<f64>,
    /// When it was looked up; `None` for one that somebody configured without saying so.
    pub as_of: Option<Date>,
}

/// Tokens of one question as a provider counted them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tokens {
    /// Of the prompt, those below included.
    pub input: u64,
    /// Of these, read from the provider's cache.
    pub cached: u64,
    /// Of these, written to the provider's cache.
    pub cache_written: u64,
    /// Of the answer, reasoning included.
    pub output: u64,
}

impl Price {
    /// Nothing: what answers without a model, or with one on this machine.
    pub const FREE: Self =
        Self { input: 0.0, output: 0.0, cached_input: None, cache_write: None, as_of: None };

    /// Whether no number of tokens costs anything.
    pub fn is_free(self) -> bool {
        let Self { input, output, cached_input, cache_write, .. } = self;
        [input, output, cached_input.unwrap_or(0.0), cache_write.unwrap_or(0.0)].iter().all(|usd| *usd <= 0.0)
    }

    /// What so many tokens cost, in US dollars.
    #[expect(clippy::cast_precision_loss, reason = "no reply has 2^52 tokens")]
    pub fn cost(self, tokens: Tokens) -> f64 {
        let Tokens { input, cached, cache_written, output } = tokens;
        let plain = input.saturating_sub(cached.saturating_add(cache_written));
        let parts = [
            (plain, self.input),
            (cached, self.cached_input.unwrap_or(self.input)),
            (cache_written, self.cache_write.unwrap_or(self.input)),
            (output, self.output),
        ];
        total(parts.map(|(tokens, usd)| tokens as f64 * usd / 1e6))
    }
}

/// The sum of `amounts` of US dollars, to the billionth of a dollar; the same whatever their order. An amount that is
/// negative or no number counts as nothing.
pub fn total(amounts: impl IntoIterator<Item = f64>) -> f64 {
    #[expect(clippy::cast_possible_truncation, reason = "a float beyond the range becomes its end")]
    let billionths = amounts.into_iter().map(|usd| (usd.max(0.0) * 1e9).round() as i128);
    #[expect(clippy::cast_precision_loss, reason = "exact up to nine million dollars")]
    let sum = billionths.fold(0, i128::saturating_add) as f64;
    sum / 1e9
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn costs() {
        let price = Price {
            input: 5.0,
            output: 25.0,
            cached_input: Some(0.5),
            cache_write: Some(6.25),
            ..Price::FREE
        };
        let check = |price: Price, [input, cached, cache_written, output]: [u64; 4], expect: f64| {
            let cost = price.cost(Tokens { input, cached, cache_written, output });
            assert!((cost - expect).abs() < 1e-12, "{cost} for {expect}");
        };
        check(price, [1_000_000, 0, 0, 1_000_000], 30.0);
        check(price, [10_000, 8_000, 1_000, 0], 0.005 + 0.004 + 0.006_25);
        check(Price { cached_input: None, cache_write: None, ..price }, [10_000, 8_000, 1_000, 0], 0.05);
        // A provider that counts cached tokens apart from the others.
        check(price, [10, 8_000, 0, 0], 0.004);
        check(Price::FREE, [u64::MAX, 0, 0, u64::MAX], 0.0);
    }

    #[test]
    fn what_costs_nothing() {
        assert!(Price::FREE.is_free());
        assert!(!Price { output: 0.1, ..Price::FREE }.is_free());
    }

    #[test]
    fn amounts_that_are_none() {
        let check = |amounts: &[f64], expect: f64| {
            assert_eq!(total(amounts.iter().copied()).to_bits(), expect.to_bits(), "{amounts:?}");
        };
        check(&[], 0.0);
        check(&[-3.0, f64::NAN, 0.25], 0.25);
        check(&[0.1, 0.2], 0.3);
        assert!(total([f64::INFINITY, 1.0]).is_finite());
    }

    proptest! {
        #[test]
        fn sums_do_not_depend_on_the_order(mut amounts in proptest::collection::vec(0.0..1e4_f64, 0..30)) {
            let forward = total(amounts.clone());
            amounts.reverse();
            let middle = amounts.len() / 2;
            amounts.rotate_left(middle);
            prop_assert_eq!(forward.to_bits(), total(amounts).to_bits());
        }
    }
}
