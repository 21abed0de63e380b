//! What is said on a pull request: the marks that our comments are known by, and what they carry for the next review.
//!
//! Pure. Who wrote a comment is the platform's word (`pull::Comment::is_ours`), never the comment's.

pub mod order;
pub mod record;

use crate::pull::Comment;

/// The first line of the one comment with the tally.
pub const TALLY_MARK: &str = "<!-- scrum:tally -->";
/// What a comment at a line begins with; the issue's id and ` -->` follow.
pub const ISSUE_MARK: &str = "<!-- scrum:issue ";

/// Of a conversation in order of time, the comment with the tally: the oldest of ours that begins with its mark.
pub fn sticky(comments: &[Comment]) -> Option<&Comment> {
    comments
        .iter()
        .find(|one| one.is_ours && one.body.lines().next().is_some_and(|line| line.trim() == TALLY_MARK))
}

/// The issue that a comment of ours at a line is about.
pub fn issue_of(comment: &Comment) -> Option<&str> {
    let rest = comment.body.strip_prefix(ISSUE_MARK).filter(|_| comment.is_ours)?;
    rest.split_once(" -->").map(|(id, _)| id)
}
