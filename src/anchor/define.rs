//! Which function or type a line of code defines: [`definition`].
//!
//! Words and parentheses of a single line decide, by the habits of its language; nothing is parsed. What a line leaves
//! open (a type on the line above, a brace on the line below) is guessed in favour of a definition only where calls are
//! never written so.

mod brackets;
mod script;
#[cfg(test)]
mod tests;
mod typed;

use super::language::Language;
use brackets::{after_closing, after_generics, parameters_at};
use script::{assigned_function, script_method};
use typed::{c_type, objective_c_method, typed_function};

/// What a line defines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Definition<'a> {
    /// The last part of its name.
    pub(super) name: &'a str,
    /// The type that the line itself puts it in: `Server` of `func (s *Server) stop()` and of `void Server::stop() {`.
    pub(super) of: Option<&'a str>,
}

impl<'a> Definition<'a> {
    /// From `Server::stop`, `net.Server.stop`, `App\Server`.
    fn from_path(path: &'a str) -> Option<Self> {
        let parts = path.rsplit(|c| !is_word_char(c)).filter(|part| !part.is_empty());
        let mut parts = parts.filter(|part| *part != "prototype");
        Some(Self { name: parts.next()?, of: parts.next() })
    }
}

/// Words that may stand before a definition's keyword or type.
const MODIFIERS: [&str; 56] = [
    "pub",
    "crate",
    "super",
    "async",
    "unsafe",
    "const",
    "static",
    "extern",
    "export",
    "default",
    "public",
    "private",
    "protected",
    "internal",
    "final",
    "abstract",
    "sealed",
    "override",
    "virtual",
    "inline",
    "open",
    "data",
    "suspend",
    "partial",
    "declare",
    "local",
    "typedef",
    "readonly",
    "synchronized",
    "native",
    "strictfp",
    "case",
    "inner",
    "annotation",
    "value",
    "implicit",
    "lazy",
    "companion",
    "operator",
    "infix",
    "tailrec",
    "external",
    "expect",
    "actual",
    "mutating",
    "nonmutating",
    "convenience",
    "required",
    "fileprivate",
    "indirect",
    "accessor",
    "get",
    "set",
    "constexpr",
    "explicit",
    "friend",
];

/// Words that begin a statement or stand before a call, never before a function's name.
const STATEMENTS: [&str; 43] = [
    "new",
    "if",
    "for",
    "while",
    "switch",
    "catch",
    "return",
    "throw",
    "else",
    "do",
    "case",
    "await",
    "yield",
    "using",
    "lock",
    "foreach",
    "assert",
    "sizeof",
    "typeof",
    "delete",
    "print",
    "go",
    "defer",
    "select",
    "with",
    "elif",
    "elsif",
    "unless",
    "until",
    "try",
    "finally",
    "when",
    "match",
    "in",
    "is",
    "as",
    "not",
    "and",
    "or",
    "goto",
    "co_await",
    "co_return",
    "emit",
];

/// The function or type that `line` defines.
pub(super) fn definition(line: &str, language: Language) -> Option<Definition<'_>> {
    let code = without_annotations(line.trim(), language);
    by_keyword(code, language).or_else(|| match language {
        Language::Script => assigned_function(code).or_else(|| script_method(code)),
        Language::Java => typed_function(code, line, language),
        Language::C => objective_c_method(code).or_else(|| typed_function(code, line, language)),
        Language::Shell => shell_function(code),
        Language::Rust
        | Language::Go
        | Language::Python
        | Language::Kotlin
        | Language::Ruby
        | Language::Php
        | Language::Elixir
        | Language::Other => None,
    })
}

/// `@Override public …`, `[HttpGet] public …`, `#[inline] pub …` without what stands before the definition.
fn without_annotations(mut code: &str, language: Language) -> &str {
    loop {
        let rest = match code.chars().next() {
            Some('@') if language != Language::C => {
                let name = code[1..].trim_start_matches(|c: char| is_word_char(c) || c == '.');
                if name.starts_with('(') { after_closing(name) } else { name }
            }
            Some('[') if language == Language::Java => after_closing(code),
            Some('#') if language == Language::Rust => after_closing(code.trim_start_matches(['#', '!'])),
            _ => return code,
        };
        code = rest.trim_start();
    }
}

fn by_keyword(code: &str, language: Language) -> Option<Definition<'_>> {
    let mut rest = code;
    loop {
        let at = usize::from(rest.starts_with('@'));
        let (word, _) = first_word(&rest[at..])?;
        let word = &rest[..at + word.len()];
        let after = rest[word.len()..].trim_start();
        // `enum class Color {` is named by its second word.
        let scoped = word == "enum" && matches!(first_word(after), Some(("class" | "struct", _)));
        if language.keywords().contains(&word) && !scoped {
            return named_after(word, after, language);
        }
        if !scoped && !MODIFIERS.contains(&word) {
            return None;
        }
        rest = after;
        if let Some(inside) = rest.strip_prefix('(') {
            rest = inside.split_once(')')?.1.trim_start();
        }
        if let Some(inside) = rest.strip_prefix('"') {
            rest = inside.split_once('"')?.1.trim_start();
        }
    }
}

/// The name behind a keyword.
fn named_after<'a>(keyword: &str, after: &'a str, language: Language) -> Option<Definition<'a>> {
    let mut rest = after.trim_start_matches(['!', '*', ' ', '`']);
    match keyword {
        "func" if rest.starts_with('(') => {
            let method = after_closing(rest);
            let receiver = rest[1..rest.len() - method.len()].split('[').next().and_then(last_word);
            return first_word(method.trim_start()).map(|(name, _)| Definition { name, of: receiver });
        }
        "impl" => return implemented(rest).map(|name| Definition { name, of: None }),
        "fun" if parameters_at(rest).is_some() => {
            return extension_function(after_generics(rest).trim_start());
        }
        "func" | "def" => rest = after_generics(rest).trim_start(),
        "struct" | "class" | "enum" | "union" if language == Language::C => return c_type(after),
        "function" if language == Language::Shell => {
            let end = rest.find(|c: char| c.is_whitespace() || "({".contains(c)).unwrap_or(rest.len());
            return last_word(&rest[..end]).map(|name| Definition { name, of: None });
        }
        _ => {}
    }
    let parts = |c: char| is_word_char(c) || matches!(c, '.' | ':' | '\\');
    let path = &rest[..rest.find(|c| !parts(c)).unwrap_or(rest.len())];
    let path = path.split("::<").next().unwrap_or(path);
    let dotted = path.starts_with(|c: char| is_word_char(c));
    // A type behind the name: `def f: Int`, `class A: B`.
    let path = path.find(':').filter(|at| !path[*at..].starts_with("::")).map_or(path, |at| &path[..at]);
    let found = Definition::from_path(path).filter(|_| dotted)?;
    Some(Definition { of: found.of.filter(|of| *of != "self"), ..found })
}

/// `second` of `List<T>.second(): T {`, which belongs to `List`.
fn extension_function(rest: &str) -> Option<Definition<'_>> {
    let head = &rest[..parameters_at(rest)?];
    let (receiver, name) =
        head.rsplit_once('.').map_or((None, head), |(receiver, name)| (Some(receiver), name));
    let of = receiver.and_then(|receiver| first_word(receiver)).map(|(of, _)| of);
    last_word(name).map(|name| Definition { name, of })
}

/// `Foo` of `impl<T> Display for Foo<T> where …`.
fn implemented(rest: &str) -> Option<&str> {
    let head = rest.split('{').next().unwrap_or_default();
    let head = head.split(" where ").next().unwrap_or_default();
    let target = head.rsplit_once(" for ").map_or_else(|| after_generics(head), |(_, target)| target);
    let target = target.trim_start().trim_start_matches(['&', '(', '[']);
    last_word(target.split('<').next().unwrap_or_default())
}

/// `name` of `name() {`.
fn shell_function(code: &str) -> Option<Definition<'_>> {
    let (head, after) = code.split_once('(')?;
    let head = head.trim_end();
    let plain = !head.is_empty() && head.chars().all(|c| is_word_char(c) || "-.:".contains(c));
    let empty = after.trim_start().starts_with(')');
    (plain && empty).then(|| last_word(head)).flatten().map(|name| Definition { name, of: None })
}

pub(super) fn first_word(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c| !is_word_char(c)).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

pub(super) fn last_word(text: &str) -> Option<&str> {
    words(text).last()
}

/// Names and numbers.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c| !is_word_char(c)).filter(|word| !word.is_empty())
}

pub(super) fn is_word_char(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}
