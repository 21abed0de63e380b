//! Which function or type a line of code defines: [`definition`].
//!
//! Words and parentheses of a single line decide, by the habits of its language; nothing is parsed. What a line leaves
//! open (a type on the line above, a brace on the line below) is guessed in favour of a definition only where calls are
//! never written so.

#[cfg(test)]
mod tests;

use super::language::Language;

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

/// Calls that are given a function and stand for it.
const WRAPPERS: [&str; 5] = ["memo", "forwardRef", "observer", "useCallback", "defineComponent"];

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

/// `Foo` of `struct Foo {`, `class EXPORT Foo final : public Bar {`; nothing of `struct foo *make(int x)` or
/// `struct foo bar = {`, which define no type.
fn c_type(after: &str) -> Option<Definition<'_>> {
    let end = after.find(['{', ':']).filter(|at| !after[*at..].starts_with("::")).unwrap_or(after.len());
    let head = after[..end].trim_end();
    let head = head.strip_suffix(" final").unwrap_or(head);
    if head.contains(['(', '=', '*', ';', ',', '&']) || after[end..].is_empty() && head.contains(' ') {
        return None;
    }
    let head = head.split('<').next().unwrap_or_default();
    Definition::from_path(head.rsplit(' ').next()?)
}

/// `name` of `const name = (x) => {`, `export const name: T = useCallback(async () => {`, `A.prototype.name = function () {`,
/// `name: async (x) => {`.
fn assigned_function(code: &str) -> Option<Definition<'_>> {
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

/// Whether the line goes on with parameters on the next.
fn ends_open(text: &str) -> bool {
    text.ends_with(['(', ',', '{'])
}

/// `name` of `async name(x: T): R {`, `constructor(`, `get name() {`, `static #name<T>(`.
fn script_method(code: &str) -> Option<Definition<'_>> {
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

/// `name` of `static int name(int x)`, `public List<A> name(`, `void Server::name() const {`, `Server(int x) {`.
fn typed_function<'a>(code: &'a str, line: &str, language: Language) -> Option<Definition<'a>> {
    let Some(open) = parameters_at(code) else { return property(code, language) };
    let head = head_of_function(&code[..open])?;
    let path_at = head.rfind(|c: char| c.is_whitespace() || "*&>]".contains(c)).map_or(0, |at| at + 1);
    let path = &head[path_at..];
    let found = Definition::from_path(path).filter(|found| !STATEMENTS.contains(&found.name))?;
    let behind = after_closing(&code[open..]);
    let statement = code.ends_with(';') || behind.contains(" = ") && !behind.contains("=>");
    if statement || path.contains(['.', ',']) {
        return None;
    }
    let titled = found.name.starts_with(char::is_uppercase) || found.of.is_some();
    let top_level = !line.starts_with(char::is_whitespace) && language == Language::C;
    let modified = first_word(head).is_some_and(|(word, _)| MODIFIERS.contains(&word));
    let whole = !behind.is_empty() || code.ends_with(')');
    let stands = match path_at {
        // A constructor, or a type on the line above.
        0 if top_level => whole && opens_body(behind) || code.ends_with(','),
        0 => titled && whole && behind.trim_end().ends_with('{'),
        // `Type variable(` is how C++ begins a variable.
        _ if whole => opens_body(behind),
        _ => ends_open(code) && (top_level || modified || language != Language::C),
    };
    let case =
        (path_at == 0 && is_macro(found.name)).then(|| last_word(&code[open..code.len() - behind.len()]));
    stands.then(|| case.flatten().map_or(found, |name| Definition { name, of: None }))
}

/// What stands before the parameters, when it can be a type and a name.
fn head_of_function(head: &str) -> Option<&str> {
    let plain = |c: char| is_word_char(c) || " *&:<>,~[]?.@\t()".contains(c);
    let (first, _) = first_word(head.trim_start_matches('~'))?;
    let can_be = head.chars().all(plain) && !head.contains("<<") && !head.contains("&&");
    (can_be && !STATEMENTS.contains(&first)).then(|| without_generics(head.trim_end()))
}

/// Where the parameters begin: the first parenthesis outside angle brackets.
fn parameters_at(code: &str) -> Option<usize> {
    let mut depth = 0_u32;
    for (at, c) in code.char_indices() {
        match c {
            '<' => depth += 1,
            '>' => depth = depth.saturating_sub(1),
            '(' if depth == 0 => return Some(at),
            _ => {}
        }
    }
    code.find('(')
}

/// Whether what follows the parameters is a body, or nothing: the brace may stand on the next line.
fn opens_body(behind: &str) -> bool {
    let behind = behind.trim();
    behind.is_empty()
        || behind.ends_with(['{', '}'])
        || behind.starts_with("=>")
        || behind.starts_with(':')
        || behind.split_whitespace().all(|word| word.chars().all(|c| is_word_char(c) || c == '.' || c == ','))
}

/// `TEST_F(Suite, Name) {`.
fn is_macro(name: &str) -> bool {
    name.len() > 2 && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

/// A C# property: `public string Name`, `public int Count => 3`, `protected bool On {`.
fn property(code: &str, language: Language) -> Option<Definition<'_>> {
    let head = code.split(['{', '=']).next().unwrap_or_default().trim_end();
    let accessible =
        ["public ", "private ", "protected ", "internal "].iter().any(|word| head.starts_with(word));
    let arrow_or_body =
        code.len() == head.len() || code[head.len()..].trim_start().starts_with(['{']) || code.contains("=>");
    if language != Language::Java
        || !accessible
        || !arrow_or_body
        || code.ends_with([';', ',']) && !code.contains("=>")
    {
        return None;
    }
    let name = head.rsplit(' ').next().filter(|name| name.chars().all(is_word_char))?;
    let types = head.split(' ').filter(|word| !MODIFIERS.contains(word)).count();
    (types == 2).then_some(Definition { name, of: None })
}

/// `name` of `- (void)name:(int)x {` and `+ (id)name`.
fn objective_c_method(code: &str) -> Option<Definition<'_>> {
    let after = code.strip_prefix(['-', '+'])?.trim_start();
    let name = after.starts_with('(').then(|| after_closing(after).trim_start())?;
    first_word(name).map(|(name, _)| Definition { name, of: None })
}

/// `name` of `name() {`.
fn shell_function(code: &str) -> Option<Definition<'_>> {
    let (head, after) = code.split_once('(')?;
    let head = head.trim_end();
    let plain = !head.is_empty() && head.chars().all(|c| is_word_char(c) || "-.:".contains(c));
    let empty = after.trim_start().starts_with(')');
    (plain && empty).then(|| last_word(head)).flatten().map(|name| Definition { name, of: None })
}

/// What follows the bracket that closes the one `text` begins with; nothing when it stays open.
fn after_closing(text: &str) -> &str {
    let mut depth = 0_u32;
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return &text[at + c.len_utf8()..];
        }
    }
    ""
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

/// `name<T>` without its trailing angle brackets.
fn without_generics(head: &str) -> &str {
    if !head.ends_with('>') {
        return head;
    }
    let mut depth = 0_u32;
    for (at, c) in head.char_indices().rev() {
        match c {
            '>' => depth += 1,
            '<' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return head[..at].trim_end();
        }
    }
    head
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
