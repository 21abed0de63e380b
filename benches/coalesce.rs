//! What sharing a call costs, against reading the same stream without a flight.
//!
//! `cargo bench --bench coalesce` prints a line a measurement, and at last how much memory a million requests leave. No network:
//! the calls answer at once, so that nothing but the sharing is measured. docs/design/coalescing.md has the figures.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement reads the clock and prints"
)]
#![expect(clippy::unwrap_used, reason = "a measurement that cannot be made should say where")]

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, future::join_all, stream};
use http::{HeaderMap, Response};
use scrum::coalesce::{Flights, Key, Limits, Request, Role, ShelfLimits, Switches};
use tokio::task::yield_now;

const FOLLOWERS: usize = 50;
const CHUNKS: usize = 1_000;
const CHUNK: &[u8] = &[b'x'; 200];
const DISTINCT: u64 = 100_000;
const MANY: u64 = 1_000_000;

/// Times each is measured; the fastest counts.
const TIMES: usize = 5;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let bare = fastest(async || bare_readers().await).await;
    let shared = fastest(async || shared_readers().await).await;
    report("50 readers of 1,000 chunks", "chunk read", FOLLOWERS * CHUNKS, bare, shared);
    let keys: Vec<Key> = (0..DISTINCT).map(|number| key(number, 0)).collect();
    let bare = fastest(async || bare_requests().await).await;
    let apart = fastest(async || distinct_requests(&without_shelf(), keys.iter().copied()).await).await;
    report("100,000 distinct requests", "request", keys.len(), bare, apart);
    println!("a key: {:.1} µs for 1 KB, {:.1} µs for 64 KB", key_time(1 << 10), key_time(64 << 10));
    let flights = Flights::new(Limits::default());
    distinct_requests(&flights, keys.into_iter()).await;
    let before = resident_megabytes();
    distinct_requests(&flights, (DISTINCT..DISTINCT + MANY).map(|number| key(number, 0))).await;
    let after = resident_megabytes();
    println!("resident after {DISTINCT} requests {before:.0} MB, after {MANY} more {after:.0} MB");
    println!("{:?}", flights.usage());
}

fn report(what: &str, unit: &str, units: usize, bare: f64, shared: f64) {
    #[expect(clippy::cast_precision_loss, reason = "a count of thousands")]
    let each = |seconds: f64| seconds * 1e9 / units as f64;
    println!(
        "{what:<28} bare {:>6.0} ns a {unit}, in flights {:>6.0} ns, {:.2} of bare",
        each(bare),
        each(shared),
        shared / bare
    );
}

async fn fastest(run: impl AsyncFn()) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..TIMES {
        let began = Instant::now();
        run().await;
        best = best.min(began.elapsed().as_secs_f64());
    }
    best
}

/// A provider's stream: it gives way after each chunk, as a connection does.
fn chunks(count: usize) -> impl Stream<Item = Result<Bytes, String>> + Send + 'static {
    stream::iter(0..count).then(|_| async {
        yield_now().await;
        Ok(Bytes::from_static(CHUNK))
    })
}

async fn read(stream: impl Stream<Item = Result<Bytes, impl std::fmt::Debug>>) {
    let mut stream = std::pin::pin!(stream);
    while let Some(chunk) = stream.next().await {
        black_box(chunk.unwrap());
    }
}

/// Each reader has a stream of its own.
async fn bare_readers() {
    let readers = (0..FOLLOWERS).map(|_| tokio::spawn(read(chunks(CHUNKS))));
    join_all(readers).await.into_iter().for_each(Result::unwrap);
}

/// All readers share one.
async fn shared_readers() {
    let (flights, only) = (without_shelf(), key(0, 0));
    let readers = (0..FOLLOWERS).map(|_| {
        let (_, reader) = flights.ask(only, || async { Ok(Response::new(chunks(CHUNKS))) });
        tokio::spawn(read(reader))
    });
    join_all(readers.collect::<Vec<_>>()).await.into_iter().for_each(Result::unwrap);
    assert_eq!(flights.counts().leaders, 1);
}

/// As a server answers requests: each call is read by a task.
async fn bare_requests() {
    for _ in 0..DISTINCT {
        tokio::spawn(read(chunks(1))).await.unwrap();
    }
}

async fn distinct_requests(flights: &Flights, keys: impl Iterator<Item = Key>) {
    for key in keys {
        let (role, reader) = flights.ask(key, || async { Ok(Response::new(chunks(1))) });
        assert_eq!(role, Role::Leader);
        tokio::spawn(read(reader)).await.unwrap();
    }
}

fn without_shelf() -> Flights {
    let usual = Limits::default();
    Flights::new(Limits { shelf: ShelfLimits { age: Duration::ZERO, ..usual.shelf }, ..usual })
}

/// The key of a request whose prompt is `number` and so many bytes more.
fn key(number: u64, padding: usize) -> Key {
    let body = format!(
        r#"{{"model":"m","messages":[{{"role":"user","content":"{number} {}"}}],"stream":true}}"#,
        "x".repeat(padding)
    );
    let (credential, tenant, provider, route) =
        (b"sk-1".as_slice(), "org", "openai", "POST /v1/chat/completions");
    let request =
        Request { credential, tenant, provider, route, headers: &HeaderMap::new(), body: body.as_bytes() };
    request.key(Switches { coalesce: true, streams: true }).unwrap()
}

/// Microseconds for the key of a request with such a prompt.
fn key_time(padding: usize) -> f64 {
    const KEYS: u32 = 1_000;
    let began = Instant::now();
    (0..KEYS).for_each(|_| {
        black_box(key(0, black_box(padding)));
    });
    began.elapsed().as_secs_f64() * 1e6 / f64::from(KEYS)
}

/// `VmRSS` of this process.
fn resident_megabytes() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1_024.0
}
