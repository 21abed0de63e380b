//! Words with which a reviewer takes back its own finding, and which finding they mean: [`Target`].
//!
//! A retraction must open a sentence: a claim *about* withdrawals or false positives is not one.

use std::sync::LazyLock;

use super::{line, place, words::Words};
use crate::finding::{Finding, Location};

const OPENERS: &[&str] = &[
    "on reflection",
    "on second thought",
    "on second thoughts",
    "on closer inspection",
    "on closer look",
    "on closer reading",
    "on a closer look",
    "on re-reading",
    "on rereading",
    "thinking again",
    "thinking about it more",
    "looking again",
    "looking closer",
    "looking more closely",
    "after reconsidering",
    "upon reflection",
    "upon closer inspection",
    "upon re-examination",
    "actually",
    "wait",
    "hmm",
    "correction",
    "having re-read",
    "having checked",
    "re-reading",
    "hold on",
    "update",
    "edit",
    "so this",
    "so it",
    "so that",
];
const ALL_FINE: &[&str] = &[
    "is fine",
    "is ok",
    "is okay",
    "is correct",
    "is safe",
    "is intentional",
    "is by design",
    "looks fine",
    "looks correct",
    "looks ok",
    "is harmless",
    "seems fine",
    "is not an issue",
    "is not a problem",
    "is not a bug",
    "isn't an issue",
    "isn't a problem",
    "isn't a bug",
    "is a non-issue",
    "is not a real issue",
    "not a real problem",
    "is a false positive",
    "was wrong",
    "is wrong",
    "was mistaken",
    "does not apply",
    "doesn't apply",
    "is invalid",
    "is not valid",
    "no longer applies",
    "i withdraw",
    "i retract",
    "withdrawn",
    "is not actually",
    "isn't actually",
    "is actually fine",
    "is actually correct",
    "is handled",
    "not an issue",
    "no issue here",
    "is a non issue",
    "not an issue after all",
    "not a bug after all",
    "does not hold",
    "doesn't hold",
];
const OUTRIGHT: &[&str] = &[
    "i retract",
    "i withdraw",
    "i am retracting",
    "i'm retracting",
    "i am withdrawing",
    "i'm withdrawing",
    "i take this back",
    "i take that back",
    "i hereby retract",
    "i hereby withdraw",
    "retracting this",
    "retracting that",
    "retracting the",
    "retracting my",
    "retracting it",
    "retract this",
    "retract that",
    "withdrawing this",
    "withdrawing that",
    "withdrawing the",
    "withdrawing my",
    "scratch that",
    "never mind",
    "nevermind",
    "disregard this",
    "disregard that",
    "disregard the above",
    "disregard my",
    "please disregard",
    "please ignore this",
    "please ignore it",
    "update: false positive",
    "edit: false positive",
    "ignore this finding",
    "ignore the above",
    "ignore this one",
    "this finding is withdrawn",
    "this is withdrawn",
    "finding withdrawn",
    "this finding is retracted",
    "finding retracted",
    "this is a false alarm",
    "false alarm",
    "strike that",
    "strike this",
    "self-retracted",
    "this one is withdrawn",
    "this is retracted",
    "dropping this",
    "consider this withdrawn",
    "consider this retracted",
    "this was a mistake on my part",
    "my mistake",
];

const ONE_WORD: &[&str] = &["withdrawn", "retracted", "retracting", "withdrawing"];

/// The same in other languages: openers that need a word of agreement behind them, such words, and words that suffice alone.
const FOREIGN_OPENERS: &[&str] = &[
    "更正",
    "重新检查",
    "重新审视",
    "仔细",
    "再次检查",
    "再看",
    "经复查",
    "实际上",
    "其实",
    "訂正",
    "やはり",
    "よく見ると",
    "再確認",
    "실제로",
    "다시 보니",
    "정정",
    "bei näherer betrachtung",
    "bei genauerem hinsehen",
    "bei genauerer betrachtung",
    "nach erneuter prüfung",
    "korrektur",
    "doch",
    "pensándolo bien",
    "tras revisar",
    "después de revisar",
    "en realidad",
    "corrección",
    "pensando bem",
    "na verdade",
    "ripensandoci",
    "in realtà",
    "après réflexion",
    "à la réflexion",
    "en fait",
    "finalement",
    "при повторном",
    "на самом деле",
    "поразмыслив",
    "после проверки",
    "поправка",
];
const FOREIGN_FINE: &[&str] = &[
    "不成立",
    "没有问题",
    "不是问题",
    "是正确的",
    "没问题",
    "是误报",
    "撤回",
    "問題ない",
    "問題ありません",
    "正しい",
    "誤り",
    "문제없",
    "문제가 없",
    "문제가 아니",
    "kein problem",
    "kein fehler",
    "in ordnung",
    "ist korrekt",
    "ist richtig",
    "unproblematisch",
    "es correcto",
    "está bien",
    "no es un problema",
    "no es un error",
    "está correto",
    "não é um problema",
    "è corretto",
    "non è un problema",
    "n'est pas un problème",
    "pas de problème",
    "est correct",
    "n'est pas un bug",
    "не проблема",
    "не ошибка",
    "корректно",
    "всё в порядке",
    "все в порядке",
    "верно",
];
const FOREIGN_OUTRIGHT: &[&str] = &[
    "撤回此",
    "撤回该",
    "撤回这",
    "撤回上",
    "撤回以上",
    "撤回本",
    "我撤回",
    "我收回",
    "收回此",
    "收回上",
    "已撤回",
    "取り下げます",
    "この指摘は取り下げ",
    "撤回します",
    "철회합니다",
    "철회함",
    "ich ziehe das zurück",
    "ich ziehe diesen",
    "ich nehme das zurück",
    "ich nehme diesen",
    "zurückgezogen",
    "retiro este",
    "retiro esta",
    "retiro lo",
    "retiro o",
    "ritiro questa",
    "ritiro questo",
    "je retire",
    "отзываю",
    "снимаю это",
    "снимаю замечание",
    "отозвано",
];

/// Whether a line of the reviewer's own words takes something back.
pub(super) fn says_so(text: &str) -> bool {
    sentences(text)
        .filter(|sentence| may_open(sentence))
        .any(|sentence| is_retraction(&sentence.to_lowercase().replace('’', "'")))
}

/// With these a reviewer says of its whole review, in a sentence of its own, that nothing is wrong.
const NOTHING_WRONG: &[&str] = &[
    "no issues",
    "no problems",
    "no bugs",
    "no defects",
    "no findings",
    "no concerns",
    "no significant issues",
    "no critical issues",
    "nothing to report",
    "i found no issues",
    "i found no problems",
    "i found no defects",
    "i see no issues",
    "i did not find any issues",
    "i didn't find any issues",
    "lgtm",
    "looks good to me",
    "没有发现问题",
    "未发现问题",
    "問題は見つかりません",
    "keine probleme gefunden",
];

/// Whether a sentence of `text` says that nothing is wrong.
pub(super) fn finds_nothing(text: &str) -> bool {
    sentences(text).any(|sentence| {
        let sentence = sentence.to_lowercase().replace('’', "'");
        let behind = NOTHING_WRONG.iter().find_map(|phrase| sentence.strip_prefix(phrase));
        // `No issues in the other files` is said beside a finding.
        let behind = behind.map(|rest| rest.trim_matches(|c: char| !c.is_alphanumeric()));
        behind
            .is_some_and(|rest| ["", "found", "were found", "here", "detected", "identified"].contains(&rest))
    })
}

/// The first words of all phrases, to pass over most sentences quickly.
static FIRST_WORDS: LazyLock<Words<()>> = LazyLock::new(|| {
    let phrases =
        OPENERS.iter().chain(OUTRIGHT).chain(ONE_WORD).chain(FOREIGN_OPENERS).chain(FOREIGN_OUTRIGHT);
    phrases.filter_map(|phrase| Some((opening(phrase)?, ()))).collect()
});

/// The first word of a sentence; the first character where words are not parted.
fn opening(sentence: &str) -> Option<&str> {
    let first = sentence.chars().next()?;
    let end = if unparted(first) {
        first.len_utf8()
    } else {
        sentence
            .char_indices()
            .take(17)
            .find(|(_, c)| !c.is_alphabetic())
            .map_or(sentence.len(), |(at, _)| at)
    };
    (end <= 32).then(|| &sentence[..end])
}

/// Whether a script puts no spaces between words: Chinese, Japanese; Korean endings follow without one too.
fn unparted(c: char) -> bool {
    c >= '\u{2e80}'
}

fn may_open(sentence: &str) -> bool {
    opening(sentence).and_then(|word| FIRST_WORDS.get(word)).is_some()
}

/// The sentences of a line, each cut to what matters, without dress.
fn sentences(text: &str) -> impl Iterator<Item = &str> {
    let dress = |c: char| c.is_whitespace() || "*_~`[]()\"—–-:>".contains(c);
    let mut rest = text;
    let parts = std::iter::from_fn(move || {
        let end = rest.char_indices().find(|(at, c)| ends_sentence(*c, &rest[at + c.len_utf8()..]));
        let (part, after) = rest.split_at(end.map_or(rest.len(), |(at, c)| at + c.len_utf8()));
        rest = after;
        (!part.is_empty()).then_some(part)
    });
    parts
        .map(move |sentence| sentence.trim_matches(dress))
        .filter(|sentence| !sentence.is_empty())
        .map(|sentence| sentence.char_indices().nth(300).map_or(sentence, |(at, _)| &sentence[..at]))
}

/// A dot inside a path or a number ends nothing.
fn ends_sentence(c: char, after: &str) -> bool {
    "!?;…([—–。！？；".contains(c) || c == '.' && !after.starts_with(char::is_alphanumeric)
}

fn is_retraction(sentence: &str) -> bool {
    let opens = |phrases: &[&str]| phrases.iter().any(|phrase| opens_with(sentence, phrase));
    let bare = sentence.trim_end_matches(['.', '!', ',', ':', ')', ']', ';', '*']);
    let one_word = ONE_WORD.iter().any(|word| {
        bare == *word
            || sentence.strip_prefix(word).is_some_and(|rest| {
                rest.starts_with([':', '.', ',']) || rest.starts_with(" -") || rest.starts_with(" —")
            })
    });
    one_word
        || opens(OUTRIGHT)
        || opens(FOREIGN_OUTRIGHT)
        || (opens(OPENERS) && ALL_FINE.iter().any(|phrase| ends_word(sentence, phrase)))
        || (opens(FOREIGN_OPENERS) && FOREIGN_FINE.iter().any(|phrase| ends_word(sentence, phrase)))
}

fn opens_with(sentence: &str, phrase: &str) -> bool {
    sentence.strip_prefix(phrase).is_some_and(|rest| is_parted(phrase, rest))
}

fn ends_word(sentence: &str, phrase: &str) -> bool {
    sentence.match_indices(phrase).any(|(at, _)| is_parted(phrase, &sentence[at + phrase.len()..]))
}

/// Whether a word ends between `before` and `after`.
fn is_parted(before: &str, after: &str) -> bool {
    !after.starts_with(char::is_alphanumeric) || before.ends_with(unparted)
}

const ORDINALS: &[&str] =
    &["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"];

/// The finding a sentence counts out: `the second finding` is 2.
pub(super) fn ordinal(text: &str) -> Option<usize> {
    let lower = text.to_lowercase();
    let words: Vec<&str> =
        lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).take(40).collect();
    words.windows(2).find_map(|pair| {
        let place = ORDINALS.iter().position(|word| *word == pair[0]).map(|at| at + 1);
        let noun = ["finding", "issue", "block", "one", "point", "comment", "item"];
        match (place, noun.contains(&pair[0])) {
            (Some(place), _) if noun.contains(&pair[1]) => Some(place),
            (None, true) if pair[1].len() <= 3 => pair[1].parse().ok(),
            _ => None,
        }
    })
}

/// What a retraction names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// The finding at this place.
    Place(Location),
    /// The n-th finding, counted from 1.
    Number(usize),
    /// The one before.
    Last,
}

impl Target {
    /// What the text behind `RETRACT:` names; `None` when it names nothing.
    pub(super) fn of_value(value: &str) -> Option<Self> {
        let value = value.trim();
        let lower = value.to_lowercase();
        if value.is_empty() || ["none", "n/a", "nothing", "-"].contains(&lower.trim_end_matches('.')) {
            return None;
        }
        if let Some(location) = place::leading(value).and_then(|(places, _)| places.into_iter().next()) {
            return Some(Self::Place(location));
        }
        if let Some((location, _)) = place::within(value) {
            return Some(Self::Place(location));
        }
        let digits: String = lower
            .chars()
            .skip_while(|c| !c.is_ascii_digit())
            .take_while(char::is_ascii_digit)
            .take(4)
            .collect();
        let counted = line::bare(value).marker == line::Marker::Number || lower.starts_with(['#']);
        if let Some(number) = digits.parse().ok().filter(|_| counted || lower.contains("finding")) {
            return Some(Self::Number(number));
        }
        if let Some(number) = ordinal(&lower) {
            return Some(Self::Number(number));
        }
        if ["previous", "last", "above", "this", "that", "earlier"].iter().any(|word| lower.contains(word)) {
            return Some(Self::Last);
        }
        place::whole(value).into_iter().next().map(Self::Place)
    }

    /// The finding meant, among those made so far: the nearest one before.
    pub(super) fn find<'a>(&self, findings: &'a mut [Finding]) -> Option<&'a mut Finding> {
        match self {
            Self::Last => findings.last_mut(),
            Self::Number(number) => findings.get_mut(number.checked_sub(1)?),
            Self::Place(place) => {
                let nearest = |fresh: bool, exactly: bool| {
                    findings.iter().rposition(|finding| {
                        !(fresh && finding.retracted) && stands_at(finding, place, exactly)
                    })
                };
                // Exactly there and not yet taken back; exactly there at all (said twice); about there.
                let index =
                    nearest(true, true).or_else(|| nearest(false, true)).or_else(|| nearest(true, false))?;
                findings.get_mut(index)
            }
        }
    }
}

fn stands_at(finding: &Finding, place: &Location, exactly: bool) -> bool {
    finding.location.iter().any(|location| {
        let lines = match (location.lines, place.lines) {
            (Some(a), Some(b)) => {
                if exactly {
                    a == b
                } else {
                    a.overlaps(b)
                }
            }
            (a, b) => a == b || !exactly,
        };
        let symbols = place.symbol.is_none() || location.symbol.is_none() || place.symbol == location.symbol;
        lines && symbols && same_path(&location.path, &place.path)
    })
}

/// Equal, or one is the other's tail at a folder.
fn same_path(a: &str, b: &str) -> bool {
    let tail = |long: &str, short: &str| {
        long.strip_suffix(short).is_some_and(|head| head.is_empty() || head.ends_with('/'))
    };
    !a.is_empty() && !b.is_empty() && (tail(a, b) || tail(b, a))
}
