//! Words for how bad a finding is, from the scales reviewers use, on to our three: [`Severity`].
//!
//! The reviewer's own word is always kept beside it. Four-step scales (critical, high, medium, low) put the upper two
//! on `BLOCK`; the five steps of linters (blocker, critical, major, minor, info) put `major` on `WARN`.

use std::sync::LazyLock;

use super::words::Words;
use crate::finding::Severity;

const BLOCK: &[&str] = &[
    "block, blocker, blocking, critical, crit, high, highest, very high, fatal, severe, serious, error, urgent, emergency, must fix, must-fix, showstopper",
    "catastrophic, p0, p1, s0, s1, sev0, sev1, sev-0, sev-1, priority 0, priority 1",
    "严重, 致命, 高, 高危, 紧急, 阻断, 阻塞, 关键, 错误, 必须修复, 嚴重, 重大, 致命的, 緊急, 必須, 심각, 높음, 치명적, 긴급",
    "hoch, kritisch, schwer, schwerwiegend, blockierend, blocker, fehler, sehr hoch, alta, alto, crítica, crítico, grave, bloqueante, muy alta, error crítico",
    "élevée, élevé, elevée, haute, haut, critique, bloquant, bloquante, majeur bloquant, critica, critico, bloccante, critica, alta priorità",
    "высокая, высокий, критическая, критический, критично, блокирующая, блокер, серьёзная, серьезная",
    "🔴, 🚨, 🛑, ❌, ⛔, 🔥, 💥, ‼️, ❗",
];
const WARN: &[&str] = &[
    "warn, warning, warnings, medium, med, mid, moderate, major, normal, important, should fix, should-fix, p2, s2, sev2, sev-2, priority 2, average, significant",
    "警告, 中, 中等, 中危, 一般, 重要, 中度, 注意, 경고, 중간, 보통, 주의",
    "mittel, warnung, wichtig, mäßig, media, medio, moderada, moderado, advertencia, aviso, importante, moyenne, moyen, modérée, modéré, avertissement, majeure, majeur, média, médio, attenzione, avviso",
    "средняя, средний, предупреждение, важно, умеренная",
    "🟠, 🟡, ⚠️, ⚠, 🔶",
];
const INFO: &[&str] = &[
    "info, informational, information, low, lowest, very low, minor, nit, nits, nitpick, nitpicks, trivial, note, notes, style, cosmetic, suggestion, suggestions",
    "optional, question, hint, consider, negligible, p3, p4, p5, s3, s4, sev3, sev4, sev-3, sev-4, priority 3, priority 4",
    "低, 低危, 轻微, 建议, 提示, 次要, 信息, 可选, 輕微, 軽微, 情報, 提案, 낮음, 경미, 정보, 제안, 참고",
    "niedrig, gering, hinweis, klein, kosmetisch, information, baja, bajo, menor, leve, información, informativo, sugerencia, faible, mineure, mineur, basse",
    "baixa, baixo, sugestão, bassa, basso, minore, informazione, низкая, низкий, незначительная, информация, замечание, мелочь",
    "🔵, 🟢, ⚪, ℹ️, ℹ, 💡, 📝, 🔹, ✏️",
];

static BY_WORD: LazyLock<Words<Severity>> = LazyLock::new(|| {
    let scales = [(BLOCK, Severity::Block), (WARN, Severity::Warn), (INFO, Severity::Info)];
    let words = |lists: &'static [&str]| lists.iter().flat_map(|list| list.split(", "));
    scales.iter().flat_map(|(lists, severity)| words(lists).map(|word| (word, *severity))).collect()
});

/// Our severity for one word (or two) of any usual scale, in any case.
pub(super) fn of_word(word: &str) -> Option<Severity> {
    BY_WORD.get(word)
}

/// What stands after `SEVERITY:`: the first known word, else `Warn` with the words as given.
pub(super) fn of_value(value: &str) -> (Severity, &str) {
    let dress = |c: char| c.is_whitespace() || "*_`[](){}<>\"'|:".contains(c);
    let value = value.trim_matches(dress);
    let head = value.char_indices().nth(60).map_or(value, |(at, _)| &value[..at]);
    for word in head.split(|c: char| !c.is_alphanumeric() && c != '-').filter(|word| !word.is_empty()) {
        if let Some(severity) = of_word(word) {
            return (severity, word);
        }
    }
    let words = ["must fix", "should fix", "must-fix", "should-fix"];
    let known = words.into_iter().find_map(|word| find_ignoring_case(head, word));
    if let Some(word) = known {
        return (of_word(word).unwrap_or(Severity::Warn), word);
    }
    leading_sign(head).map_or((Severity::Warn, head), |(severity, sign, _)| (severity, sign))
}

fn find_ignoring_case<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    (0..text.len())
        .filter_map(|at| text.get(at..at + word.len()))
        .find(|part| part.eq_ignore_ascii_case(word))
}

/// A severity that opens a line and is set off from what follows: `[HIGH]`, `**Medium** —`, `🔴`, `nit:`.
/// Gives the severity, its word and the rest of the line.
pub(super) fn leading(body: &str) -> Option<(Severity, &str, &str)> {
    if let Some((severity, sign, rest)) = leading_sign(body) {
        return Some(leading_word(rest).unwrap_or((severity, sign, rest)));
    }
    leading_word(body)
}

fn leading_word(body: &str) -> Option<(Severity, &str, &str)> {
    let opened = body.trim_start_matches(['[', '(', '*', '_', '`', '{', '【', '（']);
    let word_end = opened.find(|c: char| !c.is_alphanumeric() && c != '-').unwrap_or(opened.len());
    let severity_end = two_words(opened, word_end).unwrap_or(word_end);
    let word = opened.get(..severity_end)?;
    let severity = of_word(word)?;
    let after = skip_noun(&opened[severity_end..]);
    let enclosed = opened.len() < body.len();
    let shouted = word.len() > 1 && word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    let set_off = after
        .trim_start()
        .starts_with([']', ')', '*', '_', ':', '：', '】', '）', '—', '–', '-', '|', '`', '/', ',', '}']);
    let ends = after.trim().is_empty();
    (set_off || ends || (shouted && after.starts_with(' ')) || (enclosed && after.starts_with('*')))
        .then(|| (severity, word, after.trim_start_matches(parts_severity)))
}

fn leading_sign(body: &str) -> Option<(Severity, &str, &str)> {
    let first = body.chars().next().filter(|c| !c.is_alphanumeric() && !c.is_ascii())?;
    let mut end = first.len_utf8();
    if body[end..].starts_with('\u{fe0f}') {
        end += '\u{fe0f}'.len_utf8();
    }
    Some((of_word(&body[..end])?, &body[..end], body[end..].trim_start()))
}

fn two_words(text: &str, first_end: usize) -> Option<usize> {
    let rest = text.get(first_end..)?.strip_prefix(' ')?;
    let second = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
    let end = first_end + 1 + second;
    of_word(text.get(..end)?).map(|_| end)
}

/// `High severity`, `Medium priority`: the noun says nothing.
fn skip_noun(after: &str) -> &str {
    let trimmed = after.trim_start();
    for noun in ["severity", "priority", "risk"] {
        if trimmed.get(..noun.len()).is_some_and(|word| word.eq_ignore_ascii_case(noun)) {
            return &trimmed[noun.len()..];
        }
    }
    after
}

/// Characters that stand between a severity and a place; a path may start with `.` or a code span.
fn parts_severity(c: char) -> bool {
    c.is_whitespace() || "])}*_:：】）—–-|,·•/".contains(c)
}

/// Characters that stand between a place and a claim.
pub(super) fn is_separator(c: char) -> bool {
    c.is_whitespace() || "])}*_:：】）—–-|`/,.•·，。".contains(c)
}

/// What follows the separators; a code span that opens it keeps its mark.
pub(super) fn behind_separators(text: &str) -> &str {
    let rest = text.trim_start_matches(is_separator);
    let skipped = &text[..text.len() - rest.len()];
    let marks = || rest.lines().next().unwrap_or_default().bytes().filter(|byte| *byte == b'`').count();
    if skipped.ends_with('`') && marks() % 2 == 1 { &text[skipped.len() - 1..] } else { rest }
}

/// A sign or a word in brackets that opens a claim: `🔴 It leaks`, `[HIGH] It leaks`.
pub(super) fn marked(claim: &str) -> Option<(Severity, &str)> {
    let word = || {
        leading_word(claim)
            .filter(|_| claim.starts_with(['[', '【']))
            .map(|(severity, word, _)| (severity, word))
    };
    leading_sign(claim).map(|(severity, sign, _)| (severity, sign)).or_else(word)
}

/// A severity at the end of a title: `It leaks (High)`, `Race [P1]`, `Typo — minor`.
pub(super) fn trailing(title: &str) -> Option<(Severity, &str)> {
    let title = title.trim_end_matches(|c: char| c.is_whitespace() || "*_:.".contains(c));
    let closed = title.strip_suffix([')', ']', '）', '】']);
    let start = match closed {
        Some(inner) => inner.rfind(['(', '[', '（', '【'])?,
        None => title.rfind('—').or_else(|| title.rfind('–'))?,
    };
    let word = closed.unwrap_or(title)[start..]
        .trim_start_matches(|c: char| c.is_whitespace() || "([（【—–*".contains(c));
    let word = word.trim_end_matches(['*', '`']);
    let bare = ["severity: ", "severity ", "priority: "]
        .iter()
        .find_map(|noun| word.to_lowercase().starts_with(noun).then(|| &word[noun.len()..]));
    let word = bare.unwrap_or(word);
    let noun = word
        .split_once(' ')
        .filter(|(_, noun)| ["severity", "priority", "risk"].contains(noun))
        .map_or(word, |(word, _)| word);
    of_word(noun).map(|severity| (severity, noun))
}

/// A heading that names only a severity for what follows: `Critical issues`, `🟡 Warnings`, `Low severity findings (2)`.
pub(super) fn of_section(heading: &str) -> Option<Severity> {
    if heading.len() > 60 {
        return None;
    }
    let fillers = [
        "issues", "issue", "findings", "severity", "priority", "problems", "bugs", "and", "concerns",
        "level", "items",
    ];
    let mut found = leading_sign(heading).map(|(severity, ..)| severity);
    for word in heading.split(|c: char| !c.is_alphanumeric() && c != '-').filter(|word| !word.is_empty()) {
        let lower = word.to_lowercase();
        match of_word(&lower).or_else(|| of_word(lower.trim_end_matches('s'))) {
            Some(severity) => found = found.or(Some(severity)),
            None if fillers.contains(&lower.as_str()) || lower.bytes().all(|byte| byte.is_ascii_digit()) => {}
            None => return None,
        }
    }
    found
}
