//! Reviewers that nobody configured: [`add`] lets those sit on the panel that are found on this machine.
//!
//! Nothing leaves the machine before somebody has said so: a plain `scrum review` asks only those that keep the change here, and
//! tells who else was found. `--panel auto`, `SCRUM_PANEL`, `[review] panel` and `-r` say so.

use super::{doctor::look, error::CliError, ui::Ui, workspace::Workspace};
use crate::{
    bundle::Split,
    config::{AUTO, Candidate, Choice, Seats, candidates, one_a_lineage},
    cost::Tokens,
    estimate::as_counted_by,
    report::{preview::estimated_tokens, words},
    reviewer::{Reviewer, host},
    route::Routes,
    run::survey::Depth,
};

/// Adds to the configuration whom `choice` means and nobody configured. True when some of them will be shown the change somewhere
/// else than on this machine.
pub(super) fn add(workspace: &mut Workspace, choice: &Choice, ui: Ui) -> Result<bool, CliError> {
    let config = &workspace.config;
    let is_known = |id: &String| config.reviewers.iter().any(|one| one.id.as_str() == id);
    let by_name = choice.reviewers.iter().any(|id| !is_known(id));
    let panel = choice.panel.as_ref().unwrap_or(&config.panel);
    let by_panel = choice.reviewers.is_empty() && panel == AUTO && !config.said.reviewers;
    if !by_name && !by_panel {
        return Ok(false);
    }
    let survey = look(workspace, Depth::Quick)?;
    let found = candidates(&survey, workspace.config.times, &workspace.config.prices);
    let added = if by_name {
        named(&found, &choice.reviewers)
    } else {
        let is_said = choice.panel.is_some() || workspace.config.said.panel;
        let asked = one_a_lineage(&found, !is_said);
        tell_of_others(&found, &asked, ui);
        asked
    };
    let leaves = added.iter().any(|one| !one.access.stays_here());
    workspace.seat(added);
    Ok(leaves)
}

fn named(found: &[Candidate], ids: &[String]) -> Vec<Reviewer> {
    let is_named = |one: &&Candidate| ids.iter().any(|id| *id == one.reviewer.id.as_str());
    found.iter().filter(is_named).map(|one| one.reviewer.clone()).collect()
}

/// Who could be asked and is not, because nobody has said that the change may be shown to them.
fn tell_of_others(found: &[Candidate], asked: &[Reviewer], ui: Ui) {
    let all = one_a_lineage(found, false);
    let others = all.iter().filter(|one| !asked.contains(one)).filter(|one| !one.access.stays_here());
    let others: Vec<String> = others.map(place).collect();
    if !others.is_empty() {
        ui.note(format_args!(
            "found too, and not asked, since they would be shown the change: {}. `--panel {AUTO}` asks them, `scrum init` writes down whom to ask",
            words::list(&others)
        ));
    }
}

/// `openai (gpt-6.1-sol at api.openai.com)`.
fn place(reviewer: &Reviewer) -> String {
    let way = match (reviewer.access.base_url(), reviewer.access.program()) {
        (Some(url), _) => format!("{} at {}", reviewer.model, host(url)),
        (None, Some(program)) => format!("program {program}"),
        (None, None) => reviewer.model.clone(),
    };
    format!("{} ({way})", reviewer.id)
}

/// Says who is going to be shown how much of the change, and what that costs as far as it is known.
pub(super) fn announce(seats: &Seats, routes: &Routes, split: &Split, ui: Ui) {
    let away = seats.usable.iter().map(|(reviewer, _)| reviewer).filter(|one| !one.access.stays_here());
    for reviewer in away {
        let bundles = split.bundles.iter().filter(|bundle| routes.asks(&bundle.id, reviewer.id.as_str()));
        let tokens = as_counted_by(&reviewer.lineage, bundles.map(estimated_tokens).sum());
        let cost = match reviewer.price {
            Some(price) => format!(
                ", {} without its answers",
                words::dollars(price.cost(Tokens { input: tokens, ..Tokens::default() }))
            ),
            None => String::new(),
        };
        ui.note(format_args!(
            "asking {}: about {} tokens of diff{cost}",
            place(reviewer),
            words::grouped(tokens)
        ));
    }
}
