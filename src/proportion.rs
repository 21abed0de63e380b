//! A share of a count with what the count can tell: [`Proportion`] and its [`wilson`](Proportion::wilson) interval.
//!
//! Words and rounding are `report`'s concern.

/// The quantile of the standard normal distribution that leaves 2.5 % on each side.
const QUANTILE_95: f64 = 1.959_963_984_540_054;

/// `hits` of `of`; `hits <= of`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Proportion {
    /// How many have the property.
    pub hits: usize,
    /// How many there are.
    pub of: usize,
}

impl Proportion {
    /// The share, 0.0–1.0; `None` of nothing.
    pub fn share(self) -> Option<f64> {
        (self.of > 0).then(|| as_float(self.hits) / as_float(self.of))
    }

    /// The 95 % Wilson score interval, lower end first, both 0.0–1.0; of nothing the whole range.
    ///
    /// E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of the American
    /// Statistical Association 22 (1927), 209–212, without correction for continuity. Recommended for small counts by Brown, Cai
    /// and `DasGupta`, "Interval estimation for a binomial proportion", Statistical Science 16 (2001), 101–133.
    pub fn wilson(self) -> (f64, f64) {
        let Some(share) = self.share() else { return (0.0, 1.0) };
        let (of, square) = (as_float(self.of), QUANTILE_95 * QUANTILE_95);
        let middle = share + square / (2.0 * of);
        let spread = QUANTILE_95 * (share * (1.0 - share) / of + square / (4.0 * of * of)).sqrt();
        let scale = 1.0 + square / of;
        // Rounding must not lead out of the range, nor past the share itself.
        (((middle - spread) / scale).clamp(0.0, share), ((middle + spread) / scale).clamp(share, 1.0))
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far under 2^52")]
fn as_float(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The four of table I, method 3, in R. G. Newcombe, "Two-sided confidence intervals for the single proportion", Statistics
    /// in Medicine 17 (1998), 857–872; the other two by the formula's closed form at the ends.
    #[test]
    fn known_intervals() {
        let check = |hits, of, expect: (f64, f64)| {
            let (low, high) = Proportion { hits, of }.wilson();
            let rounded = ((low * 10_000.0).round() / 10_000.0, (high * 10_000.0).round() / 10_000.0);
            assert_eq!(rounded, expect, "{hits} of {of}");
        };
        check(0, 0, (0.0, 1.0));
        check(81, 263, (0.2553, 0.3662));
        check(15, 148, (0.0624, 0.1605));
        check(0, 20, (0.0, 0.1611));
        check(1, 29, (0.0061, 0.1718));
        check(20, 20, (0.8389, 1.0));
    }

    #[test]
    fn nothing_has_no_share() {
        assert_eq!(Proportion::default().share(), None);
        assert_eq!(Proportion { hits: 1, of: 4 }.share(), Some(0.25));
    }

    proptest! {
        #[test]
        fn the_interval_holds_the_share(hits in 0_usize..10_000, misses in 0_usize..10_000) {
            let one = Proportion { hits, of: hits + misses };
            let (low, high) = one.wilson();
            let share = one.share().unwrap_or(low);
            prop_assert!(0.0 <= low && low <= share && share <= high && high <= 1.0, "{low} {share} {high}");
        }

        #[test]
        fn more_of_the_same_says_more(hits in 0_usize..100, misses in 0_usize..100) {
            prop_assume!(hits + misses > 0);
            let width = |times| {
                let (low, high) = Proportion { hits: hits * times, of: (hits + misses) * times }.wilson();
                high - low
            };
            prop_assert!(width(2) < width(1));
        }
    }
}
