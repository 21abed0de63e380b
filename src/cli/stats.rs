//! `scrum stats`: what each reviewer and lineage has been worth here, over all runs and decisions.

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
    report::stats,
    run::saved,
    tally::{self, worth::Record},
};

#[derive(Debug, Args)]
pub(super) struct StatsArgs {
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
    Ui::result(&text, output.file())?;
    Ok(Status::Done)
}
