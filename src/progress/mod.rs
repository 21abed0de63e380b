//! Shows a run while it goes on, for people on a terminal and for logs.
//!
//! [`show`] listens to the run's events and writes to stderr; it decides nothing and holds nothing up.

pub mod json;
pub mod parity;
pub mod plain;
pub mod smoke;
pub mod terminal;

use std::io::Write;

use tokio::time::Instant;

use crate::run::event::EventReceiver;

/// How a run is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Not at all.
    Quiet,
    /// A line when a task ends or is tried again: for logs.
    Plain,
    /// Lines of JSON, for programs.
    Json,
    /// A board that is drawn again and again: for terminals.
    Terminal,
}

/// Shows the run until it is over. Blocks: give it a thread of its own.
pub fn show(events: EventReceiver, style: Style) {
    match style {
        Style::Quiet => {}
        Style::Plain => show_lines(events),
        Style::Json => show_json(events),
        Style::Terminal => show_board(events),
    }
}

fn show_lines(mut events: EventReceiver) {
    let mut lines = plain::Lines::default();
    while let Some(event) = events.blocking_next() {
        if let Some(line) = lines.line(&event) {
            // Progress that cannot be written must not end the run.
            let _ = writeln!(anstream::stderr().lock(), "{line}");
        }
    }
}

fn show_json(mut events: EventReceiver) {
    let mut lines = json::Lines::default();
    while let Some(event) = events.blocking_next() {
        lines.told(&event, Instant::now()).iter().for_each(json::tell);
    }
}

fn show_board(mut events: EventReceiver) {
    let mut screen = terminal::Screen::default();
    while let Some(event) = events.blocking_next() {
        screen.show(&event);
    }
    screen.clear();
}
