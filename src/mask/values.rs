//! Keeps values out of text that came from elsewhere: [`Values`].
//!
//! Replies of programs that read the repository themselves may repeat a value that the bundles show: the tally is made of
//! their text without it.

use std::borrow::Cow;

use aho_corasick::{AhoCorasick, MatchKind};

use super::{Markers, Mask, lines::Text, placeholder};
use crate::bundle::Bundle;

/// The masked values of a run, read from its bundles.
pub struct Values {
    values: AhoCorasick,
    markers: Vec<String>,
}

impl Values {
    /// What `masks` say of `bundles`, as far as it can be told from words. `None` when there is nothing.
    pub fn of(bundles: &[Bundle], masks: &[Mask]) -> Option<Self> {
        let markers = Markers::new(masks);
        let mut values: Vec<(Vec<u8>, String)> = Vec::new();
        for (bundle, file) in
            bundles.iter().flat_map(|bundle| bundle.files.iter().map(move |file| (bundle, file)))
        {
            let Some(markers) = markers.of(&bundle.id, &file.path) else { continue };
            for line in Text::of_file(&bundle.id, file).lines {
                let spans = markers.get(&(line.side, line.number)).into_iter().flatten();
                values.extend(
                    spans.filter_map(|(at, marker)| {
                        Some((line.text.get(at.clone())?.to_vec(), marker.clone()))
                    }),
                );
            }
        }
        values.retain(|(value, _)| placeholder::is_telling(value) && std::str::from_utf8(value).is_ok());
        values.sort_unstable();
        values.dedup_by(|a, b| a.0 == b.0);
        let (values, markers): (Vec<_>, Vec<_>) = values.into_iter().unzip();
        let values = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&values).ok()?;
        (!markers.is_empty()).then_some(Self { values, markers })
    }

    /// `text` with markers in place of the values.
    pub fn conceal<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.values.is_match(text) {
            Cow::Owned(self.values.replace_all(text, &self.markers))
        } else {
            Cow::Borrowed(text)
        }
    }
}
