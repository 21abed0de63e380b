//! What [`execute`](super::executor::execute) is to do, [`Work`], and how hard it may push, [`Pace`].

use std::{num::NonZeroUsize, sync::Arc, time::Duration};

use super::{event::TaskName, plan::Task, respondent::Respondent};
use crate::provider::Question;

/// What is to be done.
#[derive(Debug, Clone, Copy)]
pub struct Work<'a> {
    /// From [`plan`](super::plan::plan).
    pub tasks: &'a [Task],
    /// One a bundle, in the order planned for.
    pub questions: &'a [Arc<Question>],
    /// One a reviewer, in the order planned for.
    pub respondents: &'a [Respondent],
    /// Some of it has been asked in this run before, and what was answered is of no use.
    pub again: bool,
}

/// How hard to push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Most attempts under way at a time, all reviewers together.
    pub concurrency: NonZeroUsize,
    /// Most attempts of a task after the first.
    pub retries: u32,
    /// About the pause before the second attempt; it doubles from there.
    pub first_delay: Duration,
}

impl Pace {
    /// The usual patience at `concurrency`.
    pub fn new(concurrency: NonZeroUsize) -> Self {
        Self { concurrency, retries: 4, first_delay: Duration::from_secs(1) }
    }
}

impl Work<'_> {
    pub(super) fn name(&self, task: Task) -> TaskName {
        TaskName {
            bundle: self.questions[task.bundle].bundle.id.clone(),
            reviewer: self.respondents[task.reviewer].reviewer.id.clone(),
        }
    }
}
