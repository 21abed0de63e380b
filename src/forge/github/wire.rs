//! The forms in which GitHub sends and takes things, as far as they are read, and their values.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::pull;

/// Who is named where an account no longer exists; GitHub keeps that name for itself.
const NOBODY: &str = "ghost";

#[derive(Deserialize)]
pub(super) struct Pull {
    state: String,
    merged: bool,
    locked: bool,
    html_url: String,
    base: Side,
    head: Side,
}

#[derive(Deserialize)]
struct Side {
    sha: String,
    /// Missing when the fork is gone.
    repo: Option<Repository>,
}

#[derive(Deserialize)]
struct Repository {
    id: u64,
}

impl Pull {
    pub(super) fn into_value(self) -> pull::PullRequest {
        let state = match (self.merged, self.state.as_str()) {
            (true, _) => pull::PullState::Merged,
            (false, "open") => pull::PullState::Open,
            (false, _) => pull::PullState::Closed,
        };
        let id = |side: &Side| side.repo.as_ref().map(|repository| repository.id);
        pull::PullRequest {
            state,
            is_from_fork: id(&self.head) != id(&self.base),
            base: self.base.sha,
            head: self.head.sha,
            is_locked: self.locked,
            page: self.html_url,
        }
    }
}

/// A comment as REST has it, of the conversation or of a line.
#[derive(Deserialize)]
pub(super) struct Comment {
    id: u64,
    body: Option<String>,
    created_at: Timestamp,
    user: Option<User>,
    in_reply_to_id: Option<u64>,
    /// Its place in the diff as it is now; one on a whole file has no line, and `position` may go one day.
    line: Option<u64>,
    position: Option<u64>,
}

#[derive(Deserialize)]
struct User {
    id: u64,
    login: String,
}

impl Comment {
    pub(super) fn into_value(self, viewer: Option<u64>) -> pull::Comment {
        let author = self.user.as_ref().map(|user| user.id);
        pull::Comment {
            id: self.id.to_string(),
            author: self.user.map_or_else(|| NOBODY.to_owned(), |user| user.login),
            is_ours: viewer.is_some() && author == viewer,
            body: self.body.unwrap_or_default(),
            at: self.created_at,
        }
    }
}

/// Threads out of comments at lines, as `viewer` sees them: whether one is resolved is not said there.
pub(super) fn threads(comments: Vec<Comment>, viewer: Option<u64>) -> Vec<pull::Thread> {
    let mut threads: Vec<pull::Thread> = Vec::new();
    for comment in comments {
        let is_outdated = comment.line.or(comment.position).is_none();
        let first = comment.in_reply_to_id.map(|id| id.to_string());
        let value = comment.into_value(viewer);
        match threads.iter_mut().find(|thread| Some(&thread.id) == first.as_ref()) {
            Some(thread) => thread.answers.push(value),
            None => threads.push(pull::Thread {
                id: value.id.clone(),
                first: value,
                answers: Vec::new(),
                is_outdated,
                is_resolved: false,
            }),
        }
    }
    threads
}

#[derive(Deserialize)]
pub(super) struct Permission {
    /// `admin`, `write`, `read` or `none`; roles of other names are told as the one they are built on.
    pub(super) permission: String,
}

/// A comment to be made.
#[derive(Serialize)]
pub(super) struct Draft<'a> {
    path: &'a str,
    body: &'a str,
    line: u32,
    side: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_side: Option<&'static str>,
}

impl<'a> Draft<'a> {
    pub(super) fn of(remark: &'a pull::Remark) -> Self {
        // A first line that is the last one is refused.
        let start_line = (remark.lines.start < remark.lines.end).then_some(remark.lines.start);
        Self {
            path: &remark.path,
            body: &remark.body,
            line: remark.lines.end,
            side: "RIGHT",
            start_line,
            start_side: start_line.map(|_| "RIGHT"),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Viewed {
    pub(super) viewer: Viewer,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Viewer {
    pub(super) database_id: u64,
}

#[derive(Deserialize)]
pub(super) struct Threads {
    pub(super) repository: ThreadsOfRepository,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ThreadsOfRepository {
    pub(super) pull_request: ThreadsOfPull,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ThreadsOfPull {
    pub(super) review_threads: ThreadPage,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ThreadPage {
    pub(super) page_info: PageInfo,
    pub(super) nodes: Vec<Thread>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PageInfo {
    pub(super) has_next_page: bool,
    pub(super) end_cursor: Option<String>,
}

/// A thread as GraphQL has it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Thread {
    id: String,
    is_resolved: bool,
    is_outdated: bool,
    comments: Said,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Said {
    page_info: MoreSaid,
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MoreSaid {
    has_next_page: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Node {
    id: String,
    /// The id that REST knows; text, since it may be too large for GraphQL's numbers.
    full_database_id: Option<String>,
    body: String,
    created_at: Timestamp,
    viewer_did_author: bool,
    author: Option<Actor>,
}

#[derive(Deserialize)]
struct Actor {
    #[serde(rename = "__typename")]
    kind: String,
    login: String,
}

impl Actor {
    /// The login as REST has it. GraphQL leaves out what sets an app's apart from a person's: without it an app would have the rights of
    /// whoever bears its name.
    fn into_login(self) -> String {
        if self.kind == "Bot" { format!("{}[bot]", self.login) } else { self.login }
    }
}

impl Thread {
    /// Whether more was said in it than is here.
    pub(super) fn is_cut(&self) -> bool {
        self.comments.page_info.has_next_page
    }

    /// `None` for a thread whose comments are all gone.
    pub(super) fn into_value(self) -> Option<pull::Thread> {
        let mut comments = self.comments.nodes.into_iter().map(|node| pull::Comment {
            id: node.full_database_id.unwrap_or(node.id),
            author: node.author.map_or_else(|| NOBODY.to_owned(), Actor::into_login),
            is_ours: node.viewer_did_author,
            body: node.body,
            at: node.created_at,
        });
        Some(pull::Thread {
            id: self.id,
            first: comments.next()?,
            answers: comments.collect(),
            is_outdated: self.is_outdated,
            is_resolved: self.is_resolved,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;
    use crate::finding::LineRange;

    #[test]
    fn pull_requests() {
        let check = |change: serde_json::Value, expect: (pull::PullState, bool, bool)| {
            let mut form = json!({
                "state": "open", "merged": false, "locked": false, "html_url": "p",
                "base": {"sha": "b", "repo": {"id": 1}}, "head": {"sha": "h", "repo": {"id": 1}},
            });
            for (key, value) in change.as_object().unwrap() {
                form[key] = value.clone();
            }
            let value = from_value::<Pull>(form).unwrap().into_value();
            assert_eq!((value.state, value.is_from_fork, value.is_locked), expect, "{change}");
        };
        check(json!({}), (pull::PullState::Open, false, false));
        check(json!({"state": "closed", "locked": true}), (pull::PullState::Closed, false, true));
        check(json!({"state": "closed", "merged": true}), (pull::PullState::Merged, false, false));
        check(json!({"head": {"sha": "h", "repo": {"id": 2}}}), (pull::PullState::Open, true, false));
        check(json!({"head": {"sha": "h", "repo": null}}), (pull::PullState::Open, true, false));
    }

    #[test]
    fn an_app_is_not_the_person_of_its_name() {
        let check = |kind: &str, expect: &str| {
            let actor: Actor = from_value(json!({"__typename": kind, "login": "ada"})).unwrap();
            assert_eq!(actor.into_login(), expect);
        };
        check("User", "ada");
        check("Bot", "ada[bot]");
    }

    #[test]
    fn drafts_name_a_first_line_only_where_there_are_several() {
        let check = |lines: (u32, u32), expect: serde_json::Value| {
            let remark = pull::Remark {
                path: "a b.rs".to_owned(),
                old_path: None,
                lines: LineRange::new(lines.0, lines.1),
                old_line: None,
                body: "B".to_owned(),
            };
            assert_eq!(serde_json::to_value(Draft::of(&remark)).unwrap(), expect);
        };
        check((3, 3), json!({"path": "a b.rs", "body": "B", "line": 3, "side": "RIGHT"}));
        check(
            (3, 5),
            json!({"path": "a b.rs", "body": "B", "line": 5, "side": "RIGHT", "start_line": 3, "start_side": "RIGHT"}),
        );
    }
}
