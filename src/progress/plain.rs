//! A run as lines of text: [`Lines`] turns events into words. It writes nothing itself.

use std::time::Duration;

use crate::{
    coverage::{Outcome, State},
    run::event::{RunEvent, TaskName},
};

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
                Some(format!("{name} · {reason} · again in {}", seconds(*delay)))
            }
            RunEvent::Finished { task, outcome } => {
                Some(format!("{} · {}", name_of(self.tasks.get(*task)?), ending(outcome)))
            }
            RunEvent::Asked { .. } | RunEvent::Tokens { .. } | RunEvent::RunFinished { .. } => None,
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

/// `answered in 4.2 s · 310 tokens`, or what went wrong.
pub(super) fn ending(outcome: &Outcome) -> String {
    let state = outcome.state.word();
    let time = seconds(Duration::from_millis(outcome.latency_ms));
    let tokens = outcome.tokens_out.map(|tokens| format!("{tokens} tokens"));
    let ending =
        if outcome.state == State::Skipped { state.to_owned() } else { format!("{state} in {time}") };
    [Some(ending), tokens, outcome.reason.clone()].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// `4.2 s`, `2 min 5 s`.
pub(super) fn seconds(time: Duration) -> String {
    match time.as_secs() {
        0..60 => format!("{:.1} s", time.as_secs_f64()),
        whole => format!("{} min {} s", whole / 60, whole % 60),
    }
}
