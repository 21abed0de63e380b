//! A finding: one claim of one reviewer about one place.
//!
//! [`Finding`] is what a reply says; `anchor` adds whether the place exists, `tally` what it has in common
//! with other findings. Wire forms live in `report`.

use std::fmt;

/// How bad a finding is. Ordered: `Info < Warn < Block`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Should be fixed.
    Warn,
    /// Must not merge.
    Block,
}

impl Severity {
    /// The word of the contract: `BLOCK`, `WARN`, `INFO`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Block => "BLOCK",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// The last line that anybody can mean: readers of reports take lines as signed numbers of 32 bits.
pub const LAST_LINE: u32 = i32::MAX as u32;

/// An inclusive range of 1-based new-side line numbers; `start <= end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LineRange {
    /// First line.
    pub start: u32,
    /// Last line.
    pub end: u32,
}

impl LineRange {
    /// A range from two ends in either order.
    pub fn new(a: u32, b: u32) -> Self {
        Self { start: a.min(b), end: a.max(b) }
    }

    /// Whether the two share a line.
    pub fn overlaps(self, other: Self) -> bool {
        self.start <= other.end && other.start <= self.end
    }

    /// How far the nearest lines of the two are apart; 0 when they overlap, 1 when they touch.
    pub fn gap(self, other: Self) -> u32 {
        other.start.saturating_sub(self.end).max(self.start.saturating_sub(other.end))
    }
}

/// A place as a reviewer named it, decorations removed but nothing checked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Location {
    /// Path without `a/`, `b/`, `./`; empty when none was given.
    pub path: String,
    /// Line or range, when given.
    pub lines: Option<LineRange>,
    /// Function, type or other name, when given instead of a line.
    pub symbol: Option<String>,
}

/// One claim as read from a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// On our scale.
    pub severity: Severity,
    /// The reviewer's own word for it, such as `critical`; empty when it gave none.
    pub severity_word: String,
    /// The place's own text after `WHERE:`, as written.
    pub where_text: String,
    /// The place, parsed; `None` when the text holds no path.
    pub location: Option<Location>,
    /// Further places of the same finding.
    pub also_at: Vec<Location>,
    /// The quoted line of code.
    pub quote: Option<String>,
    /// The claim.
    pub what: String,
    /// Its grounds; empty when not given.
    pub why: String,
    /// The proposed mending; empty when not given.
    pub fix: String,
    /// Taken back in the same reply.
    pub retracted: bool,
}

/// Text that looked like a finding and was not usable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// The text as it stands in the reply.
    pub text: String,
    /// Why it was not usable, for people.
    pub reason: String,
}

/// What a reviewer concluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Merge as it is.
    Ship,
    /// Merge after the named repairs.
    ShipWithFixes,
    /// Do not merge.
    Hold,
}

impl Verdict {
    /// The word of the contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ship => "ship",
            Self::ShipWithFixes => "ship-with-fixes",
            Self::Hold => "hold",
        }
    }
}

/// How a finding's place relates to the bundle it was made about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Anchor {
    /// On an added line, or on the line where something was removed.
    Changed,
    /// In a hunk's context.
    Context,
    /// In a changed file, outside its hunks.
    File,
    /// Wrong line given; moved to where the quoted code stands.
    Moved,
    /// A path that the change does not touch.
    Outside,
    /// No usable place.
    Nowhere,
    /// No bundle at hand to check against.
    Unchecked,
}

impl Anchor {
    /// The word used in the tally.
    pub fn word(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Context => "context",
            Self::File => "file",
            Self::Moved => "moved",
            Self::Outside => "outside",
            Self::Nowhere => "nowhere",
            Self::Unchecked => "unchecked",
        }
    }
}
