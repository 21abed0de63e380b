//! What came of checks and comparisons, as a gauntlet tells it: [`chain`], [`spec`], [`unasked`].
//!
//! Each has a report of its own with more of it; here is what the assessment needs and a reader wants to see first.

use std::{collections::BTreeSet, time::Duration};

use super::{
    document::{
        CaseEntry, CaseWord, CauseEntry, CheckEntry, CheckWord, GapEntry, PhaseWord, ServiceEntry,
        ServiceWord, SideEntry, Smoke, SpecEntry,
    },
    gap::Standing,
    parity::{Cause, Compared, Report, Side, Spec, Verdict, causal},
    smoke::{self, CheckResult, Checked, Served, ServiceResult},
};
use crate::report::words::count;

/// What a smoke chain came to; its state is not weighed yet.
pub fn chain(smoke: &smoke::Smoke) -> Smoke {
    Smoke {
        state: PhaseWord::Passed,
        passed: smoke.checks.iter().filter(|check| check.result == CheckResult::Passed).count(),
        total: smoke.checks.len(),
        duration_ms: milliseconds(smoke.took),
        checks: smoke.checks.iter().map(check).collect(),
        services: smoke.services.iter().filter_map(service).collect(),
    }
}

/// A check as documents have it.
pub(super) fn check(check: &Checked) -> CheckEntry {
    CheckEntry {
        name: check.name.clone(),
        layer: check.layer.clone(),
        result: match check.result {
            CheckResult::Passed => CheckWord::Passed,
            CheckResult::Failed(_) => CheckWord::Failed,
            CheckResult::Skipped(_) => CheckWord::Skipped,
        },
        reason: check.result.reason().map(str::to_owned),
        duration_ms: milliseconds(check.took),
        output: check.output.clone(),
    }
}

fn service(service: &Served) -> Option<ServiceEntry> {
    let (result, reason) = match &service.result {
        ServiceResult::Stopped => return None,
        ServiceResult::NotReady(reason) => (ServiceWord::NotReady, reason),
        ServiceResult::Died(reason) => (ServiceWord::Died, reason),
    };
    let (name, reason, output) = (service.name.clone(), reason.clone(), service.output.clone());
    Some(ServiceEntry { name, result, reason, output })
}

pub(super) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// What a comparison came to. Nothing is accepted yet.
pub fn spec(report: &Report) -> SpecEntry {
    let side = |side: &Side| SideEntry { name: side.name.clone(), at: side.address.clone() };
    let open = report.count(Verdict::Empty) + report.count(Verdict::Error) + report.count(Verdict::Unstable);
    let unasked = (report.unasked > 0).then(|| format!("{} not asked", count(report.unasked, "case")));
    let first = report.cases.iter().find_map(|case| case.reason.clone().filter(|_| is_open(case)));
    let open = first.map(|reason| format!("{} not compared, the first: {reason}", count(open, "case")));
    SpecEntry {
        name: report.name.clone(),
        sides: report.sides.iter().map(side).collect(),
        rule: rule(&report.rule),
        matches: report.count(Verdict::Match),
        diffs: report.count(Verdict::Diff),
        accepted: 0,
        total: report.cases.len() + report.unasked,
        lacking: open.or(unasked),
        causes: report.causes.iter().map(|one| cause(one, report)).collect(),
        cases: report.cases.iter().map(case).collect(),
        report: None,
    }
}

/// A comparison of which nothing was asked, and why.
pub fn unasked(spec: &Spec, why: &str) -> SpecEntry {
    let sides = spec.sides.iter();
    let case = |name: &String| CaseEntry {
        name: name.clone(),
        statuses: vec![None; spec.sides.len()],
        result: CaseWord::Error,
        reason: None,
        status_match: None,
        body_match: None,
        shapes: Vec::new(),
        is_accepted: false,
    };
    SpecEntry {
        name: spec.name.clone(),
        sides: sides.map(|side| SideEntry { name: side.name.clone(), at: side.access.address() }).collect(),
        rule: rule(&spec.rule.words()),
        matches: 0,
        diffs: 0,
        accepted: 0,
        total: spec.cases.len(),
        lacking: Some(why.to_owned()),
        causes: Vec::new(),
        cases: spec.cases.iter().map(|one| case(&one.name)).collect(),
        report: None,
    }
}

/// Writes into a comparison's own report which of its cases are accepted, and in whose words.
pub fn accept(report: &mut Report, entry: &SpecEntry, gaps: &[GapEntry]) {
    for case in entry.cases.iter().filter(|case| case.is_accepted) {
        let name = format!("{}/{}", entry.name, case.name);
        let accepts =
            |gap: &&GapEntry| gap.standing == Standing::Accepted.word() && gap.cases.contains(&name);
        if let Some(gap) = gaps.iter().find(accepts) {
            let words = format!("{} ({})", gap.why, super::words::acceptance(gap));
            report.accepted.insert(case.name.clone(), words);
        }
    }
}

fn is_open(case: &Compared) -> bool {
    !matches!(case.verdict, Verdict::Match | Verdict::Diff)
}

/// `the same status and the same body; without /elapsed_ms`.
fn rule(parts: &[String]) -> String {
    let same = "the same status and the same body".to_owned();
    [same].into_iter().chain(parts.iter().cloned()).collect::<Vec<_>>().join("; ")
}

fn cause(cause: &Cause, report: &Report) -> CauseEntry {
    let name = |at: usize| report.sides.get(at).map_or("", |side| side.name.as_str());
    CauseEntry { words: cause.shape.words(name(0), name(cause.side)), cases: cause.cases.clone() }
}

fn case(case: &Compared) -> CaseEntry {
    let shapes: BTreeSet<&str> = causal(case).map(|(_, one)| one.shape.kind.word()).collect();
    CaseEntry {
        name: case.name.clone(),
        statuses: case.statuses.iter().map(|status| status.map(|status| status.to_string())).collect(),
        result: match case.verdict {
            Verdict::Match => CaseWord::Match,
            Verdict::Diff => CaseWord::Diff,
            Verdict::Empty => CaseWord::Empty,
            Verdict::Error => CaseWord::Error,
            Verdict::Unstable => CaseWord::Unstable,
        },
        reason: case.reason.clone(),
        status_match: case.statuses_match(),
        body_match: case.bodies_match,
        shapes: shapes.into_iter().map(str::to_owned).collect(),
        is_accepted: false,
    }
}
