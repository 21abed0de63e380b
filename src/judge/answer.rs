//! From a reply to a judgement: [`ruling`] and [`examination`].
//!
//! Every answer that breaks the rules is UNSURE, and says why. Nothing a claim or the code says can become an answer.

use super::{
    ExaminationCase, RulingCase,
    quote::{in_claims, in_code},
};
use crate::{
    coverage::{Outcome, State},
    judgement::{Examination, ExaminationAnswer, Hearing, Ruling, RulingAnswer},
    reply::{self, Statement},
    reviewer::Seat,
};

/// What the adjudicator `by` answers; `text` is its reply, if one came. The flag says whether the answer kept the rules.
pub fn ruling(case: &RulingCase, by: Seat, outcome: Outcome, text: Option<&str>) -> (Ruling, bool) {
    let stands = |quote: &str| in_code(quote, &case.code) || in_claims(quote, &case.claims);
    let heard = Heard::new(&RulingAnswer::ALL.map(RulingAnswer::word), case.shown(), outcome, text, stands);
    let answer = heard.word(&["SAME", "DIFFERENT"], "no quote of it stands in the claims or the code");
    let given = RulingAnswer::ALL.into_iter().find(|one| Ok(one.word()) == answer);
    let (hearing, kept) = heard.hearing(by, answer);
    (Ruling { pair: case.subject.clone(), answer: given.unwrap_or(RulingAnswer::Unsure), hearing }, kept)
}

/// What the examiner `by` answers; `text` is its reply, if one came. The flag says whether the answer kept the rules.
pub fn examination(
    case: &ExaminationCase,
    by: Seat,
    outcome: Outcome,
    text: Option<&str>,
) -> (Examination, bool) {
    let stands = |quote: &str| in_code(quote, &case.code);
    let words = ExaminationAnswer::ALL.map(ExaminationAnswer::word);
    let heard = Heard::new(&words, case.shown(), outcome, text, stands);
    let answer = heard.word(&["REFUTED"], "no line it quotes stands in the code");
    let given = ExaminationAnswer::ALL.into_iter().find(|one| Ok(one.word()) == answer);
    let (hearing, kept) = heard.hearing(by, answer);
    let claim = case.subject.claim.clone();
    (Examination { claim, answer: given.unwrap_or(ExaminationAnswer::Unsure), hearing }, kept)
}

/// A reply as far as it is read.
struct Heard {
    outcome: Outcome,
    statement: Option<Statement>,
    shown: String,
    quote: String,
    quote_found: bool,
}

impl Heard {
    fn new(
        vocabulary: &[&'static str],
        shown: String,
        outcome: Outcome,
        text: Option<&str>,
        stands: impl Fn(&str) -> bool,
    ) -> Self {
        let text = text.filter(|_| outcome.state == State::Answered);
        let mut statement = text.map(|text| reply::read_judgement(text, vocabulary));
        let mut quotes = statement.as_mut().map(|one| std::mem::take(&mut one.quotes)).unwrap_or_default();
        let found = quotes.iter().position(|quote| stands(quote));
        let quote = if quotes.is_empty() { String::new() } else { quotes.swap_remove(found.unwrap_or(0)) };
        Self { outcome, statement, shown, quote, quote_found: found.is_some() }
    }

    /// The word that counts, or why none does. Those of `proven` need a quote that stands.
    fn word(&self, proven: &[&str], unproven: &str) -> Result<&'static str, Option<String>> {
        let Some(statement) = &self.statement else { return Err(None) };
        let word = statement.answer.map_err(|reason| Some(format!("its answer does not count: {reason}")))?;
        if could_be_echo(word, &self.shown) {
            return Err(Some(format!("{word} does not count: it may be an echo of what was shown")));
        }
        if proven.contains(&word) && !self.quote_found {
            return Err(Some(format!("{word} does not count: {unproven}")));
        }
        Ok(word)
    }

    fn hearing(self, by: Seat, answer: Result<&'static str, Option<String>>) -> (Hearing, bool) {
        let Self { mut outcome, statement, quote, quote_found, .. } = self;
        let kept = answer.is_ok();
        if let Err(Some(reason)) = answer {
            outcome.reason = Some(reason);
        }
        let why = statement.map(|one| one.why).unwrap_or_default();
        (Hearing { by, outcome, quote, quote_found, why }, kept)
    }
}

/// Whether what was shown holds `ANSWER: word` itself, in any dress: who repeats it has not answered with it.
fn could_be_echo(word: &str, shown: &str) -> bool {
    let letters = |text: &str| -> String {
        text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    letters(shown).contains(&letters(&format!("answer{word}")))
}

impl<S> super::Case<S> {
    /// All foreign text of the question.
    fn shown(&self) -> String {
        [&self.place, &self.claims.join("\n"), &self.code].map(String::as_str).join("\n")
    }
}
