//! A status on a commit, as all platforms take it but for their words: [`body`] and [`ask`].

use http::Method;
use serde_json::{Value, json};

use super::client::{Ask, Effect, encoded};
use crate::{
    pull::{Address, CommitStatus},
    report::{foreign::one_line, words::shortened},
    tally::since::short,
};

/// Most characters of a status's line. GitHub's limit; GitLab does not write its own down, Gitea has none.
const LONGEST: usize = 140;

/// `status` in the platform's words: its `state`, and the `key` under which the context stands.
pub(super) fn body(status: &CommitStatus, state: &str, key: &str) -> Value {
    let mut body = json!({
        "state": state,
        key: status.context,
        "description": shortened(&one_line(&status.description), LONGEST),
    });
    if let Some(page) = &status.page {
        body["target_url"] = json!(page);
    }
    body
}

/// The request that puts it there; `repository` is the path of the repository in the API.
pub(super) fn ask(repository: &str, status: &CommitStatus, address: &Address) -> Ask {
    let path = format!("{repository}/statuses/{}", encoded(&status.commit));
    let what = format!("commit {} of {}", short(&one_line(&status.commit)), address.project);
    // The last status of a context counts, so a second one changes nothing.
    Ask::read(path, "put a status on", what).by(Method::POST, Effect::Repeatable)
}
