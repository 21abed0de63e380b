//! How far a figure would move with other cases: [`interval`], the percentile bootstrap over whole cases.
//!
//! Findings of one change hang together, so cases are drawn, never findings. The draws are the same every time.

/// Resamples drawn; B. Efron and R. Tibshirani, "An Introduction to the Bootstrap" (1993), section 14.2: at least 1,000 for an interval.
const RESAMPLES: usize = 2_000;
/// With fewer cases that have anything to say there is no interval: five drawn of five are all the same one too seldom to say where 2.5 % lie.
pub(super) const FEWEST_CASES: usize = 5;
const SEED: u64 = 1;

/// The middle 95 % of `statistic` over resamples of `cases` cases; it is given how often each case was drawn.
///
/// `None` with fewer than five cases. Draws in which the figure does not exist are left out.
pub(super) fn interval(cases: usize, statistic: impl Fn(&[u32]) -> Option<f64>) -> Option<(f64, f64)> {
    if cases < FEWEST_CASES {
        return None;
    }
    let mut random = Random(SEED);
    let draws = (0..RESAMPLES).filter_map(|_| {
        let mut drawn = vec![0_u32; cases];
        (0..cases).for_each(|_| drawn[random.below(cases)] += 1);
        statistic(&drawn)
    });
    let mut values: Vec<f64> = draws.collect();
    values.sort_unstable_by(f64::total_cmp);
    let rank = |share: usize| values.get((values.len() * share / 1000).min(values.len().saturating_sub(1)));
    Some((*rank(25)?, *rank(975)?))
}

/// `SplitMix64`: G. Steele, D. Lea and C. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number under `bound`; the favour it does to small ones is under `bound` / 2^64.
    fn below(&mut self, bound: usize) -> usize {
        let wide = u128::from(self.next()) * bound as u128;
        usize::try_from(wide >> 64).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first numbers of the reference implementation for seed 1234567 (S. Vigna, splitmix64.c).
    #[test]
    fn draws_as_the_reference_does() {
        let mut random = Random(1_234_567);
        let first = [random.next(), random.next(), random.next()];
        assert_eq!(first, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn holds_the_mean_and_narrows_with_more_cases() {
        let half = |cases: usize| {
            interval(cases, |drawn| {
                let hits: u32 = drawn.iter().step_by(2).sum();
                Some(f64::from(hits) / f64::from(u32::try_from(cases).unwrap()))
            })
            .unwrap()
        };
        let (few, many) = (half(20), half(200));
        assert!(few.0 < many.0 && many.0 < 0.5 && 0.5 < many.1 && many.1 < few.1, "{few:?} {many:?}");
        assert_eq!(few, half(20));
    }

    #[test]
    fn few_cases_tell_nothing() {
        assert_eq!(interval(4, |_| Some(1.0)), None);
        assert_eq!(interval(5, |_| None), None);
        assert_eq!(interval(5, |_| Some(1.0)), Some((1.0, 1.0)));
    }
}
