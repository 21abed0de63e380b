//! An explanation for machines: [`render`], schema `scrum.explanation/1`.

use serde::Serialize;

use crate::{
    judgement::{ClaimId, Unexamined},
    report::{explain::holders, json, wire},
    reviewer::Lineage,
    tally::{
        Issue, Member, Nearness, Sameness, Tally,
        explain::{Because, Comparison, Explanation, Join, Parting, Rule},
    },
};

#[derive(Debug, Serialize)]
struct Document<'a> {
    schema: &'static str,
    run: &'a str,
    issue: &'a str,
    agreement: &'static str,
    convergence: usize,
    lineages: Vec<&'a str>,
    members: Vec<JoinEntry<'a>>,
    /// Left out when nobody was asked, as the next two.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    adjudications: Vec<AskedEntry>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    examinations: Vec<AskedEntry>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_examined: Vec<LeftEntry<'a>>,
    see_also: Vec<PartingEntry<'a>>,
}

/// Numbers are positions in `members`, from 0.
#[derive(Debug, Serialize)]
struct JoinEntry<'a> {
    reviewer: &'a str,
    lineage: &'a str,
    what: &'a str,
    /// `first`, `claim`, `place`, `further-place`, `same-location`, `taken-back`.
    rule: &'static str,
    held_against: Option<usize>,
    nearness: Option<&'static str>,
    lines_apart: Option<u32>,
    same_as: Option<usize>,
    evidence: Option<EvidenceEntry<'a>>,
    counts_with: Option<usize>,
}

/// An answer about claims of the members in `about`.
#[derive(Debug, Serialize)]
struct AskedEntry {
    about: Vec<usize>,
    #[serde(flatten)]
    judgement: wire::Judgement,
}

/// Claims that could not be put to anybody.
#[derive(Debug, Serialize)]
struct LeftEntry<'a> {
    about: Vec<usize>,
    reason: &'a str,
}

#[derive(Debug, Serialize)]
struct PartingEntry<'a> {
    issue: &'a str,
    nearness: Option<&'static str>,
    lines_apart: Option<u32>,
    because: &'static str,
    evidence: EvidenceEntry<'a>,
}

#[derive(Debug, Serialize)]
struct EvidenceEntry<'a> {
    /// `same`, `unclear`, `different`: as ruled, else by the words.
    answer: &'static str,
    /// The adjudicator whose ruling goes before the words.
    ruled_by: Option<&'a str>,
    least: f32,
    most: f32,
    bound: f32,
    telling: [usize; 2],
    shared: &'a [String],
}

/// As JSON (`scrum.explanation/1`), with a final newline.
pub fn render(tally: &Tally, issue: &Issue, explanation: &Explanation) -> String {
    let members = issue.members.iter().zip(&explanation.joins);
    json::pretty(&Document {
        schema: "scrum.explanation/1",
        run: &tally.run.id,
        issue: &issue.id,
        agreement: issue.agreement.word(),
        convergence: issue.convergence(),
        lineages: issue.lineages.iter().map(Lineage::as_str).collect(),
        members: members.map(|(member, join)| join_entry(member, join)).collect(),
        adjudications: asked(
            issue,
            issue.adjudications.iter().map(|one| (one.pair.claims().to_vec(), json::adjudication(one))),
        ),
        examinations: asked(
            issue,
            issue.examinations.iter().map(|one| (vec![&one.claim], json::examination(one))),
        ),
        not_examined: issue.unexamined.iter().map(|one| left(issue, one)).collect(),
        see_also: explanation.partings.iter().map(parting_entry).collect(),
    })
}

fn asked<'a>(
    issue: &Issue,
    answers: impl Iterator<Item = (Vec<&'a ClaimId>, wire::Judgement)>,
) -> Vec<AskedEntry> {
    answers.map(|(claims, judgement)| AskedEntry { about: holders(issue, &claims), judgement }).collect()
}

fn left<'a>(issue: &Issue, one: &'a Unexamined) -> LeftEntry<'a> {
    LeftEntry { about: holders(issue, &[&one.claim]), reason: &one.reason }
}

fn join_entry<'a>(member: &'a Member, join: &'a Join) -> JoinEntry<'a> {
    let (rule, held_against, nearness, same_as, comparison) = match &join.rule {
        Rule::First => ("first", None, None, None, None),
        Rule::Claim { to, nearness, same_as, comparison } => {
            ("claim", Some(*to), Some(*nearness), Some(*same_as), Some(comparison))
        }
        Rule::Place { to, nearness, comparison } => {
            ("place", Some(*to), Some(*nearness), None, Some(comparison))
        }
        Rule::Further { to, same_as, comparison } => {
            ("further-place", Some(*to), None, Some(*same_as), Some(comparison))
        }
        Rule::Location { with } => ("same-location", Some(*with), None, None, None),
        Rule::TakenBack { beside, same } => {
            ("taken-back", Some(*beside), None, same.then_some(*beside), None)
        }
    };
    JoinEntry {
        reviewer: member.reviewer.as_str(),
        lineage: member.lineage.as_str(),
        what: &member.anchored.finding.what,
        rule,
        held_against,
        nearness: nearness.map(nearness_word),
        lines_apart: nearness.and_then(lines_apart),
        same_as,
        evidence: comparison.map(evidence_entry),
        counts_with: join.counts_with,
    }
}

fn parting_entry(parting: &Parting) -> PartingEntry<'_> {
    PartingEntry {
        issue: &parting.issue,
        nearness: parting.nearness.map(nearness_word),
        lines_apart: parting.nearness.and_then(lines_apart),
        because: match parting.because {
            Because::ClaimsDiffer => "claims-differ",
            Because::OneReviewer(_) => "one-reviewer",
            Because::MembersDiffer => "members-differ",
            Because::OnlyNear => "only-near",
            Because::Settled => "settled",
            Because::FitsAnother => "fits-another",
        },
        evidence: evidence_entry(&parting.comparison),
    }
}

fn nearness_word(nearness: Nearness) -> &'static str {
    match nearness {
        Nearness::Overlap => "overlap",
        Nearness::NamedSymbol => "named-symbol",
        Nearness::Lines(_) => "lines",
        Nearness::SameSymbol => "same-symbol",
        Nearness::WholeFile => "whole-file",
    }
}

fn lines_apart(nearness: Nearness) -> Option<u32> {
    match nearness {
        Nearness::Lines(gap) => Some(gap),
        Nearness::Overlap => Some(0),
        Nearness::NamedSymbol | Nearness::SameSymbol | Nearness::WholeFile => None,
    }
}

fn evidence_entry(comparison: &Comparison) -> EvidenceEntry<'_> {
    let evidence = &comparison.evidence;
    EvidenceEntry {
        ruled_by: comparison.ruling.as_ref().map(|ruling| ruling.hearing.by.id.as_str()),
        answer: match comparison.answer {
            Sameness::Same => "same",
            Sameness::Unclear => "unclear",
            Sameness::Different => "different",
        },
        least: evidence.least,
        most: evidence.most,
        bound: evidence.bound,
        telling: evidence.telling,
        shared: &evidence.shared,
    }
}
