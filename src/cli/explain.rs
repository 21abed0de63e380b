//! `scrum explain`: why findings are one issue, what each said, and which rule joined or parted them.

use clap::Args;

use super::{
    Format, Global, OutputArgs,
    error::{CliError, Status},
    report,
    ui::Ui,
    workspace::Workspace,
};
use crate::{
    report::explain,
    tally::{self, explain::explain, named::named},
};

#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// A run id, a prefix of one, a path, or `latest`
    #[arg(value_name = "RUN")]
    run: String,
    /// The id of an issue, or its beginning, as `scrum report RUN` shows it
    #[arg(value_name = "ISSUE")]
    issue: String,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(global: &Global, args: &ExplainArgs, ui: Ui) -> Result<Status, CliError> {
    let workspace = Workspace::open_anywhere(global)?;
    let saved = report::open(&workspace.find_run(&args.run)?, ui)?;
    let tally = tally::tally(saved.input);
    let issue = named(&tally, &args.issue)?;
    let explanation = explain(&tally, issue).ok_or_else(|| {
        CliError::new(format!("issue {} of run {} cannot be put together again", issue.id, tally.run.id))
    })?;
    let output = &args.output;
    let text = match output.format {
        Format::Table => {
            let color = output.output.is_none() && ui.color_on_stdout();
            explain::render(&tally, issue, &explanation, Ui::width(), color)
        }
        Format::Json => explain::render_json(&tally, issue, &explanation),
        Format::Markdown => return Err(CliError::new("explanations are shown as `table` or `json`")),
    };
    Ui::result(&text, output.output.as_deref())?;
    Ok(Status::Done)
}
