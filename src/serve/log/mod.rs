//! What a daemon tells its operator on stderr, a line each: [`begin`].
//!
//! A line holds ids, words of closed lists, statuses and times; a message is written in this program. No key, body, prompt or
//! reply is a field anywhere, and what other crates would log is left out: nobody here can say what is in it.

mod lines;

use tracing::{Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{Layer, filter::Targets, fmt, layer::SubscriberExt, registry};

use crate::config::{LogForm, LogLevel};
pub use lines::Ending;
use lines::Lines;

/// Logs everything of `level` and worse to stderr from now on; once in a process. What waits to be written when the ending is
/// dropped is written first.
pub fn begin(form: LogForm, level: LogLevel) -> Ending {
    let (lines, ending) = Lines::to(std::io::stderr());
    // Somebody logs already: that is where it goes.
    let _ = tracing::subscriber::set_global_default(subscriber(form, level, lines));
    ending
}

fn subscriber(form: LogForm, level: LogLevel, lines: Lines) -> impl Subscriber {
    let layer = fmt::layer().with_ansi(false).with_target(false).with_writer(lines);
    let layer = match form {
        LogForm::Text => layer.boxed(),
        LogForm::Json => layer.json().flatten_event(true).with_span_list(false).boxed(),
    };
    let level = match level {
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
    };
    registry().with(layer.with_filter(Targets::new().with_target("scrum", level)))
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use super::*;

    /// Where the lines go.
    #[derive(Clone, Default)]
    struct Sheet(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Sheet {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is written of some events, without the times.
    fn told(form: LogForm, level: LogLevel) -> Vec<String> {
        let sheet = Sheet::default();
        let (lines, ending) = Lines::to(sheet.clone());
        tracing::subscriber::with_default(subscriber(form, level, lines), || {
            let _request = tracing::error_span!("request", id = "r1").entered();
            tracing::info!(job = "j1", attempt = 2, reason = "it\nbroke \u{1b}[31m", "job ended");
            tracing::debug!("answered");
            tracing::warn!(target: "hyper", "of somebody else");
            tracing::warn!(lines = 1, "left out");
        });
        drop(ending);
        let text = String::from_utf8(sheet.0.lock().unwrap().clone()).unwrap();
        let is_time = |piece: &&str| piece.contains('Z') && piece.contains('T') && piece.contains(':');
        let time = text.split(['"', ' ']).find(is_time).unwrap().len();
        let from = |line: &str| line.find("20").unwrap();
        text.lines().map(|line| [&line[..from(line)], &line[from(line) + time..]].concat()).collect()
    }

    #[test]
    fn forms_and_levels() {
        insta::assert_debug_snapshot!(told(LogForm::Text, LogLevel::Info), @r#"
        [
            "  INFO request{id=\"r1\"}: job ended job=\"j1\" attempt=2 reason=\"it\\nbroke \\u{1b}[31m\"",
            "  WARN request{id=\"r1\"}: left out lines=1",
        ]
        "#);
        insta::assert_debug_snapshot!(told(LogForm::Json, LogLevel::Warn), @r#"
        [
            "{\"timestamp\":\"\",\"level\":\"WARN\",\"message\":\"left out\",\"lines\":1,\"span\":{\"id\":\"r1\",\"name\":\"request\"}}",
        ]
        "#);
        assert_eq!(told(LogForm::Text, LogLevel::Debug).len(), 3);
    }
}
