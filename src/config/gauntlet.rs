//! `gauntlet.toml`: [`read`] gives what a gauntlet declares, checked as far as it can be before anything is started.
//!
//! Every table is closed. Paths and folders start at the folder of the file.

use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use regex::{Regex, RegexBuilder};
use serde::Deserialize;

use super::{
    ConfigError, check,
    error::{invalid, nearest},
    gap::{self, GapEntry},
    phases::{self, ParityEntry, ReviewPhase},
    place::Entry,
    read as text_of,
    service::{ProgramKeys, ServiceEntry, http_url, timeout},
};
use crate::gauntlet::{
    gap::{Register, SHAPES},
    program::Service,
    smoke::{Action, Chain, Check, OnFailure, Request, order::order},
};

/// Checks under way at once, where nothing is said.
const USUAL_CONCURRENCY: usize = 4;
/// Seconds a check may take, where nothing is said.
const USUAL_SECS: u64 = 600;
/// The layer of checks that name none.
const USUAL_LAYER: &str = "smoke";

/// What a gauntlet declares.
#[derive(Debug, Clone)]
pub struct Gauntlet {
    /// The smoke chain; without checks where none is declared.
    pub chain: Chain,
    /// The review of a range.
    pub review: Option<ReviewPhase>,
    /// Files of specs to compare by, in the order of the file.
    pub parity: Vec<PathBuf>,
    /// What is known to differ.
    pub gaps: Register,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    chain: ChainEntry,
    service: Vec<ServiceEntry>,
    smoke: Vec<SmokeEntry>,
    review: Option<ReviewPhase>,
    parity: Vec<ParityEntry>,
    gap: Vec<GapEntry>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ChainEntry {
    on_failure: OnFailure,
    concurrency: Option<usize>,
}

/// `[[smoke]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct SmokeEntry {
    name: String,
    layer: Option<String>,
    command: Option<Vec<String>>,
    folder: Option<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    #[serde(default)]
    pass_env: Vec<String>,
    http: Option<String>,
    method: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<String>,
    json: Option<serde_json::Value>,
    timeout_secs: Option<u64>,
    expect_status: Option<i64>,
    expect_output: Option<String>,
    #[serde(default)]
    needs: Vec<String>,
    #[serde(default)]
    parallel: bool,
    on_failure: Option<OnFailure>,
}

/// Reads the file at `path`, which is absolute.
pub fn read(path: &Path) -> Result<Gauntlet, ConfigError> {
    parse(&text_of(path)?, path)
}

fn parse(text: &str, path: &Path) -> Result<Gauntlet, ConfigError> {
    let file: File = toml::from_str(text).map_err(|source| invalid(path, text, &source))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    gauntlet(file, folder).map_err(|error| error.located(&[(path.to_owned(), text.to_owned())]))
}

fn gauntlet(mut file: File, folder: &Path) -> Result<Gauntlet, ConfigError> {
    let (parity, gaps) = (std::mem::take(&mut file.parity), std::mem::take(&mut file.gap));
    Ok(Gauntlet {
        review: file.review.take(),
        parity: phases::specs(parity, folder)?,
        gaps: gap::register(gaps, &SHAPES)?,
        chain: chain(file, folder)?,
    })
}

fn chain(file: File, folder: &Path) -> Result<Chain, ConfigError> {
    let concurrency = file.chain.concurrency.unwrap_or(USUAL_CONCURRENCY);
    check::range("chain.concurrency", concurrency as u64, 1, 1000)?;
    let services = (1..).zip(file.service).map(|(number, entry)| entry.service(number, folder));
    let services: Vec<Service> = services.collect::<Result<_, _>>()?;
    let checks = (1..).zip(file.smoke).map(|(number, entry)| {
        let name = entry.name.clone();
        entry.check(folder).map_err(|reason| in_check(number, format!("{name:?}: {reason}")))
    });
    let checks: Vec<Check> = checks.collect::<Result<_, _>>()?;
    refuse_same_names(&services, &checks)?;
    refuse_unknown_needs(&services, &checks)?;
    refuse_circles(&checks)?;
    refuse_idle(&services, &checks)?;
    Ok(Chain {
        services,
        checks,
        on_failure: file.chain.on_failure,
        concurrency: NonZeroUsize::new(concurrency).unwrap_or(NonZeroUsize::MIN),
    })
}

fn in_check(number: usize, reason: String) -> ConfigError {
    ConfigError::Entry { entry: Entry::Numbered("smoke", number), reason }
}

/// What one needs is named by its name, so no two may have one.
fn refuse_same_names(services: &[Service], checks: &[Check]) -> Result<(), ConfigError> {
    let services = services.iter().map(|service| service.name.as_str());
    let checks = checks.iter().map(|check| check.name.as_str());
    let entries = (1..).zip(services).map(|(number, name)| (Entry::Numbered("service", number), name));
    let entries =
        entries.chain((1..).zip(checks).map(|(number, name)| (Entry::Numbered("smoke", number), name)));
    let mut known: BTreeMap<&str, String> = BTreeMap::new();
    for (entry, name) in entries {
        if let Some(first) = known.insert(name, entry.to_string()) {
            return Err(ConfigError::Entry {
                entry,
                reason: format!("the name {name:?} is that of {first} already"),
            });
        }
    }
    Ok(())
}

/// Without a check no service is started, and nothing would say so.
fn refuse_idle(services: &[Service], checks: &[Check]) -> Result<(), ConfigError> {
    match services.first() {
        Some(service) if checks.is_empty() => Err(ConfigError::Entry {
            entry: Entry::Numbered("service", 1),
            reason: format!(
                "{:?} is never started: there is no [[smoke]] check, and what a comparison needs stands in its spec",
                service.name
            ),
        }),
        Some(_) | None => Ok(()),
    }
}

fn refuse_unknown_needs(services: &[Service], checks: &[Check]) -> Result<(), ConfigError> {
    let names = || {
        let services = services.iter().map(|service| service.name.as_str());
        services.chain(checks.iter().map(|check| check.name.as_str()))
    };
    for (number, check) in (1..).zip(checks) {
        if let Some(unknown) = check.needs.iter().find(|need| names().all(|name| name != *need)) {
            return Err(ConfigError::Unknown {
                entry: Entry::Numbered("smoke", number),
                what: "check or service",
                name: unknown.clone(),
                suggestion: nearest(unknown, names()).map(str::to_owned),
                known: names().map(str::to_owned).collect(),
            });
        }
    }
    Ok(())
}

fn refuse_circles(checks: &[Check]) -> Result<(), ConfigError> {
    let needing: Vec<_> = checks.iter().map(|check| (check.name.as_str(), check.needs.as_slice())).collect();
    order(&needing).map(drop).map_err(|circle| {
        let first = checks.iter().position(|check| Some(&check.name) == circle.circle.first());
        in_check(first.unwrap_or_default() + 1, format!("it can never begin: {circle}"))
    })
}

impl SmokeEntry {
    fn check(self, folder: &Path) -> Result<Check, String> {
        if self.name.trim().is_empty() {
            return Err("needs a `name`".to_owned());
        }
        let expect_output = self.expect_output.as_deref().map(pattern).transpose()?;
        let timeout = timeout(self.timeout_secs.unwrap_or(USUAL_SECS))?;
        Ok(Check {
            action: self.action(folder)?,
            name: self.name,
            layer: self.layer.unwrap_or_else(|| USUAL_LAYER.to_owned()),
            timeout,
            expect_output,
            needs: self.needs,
            parallel: self.parallel,
            on_failure: self.on_failure,
        })
    }

    fn action(&self, folder: &Path) -> Result<Action, String> {
        match (&self.command, &self.http) {
            (Some(_), Some(_)) => Err("has both `command` and `http`; it must be one of them".to_owned()),
            (None, None) => {
                Err("needs a `command`, such as [\"make\", \"test\"], or `http`, an address".to_owned())
            }
            (Some(command), None) => self.command(command, folder),
            (None, Some(address)) => self.http(address),
        }
    }

    fn command(&self, command: &[String], folder: &Path) -> Result<Action, String> {
        let foreign = [
            ("method", self.method.is_some()),
            ("headers", !self.headers.is_empty()),
            ("body", self.body.is_some()),
            ("json", self.json.is_some()),
        ];
        refuse(&foreign, "a command")?;
        let Self { folder: own, env, pass_env, .. } = self.clone();
        let keys = ProgramKeys { command: command.to_vec(), folder: own, env, pass_env };
        let expect_status = status(self.expect_status, 0..=255)?.unwrap_or(0);
        Ok(Action::Command { program: keys.program(folder)?, expect_status: expect_status.into() })
    }

    fn http(&self, address: &str) -> Result<Action, String> {
        let foreign = [
            ("folder", self.folder.is_some()),
            ("env", !self.env.is_empty()),
            ("pass_env", !self.pass_env.is_empty()),
        ];
        refuse(&foreign, "a request")?;
        let mut headers = headers(&self.headers)?;
        let body = match (&self.body, &self.json) {
            (Some(_), Some(_)) => return Err("has both `body` and `json`; it must be one of them".to_owned()),
            (Some(body), None) => Some(body.clone()),
            (None, Some(json)) => {
                headers.entry(header::CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
                Some(json.to_string())
            }
            (None, None) => None,
        };
        let method = match &self.method {
            Some(method) => method.parse().map_err(|_| format!("{method:?} is no method"))?,
            None if body.is_some() => Method::POST,
            None => Method::GET,
        };
        let body = body.unwrap_or_default().into_bytes();
        let request = Request { method, url: http_url(address)?, headers, body };
        Ok(Action::Http { request, expect_status: status(self.expect_status, 100..=599)? })
    }
}

fn refuse(foreign: &[(&str, bool)], to: &str) -> Result<(), String> {
    match foreign.iter().find(|(_, is_set)| *is_set) {
        Some((key, _)) => Err(format!("`{key}` means nothing to {to}")),
        None => Ok(()),
    }
}

fn status(given: Option<i64>, range: std::ops::RangeInclusive<u16>) -> Result<Option<u16>, String> {
    let Some(given) = given else { return Ok(None) };
    let found = u16::try_from(given).ok().filter(|status| range.contains(status));
    found.map(Some).ok_or_else(|| {
        format!("expect_status is {given}, it must be from {} to {}", range.start(), range.end())
    })
}

fn headers(given: &BTreeMap<String, String>) -> Result<HeaderMap, String> {
    let header = |(name, value): (&String, &String)| {
        let known: HeaderName = name.parse().map_err(|_| format!("{name:?} is no name of a header"))?;
        let value =
            HeaderValue::from_str(value).map_err(|_| format!("the header {name} cannot have that value"))?;
        Ok((known, value))
    };
    given.iter().map(header).collect()
}

/// `^` and `$` stand for the ends of a line.
fn pattern(text: &str) -> Result<Regex, String> {
    let built = RegexBuilder::new(text).multi_line(true).build();
    built.map_err(|error| {
        let last = error.to_string();
        let reason = last.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        format!("expect_output: {text:?} is no regular expression: {reason}")
    })
}

#[cfg(test)]
mod tests;
