//! A seat of the panel and everybody who may answer for it: [`Respondent`].

use std::collections::BTreeSet;

use super::bounds::Bounds;
use crate::{
    coverage::StandIn,
    provider::{Provider, Sample},
    reviewer::{Reviewer, ReviewerId},
};

/// A seat, and those who are asked for it, one after another while the one before is out of order.
#[derive(Debug, Clone)]
pub struct Respondent {
    /// Whose seat it is. What is answered counts as its answer.
    pub reviewer: Reviewer,
    /// The reviewer itself, where it can be asked, and its stand-ins; at least one.
    pub voices: Vec<Voice>,
    /// Why the reviewer itself cannot be asked, if so.
    pub absence: Option<String>,
}

/// A reviewer and the way to ask it.
#[derive(Debug, Clone)]
pub struct Voice {
    /// Who, and how long an attempt may take.
    pub reviewer: Reviewer,
    /// How.
    pub provider: Provider,
}

impl Respondent {
    /// A seat without stand-ins.
    pub fn new(reviewer: Reviewer, provider: Provider) -> Self {
        Self { reviewer: reviewer.clone(), voices: vec![Voice { reviewer, provider }], absence: None }
    }
}

impl Voice {
    /// How its answer is marked in the seat of `seat`.
    pub(super) fn as_stand_in(&self, seat: &ReviewerId) -> Option<StandIn> {
        let Reviewer { id, model, .. } = &self.reviewer;
        (id != seat).then(|| StandIn { reviewer: id.clone(), model: model.clone() })
    }
}

/// The most reviewers that may be asked for one seat.
pub fn most_voices(respondents: &[Respondent]) -> usize {
    respondents.iter().map(|respondent| respondent.voices.len()).max().unwrap_or(1)
}

/// Somebody who may be asked: a line of the queue.
#[derive(Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) voice: &'a Voice,
    /// Where it is asked, as the bounds know it.
    pub(super) service: Option<usize>,
    /// Whether the next line is its stand-in.
    pub(super) has_stand_in: bool,
    /// Which answers to a first attempt will do.
    pub(super) sample: Sample,
}

/// The lines of all voices, and the first one of each respondent.
pub(super) fn lines<'a>(respondents: &'a [Respondent], bounds: &mut Bounds) -> (Vec<Line<'a>>, Vec<usize>) {
    let (mut lines, mut first, mut models) = (Vec::new(), Vec::new(), BTreeSet::new());
    for respondent in respondents {
        first.push(lines.len());
        lines.extend(respondent.voices.iter().enumerate().map(|(at, voice)| Line {
            voice,
            service: bounds.service_of(&voice.reviewer),
            has_stand_in: at + 1 < respondent.voices.len(),
            sample: sample(&voice.reviewer, &mut models),
        }));
    }
    (lines, first)
}

/// Two seats that send the same words to one model are to get two answers; of all who do, the first takes any. Settings do not
/// tell them apart: a server that refuses one makes the requests equal. `models` are those seen so far.
fn sample(reviewer: &Reviewer, models: &mut BTreeSet<(String, String)>) -> Sample {
    let Some(base_url) = reviewer.access.base_url() else { return Sample::Any };
    let address = base_url.trim_end_matches('/').to_ascii_lowercase();
    if models.insert((address, reviewer.model.clone())) { Sample::Any } else { Sample::Own }
}
