//! The gateway in what only a whole process shows: its end, and what its neighbours do to it.

use std::sync::Arc;

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::Notify,
};

use super::{Serve, chat, refusal};
use crate::{
    end_to_end::KEY,
    mock::{Act, Mock, ending, event, json_page},
    sandbox::Sandbox,
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
/// Starts a daemon in front of a provider that says `bytes` to whoever asks, and hangs up.
async fn before(bytes: Vec<u8>) -> Serve {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut request = Vec::new();
            while !request.ends_with(b"}") && socket.read_buf(&mut request).await.unwrap_or_default() > 0 {}
            let _ = socket.write_all(&bytes).await;
        }
    });
    Serve::start(&url, "retries = 0").await
}

/// What comes of an answer of the provider, twice.
async fn twice(status: &str, headers: &[&str], body: &[u8]) -> [String; 2] {
    let head = format!("HTTP/1.1 {status}\r\n{}\r\n\r\n", headers.join("\r\n"));
    let serve = before([head.as_bytes(), body].concat()).await;
    let first = serve.post(CHAT, &chat(false, "Why?")).await.all().await;
    [first, serve.post(CHAT, &chat(false, "Why?")).await.all().await]
}

#[tokio::test]
async fn a_key_is_in_no_header_and_in_no_page_that_is_no_text() {
    let (told, found) = (format!("x-told: Bearer {KEY}"), format!("location: http://h/?key={KEY}"));
    let json = "content-type: application/json";
    let page = [b"\xff ".as_slice(), KEY.as_bytes()].concat();
    let check = async |status: &str, body: &[u8]| {
        let answers = twice(status, &[json, &told, &found, "x-other: 1"], body).await;
        for answer in answers {
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {status}")) && answer.contains("x-other: 1"),
                "{answer}"
            );
            assert!(!answer.contains(KEY), "{answer}");
        }
    };
    check("200 OK", b"{}").await;
    check("302 Found", b"{}").await;
    check("401 Unauthorized", b"{}").await;
    check("400 Bad Request", &page).await;
}

#[tokio::test]
async fn what_is_no_whole_json_is_not_kept() {
    let check = async |status: &str, headers: &[&str], body: &str, is_whole: bool| {
        for answer in twice(status, headers, body.as_bytes()).await {
            let is_first = answer.contains("x-scrum-coalesced: leader") || answer.is_empty();
            assert!(is_first, "{answer}");
            let has_ended = answer.contains(body) && (answer.ends_with("0\r\n\r\n") || body.is_empty());
            assert_eq!(has_ended, is_whole, "{answer:?}");
        }
    };
    let json = "content-type: application/json";
    // No length is told, and the end is a clean one.
    check("200 OK", &[json], r#"{"choices":[{"message":{"content":"cut o"#, false).await;
    check("200 OK", &["content-type: text/html"], "<html>log in</html>", true).await;
    check("204 No Content", &[json], "", true).await;
}

#[tokio::test]
async fn the_pieces_of_an_answer_count_and_not_its_length() {
    let answers = twice(
        "200 OK",
        &["content-type: application/json", "content-length: 5", "transfer-encoding: chunked"],
        b"b\r\n{\"whole\":1}\r\n0\r\n\r\n",
    );
    for answer in answers.await {
        assert!(answer.contains(r#"{"whole":1}"#) && !answer.contains("content-length"), "{answer}");
    }
}

#[tokio::test]
async fn a_provider_does_not_change_the_protocol() {
    let answers = twice("101 Switching Protocols", &["connection: upgrade", "upgrade: other"], b"");
    for answer in answers.await {
        assert_eq!(refusal(&answer).0, 502, "{answer}");
    }
}

/// Media types are written in any case.
#[tokio::test]
async fn events_by_another_name_are_events() {
    let body = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n";
    let length = format!("content-length: {}", body.len());
    for answer in twice("200 OK", &["content-type: Text/Event-Stream", &length], body.as_bytes()).await {
        assert!(answer.contains("provider_failed") && !answer.ends_with("0\r\n\r\n"), "{answer}");
    }
}

/// What is written to a model on this machine is not told to another one's provider, however broken it is.
#[tokio::test]
async fn what_cannot_be_read_goes_to_nobody_in_particular() {
    let mock = Mock::always(|| json_page(200, &json!({}))).await;
    let reviewer = |id: &str, path: &str| {
        format!(
            "[[reviewer]]\nid = \"{id}\"\nprovider = \"openai\"\nbase_url = \"{}{path}\"\nmodel = \"{id}\"\n",
            mock.url
        )
    };
    let sandbox = Sandbox::without_repository();
    let both = [reviewer("hosted", ""), reviewer("local", "/other")].concat();
    sandbox.write("scrum.toml", format!("[panel]\nreviewers = [\"hosted\", \"local\"]\n{both}"));
    let serve = Serve::of(sandbox).await;
    for body in ["{\"model\":\"local\"", "{\"model\":\"local\"}}", "\u{feff}{\"model\":\"local\"}", "[]"] {
        assert_eq!(refusal(&serve.post(CHAT, body).await.all().await).0, 400, "{body}");
    }
    assert_eq!(mock.asked().len(), 0);
}

/// Figures that no model takes.
#[tokio::test]
async fn counts_without_measure_do_no_harm() {
    let usage = json!({"prompt_tokens": u64::MAX, "completion_tokens": u64::MAX});
    let mock = Mock::always(move || json_page(200, &json!({"choices": [], "usage": usage}))).await;
    let serve = Serve::start(&mock.url, "").await;
    for text in ["one", "two", "three"] {
        let answer = serve.post(CHAT, &chat(false, text)).await.all().await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
    let numbers = serve.send("GET /api/metrics/performance HTTP/1.0\r\n\r\n").await.all().await;
    assert!(numbers.contains(&format!("\"in\":{}", u64::MAX)), "{numbers}");
}
