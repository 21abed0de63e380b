//! What pages call things: [`Names`], the lineages in the order of columns, and bundles and components by number.
//!
//! Filters name them by these numbers, as a name may hold any character.

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;

use crate::{
    report::{
        foreign,
        summary::{self, Directory},
        words,
    },
    reviewer::Lineage,
    tally::{Issue, Tally},
};

/// Names of one tally.
pub(super) struct Names<'a> {
    /// Those of the panel, of whoever else was heard and of who was asked about claims, in name order.
    pub(super) lineages: Vec<&'a Lineage>,
    pub(super) directory: Directory<'a>,
    bundles: Vec<&'a str>,
    components: Vec<&'a str>,
    component_of: HashMap<&'a str, &'a str>,
}

/// What issues can be filtered by.
#[derive(Serialize)]
pub(super) struct Choices {
    lineages: Vec<String>,
    bundles: Vec<String>,
    /// Left empty where every component is one bundle.
    components: Vec<String>,
}

impl<'a> Names<'a> {
    pub(super) fn of(tally: &'a Tally) -> Self {
        let panel = tally.panel.reviewers.iter().map(|seat| &seat.lineage);
        let found = summary::counted(tally).flat_map(|issue| &issue.lineages);
        let examined = tally.judgements.examinations.iter().map(|one| &one.hearing.by.lineage);
        let lineages: BTreeSet<&Lineage> =
            panel.chain(found).chain(summary::heard(tally)).chain(examined).collect();
        let bundles: Vec<&str> = summary::bundle_heads(tally).into_iter().map(|(id, _)| id).collect();
        let component_of: HashMap<&str, &str> =
            tally.bundles.iter().map(|bundle| (bundle.id.as_str(), bundle.component.as_str())).collect();
        let components: BTreeSet<&str> = component_of.values().copied().collect();
        let is_one_each = components.len() == bundles.len();
        Self {
            lineages: lineages.into_iter().collect(),
            directory: Directory::of(tally),
            bundles,
            components: if is_one_each { Vec::new() } else { components.into_iter().collect() },
            component_of,
        }
    }

    pub(super) fn choices(&self) -> Choices {
        Choices {
            lineages: self.lineages.iter().map(|one| foreign::one_line(one.as_str())).collect(),
            bundles: self.bundles.iter().map(|id| words::bundle_name(id)).collect(),
            components: self.components.iter().map(|one| foreign::one_line(one)).collect(),
        }
    }

    /// The numbers of an issue's lineages: ` 0 2 `.
    pub(super) fn lineages_in(&self, issue: &Issue) -> String {
        numbers(&self.lineages, issue.lineages.iter())
    }

    /// The numbers of the bundles that its findings are about.
    pub(super) fn bundles_in(&self, issue: &Issue) -> String {
        let of: BTreeSet<&str> = summary::standing(issue).map(|member| member.bundle.as_str()).collect();
        numbers(&self.bundles, of)
    }

    /// The numbers of their components.
    pub(super) fn components_in(&self, issue: &Issue) -> String {
        let of = summary::standing(issue).filter_map(|member| self.component_of.get(member.bundle.as_str()));
        numbers(&self.components, of.copied().collect::<BTreeSet<&str>>())
    }
}

fn numbers<T: PartialEq>(all: &[T], some: impl IntoIterator<Item = T>) -> String {
    let numbers = some.into_iter().filter_map(|one| all.iter().position(|other| *other == one));
    numbers.map(|at| at.to_string()).collect::<Vec<_>>().join(" ")
}
