//! `scrum bundle`: splits a change, checks the sizes, writes the bundles, sends nothing. `review` splits with the same code.

use std::path::Path;

use clap::Args;

use super::{
    ChangeArgs, Format, Global, OutputArgs,
    error::{CliError, Status},
    review::Material,
    ui::Ui,
    workspace::{Reading, Workspace},
};
use crate::{
    bundle::{
        self, Split,
        context::{self, Growth},
    },
    change::Change,
    clock,
    report::{
        preview::{self, Preview},
        sizes,
    },
    route::Routes,
    run,
};

#[derive(Debug, Args)]
pub(super) struct BundleArgs {
    #[command(flatten)]
    change: ChangeArgs,
    #[command(flatten)]
    output: OutputArgs,
    /// Only show bundles and sizes; write nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(global: &Global, args: &BundleArgs, ui: Ui) -> Result<Status, CliError> {
    let workspace = Workspace::for_change(global, &args.change, ui)?;
    let change = match workspace.change(&args.change, ui)? {
        Reading::Files(change) => change,
        Reading::NoFile(_) => return Ok(Status::Done),
    };
    let (range, commits) = (change.range.clone(), change.commits.clone());
    let (split, growth) = split(&workspace, &args.change, change, ui)?;
    let material = Material { growth, ..Material::new(split, range, commits, Vec::new()) };
    let Material { split, range, masks, .. } = &material;
    let preview = Preview { range, split, masks, panel: None, routes: &Routes::default() };
    show(&preview, Some(args.output.format), args.output.file(), ui)?;
    if !args.dry_run && !split.bundles.is_empty() {
        let id = run::run_id(clock::now(), &clock::nonce()?);
        let folder = workspace.store.create_bundles(&id, &material.manifest(), split)?;
        ui.note(format_args!("bundles written to {}", workspace.shown(&folder)));
    }
    check_sizes(&workspace, split, ui)?;
    Ok(Status::Done)
}

/// The bundles of `change`, with as much around its hunks as is asked for, and what became of that.
pub(super) fn split(
    workspace: &Workspace,
    args: &ChangeArgs,
    change: Change,
    ui: Ui,
) -> Result<(Split, Growth), CliError> {
    let rules = workspace.split_rules(args, &change, ui)?;
    let range = change.range.clone();
    let mut split = bundle::split(change, &rules)?;
    let context = args.context.unwrap_or(workspace.config.context);
    let sizes = (&rules.limits, rules.force_oversize);
    let growth =
        context::grow(&mut split.bundles, context, sizes, |path| workspace.text_before(&range, path));
    if let Some(told) = sizes::growth(&growth, rules.limits.warn_bytes) {
        ui.note(told);
    }
    Ok((split, growth))
}

/// Prints what would be sent.
pub(super) fn show(
    preview: &Preview<'_>,
    format: Option<Format>,
    output: Option<&Path>,
    ui: Ui,
) -> Result<(), CliError> {
    let text = match format {
        Some(Format::Table) => {
            preview::render(preview, Ui::width(), output.is_none() && ui.color_on_stdout())
        }
        Some(Format::Json) => preview::render_json(preview),
        Some(Format::Markdown) | None => {
            return Err(CliError::new("bundles are shown as `table` or `json`"));
        }
    };
    Ui::result(&text, output)
}

/// Warns about large bundles; oversize ones are an error.
pub(super) fn check_sizes(workspace: &Workspace, split: &Split, ui: Ui) -> Result<(), CliError> {
    if let Some(text) = sizes::warning(&split.bundles, &workspace.config.limits) {
        ui.warning(text.trim_end());
    }
    match sizes::oversize(&split.bundles, &workspace.config.limits) {
        Some(text) => Err(CliError::new(text.trim_end())),
        None => Ok(()),
    }
}
