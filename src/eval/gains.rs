//! What each further lineage adds to recall: [`Gains`], without regard to order and in the best order.
//!
//! Means over all subsets and orders come from counts alone, so any number of lineages is exact: a random `k` of `L` lineages
//! miss an issue that `c` of them found with probability C(L-c, k) / C(L, k).

use std::collections::BTreeSet;

use super::{Counted, Estimate, bootstrap, float, truth::Truth};
use crate::{proportion::Proportion, reviewer::Lineage};

/// What lineages add to one another.
#[derive(Debug, Clone, PartialEq)]
pub struct Gains {
    /// Panels of one, two, … lineages: the mean over all panels of that size.
    pub by_size: Vec<Step>,
    /// The best first lineage, then the one that adds most to it, and so on; equal ones by name.
    pub greedy: Vec<Added>,
    /// What each lineage adds on average over all orders in which lineages could be added (its Shapley value), by name.
    ///
    /// The values add up to the union's recall. L. S. Shapley, "A value for n-person games" (1953); for unions each true issue is
    /// shared evenly by those who found it.
    pub shapley: Vec<(Lineage, f64)>,
}

/// The mean panel of a size.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Lineages on it.
    pub lineages: usize,
    /// Mean recall.
    pub recall: Estimate,
    /// Over panels of one lineage less.
    pub gain: Estimate,
}

/// A lineage added to those before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added {
    /// Which.
    pub lineage: Lineage,
    /// Recall with it.
    pub recall: Proportion,
    /// True issues that nobody before it found.
    pub new: usize,
}

/// Who found what in one case.
struct Finders {
    real: usize,
    /// By true issue, the lineages that found it, by number; issues that nobody found are left out.
    by_issue: Vec<BTreeSet<usize>>,
}

pub(super) fn gains(cases: &[Counted]) -> Gains {
    let lineages: BTreeSet<&Lineage> =
        cases.iter().flat_map(|case| &case.seats).map(|(_, lineage)| lineage).collect();
    let lineages: Vec<&Lineage> = lineages.into_iter().collect();
    let finders: Vec<Finders> = cases.iter().map(|case| Finders::of(case, &lineages)).collect();
    Gains {
        by_size: by_size(&finders, lineages.len()),
        greedy: greedy(&finders, &lineages),
        shapley: shapley(&finders, &lineages),
    }
}

impl Finders {
    fn of(case: &Counted, lineages: &[&Lineage]) -> Self {
        let mut by_issue = vec![BTreeSet::new(); case.real];
        for found in &case.findings {
            if let (Truth::Real(issues), Ok(lineage)) =
                (&found.truth, lineages.binary_search(&&found.lineage))
            {
                for issue in issues {
                    by_issue[*issue].insert(lineage);
                }
            }
        }
        by_issue.retain(|finders| !finders.is_empty());
        Self { real: case.real, by_issue }
    }

    /// Expected number of its issues that a random `size` of `all` lineages find.
    fn expected(&self, size: usize, all: usize) -> f64 {
        self.by_issue.iter().map(|finders| 1.0 - missed(finders.len(), size, all)).sum()
    }
}

/// C(all - finders, size) / C(all, size).
fn missed(finders: usize, size: usize, all: usize) -> f64 {
    (0..size).map(|at| float((all - finders).saturating_sub(at)) / float(all - at)).product()
}

fn by_size(cases: &[Finders], all: usize) -> Vec<Step> {
    let expected: Vec<Vec<f64>> =
        (0..=all).map(|size| cases.iter().map(|case| case.expected(size, all)).collect()).collect();
    let recall = |size: usize, drawn: &[u32]| {
        let weigh = |figures: &mut dyn Iterator<Item = f64>| {
            figures.zip(drawn).map(|(figure, times)| figure * f64::from(*times)).sum::<f64>()
        };
        let real = weigh(&mut cases.iter().map(|case| float(case.real)));
        (real > 0.0).then(|| weigh(&mut expected[size].iter().copied()) / real)
    };
    let estimate = |statistic: &dyn Fn(&[u32]) -> Option<f64>| {
        let value = statistic(&vec![1; cases.len()])?;
        Some(Estimate { value, interval: bootstrap::interval(cases.len(), statistic) })
    };
    let step = |size: usize| {
        Some(Step {
            lineages: size,
            recall: estimate(&|drawn| recall(size, drawn))?,
            gain: estimate(&|drawn| Some(recall(size, drawn)? - recall(size - 1, drawn)?))?,
        })
    };
    (1..=all).filter_map(step).collect()
}

fn greedy(cases: &[Finders], lineages: &[&Lineage]) -> Vec<Added> {
    let real = cases.iter().map(|case| case.real).sum();
    let mut open: Vec<&BTreeSet<usize>> = cases.iter().flat_map(|case| &case.by_issue).collect();
    let mut left: Vec<usize> = (0..lineages.len()).collect();
    let (mut order, mut hits) = (Vec::new(), 0);
    let adds = |open: &[&BTreeSet<usize>], lineage| open.iter().filter(|one| one.contains(&lineage)).count();
    while let Some(best) = left.iter().copied().max_by_key(|one| (adds(&open, *one), std::cmp::Reverse(*one)))
    {
        let new = adds(&open, best);
        hits += new;
        open.retain(|finders| !finders.contains(&best));
        left.retain(|one| *one != best);
        order.push(Added { lineage: lineages[best].clone(), recall: Proportion { hits, of: real }, new });
    }
    order
}

fn shapley(cases: &[Finders], lineages: &[&Lineage]) -> Vec<(Lineage, f64)> {
    let real: usize = cases.iter().map(|case| case.real).sum();
    let value = |own: usize| {
        let issues = cases.iter().flat_map(|case| &case.by_issue).filter(|finders| finders.contains(&own));
        issues.map(|finders| 1.0 / float(finders.len())).sum::<f64>() / float(real.max(1))
    };
    lineages.iter().enumerate().map(|(at, lineage)| ((*lineage).clone(), value(at))).collect()
}
