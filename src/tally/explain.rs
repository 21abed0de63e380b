//! Why findings are one issue and others are not: [`explain`].
//!
//! It puts the tally's findings together once more, with the code that made the issues, which remembers the rule that brought each
//! finding in. Nothing is decided here. Words are `report::explain`'s.

use super::{
    Evidence, Issue, Member, Sameness, Tally,
    cluster::{Cluster, Link, MOST_COMPARED, Nearness, Note, elsewhere, seat},
    evidence, issues,
};
use crate::reviewer::ReviewerId;

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
        evidence: Evidence,
    },
    /// It meets the member `to`; whether they say the same is not settled.
    Place {
        /// What its place was held against.
        to: usize,
        /// How they meet.
        nearness: Nearness,
        /// What the claims have in common.
        evidence: Evidence,
    },
    /// It says the same as the member `same_as`, where it or the member `to` names a further place.
    Further {
        /// The first of the cluster that took it in.
        to: usize,
        /// Who says the same.
        same_as: usize,
        /// Why it is the same.
        evidence: Evidence,
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
    pub evidence: Evidence,
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
    let (clusters, ids) = issues::clusters(members);
    let own = &clusters[ids.iter().position(|id| *id == issue.id)?];
    let joins: Option<Vec<Join>> = (0..own.members.len()).map(|at| join(&own.members, at)).collect();
    let parting = |at: &usize| parting(own, &clusters[*at], &ids[*at]);
    Some(Explanation { joins: joins?, partings: own.neighbours.iter().map(parting).collect() })
}

fn join(members: &[Note], at: usize) -> Option<Join> {
    let counted = |note: &Note| !note.member.anchored.finding.retracted;
    let family = |note: &Note| counted(note) && note.member.lineage == members[at].member.lineage;
    let counts_with = members[..at].iter().position(family).filter(|_| counted(&members[at]));
    Some(Join { rule: rule(members, at)?, counts_with })
}

/// Reads what the note remembers; who said the same or stands at the same location is looked up as it was then.
fn rule(members: &[Note], at: usize) -> Option<Rule> {
    let note = &members[at];
    let to = at - note.back;
    let same = |from: usize| {
        let mut compared = members[from..at].iter().take(MOST_COMPARED);
        compared.position(|other| other.says_the_same(note)).map(|found| from + found)
    };
    Some(match note.link {
        Link::Opened => Rule::First,
        Link::Claim => {
            let (nearness, same_as) = (note.nearness(&members[to])?, same(to)?);
            Rule::Claim { to, nearness, same_as, evidence: seen(&members[same_as], note) }
        }
        Link::Place => {
            let nearness = note.nearness(&members[to])?;
            Rule::Place { to, nearness, evidence: seen(&members[to], note) }
        }
        Link::Further => {
            let same_as = same(to)?;
            Rule::Further { to, same_as, evidence: seen(&members[same_as], note) }
        }
        Link::Location => {
            let there = |other: &Note| seat(other) == seat(note);
            Rule::Location { with: members[..at].iter().position(there)? }
        }
        Link::TakenBack => {
            let here = |other: &Note| other.same_location(note) && !other.member.anchored.finding.retracted;
            let same = |other: &Note| here(other) && other.says_the_same(note);
            let own = |other: &Note| here(other) && other.member.reviewer == note.member.reviewer;
            let says_same = members.iter().take(MOST_COMPARED).position(same);
            let beside = says_same.or_else(|| members.iter().position(own))?;
            Rule::TakenBack { beside, same: says_same.is_some() }
        }
    })
}

fn seen(a: &Note, b: &Note) -> Evidence {
    evidence(&a.member.anchored.finding, &b.member.anchored.finding)
}

fn parting(own: &Cluster, other: &Cluster, id: &str) -> Parting {
    let (a, b) = (&own.members[0], &other.members[0]);
    let (nearness, firsts) = (a.nearness(b), seen(a, b));
    let in_both = other.members.iter().find(|note| elsewhere(&own.members, note));
    let differing = || {
        let ours = own.members.iter().take(MOST_COMPARED);
        let mut pairs = ours.flat_map(|a| other.members.iter().take(MOST_COMPARED).map(move |b| (a, b)));
        pairs.find(|(a, b)| a.claim.compare(&b.claim) == Sameness::Different)
    };
    let meets = nearness.is_some_and(Nearness::meets);
    let (because, evidence) = if firsts.answer == Sameness::Different {
        (Because::ClaimsDiffer, firsts)
    } else if let Some(note) = in_both {
        (Because::OneReviewer(note.member.reviewer.clone()), firsts)
    } else if let Some((a, b)) = differing() {
        (Because::MembersDiffer, seen(a, b))
    } else if firsts.answer == Sameness::Unclear && !meets {
        (Because::OnlyNear, firsts)
    } else if firsts.answer == Sameness::Unclear && (own.is_by_claim() || other.is_by_claim()) {
        (Because::Settled, firsts)
    } else {
        (Because::FitsAnother, firsts)
    };
    Parting { issue: id.to_owned(), nearness, because, evidence }
}
