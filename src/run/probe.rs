//! Tries reviewers with one tiny request each, all at once: [`probe`].

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use tokio::time::{Instant, timeout};

use super::respondent::Voice;
use crate::{
    bundle::{Bundle, Guard},
    prompt::Prompt,
    provider::{AskError, Draft, Question, Sample},
    report::checkup::Probe,
};

/// Longest time for an answer of one word. Programs of agents take several seconds to start.
const LONGEST: Duration = Duration::from_mins(2);

/// What each of `voices` made of one tiny request, in their order.
pub async fn probe(voices: &[Voice]) -> Vec<Probe> {
    let question = Arc::new(Question {
        bundle: Arc::new(Bundle {
            id: "probe".to_owned(),
            component: "probe".to_owned(),
            files: Vec::new(),
            guard: Guard::Ok,
        }),
        prompt: Prompt {
            system: "You are asked whether you can be reached. Use no tools.".to_owned(),
            user: "Answer with the one word: ready".to_owned(),
        },
        nonce: Arc::from("probe"),
    });
    join_all(voices.iter().map(|one| try_one(one, &question))).await
}

async fn try_one(voice: &Voice, question: &Arc<Question>) -> Probe {
    let Voice { reviewer, provider } = voice;
    let limit = reviewer.timeout.min(LONGEST);
    let (began, draft) = (Instant::now(), Arc::new(Draft::new()));
    // An answer that a gateway has kept says nothing about now.
    let asked = timeout(limit, provider.ask(question, Sample::Own, &draft)).await;
    let latency_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let failed = |reason: String| Probe { latency_ms, error: Some(reason), ..Probe::default() };
    match asked {
        Err(_) => failed(format!("no answer within {} seconds", limit.as_secs())),
        Ok(Err(
            AskError::Transient { reason, .. }
            | AskError::Busy { reason, .. }
            | AskError::Unavailable { reason, .. }
            | AskError::Permanent { reason, .. },
        )) => failed(reason),
        // A model that reasons may spend all it is allowed before the first word; it was reached all the same.
        Ok(Ok(answer)) if answer.text.trim().is_empty() && answer.tokens_out.unwrap_or_default() == 0 => {
            failed("the answer has no text".to_owned())
        }
        Ok(Ok(answer)) => Probe {
            latency_ms,
            tokens_in: answer.tokens_in,
            tokens_out: answer.tokens_out,
            cost_usd: reviewer.priced(answer.spent()).cost_usd,
            error: None,
        },
    }
}
