//! Three daemons that do jobs on one server of `PostgreSQL`, of which one dies, one stands still, and the server goes away.

use std::{collections::HashSet, io, time::Duration};

use nix::sys::signal::Signal::{SIGCONT, SIGSTOP};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    Serve,
    jobs::{get, noop},
};
use crate::{postgres::Own, sandbox::Sandbox};

/// More than any step takes on a machine that is busy: a lease is 15 s.
const PATIENCE: Duration = Duration::from_mins(2);

/// Between two looks, and between two jobs that one brings.
const PAUSE: Duration = Duration::from_millis(50);

/// Jobs that a node runs at a time.
const WORKERS: usize = 4;

/// A daemon, and its name among others.
struct Node {
    serve: Serve,
    name: String,
}

impl Node {
    async fn start(store: &str) -> Self {
        let sandbox = Sandbox::without_repository();
        let settings = format!("[serve]\nqueue.busy_percent = 100\nqueue.workers = {WORKERS}\n");
        sandbox.write("scrum.toml", settings);
        let serve = Serve::keeping(store, sandbox, &[]).await;
        let status = get(&serve, "/queue/status").await.json();
        Self { serve, name: status["node"].as_str().unwrap().to_owned() }
    }

    async fn job(&self, id: &str) -> Value {
        get(&self.serve, &format!("/queue/jobs/{id}")).await.json()
    }

    /// The long jobs that `other` runs, by what the store says.
    async fn long_jobs_of(&self, other: &Self) -> Vec<String> {
        let running = get(&self.serve, "/queue/jobs?state=running&limit=100").await.json();
        let is_its = |job: &&Value| job["node"] == *other.name && job["priority"] == "high";
        let running = running["jobs"].as_array().into_iter().flatten();
        running.filter(is_its).map(|job| job["id"].as_str().unwrap().to_owned()).collect()
    }

    /// Has `other` stand still in the middle of long jobs: those.
    async fn stop_at_work(&self, other: &Self) -> Vec<String> {
        loop {
            other.serve.signal(SIGSTOP);
            let held = self.long_jobs_of(other).await;
            if !held.is_empty() {
                return held;
            }
            other.serve.signal(SIGCONT);
            sleep(PAUSE).await;
        }
    }

    /// Whether each of `jobs` has come to its end or is in other hands than those of `other`.
    async fn took_over(&self, jobs: &[String], other: &Self) -> bool {
        for id in jobs {
            let job = self.job(id).await;
            let has_moved = job["state"] == "running" && job["node"] != *other.name;
            if !has_moved && !is_final(&job) {
                return false;
            }
        }
        true
    }

    /// The sum of a metric's series whose name begins so.
    async fn metric(&self, name: &str) -> f64 {
        let metrics = get(&self.serve, "/metrics").await.body;
        let values = metrics.lines().filter(|line| line.starts_with(name));
        values.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
    }
}

/// Not so where the store does not say it for now.
fn is_final(job: &Value) -> bool {
    ["succeeded", "failed", "cancelled", "timed_out"].iter().any(|state| job["state"] == *state)
}

async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    let looking = async {
        while !is_so().await {
            sleep(PAUSE).await;
        }
    };
    assert!(timeout(PATIENCE, looking).await.is_ok(), "{what}");
}

/// Brings jobs to a daemon until that is `enough`, or it is dead: those that it has taken on.
async fn load(address: String, enough: CancellationToken) -> Vec<String> {
    let mut taken = Vec::new();
    for number in 0_u64.. {
        let order = match number % 8 {
            0 => json!({ "kind": "noop", "work_ms": 1_000, "priority": "high" }),
            _ => json!({ "kind": "noop", "work_ms": 20 + number % 31 }),
        };
        let Ok(answer) = bring(&address, &order.to_string()).await else { break };
        if answer.starts_with("HTTP/1.1 201") {
            let body = &answer[answer.find('{').unwrap()..=answer.rfind('}').unwrap()];
            let body: Value = serde_json::from_str(body).unwrap();
            taken.push(body["id"].as_str().unwrap().to_owned());
        }
        if enough.is_cancelled() {
            break;
        }
        sleep(PAUSE).await;
    }
    taken
}

/// As the others do it, but of a daemon that may be dead.
async fn bring(address: &str, order: &str) -> io::Result<String> {
    let mut socket = TcpStream::connect(address).await?;
    let head = format!("POST /queue/enqueue HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
    let request = format!("{head}content-length: {}\r\n\r\n{order}", order.len());
    socket.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await?;
    Ok(answer)
}

/// Each of `taken` has succeeded, once; those that were lost, at a later attempt.
async fn check_ends(node: &Node, taken: &[String], lost: [&[String]; 2]) {
    assert_eq!(taken.iter().collect::<HashSet<_>>().len(), taken.len());
    for id in taken {
        until(&format!("{id} never came to its end"), async || is_final(&node.job(id).await)).await;
        let job = node.job(id).await;
        assert_eq!(job["state"], "succeeded", "{job}");
        assert_eq!((&job["result"], &job["reason"]), (&json!({}), &Value::Null), "{job}");
        assert!((1..=3).contains(&job["attempt"].as_u64().unwrap()), "{job}");
    }
    for lost in lost {
        let mut attempts = Vec::new();
        for id in lost {
            attempts.push(node.job(id).await["attempt"].as_u64().unwrap());
        }
        // What was being stored at that very moment may have been kept.
        assert!(attempts.iter().any(|attempt| *attempt > 1), "{lost:?}: {attempts:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_happens_to_them_each_job_ends_once() {
    let Some(server) = Own::start() else { return };
    let store = server.address();
    let (mut dies, sleeps, lives) =
        (Node::start(&store).await, Node::start(&store).await, Node::start(&store).await);
    let enough = CancellationToken::new();
    let loads =
        [&dies, &sleeps, &lives].map(|node| tokio::spawn(load(node.serve.address.clone(), enough.clone())));

    let lost_by_the_dead = timeout(PATIENCE, lives.stop_at_work(&dies)).await.unwrap();
    dies.serve.kill().await;
    let lost_in_sleep = timeout(PATIENCE, lives.stop_at_work(&sleeps)).await.unwrap();
    server.crash();
    server.start_again();
    until("what the dead one had stays", async || lives.took_over(&lost_by_the_dead, &dies).await).await;
    until("what the sleeper had stays", async || lives.took_over(&lost_in_sleep, &sleeps).await).await;
    sleeps.serve.signal(SIGCONT);
    until("what the sleeper says late counts", async || {
        let refused = sleeps.metric("scrum_job_results_fenced_total").await;
        refused + sleeps.metric("scrum_job_leases_lost_total").await > 0.0
    })
    .await;

    enough.cancel();
    let mut taken = Vec::new();
    for load in loads {
        let of_one = timeout(PATIENCE, load).await.unwrap().unwrap();
        assert!(!of_one.is_empty());
        taken.extend(of_one);
    }
    check_ends(&lives, &taken, [&lost_by_the_dead, &lost_in_sleep]).await;
    check_all_over(&lives, &sleeps).await;

    for _ in 0..WORKERS {
        noop(&sleeps.serve, 600_000).await;
        noop(&lives.serve, 600_000).await;
    }
    for node in [&sleeps, &lives] {
        let all = f64::from(u32::try_from(WORKERS).unwrap());
        until("a worker stopped for good", async || node.metric("scrum_workers_running").await >= all).await;
    }
}

/// Nothing else is left of the store's jobs, and the living have told of no end twice.
async fn check_all_over(one: &Node, other: &Node) {
    let counts = async || get(&one.serve, "/queue/status").await.json()["jobs"].clone();
    until("something waits or runs for ever", async || {
        let counts = counts().await;
        counts["queued"] == 0 && counts["running"] == 0
    })
    .await;
    let counts = counts().await;
    let others = ["failed", "cancelled", "timed_out"].map(|state| counts[state].clone());
    assert_eq!(json!(others), json!([0, 0, 0]), "{counts}");
    let ends = r#"scrum_jobs_total{kind="noop",source="api",status="succeeded"}"#;
    let told = one.metric(ends).await + other.metric(ends).await;
    assert!(told > 0.0 && told <= counts["succeeded"].as_f64().unwrap(), "{told} {counts}");
}
