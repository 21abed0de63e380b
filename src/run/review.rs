//! Asks the panel and tallies the answers: [`ask`] is what a review does between splitting and printing.
//!
//! Replies are saved in the run's folder as they arrive; who is asked and how is decided before.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio_util::sync::CancellationToken;

use super::{
    bounds::Bounds,
    event::EventSender,
    executor::{Pace, Work, execute},
    plan::plan,
    recall::Memory,
    respondent::Respondent,
};
use crate::{
    bundle::Bundle,
    coverage::{Outcome, State},
    provider::Question,
    reply::{self, Completeness},
    reviewer::{Panel, ReviewerId},
    route::Routes,
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
    /// Who is asked about which bundle.
    pub routes: &'a Routes,
    /// What an earlier run of the same kind has left.
    pub earlier: Vec<TaskReply>,
    /// How hard to push.
    pub pace: Pace,
    /// Where answers are kept for other runs; `None`: nowhere.
    pub memory: Option<Arc<Memory>>,
}

/// Tasks of `respondents` that `earlier` holds no review for, biggest bundles first.
pub fn open_tasks(asking: &Asking<'_>) -> Vec<super::plan::Task> {
    let bundles: Vec<&Bundle> = asking.questions.iter().map(|question| question.bundle.as_ref()).collect();
    let panel = Panel {
        reviewers: asking.respondents.iter().map(|respondent| (&respondent.reviewer).into()).collect(),
    };
    plan(&bundles, &panel, asking.routes, &answered(asking))
}

/// What came of asking.
#[derive(Debug)]
pub struct Answers {
    /// Every task's outcome with its reply, those of an earlier run included: what the run's folder holds too.
    pub replies: Vec<TaskReply>,
    /// The first reply that could not be saved, if there is one: the folder holds less then.
    pub unsaved: Option<StoreError>,
    /// The first that could not be kept for other runs, if there is one: it will be asked for again. Or why it could not be
    /// noted that answers of other runs were used.
    pub forgotten: Option<StoreError>,
}

/// Asks everybody. When not even those who are skipped can be written down, nobody is asked.
pub async fn ask(
    asking: Asking<'_>,
    bounds: &mut Bounds,
    events: &EventSender,
    cancel: &CancellationToken,
) -> Result<Answers, StoreError> {
    let tasks = open_tasks(&asking);
    let mut replies = skip(&asking)?;
    let kept = Arc::new(Mutex::new(Kept::default()));
    let again = asking.earlier.iter().any(|reply| reply.outcome.attempts > 0);
    let work = Work { tasks: &tasks, questions: asking.questions, respondents: asking.respondents, again };
    let save = saver(&asking, Arc::clone(&kept));
    let outcomes = execute(work, asking.pace, bounds, events, cancel, Arc::new(save)).await;
    let Kept { mut texts, unsaved, forgotten } = std::mem::take(&mut *lock(&kept));
    replies.extend(outcomes.into_iter().map(|outcome| {
        let text = texts.remove(&task_of(&outcome));
        TaskReply { outcome, text }
    }));
    Ok(Answers { replies: over(asking.earlier, replies), unsaved, forgotten })
}

/// The later replies laid over the earlier ones. A task that brought no text this time keeps what it had, as on disk.
fn over(earlier: Vec<TaskReply>, later: Vec<TaskReply>) -> Vec<TaskReply> {
    let by_task = |reply: TaskReply| (task_of(&reply.outcome), reply);
    let mut all: BTreeMap<_, _> = earlier.into_iter().map(by_task).collect();
    for (task, TaskReply { outcome, text }) in later.into_iter().map(by_task) {
        let text = text.or_else(|| all.remove(&task).and_then(|reply| reply.text));
        all.insert(task, TaskReply { outcome, text });
    }
    all.into_values().collect()
}

/// What the saver leaves for the tally.
#[derive(Default)]
struct Kept {
    texts: BTreeMap<(String, ReviewerId), String>,
    unsaved: Option<StoreError>,
    forgotten: Option<StoreError>,
}

fn lock(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes a reply to disk and keeps its text for the tally, that of a whole review for other runs too.
fn saver(
    asking: &Asking<'_>,
    kept: Arc<Mutex<Kept>>,
) -> impl Fn(&Outcome, Option<&str>) -> Result<(), String> + Send + Sync + use<> {
    let (dir, memory) = (asking.dir.clone(), asking.memory.clone());
    let nonce = asking.questions.first().map(|question| Arc::clone(&question.nonce)).unwrap_or_default();
    let remember = move |outcome: &Outcome, text: Option<&str>| match (&memory, text) {
        // What a stand-in said is not what the reviewer would have said.
        (Some(memory), Some(text))
            if outcome.state == State::Answered
                && outcome.answered_by.is_none()
                && is_review(text, &nonce) =>
        {
            memory.keep(outcome, &nonce, text)
        }
        _ => Ok(()),
    };
    move |outcome, text| match dir.save(outcome, text) {
        Ok(()) => {
            let forgotten = remember(outcome, text).err();
            let mut kept = lock(&kept);
            kept.texts.extend(text.map(|text| (task_of(outcome), text.to_owned())));
            kept.forgotten = kept.forgotten.take().or(forgotten);
            Ok(())
        }
        Err(error) => {
            let words = error.to_string();
            lock(&kept).unsaved.get_or_insert(error);
            Err(words)
        }
    }
}

/// Reviewers that cannot be asked are in the record of every bundle of theirs that they have not answered, so that nobody takes
/// their silence for consent.
fn skip(asking: &Asking<'_>) -> Result<Vec<TaskReply>, StoreError> {
    let answered = answered(asking);
    let mut replies = Vec::new();
    for (reviewer, reason) in asking.skipped {
        let is_for = |question: &&Arc<Question>| asking.routes.asks(&question.bundle.id, reviewer.as_str());
        for question in asking.questions.iter().filter(is_for) {
            let outcome = Outcome {
                reason: Some(reason.clone()),
                ..Outcome::new(question.bundle.id.clone(), reviewer.clone(), State::Skipped)
            };
            if !answered.contains(&task_of(&outcome)) {
                asking.dir.save(&outcome, None)?;
                replies.push(TaskReply { outcome, text: None });
            }
        }
    }
    Ok(replies)
}

/// Tasks with a whole review. A reply that only looked like one is asked for again.
fn answered(asking: &Asking<'_>) -> BTreeSet<(String, ReviewerId)> {
    let Some(nonce) = asking.questions.first().map(|question| question.nonce.as_ref()) else {
        return BTreeSet::new();
    };
    let whole = asking.earlier.iter().filter(|reply| {
        let text = reply.text.as_deref();
        reply.outcome.state == State::Answered && text.is_some_and(|text| is_review(text, nonce))
    });
    whole.map(|reply| task_of(&reply.outcome)).collect()
}

/// Whether `text` is a whole review, asked for with `nonce`.
pub(super) fn is_review(text: &str, nonce: &str) -> bool {
    reply::read(text, Some(nonce)).completeness == Completeness::Whole
}

fn task_of(outcome: &Outcome) -> (String, ReviewerId) {
    (outcome.bundle.clone(), outcome.reviewer.clone())
}
