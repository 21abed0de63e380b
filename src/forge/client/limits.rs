//! What a server says about too many requests: [`pause`].
//!
//! The present moment is the answer's own `Date`, so a wrong clock here does no harm.

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use jiff::{Timestamp, fmt::rfc2822::DateTimeParser};
use serde_json::Value;

/// How long to wait where a server says no more than that it is too much. GitHub's documentation asks for a minute.
const UNTOLD: Duration = Duration::from_mins(1);

/// Words of limits that come with a status of another meaning.
const WORDS: [&str; 3] = ["secondary rate limit", "abuse detection", "submitted too quickly"];

/// How long the server wants to be left alone, if this answer turns a request away for being one too many.
pub(super) fn pause(status: StatusCode, headers: &HeaderMap, body: &Value, words: &str) -> Option<Duration> {
    let asked = retry_after(headers);
    let is_used_up = number(headers, &["x-ratelimit-remaining", "ratelimit-remaining"]) == Some(0);
    let words = words.to_lowercase();
    let is_told = WORDS.iter().any(|limit| words.contains(limit));
    let is_limit = match status.as_u16() {
        429 => true,
        403 => is_told || is_used_up || asked.is_some(),
        422 => is_told,
        // GraphQL answers everything with it.
        200 => body["errors"][0]["type"] == "RATE_LIMITED",
        _ => false,
    };
    let until_reset = || if is_used_up { reset(headers) } else { None };
    is_limit.then(|| asked.or_else(until_reset).unwrap_or(UNTOLD))
}

/// Whether `words` are of a limit on changes in a short time, which GitHub calls so.
pub(super) fn is_secondary(words: &str) -> bool {
    words.to_lowercase().contains(WORDS[0])
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = text(headers, "retry-after")?;
    match value.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => Some(until(date(value)?, date(text(headers, "date")?)?)),
    }
}

/// Until the count of requests begins anew, and a second for rounding.
fn reset(headers: &HeaderMap) -> Option<Duration> {
    let second = number(headers, &["x-ratelimit-reset", "ratelimit-reset"])?;
    let then = Timestamp::from_second(i64::try_from(second).ok()?).ok()?;
    Some(until(then, date(text(headers, "date")?)?) + Duration::from_secs(1))
}

fn until(then: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(then.duration_since(now)).unwrap_or(Duration::ZERO)
}

fn date(value: &str) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(value).ok()
}

fn number(headers: &HeaderMap, names: &[&str]) -> Option<u64> {
    names.iter().find_map(|name| text(headers, name)?.parse().ok())
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn limits_of_all_kinds() {
        let check = |status: u16, headers: &[(&'static str, &str)], words: &str, expect: Option<u64>| {
            let status = StatusCode::from_u16(status).unwrap();
            let map =
                headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
            let found = pause(status, &map, &Value::Null, words);
            assert_eq!(found, expect.map(Duration::from_secs), "{status} {headers:?} {words}");
        };
        let date = ("date", "Sat, 21 Nov 2026 04:00:00 GMT");
        check(429, &[], "", Some(60));
        check(429, &[("retry-after", "7")], "", Some(7));
        check(429, &[("retry-after", "Sat, 21 Nov 2026 04:01:30 GMT"), date], "", Some(90));
        check(429, &[("retry-after", "Sat, 21 Nov 2026 03:00:00 GMT"), date], "", Some(0));
        check(429, &[("retry-after", "soon")], "", Some(60));
        check(429, &[("ratelimit-remaining", "0"), ("ratelimit-reset", "1795233610"), date], "", Some(11));
        check(
            403,
            &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1795234800"), date],
            "",
            Some(1_201),
        );
        check(403, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1795234800")], "", Some(60));
        check(
            403,
            &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "18446744073709551615"), date],
            "",
            Some(60),
        );
        check(403, &[("x-ratelimit-remaining", "12"), ("x-ratelimit-reset", "1795234800"), date], "", None);
        check(403, &[("retry-after", "5"), ("x-ratelimit-remaining", "12")], "", Some(5));
        check(403, &[], "You have exceeded a secondary rate limit. Please wait.", Some(60));
        check(403, &[], "Resource not accessible by integration", None);
        check(422, &[], "was submitted too quickly after a previous comment", Some(60));
        check(422, &[("x-ratelimit-remaining", "0")], "Validation Failed", None);
        check(500, &[("retry-after", "5")], "", None);
        check(200, &[("x-ratelimit-remaining", "0")], "", None);
    }

    #[test]
    fn graphql_says_it_in_its_errors() {
        let headers = HeaderMap::new();
        let found = |body: Value| pause(StatusCode::OK, &headers, &body, "");
        assert_eq!(found(json!({"errors": [{"type": "RATE_LIMITED"}]})), Some(UNTOLD));
        assert_eq!(found(json!({"errors": [{"type": "NOT_FOUND"}]})), None);
        assert_eq!(found(json!({"data": {}})), None);
    }
}
