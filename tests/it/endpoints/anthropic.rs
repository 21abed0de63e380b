//! Anthropic's own protocol: what is sent, and every way a reply ends.

use scrum::{
    provider::{Answer, End},
    reviewer::Access,
};
use serde_json::{Value, json};

use super::learning::ask_times;
use crate::{
    mock::{Act, Mock, json_page},
    provider::reviewer,
};

/// Access to a server that speaks Anthropic's protocol.
fn anthropic(mock: &Mock) -> Access {
    Access::Anthropic { base_url: mock.url.clone(), api_key_env: Some("MOCK_KEY".to_owned()) }
}

/// Events of Anthropic's protocol.
fn events(events: &[Value]) -> Act {
    let line =
        |event: &Value| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap()).into_bytes();
    Act::Stream(events.iter().map(line).collect())
}

fn text_delta(text: &str) -> Value {
    json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}})
}

fn message_delta(stop_reason: &str) -> Value {
    json!({"type": "message_delta", "delta": {"stop_reason": stop_reason}, "usage": {"input_tokens": 7, "output_tokens": 3}})
}

#[tokio::test]
async fn it_is_asked_in_its_own_words() {
    let mock = Mock::always(|| events(&[text_delta("ok"), message_delta("end_turn")])).await;
    let answer =
        Answer { text: "ok".to_owned(), tokens_in: Some(7), tokens_out: Some(3), ..Answer::default() };
    assert_eq!(ask_times(&reviewer("opus", anthropic(&mock)), 1).await, [(Ok(answer), 1)]);
    let asked = &mock.asked()[0];
    assert_eq!(asked.path, "/v1/messages");
    assert_eq!(
        (&asked.headers["x-api-key"], asked.headers.get("authorization")),
        (&"sk-very-secret-0123456789".parse().unwrap(), None)
    );
    assert_eq!(
        asked.body,
        json!({
            "model": "opus-model",
            "max_tokens": 32_000,
            "stream": true,
            "system": [{"type": "text", "text": "Review this.", "cache_control": {"type": "ephemeral"}}],
            "messages": [{"role": "user", "content": "diff"}],
        })
    );
}

async fn check(act: fn() -> Act, expect: Result<End, &str>) {
    let mock = Mock::always(act).await;
    let result = ask_times(&reviewer("opus", anthropic(&mock)), 1).await.remove(0).0;
    let result =
        result.map(|answer| answer.end).map_err(|error| format!("{error:?}").replace(&mock.url, "URL"));
    assert_eq!(result, expect.map_err(str::to_owned));
}

#[tokio::test]
async fn replies_end_in_clear_words() {
    let cut = |words: &str| Ok(End::Cut(words.to_owned()));
    check(|| events(&[text_delta("a"), message_delta("max_tokens")]), cut("max_tokens")).await;
    check(
        || events(&[text_delta("a"), message_delta("model_context_window_exceeded")]),
        cut("model_context_window_exceeded: question and reply fill the model's context"),
    )
    .await;
    check(
        || events(&[text_delta("a"), message_delta("pause_turn")]),
        cut("pause_turn: it asked for a tool, and there is none"),
    )
    .await;
    check(
        || events(&[text_delta("a"), message_delta("refusal")]),
        Err(r#"Permanent { reason: "the model refused", partial: "a" }"#),
    )
    .await;
    check(
        || {
            let details = json!({"type": "refusal", "category": "cyber", "explanation": "It could harm."});
            events(&[json!({"type": "message_delta", "delta": {"stop_reason": "refusal", "stop_details": details}})])
        },
        Err(r#"Permanent { reason: "the model refused: It could harm.", partial: "" }"#),
    )
    .await;
    check(
        || events(&[text_delta("a"), json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})]),
        Err(r#"Transient { reason: "the server reported an error: Overloaded", retry_after: None, partial: "a" }"#),
    )
    .await;
    check(
        || events(&[json!({"type": "error", "error": {"type": "invalid_request_error", "message": "No."}})]),
        Err(r#"Permanent { reason: "the server reported an error: No.", partial: "" }"#),
    )
    .await;
}

#[tokio::test]
async fn refusals_and_losses_in_clear_words() {
    check(
        || events(&[text_delta("a")]),
        Err(r#"Transient { reason: "URL ended the stream before the reply was whole", retry_after: None, partial: "a" }"#),
    )
    .await;
    check(
        || Act::Page {
            status: 529,
            headers: vec![("retry-after", "7".to_owned())],
            body: json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})
                .to_string(),
        },
        Err(r#"Transient { reason: "HTTP 529: Overloaded", retry_after: Some(7s), partial: "" }"#),
    )
    .await;
    check(
        || json_page(429, &json!({"type": "error", "error": {"type": "rate_limit_error", "message": "Enough.", "details": {"error_code": "enforced_spend_limit_reached"}}})),
        Err(r#"Unavailable { reason: "the account has no quota or credit left: Enough.", for_now: false, partial: "" }"#),
    )
    .await;
    check(
        || json_page(400, &json!({"type": "error", "error": {"type": "invalid_request_error", "message": "prompt is too long: 210000 tokens > 200000 maximum"}})),
        Err(r#"Permanent { reason: "the bundle is too large for the context of opus-model: a smaller `warn_bytes` in [bundle] makes smaller bundles: prompt is too long: 210000 tokens > 200000 maximum", partial: "" }"#),
    )
    .await;
    check(
        || json_page(200, &json!({"type": "message", "content": [{"type": "text", "text": "a"}], "stop_reason": "end_turn"})),
        Ok(End::Stop),
    )
    .await;
}
