//! What came of a job's process, for whoever asks later: [`made`].

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::listener::Heard;
use crate::{job::Kind, store::Store};

/// What models took.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spent {
    tokens_in: u64,
    tokens_out: u64,
    cost_usd: f64,
}

impl Spent {
    pub(super) fn of(heard: &Heard) -> Self {
        Self { tokens_in: heard.tokens_in, tokens_out: heard.tokens_out, cost_usd: heard.cost_usd }
    }
}

/// Where the document of a `kind` goes that is no run.
pub(super) fn printed(runs: &Path, kind: Kind) -> PathBuf {
    runs.join("reviews").join("document").join(format!("{kind}.json"))
}

/// The result of a process that ended with `status`, as a JSON object. The runs that it left in `runs` are taken into `store`, so
/// that they are known there as those made by hand are.
pub(super) fn made(
    status: i32,
    kind: Kind,
    runs: &Path,
    run: Option<String>,
    spent: Spent,
    store: &Store,
) -> String {
    let tally =
        run.as_ref().and_then(|run| store.document(&runs.join("reviews").join(run).join("tally.json")));
    let gate = tally.as_ref().and_then(|tally| tally["gate"]["result"].as_str()).map(str::to_owned);
    let by_status = match status {
        0 => "pass",
        1 => "fail",
        _ => "inconclusive",
    };
    let mut result = json!({ "exit": status, "gate": gate.as_deref().unwrap_or(by_status), "kind": kind });
    if let Some(run) = run {
        result["run"] = run.into();
    }
    if let Some(mut tally) = tally {
        result["verdict"] = tally["verdict"]["result"].take();
        result["totals"] = tally["totals"].take();
    }
    result["spent"] =
        json!({ "tokens_in": spent.tokens_in, "tokens_out": spent.tokens_out, "cost_usd": spent.cost_usd });
    if let Err(error) = store.adopt(runs) {
        result["remark"] = Value::from(format!("the run is not among those of the daemon: {error}"));
    }
    result.to_string()
}
