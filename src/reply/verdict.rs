//! What a reviewer concluded, in the contract's words or the usual others: [`Verdict`].
//!
//! Only the words behind a `VERDICT:` label are looked at, never running text.

use crate::finding::Verdict;

/// Words looked at: the conclusion comes first, the reasons after it.
const WORDS: usize = 12;

const HOLD: &[&str] = &[
    "do not merge",
    "不通过",
    "拒绝",
    "驳回",
    "不合并",
    "不可合并",
    "需要修改",
    "暂缓",
    "阻止",
    "却下",
    "保留",
    "差し戻し",
    "要修正",
    "보류",
    "거부",
    "반려",
    "ablehnen",
    "abgelehnt",
    "zurückstellen",
    "blockieren",
    "überarbeiten",
    "nicht freigeben",
    "rechazar",
    "rechazado",
    "bloquear",
    "retener",
    "rejeter",
    "rejeté",
    "bloquer",
    "refuser",
    "rejeitar",
    "reprovar",
    "segurar",
    "respingere",
    "bloccare",
    "отклонить",
    "отклонено",
    "заблокировать",
    "придержать",
    "hold",
    "reject",
    "rejected",
    "block",
    "blocked",
    "nack",
    "no-go",
    "decline",
    "fail",
    "failed",
    "request changes",
    "requests changes",
    "changes requested",
    "request_changes",
    "changes required",
    "needs work",
    "need work",
    "needs changes",
    "needs fixes",
    "not ready",
    "incorrect",
    "patch is incorrect",
    "rework",
];
const FIXES: &[&str] = &[
    "fix first",
    "修改后通过",
    "修复后合并",
    "修改后合并",
    "有条件通过",
    "条件付き承認",
    "修正後にマージ",
    "조건부 승인",
    "mit korrekturen",
    "con correcciones",
    "avec corrections",
    "com correções",
    "con correzioni",
    "с исправлениями",
    "minor revisions",
    "ship with fixes",
    "ship-with-fixes",
    "ship_with_fixes",
    "minor changes",
    "minor fixes",
    "conditional",
    "conditionally",
    "comment",
    "approve with comments",
    "approve_with_comments",
];
const SHIP: &[&str] = &[
    "ship now",
    "通过",
    "批准",
    "可以合并",
    "合并",
    "同意",
    "承認",
    "マージ可",
    "承認する",
    "승인",
    "통과",
    "freigeben",
    "freigegeben",
    "genehmigt",
    "akzeptieren",
    "mergen",
    "aprobar",
    "aprobado",
    "fusionar",
    "aceptar",
    "approuver",
    "approuvé",
    "fusionner",
    "accepter",
    "aprovar",
    "aprovado",
    "mesclar",
    "approvare",
    "approvato",
    "одобрить",
    "одобрено",
    "принять",
    "слить",
    "ship",
    "ship it",
    "approve",
    "approved",
    "approves",
    "accept",
    "accepted",
    "lgtm",
    "merge",
    "mergeable",
    "pass",
    "passed",
    "ack",
    "go",
    "correct",
    "patch is correct",
    "looks good",
    "clean",
];
const REFUSALS: &[&str] = &[
    "not", "don't", "dont", "never", "cannot", "can't", "no", "don’t", "can’t", "nicht", "kein", "não", "ne",
    "non", "pas", "не",
];
const CONDITIONS: &[&str] = &[
    "with",
    "after",
    "once",
    "provided",
    "if",
    "conditional",
    "conditionally",
    "pending",
    "subject",
    "mit",
    "nach",
    "con",
    "avec",
    "com",
    "с",
];

/// The verdict a value opens with; `None` when it says none, or offers all of them as the prompt's form does.
pub(super) fn of_value(value: &str) -> Option<Verdict> {
    let words: Vec<String> =
        value.split(parts_words).filter(|word| !word.is_empty()).take(WORDS).map(str::to_lowercase).collect();
    let offered = words.join(" ");
    if offered.starts_with("ship ship-with-fixes hold") || offered.starts_with("ship ship with fixes hold") {
        return None;
    }
    (0..words.len()).find_map(|at| starting_at(&words, at))
}

fn parts_words(c: char) -> bool {
    !(c.is_alphanumeric() || "-_'’".contains(c))
}

fn starting_at(words: &[String], at: usize) -> Option<Verdict> {
    let found = longest(words, at)?;
    let refused = words[at.saturating_sub(2)..at].iter().any(|word| REFUSALS.contains(&word.as_str()));
    match found {
        (Verdict::Ship, _) if refused => Some(Verdict::Hold),
        (Verdict::Ship, next) if is_conditional(&words[next..]) => Some(Verdict::ShipWithFixes),
        (Verdict::Hold, _) if refused => None,
        (verdict, _) => Some(verdict),
    }
}

fn is_conditional(after: &[String]) -> bool {
    let first = after.first().is_some_and(|word| CONDITIONS.contains(&word.as_str()));
    first && !after.get(1).is_some_and(|word| ["confidence", "no"].contains(&word.as_str()))
}

/// The longest known phrase at `at` and where it ends.
fn longest(words: &[String], at: usize) -> Option<(Verdict, usize)> {
    let scales = [(HOLD, Verdict::Hold), (FIXES, Verdict::ShipWithFixes), (SHIP, Verdict::Ship)];
    (1..=3).rev().filter(|length| at + length <= words.len()).find_map(|length| {
        let phrase = words[at..at + length].join(" ");
        let known = scales.iter().find(|(phrases, _)| phrases.contains(&phrase.as_str()));
        known.map(|(_, verdict)| (*verdict, at + length))
    })
}
