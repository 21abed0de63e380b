//! Which bundle is put to which reviewer, and in which order: [`plan`] makes [`Task`]s. Pure.

use std::{borrow::Borrow, cmp::Reverse, collections::BTreeSet};

use crate::{
    bundle::Bundle,
    reviewer::{Panel, ReviewerId},
    route::Routes,
};

/// One bundle to be put to one reviewer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Task {
    /// Index into the bundles planned for.
    pub bundle: usize,
    /// Index into the panel's reviewers.
    pub reviewer: usize,
}

/// All bundles × reviewers on their panels but those in `answered`, the biggest bundles first: they take longest, and what is
/// left at the end should be short. All reviewers of a bundle stand together, so a run that is interrupted has
/// something to compare.
pub fn plan(
    bundles: &[impl Borrow<Bundle>],
    panel: &Panel,
    routes: &Routes,
    answered: &BTreeSet<(String, ReviewerId)>,
) -> Vec<Task> {
    let mut order: Vec<usize> = (0..bundles.len()).collect();
    order.sort_by_key(|&bundle| Reverse(bundles[bundle].borrow().byte_len()));
    let is_open = |task: &Task| {
        let (bundle, reviewer) = (&bundles[task.bundle].borrow().id, &panel.reviewers[task.reviewer].id);
        routes.asks(bundle, reviewer.as_str()) && !answered.contains(&(bundle.clone(), reviewer.clone()))
    };
    order
        .into_iter()
        .flat_map(|bundle| (0..panel.reviewers.len()).map(move |reviewer| Task { bundle, reviewer }))
        .filter(is_open)
        .collect()
}
