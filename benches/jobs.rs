//! How many jobs a second the store takes in, hands out and sees to their end, without HTTP and without work.
//!
//! `cargo bench --bench jobs` measures a file in the folder for temporary files, and then each server of `PostgreSQL` whose address
//! stands behind `--`. Each answer is on disk before it is given, so the disk's own rate stands beside. docs/performance.md has the figures.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement reads the clock and prints"
)]
#![expect(clippy::unwrap_used, reason = "a measurement that cannot be made should say where")]

use std::{
    io::Write,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use scrum::{
    job::{JobId, Kind, NewJob, Priority, Source, Task},
    store::{
        database::{Database, Server},
        jobs::{Ending, Enqueued, Held, Jobs},
    },
};
use tokio::task::{JoinSet, yield_now};

const CLIENTS: u64 = 64;
const SLOTS: u32 = 10;
const MOST_WAITING: u64 = 200;
const TIME: Duration = Duration::from_secs(5);
const LEASE: Duration = Duration::from_secs(15);
const NODE: &str = "bench";

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    println!("fsync {:>6.0} a second", rate(synced(folder.path()), TIME));
    let jobs = Jobs::new(Database::open_for_daemon(&folder.path().join("scrum.db")).unwrap());
    measure("SQLite", &jobs).await;
    for address in std::env::args().skip(1).filter(|argument| argument != "--bench") {
        let server = Server::parse(&address).unwrap();
        measure("PostgreSQL", &Jobs::new(Database::join(&server).unwrap())).await;
    }
}

async fn measure(store: &str, jobs: &Jobs) {
    let came = bring(jobs, 1_000).await;
    println!("{store:<10} one after another {:>6.0} jobs brought a second", rate(1_000, came));
    let began = Instant::now();
    let ended = drain(jobs, |ended| ended < 1_000).await;
    println!("{store:<10} {ended} that waited  {:>6.0} jobs done a second", rate(ended, began.elapsed()));
    let (ended, time) = sustained(jobs).await;
    println!(
        "{store:<10} {CLIENTS} clients        {:>6.0} jobs a second, brought, taken and ended",
        rate(ended, time)
    );
}

#[expect(clippy::cast_precision_loss, reason = "a count of millions at most")]
fn rate(count: u64, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}

/// How often 4 KB at the end of a file come to the disk.
fn synced(folder: &Path) -> u64 {
    let mut file = std::fs::File::create(folder.join("synced")).unwrap();
    let began = Instant::now();
    let mut count = 0;
    while began.elapsed() < TIME {
        file.write_all(&[0; 4_096]).unwrap();
        file.sync_data().unwrap();
        count += 1;
    }
    count
}

fn noop(id: u128) -> NewJob {
    NewJob {
        id: JobId::parse(&uuid::Uuid::from_u128(id).to_string()).unwrap(),
        tenant: String::new(),
        source: Source::Api,
        priority: Priority::Normal,
        task: Task::new(Kind::Noop),
        timeout_secs: 60,
        max_attempts: 3,
        dedupe_key: None,
        subject: None,
    }
}

/// Names that sort by when they were made.
fn next() -> u128 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    (0x0190_a000_u128 << 96) + (0x7 << 76) + u128::from(NEXT.fetch_add(1, Ordering::Relaxed))
}

async fn bring(jobs: &Jobs, count: u64) -> Duration {
    let began = Instant::now();
    for _ in 0..count {
        assert_eq!(jobs.enqueue(noop(next()), u64::MAX >> 1).await.unwrap(), Enqueued::New(Vec::new()));
    }
    began.elapsed()
}

/// Takes and ends what waits as a daemon does, endings and claims in one transaction, while it `goes_on` with so many ended.
async fn drain(jobs: &Jobs, goes_on: impl Fn(u64) -> bool) -> u64 {
    let mut ended = 0;
    let mut running: Vec<(Held, Ending)> = Vec::new();
    while goes_on(ended) || !running.is_empty() {
        let room = if goes_on(ended) { SLOTS } else { 0 };
        let (states, claimed) = jobs.turn(NODE, running, room, LEASE).await.unwrap();
        ended += states.into_iter().map(|state| u64::from(state.unwrap().is_final())).sum::<u64>();
        let done = |id, attempt| (Held { id, attempt }, Ending::Succeeded("{}".to_owned()));
        running = claimed.into_iter().map(|one| done(one.job.new.id, one.job.attempt)).collect();
        if running.is_empty() {
            // Whoever brings more has a turn.
            yield_now().await;
        }
    }
    ended
}

async fn sustained(jobs: &Jobs) -> (u64, Duration) {
    let began = Instant::now();
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let jobs = jobs.clone();
        clients.spawn(async move {
            let mut brought = 0;
            while began.elapsed() < TIME {
                match jobs.enqueue(noop(next()), MOST_WAITING).await.unwrap() {
                    Enqueued::New(_) => brought += 1,
                    _ => tokio::time::sleep(Duration::from_millis(2)).await,
                }
            }
            brought
        });
    }
    let draining = drain(jobs, |_| began.elapsed() < TIME);
    let (ended, brought) = tokio::join!(draining, clients.join_all());
    let rest = brought.iter().sum::<u64>() - ended;
    (ended + drain(jobs, |ended| ended < rest).await, began.elapsed())
}
