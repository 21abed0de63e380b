//! `scrum review --dry-run`: [`show`]s what would be sent, and what that would cost.

use std::collections::BTreeMap;

use jiff::{civil::Date, tz::TimeZone};

use super::{Material, ReviewArgs, asked::memory};
use crate::{
    cli::{bundle, error::CliError, guidance, judge, ui::Ui, workspace::Workspace},
    clock,
    config::Seats,
    estimate::{self, Forecast},
    prompt::Templates,
    report::preview::{Preview, Prospect},
    reviewer::{Reviewer, ReviewerId},
    route::Routes,
    run::recall::Memory,
};

/// Shows what would be sent, and what that would cost.
pub(super) fn show(
    workspace: &Workspace,
    args: &ReviewArgs,
    material: &Material,
    templates: &Templates,
    (seats, routes): (&Seats, &Routes),
    ui: Ui,
) -> Result<(), CliError> {
    let reviewers = seats.usable_reviewers();
    let memory = memory(workspace, args, material, templates, &reviewers)?;
    let in_place = seats.in_place();
    let forecasts = forecasts((&reviewers, &in_place), material, templates, routes, &memory)?;
    let prospect =
        Prospect { reviewers: &reviewers, in_place: &in_place, forecasts: &forecasts, today: today() };
    let panel = (!material.split.bundles.is_empty()).then_some(prospect);
    let Material { range, split, masks, .. } = material;
    let preview = Preview { range, split, masks, panel, routes };
    bundle::show(&preview, args.output.format.general(), args.output.file(), ui)?;
    guidance::announce(&material.guidance, ui);
    judge::announce(&workspace.config, args.verify, &reviewers, ui);
    Ok(())
}

/// What each of `reviewers`, or who is asked in its place, will take for what `routes` put to it. Every estimate of a change gives the same figures.
pub(super) fn forecasts(
    (reviewers, in_place): (&[Reviewer], &BTreeMap<ReviewerId, (Reviewer, String)>),
    material: &Material,
    templates: &Templates,
    routes: &Routes,
    memory: &Memory,
) -> Result<Vec<Forecast>, CliError> {
    let questions = material.questions(templates, "0123456789abcdef")?;
    let forecast = |reviewer: &Reviewer| {
        let own = questions.iter().filter(|one| routes.asks(&one.bundle.id, reviewer.id.as_str()));
        let (known, open): (Vec<_>, Vec<_>) = own.partition(|one| memory.answer(one, &reviewer.id).is_some());
        let open: Vec<u64> = open.iter().map(|one| estimate::tokens(&one.prompt.joined())).collect();
        let voice = in_place.get(&reviewer.id).map_or(reviewer, |(stand_in, _)| stand_in);
        Forecast::new(voice, &open, known.len())
    };
    Ok(reviewers.iter().map(forecast).collect())
}

pub(super) fn today() -> Date {
    clock::now().to_zoned(TimeZone::UTC).date()
}
