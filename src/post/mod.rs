//! What is said on a pull request, and where: the marks that our comments are known by, and what they carry for the next review.
//!
//! `comment` is the one with the tally, `remarks` those at lines, `plan` says which of them are missing or have outlived their issue.
//! Pure: `run::posting` does it. Who wrote a comment is the platform's word (`pull::Comment::is_ours`), never the comment's.

pub mod comment;
mod hunks;
pub mod order;
pub mod plan;
pub mod record;
pub mod remarks;

use crate::pull::Comment;

/// The first line of the one comment with the tally.
pub const TALLY_MARK: &str = "<!-- scrum:tally -->";
/// What a comment at a line begins with; the issue's id and ` -->` follow.
pub const ISSUE_MARK: &str = "<!-- scrum:issue ";

/// Of a conversation in order of time, the comment with the tally: the oldest of ours that begins with its mark.
pub fn sticky(comments: &[Comment]) -> Option<&Comment> {
    stickies(comments).next()
}

/// All of ours that begin with its mark: there should be one.
pub fn stickies(comments: &[Comment]) -> impl Iterator<Item = &Comment> {
    comments
        .iter()
        .filter(|one| one.is_ours && one.body.lines().next().is_some_and(|line| line.trim() == TALLY_MARK))
}

/// The issue that a comment of ours at a line is about.
pub fn issue_of(comment: &Comment) -> Option<&str> {
    let rest = comment.body.strip_prefix(ISSUE_MARK).filter(|_| comment.is_ours)?;
    rest.split_once(" -->").map(|(id, _)| id)
}
