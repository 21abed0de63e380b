//! GitLab, gitlab.com or one's own: [`GitLab`].
//!
//! A pull request is a merge request there, its conversation notes, its threads discussions. What GitLab does that its description does
//! not say is in docs/design/forges.md.

mod wire;

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use tokio::{sync::OnceCell, time::sleep};

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

/// Each remark is a request of its own.
const BATCH: usize = 50;
/// GitLab's limit for comments.
const LONGEST_COMMENT: usize = 1_000_000;
/// Most characters of a status's line. GitLab does not write its limit down; this is GitHub's.
const LONGEST_STATUS: usize = 140;
/// How often a merge request is read whose diff GitLab has yet to compute, and the pause before each further time.
const READS_OF_NEW: usize = 5;
const PAUSE_OF_NEW: Duration = Duration::from_secs(1);
/// The variable of a job's own token, which goes in a header of its own and may only read.
const JOB_TOKEN: &str = "CI_JOB_TOKEN";
/// The role of a developer, the least that may push.
const DEVELOPER: u32 = 30;

/// A merge request on GitLab.
pub struct GitLab {
    client: Client,
    address: Address,
    is_job: bool,
    /// The id of the account that the token belongs to.
    viewer: OnceCell<u64>,
    /// The project by its number, which stays when it is renamed.
    project: OnceCell<String>,
}

impl GitLab {
    /// The merge request at `address`; nothing is sent yet. `on_wait` hears what is waited for.
    pub fn open(address: Address, credential: Credential, on_wait: OnWait) -> Result<Self, ForgeError> {
        let is_job = credential.token.as_ref().is_some_and(|token| token.variable == JOB_TOKEN);
        let manners = Manners {
            token_header: if is_job { "job-token" } else { "private-token" },
            token_prefix: "",
            headers: &[],
            pause: Duration::ZERO,
            right: "the scope `api`",
            project_path: format!("/projects/{}", encoded(&address.project)),
            project_key: "path_with_namespace",
        };
        let client = Client::open(&address, credential, manners, on_wait)?;
        Ok(Self { client, address, is_job, viewer: OnceCell::new(), project: OnceCell::new() })
    }

    /// The merge request as GitLab has it. The project is called by its name, which leads on when it has another one now.
    async fn merge_request(&self) -> Result<wire::MergeRequest, ForgeError> {
        let path =
            format!("/projects/{}/merge_requests/{}", encoded(&self.address.project), self.address.number);
        self.client.ask(&Ask::read(path, "read", self.address.to_string())).await
    }

    /// Where the project is, behind the API's root.
    async fn project(&self) -> Result<&str, ForgeError> {
        let read = async || Ok(self.merge_request().await?.project_path());
        self.project.get_or_try_init(read).await.map(String::as_str)
    }

    /// A request about the merge request itself.
    async fn about(&self, path: &str, verb: &'static str) -> Result<Ask, ForgeError> {
        let path = format!("{}/merge_requests/{}{path}", self.project().await?, self.address.number);
        Ok(Ask::read(path, verb, self.address.to_string()))
    }

    /// A request about a note of its conversation.
    async fn about_note(&self, id: &str, verb: &'static str, method: Method) -> Result<Ask, ForgeError> {
        Ok(self.about(&format!("/notes/{}", encoded(id)), verb).await?.by(method, Effect::Repeatable))
    }

    /// The account that the token belongs to. A job's token belongs to nobody who could have written anything.
    async fn viewer(&self) -> Result<Option<u64>, ForgeError> {
        if !self.client.has_token() || self.is_job {
            return Ok(None);
        }
        let read = async || {
            let ask = Ask::read("/user", "ask", "whose token it is");
            Ok(self.client.ask::<wire::User>(&ask).await?.id)
        };
        self.viewer.get_or_try_init(read).await.copied().map(Some)
    }

    /// The ends of the diff whose newer one is `head`, for places in it.
    async fn version(&self, head: &str) -> Result<Option<wire::Version>, ForgeError> {
        let ask = self.about("/versions?per_page=100", "read the versions of").await?;
        let versions: Vec<wire::Version> = self.client.list(ask).await?;
        Ok(versions.into_iter().find(|version| version.head == head))
    }

    /// Makes one discussion, or says what GitLab has against it.
    async fn discuss(&self, version: &wire::Version, remark: &Remark) -> Result<Placed, ForgeError> {
        let remark = &Remark { body: without_commands(&remark.body), ..remark.clone() };
        let body = json!({"body": remark.body, "position": version.position(remark)});
        let ask = self.about("/discussions", "comment on a line of").await?;
        let ask = ask.by(Method::POST, Effect::Once).with(body);
        match self.client.exchange(&ask).await {
            Ok(reply) if reply.status == 400 => Ok(Placed::Refused(self.client.reason(&reply))),
            Ok(reply) => self.client.accepted(&ask, reply).await.map(|_| Placed::Yes),
            // Some places break it. A server that answers something else all the same has trouble with this place only.
            Err(ForgeError::Unreachable { .. }) if stands(remark, &self.threads().await?) => Ok(Placed::Yes),
            Err(ForgeError::Unreachable { reason, .. }) => Ok(Placed::Refused(reason)),
            Err(error) => Err(error),
        }
    }

    /// The number of the account called `login`.
    async fn user(&self, login: &str) -> Result<Option<u64>, ForgeError> {
        let ask = Ask::read(format!("/users?username={}", encoded(login)), "look for", one_line(login));
        let users: Vec<wire::User> = self.client.ask(&ask).await?;
        Ok(users.into_iter().find(|user| user.username.eq_ignore_ascii_case(login)).map(|user| user.id))
    }
}

impl Forge for GitLab {
    fn address(&self) -> &Address {
        &self.address
    }

    fn limits(&self) -> Limits {
        Limits { comment: LONGEST_COMMENT, batch: BATCH }
    }

    async fn pull(&self) -> Result<PullRequest, ForgeError> {
        for _ in 1..READS_OF_NEW {
            if let Some(pull) = self.merge_request().await?.into_value() {
                return Ok(pull);
            }
            sleep(PAUSE_OF_NEW).await;
        }
        let ask = Ask::read("", "read", self.address.to_string());
        let too_new = || self.client.unreachable(&ask, "the server has not computed its diff yet");
        self.merge_request().await?.into_value().ok_or_else(too_new)
    }

    async fn comments(&self) -> Result<Vec<Comment>, ForgeError> {
        let viewer = self.viewer().await?;
        let path = "/notes?sort=asc&order_by=created_at&activity_filter=only_comments&per_page=100";
        let notes: Vec<wire::Note> =
            self.client.list(self.about(path, "read the comments of").await?).await?;
        let said = notes.into_iter().filter(wire::Note::is_of_conversation);
        Ok(said.map(|note| note.into_value(viewer)).collect())
    }

    async fn threads(&self) -> Result<Vec<Thread>, ForgeError> {
        let viewer = self.viewer().await?;
        let head = self.pull().await?.head;
        let ask = self.about("/discussions?per_page=100", "read the threads of").await?;
        let discussions: Vec<wire::Discussion> = self.client.list(ask).await?;
        let threads = discussions.into_iter().filter_map(|discussion| discussion.into_value(viewer, &head));
        let mut threads: Vec<Thread> = threads.collect();
        threads.sort_by_key(|thread| thread.first.at);
        Ok(threads)
    }

    async fn comment(&self, body: &str) -> Result<Comment, ForgeError> {
        let ask = self.about("/notes", "comment on").await?;
        let ask = ask.by(Method::POST, Effect::Once).with(json!({"body": without_commands(body)}));
        let note: wire::Note = self.client.ask(&ask).await?;
        Ok(Comment { is_ours: true, ..note.into_value(None) })
    }

    async fn edit(&self, id: &str, body: &str) -> Result<(), ForgeError> {
        let ask = self.about_note(id, "edit a comment of", Method::PUT).await?;
        self.client.ask::<Value>(&ask.with(json!({"body": without_commands(body)}))).await.map(drop)
    }

    async fn delete(&self, id: &str) -> Result<(), ForgeError> {
        let ask = self.about_note(id, "delete a comment of", Method::DELETE).await?;
        gone(self.client.ask::<Value>(&ask).await)
    }

    async fn remark(&self, pull: &PullRequest, remarks: &[Remark]) -> Result<Vec<Placed>, ForgeError> {
        let Some(version) = self.version(&pull.head).await? else {
            let reason = format!("GitLab has no diff with commit {}", one_line(&pull.head));
            return Ok(vec![Placed::Refused(reason); remarks.len()]);
        };
        let mut placed = Vec::with_capacity(remarks.len());
        for remark in remarks {
            placed.push(self.discuss(&version, remark).await?);
        }
        Ok(placed)
    }

    async fn retire(&self, thread: &Thread) -> Result<(), ForgeError> {
        let path = format!("/discussions/{}", encoded(&thread.id));
        let ask = self.about(&path, "resolve a thread of").await?.by(Method::PUT, Effect::Repeatable);
        match self.client.ask::<Value>(&ask.with(json!({"resolved": true}))).await {
            // Resolving takes a developer, deleting what one wrote does not.
            Err(ForgeError::Forbidden { .. }) => {
                let path = format!("{path}/notes/{}", encoded(&thread.first.id));
                let ask = self.about(&path, "delete a thread of").await?;
                gone(self.client.ask::<Value>(&ask.by(Method::DELETE, Effect::Repeatable)).await)
            }
            other => gone(other),
        }
    }

    async fn may_write(&self, login: &str) -> Result<bool, ForgeError> {
        let Some(user) = self.user(login).await? else { return Ok(false) };
        let path = format!("{}/members/all/{user}", self.project().await?);
        let ask = Ask::read(path, "read who may write to", self.address.project.clone());
        match self.client.ask::<wire::Member>(&ask).await {
            Ok(member) => Ok(member.access_level >= DEVELOPER),
            Err(ForgeError::NotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn set_status(&self, status: &CommitStatus) -> Result<(), ForgeError> {
        let state = match status.state {
            StatusState::Success => "success",
            StatusState::Failure => "failed",
            // Neither green nor red, and no pipeline that has to succeed does with it.
            StatusState::Inconclusive => "canceled",
        };
        let mut body = json!({
            "state": state,
            "name": status.context,
            "description": shortened(&one_line(&status.description), LONGEST_STATUS),
        });
        if let Some(page) = &status.page {
            body["target_url"] = json!(page);
        }
        self.merge_request().await?.pipeline_of(&status.commit, &mut body);
        let path = format!("{}/statuses/{}", self.project().await?, encoded(&status.commit));
        let what = format!("commit {} of {}", short(&one_line(&status.commit)), self.address.project);
        // The last status of a name counts, so a second one changes nothing.
        let ask = Ask::read(path, "put a status on", what).by(Method::POST, Effect::Repeatable).with(body);
        let ask = ask.needing("the scope `api` and the role Developer");
        self.client.ask::<Value>(&ask).await.map(drop)
    }
}

/// `body` without a line that GitLab would carry out as a command, such as `/merge`, with the rights of the token.
fn without_commands(body: &str) -> String {
    let harmless = |line: &str| {
        let (indent, rest) = line.split_at(line.len() - line.trim_start().len());
        let is_command =
            rest.strip_prefix('/').is_some_and(|name| name.starts_with(|c: char| c.is_alphanumeric()));
        if is_command { format!("{indent}\u{200b}{rest}") } else { line.to_owned() }
    };
    body.split_inclusive('\n').map(harmless).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_a_command() {
        let check = |body: &str, expect: &str| assert_eq!(without_commands(body), expect);
        check("/merge", "\u{200b}/merge");
        check("a\r\n  /approve\r\nb /c\n", "a\r\n  \u{200b}/approve\r\nb /c\n");
        check("// a\n/\n/* b */\n> /close\n", "// a\n/\n/* b */\n> /close\n");
        check("", "");
    }
}
