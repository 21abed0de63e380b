//! The daemon's `OpenAPI` document: of the published form, and true of each address in it.

use std::{fs, path::Path};

use serde_json::{Value, json};

use super::{
    Serve,
    jobs::{Answer, ask, bring, daemon, get, noop},
};
use crate::sandbox::Sandbox;

fn read(path: &str) -> Value {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&fs::read_to_string(root.join(path)).unwrap()).unwrap()
}

fn printed() -> Value {
    let printed = Sandbox::without_repository().scrum(&["serve", "--openapi"]);
    assert_eq!((printed.status, printed.stderr.as_str()), (0, ""));
    serde_json::from_str(&printed.stdout).unwrap()
}

/// What `schema`, which may point into `document`, has against `value`.
fn objections(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut whole = schema.clone();
    whole["components"] = document["components"].clone();
    let validator = jsonschema::draft202012::new(&whole).unwrap();
    validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn it_is_of_the_published_form() {
    let form = jsonschema::draft202012::new(&read("tests/fixtures/schemas/openapi-3.1.json")).unwrap();
    let document = printed();
    let wrong: Vec<String> =
        form.iter_errors(&document).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert_eq!(wrong, Vec::<String>::new());
    let mut broken = document.clone();
    broken["paths"]["/health"]["get"]["responses"]["200"] = json!({});
    assert!(!form.is_valid(&broken), "the form is held to something");
    let dialect = |schema: &Value| jsonschema::meta::is_valid(schema);
    let schemas = document["components"]["schemas"].as_object().unwrap();
    assert!(schemas.values().all(dialect), "its schemas are JSON Schema");
    for known in ["Order", "Brought", "Shown", "List", "Told", "Standing", "Health", "CalledOff", "Refusal"] {
        assert!(schemas.contains_key(known), "{known}");
    }
}

#[test]
fn no_address_is_added_past_it() {
    let mut unlisted = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src/serve")];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if fs::read_to_string(&path).unwrap().contains(".route(\"") {
                unlisted.push(path);
            }
        }
    }
    assert!(unlisted.is_empty(), "routes are made of operations (src/serve/operation.rs): {unlisted:?}");
}

/// What each operation is asked with: path, headers, body, and the status that is expected.
fn asked(id: &str, job: &str) -> (String, &'static str, Value, u16) {
    let of_job = |rest: &str| format!("/queue/jobs/{job}{rest}");
    let plain = |path: &str, status: u16| (path.to_owned(), "", Value::Null, status);
    match id {
        "chat" => ("/v1/chat/completions".to_owned(), "", json!({ "messages": [] }), 503),
        "models" => plain("/v1/models", 200),
        "model" => plain("/v1/models/none", 404),
        "beginThread" => ("/api/threads".to_owned(), "", json!({ "title": "a" }), 201),
        "readThread" => plain("/api/threads/none", 404),
        "postMessage" => {
            ("/api/threads/none/messages".to_owned(), "", json!({ "role": "user", "content": "a" }), 404)
        }
        "overview" => plain("/", 200),
        "runs" => plain("/runs", 200),
        "run" => plain(&format!("/runs/{job}"), 200),
        "queue" => plain("/queue", 200),
        "gateway" => plain("/gateway", 200),
        "reviewers" => plain("/reviewers", 200),
        "live" => plain("/live", 404),
        "performance" => plain("/api/metrics/performance", 200),
        "metrics" => plain("/metrics", 200),
        "health" => plain("/health", 200),
        "openapi" => plain("/openapi.json", 200),
        "webhook" => ("/webhooks/github".to_owned(), "", json!({}), 404),
        "enqueue" => ("/queue/enqueue".to_owned(), "", json!({ "kind": "noop" }), 201),
        "jobs" => plain("/queue/jobs", 200),
        "job" => plain(&of_job(""), 200),
        "events" => plain(&of_job("/events"), 200),
        "file" => plain(&of_job("/files/none"), 404),
        "cancel" => plain(&format!("/queue/cancel/{job}"), 409),
        "status" => plain("/queue/status", 200),
        "queueHealth" => plain("/queue/health", 200),
        other => panic!("{other} is asked nowhere in this test"),
    }
}

/// Holds an answer against what the document says of `operation`.
fn check(document: &Value, operation: &Value, answer: &Answer) {
    let id = &operation["operationId"];
    let told = &operation["responses"][answer.status.to_string()];
    assert!(told.is_object(), "{id}: {} is not told of: {}", answer.status, answer.body);
    let kind = answer.header("content-type").unwrap().split(';').next().unwrap();
    let content = &told["content"][kind];
    assert!(content.is_object(), "{id}: {} comes as {kind}: {told}", answer.status);
    if kind == "application/json" {
        assert_eq!(objections(document, &content["schema"], &answer.json()), Vec::<String>::new(), "{id}");
    }
}

async fn check_each(serve: &Serve, document: &Value) {
    let job = noop(serve, 0).await;
    while get(serve, &format!("/queue/jobs/{job}")).await.json()["finished"].is_null() {}
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let (address, headers, body, status) = asked(operation["operationId"].as_str().unwrap(), &job);
            let pieces = |path: &str| path.split('/').count();
            assert!(pieces(&address) == pieces(path), "{address} is no {path}");
            let text = if body.is_null() { String::new() } else { body.to_string() };
            let answer = ask(serve, &method.to_uppercase(), &address, headers, &text).await;
            assert_eq!(answer.status, status, "{address}: {}", answer.body);
            assert_ne!(answer.header("content-type"), None);
            check(document, operation, &answer);
            if let Some(schema) = operation.pointer("/requestBody/content/application~1json/schema") {
                assert_eq!(objections(document, schema, &body), Vec::<String>::new(), "{address}");
            }
        }
    }
}

#[tokio::test]
async fn it_is_true_of_each_address() {
    let sandbox = Sandbox::without_repository();
    sandbox.write("scrum.toml", "[serve.queue]\nbusy_percent = 100\n[panel]\nreviewers = [\"rules\"]\n");
    let serve = Serve::of(sandbox).await;
    let document = get(&serve, "/openapi.json").await.json();
    assert_eq!(document, printed());
    check_each(&serve, &document).await;
}

#[tokio::test]
async fn refusals_are_told_of_too() {
    let serve = daemon("queue.waiting = 1\nqueue.workers = 1\ntenant.jobs_per_minute = 4").await;
    let document = get(&serve, "/openapi.json").await.json();
    let operation = &document["paths"]["/queue/enqueue"]["post"];
    let orders = [
        (json!({ "kind": "noop", "a": 1 }), 400),
        (json!({ "kind": "noop", "repo": "/a" }), 422),
        (json!({ "kind": "review", "repo": "/a", "range": "A" }), 403),
        (json!({ "kind": "noop", "work_ms": 600_000, "dedupe_key": "a" }), 201),
        (json!({ "kind": "noop", "work_ms": 600_000, "dedupe_key": "a" }), 200),
        (json!({ "kind": "noop", "dedupe_key": "a" }), 409),
        (json!({ "kind": "noop", "work_ms": 600_000 }), 201),
        (json!({ "kind": "noop" }), 429),
    ];
    for (order, status) in orders {
        let answer = bring(&serve, &order).await;
        assert_eq!(answer.status, status, "{order}: {}", answer.body);
        check(&document, operation, &answer);
        let known =
            objections(&document, &operation["requestBody"]["content"]["application/json"]["schema"], &order);
        assert_eq!(known.is_empty(), status != 400, "{order}: {known:?}");
    }
}
