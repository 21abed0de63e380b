//! Which bundle is put to which reviewer, and in which order: [`plan`] makes [`Task`]s. Pure.

use std::{borrow::Borrow, cmp::Reverse, collections::BTreeSet};

use crate::{
    bundle::Bundle,
    reviewer::{Panel, ReviewerId},
};

/// One bundle to be put to one reviewer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Task {
    /// Index into the bundles planned for.
    pub bundle: usize,
    /// Index into the panel's reviewers.
    pub reviewer: usize,
}

/// All bundles × reviewers but those in `answered`, the biggest bundles first: they take longest, and what is
/// left at the end should be short. All reviewers of a bundle stand together, so a run that is interrupted has
/// something to compare.
pub fn plan(
    bundles: &[impl Borrow<Bundle>],
    panel: &Panel,
    answered: &BTreeSet<(String, ReviewerId)>,
) -> Vec<Task> {
    let mut order: Vec<usize> = (0..bundles.len()).collect();
    order.sort_by_key(|&bundle| Reverse(bundles[bundle].borrow().byte_len()));
    let is_open = |task: &Task| {
        let pair = (bundles[task.bundle].borrow().id.clone(), panel.reviewers[task.reviewer].id.clone());
        !answered.contains(&pair)
    };
    order
        .into_iter()
        .flat_map(|bundle| (0..panel.reviewers.len()).map(move |reviewer| Task { bundle, reviewer }))
        .filter(is_open)
        .collect()
}
