//! Which request a line of the log is about: [`traced`] gives each an id of its own and the trace it belongs to.
//!
//! Both may come from the client, as `x-request-id` and as W3C's `traceparent`, so that its own log and this one name the
//! same thing. Nothing is decided by them, and a provider is told neither.

use axum::{
    extract::{MatchedPath, Request},
    middleware::Next,
    response::Response,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use tracing::{Instrument, Span, field::Empty};
use uuid::Uuid;

use super::arrival::arrived;

/// A request's id, in and out.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest that is taken over.
const LONGEST_ID: usize = 128;

/// See [`traced`].
#[derive(Debug, PartialEq, Eq)]
struct Trace {
    request: String,
    /// 32 hexadecimal digits.
    trace: String,
}

impl Trace {
    /// What `headers` say, and `new` for what they do not.
    fn of(headers: &HeaderMap, new: Uuid) -> Self {
        let new = new.simple().to_string();
        let request = headers.get(REQUEST_ID).and_then(id).unwrap_or(&new).to_owned();
        let parent = headers.get("traceparent").and_then(|value| trace_id(value.to_str().ok()?));
        let trace = parent.map_or(new, str::to_owned);
        Self { request, trace }
    }
}

/// A client's name for its request: what could be something else in a log is none.
fn id(value: &HeaderValue) -> Option<&str> {
    let text = value.to_str().ok()?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/+=@".contains(&byte);
    ((1..=LONGEST_ID).contains(&text.len()) && text.bytes().all(is_plain)).then_some(text)
}

/// The trace that a `traceparent` names (W3C Trace Context, 3.2): of versions that are not known the first four fields count.
fn trace_id(parent: &str) -> Option<&str> {
    let fields: Vec<&str> = parent.split('-').collect();
    let is_hex = |text: &str, length: usize| {
        text.len() == length
            && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    };
    let is_zero = |text: &str| text.bytes().all(|byte| byte == b'0');
    let [version, trace, span, flags, rest @ ..] = &fields[..] else { return None };
    let has_form = is_hex(version, 2) && is_hex(trace, 32) && is_hex(span, 16) && is_hex(flags, 2);
    let is_known = *version != "ff" && (*version != "00" || rest.is_empty());
    (has_form && is_known && !is_zero(trace) && !is_zero(span)).then_some(*trace)
}

/// Answers with the request's id, and puts it on every line that is logged meanwhile. A provider's answer keeps the id that the
/// provider gave it, which is what its support asks for.
pub(super) async fn traced(request: Request, next: Next) -> Response {
    let Trace { request: id, trace } = Trace::of(request.headers(), Uuid::now_v7());
    // Worded as an error: a span of a lower level would be missing from warnings where only these are logged.
    let span = tracing::error_span!("request", id, trace, caller = Empty, tenant = Empty);
    let route = request.extensions().get::<MatchedPath>().cloned();
    let (method, came) = (request.method().clone(), arrived(&request));
    let mut response = next.run(request).instrument(span.clone()).await;
    let theirs = response.headers().get(REQUEST_ID).and_then(self::id).map(str::to_owned);
    if let (None, Ok(id)) = (&theirs, HeaderValue::try_from(id)) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    let status = response.status();
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    let millis = came.elapsed().as_secs_f64() * 1e3;
    let (method, status_code) = (method.as_str(), status.as_u16());
    span.in_scope(|| {
        // A level is a constant of the place where it is logged.
        macro_rules! answered {
            ($level:ident) => {
                tracing::$level!(
                    method,
                    route,
                    status = status_code,
                    millis,
                    provider_request = theirs,
                    "answered"
                )
            };
        }
        if status.is_server_error() { answered!(warn) } else { answered!(debug) }
    });
    response
}

/// It is known who asks.
pub(super) fn identified(caller: &str, tenant: &str) {
    let span = Span::current();
    if !caller.is_empty() {
        span.record("caller", caller);
    }
    if !tenant.is_empty() {
        span.record("tenant", tenant);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: Uuid = Uuid::from_u128(0x0199_0000_0000_7000_8000_0000_0000_0001);

    #[test]
    fn ids_come_from_the_client_where_they_are_plain() {
        let own = NEW.simple().to_string();
        let check = |sent: &[u8], expect: &str| {
            let headers = HeaderMap::from_iter([(REQUEST_ID, HeaderValue::from_bytes(sent).unwrap())]);
            assert_eq!(Trace::of(&headers, NEW), Trace { request: expect.to_owned(), trace: own.clone() });
        };
        check(b"req_01-A.b:c/d+e=@f", "req_01-A.b:c/d+e=@f");
        check(&[b'a'; 128], &"a".repeat(128));
        for wrong in [&b""[..], &[b'a'; 129], b"two words", b"\"", b"{}", b"\xff", b"a\tb", b"a\\nb"] {
            check(wrong, &own);
        }
        assert_eq!(Trace::of(&HeaderMap::new(), NEW), Trace { request: own.clone(), trace: own.clone() });
    }

    /// The examples and rules of W3C Trace Context, 3.2.2 and 4.3.
    #[test]
    fn traces_come_from_the_client() {
        const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
        let check =
            |sent: &str, is_taken: bool| assert_eq!(trace_id(sent), is_taken.then_some(TRACE), "{sent}");
        let with = |version: &str, end: &str| format!("{version}-{TRACE}-00f067aa0ba902b7-{end}");
        check(&with("00", "01"), true);
        check(&with("00", "00"), true);
        check(&with("cc", "01-what-the-future-will-be-like"), true);
        check(&with("00", "01-more"), false);
        check(&with("ff", "01"), false);
        check(&with("0", "01"), false);
        check(&with("00", "1"), false);
        check(&format!("00-{TRACE}-0000000000000000-01"), false);
        check("00-00000000000000000000000000000000-00f067aa0ba902b7-01", false);
        check(&with("00", "01").to_uppercase(), false);
        check(&format!("00-{TRACE}x-00f067aa0ba902b7-01"), false);
        for short in ["", "00", "-", "---", TRACE] {
            check(short, false);
        }
    }
}
