//! Writes a [`Tally`] as workflow commands of GitHub Actions: [`render`].
//!
//! Printed by a step, they are annotations at the lines of the change. A step may make ten of each level; the best ranked are
//! made, and the last notice says what is not.

use std::fmt::Write as _;

use super::{
    notice::{self, Kind, Notice},
    plain::{self, Teller},
};
use crate::{
    finding::Severity,
    report::{summary, words},
    tally::{Issue, Tally, gate::Gate},
};

/// Annotations of one level that one step may make; the runner drops more without a word.
const MOST_OF_A_LEVEL: usize = 10;
/// Characters of a message; GitHub takes 64 KB of an annotation.
const LONGEST: usize = 16_000;

/// One workflow command.
struct Annotation {
    severity: Severity,
    properties: Vec<(&'static str, String)>,
    message: String,
}

/// The open issues and notices, a line each, with a final newline.
pub fn render(tally: &Tally, gate: &Gate) -> String {
    let teller = Teller::of(tally);
    let not_read = not_read(tally);
    let issues = summary::open(tally).map(|issue| of_issue(&teller, issue));
    let unplaced = notice::notices(tally).into_iter().filter(|notice| notice.kind == Kind::Unplaced);
    let mut out = String::new();
    // The last notice is one of the ten.
    let mut made = [(Severity::Block, 0), (Severity::Warn, 0), (Severity::Info, 1)];
    let mut over = made.map(|(severity, _)| (severity, 0));
    for annotation in not_read.into_iter().chain(issues).chain(unplaced.map(of_notice)) {
        let level = annotation.severity;
        let room = count_of(&mut made, level);
        if *room < MOST_OF_A_LEVEL {
            *room += 1;
            write(&annotation, &mut out);
        } else {
            *count_of(&mut over, level) += 1;
        }
    }
    write(&last(tally, gate, over), &mut out);
    out
}

fn count_of(counts: &mut [(Severity, usize); 3], severity: Severity) -> &mut usize {
    match severity {
        Severity::Block => &mut counts[0].1,
        Severity::Warn => &mut counts[1].1,
        Severity::Info => &mut counts[2].1,
    }
}

/// All that was not read in one annotation: it must be there however much was found.
fn not_read(tally: &Tally) -> Option<Annotation> {
    let lines: Vec<String> = notice::not_read(tally).into_iter().map(|notice| notice.text).collect();
    (!lines.is_empty()).then(|| Annotation {
        severity: Severity::Warn,
        properties: vec![("title", "scrum: a partial review".to_owned())],
        message: lines.join("\n"),
    })
}

fn of_issue(teller: &Teller<'_>, issue: &Issue) -> Annotation {
    let mut properties = vec![("file", plain::path(&issue.path))];
    if let Some(lines) = issue.lines {
        properties.extend([("line", lines.start.to_string()), ("endLine", lines.end.to_string())]);
    }
    properties.push(("title", teller.weight(issue)));
    Annotation { severity: issue.severity, properties, message: teller.lines(issue).join("\n") }
}

fn of_notice(notice: Notice) -> Annotation {
    let title = format!("scrum: {}", notice.kind.word());
    Annotation { severity: notice.severity, properties: vec![("title", title)], message: notice.text }
}

/// What came out, and how much of it is not shown.
fn last(tally: &Tally, gate: &Gate, over: [(Severity, usize); 3]) -> Annotation {
    let mut lines = notice::outcome(tally, gate);
    let cut = over.iter().filter(|(_, count)| *count > 0);
    let cut: Vec<String> =
        cut.map(|(severity, count)| format!("{} {severity}", words::grouped(*count as u64))).collect();
    if !cut.is_empty() {
        let more = words::list(&cut);
        lines.push(format!(
            "Not shown here, as a step may make {MOST_OF_A_LEVEL} annotations of a level: {more}."
        ));
    }
    let rest = notice::notices(tally).into_iter().filter(|notice| notice.kind > Kind::Unplaced);
    lines.extend(notice::not_shown(tally).into_iter().chain(rest).map(|notice| notice.text));
    lines.push(format!("Run {}.", tally.run.id));
    let properties = vec![("title", "scrum".to_owned())];
    Annotation { severity: Severity::Info, properties, message: lines.join("\n") }
}

/// One line, escaped as the runner reads it.
fn write(annotation: &Annotation, out: &mut String) {
    let command = match annotation.severity {
        Severity::Block => "error",
        Severity::Warn => "warning",
        Severity::Info => "notice",
    };
    let told = |(name, value): &(&str, String)| format!("{name}={}", property(value));
    let properties: Vec<String> = annotation.properties.iter().map(told).collect();
    let message = data(&words::shortened(&annotation.message, LONGEST));
    // Writing to a `String` cannot fail.
    let _ = writeln!(out, "::{command} {}::{message}", properties.join(","));
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
