//! The one comment with the tally: [`body`], and which run it tells of, [`Stamp`].
//!
//! The words are those of `report::markdown`; the record for the next review is `record`'s.

use jiff::Timestamp;

use super::{TALLY_MARK, record};
use crate::{
    report::markdown,
    tally::{Tally, gate::Gate, since::Last},
};

/// What the second line begins with; run, start and commit follow, then ` -->`.
const RUN_MARK: &str = "<!-- scrum:run ";
const END: &str = " -->";

/// Which run a comment tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// Its id.
    pub run: String,
    /// When it started.
    pub started_at: Timestamp,
    /// Full id of the commit it is about.
    pub head: String,
}

impl Stamp {
    /// That of `tally`; `None` when it is about no commit.
    pub fn of(tally: &Tally) -> Option<Self> {
        let head = tally.since.as_ref().map(|since| &since.pull.head).or(tally.range.head.as_ref())?;
        let started_at = tally.run.started_at.parse().ok()?;
        Some(Self { run: tally.run.id.clone(), started_at, head: head.clone() })
    }

    /// That of a comment; `None` when it bears none that can be read.
    pub fn read(body: &str) -> Option<Self> {
        let line = body.lines().nth(1)?.trim().strip_prefix(RUN_MARK)?.strip_suffix(END)?;
        let [run, started_at, head] = line.split(' ').collect::<Vec<_>>().try_into().ok()?;
        Some(Self { run: run.to_owned(), started_at: started_at.parse().ok()?, head: head.to_owned() })
    }

    /// Whether what this tells of must not give way to `other`, where the pull request is at `head`: it alone is of that commit, or both
    /// or neither are and it started later.
    pub fn outranks(&self, other: &Self, head: &str) -> bool {
        let ranks = match (self.head == head, other.head == head) {
            (true, false) => true,
            (false, true) => false,
            (true, true) | (false, false) => self.started_at > other.started_at,
        };
        ranks && self.run != other.run
    }

    fn line(&self) -> String {
        let Self { run, started_at, head } = self;
        format!("{RUN_MARK}{run} {started_at} {head}{END}")
    }
}

/// The text, in at most `most` characters. `notes` are lines of Markdown to stand below the verdict; `appendix` is
/// Markdown to stand below the tally, left out where it would take more than a quarter of the room. A run that leaves no record keeps that
/// of `old`, the text in whose place it is put.
pub fn body(
    tally: &Tally,
    gate: &Gate,
    stamp: &Stamp,
    most: usize,
    notes: &[String],
    appendix: &str,
    old: Option<&str>,
) -> String {
    let head = format!("{TALLY_MARK}\n{}\n", stamp.line());
    // A quarter of the room at least is the tally's, whatever there is to remember and to add.
    let record = match Last::left_by(tally, gate) {
        Some(last) => record::line(&last, most / 2),
        None => old.and_then(record::standing).filter(|line| line.len() <= most / 2).map(str::to_owned),
    };
    let record = record.map(|line| format!("\n{line}\n")).unwrap_or_default();
    let appendix = if appendix.chars().count() <= most / 4 { appendix } else { "" };
    let taken = [&head, appendix, &record].iter().map(|part| part.chars().count()).sum();
    format!("{head}{}{appendix}{record}", markdown::within(tally, gate, most.saturating_sub(taken), notes))
}

/// Whether two texts are the same to a platform, which may change the ends of lines and of the text. Zero-width spaces do not count:
/// one before a line's `/` keeps GitLab from taking it for a command.
pub fn is_same(one: &str, other: &str) -> bool {
    let line = |line: &str| line.replace('\u{200b}', "").trim_end().to_owned();
    let lines = |text: &str| text.trim_end().lines().map(line).collect::<Vec<_>>();
    lines(one) == lines(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(run: &str, minute: u32, head: &str) -> Stamp {
        let started_at = format!("2026-11-21T04:{minute:02}:00Z").parse().unwrap();
        Stamp { run: run.to_owned(), started_at, head: head.to_owned() }
    }

    #[test]
    fn a_stamp_is_read_back() {
        let written = stamp("20261121-041812-9b0e77d", 18, "9b0e77d1");
        let body = format!("{TALLY_MARK}\n{}\n## scrum", written.line());
        assert_eq!(Stamp::read(&body), Some(written.clone()));
        assert_eq!(Stamp::read(&body.replace('\n', "\r\n")), Some(written));
        for text in
            ["", "a\nb", "a\n<!-- scrum:run x y z -->", "a\n<!-- scrum:run x -->", "a\n<!-- scrum:run "]
        {
            assert_eq!(Stamp::read(text), None, "{text}");
        }
    }

    #[test]
    fn an_older_run_gives_way() {
        let check = |theirs: Stamp, ours: Stamp, expect: bool| {
            assert_eq!(theirs.outranks(&ours, "last"), expect, "{theirs:?} {ours:?}");
        };
        check(stamp("b", 2, "last"), stamp("a", 1, "old"), true);
        check(stamp("b", 2, "last"), stamp("a", 1, "last"), true);
        check(stamp("b", 2, "old"), stamp("a", 1, "older"), true);
        check(stamp("b", 1, "last"), stamp("a", 2, "last"), false);
        check(stamp("a", 2, "last"), stamp("a", 1, "last"), false);
        // Reviewed later, but of a commit that is not the last one.
        check(stamp("b", 2, "old"), stamp("a", 1, "last"), false);
        check(stamp("b", 1, "last"), stamp("a", 2, "old"), true);
    }

    #[test]
    fn ends_of_lines_are_the_platforms() {
        assert!(is_same("a\nb\n", "a\r\nb") && is_same("a  \nb", "a\nb\n\n"));
        assert!(is_same("a\n\u{200b}/merge\n", "a\n/merge"));
        assert!(!is_same("a\nb", "a\n\nb"));
    }
}
