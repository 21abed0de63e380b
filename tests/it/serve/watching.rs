//! Watching a job over HTTP: what comes, in which order, and after a connection has broken.

use serde_json::{Value, json};

use super::{
    Serve,
    jobs::{ask, bring, daemon, noop},
};
use crate::sandbox::Sandbox;

/// An event: its number, name and data.
type Event = (Option<u64>, String, Value);

/// What comes until the stream ends, seen from the event `after` on.
async fn watched(serve: &Serve, id: &str, after: Option<u64>) -> Vec<Event> {
    let headers = after.map(|seq| format!("last-event-id: {seq}\r\n")).unwrap_or_default();
    let answer = ask(serve, "GET", &format!("/queue/jobs/{id}/events"), &headers, "").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/event-stream")));
    events(&answer.body)
}

fn events(text: &str) -> Vec<Event> {
    let event = |block: &str| {
        let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        let data = serde_json::from_str(field("data")?).unwrap();
        Some((field("id").map(|id| id.parse().unwrap()), field("event")?.to_owned(), data))
    };
    text.split("\n\n").filter_map(event).collect()
}

#[tokio::test]
async fn a_job_is_followed_to_its_end() {
    let serve = daemon("queue.workers = 1").await;
    let before = noop(&serve, 300).await;
    let id = noop(&serve, 1).await;
    let told = watched(&serve, &id, None).await;
    let states: Vec<&Value> =
        told.iter().filter(|(_, name, _)| name == "job").map(|(_, _, job)| &job["state"]).collect();
    assert_eq!(states.first(), Some(&&json!("queued")));
    assert_eq!(states.last(), Some(&&json!("succeeded")));
    assert_eq!(told.last().unwrap().1, "job", "its end comes last");
    assert!(told.iter().all(|(_, name, job)| name != "job" || job["id"] == id.as_str()));
    let numbers: Vec<u64> = told.iter().filter_map(|(seq, ..)| *seq).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>(), "without a gap");
    let again = watched(&serve, &id, None).await;
    let (last, rest) = again.split_last().unwrap();
    assert_eq!((last.1.as_str(), &last.2["state"]), ("job", &json!("succeeded")));
    assert_eq!(rest, told.iter().filter(|(seq, ..)| seq.is_some()).cloned().collect::<Vec<_>>());
    let after = watched(&serve, &id, Some(u64::MAX)).await;
    assert_eq!(after.len(), 1, "whoever has seen all of it hears only how it ended: {after:?}");
    assert_eq!(watched(&serve, &before, None).await.last().unwrap().2["state"], "succeeded");
}

#[tokio::test]
async fn what_a_review_tells_is_told_again_from_where_one_was() {
    let sandbox = Sandbox::new();
    sandbox.write("scrum.toml", "[serve.queue]\nbusy_percent = 100\n[panel]\nreviewers = [\"rules\"]\n");
    sandbox.script(
        "echo 1 > a.rs && git add a.rs && git commit -qm One && echo 2 > a.rs && git commit -qam Two",
    );
    let serve = Serve::of(sandbox).await;
    let order = json!({ "kind": "review", "repo": serve.sandbox.repo(), "range": "HEAD~1..HEAD" });
    let brought = bring(&serve, &order).await;
    assert_eq!(brought.status, 201, "{}", brought.body);
    let id = brought.json()["id"].as_str().unwrap().to_owned();
    let told = watched(&serve, &id, None).await;
    assert_eq!(told.last().unwrap().2["state"], "succeeded", "{told:?}");
    let numbered =
        |told: &[Event]| told.iter().filter(|(seq, ..)| seq.is_some()).cloned().collect::<Vec<_>>();
    let all = numbered(&told);
    let numbers: Vec<u64> = all.iter().filter_map(|(seq, ..)| *seq).collect();
    assert!(numbers.len() > 3, "{told:?}");
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>(), "without a gap");
    assert_eq!(numbered(&watched(&serve, &id, None).await), all);
    assert_eq!(numbered(&watched(&serve, &id, Some(2)).await), all[2..]);
    let job = ask(&serve, "GET", &format!("/queue/jobs/{id}"), "", "").await.json();
    let files = job["links"]["files"].as_array().unwrap();
    let tally = files.iter().find(|file| file["name"].as_str().unwrap().ends_with("tally.md")).unwrap();
    let answer = ask(&serve, "GET", tally["href"].as_str().unwrap(), "", "").await;
    assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(answer.body.len() as u64, tally["size"].as_u64().unwrap());
}

#[tokio::test]
async fn whoever_comes_back_late_is_told_nothing_twice() {
    let serve = daemon("").await;
    let id = noop(&serve, 0).await;
    let _ = watched(&serve, &id, None).await;
    let database = rusqlite::Connection::open(serve.sandbox.path().join(".scrum/scrum.db")).unwrap();
    for seq in 1..=1_000 {
        let statement = "INSERT INTO job_events (job, seq, attempt, at, data) VALUES (?1, ?2, 1, 0, '{}')";
        database.execute(statement, (&id, seq)).unwrap();
    }
    for after in [0, 255, 256, 600, 999, 1_000, u64::MAX] {
        let told = watched(&serve, &id, Some(after)).await;
        let numbers: Vec<u64> = told.iter().filter_map(|(seq, ..)| *seq).collect();
        assert_eq!(numbers, (after.saturating_add(1)..=1_000).collect::<Vec<_>>(), "after {after}");
        assert_eq!(told.last().unwrap().2["state"], "succeeded");
    }
}

#[tokio::test]
async fn an_evaluation_leaves_its_document() {
    let sandbox = Sandbox::new();
    sandbox.write("scrum.toml", "[serve.queue]\nbusy_percent = 100\n");
    let expected = json!({ "issues": [{ "id": "leak", "path": "a.rs", "text": "the lock leaks" }] });
    sandbox.write("data/one/expected.json", expected.to_string());
    let reply = "SEVERITY: WARN\nWHERE: a.rs:10\nWHAT: the lock leaks\n\nVERDICT: hold\n";
    sandbox.write("data/one/claude.md", reply);
    sandbox.script("git add -A && git commit -qm One");
    let serve = Serve::of(sandbox).await;
    let order = json!({ "kind": "eval", "repo": serve.sandbox.repo(), "file": "data" });
    let brought = bring(&serve, &order).await;
    assert_eq!(brought.status, 201, "{}", brought.body);
    let id = brought.json()["id"].as_str().unwrap().to_owned();
    let told = watched(&serve, &id, None).await;
    assert_eq!(told.last().unwrap().2["state"], "succeeded", "{told:?}");
    let path = format!("/queue/jobs/{id}/files/reviews/document/eval.json");
    let document = ask(&serve, "GET", &path, "", "").await;
    assert_eq!(document.status, 200, "{}", document.body);
    assert!(document.json().is_object(), "{}", document.body);
}

#[tokio::test]
async fn whoever_watches_hears_of_its_end_at_once() {
    let serve = daemon("queue.workers = 1").await;
    let id = noop(&serve, 600_000).await;
    let path = format!("/queue/jobs/{id}/events");
    let request = format!("GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", serve.address);
    let mut watchers = Vec::new();
    for _ in 0..20 {
        let mut watcher = serve.send(&request).await;
        watcher.until("\"state\":\"running\"").await;
        watchers.push(watcher);
    }
    assert_eq!(ask(&serve, "DELETE", &format!("/queue/cancel/{id}"), "", "").await.status, 200);
    for watcher in watchers {
        assert!(watcher.all().await.contains("\"state\":\"cancelled\""));
    }
}

#[tokio::test]
async fn a_daemon_that_ends_does_not_wait_for_those_who_watch() {
    let serve = daemon("grace_secs = 600").await;
    let id = noop(&serve, 0).await;
    let _ = watched(&serve, &id, None).await;
    let other = noop(&serve, 2_000).await;
    let request = format!("GET /queue/jobs/{other}/events HTTP/1.1\r\nhost: {}\r\n\r\n", serve.address);
    let mut watcher = serve.send(&request).await;
    watcher.until("event: job").await;
    serve.terminate();
    watcher.until("0\r\n\r\n").await;
    assert_eq!(serve.ended().await, Some(0));
}

#[tokio::test]
async fn what_cannot_be_watched() {
    let serve = daemon("").await;
    let id = noop(&serve, 0).await;
    let path = format!("/queue/jobs/{id}/events");
    let wrong = ask(&serve, "GET", &path, "last-event-id: x\r\n", "").await;
    assert_eq!((wrong.status, wrong.json()["error"]["param"].clone()), (400, json!("last-event-id")));
    let none = ask(&serve, "GET", "/queue/jobs/01926f00-0000-7000-8000-000000000000/events", "", "").await;
    assert_eq!(none.status, 404);
}
