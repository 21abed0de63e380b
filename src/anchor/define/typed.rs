//! Functions and types that have a type before their name, as in C, C++, Objective-C, Java and C#: [`typed_function`],
//! [`c_type`] and [`objective_c_method`].

use super::{
    Definition, Language, MODIFIERS, STATEMENTS,
    brackets::{after_closing, ends_open, parameters_at, without_generics},
    first_word, is_word_char, last_word,
};

/// `Foo` of `struct Foo {`, `class EXPORT Foo final : public Bar {`; nothing of `struct foo *make(int x)` or
/// `struct foo bar = {`, which define no type.
pub(super) fn c_type(after: &str) -> Option<Definition<'_>> {
    let end = after.find(['{', ':']).filter(|at| !after[*at..].starts_with("::")).unwrap_or(after.len());
    let head = after[..end].trim_end();
    let head = head.strip_suffix(" final").unwrap_or(head);
    if head.contains(['(', '=', '*', ';', ',', '&']) || after[end..].is_empty() && head.contains(' ') {
        return None;
    }
    let head = head.split('<').next().unwrap_or_default();
    Definition::from_path(head.rsplit(' ').next()?)
}

/// `name` of `static int name(int x)`, `public List<A> name(`, `void Server::name() const {`, `Server(int x) {`.
pub(super) fn typed_function<'a>(code: &'a str, line: &str, language: Language) -> Option<Definition<'a>> {
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
pub(super) fn objective_c_method(code: &str) -> Option<Definition<'_>> {
    let after = code.strip_prefix(['-', '+'])?.trim_start();
    let name = after.starts_with('(').then(|| after_closing(after).trim_start())?;
    first_word(name).map(|(name, _)| Definition { name, of: None })
}
