//! Reads a reviewer's reply: any text to findings and rejects, never an error, nothing lost.
//!
//! [`read`] gives a [`Reading`]. It knows nothing of the change: whether a place exists is `anchor`'s question.
//!
//! A reply is read in one pass over its lines (`line`), cut into findings (`block`, `draft`) by their labels (`label`), places
//! (`place`, `lines`) and severities (`severity`). Data in it (`json`, `tags`, `document`) uses the same labels.

mod block;
mod completeness;
mod document;
mod draft;
mod fields;
mod json;
mod judgement;
mod label;
mod line;
mod lines;
mod mend;
mod place;
mod retract;
mod severity;
mod table;
mod tags;
#[cfg(test)]
mod tests;
mod thinking;
mod verdict;
mod words;
mod wrapping;

use std::collections::HashSet;

use crate::finding::{Finding, LineRange, Reject, Verdict};

pub use judgement::{NoAnswer, Statement, read_judgement};

/// What a reply says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reading {
    /// Findings in reply order, retracted ones marked.
    pub findings: Vec<Finding>,
    /// What looked like findings and was not usable.
    pub rejects: Vec<Reject>,
    /// The last verdict given.
    pub verdict: Option<Verdict>,
    /// Whether the reply can be trusted to be whole.
    pub completeness: Completeness,
    /// Findings and rejects over the bounds, which are not kept.
    pub left_out: usize,
}

/// Whether a reply is whole, judged from its text alone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Completeness {
    /// Findings or a verdict, and not cut off.
    #[default]
    Whole,
    /// Neither finding nor verdict, or cut off; the reason for people.
    Incomplete(String),
    /// Not a review at all, such as an HTML error page; the reason for people.
    Unusable(String),
    /// No text.
    Empty,
}

/// Reads `text`. `nonce` is the run's, when known: it tells a real `END` line from a quoted one.
///
/// At most 2,000 findings and 200 rejects are kept, each part of a finding up to 64 KiB. A reply with more is incomplete and says so
/// in a reject: what was not read may be the worst of it.
pub fn read(text: &str, nonce: Option<&str>) -> Reading {
    if text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}').is_empty() {
        return Reading { completeness: Completeness::Empty, ..Reading::default() };
    }
    let (answer, thinking) = thinking::without(text);
    let reading = read_answer(&wrapping::without(&answer, nonce), nonce, 0);
    bounded(match thinking {
        thinking::Thinking::Done => unexplained(reading, &answer),
        thinking::Thinking::Unfinished => unfinished(reading),
    })
}

/// Holds a reading to the bounds. With anything left out it is not whole.
fn bounded(mut reading: Reading) -> Reading {
    let Reading { findings, rejects, left_out, .. } = &mut reading;
    *left_out += findings.len().saturating_sub(block::MOST_FINDINGS);
    *left_out += rejects.len().saturating_sub(block::MOST_REJECTS);
    findings.truncate(block::MOST_FINDINGS);
    rejects.truncate(block::MOST_REJECTS);
    if *left_out == 0 {
        return reading;
    }
    let reason = format!("{left_out} more findings or rejects than one reply may have");
    rejects.push(Reject { text: String::new(), reason: reason.clone() });
    if reading.completeness == Completeness::Whole { incomplete(reading, &reason) } else { reading }
}

/// Bytes that are kept of an answer in which nothing could be read.
const LONGEST_UNEXPLAINED: usize = 4_000;

/// A verdict that asks for changes and names none that could be read: the whole answer is a reject.
fn unexplained(mut reading: Reading, answer: &str) -> Reading {
    let asks = matches!(reading.verdict, Some(Verdict::Hold | Verdict::ShipWithFixes));
    if asks && reading.findings.is_empty() && reading.rejects.is_empty() {
        let text = draft::bounded(answer.trim(), LONGEST_UNEXPLAINED).to_owned();
        let reason = "asks for changes, and no finding could be read".to_owned();
        reading.rejects.push(Reject { text, reason });
    }
    reading
}

/// Deepest nesting of a review in the output of the program that asked for it.
const DEEPEST_ENVELOPE: usize = 2;

fn read_answer(text: &str, nonce: Option<&str>, depth: usize) -> Reading {
    let form = block::Form::of(text);
    let structured = json::opens(text) || form == block::Form::Prose || tags::opens(text);
    let document = structured.then(|| documents(text)).flatten();
    if let Some(document) = &document
        && let Some(given) = given_by(text, document, nonce, depth)
    {
        let outside = document.outside(text);
        return with_around(given, block::Reader::new(&outside, block::Form::of(&outside), nonce).read());
    }
    let prose = form == block::Form::Prose;
    if let Some(completeness) =
        completeness::foreign(text).filter(|_| prose && document.as_ref().is_none_or(says_no_verdict))
    {
        return Reading { completeness, ..Reading::default() };
    }
    let reading = block::Reader::new(text, form, nonce).read();
    let reading = if prose { without_remarks(reading) } else { reading };
    match document {
        Some(document) => beside_document(reading, document),
        None => reading,
    }
}

/// What the structured data itself gives: its findings, or the review that a program put into it as one text.
fn given_by(text: &str, document: &document::Document, nonce: Option<&str>, depth: usize) -> Option<Reading> {
    if !document.findings.is_empty() {
        return Some(of_document(document.clone()));
    }
    let texts = document.texts.iter().rev().filter(|_| depth < DEEPEST_ENVELOPE);
    let inner = |text: &String| read_answer(&wrapping::without(text, nonce), nonce, depth + 1);
    let cut = |reading: Reading| if document.cut { incomplete(reading, CUT_DATA) } else { reading };
    let failed = completeness::foreign(text).is_some();
    texts.map(inner).find(|reading| says_something(reading) && !(failed && is_remark(reading))).map(cut)
}

fn says_no_verdict(document: &document::Document) -> bool {
    document.verdict.is_none()
}

/// A place that an error message mentions is no review.
fn is_remark(reading: &Reading) -> bool {
    reading.verdict.is_none() && reading.findings.iter().all(|finding| finding.severity_word.is_empty())
}

fn says_something(reading: &Reading) -> bool {
    !reading.findings.is_empty() || reading.verdict.is_some()
}

/// What tags say when they say findings, else what JSON says: each may hold the other as a sample of code.
fn documents(text: &str) -> Option<document::Document> {
    let read = |form: fn(&str, &mut document::Document)| {
        let mut document = document::Document::default();
        form(text, &mut document);
        document.closed()
    };
    let json = read(json::read);
    if json.as_ref().is_some_and(|document| !document.findings.is_empty()) {
        return json;
    }
    read(tags::read).or(json)
}

/// What stands in thinking that never ends was not given, unless it goes on to a verdict: then only the closing tag was forgotten.
fn unfinished(mut reading: Reading) -> Reading {
    if reading.verdict.is_none() {
        let reject = |draft: Finding| Reject {
            text: draft.what,
            reason: "stands in thinking that never ends".to_owned(),
        };
        reading.rejects.extend(reading.findings.drain(..).map(reject));
        reading.completeness = Completeness::Incomplete("cut off while thinking".to_owned());
    }
    reading
}

/// Places that a reviewer who says "ship" only mentions are not findings.
fn without_remarks(reading: Reading) -> Reading {
    if reading.verdict == Some(Verdict::Ship) {
        return without_those(reading, "mentions a place and says ship", |_| true);
    }
    without_those(reading, "mentions a place and says that nothing is wrong", |remark| {
        retract::finds_nothing(&remark.what)
    })
}

/// Turns findings that nobody gave a severity into rejects, those that are `remarks`.
fn without_those(mut reading: Reading, reason: &str, remarks: impl Fn(&Finding) -> bool) -> Reading {
    let is_finding = |finding: &Finding| !finding.severity_word.is_empty() || !remarks(finding);
    let (findings, remarks) = reading.findings.into_iter().partition(is_finding);
    reading.findings = findings;
    let remarks: Vec<Finding> = remarks;
    let reject = |remark: Finding| Reject { text: remark.what, reason: reason.to_owned() };
    reading.rejects.extend(remarks.into_iter().map(reject));
    if reading.completeness == Completeness::Whole && !says_something(&reading) {
        reading = incomplete(reading, completeness::SAYS_NOTHING);
    }
    reading
}

/// The findings are the text's: a document that has none is a sample, or says only the verdict.
fn beside_document(mut reading: Reading, document: document::Document) -> Reading {
    if reading.findings.is_empty() {
        return with_around(of_document(document), reading);
    }
    reading.verdict = reading.verdict.or(document.verdict);
    reading.rejects.extend(document.rejects);
    reading.left_out += document.left_out;
    without_remarks(reading)
}

/// Why a reply is not whole whose data breaks off.
const CUT_DATA: &str = "cut off inside its data";

fn of_document(document: document::Document) -> Reading {
    let completeness =
        if document.cut { Completeness::Incomplete(CUT_DATA.to_owned()) } else { Completeness::Whole };
    Reading {
        findings: document.findings,
        rejects: document.rejects,
        verdict: document.verdict,
        completeness,
        left_out: document.left_out,
    }
}

fn incomplete(reading: Reading, reason: &str) -> Reading {
    Reading { completeness: Completeness::Incomplete(reason.to_owned()), ..reading }
}

fn place_of(finding: &Finding) -> Option<(String, Option<LineRange>)> {
    finding.location.as_ref().map(|place| (place.path.clone(), place.lines))
}

/// Adds what the text around structured data says: its verdict, and findings with a severity at places that the data does not name.
fn with_around(mut reading: Reading, around: Reading) -> Reading {
    let places: HashSet<_> = reading.findings.iter().map(place_of).collect();
    let new = |finding: &Finding| !finding.severity_word.is_empty() && !places.contains(&place_of(finding));
    reading.findings.extend(around.findings.into_iter().filter(new));
    reading.rejects.extend(around.rejects);
    reading.left_out += around.left_out;
    reading.verdict = reading.verdict.or(around.verdict);
    if reading.completeness == Completeness::Whole && !says_something(&reading) {
        reading.completeness = around.completeness;
    }
    reading
}
