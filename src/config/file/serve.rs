//! The form of `[serve]`: [`Serve`] and the tables in it. What they mean is `config::serve`'s matter.

use std::{num::NonZeroU32, path::PathBuf};

use serde::Deserialize;

use crate::config::serve::{LogForm, LogLevel};

/// `[serve]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct Serve {
    pub(in crate::config) listen: String,
    pub(in crate::config) address: String,
    pub(in crate::config) store: PathBuf,
    pub(in crate::config) keep_secs: u64,
    pub(in crate::config) keep_bytes: usize,
    pub(in crate::config) keep_answer_bytes: usize,
    pub(in crate::config) request_bytes: usize,
    pub(in crate::config) answer_secs: u64,
    pub(in crate::config) retries: u32,
    pub(in crate::config) upstream_calls: usize,
    pub(in crate::config) waiting: usize,
    pub(in crate::config) wait_secs: u64,
    pub(in crate::config) grace_secs: u64,
    pub(in crate::config) log: LogForm,
    pub(in crate::config) log_level: LogLevel,
    pub(in crate::config) tenant: TenantLimits,
    pub(in crate::config) limit: Vec<TenantLimit>,
    pub(in crate::config) repository: Vec<Repository>,
    pub(in crate::config) webhook: Webhook,
    pub(in crate::config) queue: Queue,
}

/// `[[serve.repository]]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct Repository {
    pub(in crate::config) path: Option<String>,
    pub(in crate::config) url: Option<String>,
    pub(in crate::config) config: Option<PathBuf>,
    pub(in crate::config) commands: bool,
    pub(in crate::config) tenants: Option<Vec<String>>,
    pub(in crate::config) token_env: Option<String>,
}

/// `[serve.webhook]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct Webhook {
    pub(in crate::config) github_secret_env: String,
    pub(in crate::config) gitlab_secret_env: String,
    pub(in crate::config) gitea_secret_env: String,
    pub(in crate::config) drafts: bool,
    pub(in crate::config) status: bool,
}

/// `[serve.queue]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct Queue {
    pub(in crate::config) workers: u32,
    pub(in crate::config) waiting: u64,
    pub(in crate::config) waiting_per_tenant: Option<u64>,
    pub(in crate::config) attempts: u32,
    pub(in crate::config) timeout_secs: u64,
    pub(in crate::config) stall_secs: u64,
    pub(in crate::config) busy_percent: u8,
    pub(in crate::config) keep_days: u64,
    pub(in crate::config) folder: PathBuf,
}

/// `[serve.tenant]`.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "they are the keys that people write")]
pub(in crate::config) struct TenantLimits {
    pub(in crate::config) requests_per_minute: Option<NonZeroU32>,
    pub(in crate::config) tokens_per_minute: Option<NonZeroU32>,
    pub(in crate::config) jobs_per_minute: Option<NonZeroU32>,
}

/// `[[serve.limit]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct TenantLimit {
    pub(in crate::config) tenant: String,
    pub(in crate::config) requests_per_minute: Option<NonZeroU32>,
    pub(in crate::config) tokens_per_minute: Option<NonZeroU32>,
    pub(in crate::config) jobs_per_minute: Option<NonZeroU32>,
}
