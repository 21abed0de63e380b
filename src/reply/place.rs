//! Places as reviewers write them, read into [`Location`]s.
//!
//! Three ways in: [`whole`] for a text that is a place (behind `WHERE:`), [`leading`] for one that opens a line, and [`within`] for
//! one somewhere in a sentence. Nothing is checked against a change.

use super::{
    draft::bounded,
    lines::{self, Spec},
};
use crate::finding::{LineRange, Location};

/// Longest path believed, in bytes.
const LONGEST_PATH: usize = 1024;
/// Most places taken from one text.
pub(super) const MOST_PLACES: usize = 50;
/// File names that carry neither a folder nor an extension.
const BARE_NAMES: &[&str] = &[
    "makefile",
    "dockerfile",
    "jenkinsfile",
    "gemfile",
    "rakefile",
    "procfile",
    "license",
    "readme",
    "codeowners",
];
/// Words that may stand before the name in a symbol.
const SYMBOL_WORDS: &[&str] = &[
    "fn",
    "func",
    "function",
    "def",
    "class",
    "struct",
    "impl",
    "method",
    "type",
    "enum",
    "trait",
    "interface",
    "module",
    "mod",
    "const",
    "static",
    "async",
    "pub",
    "macro",
    "in",
    "the",
    "at",
];

/// What stands where a place is asked for and there is none.
const NOWHERE: &[&str] = &[
    "",
    "none",
    "n/a",
    "na",
    "not applicable",
    "null",
    "nil",
    "unknown",
    "unspecified",
    "nowhere",
    "everywhere",
    "general",
    "global",
    "overall",
    "various",
    "multiple",
    "several",
    "all",
    "all files",
    "multiple files",
    "several files",
    "various files",
    "many files",
    "multiple places",
    "multiple locations",
    "various places",
    "various locations",
    "entire diff",
    "whole diff",
    "the diff",
    "the whole diff",
    "entire change",
    "whole change",
    "the change",
    "the whole change",
    "entire bundle",
    "whole bundle",
    "entire file",
    "无",
    "なし",
];

/// Whether `text` says that there is no place, with a remark that names none either or without: `N/A (whole change)`.
pub(super) fn is_nowhere(text: &str) -> bool {
    let text = bounded(text, LONGEST_PATH);
    let is_one = |text: &str| {
        let plain = text.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
        NOWHERE.contains(&plain.as_str())
    };
    let names_none = |remark: &str| {
        let mut words = remark.split(|c: char| c.is_whitespace() || "(),;`*".contains(c));
        !words.any(looks_like_path)
    };
    let remark = text.split_once(['(', '—', '–']).or_else(|| text.split_once(" - "));
    is_one(text) || remark.is_some_and(|(before, remark)| is_one(before) && names_none(remark))
}

/// The places a whole text names, first one first; empty when it names none.
pub(super) fn whole(text: &str) -> Vec<Location> {
    if is_nowhere(text) {
        return Vec::new();
    }
    let text = undressed(text);
    let places = listed(text);
    if places.first().is_none_or(|place| place.lines.is_none() && !looks_like_path(&place.path)) {
        return turned_around(text).map_or(places, |place| vec![place]);
    }
    places
}

/// `line 42 of a.rs`, `function parse (a.rs:42)`, `Parser::parse in a.rs`: the path comes last.
fn turned_around(text: &str) -> Option<Location> {
    if let Some((spec, rest)) = lines::ahead_of_path(text) {
        let place =
            listed(undressed(rest)).into_iter().next().filter(|place| looks_like_path(&place.path))?;
        return Some(Location { lines: spec.range(), ..place });
    }
    if let Some((place, _)) = within(text) {
        return Some(place);
    }
    let text = bounded(text, LONGEST_PATH);
    let separator = |c: char| c.is_whitespace() || "()[]<>`*\"',;".contains(c);
    let names = || tokens(text, separator).map(|(_, token)| token.trim_end_matches(['.', ':']));
    let path = names().find(|token| looks_like_path(token) && !token.contains("::"))?;
    let plain = |name: &&str| !SYMBOL_WORDS.contains(&name.to_ascii_lowercase().as_str()) && *name != path;
    let symbol = names().find(plain).filter(|name| is_symbol(name)).map(str::to_owned);
    Some(Location { path: clean_path(path), lines: None, symbol })
}

fn listed(text: &str) -> Vec<Location> {
    let mut places = Vec::new();
    let mut rest = text;
    while places.len() < MOST_PLACES && !rest.is_empty() {
        let Some((more, after)) = one_of_whole(rest, !places.is_empty()) else { break };
        places.extend(more);
        let next = after.trim_start_matches(|c: char| c.is_whitespace() || "*_`)].".contains(c));
        let Some(next) = further_mark(next) else { break };
        rest = next;
    }
    places
}

/// A path without lines, as a key of its own gives it; lines in it are read all the same.
pub(super) fn of_path(path: &str) -> Vec<Location> {
    let places = whole(path);
    if places.is_empty() && !is_nowhere(path) && path.len() <= LONGEST_PATH {
        return vec![Location { path: clean_path(path), ..Location::default() }];
    }
    places
}

/// The places a text behind `also at` names; lines without a path are in `path`.
pub(super) fn further(text: &str, path: &str) -> Vec<Location> {
    let places = whole(text);
    if places.iter().any(|place| place.lines.is_some() || looks_like_path(&place.path)) {
        return places;
    }
    let in_path = |lines| Location { path: path.to_owned(), lines: Some(lines), symbol: None };
    lines::only(text).into_iter().map(in_path).collect()
}

/// What stands behind the words that join a further place: `, `, ` and `, ` (also at `.
fn further_mark(text: &str) -> Option<&str> {
    let marks = [',', ';', '&', '+', '，', '、', '；', '(', '（', '|'];
    let mut rest = text.strip_prefix(marks).map(str::trim_start);
    let words = [
        "and ",
        "also ",
        "at ",
        "in ",
        "as well as ",
        "same in ",
        "same at ",
        "und ",
        "auch ",
        "et ",
        "y ",
        "и ",
        "和",
        "以及",
        "similar in ",
        "likewise ",
    ];
    for _ in 0..4 {
        let next = rest.unwrap_or(text);
        let Some(after) = words.iter().find_map(|word| next.strip_prefix(word)) else { break };
        rest = Some(after.trim_start());
    }
    rest
}

/// One place at the start of `text`. A further place must look like a path; the first may be any name.
fn one_of_whole(text: &str, further: bool) -> Option<(Vec<Location>, &str)> {
    if let Some((inner, after)) = enclosed(text) {
        return in_span(text, inner, after)
            .filter(|(places, _)| !further || places.iter().all(|place| looks_like_path(&place.path)));
    }
    let (path, after) = path_of_whole(text)?;
    (!further || looks_like_path(path)).then(|| finish(path, after))
}

/// The place in a code span or link of `text`; the lines stand in it or behind it, and further places may be in it too.
fn in_span<'a>(text: &'a str, inner: &'a str, after: &'a str) -> Option<(Vec<Location>, &'a str)> {
    let (path, lines) = cut_path(inner);
    if path.is_empty() {
        return None;
    }
    if lines.trim().is_empty() {
        return Some(finish(path, after));
    }
    let (places, rest) = finish(path, lines);
    Some((places, if rest.trim().is_empty() { after } else { &text[offset(text, rest)..] }))
}

/// Joins a path with the lines or the symbol that follow it.
fn finish<'a>(path: &str, after: &'a str) -> (Vec<Location>, &'a str) {
    let path = clean_path(path);
    if let Some((specs, rest)) = lines::after_path(after) {
        let place = |lines: Option<LineRange>| Location { path: path.clone(), lines, symbol: None };
        return (specs.into_iter().map(Spec::range).map(place).collect(), rest);
    }
    if let Some((lines, rest)) = lines_behind_symbol(after) {
        return (vec![Location { path, lines: Some(lines), symbol: None }], rest);
    }
    let (symbol, rest) = symbol(after).map_or((None, after), |(symbol, rest)| (Some(symbol), rest));
    (vec![Location { path, lines: None, symbol }], rest)
}

/// The path a place text opens with: everything up to its lines, when that can be a path.
fn path_of_whole(text: &str) -> Option<(&str, &str)> {
    let (path, after) = cut_path(text);
    let words = path.split_whitespace().count();
    let plausible = !path.is_empty()
        && path.len() <= LONGEST_PATH
        && (words == 1 || looks_like_path(path) && (words <= 3 || has_lines(after)));
    if plausible {
        return Some((path, after));
    }
    let (token, after) = text.split_at(text.find(char::is_whitespace).unwrap_or(text.len()));
    looks_like_path(token).then_some((token, after))
}

fn has_lines(after: &str) -> bool {
    lines::after_path(after).is_some()
}

/// Cuts a text where its path ends: before lines, a symbol, a parenthesis or a further place.
fn cut_path(text: &str) -> (&str, &str) {
    for (at, c) in text.char_indices().take(LONGEST_PATH * 2) {
        let rest = &text[at..];
        let ends = match c {
            ' ' | '#' if is_numbered(&text[..at], rest) => false,
            '：' | '（' => true,
            ':' | '#' => !rest[1..].starts_with(['/', '\\']) && !is_address(&text[..at], rest),
            '@' => names_file(&text[..at]) && lines::after_path(rest).is_some(),
            '(' => at > 0 && text[..at].ends_with(' ') || rest.starts_with("(line") || rest.starts_with("(L"),
            ',' | ';' | '`' | '*' => c != '*' || !rest[1..].starts_with(['.', '/']),
            ' ' => lines::after_path(rest).is_some() || opens_remark(rest.trim_start()),
            _ => false,
        };
        if ends {
            return (text[..at].trim_end(), rest);
        }
    }
    (text.trim_end().trim_end_matches('.'), "")
}

/// Whether a path goes on at ` #`, as in `sp ace #1 ä.py:1`: no file is named before it, and one before its lines.
fn is_numbered(before: &str, rest: &str) -> bool {
    let is_spaced = rest.starts_with(" #") || rest.starts_with('#') && before.ends_with(' ');
    let named =
        || rest.split_once(':').is_some_and(|(name, _)| names_file(name) && has_lines(&rest[name.len()..]));
    is_spaced && !names_file(before.trim_end()) && named()
}

/// Behind the `:` of `https:` or `C:` the path goes on.
fn is_address(before: &str, rest: &str) -> bool {
    rest.starts_with("://") || (before.len() == 1 && rest[1..].starts_with(['\\', '/']))
}

/// A dash, an arrow or a small word: what follows is no path.
fn opens_remark(rest: &str) -> bool {
    ["—", "–", "- ", "->", "→", "(", "in ", "at ", "and ", "near ", "around ", "|", "@"]
        .iter()
        .any(|mark| rest.starts_with(mark))
}

/// The inside of a code span, a link or a quoted name at the start of `text`, and what follows it.
fn enclosed(text: &str) -> Option<(&str, &str)> {
    if let Some(rest) = text.strip_prefix('[') {
        let close = rest.find("](").filter(|at| *at <= LONGEST_PATH)?;
        let target_end = rest[close..].find(')')?;
        let label = undressed(&rest[..close]);
        let target = &rest[close + 2..close + target_end];
        let inner = if looks_like_path(cut_path(label).0) { label } else { target };
        return Some((inner, &rest[close + target_end + 1..]));
    }
    let open = text.chars().next().filter(|c| matches!(c, '`' | '"' | '\'' | '<'))?;
    let close = if open == '<' { '>' } else { open };
    let rest = text.trim_start_matches(open);
    let end = rest.find(close).filter(|at| *at <= LONGEST_PATH)?;
    Some((rest[..end].trim(), rest[end..].trim_start_matches(close)))
}

/// Where `part`, a slice of `text`, starts in it.
fn offset(text: &str, part: &str) -> usize {
    (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize).min(text.len())
}

fn undressed(text: &str) -> &str {
    text.trim().trim_start_matches(['*', '(']).trim_start_matches("__ ").trim_end_matches(['*', '.']).trim()
}

/// A place that opens `body`, and what follows it. Without lines it must stand in a code span, be bold, or look like
/// nothing but a path.
pub(super) fn leading(body: &str) -> Option<(Vec<Location>, &str)> {
    if !body.contains(['.', '/', ':', '#']) {
        return None;
    }
    let (places, rest, in_code) = if let Some((inner, after)) = enclosed(body) {
        let (places, rest) = in_span(body, inner, after)?;
        (places, rest, true)
    } else {
        let (path, after) = cut_token(body);
        let (places, rest) = looks_like_path(path).then(|| finish(path, after.trim_start_matches("**")))?;
        (places, rest, false)
    };
    let path = places.first().map(|place| place.path.as_str()).filter(|path| looks_like_path(path))?;
    let named =
        names_file(path) && places.iter().any(|place| place.symbol.is_some()) && !rest.starts_with(' ');
    let sure = places.iter().any(|place| place.lines.is_some()) || !in_code && named;
    let rest = rest.trim_start_matches(['`', '*', ')', ']']);
    if !sure {
        return (stands_apart(rest) && (in_code || names_file(path))).then(|| (places.clone(), rest));
    }
    Some(with_further(places, rest))
}

/// `a.rs:3, b.rs:9 and c.rs:4`: the places with lines that follow the first.
fn with_further(mut places: Vec<Location>, mut rest: &str) -> (Vec<Location>, &str) {
    while places.len() < MOST_PLACES {
        let next = rest.trim_start();
        let marked = next.strip_prefix([',', '&', '+', '，', '、']).or_else(|| next.strip_prefix("and "));
        let next = marked.map(|next| next.trim_start().trim_start_matches("and "));
        let Some((more, after)) = next.and_then(|next| one_of_whole(next, true)) else { break };
        if more.iter().any(|place| place.lines.is_none()) {
            break;
        }
        places.extend(more);
        rest = after.trim_start_matches(['`', '*', ')', ']']);
    }
    (places, rest)
}

/// Whether the last part of a path is a file's name: `Security/logic` is none.
fn names_file(path: &str) -> bool {
    let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
    has_extension(name) || BARE_NAMES.contains(&name.to_ascii_lowercase().as_str())
}

/// Nothing, or a mark that parts a path from a remark.
fn stands_apart(rest: &str) -> bool {
    rest.trim().is_empty()
        || rest.starts_with(':')
        || [" — ", " – ", " - ", ": "].iter().any(|mark| rest.starts_with(mark))
}

/// A path of one token, cut before its lines.
fn cut_token(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| c.is_whitespace() || "`*,;\"'，；".contains(c)).unwrap_or(text.len());
    let token = &text[..end];
    let (path, lines) = cut_path(token);
    (path, &text[path.len().min(text.len() - lines.len())..])
}

/// The first place with lines anywhere in `text`, and where it starts.
pub(super) fn within(text: &str) -> Option<(Location, usize)> {
    if !text.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let separator = |c: char| c.is_whitespace() || "([{<`*\"'（【「，。、".contains(c);
    for (at, token) in tokens(text, separator) {
        let rest = &text[at..];
        let (path, _) = cut_path(token);
        if !looks_like_path(path) {
            continue;
        }
        let after = rest[path.len()..].trim_start_matches(['`', '*', '"', '\'']);
        if let Some((specs, _)) = lines::after_path(after) {
            let lines = specs.first().copied().and_then(Spec::range);
            return Some((Location { path: clean_path(path), lines, symbol: None }, at));
        }
        if let Some(spec) = lines::before_path(&text[..at]) {
            return Some((Location { path: clean_path(path), lines: spec.range(), symbol: None }, at));
        }
    }
    None
}

fn tokens<'a>(
    text: &'a str,
    separator: impl Fn(char) -> bool + Copy + 'a,
) -> impl Iterator<Item = (usize, &'a str)> {
    text.split(separator).filter(|token| token.len() > 2).map(move |token| (offset(text, token), token))
}

/// Whether a token has a folder or a file name's extension and nothing that no path has.
pub(super) fn looks_like_path(token: &str) -> bool {
    if token.is_empty() || token.len() > LONGEST_PATH || token.contains(['|', '<', '>', '=', '\n', ';']) {
        return false;
    }
    let has_folder = token.contains('/') && !token.contains(' ') && token.chars().any(char::is_alphanumeric);
    has_folder || names_file(token)
}

fn has_extension(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(stem, extension)| {
        let lettered = extension.starts_with(|c: char| c.is_ascii_alphabetic());
        let plain =
            extension.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'_');
        lettered
            && plain
            && extension.len() <= 12
            && !stem.ends_with(' ')
            && !(stem.len() == 1 && extension.len() == 1)
            || stem.is_empty() && !extension.is_empty() && plain
    })
}

/// `::parse:42`: the line says more than the symbol.
fn lines_behind_symbol(after: &str) -> Option<(LineRange, &str)> {
    let name = after.strip_prefix("::").or_else(|| after.strip_prefix(':'))?;
    let end = name.find(|c: char| !(c.is_alphanumeric() || "_:.".contains(c))).unwrap_or(name.len());
    let (name, rest) = name.split_at(end);
    let (name, lines) = name.rsplit_once(':')?;
    let range = lines::only(lines).first().copied().filter(|_| is_symbol(name))?;
    Some((range, rest))
}

/// The symbol after a path: `:name`, `::name`, `#name`, ` (name)`, ` in name`.
fn symbol(after: &str) -> Option<(String, &str)> {
    let marks = ["::", ":", "#", " (", ", in ", " in ", " - ", " — ", " – ", " @"];
    let rest = marks.iter().find_map(|mark| after.strip_prefix(mark))?;
    let end = rest.find(['\n', ',', ';', '`', ')', '(']).unwrap_or(rest.len());
    let starts_with_span = rest.trim_start().starts_with('`');
    let (name, tail) = if starts_with_span { enclosed(rest.trim_start())? } else { rest.split_at(end) };
    let name = name.trim().trim_matches(['*', '`', '.']).trim_end_matches("()");
    let name = name.split(" (").next().unwrap_or(name);
    let tail = tail.strip_prefix("()").unwrap_or(tail);
    is_symbol(name).then(|| (name.to_owned(), tail))
}

fn is_symbol(name: &str) -> bool {
    let mut words = name.split_whitespace().rev();
    let Some(last) = words.next() else { return false };
    let lettered = last.chars().any(char::is_alphabetic);
    let plain = last.chars().all(|c| c.is_alphanumeric() || "_.:$~<>!?&=-+[]*".contains(c));
    name.len() <= 200
        && lettered
        && plain
        && words.all(|word| SYMBOL_WORDS.contains(&word.to_ascii_lowercase().as_str()))
}

/// Lines named by themselves at the start of `body` (`Line 42:`, `L3-L5 —`), and what follows.
pub(super) fn leading_lines(body: &str) -> Option<(LineRange, &str)> {
    lines::alone(body)
}

/// Takes off what is not part of the path: `a/`, `b/`, `./`, a web address up to the blob, quotes.
pub(super) fn clean_path(path: &str) -> String {
    let mut path = path.trim().trim_matches(['`', '"', '\'', '*']);
    if let Some((_, blob)) = path.split_once("/blob/").filter(|_| path.contains("://")) {
        path = blob.split_once('/').map_or(blob, |(_, inside)| inside);
    }
    path = path.strip_prefix("file://").unwrap_or(path);
    path = path.strip_prefix('[').filter(|path| !path.contains(']')).unwrap_or(path);
    while let Some(rest) = path.strip_prefix("./") {
        path = rest.trim_start_matches('/');
    }
    if path.contains('\\') && !path.contains('/') { path.replace('\\', "/") } else { path.to_owned() }
}
