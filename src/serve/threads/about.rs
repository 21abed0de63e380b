//! What a thread about a run begins with: [`about`] finds it, its issue, and who may speak for that.

use std::sync::Arc;

use http::StatusCode;

use super::{Desk, broken, nameless};
use crate::{
    clock,
    conversation::About,
    judge::question::{listed, shown},
    provider::relay::Problem,
    run::saved::{self, SavedError},
    serve::callers::Caller,
    store::StoreError,
    tally::{
        Issue,
        named::{NameError, named},
        tally,
    },
};

/// What a thread is told that is about the `issue` of the `run`, or about all of them; both may be beginnings of ids. Whose key is
/// bound to a tenant has no runs but that tenant's: it could not name the others'.
pub(super) async fn about(
    desk: &Arc<Desk>,
    caller: &Caller,
    run: String,
    issue: Option<String>,
) -> Result<About, Problem> {
    let own =
        if caller.is_bound { Some(desk.board.runs_of(&caller.tenant).await.map_err(broken)?) } else { None };
    let desk = Arc::clone(desk);
    let read = tokio::task::spawn_blocking(move || {
        let sight = |id: &str| own.as_ref().is_none_or(|own| own.contains(id));
        read(&desk, sight, &run, issue.as_deref())
    });
    read.await.map_err(|_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the run could not be read"))?
}

fn read(desk: &Desk, sight: impl Fn(&str) -> bool, run: &str, issue: Option<&str>) -> Result<About, Problem> {
    let dir = desk.runs.find_by_id(run, sight).map_err(|error| unknown_run(&error))?;
    let saved = saved::open(&dir).map_err(|error| unreadable(&error))?;
    let tally = tally(saved.input);
    let nonce = clock::nonce().map_err(nameless)?;
    let issue = issue.map(|name| named(&tally, name)).transpose().map_err(|error| unknown_issue(&error))?;
    let reviewer = issue.and_then(|issue| speaker(desk, issue));
    let context = match issue {
        Some(issue) => {
            let reviewer = reviewer.as_deref().unwrap_or_default();
            desk.templates.about_issue(&shown(&tally, issue), reviewer, &nonce)
        }
        None => desk.templates.about_run(&listed(&tally), &nonce),
    };
    let context = context.map_err(|error| {
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).code("template_failed")
    })?;
    Ok(About { run: tally.run.id.clone(), issue: issue.map(|issue| issue.id.clone()), reviewer, context })
}

/// The first who reported the issue and can be asked here, else somebody of their lineages.
fn speaker(desk: &Desk, issue: &Issue) -> Option<String> {
    let mut members = issue.members.iter().map(|member| member.reviewer.as_str());
    let own = members.find_map(|id| desk.gateway.routes.iter().find(|one| one.reviewer.id.as_str() == id));
    let kin = || desk.gateway.routes.iter().find(|one| issue.lineages.contains(&one.reviewer.lineage));
    Some(own.or_else(kin)?.reviewer.id.to_string())
}

fn unknown_run(error: &StoreError) -> Problem {
    match error {
        // Its words say where runs are kept.
        StoreError::NoSuchRun { name, .. } => {
            Problem::new(StatusCode::NOT_FOUND, format!("there is no run {name:?}"))
                .code("run_not_found")
                .about("run")
        }
        StoreError::Ambiguous { .. } => {
            Problem::new(StatusCode::BAD_REQUEST, error.to_string()).code("ambiguous").about("run")
        }
        StoreError::Write { .. } | StoreError::Read { .. } | StoreError::Damaged { .. } => {
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the run cannot be read").code("run_unreadable")
        }
    }
}

fn unreadable(error: &SavedError) -> Problem {
    match error {
        SavedError::Store(error) => unknown_run(error),
        SavedError::Bundle { .. } => {
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).code("run_unreadable")
        }
    }
}

fn unknown_issue(error: &NameError) -> Problem {
    let (status, code) = match error {
        NameError::NoSuchIssue { .. } => (StatusCode::NOT_FOUND, "issue_not_found"),
        NameError::Ambiguous { .. } => (StatusCode::BAD_REQUEST, "ambiguous"),
    };
    Problem::new(status, error.to_string()).code(code).about("issue")
}
