//! The register of known gaps: what differs between sides and was accepted, by whom and until when. [`Register::judge`] holds it
//! against what was compared.
//!
//! A gap accepts divergences only. A failed check or a review that holds cannot be accepted here.

use std::{collections::BTreeSet, fmt};

use globset::{GlobBuilder, GlobMatcher};
use jiff::civil::Date;

/// The words that a gap's `shape` may be; those of `parity::Kind`, without those of remarks.
pub const SHAPES: [&str; 14] = [
    "status",
    "structure",
    "missing",
    "repeated",
    "type",
    "value",
    "length",
    "order",
    "form",
    "line-endings",
    "final-newline",
    "byte-order-mark",
    "text",
    "bytes",
];

/// An accepted divergence: `[[gap]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// A glob on `SPEC/CASE`; `*` stands for `/` too.
    pub matches: String,
    /// Only differences of this shape, by its word; `None` for any.
    pub shape: Option<String>,
    /// Why it may stay, for people.
    pub why: String,
    /// Who answers for that.
    pub accepted_by: String,
    /// The first day on which it is accepted, UTC.
    pub since: Option<Date>,
    /// The last day on which it is, UTC.
    pub until: Option<Date>,
}

/// A glob that does not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("matches = {glob:?} is no glob: {reason}")]
pub struct BadGlob {
    /// As written.
    pub glob: String,
    /// What is wrong with it.
    pub reason: String,
}

/// All gaps, in the order of the file.
#[derive(Debug, Clone, Default)]
pub struct Register(Vec<(Gap, GlobMatcher)>);

/// A case of a spec, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Name of the spec.
    pub spec: String,
    /// Name of the case.
    pub case: String,
    /// What came of it.
    pub end: End,
}

/// What came of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// All sides answered alike.
    Same,
    /// They did not; by the words of the shapes of all differences.
    Differs(Vec<String>),
    /// It could not be compared.
    Unknown,
}

/// What became of a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It accepts divergences that occurred.
    Accepted,
    /// They occurred, but its time is over.
    Expired,
    /// They occurred, but its time has not come.
    NotYet,
    /// What it accepts was compared and no longer occurs.
    Closed,
    /// It fits no case that there is.
    FitsNothing,
    /// What it accepts could not be compared, or was not.
    Unknown,
}

impl Standing {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Expired => "expired",
            Self::NotYet => "not yet in force",
            Self::Closed => "no longer occurs",
            Self::FitsNothing => "fits no case",
            Self::Unknown => "not compared",
        }
    }
}

/// A gap and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// As registered.
    pub gap: Gap,
    /// What became of it.
    pub standing: Standing,
    /// The divergences it fits, as `SPEC/CASE`, in the order they were compared.
    pub cases: Vec<String>,
}

/// The register held against what was compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judged {
    /// Every gap, in the order of the file.
    pub entries: Vec<Entry>,
    /// For each case that was seen, the places in `entries` of the gaps that accept all of its differences; empty for a
    /// case without a divergence, and for one of which a difference is not accepted.
    pub accepted: Vec<Vec<usize>>,
}

impl Gap {
    fn standing_on(&self, today: Date) -> Standing {
        match (self.since, self.until) {
            (_, Some(until)) if today > until => Standing::Expired,
            (Some(since), _) if today < since => Standing::NotYet,
            _ => Standing::Accepted,
        }
    }

    /// Whether it is about one difference at least of these shapes.
    fn is_of_any(&self, shapes: &[String]) -> bool {
        self.shape.as_ref().is_none_or(|only| shapes.contains(only))
    }
}

impl Register {
    /// Reads the globs.
    pub fn new(gaps: Vec<Gap>) -> Result<Self, BadGlob> {
        let compiled = |gap: Gap| {
            let bad = |reason: String| BadGlob { glob: gap.matches.clone(), reason };
            if gap.matches.trim().is_empty() {
                return Err(bad("it names nothing".to_owned()));
            }
            let glob = GlobBuilder::new(&gap.matches).literal_separator(false).build();
            let glob = glob.map_err(|error| bad(error.kind().to_string()))?;
            Ok((gap, glob.compile_matcher()))
        };
        gaps.into_iter().map(compiled).collect::<Result<_, _>>().map(Self)
    }

    /// What becomes of each gap `today`, and which divergence is accepted by which: for each difference the first that fits and
    /// is in force.
    ///
    /// `is_all`: every declared spec was compared, so that a gap that fits no case in `seen` fits none at all.
    pub fn judge(&self, seen: &[Seen], is_all: bool, today: Date) -> Judged {
        let accepted = seen.iter().map(|one| self.accepting(one, today)).collect();
        let entry = |entry: &(Gap, GlobMatcher)| {
            let cases: Vec<String> =
                seen.iter().filter(|one| differs(entry, one)).map(Seen::to_string).collect();
            let standing =
                if cases.is_empty() { quiet(entry, seen, is_all) } else { entry.0.standing_on(today) };
            Entry { gap: entry.0.clone(), standing, cases }
        };
        Judged { entries: self.0.iter().map(entry).collect(), accepted }
    }

    /// The gaps that accept the differences of `one` `today`; empty when one of those is accepted by none.
    fn accepting(&self, one: &Seen, today: Date) -> Vec<usize> {
        let End::Differs(shapes) = &one.end else { return Vec::new() };
        let fits = |(gap, glob): &(Gap, GlobMatcher)| {
            gap.standing_on(today) == Standing::Accepted && glob.is_match(one.to_string())
        };
        let accepts = |shape: &String| {
            self.0.iter().position(|entry| fits(entry) && entry.0.is_of_any(std::slice::from_ref(shape)))
        };
        let by_shape: Option<BTreeSet<usize>> = shapes.iter().map(accepts).collect();
        by_shape.unwrap_or_default().into_iter().collect()
    }
}

/// Whether a gap is about the divergence of a case, if it has one.
fn differs((gap, glob): &(Gap, GlobMatcher), one: &Seen) -> bool {
    match &one.end {
        End::Differs(shapes) => gap.is_of_any(shapes) && glob.is_match(one.to_string()),
        End::Same | End::Unknown => false,
    }
}

/// What becomes of a gap to which no divergence belongs.
fn quiet((_, glob): &(Gap, GlobMatcher), seen: &[Seen], is_all: bool) -> Standing {
    let fitting: Vec<&Seen> = seen.iter().filter(|one| glob.is_match(one.to_string())).collect();
    if fitting.is_empty() {
        return if is_all { Standing::FitsNothing } else { Standing::Unknown };
    }
    let is_unknown = fitting.iter().any(|one| one.end == End::Unknown);
    if is_unknown { Standing::Unknown } else { Standing::Closed }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.spec, self.case)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn gap(matches: &str) -> Gap {
        Gap {
            matches: matches.to_owned(),
            shape: None,
            why: "known".to_owned(),
            accepted_by: "Ines".to_owned(),
            since: Some(date(2026, 5, 2)),
            until: Some(date(2026, 12, 31)),
        }
    }

    fn seen() -> Vec<Seen> {
        let differs = || End::Differs(vec!["structure".to_owned()]);
        let cases = [("happy", End::Same), ("phantom", differs()), ("down", End::Unknown)];
        let seen = |(case, end): (&str, End)| Seen { spec: "v".to_owned(), case: case.to_owned(), end };
        cases.map(seen).into()
    }

    /// The standing of one gap, and the divergences it fits.
    fn check(gap: Gap, today: Date, is_all: bool, expect: (Standing, &[&str])) {
        let judged = Register::new(vec![gap]).unwrap().judge(&seen(), is_all, today);
        let [entry] = judged.entries.as_slice() else { panic!("{judged:?}") };
        let cases: Vec<&str> = entry.cases.iter().map(String::as_str).collect();
        assert_eq!((entry.standing, cases.as_slice()), expect, "{entry:?}");
        let accepts = entry.standing == Standing::Accepted;
        assert_eq!(judged.accepted, [vec![], if accepts { vec![0] } else { vec![] }, vec![]]);
    }

    #[test]
    fn accepted_from_the_first_day_to_the_last() {
        let fits: &[&str] = &["v/phantom"];
        check(gap("v/*"), date(2026, 5, 1), true, (Standing::NotYet, fits));
        check(gap("v/*"), date(2026, 5, 2), true, (Standing::Accepted, fits));
        check(gap("v/*"), date(2026, 12, 31), true, (Standing::Accepted, fits));
        check(gap("v/*"), date(2027, 1, 1), true, (Standing::Expired, fits));
        check(
            Gap { since: None, until: None, ..gap("*") },
            date(2099, 1, 1),
            true,
            (Standing::Accepted, fits),
        );
    }

    #[test]
    fn what_does_not_occur_is_called_out() {
        let today = date(2026, 6, 1);
        check(gap("v/happy"), today, true, (Standing::Closed, &[]));
        check(gap("v/h*"), date(2027, 6, 1), true, (Standing::Closed, &[]));
        check(gap("v/down"), today, true, (Standing::Unknown, &[]));
        check(gap("w/*"), today, true, (Standing::FitsNothing, &[]));
        check(gap("w/*"), today, false, (Standing::Unknown, &[]));
    }

    #[test]
    fn a_shape_narrows() {
        let of = |shape: &str| Gap { shape: Some(shape.to_owned()), ..gap("v/phantom") };
        check(of("structure"), date(2026, 6, 1), true, (Standing::Accepted, &["v/phantom"]));
        check(of("value"), date(2026, 6, 1), true, (Standing::Closed, &[]));
    }

    #[test]
    fn the_first_in_force_accepts() {
        let expired = Gap { until: Some(date(2026, 5, 31)), ..gap("v/*") };
        let register = Register::new(vec![expired, gap("v/p*"), gap("*")]).unwrap();
        let judged = register.judge(&seen(), true, date(2026, 6, 1));
        assert_eq!(judged.accepted, [vec![], vec![1], vec![]]);
        let standings: Vec<_> = judged.entries.iter().map(|entry| entry.standing).collect();
        assert_eq!(standings, [Standing::Expired, Standing::Accepted, Standing::Accepted]);
    }

    #[test]
    fn every_difference_of_a_case_must_be_accepted() {
        let of = |shape: &str| Gap { shape: Some(shape.to_owned()), ..gap("v/*") };
        let shapes = ["structure", "value"].map(str::to_owned).to_vec();
        let seen = [Seen { spec: "v".to_owned(), case: "two".to_owned(), end: End::Differs(shapes) }];
        let check = |gaps: Vec<Gap>, expect: &[usize]| {
            let judged = Register::new(gaps).unwrap().judge(&seen, true, date(2026, 6, 1));
            assert_eq!(judged.accepted, [expect]);
            assert!(judged.entries.iter().all(|entry| entry.cases == ["v/two"]), "{judged:?}");
        };
        check(vec![of("value")], &[]);
        check(vec![of("value"), of("structure")], &[0, 1]);
        check(vec![gap("v/two"), of("structure")], &[0]);
    }

    #[test]
    fn a_glob_that_does_not_read() {
        let check = |glob: &str, expect: &str| {
            assert_eq!(Register::new(vec![gap(glob)]).unwrap_err().to_string(), expect);
        };
        check(" ", "matches = \" \" is no glob: it names nothing");
        check("v/[", "matches = \"v/[\" is no glob: unclosed character class; missing ']'");
    }
}
