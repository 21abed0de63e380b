//! `[serve]`: [`Serve`], the settings of `scrum serve`.

mod queue;
mod remote;
mod repository;
mod webhook;

use std::{collections::BTreeMap, num::NonZeroU32, path::PathBuf, time::Duration};

use serde::Deserialize;
use url::Url;

use super::{ConfigError, file, place::Entry};
use crate::reviewer::Allowance;
pub use queue::Queue;
pub use remote::{BadRemote, RemoteUrl};
pub use repository::{Place, Repository};
pub use webhook::Webhook;

/// The settings of `scrum serve`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Serve {
    /// Address and port.
    pub listen: String,
    /// Where other nodes of the store reach this one; without a port, the one it listens on is meant. `None`: they do not.
    pub address: Option<Url>,
    /// The `SQLite` file, absolute or from the repository's root, or the address of a server of `PostgreSQL`.
    pub store: PathBuf,
    /// How long a finished answer is given to whoever asks the same; zero keeps none.
    pub keep: Duration,
    /// Most bytes of all kept answers.
    pub keep_bytes: usize,
    /// Most bytes of one.
    pub keep_answer_bytes: usize,
    /// Most bytes of a request.
    pub request_bytes: usize,
    /// Longest time for one answer, waiting and retries included.
    pub answer: Duration,
    /// Further attempts of a call that failed before its first byte.
    pub retries: u32,
    /// Most calls of one provider under way.
    pub upstream_calls: usize,
    /// Most that wait for one provider.
    pub waiting: usize,
    /// Longest wait for it.
    pub wait: Duration,
    /// How long answers under way may take at the end.
    pub grace: Duration,
    /// How lines of the log look.
    pub log: LogForm,
    /// Which there are.
    pub log_level: LogLevel,
    /// What each tenant may ask for.
    pub tenant: Allowance,
    /// What some may ask for instead.
    pub tenants: BTreeMap<String, Allowance>,
    /// What jobs may be about; where there is none, the repository that the daemon was started in.
    pub repositories: Vec<Repository>,
    /// Who may tell of pull requests.
    pub webhook: Webhook,
    /// Jobs.
    pub queue: Queue,
    /// How many jobs each tenant may bring.
    pub jobs: JobLimits,
}

/// How many jobs tenants may bring within a minute; `None`: as many as they like.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JobLimits {
    /// Each of them.
    pub usual: Option<NonZeroU32>,
    /// Some of them instead.
    pub named: BTreeMap<String, Option<NonZeroU32>>,
}

impl JobLimits {
    /// That of `tenant`.
    pub fn of(&self, tenant: &str) -> Option<NonZeroU32> {
        self.named.get(tenant).copied().unwrap_or(self.usual)
    }
}

/// `[serve] log`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogForm {
    /// For people.
    #[default]
    Text,
    /// An object a line, for programs.
    Json,
}

/// `[serve] log_level`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// What went wrong.
    Warn,
    /// Also when jobs come, begin and end.
    #[default]
    Info,
    /// Also every request.
    Debug,
}

impl Serve {
    pub(super) fn new(entry: file::Serve) -> Result<Self, ConfigError> {
        let mut tenants = BTreeMap::new();
        let mut jobs = JobLimits { usual: entry.tenant.jobs_per_minute, ..JobLimits::default() };
        for (number, limit) in (1..).zip(entry.limit) {
            let wrong = |reason: &str| ConfigError::Entry {
                entry: Entry::Numbered("serve.limit", number),
                reason: reason.to_owned(),
            };
            if limit.tenant.trim().is_empty() {
                return Err(wrong("needs a `tenant`"));
            }
            let allowance = Allowance {
                requests_per_minute: limit.requests_per_minute,
                tokens_per_minute: limit.tokens_per_minute,
            };
            jobs.named.insert(limit.tenant.clone(), limit.jobs_per_minute);
            if tenants.insert(limit.tenant, allowance).is_some() {
                return Err(wrong("is about a tenant that has one already"));
            }
        }
        Ok(Self {
            listen: entry.listen,
            address: address(&entry.address)?,
            store: entry.store,
            keep: Duration::from_secs(entry.keep_secs),
            keep_bytes: entry.keep_bytes,
            keep_answer_bytes: entry.keep_answer_bytes,
            request_bytes: entry.request_bytes,
            answer: Duration::from_secs(entry.answer_secs),
            retries: entry.retries,
            upstream_calls: entry.upstream_calls,
            waiting: entry.waiting,
            wait: Duration::from_secs(entry.wait_secs),
            grace: Duration::from_secs(entry.grace_secs),
            log: entry.log,
            log_level: entry.log_level,
            tenant: Allowance {
                requests_per_minute: entry.tenant.requests_per_minute,
                tokens_per_minute: entry.tenant.tokens_per_minute,
            },
            tenants,
            repositories: repository::all(entry.repository)?,
            webhook: Webhook::new(entry.webhook)?,
            queue: Queue::new(entry.queue)?,
            jobs,
        })
    }
}

fn address(told: &str) -> Result<Option<Url>, ConfigError> {
    if told.is_empty() {
        return Ok(None);
    }
    let fits = |url: &Url| {
        let is_plain = url.path() == "/" && url.query().is_none() && url.username().is_empty();
        matches!(url.scheme(), "http" | "https") && url.has_host() && is_plain
    };
    Url::parse(told).ok().filter(fits).map(Some).ok_or_else(|| ConfigError::Entry {
        entry: Entry::Key("serve.address"),
        reason: "is to be http://HOST or http://HOST:PORT".to_owned(),
    })
}
