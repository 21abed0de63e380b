//! The top of the page: [`Heading`], what the run comes to, who was heard and what was not read.
//!
//! A person should see here in ten seconds whether to worry.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    coverage::State,
    finding::{Severity, Verdict},
    report::{coverage, earlier, foreign, judged, sizes, summary, words},
    reviewer::{Lineage, Seat},
    tally::{
        Tally,
        gate::{Gate, GateResult},
        verdict,
    },
};

/// Characters of a note that are shown.
const NOTE_SHOWN: usize = 300;

/// What the run comes to.
#[derive(Serialize)]
pub(super) struct Heading {
    title: String,
    headline: String,
    verdict: Badge,
    reasons: Vec<String>,
    gate: Badge,
    policy: String,
    gate_reasons: Vec<String>,
    overruled: Option<String>,
    counts: Vec<Count>,
    facts: Vec<Fact>,
    who: Option<String>,
    coverage: String,
    lineages: Vec<Descent>,
    gaps: Vec<Gap>,
    remarks: Vec<String>,
}

/// A word that is told by its colour, too.
#[derive(Serialize)]
struct Badge {
    word: &'static str,
    tone: &'static str,
}

#[derive(Serialize)]
struct Count {
    severity: &'static str,
    number: usize,
}

#[derive(Serialize)]
struct Fact {
    label: &'static str,
    text: String,
}

/// A lineage of the panel and whom it was asked by.
#[derive(Serialize)]
struct Descent {
    name: String,
    heard: bool,
    seats: Vec<Asked>,
}

#[derive(Serialize)]
struct Asked {
    id: String,
    model: String,
    provider: String,
    answered: bool,
}

#[derive(Serialize)]
struct Gap {
    reviewer: String,
    event: String,
    reason: String,
}

impl Heading {
    pub(super) fn of(tally: &Tally, gate: &Gate) -> Self {
        let conclusion = verdict::conclude(tally, gate);
        let headline = summary::headline(tally);
        let spent: Vec<String> =
            coverage::spent_in_all(tally).into_iter().chain(summary::time(tally)).collect();
        let spent = if spent.is_empty() { String::new() } else { format!(" ({})", spent.join(", ")) };
        let by = summary::heard_words(summary::heard(tally).len()) + &spent + summary::unchecked_words(tally);
        Self {
            title: format!("{} – {headline}", conclusion.word()),
            headline: words::sentence(&headline),
            verdict: Badge { word: conclusion.word(), tone: verdict_tone(conclusion.verdict) },
            reasons: conclusion.reasons.iter().map(|one| foreign::one_line(one)).collect(),
            gate: gate_badge(gate.result),
            policy: foreign::one_line(&gate.policy),
            gate_reasons: gate.reasons.iter().map(|one| foreign::one_line(one)).collect(),
            overruled: gate.overruled.as_ref().map(|one| foreign::one_line(&summary::overridden(one))),
            counts: counts(tally),
            facts: facts(tally),
            who: summary::who(tally).map(|who| words::sentence(&foreign::one_line(&who))),
            coverage: format!("{}{by}", words::sentence(&coverage::in_short(tally))),
            lineages: lineages(tally),
            gaps: gaps(tally),
            remarks: remarks(tally),
        }
    }
}

fn verdict_tone(verdict: Option<Verdict>) -> &'static str {
    match verdict {
        Some(Verdict::Ship) => "good",
        Some(Verdict::ShipWithFixes) => "mixed",
        Some(Verdict::Hold) => "bad",
        None => "none",
    }
}

fn gate_badge(result: GateResult) -> Badge {
    let (word, tone) = match result {
        GateResult::Pass => ("gate passed", "good"),
        GateResult::Fail => ("gate failed", "bad"),
        GateResult::Inconclusive => ("gate inconclusive", "mixed"),
        GateResult::Off => ("gate off", "none"),
    };
    Badge { word, tone }
}

fn counts(tally: &Tally) -> Vec<Count> {
    let totals = summary::totals(tally);
    let number = |severity: Severity| totals.by_severity.get(&severity).copied().unwrap_or_default();
    [Severity::Block, Severity::Warn, Severity::Info]
        .map(|severity| Count { severity: severity.word(), number: number(severity) })
        .into()
}

/// What is to be known of the run; what is not known is left out.
fn facts(tally: &Tally) -> Vec<Fact> {
    let run = &tally.run;
    let pull = tally.since.as_ref().map(|since| since.pull.address.to_string());
    let started = Some(run.started_at.clone()).filter(|at| !at.is_empty());
    let took = summary::time(tally).map(|took| format!(", {took}")).unwrap_or_default();
    let facts = [
        ("Pull request", pull),
        ("Range", Some(tally.range.spec.clone())),
        ("Commits", tally.range.head.as_ref().map(|_| summary::commits(&tally.range))),
        ("Run", Some(run.id.clone())),
        ("Started", started.map(|at| at + &took)),
        ("Last review", earlier::counts(tally)),
        ("Scope", earlier::scope_line(tally)),
        ("Judged", judged::in_short(tally)),
        ("Context", sizes::growth_in_short(&run.growth)),
        ("Cut short", run.cut_short.clone()),
        ("scrum", Some(run.tool_version.clone())),
    ];
    let told = facts.into_iter().filter_map(|(label, text)| {
        let text = foreign::one_line(&text?);
        (!text.is_empty()).then_some(Fact { label, text })
    });
    told.collect()
}

fn lineages(tally: &Tally) -> Vec<Descent> {
    let heard = summary::heard(tally);
    let mut lineages: BTreeMap<_, Vec<&Seat>> = BTreeMap::new();
    for seat in &tally.panel.reviewers {
        lineages.entry(&seat.lineage).or_default().push(seat);
    }
    let told = |(lineage, seats): (&Lineage, Vec<&Seat>)| Descent {
        name: foreign::one_line(lineage.as_str()),
        heard: heard.contains(lineage),
        seats: seats.into_iter().map(|seat| asked(tally, seat)).collect(),
    };
    lineages.into_iter().map(told).collect()
}

fn asked(tally: &Tally, seat: &Seat) -> Asked {
    let mut tasks = tally.coverage.iter().map(|task| &task.outcome);
    Asked {
        id: foreign::one_line(seat.id.as_str()),
        model: foreign::one_line(&seat.model),
        provider: foreign::one_line(&seat.provider),
        answered: tasks.any(|task| task.reviewer == seat.id && task.state == State::Answered),
    }
}

fn gaps(tally: &Tally) -> Vec<Gap> {
    let bundles = summary::bundle_heads(tally).len();
    let told = |gap: &coverage::Gap| Gap {
        reviewer: foreign::one_line(gap.reviewer.as_str()),
        event: gap.event(bundles),
        reason: gap.reason.clone(),
    };
    coverage::gaps(tally).iter().map(told).collect()
}

/// Who was asked, or answered, otherwise than one would expect; also what of the conversation does not count.
fn remarks(tally: &Tally) -> Vec<String> {
    let bundles = summary::bundle_heads(tally).len();
    let substitutions = coverage::substitutions(tally);
    let substitutions = substitutions.iter().map(|one| format!("{}: {}", one.reviewer, one.event(bundles)));
    let asked = coverage::remarks(tally, bundles);
    let asked = asked.iter().map(|(reviewer, remark)| format!("{reviewer}: {remark}"));
    let notes = tally.since.iter().flat_map(|since| &since.notes);
    let notes = notes.map(|note| words::sentence(&words::in_brief(note, NOTE_SHOWN)));
    let routed = coverage::routed(tally).into_iter().map(|line| words::sentence(&line));
    routed.chain(substitutions).chain(asked).chain(notes).collect()
}
