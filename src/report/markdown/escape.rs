//! Foreign text for Markdown: [`text`] for prose, [`code`] for code spans, [`fence`] for blocks.
//!
//! Nothing that comes out can be markup, a link, a mention or a reference on GitHub, GitLab or Gitea. Mentions
//! and references are parted by `&#8203;`, a space of no width, as there is no escape for them.

use crate::report::foreign;

/// A space of no width, as an entity so that it is seen in the source.
const PART: &str = "&#8203;";

/// Prose for the middle of a line, never its start. What a reviewer set between single backticks stays a code span.
pub fn text(foreign_text: &str) -> String {
    let line = foreign::one_line(foreign_text);
    let mut out = String::with_capacity(line.len() + 16);
    let mut rest = line.as_str();
    while let Some((before, inside, after)) = code_span(rest) {
        prose(before, &mut out);
        out.push_str(&code(inside));
        rest = after;
    }
    prose(rest, &mut out);
    out
}

/// Prose for the middle of a line without code spans, fit for a cell of a table.
pub fn cell(foreign_text: &str) -> String {
    let mut out = String::new();
    prose(&foreign::one_line(foreign_text), &mut out);
    out
}

/// A code span that holds `foreign_text`, whatever backticks are in it.
pub fn code(foreign_text: &str) -> String {
    let line = foreign::one_line(foreign_text);
    let ticks = "`".repeat(longest_run(&line) + 1);
    let pad = if line.is_empty() || line.starts_with('`') || line.ends_with('`') { " " } else { "" };
    format!("{ticks}{pad}{line}{pad}{ticks}")
}

/// [`code`] for a cell of a table; what has a bar, which would end the cell even there, becomes prose.
pub fn code_cell(foreign_text: &str) -> String {
    if foreign_text.contains('|') { cell(foreign_text) } else { code(foreign_text) }
}

/// A code block of `lines`, each behind `indent`.
pub fn fence(lines: &[String], indent: &str) -> String {
    let longest = lines.iter().map(|line| longest_run(line)).max().unwrap_or(0);
    let ticks = "`".repeat((longest + 1).max(3));
    let body: Vec<String> = lines.iter().map(|line| format!("{indent}{line}\n")).collect();
    format!("{indent}{ticks}text\n{}{indent}{ticks}\n", body.concat())
}

/// Prose with the code blocks in it, to stand behind other text; every line of a block behind `indent`. Ends with a newline.
pub fn rich(foreign_text: &str, indent: &str) -> String {
    let mut out = String::new();
    for (at, part) in foreign_text.split("```").enumerate() {
        let lines = foreign::lines(part);
        let before = match out.as_bytes().last() {
            None => String::new(),
            Some(b'\n') => format!("\n{indent}<br>"),
            Some(_) => " ".to_owned(),
        };
        match (at % 2 == 1, lines.as_slice()) {
            _ if part.trim().is_empty() => {}
            (true, [_language, code @ ..]) if !code.is_empty() => out.extend(["\n\n", &fence(code, indent)]),
            (true, _) => out.extend([before, code(part)]),
            (false, _) => out.extend([before, text(part)]),
        }
    }
    if out.ends_with('\n') { out } else { out + "\n" }
}

/// The first code span made of single backticks: what is before it, in it and after it.
pub(in crate::report) fn code_span(text: &str) -> Option<(&str, &str, &str)> {
    let mut ticks = runs(text).filter(|(_, length)| *length == 1).map(|(at, _)| at);
    let (open, close) = (ticks.next()?, ticks.next()?);
    let inside = &text[open + 1..close];
    let plain = !inside.contains('`') && !inside.trim().is_empty();
    plain.then(|| (&text[..open], inside, &text[close + 1..]))
}

/// Start and length of every run of backticks.
fn runs(text: &str) -> impl Iterator<Item = (usize, usize)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + text[at..].find('`')?;
        let length = text[start..].bytes().take_while(|byte| *byte == b'`').count();
        at = start + length;
        Some((start, length))
    })
}

fn longest_run(text: &str) -> usize {
    runs(text).map(|(_, length)| length).max().unwrap_or(0)
}

fn prose(text: &str, out: &mut String) {
    let mut before = [' '; 3];
    let mut letters = text.chars().peekable();
    while let Some(c) = letters.next() {
        escape(c, before, letters.peek().copied().unwrap_or(' '), out);
        before = [before[1], before[2], c];
    }
}

/// Writes `c`, which stands behind the three characters `before` and before `next`.
fn escape(c: char, before: [char; 3], next: char, out: &mut String) {
    let last = before[2];
    match c {
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '&' => {
            out.push_str("&amp;");
            part_if(next.is_alphanumeric(), out);
        }
        // GitHub looks for mathematics in what it has rendered, GitLab in the source.
        '$' => out.push_str("<span>&#36;</span>"),
        '\\' | '`' | '*' | '[' | ']' | '|' => out.extend(['\\', c]),
        '_' if !(last.is_alphanumeric() && next.is_alphanumeric()) => out.push_str("\\_"),
        '#' | '~' => {
            out.extend(['\\', c]);
            out.push_str(PART);
        }
        '@' | '!' | '%' | '^' => {
            out.push(c);
            part_if(!next.is_whitespace(), out);
        }
        ':' => {
            out.push(':');
            part_if("/+-_".contains(next) || next.is_alphanumeric(), out);
        }
        '-' => {
            out.push('-');
            let is_gh = before[1].eq_ignore_ascii_case(&'g') && last.eq_ignore_ascii_case(&'h');
            part_if(next.is_ascii_digit() && (last.is_ascii_uppercase() || is_gh), out);
        }
        '.' => {
            part_if(before.iter().all(|w| w.eq_ignore_ascii_case(&'w')), out);
            out.push('.');
        }
        c => out.push(c),
    }
}

fn part_if(condition: bool, out: &mut String) {
    if condition {
        out.push_str(PART);
    }
}
