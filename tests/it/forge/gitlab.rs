//! A mock GitLab: [`GitLab`]. What it refuses, and in which words, is from GitLab's documentation and code and from answers that people
//! have reported.

mod tests;

use std::collections::BTreeMap;

use http::HeaderMap;
use scrum::{finding::LineRange, pull::PullState};
use serde_json::{Value, json};

use super::{
    Answer, Discussion, OURS, Platform, Pull, Refusal, Request, Said, Status,
    github::account,
    openapi::{Description, Operation},
};

/// Its number of the project.
const PROJECT: u64 = 278_964;
/// The merge base, which is not the target branch's tip.
const MERGE_BASE: &str = "3e5e0000000000000000000000000000000000be";
/// Its pipeline for the merge request's last commit.
const PIPELINE: u64 = 46;

/// gitlab.com with one merge request.
pub(crate) struct GitLab {
    description: Description,
    /// Lines on the new side that are not changed; on the old side they are two lines further up.
    pub(crate) unchanged: Vec<u32>,
    /// A line that breaks it.
    pub(crate) breaks: Option<u32>,
    /// Times the merge request will be read before its diff has been computed.
    pub(crate) reads_without_diff: u32,
}

impl GitLab {
    pub(crate) fn new() -> Self {
        let description = Description::read(include_str!("openapi/gitlab.json"));
        Self { description, unchanged: Vec::new(), breaks: None, reads_without_diff: 0 }
    }
}

impl Platform for GitLab {
    fn root(&self) -> &'static str {
        "/api/v4"
    }

    fn token<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        headers.get("private-token").or(headers.get("job-token"))?.to_str().ok()
    }

    fn refusal(&self, refusal: Refusal) -> Answer {
        match refusal {
            Refusal::BadToken => {
                let words = "Token is expired. You can either do re-authorization or token refresh.";
                Answer::of(401, json!({"error": "invalid_token", "error_description": words}))
            }
            Refusal::NoToken => error(401, "401 Unauthorized"),
            Refusal::ReadOnly => {
                let words = "The request requires higher privileges than provided by the access token.";
                Answer::of(
                    403,
                    json!({"error": "insufficient_scope", "error_description": words, "scope": "api"}),
                )
            }
            Refusal::Hidden => error(404, "404 Project Not Found"),
            Refusal::Limited(seconds) => {
                let words = "This endpoint has been requested too many times. Try again later.";
                Answer::of(429, json!({"message": {"error": words}})).with("retry-after", seconds.to_string())
            }
            Refusal::Broken => error(500, "500 Internal Server Error"),
        }
    }

    fn answer(&mut self, pull: &mut Pull, request: &Request) -> Result<Answer, String> {
        let operation = self.description.check(request)?;
        if self.is_change(request) && request.headers.contains_key("job-token") {
            return Ok(error(403, "403 Forbidden"));
        }
        let by_name = operation.parts.get("id").cloned().unwrap_or_default();
        if pull.former_project.as_ref() == Some(&by_name) {
            return Ok(if self.is_change(request) {
                error(404, "404 Project Not Found")
            } else {
                moved(request)
            });
        }
        let is_the_project = by_name == pull.project || by_name == PROJECT.to_string();
        if operation.parts.contains_key("id") && !is_the_project {
            return Ok(error(404, "404 Project Not Found"));
        }
        let number = pull.number.to_string();
        let is_the_pull = ["merge_request_iid", "noteable_id"]
            .iter()
            .all(|name| operation.parts.get(*name).is_none_or(|n| *n == number));
        if is_the_pull { self.rest(pull, request, &operation) } else { Ok(error(404, "404 Not found")) }
    }
}

impl GitLab {
    fn rest(&mut self, pull: &mut Pull, request: &Request, operation: &Operation) -> Result<Answer, String> {
        let part = |name: &str| operation.parts[name].as_str();
        let page = |items: Vec<Value>| request.page(&items, "per_page", 20);
        let body = &request.body;
        let route = operation.route.strip_prefix("/projects/{id}").unwrap_or(&operation.route);
        let route = route.replace("/merge_requests/{noteable_id}", "");
        let route = route.replace("/merge_requests/{merge_request_iid}", "/mr");
        Ok(match (request.method.as_str(), route.as_str()) {
            ("GET", "/user") => Answer::of(200, user_form(OURS)),
            ("GET", "/users") => Answer::of(200, users(request)),
            ("GET", "") => Answer::of(200, json!({"id": PROJECT, "path_with_namespace": pull.project})),
            ("GET", "/mr") => Answer::of(200, self.pull_form(pull)),
            ("GET", "/mr/versions") => Answer::of(200, versions(pull)),
            ("GET", "/members/all/{user_id}") => member(pull, part("user_id")),
            ("GET", "/notes") => page(all_notes(pull)),
            ("POST", "/notes") => create_note(pull, body)?,
            ("PUT", "/notes/{note_id}") => edit_note(pull, part("note_id"), body)?,
            ("DELETE", "/notes/{note_id}") => delete_note(pull, part("note_id"))?,
            ("GET", "/discussions") => page(discussions(pull)),
            ("POST", "/discussions") => self.create_discussion(pull, body)?,
            ("PUT", "/discussions/{discussion_id}") => resolve(pull, part("discussion_id"), body),
            ("DELETE", "/discussions/{discussion_id}/notes/{note_id}") => {
                delete_in_thread(pull, &operation.parts)?
            }
            ("POST", "/statuses/{sha}") => create_status(pull, part("sha"), body),
            (method, route) => return Err(format!("the mock does not do {method} {route}")),
        })
    }

    fn pull_form(&mut self, pull: &Pull) -> Value {
        let state = match pull.state {
            PullState::Open => "opened",
            PullState::Closed => "closed",
            PullState::Merged => "merged",
        };
        let refs = json!({"base_sha": MERGE_BASE, "start_sha": pull.base, "head_sha": pull.head});
        let is_computed = self.reads_without_diff == 0;
        self.reads_without_diff = self.reads_without_diff.saturating_sub(1);
        let source = if pull.is_from_fork { PROJECT + 1 } else { PROJECT };
        json!({
            "iid": pull.number, "state": state, "sha": pull.head, "source_branch": "topic",
            "project_id": PROJECT, "target_project_id": PROJECT, "source_project_id": source,
            "discussion_locked": pull.is_locked.then_some(true),
            "web_url": format!("https://gitlab.com/{}/-/merge_requests/{}", pull.project, pull.number),
            "diff_refs": is_computed.then_some(refs),
            "head_pipeline": {
                "id": PIPELINE, "project_id": source, "sha": pull.head,
                "ref": format!("refs/merge-requests/{}/head", pull.number),
            },
        })
    }

    /// Rules that the description does not have: which lines there are, and that a line that is not changed takes both numbers.
    fn create_discussion(&self, pull: &mut Pull, body: &Value) -> Result<Answer, String> {
        let (position, text) = (&body["position"], body["body"].as_str().unwrap_or_default());
        check_text(text)?;
        let line = position["new_line"].as_u64().and_then(|line| u32::try_from(line).ok());
        let line = line.ok_or("a place without a line of the new side")?;
        let path = position["new_path"].as_str().ok_or("a place without a path of the new side")?;
        if position["old_path"].as_str().is_none() {
            return Err("a place without a path of the old side".to_owned());
        }
        if pull.is_locked {
            return Ok(error(403, "403 Forbidden"));
        }
        if self.breaks == Some(line) {
            return Ok(error(500, "500 Internal Server Error"));
        }
        let commits = [&position["base_sha"], &position["start_sha"], &position["head_sha"]];
        let old_line = if self.unchanged.contains(&line) { json!(line - 2) } else { Value::Null };
        let lines = LineRange::new(line, line);
        let is_valid = commits == [&json!(MERGE_BASE), &json!(pull.base), &json!(pull.head)];
        if !is_valid || !pull.shows(path, lines) || position["old_line"] != old_line {
            let words = "400 Bad request - Note {:line_code=>[\"can't be blank\", \"must be a valid line code\"], \
                         :position=>[\"is incomplete\"]}";
            return Ok(error(400, words));
        }
        let id = pull.begin(OURS, path, lines, text);
        let head = pull.head.clone();
        Ok(Answer::of(201, pull.thread(id).map(|thread| discussion(thread, &head)).unwrap_or_default()))
    }
}

/// GitLab carries out such a line; nothing of ours may hold one.
fn check_text(text: &str) -> Result<(), String> {
    let is_command = |line: &str| {
        line.trim_start().strip_prefix('/').is_some_and(|name| name.starts_with(char::is_alphabetic))
    };
    match text.lines().find(|line| is_command(line)) {
        Some(line) => Err(format!("{line:?} is a command to GitLab")),
        None => Ok(()),
    }
}

fn moved(request: &Request) -> Answer {
    let rest = request.path.splitn(4, '/').nth(3).map(|rest| format!("/{rest}")).unwrap_or_default();
    let target = format!("{}/projects/{PROJECT}{rest}", request.url);
    Answer::of(301, json!({"message": "This resource has been moved permanently"})).with("location", target)
}

fn user_form(login: &str) -> Value {
    json!({"id": account(login), "username": login, "name": login, "state": "active"})
}

/// Everybody whose name is asked for is there, but for `nobody`.
fn users(request: &Request) -> Value {
    let wanted = request.query.iter().find(|(name, _)| name == "username").map(|(_, login)| login.as_str());
    json!(wanted.filter(|login| *login != "nobody").map(user_form).into_iter().collect::<Vec<_>>())
}

fn member(pull: &Pull, id: &str) -> Answer {
    let is = |login: &&String| account(login).to_string() == id;
    match pull.writers.iter().find(is) {
        Some(login) => Answer::of(200, json!({"id": account(login), "username": login, "access_level": 30})),
        None if id == account("reporter").to_string() => Answer::of(200, json!({"access_level": 20})),
        None => error(404, "404 Not found"),
    }
}

fn versions(pull: &Pull) -> Value {
    let version = |id: u32, head: &str| {
        json!({
            "id": id, "head_commit_sha": head, "base_commit_sha": MERGE_BASE, "start_commit_sha": pull.base,
            "state": "collected",
        })
    };
    json!([version(111, &pull.head), version(110, &"1".repeat(40))])
}

fn note(said: &Said) -> Value {
    json!({
        "id": said.id, "type": null, "body": said.body, "author": user_form(&said.author),
        "created_at": said.at, "updated_at": said.at, "system": false, "resolvable": false,
    })
}

fn line_note(thread: &Discussion, said: &Said, head: &str) -> Value {
    let mut form = note(said);
    form["type"] = json!("DiffNote");
    form["resolvable"] = json!(true);
    form["resolved"] = json!(thread.is_resolved);
    let head = if thread.is_outdated { &thread.commit[1..] } else { head };
    form["position"] = json!({
        "position_type": "text", "new_path": thread.path, "new_line": thread.lines.end, "head_sha": head,
    });
    form
}

/// Notes of the conversation, notes at lines, and one by the server itself.
fn all_notes(pull: &Pull) -> Vec<Value> {
    let mut system = note(&Said {
        id: 999_999,
        author: "ada".to_owned(),
        body: "added 1 commit".to_owned(),
        at: "2026-01-01T00:00:00+02:00".parse().unwrap(),
    });
    system["system"] = json!(true);
    let at_lines = pull
        .threads
        .iter()
        .flat_map(|thread| thread.comments.iter().map(|said| line_note(thread, said, &pull.head)));
    std::iter::once(system).chain(at_lines).chain(pull.comments.iter().map(note)).collect()
}

fn discussion(thread: &Discussion, head: &str) -> Value {
    let notes: Vec<Value> = thread.comments.iter().map(|said| line_note(thread, said, head)).collect();
    json!({"id": discussion_id(thread), "individual_note": false, "notes": notes})
}

fn discussion_id(thread: &Discussion) -> String {
    format!("{:040x}", thread.id)
}

/// What is in the conversation is a discussion too.
fn discussions(pull: &Pull) -> Vec<Value> {
    let alone =
        |said: &Said| json!({"id": format!("c{}", said.id), "individual_note": true, "notes": [note(said)]});
    let at_lines = pull.threads.iter().map(|thread| discussion(thread, &pull.head));
    pull.comments.iter().map(alone).chain(at_lines).collect()
}

fn create_note(pull: &mut Pull, body: &Value) -> Result<Answer, String> {
    let text = body["body"].as_str().unwrap_or_default();
    check_text(text)?;
    if pull.is_locked {
        return Ok(error(403, "403 Forbidden"));
    }
    if text.chars().count() > 1_000_000 {
        return Ok(error(
            400,
            "400 Bad request - Note {:note=>[\"is too long (maximum is 1000000 characters)\"]}",
        ));
    }
    let id = pull.say(OURS, text);
    Ok(Answer::of(201, pull.comments.iter().find(|said| said.id == id).map(note).unwrap_or_default()))
}

/// The note `id`; that of somebody else is nobody's to change, though GitLab would let a maintainer delete it.
fn own<'a>(pull: &'a mut Pull, id: &str) -> Result<Option<&'a mut Said>, String> {
    match pull.comments.iter_mut().find(|said| said.id.to_string() == id) {
        Some(said) if said.author != OURS => Err(format!("note {id} is of {}", said.author)),
        said => Ok(said),
    }
}

fn edit_note(pull: &mut Pull, id: &str, body: &Value) -> Result<Answer, String> {
    let text = body["body"].as_str().unwrap_or_default().to_owned();
    check_text(&text)?;
    let Some(said) = own(pull, id)? else { return Ok(error(404, "404 Note Not Found")) };
    said.body = text;
    Ok(Answer::of(200, note(said)))
}

fn delete_note(pull: &mut Pull, id: &str) -> Result<Answer, String> {
    if own(pull, id)?.is_none() {
        return Ok(error(404, "404 Note Not Found"));
    }
    pull.comments.retain(|said| said.id.to_string() != id);
    Ok(Answer::of(204, Value::Null))
}

fn resolve(pull: &mut Pull, id: &str, body: &Value) -> Answer {
    let (may, head) = (pull.writers.contains(OURS), pull.head.clone());
    match pull.threads.iter_mut().find(|thread| discussion_id(thread) == id) {
        None => error(404, "404 Discussion Not Found"),
        Some(_) if !may => error(403, "403 Forbidden"),
        Some(thread) => {
            thread.is_resolved = body["resolved"] == true;
            Answer::of(200, discussion(thread, &head))
        }
    }
}

fn delete_in_thread(pull: &mut Pull, parts: &BTreeMap<String, String>) -> Result<Answer, String> {
    let Some(thread) = pull.threads.iter().find(|thread| discussion_id(thread) == parts["discussion_id"])
    else {
        return Ok(error(404, "404 Discussion Not Found"));
    };
    let [only] = thread.comments.as_slice() else { return Err("the thread has answers".to_owned()) };
    if only.author != OURS || only.id.to_string() != parts["note_id"] {
        return Err(format!("note {} is of {}", only.id, only.author));
    }
    let id = thread.id;
    pull.threads.retain(|thread| thread.id != id);
    Ok(Answer::of(204, Value::Null))
}

/// A status that names neither pipeline nor branch is lost on a merge request whose branch is in a fork.
fn create_status(pull: &mut Pull, commit: &str, body: &Value) -> Answer {
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    if ![&pull.head, &pull.base].contains(&&commit.to_owned()) {
        return error(404, "404 Commit Not Found");
    }
    let Some(name) = text("ref") else { return error(404, "404 References for commit Not Found") };
    if body["pipeline_id"] == PIPELINE && !name.starts_with("refs/merge-requests/") {
        return error(404, "404 Pipeline Not Found");
    }
    let context = text("name").unwrap_or_else(|| "default".to_owned());
    let (state, description) = (text("state").unwrap_or_default(), text("description").unwrap_or_default());
    let page = text("target_url");
    pull.statuses.push(Status { commit: commit.to_owned(), context, state, description, page });
    Answer::of(201, json!({"id": pull.statuses.len(), "status": body["state"], "name": body["name"]}))
}

fn error(status: u16, message: &str) -> Answer {
    Answer::of(status, json!({"message": message}))
}
