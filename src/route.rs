//! Which reviewers a bundle was put to where a rule chose them: [`Routes`].
//!
//! Choosing is `bundle::route`'s work, resolving a panel's name is `config`'s.

use std::collections::{BTreeMap, BTreeSet};

use crate::reviewer::{Lineage, Panel};

/// Who each bundle was put to, by bundle id. A bundle that is not in it was put to the run's whole panel.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Routes(BTreeMap<String, Routed>);

/// The panel of one bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Routed {
    /// The panels of its files, such as `light` or `light + auto`.
    pub panel: String,
    /// Ids of the reviewers on them.
    pub reviewers: BTreeSet<String>,
    /// Whether a rule fits each of its files, so that the run's own panel has no part in it.
    pub by_rules_alone: bool,
}

impl Routes {
    /// Whether every bundle was put to everybody.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The panel of `bundle`.
    pub fn of(&self, bundle: &str) -> Option<&Routed> {
        self.0.get(bundle)
    }

    /// Whether `bundle` is put to `reviewer`.
    pub fn asks(&self, bundle: &str, reviewer: &str) -> bool {
        self.of(bundle).is_none_or(|routed| routed.reviewers.contains(reviewer))
    }

    /// How many lineages of `panel` must answer about `bundle` where `least` are asked for: at least one, and no more than
    /// are on its panel where rules alone chose that.
    pub fn needed(&self, bundle: &str, panel: &Panel, least: usize) -> usize {
        let routed = self.of(bundle).filter(|routed| routed.by_rules_alone);
        let Some(routed) = routed else { return least.max(1) };
        let seats = panel.reviewers.iter().filter(|seat| routed.reviewers.contains(seat.id.as_str()));
        let lineages: BTreeSet<&Lineage> = seats.map(|seat| &seat.lineage).collect();
        least.min(lineages.len()).max(1)
    }

    /// Bundle ids with their panels, in the order of ids.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Routed)> {
        self.0.iter().map(|(bundle, routed)| (bundle.as_str(), routed))
    }
}

impl FromIterator<(String, Routed)> for Routes {
    fn from_iter<I: IntoIterator<Item = (String, Routed)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reviewer::{ReviewerId, Seat};

    #[test]
    fn a_chosen_panel_needs_no_more_lineages_than_it_has() {
        let seat = |id: &str, lineage: &str| Seat {
            id: ReviewerId::new(id).unwrap(),
            provider: "replay".to_owned(),
            model: id.to_owned(),
            lineage: Lineage::new(lineage),
        };
        let panel = Panel {
            reviewers: vec![seat("opus", "anthropic"), seat("haiku", "anthropic"), seat("kimi", "moonshot")],
        };
        let routed = |ids: &[&str]| Routed {
            panel: "light".to_owned(),
            reviewers: ids.iter().map(|id| (*id).to_owned()).collect(),
            by_rules_alone: true,
        };
        let mixed = Routed { by_rules_alone: false, ..routed(&["opus"]) };
        let routes: Routes = [
            ("c1_docs".to_owned(), routed(&["opus", "haiku"])),
            ("c2_auth".to_owned(), routed(&["opus", "kimi"])),
            ("c3_none".to_owned(), routed(&[])),
            ("c4_mixed".to_owned(), mixed),
        ]
        .into_iter()
        .collect();
        let check = |bundle: &str, least: usize, expect: usize| {
            assert_eq!(routes.needed(bundle, &panel, least), expect, "{bundle} {least}");
        };
        check("c1_docs", 2, 1);
        check("c2_auth", 3, 2);
        check("c2_auth", 0, 1);
        check("c3_none", 2, 1);
        check("c4_mixed", 2, 2);
        check("c9_other", 3, 3);
        check("c9_other", 0, 1);
        assert!(routes.asks("c1_docs", "haiku") && !routes.asks("c1_docs", "kimi"));
        assert!(routes.asks("c9_other", "kimi"));
    }
}
