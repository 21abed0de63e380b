//! Judgements on disk: a [`JudgementRecord`] is a line of a run's `judgements.jsonl`.
//!
//! The replies themselves stand in the run's `judgements/`, for people: apart from `replies/`, which hold reviews only.

use serde::{Deserialize, Serialize};

use super::{
    RunDir, StoreError, append_line, create_folder, damaged, lines,
    record::{OutcomeRecord, RecordError, SeatRecord, by_word},
    to_json, write,
};
use crate::{
    judgement::{
        ClaimId, Examination, ExaminationAnswer, Hearing, Judgement, Judgements, Pair, Ruling, RulingAnswer,
        Unexamined,
    },
    reviewer::Seat,
};

/// One judgement.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct JudgementRecord {
    /// `ruling`, `examination` or `unexamined`.
    kind: String,
    /// One claim or, for a ruling, two.
    claims: Vec<String>,
    /// The word of the answer; none for `unexamined`.
    answer: Option<String>,
    /// Why nobody was asked; only for `unexamined`.
    reason: Option<String>,
    hearing: Option<HearingRecord>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct HearingRecord {
    by: SeatRecord,
    outcome: OutcomeRecord,
    quote: String,
    quote_found: bool,
    why: String,
}

impl From<&Judgement> for JudgementRecord {
    fn from(judgement: &Judgement) -> Self {
        match judgement {
            Judgement::Ruling(Ruling { pair, answer, hearing }) => {
                Self::given("ruling", &pair.claims(), answer.word(), hearing)
            }
            Judgement::Examination(Examination { claim, answer, hearing }) => {
                Self::given("examination", &[claim], answer.word(), hearing)
            }
            Judgement::Unexamined(Unexamined { claim, reason }) => Self {
                kind: "unexamined".to_owned(),
                claims: vec![claim.to_string()],
                answer: None,
                reason: Some(reason.clone()),
                hearing: None,
            },
        }
    }
}

impl JudgementRecord {
    fn given(kind: &str, claims: &[&ClaimId], answer: &str, hearing: &Hearing) -> Self {
        Self {
            kind: kind.to_owned(),
            claims: claims.iter().map(ToString::to_string).collect(),
            answer: Some(answer.to_owned()),
            reason: None,
            hearing: Some(HearingRecord {
                by: (&hearing.by).into(),
                outcome: (&hearing.outcome).into(),
                quote: hearing.quote.clone(),
                quote_found: hearing.quote_found,
                why: hearing.why.clone(),
            }),
        }
    }

    /// The core's form.
    fn judgement(self) -> Result<Judgement, RecordError> {
        let Self { kind, claims, answer, reason, hearing } = self;
        let claims = claims.iter().map(|name| ClaimId::parse(name)).collect::<Result<Vec<_>, _>>()?;
        let answer = answer.unwrap_or_default();
        let unknown = || RecordError::Word { what: "kind of judgement", word: kind.clone() };
        Ok(match (kind.as_str(), claims.as_slice(), hearing) {
            ("ruling", [first, second], Some(hearing)) => Judgement::Ruling(Ruling {
                pair: Pair::new(first.clone(), second.clone()),
                answer: by_word("ruling", &answer, &RulingAnswer::ALL, RulingAnswer::word)?,
                hearing: hearing.hearing()?,
            }),
            ("examination", [claim], Some(hearing)) => Judgement::Examination(Examination {
                claim: claim.clone(),
                answer: by_word("examination", &answer, &ExaminationAnswer::ALL, ExaminationAnswer::word)?,
                hearing: hearing.hearing()?,
            }),
            ("unexamined", [claim], None) => {
                Judgement::Unexamined(Unexamined { claim: claim.clone(), reason: reason.unwrap_or_default() })
            }
            _ => return Err(unknown()),
        })
    }
}

impl HearingRecord {
    fn hearing(self) -> Result<Hearing, RecordError> {
        let Self { by, outcome, quote, quote_found, why } = self;
        let by: Seat = by.seat()?;
        Ok(Hearing { by, outcome: outcome.outcome()?, quote, quote_found, why })
    }
}

impl RunDir {
    /// Saves a judgement, its reply first.
    pub fn save_judgement(&self, judgement: &Judgement, reply: Option<&str>) -> Result<(), StoreError> {
        let hearing = judgement.hearing();
        if let Some((hearing, reply)) = hearing.zip(reply) {
            let folder = self.review.join("judgements");
            create_folder(&folder)?;
            let name = format!("{}__{}.md", hearing.outcome.bundle, hearing.outcome.reviewer);
            write(&folder.join(name), reply.as_bytes())?;
        }
        let path = self.review.join("judgements.jsonl");
        append_line(&path, &to_json(&path, &JudgementRecord::from(judgement))?)
    }

    /// The run's judgements. Of several about the same claims the last counts.
    pub(super) fn load_judgements(&self) -> Result<Judgements, StoreError> {
        let mut judgements = Judgements::default();
        self.judgement_lines()?.into_iter().for_each(|judgement| judgements.put(judgement));
        Ok(judgements)
    }

    /// Every judgement, in the order in which they were saved.
    pub(super) fn judgement_lines(&self) -> Result<Vec<Judgement>, StoreError> {
        let path = self.review.join("judgements.jsonl");
        let mut judgements = Vec::new();
        for line in lines(&path)? {
            // A line torn by a full disk is a judgement that is not known.
            let Ok(record) = serde_json::from_str::<JudgementRecord>(&line) else { continue };
            judgements.push(record.judgement().map_err(damaged(&path))?);
        }
        Ok(judgements)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        coverage::{Outcome, State},
        reviewer::{Lineage, ReviewerId},
    };

    fn hearing(state: State) -> Hearing {
        let id = ReviewerId::new("kimi").unwrap();
        let by = Seat {
            id: id.clone(),
            provider: "openai".to_owned(),
            model: "moonshotai/kimi-k2".to_owned(),
            lineage: Lineage::new("moonshot"),
        };
        let outcome = Outcome::new("ruling_0123456789ab".to_owned(), id, state);
        Hearing {
            by,
            outcome,
            quote: "let n = 0;".to_owned(),
            quote_found: true,
            why: "One\nfix.".to_owned(),
        }
    }

    #[test]
    fn what_is_saved_is_read_back_and_the_last_counts() {
        let folder = tempfile::tempdir().unwrap();
        let dir = RunDir { id: "r".into(), bundles: folder.path().into(), review: folder.path().into() };
        let [a, b, c] = ["a", "b", "c"].map(|what| ClaimId::of("a.rs", "", what, ""));
        let pair = Pair::new(a.clone(), b);
        let ruling =
            |state, answer| Judgement::Ruling(Ruling { pair: pair.clone(), answer, hearing: hearing(state) });
        let answer = ExaminationAnswer::Refuted;
        let examination = Examination { claim: a, answer, hearing: hearing(State::Answered) };
        let unexamined = Unexamined { claim: c, reason: "nobody".to_owned() };
        dir.save_judgement(&ruling(State::TimedOut, RulingAnswer::Unsure), None).unwrap();
        std::fs::write(folder.path().join("judgements.jsonl"), "{\"kind\":\"rul").unwrap();
        for judgement in [
            ruling(State::TimedOut, RulingAnswer::Unsure),
            Judgement::Examination(examination.clone()),
            ruling(State::Answered, RulingAnswer::Same),
            Judgement::Unexamined(unexamined.clone()),
        ] {
            dir.save_judgement(&judgement, Some("ANSWER: SAME")).unwrap();
        }
        let Judgement::Ruling(last) = ruling(State::Answered, RulingAnswer::Same) else { panic!() };
        let expect =
            Judgements { rulings: vec![last], examinations: vec![examination], unexamined: vec![unexamined] };
        assert_eq!(dir.load_judgements().unwrap(), expect);
        assert!(folder.path().join("judgements/ruling_0123456789ab__kimi.md").is_file());
    }
}
