//! `[serve.queue]`: [`Queue`], how many jobs wait and run, and for how long.

use std::{path::PathBuf, time::Duration};

use crate::{
    config::{ConfigError, LONGEST_SECS, check::range, file},
    job::room::Room,
};

/// The settings of the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// Most jobs that run at a time on this node.
    pub workers: u32,
    /// Most that wait, on all nodes together.
    pub waiting: Room,
    /// Most attempts of a job.
    pub attempts: u32,
    /// Longest time of one attempt; a job may ask for less.
    pub timeout: Duration,
    /// Longest time of one without a sign of progress.
    pub stall: Duration,
    /// Percent of the processors' time, and of the memory, above which no new job begins; at 100 they are not looked at.
    pub busy_percent: u8,
    /// How long jobs are kept after their end.
    pub keep: Duration,
    /// Where jobs have their folders; beside the store when it is not said.
    pub folder: Option<PathBuf>,
}

impl Queue {
    pub(super) fn new(entry: file::Queue) -> Result<Self, ConfigError> {
        range("serve.queue.workers", entry.workers.into(), 1, 1_000)?;
        range("serve.queue.waiting", entry.waiting, 1, 1_000_000)?;
        let of_a_tenant = entry.waiting_per_tenant.unwrap_or_else(|| entry.waiting.div_ceil(2));
        range("serve.queue.waiting_per_tenant", of_a_tenant, 1, entry.waiting)?;
        range("serve.queue.attempts", entry.attempts.into(), 1, 100)?;
        range("serve.queue.timeout_secs", entry.timeout_secs, 1, LONGEST_SECS)?;
        range("serve.queue.stall_secs", entry.stall_secs, 1, LONGEST_SECS)?;
        range("serve.queue.busy_percent", entry.busy_percent.into(), 1, 100)?;
        range("serve.queue.keep_days", entry.keep_days, 0, 36_500)?;
        Ok(Self {
            workers: entry.workers,
            waiting: Room { all: entry.waiting, of_a_tenant },
            attempts: entry.attempts,
            timeout: Duration::from_secs(entry.timeout_secs),
            stall: Duration::from_secs(entry.stall_secs),
            busy_percent: entry.busy_percent,
            keep: Duration::from_secs(entry.keep_days * 24 * 3600),
            folder: Some(entry.folder).filter(|folder| !folder.as_os_str().is_empty()),
        })
    }
}
