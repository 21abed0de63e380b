//! Functions of JavaScript and TypeScript: [`assigned_function`] and [`script_method`].

use super::{
    Definition, MODIFIERS, STATEMENTS,
    brackets::{after_closing, after_generics, ends_open, without_generics},
    first_word, is_word_char, last_word,
};

/// Calls that are given a function and stand for it.
const WRAPPERS: [&str; 5] = ["memo", "forwardRef", "observer", "useCallback", "defineComponent"];

/// `name` of `const name = (x) => {`, `export const name: T = useCallback(async () => {`, `A.prototype.name = function () {`,
/// `name: async (x) => {`.
pub(super) fn assigned_function(code: &str) -> Option<Definition<'_>> {
    let mut rest = code;
    while let Some((word, after)) = first_word(rest)
        && after.starts_with(' ')
        && (MODIFIERS.contains(&word) || matches!(word, "let" | "var"))
    {
        rest = after.trim_start();
    }
    let end = rest.find(|c: char| !is_word_char(c) && c != '.' && c != '#')?;
    let (path, after) = rest.split_at(end);
    let after = after.strip_prefix('?').unwrap_or(after).trim_start();
    let value = match after.strip_prefix(':') {
        // Without a body it is a type: `onClose: () => void`.
        Some(typed) => match equals_sign(typed) {
            Some(at) => &typed[at + 1..],
            None if ends_open(code) || code.ends_with("=>") => typed,
            None => return None,
        },
        None => after.strip_prefix('=').filter(|value| !value.starts_with(['=', '>']))?,
    };
    is_function(value.trim_start(), 2).then(|| Definition::from_path(path)).flatten()
}

/// Where an assignment's `=` stands, not that of `=>`, `==`, `<=`.
fn equals_sign(text: &str) -> Option<usize> {
    text.match_indices('=').map(|(at, _)| at).find(|at| {
        let spaced = text[..*at].ends_with(' ');
        spaced && !text[at + 1..].starts_with(['=', '>'])
    })
}

/// Whether a value begins as a function: `async (`, `function`, `x =>`, or a call that is given one first.
fn is_function(value: &str, depth: u32) -> bool {
    let value = value.strip_prefix("async").unwrap_or(value).trim_start();
    if value.starts_with("function") || value.starts_with("class ") {
        return true;
    }
    let (open, generic) = (value.starts_with('('), value.starts_with('<'));
    if open || generic {
        let parameters = if generic { after_generics(value).trim_start() } else { value };
        let behind = after_closing(parameters);
        return if behind.is_empty() { ends_open(value) } else { behind.contains("=>") };
    }
    let Some((_, after)) = first_word(value) else { return false };
    if after.trim_start().starts_with("=>") {
        return true;
    }
    let called = after.trim_start_matches(|c: char| is_word_char(c) || c == '.');
    let called = after_generics(called);
    let Some(argument) = called.strip_prefix('(') else { return false };
    let wraps =
        || last_word(&value[..value.len() - called.len()]).is_some_and(|name| WRAPPERS.contains(&name));
    depth > 0 && (is_function(argument.trim_start(), depth - 1) || argument.is_empty() && wraps())
}

/// `name` of `async name(x: T): R {`, `constructor(`, `get name() {`, `static #name<T>(`.
pub(super) fn script_method(code: &str) -> Option<Definition<'_>> {
    let (head, _) = code.split_once('(')?;
    let parameters = &code[head.len()..];
    let head = without_generics(head);
    let name = head
        .rsplit([' ', '*', '#'])
        .next()
        .filter(|name| !name.is_empty() && name.chars().all(is_word_char))?;
    let before = head[..head.len() - name.len()].trim_end_matches([' ', '*', '#']);
    if STATEMENTS.contains(&name)
        || name == "function"
        || !before.split(' ').all(|word| word.is_empty() || MODIFIERS.contains(&word))
    {
        return None;
    }
    let behind = after_closing(parameters).trim();
    let has_body =
        behind == "{" || behind.starts_with(':') && behind.ends_with('{') && !behind.contains("=>");
    let goes_on = behind.is_empty() && ends_open(code) && (!before.is_empty() || name == "constructor");
    (has_body || goes_on).then_some(Definition { name, of: None })
}
