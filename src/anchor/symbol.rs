//! Names of functions and types: around which lines they stand ([`enclose`]), and where a named one is ([`find`]).
//!
//! Indentation and closing braces say how far a definition reaches. A hunk shows a part of a file only, so what stands
//! above it is known from its header alone.

use std::{borrow::Cow, collections::HashMap, ops::Range, rc::Rc};

use super::{
    define::{Definition, definition, is_word_char, last_word, words},
    language::Language,
    map::{FileMap, Row},
};

/// Longer lines are generated or minified and define nothing that a person would name.
const LONGEST_LINE: usize = 1_000;

/// Words that go on with a block at the indentation of its first line.
const GOING_ON: [&str; 10] =
    ["else", "elsif", "elif", "rescue", "ensure", "catch", "finally", "after", "where", "end"];

/// The function or type that a line defines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Defined {
    pub(super) name: Rc<str>,
    /// The type or module it is in, as far as the hunk shows.
    pub(super) of: Option<Rc<str>>,
}

/// A definition whose lines may still come.
struct OpenBlock {
    indent: usize,
    name: Rc<str>,
    /// A brace was opened that must be closed before it ends: no line ends it by its indentation alone.
    braced: bool,
}

/// Says for each row of a hunk which function or type it is in and what it defines. `section` is what the hunk's header
/// shows.
pub(super) fn enclose(rows: &mut [Row<'_>], section: &str, language: Language) {
    let mut open: Vec<OpenBlock> = Vec::new();
    open.extend(section_name(section, language).map(|name| OpenBlock {
        indent: 0,
        name: name.into(),
        braced: false,
    }));
    for row in rows {
        let code = row.text.trim();
        let indent = row.indent();
        if code.is_empty() || stands_apart(code, language) {
            row.symbol = open.last().map(|block| Rc::clone(&block.name));
            continue;
        }
        let found = Some(&row.text).filter(|text| text.len() <= LONGEST_LINE);
        row.defined =
            found.and_then(|text| definition(text, language)).map(|found| defined(&found, &open, indent));
        let (continues, defines) = (goes_on(code), row.defined.is_some());
        open.retain(|block| {
            block.indent < indent + usize::from(continues) || block.braced && !defines && !continues
        });
        open.extend(row.defined.as_ref().map(|one| OpenBlock {
            indent,
            name: Rc::clone(&one.name),
            braced: false,
        }));
        if let Some(block) = open.last_mut() {
            block.braced |= language.has_braces() && block.indent == indent && code.ends_with('{');
        }
        row.symbol = open.last().map(|block| Rc::clone(&block.name));
        if ends_block(code, defines) {
            open.retain(|block| block.indent < indent);
        }
    }
}

/// By line of a whole file, the lines of the innermost function or type around it; `None` outside of any, and where its end
/// cannot be told.
pub(crate) fn blocks(path: &str, lines: &[&str]) -> Vec<Option<Range<usize>>> {
    let language = Language::of(path);
    let row = |(text, line): (&&str, u32)| Row {
        line,
        changed: false,
        text: Cow::Owned((*text).to_owned()),
        symbol: None,
        defined: None,
    };
    let mut rows: Vec<Row<'_>> = lines.iter().zip(1..).map(row).collect();
    enclose(&mut rows, "", language);
    // A definition and the lines in it share one name, so its address tells it from others called the same.
    let address = |name: &Rc<str>| Rc::as_ptr(name).cast::<u8>();
    let mut found: HashMap<*const u8, Range<usize>> = HashMap::new();
    for (at, row) in rows.iter().enumerate() {
        if let Some(one) = &row.defined {
            found.insert(address(&one.name), at..at + 1);
        }
        let is_blank = row.text.trim().is_empty();
        if let Some(block) =
            row.symbol.as_ref().filter(|_| !is_blank).and_then(|name| found.get_mut(&address(name)))
        {
            block.end = at + 1;
        }
    }
    let ends = |block: &Range<usize>| {
        let last = lines[block.end - 1].trim();
        block.end < lines.len()
            || !language.has_braces()
            || last.starts_with('}')
            || last.ends_with(['}', ';'])
    };
    found.retain(|_, block| ends(block));
    rows.iter().map(|row| found.get(&address(row.symbol.as_ref()?)).cloned()).collect()
}

fn defined(found: &Definition<'_>, open: &[OpenBlock], indent: usize) -> Defined {
    let around = open.iter().rev().find(|block| block.indent < indent).map(|block| Rc::clone(&block.name));
    Defined { name: found.name.into(), of: found.of.map(Rc::from).or(around) }
}

/// What says nothing about blocks by its indentation: directives, labels and outdented remarks of C and C#.
fn stands_apart(code: &str, language: Language) -> bool {
    let label = || code.ends_with(':') && words(code).count() <= 2 && !code.contains(['(', '"']);
    match language {
        Language::C => code.starts_with('#') || label(),
        Language::Java => code.starts_with('#'),
        _ => false,
    }
}

/// Whether a line at the indentation of a block's first line still belongs to it.
fn goes_on(code: &str) -> bool {
    let first = words(code).next().unwrap_or_default();
    code.starts_with(['}', ')', ']', '{', ':']) || code.starts_with(first) && GOING_ON.contains(&first)
}

/// Whether nothing after this line belongs to a block that began at its indentation.
fn ends_block(bare: &str, defines: bool) -> bool {
    let closes = bare.starts_with('}') || bare == "end" || bare.starts_with("end ");
    let opens = bare.ends_with(['{', '(', '[', ',']) || bare.ends_with(" do") || bare.ends_with("=>");
    closes && !opens || defines && bare.ends_with(['}', ';'])
}

/// The name in a hunk's header: what it defines. In a language that is not known, else the name before its first
/// parenthesis.
fn section_name(section: &str, language: Language) -> Option<String> {
    let guess = || section.split_once('(').and_then(|(head, _)| last_word(head));
    // Git cuts headers short, often within the parameters.
    let found = definition(section, language)
        .map(|found| found.name)
        .or_else(|| definition_cut_short(section, language))
        .or_else(|| if language == Language::Other { guess() } else { None });
    found.map(str::to_owned)
}

/// What a line defines that was cut within its parameters.
fn definition_cut_short(section: &str, language: Language) -> Option<&str> {
    let (head, _) = section.split_once('(')?;
    let whole = &section[..=head.len()];
    definition(whole, language).map(|found| found.name)
}

/// A symbol's last name, without arguments and type parameters: `Foo::bar(x)`, `foo.bar` and `bar/2` are all `bar`.
pub(crate) fn plain_name(symbol: &str) -> &str {
    path_of(symbol).rsplit(|c| !is_word_char(c)).find(|word| !word.is_empty()).unwrap_or(symbol)
}

/// The last name but one: `Foo` of `Foo::bar`.
fn qualifier(symbol: &str) -> Option<&str> {
    let path = path_of(symbol);
    let path = path.rsplit(char::is_whitespace).next()?;
    path.rsplit(|c| !is_word_char(c)).filter(|word| !word.is_empty()).nth(1)
}

/// `symbol` up to its arguments; type parameters before the last name are part of it.
fn path_of(symbol: &str) -> &str {
    let head = symbol.split('(').next().unwrap_or_default().trim_end();
    let head = if words(head).next().is_some() { head } else { symbol };
    let head = head
        .rsplit_once('/')
        .filter(|(_, arity)| arity.bytes().all(|b| b.is_ascii_digit()))
        .map_or(head, |(path, _)| path);
    let generic = head.find(['<', '[']).filter(|_| head.ends_with(['>', ']']));
    match generic {
        Some(at) if words(&head[..at]).next().is_some() => &head[..at],
        _ => head,
    }
}

/// The line that stands for the symbol: its definition, else the first changed line of a hunk whose header names it,
/// else a changed line that mentions it, else any that does. Where `Foo::bar` is asked for and the lines show what their
/// `bar` belongs to, that must be `Foo`.
pub(super) fn find<'f, 'a>(file: &'f FileMap<'a>, symbol: &str) -> Option<&'f Row<'a>> {
    let name = plain_name(symbol);
    if !name.chars().any(is_word_char) {
        return None;
    }
    let wanted = qualifier(symbol).filter(|of| !file.is_called(of));
    let rows = || file.rows_naming(name);
    let definitions = || rows().filter(|row| row.defined.as_ref().is_some_and(|one| &*one.name == name));
    let belongs =
        |row: &&Row<'_>| wanted.is_none_or(|wanted| row.of().is_some_and(|of| same_name(of, wanted)));
    let unknown = |row: &&Row<'_>| {
        row.of().is_none() || wanted.is_some_and(|wanted| wanted.starts_with(char::is_lowercase))
    };
    // Where the definition itself is shown, its lines belong to another type's.
    let hidden = definitions().next().is_none();
    let within = |row: &&Row<'_>| hidden && row.changed && row.symbol.as_deref() == Some(name);
    let mentioned = |row: &&Row<'_>| row.defined.is_none() && mentions(&row.text, name, wanted);
    definitions()
        .find(belongs)
        .or_else(|| definitions().find(unknown))
        .or_else(|| rows().find(within))
        .or_else(|| rows().find(|row| row.changed && mentioned(row)))
        .or_else(|| rows().find(mentioned))
}

/// Whether `text` names `name`, not as that of another type than `wanted`.
fn mentions(text: &str, name: &str, wanted: Option<&str>) -> bool {
    let mut before = "";
    words(text).any(|word| {
        let start = offset(text, word);
        let joined = !before.is_empty()
            && matches!(&text[offset(text, before) + before.len()..start], "::" | "." | "->");
        let other_type =
            |wanted| joined && before.starts_with(char::is_uppercase) && !same_name(before, wanted);
        let found = word == name && !wanted.is_some_and(other_type);
        before = word;
        found
    })
}

/// Where `part`, a slice of `text`, starts in it.
fn offset(text: &str, part: &str) -> usize {
    part.as_ptr() as usize - text.as_ptr() as usize
}

/// `server.stop` may mean the method of a variable of type `Server`.
fn same_name(shown: &str, wanted: &str) -> bool {
    shown.eq_ignore_ascii_case(wanted)
}
