//! Takes the texts of findings apart into words that can be compared: [`each_word`].
//!
//! Knows how code writes names and how English bends words; it does not know what any word means, and weighs none.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    sync::LazyLock,
};

use super::fnv::Fnv;

/// What a word is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// It says something: compared.
    Telling,
    /// A name of several words as a whole: compared too, since few texts share one by chance.
    Name,
    /// Grammar of English that other languages do not use: says only which language it is.
    English,
    /// Other grammar: says nothing.
    Grammar,
}

/// One word of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Word<'text, 'stem> {
    /// What it is compared by: lower case, without endings; of grammar as written.
    pub(super) stem: &'stem str,
    /// As it stands in the text.
    pub(super) written: &'text str,
    /// What it is good for.
    pub(super) role: Role,
}

impl Word<'_, '_> {
    /// Equal for words that compare as equal, names and plain words apart.
    pub(super) fn hash(&self) -> u64 {
        let mut hasher = Fnv::default();
        hasher.write(if self.role == Role::Name { b"#" } else { b"" });
        hasher.write(self.stem.as_bytes());
        hasher.finish()
    }

    /// Whether it takes part in comparing.
    pub(super) fn is_compared(&self) -> bool {
        matches!(self.role, Role::Telling | Role::Name)
    }
}

/// The distinct telling stems of `text` in order, joined by blanks: equal for texts that differ in case, punctuation,
/// word order, or numbers. Part of an issue's id.
pub(super) fn normalised(text: &str) -> String {
    let mut stems = Vec::new();
    each_word(text, &mut |word| {
        if word.role == Role::Telling && !word.stem.bytes().all(|byte| byte.is_ascii_digit()) {
            stems.push(word.stem.to_owned());
        }
    });
    stems.sort_unstable();
    stems.dedup();
    stems.join(" ")
}

/// Calls `each` with the parts of `text` outside code fences; a fence that never closes hides nothing.
pub(super) fn prose<'a>(text: &'a str, each: &mut impl FnMut(&'a str)) {
    let fences = text.matches("```").count();
    for (at, part) in text.split("```").enumerate() {
        if at % 2 == 0 || (at == fences && fences % 2 == 1) {
            each(part);
        }
    }
}

/// Calls `each` with every word of `text`. Names come apart at `_` and at capitals, and whole as one word more. Where a
/// script writes without blanks, every two neighbours are a word.
pub(super) fn each_word<'a>(text: &'a str, each: &mut impl FnMut(Word<'a, '_>)) {
    let mut buffer = String::new();
    for run in text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|run| !run.is_empty()) {
        if run.is_ascii() {
            name_words(run, &mut buffer, each);
        } else {
            each_script(run, &mut |part, ideographs| {
                if ideographs {
                    pairs(part, each);
                } else {
                    name_words(part, &mut buffer, each);
                }
            });
        }
    }
}

/// Takes a run apart where ideographs begin or end.
fn each_script<'a>(run: &'a str, each: &mut impl FnMut(&'a str, bool)) {
    let mut rest = run;
    while let Some(first) = rest.chars().next() {
        let now = is_ideograph(first);
        let end = rest.find(|c| is_ideograph(c) != now).unwrap_or(rest.len());
        each(&rest[..end], now);
        rest = &rest[end..];
    }
}

/// Ideographs, kana and hangul.
fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{2e80}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..)
}

/// Every two neighbours as a word; one alone as itself.
fn pairs<'a>(text: &'a str, each: &mut impl FnMut(Word<'a, '_>)) {
    let starts: Vec<_> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let mut word = |from: usize, to: usize| {
        let written = &text[from..to];
        each(Word { stem: written, written, role: Role::Telling });
    };
    if let [from, to] = starts[..] {
        word(from, to);
    }
    starts.windows(3).for_each(|three| word(three[0], three[2]));
}

/// The words of a name, and the name.
fn name_words<'a>(name: &'a str, buffer: &mut String, each: &mut impl FnMut(Word<'a, '_>)) {
    let mut words = 0;
    name_parts(name, &mut |part| {
        words += 1;
        lower(buffer, part);
        let role = role(buffer);
        if role == Role::Telling {
            stem(buffer);
        }
        each(Word { stem: buffer, written: part, role });
    });
    if words > 1 {
        lower(buffer, name);
        each(Word { stem: buffer, written: name, role: Role::Name });
    }
}

fn lower(buffer: &mut String, text: &str) {
    buffer.clear();
    if text.is_ascii() {
        buffer.push_str(text);
        buffer.make_ascii_lowercase();
    } else {
        buffer.extend(text.chars().flat_map(char::to_lowercase));
    }
}

/// How a character takes part in a name.
#[derive(PartialEq, Eq, Clone, Copy)]
enum Kind {
    Upper,
    Lower,
    Digit,
    Gap,
}

fn kind(c: char) -> Kind {
    match c {
        '_' => Kind::Gap,
        c if c.is_numeric() => Kind::Digit,
        c if c.is_uppercase() => Kind::Upper,
        _ => Kind::Lower,
    }
}

/// Takes `parseHTTPReply2` apart into `parse`, `HTTP`, `Reply`, `2`.
fn name_parts<'a>(name: &'a str, each: &mut impl FnMut(&'a str)) {
    let mut start = 0;
    let mut before = Kind::Gap;
    let mut last = 0;
    for (at, c) in name.char_indices() {
        let now = kind(c);
        // The last capital of a row begins the word that follows it.
        if before == Kind::Upper && now == Kind::Lower && last > start {
            each(&name[start..last]);
            start = last;
        }
        let same_word = before == now || before == Kind::Upper && now == Kind::Lower;
        if !same_word {
            if at > start && before != Kind::Gap {
                each(&name[start..at]);
            }
            start = at;
        }
        (before, last) = (now, at);
    }
    if start < name.len() && before != Kind::Gap {
        each(&name[start..]);
    }
}

/// Takes the commonest English endings off an ASCII word in lower case.
fn stem(word: &mut String) {
    const ENDINGS: [(&str, &str); 15] = [
        ("ization", "iz"),
        ("ations", "at"),
        ("ation", "at"),
        ("ingly", ""),
        ("edly", ""),
        ("ments", ""),
        ("ment", ""),
        ("ities", "it"),
        ("ies", "y"),
        ("sses", "ss"),
        ("ing", ""),
        ("ed", ""),
        ("ers", "er"),
        ("ly", ""),
        ("es", "e"),
    ];
    if word.len() <= 3 || !word.is_ascii() {
        return;
    }
    let ending = ENDINGS.iter().find(|(old, new)| {
        word.ends_with(old) && word.len() - old.len() + new.len() >= if *old == "ly" { 4 } else { 3 }
    });
    if let Some((old, new)) = ending {
        word.truncate(word.len() - old.len());
        word.push_str(new);
    } else if word.ends_with('s') && !["ss", "us", "is"].iter().any(|end| word.ends_with(end)) {
        word.pop();
    }
    if word.len() > 4 && word.ends_with('e') {
        word.pop();
    }
    if let [.., before, last] = word.as_bytes()
        && word.len() > 3
        && before == last
        && !b"slz".contains(last)
    {
        word.pop();
    }
}

/// Grammar of English that other languages do not write.
const ENGLISH: &str = "and are be because been but by could does from has have if into it not should than that the their \
    these they this when which with would";

/// Grammar that tells no language, since other languages write some of it too.
const GRAMMAR: &str = "a about after all also an another any as at before being between both can did do done down each eg \
    either else etc every few for had having he her here his how i ie in is its just least less may me \
    might more most must my no nor of on only or other our out over own per same shall she since so some \
    such them then there those to too under up us very via was we were what where while who whom whose \
    why will you your";

/// What a word in lower case is good for. A single letter or digit names a variable or numbers a point.
fn role(word: &str) -> Role {
    static GRAMMATICAL: LazyLock<HashMap<&str, Role, BuildHasherDefault<Fnv>>> = LazyLock::new(|| {
        let english = ENGLISH.split(' ').map(|word| (word, Role::English));
        english.chain(GRAMMAR.split(' ').map(|word| (word, Role::Grammar))).collect()
    });
    match word.len() {
        1 => Role::Grammar,
        2..=7 => GRAMMATICAL.get(word).copied().unwrap_or(Role::Telling),
        _ => Role::Telling,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        each_word(text, &mut |word| match word.role {
            Role::Telling => found.push(word.stem.to_owned()),
            Role::Name => found.push(format!("#{}", word.stem)),
            Role::English | Role::Grammar => {}
        });
        found
    }

    #[test]
    fn takes_names_apart() {
        let check = |text: &str, expect: &[&str]| assert_eq!(words(text), expect, "{text}");
        check("parseHTTPReply2", &["pars", "http", "reply", "#parsehttpreply2"]);
        check("max_body_size", &["max", "body", "size", "#max_body_size"]);
        check("__init__", &["init"]);
        check("the 10 users' retries", &["10", "user", "retry"]);
        check("x1 größer", &["#x1", "größer"]);
    }

    #[test]
    fn a_script_without_blanks_gives_pairs() {
        let check = |text: &str, expect: &[&str]| assert_eq!(words(text), expect, "{text}");
        check("空指针", &["空指", "指针"]);
        check("锁", &["锁"]);
        check("调用parse_header时", &["调用", "pars", "header", "#parse_header", "时"]);
    }

    #[test]
    fn stems_alike_what_means_alike() {
        let check = |text: &str| {
            let stems = words(text);
            assert!(stems.iter().all(|stem| *stem == stems[0]), "{text}: {stems:?}");
        };
        check("validate validates validated validating validation");
        check("retry retries");
        check("leak leaks leaked leaking");
        check("stop stops stopped stopping");
    }

    #[test]
    fn grammar_is_no_longer_than_it_is_looked_up() {
        assert!(ENGLISH.split(' ').chain(GRAMMAR.split(' ')).all(|word| (1..=7).contains(&word.len())));
    }

    #[test]
    fn fences_are_not_prose_and_an_open_one_hides_nothing() {
        let prose = |text| {
            let mut parts = String::new();
            super::prose(text, &mut |part| parts.push_str(part));
            parts
        };
        assert_eq!(prose("leaks ```let x = handle;``` here"), "leaks  here");
        assert_eq!(prose("leaks ```handle"), "leaks handle");
        assert_eq!(prose("a```b```c```d"), "acd");
    }
}
