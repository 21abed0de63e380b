//! `GET /queue/jobs/{id}/files/{name}`: [`file()`]. What a model wrote may stand in it, so no browser is to take it for a page.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Extension, Path, State},
    response::Response,
};
use http::{
    HeaderValue, StatusCode,
    header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Desk, broken};
use crate::{job::wire::JOBS, provider::relay::Problem, serve::callers::Caller};

/// What a name's pieces are written with in an address.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');

/// Where the file `name` of the job `id` is.
pub(in crate::serve) fn address(id: &str, name: &str) -> String {
    format!("{JOBS}/{id}/files/{}", utf8_percent_encode(name, PLAIN))
}

/// Gives a file.
pub(super) async fn file(
    State(desk): State<Arc<Desk>>,
    Extension(caller): Extension<Caller>,
    Path((id, name)): Path<(String, String)>,
) -> Response {
    desk.file(&caller, &id, &name).await.unwrap_or_else(Problem::into_response)
}

impl Desk {
    async fn file(&self, caller: &Caller, id: &str, name: &str) -> Result<Response, Problem> {
        let job = self.job(caller, id).await?;
        // The name is looked up as it is, and leads nowhere else.
        let bytes = self.queue.jobs.file(&job.new.id, name).await.map_err(broken)?;
        let bytes = bytes.ok_or_else(|| {
            Problem::new(StatusCode::NOT_FOUND, "the job has no such file").code("file_not_found")
        })?;
        let mut response = Response::new(Body::from(bytes));
        let headers = [
            (CONTENT_TYPE, content_type(name)),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
            (CACHE_CONTROL, "no-store"),
        ];
        for (header, value) in headers {
            response.headers_mut().insert(header, HeaderValue::from_static(value));
        }
        Ok(response)
    }
}

/// Nothing that a browser would show as more than text.
fn content_type(name: &str) -> &'static str {
    let is_json = std::path::Path::new(name).extension().is_some_and(|extension| extension == "json");
    if is_json { "application/json" } else { "text/plain; charset=utf-8" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_types() {
        let check = |name: &str, href: &str, kind: &str| {
            assert_eq!((address("1", name).as_str(), content_type(name)), (href, kind));
        };
        let text = "text/plain; charset=utf-8";
        check("tally.json", "/queue/jobs/1/files/tally.json", "application/json");
        check("replies/c1__opus.md", "/queue/jobs/1/files/replies/c1__opus.md", text);
        check("report.html", "/queue/jobs/1/files/report.html", text);
        check("a b?#%\u{fc}.svg", "/queue/jobs/1/files/a%20b%3F%23%25%C3%BC.svg", text);
    }
}
