//! What a submission must be like: [`check`]. Both sides of the pair keep these rules, with the same words.
//!
//! Fields are read by hand, so that what is wrong is told in our own terms and not in a parser's.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Value, json};

/// What the operation of a playbook begins with.
const PREFIX: &str = "fill: ";

/// Why a submission is refused.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) enum Refusal {
    /// A field is missing or of the wrong form.
    Schema { field: String, reason: String },
    /// Every field reads, but not all that is needed is there, or more than can be.
    Completeness { reason: String },
    /// It contradicts what is known otherwise.
    Consistency { reason: String },
}

impl Refusal {
    pub(crate) fn schema(field: &str, reason: &str) -> Self {
        Self::Schema { field: field.to_owned(), reason: reason.to_owned() }
    }
}

/// What was accepted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Accepted {
    pub(crate) kind: &'static str,
    /// Names or candidates that were looked at.
    pub(crate) checked: usize,
}

/// The ids of everybody who works here.
#[derive(Debug)]
pub(crate) struct Roster(BTreeSet<String>);

impl Roster {
    /// `roster.json`, which both sides read.
    pub(crate) fn embedded() -> Self {
        Self(serde_json::from_str(include_str!("roster.json")).unwrap_or_default())
    }
}

/// Accepts a playbook or a fill, or says the first thing that is wrong with it.
pub(crate) fn check(submission: &Value, roster: &Roster) -> Result<Accepted, Refusal> {
    if !submission.is_object() {
        return Err(Refusal::schema("body", "must be an object"));
    }
    match text(submission, "kind")? {
        "playbook" => playbook(submission),
        "fill" => fill(submission, roster),
        _ => Err(Refusal::schema("kind", "must be playbook or fill")),
    }
}

fn playbook(submission: &Value) -> Result<Accepted, Refusal> {
    let operation = text(submission, "operation")?;
    if operation.strip_prefix(PREFIX).is_none_or(|rest| rest.trim().is_empty()) {
        let reason = format!("must begin with `{PREFIX}` and name the work, not {}", json!(operation));
        return Err(Refusal::schema("operation", &reason));
    }
    text(submission, "fingerprint")?;
    let target = submission["target_count"].as_u64().filter(|count| *count > 0);
    let target =
        target.ok_or_else(|| Refusal::schema("target_count", "must be a whole number, 1 or more"))?;
    let names = strings(submission, "endorsed_names")?;
    let most = target.saturating_mul(2);
    if names.is_empty() {
        return Err(Refusal::Completeness {
            reason: "nobody is endorsed: endorsed_names is empty".to_owned(),
        });
    }
    if names.len() as u64 > most {
        let reason =
            format!("{} names are endorsed where {most} are the most, two for each place", names.len());
        return Err(Refusal::Completeness { reason });
    }
    Ok(Accepted { kind: "playbook", checked: names.len() })
}

fn fill(submission: &Value, roster: &Roster) -> Result<Accepted, Refusal> {
    let fills = submission["fills"].as_array();
    let fills = fills.ok_or_else(|| Refusal::schema("fills", "must be a list"))?;
    if fills.is_empty() {
        return Err(Refusal::Completeness { reason: "nothing is filled: fills is empty".to_owned() });
    }
    for (at, fill) in fills.iter().enumerate() {
        let field = format!("fills[{at}].candidate_id");
        let id = fill["candidate_id"].as_str().filter(|id| !id.is_empty());
        let id = id.ok_or_else(|| Refusal::schema(&field, "must be text and not empty"))?;
        if !roster.0.contains(id) {
            return Err(Refusal::Consistency {
                reason: format!("{field}: nobody on the roster is {}", json!(id)),
            });
        }
    }
    Ok(Accepted { kind: "fill", checked: fills.len() })
}

fn text<'a>(submission: &'a Value, field: &str) -> Result<&'a str, Refusal> {
    let value = submission.get(field).ok_or_else(|| Refusal::schema(field, "is missing"))?;
    let text = value.as_str().filter(|text| !text.is_empty());
    text.ok_or_else(|| Refusal::schema(field, "must be text and not empty"))
}

fn strings<'a>(submission: &'a Value, field: &str) -> Result<Vec<&'a str>, Refusal> {
    let all = submission[field].as_array().map(|list| list.iter().map(Value::as_str).collect());
    all.flatten().ok_or_else(|| Refusal::schema(field, "must be a list of texts"))
}
