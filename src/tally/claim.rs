//! Whether two findings say the same thing, by the statistics of their words alone: no model, no network.
//!
//! The main type is [`Claim`]; [`Claim::compare`] gives one of three answers. It looks at two texts only, so no third
//! finding can change whether two agree. Weights and measured figures: `docs/design/agreement.md`.

use std::{
    collections::{HashMap, HashSet},
    hash::Hasher,
    sync::LazyLock,
};

use super::fnv::Fnv;
use crate::{anchor::Anchored, finding::Finding};

/// At this similarity and over it two claims are the same: links 85 % of the same and 2 % of the different pairs.
const SAME: f32 = 0.29;
/// Under this similarity two claims of enough words differ: 10 % of the same and 96 % of the different pairs.
const DIFFERENT: f32 = 0.26;
/// A claim with fewer telling words than this is too terse to say that it differs.
const TERSE: usize = 7;
/// A word must weigh this much to be telling: at most one comment in seven holds it.
const TELLING: f32 = 2.0;
/// Words that fewer comments than this share hold weigh the same: `ln(1/0.03)`.
const RAREST: f32 = 0.03;
/// Words of the line that a finding stands on say where it stands, not what it claims.
const ON_THE_LINE: f32 = 0.7;

/// How two claims relate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sameness {
    /// They say the same.
    Same,
    /// Their words do not settle it.
    Unclear,
    /// They say different things.
    Different,
}

/// Why two findings count as saying the same, or not: all that the rule looks at.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// What the rule says of them.
    pub answer: Sameness,
    /// Likeness of the two claims, 0.0–1.0: the sum of what the shared words give.
    pub similarity: f32,
    /// From this similarity on they are the same.
    pub same_from: f32,
    /// Under this similarity they differ, if neither is terse; in between it is unclear.
    pub different_under: f32,
    /// Words that few other comments hold, on each side.
    pub telling: [usize; 2],
    /// A claim with fewer telling words is too terse to say that it differs.
    pub terse_under: usize,
    /// What both hold, heaviest first.
    pub shared: Vec<SharedWord>,
}

/// A word that two findings share.
#[derive(Debug, Clone, PartialEq)]
pub struct SharedWord {
    /// As the first finding writes it: a word, or a whole name that is made of several.
    pub word: String,
    /// Its part of the similarity, 0.0–1.0.
    pub share: f32,
}

/// Looks at two findings as the tally does, and says what it sees. Swapping them changes the spelling of words alone.
pub fn evidence(a: &Anchored, b: &Anchored) -> Evidence {
    let (left, right) = (Claim::of(a), Claim::of(b));
    let spelling = spelling(&a.finding);
    let length = left.length * right.length;
    let shared = left.words.iter().filter_map(|(hash, weight)| {
        let at = right.words.binary_search_by_key(hash, |(other, _)| *other).ok()?;
        let word = (*spelling.get(hash)?).to_owned();
        Some(SharedWord { word, share: weight * right.words[at].1 / length })
    });
    let mut shared: Vec<_> = shared.collect();
    shared.sort_by(|a, b| b.share.total_cmp(&a.share).then_with(|| a.word.cmp(&b.word)));
    Evidence {
        answer: left.compare(&right),
        similarity: left.similarity(&right),
        same_from: SAME,
        different_under: DIFFERENT,
        telling: [left.telling, right.telling],
        terse_under: TERSE,
        shared,
    }
}

/// How a finding writes each of its words for the first time, by the word's hash.
fn spelling(finding: &Finding) -> HashMap<u64, &str> {
    let mut found = HashMap::from([(hash(finding.what.trim()), finding.what.trim())]);
    let mut learn = |stem: &str, written| {
        found.entry(hash(stem)).or_insert(written);
    };
    prose(&finding.what, &mut |part| each_word(part, &mut learn));
    prose(&finding.why, &mut |part| each_word(part, &mut learn));
    found
}

/// The telling words of one finding, weighed.
#[derive(Debug, Clone, Default)]
pub(super) struct Claim {
    /// Hash and weight of each distinct word, ordered by hash.
    words: Vec<(u64, f32)>,
    /// Euclidean length of the weights.
    length: f32,
    /// How many words are telling.
    telling: usize,
    /// A bit for each word, by its hash: tells most unlike claims apart without looking at the words.
    bits: [u64; 8],
    /// Words beyond the first on one bit.
    crowded: u32,
}

impl Claim {
    /// Reads what a finding says, and discounts the line that it stands on.
    pub(super) fn of(anchored: &Anchored) -> Self {
        let finding = &anchored.finding;
        Self::read(&finding.what, &finding.why, anchored.code.as_deref())
    }

    /// Reads a claim and its grounds; `code` is the line that it stands on.
    fn read(what: &str, why: &str, code: Option<&str>) -> Self {
        let mut line = Vec::new();
        if let Some(code) = code {
            each_word(code, &mut |word, _| line.push(hash(word)));
        }
        line.sort_unstable();
        let mut words = Vec::with_capacity(48);
        let mut weigh = |word: &str, _: &str| words.push((hash(word), weight(word), !word.starts_with('#')));
        prose(what, &mut |part| each_word(part, &mut weigh));
        prose(why, &mut |part| each_word(part, &mut weigh));
        if words.is_empty() {
            // Signs alone: the same only as they stand.
            words.push((hash(what.trim()), weight(""), false));
        }
        words.sort_unstable_by_key(|(hash, ..)| *hash);
        words.dedup_by_key(|(hash, ..)| *hash);
        let telling = words.iter().filter(|(_, weight, plain)| *plain && *weight > TELLING).count();
        let discount = |hash: &u64| if line.binary_search(hash).is_ok() { ON_THE_LINE } else { 1.0 };
        let words: Vec<_> =
            words.into_iter().map(|(hash, weight, _)| (hash, weight * discount(&hash))).collect();
        let length = words.iter().map(|(_, weight)| weight * weight).sum::<f32>().sqrt();
        let mut bits = [0_u64; 8];
        for (hash, _) in &words {
            // The top nine bits choose one of 512.
            bits[(hash >> 61) as usize] |= 1 << ((hash >> 55) & 63);
        }
        let set: u32 = bits.iter().map(|part| part.count_ones()).sum();
        let crowded = u32::try_from(words.len()).unwrap_or(u32::MAX).saturating_sub(set);
        Self { words, length, telling, bits, crowded }
    }

    /// Compares two claims; symmetric.
    pub(super) fn compare(&self, other: &Self) -> Sameness {
        let similarity = if self.could_be_like(other) { self.similarity(other) } else { 0.0 };
        if similarity >= SAME || self.words == other.words {
            Sameness::Same
        } else if similarity >= DIFFERENT || self.telling.min(other.telling) < TERSE {
            Sameness::Unclear
        } else {
            Sameness::Different
        }
    }

    /// `false` only when the similarity is certainly under [`DIFFERENT`]: too few bits are shared for enough shared words.
    fn could_be_like(&self, other: &Self) -> bool {
        let shared: u32 = self.bits.iter().zip(&other.bits).map(|(a, b)| (a & b).count_ones()).sum();
        let words = shared.saturating_add(self.crowded.min(other.crowded));
        let heaviest = RAREST.ln() * RAREST.ln();
        f32::from(u16::try_from(words).unwrap_or(u16::MAX)) * heaviest
            >= DIFFERENT * self.length * other.length
    }

    /// Cosine of the two weighed word sets, 0.0–1.0; 0 when one has no words.
    pub(super) fn similarity(&self, other: &Self) -> f32 {
        let (a, b) = (&self.words, &other.words);
        let (mut at_a, mut at_b, mut shared) = (0, 0, 0.0);
        while let (Some((left, left_weight)), Some((right, right_weight))) = (a.get(at_a), b.get(at_b)) {
            if left == right {
                shared += left_weight * right_weight;
            }
            // Sums instead of branches: which side is behind cannot be foreseen.
            at_a += usize::from(left <= right);
            at_b += usize::from(right <= left);
        }
        let length = self.length * other.length;
        if length > 0.0 { shared / length } else { 0.0 }
    }
}

/// The distinct word stems of `text` in order, joined by blanks: equal for texts that differ in case, punctuation,
/// word order, or numbers. Part of an issue's id.
pub(super) fn normalised(text: &str) -> String {
    let mut stems = Vec::new();
    each_word(text, &mut |word, _| {
        if !word.starts_with('#') && !word.bytes().all(|byte| byte.is_ascii_digit()) {
            stems.push(word.to_owned());
        }
    });
    stems.sort_unstable();
    stems.dedup();
    stems.join(" ")
}

fn hash(word: &str) -> u64 {
    let mut hasher = Fnv::default();
    hasher.write(word.as_bytes());
    hasher.finish()
}

/// `-ln` of the share of review comments that hold `word`.
fn weight(word: &str) -> f32 {
    static SHARES: LazyLock<HashMap<&str, f32>> = LazyLock::new(|| background().collect());
    -SHARES.get(word).copied().unwrap_or(RAREST).max(RAREST).ln()
}

/// The built-in word list: stem and share of comments.
fn background() -> impl Iterator<Item = (&'static str, f32)> {
    include_str!("background.txt").lines().filter_map(|line| {
        let (stem, per_mille) = line.split_once(' ')?;
        Some((stem, per_mille.parse::<f32>().ok()? / 1000.0))
    })
}

/// Calls `each` with the parts of `text` outside code fences; a fence that never closes hides nothing.
fn prose<'a>(text: &'a str, each: &mut impl FnMut(&'a str)) {
    let parts: Vec<_> = text.split("```").collect();
    let unclosed = parts.len() % 2 == 0;
    for (at, part) in parts.iter().enumerate() {
        if at % 2 == 0 || (unclosed && at + 1 == parts.len()) {
            each(part);
        }
    }
}

/// Calls `each` with the stem of every word of `text` and the word as written, names taken apart at `_` and at capitals;
/// a name of several words also comes whole, in lower case behind a `#`.
fn each_word<'a>(text: &'a str, each: &mut impl FnMut(&str, &'a str)) {
    let names = text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|name| !name.is_empty());
    let mut buffer = String::new();
    for name in names {
        let mut words = 0;
        name_parts(name, &mut |part| {
            words += 1;
            buffer.clear();
            push_lower(&mut buffer, part);
            if buffer.len() > 1 && !is_function_word(&buffer) {
                stem(&mut buffer);
                each(&buffer, part);
            }
        });
        if words > 1 {
            buffer.clear();
            buffer.push('#');
            push_lower(&mut buffer, name);
            each(&buffer, name);
        }
    }
}

fn push_lower(buffer: &mut String, text: &str) {
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
    Ideograph,
    Gap,
}

fn kind(c: char) -> Kind {
    match c {
        '_' => Kind::Gap,
        '\u{2e80}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}' | '\u{20000}'.. => {
            Kind::Ideograph
        }
        c if c.is_numeric() => Kind::Digit,
        c if c.is_uppercase() => Kind::Upper,
        _ => Kind::Lower,
    }
}

/// Takes `parseHTTPReply2` apart into `parse`, `HTTP`, `Reply`, `2`; every ideograph is a word.
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
        let same_word =
            before == now && now != Kind::Ideograph || before == Kind::Upper && now == Kind::Lower;
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

fn is_function_word(word: &str) -> bool {
    const WORDS: &str = "a about after all also an and another any are as at be because been before being between \
        both but by can could did do does done down each eg either else etc every few for from had has have having he \
        her here his how i ie if in into is it its just least less may me might more most must my no nor not of on \
        only or other our out over own per same shall she should since so some such than that the their them then \
        there these they this those to too under up us very via was we were what when where which while who whom \
        whose why will with would you your";
    static SET: LazyLock<HashSet<&str>> = LazyLock::new(|| WORDS.split(' ').collect());
    SET.contains(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        each_word(text, &mut |word, _| found.push(word.to_owned()));
        found
    }

    #[test]
    fn takes_names_apart() {
        let check = |text: &str, expect: &[&str]| assert_eq!(words(text), expect, "{text}");
        check("parseHTTPReply2", &["pars", "http", "reply", "#parsehttpreply2"]);
        check("max_body_size", &["max", "body", "size", "#max_body_size"]);
        check("__init__", &["init"]);
        check("the 10 users' retries", &["10", "user", "retry"]);
        check("空指针 x1", &["空", "指", "针", "#空指针", "#x1"]);
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
    fn the_word_list_is_whole() {
        let lines = include_str!("background.txt").lines().filter(|line| !line.starts_with('#')).count();
        let shares: Vec<_> = background().filter(|(stem, _)| !stem.starts_with('#')).collect();
        assert_eq!(shares.len(), lines);
        assert!(shares.iter().all(|(_, share)| (RAREST - 0.001..1.0).contains(share)));
    }

    #[track_caller]
    fn check(a: &str, b: &str, expect: Sameness) {
        let (a, b) = (Claim::read(a, "", None), Claim::read(b, "", None));
        assert_eq!((a.compare(&b), b.compare(&a)), (expect, expect), "similarity {}", a.similarity(&b));
    }

    #[test]
    fn same_in_other_words() {
        check(
            "madvise returns -1 on error and sets errno; passing ret to errnoToString is incorrect",
            "`madvise()` returns -1 with `errno` set, but `ret` is passed into `errnoToString(ret)`, so it prints error -1",
            Sameness::Same,
        );
    }

    #[test]
    fn different_remarks_on_one_line() {
        check(
            "The function reads a token from the environment or stdin without checking that the source of the token is \
             trusted, so another process may inject one",
            "Opening the configuration twice leaks a file handle when the second parse fails, because the early return \
             skips the close call",
            Sameness::Different,
        );
    }

    #[test]
    fn terse_claims_settle_nothing() {
        check("off by one", "reads past the end", Sameness::Unclear);
        check("off by one", "Off by one!", Sameness::Same);
        check("", "", Sameness::Same);
        check("!!", "❌ …", Sameness::Unclear);
    }

    #[test]
    fn code_says_where_not_what() {
        let (a, b) = ("retry_count is never reset", "retry_count may overflow");
        let plain = Claim::read(a, "", None).similarity(&Claim::read(b, "", None));
        let code = Some("retry_count += 1;");
        let placed = Claim::read(a, "", code).similarity(&Claim::read(b, "", code));
        assert!(placed < plain, "{placed} {plain}");
    }

    #[test]
    fn fences_are_not_prose_and_an_open_one_hides_nothing() {
        let claim = |text| Claim::read(text, "", None).words;
        assert_eq!(claim("leaks ```let x = handle;```"), claim("leaks"));
        assert_eq!(claim("leaks ```handle"), claim("leaks handle"));
    }

    /// Percent of the pairs of that label that come out so.
    fn percent(pairs: &str, label: &str, outcome: Sameness) -> usize {
        let compare = |line: &str| {
            let pair: serde_json::Value = serde_json::from_str(line).unwrap();
            let claim = |side: &str| Claim::read(pair[side].as_str().unwrap(), "", None);
            (pair["label"] == label).then(|| claim("a").compare(&claim("b")))
        };
        let outcomes: Vec<_> = pairs.lines().filter_map(compare).collect();
        100 * outcomes.iter().filter(|one| **one == outcome).count() / outcomes.len()
    }

    #[test]
    fn recorded_pairs_keep_their_bars() {
        let martian = include_str!("../../tests/pairs/martian.jsonl");
        let aacr = include_str!("../../tests/pairs/aacr.jsonl");
        assert!(percent(martian, "same", Sameness::Same) >= 75);
        assert!(percent(martian, "different", Sameness::Same) <= 5);
        assert!(percent(aacr, "different", Sameness::Same) <= 15);
    }
}
