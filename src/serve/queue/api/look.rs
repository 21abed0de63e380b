//! `GET /queue/jobs` and `GET /queue/jobs/{id}`: [`jobs`] and [`job`].

use std::sync::Arc;

use axum::{
    extract::{Extension, Path, State},
    response::Response,
};
use http::{StatusCode, Uri};
use url::form_urlencoded;

use super::{Desk, broken, files::address, json};
use crate::{
    config::nearest,
    job::{
        JobId, Kind, State as Stand,
        wire::{FileLink, JOBS, List, Shown},
    },
    provider::relay::Problem,
    serve::callers::Caller,
    store::jobs::Filter,
};

/// How many are listed where nobody says, and at most.
const PAGE: (u32, u32) = (50, 500);
/// What may stand behind the `?`.
const PARAMETERS: [&str; 4] = ["state", "kind", "limit", "before"];

/// Lists jobs of the caller's tenant.
pub(super) async fn jobs(
    State(desk): State<Arc<Desk>>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
) -> Response {
    desk.list(&caller, uri.query().unwrap_or_default()).await.unwrap_or_else(Problem::into_response)
}

/// Shows a job.
pub(super) async fn job(
    State(desk): State<Arc<Desk>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Response {
    desk.show(&caller, &id).await.unwrap_or_else(Problem::into_response)
}

impl Desk {
    async fn list(&self, caller: &Caller, query: &str) -> Result<Response, Problem> {
        let wanted = Filter { tenant: Some(caller.tenant.to_string()), ..filter(query)? };
        let jobs = self.queue.jobs.list(wanted.clone()).await.map_err(broken)?;
        let next = jobs.last().filter(|_| jobs.len() == wanted.most as usize);
        let next = next.map(|last| address_of(&wanted, &last.new.id));
        let jobs = jobs.into_iter().map(Shown::new).collect();
        Ok(json(StatusCode::OK, &List { jobs, next }))
    }

    async fn show(&self, caller: &Caller, id: &str) -> Result<Response, Problem> {
        let job = self.job(caller, id).await?;
        let files = self.queue.jobs.files(&job.new.id).await.map_err(broken)?;
        let mut shown = Shown::new(job);
        let link = |(name, size): (String, u64)| FileLink { href: address(&shown.id, &name), name, size };
        shown.links.files = Some(files.into_iter().map(link).collect());
        Ok(json(StatusCode::OK, &shown))
    }
}

/// What is asked for behind the `?`, or what is wrong there.
fn filter(query: &str) -> Result<Filter, Problem> {
    let mut filter = Filter { most: PAGE.0, ..Filter::default() };
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match name.as_ref() {
            "state" => {
                let states = value.split(',').map(|word| {
                    Stand::of(word)
                        .ok_or_else(|| unknown("state", word, Stand::ALL.iter().map(|one| one.word())))
                });
                filter.states.extend(states.collect::<Result<Vec<_>, _>>()?);
            }
            "kind" => {
                let kind = Kind::of(&value);
                filter.kind = Some(
                    kind.ok_or_else(|| unknown("kind", &value, Kind::ALL.iter().map(|one| one.word())))?,
                );
            }
            "limit" => {
                let limit = value.parse().ok().filter(|limit| (1..=PAGE.1).contains(limit));
                filter.most = limit.ok_or_else(|| {
                    wrong("limit", format!("`limit` must be a number from 1 to {}", PAGE.1))
                })?;
            }
            "before" => {
                let id = JobId::parse(&value);
                filter.before =
                    Some(id.ok_or_else(|| wrong("before", "`before` must be the id of a job".to_owned()))?);
            }
            other => return Err(unknown("parameter", other, PARAMETERS.into_iter())),
        }
    }
    Ok(filter)
}

fn unknown<'a>(what: &'static str, word: &str, known: impl Iterator<Item = &'a str> + Clone) -> Problem {
    let advice = match nearest(word, known.clone()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("there are {}", known.collect::<Vec<_>>().join(", ")),
    };
    wrong(what, format!("there is no {what} {word:?}: {advice}"))
}

fn wrong(parameter: &'static str, message: String) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, message).code("invalid_value").about(parameter)
}

/// Where jobs older than `last` are.
fn address_of(filter: &Filter, last: &JobId) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    if !filter.states.is_empty() {
        let states: Vec<&str> = filter.states.iter().map(|state| state.word()).collect();
        query.append_pair("state", &states.join(","));
    }
    if let Some(kind) = filter.kind {
        query.append_pair("kind", kind.word());
    }
    query.append_pair("limit", &filter.most.to_string()).append_pair("before", last.as_str());
    format!("{JOBS}?{}", query.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_behind_the_question_mark() {
        let last = JobId::parse("01926f00-0000-7000-8000-000000000000").unwrap();
        let told = |query: &str| match filter(query) {
            Ok(filter) => address_of(&filter, &last),
            Err(problem) => {
                format!("{} {:?}: {}", problem.status.as_u16(), problem.parameter, problem.message)
            }
        };
        insta::assert_snapshot!(told(""), @"/queue/jobs?limit=50&before=01926f00-0000-7000-8000-000000000000");
        insta::assert_snapshot!(told("state=queued,running&kind=review&limit=2"), @"/queue/jobs?state=queued%2Crunning&kind=review&limit=2&before=01926f00-0000-7000-8000-000000000000");
        insta::assert_snapshot!(told("state=queued&state=failed"), @"/queue/jobs?state=queued%2Cfailed&limit=50&before=01926f00-0000-7000-8000-000000000000");
        insta::assert_snapshot!(told("state=succeded"), @r#"400 Some("state"): there is no state "succeded": did you mean `succeeded`?"#);
        insta::assert_snapshot!(told("kind=x"), @r#"400 Some("kind"): there is no kind "x": there are review, parity, smoke, gauntlet, eval, noop"#);
        insta::assert_snapshot!(told("limit=0"), @r#"400 Some("limit"): `limit` must be a number from 1 to 500"#);
        insta::assert_snapshot!(told("before=1"), @r#"400 Some("before"): `before` must be the id of a job"#);
        insta::assert_snapshot!(told("sate=queued"), @r#"400 Some("parameter"): there is no parameter "sate": did you mean `state`?"#);
    }
}
