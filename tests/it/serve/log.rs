//! What a daemon logs of requests, and what it never does.

use serde_json::Value;

use super::{Serve, chat};
use crate::{
    end_to_end::KEY,
    mock::{Act, Mock, ending, event},
};

const CHAT: &str = "/v1/chat/completions";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// The lines that tell of requests.
fn answered(log: &str) -> Vec<Value> {
    let lines =
        log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap_or_else(|_| panic!("{line}")));
    lines.filter(|line| line["message"] == "answered").collect()
}

#[tokio::test]
async fn every_request_has_an_id_and_no_line_a_secret() {
    let mock = Mock::always(|| Act::Stream(vec![event("the-reply"), ending("stop")])).await;
    let serve = Serve::start(&mock.url, "log = \"json\"\nlog_level = \"debug\"").await;
    let key = serve.scrum(&["keys", "add", "ci", "--tenant", "acme"]).stdout.trim().to_owned();
    let sent = format!(
        "authorization: Bearer {key}\r\nx-request-id: mine-1\r\ntraceparent: 00-{TRACE}-00f067aa0ba902b7-01\r\n"
    );
    let question = chat(true, "the-question");
    // Until the daemon knows of the key.
    while !serve
        .post_with(CHAT, "authorization: Bearer sk-wrong-key\r\n", &question)
        .await
        .all()
        .await
        .contains(" 401 ")
    {}
    let answer = serve.post_with(CHAT, &sent, &question).await.all().await;
    assert!(answer.contains("x-request-id: mine-1\r\n"), "{answer}");
    let hostile = format!("authorization: Bearer {key}\r\nx-request-id: a b\r\n");
    let refused = serve.post_with("/v1/nothing?sk-in-query", &hostile, "the-body").await.all().await;
    assert!(refused.contains("x-request-id: 01") && !refused.contains("a b"), "{refused}");
    let log = serve.log_at_the_end().await;

    let lines = answered(&log);
    let find = |is_it: &dyn Fn(&&Value) -> bool| lines.iter().find(is_it).unwrap_or_else(|| panic!("{log}"));
    let whole = find(&|line| line["span"]["id"] == "mine-1");
    let span = &whole["span"];
    assert_eq!(
        [
            &span["trace"],
            &span["caller"],
            &span["tenant"],
            &whole["method"],
            &whole["route"],
            &whole["level"]
        ],
        [TRACE, "ci", "acme", "POST", CHAT, "DEBUG"]
    );
    assert!(whole["status"] == 200 && whole["millis"].is_f64() && whole["timestamp"].is_string(), "{whole}");
    find(&|line| line["status"] == 401);
    find(&|line| line["status"] == 404 && line["route"] == "none");
    let secrets =
        [KEY, &key, "sk-wrong-key", "the-question", "the-reply", "the-body", "sk-in-query", "v1/nothing"];
    for secret in secrets {
        assert!(!log.contains(secret), "{secret} is in {log}");
    }
}

/// As it is without settings: a start that people can read, and no line for a request that went well.
#[tokio::test]
async fn a_quiet_log_for_people() {
    let mock = Mock::always(|| Act::Stream(vec![event("one"), ending("stop")])).await;
    let serve = Serve::start(&mock.url, "").await;
    let answer = serve.post_with(CHAT, "", &chat(true, "Why?")).await.all().await;
    assert!(answer.contains("x-request-id: 01"), "{answer}");
    let expect = format!("note: models: mock\nnote: dashboard: http://{}/\n", serve.address);
    assert_eq!(serve.log_at_the_end().await, expect);
}
