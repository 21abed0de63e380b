//! Errors in the shape that clients of `OpenAI`'s API read: [`Problem`].

use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use serde_json::json;

/// An error as it is told to a caller. Its words name no key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// HTTP status.
    pub status: StatusCode,
    /// For people.
    pub message: String,
    /// For programs, such as `model_not_found`.
    pub code: Option<&'static str>,
    /// The parameter it is about.
    pub parameter: Option<String>,
    /// Headers besides the content's type.
    pub headers: Box<HeaderMap>,
}

impl Problem {
    /// An error of `status`.
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), code: None, parameter: None, headers: Box::default() }
    }

    /// With a word for programs.
    #[must_use]
    pub fn code(self, code: &'static str) -> Self {
        Self { code: Some(code), ..self }
    }

    /// About a parameter.
    #[must_use]
    pub fn about(self, parameter: impl Into<String>) -> Self {
        Self { parameter: Some(parameter.into()), ..self }
    }

    /// To be tried again after so many seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        self
    }

    /// The `error` object.
    pub fn to_json(&self) -> String {
        let error = json!({
            "message": self.message,
            "type": kind(self.status),
            "param": self.parameter,
            "code": self.code,
        });
        json!({ "error": error }).to_string()
    }

    /// As an event of a stream, with a line's end before it should the last event be torn.
    pub fn to_event(&self) -> String {
        format!("\n\ndata: {}\n\n", self.to_json())
    }

    /// As a whole answer.
    pub fn into_response<B: From<String>>(self) -> Response<B> {
        let mut response = Response::new(B::from(self.to_json()));
        *response.status_mut() = self.status;
        *response.headers_mut() = *self.headers;
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        response
    }
}

/// The API's word for errors of a status.
fn kind(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        429 => "rate_limit_error",
        400..=499 => "invalid_request_error",
        _ => "server_error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn told_as_clients_read_it() {
        let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "slow down")
            .code("rate_limit_exceeded")
            .retry_after(7);
        let response: Response<String> = problem.into_response();
        assert_eq!(response.status(), 429);
        assert_eq!(response.headers()["retry-after"], "7");
        let expect = r#"{"error":{"message":"slow down","type":"rate_limit_error","param":null,"code":"rate_limit_exceeded"}}"#;
        assert_eq!(response.body(), expect);
    }
}
