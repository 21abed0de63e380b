//! Puts one question of a person to one reviewer: [`ask`]. What it answers is read by nobody but the person.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
};

use tokio_util::sync::CancellationToken;

use super::{
    bounds::Bounds,
    event::EventSender,
    executor::{Pace, Work, execute},
    plan::Task,
    respondent::Respondent,
};
use crate::{coverage::Outcome, judge, prompt::Prompt, provider::Question};

/// What progress calls it.
const NAME: &str = "question";

/// What became of the question, and the text that came. Asks again, and asks stand-ins, as in a review.
pub async fn ask(
    respondent: &Respondent,
    prompt: Prompt,
    pace: Pace,
    bounds: &mut Bounds,
    events: &EventSender,
    cancel: &CancellationToken,
) -> Option<(Outcome, String)> {
    let bundle = Arc::new(judge::named(NAME.to_owned()));
    let question = Arc::new(Question { bundle, prompt, nonce: Arc::from("") });
    let work = Work {
        tasks: &[Task { bundle: 0, reviewer: 0 }],
        questions: &[question],
        respondents: std::slice::from_ref(respondent),
        again: false,
    };
    let kept: Arc<Mutex<String>> = Arc::default();
    let keep = {
        let kept = Arc::clone(&kept);
        move |_: &Outcome, text: Option<&str>| -> Result<(), Infallible> {
            text.unwrap_or_default().clone_into(&mut kept.lock().unwrap_or_else(PoisonError::into_inner));
            Ok(())
        }
    };
    let outcome = execute(work, pace, bounds, events, cancel, Arc::new(keep)).await.pop()?;
    let text = std::mem::take(&mut *kept.lock().unwrap_or_else(PoisonError::into_inner));
    Some((outcome, text))
}
