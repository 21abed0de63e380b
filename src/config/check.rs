//! What the entries of a configuration must say to be of use: [`ranges`] of numbers, [`globs`] that can be read, [`panels`] of reviewers that there are.

use std::collections::BTreeMap;

use super::{AUTO, ConfigError, LONGEST_SECS, error::nearest, file, place::Entry};
use crate::{
    bundle::{Globs, SplitError},
    reviewer::Reviewer,
};

/// Numbers are in their range. Those of the gate are checked where its policy is made.
pub(super) fn ranges(file: &file::File) -> Result<(), ConfigError> {
    let file::File { review, bundle, serve, .. } = file;
    range("review.concurrency", review.concurrency as u64, 1, 1000)?;
    range("review.timeout_secs", review.timeout_secs, 1, LONGEST_SECS)?;
    range("review.idle_timeout_secs", review.idle_timeout_secs, 1, LONGEST_SECS)?;
    range("serve.keep_secs", serve.keep_secs, 0, 24 * 3600)?;
    range("serve.request_bytes", serve.request_bytes as u64, 1, 1 << 30)?;
    range("serve.answer_secs", serve.answer_secs, 1, LONGEST_SECS)?;
    range("serve.retries", serve.retries.into(), 0, 10)?;
    range("serve.upstream_calls", serve.upstream_calls as u64, 1, 100_000)?;
    range("serve.waiting", serve.waiting as u64, 0, 1_000_000)?;
    range("serve.wait_secs", serve.wait_secs, 0, LONGEST_SECS)?;
    range("serve.grace_secs", serve.grace_secs, 0, 3600)?;
    range("bundle.fail_bytes", bundle.fail_bytes as u64, bundle.warn_bytes as u64, 1 << 40)
}

/// The number at `key` is from `least` to `most`.
pub(super) fn range(key: &'static str, value: u64, least: u64, most: u64) -> Result<(), ConfigError> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(ConfigError::OutOfRange { key, value, least, most })
}

/// Every list of globs can be read, and those that an entry lives by are not empty.
pub(super) fn globs(file: &file::File) -> Result<(), ConfigError> {
    readable(Entry::Key("bundle.include"), &file.bundle.include)?;
    readable(Entry::Key("bundle.exclude"), &file.bundle.exclude)?;
    for (number, component) in (1..).zip(&file.component) {
        let entry = Entry::Numbered("component", number);
        if component.name.trim().is_empty() {
            return Err(ConfigError::Entry { entry, reason: "needs a `name`".to_owned() });
        }
        needed(entry, &component.paths)?;
    }
    for (number, rule) in (1..).zip(&file.guidance.rule) {
        needed(Entry::Numbered("guidance.rule", number), &rule.paths)?;
    }
    for (number, route) in (1..).zip(&file.route) {
        readable(Entry::Numbered("route", number), &route.paths)?;
    }
    file.reviewer.iter().try_for_each(|one| readable(Entry::Reviewer(one.id.clone()), &one.paths))
}

fn needed(entry: Entry, globs: &[String]) -> Result<(), ConfigError> {
    if globs.is_empty() {
        let reason = "needs `paths`, such as [\"src/**\"]; without them it is about no file".to_owned();
        return Err(ConfigError::Entry { entry, reason });
    }
    readable(entry, globs)
}

fn readable(entry: Entry, globs: &[String]) -> Result<(), ConfigError> {
    let wrong = |error: SplitError| ConfigError::Entry { entry, reason: error.to_string() };
    Globs::grouped([&globs.to_vec()]).map(drop).map_err(wrong)
}

/// Every panel asks reviewers that there are, and `review.panel` is one of them.
pub(super) fn panels(
    panels: &BTreeMap<String, Vec<String>>,
    usual: &str,
    reviewers: &[Reviewer],
) -> Result<(), ConfigError> {
    for (name, ids) in panels {
        let entry = Entry::Panel(name.clone());
        let wrong = |reason: &str| ConfigError::Entry { entry: entry.clone(), reason: reason.to_owned() };
        if name == AUTO {
            return Err(wrong("that name stands for every reviewer there is; choose another one"));
        }
        if ids.is_empty() {
            return Err(wrong("asks nobody; needs `reviewers`, a list of ids"));
        }
        let known = || reviewers.iter().map(|one| one.id.as_str());
        ids.iter().try_for_each(|id| is_known("reviewer", id, &entry, known()))?;
    }
    let known = panels.keys().map(String::as_str).chain([AUTO]);
    is_known("panel", usual, &Entry::Key("review.panel"), known)
}

fn is_known<'a>(
    what: &'static str,
    name: &str,
    entry: &Entry,
    known: impl Iterator<Item = &'a str> + Clone,
) -> Result<(), ConfigError> {
    if known.clone().any(|one| one == name) {
        return Ok(());
    }
    Err(ConfigError::Unknown {
        entry: entry.clone(),
        what,
        name: name.to_owned(),
        suggestion: nearest(name, known.clone()).map(str::to_owned),
        known: known.map(str::to_owned).collect(),
    })
}
