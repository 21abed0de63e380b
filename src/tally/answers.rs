//! Reads every reply of a run: findings to anchored members, and each task's state as its reply deserves: [`read`].
//!
//! Findings of cut-off replies are kept, their task lowered. What belongs together is `cluster`'s question.

use std::collections::{HashMap, HashSet};

use super::{Coverage, Input, Member, RejectedText, TaskReply, bundle_order};
use crate::{
    anchor::Places,
    bundle::Bundle,
    coverage::{Outcome, State},
    mask::{self, Values},
    reply::{self, Completeness, Reading},
    reviewer::{Lineage, Panel, ReviewerId},
    route::Routes,
};

/// All that the replies say.
#[derive(Debug, Default)]
pub(super) struct Answers {
    /// By bundle number, then reviewer.
    pub(super) coverage: Vec<Coverage>,
    /// Every finding, in no particular order.
    pub(super) members: Vec<Member>,
    /// By bundle number, reviewer, text.
    pub(super) rejects: Vec<RejectedText>,
}

/// Reads and anchors `input.replies`, which are taken out of it, in the bundles as reviewers saw them.
pub(super) fn read(input: &mut Input) -> Answers {
    let replies = std::mem::take(&mut input.replies);
    let (nonce, masks) = (input.run.nonce.as_deref(), &input.run.masks);
    let values = Values::of(&input.bundles, masks);
    let conceal = |text: &str| match &values {
        Some(values) => values.conceal(text).into_owned(),
        None => text.to_owned(),
    };
    let readings = replies.into_iter().map(|TaskReply { mut outcome, text }| {
        outcome.reason = outcome.reason.as_deref().map(conceal);
        let reading = text.as_deref().map(|text| reply::read(&conceal(text), nonce));
        (outcome, reading)
    });
    assemble(readings, &input.panel, &mask::shown(&input.bundles, masks), &input.run.routes)
}

/// Puts readings, panel and bundles together.
pub(super) fn assemble(
    readings: impl Iterator<Item = (Outcome, Option<Reading>)>,
    panel: &Panel,
    bundles: &[Bundle],
    routes: &Routes,
) -> Answers {
    let places = Places::new(bundles);
    let lineages: HashMap<_, _> = panel.reviewers.iter().map(|one| (&one.id, &one.lineage)).collect();
    let mut answers = Answers::default();
    for (outcome, reading) in readings {
        let lineage = lineages.get(&outcome.reviewer).map_or_else(Lineage::unknown, |one| (*one).clone());
        answers.add(outcome, reading, &lineage, &places);
    }
    answers.add_unasked(panel, bundles, routes);
    answers.coverage.sort_by(|a, b| {
        let places = bundle_order(&a.outcome.bundle, &b.outcome.bundle);
        places.then_with(|| a.outcome.reviewer.cmp(&b.outcome.reviewer)).then_with(|| key(a).cmp(&key(b)))
    });
    answers.rejects.sort_by(|a, b| {
        let rest = |one: &RejectedText| (one.reviewer.clone(), one.text.clone(), one.reason.clone());
        bundle_order(&a.bundle, &b.bundle).then_with(|| rest(a).cmp(&rest(b)))
    });
    answers
}

/// Orders several records of one task.
fn key(coverage: &Coverage) -> impl Ord + '_ {
    let Outcome {
        state,
        reason,
        attempts,
        cached,
        latency_ms,
        tokens_in,
        tokens_out,
        cost_usd,
        answered_by,
        timing,
        ..
    } = &coverage.outcome;
    let cost = cost_usd.map(f64::to_bits);
    let counts = (attempts, cached, latency_ms, timing, tokens_in, tokens_out, cost);
    (state, reason, counts, answered_by, coverage.verdict, coverage.findings)
}

impl Answers {
    fn add(&mut self, outcome: Outcome, reading: Option<Reading>, lineage: &Lineage, places: &Places<'_>) {
        let Reading { findings, rejects, verdict, completeness, left_out: _ } =
            reading.unwrap_or(Reading { completeness: Completeness::Empty, ..Reading::default() });
        let (bundle, reviewer) = (outcome.bundle.clone(), outcome.reviewer.clone());
        let found = findings.len();
        self.members.extend(places.anchor(findings, Some(&bundle)).into_iter().map(|anchored| Member {
            reviewer: reviewer.clone(),
            lineage: lineage.clone(),
            bundle: bundle.clone(),
            anchored,
        }));
        self.rejects.extend(rejects.into_iter().map(|reject| RejectedText {
            bundle: bundle.clone(),
            reviewer: reviewer.clone(),
            text: reject.text,
            reason: reject.reason,
        }));
        let mut outcome = lowered(outcome, completeness);
        if outcome.state == State::Answered && verdict.is_none() {
            remark(&mut outcome, "no verdict given");
        }
        self.coverage.push(Coverage { outcome, verdict, findings: found });
    }

    /// A task that nobody recorded was never asked, and says so, or why it was not to be.
    fn add_unasked(&mut self, panel: &Panel, bundles: &[Bundle], routes: &Routes) {
        let known = |one: &Coverage| (one.outcome.bundle.clone(), one.outcome.reviewer.clone());
        let known: HashSet<(String, ReviewerId)> = self.coverage.iter().map(known).collect();
        let tasks = bundles.iter().flat_map(|bundle| panel.reviewers.iter().map(move |one| (bundle, one)));
        for (bundle, reviewer) in tasks {
            if !known.contains(&(bundle.id.clone(), reviewer.id.clone())) {
                let outcome = unasked(bundle, &reviewer.id, routes);
                self.coverage.push(Coverage { outcome, verdict: None, findings: 0 });
            }
        }
    }
}

/// What the reply's text makes of a task that the run took for answered. Other states stand.
fn lowered(mut outcome: Outcome, completeness: Completeness) -> Outcome {
    if outcome.state != State::Answered {
        return outcome;
    }
    let (state, reason) = match completeness {
        Completeness::Whole => return outcome,
        Completeness::Incomplete(reason) => (State::Incomplete, reason),
        Completeness::Unusable(reason) => (State::Failed, reason),
        Completeness::Empty => (State::Empty, "a reply without text".to_owned()),
    };
    outcome.state = state;
    remark(&mut outcome, &reason);
    outcome
}

fn remark(outcome: &mut Outcome, text: &str) {
    match &mut outcome.reason {
        Some(reason) if reason.contains(text) => {}
        Some(reason) => *reason = format!("{reason}; {text}"),
        None => outcome.reason = Some(text.to_owned()),
    }
}

fn unasked(bundle: &Bundle, reviewer: &ReviewerId, routes: &Routes) -> Outcome {
    let elsewhere = routes.of(&bundle.id).filter(|routed| !routed.reviewers.contains(reviewer.as_str()));
    let (state, reason) = match elsewhere {
        Some(routed) => (State::NotRouted, format!("by route: its panel is {}", routed.panel)),
        None => (State::Skipped, "never asked: the run holds no record of it".to_owned()),
    };
    Outcome { reason: Some(reason), ..Outcome::new(bundle.id.clone(), reviewer.clone(), state) }
}
