//! Chat requests relayed to an endpoint of Anthropic's, over HTTP: what is sent there, what comes back.

use futures_util::StreamExt;
use http::{HeaderMap, StatusCode};
use scrum::{
    provider::relay::{Relay, Torn},
    reviewer::Access,
};
use serde_json::{Value, json};

use crate::{
    clients::provider,
    mock::{Act, Mock, json_page},
    provider::{open, reviewer},
};

struct Answered {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
    torn: Option<Torn>,
}

async fn ask(mock: &Mock, chat: &Value) -> Answered {
    let access = Access::Anthropic { base_url: mock.url.clone(), api_key_env: Some("MOCK_KEY".to_owned()) };
    let reviewer = reviewer("claude", access);
    let relay = Relay::to(&open(&reviewer), &reviewer).unwrap();
    let answer = relay.send(chat.to_string().into(), HeaderMap::new()).await.unwrap();
    let (parts, mut body) = answer.into_parts();
    let (mut text, mut torn) = (Vec::new(), None);
    while let Some(piece) = body.next().await {
        match piece {
            Ok(piece) => text.extend_from_slice(&piece),
            Err(error) => torn = Some(error),
        }
    }
    Answered { status: parts.status, headers: parts.headers, text: String::from_utf8(text).unwrap(), torn }
}

fn question(text: &str, stream: bool) -> Value {
    json!({ "model": "claude", "stream": stream, "messages": [{ "role": "user", "content": text }] })
}

#[tokio::test]
async fn a_whole_answer() {
    let mock = provider::start().await;
    let answered = ask(&mock, &question("hello", false)).await;
    assert_eq!((answered.status, answered.torn), (StatusCode::OK, None));
    let completion: Value = serde_json::from_str(&answered.text).unwrap();
    assert_eq!(completion["choices"][0]["message"]["content"], "hello there");
    assert_eq!(completion["object"], "chat.completion");
    let asked = mock.asked().remove(0);
    assert_eq!((asked.path.as_str(), &asked.body["max_tokens"]), ("/v1/messages", &json!(32_000)));
    assert_eq!(asked.headers["anthropic-version"], "2023-06-01");
    assert!(asked.headers.contains_key("x-api-key") && !asked.headers.contains_key("authorization"));
}

#[tokio::test]
async fn a_stream() {
    let mock = provider::start().await;
    let answered = ask(&mock, &question("hello", true)).await;
    assert_eq!((answered.status, answered.torn), (StatusCode::OK, None));
    assert_eq!(answered.headers["content-type"], "text/event-stream");
    assert!(answered.text.contains(r#""delta":{"content":"hello there"}"#), "{}", answered.text);
    assert!(
        answered.text.ends_with("data: [DONE]\n\n") && !answered.text.contains("usage"),
        "{}",
        answered.text
    );
}

#[tokio::test]
async fn a_stream_that_breaks() {
    let mock = provider::start().await;
    let answered = ask(&mock, &question("break off", true)).await;
    assert_eq!(answered.torn, Some(Torn::Reported));
    assert!(
        answered.text.ends_with("\"type\":\"overloaded_error\",\"param\":null,\"code\":null}}\n\n"),
        "{}",
        answered.text
    );
    let begun = b"data: {\"type\":\"message_start\",\"message\":{\"content\":[]}}\n\n".to_vec();
    let mock = Mock::always(move || Act::Stream(vec![begun.clone()])).await;
    assert_eq!(ask(&mock, &question("hello", true)).await.torn, Some(Torn::Unfinished));
}

#[tokio::test]
async fn errors() {
    let error = |answered: &Answered| serde_json::from_str::<Value>(&answered.text).unwrap()["error"].take();
    let mock = provider::start().await;
    let answered = ask(&mock, &question("too much", false)).await;
    assert_eq!((answered.status.as_u16(), &answered.headers["retry-after"]), (429, &"7".parse().unwrap()));
    assert_eq!(error(&answered)["type"], "rate_limit_error");

    let mut seeded = question("hello", false);
    seeded["seed"] = json!(1);
    let answered = ask(&mock, &seeded).await;
    assert_eq!((answered.status.as_u16(), &error(&answered)["param"]), (400, &json!("seed")));
    assert_eq!(mock.asked().len(), 1, "what is refused is not sent");

    let denied = Mock::start(|asked| {
        let key = asked.headers["x-api-key"].to_str().unwrap().to_owned();
        std::future::ready(json_page(401, &json!({ "error": { "message": format!("no: {key}") } })))
    });
    let answered = ask(&denied.await, &question("hello", false)).await;
    assert_eq!((answered.status.as_u16(), &error(&answered)["message"]), (401, &json!("no: [key]")));

    let strange = Mock::always(|| json_page(200, &json!({ "object": "chat.completion" }))).await;
    let answered = ask(&strange, &question("hello", false)).await;
    assert_eq!((answered.status.as_u16(), &error(&answered)["code"]), (502, &json!("provider_unreadable")));
}
