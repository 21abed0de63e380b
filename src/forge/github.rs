//! GitHub, github.com or an Enterprise Server: [`GitHub`].
//!
//! REST where it can, GraphQL for what REST does not have: whose token it is, and the state of threads. Why, and what GitHub does that
//! its description does not say, is in docs/design/forges.md.

mod wire;

use std::time::Duration;

use http::Method;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::{
    Credential, Forge, ForgeError, Limits,
    client::{Ask, Client, Effect, MOST_PAGES, Manners, encoded},
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
/// GitHub takes 65,536; how it counts is not written down, so some are left.
const LONGEST_COMMENT: usize = 65_000;
/// Most characters of a status's line.
const LONGEST_STATUS: usize = 140;
/// GitHub asks for a second between changes.
const PAUSE: Duration = Duration::from_secs(1);
/// Words of a refusal that is about the whole review, so that a smaller one would fare no better.
const ABOUT_ALL: [&str; 3] = ["pending review", "commit_id", "no commit found"];

/// A job's token has what `permissions` says, but for a fork's pull request, where it only reads.
const RIGHT_TO_COMMENT: &str =
    "`pull-requests: write` (`permissions` of the job; the job of a fork's pull request cannot have it)";
const RIGHT_TO_STATUS: &str =
    "`statuses: write` (`permissions` of the job; the job of a fork's pull request cannot have it)";

const HEADERS: &[(&str, &str)] =
    &[("accept", "application/vnd.github+json"), ("x-github-api-version", "2022-11-28")];

/// The operations that are sent to GraphQL by their names.
const QUERIES: &str = include_str!("github/queries.graphql");

/// A pull request on GitHub.
pub struct GitHub {
    client: Client,
    address: Address,
    /// Behind the API's root.
    repository: String,
    graphql: String,
    /// The id of the account that the token belongs to.
    viewer: OnceCell<u64>,
}

impl GitHub {
    /// The pull request at `address`; nothing is sent yet. `on_wait` hears what is waited for.
    pub fn open(address: Address, credential: Credential, on_wait: OnWait) -> Result<Self, ForgeError> {
        let (owner, name) = address.project.split_once('/').unwrap_or((&address.project, ""));
        let repository = format!("/repos/{}/{}", encoded(owner), encoded(name));
        let manners = Manners {
            token_header: "authorization",
            token_prefix: "Bearer ",
            headers: HEADERS,
            pause: PAUSE,
            right: RIGHT_TO_COMMENT,
            project_path: repository.clone(),
            project_key: "full_name",
        };
        let client = Client::open(&address, credential, manners, on_wait)?;
        let graphql = graphql(&address.api);
        Ok(Self { client, address, repository, graphql, viewer: OnceCell::new() })
    }

    fn read(&self, path: &str, verb: &'static str) -> Ask {
        Ask::read(format!("{}{path}", self.repository), verb, self.address.to_string())
    }

    /// The account that the token belongs to. The token of a workflow may not ask REST for it.
    async fn viewer(&self) -> Result<Option<u64>, ForgeError> {
        if !self.client.has_token() {
            return Ok(None);
        }
        let read = async || {
            let ask = Ask::read(self.graphql.clone(), "ask", "whose token it is");
            let data: wire::Viewed = self.query(ask, "Viewer", json!({}), Effect::Reads).await?;
            Ok(data.viewer.database_id)
        };
        self.viewer.get_or_try_init(read).await.copied().map(Some)
    }

    /// Has GraphQL do one of [`QUERIES`]; it answers errors with status 200 too.
    async fn query<T: DeserializeOwned>(
        &self,
        ask: Ask,
        operation: &str,
        variables: Value,
        effect: Effect,
    ) -> Result<T, ForgeError> {
        let ask = ask.by(Method::POST, effect).with(json!({
            "query": QUERIES, "operationName": operation, "variables": variables,
        }));
        let reply = self.client.exchange(&ask).await?;
        let mut reply = self.client.accepted(&ask, reply).await?;
        let status = match reply.body["errors"][0]["type"].as_str() {
            Some("FORBIDDEN" | "INSUFFICIENT_SCOPES") => 403,
            Some("NOT_FOUND") => 404,
            _ if !reply.body["errors"].is_null() => 422,
            _ => return self.client.data(&ask, reply.body["data"].take()),
        };
        Err(self.client.refused(&ask, status, self.client.reason(&reply)))
    }

    /// Threads with what only GraphQL knows of them.
    async fn known_threads(&self) -> Result<Vec<Thread>, ForgeError> {
        let (owner, name) = self.address.project.split_once('/').unwrap_or_default();
        let ask = Ask::read(self.graphql.clone(), "read the threads of", self.address.to_string());
        let (mut threads, mut after) = (Vec::new(), None);
        for _ in 0..MOST_PAGES {
            let variables =
                json!({"owner": owner, "name": name, "number": self.address.number, "after": after});
            let data: wire::Threads = self.query(ask.clone(), "Threads", variables, Effect::Reads).await?;
            let page = data.repository.pull_request.review_threads;
            threads.extend(page.nodes.into_iter().filter_map(wire::Thread::into_value));
            match page.page_info {
                wire::PageInfo { has_next_page: true, end_cursor: Some(cursor) } => after = Some(cursor),
                _ => return Ok(threads),
            }
        }
        Err(self.client.too_many_pages(&ask))
    }

    /// Makes one review of `remarks`, or says what GitHub has against it; it takes all or none.
    async fn review(&self, pull: &PullRequest, remarks: &[Remark]) -> Result<Result<(), String>, ForgeError> {
        let comments: Vec<wire::Draft<'_>> = remarks.iter().map(wire::Draft::of).collect();
        let ask = self
            .read(&format!("/pulls/{}/reviews", self.address.number), "comment on lines of")
            .by(Method::POST, Effect::Once)
            .with(json!({"commit_id": pull.head, "event": "COMMENT", "body": "", "comments": comments}));
        match self.client.exchange(&ask).await {
            Ok(reply) if reply.status == 422 => Ok(Err(self.client.reason(&reply))),
            Ok(reply) => self.client.accepted(&ask, reply).await.map(|_| Ok(())),
            Err(ForgeError::Unreachable { .. }) if self.have_all(remarks).await => Ok(Ok(())),
            Err(error) => Err(error),
        }
    }

    /// Whether all of `remarks` stand there: asked after a request that may have made them without saying so.
    async fn have_all(&self, remarks: &[Remark]) -> bool {
        self.threads().await.is_ok_and(|threads| remarks.iter().all(|remark| stands(remark, &threads)))
    }

    fn comment_on_conversation(&self, id: &str, verb: &'static str, method: Method) -> Ask {
        let path = format!("{}/issues/comments/{}", self.repository, encoded(id));
        let what = format!("comment {} of {}", one_line(id), self.address);
        Ask::read(path, verb, what).by(method, Effect::Repeatable)
    }
}

impl Forge for GitHub {
    fn address(&self) -> &Address {
        &self.address
    }

    fn limits(&self) -> Limits {
        Limits { comment: LONGEST_COMMENT, batch: BATCH }
    }

    async fn pull(&self) -> Result<PullRequest, ForgeError> {
        let ask = self.read(&format!("/pulls/{}", self.address.number), "read");
        self.client.ask::<wire::Pull>(&ask).await.map(wire::Pull::into_value)
    }

    async fn comments(&self) -> Result<Vec<Comment>, ForgeError> {
        let viewer = self.viewer().await?;
        let path = format!("/issues/{}/comments?per_page=100", self.address.number);
        let comments: Vec<wire::Comment> = self.client.list(self.read(&path, "read the comments of")).await?;
        Ok(comments.into_iter().map(|comment| comment.into_value(viewer)).collect())
    }

    async fn threads(&self) -> Result<Vec<Thread>, ForgeError> {
        let mut threads = if self.client.has_token() {
            self.known_threads().await?
        } else {
            let path = format!("/pulls/{}/comments?per_page=100", self.address.number);
            wire::threads(self.client.list(self.read(&path, "read the threads of")).await?)
        };
        threads.sort_by_key(|thread| thread.first.at);
        Ok(threads)
    }

    async fn comment(&self, body: &str) -> Result<Comment, ForgeError> {
        let ask = self
            .read(&format!("/issues/{}/comments", self.address.number), "comment on")
            .by(Method::POST, Effect::Once)
            .with(json!({"body": body}));
        let comment: wire::Comment = self.client.ask(&ask).await?;
        Ok(Comment { is_ours: true, ..comment.into_value(None) })
    }

    async fn edit(&self, id: &str, body: &str) -> Result<(), ForgeError> {
        let ask = self.comment_on_conversation(id, "edit", Method::PATCH).with(json!({"body": body}));
        self.client.ask::<Value>(&ask).await.map(drop)
    }

    async fn delete(&self, id: &str) -> Result<(), ForgeError> {
        let ask = self.comment_on_conversation(id, "delete", Method::DELETE);
        gone(self.client.ask::<Value>(&ask).await)
    }

    /// Halves a review that is refused until what is refused stands alone, so the others are made and none is made twice.
    async fn remark(&self, pull: &PullRequest, remarks: &[Remark]) -> Result<Vec<Placed>, ForgeError> {
        let mut waiting: Vec<&[Remark]> = remarks.chunks(BATCH).rev().collect();
        let mut placed = Vec::with_capacity(remarks.len());
        while let Some(batch) = waiting.pop() {
            let refusal = match self.review(pull, batch).await? {
                Ok(()) => Placed::Yes,
                Err(reason) if batch.len() > 1 && !is_about_all(&reason) => {
                    let (first, rest) = batch.split_at(batch.len() / 2);
                    waiting.extend([rest, first]);
                    continue;
                }
                Err(reason) => Placed::Refused(reason),
            };
            placed.extend(batch.iter().map(|_| refusal.clone()));
        }
        Ok(placed)
    }

    async fn retire(&self, thread: &Thread) -> Result<(), ForgeError> {
        let what = format!("a thread of {}", self.address);
        let ask = Ask::read(self.graphql.clone(), "resolve", what.clone());
        let variables = json!({"thread": thread.id});
        gone(match self.query::<Value>(ask, "Resolve", variables, Effect::Repeatable).await {
            // That takes the right to push, which a workflow's token seldom has.
            Err(ForgeError::Forbidden { .. }) => {
                let path = format!("{}/pulls/comments/{}", self.repository, encoded(&thread.first.id));
                let ask = Ask::read(path, "delete", what).by(Method::DELETE, Effect::Repeatable);
                self.client.ask::<Value>(&ask).await
            }
            other => other,
        })
    }

    async fn may_write(&self, login: &str) -> Result<bool, ForgeError> {
        let path = format!("/collaborators/{}/permission", encoded(login));
        match self.client.ask::<wire::Permission>(&self.read(&path, "read who may write to")).await {
            Ok(answer) => Ok(matches!(answer.permission.as_str(), "admin" | "write")),
            // No such account, or one that cannot be a collaborator.
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
        let ask = ask.needing(RIGHT_TO_STATUS);
        self.client.ask::<Value>(&ask).await.map(drop)
    }
}

/// Where GraphQL is: beside the root, on Enterprise Server beside its version.
fn graphql(api: &str) -> String {
    let api = api.trim_end_matches('/');
    format!("{}/graphql", api.strip_suffix("/v3").unwrap_or(api))
}

fn is_about_all(reason: &str) -> bool {
    let reason = reason.to_lowercase();
    ABOUT_ALL.iter().any(|words| reason.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn graphql_is_beside_rest() {
        let check = |api: &str, expect: &str| assert_eq!(graphql(api), expect);
        check("https://api.github.com", "https://api.github.com/graphql");
        check("https://git.example.com/api/v3", "https://git.example.com/api/graphql");
        check("https://api.acme.ghe.com/", "https://api.acme.ghe.com/graphql");
    }

    #[test]
    fn a_refusal_of_one_line_is_not_about_all() {
        let check = |reason: &str, expect: bool| assert_eq!(is_about_all(reason), expect, "{reason}");
        check("Unprocessable Entity; Line could not be resolved", false);
        check("Unprocessable Entity; Pull request review thread line must be part of the diff", false);
        check("Unprocessable Entity; User can only have one pending review per pull request", true);
        check("Validation Failed; commit_id: custom", true);
    }
}
