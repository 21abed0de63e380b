//! Jobs as they travel between a daemon and whoever asks it: [`Order`] goes in, [`Shown`], [`List`], [`Told`] and [`Standing`] come
//! out. Whether an order may be carried out is not decided here.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Job, Kind, Priority, Source, State};

/// Where jobs are brought.
pub const ENQUEUE: &str = "/queue/enqueue";
/// Where they are.
pub const JOBS: &str = "/queue/jobs";
/// Where they are called off.
pub const CANCEL: &str = "/queue/cancel";
/// How the queue does.
pub const STATUS: &str = "/queue/status";
/// Whether it does at all.
pub const HEALTH: &str = "/queue/health";

/// What somebody wants done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// What is to be done.
    pub kind: Kind,
    /// A path on the daemon's machine or a URL, as its configuration allows. Not for `noop`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub repo: Option<String>,
    /// `A..B`, `A...B` or one commit. A review needs it, or `pull`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub range: Option<String>,
    /// A panel that the daemon's configuration names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub panel: Option<String>,
    /// The file in the repository that declares it; `parity` and `eval` need one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub file: Option<String>,
    /// Address of the pull request that is reviewed, and where its comment goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub pull: Option<String>,
    /// Milliseconds that a `noop` takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 3_600_000))]
    pub work_ms: Option<u64>,
    /// How soon; `normal` when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// Who brings it: `api` or `cli`; `api` when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// For whom, as `x-org-id` says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub tenant: Option<String>,
    /// While a job of the tenant with this key waits or runs, bringing the same again gives that job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 200))]
    pub dedupe_key: Option<String>,
    /// Longest time of one attempt in seconds; the daemon's `timeout_secs` when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 86_400))]
    pub timeout_secs: Option<u32>,
}

impl Order {
    /// Only that.
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            repo: None,
            range: None,
            panel: None,
            file: None,
            pull: None,
            work_ms: None,
            priority: None,
            source: None,
            tenant: None,
            dedupe_key: None,
            timeout_secs: None,
        }
    }
}

/// A job that was brought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Brought {
    /// Its name.
    pub id: String,
    /// Where it stands.
    pub state: State,
}

/// A job that was called off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CalledOff {
    /// Its name.
    pub id: String,
    /// Where it stands now.
    pub state: State,
    /// Where it stood.
    pub was: State,
}

/// A job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Shown {
    /// Its name; later ones sort behind earlier ones.
    pub id: String,
    /// What is done.
    pub kind: Kind,
    /// Where it stands.
    pub state: State,
    /// How soon.
    pub priority: Priority,
    /// Who brought it.
    pub source: Source,
    /// For whom; empty where nobody is named.
    pub tenant: String,
    /// The repository.
    pub repo: Option<String>,
    /// The commits.
    pub range: Option<String>,
    /// The panel, where it is not the usual one.
    pub panel: Option<String>,
    /// The file that declares it.
    pub file: Option<String>,
    /// The pull request.
    pub pull: Option<String>,
    /// What it is about: a newer job about the same calls it off.
    pub subject: Option<String>,
    /// Under which key it is not brought twice.
    pub dedupe_key: Option<String>,
    /// Longest time of one attempt in seconds.
    pub timeout_secs: u32,
    /// How often a worker has taken it.
    pub attempt: u32,
    /// How often that may be.
    pub max_attempts: u32,
    /// The daemon that has it, or had it last.
    pub node: Option<String>,
    /// When it was brought.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub created: Timestamp,
    /// When the last attempt began.
    #[schemars(with = "Option<String>")]
    pub started: Option<Timestamp>,
    /// When it came to its end.
    #[schemars(with = "Option<String>")]
    pub finished: Option<Timestamp>,
    /// What came of it, by kind; of a review its exit status and what the gate said.
    pub result: Option<serde_json::Value>,
    /// Why it did not succeed.
    pub reason: Option<String>,
    /// What belongs to it.
    pub links: Links,
}

/// Addresses of what belongs to a job, from the daemon's root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Links {
    /// The job itself.
    #[serde(rename = "self")]
    pub own: String,
    /// What it tells.
    pub events: String,
    /// Where it is called off; `null` when it has come to its end.
    pub cancel: Option<String>,
    /// What it wrote, by name; left out in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<Vec<FileLink>>,
}

/// A file that a job wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileLink {
    /// Within the job's folder.
    pub name: String,
    /// In bytes.
    pub size: u64,
    /// Where it is.
    pub href: String,
}

impl Shown {
    /// `job` without its files.
    pub fn new(job: Job) -> Self {
        let Job { new, state, attempt, node, created, started, finished, result, reason } = job;
        let own = format!("{JOBS}/{}", new.id);
        let links = Links {
            events: format!("{own}/events"),
            cancel: (!state.is_final()).then(|| format!("{CANCEL}/{}", new.id)),
            own,
            files: None,
        };
        Self {
            id: new.id.to_string(),
            kind: new.task.kind,
            state,
            priority: new.priority,
            source: new.source,
            tenant: new.tenant,
            repo: new.task.repo,
            range: new.task.range,
            panel: new.task.panel,
            file: new.task.file,
            pull: new.task.pull,
            subject: new.subject,
            dedupe_key: new.dedupe_key,
            timeout_secs: new.timeout_secs,
            attempt,
            max_attempts: new.max_attempts,
            node,
            created,
            started,
            finished,
            result: result.map(|text| serde_json::from_str(&text).unwrap_or_else(|_| text.into())),
            reason,
            links,
        }
    }
}

/// Jobs, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct List {
    /// Some of them.
    pub jobs: Vec<Shown>,
    /// Where older ones are, if there may be any.
    pub next: Option<String>,
}

/// What a job told, as the data of a numbered event named [`TOLD`].
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Told<'a> {
    /// Which attempt told it.
    pub attempt: u32,
    /// When.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
    /// What: an object.
    #[serde(borrow)]
    #[schemars(with = "serde_json::Value")]
    pub what: &'a RawValue,
}

/// The name of events with what a job told.
pub const TOLD: &str = "told";
/// The name of events with how a job stands: a [`Shown`].
pub const JOB: &str = "job";

/// How the queue does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Standing {
    /// How many wait, by priority.
    pub waiting: BTreeMap<String, u64>,
    /// How many run, on all nodes.
    pub running: u64,
    /// How many are kept, by state.
    pub jobs: BTreeMap<String, u64>,
    /// How long the one waits that waits longest.
    pub oldest_wait_seconds: Option<f64>,
    /// Why no new job begins on this node at the moment: `cpu` or `memory` is used too much.
    pub held: Option<String>,
    /// How many percent of that are used.
    pub held_percent: Option<u8>,
    /// This daemon's name among those that share the store.
    pub node: String,
    /// What is allowed.
    pub limits: Limits,
}

/// What is allowed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Limits {
    /// Most that wait, on all nodes.
    pub waiting: u64,
    /// Most of them that may be of the tenant who asks.
    pub waiting_per_tenant: u64,
    /// Most that run on a node.
    pub running: u64,
    /// Longest time of one attempt in seconds, where the job does not say.
    pub timeout_secs: u32,
    /// Most attempts.
    pub max_attempts: u32,
    /// Most that the tenant may bring in a minute, if that is limited.
    pub jobs_per_minute: Option<u32>,
}

/// Whether the queue works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Health {
    /// It does.
    pub ok: bool,
    /// Why it does not.
    pub reasons: Vec<Ailment>,
}

/// What is wrong with a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ailment {
    /// Nothing can be written to the store.
    StoreFails,
    /// Nobody takes jobs.
    DispatcherStands,
    /// No new job has been begun for long: the machine is too busy.
    HeldForLong,
    /// The daemon is ending.
    Ending,
}
