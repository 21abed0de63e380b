//! Threads over HTTP: one turn for all who post the same, and no half of one.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{
    Serve,
    jobs::{ask, get},
    refusal,
};
use crate::{
    explain::reviewed_as,
    mock::{Act, Asked, Mock, ending, event},
    sandbox::Sandbox,
};

/// Answers "Answer N", as a stream where one is asked for.
fn answers(asked: &Asked) -> Act {
    let text = format!("Answer {}", asked.number);
    if asked.body["stream"] == true {
        return Act::Stream(vec![event(&text), event("!"), ending("stop")]);
    }
    let usage = json!({"prompt_tokens": 7, "completion_tokens": 2});
    let choice = json!({"message": {"role": "assistant", "content": text}, "finish_reason": "stop"});
    let body = json!({"choices": [choice], "usage": usage}).to_string();
    Act::Page { status: 200, headers: vec![("content-type", "application/json".to_owned())], body }
}

/// A whole request with further headers; the answer as it came.
async fn raw(serve: &Serve, method: &str, path: &str, headers: &[&str], body: &str) -> String {
    let headers = headers.iter().flat_map(|header| [*header, "\r\n"]).collect::<String>();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {}\r\ncontent-length: {}\r\n{headers}connection: close\r\n\r\n{body}",
        serve.address,
        body.len()
    );
    serve.send(&request).await.all().await
}

/// Status and JSON of an answer.
fn read(answer: &str) -> (u16, Value) {
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    let (start, end) = (body.find('{').unwrap(), body.rfind('}').unwrap());
    (status, serde_json::from_str(&body[start..=end]).unwrap())
}

const DEMO: &str = "x-org-id: org_demo";

async fn begin(serve: &Serve) -> String {
    let (status, thread) = read(&raw(serve, "POST", "/api/threads/", &[DEMO], r#"{"title":"Burst"}"#).await);
    assert_eq!(status, 201, "{thread}");
    thread["thread_id"].as_str().unwrap().to_owned()
}

async fn say(serve: &Serve, thread: &str, headers: &[&str], body: &Value) -> String {
    let path = format!("/api/threads/{thread}/messages");
    raw(serve, "POST", &path, &[&[DEMO], headers].concat(), &body.to_string()).await
}

/// What was said, as `headers` may see it.
async fn said(serve: &Serve, thread: &str, headers: &[&str]) -> Vec<String> {
    let answer = raw(serve, "GET", &format!("/api/threads/{thread}"), headers, "").await;
    let (status, thread) = read(&answer);
    assert_eq!(status, 200, "{answer}");
    let line = |message: &Value| format!("{} {}", message["role"].as_str().unwrap(), message["content"]);
    thread["messages"].as_array().unwrap().iter().map(line).collect()
}

#[tokio::test]
async fn fifty_posts_at_once_are_one_turn() {
    let mock = Mock::start(|asked| std::future::ready(answers(&asked))).await;
    let serve = Serve::start(&mock.url, "").await;
    let thread = begin(&serve).await;
    let post = json!({"role": "user", "content": "Why?", "provider": "openai", "model": "mock",
                      "reason": "burst", "scope": "private"});
    let posts = (0..50).map(|_| say(&serve, &thread, &[], &post));
    let answered: Vec<(u16, Value)> = join_all(posts).await.iter().map(|answer| read(answer)).collect();
    assert!(answered.iter().all(|one| *one == answered[0]), "{answered:?}");
    let (status, answer) = &answered[0];
    assert_eq!((*status, &answer["message"]["content"]), (200, &json!("Answer 0")));
    assert_eq!(answer["message"]["usage"], json!({"prompt_tokens": 7, "completion_tokens": 2}));
    assert_eq!(mock.asked().len(), 1);
    assert_eq!(said(&serve, &thread, &[DEMO]).await, ["user \"Why?\"", "assistant \"Answer 0\""]);
}

#[tokio::test]
async fn what_was_said_before_is_told_and_another_turn_can_be_had() {
    let mock = Mock::start(|asked| std::future::ready(answers(&asked))).await;
    let serve = Serve::start(&mock.url, "").await;
    let thread = begin(&serve).await;
    let post = json!({"content": "Why?"});
    for headers in
        [vec![], vec!["idempotency-key: a"], vec!["idempotency-key: a"], vec!["x-scrum-coalesce: off"]]
    {
        let (status, answer) = read(&say(&serve, &thread, &headers, &post).await);
        assert_eq!(status, 200, "{answer}");
    }
    let (_, last) = read(&say(&serve, &thread, &[], &json!({"content": "And then?"})).await);
    assert_eq!(last["history"], json!({"told": 6, "left_out": 0}));
    let asked = mock.asked();
    assert_eq!(asked.len(), 4);
    assert_eq!(asked[0].body["messages"], json!([{"role": "user", "content": "Why?"}]));
    let told: Vec<&str> = asked[3].body["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["content"].as_str().unwrap())
        .collect();
    assert_eq!(told, ["Why?", "Answer 0", "Why?", "Answer 1", "Why?", "Answer 2", "And then?"]);
    assert_eq!(said(&serve, &thread, &[DEMO]).await.len(), 8);
}

#[tokio::test]
async fn a_stream_is_stored_before_its_last_word() {
    let mock = Mock::start(|asked| std::future::ready(answers(&asked))).await;
    let serve = Serve::start(&mock.url, "").await;
    let thread = begin(&serve).await;
    let answer = say(&serve, &thread, &[], &json!({"content": "Why?", "stream": true})).await;
    assert!(answer.contains("text/event-stream") && answer.contains("Answer 0"), "{answer}");
    assert_eq!(answer.matches("data: [DONE]").count(), 1, "{answer}");
    assert_eq!(said(&serve, &thread, &[DEMO]).await, ["user \"Why?\"", "assistant \"Answer 0!\""]);
    assert_eq!(mock.asked()[0].body["stream_options"], json!({"include_usage": true}));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_model_does_not_take_is_not_sent() {
    let mock = Mock::start(|asked| std::future::ready(answers(&asked))).await;
    let leave_out = "leave_out = { system = [\"*\"], stream_options = [\"*\"] }";
    let serve = Serve::start_in(reviewed_as("convergence", &[]), &mock.url, "", leave_out).await;
    let about = r#"{"title":"Why?","run":"latest","issue":"91c9"}"#;
    let (_, thread) = read(&raw(&serve, "POST", "/api/threads", &[DEMO], about).await);
    let thread = thread["thread_id"].as_str().unwrap();
    for question in ["Can it?", "And then?"] {
        say(&serve, thread, &[], &json!({"content": question, "stream": true})).await;
    }
    let asked = &mock.asked()[1].body;
    assert_eq!(asked.get("stream_options"), None);
    let messages = asked["messages"].as_array().unwrap();
    let roles: Vec<_> = messages.iter().map(|message| message["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["user", "assistant", "user"]);
    let first = messages[0]["content"].as_str().unwrap();
    assert!(first.contains("An issue at services/ledger") && first.ends_with("\n\nCan it?"), "{first}");
    assert_eq!(messages[2]["content"], "And then?");
}

#[tokio::test]
async fn what_breaks_off_leaves_nothing() {
    let mock = Mock::start(|asked| {
        std::future::ready(match asked.number {
            0 => Act::Cut(vec![event("one"), event("two")]),
            1 => Act::Page {
                status: 400,
                headers: Vec::new(),
                body: r#"{"error":{"message":"no"}}"#.to_owned(),
            },
            2 => Act::Page { status: 200, headers: Vec::new(), body: "<html>".to_owned() },
            _ => Act::Gated(vec![event("one")], std::sync::Arc::default()),
        })
    })
    .await;
    let serve = Serve::start(&mock.url, "retries = 0").await;
    let thread = begin(&serve).await;
    let cut = say(&serve, &thread, &[], &json!({"content": "0", "stream": true})).await;
    assert!(cut.contains("two") && cut.contains("\"error\"") && !cut.contains("[DONE]"), "{cut}");
    assert_eq!(refusal(&say(&serve, &thread, &[], &json!({"content": "1"})).await).0, 400);
    assert_eq!(refusal(&say(&serve, &thread, &[], &json!({"content": "2"})).await).0, 502);
    let path = format!("/api/threads/{thread}/messages");
    let mut leaving = serve.post(&path, r#"{"content":"3","stream":true}"#).await;
    // It names no tenant, to whom the thread is unknown.
    leaving.until("404").await;
    let request = json!({"content": "3", "stream": true}).to_string();
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: {}\r\n{DEMO}\r\ncontent-length: {}\r\n\r\n{request}",
        serve.address,
        request.len()
    );
    let mut leaving = serve.send(&request).await;
    leaving.until("one").await;
    drop(leaving);
    assert_eq!(said(&serve, &thread, &[DEMO]).await, [] as [&str; 0]);
}

#[tokio::test]
async fn who_may_see_what() {
    let mock = Mock::start(|asked| std::future::ready(answers(&asked))).await;
    let serve = Serve::start(&mock.url, "").await;
    let thread = begin(&serve).await;
    let (ada, bob) = ("authorization: Bearer ada", "authorization: Bearer bob");
    let post = |scope: &str| json!({"content": scope, "scope": scope});
    for (who, scope) in [(ada, "private"), (ada, "org"), (bob, "private")] {
        assert_eq!(read(&say(&serve, &thread, &[who], &post(scope)).await).0, 200);
    }
    let check = async |headers: &[&str], expect: &[&str]| {
        let seen = said(&serve, &thread, headers).await;
        let questions: Vec<&str> = seen.iter().filter_map(|line| line.strip_prefix("user ")).collect();
        assert_eq!(questions, expect, "{headers:?}");
    };
    check(&[DEMO, ada], &["\"private\"", "\"org\""]).await;
    check(&[DEMO, bob], &["\"org\"", "\"private\""]).await;
    check(&[DEMO], &["\"org\""]).await;
    let told = mock.asked()[2].body["messages"].clone();
    assert_eq!(told.as_array().unwrap().len(), 3, "bob's model is told nothing of ada's own: {told}");
    for path in [format!("/api/threads/{thread}"), "/api/threads/0000".to_owned()] {
        let other = refusal(&raw(&serve, "GET", &path, &["x-org-id: other"], "").await);
        let error =
            json!({"message": null, "type": "not_found_error", "param": null, "code": "thread_not_found"});
        assert_eq!(other, (404, json!({ "error": error })));
    }
}

#[tokio::test]
async fn bad_input_is_told_in_one_shape() {
    let mock = Mock::start(|asked| std::future::ready(answers(&asked))).await;
    let serve = Serve::start(&mock.url, "").await;
    let thread = begin(&serve).await;
    let messages = format!("/api/threads/{thread}/messages/");
    let long = json!({"content": "x".repeat(100_001)}).to_string();
    let title = json!({"title": "x".repeat(201)}).to_string();
    let mut lines = Vec::new();
    for (path, body) in [
        ("/api/threads", "{"),
        ("/api/threads", "{}"),
        ("/api/threads", r#"{"title":" "}"#),
        ("/api/threads", title.as_str()),
        ("/api/threads", r#"{"title":"a","issue":"1"}"#),
        ("/api/threads", r#"{"title":"a","run":"../..","issue":"1"}"#),
        (&messages, r#"{"content":""}"#),
        (&messages, long.as_str()),
        (&messages, r#"{"content":"a","role":"system"}"#),
        (&messages, r#"{"content":"a","scope":"world"}"#),
        (&messages, r#"{"content":"a","model":"nobody"}"#),
        (&messages, r#"{"content":"a","temperature":0}"#),
    ] {
        let (status, error) = refusal(&raw(&serve, "POST", path, &[DEMO], body).await);
        let error = &error["error"];
        lines.push(format!("{status} {} {}", error["code"], error["param"]));
    }
    insta::assert_snapshot!(lines.join("\n"), @r#"
    400 "invalid_body" null
    400 "invalid_body" null
    400 "invalid_value" "title"
    400 "invalid_value" "title"
    400 "invalid_value" "run"
    404 "run_not_found" "run"
    400 "invalid_value" "content"
    400 "invalid_value" "content"
    400 "invalid_value" "role"
    400 "invalid_value" "scope"
    404 "model_not_found" "model"
    400 "invalid_body" null
    "#);
    assert_eq!(mock.asked().len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thread_about_an_issue_knows_its_code() {
    let mock = Mock::start(|asked| std::future::ready(answers(&asked))).await;
    let serve = Serve::start_in(reviewed_as("convergence", &[]), &mock.url, "", "").await;
    let about = r#"{"title":"Why?","run":"latest","issue":"91c9"}"#;
    let (status, thread) = read(&raw(&serve, "POST", "/api/threads", &[DEMO], about).await);
    assert_eq!(status, 201, "{thread}");
    let thread = thread["thread_id"].as_str().unwrap();
    let answer = say(&serve, thread, &[], &json!({"content": "Can it?"})).await;
    assert_eq!(read(&answer).0, 200, "{answer}");
    let messages = mock.asked()[0].body["messages"].clone();
    let system = messages[0]["content"].as_str().unwrap();
    for part in ["An issue at services/ledger/transfer.go:8", "> kimi:", "| +\tif from.Balance < amount {"] {
        assert!(system.contains(part), "{part} in {system}");
    }
    assert_eq!(messages[1], json!({"role": "user", "content": "Can it?"}));
    let about = r#"{"title":"What first?","run":"latest"}"#;
    let (_, thread) = read(&raw(&serve, "POST", "/api/threads", &[DEMO], about).await);
    let whole = thread["thread_id"].as_str().unwrap();
    assert_eq!(read(&say(&serve, whole, &[], &json!({"content": "What first?"})).await).0, 200);
    let system = mock.asked()[1].body["messages"][0]["content"].to_string();
    let listed =
        "> 91c906e1ecf8 BLOCK services/ledger/transfer.go:8 (anthropic, moonshot): Insufficient balance";
    assert!(system.contains(listed), "{system}");
    let unknown = r#"{"title":"Why?","run":"latest","issue":"ffff"}"#;
    assert_eq!(refusal(&raw(&serve, "POST", "/api/threads", &[DEMO], unknown).await).0, 404);
}

#[tokio::test]
async fn what_is_private_is_not_told_for_an_answer_that_all_may_see() {
    let mock = Mock::start(|asked| std::future::ready(answers(&asked))).await;
    let serve = Serve::start(&mock.url, "").await;
    let thread = begin(&serve).await;
    for (content, scope) in
        [("Mine?", "private"), ("Ours?", "org"), ("All?", "org"), ("And mine?", "private")]
    {
        let (status, answer) =
            read(&say(&serve, &thread, &[], &json!({"content": content, "scope": scope})).await);
        assert_eq!(status, 200, "{answer}");
    }
    let told = mock.asked().into_iter().map(|asked| asked.body["messages"].as_array().unwrap().len());
    assert_eq!(told.collect::<Vec<_>>(), [1, 1, 3, 7]);
}

#[tokio::test]
async fn a_key_of_a_tenant_asks_about_no_run_but_its_own() {
    let sandbox = Sandbox::new();
    sandbox.write("scrum.toml", "[serve.queue]\nbusy_percent = 100\n[panel]\nreviewers = [\"rules\"]\n");
    sandbox.script(
        "echo 1 > a.rs && git add a.rs && git commit -qm One && echo 2 > a.rs && git commit -qam Two",
    );
    let serve = Serve::of(sandbox).await;
    let key = |name: &str, more: &[&str]| {
        let printed = serve.scrum(&[&["keys", "add", name], more].concat());
        format!("authorization: Bearer {}\r\n", printed.stdout.trim())
    };
    let acme = key("acme-ci", &["--tenant", "acme"]);
    let (rival, ada) = (key("rival-ci", &["--tenant", "rival"]), key("ada", &[]));
    while get(&serve, "/queue/status").await.status == 200 {}
    let reviewed = async |by: &str| {
        let order = json!({ "kind": "review", "repo": serve.sandbox.repo(), "range": "HEAD~1..HEAD" });
        let brought = ask(&serve, "POST", "/queue/enqueue", by, &order.to_string()).await.json();
        let job = format!("/queue/jobs/{}", brought["id"].as_str().unwrap());
        loop {
            let shown = ask(&serve, "GET", &job, by, "").await.json();
            if let Some(run) = shown["result"]["run"].as_str() {
                return run.to_owned();
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    let about = async |by: &str, run: &str| {
        let wanted = json!({ "title": "What?", "run": run }).to_string();
        ask(&serve, "POST", "/api/threads", by, &wanted).await
    };
    let own = reviewed(&acme).await;
    // It is heard of a moment after it is stored.
    while about(&acme, &own).await.status == 404 {}
    let none = about(&rival, "latest").await;
    assert_eq!((none.status, none.json()["error"]["code"].clone()), (404, json!("run_not_found")));
    let others = reviewed(&rival).await;
    while about(&rival, &others).await.status == 404 {}
    for (by, run, status) in [
        (&acme, own.as_str(), 201),
        (&acme, "latest", 201),
        (&acme, others.as_str(), 404),
        (&rival, own.as_str(), 404),
        // Begins both ids, of which it has one.
        (&rival, "2", 201),
        (&ada, own.as_str(), 201),
        (&ada, others.as_str(), 201),
        (&ada, "2", 400),
    ] {
        assert_eq!(about(by, run).await.status, status, "{by}{run}");
    }
}
