//! The pieces of a line of code by what they are: [`Ink`].
//!
//! Comments and strings are told by the lexer; keywords are the words that most languages share, so a few are marked in a language
//! that has them as names. It does not parse.

use std::ops::Range;

use serde::Serialize;

use crate::{
    bundle::{lexer::Zone, source::Language},
    report::foreign,
};

/// A piece's class in the page's style (empty: plain) and its text, harmless to show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Ink(&'static str, String);

/// Words that stand for themselves in most languages; sorted.
const KEYWORDS: [&str; 83] = [
    "False",
    "None",
    "Self",
    "True",
    "abstract",
    "and",
    "as",
    "async",
    "await",
    "break",
    "case",
    "catch",
    "class",
    "const",
    "continue",
    "def",
    "default",
    "defer",
    "del",
    "do",
    "elif",
    "else",
    "enum",
    "except",
    "export",
    "extends",
    "extern",
    "false",
    "final",
    "finally",
    "fn",
    "for",
    "from",
    "func",
    "function",
    "goto",
    "if",
    "impl",
    "implements",
    "import",
    "in",
    "interface",
    "is",
    "lambda",
    "let",
    "loop",
    "match",
    "mod",
    "mut",
    "namespace",
    "new",
    "nil",
    "not",
    "null",
    "or",
    "package",
    "pass",
    "private",
    "protected",
    "pub",
    "public",
    "raise",
    "return",
    "self",
    "static",
    "struct",
    "super",
    "switch",
    "this",
    "throw",
    "throws",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "union",
    "use",
    "val",
    "var",
    "void",
    "while",
    "yield",
];

/// The line in pieces, at most `most` characters of it; `quoted` are the bytes that a reviewer quoted.
pub(super) fn of_line(
    text: &str,
    zones: &[Zone],
    language: Language,
    quoted: Option<Range<usize>>,
    most: usize,
) -> Vec<Ink> {
    let end = text.char_indices().nth(most).map_or(text.len(), |(at, _)| at);
    let quoted = quoted.unwrap_or(0..0);
    let mut pieces: Vec<(&'static str, Range<usize>)> = Vec::new();
    for (at, length, class) in classes(&text[..end], zones, language) {
        let class = if quoted.contains(&at) { "m" } else { class };
        match pieces.last_mut() {
            Some((last, range)) if *last == class => range.end = at + length,
            _ => pieces.push((class, at..at + length)),
        }
    }
    let shown = |(class, range): (_, Range<usize>)| Ink(class, foreign::lines(&text[range]).concat());
    let mut inks: Vec<Ink> = pieces.into_iter().map(shown).collect();
    if end < text.len() {
        inks.push(Ink("cut", "…".to_owned()));
    }
    inks
}

/// Where the first of `quotes` that stands in `text` does.
pub(super) fn quoted(text: &str, quotes: &[&str]) -> Option<Range<usize>> {
    let mut quotes =
        quotes.iter().flat_map(|quote| quote.lines()).map(str::trim).filter(|quote| quote.len() > 2);
    quotes.find_map(|quote| text.find(quote).map(|at| at..at + quote.len()))
}

/// Start, length and class of every word and of every character between words.
fn classes<'a>(
    text: &'a str,
    zones: &'a [Zone],
    language: Language,
) -> impl Iterator<Item = (usize, usize, &'static str)> + 'a {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = &text[at..];
        let first = rest.chars().next()?;
        let word = rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
        let length = if word > 0 { word } else { first.len_utf8() };
        let class = match zones.get(at) {
            Some(Zone::Comment) => "c",
            Some(Zone::String) => "s",
            Some(Zone::Code) if first.is_ascii_digit() => "n",
            Some(Zone::Code) if language.is_code() && KEYWORDS.binary_search(&&rest[..word]).is_ok() => "k",
            Some(Zone::Code) | None => "",
        };
        let start = at;
        at += length;
        Some((start, length, class))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::lexer;

    fn check(text: &str, quotes: &[&str], expect: &str) {
        let zones = lexer::zones(Language::Rust, text.as_bytes());
        let inks = of_line(text, &zones, Language::Rust, quoted(text, quotes), 40);
        let drawn: Vec<String> = inks.iter().map(|Ink(class, text)| format!("{class}<{text}>")).collect();
        assert_eq!(drawn.concat(), expect);
    }

    #[test]
    fn words_are_told_apart() {
        check("let a = 12; // say", &[], "k<let>< a = >n<12><; >c<// say>");
        check("f(\"let\", lettuce)", &[], "<f(>s<\"let\"><, lettuce)>");
        check("let a = b();", &["b()"], "k<let>< a = >m<b()><;>");
        check("é\u{202e}\0", &[], "<é\\u{202e}␀>");
        check("", &["x y z"], "");
    }

    #[test]
    fn what_is_long_is_cut_between_characters() {
        check(&"é".repeat(60), &[], &format!("<{}>cut<…>", "é".repeat(40)));
    }

    #[test]
    fn keywords_can_be_searched() {
        assert!(KEYWORDS.is_sorted());
    }
}
