//! Labels in front of the parts of a finding (`WHERE:`, `**Suggested fix:**`, `### Verdict`) and what they introduce: [`Label`].
//!
//! One table serves text, tables and JSON keys.

use std::{collections::HashMap, sync::LazyLock};

/// What a label introduces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Label {
    /// How bad.
    Severity,
    /// A whole place.
    Where,
    /// A path; lines come apart.
    File,
    /// Lines; the path comes apart.
    Lines,
    /// First line alone (JSON).
    Start,
    /// Last line alone (JSON).
    End,
    /// A function or type.
    Symbol,
    /// Code as it stands.
    Quote,
    /// The claim.
    What,
    /// Its grounds.
    Why,
    /// The mending.
    Fix,
    /// Takes something back.
    Retract,
    /// The conclusion.
    Verdict,
}

const NAMES: &[(Label, &[&str])] = &[
    (
        Label::Severity,
        &["severity", "priority", "level", "criticality", "sev", "severity level", "严重程度", "严重性"],
    ),
    (
        Label::Where,
        &[
            "where",
            "location",
            "locations",
            "place",
            "position",
            "loc",
            "file line",
            "file lines",
            "file and line",
            "code location",
            "affected code",
            "affected location",
            "位置",
        ],
    ),
    (
        Label::File,
        &[
            "file",
            "path",
            "filename",
            "file name",
            "filepath",
            "file path",
            "affected file",
            "relevant file",
            "absolute file path",
            "relative path",
            "source file",
            "文件",
        ],
    ),
    (
        Label::Lines,
        &[
            "line",
            "lines",
            "line s",
            "line number",
            "line numbers",
            "line range",
            "line no",
            "range",
            "affected lines",
            "relevant lines",
            "行",
            "行号",
        ],
    ),
    (Label::Start, &["start line", "line start", "start", "from", "from line", "begin line", "begin"]),
    (Label::End, &["end line", "line end", "end", "to", "to line"]),
    (Label::Symbol, &["symbol", "function", "method", "function name", "in function"]),
    (
        Label::Quote,
        &[
            "quote",
            "code",
            "snippet",
            "code snippet",
            "existing code",
            "current code",
            "problematic code",
            "quoted code",
        ],
    ),
    (
        Label::What,
        &[
            "what",
            "issue",
            "problem",
            "finding",
            "description",
            "detail",
            "details",
            "summary",
            "title",
            "comment",
            "message",
            "body",
            "claim",
            "bug",
            "concern",
            "observation",
            "issue header",
            "issue content",
            "text",
            "content",
            "问题",
            "描述",
        ],
    ),
    (
        Label::Why,
        &[
            "why",
            "reason",
            "reasoning",
            "rationale",
            "impact",
            "because",
            "evidence",
            "explanation",
            "justification",
            "consequence",
            "risk",
            "why it matters",
            "why this matters",
            "原因",
            "影响",
        ],
    ),
    (
        Label::Fix,
        &[
            "fix",
            "suggestion",
            "suggestions",
            "suggested fix",
            "recommendation",
            "recommended fix",
            "proposed fix",
            "fix needed",
            "possible fix",
            "remedy",
            "solution",
            "suggested solution",
            "mitigation",
            "how to fix",
            "suggested change",
            "recommended change",
            "proposed change",
            "suggested code",
            "improved code",
            "replacement",
            "建议",
            "修复",
        ],
    ),
    (
        Label::Retract,
        &["retract", "retracted", "retraction", "retracting", "withdrawn", "withdraw", "withdrawing"],
    ),
    (
        Label::Verdict,
        &[
            "verdict",
            "final verdict",
            "overall verdict",
            "my verdict",
            "decision",
            "final decision",
            "overall recommendation",
            "final recommendation",
            "overall assessment",
            "overall correctness",
            "结论",
        ],
    ),
];

static BY_NAME: LazyLock<HashMap<&'static str, Label>> = LazyLock::new(|| {
    NAMES.iter().flat_map(|(label, names)| names.iter().map(|name| (*name, *label))).collect()
});

/// Longest label, in bytes.
const LONGEST: usize = 28;

/// The label called `name`: case, dress, `_` and `-` do not matter.
pub(super) fn of_name(name: &str) -> Option<Label> {
    if name.len() > LONGEST * 2 {
        return None;
    }
    let words = split_camel(name);
    BY_NAME.get(words.as_str()).copied()
}

/// `startLine`, `start_line`, `**Start line**`, `File/Line` → lower-case words parted by one space.
fn split_camel(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 4);
    let mut was_lower = false;
    for c in name.chars() {
        if c.is_alphanumeric() {
            if c.is_uppercase() && was_lower {
                words.push(' ');
            }
            words.extend(c.to_lowercase());
            was_lower = c.is_lowercase();
        } else {
            if !words.is_empty() && !words.ends_with(' ') {
                words.push(' ');
            }
            was_lower = false;
        }
    }
    words.truncate(words.trim_end().len());
    words
}

/// The label that opens `body` (a line without its marks) and its value, a suffix of `body`.
/// `alone`: a heading or bold text may be a label without a colon.
pub(super) fn leading(body: &str, alone: bool) -> Option<(Label, &str)> {
    let limit = body.char_indices().map(|(at, _)| at).find(|at| *at > LONGEST + 6).unwrap_or(body.len());
    let head = &body[..limit];
    if let Some(at) = head.find([':', '：'])
        && let Some(label) = of_label_text(&head[..at])
    {
        let colon = body[at..].chars().next().map_or(1, char::len_utf8);
        return Some((label, value(&body[at + colon..])));
    }
    if !alone {
        return None;
    }
    if let Some(at) = head.find("**").or_else(|| head.find("__"))
        && let Some(label) = of_label_text(&head[..at])
    {
        return Some((label, value(body[at + 2..].trim_start_matches([' ', ':', '—', '–', '-', '*']))));
    }
    let whole = body.trim_end_matches(['*', '_', ' ']);
    // A heading `Summary` sums the reply up; it is no part of a finding.
    of_label_text(whole)
        .filter(|_| !whole.eq_ignore_ascii_case("summary"))
        .map(|label| (label, &body[body.len()..]))
}

/// A label of the text form; words only JSON keys use are not labels here, nor is running text.
fn of_label_text(text: &str) -> Option<Label> {
    let plain = |c: char| c.is_alphanumeric() || " *_`-/&()".contains(c);
    if !text.chars().all(plain) {
        return None;
    }
    of_name(text).filter(|label| !matches!(label, Label::Start | Label::End))
}

fn value(text: &str) -> &str {
    text.trim_start().trim_start_matches('*').trim()
}
