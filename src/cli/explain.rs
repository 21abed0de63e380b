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
    tally::{
        self, Issue, Tally,
        explain::{Explanation, explain},
        named::named,
    },
};

#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// A run id, a prefix of one, a path, or `latest`
    #[arg(value_name = "RUN")]
    run: String,
    /// Ids of issues, or beginnings of ids, as `scrum report RUN` shows them
    #[arg(value_name = "ISSUE", required = true, num_args = 1..)]
    issues: Vec<String>,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(global: &Global, args: &ExplainArgs, ui: Ui) -> Result<Status, CliError> {
    let workspace = Workspace::open_anywhere(global, ui)?;
    let saved = report::open(&workspace, &workspace.find_run(&args.run)?, ui)?;
    let tally = tally::tally(saved.input);
    let issues = args.issues.iter().map(|name| named(&tally, name)).collect::<Result<Vec<_>, _>>()?;
    let output = &args.output;
    let color = output.file().is_none() && ui.color_on_stdout();
    let render = |issue: &&Issue| {
        let explanation = explained(&tally, issue)?;
        Ok(match output.format {
            Format::Table => explain::render(&tally, issue, &explanation, Ui::width(), color),
            Format::Markdown => explain::render_markdown(&tally, issue, &explanation),
            Format::Json => explain::json::render(&tally, issue, &explanation),
        })
    };
    let texts = issues.iter().map(render).collect::<Result<Vec<_>, CliError>>()?;
    let between = if output.format == Format::Json { "" } else { "\n" };
    Ui::result(&texts.join(between), output.file())?;
    Ok(Status::Done)
}

pub(super) fn explained(tally: &Tally, issue: &Issue) -> Result<Explanation, CliError> {
    explain(tally, issue).ok_or_else(|| {
        CliError::new(format!("issue {} of run {} cannot be put together again", issue.id, tally.run.id))
    })
}
