//! A pull request (GitLab: merge request) and what is said about it: [`PullRequest`], [`Comment`], [`Thread`].
//!
//! The same words for all platforms. Talking to one is `forge`'s work, deciding what to say `post`'s. Everything here except ids,
//! commits and states is text that others wrote.

use std::fmt;

use jiff::Timestamp;
use serde::Deserialize;

use crate::finding::LineRange;

/// What kind of server a pull request lives on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Platform {
    /// github.com or GitHub Enterprise Server.
    GitHub,
    /// gitlab.com or a GitLab of one's own.
    GitLab,
    /// Gitea or Forgejo, which speak the same.
    Gitea,
}

impl Platform {
    /// Every platform.
    pub const ALL: [Self; 3] = [Self::GitHub, Self::GitLab, Self::Gitea];

    /// The word of the configuration.
    pub fn word(self) -> &'static str {
        match self {
            Self::GitHub => "github",
            Self::GitLab => "gitlab",
            Self::Gitea => "gitea",
        }
    }

    /// What people there call a pull request by its number: `#5`, on GitLab `!5`.
    pub fn sigil(self) -> char {
        match self {
            Self::GitHub | Self::Gitea => '#',
            Self::GitLab => '!',
        }
    }
}

/// Where a pull request is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// What its server speaks.
    pub platform: Platform,
    /// Root of the server's API without a final `/`: `https://api.github.com`, `https://git.example.com/api/v4`.
    pub api: String,
    /// `owner/name`, on GitLab also `group/subgroup/name`.
    pub project: String,
    /// Its number.
    pub number: u64,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.project, self.platform.sigil(), self.number)
    }
}

/// What a CI service says of the place that it works for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CiJob {
    /// What its server speaks.
    pub platform: Platform,
    /// Root of the server's API.
    pub api: String,
    /// Where the server's pages begin.
    pub server: String,
    /// Repository that the job belongs to, for a pull request the one it is to be merged into.
    pub project: String,
    /// The pull request that the job was started for.
    pub number: Option<u64>,
    /// The job's own page on that server.
    pub page: Option<String>,
}

/// Whether a pull request can still be merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PullState {
    /// It can.
    Open,
    /// It was closed without merging.
    Closed,
    /// It was merged.
    Merged,
}

/// Facts of a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRequest {
    /// Open, closed or merged.
    pub state: PullState,
    /// Full id of the commit it is to be merged into: the tip of the target branch as the platform knows it.
    pub base: String,
    /// Full id of its last commit.
    pub head: String,
    /// Its commits come from another repository.
    pub is_from_fork: bool,
    /// Nobody without special rights may comment.
    pub is_locked: bool,
    /// Its page.
    pub page: String,
}

/// What of a pull request was reviewed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reviewed {
    /// Where it is.
    pub address: Address,
    /// Full id of the commit it was compared with: the merge base of `target` and `head`.
    pub base: String,
    /// Full id of the target branch's last commit then.
    pub target: String,
    /// Full id of its last commit then.
    pub head: String,
}

/// A comment in a pull request's conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// As the platform counts.
    pub id: String,
    /// Login of who wrote it.
    pub author: String,
    /// We wrote it: the account that our token belongs to.
    pub is_ours: bool,
    /// Its text.
    pub body: String,
    /// When it was first written.
    pub at: Timestamp,
}

/// Comments at a line of the diff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thread {
    /// As the platform counts, for [resolving](crate::forge::Forge::retire).
    pub id: String,
    /// The one it began with.
    pub first: Comment,
    /// What was said to it, in order of time.
    pub answers: Vec<Comment>,
    /// The line it is about has been changed since.
    pub is_outdated: bool,
    /// Somebody has called it resolved.
    pub is_resolved: bool,
}

/// A comment to be made at lines of the diff's new side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// Path on the new side, as the platform shows it.
    pub path: String,
    /// Path on the old side where the file was renamed.
    pub old_path: Option<String>,
    /// Lines, all inside one hunk of the diff.
    pub lines: LineRange,
    /// The line on the old side for the last of `lines` where that is not changed: some platforms place by both.
    pub old_line: Option<u32>,
    /// Text as Markdown.
    pub body: String,
}

/// What became of a [`Remark`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placed {
    /// It stands there.
    Yes,
    /// The platform does not take it at that line; why, in its words.
    Refused(String),
}

/// What a commit's status says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusState {
    /// The gate passed.
    Success,
    /// The gate failed.
    Failure,
    /// Nobody can say: never shown green.
    Inconclusive,
}

/// A status to be put on a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitStatus {
    /// Full id of the commit.
    pub commit: String,
    /// Which check it is: `scrum`.
    pub context: String,
    /// What it says.
    pub state: StatusState,
    /// One line; cut to what the platform takes.
    pub description: String,
    /// Where more stands.
    pub page: Option<String>,
}
