//! Keeps the values of credentials from reviewers: [`find`] says where a run shows some, [`shown`] puts markers such as
//! `[masked: aws-key #1]` in their place.
//!
//! The main type is [`Mask`]. Bundles themselves stay true, since they are diffs that apply; whoever is asked by a prompt
//! gets [`shown`], and the tally is made of it. Lines keep their number and everything but the value, so that a place in
//! an answer stays a place. A value is never written anywhere, nor a hash of it: a mask says where it stands.

mod block;
mod lines;
mod placeholder;
mod rules;
mod scan;
#[cfg(test)]
mod tests;
mod values;

use std::{borrow::Cow, collections::HashMap, ops::Range};

use crate::{
    bundle::Bundle,
    change::{Commit, FilePatch, RepoPath},
};
use lines::{Line, Text};
use scan::Span;
pub use values::Values;

/// One piece of text that reviewers see a marker for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask {
    /// What it is: `aws-key`, `password`, `private-key`.
    pub kind: String,
    /// The same for the same value throughout a run; counted for each kind from 1.
    pub number: u32,
    /// Where it stands.
    pub place: Place,
}

/// Where a value stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In a commit's message, which is told to reviewers as intent.
    Commit {
        /// Full commit id.
        id: String,
    },
    /// In a line of a bundle.
    Line {
        /// Bundle id.
        bundle: String,
        /// The file.
        path: RepoPath,
        /// What the line's number counts.
        side: Side,
        /// 1-based.
        line: u32,
        /// Bytes of the line, behind the diff's sign.
        at: Range<usize>,
    },
}

/// Which lines of a file's patch a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Those of the file after the change: added and unchanged ones.
    New,
    /// Those of the file before the change: removed ones.
    Old,
    /// The `@@` line of the hunk that begins at this line of the new side.
    Section,
    /// Those of the patch's header, where a change of kind shows the deleted file.
    Header,
}

impl Side {
    /// The word used in tallies.
    pub fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Old => "old",
            Self::Section => "section",
            Self::Header => "header",
        }
    }
}

impl Mask {
    /// What stands in the value's place.
    pub fn marker(&self) -> String {
        format!("[masked: {} #{}]", self.kind, self.number)
    }
}

/// Whether a line of code or prose holds what looks like a credential, and is better not repeated.
pub fn holds_credential(line: &[u8]) -> bool {
    scan::holds_any(line)
}

/// Finds the credentials in `bundles`, and masks those in the messages of `commits`.
///
/// Linear in the size of both. A value that was found once is masked wherever else it stands, if it is long and irregular
/// enough to be no word.
pub fn find(bundles: &[Bundle], commits: &mut [Commit]) -> Vec<Mask> {
    let messages: Vec<String> = commits.iter().map(|commit| commit.message.clone()).collect();
    let files = bundles.iter().flat_map(|bundle| bundle.files.iter().map(move |file| (bundle, file)));
    let mut texts: Vec<Text<'_>> = files.map(|(bundle, file)| Text::of_file(&bundle.id, file)).collect();
    let shown = texts.len();
    texts.extend(messages.iter().map(|message| Text::of_message(message)));
    scan::everywhere(&mut texts);
    let mut numbers = Numbers::default();
    let mut masks = Vec::new();
    for text in &texts[..shown] {
        masks.extend(text.spans().map(|(line, span)| numbers.mask(span, text.place(line, span.at.clone()))));
    }
    for (commit, text) in commits.iter_mut().zip(&texts[shown..]) {
        let place = |_: &Line<'_>| Place::Commit { id: commit.id.clone() };
        let own: Vec<Mask> = text.spans().map(|(line, span)| numbers.mask(span, place(line))).collect();
        let markers = own.iter().map(Mask::marker);
        commit.message = text.rewritten(markers);
        masks.extend(own);
    }
    masks
}

/// Prose with every credential in it masked, without a number: for text that stands beside the change.
pub fn without_credentials(prose: &str) -> String {
    let mut texts = [Text::of_message(prose)];
    scan::everywhere(&mut texts);
    let [text] = &texts;
    let markers = text.spans().map(|(_, span)| format!("[masked: {}]", span.kind));
    let end = if prose.ends_with('\n') { "\n" } else { "" };
    if text.spans().next().is_none() { prose.to_owned() } else { text.rewritten(markers) + end }
}

/// Which number a value has.
#[derive(Default)]
struct Numbers<'t> {
    /// By value: the kind it was first found as, and its number.
    by_value: HashMap<&'t [u8], (&'static str, u32)>,
    last: HashMap<&'static str, u32>,
}

impl<'t> Numbers<'t> {
    fn mask(&mut self, span: &'t Span, place: Place) -> Mask {
        let last = &mut self.last;
        let (kind, number) = *self.by_value.entry(&span.value).or_insert_with(|| {
            let number = last.entry(span.kind).or_default();
            *number += 1;
            (span.kind, *number)
        });
        Mask { kind: kind.to_owned(), number, place }
    }
}

/// The bundles as reviewers see them: the same lines, markers in place of values.
pub fn shown<'b>(bundles: &'b [Bundle], masks: &[Mask]) -> Cow<'b, [Bundle]> {
    if masks.is_empty() {
        return Cow::Borrowed(bundles);
    }
    let markers = Markers::new(masks);
    let masked = |bundle: &Bundle| Bundle {
        files: bundle.files.iter().map(|file| markers.put_into(&bundle.id, file)).collect(),
        ..bundle.clone()
    };
    Cow::Owned(bundles.iter().map(masked).collect())
}

/// Markers by where they stand.
struct Markers<'m>(HashMap<&'m str, HashMap<&'m RepoPath, LineMarkers>>);

/// By side and line: the bytes and what stands in their place.
type LineMarkers = HashMap<(Side, u32), Vec<(Range<usize>, String)>>;

impl<'m> Markers<'m> {
    fn new(masks: &'m [Mask]) -> Self {
        let mut markers: HashMap<&str, HashMap<&RepoPath, LineMarkers>> = HashMap::new();
        for mask in masks {
            if let Place::Line { bundle, path, side, line, at } = &mask.place {
                let lines = markers.entry(bundle).or_default().entry(path).or_default();
                lines.entry((*side, *line)).or_default().push((at.clone(), mask.marker()));
            }
        }
        for spans in markers.values_mut().flat_map(HashMap::values_mut).flat_map(HashMap::values_mut) {
            spans.sort_by_key(|(at, _)| at.start);
        }
        Self(markers)
    }

    fn of(&self, bundle: &str, path: &RepoPath) -> Option<&LineMarkers> {
        self.0.get(bundle)?.get(path)
    }

    fn put_into(&self, bundle: &str, file: &FilePatch) -> FilePatch {
        let Some(markers) = self.of(bundle, &file.path) else { return file.clone() };
        let replaced = |side, number, text: &[u8]| {
            let spans = markers.get(&(side, number)).map(Vec::as_slice).unwrap_or_default();
            lines::replaced(text, spans.iter().map(|(at, marker)| (at.clone(), marker.as_str())))
        };
        lines::map(file, replaced)
    }
}
