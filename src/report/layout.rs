//! Puts text on a terminal of a given width: wrapping, columns, and colour that never says anything alone.
//!
//! [`Ink`] colours, [`wrap`] breaks lines, [`columns`] lines cells up. Callers pass text that `foreign` made
//! harmless.

use anstyle::{AnsiColor, Style};
use tabled::{
    builder::Builder,
    settings::{Padding, Style as Borders, object::Columns},
};
use textwrap::{Options, WordSeparator, WrapAlgorithm, core::Word};
use unicode_width::UnicodeWidthStr;

use crate::finding::Severity;

/// Terminals narrower than this are treated as this wide.
pub const NARROWEST: usize = 40;

/// Space between columns.
pub const GAP: usize = 2;

/// Colours text, or leaves it alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ink {
    /// Whether to colour at all.
    pub on: bool,
}

impl Ink {
    /// `text` in `style`, line by line, so that a cell's colour ends with each of its lines.
    pub fn paint(self, style: Style, text: &str) -> String {
        if !self.on || text.is_empty() {
            return text.to_owned();
        }
        let lines: Vec<String> = text.lines().map(|line| format!("{style}{line}{style:#}")).collect();
        lines.join("\n")
    }

    /// A heading or another thing to see first.
    pub fn strong(self, text: &str) -> String {
        self.paint(Style::new().bold(), text)
    }

    /// A thing to see last.
    pub fn faint(self, text: &str) -> String {
        self.paint(Style::new().dimmed(), text)
    }

    /// Something is missing or failed.
    pub fn alarm(self, text: &str) -> String {
        self.paint(AnsiColor::Red.on_default().bold(), text)
    }

    /// Text in the colour of a severity; the word itself is always there too.
    pub fn severity(self, severity: Severity, text: &str) -> String {
        match severity {
            Severity::Block => self.alarm(text),
            Severity::Warn => self.paint(AnsiColor::Yellow.on_default(), text),
            Severity::Info => self.paint(AnsiColor::Cyan.on_default(), text),
        }
    }
}

/// Breaks `text` into lines of at most `width` columns: at spaces, else behind `/`, else anywhere.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    wrap_hanging(text, width, "", "")
}

/// As [`wrap`], with `first` before the first line and `rest` before the others.
pub fn wrap_hanging(text: &str, width: usize, first: &str, rest: &str) -> Vec<String> {
    let options = Options::new(width)
        .word_separator(WordSeparator::Custom(words))
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
        .wrap_algorithm(WrapAlgorithm::FirstFit)
        .initial_indent(first)
        .subsequent_indent(rest);
    textwrap::wrap(text, options).into_iter().map(|line| line.trim_end().to_owned()).collect()
}

/// Words end behind spaces; paths may also be broken behind a slash that follows a name: not in `https://` and `</b>`.
fn words(line: &str) -> Box<dyn Iterator<Item = Word<'_>> + '_> {
    let ends = line.char_indices().filter(|(at, c)| match c {
        ' ' => true,
        '/' => {
            let is_name = |c: char| !c.is_whitespace() && !"/<:".contains(c);
            line[..*at].ends_with(is_name) && !line[at + 1..].starts_with('/')
        }
        _ => false,
    });
    let ends = ends.map(|(at, _)| at + 1).chain([line.len()]);
    let words = ends.scan(0, |from, end| Some(&line[std::mem::replace(from, end)..end]));
    Box::new(words.filter(|word| !word.is_empty()).map(Word::from))
}

/// Columns a text takes on a terminal.
pub fn width_of(text: &str) -> usize {
    text.width()
}

/// Cells in columns with a ruled heading; every line ends without trailing space. `rows` hold lines that are
/// already wrapped, and coloured if wanted.
pub fn columns(heading: &[&str], rows: Vec<Vec<String>>, ink: Ink) -> String {
    let mut builder = Builder::default();
    builder.push_record(heading.iter().map(|title| ink.strong(title)));
    for row in rows {
        builder.push_record(row);
    }
    let mut table = builder.build();
    table.with(Borders::empty()).with(Padding::new(0, GAP, 0, 0)).modify(Columns::last(), Padding::zero());
    let text = table.to_string();
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_behind_names_and_not_within_marks() {
        let check = |text: &str, expect: &[&str]| assert_eq!(wrap(text, 20), expect, "{text}");
        check("one two three four five", &["one two three four", "five"]);
        check("at services/ledger/transfer.go", &["at services/ledger/", "transfer.go"]);
        check("ask http://127.0.0.1/v1", &["ask", "http://127.0.0.1/v1"]);
        check("what a word is `</b>`", &["what a word is", "`</b>`"]);
        check("reads in one go /etc/x", &["reads in one go", "/etc/x"]);
        check("", &[""]);
    }
}
