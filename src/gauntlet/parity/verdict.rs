//! What the answers to one case come to: [`judge`].
//!
//! Agreement counts only where something was said: sides that all failed the same way have shown nothing.

use std::collections::BTreeMap;

use super::{
    answer::{Answer, Heard, Hollow, Status},
    body::{self, Body},
    rule::Rule,
    shape::{Difference, Kind, Part, Shape, Which},
};
use crate::report::words::shortened;

/// Most bytes of a body that are kept to be shown.
const SHOWN: usize = 64 << 10;

/// Most characters of a header in an example.
const HEADER_SHOWN: usize = 100;

/// Who was asked, as far as comparing needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// Its name.
    pub name: String,
    /// Where it was asked, for people.
    pub address: String,
    /// It is a command whose files are compared.
    pub writes: bool,
}

/// What became of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// The same status and the same content.
    Match,
    /// They differ.
    Diff,
    /// All sides failed the same way, or said nothing: no agreement.
    Empty,
    /// A side gave no answer.
    Error,
    /// A side answers differently when it is asked again.
    Unstable,
}

impl Verdict {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Match => "match",
            Self::Diff => "diff",
            Self::Empty => "empty",
            Self::Error => "error",
            Self::Unstable => "unstable",
        }
    }
}

/// A case that was compared. Sides are in the order of the spec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// Its name.
    pub name: String,
    /// What became of it.
    pub verdict: Verdict,
    /// Why, unless it matched or differs.
    pub reason: Option<String>,
    /// How each side's answer ended; `None` where there was none.
    pub statuses: Vec<Option<Status>>,
    /// Whether the contents of all answers are the same; `None` where one is missing.
    pub bodies_match: Option<bool>,
    /// How the answer of the side at that place differs from the first side's.
    pub differences: Vec<(usize, Difference)>,
    /// What is worth knowing and no divergence.
    pub remarks: Vec<(usize, Difference)>,
    /// What each side said, for people; empty for a match.
    pub shown: Vec<String>,
}

impl Compared {
    /// Whether all sides ended the same way; `None` where one gave no answer.
    pub fn statuses_match(&self) -> Option<bool> {
        let known: Option<Vec<Status>> = self.statuses.iter().copied().collect();
        known.map(|known| known.windows(2).all(|pair| pair[0] == pair[1]))
    }
}

/// How a case is asked, as far as it bears on its answers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question {
    is_head: bool,
    allow_empty: bool,
}

/// Compares what each of `sides` said to `case`, once a round; `heard` has a list a side.
pub fn judge(case: &super::Case, sides: &[Side], rule: &Rule, heard: &[Vec<Heard>]) -> Compared {
    let question = Question { is_head: case.method == "HEAD", allow_empty: case.allow_empty };
    let firsts: Vec<&Heard> = heard.iter().filter_map(|rounds| rounds.first()).collect();
    let mut compared = Compared {
        name: case.name.clone(),
        verdict: Verdict::Match,
        reason: None,
        statuses: firsts.iter().map(|heard| heard.as_ref().ok().map(|answer| answer.status)).collect(),
        bodies_match: None,
        differences: Vec::new(),
        remarks: Vec::new(),
        shown: Vec::new(),
    };
    let unstable = sides.iter().zip(heard).find_map(|(side, rounds)| instability(side, rounds, rule));
    let answers: Option<Vec<&Answer>> = firsts.iter().map(|heard| heard.as_ref().ok()).collect();
    (compared.verdict, compared.reason) = match (unstable, answers) {
        (Some(reason), _) => (Verdict::Unstable, Some(reason)),
        (None, Some(answers)) => compared.compare(question, sides, rule, &answers),
        (None, None) => silent(sides, &firsts),
    };
    if compared.verdict != Verdict::Match {
        compared.shown = firsts.iter().map(|heard| shown(heard)).collect();
    }
    compared
}

impl Compared {
    fn compare(
        &mut self,
        question: Question,
        sides: &[Side],
        rule: &Rule,
        answers: &[&Answer],
    ) -> (Verdict, Option<String>) {
        let Some((first, others)) = answers.split_first() else { return (Verdict::Match, None) };
        for (at, other) in (1..).zip(others) {
            let pair = [(&sides[0], *first), (&sides[at], *other)];
            let found = differences(pair, rule).into_iter().map(|difference| (at, difference));
            let (remarks, differences): (Vec<_>, Vec<_>) = found.partition(|(_, one)| one.shape.is_remark());
            self.remarks.extend(remarks);
            self.differences.extend(differences);
        }
        let is_content = |part: &Part| matches!(part, Part::Body | Part::File(_));
        self.bodies_match = Some(!self.differences.iter().any(|(_, one)| is_content(&one.shape.part)));
        let hollow: Vec<Option<Hollow>> =
            answers.iter().map(|answer| answer.hollow(question.is_head)).collect();
        match hollow.as_slice() {
            [Some(way), ..]
                if !question.allow_empty
                    && self.statuses_match() == Some(true)
                    && hollow.iter().all(|other| *other == Some(*way)) =>
            {
                self.differences.clear();
                self.bodies_match = None;
                (Verdict::Empty, Some(format!("all sides {} ({})", way.words(), first.status)))
            }
            _ if !self.differences.is_empty() => (Verdict::Diff, None),
            _ => match uncompared(sides, rule, answers).filter(|_| !question.allow_empty) {
                Some(why) => {
                    self.bodies_match = None;
                    (Verdict::Empty, Some(why.to_owned()))
                }
                None => (Verdict::Match, None),
            },
        }
    }
}

/// Why answers without a difference agree about nothing, if so.
fn uncompared(sides: &[Side], rule: &Rule, answers: &[&Answer]) -> Option<&'static str> {
    if answers.iter().any(|answer| !answer.files.is_empty()) {
        return None;
    }
    if sides.iter().any(|side| side.writes) {
        return Some("no side wrote a file of those to compare");
    }
    let is_nothing_left = rule.headers.is_empty()
        && answers.iter().any(|answer| answer.body != answers[0].body)
        && answers.iter().all(|answer| body::is_used_up(body_of(answer), rule));
    is_nothing_left.then_some("the rule leaves nothing of the bodies to compare")
}

/// At least one side gave no answer.
fn silent(sides: &[Side], firsts: &[&Heard]) -> (Verdict, Option<String>) {
    let silences: Vec<_> =
        sides.iter().zip(firsts).filter_map(|(side, heard)| Some((side, heard.as_ref().err()?))).collect();
    let told = silences.iter().map(|(side, silence)| format!("{}: {silence}", side.name));
    let told = told.collect::<Vec<_>>().join("; ");
    let kinds = || silences.iter().map(|(_, silence)| silence.kind);
    match kinds().next() {
        Some(kind) if silences.len() == firsts.len() && kinds().all(|other| other == kind) => {
            (Verdict::Empty, Some(format!("all sides {}: {told}", kind.words())))
        }
        _ => (Verdict::Error, Some(told)),
    }
}

/// How a side contradicts itself, if it does.
fn instability(side: &Side, rounds: &[Heard], rule: &Rule) -> Option<String> {
    let (first, others) = rounds.split_first()?;
    let name = &side.name;
    others.iter().find_map(|other| match (first, other) {
        (Ok(first), Ok(other)) => {
            let found = differences([(side, first), (side, other)], rule);
            let one = found.into_iter().find(|one| !one.shape.is_remark())?;
            let words = one.shape.words("first", "later");
            Some(format!("{name} answers otherwise when asked again: {words} ({})", one.example))
        }
        (Ok(_), Err(silence)) | (Err(silence), Ok(_)) => {
            Some(format!("{name} answers at one time and not at another: {silence}"))
        }
        (Err(_), Err(_)) => None,
    })
}

fn differences([(left, a), (right, b)]: [(&Side, &Answer); 2], rule: &Rule) -> Vec<Difference> {
    let mut found = Vec::new();
    if a.status != b.status {
        let kind = Kind::Status { left: a.status, right: b.status };
        found.push(whole(Part::Status, kind, String::new()));
    }
    found.extend(headers((left, a), (right, b), rule));
    let bodies = body::differences(body_of(a), body_of(b), &Part::Body, rule);
    // With another status the body is another one for that reason alone: one difference tells as much as many.
    found.extend(bodies.into_iter().take(if a.status == b.status { usize::MAX } else { 1 }));
    found.extend(files(a, b, rule));
    found
}

fn whole(part: Part, kind: Kind, example: String) -> Difference {
    Difference { shape: Shape { part, path: String::new(), kind }, example }
}

fn body_of(answer: &Answer) -> Body<'_> {
    Body { bytes: &answer.body, kind: answer.header("content-type") }
}

/// Of a redirect, where it leads counts too, beginning behind the side's own address.
fn headers((left, a): (&Side, &Answer), (right, b): (&Side, &Answer), rule: &Rule) -> Vec<Difference> {
    let is_redirect = |answer: &Answer| matches!(answer.status, Status::Http(300..=399));
    let location = (is_redirect(a) && is_redirect(b)).then_some("location");
    let names =
        rule.headers.iter().map(String::as_str).filter(|name| Some(*name) != location).chain(location);
    let value = |side: &Side, answer: &Answer, name: &str| {
        let values: Vec<&str> = answer
            .headers
            .iter()
            .filter(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
            .collect();
        let text = rule.replaced(&values.join(", "));
        let own = if location == Some(name) { text.strip_prefix(&side.address) } else { None };
        (!values.is_empty()).then(|| own.unwrap_or(&text).to_owned())
    };
    let difference = |name: &str| {
        let part = Part::Header(name.to_owned());
        let (kind, example) = match (value(left, a, name), value(right, b, name)) {
            (a, b) if a == b => return None,
            (Some(a), None) => (Kind::Missing { side: Which::Right }, a),
            (None, Some(b)) => (Kind::Missing { side: Which::Left }, b),
            (a, b) => {
                let text = |value: Option<String>| {
                    format!("{:?}", shortened(&value.unwrap_or_default(), HEADER_SHOWN))
                };
                (Kind::Value { of: "value" }, format!("{} against {}", text(a), text(b)))
            }
        };
        Some(whole(part, kind, shortened(&example, 3 * HEADER_SHOWN)))
    };
    names.filter_map(difference).collect()
}

fn files(a: &Answer, b: &Answer, rule: &Rule) -> Vec<Difference> {
    let mut names: BTreeMap<&str, [Option<&[u8]>; 2]> = BTreeMap::new();
    for (at, answer) in [a, b].into_iter().enumerate() {
        for file in &answer.files {
            names.entry(&file.name).or_default()[at] = Some(&file.content);
        }
    }
    let compared = |(name, contents): (&str, [Option<&[u8]>; 2])| {
        let part = Part::File(name.to_owned());
        match contents {
            [Some(a), Some(b)] => {
                body::differences(Body { bytes: a, kind: None }, Body { bytes: b, kind: None }, &part, rule)
            }
            [_, None] => vec![whole(part, Kind::Missing { side: Which::Right }, String::new())],
            [None, _] => vec![whole(part, Kind::Missing { side: Which::Left }, String::new())],
        }
    };
    names.into_iter().flat_map(compared).collect()
}

/// What a side said, for people: its body, else what it complained of, then the files it wrote.
fn shown(heard: &Heard) -> String {
    let answer = match heard {
        Ok(answer) => answer,
        Err(silence) => return silence.words.clone(),
    };
    let cut = |bytes: &[u8], kind: Option<&str>| {
        let text = body::shown(Body { bytes: &bytes[..bytes.len().min(16 * SHOWN)], kind });
        text[..text.floor_char_boundary(SHOWN)].to_owned()
    };
    let mut text = cut(&answer.body, answer.header("content-type"));
    if text.trim().is_empty() && !answer.stderr.is_empty() {
        text = format!("(nothing; on standard error: {})", answer.stderr);
    }
    for file in &answer.files {
        text = format!("{text}\n(file {})\n{}", file.name, cut(&file.content, None));
    }
    text
}

#[cfg(test)]
mod tests;
