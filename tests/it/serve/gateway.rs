//! The gateway in what only a whole process shows: its end, and what its neighbours do to it.

use std::sync::Arc;

use serde_json::json;
use tokio::sync::Notify;

use super::{Serve, chat, refusal};
use crate::{
    end_to_end::KEY,
    mock::{Act, Mock, ending, event},
};

const CHAT: &str = "/v1/chat/completions";

/// A server that sends "one", and "two" and the end once the gate is opened.
async fn gated() -> (Mock, Arc<Notify>) {
    let gate = Arc::new(Notify::new());
    let opened = Arc::clone(&gate);
    let pieces = || vec![event("one"), event("two"), ending("stop")];
    (Mock::always(move || Act::Gated(pieces(), Arc::clone(&opened))).await, gate)
}

#[tokio::test]
async fn many_who_ask_the_same_are_one_call() {
    let (mock, gate) = gated().await;
    let serve = Serve::start(&mock.url, "").await;
    let mut roles = Vec::new();
    let mut readers = Vec::new();
    for _ in 0..20 {
        let mut reader = serve.post(CHAT, &chat(true, "Why?")).await;
        // The others come when the answer has begun.
        reader.until("one").await;
        readers.push(reader);
    }
    gate.notify_one();
    for reader in readers {
        let answer = reader.all().await;
        let role =
            answer.lines().find_map(|line| line.strip_prefix("x-scrum-coalesced: ")).unwrap().to_owned();
        roles.push(role);
        assert!(
            answer.contains("two") && answer.contains("[DONE]") && answer.ends_with("0\r\n\r\n"),
            "{answer}"
        );
    }
    assert_eq!(mock.asked().len(), 1);
    assert_eq!(roles, [vec!["leader"], vec!["follower"; 19]].concat());
}

#[tokio::test]
async fn an_end_that_is_asked_for_waits_for_streams() {
    let (mock, gate) = gated().await;
    let serve = Serve::start(&mock.url, "").await;
    let mut reader = serve.post(CHAT, &chat(true, "Why?")).await;
    reader.until("one").await;
    serve.terminate();
    serve.deaf().await;
    gate.notify_one();
    let answer = reader.all().await;
    assert!(answer.contains("two") && answer.contains("[DONE]"), "{answer}");
    assert_eq!(serve.ended().await, Some(0));
}

#[tokio::test]
async fn an_end_does_not_wait_for_ever() {
    let (mock, _gate) = gated().await;
    let serve = Serve::start(&mock.url, "grace_secs = 0").await;
    let mut reader = serve.post(CHAT, &chat(true, "Why?")).await;
    reader.until("one").await;
    serve.terminate();
    let answer = reader.all().await;
    assert!(answer.contains("\"error\"") && !answer.contains("[DONE]"), "{answer}");
    assert_eq!(serve.ended().await, Some(0));
}

#[tokio::test]
async fn a_provider_that_breaks_off_is_no_whole_answer() {
    let mock = Mock::always(|| Act::Cut(vec![event("one"), event("two")])).await;
    let serve = Serve::start(&mock.url, "").await;
    let answer = serve.post(CHAT, &chat(true, "Why?")).await.all().await;
    assert!(answer.contains("two") && answer.contains("\"error\"") && !answer.contains("[DONE]"), "{answer}");
    assert!(!answer.contains(KEY), "{answer}");
    // It is not kept: whoever asks again gets a call of its own.
    serve.post(CHAT, &chat(true, "Why?")).await.all().await;
    assert_eq!(mock.asked().len(), 2);
}

#[tokio::test]
async fn a_provider_that_is_not_there() {
    let serve = Serve::start("http://127.0.0.1:1/v1", "retries = 0").await;
    for stream in [false, true] {
        let answer = serve.post(CHAT, &chat(stream, "Why?")).await.all().await;
        let error =
            json!({"message": null, "type": "server_error", "param": null, "code": "provider_unreachable"});
        assert_eq!(refusal(&answer), (502, json!({ "error": error })));
        assert!(!answer.contains(KEY), "{answer}");
    }
}

#[tokio::test]
async fn a_request_that_is_too_large() {
    let mock = Mock::always(|| Act::Reply("fine".to_owned())).await;
    let serve = Serve::start(&mock.url, "request_bytes = 1000").await;
    let large = chat(false, &"x".repeat(1000));
    let whole = serve.post(CHAT, &large).await.all().await;
    let head = format!(
        "POST {CHAT} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n",
        serve.address
    );
    let chunked = serve.send(&format!("{head}{:x}\r\n{large}\r\n0\r\n\r\n", large.len())).await.all().await;
    for answer in [whole, chunked] {
        assert_eq!(refusal(&answer).0, 413, "{answer}");
    }
    assert_eq!(mock.asked().len(), 0);
    let answer = serve.post(CHAT, &chat(true, "Why?")).await.all().await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("[DONE]"), "{answer}");
}

#[tokio::test]
async fn an_error_within_an_answer_is_given_out_whole_and_not_kept() {
    let page = r#"{"error":{"message":"overloaded","code":502}}"#;
    let failed = format!("data: {page}\n\n");
    let json = Mock::always(move || Act::Page {
        status: 200,
        headers: vec![("content-type", "application/json".to_owned())],
        body: page.to_owned(),
    });
    let events = Mock::always(move || Act::Stream(vec![event("one"), failed.clone().into_bytes()]));
    for (mock, stream) in [(json.await, false), (events.await, true)] {
        let serve = Serve::start(&mock.url, "").await;
        for asked in 1..=2 {
            let answer = serve.post(CHAT, &chat(stream, "Why?")).await.all().await;
            assert_eq!(answer.matches("\"error\"").count(), 1, "{answer}");
            assert!(answer.contains("overloaded") && !answer.contains("[DONE]"), "{answer}");
            assert!(!stream || answer.ends_with("0\r\n\r\n"), "{answer}");
            assert_eq!(mock.asked().len(), asked);
        }
    }
}

#[tokio::test]
async fn a_key_that_is_sent_back_goes_to_nobody() {
    let body = format!(r#"{{"error":{{"message":"Incorrect API key provided: {KEY}"}}}}"#);
    let mock = Mock::always(move || Act::Page { status: 401, headers: vec![], body: body.clone() }).await;
    let serve = Serve::start(&mock.url, "").await;
    let answer = serve.post(CHAT, &chat(false, "Why?")).await.all().await;
    assert!(
        answer.starts_with("HTTP/1.1 401 ") && answer.contains("Incorrect API key provided: [key]"),
        "{answer}"
    );
    assert!(!answer.contains(KEY), "{answer}");
}

#[tokio::test]
async fn what_is_switched_off_passes_as_it_came() {
    // No word that ends it, and nothing that anybody can read.
    let torn = || vec![event("one"), b"\xff: what is this\n".to_vec()];
    for (variable, alone) in [("COALESCE_ENABLED", [true, true]), ("STREAM_FANOUT_ENABLED", [false, true])] {
        for (stream, is_alone) in [false, true].into_iter().zip(alone) {
            let mock = Mock::always(move || Act::Stream(torn())).await;
            let serve = Serve::without(&mock.url, variable).await;
            let answer = serve.post(CHAT, &chat(stream, "Why?")).await.all().await;
            assert_eq!(answer.contains("x-scrum-coalesced"), !is_alone, "{variable} {answer}");
            assert_eq!(answer.ends_with("what is this\n\r\n0\r\n\r\n"), is_alone, "{variable} {answer}");
        }
    }
}
