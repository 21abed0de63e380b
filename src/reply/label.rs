//! Labels in front of the parts of a finding (`WHERE:`, `**Suggested fix:**`, `### Verdict`) and what they introduce: [`Label`].
//!
//! One table serves text, tables and JSON keys.

use std::sync::LazyLock;

use super::words::Words;

/// What a label introduces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Label {
    /// How bad.
    Severity,
    /// A whole place.
    Where,
    /// Further places of the same finding.
    Also,
    /// A path; lines come apart.
    File,
    /// Lines; the path comes apart.
    Lines,
    /// First line alone (JSON).
    Start,
    /// Last line alone (JSON).
    End,
    /// A function or type.
    Symbol,
    /// Code as it stands.
    Quote,
    /// The claim.
    What,
    /// Its grounds.
    Why,
    /// The mending.
    Fix,
    /// Takes something back.
    Retract,
    /// Whether it still stands.
    Status,
    /// The conclusion.
    Verdict,
}

/// Names of each label, parted by commas: English first, then what reviewers write who answer in another language.
const NAMES: &[(Label, &[&str])] = &[
    (
        Label::Severity,
        &[
            "severity, priority, level, criticality, sev, severity level, issue severity, risk level, importance, severity rating",
            "严重程度, 严重性, 严重级别, 严重等级, 级别, 优先级, 等级, 嚴重程度, 重大度, 重要度, 深刻度, 優先度, 심각도, 중요도, 우선순위",
            "schweregrad, schwere, priorität, stufe, gravedad, severidad, prioridad, nivel, gravité, sévérité, priorité, niveau",
            "severidade, gravidade, prioridade, gravità, severità, priorità, серьёзность, серьезность, критичность, важность, уровень, приоритет",
        ],
    ),
    (
        Label::Where,
        &[
            "where, location, locations, place, position, loc, file line, file lines, file and line, file and lines, files, code location, code locations",
            "affected code, affected location, affected locations, affected files, physical location, where in code",
            "位置, 代码位置, 所在位置, 問題位置, 问题位置, 場所, 箇所, 該当箇所, 위치",
            "ort, stelle, wo, fundort, fundstelle, position, ubicación, lugar, dónde, donde, emplacement, lieu, où, endroit",
            "local, localização, onde, posizione, dove, posizione nel codice, место, расположение, где",
        ],
    ),
    (
        Label::Also,
        &[
            "also, also at, also in, also see at, also affects, also affected, also applies to, other locations, other places, other occurrences",
            "additional locations, further locations, further places, related locations, more locations, same issue at, same problem at, same at",
            "也在, 其他位置, 同样位置, 他の箇所, auch, auch in, auch an, weitere stellen, también en, otros lugares, aussi, aussi dans, autres emplacements",
            "также, также в, другие места",
        ],
    ),
    (
        Label::File,
        &[
            "file, path, filename, file name, filepath, file path, affected file, relevant file, absolute file path, relative path, source file",
            "uri, artifact location, new path, relevant path",
            "文件, 文件路径, 文件名, 路径, 檔案, ファイル, ファイルパス, ファイル名, 파일, 파일 경로",
            "datei, dateipfad, pfad, archivo, fichero, ruta, fichier, chemin, arquivo, caminho, percorso, файл, путь",
        ],
    ),
    (
        Label::Lines,
        &[
            "line, lines, line s, line number, line numbers, line range, line no, range, affected lines, relevant lines, region, new line",
            "行, 行号, 行数, 代码行, 行號, 行番号, 줄, 줄 번호, 라인",
            "zeile, zeilen, zeilennummer, línea, líneas, linea, ligne, lignes, linha, linhas, righe, riga, строка, строки",
        ],
    ),
    (
        Label::Start,
        &[
            "start line, line start, start, from, from line, begin line, begin, starting line, first line, 起始行",
        ],
    ),
    (Label::End, &["end line, line end, end, to, to line, ending line, last line, 结束行"]),
    (
        Label::Symbol,
        &[
            "symbol, function, method, function name, in function, 函数, 関数, funktion, función, fonction, функция",
        ],
    ),
    (
        Label::Quote,
        &[
            "quote, code, snippet, code snippet, existing code, current code, problematic code, quoted code, offending code, affected line",
            "代码, 引用, 代码片段, コード, 코드, zitat, cita, código, citation, extrait, citação, citazione, цитата, код",
        ],
    ),
    (
        Label::What,
        &[
            "what, issue, problem, finding, description, detail, details, summary, title, comment, message, body, claim, bug, concern, observation",
            "issue header, issue content, text, content, issue description, problem description, what is wrong, what s wrong",
            "问题, 描述, 问题描述, 标题, 说明, 内容, 問題, 問題点, 説明, 内容, 問題描述, 문제, 설명, 내용, 제목",
            "was, beschreibung, befund, fehler, qué, que, problema, descripción, hallazgo, problème, description, constat, quoi",
            "descrição, o quê, o que, descrizione, cosa, что, проблема, описание, замечание",
        ],
    ),
    (
        Label::Why,
        &[
            "why, reason, reasoning, rationale, impact, because, evidence, explanation, justification, consequence, risk, why it matters",
            "why this matters, why is it a problem, effect, consequences",
            "原因, 影响, 理由, 为什么, 后果, 分析, 影響, 根拠, 이유, 영향",
            "warum, begründung, grund, auswirkung, erklärung, por qué, razón, motivo, impacto, explicación, justificación, pourquoi, raison, impact, explication",
            "por que, por quê, razão, perché, motivazione, ragione, impatto, spiegazione, почему, причина, обоснование, влияние, последствия",
        ],
    ),
    (
        Label::Fix,
        &[
            "fix, suggestion, suggestions, suggested fix, recommendation, recommendations, recommended fix, proposed fix, fix needed, possible fix, remedy, remediation",
            "solution, suggested solution, mitigation, how to fix, suggested change, suggested changes, recommended change, proposed change, suggested code, improved code, replacement",
            "recommended action, action, suggested action, proposed solution, fix suggestion",
            "建议, 修复, 修复建议, 修改建议, 解决方案, 改进建议, 修复方案, 建議, 修正, 修正案, 修正方法, 提案, 対策, 推奨, 수정, 수정안, 제안, 해결책, 권장 사항",
            "lösung, behebung, vorschlag, empfehlung, korrektur, lösungsvorschlag, abhilfe, sugerencia, solución, corrección, recomendación, arreglo",
            "correction, correctif, recommandation, sugestão, solução, correção, recomendação, suggerimento, soluzione, correzione, raccomandazione",
            "исправление, решение, предложение, рекомендация, как исправить",
        ],
    ),
    (
        Label::Retract,
        &[
            "retract, retracted, retraction, retracting, withdrawn, withdraw, withdrawing, withdrawal",
            "撤回, 收回, 取り下げ, 철회, zurückgezogen, rücknahme, retirado, retiro, retractación, retiré, retrait, отозвано, отзываю, retirada, ritirato",
        ],
    ),
    (Label::Status, &["status, state, resolution, 状态, estado, statut, статус"]),
    (
        Label::Verdict,
        &[
            "verdict, final verdict, overall verdict, my verdict, decision, final decision, overall recommendation, final recommendation",
            "overall assessment, overall correctness, review decision, merge decision, final assessment",
            "结论, 最终结论, 结果, 判定, 裁决, 結論, 最終結論, 総合判定, 판정, 결론, 최종 판정",
            "urteil, fazit, ergebnis, entscheidung, gesamturteil, veredicto, conclusión, decisión, verdict final, décision, conclusion",
            "veredito, veredicto, decisão, conclusão, verdetto, decisione, conclusione, вердикт, решение по слиянию, вывод, итог, заключение",
        ],
    ),
];

static BY_NAME: LazyLock<Words<Label>> = LazyLock::new(|| {
    let names = |lists: &'static [&str]| lists.iter().flat_map(|list| list.split(", "));
    NAMES.iter().flat_map(|(label, lists)| names(lists).map(|name| (name, *label))).collect()
});

/// Longest label, in bytes.
const LONGEST: usize = 64;

/// The label called `name`: case, dress, `_` and `-` do not matter.
pub(super) fn of_name(name: &str) -> Option<Label> {
    if name.len() > LONGEST {
        return None;
    }
    let words = split_camel(name);
    BY_NAME.get(&words)
}

/// `startLine`, `start_line`, `**Start line**`, `File/Line` → lower-case words parted by one space.
fn split_camel(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 4);
    let mut was_lower = false;
    for c in name.chars() {
        if c.is_alphanumeric() {
            if c.is_uppercase() && was_lower {
                words.push(' ');
            }
            words.extend(c.to_lowercase());
            was_lower = c.is_lowercase();
        } else {
            if !words.is_empty() && !words.ends_with(' ') {
                words.push(' ');
            }
            was_lower = false;
        }
    }
    words.truncate(words.trim_end().len());
    words
}

/// The label that opens `body` (a line without its marks) and its value, a suffix of `body`.
/// `alone`: a heading or bold text may be a label without a colon.
pub(super) fn leading(body: &str, alone: bool) -> Option<(Label, &str)> {
    let limit = body.char_indices().map(|(at, _)| at).find(|at| *at > LONGEST).unwrap_or(body.len());
    let head = &body[..limit];
    if let Some(at) = head.find([':', '：'])
        && let Some(label) = of_label_text(&head[..at])
    {
        let colon = body[at..].chars().next().map_or(1, char::len_utf8);
        return Some((label, value(&body[at + colon..])));
    }
    if let Some(found) = dashed(head, body) {
        return Some(found);
    }
    if !alone {
        return None;
    }
    if let Some(at) = head.find("**").or_else(|| head.find("__"))
        && let Some(label) = of_label_text(&head[..at])
    {
        return Some((label, value(body[at + 2..].trim_start_matches([' ', ':', '—', '–', '-', '*']))));
    }
    let whole = body.trim_end_matches(['*', '_', ' ']);
    // A heading `Summary` sums the reply up; it is no part of a finding.
    of_label_text(whole)
        .filter(|_| !whole.eq_ignore_ascii_case("summary"))
        .map(|label| (label, &body[body.len()..]))
}

/// `VERDICT — hold`, `WHERE - a.rs:3`: a dash instead of the colon, behind a shouted label of the contract or a verdict.
fn dashed<'a>(head: &str, body: &'a str) -> Option<(Label, &'a str)> {
    let word = head.trim_start_matches(|c: char| !c.is_alphabetic());
    let at =
        head.len() - word.len() + word.find(|c: char| !c.is_alphabetic()).filter(|length| *length > 2)?;
    let rest = body[at..].trim_start_matches(['*', '_', '`', ' ']);
    let value = ["—", "–", "- ", "=", "->", "→"].iter().find_map(|mark| rest.strip_prefix(mark))?;
    let name = head[..at].trim_start_matches(|c: char| !c.is_alphabetic());
    let shouted = name.bytes().all(|byte| byte.is_ascii_uppercase());
    of_label_text(name)
        .filter(|label| shouted || *label == Label::Verdict)
        .map(|label| (label, self::value(value)))
}

/// A label of the text form; words only JSON keys use are not labels here, nor is running text.
fn of_label_text(text: &str) -> Option<Label> {
    let plain = |c: char| c.is_alphanumeric() || " *_`-/&()".contains(c);
    if !text.chars().all(plain) {
        return None;
    }
    of_name(text).filter(|label| !matches!(label, Label::Start | Label::End))
}

fn value(text: &str) -> &str {
    text.trim_start().trim_start_matches('*').trim()
}
