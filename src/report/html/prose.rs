//! Foreign text in [`Part`]s, so that a template can show what a reviewer set as code in a code's type.
//!
//! Nothing else of a reviewer's markup is read: no links, no pictures, no headings.

use serde::Serialize;

use crate::report::{foreign, markdown::escape};

/// `text`, `code` or `block`, and what stands in it.
#[derive(Serialize)]
pub(super) struct Part(&'static str, String);

/// Prose with code spans and fenced blocks, harmless to show. Empty for nothing.
pub(super) fn parts(foreign_text: &str) -> Vec<Part> {
    let mut out = Vec::new();
    for (at, part) in foreign_text.trim().split("```").enumerate() {
        let lines = foreign::lines(part);
        match (at % 2 == 1, lines.as_slice()) {
            _ if part.trim().is_empty() => {}
            (true, [_language, code @ ..]) if !code.is_empty() => out.push(Part("block", code.join("\n"))),
            (true, _) => out.push(Part("code", foreign::one_line(part))),
            (false, _) => spans(part, &mut out),
        }
    }
    out
}

/// As [`parts`], but several lines without any fence are one block: of a proposed mending they are code.
pub(super) fn mending(fix: &str) -> Vec<Part> {
    let lines = foreign::lines(fix.trim());
    if lines.len() > 1 && !fix.contains("```") {
        return vec![Part("block", lines.join("\n"))];
    }
    parts(fix)
}

fn spans(text: &str, out: &mut Vec<Part>) {
    let mut rest = text.trim_matches('\n');
    while let Some((before, inside, after)) = escape::code_span(rest) {
        plain(before, out);
        out.push(Part("code", foreign::one_line(inside)));
        rest = after;
    }
    plain(rest, out);
}

/// Lines stay lines: the style keeps them apart.
fn plain(text: &str, out: &mut Vec<Part>) {
    let mut lines = foreign::lines(text).join("\n");
    if text.ends_with('\n') {
        lines.push('\n');
    }
    if !lines.is_empty() {
        out.push(Part("text", lines));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(shown: &[Part], expect: &[(&str, &str)]) {
        let shown: Vec<(&str, &str)> = shown.iter().map(|Part(kind, text)| (*kind, text.as_str())).collect();
        assert_eq!(shown, expect);
    }

    #[test]
    fn code_is_told_from_prose() {
        check(&parts("`a` leaks\nin b"), &[("code", "a"), ("text", " leaks\nin b")]);
        check(
            &parts("so:\n```rust\nlet a;\n```\nthen"),
            &[("text", "so:"), ("block", "let a;"), ("text", "then")],
        );
        check(&parts("<b>\u{202e}\0"), &[("text", "<b>\\u{202e}␀")]);
        check(&parts(" \n"), &[]);
        check(&mending("a();\nb();"), &[("block", "a();\nb();")]);
    }
}
