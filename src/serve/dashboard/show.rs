//! Runs and jobs as rows of a page: [`Row`]. Words, addresses and times; templates put them into markup.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use url::form_urlencoded;

use super::index::{Done, Entry};
use crate::{
    job::{Job, NewJob, State, wire::CANCEL},
    report::words,
    serve::callers::Caller,
    store::chronicle::CameTo,
};

/// A run or a job in a table.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    name: String,
    href: String,
    at: String,
    ago: String,
    repository: String,
    repository_href: Option<String>,
    range: String,
    /// With full ids.
    whole_range: String,
    pull: Option<String>,
    kind: &'static str,
    state: &'static str,
    tone: &'static str,
    came_to: Option<Outcome>,
    /// How long it took, runs, or waits.
    took: Option<String>,
    job: Option<OfJob>,
}

/// What a run came to.
#[derive(Debug, Serialize)]
struct Outcome {
    verdict: String,
    verdict_tone: &'static str,
    gate: String,
    gate_tone: &'static str,
    block: u64,
    warn: u64,
    info: u64,
    distinct: u64,
    convergent: u64,
    heard: Option<(u64, u64)>,
    cost: Option<String>,
}

/// What only jobs have.
#[derive(Debug, Serialize)]
struct OfJob {
    id: String,
    tenant: String,
    priority: &'static str,
    source: &'static str,
    attempt: u32,
    max_attempts: u32,
    node: Option<String>,
    reason: Option<String>,
    timeout: String,
    /// Where it is called off, where this reader may.
    cancel: Option<String>,
    done: Option<usize>,
    total: Option<usize>,
}

/// For whom and when rows are made.
pub(super) struct Eye<'a> {
    pub(super) caller: &'a Caller,
    pub(super) now: Timestamp,
    /// Where the repository is that the daemon was started in.
    pub(super) home: &'a str,
}

impl Eye<'_> {
    /// A row.
    pub(super) fn row(&self, entry: &Entry) -> Row {
        let (state, tone) = Self::state(entry);
        let repository = entry.repository(self.home);
        Row {
            name: entry.name().to_owned(),
            href: href(entry.name()),
            at: stamp(entry.at()),
            ago: self.ago(entry.at()),
            repository: short(repository).to_owned(),
            repository_href: (!repository.is_empty()).then(|| of_repository(repository)),
            range: range(entry.range()),
            whole_range: entry.range().to_owned(),
            pull: entry
                .done
                .as_ref()
                .and_then(|done| done.job.new.task.pull.clone())
                .filter(|pull| is_page(pull)),
            kind: entry.kind().word(),
            state,
            tone,
            came_to: entry.came_to().map(outcome),
            took: entry.done.as_ref().and_then(|done| self.took(&done.job)),
            job: entry.done.as_ref().map(|done| self.of_job(done, None)),
        }
    }

    /// A row of a job that waits or runs, of which so much is done.
    pub(super) fn job(&self, done: &Done, counted: Option<(usize, usize)>) -> Row {
        let entry = Entry { done: Some(std::sync::Arc::new(done.clone())), brief: None };
        Row { job: Some(self.of_job(done, counted)), ..self.row(&entry) }
    }

    fn of_job(&self, done: &Done, counted: Option<(usize, usize)>) -> OfJob {
        let Job { new, state, attempt, node, reason, .. } = &done.job;
        let NewJob { id, tenant, source, priority, timeout_secs, max_attempts, .. } = new;
        let may_cancel = !state.is_final() && self.caller.may_name(tenant);
        OfJob {
            id: id.to_string(),
            tenant: tenant.clone(),
            priority: priority.word(),
            source: source.word(),
            attempt: *attempt,
            max_attempts: *max_attempts,
            node: node.clone(),
            reason: reason.clone(),
            timeout: words::span(Duration::from_secs((*timeout_secs).into())),
            cancel: may_cancel.then(|| format!("{CANCEL}/{id}")),
            done: counted.map(|(done, _)| done),
            total: counted.map(|(_, total)| total),
        }
    }

    /// How a run stands, in a word, and how that is shown.
    pub(super) fn state(entry: &Entry) -> (&'static str, &'static str) {
        match entry.done.as_ref().map(|done| done.job.state) {
            Some(State::Queued) => ("queued", "none"),
            Some(State::Running) => ("running", "live"),
            Some(State::Succeeded) => ("done", "good"),
            Some(State::Failed) => ("failed", "bad"),
            Some(State::Cancelled) => ("cancelled", "none"),
            Some(State::TimedOut) => ("timed out", "bad"),
            None if entry.came_to().is_some() => ("done", "good"),
            None => ("unfinished", "none"),
        }
    }

    fn took(&self, job: &Job) -> Option<String> {
        let from = job.started.unwrap_or(job.created);
        let until = job.finished.unwrap_or(self.now);
        job.started.or(job.finished.is_none().then_some(job.created))?;
        Some(words::span(since(from, until)))
    }

    /// How long ago something was.
    pub(super) fn ago(&self, at: Timestamp) -> String {
        let gone = since(at, self.now);
        match gone.as_secs() {
            0..60 => "just now".to_owned(),
            60..3_600 => format!("{} min ago", gone.as_secs() / 60),
            3_600..86_400 => format!("{} h ago", gone.as_secs() / 3_600),
            seconds => format!("{} ago", words::count(usize::try_from(seconds / 86_400).unwrap_or(0), "day")),
        }
    }
}

/// Nothing but a page is led to.
fn is_page(address: &str) -> bool {
    ["https://", "http://"].iter().any(|scheme| address.starts_with(scheme))
}

fn since(from: Timestamp, until: Timestamp) -> Duration {
    Duration::try_from(until.duration_since(from)).unwrap_or_default()
}

/// `2026-11-21 06:21 UTC`.
pub(super) fn stamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// Where a run is.
pub(super) fn href(name: &str) -> String {
    format!("/runs/{name}")
}

fn of_repository(repository: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("repository", repository);
    format!("/runs?{}", query.finish())
}

/// What a repository is called: of a page its last two parts, of a folder its name.
pub(super) fn short(repository: &str) -> &str {
    let trimmed = repository.trim_end_matches('/').trim_end_matches(".git");
    let (trimmed, parts) = trimmed.split_once("://").map_or((trimmed, 1), |(_, page)| (page, 2));
    let start = trimmed.rmatch_indices('/').nth(parts - 1).map_or(0, |(at, _)| at + 1);
    &trimmed[start..]
}

/// A range with ids of commits as people write them.
pub(super) fn range(range: &str) -> String {
    let is_id = |part: &str| part.len() == 40 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let short = |part: &str| if is_id(part) { part[..10].to_owned() } else { part.to_owned() };
    let dots = if range.contains("...") { "..." } else { ".." };
    range.split(dots).map(short).collect::<Vec<_>>().join(dots)
}

fn outcome(came_to: &CameTo) -> Outcome {
    let CameTo { verdict, gate, totals, heard } = came_to;
    let by = totals.by_severity;
    Outcome {
        verdict: verdict.clone(),
        verdict_tone: verdict_tone(verdict),
        gate: gate.clone(),
        gate_tone: gate_tone(gate),
        block: by.block,
        warn: by.warn,
        info: by.info,
        distinct: totals.distinct,
        convergent: totals.convergent,
        heard: *heard,
        cost: totals.spent.cost_usd.map(words::dollars),
    }
}

/// How a verdict is shown.
pub(super) fn verdict_tone(verdict: &str) -> &'static str {
    match verdict {
        "ship" => "good",
        "ship-with-fixes" => "mixed",
        "hold" => "bad",
        _ => "none",
    }
}

fn gate_tone(gate: &str) -> &'static str {
    match gate {
        "pass" => "good",
        "fail" => "bad",
        "inconclusive" => "mixed",
        _ => "none",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_repository_is_called() {
        let check = |repository: &str, expect: &str| assert_eq!(short(repository), expect, "{repository}");
        check("https://github.com/acme/app", "acme/app");
        check("https://github.com/acme/app.git", "acme/app");
        check("/srv/git/app/", "app");
        check("app", "app");
        check("", "");
        check("https://x", "x");
        check("https://x/y", "x/y");
    }

    #[test]
    fn ranges() {
        let id = "2d4e58b77738a11d4778c375338991ecd4011808";
        let check = |it: &str, expect: &str| assert_eq!(range(it), expect);
        check("", "");
        check("HEAD~1..HEAD", "HEAD~1..HEAD");
        check(&format!("{id}..{id}"), "2d4e58b777..2d4e58b777");
        check(&format!("main...{id}"), "main...2d4e58b777");
        check(&format!("{id}0"), &format!("{id}0"));
    }
}
