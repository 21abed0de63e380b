//! The dashboard of a real daemon: what its pages show, to whom, and that nothing in them is more than text.

use std::{fs, path::Path, time::Duration};

use serde_json::{Value, json};

use super::{
    Serve,
    jobs::{Answer, ask, bring, daemon, get, noop},
};
use crate::sandbox::Sandbox;

/// What nobody's browser may take for markup.
const HOSTILE: &str = "<img src=x onerror=alert(1)>\"'&{{ 7*7 }}</script>";
const PAGES: [&str; 5] = ["/", "/runs", "/queue", "/gateway", "/reviewers"];
/// As a browser asks.
const BROWSER: &str = "accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n";

const CONFIG: &str = "[serve.queue]\nbusy_percent = 100\n[panel]\nreviewers = [\"rules\"]\n\
                      [paths]\nreviews = \"reviews\"\nbundles = \"bundles\"\n";

/// A run in the folder of `sandbox`; its id.
fn keep(sandbox: &Sandbox, number: u64, range: &str, repository: Option<&str>) -> String {
    let id = format!("20260101-{number:09}-abcdef");
    let record = json!({
        "schema": "scrum.run/1", "id": id, "tool_version": "0", "prompt_hash": "", "nonce": "0",
        "started_at": "2026-01-01T00:00:00Z", "finished_at": "2026-01-01T00:00:01Z", "repository": repository,
        "range": { "base": null, "head": null, "spec": range }, "commits": [],
        "panel": [{ "reviewer": "rules", "provider": "builtin", "model": HOSTILE, "lineage": "static:rules" }],
        "gate": { "fail_on": "never", "min_lineages": 1 },
    });
    sandbox.write(&format!("reviews/{id}/run.json"), record.to_string());
    sandbox.write(&format!("bundles/{id}/manifest.json"), manifest(range).to_string());
    sandbox.write(&format!("reviews/{id}/outcomes.jsonl"), "");
    id
}

fn manifest(range: &str) -> Value {
    json!({ "schema": "scrum.manifest/1", "range": { "base": null, "head": null, "spec": range }, "bundles": [], "excluded": [] })
}

/// A line of `findings.jsonl`.
fn line(id: &str, range: &str, issues: u64) -> String {
    let totals = json!({
        "convergent": 1, "distinct": issues, "retracted": 0, "rejected": 0,
        "by_severity": { "BLOCK": 0, "WARN": issues, "INFO": 0 }, "by_lineage": {},
    });
    let line = json!({
        "schema": "scrum.summary/1", "run": id, "finished_at": null, "range": { "base": null, "head": null, "spec": range },
        "totals": totals, "bundles": [], "answered": 3, "asked": 4, "verdict": "ship-with-fixes", "gate": "pass",
    });
    line.to_string() + "\n"
}

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::without_repository();
    sandbox.write("scrum.toml", CONFIG);
    sandbox
}

/// A page, with what every page must have.
async fn page(serve: &Serve, path: &str) -> String {
    let answer = ask(serve, "GET", path, BROWSER, "").await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    check_headers(&answer);
    answer.body
}

fn check_headers(answer: &Answer) {
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let policy = answer.header("content-security-policy").unwrap();
    for part in [
        "default-src 'none'",
        "script-src 'sha256-",
        "style-src 'sha256-",
        "connect-src 'self'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    for forbidden in [" style=\"", " onclick=", " onload=", "javascript:", "http-equiv"] {
        assert!(!answer.body.contains(forbidden), "{forbidden}");
    }
}

#[tokio::test]
async fn an_empty_daemon_says_what_to_do() {
    let serve = Serve::of(sandbox()).await;
    for path in PAGES {
        let body = page(&serve, path).await;
        assert!(body.contains("class=\"empty\"") || path == "/queue", "{path}: {body}");
        assert!(body.contains("aria-current=\"page\""), "{path}");
    }
    assert!(page(&serve, "/").await.contains("scrum enqueue review"));
}

#[tokio::test]
async fn runs_of_the_folder_are_listed_searched_and_turned_over() {
    let sandbox = sandbox();
    let mut lines = String::new();
    for number in 0..60 {
        let range = format!("change{number}..");
        let repository = if number < 55 { None } else { Some("https://forge.example/acme/app") };
        let id = keep(&sandbox, number, &range, repository);
        lines += &line(&id, &range, number % 3);
    }
    sandbox.write("reviews/findings.jsonl", lines);
    let serve = Serve::of(sandbox).await;
    let first = page(&serve, "/runs").await;
    assert!(
        first.contains("60 runs") && first.contains("change59..") && !first.contains("change9.."),
        "{first}"
    );
    let second = page(&serve, "/runs?page=2").await;
    assert!(second.contains("change9..") && !second.contains("change59.."));
    let own = page(&serve, "/runs?repository=https%3A%2F%2Fforge.example%2Facme%2Fapp").await;
    assert!(
        own.contains("5 runs of 60") && own.contains("<polyline") && own.contains("acme&#x2f;app"),
        "{own}"
    );
    assert!(page(&serve, "/runs?text=CHANGE17").await.contains("1 run of 60"));
    assert!(page(&serve, "/runs?verdict=hold").await.contains("None of 60 runs is like that"));
    assert_eq!(ask(&serve, "GET", "/runs?repo=x", BROWSER, "").await.status, 400);
    // A new one is there when it is asked again.
    let id = keep(&serve.sandbox, 99, "late..", None);
    let path = serve.sandbox.repo().join("reviews/findings.jsonl");
    let all = fs::read_to_string(&path).unwrap() + &line(&id, "late..", 1);
    fs::write(&path, all).unwrap();
    while !page(&serve, "/runs").await.contains("late..") {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn what_is_hostile_stays_text() {
    let sandbox = sandbox();
    let id = keep(&sandbox, 1, HOSTILE, Some(&format!("https://forge.example/{HOSTILE}")));
    sandbox.write("reviews/findings.jsonl", line(&id, HOSTILE, 1));
    let serve = Serve::of(sandbox).await;
    let database = rusqlite::Connection::open(serve.sandbox.repo().join("scrum.db")).unwrap();
    let job = noop(&serve, 600_000).await;
    let task = json!({ "kind": "noop", "repo": HOSTILE, "range": HOSTILE, "work_ms": 600_000 }).to_string();
    let change = "UPDATE jobs SET task = ?1, tenant = ?2, reason = ?2 WHERE id = ?3";
    while database.execute(change, (&task, HOSTILE, &job)).is_err() {}
    let told = |event: Value| {
        let statement = "INSERT INTO job_events (job, seq, attempt, at, data)
                         SELECT ?1, coalesce(max(seq), 0) + 1, 1, 0, ?2 FROM job_events WHERE job = ?1";
        while database.execute(statement, (&job, event.to_string())).is_err() {}
    };
    told(json!({ "event": "asking", "tasks": 1, "bundles": [HOSTILE], "reviewers": [HOSTILE] }));
    told(
        json!({ "event": "retrying", "bundle": HOSTILE, "reviewer": HOSTILE, "reason": HOSTILE, "delay_ms": 1 }),
    );
    told(json!({ "event": "warning", "text": HOSTILE }));
    told(json!({ "event": "check", "name": HOSTILE, "result": HOSTILE, "reason": HOSTILE, "ms": 1 }));
    let shown = async |path: &str| {
        let body = page(&serve, path).await;
        assert!(!body.contains("<img") && !body.contains("7*7 }}</script"), "{path}: {body}");
        body.contains("&lt;img src=x onerror=alert(1)&gt;")
    };
    for path in ["/runs".to_owned(), "/".to_owned(), "/queue".to_owned(), format!("/runs/{job}")] {
        while !shown(&path).await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    shown(&format!("/runs/{id}")).await;
    shown(&format!(
        "/runs?text={}",
        HOSTILE
            .replace('<', "%3C")
            .replace('>', "%3E")
            .replace(' ', "+")
            .replace('"', "%22")
            .replace('&', "%26")
    ))
    .await;
    shown("/reviewers").await;
    let stream = format!("GET /live?of=%2Fruns%2F{job} HTTP/1.1\r\nhost: {}\r\n\r\n", serve.address);
    let mut live = serve.send(&stream).await;
    live.until("&lt;img src=x").await;
    let lost = ask(&serve, "GET", "/%3Cimg%20src=x%3E", BROWSER, "").await;
    assert_eq!(lost.status, 404);
    check_headers(&lost);
    assert!(!lost.body.contains("<img"));
}

#[tokio::test]
async fn a_run_is_watched_to_its_report() {
    let sandbox = Sandbox::new();
    sandbox.write("scrum.toml", CONFIG);
    sandbox.script(
        "echo 1 > a.rs && git add a.rs && git commit -qm One && echo 2 > a.rs && git commit -qam Two",
    );
    let serve = Serve::of(sandbox).await;
    let overview = format!("GET /live?of=%2F HTTP/1.1\r\nhost: {}\r\n\r\n", serve.address);
    let mut overview = serve.send(&overview).await;
    overview.until("No run yet").await;
    let order = json!({ "kind": "review", "repo": serve.sandbox.repo(), "range": "HEAD~1..HEAD" });
    let job = bring(&serve, &order).await.json()["id"].as_str().unwrap().to_owned();
    let stream = format!(
        "GET /live?of=%2Fruns%2F{job} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n",
        serve.address
    );
    let told = serve.send(&stream).await.all().await;
    assert!(told.contains("event: put\n") && told.contains("event: over\n"), "{told}");
    // Without anything being asked again.
    overview.until(&job).await;
    let body = page(&serve, &format!("/runs/{job}")).await;
    assert!(body.contains("HEAD~1..HEAD"), "{body}");
    let run =
        get(&serve, &format!("/queue/jobs/{job}")).await.json()["result"]["run"].as_str().unwrap().to_owned();
    assert!(page(&serve, &format!("/runs/{run}")).await.contains(&job), "the run and its job are one");
    // Also where only the store has it.
    fs::remove_dir_all(serve.sandbox.repo().join("reviews").join(&run)).unwrap();
    let again = page(&serve, &format!("/runs/{job}")).await;
    assert!(again.contains("HEAD~1..HEAD") && !again.contains("cannot be read"), "{again}");
    while !page(&serve, "/reviewers").await.contains("static:rules") {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn who_sees_what() {
    let serve = daemon("").await;
    let add = |arguments: &[&str]| serve.scrum(arguments).stdout.trim().to_owned();
    let ci = add(&["keys", "add", "ci", "--tenant", "acme"]);
    let ada = add(&["keys", "add", "ada"]);
    while get(&serve, "/queue/status").await.status == 200 {}
    let bearer = |key: &str| format!("authorization: Bearer {key}\r\n");
    let order = |tenant: &str| json!({ "kind": "noop", "work_ms": 600_000, "tenant": tenant }).to_string();
    let brought = async |key: &str, tenant: &str| {
        let answer = ask(&serve, "POST", "/queue/enqueue", &bearer(key), &order(tenant)).await;
        answer.json()["id"].as_str().unwrap().to_owned()
    };
    let (own, other) = (brought(&ci, "acme").await, brought(&ada, "rival").await);
    let login = |key: &str| {
        use base64::{Engine, engine::general_purpose::STANDARD};
        format!("authorization: Basic {}\r\n{BROWSER}", STANDARD.encode(format!("anybody:{key}")))
    };
    let status = async |path: &str, headers: &str| ask(&serve, "GET", path, headers, "").await.status;
    for path in PAGES.iter().map(|path| (*path).to_owned()).chain([format!("/runs/{own}")]) {
        assert_eq!(status(&path, BROWSER).await, 401, "{path}");
        assert_eq!(status(&path, &login("wrong")).await, 401, "{path}");
        assert_eq!(status(&path, &login(&ci)).await, 200, "{path}");
        assert_eq!(status(&path, &bearer(&ci)).await, 200, "{path}");
    }
    assert_eq!(status("/live?of=%2F", "").await, 401);
    assert_eq!(status(&format!("/runs/{other}"), &login(&ci)).await, 404);
    assert_eq!(status(&format!("/live?of=%2Fruns%2F{other}"), &login(&ci)).await, 404);
    assert_eq!(status(&format!("/runs/{other}"), &login(&ada)).await, 200);
    let queue = async |key: &str| ask(&serve, "GET", "/queue", &login(key), "").await.body;
    let seen = |body: &str| [&own, &other].map(|id| body.contains(id.as_str()));
    assert_eq!((seen(&queue(&ci).await), seen(&queue(&ada).await)), ([true, false], [true, true]));
    let asked = ask(&serve, "GET", "/", BROWSER, "").await;
    assert_eq!(asked.header("www-authenticate"), Some("Basic realm=\"scrum\", charset=\"UTF-8\""));
    check_headers(&asked);
    let program = ask(&serve, "GET", "/", "", "").await;
    assert_eq!((program.status, program.header("www-authenticate")), (401, Some("Bearer")));
    assert_eq!(program.json()["error"]["code"], "invalid_api_key");
    // What a browser sends of itself does nothing for a page of elsewhere.
    let cancel = format!("/queue/cancel/{own}");
    for foreign in [
        "origin: https://evil.example\r\n",
        "sec-fetch-site: cross-site\r\n",
        "sec-fetch-site: same-site\r\n",
    ] {
        assert_eq!(
            ask(&serve, "DELETE", &cancel, &(login(&ci) + foreign), "").await.status,
            403,
            "{foreign}"
        );
    }
    assert_eq!(
        status("/", &(login(&ci) + "sec-fetch-site: cross-site\r\nsec-fetch-mode: no-cors\r\n")).await,
        403
    );
    let headers = login(&ci) + "sec-fetch-site: same-origin\r\n";
    assert_eq!(ask(&serve, "DELETE", &cancel, &headers, "").await.status, 200);
    let named = login(&ada) + "sec-fetch-site: same-origin\r\nx-org-id: rival\r\n";
    assert_eq!(ask(&serve, "DELETE", &format!("/queue/cancel/{other}"), &named, "").await.status, 200);
}

#[tokio::test]
async fn what_is_not_there_is_told_as_it_was_asked() {
    let serve = daemon("").await;
    for path in [
        "/nothing",
        "/runs/20260101-000000001-ab",
        "/runs/01926f00-0000-7000-8000-000000000000",
        "/runs/..%2F..%2Fetc",
    ] {
        let shown = ask(&serve, "GET", path, BROWSER, "").await;
        assert_eq!(shown.status, 404, "{path}");
        check_headers(&shown);
        let told = get(&serve, path).await;
        assert_eq!((told.status, told.header("content-type")), (404, Some("application/json")), "{path}");
    }
    assert_eq!(ask(&serve, "POST", "/runs", BROWSER, "").await.status, 405);
    assert_eq!(ask(&serve, "GET", "/live?of=%2Fmetrics", "", "").await.status, 404);
    let foreign = format!("GET / HTTP/1.1\r\nhost: evil.example\r\n{BROWSER}connection: close\r\n\r\n");
    assert!(serve.send(&foreign).await.all().await.starts_with("HTTP/1.1 403 "));
}

#[tokio::test]
async fn the_queue_shows_what_waits_in_the_order_of_its_turn() {
    let serve = daemon("queue.workers = 1").await;
    let running = noop(&serve, 600_000).await;
    let mut jobs = Vec::new();
    for priority in ["low", "high", "normal"] {
        let order = json!({ "kind": "noop", "work_ms": 1, "priority": priority });
        jobs.push(bring(&serve, &order).await.json()["id"].as_str().unwrap().to_owned());
    }
    let places = async || {
        let body = page(&serve, "/queue").await;
        let found =
            [&running, &jobs[1], &jobs[2], &jobs[0]].map(|id| body.find(&format!("id=\"cancel-{id}\"")));
        found.iter().all(Option::is_some).then_some(found.is_sorted())
    };
    loop {
        match places().await {
            Some(is_sorted) => return assert!(is_sorted),
            None => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

#[test]
fn nothing_of_the_pages_is_from_elsewhere() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/serve/dashboard");
    for entry in fs::read_dir(&folder).unwrap().chain(fs::read_dir(folder.join("templates")).unwrap()) {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|kind| ["html", "css", "js"].iter().any(|one| kind == *one)) {
            let text = fs::read_to_string(&path).unwrap();
            for forbidden in ["http://", "https://", "//cdn", "@import", "url(", "style=", "|safe", "eval("] {
                assert!(!text.contains(forbidden), "{} has {forbidden}", path.display());
            }
        }
    }
}
