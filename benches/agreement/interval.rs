//! A share with the interval that other pull requests would move it in: [`Counted`].
//!
//! Pairs of one pull request hang together, so pull requests are drawn, never pairs: the percentile bootstrap of
//! B. Efron and R. Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 13.

use std::{collections::BTreeMap, fmt};

use crate::data::{Pair, number};

const DRAWS: usize = 2_000;

/// Hits among all, by pull request.
#[derive(Default)]
pub(crate) struct Counted {
    by_pull: BTreeMap<String, (usize, usize)>,
}

impl Counted {
    /// How many of the pairs `hits` holds for.
    pub(crate) fn of<'a>(pairs: impl Iterator<Item = &'a Pair>, hits: &dyn Fn(&Pair) -> bool) -> Self {
        let mut counted = Self::default();
        pairs.for_each(|pair| counted.add(&pair.pull, usize::from(hits(pair)), 1));
        counted
    }

    pub(crate) fn add(&mut self, pull: &str, hits: usize, of: usize) {
        let both = self.by_pull.entry(pull.to_owned()).or_default();
        *both = (both.0 + hits, both.1 + of);
    }

    pub(crate) fn percent(&self) -> f64 {
        percent(self.by_pull.values())
    }

    /// The middle 95 % over draws of as many pull requests.
    fn interval(&self) -> (f64, f64) {
        let pulls: Vec<_> = self.by_pull.values().collect();
        let mut random = 1_u64;
        let mut draw = || {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let wide = u128::from(random >> 32) * pulls.len() as u128;
            pulls[usize::try_from(wide >> 32).unwrap_or_default()]
        };
        let mut values: Vec<f64> = (0..DRAWS)
            .map(|_| percent((0..pulls.len()).map(|_| draw()).collect::<Vec<_>>().into_iter()))
            .collect();
        values.sort_unstable_by(f64::total_cmp);
        (values[DRAWS / 40], values[DRAWS - DRAWS / 40])
    }
}

fn percent<'a>(counts: impl Iterator<Item = &'a (usize, usize)>) -> f64 {
    let (hits, of) = counts.fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1));
    100.0 * number(hits) / number(of.max(1))
}

/// `84.2 % (80.1–88.0)`.
impl fmt::Display for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (low, high) = self.interval();
        write!(f, "{:<19}", format!("{:.1} % ({low:.1}–{high:.1})", self.percent()))
    }
}
