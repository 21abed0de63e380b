//! A smoke chain while it runs: [`show`] writes a line for each check as it ends, and on a terminal what is under way.

use std::{io::Write, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::mpsc::Receiver;

use super::{Style, json, plain::seconds, terminal::fitted};
use crate::{
    gauntlet::smoke::{Checked, summary},
    report::foreign,
    run::smoke::SmokeEvent,
};

/// Shows the chain until it is over. Blocks: give it a thread of its own.
pub fn show(mut events: Receiver<SmokeEvent>, style: Style) {
    let screen = (style == Style::Terminal).then(screen);
    let mut board = Board::default();
    while let Some(event) = events.blocking_recv() {
        board.take(&event);
        match (&screen, style) {
            (_, Style::Quiet) | (None, Style::Terminal) => {}
            (Some(screen), _) => {
                if let Some(line) = line(&event) {
                    screen.println(line);
                }
                screen.set_message(fitted(&board.line()));
            }
            (None, Style::Json) => json::of_chain(&event).iter().for_each(json::tell),
            (None, Style::Plain) => {
                if let Some(line) = line(&event) {
                    // Progress that cannot be written must not end the run.
                    let _ = writeln!(anstream::stderr().lock(), "{line}");
                }
            }
        }
    }
    if let Some(screen) = screen {
        screen.finish_and_clear();
    }
}

fn screen() -> ProgressBar {
    let text_only =
        ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
    ProgressBar::no_length().with_style(text_only)
}

/// The line to write for `event`, if any.
pub fn line(event: &SmokeEvent) -> Option<String> {
    let line = match event {
        SmokeEvent::Started { service, trouble: None, took } => {
            format!("service {service} · ready in {}", summary::time(*took))
        }
        SmokeEvent::Started { service, trouble: Some(trouble), took } => {
            format!("service {service} · not ready after {} · {trouble}", summary::time(*took))
        }
        SmokeEvent::Checked(checked) => ended(checked),
        SmokeEvent::Begun { .. }
        | SmokeEvent::Starting { .. }
        | SmokeEvent::Checking { .. }
        | SmokeEvent::Ticked { .. }
        | SmokeEvent::Stopping => return None,
    };
    Some(foreign::one_line(&line))
}

fn ended(Checked { name, layer, result, took, .. }: &Checked) -> String {
    let reason = result.reason().map(|reason| format!(" · {reason}")).unwrap_or_default();
    format!("{layer} · {name} · {} in {}{reason}", result.word(), summary::time(*took))
}

/// What is under way.
#[derive(Debug, Default)]
struct Board {
    checks: usize,
    over: usize,
    under_way: Vec<(String, Duration)>,
    is_stopping: bool,
}

impl Board {
    fn take(&mut self, event: &SmokeEvent) {
        match event {
            SmokeEvent::Begun { checks } => self.checks = *checks,
            SmokeEvent::Starting { service: name } | SmokeEvent::Checking { check: name } => {
                self.under_way.push((name.clone(), Duration::ZERO));
            }
            SmokeEvent::Started { service: name, .. } => self.under_way.retain(|(known, _)| known != name),
            SmokeEvent::Checked(checked) => {
                self.over += 1;
                self.under_way.retain(|(known, _)| *known != checked.name);
            }
            SmokeEvent::Ticked { under_way } => self.under_way.clone_from(under_way),
            SmokeEvent::Stopping => self.is_stopping = true,
        }
    }

    fn line(&self) -> String {
        if self.is_stopping {
            return "stopping services".to_owned();
        }
        let under_way = self.under_way.iter().map(|(name, time)| format!("{name} {}", seconds(*time)));
        let parts = [format!("{} of {} done", self.over, self.checks)].into_iter().chain(under_way);
        foreign::one_line(&parts.collect::<Vec<_>>().join(" · "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gauntlet::smoke::CheckResult;

    fn checked(result: CheckResult) -> SmokeEvent {
        SmokeEvent::Checked(Checked {
            name: "unit".to_owned(),
            layer: "substrate".to_owned(),
            result,
            took: Duration::from_millis(4_213),
            output: None,
        })
    }

    #[test]
    fn a_line_for_what_is_over() {
        let check = |event: &SmokeEvent, expect: Option<&str>| assert_eq!(line(event).as_deref(), expect);
        check(&SmokeEvent::Begun { checks: 1 }, None);
        check(&checked(CheckResult::Passed), Some("substrate · unit · passed in 4.2 s"));
        check(
            &checked(CheckResult::Failed("exit status 1: a\u{1b}\nb".to_owned())),
            Some("substrate · unit · failed in 4.2 s · exit status 1: a␛ b"),
        );
        let (service, took) = ("gateway".to_owned(), Duration::from_millis(300));
        let started = |trouble| SmokeEvent::Started { service: service.clone(), trouble, took };
        check(&started(None), Some("service gateway · ready in 300 ms"));
        check(&started(Some("gone".to_owned())), Some("service gateway · not ready after 300 ms · gone"));
    }

    #[test]
    fn the_board_says_what_is_under_way() {
        let mut board = Board::default();
        for event in [
            SmokeEvent::Begun { checks: 3 },
            SmokeEvent::Starting { service: "gateway".to_owned() },
            SmokeEvent::Started { service: "gateway".to_owned(), trouble: None, took: Duration::ZERO },
            SmokeEvent::Checking { check: "unit".to_owned() },
            SmokeEvent::Checking { check: "health".to_owned() },
            SmokeEvent::Ticked {
                under_way: vec![
                    ("unit".to_owned(), Duration::from_secs(75)),
                    ("health".to_owned(), Duration::ZERO),
                ],
            },
        ] {
            board.take(&event);
        }
        assert_eq!(board.line(), "0 of 3 done · unit 1 min 15 s · health 0.0 s");
        board.take(&checked(CheckResult::Passed));
        assert_eq!(board.line(), "1 of 3 done · health 0.0 s");
        board.take(&SmokeEvent::Stopping);
        assert_eq!(board.line(), "stopping services");
    }
}
