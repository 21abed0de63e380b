//! Whether two findings say the same thing, by the words that they share alone: no model, no network.
//!
//! The main type is [`Claim`]; [`Claim::compare`] gives one of three answers, [`evidence`] what it stands on. It looks at
//! two texts only, so no third finding can change whether two agree. Every figure: `docs/design/agreement.md`.

use std::collections::HashMap;

use super::words::{Role, Word, each_word, prose};
use crate::finding::Finding;

/// From this likeness on two claims are the same, under it they differ.
const BOUND: f32 = 0.3;
/// Outside English, where nothing was measured, the same only from this likeness on.
const BOUND_ABROAD: f32 = 0.5;
/// Words of each claim of which it is left open whether the other has them: what two wordings of one thought may miss.
const IN_DOUBT: f32 = 3.0;
/// A text is English if of so many words one is English grammar: 97 % of recorded comments are.
const ENGLISH_IN: usize = 40;

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

/// What a claim is written in, as far as the rule must know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tongue {
    /// English prose.
    English,
    /// Names and code, or too few words to tell.
    #[default]
    Unknown,
    /// Not English, and with letters that English does not have.
    Foreign,
}

/// Why two findings count as saying the same, or not: all that the rule looks at.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// What the rule says of them.
    pub answer: Sameness,
    /// Likeness of the two claims if they share no word in doubt, 0.0–1.0.
    pub least: f32,
    /// Likeness if they share them all, 0.0–1.0.
    pub most: f32,
    /// From `least` here on they are the same; `most` under it lets English claims differ; else it is unclear.
    pub bound: f32,
    /// Distinct words that count, on each side.
    pub telling: [usize; 2],
    /// What each side is written in.
    pub tongues: [Tongue; 2],
    /// The words that both hold, as the first finding writes them, in order of the alphabet. Each counts the same.
    pub shared: Vec<String>,
}

/// Looks at two findings as the tally does, and says what it sees. Swapping them changes the spelling of words alone.
pub fn evidence(a: &Finding, b: &Finding) -> Evidence {
    let (left, right) = (Claim::read(&a.what, &a.why), Claim::read(&b.what, &b.why));
    let spelling = spelling(a);
    let both = left.words.iter().filter(|word| right.words.binary_search(word).is_ok());
    let mut shared: Vec<_> =
        both.filter_map(|word| spelling.get(word)).map(|word| (*word).to_owned()).collect();
    shared.sort_unstable();
    Evidence {
        answer: left.compare(&right),
        least: left.likeness(&right, 0.0),
        most: left.likeness(&right, IN_DOUBT),
        bound: left.bound(&right),
        telling: [left.words.len(), right.words.len()],
        tongues: [left.tongue, right.tongue],
        shared,
    }
}

/// How a finding writes each of its words for the first time, by the word's hash.
fn spelling(finding: &Finding) -> HashMap<u64, &str> {
    let whole = as_it_stands(&finding.what);
    let mut found = HashMap::from([(whole.hash(), whole.written)]);
    for text in [&finding.what, &finding.why] {
        prose(text, &mut |part| {
            each_word(part, &mut |word| {
                found.entry(word.hash()).or_insert(word.written);
            });
        });
    }
    found
}

/// A whole text as one word, for claims without words.
fn as_it_stands(what: &str) -> Word<'_, '_> {
    let written = what.trim();
    Word { stem: written, written, role: Role::Name }
}

/// The words of one finding.
#[derive(Debug, Clone, Default)]
pub(super) struct Claim {
    /// Hash of each distinct word, in order.
    words: Vec<u64>,
    /// What it is written in.
    tongue: Tongue,
    /// A bit for each word, by its hash: tells most unlike claims apart without looking at the words.
    bits: [u64; 8],
    /// Words beyond the first on one bit.
    crowded: u32,
}

impl Claim {
    /// Reads what a finding says and why: not its mending, nor where it stands.
    pub(super) fn read(what: &str, why: &str) -> Self {
        let mut text = Text::default();
        prose(what, &mut |part| text.read(part));
        prose(why, &mut |part| text.read(part));
        if text.compared.is_empty() {
            // Signs or code alone: the same only as they stand.
            text.compared.push(as_it_stands(what).hash());
        }
        let tongue = text.tongue();
        let words = text.distinct();
        let mut bits = [0_u64; 8];
        for hash in &words {
            // The top nine bits choose one of 512.
            bits[(hash >> 61) as usize] |= 1 << ((hash >> 55) & 63);
        }
        let set: u32 = bits.iter().map(|part| part.count_ones()).sum();
        let crowded = u32::try_from(words.len()).unwrap_or(u32::MAX).saturating_sub(set);
        Self { words, tongue, bits, crowded }
    }

    /// Compares two claims; symmetric.
    pub(super) fn compare(&self, other: &Self) -> Sameness {
        let shared = if self.could_be_like(other) { self.shared(other) } else { 0.0 };
        let length = self.length(other);
        if shared >= self.bound(other) * length || self.words == other.words {
            Sameness::Same
        } else if shared + IN_DOUBT < BOUND * length && self.is_english() && other.is_english() {
            Sameness::Different
        } else {
            Sameness::Unclear
        }
    }

    fn bound(&self, other: &Self) -> f32 {
        let foreign = self.tongue == Tongue::Foreign || other.tongue == Tongue::Foreign;
        if foreign { BOUND_ABROAD } else { BOUND }
    }

    /// Only English can clearly differ: two languages share no words whatever they say.
    fn is_english(&self) -> bool {
        self.tongue == Tongue::English
    }

    /// `false` only when the claims certainly stay under [`BOUND`]: too few bits are shared for enough shared words.
    fn could_be_like(&self, other: &Self) -> bool {
        let shared: u32 = self.bits.iter().zip(&other.bits).map(|(a, b)| (a & b).count_ones()).sum();
        let words = shared.saturating_add(self.crowded.min(other.crowded));
        count(words as usize) + IN_DOUBT >= BOUND * self.length(other)
    }

    /// Cosine of the two word sets, 0.0–1.0, if they share so many of the words in doubt.
    fn likeness(&self, other: &Self, in_doubt: f32) -> f32 {
        (self.shared(other) + in_doubt) / self.length(other)
    }

    /// The geometric mean of both numbers of words, those in doubt included.
    fn length(&self, other: &Self) -> f32 {
        let words = |claim: &Self| count(claim.words.len()) + IN_DOUBT;
        (words(self) * words(other)).sqrt()
    }

    /// How alike two claims are at least, 0.0–1.0.
    pub(super) fn similarity(&self, other: &Self) -> f32 {
        self.likeness(other, 0.0)
    }

    /// How many words both hold.
    fn shared(&self, other: &Self) -> f32 {
        let (a, b) = (&self.words, &other.words);
        let (mut at_a, mut at_b, mut shared) = (0, 0, 0);
        while let (Some(left), Some(right)) = (a.get(at_a), b.get(at_b)) {
            // Sums instead of branches: which side is behind cannot be foreseen.
            shared += usize::from(left == right);
            at_a += usize::from(left <= right);
            at_b += usize::from(right <= left);
        }
        count(shared)
    }
}

/// A number of words; from 65,535 on a text is as long as any.
fn count(words: usize) -> f32 {
    f32::from(u16::try_from(words).unwrap_or(u16::MAX))
}

/// A text while it is read.
#[derive(Default)]
struct Text {
    /// Hashes of the words that are compared.
    compared: Vec<u64>,
    /// All words.
    words: usize,
    /// Those that are English grammar.
    english: usize,
    /// Letters beyond ASCII occur.
    foreign_letters: bool,
}

impl Text {
    fn read(&mut self, part: &str) {
        each_word(part, &mut |word| {
            self.words += usize::from(word.role != Role::Name);
            self.english += usize::from(word.role == Role::English);
            self.foreign_letters |= !word.written.is_ascii();
            if word.is_compared() {
                self.compared.push(word.hash());
            }
        });
    }

    fn tongue(&self) -> Tongue {
        if self.words > 0 && self.english * ENGLISH_IN >= self.words {
            Tongue::English
        } else if self.foreign_letters {
            Tongue::Foreign
        } else {
            Tongue::Unknown
        }
    }

    /// Each word once, in order.
    fn distinct(mut self) -> Vec<u64> {
        self.compared.sort_unstable();
        self.compared.dedup();
        self.compared
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(a: &str, b: &str, expect: Sameness) {
        let (a, b) = (Claim::read(a, ""), Claim::read(b, ""));
        assert_eq!((a.compare(&b), b.compare(&a)), (expect, expect), "likeness {}", a.similarity(&b));
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
    fn claims_of_few_words_do_not_differ() {
        let seven = [
            "the socket leaks when the handshake fails under heavy daily load",
            "counter races because threads skip that shared lock twice",
        ];
        check(seven[0], seven[1], Sameness::Unclear);
        check(&format!("{} forever", seven[0]), &format!("{} again", seven[1]), Sameness::Different);
    }

    #[test]
    fn languages_share_no_words_and_settle_nothing() {
        let english = "the response body is dereferenced without a check, so a failed request with an empty body \
                       crashes the worker and loses the job";
        let chinese = "这里没有检查空指针，当请求失败并且响应体为空时会导致工作进程崩溃，任务也会丢失";
        check(english, chinese, Sameness::Unclear);
        check(chinese, "当请求失败并且响应体为空时，这里没有检查空指针，会导致工作进程崩溃", Sameness::Same);
        check(
            chinese,
            "这里没有关闭文件句柄，提前返回时会导致资源泄漏，建议改用自动释放的写法",
            Sameness::Unclear,
        );
        check(
            "Die Funktion prüft nicht, ob der Zeiger null ist, was bei einer leeren Antwort zu einem Absturz führt",
            "Die Datei wird bei einer frühen Rückkehr nicht geschlossen, was zu einem Leck von Griffen führt",
            Sameness::Unclear,
        );
    }

    #[test]
    fn code_alone_settles_nothing_unless_it_is_the_same() {
        let (a, b) = ("```\nlet n = items.len() - 1;\n```", "```\nreader.close().await?;\n```");
        check(a, b, Sameness::Unclear);
        check(a, a, Sameness::Same);
        let lines =
            "let first = items.get(0); let last = items.get(items.len() - 1); let middle = pick(first, last)";
        let others = "reader.close().await?; socket.shutdown(Both)?; drop(buffer); registry.remove(token); retries += 1";
        check(lines, others, Sameness::Unclear);
    }

    /// Percent of the pairs of that label that come out so.
    fn percent(pairs: &str, label: &str, outcome: Sameness) -> usize {
        let compare = |line: &str| {
            let pair: serde_json::Value = serde_json::from_str(line).unwrap();
            let claim = |side: &str| Claim::read(pair[side].as_str().unwrap(), "");
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
