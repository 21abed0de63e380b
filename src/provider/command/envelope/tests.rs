//! What real programs printed (`tests/fixtures/agents/`), what they could print, and what nobody should.

use proptest::{collection::vec, prelude::*};

use super::*;

const REPLY: &str = "SEVERITY: WARN\nWHERE: a.py:2\nWHAT: the sum is wrong\nWHY: it adds one\n\nVERDICT: ship-with-fixes, one fix\nEND abc\n";

fn unwrapped_in_pieces(form: OutputForm, output: &[u8], piece: usize) -> Unwrapped {
    let (mut envelope, draft) = (Envelope::new(form), Draft::new());
    for piece in output.chunks(piece) {
        assert!(envelope.take(piece, &draft));
    }
    envelope.finish(&draft)
}

fn unwrapped(form: OutputForm, output: &str) -> Unwrapped {
    let whole = unwrapped_in_pieces(form, output.as_bytes(), output.len().max(1));
    assert_eq!(unwrapped_in_pieces(form, output.as_bytes(), 7), whole, "pieces do not matter");
    whole
}

fn answer(text: &str, tokens: Option<(u64, u64)>, cost_usd: Option<f64>) -> Answer {
    let (tokens_in, tokens_out) = tokens.unzip();
    Answer { text: text.to_owned(), tokens_in, tokens_out, cost_usd, ..Answer::default() }
}

#[test]
fn what_the_programs_printed_is_understood() {
    let check = |form, output: &str, cost_usd| {
        let expect = Unwrapped {
            answer: answer(REPLY, Some((expected_in(form), expected_out(form))), cost_usd),
            failure: None,
        };
        assert_eq!(unwrapped(form, output), expect, "{form:?}");
    };
    let claude = include_str!("../../../../tests/fixtures/agents/claude.jsonl");
    check(OutputForm::ClaudeJson, claude, Some(0.001_634_750_000_000_000_1));
    check(OutputForm::ClaudeJson, claude.lines().last().unwrap(), Some(0.001_634_750_000_000_000_1));
    check(OutputForm::CodexJsonl, include_str!("../../../../tests/fixtures/agents/codex.jsonl"), None);
    check(
        OutputForm::OpencodeJsonl,
        include_str!("../../../../tests/fixtures/agents/opencode.jsonl"),
        Some(0.001_768_5),
    );
    check(OutputForm::GeminiJson, include_str!("../../../../tests/fixtures/agents/gemini.json"), None);
    check(OutputForm::LlmJson, include_str!("../../../../tests/fixtures/agents/llm.json"), None);
}

/// The model server counted 120 tokens; Anthropic's twelve of the cache are not among them.
fn expected_in(form: OutputForm) -> u64 {
    if form == OutputForm::ClaudeJson { 132 } else { 120 }
}

/// It counted 40; Google's three of thought are not among them.
fn expected_out(form: OutputForm) -> u64 {
    if form == OutputForm::GeminiJson { 43 } else { 40 }
}

#[test]
fn failures_inside_the_envelope_are_failures() {
    let check = |form, output: &str, reason: &str, text: &str| {
        let found = unwrapped(form, output);
        assert_eq!((found.failure.as_deref(), found.answer.text.as_str()), (Some(reason), text), "{form:?}");
    };
    let no_credit = "your key sk-test-123 has no credit";
    let quoted = r#"{"type": "error", "error": {"type": "invalid_request_error", "message": "your key sk-test-123 has no credit"}}"#;
    let claude = include_str!("../../../../tests/fixtures/agents/claude-error.jsonl");
    check(OutputForm::ClaudeJson, claude, &format!("API Error: 400 {no_credit}"), "");
    check(
        OutputForm::CodexJsonl,
        include_str!("../../../../tests/fixtures/agents/codex-error.jsonl"),
        quoted,
        "",
    );
    check(
        OutputForm::OpencodeJsonl,
        include_str!("../../../../tests/fixtures/agents/opencode-error.jsonl"),
        no_credit,
        "",
    );
    check(
        OutputForm::ClaudeJson,
        concat!(
            r#"{"type":"assistant","message":{"content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"half"}]}}"#,
            "\n",
            r#"{"type":"result","subtype":"error_max_turns","is_error":true}"#
        ),
        "error_max_turns",
        "half",
    );
    check(OutputForm::CodexJsonl, r#"{"type":"error","message":"no connection"}"#, "no connection", "");
    check(
        OutputForm::GeminiJson,
        r#"{"session_id":"1","error":{"type":"E","message":"no login","code":41}}"#,
        "no login",
        "",
    );
    check(
        OutputForm::AntigravityJson,
        r#"{"status":"ERROR","error":"no such model","response":""}"#,
        "no such model",
        "",
    );
    check(
        OutputForm::OpencodeJsonl,
        r#"{"type":"error","error":{"name":"UnknownError"}}"#,
        "UnknownError",
        "",
    );
}

#[test]
fn a_document_on_stderr_tells_why() {
    let check = |form, stderr: &str, expect: Option<&str>| {
        assert_eq!(failure_in(form, stderr).as_deref(), expect, "{stderr}");
    };
    // Gemini CLI 0.61.0, without a way to log in.
    let document = "{\n  \"session_id\": \"6b96\",\n  \"error\": {\n    \"type\": \"Error\",\n    \"message\": \"Invalid auth method selected.\",\n    \"code\": 41\n  }\n}\n";
    let reason = Some("Invalid auth method selected.");
    check(OutputForm::GeminiJson, document, reason);
    check(OutputForm::GeminiJson, &format!("Warning: few colours.\n{document}"), reason);
    check(OutputForm::GeminiJson, &format!("{document}and more"), None);
    check(OutputForm::GeminiJson, "{ no document", None);
    check(OutputForm::GeminiJson, "é", None);
    check(OutputForm::GeminiJson, "", None);
    check(OutputForm::Text, document, None);
}

#[test]
fn a_complaint_the_program_got_over_is_none() {
    let output = concat!(
        "{\"type\":\"error\",\"message\":\"Reconnecting... 1/5\"}\n",
        "{\"type\":\"item.completed\",\"item\":{\"type\":\"reasoning\",\"text\":\"hm\"}}\n",
        "{\"type\":\"item.completed\",\"item\":{\"type\":\"agent_message\",\"text\":\"one\"}}\n\n",
        "{\"type\":\"item.completed\",\"item\":{\"type\":\"agent_message\",\"text\":\"two\"}}\n",
        "{\"type\":\"turn.completed\",\"usage\":null}\n",
    );
    let expect = Unwrapped { answer: answer("one\n\ntwo", None, None), failure: None };
    assert_eq!(unwrapped(OutputForm::CodexJsonl, output), expect);
}

#[test]
fn an_answer_that_has_no_end_or_ends_at_a_limit_is_cut() {
    let check = |form, output: &str, word: &str| {
        let Unwrapped { answer, failure } = unwrapped(form, output);
        assert_eq!((answer.end, failure), (End::Cut(word.to_owned()), None), "{output}");
    };
    let text = r#"{"type":"text","part":{"text":"half"}}"#;
    check(OutputForm::OpencodeJsonl, text, "the program ended within it");
    let step =
        |reason: &str| format!("{text}\n{{\"type\":\"step_finish\",\"part\":{{\"reason\":\"{reason}\"}}}}");
    check(OutputForm::OpencodeJsonl, &step("tool-calls"), "the program ended within it");
    check(OutputForm::OpencodeJsonl, &step("length"), "length");
    let result = r#"{"type":"result","is_error":false,"result":"half","stop_reason":"max_tokens"}"#;
    check(OutputForm::ClaudeJson, result, "max_tokens");
}

#[test]
fn steps_add_up() {
    let step = |reason: &str| {
        format!(
            r#"{{"type":"step_finish","part":{{"reason":"{reason}","tokens":{{"input":10,"output":2,"cache":{{"read":5,"write":1}}}},"cost":0.25}}}}"#
        )
    };
    let output =
        format!("{}\n{}\n{}", step("tool-calls"), r#"{"type":"text","part":{"text":"x"}}"#, step("stop"));
    let expect = Unwrapped { answer: answer("x", Some((32, 4)), Some(0.5)), failure: None };
    assert_eq!(unwrapped(OutputForm::OpencodeJsonl, &output), expect);
}

#[test]
fn antigravity_counts_its_thoughts_apart() {
    let output = r#"{"conversation_id":"c","status":"SUCCESS","response":"JSONTEST\n","duration_seconds":2.98,"num_turns":1,
        "usage":{"input_tokens":22565,"output_tokens":6,"thinking_tokens":3,"cache_read_tokens":0,"total_tokens":22574}}"#;
    let expect = Unwrapped { answer: answer("JSONTEST\n", Some((22565, 9)), None), failure: None };
    assert_eq!(unwrapped(OutputForm::AntigravityJson, output), expect);
}

#[test]
fn output_of_another_form_is_the_reply_as_it_stands() {
    for form in OutputForm::ALL {
        let Unwrapped { answer, failure } = unwrapped(form, REPLY);
        assert_eq!((answer.text.as_str(), failure), (REPLY, None), "{form:?}");
        let remark = format!("its output is not the `{}` expected and is read as it stands", form.word());
        assert_eq!(answer.remark, Some(remark).filter(|_| form != OutputForm::Text));
        assert_eq!(unwrapped(form, " \n").answer.text.trim(), "", "{form:?}");
        assert_eq!(unwrapped(form, "").answer, Answer::default(), "{form:?}");
    }
    let broken = "{\"status\":\"SUCCESS\",\"response\":\"a line\nand another\"}";
    assert_eq!(unwrapped(OutputForm::AntigravityJson, broken).answer.text, broken);
}

#[test]
fn other_lines_among_those_of_the_form_are_passed_over() {
    let output =
        format!("(node:1) Warning: old\n{}", include_str!("../../../../tests/fixtures/agents/codex.jsonl"));
    assert_eq!(unwrapped(OutputForm::CodexJsonl, &output).answer, answer(REPLY, Some((120, 40)), None));
}

#[test]
fn output_without_an_end_is_refused() {
    let (mut envelope, draft) = (Envelope::new(OutputForm::CodexJsonl), Draft::new());
    let piece = vec![b'{'; 1 << 20];
    let taken = (0..100).take_while(|_| envelope.take(&piece, &draft)).count();
    assert_eq!(taken, envelope.most() >> 20);
}

proptest! {
    #[test]
    fn any_bytes_are_read(form in 0..OutputForm::ALL.len(), lines in vec(line(), 0..8), piece in 1_usize..40) {
        let form = OutputForm::ALL[form];
        let output = lines.concat();
        let found = unwrapped_in_pieces(form, &output, piece);
        prop_assert_eq!(&found, &unwrapped_in_pieces(form, &output, output.len().max(1)));
        // Nothing is lost: what is no envelope comes out as it went in.
        if found.answer.remark.is_some() {
            prop_assert!(!found.answer.text.trim().is_empty());
        }
    }
}

/// Lines of the forms, whole and damaged, and lines of anything.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let known: Vec<&[u8]> = vec![
        include_bytes!("../../../../tests/fixtures/agents/claude.jsonl"),
        include_bytes!("../../../../tests/fixtures/agents/codex.jsonl"),
        include_bytes!("../../../../tests/fixtures/agents/opencode.jsonl"),
        include_bytes!("../../../../tests/fixtures/agents/gemini.json"),
        include_bytes!("../../../../tests/fixtures/agents/llm.json"),
    ];
    let damaged = (prop::sample::select(known), any::<prop::sample::Index>(), any::<u8>()).prop_map(
        |(text, at, byte)| {
            let mut text = text.to_vec();
            let at = at.index(text.len());
            text[at] = byte;
            text
        },
    );
    prop_oneof![damaged, vec(any::<u8>(), 0..60)]
}
