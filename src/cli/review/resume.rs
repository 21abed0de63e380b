//! `scrum review --resume`: [`resume`] makes a [`Job`] of a run on disk.
//!
//! Answers to other questions, or of other models, are never mixed into a run.

use std::sync::Arc;

use super::{
    Material, ReviewArgs,
    asked::{asked, memory},
    prepare::{Job, least},
};
use crate::{
    bundle::{Split, context::Growth},
    cli::{error::CliError, found, guidance::guidance, judge, ui::Ui, workspace::Workspace},
    config::{Choice, PanelError},
    reviewer::Builtin,
    run::saved,
    store::RunDir,
};

/// A run on disk with the questions nobody has answered. The panel is the run's own, as it is configured now.
pub(super) fn resume(
    workspace: &mut Workspace,
    args: &ReviewArgs,
    dir: RunDir,
    ui: Ui,
) -> Result<Job, CliError> {
    if !dir.has_bundles() {
        return Err(CliError::new(format!(
            "the bundles of run {} are gone, so nothing can be asked",
            dir.id
        ))
        .hint(format!("`scrum tally {}` counts what was answered, without checking places", dir.id)));
    }
    let saved = saved::open_undecided(&dir)?;
    let panel: Vec<String> = saved.input.panel.reviewers.iter().map(|seat| seat.id.to_string()).collect();
    let policy = args.gate.over(saved.policy);
    let choice = Choice { panel: None, reviewers: panel };
    found::add(workspace, &choice)?;
    let routes = saved.record.info().routes;
    let least = least(&routes, &saved.input.panel, &saved.input.bundles, &policy);
    let seats = workspace.config.seats(&choice, least, workspace.environment);
    let seats = seats.map_err(|error| match error {
        PanelError::NoSuchReviewer { id, .. } => changed_panel(&dir, &format!("there is no reviewer {id:?}")),
        PanelError::NoSuchPanel { .. } | PanelError::Unusable { .. } => error.into(),
    })?;
    let panel = seats.panel();
    if let Some(seat) = panel.reviewers.iter().find(|seat| !saved.input.panel.reviewers.contains(seat)) {
        return Err(changed_panel(&dir, &format!("{} is {} of {}", seat.id, seat.model, seat.lineage)));
    }
    let split = Split { bundles: saved.input.bundles, excluded: saved.input.excluded };
    let templates = workspace.templates()?;
    let guidance = guidance(workspace, &saved.input.range, &split, &templates, ui)?;
    let (range, commits, masks) = (saved.input.range, saved.record.commits(), saved.record.masks());
    let material =
        Material { split: Arc::new(split), range, commits, masks, growth: Growth::default(), guidance };
    if templates.hash() != saved.record.prompt_hash {
        return Err(CliError::new(format!("the prompts of run {} were other ones", dir.id))
            .hint("start a new review: answers to different prompts must not be mixed in one run"));
    }
    if material.guidance_told() != saved.record.guidance {
        return Err(CliError::new(format!("the guidance of run {} was another one", dir.id))
            .hint("start a new review: answers to different prompts must not be mixed in one run"));
    }
    let past = seats.asks(Builtin::History).then(|| workspace.change_again(&material.range)).flatten();
    let opener = workspace.opener(&seats, &material, past)?;
    let asked = asked(args.timeout, seats, opener, &material, &templates, &saved.record.nonce)?;
    let memory =
        memory(workspace, args, &material, &templates, asked.respondents.iter().map(|one| &one.reviewer))?;
    let mut record = saved.record;
    let verify = args.verify || record.judging.is_some_and(|judging| judging.verify);
    record.judging = judge::wanted(&workspace.config, verify);
    let (earlier, judgements, since) = (saved.input.replies, saved.input.judgements, saved.input.since);
    Ok(Job { dir, record, material, policy, asked, memory, earlier, judgements, since })
}

fn changed_panel(dir: &RunDir, now: &str) -> CliError {
    CliError::new(format!("the panel of run {} was another one: now {now}", dir.id))
        .hint("start a new review: answers of different models must not be mixed in one run")
}
