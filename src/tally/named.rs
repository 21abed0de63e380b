//! Finds an issue by what a human calls it: [`named`].

use super::{Issue, Tally, since::Carried};

/// Ids proposed for one that does not exist.
const MOST_PROPOSED: usize = 3;
/// How alike an id must be to be proposed, 0.0–1.0; at half, every other digit may be wrong.
const LIKE_ENOUGH: f64 = 0.5;

/// A name that means no issue, or several.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// None.
    #[error("run {run} has no issue {name:?}")]
    NoSuchIssue {
        /// As asked for.
        name: String,
        /// Where.
        run: String,
        /// Ids like it, the likest first.
        nearest: Vec<String>,
    },
    /// Several.
    #[error("{name:?} could be any of {}", candidates.join(", "))]
    Ambiguous {
        /// As asked for.
        name: String,
        /// What it fits.
        candidates: Vec<String>,
    },
}

/// The issue with that id, or the only one whose id begins so.
pub fn named<'a>(tally: &'a Tally, name: &str) -> Result<&'a Issue, NameError> {
    let fitting: Vec<&Issue> = tally.issues.iter().filter(|issue| issue.id.starts_with(name)).collect();
    match fitting.as_slice() {
        [] => Err(unknown(tally, name)),
        _ if name.is_empty() => Err(unknown(tally, name)),
        [only] => Ok(only),
        several => {
            several.iter().copied().find(|issue| issue.id == name).ok_or_else(|| NameError::Ambiguous {
                name: name.to_owned(),
                candidates: several.iter().map(|issue| issue.id.clone()).collect(),
            })
        }
    }
}

/// An issue that a human may decide about.
#[derive(Debug, Clone, Copy)]
pub enum Named<'a> {
    /// Reported by this run.
    Reported(&'a Issue),
    /// Carried over from the last review.
    Earlier(&'a Carried),
}

/// As [`named`], also among what is carried over from the last review of the same pull request.
pub fn decidable<'a>(tally: &'a Tally, name: &str) -> Result<Named<'a>, NameError> {
    let fits = |one: &&Carried| !name.is_empty() && one.issue.id.starts_with(name);
    let mut earlier = tally.earlier.iter().filter(fits);
    match (named(tally, name), earlier.next(), earlier.next()) {
        (Err(NameError::NoSuchIssue { .. }), Some(only), None) => Ok(Named::Earlier(only)),
        (Err(NameError::NoSuchIssue { .. }), Some(one), Some(other)) => {
            let exact = tally.earlier.iter().find(|one| one.issue.id == name);
            let candidates = vec![one.issue.id.clone(), other.issue.id.clone()];
            exact.map(Named::Earlier).ok_or(NameError::Ambiguous { name: name.to_owned(), candidates })
        }
        (Ok(issue), Some(other), _) if issue.id != name && issue.id != other.issue.id => {
            let candidates = vec![issue.id.clone(), other.issue.id.clone()];
            Err(NameError::Ambiguous { name: name.to_owned(), candidates })
        }
        (found, ..) => found.map(Named::Reported),
    }
}

fn unknown(tally: &Tally, name: &str) -> NameError {
    let likeness = |id: &str| strsim::normalized_levenshtein(id.get(..name.len()).unwrap_or(id), name);
    let mut near: Vec<(f64, &str)> =
        tally.issues.iter().map(|issue| (likeness(&issue.id), issue.id.as_str())).collect();
    near.retain(|(likeness, _)| !name.is_empty() && *likeness >= LIKE_ENOUGH);
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    let nearest = near.into_iter().take(MOST_PROPOSED).map(|(_, id)| id.to_owned()).collect();
    NameError::NoSuchIssue { name: name.to_owned(), run: tally.run.id.clone(), nearest }
}
