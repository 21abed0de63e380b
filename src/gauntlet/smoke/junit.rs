//! A chain as a `JUnit` report: [`render`].
//!
//! A suite for each layer with a case for each check, and one for the services. A service that was not there is an error.

use std::time::Duration;

use super::{CheckResult, Checked, Served, ServiceResult, Smoke, summary};
use crate::report::{
    foreign::one_line,
    formats::suites::{Case, Outcome, Suite, document},
};

/// The chain as XML, with a final newline.
pub fn render(smoke: &Smoke) -> String {
    let layer = |layer: summary::Layer<'_>| Suite {
        name: one_line(layer.name),
        cases: layer.checks.iter().map(|check| of_check(check)).collect(),
    };
    let services =
        Suite { name: "services".to_owned(), cases: smoke.services.iter().map(of_service).collect() };
    let layers = summary::layers(smoke).into_iter().map(layer);
    let suites: Vec<Suite> =
        [services].into_iter().filter(|suite| !suite.cases.is_empty()).chain(layers).collect();
    document("scrum smoke", &suites, &smoke.started_at)
}

fn of_check(check: &Checked) -> Case {
    let result = match &check.result {
        CheckResult::Passed => Outcome::Passed,
        CheckResult::Failed(reason) => {
            Outcome::Failed { kind: "failed", message: one_line(reason), text: one_line(reason) }
        }
        CheckResult::Skipped(reason) => Outcome::Skipped { message: one_line(reason) },
    };
    case("scrum.smoke", &check.name, check.took, result, check.output.as_ref())
}

fn of_service(service: &Served) -> Case {
    let result = match &service.result {
        ServiceResult::Stopped => Outcome::Passed,
        ServiceResult::NotReady(reason) => Outcome::Error { kind: "not-ready", message: one_line(reason) },
        ServiceResult::Died(reason) => Outcome::Error { kind: "died", message: one_line(reason) },
    };
    case("scrum.service", &service.name, service.took, result, service.output.as_ref())
}

fn case(class: &str, name: &str, took: Duration, result: Outcome, output: Option<&String>) -> Case {
    Case {
        class: class.to_owned(),
        name: one_line(name),
        milliseconds: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        result,
        output: output.map(|file| one_line(&format!("output: {file}"))).into_iter().collect(),
    }
}
