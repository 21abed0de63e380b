//! A mock GitHub: [`GitHub`]. What it refuses, and in which words, is from docs.github.com and from answers that people have reported.

mod graphql;
mod tests;

use std::collections::BTreeMap;

use http::{HeaderMap, Method};
use scrum::{finding::LineRange, pull::PullState};
use serde_json::{Value, json};

use super::{
    Answer, Discussion, OURS, Platform, Pull, Refusal, Request, Said, Status,
    openapi::{Description, Operation},
};

/// Its id of the repository.
const REPOSITORY: u64 = 1_296_269;
/// Longest text, in characters.
const LONGEST: usize = 65_536;

/// github.com, or an Enterprise Server, with one pull request.
pub(crate) struct GitHub {
    root: &'static str,
    graphql_path: &'static str,
    description: Description,
    graphql: graphql::Schema,
}

impl GitHub {
    /// github.com.
    pub(crate) fn new() -> Self {
        Self::at("", "/graphql")
    }

    /// An Enterprise Server, whose GraphQL is beside the root of its REST.
    pub(crate) fn enterprise() -> Self {
        Self::at("/api/v3", "/api/graphql")
    }

    fn at(root: &'static str, graphql_path: &'static str) -> Self {
        Self {
            root,
            graphql_path,
            description: Description::read(include_str!("openapi/github.json")),
            graphql: graphql::Schema::read(include_str!("openapi/github.graphql")),
        }
    }
}

impl Platform for GitHub {
    fn root(&self) -> &'static str {
        self.root
    }

    fn token<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        headers.get("authorization")?.to_str().ok()?.strip_prefix("Bearer ")
    }

    fn is_change(&self, request: &Request) -> bool {
        if request.path == self.graphql_path {
            return graphql::is_change(&request.body);
        }
        request.method != Method::GET
    }

    fn refusal(&self, refusal: Refusal) -> Answer {
        match refusal {
            Refusal::BadToken => error(401, "Bad credentials"),
            Refusal::NoToken => error(401, "Requires authentication"),
            Refusal::ReadOnly => error(403, "Resource not accessible by integration"),
            Refusal::Hidden => error(404, "Not Found"),
            Refusal::Limited(seconds) => {
                let words = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";
                error(403, words).with("retry-after", seconds.to_string())
            }
            Refusal::Broken => error(500, "Server Error"),
        }
    }

    fn answer(&mut self, pull: &mut Pull, request: &Request) -> Result<Answer, String> {
        check_headers(&request.headers)?;
        if request.path == self.graphql_path {
            return self.graphql.answer(pull, request);
        }
        if let Some(former) = &pull.former_project
            && let Some(rest) = request.path.strip_prefix(&format!("/repos/{former}"))
        {
            return Ok(moved(request, rest));
        }
        // Where redirects lead is not in the description; it is the same as the repository's path.
        let by_id = request.path.strip_prefix(&format!("/repositories/{REPOSITORY}"));
        let path =
            by_id.map_or_else(|| request.path.clone(), |rest| format!("/repos/{}{rest}", pull.project));
        let request = Request { path, ..request.clone() };
        let operation = self.description.check(&request)?;
        Ok(if is_there(pull, &operation.parts) { rest(pull, &request, &operation)? } else { not_found() })
    }
}

fn check_headers(headers: &HeaderMap) -> Result<(), String> {
    let wanted = [("accept", "application/vnd.github+json"), ("x-github-api-version", "2022-11-28")];
    for (name, value) in wanted {
        if headers.get(name).is_none_or(|found| found != value) {
            return Err(format!("header {name} is not {value}"));
        }
    }
    if headers.contains_key("user-agent") { Ok(()) } else { Err("there is no user-agent".to_owned()) }
}

/// Whether the path is about the repository and the pull request that there are.
fn is_there(pull: &Pull, parts: &BTreeMap<String, String>) -> bool {
    let part = |name: &str| parts.get(name).map(String::as_str).unwrap_or_default();
    let number = pull.number.to_string();
    let is_the_pull =
        ["pull_number", "issue_number"].iter().all(|name| parts.get(*name).is_none_or(|n| *n == number));
    format!("{}/{}", part("owner"), part("repo")) == pull.project && is_the_pull
}

/// Reads are told that it is for good, changes to repeat themselves there.
fn moved(request: &Request, rest: &str) -> Answer {
    let status = if request.method == Method::GET { 301 } else { 307 };
    let query: Vec<String> = request.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    let target = format!("{}/repositories/{REPOSITORY}{rest}{query}", request.url);
    Answer::of(status, json!({"message": "Moved Permanently", "url": target})).with("location", target)
}

fn rest(pull: &mut Pull, request: &Request, operation: &Operation) -> Result<Answer, String> {
    let part = |name: &str| operation.parts[name].as_str();
    let repository = "/repos/{owner}/{repo}";
    let route = operation.route.strip_prefix(repository).unwrap_or_default();
    let page = |items: Vec<Value>| request.page(&items, "per_page", 30);
    Ok(match (request.method.as_str(), route) {
        ("GET", "") => {
            Answer::of(200, json!({"id": REPOSITORY, "full_name": pull.project, "private": pull.is_private}))
        }
        ("GET", "/pulls/{pull_number}") => Answer::of(200, pull_form(pull)),
        ("GET", "/issues/{issue_number}/comments") => page(pull.comments.iter().map(comment_form).collect()),
        ("POST", "/issues/{issue_number}/comments") => create_comment(pull, &request.body),
        ("PATCH", "/issues/comments/{comment_id}") => edit_comment(pull, part("comment_id"), &request.body)?,
        ("DELETE", "/issues/comments/{comment_id}") => delete_comment(pull, part("comment_id"))?,
        ("GET", "/pulls/{pull_number}/comments") => page(pull.threads.iter().flat_map(line_forms).collect()),
        ("DELETE", "/pulls/comments/{comment_id}") => delete_line_comment(pull, part("comment_id"))?,
        ("POST", "/pulls/{pull_number}/reviews") => create_review(pull, &request.body)?,
        ("POST", "/statuses/{sha}") => create_status(pull, part("sha"), &request.body),
        ("GET", "/collaborators/{username}/permission") => permission(pull, part("username")),
        (method, route) => return Err(format!("the mock does not do {method} {route}")),
    })
}

fn pull_form(pull: &Pull) -> Value {
    let (state, merged) = match pull.state {
        PullState::Open => ("open", false),
        PullState::Closed => ("closed", false),
        PullState::Merged => ("closed", true),
    };
    let head_repository = if pull.is_from_fork { REPOSITORY + 1 } else { REPOSITORY };
    json!({
        "number": pull.number, "state": state, "merged": merged, "locked": pull.is_locked,
        "html_url": format!("https://github.com/{}/pull/{}", pull.project, pull.number),
        "base": {"ref": "main", "sha": pull.base, "repo": {"id": REPOSITORY, "full_name": pull.project}},
        "head": {"ref": "topic", "sha": pull.head, "repo": {"id": head_repository}},
    })
}

/// An account's id: any number, the same for the same name.
pub(super) fn account(login: &str) -> u64 {
    login.bytes().fold(7, |id, byte| (id * 31 + u64::from(byte)) % 1_000_000_007)
}

fn user_form(login: &str) -> Value {
    let kind = if login.ends_with("[bot]") { "Bot" } else { "User" };
    json!({"id": account(login), "login": login, "type": kind})
}

fn comment_form(said: &Said) -> Value {
    json!({
        "id": said.id, "user": user_form(&said.author), "body": said.body,
        "created_at": said.at, "updated_at": said.at,
    })
}

fn line_forms(thread: &Discussion) -> Vec<Value> {
    let form = |(at, said): (usize, &Said)| {
        let mut form = comment_form(said);
        form["path"] = json!(thread.path);
        (form["position"], form["line"]) =
            if thread.is_outdated { (Value::Null, Value::Null) } else { (json!(1), json!(thread.lines.end)) };
        if at > 0 {
            form["in_reply_to_id"] = json!(thread.comments[0].id);
        }
        form
    };
    thread.comments.iter().enumerate().map(form).collect()
}

fn create_comment(pull: &mut Pull, body: &Value) -> Answer {
    let text = body["body"].as_str().unwrap_or_default();
    if pull.is_locked {
        return error(403, "Unable to create comment because issue is locked.");
    }
    if text.chars().count() > LONGEST || text.trim().is_empty() {
        return too_long("IssueComment");
    }
    let id = pull.say(OURS, text);
    let said = pull.comments.iter().find(|said| said.id == id);
    Answer::of(201, said.map(comment_form).unwrap_or_default())
}

/// The comment `id`; that of somebody else is nobody's to change, though GitHub would let a maintainer do it.
fn own<'a>(pull: &'a mut Pull, id: &str) -> Result<Option<&'a mut Said>, String> {
    match pull.comments.iter_mut().find(|said| said.id.to_string() == id) {
        Some(said) if said.author != OURS => Err(format!("comment {id} is of {}", said.author)),
        said => Ok(said),
    }
}

fn edit_comment(pull: &mut Pull, id: &str, body: &Value) -> Result<Answer, String> {
    let text = body["body"].as_str().unwrap_or_default().to_owned();
    let Some(said) = own(pull, id)? else { return Ok(not_found()) };
    if text.chars().count() > LONGEST {
        return Ok(too_long("IssueComment"));
    }
    said.body = text;
    Ok(Answer::of(200, comment_form(said)))
}

fn delete_comment(pull: &mut Pull, id: &str) -> Result<Answer, String> {
    if own(pull, id)?.is_none() {
        return Ok(not_found());
    }
    pull.comments.retain(|said| said.id.to_string() != id);
    Ok(Answer::of(204, Value::Null))
}

/// Takes a thread of one comment away; one with more is nobody's to change.
fn delete_line_comment(pull: &mut Pull, id: &str) -> Result<Answer, String> {
    let Some(at) = pull.threads.iter().position(|thread| thread.id.to_string() == id) else {
        return Ok(not_found());
    };
    if pull.threads[at].comments.iter().any(|said| said.author != OURS) {
        return Err(format!("thread {id} has words of others"));
    }
    pull.threads.remove(at);
    Ok(Answer::of(204, Value::Null))
}

/// Makes a review of all comments or of none.
fn create_review(pull: &mut Pull, body: &Value) -> Result<Answer, String> {
    if body["event"] != "COMMENT" {
        return Err("a review without an event stays a draft that blocks later ones".to_owned());
    }
    let unprocessable = |reason: &str| {
        Ok(Answer::of(422, json!({"message": "Unprocessable Entity", "errors": [reason], "status": "422"})))
    };
    let comments = body["comments"].as_array().cloned().unwrap_or_default();
    if pull.is_locked {
        return Ok(error(403, "Resource not accessible by integration"));
    }
    if pull.has_draft {
        return unprocessable("User can only have one pending review per pull request");
    }
    if body["commit_id"] != pull.head.as_str() {
        return unprocessable("commit_id is not part of the pull request");
    }
    let lines: Vec<(String, LineRange)> = comments.iter().map(place).collect::<Result<_, _>>()?;
    if lines.iter().any(|(path, lines)| !pull.shows(path, *lines)) {
        return unprocessable(
            "Pull request review thread line must be part of the diff and Pull request review thread diff hunk can't be blank",
        );
    }
    if comments
        .iter()
        .any(|comment| comment["body"].as_str().is_none_or(|text| text.chars().count() > LONGEST))
    {
        return Ok(too_long("PullRequestReviewComment"));
    }
    for (comment, (path, lines)) in comments.iter().zip(lines) {
        pull.begin(OURS, &path, lines, comment["body"].as_str().unwrap_or_default());
    }
    Ok(Answer::of(200, json!({"id": 80, "state": "COMMENTED", "user": user_form(OURS)})))
}

/// Where a comment of a review is to be. Rules that the description has in words only.
fn place(comment: &Value) -> Result<(String, LineRange), String> {
    let number = |name: &str| comment[name].as_u64().and_then(|line| u32::try_from(line).ok());
    let line = number("line").ok_or("a comment without a line")?;
    let start = number("start_line").unwrap_or(line);
    if comment["side"] != "RIGHT" || comment.get("start_line").is_some() && comment["start_side"] != "RIGHT" {
        return Err("a comment that is not on the right side".to_owned());
    }
    if comment.get("start_line").is_some() && start >= line {
        return Err("start_line must precede the end line".to_owned());
    }
    Ok((comment["path"].as_str().unwrap_or_default().to_owned(), LineRange::new(start, line)))
}

fn create_status(pull: &mut Pull, commit: &str, body: &Value) -> Answer {
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    let description = text("description").unwrap_or_default();
    if description.chars().count() > 140 {
        let errors = "Validation failed: Description is too long (maximum is 140 characters)";
        return Answer::of(422, json!({"message": "Validation Failed", "errors": errors, "status": "422"}));
    }
    if ![&pull.head, &pull.base].contains(&&commit.to_owned()) {
        return error(422, &format!("No commit found for SHA: {commit}"));
    }
    let context = text("context").unwrap_or_else(|| "default".to_owned());
    let state = text("state").unwrap_or_default();
    let status = Status { commit: commit.to_owned(), context, state, description, page: text("target_url") };
    pull.statuses.push(status);
    Answer::of(201, json!({"id": pull.statuses.len(), "state": body["state"], "context": body["context"]}))
}

fn permission(pull: &Pull, login: &str) -> Answer {
    if login.ends_with("[bot]") {
        return error(404, &format!("{login} is not a user"));
    }
    let permission = if pull.writers.contains(login) { "write" } else { "read" };
    Answer::of(200, json!({"permission": permission, "role_name": permission, "user": user_form(login)}))
}

fn error(status: u16, message: &str) -> Answer {
    let page = "https://docs.github.com/rest";
    Answer::of(status, json!({"message": message, "documentation_url": page, "status": status.to_string()}))
}

fn not_found() -> Answer {
    error(404, "Not Found")
}

fn too_long(resource: &str) -> Answer {
    let message = "body is too long (maximum is 65536 characters)";
    let errors =
        json!([{"resource": resource, "code": "unprocessable", "field": "body", "message": message}]);
    Answer::of(422, json!({"message": "Validation Failed", "errors": errors, "status": "422"}))
}
