//! `scrum eval`: scores saved replies, or a panel asked now, on changes whose true issues people know.
//!
//! The arithmetic is `eval`'s, the words are `report::eval`'s; asking is done as `review` does it.

mod live;

use std::path::PathBuf;

use clap::Args;

use super::{
    Format, Global, OutputArgs,
    error::{CliError, Status},
    interrupt,
    tally::panel_of,
    ui::Ui,
    workspace::Workspace,
};
use crate::{
    eval::{self, Case, Scores},
    report::eval::{json, plot, text},
    reviewer::Lineage,
    run::saved,
    store::{self, LabelledCase},
    tally::{Input, tally},
};
use live::{Answered, Live};

#[derive(Debug, Args)]
pub(super) struct EvalArgs {
    /// A folder of labelled cases, or one case: replies beside an `expected.json`
    #[arg(value_name = "DATA")]
    data: PathBuf,
    /// Ask this panel about each case that says where its change is, instead of scoring saved replies
    #[arg(long, value_name = "NAME", help_heading = "Whom to score")]
    panel: Option<String>,
    /// Only this reviewer (repeatable)
    #[arg(short, long = "reviewer", value_name = "ID", help_heading = "Whom to score")]
    reviewers: Vec<String>,
    /// Only reviewers of this lineage (repeatable)
    #[arg(long = "lineage", value_name = "NAME", help_heading = "Whom to score")]
    lineages: Vec<String>,
    /// Draw precision by agreement and recall by lineages into FILE, as SVG
    #[arg(long, value_name = "FILE", help_heading = "Result")]
    plot: Option<PathBuf>,
    #[command(flatten)]
    output: OutputArgs,
}

impl EvalArgs {
    /// Whether `-r` and `--lineage` leave this reviewer in.
    fn wants(&self, reviewer: &str, lineage: &Lineage) -> bool {
        let by_name = self.reviewers.is_empty() || self.reviewers.iter().any(|id| id == reviewer);
        let by_descent =
            self.lineages.is_empty() || self.lineages.iter().any(|name| Lineage::new(name) == *lineage);
        by_name && by_descent
    }
}

pub(super) fn run(global: &Global, args: &EvalArgs, ui: Ui) -> Result<Status, CliError> {
    Ui::check_output(args.output.file())?;
    Ui::check_output(args.plot.as_deref())?;
    let workspace = Workspace::open_anywhere(global, ui)?;
    let folder = workspace.resolve(&args.data);
    let labelled = store::labelled_cases(&folder)?;
    if labelled.is_empty() {
        return Err(CliError::new(format!("no labelled case in {}", folder.display()))
            .hint("a case is a folder with an `expected.json`; docs/design/evaluation.md describes it"));
    }
    let cases = match &args.panel {
        None => {
            labelled.into_iter().map(|case| chosen(&workspace, args, case, ui)).collect::<Result<_, _>>()?
        }
        Some(panel) => match asked(&workspace, args, panel, labelled, ui)? {
            Ok(cases) => cases,
            Err(status) => return Ok(status),
        },
    };
    let scores = eval::score(&cases);
    if scores.reviewers.is_empty() {
        return Err(nobody(&cases));
    }
    print(&scores, args, ui)?;
    Ok(Status::Done)
}

/// The case with its saved replies, and those chosen that are to be scored.
fn chosen(workspace: &Workspace, args: &EvalArgs, case: LabelledCase, ui: Ui) -> Result<Case, CliError> {
    let input = saved_input(workspace, &case, ui)?;
    let mut chosen = input.clone();
    chosen.panel.reviewers.retain(|seat| args.wants(seat.id.as_str(), &seat.lineage));
    let seats = &chosen.panel.reviewers;
    chosen.replies.retain(|reply| seats.iter().any(|seat| seat.id == reply.outcome.reviewer));
    let all = chosen.panel == input.panel;
    Ok(Case { labels: case.labels, saved: tally(input), asked: (!all).then(|| tally(chosen)) })
}

/// The cases that can be put to `panel`, with its answers. A status when not all could be asked, which has been said.
fn asked(
    workspace: &Workspace,
    args: &EvalArgs,
    panel: &str,
    labelled: Vec<LabelledCase>,
    ui: Ui,
) -> Result<Result<Vec<Case>, Status>, CliError> {
    let interrupt = interrupt::watch();
    let interrupt = interrupt.map_err(|error| CliError::new(format!("cannot listen for Ctrl-C: {error}")))?;
    let is_wanted = |reviewer: &str, lineage: &Lineage| args.wants(reviewer, lineage);
    let live = Live { workspace, panel, is_wanted: &is_wanted, interrupt: &interrupt, ui };
    let (mut cases, mut bounds) = (Vec::new(), live.bounds()?);
    for case in labelled {
        let Some(at) = &case.change else {
            ui.warning(format_args!("{} is left out: its labels do not say where the change is", case.name));
            continue;
        };
        match live.answers(&case, at, &mut bounds)? {
            Answered::Panel(answers) => {
                let saved = tally(saved_input(workspace, &case, ui)?);
                cases.push(Case { labels: case.labels, saved, asked: Some(tally(*answers)) });
            }
            Answered::Nothing => {}
            Answered::Interrupted => {
                ui.note("interrupted; what was answered is kept: the same command goes on");
                return Ok(Err(Status::Interrupted));
            }
            Answered::CutShort(reason) => {
                ui.warning(format_args!(
                    "{reason}, so nothing is scored; what was answered is kept: the same command goes on with as much again"
                ));
                return Ok(Err(Status::Inconclusive));
            }
        }
    }
    if cases.is_empty() {
        return Err(CliError::new("no case can be put to a panel")
            .hint("labels say where the change is by `repo` and `range`, or by `diff`"));
    }
    Ok(Ok(cases))
}

/// The replies kept beside the labels.
fn saved_input(workspace: &Workspace, case: &LabelledCase, ui: Ui) -> Result<Input, CliError> {
    let mut input = if case.folder.join("run.json").is_file() {
        let name = case.folder.to_string_lossy();
        saved::open(&workspace.store.find(&name)?)?.input
    } else {
        let (replies, unusable) = store::loose_replies(&case.folder)?;
        for name in unusable {
            ui.warning(format_args!("{}: {name:?} names no reviewer and is left out", case.name));
        }
        let panel = panel_of(&replies, &workspace.config);
        saved::loose(&case.name, replies, panel)
    };
    for seat in &mut input.panel.reviewers {
        if let Some(lineage) = case.lineages.get(&seat.id) {
            seat.lineage = lineage.clone();
        }
    }
    Ok(input)
}

/// Says why there is nobody to score, and who there would be.
fn nobody(cases: &[Case]) -> CliError {
    let seats = cases.iter().flat_map(|case| &case.saved.panel.reviewers);
    let mut known: Vec<String> = seats.map(|seat| format!("{} ({})", seat.id, seat.lineage)).collect();
    known.sort_unstable();
    known.dedup();
    let error = CliError::new("nobody to score");
    if known.is_empty() {
        return error.hint("there are no replies beside the labels: ask a panel with `--panel NAME`");
    }
    error.hint(format!("reviewers in the data: {}", known.join(", ")))
}

fn print(scores: &Scores, args: &EvalArgs, ui: Ui) -> Result<(), CliError> {
    let text = match args.output.format {
        Format::Table => {
            text::table(scores, Ui::width(), args.output.file().is_none() && ui.color_on_stdout())
        }
        Format::Markdown => text::markdown(scores),
        Format::Json => json::render(scores),
    };
    if let Some(file) = &args.plot {
        Ui::result(&plot::render(scores)?, Some(file))?;
    }
    Ui::result(&text, args.output.file())
}
