//! How long a server asks to wait before the next request: [`asked`]. Reads no clock.

use std::time::Duration;

use http::{
    HeaderMap, HeaderValue,
    header::{DATE, RETRY_AFTER},
};
use jiff::Timestamp;

/// The pause asked for: milliseconds in a header that `OpenAI` and Azure add, seconds, or an HTTP date, which is counted from
/// `now`. `None` where nothing readable is asked, or where a date is and `now` does not know.
pub fn asked(headers: &HeaderMap, now: impl FnOnce() -> Option<Timestamp>) -> Option<Duration> {
    let milliseconds = headers.get("retry-after-ms").and_then(text).and_then(|text| text.parse::<f64>().ok());
    if let Some(wait) = milliseconds.and_then(|wait| Duration::try_from_secs_f64(wait / 1e3).ok()) {
        return Some(wait);
    }
    let value = headers.get(RETRY_AFTER)?;
    if let Ok(seconds) = text(value)?.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let then = date(value)?;
    Some(Duration::try_from(then.duration_since(now()?)).unwrap_or(Duration::ZERO))
}

/// When the server says it is.
pub fn server_time(headers: &HeaderMap) -> Option<Timestamp> {
    date(headers.get(DATE)?)
}

fn date(value: &HeaderValue) -> Option<Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text(value)?).ok()
}

fn text(value: &HeaderValue) -> Option<&str> {
    value.to_str().ok().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_in_seconds_and_as_dates() {
        let now: Timestamp = "2026-11-21T04:00:00Z".parse().unwrap();
        let check = |value: &str, expect: Option<u64>| {
            let headers = [(RETRY_AFTER, value.parse().unwrap())].into_iter().collect();
            assert_eq!(asked(&headers, || Some(now)), expect.map(Duration::from_secs), "{value}");
        };
        check("7", Some(7));
        check("0", Some(0));
        check("Sat, 21 Nov 2026 04:01:30 GMT", Some(90));
        check("Sat, 21 Nov 2026 03:00:00 GMT", Some(0));
        check("-1", None);
        check("1e300", None);
        check("NaN", None);
        check("soon", None);
        check("", None);
    }
}
