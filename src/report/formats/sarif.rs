//! Writes a [`Tally`] as SARIF 2.1.0: [`render`]. The types are serde-sarif's.
//!
//! One run for the whole panel: an issue belongs to several lineages at once, and code scanning refuses a file with several runs of
//! one tool and category. What has no place is a notification, since code scanning refuses a file with a result that has none.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use serde_json::{Value, json};
use serde_sarif::sarif::{
    ArtifactLocation, Invocation, Location, LogicalLocation, Message, MultiformatMessageString, Notification,
    PhysicalLocation, PropertyBag, Region, ReportingConfiguration, ReportingDescriptor,
    ReportingDescriptorReference, Result as Finding, ResultLevel, Run, RunAutomationDetails, Sarif,
    Suppression, Tool, ToolComponent, VersionControlDetails,
};

use super::{
    notice::{self, Kind, Notice},
    plain::Teller,
};
use crate::{
    anchor::Anchored,
    change::RepoPath,
    finding::{LineRange, Severity},
    report::{json as tally_json, summary, words},
    tally::{
        Issue, Member, Tally,
        gate::{Gate, GateResult},
        verdict,
    },
};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// The only rule: an alert is followed from push to push by it and its fingerprint, and severity and agreement may change.
const RULE: &str = "scrum/issue";
/// Results that code scanning takes of one run; it refuses a file with more.
const MOST_RESULTS: usize = 25_000;
/// Related places of one result; code scanning shows 100.
const MOST_PLACES: usize = 100;
/// What stands unescaped in a URI's path.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The tally as a SARIF log: indented, with a final newline.
pub fn render(tally: &Tally, gate: &Gate) -> String {
    let run = Run {
        version_control_provenance: provenance(tally).map(|one| vec![one]),
        ..Run::builder()
            .tool(Tool::from(driver(tally)))
            .automation_details(RunAutomationDetails::builder().id(format!("scrum/{}", tally.run.id)).build())
            .invocations(vec![invocation(tally, gate)])
            .results(results(tally))
            .column_kind(json!("unicodeCodePoints"))
            .properties(bag(run_properties(tally, gate)))
            .build()
    };
    let log = Sarif::builder().schema(SCHEMA).version(json!("2.1.0")).runs(vec![run]).build();
    tally_json::pretty(&log)
}

fn driver(tally: &Tally) -> ToolComponent {
    let text = |text: &str| MultiformatMessageString::from(&text.to_owned());
    let rule = ReportingDescriptor::builder()
        .id(RULE)
        .name("ReviewIssue")
        .short_description(text("Found in review"))
        .full_description(text("What one or more reviewers of the panel claim about the change."))
        .help(text("The message says who claims it and how many lineages agree; `scrum explain` says why."))
        .default_configuration(ReportingConfiguration::builder().level(json!("warning")).build())
        .build();
    let kind = |kind: Kind| {
        ReportingDescriptor::builder().id(kind.word()).short_description(text(kind.meaning())).build()
    };
    ToolComponent::builder()
        .name("scrum")
        .version(tally.run.tool_version.clone())
        .semantic_version(tally.run.tool_version.clone())
        .rules(vec![rule])
        .notifications(Kind::ALL.map(kind).to_vec())
        .build()
}

/// Which commit of which repository was reviewed, where that is known.
fn provenance(tally: &Tally) -> Option<VersionControlDetails> {
    let revision = tally.since.as_ref().map(|since| &since.pull.head).or(tally.range.head.as_ref())?;
    let details = VersionControlDetails::builder().repository_uri(tally.run.repository.clone()?);
    Some(details.revision_id(revision.clone()).build())
}

/// A partial review is an execution that did not succeed, and so is one that the gate can say nothing about.
fn invocation(tally: &Tally, gate: &Gate) -> Invocation {
    let surplus = summary::counted(tally).count().saturating_sub(MOST_RESULTS);
    let surplus = (surplus > 0).then(|| Notice {
        kind: Kind::NotRead,
        severity: Severity::Warn,
        text: format!(
            "{} of the lowest rank {} not in this file: code scanning takes {}.",
            words::count(surplus, "issue"),
            if surplus == 1 { "is" } else { "are" },
            words::grouped(MOST_RESULTS as u64),
        ),
        path: None,
    });
    let notices = surplus.into_iter().chain(notice::notices(tally));
    Invocation {
        start_time_utc: Some(tally.run.started_at.clone()),
        end_time_utc: tally.run.finished_at.clone(),
        ..Invocation::builder()
            .execution_successful(
                notice::not_read(tally).is_empty() && gate.result != GateResult::Inconclusive,
            )
            .tool_execution_notifications(notices.map(notification).collect::<Vec<_>>())
            .build()
    }
}

fn notification(notice: Notice) -> Notification {
    let level = match notice.kind {
        Kind::NotRead => ResultLevel::Error,
        Kind::Unplaced | Kind::Rejected | Kind::LeftOut => level(notice.severity),
    };
    let location =
        notice.path.map(|path| vec![Location::builder().physical_location(physical(&path, None)).build()]);
    Notification {
        locations: location,
        ..Notification::builder()
            .descriptor(ReportingDescriptorReference::builder().id(notice.kind.word()).build())
            .level(json!(level))
            .message(message(&notice.text))
            .build()
    }
}

fn results(tally: &Tally) -> Vec<Finding> {
    let teller = Teller::of(tally);
    summary::counted(tally).take(MOST_RESULTS).map(|issue| result(&teller, issue)).collect()
}

fn result(teller: &Teller<'_>, issue: &Issue) -> Finding {
    let related = related(issue);
    Finding {
        related_locations: (!related.is_empty()).then_some(related),
        suppressions: suppression(issue).map(|one| vec![one]),
        ..Finding::builder()
            .rule_id(RULE)
            .rule_index(0)
            .level(level(issue.severity))
            .message(message(&teller.lines(issue).join("\n")))
            .locations(vec![location(issue)])
            .partial_fingerprints(fingerprints(issue))
            .properties(bag(properties(issue)))
            .build()
    }
}

/// The first is the one that code scanning compares; it would make one of the line's text, and two issues of one line the same.
fn fingerprints(issue: &Issue) -> BTreeMap<String, String> {
    let id = &issue.id;
    BTreeMap::from([
        ("primaryLocationLineHash".to_owned(), format!("{id}:1")),
        ("scrumIssue/v1".to_owned(), id.clone()),
    ])
}

/// Code scanning wants a line: without one the issue is shown at the first, and its properties have none.
fn location(issue: &Issue) -> Location {
    let lines = issue.lines.unwrap_or(LineRange { start: 1, end: 1 });
    let symbol = issue.symbol.as_deref().map(|name| vec![LogicalLocation::builder().name(name).build()]);
    Location {
        logical_locations: symbol,
        ..Location::builder().physical_location(physical(&issue.path, Some(lines))).build()
    }
}

/// Where members stand that are not at the issue's own place, and where they stand besides.
fn related(issue: &Issue) -> Vec<Location> {
    let places = summary::standing(issue).flat_map(|member| places(member).map(move |place| (member, place)));
    let elsewhere = places.filter(|(_, place)| *place != (issue.path.as_str(), issue.lines));
    let location = |(id, (member, (path, lines))): (i64, (&Member, (&str, Option<LineRange>)))| {
        Location::builder()
            .id(id)
            .physical_location(physical(path, lines))
            .message(message(&format!("also named by {}", member.reviewer)))
            .build()
    };
    (0..).zip(elsewhere).take(MOST_PLACES).map(location).collect()
}

fn places(member: &Member) -> impl Iterator<Item = (&str, Option<LineRange>)> {
    let Anchored { path, lines, also, .. } = &member.anchored;
    let own = path.iter().map(|path| (path.as_str(), *lines));
    own.chain(also.iter().filter_map(|place| Some((place.path.as_deref()?, place.lines))))
}

fn physical(path: &str, lines: Option<LineRange>) -> PhysicalLocation {
    let path = RepoPath::from_display(path.trim_start_matches('/'));
    let uri = percent_encode(path.as_bytes(), PATH).to_string();
    let region = |lines: LineRange| Region::builder().start_line(lines.start).end_line(lines.end).build();
    PhysicalLocation {
        region: lines.map(region),
        ..PhysicalLocation::builder().artifact_location(ArtifactLocation::builder().uri(uri).build()).build()
    }
}

/// What a human set aside is there, and suppressed.
fn suppression(issue: &Issue) -> Option<Suppression> {
    let disposition = issue.disposition.as_ref().filter(|one| one.decision.dismisses())?;
    let why = summary::decided_words(disposition);
    Some(Suppression::builder().kind(json!("external")).status(json!("accepted")).justification(why).build())
}

fn properties(issue: &Issue) -> Value {
    json!({
        "id": issue.id,
        "severity": issue.severity.word(),
        "agreement": issue.agreement.word(),
        "convergence": issue.convergence(),
        "lineages": issue.lineages.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "reviewers": issue.reviewers.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "seeAlso": issue.see_also,
        "refuted": issue.is_refuted(),
        "disposition": issue.disposition.as_ref().map(|one| one.decision.word()),
        "startLine": issue.lines.map(|lines| lines.start),
    })
}

fn run_properties(tally: &Tally, gate: &Gate) -> Value {
    let conclusion = verdict::conclude(tally, gate);
    json!({
        "outcome": notice::outcome(tally, gate),
        "verdict": conclusion.word(),
        "range": tally_json::range(&tally.range),
        "panel": tally.panel.reviewers.iter().map(tally_json::seat).collect::<Vec<_>>(),
        "totals": tally_json::totals(tally),
    })
}

fn bag(properties: Value) -> PropertyBag {
    let additional = match properties {
        Value::Object(map) => map.into_iter().collect(),
        _ => BTreeMap::new(),
    };
    PropertyBag::builder().additional_properties(additional).build()
}

fn level(severity: Severity) -> ResultLevel {
    match severity {
        Severity::Block => ResultLevel::Error,
        Severity::Warn => ResultLevel::Warning,
        Severity::Info => ResultLevel::Note,
    }
}

/// Plain text, in which `[text](target)` would be a link; foreign words have none.
fn message(text: &str) -> Message {
    Message::from(text.replace("](", "] (").as_str())
}
