//! The forms in which Gitea sends and takes things, as far as they are read, and their values.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::pull;

#[derive(Deserialize)]
pub(super) struct Pull {
    state: String,
    merged: bool,
    is_locked: bool,
    html_url: String,
    base: Side,
    head: Side,
}

#[derive(Deserialize)]
struct Side {
    sha: String,
    repo_id: i64,
}

impl Pull {
    pub(super) fn into_value(self) -> pull::PullRequest {
        let state = match (self.merged, self.state.as_str()) {
            (true, _) => pull::PullState::Merged,
            (false, "open") => pull::PullState::Open,
            (false, _) => pull::PullState::Closed,
        };
        pull::PullRequest {
            state,
            is_from_fork: self.head.repo_id != self.base.repo_id,
            base: self.base.sha,
            head: self.head.sha,
            is_locked: self.is_locked,
            page: self.html_url,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct User {
    pub(super) id: i64,
    login: String,
}

/// A comment of the conversation.
#[derive(Deserialize)]
pub(super) struct Comment {
    id: i64,
    body: String,
    created_at: Timestamp,
    user: User,
}

impl Comment {
    pub(super) fn into_value(self, viewer: Option<i64>) -> pull::Comment {
        pull::Comment {
            id: self.id.to_string(),
            is_ours: viewer == Some(self.user.id),
            author: self.user.login,
            body: self.body,
            at: self.created_at,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Review {
    pub(super) id: i64,
    state: String,
    comments_count: u64,
    /// Missing when a team was asked.
    user: Option<User>,
}

impl Review {
    pub(super) fn has_comments(&self) -> bool {
        self.comments_count > 0
    }

    /// Begun by this account and not submitted.
    pub(super) fn is_draft_of(&self, viewer: Option<i64>) -> bool {
        let author = self.user.as_ref().map(|user| user.id);
        self.state == "PENDING" && viewer.is_some() && author == viewer
    }
}

/// A comment at a line.
#[derive(Deserialize)]
pub(super) struct LineComment {
    #[serde(flatten)]
    comment: Comment,
    pull_request_review_id: i64,
    path: String,
    /// Line of the new side, 0 where it is of the old one.
    #[serde(default)]
    position: u64,
    /// Line of the old side.
    #[serde(default)]
    original_position: u64,
    /// Who has called it resolved.
    resolver: Option<User>,
}

/// Puts threads together as the page does: who answers writes a comment at the same line. A comment of ours always begins a thread, as we
/// answer nobody; what others say at its line answers each of ours there, so that none of them is taken away.
pub(super) fn threads(mut said: Vec<LineComment>, viewer: Option<i64>) -> Vec<pull::Thread> {
    said.sort_by_key(|line| (line.comment.created_at, line.comment.id));
    let mut threads: Vec<((String, u64, u64), pull::Thread)> = Vec::new();
    for line in said {
        let is_resolved = line.resolver.is_some();
        let (place, review) =
            ((line.path, line.position, line.original_position), line.pull_request_review_id);
        let comment = line.comment.into_value(viewer);
        let mut there = threads.iter_mut().filter(|(at, _)| *at == place).peekable();
        if comment.is_ours || there.peek().is_none() {
            let thread = pull::Thread {
                id: review.to_string(),
                first: comment,
                answers: Vec::new(),
                // Not told.
                is_outdated: false,
                is_resolved,
            };
            threads.push((place, thread));
        } else {
            there.for_each(|(_, thread)| thread.answers.push(comment.clone()));
        }
    }
    threads.into_iter().map(|(_, thread)| thread).collect()
}

#[derive(Deserialize)]
pub(super) struct Permission {
    pub(super) permission: String,
}

/// A comment to be made. There is no way to say several lines, so the last stands for all.
#[derive(Serialize)]
pub(super) struct Draft<'a> {
    path: &'a str,
    body: &'a str,
    new_position: u32,
}

impl<'a> Draft<'a> {
    pub(super) fn of(remark: &'a pull::Remark) -> Self {
        Self { path: &remark.path, body: &remark.body, new_position: remark.lines.end }
    }
}
