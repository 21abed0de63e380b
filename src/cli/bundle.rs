//! `scrum bundle`: splits a change, checks the sizes, writes the bundles, sends nothing. `review` splits with the same code.

use clap::Args;

use super::{
    ChangeArgs, Format, Global, OutputArgs,
    error::{CliError, Status},
    ui::Ui,
    workspace::{Reading, Workspace},
};
use crate::{
    bundle::{self, Split},
    change::Change,
    clock,
    report::{
        preview::{self, Preview},
        sizes,
    },
    route::Routes,
    run,
    store::record::Manifest,
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
    let range = change.range.clone();
    let split = split(&workspace, &args.change, change)?;
    show(
        &Preview { range: &range, split: &split, panel: None, routes: &Routes::default() },
        &args.output,
        ui,
    )?;
    if !args.dry_run && !split.bundles.is_empty() {
        let id = run::run_id(clock::now(), &clock::nonce()?);
        let folder = workspace.store.create_bundles(&id, &Manifest::new(&range, &split), &split)?;
        ui.note(format_args!("bundles written to {}", workspace.shown(&folder)));
    }
    check_sizes(&workspace, &split, ui)?;
    Ok(Status::Done)
}

pub(super) fn split(workspace: &Workspace, args: &ChangeArgs, change: Change) -> Result<Split, CliError> {
    let rules = workspace.split_rules(args, &change)?;
    Ok(bundle::split(change, &rules)?)
}

/// Prints what would be sent.
pub(super) fn show(preview: &Preview<'_>, output: &OutputArgs, ui: Ui) -> Result<(), CliError> {
    let text = match output.format {
        Format::Table => {
            preview::render(preview, Ui::width(), output.output.is_none() && ui.color_on_stdout())
        }
        Format::Json => preview::render_json(preview),
        Format::Markdown => return Err(CliError::new("bundles are shown as `table` or `json`")),
    };
    Ui::result(&text, output.output.as_deref())
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
