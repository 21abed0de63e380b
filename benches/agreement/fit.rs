//! Chooses the rule's two figures from some pull requests, so that they can be tried on others: [`Figures`].
//!
//! The steps are written down in `docs/design/agreement.md`; they look at nothing but the pairs they are given.

use std::collections::{BTreeSet, HashSet};

use crate::data::{Data, Pair, number};

/// What is asked of the rule, as shares: same linked at least, different linked at most, remarks on the same lines
/// linked at most, recorded findings linked at most.
const BARS: [f64; 4] = [0.75, 0.05, 0.15, 0.05];
/// At most this share of same pairs may be called different.
const PARTED: f64 = 0.05;
/// Bounds that are tried, in percent.
pub(crate) const BOUNDS: std::ops::RangeInclusive<u32> = 15..=50;
/// Words in doubt that are tried.
const DOUBTS: std::ops::RangeInclusive<u32> = 0..=6;

/// The two figures of the rule.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Figures {
    pub(crate) in_doubt: f64,
    pub(crate) bound: f64,
}

/// Pull requests by name.
pub(crate) type Pulls = BTreeSet<String>;

/// The fewest words in doubt that part few same pairs, each with the bound in the middle of those that meet all bars.
pub(crate) fn fit(data: &Data, on: &Pulls) -> Figures {
    let fitted = |in_doubt: u32| {
        let in_doubt = f64::from(in_doubt);
        let meets =
            |percent: &u32| meets_bars(data, on, Figures { in_doubt, bound: f64::from(*percent) / 100.0 });
        let meeting: Vec<u32> = BOUNDS.filter(meets).collect();
        // Of two middles the higher: it links less.
        let middle = (meeting.first()? + meeting.last()?).div_ceil(2);
        Some(Figures { in_doubt, bound: f64::from(middle) / 100.0 })
    };
    let mut all = DOUBTS.filter_map(fitted);
    let few_parted =
        |figures: &Figures| share(&data.martian, on, "same", &|pair| parts(pair, *figures)) <= PARTED;
    all.find(few_parted).unwrap_or_else(|| panic!("no figures meet the bars on {} pull requests", on.len()))
}

fn meets_bars(data: &Data, on: &Pulls, figures: Figures) -> bool {
    let linked = |pair: &Pair| links(pair, figures);
    share(&data.martian, on, "same", &linked) >= BARS[0]
        && share(&data.martian, on, "different", &linked) <= BARS[1]
        && share(&data.aacr, on, "different", &linked) <= BARS[2]
        && in_agreement(data, on, &linked) <= BARS[3]
}

/// Called the same.
pub(crate) fn links(pair: &Pair, figures: Figures) -> bool {
    pair.likeness(figures.in_doubt).0 >= figures.bound
}

/// Called different, if they are English.
pub(crate) fn parts(pair: &Pair, figures: Figures) -> bool {
    pair.likeness(figures.in_doubt).1 < figures.bound
}

/// The share of the pairs with that label for which `holds`; 0 of none.
pub(crate) fn share(pairs: &[Pair], on: &Pulls, label: &str, holds: &dyn Fn(&Pair) -> bool) -> f64 {
    let all: Vec<_> = pairs.iter().filter(|pair| pair.label == label && on.contains(&pair.pull)).collect();
    number(all.iter().filter(|pair| holds(pair)).count()) / number(all.len().max(1))
}

/// The share of recorded findings in a pair that is linked.
pub(crate) fn in_agreement(data: &Data, on: &Pulls, linked: &dyn Fn(&Pair) -> bool) -> f64 {
    let pairs = data.near.iter().filter(|pair| on.contains(&pair.pull) && linked(pair));
    let findings: HashSet<usize> = pairs.filter_map(|pair| pair.findings).flatten().collect();
    let all: usize =
        data.findings.iter().filter(|(pull, _)| on.contains(*pull)).map(|(_, count)| count).sum();
    number(findings.len()) / number(all.max(1))
}
