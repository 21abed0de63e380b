//! Private keys over several lines: [`find`] says which part of which line is key material.
//!
//! Lines of a hunk are looked at in the order of the diff, whatever their sign. What is not shown is guessed in favour of
//! a key only next to a line that begins or ends one, and in files that are called like keys.

use std::{ops::Range, sync::OnceLock};

use regex::bytes::Regex;

/// Fewest characters of a line of key material, but for the last one of a key.
const SHORTEST_ROW: usize = 40;

/// A row of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    /// Bytes of the line.
    pub(super) at: Range<usize>,
    /// Which key of the hunk.
    pub(super) key: usize,
}

/// Key material in the lines of one hunk.
struct Blocks<'l> {
    lines: &'l [&'l [u8]],
    found: Vec<Option<Row>>,
    keys: usize,
}

/// By line, the part that is key material and which key of the hunk it belongs to.
pub(super) fn find(lines: &[&[u8]], is_key_file: bool) -> Vec<Option<Row>> {
    let mut blocks = Blocks { lines, found: vec![None; lines.len()], keys: 0 };
    let marks: Vec<usize> = (0..lines.len()).filter(|at| is_mark(lines[*at])).collect();
    for at in marks {
        if begins(lines[at]) && !ends(lines[at]) {
            blocks.below(at + 1);
        } else if ends(lines[at]) && !begins(lines[at]) {
            blocks.above(at);
        }
    }
    if is_key_file {
        blocks.anywhere();
    }
    blocks.found
}

impl Blocks<'_> {
    /// From the line after a key's first one on.
    fn below(&mut self, from: usize) {
        for at in from..self.lines.len() {
            let line = self.lines[at];
            let last = self.lines.get(at + 1).is_some_and(|next| ends(next));
            let row = material(line).filter(|row| row.len() >= SHORTEST_ROW || last);
            match row {
                Some(row) => self.take(at, row),
                None if is_between(line) => {}
                None => break,
            }
        }
        self.keys += 1;
    }

    /// Upwards from a key's last line, of which the first one is not shown.
    fn above(&mut self, end: usize) {
        for at in (0..end).rev() {
            let row = material(self.lines[at]).filter(|row| row.len() >= SHORTEST_ROW || at + 1 == end);
            match row {
                Some(row) if self.found[at].is_none() => self.take(at, row),
                _ => break,
            }
        }
        self.keys += 1;
    }

    /// In a file of keys every row is one that does not stand in a certificate or a public key.
    fn anywhere(&mut self) {
        let mut public = false;
        for at in 0..self.lines.len() {
            let line = self.lines[at];
            if line.windows(6).any(|part| part == b"-BEGIN") {
                public = !begins(line);
            } else if line.windows(4).any(|part| part == b"-END") {
                public = false;
            }
            if public {
                continue;
            }
            let row = material(self.lines[at]).filter(|row| row.len() >= SHORTEST_ROW);
            if let Some(row) = row.filter(|_| self.found[at].is_none()) {
                self.take(at, row);
            }
        }
        self.keys += 1;
    }

    fn take(&mut self, at: usize, row: Range<usize>) {
        self.found[at] = Some(Row { at: row, key: self.keys });
    }
}

/// The part of a line that can be a row of a key: base64, perhaps inside quotes and with an escaped line end.
fn material(line: &[u8]) -> Option<Range<usize>> {
    static ROW: OnceLock<Option<Regex>> = OnceLock::new();
    let row = ROW.get_or_init(|| {
        Regex::new(r#"(?-u)^[\s"'`*#|]*(?://\s+)?(?P<row>[A-Za-z0-9+/=]+)(?:\\[nr])*["'`,;+.\\\s]*$"#).ok()
    });
    Some(row.as_ref()?.captures(line)?.name("row")?.range())
}

/// Lines that stand inside a key and are none of its rows: blanks, and headers such as `DEK-Info: …`.
fn is_between(line: &[u8]) -> bool {
    let text = line.trim_ascii();
    let word = text.split(|byte| *byte == b':').next().unwrap_or_default();
    let header = word.len() < text.len() && text.get(word.len() + 1) == Some(&b' ');
    text.is_empty() || header && word.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
}

fn is_mark(line: &[u8]) -> bool {
    begins(line) || ends(line)
}

fn begins(line: &[u8]) -> bool {
    static BEGIN: OnceLock<Option<Regex>> = OnceLock::new();
    is_match(&BEGIN, r"(?-u)-{4,5} ?BEGIN [A-Z0-9 ]*PRIVATE KEY|^Private-Lines: ", line)
}

fn ends(line: &[u8]) -> bool {
    static END: OnceLock<Option<Regex>> = OnceLock::new();
    is_match(&END, r"(?-u)-{4,5} ?END [A-Z0-9 ]*PRIVATE KEY|^Private-MAC: ", line)
}

/// `regex` is `pattern` once compiled; the patterns are ours and compile.
fn is_match(regex: &OnceLock<Option<Regex>>, pattern: &str, line: &[u8]) -> bool {
    regex.get_or_init(|| Regex::new(pattern).ok()).as_ref().is_some_and(|regex| regex.is_match(line))
}

/// Whether a file is called like those that hold a private key.
pub(super) fn is_key_file(name: &[u8]) -> bool {
    let name = name.to_ascii_lowercase();
    let ends = [&b".pem"[..], b".key", b".ppk", b".p8", b".pk8", b".asc", b".gpg"];
    ends.iter().any(|end| name.ends_with(end))
        || name.starts_with(b"id_") && !name.ends_with(b".pub") && !name.contains(&b'.')
}
