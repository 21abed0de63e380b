//! What others said about findings, in words: [`examined`], [`adjudicated`], and [`in_short`] for the whole tally.
//!
//! Shown beside an issue, never as one of its reviewers.

use std::{collections::BTreeMap, fmt::Write as _};

use crate::{
    coverage::State,
    judgement::Hearing,
    report::{coverage, foreign, words},
    tally::{Issue, Tally},
};

/// Characters of a reason that are shown.
const WHY_SHOWN: usize = 300;

/// One judgement: who, the word, and why.
#[derive(Debug, Clone, Copy)]
pub struct Said<'a> {
    /// The answer, or what became of the question: `REFUTED`, `timed out`.
    pub word: &'static str,
    /// How it was heard.
    hearing: &'a Hearing,
}

impl Said<'_> {
    /// `REFUTED by kimi`, `kimi timed out`.
    pub fn in_short(&self) -> String {
        let by = &self.hearing.by.id;
        if self.hearing.is_answered() {
            format!("{} by {by}", self.word)
        } else {
            format!("{by} {}", self.word)
        }
    }

    /// Whether a reply came.
    pub fn is_answered(&self) -> bool {
        self.hearing.is_answered()
    }

    /// Who, harmless to show: `kimi (moonshot)`.
    pub fn who(&self) -> String {
        format!("{} ({})", self.hearing.by.id, foreign::one_line(self.hearing.by.lineage.as_str()))
    }

    /// The reason given or, where the answer does not count, why not; harmless to show.
    pub fn why(&self) -> String {
        let given = self.hearing.outcome.reason.as_deref().unwrap_or(&self.hearing.why);
        words::shortened(&foreign::one_line(given), WHY_SHOWN)
    }

    /// The quote, harmless to show; empty when none stands in what was shown.
    pub fn quote(&self) -> String {
        let quote = if self.hearing.quote_found { self.hearing.quote.as_str() } else { "" };
        words::shortened(&foreign::one_line(quote), WHY_SHOWN)
    }
}

/// What reviewers of other lineages said about the issue's claims.
pub fn examined(issue: &Issue) -> impl Iterator<Item = Said<'_>> {
    issue.examinations.iter().map(|one| said(&one.hearing, one.answer.word()))
}

/// What adjudicators said about the issue's claims.
pub fn adjudicated(issue: &Issue) -> impl Iterator<Item = Said<'_>> {
    issue.adjudications.iter().map(|one| said(&one.hearing, one.answer.word()))
}

/// The answer to a question, or what became of the question.
pub fn said<'a>(hearing: &'a Hearing, answer: &'static str) -> Said<'a> {
    let word = match hearing.outcome.state {
        State::Answered => answer,
        State::Skipped | State::NotRouted => "was not asked",
        state => coverage::state_word(state),
    };
    Said { word, hearing }
}

/// `REFUTED by kimi`; `not examined: no reviewer of another lineage`; empty when no examination was asked for.
pub fn examined_cell(issue: &Issue) -> String {
    let mut parts: Vec<String> = examined(issue).map(|said| said.in_short()).collect();
    parts.extend(
        issue.unexamined.first().map(|one| format!("not examined: {}", foreign::one_line(&one.reason))),
    );
    parts.join(", ")
}

/// `2 of 3 questions about claims answered, 1 from the cache; kimi timed out (1 ×): no whole reply in 300 s`; `None` when none
/// was put.
pub fn in_short(tally: &Tally) -> Option<String> {
    let hearings: Vec<&Hearing> = tally.judgements.hearings().collect();
    let (answered, open): (Vec<&Hearing>, _) = hearings.iter().partition(|hearing| hearing.is_answered());
    let cached = answered.iter().filter(|hearing| hearing.outcome.cached).count();
    let mut missing: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for hearing in open {
        missing.entry(said(hearing, "").in_short()).or_default().push(said(hearing, "").why());
    }
    let questions = words::count(hearings.len(), "question");
    let mut line = format!("{} of {questions} about claims answered", words::grouped(answered.len() as u64));
    if cached > 0 {
        let _ = write!(line, ", {} from the cache", words::grouped(cached as u64));
    }
    for (what, reasons) in missing {
        let _ = write!(line, "; {what} ({} ×): {}", words::grouped(reasons.len() as u64), reasons[0]);
    }
    (!hearings.is_empty()).then_some(line)
}
