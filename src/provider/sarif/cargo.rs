//! Reads what `cargo clippy --message-format=json` writes: [`read`]. The types are those of `cargo_metadata`.

use cargo_metadata::{
    Message,
    diagnostic::{Diagnostic, DiagnosticLevel, DiagnosticSpan},
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

/// How clippy begins the line that leads to its book.
const BOOK: &str = "for further information visit ";

/// Reads a line a message; lines of other kinds are passed over.
pub(super) fn read(text: &str, places: &Places<'_>, levels: Levels) -> Result<Report, String> {
    let (mut report, mut has_ended, mut is_explained) = (Report::default(), None, false);
    for message in Message::parse_stream(text.as_bytes()) {
        match message.map_err(|error| format!("the report cannot be read: {error}"))? {
            Message::CompilerMessage(message) => {
                is_explained |= is_error(&message.message);
                report.told.extend(told(&message.message, places, levels));
            }
            Message::BuildFinished(finished) => has_ended = Some(finished.success),
            _ => {}
        }
    }
    match has_ended {
        None => Err("cargo did not come to an end".to_owned()),
        Some(false) if !is_explained => Err("the build failed".to_owned()),
        Some(_) => Ok(report),
    }
}

/// `None` for summaries, which have no place.
fn told(diagnostic: &Diagnostic, places: &Places<'_>, levels: Levels) -> Option<Told> {
    let severity = severity(diagnostic, levels)?;
    let span = diagnostic.spans.iter().find(|span| span.is_primary)?;
    let (path, lines) = place(span, places);
    Some(Told {
        path,
        lines,
        severity,
        rule: diagnostic.code.as_ref().map(|code| code.code.clone()).unwrap_or_default(),
        what: diagnostic.message.clone(),
        why: why(diagnostic, span),
        fix: fix(diagnostic),
        is_old: false,
        is_fatal: is_compile_error(diagnostic),
    })
}

/// What the compiler writes beside the place, or in a note that is not only about the lint's own level; then where clippy's
/// book explains it.
fn why(diagnostic: &Diagnostic, span: &DiagnosticSpan) -> String {
    let notes = children(diagnostic, DiagnosticLevel::Note).map(|child| child.message.as_str());
    let label = span.label.as_deref().or_else(|| notes.clone().find(|note| !note.starts_with("`#[")));
    let book = children(diagnostic, DiagnosticLevel::Help).find_map(|child| child.message.strip_prefix(BOOK));
    [label, book].into_iter().flatten().collect::<Vec<_>>().join(" – ")
}

/// The first help, with the code it proposes.
fn fix(diagnostic: &Diagnostic) -> String {
    let mut helps =
        children(diagnostic, DiagnosticLevel::Help).filter(|help| !help.message.starts_with(BOOK));
    let Some(help) = helps.next() else { return String::new() };
    match help.spans.iter().find_map(|span| span.suggested_replacement.as_deref()) {
        Some(code) if !code.trim().is_empty() => format!("{}: `{}`", help.message, code.trim()),
        _ => help.message.clone(),
    }
}

fn children(diagnostic: &Diagnostic, level: DiagnosticLevel) -> impl Iterator<Item = &Diagnostic> + Clone {
    diagnostic.children.iter().filter(move |child| child.level == level)
}

/// A lint that the project forbids is an error to cargo; to a reader it stays a lint.
fn severity(diagnostic: &Diagnostic, levels: Levels) -> Option<Severity> {
    match diagnostic.level {
        DiagnosticLevel::Ice => Some(levels.error),
        DiagnosticLevel::Error if is_compile_error(diagnostic) => Some(levels.error),
        DiagnosticLevel::Error | DiagnosticLevel::Warning => Some(levels.warning),
        _ => None,
    }
}

/// Errors of the compiler have codes such as `E0308`, or none at all; lints have names.
fn is_compile_error(diagnostic: &Diagnostic) -> bool {
    let is_number =
        |code: &str| code.strip_prefix('E').is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
    is_error(diagnostic) && diagnostic.code.as_ref().is_none_or(|code| is_number(&code.code))
}

fn is_error(diagnostic: &Diagnostic) -> bool {
    matches!(diagnostic.level, DiagnosticLevel::Error | DiagnosticLevel::Ice)
}

/// Where code of the repository stands: a span in a macro of another crate leads to the macro's call.
fn place(span: &DiagnosticSpan, places: &Places<'_>) -> (Option<RepoPath>, LineRange) {
    let mut at = span;
    loop {
        let path = places.path(None, &at.file_name);
        match &at.expansion {
            Some(expansion) if path.is_none() => at = &expansion.span,
            _ => return (path, lines(i64::try_from(at.line_start).ok(), i64::try_from(at.line_end).ok())),
        }
    }
}
