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
    let document = file(kind, runs, run.as_deref()).and_then(|file| store.document(&file));
    let Told { gate, verdict, totals } = document.map(|document| told(kind, document)).unwrap_or_default();
    let by_status = match status {
        0 => "pass",
        1 => "fail",
        _ => "inconclusive",
    };
    let mut result = json!({ "exit": status, "gate": gate.as_deref().unwrap_or(by_status), "kind": kind });
    if let Some(run) = run {
        result["run"] = run.into();
    }
    for (key, value) in [("verdict", verdict), ("totals", totals)] {
        if !value.is_null() {
            result[key] = value;
        }
    }
    result["spent"] =
        json!({ "tokens_in": spent.tokens_in, "tokens_out": spent.tokens_out, "cost_usd": spent.cost_usd });
    if let Err(error) = store.adopt(runs) {
        // Its words name folders of this machine.
        tracing::warn!(%error, "a job's run is not among those of the daemon");
        result["remark"] = "the run is not among those of the daemon: it could not be copied there".into();
    }
    result.to_string()
}

/// What a document says.
#[derive(Debug, Default, PartialEq)]
struct Told {
    gate: Option<String>,
    verdict: Value,
    totals: Value,
}

/// Where what came of it stands; `None` of a run that nobody has named.
fn file(kind: Kind, runs: &Path, run: Option<&str>) -> Option<PathBuf> {
    let of_run = |name: &str| Some(runs.join("reviews").join(run?).join(name));
    match kind {
        Kind::Review => of_run("tally.json"),
        Kind::Gauntlet => of_run("gauntlet.json"),
        Kind::Smoke | Kind::Parity | Kind::Eval => Some(printed(runs, kind)),
        Kind::Noop => None,
    }
}

fn told(kind: Kind, mut document: Value) -> Told {
    match kind {
        Kind::Review => Told {
            gate: document["gate"]["result"].as_str().map(str::to_owned),
            verdict: document["verdict"]["result"].take(),
            totals: document["totals"].take(),
        },
        Kind::Gauntlet => {
            let [checks, review, specs] = ["smoke", "review", "parity"].map(|phase| &document[phase]);
            let all = |key: &str| -> u64 {
                specs["specs"].as_array().into_iter().flatten().filter_map(|spec| spec[key].as_u64()).sum()
            };
            let totals = json!({
                "checks": checks["total"], "passed": checks["passed"],
                "issues": review["distinct"], "convergent": review["convergent"],
                "matches": all("matches"), "diffs": all("diffs"),
            });
            Told { gate: None, verdict: document["assessment"]["result"].take(), totals }
        }
        Kind::Smoke | Kind::Parity | Kind::Eval | Kind::Noop => {
            Told { gate: None, verdict: document["verdict"].take(), totals: document["totals"].take() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_documents_say() {
        let check = |kind, document: Value, expect: Value| {
            let Told { gate, verdict, totals } = told(kind, document);
            assert_eq!(json!([gate, verdict, totals]), expect, "{kind}");
        };
        let tally =
            json!({"gate": {"result": "fail"}, "verdict": {"result": "hold"}, "totals": {"distinct": 3}});
        check(Kind::Review, tally, json!(["fail", "hold", {"distinct": 3}]));
        let gauntlet = json!({
            "assessment": {"result": "ship"},
            "smoke": {"passed": 2, "total": 3},
            "review": {"convergent": 1, "distinct": 4},
            "parity": {"specs": [{"matches": 5, "diffs": 1}, {"matches": 2, "diffs": 0}]},
        });
        let totals =
            json!({"checks": 3, "passed": 2, "issues": 4, "convergent": 1, "matches": 7, "diffs": 1});
        check(Kind::Gauntlet, gauntlet, json!([null, "ship", totals]));
        check(
            Kind::Smoke,
            json!({"verdict": "pass", "totals": {"passed": 1}}),
            json!([null, "pass", {"passed": 1}]),
        );
        check(Kind::Eval, json!({}), json!([null, null, null]));
    }
}
