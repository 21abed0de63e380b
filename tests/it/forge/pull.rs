//! What a mock platform knows: one [`Pull`] request and all that was said about it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use scrum::{finding::LineRange, pull::PullState};

/// Whose token [`TOKEN`](super::TOKEN) is.
pub(crate) const OURS: &str = "scrum-bot";

/// A pull request on a mock platform. Tests change it as people would.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own that a test may change")]
pub(crate) struct Pull {
    /// `owner/name`.
    pub(crate) project: String,
    /// Its name before it was renamed; requests by that are redirected.
    pub(crate) former_project: Option<String>,
    /// Its number.
    pub(crate) number: u64,
    /// Full id of the target branch's tip.
    pub(crate) base: String,
    /// Full id of its last commit.
    pub(crate) head: String,
    /// Open, closed or merged.
    pub(crate) state: PullState,
    /// Its commits come from another repository.
    pub(crate) is_from_fork: bool,
    /// Only those who may write may comment, and the token's account may not write.
    pub(crate) is_locked: bool,
    /// Without a token it is not to be seen.
    pub(crate) is_private: bool,
    /// Somebody of the token's account began a review in the browser and has not sent it.
    pub(crate) has_draft: bool,
    /// The new-side lines of the diff's hunks, by path.
    pub(crate) hunks: BTreeMap<String, Vec<LineRange>>,
    /// Who may push.
    pub(crate) writers: BTreeSet<String>,
    /// The conversation.
    pub(crate) comments: Vec<Said>,
    /// Comments at lines.
    pub(crate) threads: Vec<Discussion>,
    /// Statuses in the order in which they came, so the last of a context counts.
    pub(crate) statuses: Vec<Status>,
    /// Id of what is said next.
    pub(crate) next_id: u64,
}

/// One comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) id: u64,
    pub(crate) author: String,
    pub(crate) body: String,
    pub(crate) at: Timestamp,
}

/// Comments at a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Discussion {
    pub(crate) id: u64,
    pub(crate) path: String,
    pub(crate) lines: LineRange,
    pub(crate) commit: String,
    pub(crate) is_resolved: bool,
    pub(crate) is_outdated: bool,
    /// In order; never empty.
    pub(crate) comments: Vec<Said>,
}

/// One status of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) commit: String,
    pub(crate) context: String,
    /// In the platform's own word.
    pub(crate) state: String,
    pub(crate) description: String,
    pub(crate) page: Option<String>,
}

impl Pull {
    /// An open pull request of `project` that anybody can read and nobody has commented on; its diff is empty.
    pub(crate) fn new(project: &str, number: u64, base: &str, head: &str) -> Self {
        Self {
            project: project.to_owned(),
            former_project: None,
            number,
            base: base.to_owned(),
            head: head.to_owned(),
            state: PullState::Open,
            is_from_fork: false,
            is_locked: false,
            is_private: false,
            has_draft: false,
            hunks: BTreeMap::new(),
            writers: BTreeSet::new(),
            comments: Vec::new(),
            threads: Vec::new(),
            statuses: Vec::new(),
            next_id: 1,
        }
    }

    /// The same with a hunk in its diff that shows these lines of `path`.
    pub(crate) fn with_hunk(mut self, path: &str, start: u32, end: u32) -> Self {
        self.hunks.entry(path.to_owned()).or_default().push(LineRange::new(start, end));
        self
    }

    /// Somebody says something in the conversation; gives the comment's id.
    pub(crate) fn say(&mut self, author: &str, body: &str) -> u64 {
        let said = self.said(author, body);
        self.comments.push(said);
        self.next_id - 1
    }

    /// Somebody begins a thread; gives its id.
    pub(crate) fn begin(&mut self, author: &str, path: &str, lines: LineRange, body: &str) -> u64 {
        let first = self.said(author, body);
        let discussion = Discussion {
            id: first.id,
            path: path.to_owned(),
            lines,
            commit: self.head.clone(),
            is_resolved: false,
            is_outdated: false,
            comments: vec![first],
        };
        self.threads.push(discussion);
        self.next_id - 1
    }

    /// Somebody answers in the thread `id`.
    pub(crate) fn answer(&mut self, id: u64, author: &str, body: &str) {
        let said = self.said(author, body);
        self.thread(id).unwrap().comments.push(said);
    }

    /// The thread `id`.
    pub(crate) fn thread(&mut self, id: u64) -> Option<&mut Discussion> {
        self.threads.iter_mut().find(|thread| thread.id == id)
    }

    /// Whether the diff shows all of `lines` in one hunk.
    pub(crate) fn shows(&self, path: &str, lines: LineRange) -> bool {
        let hunks = self.hunks.get(path).into_iter().flatten();
        hunks.into_iter().any(|hunk| hunk.start <= lines.start && lines.end <= hunk.end)
    }

    fn said(&mut self, author: &str, body: &str) -> Said {
        let id = self.next_id;
        self.next_id += 1;
        let begin: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        let at = begin + SignedDuration::from_secs(i64::try_from(id).unwrap());
        Said { id, author: author.to_owned(), body: body.to_owned(), at }
    }
}
