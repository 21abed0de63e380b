//! Puts findings to other reviewers: an adjudicator decides on pairs of claims, other lineages examine single BLOCKs.
//!
//! [`Judging::next`] finds what is open in a tally, as a [`Round`] of questions; [`Judging::ask`] puts them with the same
//! executor as a review. What is answered in the run or in the cache is not asked. Nothing is concluded here: the
//! judgements become part of the tally's input.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use tokio_util::sync::CancellationToken;

use super::{
    bounds::Bounds,
    event::EventSender,
    executor::{Pace, Work, execute},
    plan::Task,
    recall::{self, identity},
    respondent::Respondent,
};
use crate::{
    coverage::{Outcome, State},
    digest,
    judge::{self, ExaminationCase, RulingCase},
    judgement::{Judgement, Unexamined},
    prompt::{Prompt, TemplateError, Templates},
    provider::Question,
    reviewer::{Reviewer, Seat},
    store::{Cache, RunDir, StoreError},
    tally::{Input, tally},
};

/// Most questions of one command: a bound on what hostile replies can make it cost.
pub const MOST_QUESTIONS: usize = 200;

/// Who judges, and where it is kept.
pub struct Judging<'a> {
    /// The run's folders.
    pub dir: &'a RunDir,
    /// Answers of other runs.
    pub cache: Cache,
    /// The texts of the questions.
    pub templates: &'a Templates,
    /// The run's nonce.
    pub nonce: Arc<str>,
    /// Who decides on pairs of claims; `None`: nobody.
    pub adjudicator: Option<Adjudicator>,
    /// Who examines BLOCKs of other lineages; `None`: nobody.
    pub examiners: Option<&'a [Respondent]>,
    /// How hard to push.
    pub pace: Pace,
    /// Names of the questions looked at so far.
    pub asked: BTreeSet<String>,
    /// How many of them were put to somebody.
    pub questions: usize,
}

/// Who decides on pairs of claims.
pub struct Adjudicator {
    /// Who.
    pub seat: Seat,
    /// The way to ask it, or why it cannot be asked.
    pub respondent: Result<Respondent, String>,
}

/// What keeps a round from being made.
#[derive(Debug, thiserror::Error)]
pub enum JudgingError {
    /// A question's text.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The disk.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Questions to be asked, and judgements that need no asking.
#[derive(Default)]
pub struct Round {
    /// From the cache, and about claims that cannot be put to anybody; saved.
    pub known: Vec<Judgement>,
    posed: BTreeMap<String, Posed>,
    questions: Vec<Arc<Question>>,
    respondents: Vec<Respondent>,
    tasks: Vec<Task>,
    again: bool,
    forgotten: Option<StoreError>,
}

/// What came of asking.
pub struct Heard {
    /// One a question.
    pub judgements: Vec<Judgement>,
    /// The first that could not be saved, if there is one.
    pub unsaved: Option<StoreError>,
    /// The first that could not be kept for other runs, or could not be noted as used, if there is one.
    pub forgotten: Option<StoreError>,
}

/// A question and how its reply is read.
struct Posed {
    case: Case,
    by: Seat,
    /// Its name in the cache; none for saved replies, which cost nothing.
    key: Option<String>,
}

enum Case {
    Ruling(RulingCase),
    Examination(ExaminationCase),
}

impl Round {
    /// How many questions are to be asked.
    pub fn requests(&self) -> usize {
        self.tasks.len()
    }

    /// Who is to be asked.
    pub fn respondents(&self) -> &[Respondent] {
        &self.respondents
    }
}

impl Judging<'_> {
    /// What is open in the tally of `input`: first pairs of claims, until no ruling opens another one, then BLOCKs.
    /// `None` when nothing is.
    pub fn next(&mut self, input: &Input) -> Result<Option<Round>, JudgingError> {
        let tally = tally(input.clone());
        let again = input.judgements.hearings().any(|hearing| !hearing.is_answered());
        let mut round = Round { again, ..Round::default() };
        if self.adjudicator.is_some() {
            for case in judge::unsettled(&tally) {
                self.add_ruling(case, &mut round)?;
            }
        }
        if let Some(examiners) = self.examiners.filter(|_| round.is_empty()) {
            let seats: Vec<Seat> = examiners.iter().map(|one| Seat::from(&one.reviewer)).collect();
            for case in judge::alone(&tally) {
                self.add_examination(case, &seats, &mut round)?;
            }
        }
        Ok((!round.is_empty()).then_some(round))
    }

    fn add_ruling(&mut self, case: RulingCase, round: &mut Round) -> Result<(), JudgingError> {
        let id = case.id();
        let Some(Adjudicator { seat, respondent }) = &self.adjudicator else { return Ok(()) };
        if !self.asked.insert(id.clone()) {
            return Ok(());
        }
        let respondent = match respondent {
            Ok(_) if self.questions >= MOST_QUESTIONS => Err(too_many()),
            other => other.as_ref().map_err(Clone::clone),
        };
        match respondent {
            Ok(respondent) => {
                let respondent = respondent.clone();
                self.questions += 1;
                let prompts = |nonce: &str| case.prompt(self.templates, nonce);
                let prompts = (prompts("")?, prompts(&self.nonce)?);
                self.pose(Case::Ruling(case), &id, prompts, &respondent, round)?;
            }
            Err(reason) => {
                let skipped = Outcome::new(id.clone(), seat.id.clone(), State::Skipped);
                let skipped = Outcome { reason: Some(reason), ..skipped };
                let (ruling, _) = judge::ruling(&case, seat.clone(), skipped, None);
                self.know(Judgement::Ruling(ruling), None, round)?;
            }
        }
        Ok(())
    }

    fn add_examination(
        &mut self,
        case: ExaminationCase,
        seats: &[Seat],
        round: &mut Round,
    ) -> Result<(), JudgingError> {
        let id = case.id();
        if !self.asked.insert(id.clone()) {
            return Ok(());
        }
        let chosen = match judge::examiner(&case, seats) {
            Ok(_) if self.questions >= MOST_QUESTIONS => Err(too_many()),
            Ok(at) => Ok(&self.examiners.unwrap_or_default()[at]),
            Err(reason) => Err(reason.to_owned()),
        };
        match chosen {
            Ok(respondent) => {
                self.questions += 1;
                let prompts = |nonce: &str| case.prompt(self.templates, nonce);
                let prompts = (prompts("")?, prompts(&self.nonce)?);
                self.pose(Case::Examination(case), &id, prompts, respondent, round)?;
            }
            Err(reason) => {
                let unexamined = Unexamined { claim: case.subject.claim, reason };
                self.know(Judgement::Unexamined(unexamined), None, round)?;
            }
        }
        Ok(())
    }

    /// Takes the answer from the cache, or makes a task of the question. Of `prompts` the first has no nonce.
    fn pose(
        &self,
        case: Case,
        id: &str,
        prompts: (Prompt, Prompt),
        respondent: &Respondent,
        round: &mut Round,
    ) -> Result<(), JudgingError> {
        let (plain, prompt) = prompts;
        let by = Seat::from(&respondent.reviewer);
        let key = cache_key(&respondent.reviewer, &plain);
        let posed = Posed { case, by, key };
        let cached = posed.key.as_ref().and_then(|key| self.cache.reply(key, &self.nonce));
        let outcome = Outcome::new(id.to_owned(), posed.by.id.clone(), State::Answered);
        let outcome = Outcome { cached: true, cost_usd: Some(0.0), ..outcome };
        if let Some(kept) = cached
            && let (judgement, true) = posed.judged(outcome, Some(&kept.text))
        {
            let noted = self.cache.note(&recall::hits(&[kept.cost_usd]));
            round.forgotten = round.forgotten.take().or(noted.err());
            return self.know(judgement, Some(&kept.text), round);
        }
        let at = round.respondents.iter().position(|one| one.reviewer.id == posed.by.id);
        let reviewer = at.unwrap_or_else(|| {
            round.respondents.push(respondent.clone());
            round.respondents.len() - 1
        });
        round.tasks.push(Task { bundle: round.questions.len(), reviewer });
        round.posed.insert(id.to_owned(), posed);
        let bundle = Arc::new(judge::named(id.to_owned()));
        round.questions.push(Arc::new(Question { bundle, prompt, nonce: Arc::clone(&self.nonce) }));
        Ok(())
    }

    fn know(&self, judgement: Judgement, reply: Option<&str>, round: &mut Round) -> Result<(), JudgingError> {
        self.dir.save_judgement(&judgement, reply)?;
        round.known.push(judgement);
        Ok(())
    }

    /// Asks the questions of `round`. Each judgement is saved as its reply comes.
    pub async fn ask(
        &self,
        round: Round,
        bounds: &mut Bounds,
        events: &EventSender,
        cancel: &CancellationToken,
    ) -> Heard {
        let Round { known, posed, questions, respondents, tasks, again, forgotten } = round;
        let work = Work { tasks: &tasks, questions: &questions, respondents: &respondents, again };
        let posed = Arc::new(posed);
        let kept = Arc::new(Mutex::new(Kept::default()));
        let save = self.saver(Arc::clone(&posed), Arc::clone(&kept));
        let outcomes = execute(work, self.pace, bounds, events, cancel, Arc::new(save)).await;
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        let judgements = outcomes.into_iter().filter_map(|outcome| {
            let saved = kept.judgements.remove(&outcome.bundle);
            saved.or_else(|| Some(posed.get(&outcome.bundle)?.judged(outcome, None).0))
        });
        let judgements = known.into_iter().chain(judgements).collect();
        Heard { judgements, unsaved: kept.unsaved.take(), forgotten: forgotten.or(kept.forgotten.take()) }
    }

    /// Judges a reply, writes it down, and keeps it for other runs when its answer kept the rules.
    fn saver(
        &self,
        posed: Arc<BTreeMap<String, Posed>>,
        kept: Arc<Mutex<Kept>>,
    ) -> impl Fn(&Outcome, Option<&str>) -> Result<(), String> + Send + Sync + use<> {
        let (dir, cache, nonce) = (self.dir.clone(), self.cache.clone(), Arc::clone(&self.nonce));
        move |outcome, reply| {
            let Some(posed) = posed.get(&outcome.bundle) else { return Ok(()) };
            let (judgement, usable) = posed.judged(outcome.clone(), reply);
            let saved = dir.save_judgement(&judgement, reply);
            let remembered = match (&posed.key, reply) {
                // What a stand-in said is not what the reviewer would have said.
                (Some(key), Some(reply)) if usable && outcome.answered_by.is_none() => {
                    cache.keep(key, &nonce, outcome, reply)
                }
                _ => Ok(()),
            };
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.forgotten = kept.forgotten.take().or(remembered.err());
            match saved {
                Ok(()) => {
                    kept.judgements.insert(outcome.bundle.clone(), judgement);
                    Ok(())
                }
                Err(error) => {
                    let words = error.to_string();
                    kept.unsaved.get_or_insert(error);
                    Err(words)
                }
            }
        }
    }
}

fn too_many() -> String {
    format!("more than {MOST_QUESTIONS} questions about claims")
}

impl Round {
    fn is_empty(&self) -> bool {
        self.tasks.is_empty() && self.known.is_empty()
    }
}

impl Posed {
    /// The judgement, and whether its answer kept the rules.
    fn judged(&self, outcome: Outcome, reply: Option<&str>) -> (Judgement, bool) {
        match &self.case {
            Case::Ruling(case) => {
                let (ruling, kept) = judge::ruling(case, self.by.clone(), outcome, reply);
                (Judgement::Ruling(ruling), kept)
            }
            Case::Examination(case) => {
                let (examination, kept) = judge::examination(case, self.by.clone(), outcome, reply);
                (Judgement::Examination(examination), kept)
            }
        }
    }
}

/// What the saver leaves.
#[derive(Default)]
struct Kept {
    judgements: BTreeMap<String, Judgement>,
    unsaved: Option<StoreError>,
    forgotten: Option<StoreError>,
}

/// A digest of the question without its nonce and of who is asked.
fn cache_key(reviewer: &Reviewer, plain: &Prompt) -> Option<String> {
    let identity = identity(reviewer)?;
    let parts = [identity.as_bytes(), &[0], plain.system.as_bytes(), &[0], plain.user.as_bytes()];
    Some(digest::sha256(&parts))
}
