//! How much each reviewer said: [`engagement`] counts it, [`Engagement::silence`] tells who fell silent.
//!
//! A reviewer that is given more than it can read answers in a few words, and those look like a clean review. In the case that
//! this is modelled on, one model wrote 62 tokens about 165 KB and about 250 a bundle once bundles were under 60 KB.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    coverage::State,
    estimate,
    reviewer::ReviewerId,
    tally::{Tally, TaskReply},
};

/// Fewest tokens a bundle that count as a review of one that is larger than [`LARGE`]. A tenth of recorded answers
/// about bundles of any size is shorter than 80 ([`estimate::ANSWER`]).
const FLOOR: u64 = 100;

/// Bytes of a bundle beyond which so short an answer is no review: where the size guard begins to warn.
const LARGE: u64 = 60_000;

/// A reviewer fell silent when it says less than this part of what it said before.
const PART: u64 = 3;

/// How much one reviewer said in one gauntlet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Engagement {
    /// Who.
    pub reviewer: String,
    /// Bundles that were put to it.
    pub asked: usize,
    /// Those of them it replied to, with a whole answer or not.
    pub replied: usize,
    /// Output tokens of all replies.
    pub tokens_out: u64,
    /// Output tokens of the median reply.
    pub median: u64,
    /// Bytes of the median bundle that it replied to.
    pub bundle_bytes: u64,
    /// Some replies came without a count, and are estimated from their text.
    pub is_estimated: bool,
}

/// How much every model said, in the order of the panel. Reviewers that work offline are left out: what they say depends on
/// what there is to say alone.
pub fn engagement(tally: &Tally, replies: &[TaskReply]) -> Vec<Engagement> {
    let bytes: BTreeMap<&str, u64> =
        tally.bundles.iter().map(|bundle| (bundle.id.as_str(), bundle.byte_len() as u64)).collect();
    let models = tally.panel.reviewers.iter().filter(|seat| seat.lineage.is_model());
    models.map(|seat| of_reviewer(&seat.id, tally, replies, &bytes)).collect()
}

fn of_reviewer(
    reviewer: &ReviewerId,
    tally: &Tally,
    replies: &[TaskReply],
    bytes: &BTreeMap<&str, u64>,
) -> Engagement {
    let put = |state: State| !matches!(state, State::NotRouted | State::Skipped);
    let tasks = || tally.coverage.iter().map(|task| &task.outcome).filter(|one| one.reviewer == *reviewer);
    let (mut said, mut sizes, mut is_estimated) = (Vec::new(), Vec::new(), false);
    for task in tasks() {
        let reply =
            replies.iter().find(|one| one.outcome.reviewer == *reviewer && one.outcome.bundle == task.bundle);
        let text = reply.and_then(|reply| reply.text.as_deref());
        if !matches!(task.state, State::Answered | State::Incomplete | State::Empty) && text.is_none() {
            continue;
        }
        is_estimated |= task.tokens_out.is_none();
        said.push(task.tokens_out.unwrap_or_else(|| estimate::tokens(text.unwrap_or_default())));
        sizes.push(bytes.get(task.bundle.as_str()).copied().unwrap_or_default());
    }
    Engagement {
        reviewer: reviewer.to_string(),
        asked: tasks().filter(|task| put(task.state)).count(),
        replied: said.len(),
        tokens_out: said.iter().sum(),
        median: median(said),
        bundle_bytes: median(sizes),
        is_estimated,
    }
}

/// The middle one, of two the mean; 0 of none.
fn median(mut numbers: Vec<u64>) -> u64 {
    numbers.sort_unstable();
    match (numbers.len() / 2, numbers.len() % 2) {
        (0, 0) => 0,
        (middle, 0) => numbers[middle - 1].midpoint(numbers[middle]),
        (middle, _) => numbers[middle],
    }
}

/// Why a reviewer counts as having fallen silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Silence {
    /// It replied to nothing that was put to it.
    Nothing,
    /// A few words about bundles that are too large to be told of in a few words.
    ShortForItsSize,
    /// Less than a third of what it said the last time, though it had a third of that to read or more.
    LessThanBefore,
}

impl Engagement {
    /// Whether the reviewer fell silent, as far as `before`, what it said in an earlier gauntlet, and sizes tell.
    pub fn silence(&self, before: Option<&Self>) -> Option<Silence> {
        if self.asked == 0 {
            return None;
        }
        if self.replied == 0 {
            return Some(Silence::Nothing);
        }
        let before = before.filter(|before| before.replied > 0);
        let had_as_much = |before: &&Self| self.bundle_bytes.saturating_mul(PART) >= before.bundle_bytes;
        let said_less = |before: &&Self| self.median.saturating_mul(PART) < before.median;
        if before.filter(had_as_much).as_ref().is_some_and(said_less) {
            return Some(Silence::LessThanBefore);
        }
        (self.median < FLOOR && self.bundle_bytes > LARGE).then_some(Silence::ShortForItsSize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        bundle::{Bundle, Guard},
        change::RangeInfo,
        coverage::Outcome,
        reviewer::{Lineage, Panel, Seat},
        tally::{Input, RunInfo, tally},
    };

    /// One who replied to 4 bundles of `bundle_bytes`, the median reply `median` tokens long.
    fn said(median: u64, bundle_bytes: u64) -> Engagement {
        Engagement {
            reviewer: "kimi".to_owned(),
            asked: 4,
            replied: 4,
            tokens_out: 4 * median,
            median,
            bundle_bytes,
            is_estimated: false,
        }
    }

    #[test]
    fn who_fell_silent() {
        let check = |now: Engagement, before: Option<Engagement>, expect: Option<Silence>| {
            assert_eq!(now.silence(before.as_ref()), expect, "{now:?} after {before:?}");
        };
        // The case it is modelled on: a model that wrote 62 tokens about a bundle of 165 KB, and about 250 about smaller ones.
        check(said(62, 165_000), None, Some(Silence::ShortForItsSize));
        check(said(62, 165_000), Some(said(250, 46_000)), Some(Silence::LessThanBefore));
        check(said(250, 46_000), Some(said(62, 165_000)), None);
        check(said(297, 165_000), None, None);
        // A third is no silence, nor is a short answer about little.
        check(said(84, 46_000), Some(said(250, 46_000)), None);
        check(said(83, 46_000), Some(said(250, 46_000)), Some(Silence::LessThanBefore));
        check(said(30, 4_000), Some(said(250, 46_000)), None);
        check(said(30, 4_000), None, None);
        let nothing = Engagement { replied: 0, ..said(0, 0) };
        check(nothing.clone(), Some(said(250, 46_000)), Some(Silence::Nothing));
        check(said(62, 46_000), Some(nothing.clone()), None);
        check(Engagement { asked: 0, ..nothing }, None, None);
    }

    #[test]
    fn medians() {
        let check = |numbers: &[u64], expect: u64| assert_eq!(median(numbers.to_vec()), expect);
        check(&[], 0);
        check(&[62], 62);
        check(&[300, 100], 200);
        check(&[297, 62, 250], 250);
    }

    fn task(
        bundle: &str,
        reviewer: &str,
        state: State,
        tokens: Option<u64>,
        text: Option<&str>,
    ) -> TaskReply {
        let outcome = Outcome::new(bundle.to_owned(), ReviewerId::new(reviewer).unwrap(), state);
        TaskReply { outcome: Outcome { tokens_out: tokens, ..outcome }, text: text.map(str::to_owned) }
    }

    #[test]
    fn what_each_model_said() {
        let seat = |id: &str, lineage: &str| Seat {
            id: ReviewerId::new(id).unwrap(),
            provider: "openai".to_owned(),
            model: id.to_owned(),
            lineage: Lineage::new(lineage),
        };
        let bundle = |id: &str| Bundle {
            id: id.to_owned(),
            component: String::new(),
            files: Vec::new(),
            guard: Guard::Ok,
        };
        let answer = "VERDICT: ship, nothing found\n";
        let replies = vec![
            task("c1_a", "kimi", State::Answered, Some(250), Some(answer)),
            task("c2_b", "kimi", State::Failed, None, None),
            task("c1_a", "agent", State::Answered, None, Some(answer)),
            task("c2_b", "agent", State::Skipped, None, None),
            task("c1_a", "rules", State::Answered, None, Some(answer)),
        ];
        let panel = [seat("kimi", "moonshot"), seat("agent", "openai"), seat("rules", "static:rules")];
        let input = Input {
            run: RunInfo::default(),
            range: RangeInfo::default(),
            panel: Panel { reviewers: panel.into() },
            bundles: vec![bundle("c1_a"), bundle("c2_b")],
            excluded: Vec::new(),
            replies: replies.clone(),
            judgements: <_>::default(),
            dispositions: Vec::new(),
            since: None,
        };
        let lines: Vec<String> = engagement(&tally(input), &replies)
            .iter()
            .map(|one| {
                let about = if one.is_estimated { "about " } else { "" };
                format!("{} {}/{}: {about}{}", one.reviewer, one.replied, one.asked, one.tokens_out)
            })
            .collect();
        assert_eq!(lines, ["agent 1/1: about 7", "kimi 1/2: 250"]);
    }
}
