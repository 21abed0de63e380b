//! Jobs over HTTP: what may be brought, by whom and how often, what is told of it, and that it is done.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Serve, refusal};
use crate::sandbox::Sandbox;

/// A daemon that is only asked for jobs.
pub(super) async fn daemon(settings: &str) -> Serve {
    let sandbox = Sandbox::without_repository();
    // Other tests keep this machine busy.
    let of_queue = "queue.busy_percent = 100";
    sandbox.write("scrum.toml", format!("[serve]\n{of_queue}\n{settings}\n"));
    Serve::of(sandbox).await
}

/// Status, head and body of an answer.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (known, value) = line.split_once(": ")?;
            known.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

/// Asks once, with further `headers`, a line each.
pub(super) async fn ask(serve: &Serve, method: &str, path: &str, headers: &str, body: &str) -> Answer {
    let length = body.len();
    let head = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", serve.address);
    let request = format!("{head}content-length: {length}\r\n{headers}\r\n{body}");
    let text = serve.send(&request).await.all().await;
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    let body = if chunked { unchunked(body) } else { body.to_owned() };
    Answer { status, head: head.to_owned(), body }
}

fn unchunked(mut text: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = text.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        whole += &rest[..size];
        text = rest[size..].strip_prefix("\r\n").unwrap();
    }
    whole
}

pub(super) async fn get(serve: &Serve, path: &str) -> Answer {
    ask(serve, "GET", path, "", "").await
}

/// Brings a job.
pub(super) async fn bring(serve: &Serve, body: &Value) -> Answer {
    ask(serve, "POST", "/queue/enqueue", "", &body.to_string()).await
}

/// The id of a new no-op.
pub(super) async fn noop(serve: &Serve, work_ms: u64) -> String {
    let brought = bring(serve, &json!({ "kind": "noop", "work_ms": work_ms })).await;
    assert_eq!(brought.status, 201, "{}", brought.body);
    brought.json()["id"].as_str().unwrap().to_owned()
}

/// The job once it has come to its end.
async fn ended(serve: &Serve, id: &str) -> Value {
    loop {
        let job = get(serve, &format!("/queue/jobs/{id}")).await.json();
        if !["queued", "running"].contains(&job["state"].as_str().unwrap()) {
            return job;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_job_is_stored_done_and_told_of() {
    let serve = daemon("").await;
    let brought =
        bring(&serve, &json!({ "kind": "noop", "work_ms": 1, "priority": "high", "source": "cli" })).await;
    let id = brought.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(brought.json(), json!({ "id": id, "state": "queued" }));
    assert_eq!(brought.header("location"), Some(format!("/queue/jobs/{id}").as_str()));
    let job = ended(&serve, &id).await;
    let told = ["state", "kind", "priority", "source", "tenant", "attempt", "max_attempts", "reason"];
    let told = told.map(|key| job[key].clone());
    assert_eq!(json!(told), json!(["succeeded", "noop", "high", "cli", "", 1, 3, null]), "{job}");
    assert_eq!(
        job["links"],
        json!({ "self": format!("/queue/jobs/{id}"), "events": format!("/queue/jobs/{id}/events"), "cancel": null, "files": [] })
    );
    let upper = get(&serve, &format!("/queue/jobs/{}", id.to_uppercase())).await;
    assert_eq!(upper.json()["id"], id);
}

#[tokio::test]
async fn orders_that_are_none() {
    let serve = daemon("").await;
    let check = async |body: &str, status: u16, param: Value, code: &str| {
        let answer = ask(&serve, "POST", "/queue/enqueue", "", body).await;
        let (told, error) = refusal(&format!("{}\r\n\r\n{}", answer.head, answer.body));
        let error = [error["error"]["param"].clone(), error["error"]["code"].clone()];
        assert_eq!((told, json!(error)), (status, json!([param, code])), "{body}: {}", answer.body);
    };
    check("", 400, Value::Null, "invalid_body").await;
    check("[1]", 400, Value::Null, "invalid_body").await;
    check(r#"{"kind":"noop","prioritty":"high"}"#, 400, json!("prioritty"), "invalid_body").await;
    check(r#"{"kind":"noop","priority":"urgent"}"#, 400, json!("priority"), "invalid_body").await;
    check(r#"{"kind":"noop","range":"A..B"}"#, 422, json!("range"), "invalid_value").await;
    check(r#"{"kind":"noop","timeout_secs":86400}"#, 422, json!("timeout_secs"), "invalid_value").await;
    check(r#"{"kind":"noop","dedupe_key":"a\u001bb"}"#, 422, json!("dedupe_key"), "invalid_value").await;
    check(
        r#"{"kind":"review","repo":"/etc","range":"--output=/etc/passwd"}"#,
        422,
        json!("range"),
        "invalid_value",
    )
    .await;
    check(r#"{"kind":"review","repo":"/etc","range":"A..B"}"#, 403, json!("repo"), "repository_not_allowed")
        .await;
    let large = format!(r#"{{"kind":"noop","dedupe_key":"{}"}}"#, "x".repeat(1 << 20));
    check(&large, 413, Value::Null, "request_too_large").await;
    assert_eq!(get(&serve, "/queue/jobs").await.json(), json!({ "jobs": [], "next": null }));
}

#[tokio::test]
async fn the_same_again_is_the_same_job_as_long_as_it_waits_or_runs() {
    let serve = daemon("").await;
    let order = json!({ "kind": "noop", "work_ms": 600_000, "dedupe_key": "push-1" });
    let first = bring(&serve, &order).await.json()["id"].clone();
    for _ in 0..3 {
        let again = bring(&serve, &order).await;
        assert_eq!((again.status, again.json()["id"].clone()), (200, first.clone()));
    }
    let other = bring(&serve, &json!({ "kind": "noop", "work_ms": 1, "dedupe_key": "push-1" })).await;
    assert_eq!((other.status, other.json()["error"]["code"].clone()), (409, json!("dedupe_conflict")));
    let elsewhere = ask(&serve, "POST", "/queue/enqueue", "x-org-id: other\r\n", &order.to_string()).await;
    assert_eq!(elsewhere.status, 201, "keys of one tenant are nothing to another");
    let cancel = format!("/queue/cancel/{}", first.as_str().unwrap());
    assert_eq!(ask(&serve, "DELETE", &cancel, "", "").await.status, 200);
    let anew = bring(&serve, &order).await;
    assert_eq!(anew.status, 201, "the key is free again");
    assert_ne!(anew.json()["id"], first);
}

#[tokio::test]
async fn no_more_wait_than_may() {
    let serve = daemon("queue.waiting = 3\nqueue.workers = 1").await;
    let long = json!({ "kind": "noop", "work_ms": 600_000 });
    let running = noop(&serve, 600_000).await;
    let of_it = format!("/queue/jobs/{running}");
    while get(&serve, &of_it).await.json()["state"] != "running" {}
    let keyed = json!({ "kind": "noop", "work_ms": 600_000, "dedupe_key": "kept" });
    assert_eq!(bring(&serve, &keyed).await.status, 201);
    for _ in 0..2 {
        assert_eq!(bring(&serve, &long).await.status, 201);
    }
    let full = bring(&serve, &long).await;
    assert_eq!((full.status, full.json()["error"]["code"].clone()), (429, json!("queue_full")));
    assert!(full.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
    assert_eq!(bring(&serve, &keyed).await.status, 200, "what waits already is not one more");
    let status = get(&serve, "/queue/status").await.json();
    assert_eq!((&status["waiting"]["normal"], &status["running"]), (&json!(3), &json!(1)), "{status}");
    assert_eq!(status["limits"]["waiting"], 3);
    assert_eq!(status["limits"]["waiting_per_tenant"], 3, "nobody is named");
    assert!(status["oldest_wait_seconds"].as_f64().unwrap() >= 0.0);
}

#[tokio::test]
async fn one_tenant_does_not_fill_the_queue() {
    let serve = daemon("queue.waiting = 4\nqueue.workers = 1").await;
    let running = noop(&serve, 600_000).await;
    let of_it = format!("/queue/jobs/{running}");
    while get(&serve, &of_it).await.json()["state"] != "running" {}
    let check = async |tenant: &str, status: u16, told: &str| {
        let headers = format!("x-org-id: {tenant}\r\n");
        let answer = ask(&serve, "POST", "/queue/enqueue", &headers, r#"{"kind":"noop"}"#).await;
        let error = &answer.json()["error"];
        let words =
            error["code"].as_str().map(|code| format!("{code}: {}", error["message"].as_str().unwrap()));
        assert_eq!((answer.status, words.unwrap_or_default().as_str()), (status, told), "{tenant}");
    };
    check("greedy", 201, "").await;
    check("greedy", 201, "").await;
    let share = "tenant_queue_full: this tenant's share of the queue is full: 2 jobs waiting, as many as may of one tenant (`waiting_per_tenant` of [serve.queue])";
    check("greedy", 429, share).await;
    check("acme", 201, "").await;
    check("acme", 201, "").await;
    let all = "queue_full: the queue is full: 4 jobs waiting, as many as may (`waiting` of [serve.queue])";
    check("third", 429, all).await;
    let status = ask(&serve, "GET", "/queue/status", "x-org-id: acme\r\n", "").await.json();
    assert_eq!(status["limits"]["waiting_per_tenant"], 2);
}

#[tokio::test]
async fn a_tenant_brings_as_many_as_it_may_within_a_minute() {
    let settings = "tenant.jobs_per_minute = 2\nlimit = [{ tenant = \"slow\", jobs_per_minute = 1 }]";
    let serve = daemon(settings).await;
    let check = async |headers: &str, status: u16| {
        let answer = ask(&serve, "POST", "/queue/enqueue", headers, r#"{"kind":"noop"}"#).await;
        assert_eq!(answer.status, status, "{headers}: {}", answer.body);
        answer
    };
    check("", 201).await;
    check("", 201).await;
    let told = check("", 429).await;
    assert_eq!(told.json()["error"]["code"], "rate_limit_exceeded");
    assert!(told.json()["error"]["message"].as_str().unwrap().starts_with("too many jobs a minute"));
    assert!((1..=30).contains(&told.header("retry-after").unwrap().parse::<u64>().unwrap()));
    check("x-org-id: slow\r\n", 201).await;
    check("x-org-id: slow\r\n", 429).await;
    check("x-org-id: acme\r\n", 201).await;
}

#[tokio::test]
async fn a_tenant_sees_and_calls_off_its_own() {
    let serve = daemon("").await;
    let order = json!({ "kind": "noop", "work_ms": 600_000, "tenant": "acme" });
    let id = bring(&serve, &order).await.json()["id"].as_str().unwrap().to_owned();
    let paths = ["jobs/ID", "jobs/ID/events", "jobs/ID/files/tally.json", "cancel/ID"];
    for path in paths.map(|path| format!("/queue/{}", path.replace("ID", &id))) {
        let method = if path.contains("cancel") { "DELETE" } else { "GET" };
        for headers in ["", "x-org-id: other\r\n"] {
            let answer = ask(&serve, method, &path, headers, "").await;
            assert_eq!(
                (answer.status, answer.json()["error"]["code"].clone()),
                (404, json!("job_not_found")),
                "{path}"
            );
        }
    }
    assert_eq!(get(&serve, "/queue/jobs").await.json()["jobs"], json!([]));
    let own = "x-org-id: acme\r\n";
    let listed = ask(&serve, "GET", "/queue/jobs", own, "").await.json();
    assert_eq!((&listed["jobs"][0]["id"], &listed["jobs"][1]), (&json!(id), &Value::Null));
    let twice = json!({ "kind": "noop", "tenant": "acme" }).to_string();
    let differing = ask(&serve, "POST", "/queue/enqueue", "x-org-id: other\r\n", &twice).await;
    assert_eq!((differing.status, differing.json()["error"]["param"].clone()), (422, json!("tenant")));
    let key = serve.scrum(&["keys", "add", "ci", "--tenant", "acme"]).stdout.trim().to_owned();
    while get(&serve, "/queue/status").await.status == 200 {}
    let bearer = format!("authorization: Bearer {key}\r\n");
    assert_eq!(ask(&serve, "GET", &format!("/queue/jobs/{id}"), &bearer, "").await.status, 200);
    let other = json!({ "kind": "noop", "tenant": "other" }).to_string();
    assert_eq!(ask(&serve, "POST", "/queue/enqueue", &bearer, &other).await.status, 403);
    assert_eq!(ask(&serve, "DELETE", &format!("/queue/cancel/{id}"), &bearer, "").await.status, 200);
    assert_eq!(get(&serve, "/queue/health").await.status, 200, "health is for all");
    assert_eq!(get(&serve, "/openapi.json").await.status, 200, "and what can be asked");
}

#[tokio::test]
async fn whatever_is_called_off_stays_so() {
    let serve = daemon("queue.workers = 1").await;
    let running = noop(&serve, 600_000).await;
    while get(&serve, &format!("/queue/jobs/{running}")).await.json()["state"] != "running" {}
    let waiting = noop(&serve, 600_000).await;
    let cancel = async |id: &str| ask(&serve, "DELETE", &format!("/queue/cancel/{id}"), "", "").await;
    for (id, was) in [(&waiting, "queued"), (&running, "running")] {
        let answer = cancel(id).await;
        assert_eq!(
            (answer.status, answer.json()),
            (200, json!({ "id": id, "state": "cancelled", "was": was }))
        );
        let again = cancel(id).await;
        assert_eq!((again.status, again.json()["error"]["code"].clone()), (409, json!("job_final")));
    }
    let done = noop(&serve, 0).await;
    ended(&serve, &done).await;
    assert_eq!(cancel(&done).await.status, 409);
    assert_eq!(cancel("01926f00-0000-7000-8000-000000000000").await.status, 404);
    assert_eq!(cancel("nonsense").await.status, 404);
    assert_eq!(get(&serve, &format!("/queue/jobs/{running}")).await.json()["state"], "cancelled");
}

#[tokio::test]
async fn lists_go_on_where_they_ended() {
    let serve = daemon("").await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        let id = noop(&serve, 0).await;
        ended(&serve, &id).await;
        ids.insert(0, id);
    }
    let mut next = "/queue/jobs?limit=2&state=succeeded,failed&kind=noop".to_owned();
    let mut listed = Vec::new();
    loop {
        let list = get(&serve, &next).await.json();
        let jobs = list["jobs"].as_array().unwrap();
        assert!(jobs.len() <= 2);
        listed.extend(jobs.iter().map(|job| job["id"].as_str().unwrap().to_owned()));
        match list["next"].as_str() {
            Some(more) => more.clone_into(&mut next),
            None => break,
        }
    }
    assert_eq!(listed, ids);
    assert_eq!(get(&serve, "/queue/jobs?state=queued").await.json()["jobs"], json!([]));
    assert_eq!(get(&serve, "/queue/jobs?stat=queued").await.status, 400);
}

#[tokio::test]
async fn a_store_that_fails_is_told_of() {
    let serve = daemon("").await;
    let health = get(&serve, "/queue/health").await;
    assert_eq!((health.status, health.json()), (200, json!({ "ok": true, "reasons": [] })));
}
