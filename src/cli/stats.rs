//! `scrum stats`: what each reviewer and lineage has been worth here, over all runs and decisions.

use std::path::PathBuf;

use clap::Args;

use super::{
    Format, Global, OutputArgs,
    error::{CliError, Status},
    report,
    ui::Ui,
    workspace::Workspace,
};
use crate::{
    disposition,
    report::stats::{self, plot},
    run::saved,
    tally::{self, worth::Record},
};

#[derive(Debug, Args)]
pub(super) struct StatsArgs {
    /// Draw precision, what each found alone and the cost per real issue into FILE, as SVG
    #[arg(long, value_name = "FILE", help_heading = "Result")]
    plot: Option<PathBuf>,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(global: &Global, args: &StatsArgs, ui: Ui) -> Result<Status, CliError> {
    let workspace = Workspace::open_anywhere(global, ui)?;
    let decisions = workspace.store.decisions()?;
    report::warn_of_unusable(&decisions.unusable, ui);
    let (mut record, mut decided) = (Record::default(), decisions.dispositions);
    for dir in workspace.store.runs() {
        match saved::open_undecided(&dir) {
            Ok(saved) => {
                // What people decided in a pull request's conversation is in its runs alone.
                decided.extend(saved.input.since.iter().flat_map(|since| since.decisions.iter().cloned()));
                record.add_run(&tally::tally(saved.input));
            }
            Err(error) => ui.warning(format_args!("run {} is not counted: {error}", dir.id)),
        }
    }
    let worth = record.worth(&disposition::standing(decided));
    let output = &args.output;
    let text = match output.format {
        Format::Table => {
            let color = output.file().is_none() && ui.color_on_stdout();
            stats::render(&worth, Ui::width(), color)
        }
        Format::Markdown => stats::render_markdown(&worth),
        Format::Json => stats::render_json(&worth),
    };
    if let Some(file) = &args.plot {
        Ui::result(&plot::render(&worth)?, Some(file))?;
    }
    Ui::result(&text, output.file())?;
    Ok(Status::Done)
}
