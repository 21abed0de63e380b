//! The credentials that reviewers saw markers for, in words: [`lines`], [`in_short`].
//!
//! Kind, number and places only: what a value was is never known here.

use std::collections::HashMap;

use crate::{
    mask::{Mask, Place, Side},
    report::{foreign, words},
};

/// Places shown of one value.
const PLACES_SHOWN: usize = 4;

/// Values shown in a single line.
const VALUES_SHOWN: usize = 6;

/// How many values are masked.
pub fn count(masks: &[Mask]) -> usize {
    by_value(masks).len()
}

/// `aws-key #1: src/a.py:12 and src/b.py:3`, a line a value.
pub fn lines(masks: &[Mask]) -> Vec<String> {
    let told = by_value(masks)
        .into_iter()
        .map(|(name, places)| format!("{name}: {}", words::list_up_to(&places, PLACES_SHOWN)));
    told.collect()
}

/// `2 credentials masked: aws-key #1 and password #1`; `None` when there are none.
pub fn in_short(masks: &[Mask]) -> Option<String> {
    let names: Vec<String> = by_value(masks).into_iter().map(|(name, _)| name).collect();
    let count = words::count(names.len(), "credential");
    (!names.is_empty()).then(|| format!("{count} masked: {}", words::list_up_to(&names, VALUES_SHOWN)))
}

/// Places by value, in the order of the run.
fn by_value(masks: &[Mask]) -> Vec<(String, Vec<String>)> {
    let mut values: Vec<(String, Vec<String>)> = Vec::new();
    let mut at = HashMap::new();
    let mut last = None;
    for mask in masks {
        let position = *at.entry((&mask.kind, mask.number)).or_insert_with(|| {
            values.push((format!("{} #{}", foreign::one_line(&mask.kind), mask.number), Vec::new()));
            values.len() - 1
        });
        let (place, places) = (place(&mask.place), &mut values[position].1);
        // The rows of a key follow one another.
        if !places.contains(&place) && !last.is_some_and(|last| follows(last, mask)) {
            places.push(place);
        }
        last = Some(mask);
    }
    values
}

/// Whether `next` masks the same value on the line after `last`.
fn follows(last: &Mask, next: &Mask) -> bool {
    match (&last.place, &next.place) {
        (
            Place::Line { bundle, path, side, line, .. },
            Place::Line { bundle: next_bundle, path: next_path, side: next_side, line: next_line, .. },
        ) => {
            let same = (bundle, path, side) == (next_bundle, next_path, next_side);
            same && line.saturating_add(1) == *next_line
                && (&last.kind, last.number) == (&next.kind, next.number)
        }
        (Place::Commit { .. }, _) | (_, Place::Commit { .. }) => false,
    }
}

fn place(place: &Place) -> String {
    match place {
        Place::Commit { id } => format!("the message of commit {}", id.get(..10).unwrap_or(id)),
        Place::Line { path, side, line, .. } => {
            let path = foreign::one_line(&path.to_string());
            match side {
                Side::New => format!("{path}:{line}"),
                Side::Old => format!("{path}:{line} before the change"),
                Side::Section => format!("the head of a hunk of {path}"),
                Side::Header => format!("the old file of {path}"),
            }
        }
    }
}
