//! Comments at lines: which issues get one, and what it says, [`wanted`].
//!
//! Few, since every one interrupts somebody: the tally has them all. Why these: docs/design/posting.md.

pub use super::hunks::Extent;
use super::{
    ISSUE_MARK,
    hunks::{Hunks, Spot},
};
use crate::{
    finding::Severity,
    pull::Remark,
    report::{markdown, summary},
    tally::{Issue, Tally, since::Scope},
};

/// Which issues of WARN or worse get a comment at their line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inline {
    /// None.
    None,
    /// Those that several lineages agree on.
    Convergent,
    /// These, and each BLOCK of one lineage that no other refuted.
    Block,
    /// All.
    Warn,
}

/// Which issues get a comment at their line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Of which kind.
    pub inline: Inline,
    /// At most so many of a run, the weightiest.
    pub most: usize,
}

/// A comment that an issue should have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The issue's id.
    pub issue: String,
    /// The id it had at the last review, where that is another one.
    pub before: Option<String>,
    /// How bad it is.
    pub severity: Severity,
    /// The comment.
    pub remark: Remark,
}

/// The comments that `tally` could have at lines of a diff of which it saw `extent`, the weightiest first; none of more than
/// `longest` characters. How many of them are made is `plan`'s matter.
pub fn wanted(tally: &Tally, inline: Inline, extent: Extent, longest: usize) -> Vec<Wanted> {
    let hunks = Hunks::of(&tally.bundles, extent);
    let chosen = summary::open(tally).filter(|issue| is_chosen(issue, inline));
    let placed = chosen.filter_map(|issue| Some((issue, hunks.spot(&issue.path, issue.lines?)?)));
    placed.map(|(issue, spot)| want(tally, issue, spot, longest)).collect()
}

/// How much of the pull request's diff `tally` has seen, where that is to be merged into `base`.
pub fn extent(tally: &Tally, base: &str) -> Extent {
    let is_whole = match &tally.since {
        Some(since) => matches!(since.scope, Scope::First | Scope::Full(_)),
        None => tally.range.base.as_deref() == Some(base),
    };
    if is_whole { Extent::Whole } else { Extent::Part }
}

fn is_chosen(issue: &Issue, inline: Inline) -> bool {
    let is_block = issue.severity == Severity::Block && !issue.is_refuted();
    issue.severity >= Severity::Warn
        && match inline {
            Inline::None => false,
            Inline::Convergent => issue.is_convergent(),
            Inline::Block => issue.is_convergent() || is_block,
            Inline::Warn => true,
        }
}

fn want(tally: &Tally, issue: &Issue, spot: Spot, longest: usize) -> Wanted {
    let mark = format!("{ISSUE_MARK}{} -->\n", issue.id);
    let foot = "\n<sub>scrum · fix it, or reply `/scrum dismiss` and say why</sub>\n";
    let room = longest.saturating_sub(mark.chars().count() + foot.chars().count());
    let body = format!("{mark}{}{foot}", markdown::issue(tally, issue, room));
    let Spot { path, old_path, lines, old_line } = spot;
    let before = issue.earlier.as_ref().map(|before| before.id.clone()).filter(|before| *before != issue.id);
    let remark = Remark { path, old_path, lines, old_line, body };
    Wanted { issue: issue.id.clone(), before, severity: issue.severity, remark }
}
