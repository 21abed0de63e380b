//! Checks each finding's place against the bundle it was made about, and moves it where a quote proves it wrong.
//!
//! [`anchor`] never drops a finding: a place that cannot be found is named so.

use crate::{
    bundle::Bundle,
    finding::{Anchor, Finding, LineRange},
};

/// A finding with its place checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchored {
    /// The finding as read.
    pub finding: Finding,
    /// Repository path of the place; `None` when nowhere.
    pub path: Option<String>,
    /// New-side lines of the place, after any move.
    pub lines: Option<LineRange>,
    /// The enclosing function or type: named by the reviewer or by the hunk.
    pub symbol: Option<String>,
    /// How the place relates to the change.
    pub anchor: Anchor,
    /// What was corrected, for people: `moved from line 40 by its quote`.
    pub note: Option<String>,
    /// The text of the anchored line, when it is in the bundle; part of an issue's id.
    pub code: Option<String>,
}

/// Places `findings` in `bundle`; `change` are all bundles of the run (a finding may name a file of another one).
/// With no bundle at hand every place is `Unchecked`.
pub fn anchor(findings: Vec<Finding>, bundle: Option<&Bundle>, change: &[Bundle]) -> Vec<Anchored> {
    let _ = (findings, bundle, change);
    unimplemented!()
}
