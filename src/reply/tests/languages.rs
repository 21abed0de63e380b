//! Replies in other languages than English.

use super::*;

#[test]
fn labels_severities_and_verdicts_of_other_languages_are_read() {
    for reply in [
        "严重程度：高\n位置：a.rs:3-5\n问题：X.\n原因：Y.\n建议：Z.\n\n结论：不通过",
        "**严重性**：严重\n**文件**：`a.rs`（第 3-5 行）\n**问题描述**：X.\n**原因**：Y.\n**修复建议**：Z.\n\n**最终结论**：拒绝",
        "重大度：高\n場所：a.rs:3-5\n問題：X.\n理由：Y.\n修正案：Z.\n\n結論：却下",
        "심각도: 높음\n위치: a.rs:3-5\n문제: X.\n이유: Y.\n수정: Z.\n\n판정: 보류",
        "Schweregrad: Hoch\nDatei: a.rs\nZeilen: 3-5\nBeschreibung: X.\nBegründung: Y.\nLösung: Z.\n\nFazit: nicht mergen",
        "Gravedad: Alta\nUbicación: a.rs:3-5\nProblema: X.\nRazón: Y.\nSugerencia: Z.\n\nVeredicto: rechazar",
        "Gravité : Élevée\nEmplacement : a.rs:3-5\nProblème : X.\nRaison : Y.\nSolution : Z.\n\nVerdict : rejeter",
        "Severidade: Alta\nLocal: a.rs:3-5\nProblema: X.\nMotivo: Y.\nSugestão: Z.\n\nVeredito: rejeitar",
        "Gravità: Alta\nPosizione: a.rs:3-5\nProblema: X.\nMotivo: Y.\nSoluzione: Z.\n\nVerdetto: respingere",
        "Серьёзность: Высокая\nМесто: a.rs:3-5\nПроблема: X.\nПричина: Y.\nИсправление: Z.\n\nВердикт: отклонить",
    ] {
        check(reply, &["BLOCK a.rs:3-5 X."]);
        let reading = read(reply, None);
        let finding = &reading.findings[0];
        assert_eq!(
            (finding.why.as_str(), finding.fix.as_str(), reading.verdict),
            ("Y.", "Z.", Some(Verdict::Hold)),
            "{reply}"
        );
    }
}

#[test]
fn sentences_of_other_languages_name_places() {
    for sentence in [
        "在 `src/a.rs` 的第 3 行存在竞争条件。",
        "In `src/a.rs`, Zeile 3, fehlt die Prüfung.",
        "Dans `src/a.rs` (ligne 3), le verrou fuit.",
        "En `src/a.rs` (línea 3) falta algo.",
        "В `src/a.rs` (строка 3) ошибка теряется.",
    ] {
        check(sentence, &[&format!("WARN src/a.rs:3 {sentence}")]);
    }
    check("【严重】a.rs:3 锁没有释放。", &["BLOCK a.rs:3 锁没有释放。"]);
}

#[test]
fn findings_are_taken_back_in_other_languages() {
    for (words, retracted) in [
        ("更正：以上问题不成立。", true),
        ("撤回此问题。", true),
        ("再確認したところ、問題ありません。", true),
        ("Bei näherer Betrachtung ist das kein Problem.", true),
        ("Pensándolo bien, esto es correcto.", true),
        ("Après réflexion, ce n'est pas un problème.", true),
        ("Отзываю это замечание.", true),
        ("事务撤回时会崩溃。", false),
        ("Das ist kein kleines Problem.", false),
        ("Correction: the finding about src/a.rs:3 is wrong.", true),
    ] {
        let finding =
            read(&format!("WHERE: src/a.rs:3\nWHAT: It leaks.\n\n{words}\n"), None).findings.remove(0);
        assert_eq!(finding.retracted, retracted, "{words}");
    }
}
