//! What a static tool's report says, whatever its form: [`Report`] and [`Told`].

use crate::{
    change::RepoPath,
    finding::{LineRange, Severity},
};

/// A report as read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Report {
    /// Findings in the report's order.
    pub(super) told: Vec<Told>,
    /// Findings that somebody has suppressed.
    pub(super) suppressed: usize,
    /// What the tool says went wrong although it went on.
    pub(super) troubles: Vec<String>,
}

impl Report {
    pub(super) fn append(&mut self, mut other: Self) {
        self.told.append(&mut other.told);
        self.suppressed += other.suppressed;
        self.troubles.append(&mut other.troubles);
    }

    /// The same report, each text in it as `conceal` leaves it.
    pub(super) fn concealed(mut self, conceal: impl Fn(String) -> String) -> Self {
        let of_told = self.told.iter_mut();
        let of_told = of_told.flat_map(|told| [&mut told.rule, &mut told.what, &mut told.why, &mut told.fix]);
        for text in of_told.chain(&mut self.troubles) {
            *text = conceal(std::mem::take(text));
        }
        self
    }
}

/// One finding. Its words are foreign: they may say anything.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Told {
    /// `None` where it is about no file of the repository.
    pub(super) path: Option<RepoPath>,
    /// The lines it is about; the first one for a finding about the file.
    pub(super) lines: LineRange,
    pub(super) severity: Severity,
    /// The rule's id; may be empty.
    pub(super) rule: String,
    pub(super) what: String,
    /// What the rule is about and where that is written; may be empty.
    pub(super) why: String,
    /// May be empty.
    pub(super) fix: String,
    /// The report itself calls it old.
    pub(super) is_old: bool,
    /// It kept the tool from looking further: the code does not compile.
    pub(super) is_fatal: bool,
}

/// A range from what a report counts in; lines begin at 1, an end that is missing or nonsense is the start.
pub(super) fn lines(start: Option<i64>, end: Option<i64>) -> LineRange {
    let number = |line: i64| u32::try_from(line).ok().filter(|line| *line > 0);
    let start = start.and_then(number).unwrap_or(1);
    LineRange { start, end: end.and_then(number).unwrap_or(start).max(start) }
}
