//! Who may ask a daemon, and how much: what a caller is told, and that nobody is asked in vain.

use serde_json::json;

use super::{Serve, chat, refusal};
use crate::mock::{Act, Mock, ending, event};

const CHAT: &str = "/v1/chat/completions";

async fn answering() -> Mock {
    Mock::always(|| Act::Stream(vec![event("one"), ending("stop")])).await
}

/// Status and code of what the daemon says to a request with `headers`.
async fn told(serve: &Serve, headers: &str, text: &str) -> (u16, String) {
    let answer = serve.post_with(CHAT, headers, &chat(true, text)).await.all().await;
    if answer.starts_with("HTTP/1.1 200 ") {
        return (200, String::new());
    }
    let (status, error) = refusal(&answer);
    (status, error["error"]["code"].as_str().unwrap().to_owned())
}

fn bearer(key: &str) -> String {
    format!("authorization: Bearer {key}\r\n")
}

#[tokio::test]
async fn a_running_daemon_takes_keys_as_they_come_and_go() {
    let mock = answering().await;
    let serve = Serve::start(&mock.url, "").await;
    assert_eq!(told(&serve, "", "Why?").await.0, 200);
    let key = serve.scrum(&["keys", "add", "ci", "--tenant", "acme"]).stdout.trim().to_owned();
    while told(&serve, &bearer("wrong"), "Why?").await.0 == 200 {}
    let check = async |headers: &str, status: u16, code: &str| {
        assert_eq!(told(&serve, headers, "How?").await, (status, code.to_owned()), "{headers}");
    };
    let before = mock.asked().len();
    check("", 401, "invalid_api_key").await;
    check(&bearer("wrong"), 401, "invalid_api_key").await;
    check(&(bearer(&key) + "x-org-id: other\r\n"), 403, "mismatched_organization").await;
    assert_eq!(mock.asked().len(), before, "nobody is asked for them");
    check(&bearer(&key), 200, "").await;
    check(&format!("x-api-key: {key}\r\nx-org-id: acme\r\n"), 200, "").await;
    for asked in mock.asked() {
        assert!(!asked.headers.values().any(|value| value.as_bytes().ends_with(key.as_bytes())));
        assert!(!asked.headers.contains_key("x-org-id"));
    }
    let get = async |path: &str| {
        let request = format!("GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", serve.address);
        serve.send(&request).await.all().await.split(' ').nth(1).unwrap().to_owned()
    };
    assert_eq!([get("/health").await, get("/v1/models").await], ["200", "401"]);
    assert_eq!(serve.scrum(&["keys", "remove", "ci"]).status, 0);
    while told(&serve, &bearer(&key), "Why?").await.0 == 200 {}
    check("", 401, "invalid_api_key").await;
}

#[tokio::test]
async fn a_page_of_elsewhere_spends_nothing() {
    let mock = answering().await;
    let serve = Serve::start(&mock.url, "").await;
    let own = format!("origin: http://{}\r\n", serve.address);
    assert_eq!(told(&serve, &own, "Why?").await.0, 200);
    let check = async |headers: &str| {
        assert_eq!(told(&serve, headers, "How?").await, (403, "foreign_origin".to_owned()), "{headers}");
    };
    check("origin: https://evil.example\r\n").await;
    check("origin: null\r\n").await;
    check("origin: http://localhost:3000\r\n").await;
    let body = chat(true, "How?");
    let head = format!("POST {CHAT} HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n");
    let request = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
    let rebound = serve.send(&request).await.all().await;
    let expect = json!({"error": {"message": null, "type": "permission_error", "param": null, "code": "foreign_host"}});
    assert_eq!(refusal(&rebound), (403, expect));
    assert_eq!(mock.asked().len(), 1);
}

#[tokio::test]
async fn two_credentials_or_two_tenants_are_two_calls() {
    let mock = answering().await;
    let serve = Serve::start(&mock.url, "").await;
    let headers = ["", "x-org-id: acme\r\n", "authorization: Bearer a\r\n", "x-api-key: b\r\n"];
    for headers in headers.into_iter().chain(headers) {
        assert_eq!(told(&serve, headers, "Why?").await.0, 200);
    }
    assert_eq!(mock.asked().len(), 4, "each is asked once and kept");
}

#[tokio::test]
async fn a_tenant_that_asks_too_much_is_told_when_to_come_again() {
    let mock = answering().await;
    let settings = "tenant.requests_per_minute = 2\nlimit = [{ tenant = \"slow\", requests_per_minute = 1 }]";
    let serve = Serve::start(&mock.url, settings).await;
    let check = async |headers: &str, text: &str, status: u16| {
        assert_eq!(told(&serve, headers, text).await.0, status, "{headers} {text}");
    };
    check("", "1", 200).await;
    check("", "1", 200).await;
    check("", "1", 429).await;
    check("x-org-id: acme\r\n", "1", 200).await;
    check("x-org-id: slow\r\n", "1", 200).await;
    check("x-org-id: slow\r\n", "2", 429).await;
    assert_eq!(mock.asked().len(), 3, "what was kept is asked once, who is turned away not at all");
    let answer = serve.post(CHAT, &chat(true, "1")).await.all().await;
    let header = |name: &str| {
        let line = answer.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap();
        line.to_owned()
    };
    assert!((1..=30).contains(&header("retry-after").parse::<u32>().unwrap()), "{answer}");
    assert_eq!(
        (header("x-ratelimit-limit-requests"), header("x-ratelimit-remaining-requests")),
        ("2".into(), "0".into())
    );
}

/// The prompt is about thirty tokens by the daemon's guess; the provider says ten, and nine of ten are given a kept answer.
#[tokio::test]
async fn tokens_count_as_the_provider_told_and_once_for_all_who_share() {
    let mock = answering().await;
    let serve = Serve::start(&mock.url, "tenant.tokens_per_minute = 50").await;
    for _ in 0..10 {
        assert_eq!(told(&serve, "", "1").await.0, 200);
    }
    assert_eq!(told(&serve, "", "2").await.0, 200);
    assert_eq!(told(&serve, "", "3").await.0, 200);
    let much = "many words ".repeat(40);
    assert_eq!(told(&serve, "", &much).await, (429, "rate_limit_exceeded".to_owned()));
    assert_eq!(mock.asked().len(), 3);
}

#[tokio::test]
async fn what_a_provider_allows_is_not_exceeded() {
    let mock = answering().await;
    let serve = Serve::start_with(&mock.url, "wait_secs = 0", "requests_per_minute = 1").await;
    assert_eq!(told(&serve, "", "1").await.0, 200);
    assert_eq!(told(&serve, "", "1").await.0, 200, "a kept answer takes nothing");
    assert_eq!(told(&serve, "", "2").await, (429, "provider_limit".to_owned()));
    assert_eq!(mock.asked().len(), 1);
}

#[test]
fn it_does_not_listen_to_others_without_keys() {
    let sandbox = crate::sandbox::Sandbox::without_repository();
    let printed = sandbox.scrum(&["serve", "--listen", "0.0.0.0:0", "--store", "scrum.db"]);
    assert_eq!((printed.status, printed.stdout.as_str()), (2, ""), "{printed:?}");
    let error = printed.stderr.lines().skip_while(|line| !line.starts_with("error"));
    insta::assert_snapshot!(error.collect::<Vec<_>>().join("\n"), @"
    error: other machines may reach 0.0.0.0, and callers have no keys: everybody there could spend what you pay
    hint: `scrum keys add NAME` makes a key; then callers need one
    hint: `--listen 127.0.0.1:4001` is reached from this machine only
    hint: `--without-keys` lets everybody in, where something else keeps the others out
    ");
}
