//! Whom each bundle is put to: [`assign`] applies the configuration's rules and resolves the panels they name. Pure.

use std::collections::BTreeSet;

use crate::{
    bundle::{Bundle, SplitError, route},
    config::{Choice, Config, PanelError, Route},
    reviewer::Reviewer,
    route::{Routed, Routes},
};

/// Who is asked, about what.
#[derive(Debug, Clone, PartialEq)]
pub struct Assignment {
    /// Everybody who is asked about some bundle.
    pub reviewers: Vec<Reviewer>,
    /// Who is asked about which bundle; empty when that is everybody.
    pub routes: Routes,
}

/// A panel or a rule that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AssignError {
    /// A panel.
    #[error(transparent)]
    Panel(#[from] PanelError),
    /// A rule's glob.
    #[error(transparent)]
    Rule(#[from] SplitError),
}

/// Applies the rules to `bundles`, unless `choice` says who is to be asked. A bundle is put to the panels of all its files: a
/// file's panel is that of the first rule that fits it, else the run's own.
pub fn assign(config: &Config, choice: &Choice, bundles: &[Bundle]) -> Result<Assignment, AssignError> {
    let own = config.chosen(choice)?;
    if choice.is_made() || config.routes.is_empty() {
        return Ok(Assignment { reviewers: own, routes: Routes::default() });
    }
    let rules: Vec<_> = config.routes.iter().map(|route| route.rule.clone()).collect();
    let taken = route::routes(bundles, &rules)?;
    if taken.iter().flatten().all(Option::is_none) {
        return Ok(Assignment { reviewers: own, routes: Routes::default() });
    }
    let routed = bundles.iter().zip(&taken);
    let routed = routed.map(|(bundle, taken)| Ok((bundle.id.clone(), routed_to(config, taken)?)));
    let routes: Routes = routed.collect::<Result<_, PanelError>>()?;
    let asked = |reviewer: &&Reviewer| {
        routes.iter().any(|(_, routed)| routed.reviewers.contains(reviewer.id.as_str()))
    };
    Ok(Assignment { reviewers: config.reviewers.iter().filter(asked).cloned().collect(), routes })
}

/// Everybody who could be asked about some change.
pub fn anybody(config: &Config, choice: &Choice) -> Result<Vec<Reviewer>, PanelError> {
    let mut all = config.chosen(choice)?;
    for Route { panel, .. } in config.routes.iter().filter(|_| !choice.is_made()) {
        all.extend(config.on_panel(panel)?);
    }
    Ok(all)
}

/// The panels of a bundle whose files take the rules `taken`.
fn routed_to(config: &Config, taken: &BTreeSet<Option<usize>>) -> Result<Routed, PanelError> {
    // `None` sorts first; the run's own panel is named last.
    let chosen = taken.iter().copied().flatten().map(|rule| config.routes[rule].panel.as_str());
    let own = taken.contains(&None).then_some(config.panel.as_str());
    let mut panels: Vec<&str> = Vec::new();
    for name in chosen.chain(own) {
        if !panels.contains(&name) {
            panels.push(name);
        }
    }
    let mut reviewers = BTreeSet::new();
    for name in &panels {
        reviewers.extend(config.on_panel(name)?.iter().map(|reviewer| reviewer.id.to_string()));
    }
    Ok(Routed { panel: panels.join(" + "), reviewers, by_rules_alone: own.is_none() })
}
