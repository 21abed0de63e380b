//! Pages as text: the templates, and the one style, script and policy that all of them have ([`Pages`]).
//!
//! Everything that is put in is escaped by the templates. A page is never kept by whoever passes it on, names nobody it leads to,
//! and may be shown inside of no other.

use std::sync::LazyLock;

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{
        ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, WWW_AUTHENTICATE,
        X_CONTENT_TYPE_OPTIONS,
    },
};
use minijinja::{Environment, Value, context};

use crate::{
    provider::relay::Problem,
    report::{
        html::{
            self,
            frame::{Frame, Place},
        },
        words,
    },
    tally::{Tally, gate::Gate},
};

macro_rules! templates {
    ($($name:literal),+ $(,)?) => {
        [$(($name, include_str!(concat!("templates/", $name)))),+]
    };
}

/// Ours, by name.
const TEMPLATES: [(&str, &str); 18] = templates![
    "board.html",
    "rows.html",
    "overview.html",
    "history.html",
    "run.html",
    "queue.html",
    "gateway.html",
    "reviewers.html",
    "problem.html",
    "part-underway.html",
    "part-latest.html",
    "part-figures.html",
    "part-history.html",
    "part-run.html",
    "part-jobs.html",
    "part-standing.html",
    "part-gateway.html",
    "part-worth.html",
];

/// The templates and what stands around each page.
pub(super) struct Pages {
    environment: Environment<'static>,
    frame: Value,
    policy: HeaderValue,
}

/// All pages of the daemon.
pub(super) static PAGES: LazyLock<Pages> = LazyLock::new(Pages::new);

impl Pages {
    fn new() -> Self {
        let mut environment = html::environment();
        for (name, text) in TEMPLATES {
            environment.add_template(name, text).expect("embedded templates parse: tests render each");
        }
        environment.add_filter("grouped", words::grouped);
        environment.add_filter("dollars", words::dollars);
        let styles = [html::STYLE, include_str!("dashboard.css")];
        let scripts = [html::SCRIPT, include_str!("dashboard.js")];
        let frame = Frame::new(Place::Daemon, &styles, &scripts);
        let policy = HeaderValue::try_from(frame.policy()).expect("a policy is of plain words");
        Self { environment, frame: frame.value(), policy }
    }

    /// A template filled; what cannot be filled is told in the log and shown as nothing.
    pub(super) fn fill(&self, template: &str, values: &Value) -> Option<String> {
        let filled = self.environment.get_template(template).and_then(|template| template.render(values));
        filled.inspect_err(|error| tracing::error!(template, %error, "a page cannot be shown")).ok()
    }

    /// A page with its headers.
    pub(super) fn page(&self, status: StatusCode, template: &str, values: Value) -> Response {
        let values = context! { frame => self.frame.clone(), ..values };
        let Some(text) = self.fill(template, &values) else {
            let message = "this page cannot be shown; the daemon's log says why";
            return Problem::new(StatusCode::INTERNAL_SERVER_ERROR, message).into_response::<Body>();
        };
        let mut response = (status, text).into_response();
        let headers = [
            (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
            (CONTENT_SECURITY_POLICY, self.policy.clone()),
            (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
            (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ];
        for (name, value) in headers {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

/// Tells a browser what is wrong as a page, everybody else as before. Where a key is missing, a browser asks for one.
pub(in crate::serve) fn refused(headers: &HeaderMap, problem: Problem) -> Response {
    if !wants_page(headers) {
        return problem.into_response();
    }
    let title = match problem.status {
        StatusCode::UNAUTHORIZED => "A key is needed",
        StatusCode::FORBIDDEN => "Not from there",
        StatusCode::NOT_FOUND => "There is nothing here",
        StatusCode::METHOD_NOT_ALLOWED => "That is not what this address is for",
        StatusCode::SERVICE_UNAVAILABLE => "Not at the moment",
        _ => "That did not work",
    };
    let status = problem.status;
    let values = context! {
        title, status => status.as_u16(), message => problem.message,
        is_login => status == StatusCode::UNAUTHORIZED, here => "",
    };
    let mut response = PAGES.page(status, "problem.html", values);
    if status == StatusCode::UNAUTHORIZED {
        let basic = HeaderValue::from_static("Basic realm=\"scrum\", charset=\"UTF-8\"");
        response.headers_mut().insert(WWW_AUTHENTICATE, basic);
    }
    response
}

/// Whether somebody looks at it.
fn wants_page(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut kinds = accepted.flat_map(|text| text.split(','));
    kinds.any(|kind| kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("text/html")))
}

/// A run's report, as it stands on its page.
pub(super) fn report(tally: &Tally, gate: &Gate) -> Option<String> {
    PAGES.fill("report-body.html", &context! { page => html::page(tally, gate) })
}
