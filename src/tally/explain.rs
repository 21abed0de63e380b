//! Why findings are one issue and others are not: [`explain`].
//!
//! It puts the tally's findings together once more, with the code that made the issues, which remembers the rule that brought each
//! finding in. Nothing is decided here. Words are `report::explain`'s.

use super::{
    Evidence, Issue, Member, Sameness, Tally,
    cluster::{Cluster, Link, MOST_COMPARED, Nearness, Note, compared, elsewhere, seat},
    evidence, issues,
    judged::{Rulings, pair},
};
use crate::{
    judgement::{Ruling, RulingAnswer},
    reviewer::ReviewerId,
};

/// Why an issue is one.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// For each member, in the issue's order, how it came in.
    pub joins: Vec<Join>,
    /// Why each issue of `see_also` is another one.
    pub partings: Vec<Parting>,
}

/// How a member came into its issue. Numbers are positions among the issue's members.
#[derive(Debug, Clone, PartialEq)]
pub struct Join {
    /// The rule.
    pub rule: Rule,
    /// An earlier member of the same lineage: together they count once.
    pub counts_with: Option<usize>,
}

/// What makes two claims the same or not.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The answer that counts.
    pub answer: Sameness,
    /// What the words say.
    pub evidence: Evidence,
    /// The adjudicator's ruling that goes before the words.
    pub ruling: Option<Ruling>,
}

/// The rule that brought a member in.
#[derive(Debug, Clone, PartialEq)]
pub enum Rule {
    /// It comes first by place and text; the others were held against it.
    First,
    /// It stands near the member `to` and says the same as the member `same_as`.
    Claim {
        /// What its place was held against.
        to: usize,
        /// How near.
        nearness: Nearness,
        /// Who says the same.
        same_as: usize,
        /// Why it is the same.
        comparison: Comparison,
    },
    /// It meets the member `to`; whether they say the same is not settled.
    Place {
        /// What its place was held against.
        to: usize,
        /// How they meet.
        nearness: Nearness,
        /// What the claims have in common.
        comparison: Comparison,
    },
    /// It says the same as the member `same_as`, where it or the member `to` names a further place.
    Further {
        /// The first of the cluster that took it in.
        to: usize,
        /// Who says the same.
        same_as: usize,
        /// Why it is the same.
        comparison: Comparison,
    },
    /// Its reviewer stands at the very same location with the member `with`: within one reviewer, one location is one entry.
    Location {
        /// The member there.
        with: usize,
    },
    /// It was taken back, and stands beside the member at its location that says the same, else beside its reviewer's own.
    TakenBack {
        /// The member there.
        beside: usize,
        /// Whether that one says the same.
        same: bool,
    },
}

/// Why a near issue is another one.
#[derive(Debug, Clone, PartialEq)]
pub struct Parting {
    /// Its id.
    pub issue: String,
    /// How near the first findings of the two stand; `None` when only a further place is near.
    pub nearness: Option<Nearness>,
    /// What kept them apart.
    pub because: Because,
    /// What the claims of their first findings have in common, or those that clearly differ.
    pub comparison: Comparison,
}

/// What keeps two near issues apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Because {
    /// The claims of their first findings clearly differ.
    ClaimsDiffer,
    /// This reviewer has something to say in both, at two locations.
    OneReviewer(ReviewerId),
    /// The first findings' claims do not, but those of two other members clearly differ.
    MembersDiffer,
    /// They are only near, and the claims do not settle that they are the same.
    OnlyNear,
    /// Only a place is shared, and one of them is agreed on by claim: such issues take in nothing by place.
    Settled,
    /// A finding joins one issue only: the one that it fits best at its turn.
    FitsAnother,
}

/// Explains an issue of `tally`; `None` for an issue of another one.
pub fn explain(tally: &Tally, issue: &Issue) -> Option<Explanation> {
    let members: Vec<Member> = tally.issues.iter().flat_map(|one| one.members.iter().cloned()).collect();
    let given = &tally.judgements.rulings;
    let judge = Judge { rulings: Rulings::new(given), given };
    let (clusters, ids) = issues::clusters(members, &judge.rulings);
    let own = &clusters[ids.iter().position(|id| *id == issue.id)?];
    let joins: Option<Vec<Join>> = (0..own.members.len()).map(|at| judge.join(&own.members, at)).collect();
    let parting = |at: &usize| judge.parting(own, &clusters[*at], &ids[*at]);
    Some(Explanation { joins: joins?, partings: own.neighbours.iter().map(parting).collect() })
}

/// Compares claims as the tally did.
struct Judge<'a> {
    rulings: Rulings,
    given: &'a [Ruling],
}

impl Judge<'_> {
    fn join(&self, members: &[Note], at: usize) -> Option<Join> {
        let counted = |note: &Note| !note.member.anchored.finding.retracted;
        let family = |note: &Note| counted(note) && note.member.lineage == members[at].member.lineage;
        let counts_with = members[..at].iter().position(family).filter(|_| counted(&members[at]));
        Some(Join { rule: self.rule(members, at)?, counts_with })
    }

    /// Reads what the note remembers; who said the same or stands at the same location is looked up as it was then.
    fn rule(&self, members: &[Note], at: usize) -> Option<Rule> {
        let note = &members[at];
        let to = at - note.back;
        let same_as = || {
            let same = |(_, other): &(usize, &Note)| self.rulings.compare(other, note) == Sameness::Same;
            let (found, other) = compared(&members[to..at]).find(same)?;
            Some((to + found, self.seen(other, note)))
        };
        Some(match note.link {
            Link::Opened => Rule::First,
            Link::Claim => {
                let (nearness, (same_as, comparison)) = (note.nearness(&members[to])?, same_as()?);
                Rule::Claim { to, nearness, same_as, comparison }
            }
            Link::Place => {
                let nearness = note.nearness(&members[to])?;
                Rule::Place { to, nearness, comparison: self.seen(&members[to], note) }
            }
            Link::Further => {
                let (same_as, comparison) = same_as()?;
                Rule::Further { to, same_as, comparison }
            }
            Link::Location => {
                let there = |other: &Note| seat(other) == seat(note);
                Rule::Location { with: members[..at].iter().position(there)? }
            }
            Link::TakenBack => taken_back(members, note)?,
        })
    }

    fn seen(&self, a: &Note, b: &Note) -> Comparison {
        let evidence = evidence(&a.member.anchored.finding, &b.member.anchored.finding);
        let answer = self.rulings.compare(a, b);
        let decides = |ruling: &&Ruling| {
            let says = match ruling.answer {
                RulingAnswer::Same => Some(Sameness::Same),
                RulingAnswer::Different => Some(Sameness::Different),
                RulingAnswer::Unsure => None,
            };
            says == Some(answer)
        };
        let pair = self.rulings.ruled(a, b).and_then(|_| pair(a, b));
        let ruling = pair.and_then(|pair| self.given.iter().filter(decides).find(|one| one.pair == pair));
        Comparison { answer, evidence, ruling: ruling.cloned() }
    }

    fn parting(&self, own: &Cluster, other: &Cluster, id: &str) -> Parting {
        let (a, b) = (&own.members[0], &other.members[0]);
        let one_file = a.member.anchored.path == b.member.anchored.path;
        let (nearness, firsts) = (a.nearness(b).filter(|_| one_file), self.seen(a, b));
        let in_both = other.members.iter().find(|note| elsewhere(&own.members, note));
        let differing = || {
            let ours = compared(&own.members).map(|(_, note)| note);
            let mut pairs = ours.flat_map(|a| compared(&other.members).map(move |(_, b)| (a, b)));
            pairs.find(|(a, b)| self.rulings.compare(a, b) == Sameness::Different)
        };
        let meets = nearness.is_some_and(Nearness::meets);
        let (because, comparison) = if firsts.answer == Sameness::Different {
            (Because::ClaimsDiffer, firsts)
        } else if let Some(note) = in_both {
            (Because::OneReviewer(note.member.reviewer.clone()), firsts)
        } else if let Some((a, b)) = differing() {
            (Because::MembersDiffer, self.seen(a, b))
        } else if firsts.answer == Sameness::Unclear && !meets {
            (Because::OnlyNear, firsts)
        } else if firsts.answer == Sameness::Unclear && (own.is_by_claim() || other.is_by_claim()) {
            (Because::Settled, firsts)
        } else {
            (Because::FitsAnother, firsts)
        };
        Parting { issue: id.to_owned(), nearness, because, comparison }
    }
}

fn taken_back(members: &[Note], note: &Note) -> Option<Rule> {
    let here = |other: &Note| other.same_location(note) && !other.member.anchored.finding.retracted;
    let same = |other: &Note| here(other) && other.says_the_same(note);
    let own = |other: &Note| here(other) && other.member.reviewer == note.member.reviewer;
    let says_same = members.iter().take(MOST_COMPARED).position(same);
    let beside = says_same.or_else(|| members.iter().position(own))?;
    Some(Rule::TakenBack { beside, same: says_same.is_some() })
}
