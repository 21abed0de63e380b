//! A document that keeps to a length: [`fit`] tells the least weighty entries of its [`Section`]s in brief, then only counts them,
//! until it fits.
//!
//! Entries are kept or left out whole, so markup is never cut. What is not an entry is never left out.

use crate::report::words;

/// Characters kept free for the line that counts what a section lost.
const TOLD: usize = 120;

/// A part of the document.
pub(super) struct Section {
    pub(super) weight: Weight,
    /// Stands in front of the entries.
    pub(super) before: String,
    /// The weightiest first.
    pub(super) entries: Vec<Entry>,
    /// Stands between two entries.
    pub(super) between: &'static str,
    /// Stands behind them.
    pub(super) after: String,
    /// What an entry is, in the singular.
    pub(super) noun: &'static str,
}

/// What a section's entries weigh, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    /// Texts that could not be used.
    Unusable,
    /// Findings that were taken back.
    TakenBack,
    /// Files and values that reviewers did not see, by reason.
    Unseen,
    /// Issues that a human dismissed.
    Dismissed,
    /// Issues whose code is gone.
    Fixed,
    /// How reviewers were asked.
    Asked,
    /// A line a bundle.
    Bundle,
    /// Issues of one lineage, no BLOCK.
    Other,
    /// Findings without a place.
    Loose,
    /// BLOCKs that another lineage refuted.
    Refuted,
    /// From here on all others are cut first: BLOCKs of the last review.
    Carried,
    /// BLOCKs of one lineage.
    Block,
    /// Issues of several lineages.
    Convergent,
    /// What was not read, and why.
    Gap,
    /// Nothing of it can go.
    Fixture,
}

/// What can be told at length, in brief, or not at all.
pub(super) struct Entry {
    pub(super) full: String,
    /// The same in one line; never longer than `full`.
    pub(super) brief: String,
    told: Told,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Full,
    Brief,
    Not,
}

impl Entry {
    pub(super) fn new(full: String, brief: String) -> Self {
        let brief = if length(&brief) < length(&full) { brief } else { full.clone() };
        Self { full, brief, told: Told::Full }
    }

    /// One that is told whole or not at all.
    pub(super) fn line(full: String) -> Self {
        Self { brief: full.clone(), full, told: Told::Full }
    }

    fn text(&self) -> &str {
        match self.told {
            Told::Full => &self.full,
            Told::Brief => &self.brief,
            Told::Not => "",
        }
    }
}

impl Section {
    /// One without entries.
    pub(super) fn fixed(text: String) -> Self {
        let (entries, after) = <_>::default();
        Self { weight: Weight::Fixture, before: text, entries, between: "", after, noun: "" }
    }

    fn is_empty(&self) -> bool {
        self.before.is_empty() && self.entries.is_empty() && self.after.is_empty()
    }

    fn text(&self) -> String {
        let entries: Vec<&str> =
            self.entries.iter().filter(|entry| entry.told != Told::Not).map(Entry::text).collect();
        format!("{}{}{}{}", self.before, entries.join(self.between), self.lost(), self.after)
    }

    /// What of it is told in brief or not at all, as a line; empty for a whole section.
    fn lost(&self) -> String {
        let count = |told| self.entries.iter().filter(|entry| entry.told == told).count();
        let (brief, gone) = (count(Told::Brief), count(Told::Not));
        let mut parts = Vec::new();
        if gone > 0 {
            parts.push(format!("{} left out here", words::count(gone, self.noun)));
        }
        if brief > 0 {
            parts.push(format!("{} in brief", words::count(brief, self.noun)));
        }
        if parts.is_empty() { String::new() } else { format!("\n*{}*\n", parts.join(", ")) }
    }
}

/// Whether all of `sections` is there in `most` characters; those that say nothing are taken out.
pub(super) fn fits(sections: &mut Vec<Section>, most: usize) -> bool {
    sections.retain(|section| !section.is_empty());
    whole(sections) <= most
}

/// The sections one after the other with a line between them, in at most `most` characters as far as leaving out entries goes, and
/// whether all of it is there.
pub(super) fn fit(mut sections: Vec<Section>, most: usize) -> (String, bool) {
    let is_whole = fits(&mut sections, most);
    if !is_whole {
        let with_counts = whole(&sections) + TOLD * sections.len();
        shrink(&mut sections, with_counts, most);
    }
    (joined(&sections), is_whole)
}

/// The sections one after the other with a line between them.
pub(super) fn joined(sections: &[Section]) -> String {
    sections.iter().map(Section::text).collect::<Vec<_>>().join("\n")
}

fn whole(sections: &[Section]) -> usize {
    sections.iter().map(|section| length(&section.text()) + 1).sum()
}

/// Cuts until what has `length` characters has at most `most`.
fn shrink(sections: &mut [Section], mut length_now: usize, most: usize) {
    let mut by_weight: Vec<usize> = (0..sections.len()).collect();
    by_weight.sort_by_key(|at| sections[*at].weight);
    let (minor, major): (Vec<usize>, Vec<usize>) =
        by_weight.into_iter().partition(|at| sections[*at].weight < Weight::Carried);
    let steps = [(&minor, Told::Brief), (&minor, Told::Not), (&major, Told::Brief), (&major, Told::Not)];
    for (told, at) in steps.into_iter().flat_map(|(some, told)| some.iter().map(move |at| (told, *at))) {
        let between = sections[at].between.len();
        for entry in sections[at].entries.iter_mut().rev() {
            if length_now <= most {
                return;
            }
            if told == Told::Brief && entry.brief == entry.full {
                continue;
            }
            let before = length(entry.text());
            entry.told = told;
            let joint = if told == Told::Not { between } else { 0 };
            length_now -= before - length(entry.text()) + joint;
        }
    }
}

/// As platforms count: in characters.
pub(super) fn length(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(weight: Weight, entries: usize) -> Section {
        let entry = |at: usize| Entry::new(format!("{at}: {}\n", "long ".repeat(40)), format!("{at}\n"));
        Section {
            weight,
            before: format!("{weight:?}\n"),
            entries: (0..entries).map(entry).collect(),
            between: "",
            after: String::new(),
            noun: "item",
        }
    }

    fn shown(most: usize) -> String {
        let head = Section::fixed("head\n".to_owned());
        let sections = vec![head, section(Weight::Convergent, 2), section(Weight::Other, 3)];
        let (text, is_whole) = fit(sections, most);
        assert_eq!(is_whole, !text.contains('*'));
        assert!(length(&text) <= most, "{most}: {text}");
        text.replace(&"long ".repeat(40), "…")
    }

    #[test]
    fn the_least_weighty_goes_first() {
        insta::assert_snapshot!(shown(2_000), @"
        head

        Convergent
        0: …
        1: …

        Other
        0: …
        1: …
        2: …
        ");
        insta::assert_snapshot!(shown(1_200), @"
        head

        Convergent
        0: …
        1: …

        Other
        0: …
        1: …
        2: …
        ");
        insta::assert_snapshot!(shown(800), @"
        head

        Convergent
        0: …
        1: …

        Other
        0
        1
        2

        *3 items in brief*
        ");
        insta::assert_snapshot!(shown(500), @"
        head

        Convergent
        0
        1

        *2 items in brief*

        Other

        *3 items left out here*
        ");
    }

    #[test]
    fn what_is_fixed_stays() {
        let (text, is_whole) = fit(vec![Section::fixed("head".to_owned()), section(Weight::Gap, 3)], 10);
        assert_eq!((text.as_str(), is_whole), ("head\nGap\n\n*3 items left out here*\n", false));
    }
}
