//! Says what was probably meant by a revision that names nothing: [`unknown`].

use git2::{ErrorCode, Repository};

use super::error::GitError;

/// Names less alike than this (Jaro-Winkler, 0 to 1) are no suggestion.
const ALIKE: f64 = 0.75;

/// Explains why `revision` did not resolve.
pub(super) fn unknown(repo: &Repository, revision: &str, error: &git2::Error) -> GitError {
    if repo.head().is_err_and(|error| error.code() == ErrorCode::UnbornBranch) && names_head(revision) {
        return GitError::NoCommits;
    }
    past_the_start(repo, revision).unwrap_or_else(|| match error.code() {
        ErrorCode::NotFound | ErrorCode::InvalidSpec | ErrorCode::Ambiguous => GitError::UnknownRevision {
            revision: revision.to_owned(),
            closest: closest(repo, revision),
            shallow: repo.is_shallow(),
        },
        _ => GitError::while_doing("resolve a revision")(git2::Error::new(
            error.code(),
            error.class(),
            format!("{revision:?}: {}", error.message()),
        )),
    })
}

fn names_head(revision: &str) -> bool {
    revision.split(['~', '^']).next().is_some_and(|name| name == "HEAD" || name == "@")
}

/// `X~N` or `X^` where X exists but has no such ancestor.
fn past_the_start(repo: &Repository, revision: &str) -> Option<GitError> {
    let (start, _) = revision.split_at(revision.find(['~', '^'])?);
    let first = repo.revparse_single(start).ok()?.peel_to_commit().ok()?;
    if repo.is_shallow() {
        return Some(GitError::Shallow { revision: revision.to_owned() });
    }
    let mut commits = 1;
    let mut commit = first;
    while let Ok(parent) = commit.parent(0) {
        commit = parent;
        commits += 1;
    }
    let past = GitError::PastFirstCommit { revision: revision.to_owned(), start: start.to_owned(), commits };
    only_steps_back(&revision[start.len()..]).then_some(past)
}

/// Whether a suffix is made of `~`, `~N` and `^` only (`^2` is about another parent).
fn only_steps_back(suffix: &str) -> bool {
    let ancestors = suffix.split('^').all(|part| {
        part.is_empty() || part.starts_with('~') && part.chars().all(|c| c == '~' || c.is_ascii_digit())
    });
    ancestors && !suffix.is_empty()
}

/// The branch or tag whose name is most like the revision's.
fn closest(repo: &Repository, revision: &str) -> Option<String> {
    let name = revision.split(['~', '^', '@', ':']).next().unwrap_or(revision);
    let known = repo.references().ok()?;
    let mut names: Vec<String> =
        known.flatten().filter_map(|reference| reference.shorthand().ok().map(str::to_owned)).collect();
    names.sort();
    let scored = names.into_iter().map(|known| (strsim::jaro_winkler(name, &known), known));
    let best = scored.filter(|(score, _)| *score >= ALIKE).max_by(|one, other| one.0.total_cmp(&other.0));
    best.map(|(_, known)| known)
}
