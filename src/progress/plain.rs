//! A run as lines of text: [`Lines`] turns events into words. It writes nothing itself.

use std::time::Duration;

use crate::{
    coverage::{Outcome, State},
    report::foreign,
    run::event::{RunEvent, TaskName},
};

/// Waits that are shorter are not worth a line.
const WORTH_TELLING: Duration = Duration::from_secs(2);

/// What must be remembered to put events into words.
#[derive(Debug, Default)]
pub struct Lines {
    tasks: Vec<TaskName>,
}

impl Lines {
    /// The line that `event` is worth, if it is.
    pub fn line(&mut self, event: &RunEvent) -> Option<String> {
        match event {
            RunEvent::RunStarted { tasks } => {
                self.tasks.clone_from(tasks);
                None
            }
            RunEvent::Retrying { task, reason, delay } => {
                let name = name_of(self.tasks.get(*task)?);
                Some(foreign::one_line(&format!("{name} · {reason} · again in {}", seconds(*delay))))
            }
            RunEvent::Finished { task, outcome } => {
                Some(foreign::one_line(&format!("{} · {}", name_of(self.tasks.get(*task)?), ending(outcome))))
            }
            RunEvent::Waiting { task, reason, delay } if delay.is_none_or(|delay| delay >= WORTH_TELLING) => {
                let name = name_of(self.tasks.get(*task)?);
                let time = delay.map(|delay| format!("waits {}", seconds(delay)));
                Some(foreign::one_line(&format!(
                    "{name} · {} · {reason}",
                    time.as_deref().unwrap_or("waits")
                )))
            }
            RunEvent::FellBack { task, stand_in, reason } => {
                let name = name_of(self.tasks.get(*task)?);
                Some(foreign::one_line(&format!("{name} · {reason} · {stand_in} is asked instead")))
            }
            RunEvent::CutShort { reason } => {
                Some(foreign::one_line(&format!("nothing more is asked: {reason}")))
            }
            RunEvent::Waiting { .. }
            | RunEvent::Asked { .. }
            | RunEvent::Tokens { .. }
            | RunEvent::RunFinished { .. } => None,
        }
    }
}

/// `c1 validatord · opus`.
pub(super) fn name_of(task: &TaskName) -> String {
    let bundle = match task.bundle.split_once('_') {
        Some((number, component)) => format!("{number} {component}"),
        None => task.bundle.clone(),
    };
    format!("{bundle} · {}", task.reviewer)
}

/// `answered in 4.2 s · 310 tokens`, or what went wrong. Why a stand-in was asked has been told when it was.
fn ending(outcome: &Outcome) -> String {
    let state = outcome.state.word();
    let time = seconds(Duration::from_millis(outcome.latency_ms));
    let tokens = outcome.tokens_out.map(|tokens| format!("{tokens} tokens"));
    let ending =
        if outcome.state == State::Skipped { state.to_owned() } else { format!("{state} in {time}") };
    let remark = match (&outcome.answered_by, outcome.state) {
        (Some(stand_in), State::Answered) => Some(format!("by {}", stand_in.reviewer)),
        _ => outcome.reason.clone(),
    };
    [Some(ending), tokens, remark].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// `4.2 s`, `2 min 5 s`.
pub(super) fn seconds(time: Duration) -> String {
    match time.as_secs() {
        0..60 => format!("{:.1} s", time.as_secs_f64()),
        whole => format!("{} min {} s", whole / 60, whole % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{coverage::StandIn, reviewer::ReviewerId};

    fn outcome(state: State, reason: Option<&str>, tokens_out: Option<u64>) -> Outcome {
        Outcome {
            bundle: "c1_validatord".to_owned(),
            reviewer: ReviewerId::new("opus").unwrap(),
            state,
            reason: reason.map(str::to_owned),
            attempts: 1,
            cached: false,
            latency_ms: 4_213,
            tokens_in: None,
            tokens_out,
            cost_usd: None,
            guessed: None,
            answered_by: None,
            timing: None,
        }
    }

    /// The line of `event` in a run of one task.
    fn check(event: &RunEvent, expect: Option<&str>) {
        let mut lines = Lines::default();
        let bundle = "c1_validatord".to_owned();
        let tasks = vec![TaskName { bundle, reviewer: ReviewerId::new("opus").unwrap() }];
        assert_eq!(lines.line(&RunEvent::RunStarted { tasks }), None);
        assert_eq!(lines.line(event).as_deref(), expect);
    }

    #[test]
    fn a_line_for_what_became_of_a_task() {
        let finished = |outcome| RunEvent::Finished { task: 0, outcome: Box::new(outcome) };
        check(&RunEvent::Asked { task: 0, attempt: 1 }, None);
        check(
            &RunEvent::Retrying {
                task: 0,
                reason: "HTTP 503".to_owned(),
                delay: Duration::from_millis(1_500),
            },
            Some("c1 validatord · opus · HTTP 503 · again in 1.5 s"),
        );
        check(
            &finished(outcome(State::Answered, None, Some(310))),
            Some("c1 validatord · opus · answered in 4.2 s · 310 tokens"),
        );
        let reviewer = ReviewerId::new("opus-2").unwrap();
        let stand_in = Some(StandIn { reviewer, model: "claude-opus-4-7".to_owned() });
        let why = Some("opus-2 was asked instead: HTTP 503");
        let by_other = Outcome { answered_by: stand_in, ..outcome(State::Answered, why, Some(310)) };
        check(&finished(by_other), Some("c1 validatord · opus · answered in 4.2 s · 310 tokens · by opus-2"));
        check(
            &finished(outcome(State::Failed, Some("cannot write a\u{1b}b"), None)),
            Some("c1 validatord · opus · failed in 4.2 s · cannot write a␛b"),
        );
        check(
            &finished(outcome(State::Skipped, Some("interrupted"), None)),
            Some("c1 validatord · opus · skipped · interrupted"),
        );
    }

    #[test]
    fn a_line_for_what_holds_a_run_up() {
        let waiting = |secs: Option<u64>, reason: &str| RunEvent::Waiting {
            task: 0,
            reason: reason.to_owned(),
            delay: secs.map(Duration::from_secs),
        };
        let limit = "60 requests a minute are allowed at api.example.com";
        check(&waiting(Some(1), limit), None);
        check(
            &waiting(Some(90), limit),
            Some(
                "c1 validatord · opus · waits 1 min 30 s · 60 requests a minute are allowed at api.example.com",
            ),
        );
        check(
            &waiting(None, "api.example.com is out of order: HTTP 503"),
            Some("c1 validatord · opus · waits · api.example.com is out of order: HTTP 503"),
        );
        check(
            &RunEvent::FellBack {
                task: 0,
                stand_in: ReviewerId::new("opus-2").unwrap(),
                reason: "HTTP 503".to_owned(),
            },
            Some("c1 validatord · opus · HTTP 503 · opus-2 is asked instead"),
        );
        check(
            &RunEvent::CutShort { reason: "the budget of $0.50 is used up".to_owned() },
            Some("nothing more is asked: the budget of $0.50 is used up"),
        );
        check(&RunEvent::RunFinished { interrupted: false }, None);
    }
}
