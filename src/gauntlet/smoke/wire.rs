//! A chain for machines: [`document`] is schema `scrum.smoke/1`, published in `schema/smoke.schema.json`.

use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde::Serialize;

use super::{CheckResult, Checked, Served, ServiceResult, Smoke, Verdict, summary};
use crate::{
    gauntlet::{
        carried::{check, milliseconds},
        document::CheckEntry,
    },
    report::json::pretty,
};

/// What came of a smoke chain.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "scrum.smoke/1")]
pub struct SmokeDocument {
    /// Always `scrum.smoke/1`.
    schema: SmokeSchema,
    /// When it began; RFC 3339.
    started_at: String,
    /// From the first start to the last end, in milliseconds.
    duration_ms: u64,
    /// What it comes to.
    verdict: VerdictWord,
    /// `21 / 21 pass in 60 s`.
    summary: String,
    /// Whether it was ended before its end.
    interrupted: bool,
    /// How many checks passed, failed, and were skipped.
    totals: Totals,
    /// In order of declaration.
    layers: Vec<LayerEntry>,
    /// In order of declaration.
    checks: Vec<CheckEntry>,
    /// Services that were started, in order of declaration.
    services: Vec<ServiceEntry>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
enum SmokeSchema {
    /// The only one so far.
    #[serde(rename = "scrum.smoke/1")]
    One,
}

/// What a chain comes to.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum VerdictWord {
    /// Every check passed.
    Pass,
    /// A check failed, or a service ended by itself.
    Fail,
    /// Nothing failed, and not all could be done.
    Inconclusive,
}

/// How many checks ended how.
#[derive(Debug, Serialize, JsonSchema)]
struct Totals {
    /// As expected.
    passed: usize,
    /// Otherwise.
    failed: usize,
    /// Not done.
    skipped: usize,
}

/// A layer's share.
#[derive(Debug, Serialize, JsonSchema)]
struct LayerEntry {
    /// Its name.
    layer: String,
    #[serde(flatten)]
    totals: Totals,
    /// What its checks took together, in milliseconds.
    duration_ms: u64,
}

/// How a service fared.
#[derive(Debug, Serialize, JsonSchema)]
struct ServiceEntry {
    /// Its name.
    name: String,
    /// How it fared.
    result: ServiceWord,
    /// Why it was not ready, or how it ended.
    reason: Option<String>,
    /// From its start until it was ready or given up, in milliseconds.
    duration_ms: u64,
    /// The file with all it printed, from the folder of the run.
    output: Option<String>,
}

#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
enum ServiceWord {
    /// It ran until it was stopped.
    Stopped,
    /// It never was ready.
    NotReady,
    /// It ended while it was needed.
    Died,
}

/// The chain as an indented document with a final newline.
pub fn render(smoke: &Smoke) -> String {
    pretty(&document(smoke))
}

/// The JSON Schema (2020-12) of `scrum.smoke/1` documents.
pub fn schema() -> Schema {
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<SmokeDocument>()
}

/// The chain as data.
pub fn document(smoke: &Smoke) -> SmokeDocument {
    SmokeDocument {
        schema: SmokeSchema::One,
        started_at: smoke.started_at.clone(),
        duration_ms: milliseconds(smoke.took),
        verdict: match smoke.verdict() {
            Verdict::Pass => VerdictWord::Pass,
            Verdict::Fail => VerdictWord::Fail,
            Verdict::Inconclusive => VerdictWord::Inconclusive,
        },
        summary: summary::headline(smoke),
        interrupted: smoke.interrupted,
        totals: totals(smoke.checks.iter()),
        layers: summary::layers(smoke).iter().map(layer).collect(),
        checks: smoke.checks.iter().map(check).collect(),
        services: smoke.services.iter().map(service).collect(),
    }
}

fn totals<'a>(checks: impl Iterator<Item = &'a Checked>) -> Totals {
    let mut totals = Totals { passed: 0, failed: 0, skipped: 0 };
    for check in checks {
        match check.result {
            CheckResult::Passed => totals.passed += 1,
            CheckResult::Failed(_) => totals.failed += 1,
            CheckResult::Skipped(_) => totals.skipped += 1,
        }
    }
    totals
}

fn layer(layer: &summary::Layer<'_>) -> LayerEntry {
    let totals = totals(layer.checks.iter().copied());
    LayerEntry {
        layer: layer.name.to_owned(),
        totals,
        duration_ms: milliseconds(layer.took().unwrap_or_default()),
    }
}

fn service(service: &Served) -> ServiceEntry {
    let (result, reason) = match &service.result {
        ServiceResult::Stopped => (ServiceWord::Stopped, None),
        ServiceResult::NotReady(reason) => (ServiceWord::NotReady, Some(reason.clone())),
        ServiceResult::Died(reason) => (ServiceWord::Died, Some(reason.clone())),
    };
    let duration_ms = milliseconds(service.took);
    ServiceEntry { name: service.name.clone(), result, reason, duration_ms, output: service.output.clone() }
}
