//! Writes a [`Tally`] as a Checkstyle report: [`render`].
//!
//! The form knows errors of files only. What stands in no file is told at a file of its bundle, or at `.`, without a line.

use std::collections::BTreeMap;

use super::{
    notice::{self, Notice},
    plain::{self, Teller},
    xml,
};
use crate::{
    finding::Severity,
    report::summary,
    tally::{Issue, Tally},
};

/// One `<error>`.
struct Entry {
    line: Option<u32>,
    severity: Severity,
    message: String,
    source: String,
}

/// The open issues and notices as XML, by file, with a final newline.
pub fn render(tally: &Tally) -> String {
    let teller = Teller::of(tally);
    let mut files: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
    for issue in summary::open(tally) {
        files.entry(plain::path(&issue.path)).or_default().push(of_issue(&teller, issue));
    }
    for notice in notice::notices(tally).into_iter().chain(notice::not_shown(tally)) {
        let path = notice.path.as_deref().map_or_else(|| ".".to_owned(), plain::path);
        files.entry(path).or_default().push(of_notice(notice));
    }
    xml::document(|xml| {
        xml::element(xml, "checkstyle", &[("version", "10.0")], |xml| {
            files.iter().try_for_each(|(path, entries)| {
                xml::element(xml, "file", &[("name", path)], |xml| {
                    entries.iter().try_for_each(|entry| error(xml, entry))
                })
            })
        })
    })
}

fn of_issue(teller: &Teller<'_>, issue: &Issue) -> Entry {
    Entry {
        line: plain::first_line(issue),
        severity: issue.severity,
        message: teller.lines(issue).join(" "),
        source: format!("scrum.{}", issue.agreement.word()),
    }
}

fn of_notice(notice: Notice) -> Entry {
    let source = format!("scrum.{}", notice.kind.word());
    Entry { line: None, severity: notice.severity, message: notice.text, source }
}

fn error(xml: &mut xml::Xml, entry: &Entry) -> std::io::Result<()> {
    let severity = match entry.severity {
        Severity::Block => "error",
        Severity::Warn => "warning",
        Severity::Info => "info",
    };
    let line = entry.line.map(|line| line.to_string());
    let line = line.as_deref().map(|line| ("line", line));
    let rest =
        [("severity", severity), ("message", entry.message.as_str()), ("source", entry.source.as_str())];
    xml::empty(xml, "error", &line.into_iter().chain(rest).collect::<Vec<_>>())
}
