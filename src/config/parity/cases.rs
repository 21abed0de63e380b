//! Cases from files of their own: a JSON array, JSON lines, one case a file, or traffic that a browser or proxy has recorded (HAR).

use std::{collections::BTreeMap, path::Path};

use serde::Deserialize;
use serde_json::value::RawValue;
use url::Url;

use super::{
    Found, at,
    file::{CaseEntry, JsonText},
    files,
};
use crate::{config::ConfigError, gauntlet::parity::Case};

type JsonCase = CaseEntry<Box<RawValue>>;

/// Headers of recorded requests that belong to their connection.
const OF_CONNECTIONS: [&str; 8] = [
    "host",
    "connection",
    "content-length",
    "accept-encoding",
    "transfer-encoding",
    "te",
    "upgrade",
    "keep-alive",
];

/// The cases of all files below `folder` that `pattern` matches.
pub(super) fn read(folder: &Path, pattern: &str) -> Result<Vec<Found>, ConfigError> {
    let wrong = |reason: String| super::entry("cases", &reason);
    let mut found = Vec::new();
    for path in files::matching(folder, pattern).map_err(wrong)? {
        let path = folder.join(path);
        let text = String::from_utf8(files::content(&path).map_err(wrong)?)
            .map_err(|error| at(&path, 1, format!("is no UTF-8: {error}")))?;
        found.extend(cases(folder, &path, &text)?);
    }
    Ok(found)
}

fn cases(folder: &Path, path: &Path, text: &str) -> Result<Vec<Found>, ConfigError> {
    let bad = |error: &serde_json::Error| at(path, error.line().max(1), worded(error));
    let start = text.trim_start();
    if start.starts_with('[') {
        let entries: Vec<JsonCase> = serde_json::from_str(text).map_err(|error| bad(&error))?;
        return entries.into_iter().try_fold(Vec::new(), |found, entry| add(found, folder, path, 1, entry));
    }
    if path.extension().is_some_and(|extension| extension == "har") || is_traffic(start) {
        let har: Har = serde_json::from_str(text).map_err(|error| bad(&error))?;
        let cases = traffic(har).map_err(|reason| at(path, 1, reason))?;
        return Ok(cases.into_iter().map(|case| Found { case, path: path.to_owned(), line: 1 }).collect());
    }
    if let Ok(entry) = serde_json::from_str::<JsonCase>(text) {
        return add(Vec::new(), folder, path, 1, entry);
    }
    let is_one = path.extension().is_some_and(|extension| extension == "json");
    if is_one {
        let entry = serde_json::from_str::<JsonCase>(text).map_err(|error| bad(&error))?;
        return add(Vec::new(), folder, path, 1, entry);
    }
    let mut found = Vec::new();
    for (line, text) in (1..).zip(text.lines()).filter(|(_, text)| !text.trim().is_empty()) {
        let entry: JsonCase = serde_json::from_str(text).map_err(|error| at(path, line, worded(&error)))?;
        found = add(found, folder, path, line, entry)?;
    }
    Ok(found)
}

/// Without the place within what was read, which the caller tells.
fn worded(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or(&text).to_owned()
}

fn add<J: JsonText>(
    mut found: Vec<Found>,
    folder: &Path,
    path: &Path,
    line: usize,
    entry: CaseEntry<J>,
) -> Result<Vec<Found>, ConfigError> {
    let name = entry.name.clone();
    let cases =
        entry.into_cases(folder).map_err(|reason| at(path, line, format!("case {name:?}: {reason}")))?;
    found.extend(cases.into_iter().map(|case| Found { case, path: path.to_owned(), line }));
    Ok(found)
}

fn is_traffic(text: &str) -> bool {
    #[derive(Deserialize)]
    struct Log {
        #[serde(rename = "log")]
        _log: serde::de::IgnoredAny,
    }
    serde_json::from_str::<Log>(text).is_ok()
}

/// HTTP Archive 1.2, as far as it says what was asked.
#[derive(Deserialize)]
struct Har {
    log: HarLog,
}

#[derive(Deserialize)]
struct HarLog {
    entries: Vec<HarEntry>,
}

#[derive(Deserialize)]
struct HarEntry {
    request: HarRequest,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HarRequest {
    method: String,
    url: String,
    #[serde(default)]
    headers: Vec<HarHeader>,
    post_data: Option<HarBody>,
}

#[derive(Deserialize)]
struct HarHeader {
    name: String,
    value: String,
}

#[derive(Deserialize)]
struct HarBody {
    text: Option<String>,
}

/// The requests of recorded traffic, named by method and path.
fn traffic(har: Har) -> Result<Vec<Case>, String> {
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    let case = |entry: HarEntry| {
        let HarRequest { method, url, headers, post_data } = entry.request;
        let url = Url::parse(&url).map_err(|error| format!("url {url:?}: {error}"))?;
        let path = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        let plain = format!("{method} {path}");
        let count = times.entry(plain.clone()).or_insert(0);
        *count += 1;
        let name = if *count == 1 { plain } else { format!("{plain} #{count}") };
        let kept = headers.into_iter().map(|header| (header.name.to_ascii_lowercase(), header.value));
        let headers = kept
            .filter(|(name, _)| !name.starts_with(':') && !OF_CONNECTIONS.contains(&name.as_str()))
            .collect();
        let body = post_data.and_then(|body| body.text).map(String::into_bytes);
        Ok(Case { name, method, path, headers, body, timeout: None, allow_empty: false })
    };
    har.log.entries.into_iter().map(case).collect()
}
