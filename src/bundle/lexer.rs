//! Marks each byte of a hunk as code, comment or string.
//!
//! [`zones`] is an approximation on purpose. A hunk starts in the middle of a file, so the state at its first line is
//! guessed from the first closing mark; regular expression literals, here-documents and code inside string
//! interpolation are not told apart. A string that must end on its line never reaches the next one, so a
//! wrong guess costs one line. It does not parse.

use serde::Deserialize;

use super::source::Language;

/// What a byte belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Zone {
    /// Neither of the others.
    Code,
    /// A comment, its marks included.
    Comment,
    /// A string or character literal, its quotes included.
    String,
}

/// How a family of languages writes comments and strings.
struct Syntax {
    line_comments: &'static [&'static str],
    block: Option<(&'static str, &'static str)>,
    nested: bool,
    quotes: &'static [Quote],
}

/// One kind of string literal.
#[derive(Clone, Copy)]
struct Quote {
    open: &'static str,
    close: &'static str,
    escapes: bool,
    multiline: bool,
}

const fn quote(open: &'static str, close: &'static str, escapes: bool, multiline: bool) -> Quote {
    Quote { open, close, escapes, multiline }
}

const DOUBLE: Quote = quote("\"", "\"", true, false);
const SINGLE: Quote = quote("'", "'", true, false);

const C_LIKE: Syntax = Syntax {
    line_comments: &["//"],
    block: Some(("/*", "*/")),
    nested: false,
    quotes: &[quote("\"\"\"", "\"\"\"", true, true), DOUBLE, SINGLE],
};
const JAVASCRIPT: Syntax = Syntax { quotes: &[DOUBLE, SINGLE, quote("`", "`", true, true)], ..C_LIKE };
const GO: Syntax = Syntax { quotes: &[DOUBLE, SINGLE, quote("`", "`", false, true)], ..C_LIKE };
const PHP: Syntax = Syntax { line_comments: &["//", "#"], ..C_LIKE };
const RUST: Syntax = Syntax {
    nested: true,
    quotes: &[
        quote("r##\"", "\"##", false, true),
        quote("r#\"", "\"#", false, true),
        quote("r\"", "\"", false, true),
        quote("\"", "\"", true, true),
    ],
    ..C_LIKE
};
const PYTHON: Syntax = Syntax {
    line_comments: &["#"],
    block: None,
    nested: false,
    quotes: &[quote("\"\"\"", "\"\"\"", true, true), quote("'''", "'''", true, true), DOUBLE, SINGLE],
};
const HASH: Syntax = Syntax { quotes: &[DOUBLE, SINGLE], ..PYTHON };
const HASH_ONLY: Syntax = Syntax { quotes: &[], ..PYTHON };
const SQL: Syntax = Syntax { line_comments: &["--"], quotes: &[quote("'", "'", false, false)], ..C_LIKE };
const MARKUP: Syntax =
    Syntax { line_comments: &[], block: Some(("<!--", "-->")), nested: false, quotes: &[] };
const PLAIN: Syntax = Syntax { block: None, ..MARKUP };

fn syntax_of(language: Language) -> &'static Syntax {
    match language {
        Language::C
        | Language::Cpp
        | Language::CSharp
        | Language::Java
        | Language::Kotlin
        | Language::Scala
        | Language::Swift
        | Language::GoMod => &C_LIKE,
        Language::JavaScript | Language::TypeScript => &JAVASCRIPT,
        Language::Go => &GO,
        Language::Php => &PHP,
        Language::Rust => &RUST,
        Language::Python => &PYTHON,
        Language::Ruby | Language::Shell | Language::Toml | Language::CargoManifest | Language::Terraform => {
            &HASH
        }
        Language::Dockerfile
        | Language::Makefile
        | Language::PythonRequirements
        | Language::Workflow
        | Language::Yaml => &HASH_ONLY,
        Language::Sql => &SQL,
        Language::Html => &MARKUP,
        Language::Json | Language::NpmManifest | Language::Markdown | Language::Other => &PLAIN,
    }
}

/// Where the reading stands between two bytes.
#[derive(Clone, Copy)]
enum State {
    Code,
    Block(usize),
    Within(Quote),
}

/// Zones of `text`, one a byte (a newline carries the zone it stands in). `text` is the new side of one hunk,
/// lines parted by `\n`.
pub(crate) fn zones(language: Language, text: &[u8]) -> Vec<Zone> {
    let syntax = syntax_of(language);
    let mut state = starting_state(language, syntax, text);
    let mut out = Vec::with_capacity(text.len());
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        state = mark_line(language, syntax, state, line, &mut out);
    }
    out
}

/// Guesses whether the hunk's first line stands inside a block comment or a multi-line string.
fn starting_state(language: Language, syntax: &Syntax, text: &[u8]) -> State {
    if let Some((open, close)) = syntax.block {
        let opened = find(text, open.as_bytes()).unwrap_or(usize::MAX);
        if find(text, close.as_bytes()).is_some_and(|closed| closed < opened) {
            return State::Block(1);
        }
    }
    if language == Language::Python {
        return docstring_state(syntax, text);
    }
    State::Code
}

fn docstring_state(syntax: &Syntax, text: &[u8]) -> State {
    let mut before: &[u8] = b"";
    for (at, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let line = line.trim_ascii();
        let quote = syntax
            .quotes
            .iter()
            .filter(|quote| quote.multiline)
            .find(|q| find(line, q.open.as_bytes()).is_some());
        if let Some(quote) = quote {
            let closes_only = line == quote.open.as_bytes() && at > 0 && !opens_something(before);
            let closes_prose = line.ends_with(quote.open.as_bytes())
                && line.len() > 3
                && find(line, quote.open.as_bytes()) == Some(line.len() - 3)
                && !line.iter().any(|byte| b"=(".contains(byte));
            return if closes_only || closes_prose { State::Within(*quote) } else { State::Code };
        }
        if !line.is_empty() {
            before = line;
        }
    }
    State::Code
}

fn opens_something(line: &[u8]) -> bool {
    line.last().is_some_and(|byte| b":=(,[".contains(byte))
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

fn mark_line(
    language: Language,
    syntax: &Syntax,
    mut state: State,
    line: &[u8],
    out: &mut Vec<Zone>,
) -> State {
    if matches!(state, State::Code) && syntax.block == C_LIKE.block && is_comment_tail(line) {
        out.extend(line.iter().map(|_| Zone::Comment));
        return State::Code;
    }
    if matches!(state, State::Code)
        && language == Language::Python
        && line.trim_ascii_start().starts_with(b">>>")
    {
        out.extend(line.iter().map(|_| Zone::Comment));
        return State::Code;
    }
    let mut at = 0;
    while at < line.len() {
        let (length, zone, next) = match state {
            State::Code => code_step(language, syntax, line, at),
            State::Block(depth) => block_step(syntax, depth, &line[at..]),
            State::Within(quote) => string_step(quote, &line[at..]),
        };
        out.extend(std::iter::repeat_n(zone, length));
        at += length;
        state = next;
    }
    match state {
        State::Within(quote) if !quote.multiline => State::Code,
        other => other,
    }
}

/// A line like ` * text`, the inside of a block comment whose start the hunk does not show.
fn is_comment_tail(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    line == b"*" || line.starts_with(b"* ") || line.starts_with(b"*/")
}

fn code_step(language: Language, syntax: &Syntax, line: &[u8], at: usize) -> (usize, Zone, State) {
    let rest = &line[at..];
    let starts = |mark: &&str| rest.starts_with(mark.as_bytes());
    if syntax.line_comments.iter().any(|mark| starts(mark) && comment_may_start(language, line, at)) {
        let newline = usize::from(rest.ends_with(b"\n"));
        return (rest.len().max(newline), Zone::Comment, State::Code);
    }
    if let Some((open, _)) = syntax.block.filter(|(open, _)| starts(open)) {
        return (open.len(), Zone::Comment, State::Block(1));
    }
    if language == Language::Rust && rest[0] == b'\'' {
        let length = rust_character(rest);
        return (length, if length == 1 { Zone::Code } else { Zone::String }, State::Code);
    }
    let raw_allowed = at == 0 || !is_word(line[at - 1]) || line[at - 1] == b'b';
    match syntax.quotes.iter().find(|q| starts(&q.open) && (!q.open.starts_with('r') || raw_allowed)) {
        Some(quote) => (quote.open.len(), Zone::String, State::Within(*quote)),
        None => (1, Zone::Code, State::Code),
    }
}

/// In shell-like formats `#` starts a comment only at the start of a word.
fn comment_may_start(language: Language, line: &[u8], at: usize) -> bool {
    let at_word_start = at == 0 || line[at - 1].is_ascii_whitespace();
    match language {
        Language::Dockerfile | Language::Makefile | Language::Shell | Language::Workflow | Language::Yaml => {
            at_word_start
        }
        Language::GoMod => true,
        _ => at == 0 || line[at - 1] != b':',
    }
}

/// Length of a character literal at the start of `rest`; 1 for a lifetime's tick.
fn rust_character(rest: &[u8]) -> usize {
    let end = match rest.get(1) {
        Some(b'\\') => rest.iter().skip(3).position(|byte| *byte == b'\'').map(|at| at + 4),
        Some(_) => rest.iter().take(6).skip(2).position(|byte| *byte == b'\'').map(|at| at + 3),
        None => None,
    };
    let plain = |length: &usize| *length == 3 || rest[1] == b'\\' || !rest[1].is_ascii();
    end.filter(plain).unwrap_or(1)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn block_step(syntax: &Syntax, depth: usize, rest: &[u8]) -> (usize, Zone, State) {
    let (open, close) = syntax.block.unwrap_or(("", "\n"));
    if rest.starts_with(close.as_bytes()) {
        let next = if depth > 1 { State::Block(depth - 1) } else { State::Code };
        return (close.len(), Zone::Comment, next);
    }
    if syntax.nested && rest.starts_with(open.as_bytes()) {
        return (open.len(), Zone::Comment, State::Block(depth + 1));
    }
    (1, Zone::Comment, State::Block(depth))
}

fn string_step(quote: Quote, rest: &[u8]) -> (usize, Zone, State) {
    if quote.escapes && rest[0] == b'\\' {
        return (rest.len().min(2), Zone::String, State::Within(quote));
    }
    if rest.starts_with(quote.close.as_bytes()) {
        return (quote.close.len(), Zone::String, State::Code);
    }
    (1, Zone::String, State::Within(quote))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `.` code, `c` comment, `s` string, newlines kept.
    fn check(language: Language, text: &str, expect: &str) {
        let zones = zones(language, text.as_bytes());
        let drawn: String = text
            .bytes()
            .zip(&zones)
            .map(|(byte, zone)| match (byte, zone) {
                (b'\n', _) => '\n',
                (_, Zone::Code) => '.',
                (_, Zone::Comment) => 'c',
                (_, Zone::String) => 's',
            })
            .collect();
        assert_eq!(drawn, expect, "{text}");
    }

    #[test]
    fn marks_comments_and_strings() {
        check(Language::Go, "a := \"x//y\" // z", ".....ssssss.cccc");
        check(Language::Go, "a := `x\ny` + b", ".....ss\nss....");
        check(Language::Python, "x = 'a#b' # c", "....sssss.ccc");
        check(Language::Python, "\"\"\"a\nb\"\"\"\nc", "ssss\nssss\n.");
        check(Language::JavaScript, "a = `x ${b}\n` /* c\nd */ e", "....sssssss\ns.cccc\ncccc..");
        check(Language::Shell, "echo ${#a} # b", "...........ccc");
        check(Language::Yaml, "a: don't # b", ".........ccc");
        check(Language::Markdown, "# it's `x`", "..........");
    }

    #[test]
    fn rust_has_lifetimes_raw_strings_and_nested_comments() {
        check(Language::Rust, "fn a<'b>(c: &'b str)", "....................");
        check(Language::Rust, "let a = '\"'; b", "........sss...");
        check(Language::Rust, "let a = r#\"x\"y\"#; b", "........ssssssss...");
        check(Language::Rust, "/* a /* b */ c */ d", "ccccccccccccccccc..");
    }

    #[test]
    fn a_hunk_may_start_inside() {
        check(Language::Go, "old text\nend */ a", "cccccccc\ncccccc..");
        check(Language::TypeScript, " * text\nlet a", "ccccccc\n.....");
        check(
            Language::Python,
            "text\n    more.\n    \"\"\"\n    a = 1",
            "ssss\nsssssssss\nsssssss\n.........",
        );
        check(Language::Python, "def f():\n    \"\"\"\n    doc", "........\n....sss\nsssssss");
    }

    #[test]
    fn an_example_session_in_a_docstring_is_no_code() {
        check(Language::Python, ">>> f()\na", "ccccccc\n.");
    }

    #[test]
    fn an_unclosed_string_ends_with_its_line() {
        check(Language::JavaScript, "a = /[']/\nb", "......sss\n.");
    }

    proptest! {
        #[test]
        fn every_byte_has_a_zone(bytes in proptest::collection::vec(any::<u8>(), 0..200), marks in "[\"'`/*#r\\\\\n]{0,40}", at in 0usize..30) {
            let language = super::super::source::LANGUAGES[at];
            let text = [marks.as_bytes(), &bytes, marks.as_bytes()].concat();
            prop_assert_eq!(zones(language, &text).len(), text.len());
        }
    }
}
