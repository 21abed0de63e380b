//! Reads a change from diff text: [`read_diff`].
//!
//! It takes what `git diff`, `git format-patch`, `git show` and `diff -u` write, with prose around it. The parser is our
//! own because libgit2's refuses or misreads some of them: `docs/design/diffs.md` says which.

use super::error::GitError;
use super::header::{self, Body, Header};
use super::lines::{self, Lines, trimmed};
use crate::change::{Change, FilePatch, FileStatus, Hunk};

/// Reads the text of a diff: files in path order, headers in git's form. Empty text is an empty change.
///
/// For the patches of any change, one after the other, it gives the same patches back, except `size` (0) and
/// `generated` (false), which the text does not tell.
pub fn read_diff(bytes: &[u8]) -> Result<Change, GitError> {
    let mut lines = Lines::new(bytes);
    let mut files = Vec::new();
    while !lines.peek().is_empty() {
        if lines.peek().starts_with(b"diff --cc ") || lines.peek().starts_with(b"diff --combined ") {
            return Err(
                lines.error("a combined diff of a merge cannot be reviewed: give a diff of two commits")
            );
        }
        match header::parse(&mut lines).or_else(|| header::parse_plain(&mut lines)) {
            Some(header) => push(&mut files, header, &mut lines)?,
            None => drop(lines.next()),
        }
    }
    if files.is_empty() && bytes.iter().any(|byte| !byte.is_ascii_whitespace()) {
        return Err(GitError::NoDiff);
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(Change { files, ..Change::default() })
}

/// Reads the hunks that follow `header` and adds the file.
fn push(files: &mut Vec<FilePatch>, header: Header, lines: &mut Lines<'_>) -> Result<(), GitError> {
    let hunks = if header.body == Body::Hunks { hunks(lines)? } else { Vec::new() };
    let patch = header.into_patch(hunks);
    match files.last_mut() {
        Some(before) if is_type_change(before, &patch) => *before = type_change(before, patch),
        _ => files.push(patch),
    }
    Ok(())
}

/// All hunks that come next.
pub(super) fn hunks(lines: &mut Lines<'_>) -> Result<Vec<Hunk>, GitError> {
    let mut hunks = Vec::new();
    while trimmed(lines.peek()).starts_with(b"@@ -") {
        hunks.push(lines::hunk(lines)?);
    }
    Ok(hunks)
}

/// Whether two neighbouring patches are git's form of a type change: a deletion, then a creation at its path.
fn is_type_change(before: &FilePatch, after: &FilePatch) -> bool {
    before.status == FileStatus::Deleted && after.status == FileStatus::Added && before.path == after.path
}

/// One patch of git's two: the deletion whole in the header, so that both are always applied together.
pub(super) fn type_change(deletion: &FilePatch, creation: FilePatch) -> FilePatch {
    let mut header = deletion.header.clone();
    deletion.hunks.iter().for_each(|hunk| header.extend_from_slice(&hunk.text));
    header.extend_from_slice(&creation.header);
    FilePatch { status: FileStatus::TypeChanged, header, ..creation }
}
