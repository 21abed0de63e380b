//! Reviewers that nobody configured: [`add`] lets those sit on the panel that are found on this machine, [`announce`] says who of
//! them is about to be shown the change.

use super::{doctor::look, error::CliError, ui::Ui, workspace::Workspace};
use crate::{
    config::{AUTO, Candidate, Choice, candidates, one_a_lineage},
    report::preview::{self, Prospect},
    reviewer::Reviewer,
    run::survey::Depth,
};

/// Adds to the configuration whom `choice` means and nobody configured. True when some of them will be shown the change somewhere
/// else than on this machine.
pub(super) fn add(workspace: &mut Workspace, choice: &Choice) -> Result<bool, CliError> {
    let config = &workspace.config;
    let is_known = |id: &String| config.reviewers.iter().any(|one| one.id.as_str() == id);
    let by_name = choice.reviewers.iter().any(|id| !is_known(id));
    let panel = choice.panel.as_ref().unwrap_or(&config.panel);
    let by_rule = !choice.is_made() && config.routes.iter().any(|rule| rule.panel == AUTO);
    let by_panel = choice.reviewers.is_empty() && (panel == AUTO || by_rule) && !config.names_reviewers;
    if !by_name && !by_panel {
        return Ok(false);
    }
    let survey = look(workspace, Depth::Quick)?;
    let found = candidates(&survey, workspace.config.times, &workspace.config.prices);
    let added = if by_name { named(&found, &choice.reviewers) } else { one_a_lineage(&found) };
    let leaves = added.iter().any(|one| !one.access.stays_here());
    workspace.seat(added);
    Ok(leaves)
}

fn named(found: &[Candidate], ids: &[String]) -> Vec<Reviewer> {
    let is_named = |one: &&Candidate| ids.iter().any(|id| *id == one.reviewer.id.as_str());
    found.iter().filter(is_named).map(|one| one.reviewer.clone()).collect()
}

/// Says who is going to be shown the change outside of this machine, what that takes, and how to keep it here.
pub(super) fn announce(workspace: &Workspace, choice: &Choice, panel: Prospect<'_>, ui: Ui) {
    let lines = preview::shown_to(panel);
    if lines.is_empty() {
        return;
    }
    let why = if choice.is_made() { "" } else { "nobody is configured, so whoever is found here is asked; " };
    ui.note(format_args!("{why}the change is shown to\n  {}", lines.join("\n  ")));
    if !choice.is_made() {
        let file = workspace.environment.user_config_file();
        let file =
            file.map_or_else(|| "your own configuration".to_owned(), |file| file.display().to_string());
        ui.note(format_args!(
            "`--panel offline` keeps everything on this machine; always: `panel = \"offline\"` under [review] in {file}"
        ));
    }
}
