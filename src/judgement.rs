//! What reviewers were asked about other reviewers' claims: a [`Ruling`] on two claims, an [`Examination`] of one.
//!
//! Values only. Whom to ask what is decided by `judge`, how an answer is read too; what follows from it is `tally`'s
//! work. A judgement never counts as a finding: who gives one adds no lineage to anything.

use std::fmt;

use crate::{
    coverage::{Outcome, State},
    digest,
    reviewer::Seat,
};

/// Names a claim by what it says and where: path, line of code, words. No line number and no issue is in it, so a
/// judgement finds its claims again when a tally is computed anew, and after a push that moves the code.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClaimId(String);

/// Digits of SHA-256 that name a claim: 64 bits.
const DIGITS: usize = 16;

/// A text that is no claim's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} does not name a claim")]
pub struct BadClaimId(pub String);

impl ClaimId {
    /// The name of the claim `what`, `why` about `code` in the file `path`. Blanks are only told from no blanks.
    pub fn of(path: &str, code: &str, what: &str, why: &str) -> Self {
        let parts = [path, code, what, why].map(|part| part.split_whitespace().collect::<Vec<_>>().join(" "));
        let mut name = digest::sha256(&[parts.join("\0").as_bytes()]);
        name.truncate(DIGITS);
        Self(name)
    }

    /// Reads back what `Display` wrote.
    pub fn parse(text: &str) -> Result<Self, BadClaimId> {
        let digits = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if text.len() == DIGITS && digits {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadClaimId(text.to_owned()))
        }
    }
}

impl fmt::Display for ClaimId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Two claims about one place, in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pair {
    first: ClaimId,
    second: ClaimId,
}

impl Pair {
    /// The two in either order.
    pub fn new(a: ClaimId, b: ClaimId) -> Self {
        if a <= b { Self { first: a, second: b } } else { Self { first: b, second: a } }
    }

    /// Both names, in order.
    pub fn claims(&self) -> [&ClaimId; 2] {
        [&self.first, &self.second]
    }
}

/// Whether one fix would settle both claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RulingAnswer {
    /// It would.
    Same,
    /// It would not.
    Different,
    /// Not decided; also every answer that broke the rules.
    Unsure,
}

/// Whether the code bears a claim out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExaminationAnswer {
    /// It does.
    Confirmed,
    /// A line of the code contradicts it.
    Refuted,
    /// Not decided; also every answer that broke the rules.
    Unsure,
}

impl RulingAnswer {
    /// Every answer.
    pub const ALL: [Self; 3] = [Self::Same, Self::Different, Self::Unsure];

    /// The word of prompt and tally.
    pub fn word(self) -> &'static str {
        match self {
            Self::Same => "SAME",
            Self::Different => "DIFFERENT",
            Self::Unsure => "UNSURE",
        }
    }
}

impl ExaminationAnswer {
    /// Every answer.
    pub const ALL: [Self; 3] = [Self::Confirmed, Self::Refuted, Self::Unsure];

    /// The word of prompt and tally.
    pub fn word(self) -> &'static str {
        match self {
            Self::Confirmed => "CONFIRMED",
            Self::Refuted => "REFUTED",
            Self::Unsure => "UNSURE",
        }
    }
}

/// How a judgement came about.
#[derive(Debug, Clone, PartialEq)]
pub struct Hearing {
    /// Who was asked.
    pub by: Seat,
    /// What became of the question. Its `bundle` names the question, its `reason` also says why an answer counts as UNSURE.
    pub outcome: Outcome,
    /// What the answer rests on, verbatim; empty when nothing was quoted.
    pub quote: String,
    /// Whether the quote stands in what was shown.
    pub quote_found: bool,
    /// The answer's one sentence.
    pub why: String,
}

/// An adjudicator's answer about two claims.
#[derive(Debug, Clone, PartialEq)]
pub struct Ruling {
    /// Which claims.
    pub pair: Pair,
    /// What came out.
    pub answer: RulingAnswer,
    /// How.
    pub hearing: Hearing,
}

/// The answer of a reviewer of another lineage about one claim.
#[derive(Debug, Clone, PartialEq)]
pub struct Examination {
    /// Which claim.
    pub claim: ClaimId,
    /// What came out.
    pub answer: ExaminationAnswer,
    /// How.
    pub hearing: Hearing,
}

/// A claim that should have been examined and could not be put to anybody.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unexamined {
    /// Which claim.
    pub claim: ClaimId,
    /// Why, for people.
    pub reason: String,
}

/// One of them, as it is asked for, saved and read back.
#[derive(Debug, Clone, PartialEq)]
pub enum Judgement {
    /// On two claims.
    Ruling(Ruling),
    /// Of one claim.
    Examination(Examination),
    /// Of no use to ask.
    Unexamined(Unexamined),
}

impl Judgement {
    /// How it came about; `None` when nobody was asked.
    pub fn hearing(&self) -> Option<&Hearing> {
        match self {
            Self::Ruling(ruling) => Some(&ruling.hearing),
            Self::Examination(examination) => Some(&examination.hearing),
            Self::Unexamined(_) => None,
        }
    }
}

/// All judgements of a run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Judgements {
    /// By adjudicators.
    pub rulings: Vec<Ruling>,
    /// By other lineages.
    pub examinations: Vec<Examination>,
    /// By nobody.
    pub unexamined: Vec<Unexamined>,
}

impl Judgements {
    /// Takes `judgement` in, in place of an earlier one on the same claims.
    pub fn put(&mut self, judgement: Judgement) {
        match judgement {
            Judgement::Ruling(ruling) => {
                self.rulings.retain(|earlier| earlier.pair != ruling.pair);
                self.rulings.push(ruling);
            }
            Judgement::Examination(examination) => {
                self.forget(&examination.claim);
                self.examinations.push(examination);
            }
            Judgement::Unexamined(unexamined) => {
                self.forget(&unexamined.claim);
                self.unexamined.push(unexamined);
            }
        }
    }

    fn forget(&mut self, claim: &ClaimId) {
        self.examinations.retain(|earlier| earlier.claim != *claim);
        self.unexamined.retain(|earlier| earlier.claim != *claim);
    }

    /// How every question went that was put to somebody.
    pub fn hearings(&self) -> impl Iterator<Item = &Hearing> {
        let rulings = self.rulings.iter().map(|one| &one.hearing);
        rulings.chain(self.examinations.iter().map(|one| &one.hearing))
    }
}

impl Hearing {
    /// Whether a reply came that could be read, whatever it says.
    pub fn is_answered(&self) -> bool {
        self.outcome.state == State::Answered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_know_words_and_places_but_no_blanks() {
        let name = |path, code, what| ClaimId::of(path, code, what, "because");
        let claim = name("a.rs", "  let n = 0;", "It  leaks.\n");
        assert_eq!(claim, name("a.rs", "let n = 0;", "It leaks."));
        for other in [name("b.rs", "let n = 0;", "It leaks."), name("a.rs", "let n = 1;", "It leaks.")] {
            assert_ne!(claim, other);
        }
        assert_ne!(ClaimId::of("a", "b", "c d", "e"), ClaimId::of("a", "b", "c", "d e"));
        assert_eq!(ClaimId::parse(&claim.to_string()), Ok(claim));
        assert!(ClaimId::parse("../../etc/passwd").is_err());
    }

    #[test]
    fn a_pair_has_no_order() {
        let [a, b] = ["one", "two"].map(|what| ClaimId::of("a.rs", "", what, ""));
        assert_eq!(Pair::new(a.clone(), b.clone()), Pair::new(b, a));
    }
}
