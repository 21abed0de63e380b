//! `/webhooks`: platforms tell of pull requests, which are reviewed. [`Hooks`] is what all their messages share.
//!
//! ```text
//! body ─ signed? ─ known already? ─ what is told? ─ which repository? ─ allowed? ─▶ Queue::bring, or cancel ─▶ remembered
//! ```
//!
//! Nothing of a message decides where something is fetched from or posted to: its repository must be on the operator's list, and
//! addresses are made of that. Callers' keys do not matter here.

mod event;
mod signature;

use std::sync::Arc;

use axum::{
    Router,
    extract::{Path, Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, header::CONTENT_TYPE};
use serde_json::{Value, json};

use self::{
    event::{News, Told},
    signature::{Secret, Unproven},
};
use super::{
    gateway::Intake,
    ground::Page,
    operation::{self, Offer},
    queue::{Queue, no_room},
};
use crate::{
    clock,
    config::{Webhook, env::Environment},
    digest,
    job::{JobId, Kind, NewJob, Priority, Source, State as Stand, Task, room::Full},
    provider::relay::Problem,
    pull::Platform,
    report,
    store::{
        database::{Database, DatabaseError},
        deliveries,
        jobs::Enqueued,
    },
};

/// Most bytes of a message. They are tens of kilobytes, and a description may be long.
const LARGEST_MESSAGE: usize = 4 << 20;
/// After how many seconds a platform may try again for which there was no room.
const FULL_SECS: u64 = 30;
/// Most characters of a delivery's id.
const LONGEST_ID: usize = 200;

/// What all messages share.
pub(super) struct Hooks {
    queue: Arc<Queue>,
    database: Database,
    intake: Intake,
    settings: Webhook,
    secrets: Vec<(Platform, Secret)>,
}

/// A message that has been proven.
struct Message {
    platform: Platform,
    /// What it is known by: hashes of its id, if it has one, and of its body.
    keys: Vec<String>,
    told: Told,
}

/// A pull request of an allowed repository.
struct About {
    platform: Platform,
    repository: String,
    tenant: String,
    /// Its address.
    pull: String,
}

impl Hooks {
    /// Takes messages of those platforms whose secret is in the environment.
    pub(super) fn new(
        queue: Arc<Queue>,
        database: Database,
        settings: Webhook,
        environment: Environment,
    ) -> Arc<Self> {
        let secret = |platform| {
            let secret = environment.secret(settings.secret_env(platform)?)?;
            Some((platform, Secret::new(secret)))
        };
        let secrets = Platform::ALL.into_iter().filter_map(secret).collect();
        Arc::new(Self { queue, database, intake: Intake::new(LARGEST_MESSAGE), settings, secrets })
    }

    async fn receive(&self, platform: &str, request: Request) -> Result<Response, Problem> {
        let platform = named(platform).ok_or_else(no_such_platform)?;
        let secret = self.secret(platform)?;
        let (parts, body) = request.into_parts();
        let (body, _room) = self.intake.whole(body).await?;
        secret.check(platform, &parts.headers, &body, clock::now().as_second()).map_err(unproven)?;
        let told = Told::read(platform, event(platform, &parts.headers), &body).map_err(|error| {
            Problem::new(StatusCode::BAD_REQUEST, error.to_string()).code("invalid_event")
        })?;
        let message = Message { platform, keys: keys(platform, &parts.headers, &body), told };
        self.act(message).await
    }

    fn secret(&self, platform: Platform) -> Result<&Secret, Problem> {
        let secret = self.secrets.iter().find(|(one, _)| *one == platform).map(|(_, secret)| secret);
        secret.ok_or_else(|| {
            let key = format!("{}_secret_env", platform.word());
            let message = format!(
                "nothing is taken from here: `{key}` of [serve.webhook] names no variable that was set when the daemon was started"
            );
            Problem::new(StatusCode::NOT_FOUND, message).code("webhook_not_configured")
        })
    }

    async fn act(&self, message: Message) -> Result<Response, Problem> {
        let Message { platform, keys, told } = message;
        let (repository, number, news) = match told {
            Told::Ping => return Ok(answer(StatusCode::OK, &json!({ "pong": true }))),
            Told::Nothing(why) => return Ok(ignored(&why)),
            Told::Pull { repository, number, news } => (repository, number, news),
        };
        if deliveries::is_known(&self.database, keys.clone()).await.map_err(broken)? {
            return Ok(ignored("this message has come before"));
        }
        let Some((repo, tenant)) = self.queue.grounds().of_page(&repository) else {
            return Ok(ignored("the repository is on no list of this daemon: [[serve.repository]]"));
        };
        let pull = Page::address(platform, &repository, number);
        let about = About { platform, repository: repo, tenant, pull };
        let response = match news {
            News::Changed { is_draft: true } if !self.settings.drafts => {
                ignored("it is a draft, and `drafts` of [serve.webhook] is false")
            }
            News::Changed { .. } => self.review(about, keys.first()).await?,
            News::Over => self.call_off(&about).await?,
        };
        // Not before: a message that was not acted upon may come again.
        deliveries::remember(&self.database, keys).await.map_err(broken)?;
        Ok(response)
    }

    async fn review(&self, about: About, key: Option<&String>) -> Result<Response, Problem> {
        let new = self.job(about, key)?;
        if let Err(why) = self.queue.grounds().admit(&new.tenant, &new.task) {
            return Ok(ignored(&why.to_string()));
        }
        let id = new.id.clone();
        match self.queue.bring(new).await.map_err(broken)? {
            Enqueued::New(called_off) => {
                let called_off: Vec<_> = called_off.iter().map(|(id, _)| id.as_str()).collect();
                let state = Stand::Queued;
                Ok(answer(
                    StatusCode::ACCEPTED,
                    &json!({ "id": id, "state": state, "called_off": called_off }),
                ))
            }
            Enqueued::Same(id, state) => {
                Ok(answer(StatusCode::ACCEPTED, &json!({ "id": id, "state": state })))
            }
            Enqueued::Other(_) => Ok(ignored("a job was brought by this message, about something else")),
            Enqueued::Full { waiting } => Err(no_room(Full::Queue, waiting, FULL_SECS)),
            Enqueued::ShareFull { waiting } => Err(no_room(Full::Share, waiting, FULL_SECS)),
        }
    }

    fn job(&self, about: About, key: Option<&String>) -> Result<NewJob, Problem> {
        let settings = &self.queue.settings;
        let id = JobId::parse(&clock::uuid())
            .ok_or_else(|| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "no name could be made"))?;
        let About { platform, repository, tenant, pull } = about;
        let task = Task { repo: Some(repository), pull: Some(pull.clone()), ..Task::new(Kind::Review) };
        Ok(NewJob {
            id,
            tenant,
            source: source(platform),
            priority: Priority::Normal,
            task,
            timeout_secs: u32::try_from(settings.timeout.as_secs()).unwrap_or(u32::MAX),
            max_attempts: settings.attempts,
            dedupe_key: key.map(|key| format!("webhook:{key}")),
            subject: Some(pull),
        })
    }

    /// Calls off what is done for a pull request that is over.
    async fn call_off(&self, about: &About) -> Result<Response, Problem> {
        let mut called_off = Vec::new();
        for id in self.queue.jobs.about(&about.tenant, &about.pull).await.map_err(broken)? {
            let was = self.queue.cancel(Some(&about.tenant), &id).await.map_err(broken)?;
            if was.is_some_and(|state| !state.is_final()) {
                called_off.push(id);
            }
        }
        Ok(answer(StatusCode::ACCEPTED, &json!({ "called_off": called_off })))
    }
}

/// The address of webhooks, which is for everybody who can sign.
pub(super) fn router<S: Clone + Send + Sync + 'static>(hooks: Arc<Hooks>) -> Router<S> {
    Router::new().offer(operation::WEBHOOK, receive).with_state(hooks)
}

async fn receive(
    State(hooks): State<Arc<Hooks>>,
    Path(platform): Path<String>,
    request: Request,
) -> Response {
    hooks.receive(&platform, request).await.unwrap_or_else(Problem::into_response)
}

fn named(word: &str) -> Option<Platform> {
    if word == "forgejo" {
        return Some(Platform::Gitea);
    }
    Platform::ALL.into_iter().find(|platform| platform.word() == word)
}

fn source(platform: Platform) -> Source {
    match platform {
        Platform::GitHub => Source::Github,
        Platform::GitLab => Source::Gitlab,
        Platform::Gitea => Source::Gitea,
    }
}

/// What the platform calls what happened.
fn event(platform: Platform, headers: &HeaderMap) -> &str {
    let names: &[&str] = match platform {
        Platform::GitHub => &["x-github-event"],
        Platform::GitLab => &["x-gitlab-event"],
        Platform::Gitea => &["x-forgejo-event", "x-gitea-event"],
    };
    first(headers, names).unwrap_or_default()
}

/// Its id counts as well as its body: where an id is not signed, it could be another one.
fn keys(platform: Platform, headers: &HeaderMap, body: &[u8]) -> Vec<String> {
    let names: &[&str] = match platform {
        Platform::GitHub => &["x-github-delivery"],
        // Messages that lead to one another share X-Gitlab-Event-UUID.
        Platform::GitLab => &["webhook-id", "idempotency-key"],
        Platform::Gitea => &["x-forgejo-delivery", "x-gitea-delivery"],
    };
    let id = first(headers, names).filter(|id| !id.is_empty() && id.len() <= LONGEST_ID);
    let hash = |kind: &str, what: &[u8]| digest::sha256(&[platform.word().as_bytes(), kind.as_bytes(), what]);
    let body = hash(" body ", body);
    std::iter::once(body).chain(id.map(|id| hash(" id ", id.as_bytes()))).collect()
}

fn first<'a>(headers: &'a HeaderMap, names: &[&str]) -> Option<&'a str> {
    names.iter().find_map(|name| headers.get(*name)?.to_str().ok())
}

fn ignored(why: &str) -> Response {
    answer(StatusCode::ACCEPTED, &json!({ "ignored": why }))
}

fn answer(status: StatusCode, body: &Value) -> Response {
    (status, [(CONTENT_TYPE, "application/json")], report::json::printable(body.to_string())).into_response()
}

fn no_such_platform() -> Problem {
    let message = "webhooks come from `github`, `gitlab`, `gitea` or `forgejo`";
    Problem::new(StatusCode::NOT_FOUND, message).code("unknown_platform")
}

fn unproven(unproven: Unproven) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, unproven.to_string()).code("invalid_signature")
}

/// Its words name a file or a server, so platforms do not get them.
fn broken(_: DatabaseError) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the store does not answer at the moment")
        .code("store_failed")
        .retry_after(1)
}
