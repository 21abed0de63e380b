//! How far the cases of a parity spec have come: [`bar`] draws it on a terminal and nowhere else.

use indicatif::{ProgressBar, ProgressStyle};

use super::{
    Style,
    json::{self, Told},
    terminal::fitted,
};
use crate::report::{foreign, words};

/// What is drawn.
#[derive(Debug)]
pub struct Bar {
    screen: Option<ProgressBar>,
    name: String,
    total: usize,
    is_json: bool,
}

/// Begins to draw for a spec of `total` cases.
pub fn bar(name: &str, total: usize, style: Style) -> Bar {
    let screen = (style == Style::Terminal).then(|| {
        let text_only =
            ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
        ProgressBar::no_length().with_style(text_only)
    });
    let bar = Bar { screen, name: foreign::one_line(name), total, is_json: style == Style::Json };
    bar.at(0);
    bar
}

impl Bar {
    /// So many cases are done.
    pub fn at(&self, done: usize) {
        if self.is_json {
            json::tell(&Told::Cases { name: &self.name, done, total: self.total });
        }
        if let Some(screen) = &self.screen {
            let all = words::count(self.total, "case");
            screen.set_message(fitted(&format!("{} · {done} of {all}", self.name)));
        }
    }

    /// Takes it off the screen.
    pub fn end(self) {
        if let Some(screen) = self.screen {
            screen.finish_and_clear();
        }
    }
}
