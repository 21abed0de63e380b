//! Reads SARIF 2.1: [`read`] makes a [`Report`] of a log with any number of runs.
//!
//! The types are serde-sarif's. What this knows is where SARIF hides a message, a level and a place.

use std::collections::HashMap;

use serde_sarif::sarif::{
    ArtifactLocation, Location, Message, PropertyBag, ReportingDescriptor, Result as Finding, ResultKind,
    ResultLevel, Run, Sarif,
};

use super::{
    places::Places,
    told::{Report, Told, lines},
};
use crate::{
    change::RepoPath,
    finding::{LineRange, Severity},
    reviewer::Levels,
};

/// A longer description of a rule is its documentation.
const LONGEST_DESCRIPTION: usize = 300;
/// How often one base of URIs may stand on another.
const DEEPEST_BASE: usize = 8;

/// Reads `text`; `head` is the commit it must be about, where the log says which one it is about.
pub(super) fn read(
    text: &str,
    places: &Places<'_>,
    levels: Levels,
    head: Option<&str>,
) -> Result<Report, String> {
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() {
        return Err("the report is empty".to_owned());
    }
    let log: Sarif =
        serde_json::from_str(text).map_err(|error| format!("the report is not SARIF: {error}"))?;
    if log.version.as_str().is_none_or(|version| !version.starts_with("2.")) {
        return Err(format!("the report is SARIF {}, not 2.1", log.version));
    }
    if log.runs.is_empty() {
        return Err("the report tells of no run, so nothing was looked at".to_owned());
    }
    let mut report = Report::default();
    for run in &log.runs {
        check_revision(run, head)?;
        report.troubles.extend(troubles(run)?);
        read_run(run, places, levels, &mut report);
    }
    Ok(report)
}

fn check_revision(run: &Run, head: Option<&str>) -> Result<(), String> {
    let provenance = run.version_control_provenance.iter().flatten();
    let mut revisions = provenance.filter_map(|one| one.revision_id.as_deref());
    match (revisions.clone().next(), head) {
        (Some(told), Some(head)) if !revisions.any(|revision| revision == head) => {
            Err(format!("the report is about revision {told}, the change ends at {head}"))
        }
        _ => Ok(()),
    }
}

/// What went wrong although there is a report. An error when the tool says that it failed.
fn troubles(run: &Run) -> Result<Vec<String>, String> {
    let mut troubles = Vec::new();
    for invocation in run.invocations.iter().flatten() {
        let told = [&invocation.tool_execution_notifications, &invocation.tool_configuration_notifications];
        let errors =
            told.into_iter().flatten().flatten().filter(|told| is_level(told.level.as_ref(), "error"));
        let texts: Vec<String> = errors.filter_map(|told| told.message.text.clone()).collect();
        if !invocation.execution_successful {
            let why = texts.into_iter().next().or_else(|| invocation.exit_code_description.clone());
            return Err(format!(
                "the tool says that it failed: {}",
                why.as_deref().unwrap_or("without a reason")
            ));
        }
        troubles.extend(texts);
    }
    Ok(troubles)
}

fn is_level(told: Option<&serde_json::Value>, level: &str) -> bool {
    told.and_then(serde_json::Value::as_str) == Some(level)
}

fn read_run(run: &Run, places: &Places<'_>, levels: Levels, report: &mut Report) {
    let rules = Rules::of(run);
    for finding in run.results.iter().flatten() {
        let passed = matches!(
            finding.kind,
            Some(ResultKind::Pass | ResultKind::NotApplicable | ResultKind::Informational)
        );
        let rule = rules.of_finding(finding);
        let Some(severity) = severity(finding, rule, levels).filter(|_| !passed) else { continue };
        if finding
            .suppressions
            .iter()
            .flatten()
            .any(|one| one.status.is_none() || is_level(one.status.as_ref(), "accepted"))
        {
            report.suppressed += 1;
            continue;
        }
        let (path, lines) = place(run, finding, places);
        let id = finding.rule_id.clone().or_else(|| rule.map(|rule| rule.id.clone())).unwrap_or_default();
        let what = text(&finding.message, rule).unwrap_or_else(|| "the tool gives no message".to_owned());
        report.told.push(Told {
            path,
            lines,
            severity,
            why: rule.map(|rule| why(rule, &what)).unwrap_or_default(),
            rule: id,
            what,
            fix: fix(finding),
            is_old: is_level(finding.baseline_state.as_ref(), "unchanged"),
            is_fatal: false,
        });
    }
}

/// The rules of a run by place and name.
struct Rules<'a> {
    driver: &'a [ReportingDescriptor],
    extensions: Vec<&'a [ReportingDescriptor]>,
    by_id: HashMap<&'a str, &'a ReportingDescriptor>,
}

impl<'a> Rules<'a> {
    fn of(run: &'a Run) -> Self {
        let driver = run.tool.driver.rules.as_deref().unwrap_or_default();
        let extensions = run.tool.extensions.iter().flatten();
        let extensions: Vec<_> = extensions.map(|one| one.rules.as_deref().unwrap_or_default()).collect();
        let all = extensions.iter().copied().chain([driver]).flatten();
        let by_id = all.map(|rule| (rule.id.as_str(), rule)).collect();
        Self { driver, extensions, by_id }
    }

    fn of_finding(&self, finding: &Finding) -> Option<&'a ReportingDescriptor> {
        let reference = finding.rule.as_ref();
        let id = finding.rule_id.as_deref().or_else(|| reference?.id.as_deref());
        if let Some(rule) = id.and_then(|id| self.by_id.get(id)) {
            return Some(rule);
        }
        let at = |index: Option<i64>| index.and_then(|index| usize::try_from(index).ok());
        let index = at(finding.rule_index).or_else(|| at(reference?.index))?;
        let component = reference.and_then(|reference| at(reference.tool_component.as_ref()?.index));
        component.map_or(Some(self.driver), |component| self.extensions.get(component).copied())?.get(index)
    }
}

/// By the tool's word on security where it gives one, else by the level; `None` where the tool says that it is nothing.
fn severity(finding: &Finding, rule: Option<&ReportingDescriptor>, levels: Levels) -> Option<Severity> {
    let properties = [finding.properties.as_ref(), rule.and_then(|rule| rule.properties.as_ref())];
    if let Some(severity) = properties.into_iter().flatten().find_map(security_severity) {
        return Some(severity);
    }
    let by_rule = || rule?.default_configuration.as_ref()?.level.as_ref()?.as_str();
    let level = match (finding.level, by_rule()) {
        (Some(level), _) => level,
        (None, Some("error")) => ResultLevel::Error,
        (None, Some("note")) => ResultLevel::Note,
        (None, Some("none")) => ResultLevel::None,
        (None, _) => ResultLevel::Warning,
    };
    match level {
        ResultLevel::Error => Some(levels.error),
        ResultLevel::Warning => Some(levels.warning),
        ResultLevel::Note => Some(levels.note),
        ResultLevel::None => None,
    }
}

/// GitHub's property: a score from 0 to 10 with high from 7 and medium from 4 on; some tools write the word.
fn security_severity(properties: &PropertyBag) -> Option<Severity> {
    let value = properties.additional_properties.get("security-severity")?;
    let score = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok());
    match (score, value.as_str().map(str::to_ascii_lowercase).as_deref()) {
        (Some(7.0..), _) | (None, Some("critical" | "high")) => Some(Severity::Block),
        (Some(4.0..), _) | (None, Some("medium" | "moderate")) => Some(Severity::Warn),
        (Some(_), _) | (None, Some("low")) => Some(Severity::Info),
        (None, _) => None,
    }
}

/// A message's own text, or its rule's with the arguments put in.
fn text(message: &Message, rule: Option<&ReportingDescriptor>) -> Option<String> {
    let by_rule = || Some(rule?.message_strings.as_ref()?.get(message.id.as_ref()?)?.text.clone());
    let text = message.text.clone().or_else(by_rule)?;
    let arguments = message.arguments.iter().flatten().take(20).enumerate();
    Some(arguments.fold(text, |text, (at, argument)| text.replacen(&format!("{{{at}}}"), argument, 4)))
}

/// What the rule is about, where that is one sentence and neither the message again nor a template of it, and where more is
/// written.
fn why(rule: &ReportingDescriptor, what: &str) -> String {
    let descriptions = [&rule.short_description, &rule.full_description].into_iter().flatten();
    let is_telling = |text: &&str| {
        !text.is_empty()
            && text.len() <= LONGEST_DESCRIPTION
            && *text != what.trim()
            && !text.contains(['{', '\n'])
    };
    let description = descriptions.map(|one| one.text.trim()).find(is_telling);
    let told = [description, rule.help_uri.as_deref()];
    told.into_iter().flatten().collect::<Vec<_>>().join(" – ")
}

fn fix(finding: &Finding) -> String {
    let described = finding.fixes.iter().flatten().find_map(|fix| fix.description.as_ref()?.text.clone());
    described.unwrap_or_default()
}

fn place(run: &Run, finding: &Finding, places: &Places<'_>) -> (Option<RepoPath>, LineRange) {
    let physical = |location: &Location| location.physical_location.clone();
    let Some(physical) = finding.locations.iter().flatten().find_map(physical) else {
        return (None, lines(None, None));
    };
    let region = physical.region.as_ref();
    let lines = lines(region.and_then(|region| region.start_line), region.and_then(|region| region.end_line));
    let path = physical.artifact_location.as_ref().and_then(|at| {
        let at = if at.uri.is_some() { at } else { artifact(run, at)? };
        places.path(base(run, at).as_deref(), at.uri.as_deref()?)
    });
    (path, lines)
}

fn artifact<'a>(run: &'a Run, at: &ArtifactLocation) -> Option<&'a ArtifactLocation> {
    run.artifacts.as_ref()?.get(usize::try_from(at.index?).ok()?)?.location.as_ref()
}

/// The URI that `at` is relative to, as far as the log tells.
fn base(run: &Run, at: &ArtifactLocation) -> Option<String> {
    let bases = run.original_uri_base_ids.as_ref()?;
    let mut parts = Vec::new();
    let mut id = at.uri_base_id.as_ref();
    while let Some(base) = id.and_then(|id| bases.get(id)).filter(|_| parts.len() < DEEPEST_BASE) {
        parts.push(base.uri.clone().unwrap_or_default());
        id = base.uri_base_id.as_ref();
    }
    parts.reverse();
    let joined = parts.concat();
    (!joined.is_empty()).then_some(joined)
}
