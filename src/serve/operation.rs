//! What the daemon can be asked: [`Operation`]s. Its router and its `OpenAPI` document are both made of these, so that neither has
//! an address that the other does not know.

use axum::{
    Router,
    handler::Handler,
    routing::{MethodFilter, MethodRouter, on},
};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::job::wire;

/// Gives the schema of a type.
pub(super) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// One thing that the daemon can be asked.
#[derive(Clone, Copy)]
pub(super) struct Operation {
    pub(super) method: Method,
    /// As the router reads it: `{name}` is a piece of it, `{*name}` all the rest.
    pub(super) path: &'static str,
    /// Its name in the document.
    pub(super) id: &'static str,
    /// Which part of the daemon answers.
    pub(super) tag: &'static str,
    /// What it does, in a sentence.
    pub(super) summary: &'static str,
    /// Nobody needs a key for it.
    pub(super) is_open: bool,
    /// What is sent along.
    pub(super) body: Option<SchemaOf>,
    /// What may be said besides.
    pub(super) parameters: &'static [Parameter],
    /// What comes when all is well: status, when, what.
    pub(super) answers: &'static [(u16, &'static str, Content)],
    /// Statuses of what else may come, and when, besides what every address may say.
    pub(super) refusals: &'static [(u16, &'static str)],
}

/// How it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    Post,
    Delete,
}

/// Something that may be said besides path and body.
pub(super) struct Parameter {
    pub(super) name: &'static str,
    /// `query` or `header`.
    pub(super) place: &'static str,
    /// `string` or `integer`.
    pub(super) kind: &'static str,
    pub(super) description: &'static str,
}

/// What an answer consists of.
#[derive(Clone, Copy)]
pub(super) enum Content {
    Json(SchemaOf),
    /// JSON, or events where the request asks for a stream.
    JsonOrEvents,
    Events,
    Text,
    /// JSON or text.
    File,
    /// A page for people.
    Page,
}

macro_rules! operations {
    ($($name:ident = $operation:expr;)+) => {
        $(pub(super) const $name: Operation = $operation;)+

        /// Each of them.
        pub(super) const ALL: &[Operation] = &[$($name),+];
    };
}

operations! {
    CHAT = Operation::post("/v1/chat/completions", "chat", "gateway", "Answers a chat request of OpenAI's API, once for all who ask the same")
        .takes(any)
        .gives(&[(200, "The provider's answer", Content::JsonOrEvents)])
        .or(&[(400, "The request cannot be read"), (404, "No such model"), (429, "Too much is asked for"), (503, "No model is configured")]);
    MODELS = Operation::get("/v1/models", "models", "gateway", "Lists the models that can be asked").gives(&[(200, "The models", Content::Json(any))]);
    MODEL = Operation::get("/v1/models/{*name}", "model", "gateway", "Shows a model")
        .gives(&[(200, "The model", Content::Json(any))])
        .or(&[(404, "No such model")]);
    BEGIN_THREAD = Operation::post("/api/threads", "beginThread", "threads", "Begins a conversation, also about an issue of a run")
        .takes(any)
        .gives(&[(201, "It is begun", Content::Json(any))])
        .or(&[(400, "The body cannot be used"), (404, "No such run or issue")]);
    READ_THREAD = Operation::get("/api/threads/{id}", "readThread", "threads", "Shows a conversation, and what of it the caller may see")
        .gives(&[(200, "The conversation", Content::Json(any))])
        .or(&[(404, "No such thread")]);
    POST_MESSAGE = Operation::post("/api/threads/{id}/messages", "postMessage", "threads", "Asks a model in a conversation")
        .takes(any)
        .gives(&[(200, "Its answer", Content::JsonOrEvents)])
        .or(&[(400, "The body cannot be used"), (404, "No such thread or model"), (429, "Too much is asked for"), (503, "No model is configured")]);
    ENQUEUE = Operation::post(wire::ENQUEUE, "enqueue", "queue", "Brings a job")
        .takes(of::<wire::Order>)
        .gives(&[
            (201, "The job is stored, and survives the end of this process", Content::Json(of::<wire::Brought>)),
            (200, "A job with this `dedupe_key` and the same task waits or runs: this one", Content::Json(of::<wire::Brought>)),
        ])
        .or(&[
            (400, "The body cannot be read; `param` names what is wrong in it"),
            (403, "The repository is not one that this daemon works on"),
            (409, "A job with this `dedupe_key` and another task waits or runs"),
            (413, "The body is too large"),
            (422, "What is in the body cannot be done; `param` names what is wrong in it"),
            (429, "As many jobs wait as may (`queue_full`), or as may of one tenant (`tenant_queue_full`), or the tenant brings more than it may within a minute"),
        ]);
    JOBS = Operation::get(wire::JOBS, "jobs", "queue", "Lists jobs of the tenant, newest first")
        .with(&[
            query("state", "string", "Only jobs in one of these states, parted by commas"),
            query("kind", "string", "Only jobs of one of this kind"),
            query("limit", "integer", "At most so many, 1 to 500; 50 when left out"),
            query("before", "string", "Only jobs that were brought before the one of this id"),
        ])
        .gives(&[(200, "The jobs", Content::Json(of::<wire::List>))])
        .or(&[(400, "A parameter is unknown or cannot be read")]);
    JOB = Operation::get("/queue/jobs/{id}", "job", "queue", "Shows a job, and where its files are")
        .gives(&[(200, "The job", Content::Json(of::<wire::Shown>))])
        .or(NO_SUCH_JOB);
    EVENTS = Operation::get("/queue/jobs/{id}/events", "events", "queue", "Tells what a job tells as it comes, until the job ends")
        .with(&[header("last-event-id", "integer", "Only what was told after the event of this number")])
        .gives(&[(
            200,
            "`job` events (a Shown) on connect and on each change of state; numbered `told` events (a Told) with what it told",
            Content::Events,
        )])
        .or(&[(400, "`last-event-id` is no number"), (404, "The tenant has no such job")]);
    FILE = Operation::get("/queue/jobs/{id}/files/{*name}", "file", "queue", "Gives a file that a job wrote")
        .gives(&[(200, "The file", Content::File)])
        .or(&[(404, "No such job, or no such file")]);
    CANCEL = Operation::delete("/queue/cancel/{id}", "cancel", "queue", "Calls a job off, whether it waits or runs; what it wrote is kept")
        .gives(&[(200, "It is called off", Content::Json(of::<wire::CalledOff>))])
        .or(&[(404, "The tenant has no such job"), (409, "It had come to its end before")]);
    STATUS = Operation::get(wire::STATUS, "status", "queue", "Says how the queue does").gives(&[(200, "How it does", Content::Json(of::<wire::Standing>))]);
    QUEUE_HEALTH = Operation::get(wire::HEALTH, "queueHealth", "queue", "Says whether jobs are taken and stored")
        .open()
        .gives(&[(200, "They are", Content::Json(of::<wire::Health>)), (503, "They are not, and why", Content::Json(of::<wire::Health>))]);
    OVERVIEW = Operation::get("/", "overview", "dashboard", "Shows what runs, what came of the latest runs, and how queue and gateway do").gives(PAGE);
    RUNS = Operation::get("/runs", "runs", "dashboard", "Shows the runs that there are, newest first")
        .with(&[
            query("repository", "string", "Only runs of this repository"),
            query("verdict", "string", "Only runs that came to this verdict"),
            query("state", "string", "Only runs that stand so"),
            query("kind", "string", "Only runs of this kind"),
            query("text", "string", "Only runs in whose name, repository or range this stands"),
            query("page", "integer", "Which page of them, from 1"),
        ])
        .gives(PAGE)
        .or(&[(400, "A parameter is unknown")]);
    RUN = Operation::get("/runs/{id}", "run", "dashboard", "Shows a run, or how far a job is").gives(PAGE).or(&[(404, "No such run")]);
    QUEUE = Operation::get("/queue", "queue", "dashboard", "Shows what waits and runs").gives(PAGE);
    GATEWAY = Operation::get("/gateway", "gateway", "dashboard", "Shows what the gateway did").gives(PAGE);
    REVIEWERS = Operation::get("/reviewers", "reviewers", "dashboard", "Shows what reviewers have been worth").gives(PAGE);
    LIVE = Operation::get("/live", "live", "dashboard", "Tells what changes of a page, as elements in place of those with their id")
        .with(&[query("of", "string", "The page's address")])
        .gives(&[(200, "`put` events: an object of `id`, `html` and the page's `title`; `over` when nothing more will change", Content::Events)])
        .or(&[(404, "No such page or run"), (503, "As many pages are kept up as may be")]);
    WEBHOOK = Operation::post("/webhooks/{platform}", "webhook", "webhooks", "Takes a message of `github`, `gitlab`, `gitea` or `forgejo` about a pull request, which is reviewed")
        .open()
        .with(&[
            header("x-hub-signature-256", "string", "How GitHub signs, and Gitea too"),
            header("x-gitea-signature", "string", "How Gitea signs"),
            header("x-gitlab-token", "string", "What GitLab proves itself with, unless it signs"),
            header("webhook-signature", "string", "How GitLab signs"),
        ])
        .takes(any)
        .gives(&[
            (200, "A ping was heard", Content::Json(any)),
            (202, "What it led to: a job's `id`, jobs that were `called_off`, or why it was `ignored`", Content::Json(any)),
        ])
        .or(&[
            (400, "The message cannot be read"),
            (401, "It is not signed with the secret that this daemon has"),
            (404, "No such platform, or this daemon has no secret for it"),
            (413, "The message is too large"),
            (429, "As many jobs wait as may, or as may of one tenant"),
        ]);
    PERFORMANCE = Operation::get("/api/metrics/performance", "performance", "daemon", "Sums up requests and calls")
        .with(&[query("last_n", "integer", "Over the last so many requests")])
        .gives(&[(200, "The sums", Content::Json(any))])
        .or(&[(400, "`last_n` cannot be read")]);
    METRICS = Operation::get("/metrics", "metrics", "daemon", "Tells Prometheus").gives(&[(200, "Prometheus' text", Content::Text)]);
    HEALTH = Operation::get("/health", "health", "daemon", "Says that the daemon listens").open().gives(&[(200, "It does", Content::Text)]);
    DOCUMENT = Operation::get("/openapi.json", "openapi", "daemon", "Gives this document").open().gives(&[(200, "This document", Content::Json(any))]);
}

const PAGE: &[(u16, &str, Content)] = &[(200, "The page", Content::Page)];
const NO_SUCH_JOB: &[(u16, &str)] = &[(404, "The tenant has no such job")];

/// Whatever that part of the daemon says; docs/serve.md tells more.
fn any(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({ "type": "object" })
}

fn of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

const fn query(name: &'static str, kind: &'static str, description: &'static str) -> Parameter {
    Parameter { name, place: "query", kind, description }
}

const fn header(name: &'static str, kind: &'static str, description: &'static str) -> Parameter {
    Parameter { name, place: "header", kind, description }
}

impl Operation {
    const fn get(path: &'static str, id: &'static str, tag: &'static str, summary: &'static str) -> Self {
        let (is_open, body) = (false, None);
        let (parameters, answers, refusals) = (&[], &[], &[]);
        let method = Method::Get;
        Self { method, path, id, tag, summary, is_open, body, parameters, answers, refusals }
    }

    const fn post(path: &'static str, id: &'static str, tag: &'static str, summary: &'static str) -> Self {
        Self { method: Method::Post, ..Self::get(path, id, tag, summary) }
    }

    const fn delete(path: &'static str, id: &'static str, tag: &'static str, summary: &'static str) -> Self {
        Self { method: Method::Delete, ..Self::get(path, id, tag, summary) }
    }

    const fn open(self) -> Self {
        Self { is_open: true, ..self }
    }

    const fn takes(self, body: SchemaOf) -> Self {
        Self { body: Some(body), ..self }
    }

    const fn with(self, parameters: &'static [Parameter]) -> Self {
        Self { parameters, ..self }
    }

    const fn gives(self, answers: &'static [(u16, &'static str, Content)]) -> Self {
        Self { answers, ..self }
    }

    const fn or(self, refusals: &'static [(u16, &'static str)]) -> Self {
        Self { refusals, ..self }
    }

    /// `handler`, for requests of its method.
    pub(super) fn by<H: Handler<T, S>, T: 'static, S: Clone + Send + Sync + 'static>(
        self,
        handler: H,
    ) -> MethodRouter<S> {
        let method = match self.method {
            Method::Get => MethodFilter::GET,
            Method::Post => MethodFilter::POST,
            Method::Delete => MethodFilter::DELETE,
        };
        on(method, handler)
    }
}

/// A router to which operations are added.
pub(super) trait Offer<S> {
    /// With `handler` where `operation` is asked.
    fn offer<H: Handler<T, S>, T: 'static>(self, operation: Operation, handler: H) -> Self;
}

impl<S: Clone + Send + Sync + 'static> Offer<S> for Router<S> {
    fn offer<H: Handler<T, S>, T: 'static>(self, operation: Operation, handler: H) -> Self {
        self.route(operation.path, operation.by(handler))
    }
}
