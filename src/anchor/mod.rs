//! Checks each finding's place against the bundle it was made about, and moves it where it is proven wrong.
//!
//! The main type is [`Places`], the change as a map of places; [`anchor`] is the same for a single reply. No finding is
//! ever dropped: a place that cannot be found is named so.

mod counting;
mod define;
mod evidence;
mod language;
mod map;
mod paths;
mod quote;
mod spot;
mod symbol;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use crate::{
    bundle::Bundle,
    finding::{Anchor, Finding, LAST_LINE, LineRange, Location},
};
use counting::Counting;
use evidence::{Names, Proof};
use paths::{unprefixed, why_no_path};
use spot::Site;

pub use map::Places;
pub(crate) use map::squeeze;
pub(crate) use symbol::{blocks, plain_name};

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
    /// The text of the anchored line, at most 1,000 bytes, when it is in the bundle; part of an issue's id.
    pub code: Option<String>,
    /// The further places of the finding, checked likewise, in the reviewer's order.
    pub also: Vec<Place>,
}

/// A place that was checked. Its fields are those of [`Anchored`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Repository path; `None` when nowhere.
    pub path: Option<String>,
    /// New-side lines.
    pub lines: Option<LineRange>,
    /// The enclosing function or type.
    pub symbol: Option<String>,
    /// How the place relates to the change.
    pub anchor: Anchor,
    /// What was corrected, for people.
    pub note: Option<String>,
    /// The text of the anchored line.
    pub code: Option<String>,
}

/// Places `findings` in `bundle`; `change` are all bundles of the run (a finding may name a file of another one).
/// With no bundle at hand every place is `Unchecked`.
pub fn anchor(findings: Vec<Finding>, bundle: Option<&Bundle>, change: &[Bundle]) -> Vec<Anchored> {
    let own = bundle.filter(|own| change.iter().all(|other| other.id != own.id));
    let places = Places::new(change.iter().chain(own));
    places.anchor(findings, bundle.map(|own| own.id.as_str()))
}

impl Places<'_> {
    /// Places the findings of one reply about the bundle named `bundle`. Without any bundle in the map, or about a
    /// bundle that is not in it, places are `Unchecked`. Findings are placed one by one, but for how their lines are
    /// counted: a reply that proves to count otherwise than it was asked to is read so throughout.
    pub fn anchor(&self, findings: Vec<Finding>, bundle: Option<&str>) -> Vec<Anchored> {
        let own = bundle.and_then(|id| Some((id, self.number_of(id)?)));
        let findings: Vec<Finding> =
            findings.into_iter().map(|finding| self.taken_literally(finding)).collect();
        let habit = own.map(|own| self.habit(&findings, own)).unwrap_or_default();
        findings.into_iter().map(|finding| self.anchor_one(finding, own, &habit)).collect()
    }

    /// The same finding; where its place is written as prompts show it, that is its place, whatever marks, quotes or escapes
    /// in the file's name could be read as.
    fn taken_literally(&self, finding: Finding) -> Finding {
        let written = finding.where_text.trim();
        let numbered = written.rsplit_once(':').and_then(|(path, lines)| Some((path, range(lines)?)));
        let (path, lines) = numbered.map_or((written, None), |(path, lines)| (path, Some(lines)));
        if !self.has_file(path) || finding.location.as_ref().is_some_and(|location| location.path == path) {
            return finding;
        }
        let location = Location { path: path.to_owned(), lines, symbol: None };
        Finding { location: Some(location), also_at: Vec::new(), ..finding }
    }

    fn anchor_one(&self, finding: Finding, bundle: Option<(&str, u32)>, habit: &[Counting]) -> Anchored {
        let location = finding.location.clone().unwrap_or_default();
        let place = self.place(&location, Some(&finding), bundle, habit);
        let further = |further| self.place(further, None, bundle, habit);
        let also = finding.also_at.iter().map(further).collect();
        let Place { path, lines, symbol, anchor, note, code } = place;
        Anchored { finding, path, lines, symbol, anchor, note, code, also }
    }

    /// The quote and the names of `finding`, where it is given, have a say.
    fn place(
        &self,
        location: &Location,
        finding: Option<&Finding>,
        bundle: Option<(&str, u32)>,
        habit: &[Counting],
    ) -> Place {
        let Some((id, number)) = bundle else {
            return unchecked(location, finding);
        };
        let Some((path, file)) = self.file_of(&location.path, id) else {
            return without_file(location);
        };
        let is_as_written = path == location.path || unprefixed(&location.path) == Some(path);
        let read_as = (!is_as_written).then(|| format!("path read as {path}"));
        let spot = Site { file, bundle: number, location, habit }.spot(finding);
        let notes = [read_as, spot.note].into_iter().flatten();
        Place {
            path: Some(path.to_owned()),
            lines: spot.lines,
            symbol: spot.symbol,
            anchor: spot.anchor,
            code: spot.code,
            note: notes.reduce(|all, one| format!("{all}; {one}")),
        }
    }

    /// Other ways of counting that the reply has: two findings at least prove it at different places, and none speaks
    /// of what stands where its number leads in the file after the change.
    fn habit(&self, findings: &[Finding], (id, number): (&str, u32)) -> Vec<Counting> {
        let mut places = BTreeSet::new();
        let mut shared = Counting::OTHERS.to_vec();
        for finding in findings {
            let Some(location) = &finding.location else { continue };
            let (Some((path, file)), Some(lines)) = (self.file_of(&location.path, id), location.lines) else {
                continue;
            };
            let names = Names::of(finding);
            let leads = |counting: &Counting| file.numbers.read(*counting, number, lines);
            if leads(&Counting::New).is_some_and(|(first, last)| names.touch(file, first, last)) {
                return Vec::new();
            }
            let proven = |counting: &Counting| {
                leads(counting).is_some_and(|place| names.prove(file, place, Proof::Supported))
            };
            let proven: Vec<Counting> = Counting::OTHERS.into_iter().filter(proven).collect();
            if !proven.is_empty() {
                shared.retain(|counting| proven.contains(counting));
                places.insert((path, lines));
            }
        }
        if places.len() < 2 { Vec::new() } else { shared }
    }
}

/// `3` or `3-5`.
fn range(text: &str) -> Option<LineRange> {
    let (start, end) = text.split_once('-').unwrap_or((text, text));
    let line = |text: &str| text.parse().ok().filter(|line| (1..=LAST_LINE).contains(line));
    Some(LineRange::new(line(start)?, line(end)?))
}

fn unchecked(location: &Location, finding: Option<&Finding>) -> Place {
    let code = finding.and_then(|finding| finding.quote.clone());
    let anchor = if location.path.is_empty() { Anchor::Nowhere } else { Anchor::Unchecked };
    Place { code, ..as_given(location, anchor) }
}

/// The change has no such file: `Outside` when the path could be one of the repository, `Nowhere` when it could not.
fn without_file(location: &Location) -> Place {
    match why_no_path(&location.path) {
        None => as_given(location, Anchor::Outside),
        Some(why) => Place { note: Some(why.to_owned()), ..as_given(location, Anchor::Nowhere) },
    }
}

fn as_given(location: &Location, anchor: Anchor) -> Place {
    let placed = anchor != Anchor::Nowhere;
    Place {
        path: placed.then(|| unprefixed(&location.path).unwrap_or(&location.path).to_owned()),
        lines: location.lines.filter(|_| placed),
        symbol: location.symbol.clone(),
        anchor,
        note: None,
        code: None,
    }
}
