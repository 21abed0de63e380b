//! Reads what `shellcheck --format=json1` writes: [`read`].

use serde::Deserialize;

use super::{
    places::Places,
    told::{Report, Told, lines},
};
use crate::reviewer::Levels;

#[derive(Deserialize)]
struct Document {
    comments: Vec<Comment>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Comment {
    file: String,
    line: i64,
    end_line: Option<i64>,
    /// `error`, `warning`, `info` or `style`.
    level: String,
    code: u64,
    message: String,
}

pub(super) fn read(text: &str, places: &Places<'_>, levels: Levels) -> Result<Report, String> {
    let document: Document = serde_json::from_str(text)
        .map_err(|error| format!("the report is not shellcheck's json1: {error}"))?;
    let told = document.comments.into_iter().map(|comment| Told {
        path: places.path(None, &comment.file),
        lines: lines(Some(comment.line), comment.end_line),
        severity: match comment.level.as_str() {
            "error" => levels.error,
            "warning" => levels.warning,
            _ => levels.note,
        },
        rule: format!("SC{}", comment.code),
        what: comment.message,
        why: format!("https://www.shellcheck.net/wiki/SC{}", comment.code),
        fix: String::new(),
        is_old: false,
        is_fatal: false,
    });
    Ok(Report { told: told.collect(), ..Report::default() })
}
