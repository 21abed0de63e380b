//! Writes a [`Tally`] as a code quality report of GitLab: [`render`].
//!
//! GitLab compares reports by fingerprint, which is the issue's id, and shows one line of text at one line of a file.

use serde::Serialize;

use super::{
    notice::{self, Notice},
    plain::{self, Teller},
};
use crate::{
    digest,
    finding::Severity,
    report::{json, summary},
    tally::{Issue, Tally},
};

/// One entry; the keys are GitLab's.
#[derive(Serialize)]
struct Entry {
    description: String,
    check_name: String,
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<u32>,
}

/// The open issues and notices as a JSON array, with a final newline.
pub fn render(tally: &Tally) -> String {
    let teller = Teller::of(tally);
    let issues = summary::open(tally).map(|issue| of_issue(&teller, issue));
    let notices = notice::notices(tally).into_iter().chain(notice::not_shown(tally)).map(of_notice);
    json::pretty(&issues.chain(notices).collect::<Vec<_>>())
}

fn of_issue(teller: &Teller<'_>, issue: &Issue) -> Entry {
    let lines = issue
        .lines
        .map_or(Lines { begin: 1, end: None }, |lines| Lines { begin: lines.start, end: Some(lines.end) });
    Entry {
        description: teller.lines(issue).join(" "),
        check_name: format!("scrum.{}", issue.agreement.word()),
        fingerprint: issue.id.clone(),
        severity: severity(issue.severity, issue.is_convergent()),
        location: Location { path: plain::path(&issue.path), lines },
    }
}

fn of_notice(notice: Notice) -> Entry {
    Entry {
        check_name: format!("scrum.{}", notice.kind.word()),
        fingerprint: digest::sha256(&[notice.kind.word().as_bytes(), b"\n", notice.text.as_bytes()]),
        severity: severity(notice.severity, false),
        location: Location {
            path: notice.path.as_deref().map_or_else(|| ".".to_owned(), plain::path),
            lines: Lines { begin: 1, end: None },
        },
        description: notice.text,
    }
}

/// GitLab's five steps tell agreement too, since agreement is what predicts truth.
fn severity(severity: Severity, is_agreed: bool) -> &'static str {
    match (severity, is_agreed) {
        (Severity::Block, true) => "blocker",
        (Severity::Block, false) => "critical",
        (Severity::Warn, true) => "major",
        (Severity::Warn, false) => "minor",
        (Severity::Info, _) => "info",
    }
}
