//! Gitea and Forgejo, which speak the same but for threads: [`Gitea`].
//!
//! There are no threads in the API, only comments of reviews, so `wire` puts them together. What the servers do that their description
//! does not say is in docs/design/forges.md.

mod wire;

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::{
    Credential, Forge, ForgeError, Limits,
    client::{Ask, Client, Effect, Manners, encoded},
    gone, stands,
    waiting::OnWait,
};
use crate::{
    pull::{Address, Comment, CommitStatus, Placed, PullRequest, Remark, StatusState, Thread},
    report::{foreign::one_line, words::shortened},
    tally::since::short,
};

/// Most remarks in one review.
const BATCH: usize = 50;
/// Gitea has no limit of its own, but databases and proxies have; this is GitHub's.
const LONGEST_COMMENT: usize = 65_000;
/// Most characters of a status's line, which has no limit here; this is GitHub's.
const LONGEST_STATUS: usize = 140;

/// A pull request on Gitea or Forgejo.
pub struct Gitea {
    client: Client,
    address: Address,
    /// Behind the API's root.
    repository: String,
    /// The id of the account that the token belongs to; negative for the job of a workflow.
    viewer: OnceCell<i64>,
}

impl Gitea {
    /// The pull request at `address`; nothing is sent yet. `on_wait` hears what is waited for.
    pub fn open(address: Address, credential: Credential, on_wait: OnWait) -> Result<Self, ForgeError> {
        let (owner, name) = address.project.split_once('/').unwrap_or((&address.project, ""));
        let repository = format!("/repos/{}/{}", encoded(owner), encoded(name));
        let manners = Manners {
            token_header: "authorization",
            token_prefix: "token ",
            headers: &[],
            pause: Duration::ZERO,
            right: "the scopes `write:issue` and `write:repository`",
            project_path: repository.clone(),
            project_key: "full_name",
        };
        let client = Client::open(&address, credential, manners, on_wait)?;
        Ok(Self { client, address, repository, viewer: OnceCell::new() })
    }

    /// A request about something of the repository.
    fn about(&self, path: &str, verb: &'static str) -> Ask {
        Ask::read(format!("{}{path}", self.repository), verb, self.address.to_string())
    }

    /// A request about the pull request itself.
    fn about_pull(&self, path: &str, verb: &'static str) -> Ask {
        self.about(&format!("/pulls/{}{path}", self.address.number), verb)
    }

    /// The account that the token belongs to.
    async fn viewer(&self) -> Result<Option<i64>, ForgeError> {
        if !self.client.has_token() {
            return Ok(None);
        }
        let read = async || {
            let ask = Ask::read("/user", "ask", "whose token it is");
            Ok(self.client.ask::<wire::User>(&ask).await?.id)
        };
        self.viewer.get_or_try_init(read).await.copied().map(Some)
    }

    async fn reviews(&self) -> Result<Vec<wire::Review>, ForgeError> {
        self.client.list(self.about_pull("/reviews?limit=50", "read the reviews of")).await
    }

    /// The review of ours that has been begun and not submitted, if there is one.
    async fn draft(&self) -> Result<Option<i64>, ForgeError> {
        let viewer = self.viewer().await?;
        let reviews = self.reviews().await?;
        Ok(reviews.into_iter().find(|review| review.is_draft_of(viewer)).map(|review| review.id))
    }

    /// Makes one review of `remarks`, or says what the server has against it; it then has taken none.
    async fn review(&self, pull: &PullRequest, remarks: &[Remark]) -> Result<Result<(), String>, ForgeError> {
        let comments: Vec<wire::Draft<'_>> = remarks.iter().map(wire::Draft::of).collect();
        let ask = self
            .about_pull("/reviews", "comment on lines of")
            .by(Method::POST, Effect::Once)
            .with(json!({"commit_id": pull.head, "event": "COMMENT", "body": "", "comments": comments}));
        match self.client.exchange(&ask).await {
            Ok(reply) if matches!(reply.status.as_u16(), 400 | 422) => Ok(Err(self.client.reason(&reply))),
            Ok(reply) => self.client.accepted(&ask, reply).await.map(|_| Ok(())),
            Err(ForgeError::Unreachable { reason, .. }) => {
                self.discard_draft().await?;
                let threads = self.threads().await?;
                let is_done = remarks.iter().all(|remark| stands(remark, &threads));
                Ok(if is_done { Ok(()) } else { Err(reason) })
            }
            Err(error) => Err(error),
        }
    }

    /// A review that breaks in the middle leaves a draft, which the next one would publish with its own.
    async fn discard_draft(&self) -> Result<(), ForgeError> {
        let Some(draft) = self.draft().await? else { return Ok(()) };
        let ask = self.about_pull(&format!("/reviews/{draft}"), "discard a draft of");
        self.client.ask::<Value>(&ask.by(Method::DELETE, Effect::Repeatable)).await.map(drop)
    }

    fn about_comment(&self, id: &str, verb: &'static str, method: Method) -> Ask {
        self.about(&format!("/issues/comments/{}", encoded(id)), verb).by(method, Effect::Repeatable)
    }
}

impl Forge for Gitea {
    fn address(&self) -> &Address {
        &self.address
    }

    fn limits(&self) -> Limits {
        Limits { comment: LONGEST_COMMENT, batch: BATCH }
    }

    async fn pull(&self) -> Result<PullRequest, ForgeError> {
        self.client.ask::<wire::Pull>(&self.about_pull("", "read")).await.map(wire::Pull::into_value)
    }

    async fn comments(&self) -> Result<Vec<Comment>, ForgeError> {
        let viewer = self.viewer().await?;
        let path = format!("/issues/{}/comments", self.address.number);
        let comments: Vec<wire::Comment> =
            self.client.list(self.about(&path, "read the comments of")).await?;
        let mut comments: Vec<Comment> =
            comments.into_iter().map(|comment| comment.into_value(viewer)).collect();
        comments.sort_by_key(|comment| comment.at);
        Ok(comments)
    }

    async fn threads(&self) -> Result<Vec<Thread>, ForgeError> {
        let viewer = self.viewer().await?;
        let mut said = Vec::new();
        for review in self.reviews().await?.into_iter().filter(wire::Review::has_comments) {
            let ask = self.about_pull(&format!("/reviews/{}/comments", review.id), "read the threads of");
            said.extend(self.client.list::<wire::LineComment>(ask).await?);
        }
        Ok(wire::threads(said, viewer))
    }

    async fn comment(&self, body: &str) -> Result<Comment, ForgeError> {
        let ask = self
            .about(&format!("/issues/{}/comments", self.address.number), "comment on")
            .by(Method::POST, Effect::Once)
            .with(json!({"body": body}));
        let comment: wire::Comment = self.client.ask(&ask).await?;
        Ok(Comment { is_ours: true, ..comment.into_value(None) })
    }

    async fn edit(&self, id: &str, body: &str) -> Result<(), ForgeError> {
        let ask = self.about_comment(id, "edit a comment of", Method::PATCH).with(json!({"body": body}));
        self.client.ask::<Value>(&ask).await.map(drop)
    }

    async fn delete(&self, id: &str) -> Result<(), ForgeError> {
        let ask = self.about_comment(id, "delete a comment of", Method::DELETE);
        gone(self.client.ask::<Value>(&ask).await)
    }

    /// Halves a review that is refused until what is refused stands alone, so the others are made and none is made twice.
    async fn remark(&self, pull: &PullRequest, remarks: &[Remark]) -> Result<Vec<Placed>, ForgeError> {
        if !remarks.is_empty() && self.draft().await?.is_some() {
            let reason = "the token's account has a review of its own that is not submitted yet, and it would be published";
            return Ok(vec![Placed::Refused(reason.to_owned()); remarks.len()]);
        }
        let mut waiting: Vec<&[Remark]> = remarks.chunks(BATCH).rev().collect();
        let mut placed = Vec::with_capacity(remarks.len());
        while let Some(batch) = waiting.pop() {
            let outcome = match self.review(pull, batch).await? {
                Ok(()) => Placed::Yes,
                Err(_) if batch.len() > 1 => {
                    let (first, rest) = batch.split_at(batch.len() / 2);
                    waiting.extend([rest, first]);
                    continue;
                }
                Err(reason) => Placed::Refused(reason),
            };
            placed.extend(batch.iter().map(|_| outcome.clone()));
        }
        Ok(placed)
    }

    /// Gitea resolves since 1.26, Forgejo deletes a comment of a review, an older Gitea as if it were one of the conversation.
    async fn retire(&self, thread: &Thread) -> Result<(), ForgeError> {
        let comment = encoded(&thread.first.id);
        let resolve = self.about(&format!("/pulls/comments/{comment}/resolve"), "resolve a thread of");
        let path = format!("/reviews/{}/comments/{comment}", encoded(&thread.id));
        let ways = [
            resolve.by(Method::POST, Effect::Repeatable),
            self.about_pull(&path, "delete a thread of").by(Method::DELETE, Effect::Repeatable),
            self.about_comment(&thread.first.id, "delete a thread of", Method::DELETE),
        ];
        let mut refusal = Ok(());
        for way in &ways {
            let reply = self.client.exchange(way).await?;
            match reply.status.as_u16() {
                // No such way on this server, or nothing there any more.
                404 | 405 => {}
                403 => refusal = self.client.accepted(way, reply).await.map(drop),
                _ => return self.client.accepted(way, reply).await.map(drop),
            }
        }
        refusal
    }

    async fn may_write(&self, login: &str) -> Result<bool, ForgeError> {
        let path = format!("/collaborators/{}/permission", encoded(login));
        match self.client.ask::<wire::Permission>(&self.about(&path, "read who may write to")).await {
            Ok(answer) => Ok(matches!(answer.permission.as_str(), "owner" | "admin" | "write")),
            Err(ForgeError::NotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn set_status(&self, status: &CommitStatus) -> Result<(), ForgeError> {
        let state = match status.state {
            StatusState::Success => "success",
            StatusState::Failure => "failure",
            StatusState::Inconclusive => "error",
        };
        let mut body = json!({
            "state": state,
            "context": status.context,
            "description": shortened(&one_line(&status.description), LONGEST_STATUS),
        });
        if let Some(page) = &status.page {
            body["target_url"] = json!(page);
        }
        let path = format!("{}/statuses/{}", self.repository, encoded(&status.commit));
        let what = format!("commit {} of {}", short(&one_line(&status.commit)), self.address.project);
        // The last status of a context counts, so a second one changes nothing.
        let ask = Ask::read(path, "put a status on", what).by(Method::POST, Effect::Repeatable).with(body);
        let ask = ask.needing("the scope `write:repository`");
        self.client.ask::<Value>(&ask).await.map(drop)
    }
}
