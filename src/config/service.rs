//! Programs and services of a gauntlet, from their keys in a file: [`ProgramKeys::program`], [`ServiceEntry::service`].

use std::{collections::BTreeMap, path::Path, time::Duration};

use serde::Deserialize;
use url::Url;

use super::{ConfigError, LONGEST_SECS, place::Entry};
use crate::gauntlet::program::{Program, Service, WaitFor};

/// Seconds a service may take until it is ready, where nothing is said.
const USUAL_SECS: u64 = 60;

/// `[[service]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServiceEntry {
    pub(super) name: String,
    command: Vec<String>,
    folder: Option<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    #[serde(default)]
    pass_env: Vec<String>,
    wait_for: String,
    timeout_secs: Option<u64>,
}

/// The keys that say how a program is started.
#[derive(Debug, Clone, Default)]
pub(super) struct ProgramKeys {
    pub(super) command: Vec<String>,
    pub(super) folder: Option<String>,
    pub(super) env: BTreeMap<String, String>,
    pub(super) pass_env: Vec<String>,
}

impl ProgramKeys {
    /// The program; relative paths start at `root`. An error says what is wrong with it.
    pub(super) fn program(self, root: &Path) -> Result<Program, String> {
        if self.command.first().is_none_or(String::is_empty) {
            return Err("`command` is empty; it is a list, such as [\"make\", \"test\"]".to_owned());
        }
        if self.pass_env.iter().any(|name| name.trim_end_matches('*').contains('*')) {
            return Err("`pass_env` knows a `*` at the end of a name only".to_owned());
        }
        if let Some(name) = self.env.keys().find(|name| name.is_empty() || name.contains(['=', '\0'])) {
            return Err(format!("{name:?} is no name of a variable"));
        }
        if self.command.iter().chain(self.env.values()).any(|text| text.contains('\0')) {
            return Err("a NUL cannot be handed to a program".to_owned());
        }
        let folder = self.folder.map_or_else(|| root.to_owned(), |folder| root.join(folder));
        Ok(Program { argv: self.command, folder, env: self.env, pass_env: self.pass_env })
    }
}

impl ServiceEntry {
    /// The service; `number` is its place among `[[service]]`, 1 for the first.
    pub(super) fn service(self, number: usize, root: &Path) -> Result<Service, ConfigError> {
        let wrong = |reason: String| ConfigError::Entry { entry: Entry::Numbered("service", number), reason };
        if self.name.trim().is_empty() {
            return Err(wrong("needs a `name`".to_owned()));
        }
        let named = |reason: String| wrong(format!("{:?}: {reason}", self.name));
        let Self { command, folder, env, pass_env, .. } = self.clone();
        let program = ProgramKeys { command, folder, env, pass_env }.program(root).map_err(named)?;
        let wait_for = wait_for(&self.wait_for).map_err(named)?;
        let timeout = timeout(self.timeout_secs.unwrap_or(USUAL_SECS)).map_err(named)?;
        Ok(Service { name: self.name, program, wait_for, timeout })
    }
}

/// A time limit in seconds.
pub(super) fn timeout(secs: u64) -> Result<Duration, String> {
    if (1..=LONGEST_SECS).contains(&secs) {
        return Ok(Duration::from_secs(secs));
    }
    Err(format!("timeout_secs is {secs}, it must be from 1 to {LONGEST_SECS}"))
}

/// An address that can be asked.
pub(super) fn http_url(text: &str) -> Result<Url, String> {
    let wrong = |reason: &str| format!("{text:?} is no address: {reason}");
    let url = Url::parse(text).map_err(|error| wrong(&error.to_string()))?;
    match url.scheme() {
        "http" | "https" if url.has_host() => Ok(url),
        _ => Err(wrong("it must begin with http:// or https://")),
    }
}

fn wait_for(text: &str) -> Result<WaitFor, String> {
    if text.contains("://") {
        return http_url(text).map(WaitFor::Url);
    }
    let is_port =
        |(host, port): (&str, &str)| !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0);
    if text.rsplit_once(':').is_some_and(is_port) {
        return Ok(WaitFor::Port(text.to_owned()));
    }
    Err(format!(
        "`wait_for` is {text:?}, it must be a port, such as \"127.0.0.1:3100\", or a URL, such as \"http://127.0.0.1:3100/health\""
    ))
}
