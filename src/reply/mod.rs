//! Reads a reviewer's reply: any text to findings and rejects, never an error, nothing lost.
//!
//! [`read`] gives a [`Reading`]. It knows nothing of the change: whether a place exists is `anchor`'s question.

use crate::finding::{Finding, Reject, Verdict};

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
pub fn read(text: &str, nonce: Option<&str>) -> Reading {
    let _ = (text, nonce);
    unimplemented!()
}
