//! Writes a [`Tally`] in reviewdog's diagnostic format: [`render`].
//!
//! reviewdog posts the messages as comments, so they are Markdown in which nothing foreign is markup, a link or a mention.

use serde::Serialize;

use super::{
    notice::{self, Notice},
    plain::{self, Teller},
};
use crate::{
    anchor::Anchored,
    finding::{LineRange, Severity},
    report::{json, markdown::escape, summary},
    tally::{Issue, Tally},
};

/// Further places of an issue that are told.
const MOST_PLACES: usize = 100;

/// The document; the keys are reviewdog's.
#[derive(Serialize)]
struct DiagnosticResult {
    source: Source,
    diagnostics: Vec<Diagnostic>,
}

#[derive(Serialize)]
struct Source {
    name: &'static str,
}

#[derive(Serialize)]
struct Diagnostic {
    message: String,
    location: Location,
    severity: &'static str,
    code: Code,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Related>,
}

#[derive(Serialize)]
struct Code {
    value: String,
}

#[derive(Serialize)]
struct Related {
    message: String,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<Range>,
}

/// Without columns both lines belong to the range.
#[derive(Serialize)]
struct Range {
    start: Position,
    end: Position,
}

#[derive(Serialize)]
struct Position {
    line: u32,
}

/// The open issues and notices as one `DiagnosticResult`, with a final newline.
pub fn render(tally: &Tally) -> String {
    let teller = Teller::of(tally);
    let issues = summary::open(tally).map(|issue| of_issue(&teller, issue));
    let notices =
        notice::notices(tally).into_iter().chain(notice::not_shown(tally)).map(|notice| of_notice(&notice));
    json::pretty(&DiagnosticResult {
        source: Source { name: "scrum" },
        diagnostics: issues.chain(notices).collect(),
    })
}

fn of_issue(teller: &Teller<'_>, issue: &Issue) -> Diagnostic {
    let lines: Vec<String> = teller.lines(issue).iter().map(|line| escape::text(line)).collect();
    Diagnostic {
        message: lines.join("\n\n"),
        location: location(&issue.path, issue.lines),
        severity: severity(issue.severity),
        code: Code { value: issue.id.clone() },
        related_locations: related(issue),
    }
}

fn of_notice(notice: &Notice) -> Diagnostic {
    Diagnostic {
        message: escape::text(&notice.text),
        location: location(notice.path.as_deref().unwrap_or("."), None),
        severity: severity(notice.severity),
        code: Code { value: notice.kind.word().to_owned() },
        related_locations: Vec::new(),
    }
}

/// Where members stand that are not at the issue's own place, and where they stand besides.
fn related(issue: &Issue) -> Vec<Related> {
    let mut places = Vec::new();
    for member in summary::standing(issue) {
        let Anchored { path, lines, also, .. } = &member.anchored;
        let own = path.iter().map(|path| (path, *lines));
        let further = also.iter().filter_map(|place| Some((place.path.as_ref()?, place.lines)));
        let elsewhere =
            own.chain(further).filter(|(path, lines)| (*path, *lines) != (&issue.path, issue.lines));
        places.extend(elsewhere.map(|(path, lines)| Related {
            message: format!("also named by {}", member.reviewer),
            location: location(path, lines),
        }));
    }
    places.truncate(MOST_PLACES);
    places
}

fn location(path: &str, lines: Option<LineRange>) -> Location {
    let range =
        |lines: LineRange| Range { start: Position { line: lines.start }, end: Position { line: lines.end } };
    Location { path: plain::path(path), range: lines.map(range) }
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Block => "ERROR",
        Severity::Warn => "WARNING",
        Severity::Info => "INFO",
    }
}
