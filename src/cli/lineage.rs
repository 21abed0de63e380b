//! `scrum lineage`: which family models descend from, and why.

use clap::Args;

use super::{
    Format, Global, OutputArgs,
    error::{CliError, Status},
    ui::Ui,
    workspace::Workspace,
};
use crate::{
    config::Config,
    report::descent::{self, Descent},
    tally::lineage,
};

#[derive(Debug, Args)]
pub(super) struct LineageArgs {
    /// Model names as providers write them, or ids of reviewers; without any, the configured reviewers and all lineages known
    #[arg(value_name = "MODEL")]
    models: Vec<String>,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(global: &Global, args: &LineageArgs, ui: Ui) -> Result<Status, CliError> {
    let workspace = Workspace::open_anywhere(global, ui)?;
    let (models, known) = if args.models.is_empty() {
        (workspace.config.reviewers.iter().map(Descent::of_reviewer).collect(), lineage::known())
    } else {
        (args.models.iter().map(|name| descent(name, &workspace.config)).collect::<Vec<_>>(), Vec::new())
    };
    let output = &args.output;
    let text = match output.format {
        Format::Table => {
            let color = output.file().is_none() && ui.color_on_stdout();
            descent::render(&models, &known, Ui::width(), color)
        }
        Format::Json => descent::render_json(&models, &known),
        Format::Markdown => descent::render_markdown(&models, &known),
    };
    Ui::result(&text, output.file())?;
    Ok(Status::Done)
}

/// A name that a reviewer is configured with counts as configured.
fn descent(name: &str, config: &Config) -> Descent {
    let configured = config.reviewers.iter().find(|one| one.id.as_str() == name || one.model == name);
    configured.map_or_else(|| Descent::of_name(name), Descent::of_reviewer)
}
