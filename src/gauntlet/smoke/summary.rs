//! What a chain came to in words: [`headline`], [`layers`] and the [`troubles`]. No colour, nothing that is not foreign-safe.

use std::time::Duration;

use super::{CheckResult, Checked, ServiceResult, Smoke};
use crate::report::{
    foreign::one_line,
    words::{count, duration, list},
};

/// A layer's share of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its checks, in order of declaration.
    pub checks: Vec<&'a Checked>,
}

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// `failed`, `skipped`, `not ready`, `died`.
    pub word: &'static str,
    /// Of which check or service, and what is wrong.
    pub text: String,
    /// Where its output is, from the folder of the run.
    pub output: Option<String>,
}

/// `21 / 21 pass in 60 s`, and what else there is: `8 / 9 pass in 4.2 s · 1 failed`.
pub fn headline(smoke: &Smoke) -> String {
    let mut words = vec![format!("{} in {}", passing(&smoke.checks), time(smoke.took))];
    let states =
        [("failed", counted(&smoke.checks, "failed")), ("skipped", counted(&smoke.checks, "skipped"))];
    words.extend(
        states.iter().filter(|(_, number)| *number > 0).map(|(word, number)| format!("{number} {word}")),
    );
    let is_absent = |result: &ServiceResult| matches!(result, ServiceResult::NotReady(_));
    let absent = smoke.services.iter().filter(|one| is_absent(&one.result)).count();
    let died = smoke.services.iter().filter(|one| matches!(one.result, ServiceResult::Died(_))).count();
    words.extend((absent > 0).then(|| format!("{} not ready", count(absent, "service"))));
    words.extend((died > 0).then(|| format!("{} died", count(died, "service"))));
    words.extend(smoke.interrupted.then(|| "interrupted".to_owned()));
    words.join(" · ")
}

/// `21 / 21 pass`.
pub fn passing<'a>(checks: impl IntoIterator<Item = &'a Checked>) -> String {
    let (mut passed, mut all) = (0, 0);
    for check in checks {
        all += 1;
        passed += usize::from(check.result == CheckResult::Passed);
    }
    format!("{passed} / {all} pass")
}

fn counted(checks: &[Checked], word: &str) -> usize {
    checks.iter().filter(|check| check.result.word() == word).count()
}

/// Each layer in order of its first check.
pub fn layers(smoke: &Smoke) -> Vec<Layer<'_>> {
    let mut layers: Vec<Layer<'_>> = Vec::new();
    for check in &smoke.checks {
        match layers.iter_mut().find(|layer| layer.name == check.layer) {
            Some(layer) => layer.checks.push(check),
            None => layers.push(Layer { name: &check.layer, checks: vec![check] }),
        }
    }
    layers
}

impl Layer<'_> {
    /// What its checks took together; `None` when none was made.
    pub fn took(&self) -> Option<Duration> {
        let made = self.checks.iter().filter(|check| !matches!(check.result, CheckResult::Skipped(_)));
        made.map(|check| check.took).reduce(|all, one| all + one)
    }

    /// `1 failed, 2 skipped`; empty when all passed.
    pub fn rest(&self) -> String {
        let count = |word| self.checks.iter().filter(|check| check.result.word() == word).count();
        let states = [("failed", count("failed")), ("skipped", count("skipped"))];
        let states = states.into_iter().filter(|(_, number)| *number > 0);
        states.map(|(word, number)| format!("{number} {word}")).collect::<Vec<_>>().join(", ")
    }
}

/// What is not as it should be: services, failed checks, and skipped ones by what they wait for.
pub fn troubles(smoke: &Smoke) -> Vec<Trouble> {
    let service = |one: &super::Served| {
        let (word, reason) = match &one.result {
            ServiceResult::Stopped => return None,
            ServiceResult::NotReady(reason) => ("not ready", reason),
            ServiceResult::Died(reason) => ("died", reason),
        };
        let text = format!("service {}: {}", one_line(&one.name), one_line(reason));
        Some(Trouble { word, text, output: one.output.clone() })
    };
    let failed = |one: &Checked| match &one.result {
        CheckResult::Failed(reason) => {
            let text = format!("{}: {}", one_line(&one.name), one_line(reason));
            Some(Trouble { word: "failed", text, output: one.output.clone() })
        }
        CheckResult::Passed | CheckResult::Skipped(_) => None,
    };
    let services = smoke.services.iter().filter_map(service);
    services.chain(smoke.checks.iter().filter_map(failed)).chain(skipped(smoke)).collect()
}

/// Checks that were skipped for one reason are one entry.
fn skipped(smoke: &Smoke) -> Vec<Trouble> {
    let mut reasons: Vec<(&str, Vec<String>)> = Vec::new();
    for check in &smoke.checks {
        let CheckResult::Skipped(reason) = &check.result else { continue };
        let name = one_line(&check.name);
        match reasons.iter_mut().find(|(known, _)| known == reason) {
            Some((_, names)) => names.push(name),
            None => reasons.push((reason, vec![name])),
        }
    }
    let trouble = |(reason, names): (&str, Vec<String>)| Trouble {
        word: "skipped",
        text: format!("{}: {}", list(&names), one_line(reason)),
        output: None,
    };
    reasons.into_iter().map(trouble).collect()
}

/// How long a check took; empty when it was not made.
pub fn time_of(check: &Checked) -> String {
    match check.result {
        CheckResult::Skipped(_) => String::new(),
        CheckResult::Passed | CheckResult::Failed(_) => time(check.took),
    }
}

/// `850 ms`, `60 s`, `2 min 5 s`.
pub fn time(took: Duration) -> String {
    match took.as_millis() {
        59_500..99_500 => format!("{:.0} s", took.as_secs_f64()),
        milliseconds => duration(u64::try_from(milliseconds).unwrap_or(u64::MAX)),
    }
}
