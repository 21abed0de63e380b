//! Test suites as `JUnit` XML: [`document`] writes every [`Suite`] with its cases. Text must come through `foreign`.

use super::xml::{self, Xml};

/// A suite with its cases.
pub(crate) struct Suite {
    pub(crate) name: String,
    pub(crate) cases: Vec<Case>,
}

pub(crate) struct Case {
    pub(crate) class: String,
    pub(crate) name: String,
    pub(crate) milliseconds: u64,
    pub(crate) result: Outcome,
    /// Remarks on it.
    pub(crate) output: Vec<String>,
}

/// How a case ended.
pub(crate) enum Outcome {
    Passed,
    Failed { kind: &'static str, message: String, text: String },
    Error { kind: &'static str, message: String },
    Skipped { message: String },
}

/// A document of `suites`, which began at `started_at`, with a final newline.
pub(crate) fn document(name: &str, suites: &[Suite], started_at: &str) -> String {
    xml::document(|xml| {
        let (tests, failures, errors, _) = counts(suites.iter().flat_map(|suite| &suite.cases));
        let attributes = [("name", name), ("tests", &*tests), ("failures", &*failures), ("errors", &*errors)];
        xml::element(xml, "testsuites", &attributes, |xml| {
            suites.iter().try_for_each(|one| suite(xml, one, started_at))
        })
    })
}

/// Cases, failures, errors and skipped ones.
fn counts<'a>(cases: impl Iterator<Item = &'a Case>) -> (String, String, String, String) {
    let (mut tests, mut failures, mut errors, mut skipped) = (0, 0, 0, 0);
    for case in cases {
        tests += 1;
        match case.result {
            Outcome::Passed => {}
            Outcome::Failed { .. } => failures += 1,
            Outcome::Error { .. } => errors += 1,
            Outcome::Skipped { .. } => skipped += 1,
        }
    }
    let text = |number: i32| number.to_string();
    (text(tests), text(failures), text(errors), text(skipped))
}

fn suite(xml: &mut Xml, suite: &Suite, started_at: &str) -> std::io::Result<()> {
    let (tests, failures, errors, skipped) = counts(suite.cases.iter());
    let attributes = [
        ("name", suite.name.as_str()),
        ("tests", &tests),
        ("failures", &failures),
        ("errors", &errors),
        ("skipped", &skipped),
        ("timestamp", started_at),
    ];
    xml::element(xml, "testsuite", &attributes, |xml| suite.cases.iter().try_for_each(|one| case(xml, one)))
}

fn case(xml: &mut Xml, case: &Case) -> std::io::Result<()> {
    let time = format!("{}.{:03}", case.milliseconds / 1_000, case.milliseconds % 1_000);
    let attributes = [("classname", case.class.as_str()), ("name", &case.name), ("time", &time)];
    xml::element(xml, "testcase", &attributes, |xml| {
        match &case.result {
            Outcome::Passed => {}
            Outcome::Failed { kind, message, text } => {
                xml::text(xml, "failure", &[("type", kind), ("message", message)], text)?;
            }
            Outcome::Error { kind, message } => {
                xml::empty(xml, "error", &[("type", kind), ("message", message)])?;
            }
            Outcome::Skipped { message } => xml::empty(xml, "skipped", &[("message", message)])?,
        }
        if !case.output.is_empty() {
            xml::text(xml, "system-out", &[], &case.output.join("\n"))?;
        }
        Ok(())
    })
}
