//! Names of functions and types: which one a line defines, which one a hunk's header names, where a named one stands.
//!
//! Plain word matching for all languages at once; it parses no language.

use super::map::{FileMap, Row};

const KEYWORDS: [&str; 17] = [
    "fn",
    "func",
    "fun",
    "function",
    "def",
    "defp",
    "class",
    "struct",
    "enum",
    "trait",
    "interface",
    "impl",
    "module",
    "namespace",
    "type",
    "macro_rules",
    "sub",
];
const MODIFIERS: [&str; 27] = [
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
];

/// The name that a line of code defines, when it begins with a defining word.
pub(super) fn defined_name(line: &str) -> Option<&str> {
    let mut rest = line.trim_start();
    loop {
        let (word, after) = first_word(rest)?;
        if KEYWORDS.contains(&word) {
            return name_after(word, after);
        }
        if !MODIFIERS.contains(&word) {
            return None;
        }
        rest = after.trim_start();
        if let Some(inside) = rest.strip_prefix('(') {
            rest = inside.split_once(')')?.1.trim_start();
        }
        if let Some(inside) = rest.strip_prefix('"') {
            rest = inside.split_once('"')?.1.trim_start();
        }
    }
}

/// The name in a hunk's header: what it defines, else the name before its first parenthesis, else its last name.
pub(super) fn section_name(section: &str) -> Option<String> {
    let before_parenthesis = section.split_once('(').and_then(|(head, _)| last_word(head));
    defined_name(section).or(before_parenthesis).or_else(|| last_word(section)).map(str::to_owned)
}

/// A symbol's last name, without arguments and type parameters: `Foo::bar(x)` and `foo.bar` are both `bar`.
pub(crate) fn plain_name(symbol: &str) -> &str {
    let head = symbol.split(['(', '<', '[']).next().unwrap_or_default();
    last_word(head).or_else(|| last_word(symbol)).unwrap_or(symbol)
}

/// The line that stands for the symbol: its definition, else the first changed line of a hunk whose header names it,
/// else a changed line that mentions it, else any that does.
pub(super) fn find<'f, 'a>(file: &'f FileMap<'a>, symbol: &str) -> Option<&'f Row<'a>> {
    let name = plain_name(symbol);
    if !name.chars().any(is_word_char) {
        return None;
    }
    let defines = |row: &&Row<'_>| defined_name(&row.text) == Some(name);
    let within = |row: &&Row<'_>| row.changed && file.symbol_at(row.line).as_deref() == Some(name);
    let mentions = |row: &&Row<'_>| words(&row.text).any(|word| word == name);
    let rows = || file.rows.iter();
    rows()
        .find(defines)
        .or_else(|| if file.names(name) { rows().find(within) } else { None })
        .or_else(|| rows().find(|row| row.changed && mentions(row)))
        .or_else(|| rows().find(mentions))
}

fn name_after<'a>(keyword: &str, after: &'a str) -> Option<&'a str> {
    let mut rest = after.trim_start().trim_start_matches(['!', '*', ' ']);
    if keyword == "func"
        && let Some(receiver) = rest.strip_prefix('(')
    {
        rest = receiver.split_once(')')?.1.trim_start();
    }
    if keyword == "impl" {
        let head = rest.split(['{']).next().unwrap_or_default();
        let head = head.split(" where ").next().unwrap_or_default();
        let target = head.rsplit_once(" for ").map_or_else(|| after_generics(head), |(_, target)| target);
        let target = target.split('<').next().unwrap_or_default();
        return last_word(target);
    }
    if keyword == "def" {
        rest = rest.strip_prefix("self.").unwrap_or(rest);
    }
    first_word(rest).map(|(word, _)| word)
}

/// `<T: A<B>> Foo` without its leading angle brackets.
fn after_generics(text: &str) -> &str {
    if !text.starts_with('<') {
        return text;
    }
    let mut depth = 0_u32;
    for (at, c) in text.char_indices() {
        match c {
            '<' => depth += 1,
            '>' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return &text[at + 1..];
        }
    }
    text
}

fn first_word(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c| !is_word_char(c)).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

fn last_word(text: &str) -> Option<&str> {
    words(text).last()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c| !is_word_char(c)).filter(|word| !word.is_empty())
}

fn is_word_char(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}
