//! What judgements do to a tally: [`Rulings`] decide pairs of claims, the rest is only shown with the issues.
//!
//! No judgement adds a finding, a reviewer or a lineage to an issue.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{Issue, claim::Sameness, cluster::Note};
use crate::judgement::{ClaimId, ExaminationAnswer, Judgements, Pair, Ruling, RulingAnswer};

/// What adjudicators decided, by pair of claims. Pairs on which they contradict one another are not decided.
#[derive(Debug, Default)]
pub(super) struct Rulings(HashMap<Pair, Option<Sameness>>);

impl Rulings {
    pub(super) fn new(rulings: &[Ruling]) -> Self {
        let mut decided: HashMap<Pair, Option<Sameness>> = HashMap::new();
        for Ruling { pair, answer, .. } in rulings {
            let sameness = match answer {
                RulingAnswer::Same => Sameness::Same,
                RulingAnswer::Different => Sameness::Different,
                RulingAnswer::Unsure => continue,
            };
            let known = decided.entry(pair.clone()).or_insert(Some(sameness));
            *known = known.filter(|earlier| *earlier == sameness);
        }
        Self(decided)
    }

    /// Gives the notes the names they are looked up by, if anything is to be looked up.
    pub(super) fn name(&self, notes: &mut [Note]) {
        for note in notes.iter_mut().filter(|_| !self.0.is_empty()) {
            note.id = Some(note.member.claim_id());
        }
    }

    /// Whether two notes say the same: as ruled, else by their words.
    pub(super) fn compare(&self, a: &Note, b: &Note) -> Sameness {
        self.ruled(a, b).unwrap_or_else(|| a.claim.compare(&b.claim))
    }

    /// What was ruled of two notes, without contradiction.
    pub(super) fn ruled(&self, a: &Note, b: &Note) -> Option<Sameness> {
        self.0.get(&pair(a, b)?).copied().flatten()
    }
}

/// The two claims by name, where rulings are at hand.
pub(super) fn pair(a: &Note, b: &Note) -> Option<Pair> {
    Some(Pair::new(a.id.clone()?, b.id.clone()?))
}

/// Puts every judgement to the issues that hold one of its claims and still stand.
pub(super) fn attach(judgements: &Judgements, issues: &mut [Issue]) {
    if *judgements == Judgements::default() {
        return;
    }
    let mut by_claim: BTreeMap<ClaimId, BTreeSet<usize>> = BTreeMap::new();
    for (at, issue) in issues.iter().enumerate() {
        for member in issue.members.iter().filter(|member| !member.anchored.finding.retracted) {
            by_claim.entry(member.claim_id()).or_default().insert(at);
        }
    }
    let holding = |claim: &ClaimId| by_claim.get(claim).into_iter().flatten().copied();
    for ruling in &judgements.rulings {
        let at: BTreeSet<usize> = ruling.pair.claims().into_iter().flat_map(holding).collect();
        for at in at {
            issues[at].adjudications.push(ruling.clone());
        }
    }
    for examination in &judgements.examinations {
        holding(&examination.claim).for_each(|at| issues[at].examinations.push(examination.clone()));
    }
    for unexamined in &judgements.unexamined {
        holding(&unexamined.claim).for_each(|at| issues[at].unexamined.push(unexamined.clone()));
    }
}

/// Puts the lists in one order, whatever order they came in.
pub(super) fn sort(judgements: &mut Judgements) {
    let Judgements { rulings, examinations, unexamined } = judgements;
    rulings.sort_by_cached_key(|one| format!("{one:?}"));
    rulings.dedup();
    examinations.sort_by_cached_key(|one| format!("{one:?}"));
    examinations.dedup();
    unexamined.sort();
    unexamined.dedup();
}

impl Issue {
    /// Whether every claim that stands in it was refuted, none of them confirmed, and no human has decided. A refuted issue
    /// is shown folded; it counts like any other.
    pub fn is_refuted(&self) -> bool {
        let mut standing = self.members.iter().filter(|member| !member.anchored.finding.retracted);
        let refuted = |claim: &ClaimId| {
            let mut answers =
                self.examinations.iter().filter(|one| one.claim == *claim).map(|one| one.answer);
            let found = answers.clone().any(|answer| answer == ExaminationAnswer::Refuted);
            found && answers.all(|answer| answer != ExaminationAnswer::Confirmed)
        };
        !self.examinations.is_empty()
            && self.disposition.is_none()
            && self.convergence() == 1
            && standing.all(|member| refuted(&member.claim_id()))
    }
}
