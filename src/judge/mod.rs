//! Which claims are put to whom, and what their answers are worth: [`Case`], [`unsettled`], [`alone`], [`examiner`].
//!
//! Pure: asking is `run`'s work, what follows from an answer is `tally`'s. The rules and their reasons:
//! `docs/design/judgements.md`.

mod answer;
pub mod question;
mod quote;

pub use answer::{examination, ruling};

use std::collections::BTreeSet;

use crate::{
    bundle::{Bundle, Guard, show::excerpt},
    digest,
    finding::{LineRange, Severity},
    judgement::{ClaimId, Pair},
    mask,
    prompt::{Prompt, TemplateError, Templates},
    reviewer::{Lineage, Seat},
    tally::{Issue, Member, Tally},
};

/// Bytes of code shown around a place.
const CODE_SHOWN: usize = 12_000;

/// Bytes shown of one claim.
const CLAIM_SHOWN: usize = 4_000;

/// About the most tokens of one question: code and two claims of three bytes a token, and the instructions.
pub const LONGEST_QUESTION: u64 = ((CODE_SHOWN + 2 * CLAIM_SHOWN) / 3 + 700) as u64;

/// One question: the claims and the code it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case<S> {
    /// What is to be judged.
    pub subject: S,
    /// `src/a.rs:5-7`.
    pub place: String,
    /// What is claimed, in the order of the subject.
    claims: Vec<String>,
    /// The numbered hunks around the place; empty when the change does not show it.
    code: String,
}

/// Whether two claims are one.
pub type RulingCase = Case<Pair>;

/// Whether one claim holds.
pub type ExaminationCase = Case<Accused>;

/// A claim, and whose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accused {
    /// Which claim.
    pub claim: ClaimId,
    /// Who must not examine it.
    pub lineage: Lineage,
}

/// The pairs of claims that a tally leaves open and nobody has answered for: in each `place` issue, the first finding's
/// claim with that of every group of another lineage. What a human dismissed is settled.
pub fn unsettled(tally: &Tally) -> impl Iterator<Item = RulingCase> {
    let rulings = tally.judgements.rulings.iter().filter(|ruling| ruling.hearing.is_answered());
    let known: BTreeSet<&Pair> = rulings.map(|ruling| &ruling.pair).collect();
    let mut asked = BTreeSet::new();
    let shown = mask::shown(&tally.bundles, &tally.run.masks);
    let pairs = tally.issues.iter().filter(|issue| issue.is_open()).flat_map(|issue| {
        let first = issue.members.first();
        issue.unsettled.iter().filter_map(move |at| Some((first?, issue.members.get(*at)?)))
    });
    pairs.filter_map(move |(first, other)| {
        let pair = Pair::new(first.claim_id(), other.claim_id());
        let is_new = !known.contains(&pair) && asked.insert(pair.clone());
        is_new.then(|| ruling_case(pair, first, other, &shown))
    })
}

fn ruling_case(pair: Pair, first: &Member, other: &Member, bundles: &[Bundle]) -> RulingCase {
    let mut members = [first, other];
    members.sort_by_key(|member| member.claim_id());
    let claims = members.map(|member| claim(member, true)).to_vec();
    let lines = [first, other].into_iter().filter_map(|member| member.anchored.lines);
    let lines = lines.reduce(|a, b| LineRange::new(a.start.min(b.start), a.end.max(b.end)));
    let path = first.anchored.path.as_deref().unwrap_or_default();
    Case { subject: pair, place: place(path, lines), claims, code: excerpt(bundles, path, lines, CODE_SHOWN) }
}

/// The claims of BLOCK that one lineage makes alone and nobody has answered for, in the order of the tally.
pub fn alone(tally: &Tally) -> impl Iterator<Item = ExaminationCase> {
    let examinations = tally.judgements.examinations.iter().filter(|one| one.hearing.is_answered());
    let known: BTreeSet<&ClaimId> = examinations.map(|one| &one.claim).collect();
    let mut asked = BTreeSet::new();
    let shown = mask::shown(&tally.bundles, &tally.run.masks);
    let members = tally.issues.iter().filter(|issue| is_block_alone(issue)).flat_map(blocks);
    members.filter_map(move |member| {
        let claim = member.claim_id();
        let is_new = !known.contains(&claim) && asked.insert(claim.clone());
        is_new.then(|| examination_case(claim, member, &shown))
    })
}

fn is_block_alone(issue: &Issue) -> bool {
    issue.is_open() && issue.convergence() == 1 && issue.severity == Severity::Block
}

fn blocks(issue: &Issue) -> impl Iterator<Item = &Member> {
    let is_block = |member: &&Member| {
        !member.anchored.finding.retracted && member.anchored.finding.severity == Severity::Block
    };
    issue.members.iter().filter(is_block)
}

fn examination_case(id: ClaimId, member: &Member, bundles: &[Bundle]) -> ExaminationCase {
    let (path, lines) = (member.anchored.path.as_deref().unwrap_or_default(), member.anchored.lines);
    Case {
        subject: Accused { claim: id, lineage: member.lineage.clone() },
        place: place(path, lines),
        claims: vec![claim(member, false)],
        code: excerpt(bundles, path, lines, CODE_SHOWN),
    }
}

/// Who examines: the position of one of `seats`, a model of another lineage than the claim's; else why nobody does. It
/// is always the same for the same claim and seats: the one with the highest digest of claim and seat, which spreads the
/// claims, and a claim keeps its examiner whatever other claims there are.
pub fn examiner(case: &ExaminationCase, seats: &[Seat]) -> Result<usize, &'static str> {
    if case.code.is_empty() {
        return Err("the change does not show its code");
    }
    let able = |at: &usize| seats[*at].lineage != case.subject.lineage && can_judge(&seats[*at]);
    let claim = case.subject.claim.to_string();
    let weight = |at: &usize| digest::sha256(&[claim.as_bytes(), &[0], seats[*at].id.as_str().as_bytes()]);
    (0..seats.len()).filter(able).max_by_key(weight).ok_or("no reviewer of another lineage")
}

/// Whether a seat is a model's, or somebody's who speaks for one.
pub fn can_judge(seat: &Seat) -> bool {
    seat.provider != "builtin" && seat.lineage.is_model()
}

impl RulingCase {
    /// Names the question in files and progress: `ruling_` and a digest of the pair.
    pub fn id(&self) -> String {
        let [first, second] = self.subject.claims().map(ToString::to_string);
        format!("ruling_{}", &digest::sha256(&[first.as_bytes(), second.as_bytes()])[..12])
    }

    /// What is sent.
    pub fn prompt(&self, templates: &Templates, nonce: &str) -> Result<Prompt, TemplateError> {
        let claims = [0, 1].map(|at| self.claims.get(at).map_or("", String::as_str));
        templates.adjudicate(&self.place, claims, &self.code, nonce)
    }
}

impl ExaminationCase {
    /// Names the question in files and progress: `examination_` and the claim's name.
    pub fn id(&self) -> String {
        format!("examination_{}", self.subject.claim)
    }

    /// What is sent.
    pub fn prompt(&self, templates: &Templates, nonce: &str) -> Result<Prompt, TemplateError> {
        templates.examine(&self.place, &self.claims.concat(), &self.code, nonce)
    }
}

/// A bundle without files that carries a question's name through the run.
pub fn named(id: String) -> Bundle {
    Bundle { id, component: String::new(), files: Vec::new(), guard: Guard::Ok }
}

fn place(path: &str, lines: Option<LineRange>) -> String {
    match lines {
        Some(lines) if lines.start == lines.end => format!("{path}:{}", lines.start),
        Some(lines) => format!("{path}:{}-{}", lines.start, lines.end),
        None => path.to_owned(),
    }
}

/// The claim's words, cold: not who said it nor how bad it is.
fn claim(member: &Member, with_fix: bool) -> String {
    let finding = &member.anchored.finding;
    let fix = if with_fix { finding.fix.as_str() } else { "" };
    let parts = [("What", finding.what.as_str()), ("Why", &finding.why), ("Fix", fix)];
    let told = parts.iter().filter(|(_, text)| !text.trim().is_empty());
    let mut text: String = told.flat_map(|(label, text)| [label, ": ", text.trim(), "\n"]).collect();
    text.truncate(text.floor_char_boundary(CLAIM_SHOWN));
    text
}

#[cfg(test)]
mod tests;
