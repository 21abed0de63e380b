//! The forms in which GitLab sends and takes things, as far as they are read, and their values.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::pull;

#[derive(Deserialize)]
pub(super) struct MergeRequest {
    target_project_id: u64,
    /// Missing when the fork is gone.
    source_project_id: Option<u64>,
    source_branch: String,
    state: String,
    discussion_locked: Option<bool>,
    web_url: String,
    /// Missing for a moment after it was made.
    diff_refs: Option<DiffRefs>,
    head_pipeline: Option<Pipeline>,
}

#[derive(Deserialize)]
struct DiffRefs {
    /// Tip of the target branch when this version came to be.
    start_sha: String,
    head_sha: String,
}

#[derive(Deserialize)]
struct Pipeline {
    id: u64,
    project_id: u64,
    sha: String,
    #[serde(rename = "ref")]
    name: String,
}

impl MergeRequest {
    pub(super) fn project_path(&self) -> String {
        format!("/projects/{}", self.target_project_id)
    }

    /// `None` while its diff has not been computed.
    pub(super) fn into_value(self) -> Option<pull::PullRequest> {
        let DiffRefs { start_sha, head_sha } = self.diff_refs?;
        let state = match self.state.as_str() {
            "merged" => pull::PullState::Merged,
            "closed" => pull::PullState::Closed,
            // `opened`, and `locked` while it is being merged.
            _ => pull::PullState::Open,
        };
        Some(pull::PullRequest {
            state,
            base: start_sha,
            head: head_sha,
            is_from_fork: self.source_project_id != Some(self.target_project_id),
            is_locked: self.discussion_locked == Some(true),
            page: self.web_url,
        })
    }

    /// Adds to a status of `commit` which pipeline it belongs to: without that GitLab opens another one, and the merge request does not
    /// see it.
    pub(super) fn pipeline_of(self, commit: &str, status: &mut Value) {
        let own =
            |pipeline: &Pipeline| pipeline.sha == commit && pipeline.project_id == self.target_project_id;
        match self.head_pipeline.filter(own) {
            Some(pipeline) => {
                status["pipeline_id"] = json!(pipeline.id);
                status["ref"] = json!(pipeline.name);
            }
            None => status["ref"] = json!(self.source_branch),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct User {
    pub(super) id: u64,
    pub(super) username: String,
}

#[derive(Deserialize)]
pub(super) struct Member {
    pub(super) access_level: u32,
}

/// A comment, of the conversation or of a line.
#[derive(Deserialize)]
pub(super) struct Note {
    id: u64,
    #[serde(rename = "type")]
    kind: Option<String>,
    body: String,
    author: User,
    created_at: Timestamp,
    /// The server wrote it about what somebody did.
    system: bool,
    #[serde(default)]
    resolved: bool,
    position: Option<Place>,
}

/// Where a note is.
#[derive(Deserialize)]
struct Place {
    /// GitLab moves it on with each push that leaves the line as it was.
    head_sha: String,
}

impl Note {
    /// Of the conversation rather than of a line.
    pub(super) fn is_of_conversation(&self) -> bool {
        !self.system && self.kind.as_deref() != Some("DiffNote")
    }

    pub(super) fn into_value(self, viewer: Option<u64>) -> pull::Comment {
        pull::Comment {
            id: self.id.to_string(),
            is_ours: viewer == Some(self.author.id),
            author: self.author.username,
            body: self.body,
            at: self.created_at,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Discussion {
    id: String,
    notes: Vec<Note>,
}

impl Discussion {
    /// `None` for one that is about no line.
    pub(super) fn into_value(self, viewer: Option<u64>, head: &str) -> Option<pull::Thread> {
        let mut notes = self.notes.into_iter().filter(|note| !note.system);
        let first = notes.next().filter(|note| note.kind.as_deref() == Some("DiffNote"))?;
        Some(pull::Thread {
            id: self.id,
            is_outdated: first.position.as_ref().is_none_or(|place| place.head_sha != head),
            is_resolved: first.resolved,
            first: first.into_value(viewer),
            answers: notes.map(|note| note.into_value(viewer)).collect(),
        })
    }
}

/// A diff that a merge request has had.
#[derive(Deserialize)]
pub(super) struct Version {
    #[serde(rename = "head_commit_sha")]
    pub(super) head: String,
    #[serde(rename = "base_commit_sha")]
    base: String,
    #[serde(rename = "start_commit_sha")]
    start: String,
}

/// A place in a diff. Several lines take codes that are made of line numbers of both sides, so the last of them stands for all.
#[derive(Serialize)]
pub(super) struct Position<'a> {
    #[serde(rename = "position_type")]
    kind: &'static str,
    base_sha: &'a str,
    start_sha: &'a str,
    head_sha: &'a str,
    old_path: &'a str,
    new_path: &'a str,
    new_line: u32,
    /// With a line that is not changed only: GitLab knows that one by both numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    old_line: Option<u32>,
}

impl Version {
    pub(super) fn position<'a>(&'a self, remark: &'a pull::Remark) -> Position<'a> {
        Position {
            kind: "text",
            base_sha: &self.base,
            start_sha: &self.start,
            head_sha: &self.head,
            old_path: remark.old_path.as_ref().unwrap_or(&remark.path),
            new_path: &remark.path,
            new_line: remark.lines.end,
            old_line: remark.old_line,
        }
    }
}
