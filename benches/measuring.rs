//! What it costs to watch an answer pass by and to take requests down.
//!
//! `cargo bench --bench measuring` prints a line a measurement. docs/design/metrics.md has the figures.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement reads the clock and prints"
)]
#![expect(clippy::unwrap_used, reason = "a measurement that cannot be made should say where")]

use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use http::{HeaderMap, HeaderValue, Response, header::CONTENT_TYPE};
use scrum::{
    coverage::Spent,
    provider::relay::Watch,
    serve::metrics::{Answered, Coalesced, Metrics},
};

/// Rounds are short, so that some of them are not interrupted.
const ROUNDS: u32 = 500;
const TIMES: u32 = 1_000;

fn main() {
    let chunk = br#"data: {"id":"chatcmpl-0123456789","object":"chat.completion.chunk","created":1700000000,"model":"some-model","choices":[{"index":0,"delta":{"content":" word"},"logprobs":null,"finish_reason":null}]}

"#;
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"))]);
    let mut watch = Watch::of(&headers);
    let each = measure(|| watch.see(black_box(chunk)));
    println!("a chunk of {} bytes watched: {each} ns", chunk.len());
    let with_nulls = String::from_utf8_lossy(chunk).replace("}\n\n", ",\"usage\":null}\n\n");
    let each = measure(|| watch.see(black_box(with_nulls.as_bytes())));
    println!("a chunk that says `\"usage\":null`: {each} ns");
    let metrics = Metrics::new();
    let (provider, tenant): (Arc<str>, Arc<str>) = ("provider".into(), "tenant".into());
    println!("a request from the shelf taken down: {} ns", measure(|| kept(&metrics, &tenant)));
    println!("a request and its call taken down: {} ns", measure(|| led(&metrics, &provider, &tenant)));
    let document = |_| {
        let began = Instant::now();
        black_box(metrics.performance(10_000, None));
        began.elapsed()
    };
    println!("the document over the last 10,000: {:?}", (0..100).map(document).min().unwrap());
    std::thread::scope(|scope| {
        scope.spawn(|| measure(|| kept(&metrics, &tenant)));
        println!("a request from the shelf, two threads at it: {} ns", measure(|| kept(&metrics, &tenant)));
    });
}

fn kept(metrics: &Arc<Metrics>, tenant: &Arc<str>) {
    let mut asked = metrics.asked("/v1/chat/completions", tokio::time::Instant::now());
    asked.decided(Coalesced::Cache, tenant);
    drop(asked.answer(Response::new(String::new())));
}

fn led(metrics: &Arc<Metrics>, provider: &Arc<str>, tenant: &Arc<str>) {
    let mut asked = metrics.asked("/v1/chat/completions", tokio::time::Instant::now());
    let mut flight = asked.flight(provider, tenant);
    asked.decided(Coalesced::Leader, tenant);
    flight.calling();
    flight.answered(Answered::Status(200));
    flight.book(Spent { tokens_in: Some(8), tokens_out: Some(20), ..Spent::default() });
    drop(asked.answer(Response::new(String::new())));
}

/// Nanoseconds that one takes on average, of the fastest round.
fn measure(mut act: impl FnMut()) -> u128 {
    let round = |_| {
        let began = Instant::now();
        (0..TIMES).for_each(|_| act());
        began.elapsed()
    };
    let fastest: Duration = (0..ROUNDS).map(round).min().unwrap();
    (fastest / TIMES).as_nanos()
}
