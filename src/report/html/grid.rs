//! The coverage grid bundle × reviewer, and what each reviewer took: [`Grid`].

use std::collections::HashMap;

use serde::Serialize;

use crate::{
    coverage::{Outcome, State},
    finding::Verdict,
    report::{coverage, foreign, summary, words},
    reviewer::{ReviewerId, Seat},
    tally::{Coverage, Tally, spent::Spent},
};

/// Who answered about what, and what it took.
#[derive(Serialize)]
pub(super) struct Grid {
    rows: Vec<Row>,
    seats: Vec<Reviewer>,
    /// What questions about claims took.
    judging: Option<String>,
    total: Option<String>,
}

#[derive(Serialize)]
struct Row {
    bundle: String,
    convergent: Option<usize>,
    distinct: Option<usize>,
    cells: Vec<Cell>,
}

/// What became of one question.
#[derive(Serialize)]
struct Cell {
    /// Names the shape in the page's style.
    state: &'static str,
    word: &'static str,
    tone: &'static str,
    reason: String,
    /// Tokens, time, cache: what it took.
    took: String,
}

/// What one reviewer did.
#[derive(Serialize)]
struct Reviewer {
    id: String,
    lineage: String,
    model: String,
    provider: String,
    answered: usize,
    asked: usize,
    findings: usize,
    verdicts: String,
    tokens_in: String,
    tokens_out: String,
    cost: String,
    requests: u32,
    time: String,
    spent: String,
}

impl Grid {
    pub(super) fn of(tally: &Tally) -> Self {
        let found = summary::by_bundle(tally);
        // Of several records of one task the first stands.
        let tasks: HashMap<(&str, &ReviewerId), &Coverage> =
            tally.coverage.iter().rev().map(|task| (task_of(task), task)).collect();
        let row = |(bundle, head): (&str, String)| {
            let cell = |seat: &Seat| cell(tasks.get(&(bundle, &seat.id)).copied());
            Row {
                bundle: head,
                convergent: found.get(bundle).map(|found| found.convergent),
                distinct: found.get(bundle).map(|found| found.distinct),
                cells: tally.panel.reviewers.iter().map(cell).collect(),
            }
        };
        let hearings = tally.judgements.hearings().count();
        let rows = if tally.coverage.is_empty() { Vec::new() } else { summary::bundle_heads(tally) };
        Self {
            rows: rows.into_iter().map(row).collect(),
            seats: reviewers(tally),
            judging: coverage::spent(&Spent::by_judging(tally), hearings),
            total: coverage::spent_in_all(tally),
        }
    }
}

fn task_of(task: &Coverage) -> (&str, &ReviewerId) {
    (&task.outcome.bundle, &task.outcome.reviewer)
}

fn cell(task: Option<&Coverage>) -> Cell {
    let Some(task) = task else {
        return Cell {
            state: "not-routed",
            word: "not asked",
            tone: "none",
            reason: String::new(),
            took: String::new(),
        };
    };
    let outcome = &task.outcome;
    let (word, tone) = match (outcome.state, task.verdict) {
        (State::Answered, Some(Verdict::Ship)) => ("ship", "good"),
        (State::Answered, Some(Verdict::ShipWithFixes)) => ("ship-with-fixes", "mixed"),
        (State::Answered, Some(Verdict::Hold)) => ("hold", "bad"),
        (State::NotRouted, _) => ("not asked", "none"),
        (state, _) => (coverage::state_word(state), "none"),
    };
    let by = outcome.answered_by.as_ref();
    let by = by.map(|by| format!("{} ({}) answered in its place", by.reviewer, foreign::one_line(&by.model)));
    let reasons = outcome.reason.iter().map(|reason| foreign::one_line(reason)).chain(by);
    Cell {
        state: outcome.state.word(),
        word,
        tone,
        reason: reasons.collect::<Vec<_>>().join("; "),
        took: took(outcome),
    }
}

/// `12,300 + 850 tokens, 4.2 s, 3 requests`.
fn took(outcome: &Outcome) -> String {
    let number = |tokens: Option<u64>| tokens.map_or("?".to_owned(), words::grouped);
    let mut parts = Vec::new();
    if outcome.tokens_in.is_some() || outcome.tokens_out.is_some() {
        parts.push(format!("{} + {} tokens", number(outcome.tokens_in), number(outcome.tokens_out)));
    }
    if outcome.cached {
        parts.push("cached".to_owned());
    } else if outcome.attempts > 0 {
        parts.push(words::duration(outcome.latency_ms));
    }
    if outcome.attempts > 1 {
        parts.push(format!("{} requests", outcome.attempts));
    }
    parts.join(", ")
}

fn reviewers(tally: &Tally) -> Vec<Reviewer> {
    let (verdicts, told) = (coverage::verdicts(tally), coverage::spent_by_reviewer(tally));
    let mut tasks: HashMap<&ReviewerId, Vec<&Coverage>> = HashMap::new();
    for task in &tally.coverage {
        tasks.entry(&task.outcome.reviewer).or_default().push(task);
    }
    let reviewer = |seat: &Seat| {
        let own = tasks.get(&seat.id).map(Vec::as_slice).unwrap_or_default();
        let spent = Spent::by_seat(tally, seat);
        Reviewer {
            verdicts: verdicts.get(&seat.id).cloned().unwrap_or_default(),
            spent: told.get(&seat.id).cloned().unwrap_or_default(),
            ..of_seat(seat, own, &spent)
        }
    };
    tally.panel.reviewers.iter().map(reviewer).collect()
}

fn of_seat(seat: &Seat, own: &[&Coverage], spent: &Spent) -> Reviewer {
    let in_state = |state| own.iter().filter(|task| task.outcome.state == state).count();
    let tokens = |count: Option<u64>| count.map_or("–".to_owned(), words::grouped);
    let asked = own.iter().filter(|task| task.outcome.attempts > 0 && !task.outcome.cached);
    let slowest = asked.map(|task| task.outcome.latency_ms).max();
    let cost = match (spent.cost_usd, spent.unpriced) {
        (_, 1..) if spent.cost_usd.is_none() => "unknown".to_owned(),
        (Some(usd), 0) => words::dollars(usd),
        (Some(usd), _) => format!("{} and more", words::dollars(usd)),
        (None, _) => "–".to_owned(),
    };
    Reviewer {
        id: foreign::one_line(seat.id.as_str()),
        lineage: foreign::one_line(seat.lineage.as_str()),
        model: foreign::one_line(&seat.model),
        provider: foreign::one_line(&seat.provider),
        answered: in_state(State::Answered),
        asked: own.len() - in_state(State::NotRouted),
        findings: own.iter().map(|task| task.findings).sum(),
        verdicts: String::new(),
        tokens_in: tokens(spent.tokens_in),
        tokens_out: tokens(spent.tokens_out),
        cost,
        requests: own.iter().map(|task| task.outcome.attempts).fold(0, u32::saturating_add),
        time: slowest.map_or("–".to_owned(), words::duration),
        spent: String::new(),
    }
}
