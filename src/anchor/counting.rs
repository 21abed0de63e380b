//! Line numbers that count something else than the new side's lines: [`Counting`], and where such a number leads.
//!
//! It knows every line of a file as the diff shows it. Whether a number really was meant so is decided in `evidence`.

use crate::finding::LineRange;

/// Longer stretches of lines are not read otherwise than asked for: some name or other stands in them by chance.
const LONGEST_STRETCH: usize = 32;

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Counting {
    /// Lines of the file after the change: what reviewers are asked for.
    New,
    /// Lines of the file before the change.
    Old,
    /// Lines of the bundle's diff.
    Diff,
    /// Lines of the file's own part of the diff, from `diff --git` on.
    Part,
    /// Lines below the file's first `@@` line, as GitHub counts positions.
    Position,
}

impl Counting {
    /// All but the right one.
    pub(super) const OTHERS: [Self; 4] = [Self::Old, Self::Diff, Self::Part, Self::Position];

    /// How it counts, for people.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::New => "the file after the change",
            Self::Old => "the file before the change",
            Self::Diff => "the text of the diff",
            Self::Part => "the file's part of the diff",
            Self::Position => "the diff from the file's first hunk on",
        }
    }
}

/// Where the numbers of each counting lead, for one file: to positions in its list of shown lines.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    /// Counting, bundle (0 for the file's own lines) and number, with where they lead; in order once settled.
    at: Vec<((Counting, u32, u32), usize)>,
}

impl Numbers {
    /// Learns that `number` means the shown line at `position`. The first one of a number stays.
    pub(super) fn add(&mut self, counting: Counting, bundle: u32, number: u32, position: usize) {
        self.at.push(((counting, own(counting, bundle), number), position));
    }

    /// Makes ready for reading.
    pub(super) fn settle(&mut self) {
        // Stable: of one number the first one comes first.
        self.at.sort_by_key(|(number, _)| *number);
        self.at.dedup_by_key(|(number, _)| *number);
    }

    /// The shown lines, first and last, that `lines` mean when counted so in the text of `bundle`.
    pub(super) fn read(&self, counting: Counting, bundle: u32, lines: LineRange) -> Option<(usize, usize)> {
        let find = |number| {
            let wanted = (counting, own(counting, bundle), number);
            let at = self.at.binary_search_by_key(&wanted, |(number, _)| *number).ok()?;
            Some(self.at[at].1)
        };
        let (first, last) = (find(lines.start)?, find(lines.end)?);
        last.checked_sub(first).filter(|more| *more < LONGEST_STRETCH).map(|_| (first, last))
    }
}

/// Lines of a file are the same whatever bundle shows them.
fn own(counting: Counting, bundle: u32) -> u32 {
    match counting {
        Counting::New | Counting::Old => 0,
        Counting::Diff | Counting::Part | Counting::Position => bundle,
    }
}
