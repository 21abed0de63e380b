//! A review of a pull request beside the last one of the same: [`Since`], and what the last one left, [`Last`].
//!
//! Values, and [`scope`], which decides how much is asked about again. Joining them with what this review found is `join`'s work,
//! reading the last review back `post::record`'s. Nothing here looks at a repository or at a server.

mod join;
mod left;
pub mod place;

use crate::{
    disposition::Disposition,
    finding::{LineRange, Severity},
    pull::Reviewed,
    reviewer::Lineage,
    tally::Agreement,
};

pub(super) use join::{Shown, join};

/// A review of a pull request, and the last one before it.
#[derive(Debug, Clone, PartialEq)]
pub struct Since {
    /// What was reviewed.
    pub pull: Reviewed,
    /// How much was asked about.
    pub scope: Scope,
    /// Hash of what decides who is asked what.
    pub fingerprint: String,
    /// The last review; `None` when there is none that can be read.
    pub last: Option<Last>,
    /// What people decided in the pull request's conversation.
    pub decisions: Vec<Disposition>,
    /// What is to be known about all this, for people: decisions that do not count, and why.
    pub notes: Vec<String>,
}

/// How much of a pull request a review asks about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// All of it: it was never reviewed.
    First,
    /// What came since the last review.
    Incremental,
    /// All of it again; why, for people.
    Full(String),
}

impl Scope {
    /// The word of the tally.
    pub fn word(&self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Incremental => "incremental",
            Self::Full(_) => "full",
        }
    }
}

/// What a review of a pull request leaves for the next one.
#[derive(Debug, Clone, PartialEq)]
pub struct Last {
    /// Its run's id.
    pub run: String,
    /// When it started, RFC 3339, UTC.
    pub started_at: String,
    /// The commit that all of the pull request is compared with: the merge base with the target branch.
    pub base: String,
    /// The pull request's last commit then.
    pub head: String,
    /// Hash of what decided who was asked what.
    pub fingerprint: String,
    /// Whether all that was asked was answered, so that it need not be asked again.
    pub complete: bool,
    /// Its issues, those it had carried over too.
    pub issues: Vec<Earlier>,
    /// Issues that there was no room for.
    pub dropped: usize,
}

/// An issue of the last review.
#[derive(Debug, Clone, PartialEq)]
pub struct Earlier {
    /// Its id.
    pub id: String,
    /// Repository path.
    pub path: String,
    /// Lines at the last review's head.
    pub lines: Option<LineRange>,
    /// Enclosing function or type.
    pub symbol: Option<String>,
    /// How bad it was called.
    pub severity: Severity,
    /// What its lineages agreed on.
    pub agreement: Agreement,
    /// Who found it, in name order.
    pub lineages: Vec<Lineage>,
    /// The claim, as the first reviewer of its severity put it.
    pub what: String,
    /// The claim's grounds.
    pub why: String,
    /// The line of code it is about, where that was shown.
    pub code: Option<String>,
    /// Whether it alone made the verdict *hold*.
    pub holds: bool,
    /// Its code was gone by then.
    pub is_fixed: bool,
    /// What a human decided about it.
    pub disposition: Option<Disposition>,
    /// Where it is at the head under review.
    pub now: Whereabouts,
}

/// Most issues that one review leaves for the next.
pub const MOST_LEFT: usize = 5_000;

impl Earlier {
    /// What it weighs; what there is no room for is left out from the least.
    pub fn weight(&self) -> impl Ord + use<> {
        let is_dismissed = self.disposition.as_ref().is_some_and(|one| one.decision.dismisses());
        (!self.is_fixed, !is_dismissed, self.holds, self.severity, self.lineages.len())
    }

    /// Whether two lineages or more agreed.
    pub fn is_convergent(&self) -> bool {
        self.lineages.len() >= 2
    }
}

/// Where the code of an earlier issue is at the head under review.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Whereabouts {
    /// Nobody can say; it counts as still there.
    #[default]
    Unknown,
    /// It stands there.
    There {
        /// Repository path, after renames.
        path: String,
        /// Its lines.
        lines: Option<LineRange>,
    },
    /// It does not stand there any more.
    Gone,
}

/// How an issue relates to those of the last review.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// The last review did not have it.
    New,
    /// The last review had it.
    StillOpen,
    /// It was fixed by the last review.
    BackAgain,
}

impl Standing {
    /// The word of the tally.
    pub fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::StillOpen => "still-open",
            Self::BackAgain => "back-again",
        }
    }
}

/// An issue of the last review that nobody reports now.
#[derive(Debug, Clone, PartialEq)]
pub struct Carried {
    /// The issue, with what is decided about it now.
    pub issue: Earlier,
    /// What became of it.
    pub became: Became,
}

/// What became of an issue that nobody reports now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Became {
    /// It was fixed by the last review, and its code is back: it counts as if it were reported now.
    BackAgain,
    /// Its code stands, or nobody looked: it counts as if it were reported now.
    StillOpen,
    /// Its code is gone, and what is there now was reviewed.
    Fixed,
    /// A human decided that it need not be looked at.
    Dismissed,
}

impl Became {
    /// The word of the tally.
    pub fn word(self) -> &'static str {
        match self {
            Self::BackAgain => "back-again",
            Self::StillOpen => "still-open",
            Self::Fixed => "fixed",
            Self::Dismissed => "dismissed",
        }
    }
}

impl Carried {
    /// Whether it weighs on gate and verdict.
    pub fn is_open(&self) -> bool {
        match self.became {
            Became::BackAgain | Became::StillOpen => true,
            Became::Fixed | Became::Dismissed => false,
        }
    }

    /// Whether it was fixed since the last review, not before.
    pub fn is_newly_fixed(&self) -> bool {
        self.became == Became::Fixed && !self.issue.is_fixed
    }
}

/// How the last review's head relates to the one under review.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Descent {
    /// It is the same commit or an ancestor.
    Ancestor,
    /// It is not in the head's history.
    Rewritten,
    /// It is not in this clone, whose history is cut.
    Cut,
}

/// Decides how much is asked about. `wants_all`: the user does; `base`, `fingerprint`: of the review to come.
pub fn scope(
    last: Option<&Last>,
    wants_all: bool,
    (base, fingerprint): (&str, &str),
    descent: Descent,
) -> Scope {
    let Some(last) = last else { return Scope::First };
    let because = if wants_all {
        "asked for".to_owned()
    } else if descent == Descent::Rewritten {
        format!("history was rewritten: {} is not in it any more", short(&last.head))
    } else if descent == Descent::Cut {
        format!("{} is not in this shallow clone", short(&last.head))
    } else if last.base != base {
        format!("it is compared with {} now, not with {}", short(base), short(&last.base))
    } else if last.fingerprint != fingerprint {
        "who is asked, or what they are told, is configured otherwise now".to_owned()
    } else if !last.complete {
        "the last review was not answered in full".to_owned()
    } else if last.dropped > 0 {
        "there was no room for all issues of the last review in its record".to_owned()
    } else {
        return Scope::Incremental;
    };
    Scope::Full(because)
}

/// A commit as people write it.
pub fn short(commit: &str) -> &str {
    commit.get(..7).unwrap_or(commit)
}
