//! Answers of earlier runs: [`Memory`] knows under which name each task's answer is kept, [`recall`] takes what is there.
//!
//! A task is the same when the question is, but for nonce and commit messages, and everything that shapes the reviewer's answer.

use std::collections::{BTreeMap, HashMap};

use super::{
    plan::Task,
    review::{Asking, is_review, open_tasks},
};
use crate::{
    cost,
    coverage::{Outcome, State},
    digest,
    provider::Question,
    reviewer::{Access, Invocation, Reviewer, ReviewerId},
    store::{
        Cache, StoreError,
        cache::{Hits, Kept},
    },
    tally::TaskReply,
};

/// Names of answers, and where they are kept.
#[derive(Debug, Clone)]
pub struct Memory {
    cache: Cache,
    keys: BTreeMap<(String, ReviewerId), String>,
}

impl Memory {
    /// Names for every question, of which bundle and digest ([`Templates::digest`](crate::prompt::Templates::digest)) are given, and reviewer.
    ///
    /// Two seats with the same settings have two answers: the second time the same is asked in a run it has a name of its
    /// own, in the order of questions and reviewers.
    pub fn new<'r>(
        cache: Cache,
        questions: &[(String, String)],
        reviewers: impl IntoIterator<Item = &'r Reviewer>,
    ) -> Self {
        let identities: Vec<_> = reviewers.into_iter().map(|one| (&one.id, identity(one))).collect();
        let (mut keys, mut times) = (BTreeMap::new(), HashMap::new());
        for (bundle, digest) in questions {
            for (id, identity) in &identities {
                let Some(identity) = identity else { continue };
                let same = times.entry((digest.as_str(), identity.as_str())).or_insert(0_u32);
                let key = digest::sha256(&[identity.as_bytes(), digest.as_bytes(), &same.to_be_bytes()]);
                *same += 1;
                keys.insert((bundle.clone(), (*id).clone()), key);
            }
        }
        Self { cache, keys }
    }

    /// Where it is kept.
    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    /// Keeps `text`, the review that `outcome` tells of, for other runs. A task that has no name is not kept.
    pub(super) fn keep(&self, outcome: &Outcome, nonce: &str, text: &str) -> Result<(), StoreError> {
        match self.keys.get(&(outcome.bundle.clone(), outcome.reviewer.clone())) {
            Some(key) => self.cache.keep(key, nonce, outcome, text),
            None => Ok(()),
        }
    }

    /// The answer to `question` by `reviewer`, if a whole one is kept.
    pub fn answer(&self, question: &Question, reviewer: &ReviewerId) -> Option<Kept> {
        let key = self.keys.get(&(question.bundle.id.clone(), reviewer.clone()))?;
        self.cache.reply(key, &question.nonce).filter(|kept| is_review(&kept.text, &question.nonce))
    }
}

/// What was taken from the cache.
#[derive(Debug, Default)]
pub struct Recalled {
    /// Answers.
    pub answers: usize,
    /// Why the cache could not note that they were used, if so. They are used all the same.
    pub unnoted: Option<StoreError>,
}

/// Puts what is kept of the open tasks among the earlier answers of `asking`, and into the run's folder.
pub fn recall(asking: &mut Asking<'_>) -> Result<Recalled, StoreError> {
    let Some(memory) = asking.memory.clone() else { return Ok(Recalled::default()) };
    let mut taken = Vec::new();
    for Task { bundle, reviewer } in open_tasks(asking) {
        let (question, reviewer) = (&asking.questions[bundle], &asking.respondents[reviewer].reviewer.id);
        let Some(kept) = memory.answer(question, reviewer) else { continue };
        let outcome = Outcome::new(question.bundle.id.clone(), reviewer.clone(), State::Answered);
        let outcome = Outcome { cached: true, cost_usd: Some(0.0), reason: kept.remark, ..outcome };
        asking.dir.save(&outcome, Some(&kept.text))?;
        taken.push(kept.cost_usd);
        asking.earlier.push(TaskReply { outcome, text: Some(kept.text) });
    }
    Ok(Recalled { answers: taken.len(), unnoted: memory.cache.note(&hits(&taken)).err() })
}

/// Replies that were used, by what they had cost.
pub(super) fn hits(costs: &[Option<f64>]) -> Hits {
    Hits {
        replies: costs.len(),
        saved_usd: cost::total(costs.iter().copied().flatten()),
        unpriced: costs.iter().filter(|cost| cost.is_none()).count(),
    }
}

/// Everything about `reviewer` that shapes an answer; `None` for those whose answers are not kept: they send nothing, or
/// their answer depends on more than the question.
pub(super) fn identity(reviewer: &Reviewer) -> Option<String> {
    match reviewer.access {
        // A program with a work_dir is there to read the files around it, which no question names.
        Access::Command(Invocation { work_dir: Some(_), .. })
        | Access::Sarif(_)
        | Access::Replay { .. }
        | Access::Builtin(_) => return None,
        Access::OpenAi { .. } | Access::Anthropic { .. } | Access::Command { .. } => {}
    }
    let Reviewer {
        id: _,
        access,
        model,
        lineage: _,
        temperature,
        max_output_tokens,
        timeout: _,
        idle_timeout: _,
        price: _,
        fallback: _,
        allowance: _,
        tampered: _,
        quirks,
    } = reviewer;
    let told = format!("{access:?}\0{model}\0{temperature:?}\0{max_output_tokens:?}\0{quirks:?}");
    Some(digest::sha256(&[told.as_bytes()]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reviewer::Lineage;

    fn reviewer(base_url: &str, model: &str) -> Reviewer {
        let access = Access::OpenAi { base_url: base_url.to_owned(), api_key_env: None };
        Reviewer::new(ReviewerId::new("x").unwrap(), access, model.to_owned(), Lineage::unknown())
    }

    #[test]
    fn what_makes_a_reviewer_another_one() {
        let plain = reviewer("https://a.example/v1", "m");
        let check =
            |other: Reviewer, same: bool| assert_eq!(identity(&plain) == identity(&other), same, "{other:?}");
        check(reviewer("https://b.example/v1", "m"), false);
        check(reviewer("https://a.example/v1", "n"), false);
        check(Reviewer { temperature: Some(0.2), ..plain.clone() }, false);
        check(Reviewer { max_output_tokens: Some(100), ..plain.clone() }, false);
        check(
            Reviewer { id: ReviewerId::new("y").unwrap(), lineage: Lineage::new("z"), ..plain.clone() },
            true,
        );
        check(Reviewer { timeout: std::time::Duration::from_secs(1), ..plain.clone() }, true);
    }

    #[test]
    fn who_is_never_kept() {
        let check = |access: Access, is_kept: bool| {
            let reviewer = Reviewer { access, ..reviewer("", "m") };
            assert_eq!(identity(&reviewer).is_some(), is_kept, "{reviewer:?}");
        };
        check(Access::Replay { dir: "saved".into() }, false);
        check(Access::Builtin(crate::reviewer::Builtin::Rules), false);
        let program = Invocation { argv: vec!["agent".to_owned()], ..Invocation::default() };
        check(Access::Command(program.clone()), true);
        check(Access::Command(Invocation { work_dir: Some(".".into()), ..program }), false);
    }
}
