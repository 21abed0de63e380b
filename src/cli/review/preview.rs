//! `scrum review --dry-run`: [`show`]s what would be sent, and what that would cost.

use jiff::tz::TimeZone;

use super::{Material, ReviewArgs, asked::memory};
use crate::{
    cli::{bundle, error::CliError, guidance, judge, ui::Ui, workspace::Workspace},
    clock,
    config::Seats,
    estimate::{self, Forecast},
    prompt::Templates,
    report::preview::{Preview, Prospect},
    reviewer::Reviewer,
    route::Routes,
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
    let questions = material.questions(templates, "0123456789abcdef")?;
    let memory = memory(workspace, args, material, templates, &reviewers)?;
    let forecast = |reviewer: &Reviewer| {
        let own = questions.iter().filter(|one| routes.asks(&one.bundle.id, reviewer.id.as_str()));
        let (known, open): (Vec<_>, Vec<_>) = own.partition(|one| memory.answer(one, &reviewer.id).is_some());
        let open: Vec<u64> = open.iter().map(|one| estimate::tokens(&one.prompt.joined())).collect();
        Forecast::new(reviewer, &open, known.len())
    };
    let forecasts: Vec<Forecast> = reviewers.iter().map(forecast).collect();
    let today = clock::now().to_zoned(TimeZone::UTC).date();
    let prospect = Prospect { reviewers: &reviewers, forecasts: &forecasts, today };
    let panel = (!material.split.bundles.is_empty()).then_some(prospect);
    let Material { range, split, masks, .. } = material;
    let preview = Preview { range, split, masks, panel, routes };
    bundle::show(&preview, &args.output, ui)?;
    guidance::announce(&material.guidance, ui);
    judge::announce(&workspace.config, args.verify, ui);
    Ok(())
}
