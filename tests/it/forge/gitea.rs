//! A mock Gitea or Forgejo: [`Gitea`]. What it refuses, and in which words, is from Gitea's documentation and code.
//!
//! Forgejo's description is that of both; what only Gitea does beyond it is told apart by hand.

mod tests;

use http::HeaderMap;
use scrum::{finding::LineRange, pull::PullState};
use serde_json::{Value, json};

use super::{
    Answer, Discussion, OURS, Platform, Pull, Refusal, Request, Said, Status,
    github::account,
    openapi::{Description, Operation},
};

/// Its number of the repository.
const REPOSITORY: u64 = 77;
/// Number of the review that is not submitted.
const DRAFT: u64 = 999;
/// A thread's review has its number and so much.
const REVIEWS: u64 = 10_000;

/// Whose server it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Make {
    /// Gitea 1.26, which resolves.
    Gitea,
    /// Gitea 1.25, which takes a comment at a line for one of the conversation.
    OldGitea,
    /// Forgejo, which deletes a comment of a review.
    Forgejo,
}

/// A server with one pull request.
pub(crate) struct Gitea {
    description: Description,
    make: Make,
    /// A line that breaks it in the middle of a review.
    pub(crate) breaks: Option<u32>,
    /// The token's account administers the repository, so that it may ask who may write.
    pub(crate) is_admin: bool,
}

impl Gitea {
    pub(crate) fn new(make: Make) -> Self {
        let description = Description::read(include_str!("openapi/forgejo.json"));
        Self { description, make, breaks: None, is_admin: true }
    }
}

impl Platform for Gitea {
    fn root(&self) -> &'static str {
        "/api/v1"
    }

    fn token<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        headers.get("authorization")?.to_str().ok()?.strip_prefix("token ")
    }

    fn refusal(&self, refusal: Refusal) -> Answer {
        match refusal {
            Refusal::BadToken => error(401, "user does not exist [uid: 0, name: ]"),
            Refusal::NoToken => error(401, "token is required"),
            Refusal::ReadOnly => error(
                403,
                "token does not have at least one of required scope(s), required=[write:issue], token scope=read:issue",
            ),
            Refusal::Hidden => error(404, "The target couldn't be found."),
            // Of a proxy before it: Gitea has no limits of its own.
            Refusal::Limited(seconds) => {
                Answer::of(429, Value::Null).with("retry-after", seconds.to_string())
            }
            Refusal::Broken => error(500, "Internal Server Error"),
        }
    }

    fn answer(&mut self, pull: &mut Pull, request: &Request) -> Result<Answer, String> {
        let former = pull.former_project.as_ref();
        if let Some(rest) = former.and_then(|name| request.path.strip_prefix(&format!("/repos/{name}"))) {
            let target = format!("/api/v1/repos/{}{rest}", pull.project);
            return Ok(Answer::of(301, Value::Null).with("location", target));
        }
        let pulls = format!("/repos/{}/pulls", pull.project);
        if let Some(id) = between(&request.path, &format!("{pulls}/comments/"), "/resolve") {
            return Ok(if self.make == Make::Gitea { resolve(pull, id) } else { error(404, "Not Found") });
        }
        let operation = self.description.check(request)?;
        let part = |name: &str| operation.parts.get(name).map(String::as_str).unwrap_or_default();
        let is_the_project = !operation.parts.contains_key("repo")
            || format!("{}/{}", part("owner"), part("repo")) == pull.project;
        let is_the_pull = !operation.parts.contains_key("index") || part("index") == pull.number.to_string();
        if is_the_project && is_the_pull { self.rest(pull, request, &operation) } else { Ok(not_found()) }
    }
}

impl Gitea {
    fn rest(&mut self, pull: &mut Pull, request: &Request, operation: &Operation) -> Result<Answer, String> {
        let part = |name: &str| operation.parts[name].as_str();
        let page = |items: Vec<Value>| request.page(&items, "limit", 30);
        let body = &request.body;
        let route = operation.route.strip_prefix("/repos/{owner}/{repo}").unwrap_or(&operation.route);
        Ok(match (request.method.as_str(), route) {
            ("GET", "/user") => Answer::of(200, user_form(OURS)),
            ("GET", "") => Answer::of(200, json!({"id": REPOSITORY, "full_name": pull.project})),
            ("GET", "/pulls/{index}") => Answer::of(200, pull_form(pull)),
            ("GET", "/issues/{index}/comments") => {
                Answer::of(200, pull.comments.iter().map(comment_form).collect())
            }
            ("POST", "/issues/{index}/comments") => create_comment(pull, body),
            ("PATCH", "/issues/comments/{id}") => edit_comment(pull, part("id"), body)?,
            ("DELETE", "/issues/comments/{id}") => self.delete_comment(pull, part("id"))?,
            ("GET", "/pulls/{index}/reviews") => page(reviews(pull)),
            ("GET", "/pulls/{index}/reviews/{id}/comments") => line_comments(pull, part("id")),
            ("POST", "/pulls/{index}/reviews") => self.create_review(pull, body)?,
            ("DELETE", "/pulls/{index}/reviews/{id}") => delete_review(pull, part("id"))?,
            ("DELETE", "/pulls/{index}/reviews/{id}/comments/{comment}") => {
                if self.make == Make::Forgejo {
                    delete_at_line(pull, part("comment"))?
                } else {
                    not_found()
                }
            }
            ("GET", "/collaborators/{collaborator}/permission") => {
                self.permission(pull, part("collaborator"))
            }
            ("POST", "/statuses/{sha}") => create_status(pull, part("sha"), body),
            (method, route) => return Err(format!("the mock does not do {method} {route}")),
        })
    }

    /// Takes any line; a failure in the middle leaves what was made before it as a draft.
    fn create_review(&self, pull: &mut Pull, body: &Value) -> Result<Answer, String> {
        if body["event"] != "COMMENT" {
            return Err("a review without a known event stays a draft".to_owned());
        }
        if pull.has_draft {
            return Err("this would publish the draft".to_owned());
        }
        let comments = body["comments"].as_array().cloned().unwrap_or_default();
        if comments.is_empty() && body["body"].as_str().is_none_or(str::is_empty) {
            return Ok(error(422, "review event COMMENT requires a body or a comment"));
        }
        if body["commit_id"] != pull.head.as_str() {
            return Err("a review of another commit".to_owned());
        }
        let places: Vec<(String, u32, String)> = comments.iter().map(place).collect::<Result<_, _>>()?;
        if places.iter().any(|(_, line, _)| self.breaks == Some(*line)) {
            pull.has_draft = true;
            return Ok(error(500, "Internal Server Error"));
        }
        for (path, line, text) in places {
            pull.begin(OURS, &path, LineRange::new(line, line), &text);
        }
        Ok(Answer::of(200, json!({"id": 1, "state": "COMMENT", "user": user_form(OURS)})))
    }

    fn delete_comment(&self, pull: &mut Pull, id: &str) -> Result<Answer, String> {
        if pull.threads.iter().any(|thread| thread.id.to_string() == id) {
            // Forgejo says that it is done, and does nothing.
            return if self.make == Make::Forgejo {
                Ok(Answer::of(204, Value::Null))
            } else {
                delete_at_line(pull, id)
            };
        }
        if own(pull, id)?.is_none() {
            return Ok(not_found());
        }
        pull.comments.retain(|said| said.id.to_string() != id);
        Ok(Answer::of(204, Value::Null))
    }

    fn permission(&self, pull: &Pull, login: &str) -> Answer {
        if !self.is_admin {
            return error(
                403,
                "Only admins can query all permissions, repo admins can query all repo permissions, collaborators can query only their own",
            );
        }
        if login == "nobody" {
            return error(404, "user does not exist [uid: 0, name: nobody]");
        }
        let permission = if pull.writers.contains(login) { "write" } else { "read" };
        Answer::of(200, json!({"permission": permission, "role_name": permission, "user": user_form(login)}))
    }
}

/// What stands between a beginning and an end of `path`.
fn between<'a>(path: &'a str, before: &str, after: &str) -> Option<&'a str> {
    path.strip_prefix(before)?.strip_suffix(after)
}

/// Path, line and text of a review's comment.
fn place(comment: &Value) -> Result<(String, u32, String), String> {
    let line = comment["new_position"].as_u64().and_then(|line| u32::try_from(line).ok());
    let line = line.filter(|line| *line > 0).ok_or("a comment without a line of the new side")?;
    let text =
        |name: &str| comment[name].as_str().map(str::to_owned).ok_or(format!("a comment without {name}"));
    Ok((text("path")?, line, text("body")?))
}

fn pull_form(pull: &Pull) -> Value {
    let (state, merged) = match pull.state {
        PullState::Open => ("open", false),
        PullState::Closed => ("closed", false),
        PullState::Merged => ("closed", true),
    };
    let head_repository = if pull.is_from_fork { REPOSITORY + 1 } else { REPOSITORY };
    json!({
        "number": pull.number, "state": state, "merged": merged, "is_locked": pull.is_locked,
        "html_url": format!("https://codeberg.org/{}/pulls/{}", pull.project, pull.number),
        "base": {"ref": "main", "sha": pull.base, "repo_id": REPOSITORY},
        "head": {"ref": "topic", "sha": pull.head, "repo_id": head_repository},
    })
}

fn user_form(login: &str) -> Value {
    json!({"id": account(login), "login": login})
}

fn comment_form(said: &Said) -> Value {
    json!({
        "id": said.id, "user": user_form(&said.author), "body": said.body,
        "created_at": said.at, "updated_at": said.at,
    })
}

fn reviews(pull: &Pull) -> Vec<Value> {
    let review = |thread: &Discussion| {
        json!({
            "id": REVIEWS + thread.id, "state": "COMMENT", "comments_count": thread.comments.len(),
            "user": user_form(&thread.comments[0].author),
        })
    };
    let approval = json!({"id": 5, "state": "APPROVED", "comments_count": 0, "user": user_form("ada")});
    let asked = json!({"id": 6, "state": "REQUEST_REVIEW", "comments_count": 0, "user": null});
    let draft = json!({"id": DRAFT, "state": "PENDING", "comments_count": 0, "user": user_form(OURS)});
    let drafts = pull.has_draft.then_some(draft);
    [approval, asked].into_iter().chain(pull.threads.iter().map(review)).chain(drafts).collect()
}

fn line_comments(pull: &Pull, review: &str) -> Answer {
    let Some(thread) = pull.threads.iter().find(|thread| (REVIEWS + thread.id).to_string() == review) else {
        return not_found();
    };
    let form = |said: &Said| {
        let mut form = comment_form(said);
        form["path"] = json!(thread.path);
        form["position"] = json!(thread.lines.end);
        form["original_position"] = json!(0);
        form["pull_request_review_id"] = json!(REVIEWS + thread.id);
        form["resolver"] = if thread.is_resolved { user_form("ada") } else { Value::Null };
        form
    };
    Answer::of(200, thread.comments.iter().map(form).collect())
}

fn create_comment(pull: &mut Pull, body: &Value) -> Answer {
    if pull.is_locked {
        return error(403, "issue is locked");
    }
    let id = pull.say(OURS, body["body"].as_str().unwrap_or_default());
    Answer::of(201, pull.comments.iter().find(|said| said.id == id).map(comment_form).unwrap_or_default())
}

/// The comment `id`; that of somebody else is nobody's to change, though the server would let a maintainer do it.
fn own<'a>(pull: &'a mut Pull, id: &str) -> Result<Option<&'a mut Said>, String> {
    match pull.comments.iter_mut().find(|said| said.id.to_string() == id) {
        Some(said) if said.author != OURS => Err(format!("comment {id} is of {}", said.author)),
        said => Ok(said),
    }
}

fn edit_comment(pull: &mut Pull, id: &str, body: &Value) -> Result<Answer, String> {
    let Some(said) = own(pull, id)? else { return Ok(not_found()) };
    body["body"].as_str().unwrap_or_default().clone_into(&mut said.body);
    Ok(Answer::of(200, comment_form(said)))
}

fn resolve(pull: &mut Pull, id: &str) -> Answer {
    let thread = pull.threads.iter_mut().find(|thread| thread.id.to_string() == id);
    thread.map_or_else(not_found, |thread| {
        thread.is_resolved = true;
        Answer::of(204, Value::Null)
    })
}

fn delete_at_line(pull: &mut Pull, id: &str) -> Result<Answer, String> {
    let Some(thread) = pull.threads.iter().find(|thread| thread.id.to_string() == id) else {
        return Ok(not_found());
    };
    match thread.comments.as_slice() {
        [only] if only.author == OURS => {}
        [only] => return Err(format!("comment {id} is of {}", only.author)),
        _ => return Err("the thread has answers".to_owned()),
    }
    pull.threads.retain(|thread| thread.id.to_string() != id);
    Ok(Answer::of(204, Value::Null))
}

fn delete_review(pull: &mut Pull, id: &str) -> Result<Answer, String> {
    if id != DRAFT.to_string() || !pull.has_draft {
        return Err("a review that is no draft is deleted".to_owned());
    }
    pull.has_draft = false;
    Ok(Answer::of(204, Value::Null))
}

fn create_status(pull: &mut Pull, commit: &str, body: &Value) -> Answer {
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    if ![&pull.head, &pull.base].contains(&&commit.to_owned()) {
        return error(404, "object does not exist");
    }
    let (context, state) = (text("context").unwrap_or_default(), text("state").unwrap_or_default());
    let (description, page) = (text("description").unwrap_or_default(), text("target_url"));
    pull.statuses.push(Status { commit: commit.to_owned(), context, state, description, page });
    Answer::of(201, json!({"id": pull.statuses.len(), "status": body["state"], "context": body["context"]}))
}

fn error(status: u16, message: &str) -> Answer {
    Answer::of(status, json!({"message": message, "url": "https://codeberg.org/api/swagger"}))
}

fn not_found() -> Answer {
    error(404, "The target couldn't be found.")
}
