//! Asks the panel and tallies the answers: [`ask`] is what a review does between splitting and printing.
//!
//! Replies are saved in the run's folder as they arrive; who is asked and how is decided before.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use tokio_util::sync::CancellationToken;

use super::{
    event::EventSender,
    executor::{Pace, Respondent, Work, execute},
    plan::plan,
};
use crate::{
    bundle::Bundle,
    coverage::{Outcome, State},
    provider::Question,
    reviewer::{Panel, ReviewerId},
    store::{RunDir, StoreError},
    tally::TaskReply,
};

/// Whom to ask what, and where to keep the answers.
#[derive(Debug)]
pub struct Asking<'a> {
    /// The run's folders.
    pub dir: &'a RunDir,
    /// One a bundle, in bundle order.
    pub questions: &'a [Arc<Question>],
    /// Those of the panel that can be asked.
    pub respondents: &'a [Respondent],
    /// Those that cannot, and why.
    pub skipped: &'a [(ReviewerId, String)],
    /// What an earlier run of the same kind has left.
    pub earlier: Vec<TaskReply>,
    /// How hard to push.
    pub pace: Pace,
}

/// Tasks of `respondents` that `earlier` has not answered, biggest bundles first.
pub fn open_tasks(asking: &Asking<'_>) -> Vec<super::plan::Task> {
    let answered: BTreeSet<_> =
        asking.earlier.iter().filter(|reply| is_answered(reply)).map(task_of).collect();
    let bundles: Vec<&Bundle> = asking.questions.iter().map(|question| question.bundle.as_ref()).collect();
    let panel = Panel {
        reviewers: asking.respondents.iter().map(|respondent| (&respondent.reviewer).into()).collect(),
    };
    plan(&bundles, &panel, &answered)
}

/// Asks, and gives back every task's outcome with its reply, those of an earlier run included.
pub async fn ask(
    asking: Asking<'_>,
    events: &EventSender,
    cancel: &CancellationToken,
) -> Result<Vec<TaskReply>, StoreError> {
    let tasks = open_tasks(&asking);
    let texts = Arc::new(Mutex::new(Vec::new()));
    let work = Work { tasks: &tasks, questions: asking.questions, respondents: asking.respondents };
    let save = saver(asking.dir.clone(), Arc::clone(&texts));
    let outcomes = execute(work, asking.pace, events, cancel, Arc::new(save)).await;
    let mut texts: Vec<_> = std::mem::take(&mut *texts.lock().unwrap_or_else(PoisonError::into_inner));
    let mut replies: Vec<TaskReply> =
        outcomes.into_iter().map(|outcome| with_text(outcome, &mut texts)).collect();
    let asked: BTreeSet<_> = replies.iter().map(task_of).collect();
    replies.extend(skip(&asking)?);
    replies.extend(asking.earlier.into_iter().filter(|reply| !asked.contains(&task_of(reply))));
    Ok(replies)
}

type Texts = Arc<Mutex<Vec<(String, ReviewerId, String)>>>;

/// Writes a reply to disk and keeps its text for the tally.
fn saver(
    dir: RunDir,
    texts: Texts,
) -> impl Fn(&Outcome, Option<&str>) -> Result<(), StoreError> + Send + Sync {
    move |outcome, text| {
        dir.save(outcome, text)?;
        if let Some(text) = text {
            let reply = (outcome.bundle.clone(), outcome.reviewer.clone(), text.to_owned());
            texts.lock().unwrap_or_else(PoisonError::into_inner).push(reply);
        }
        Ok(())
    }
}

fn with_text(outcome: Outcome, texts: &mut Vec<(String, ReviewerId, String)>) -> TaskReply {
    let at = texts
        .iter()
        .position(|(bundle, reviewer, _)| *bundle == outcome.bundle && *reviewer == outcome.reviewer);
    TaskReply { outcome, text: at.map(|at| texts.swap_remove(at).2) }
}

/// Reviewers that cannot be asked are in the record of every bundle, so that nobody takes their silence for consent.
fn skip(asking: &Asking<'_>) -> Result<Vec<TaskReply>, StoreError> {
    let mut replies = Vec::new();
    for (reviewer, reason) in asking.skipped {
        for question in asking.questions {
            let outcome = Outcome {
                reason: Some(reason.clone()),
                ..Outcome::new(question.bundle.id.clone(), reviewer.clone(), State::Skipped)
            };
            asking.dir.save(&outcome, None)?;
            replies.push(TaskReply { outcome, text: None });
        }
    }
    Ok(replies)
}

fn is_answered(reply: &TaskReply) -> bool {
    reply.outcome.state == State::Answered
}

fn task_of(reply: &TaskReply) -> (String, ReviewerId) {
    (reply.outcome.bundle.clone(), reply.outcome.reviewer.clone())
}
