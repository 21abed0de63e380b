//! Reads a reviewer's reply: any text to findings and rejects, never an error, nothing lost.
//!
//! [`read`] gives a [`Reading`]. It knows nothing of the change: whether a place exists is `anchor`'s question.
//!
//! A reply is read in one pass over its lines (`line`), cut into findings (`block`, `draft`) by their labels (`label`), places
//! (`place`, `lines`) and severities (`severity`). Tables and JSON use the same labels.

mod block;
mod completeness;
mod draft;
mod json;
mod judgement;
mod label;
mod line;
mod lines;
mod place;
mod retract;
mod severity;
mod table;
#[cfg(test)]
mod tests;
mod thinking;
mod verdict;

use crate::finding::{Finding, Reject, Verdict};

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
/// At most 2,000 findings and 200 rejects are kept, each part of a finding up to 64 KiB; what is left out is said in a reject.
pub fn read(text: &str, nonce: Option<&str>) -> Reading {
    if text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}').is_empty() {
        return Reading { completeness: Completeness::Empty, ..Reading::default() };
    }
    let (answer, thinking) = thinking::without(text);
    let mut reading = read_answer(unwrapped(answer), nonce);
    if thinking == thinking::Thinking::Unfinished && reading.findings.is_empty() {
        reading.completeness = Completeness::Incomplete("cut off while thinking".to_owned());
    }
    reading
}

fn read_answer(text: &str, nonce: Option<&str>) -> Reading {
    let form = block::Form::of(text);
    let reading = block::Reader::new(text, form, nonce).read();
    let may_be_json = json::opens(text) || form == block::Form::Prose;
    match may_be_json.then(|| json::read(text)).flatten() {
        Some(document) if document.findings.is_empty() && !reading.findings.is_empty() => {
            beside_json(reading, document)
        }
        Some(document) => with_json(document, &reading),
        None if form == block::Form::Prose => without_remarks(reading),
        None => reading,
    }
}

/// Places that a reviewer who says "ship" only mentions are not findings.
fn without_remarks(mut reading: Reading) -> Reading {
    if reading.verdict == Some(Verdict::Ship) {
        let (findings, remarks) =
            reading.findings.into_iter().partition(|finding| !finding.severity_word.is_empty());
        reading.findings = findings;
        let reject = |remark: Finding| Reject {
            text: remark.what,
            reason: "mentions a place and says ship".to_owned(),
        };
        reading.rejects.extend(remarks.into_iter().map(reject));
        reading.rejects.truncate(block::MOST_REJECTS + 1);
    }
    reading
}

/// The findings are the text's: a document that has none is a sample, or says only the verdict.
fn beside_json(mut reading: Reading, document: json::Document) -> Reading {
    reading.verdict = reading.verdict.or(document.verdict);
    reading.rejects.extend(document.rejects);
    reading.rejects.truncate(block::MOST_REJECTS + 1);
    without_remarks(reading)
}

/// The findings are the document's; the verdict may stand around it.
fn with_json(document: json::Document, around: &Reading) -> Reading {
    let verdict = document.verdict.or(around.verdict);
    let completeness = match (document.findings.is_empty() && verdict.is_none(), document.cut) {
        (_, true) => Completeness::Incomplete("cut off inside JSON".to_owned()),
        (true, _) => Completeness::Incomplete("neither findings nor a verdict".to_owned()),
        (false, _) => Completeness::Whole,
    };
    Reading { findings: document.findings, rejects: document.rejects, verdict, completeness }
}

/// A reply that as a whole stands in one code fence, taken out of it.
fn unwrapped(text: &str) -> &str {
    let inner = || {
        let (first, rest) = text.trim_start().split_once('\n')?;
        let info = first.trim_end().strip_prefix("```")?;
        let wraps = ["", "markdown", "md", "text", "txt", "plaintext"].contains(&info.trim());
        let opening = rest.trim_start();
        let labelled = label::leading(line::bare(opening.lines().next()?).body, false)?;
        let ours = matches!(labelled.0, label::Label::Severity | label::Label::Where | label::Label::Verdict);
        let body = rest.trim_end();
        (wraps && ours).then(|| body.strip_suffix("```").unwrap_or(body))
    };
    inner().unwrap_or(text)
}
