//! Writes a [`Tally`] as a `JUnit` report: [`render`].
//!
//! Three suites: `gate` with one case, `coverage` with a case for every bundle × reviewer, `issues` with a case for each issue.
//! Who was to read and did not is an error, an issue a failure, a dismissed one skipped. The form knows no lines.

use super::{
    notice,
    plain::{self, Teller},
    suites::{self, Case, Outcome, Suite},
};
use crate::{
    coverage::State,
    report::{coverage, foreign, summary, words},
    tally::{
        Coverage, Issue, Member, RejectedText, Tally,
        gate::{Gate, GateResult},
    },
};

/// Gate, coverage and issues as XML, with a final newline.
pub fn render(tally: &Tally, gate: &Gate) -> String {
    let suites = [
        Suite { name: "gate".to_owned(), cases: vec![of_gate(tally, gate)] },
        Suite {
            name: "coverage".to_owned(),
            cases: tally.coverage.iter().map(|task| of_task(tally, task)).collect(),
        },
        Suite { name: "issues".to_owned(), cases: issues(tally) },
    ];
    suites::document("scrum", &suites, &tally.run.started_at)
}

/// Inconclusive is an error, with the gate off too.
fn of_gate(tally: &Tally, gate: &Gate) -> Case {
    let message = summary::gate_line(gate);
    let result = match gate.result {
        GateResult::Pass => Outcome::Passed,
        GateResult::Fail => Outcome::Failed {
            kind: "fail",
            message,
            text: gate.reasons.iter().map(|why| foreign::one_line(why)).collect::<Vec<_>>().join("\n"),
        },
        GateResult::Inconclusive => Outcome::Error { kind: "inconclusive", message },
        GateResult::Off => Outcome::Skipped { message },
    };
    let notices = notice::notices(tally).into_iter().chain(notice::not_shown(tally));
    let remarks = notices.filter(|notice| notice.kind == notice::Kind::LeftOut).map(|notice| notice.text);
    let output = notice::outcome(tally, gate).into_iter().chain(remarks).collect();
    Case { class: "scrum.gate".to_owned(), name: "gate".to_owned(), milliseconds: 0, result, output }
}

fn of_task(tally: &Tally, task: &Coverage) -> Case {
    let outcome = &task.outcome;
    let reason = foreign::one_line(outcome.reason.as_deref().unwrap_or_default());
    let word = coverage::state_word(outcome.state);
    let message = if reason.is_empty() { word.to_owned() } else { format!("{word}: {reason}") };
    let is_own = |text: &&RejectedText| text.bundle == outcome.bundle && text.reviewer == outcome.reviewer;
    let rejects = tally.rejects.iter().filter(is_own);
    let told = rejects.map(|one| {
        format!("Not usable: {}: \"{}\"", foreign::one_line(&one.reason), foreign::one_line(&one.text))
    });
    let verdict = task.verdict.map(|verdict| format!("Verdict: {}.", verdict.word()));
    Case {
        class: format!("scrum.coverage.{}", outcome.reviewer),
        name: words::bundle_name(&outcome.bundle),
        milliseconds: outcome.latency_ms,
        result: match outcome.state {
            State::Answered => Outcome::Passed,
            State::NotRouted => Outcome::Skipped { message },
            state => Outcome::Error { kind: state.word(), message },
        },
        output: verdict.into_iter().chain(told).collect(),
    }
}

/// One case an issue and one a finding without a place; where nothing was found, one that passes if somebody looked.
fn issues(tally: &Tally) -> Vec<Case> {
    let teller = Teller::of(tally);
    let issues = summary::counted(tally).map(|issue| of_issue(&teller, issue));
    issues.chain(summary::unplaced(tally).into_iter().map(of_unplaced)).collect()
}

/// Named by path, claim and id, never by lines: servers follow a case by its name from push to push.
fn of_issue(teller: &Teller<'_>, issue: &Issue) -> Case {
    let decided = issue.disposition.as_ref().filter(|one| one.decision.dismisses());
    let result = match decided {
        Some(disposition) => Outcome::Skipped { message: summary::decided_words(disposition) },
        None => Outcome::Failed {
            kind: issue.severity.word(),
            message: format!("{} at {}", teller.weight(issue), summary::place(issue)),
            text: teller.lines(issue).join("\n"),
        },
    };
    let name = format!("{}: {} [{}]", plain::path(&issue.path), plain::title(issue), issue.id);
    Case { class: "scrum.issues".to_owned(), name, milliseconds: 0, result, output: Vec::new() }
}

fn of_unplaced(member: &Member) -> Case {
    let text = plain::unplaced(member);
    let result = Outcome::Failed {
        kind: member.anchored.finding.severity.word(),
        message: "without a place in the change".to_owned(),
        text: text.clone(),
    };
    let name = words::shortened(&text, 200);
    Case { class: "scrum.unplaced".to_owned(), name, milliseconds: 0, result, output: Vec::new() }
}
