//! The review as a phase of a gauntlet: [`phase`] makes what is told of it from a tally, and what it weighs.
//!
//! Asking reviewers is `scrum review`'s work; nothing is judged here that the tally and its gate have not judged.

use super::{
    assess::{Reason, Weight},
    document::{BundleEntry, EngagementEntry, IssueEntry, Line, PhaseWord, Review},
    engagement::{self, Engagement, Silence},
};
use crate::{
    bundle::Bundle,
    coverage::State,
    finding::Verdict,
    report::{summary, words},
    reviewer::ReviewerId,
    tally::{
        Issue, Tally, TaskReply,
        gate::{Gate, GateResult},
        verdict::{self, Conclusion},
    },
};

/// What is told of a review, and what it weighs. `earlier` are the last gauntlets, the oldest first.
pub fn phase(tally: &Tally, gate: &Gate, replies: &[TaskReply], earlier: &[Line]) -> (Review, Reason) {
    let conclusion = verdict::conclude(tally, gate);
    let totals = summary::totals(tally);
    let found = summary::by_bundle(tally);
    let bundle = |bundle: &Bundle| {
        let found = found.get(bundle.id.as_str());
        let (convergent, distinct) = (found.map(|one| one.convergent), found.map(|one| one.distinct));
        BundleEntry { id: bundle.id.clone(), bytes: bundle.byte_len() as u64, convergent, distinct }
    };
    let heard = summary::heard(tally).len();
    let agreed = summary::open(tally).filter(|issue| issue.is_convergent());
    let engagement = engagement::engagement(tally, replies);
    let reason = reason(tally, gate, &conclusion);
    let review = Review {
        state: reason.weight.into(),
        range: Some(tally.range.spec.clone()),
        verdict: Some(conclusion.word().to_owned()),
        headline: Some(summary::headline(tally)),
        gate: Some(summary::gate_line(gate)),
        convergent: totals.convergent,
        distinct: totals.distinct,
        bundles: tally.bundles.iter().map(bundle).collect(),
        issues: agreed.map(|issue| entry(issue, heard)).collect(),
        engagement: engagement.into_iter().map(|one| engaged(one, earlier)).collect(),
    };
    (review, reason)
}

/// A review of a range in which no file differs.
pub fn of_nothing(range: Option<String>) -> (Review, Reason) {
    let headline = Some("nothing to review: no file differs".to_owned());
    let review = Review { headline, ..untold(PhaseWord::Passed, range.or_else(|| Some("HEAD".to_owned()))) };
    (review, Reason::new(Weight::Fine, "there is nothing to review: no file differs"))
}

/// What is told of a review that has no tally, as `state` says.
pub fn untold(state: PhaseWord, range: Option<String>) -> Review {
    let (verdict, headline, gate, bundles, issues, engagement) = <_>::default();
    let (convergent, distinct) = (0, 0);
    Review { state, range, verdict, headline, gate, convergent, distinct, bundles, issues, engagement }
}

fn entry(issue: &Issue, heard: usize) -> IssueEntry {
    let what = summary::spokesman(issue).map(|member| member.anchored.finding.what.clone());
    IssueEntry {
        id: issue.id.clone(),
        severity: issue.severity.to_string(),
        place: summary::place(issue),
        agreement: summary::agreement(issue, heard),
        what: what.unwrap_or_default(),
    }
}

fn reason(tally: &Tally, gate: &Gate, conclusion: &Conclusion) -> Reason {
    if !gate.lets_through() && gate.result == GateResult::Fail {
        return Reason::new(Weight::Against, because("the gate of the review fails", &gate.reasons));
    }
    match conclusion.verdict {
        Some(Verdict::Hold) => {
            Reason::new(Weight::Against, because("the review says hold", &conclusion.reasons))
        }
        _ if tally.run.finished_at.is_none() => Reason::new(Weight::Lacking, "the review was interrupted"),
        _ if no_model_answered(tally) => Reason::new(
            Weight::Lacking,
            "no model of the panel answered the review, only reviewers that work offline",
        ),
        _ if gate.result == GateResult::Inconclusive => {
            Reason::new(Weight::Lacking, because("the review is inconclusive", &gate.reasons))
        }
        None => Reason::new(Weight::Lacking, because("the review is inconclusive", &conclusion.reasons)),
        Some(verdict @ (Verdict::Ship | Verdict::ShipWithFixes)) => {
            let head = format!("the review says {}", verdict.word());
            Reason::new(Weight::Fine, because(&head, &conclusion.reasons))
        }
    }
}

/// Whether models were to be asked, somebody answered, and it was none of them.
fn no_model_answered(tally: &Tally) -> bool {
    let is_model =
        |id: &ReviewerId| tally.panel.reviewers.iter().any(|seat| seat.id == *id && seat.lineage.is_model());
    let asked =
        || tally.coverage.iter().map(|task| &task.outcome).filter(|one| one.state != State::NotRouted);
    let answered = || asked().filter(|one| one.state == State::Answered).map(|one| &one.reviewer);
    asked().any(|one| is_model(&one.reviewer)) && answered().next().is_some() && !answered().any(is_model)
}

fn because(head: &str, reasons: &[String]) -> String {
    if reasons.is_empty() { head.to_owned() } else { format!("{head}: {}", reasons.join("; ")) }
}

fn engaged(now: Engagement, earlier: &[Line]) -> EngagementEntry {
    let of_same = |line: &&Line| line.engagement.iter().find(|one| one.reviewer == now.reviewer).cloned();
    let before = earlier.iter().rev().find_map(|line| of_same(&line)).filter(|one| one.replied > 0);
    let silence = now.silence(before.as_ref()).map(|silence| silent(&now, silence));
    EngagementEntry { median_before: before.map(|one| one.median), silence, now }
}

/// To stand behind the figures.
fn silent(now: &Engagement, silence: Silence) -> String {
    match silence {
        Silence::Nothing => format!("it replied to none of {}", words::count(now.asked, "bundle")),
        Silence::ShortForItsSize => {
            format!("too little about bundles of {} to have read them", words::size(now.bundle_bytes))
        }
        Silence::LessThanBefore => "less than a third of what it said before".to_owned(),
    }
}

/// `62 tokens out`, `about 62 tokens out` where they were estimated.
pub(super) fn tokens(number: u64, is_estimated: bool) -> String {
    let about = if is_estimated { "about " } else { "" };
    format!("{about}{} tokens out", words::grouped(number))
}
