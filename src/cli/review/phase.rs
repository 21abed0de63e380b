//! A review as a phase of a gauntlet: [`ready`] goes as far as the first request, [`Phase::perform`] from there to the tally.
//!
//! It is `scrum review` with nothing printed: the same arguments, guard, trust, budget and files.

use clap::Parser;

use super::{ReviewArgs, perform, prepare, prepare::Job};
use crate::{
    cli::{Global, error::CliError, interrupt::Interrupt, report, ui::Ui, workspace::Workspace},
    clock, run,
    store::RunDir,
    tally::{Tally, TaskReply, gate::Gate},
};

/// The arguments of `scrum review` alone.
#[derive(Debug, Parser)]
#[command(no_binary_name = true)]
struct Line {
    #[command(flatten)]
    args: ReviewArgs,
}

/// A review that is ready to be asked.
pub(in crate::cli) struct Phase {
    pub(in crate::cli) workspace: Workspace,
    args: ReviewArgs,
    /// `None` where there is nothing to review, which has been said.
    job: Option<Job>,
}

/// What a review came to.
pub(in crate::cli) struct Reviewed {
    pub(in crate::cli) tally: Tally,
    pub(in crate::cli) gate: Gate,
    pub(in crate::cli) replies: Vec<TaskReply>,
}

/// Prepares what `scrum review` with the words of `line` would ask.
pub(in crate::cli) fn ready(global: &Global, line: &[String], ui: Ui) -> Result<Phase, CliError> {
    let line = Line::try_parse_from(line);
    let Line { args } = line.map_err(|error| CliError::new(error.to_string().trim_end().to_owned()))?;
    let args = ReviewArgs { is_phase: true, ..args };
    let (mut workspace, pulled) = super::open(global, &args, ui)?;
    let job = prepare::prepare(&mut workspace, &args, pulled, ui)?;
    Ok(Phase { workspace, args, job })
}

impl Phase {
    /// Where it will be kept; `None` where there is nothing to review.
    pub(in crate::cli) fn dir(&self) -> Option<&RunDir> {
        self.job.as_ref().map(|job| &job.dir)
    }

    /// Asks, and reads back what is on disk then. `None` where there is nothing to review.
    pub(in crate::cli) fn perform(
        &mut self,
        interrupt: &Interrupt,
        ui: Ui,
    ) -> Result<Option<Reviewed>, CliError> {
        let Some(mut job) = self.job.take() else { return Ok(None) };
        let dir = job.dir.clone();
        job.record.started_at = run::timestamp(clock::now());
        perform::perform(&self.workspace, &self.args, job, interrupt, ui)?;
        let saved = report::open(&self.workspace, &dir, ui)?;
        let replies = saved.input.replies.clone();
        let (tally, gate) = report::judged(&self.workspace, &dir, saved, None, ui)?;
        Ok(Some(Reviewed { tally, gate, replies }))
    }
}
