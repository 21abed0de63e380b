//! Random traffic: whatever happens in whatever order, the sums hold, and both documents tell the same.

mod text;

use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};
use hyper::body::{Body, Frame};
use proptest::{prelude::*, sample::Index};
use serde_json::{Value, json};

use super::*;
use crate::{
    coalesce::{Skip, Usage},
    coverage::Spent,
};

const ROUTE: &str = "/v1/chat/completions";
const NOTHING: Usage = Usage { flights: 0, flight_bytes: 0, answers: 0, answer_bytes: 0 };

/// What may happen next; an index chooses to which request or flight.
#[derive(Debug, Clone, Copy)]
enum Step {
    Decide(Coalesced),
    /// The task of a leader's flight makes its call before the leader has been told that it leads.
    Hasty,
    Refuse(u16),
    Call(Index),
    Answer(Index, Answered),
    Book(Index, u64),
    GiveUp(Index),
    Respond(Index, u16),
    Leave(Index),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let coalesced = prop::sample::select(vec![
        Coalesced::Leader,
        Coalesced::Follower,
        Coalesced::Cache,
        Coalesced::Skipped(Skip::Tools),
        Coalesced::Skipped(Skip::OptedOut),
    ]);
    let answered = prop::sample::select(vec![Answered::Status(200), Answered::Status(429), Answered::Failed]);
    let status = || prop::sample::select(vec![200, 429, 502]);
    let index = any::<Index>;
    let step = prop_oneof![
        4 => coalesced.prop_map(Step::Decide),
        1 => Just(Step::Hasty),
        1 => prop::sample::select(vec![200, 401, 404, 429]).prop_map(Step::Refuse),
        3 => index().prop_map(Step::Call),
        3 => (index(), answered).prop_map(|(at, answered)| Step::Answer(at, answered)),
        1 => (index(), 0..100_u64).prop_map(|(at, tokens)| Step::Book(at, tokens)),
        1 => index().prop_map(Step::GiveUp),
        2 => (index(), status()).prop_map(|(at, status)| Step::Respond(at, status)),
        1 => index().prop_map(Step::Leave),
    ];
    prop::collection::vec(step, 0..60)
}

/// Requests and flights under way.
struct Traffic {
    metrics: Arc<Metrics>,
    asked: Vec<Asked>,
    flights: Vec<Flight>,
    provider: Arc<str>,
    tenant: Arc<str>,
}

impl Traffic {
    fn new() -> Self {
        let metrics = Metrics::new();
        Self { metrics, asked: Vec::new(), flights: Vec::new(), provider: "p".into(), tenant: "t".into() }
    }

    fn go(&mut self, step: Step) {
        match step {
            Step::Decide(coalesced) => self.begin(coalesced, false),
            Step::Hasty => self.begin(Coalesced::Leader, true),
            Step::Refuse(status) => respond(self.metrics.asked(ROUTE, Instant::now()), status),
            Step::Call(at) => self.flight(at, Flight::calling),
            Step::Answer(at, answered) => self.flight(at, |flight| flight.answered(answered)),
            Step::Book(at, tokens) => {
                let spent = Spent { tokens_in: Some(tokens), cost_usd: Some(0.5), ..Spent::default() };
                if let Some(flight) = taken(&mut self.flights, at) {
                    flight.book(spent);
                }
            }
            Step::GiveUp(at) => drop(taken(&mut self.flights, at)),
            Step::Respond(at, status) => {
                if let Some(asked) = taken(&mut self.asked, at) {
                    respond(asked, status);
                }
            }
            Step::Leave(at) => drop(taken(&mut self.asked, at)),
        }
    }

    fn begin(&mut self, coalesced: Coalesced, is_hasty: bool) {
        let mut asked = self.metrics.asked(ROUTE, Instant::now());
        let mut flight = asked.flight(&self.provider, &self.tenant);
        if is_hasty {
            flight.calling();
        }
        if coalesced.begins_a_flight() {
            self.flights.push(flight);
        } else {
            drop(flight);
        }
        asked.decided(coalesced, &self.tenant);
        self.asked.push(asked);
    }

    fn flight(&mut self, at: Index, act: impl FnOnce(&mut Flight)) {
        if !self.flights.is_empty() {
            act(at.get_mut(&mut self.flights));
        }
    }

    fn performance(&self, last_n: usize) -> Value {
        serde_json::to_value(self.metrics.performance(last_n, None)).unwrap()
    }
}

fn taken<T>(all: &mut Vec<T>, at: Index) -> Option<T> {
    (!all.is_empty()).then(|| all.swap_remove(at.index(all.len())))
}

fn respond(asked: Asked, status: u16) {
    let mut response = Response::new(String::new());
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    drop(asked.answer(response));
}

/// Holds both equations against `sums`.
fn check_sums(sums: &Value) {
    let number = |pointer: &str| sums.pointer(pointer).and_then(Value::as_u64).unwrap();
    let coalesce = |name: &str| number(&format!("/coalesce/{name}"));
    let upstream = |name: &str| number(&format!("/upstream/{name}"));
    let (leaders, skipped) = (coalesce("leaders"), coalesce("skipped"));
    let all = leaders + coalesce("followers") + coalesce("cache_hits") + skipped;
    assert_eq!(all, number("/requests"), "{sums}");
    let begun = upstream("calls") - upstream("retries") + upstream("unsent") + upstream("waiting");
    assert_eq!(leaders + skipped, begun, "{sums}");
    let reasons = sums["coalesce"]["skipped_by_reason"].as_object().unwrap();
    assert_eq!(reasons.values().filter_map(Value::as_u64).sum::<u64>(), skipped, "{sums}");
}

/// The sum of all series of a metric that have `label`.
fn series(text: &str, name: &str, label: &str) -> f64 {
    let of_name = |line: &&str| {
        line.starts_with(&format!("scrum_gateway_{name}{{")) && line.contains(label)
            || line.starts_with(&format!("scrum_gateway_{name} "))
    };
    text.lines().filter(of_name).map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
}

/// Holds the text for Prometheus against the totals of the other document.
fn check_same(text: &str, totals: &Value) {
    let both =
        |label: &str| series(text, "requests_total", label) + series(text, "requests_under_way", label);
    let check = |told: f64, pointer: &str| {
        let expect = totals.pointer(pointer).and_then(Value::as_f64).unwrap_or_default();
        assert!((told - expect).abs() < 1e-9, "{pointer}: {told}\n{totals}\n{text}");
    };
    check(both(r#"coalesced="leader""#), "/coalesce/leaders");
    check(both(r#"coalesced="follower""#), "/coalesce/followers");
    check(both(r#"coalesced="cache""#), "/coalesce/cache_hits");
    check(both(r#"coalesced="skipped""#), "/coalesce/skipped");
    check(
        series(text, "upstream_calls_total", "") + series(text, "upstream_calls_unanswered", ""),
        "/upstream/calls",
    );
    check(series(text, "upstream_retries_total", ""), "/upstream/retries");
    check(series(text, "unsent_total", ""), "/upstream/unsent");
    check(series(text, "waiting", ""), "/upstream/waiting");
    check(series(text, "tokens_total", r#"direction="in""#), "/tokens/in");
    check(series(text, "cost_usd_total", ""), "/cost_usd");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_sums_hold_at_every_moment(steps in steps(), last_n in 1..70_usize) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let _guard = runtime.enter();
        let mut traffic = Traffic::new();
        for step in steps {
            traffic.go(step);
            let document = traffic.performance(last_n);
            check_sums(&document);
            check_sums(&document["totals"]);
        }
        check_same(&traffic.metrics.exposition(NOTHING, None), &traffic.performance(1)["totals"]);
        traffic.asked.clear();
        traffic.flights.clear();
        let end = traffic.performance(10_000);
        check_sums(&end);
        // Nothing is left under way: the window, which holds all of them, tells what the totals do.
        for part in ["requests", "refused", "coalesce", "upstream", "tokens", "cost_usd"] {
            prop_assert_eq!(&end[part], &end["totals"][part], "{}", part);
        }
        prop_assert_eq!(&end["upstream"]["waiting"], 0);
    }
}

/// A little of everything, at known times.
async fn some_traffic() -> Traffic {
    let mut traffic = Traffic::new();
    for coalesced in
        [Coalesced::Leader, Coalesced::Follower, Coalesced::Cache, Coalesced::Skipped(Skip::Tools)]
    {
        traffic.begin(coalesced, false);
    }
    tokio::time::sleep(Duration::from_millis(5)).await;
    for flight in &mut traffic.flights {
        flight.calling();
        flight.answered(Answered::Status(503));
        flight.calling();
        flight.answered(Answered::Status(200));
    }
    tokio::time::sleep(Duration::from_millis(95)).await;
    traffic.flights.pop();
    let spent = Spent {
        tokens_in: Some(8),
        tokens_cached: Some(2),
        tokens_out: Some(20),
        cost_usd: Some(0.25),
        ..Spent::default()
    };
    traffic.flights.pop().unwrap().book(spent);
    let (broken, whole) = (traffic.asked.pop().unwrap(), traffic.asked.pop().unwrap());
    drop(traffic.asked.pop());
    traffic.asked.drain(..).for_each(|asked| respond(asked, 200));
    respond(whole, 200);
    let events = Response::builder().header("content-type", "text/event-stream");
    let body = http_body_util::StreamBody::new(futures_util::stream::iter([
        Ok(Frame::data(Bytes::from("data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n"))),
        Err("broken"),
    ]));
    let body = broken.answer(events.body(body).unwrap()).into_body();
    http_body_util::BodyExt::collect(body).await.unwrap_err();
    traffic.go(Step::Refuse(429));
    traffic
}

#[tokio::test(start_paused = true)]
#[expect(clippy::too_many_lines, reason = "the whole document")]
async fn the_document() {
    let traffic = some_traffic().await;
    let document = serde_json::to_string_pretty(&traffic.metrics.performance(100, None)).unwrap();
    insta::assert_snapshot!(document, @r#"
    {
      "last_n": 100,
      "requests": 4,
      "refused": {
        "limited": 1
      },
      "coalesce": {
        "leaders": 1,
        "followers": 1,
        "cache_hits": 1,
        "skipped": 1,
        "ratio": 0.5,
        "skipped_by_reason": {
          "tools": 1
        }
      },
      "upstream": {
        "calls": 4,
        "retries": 2,
        "unsent": 0,
        "waiting": 0
      },
      "tokens": {
        "in": 8,
        "cached": 2,
        "cache_written": null,
        "out": 20,
        "untold": 1
      },
      "cost_usd": 0.25,
      "error_rate": 0.4,
      "latency_ms": {
        "p50": 100.0,
        "p95": 100.0,
        "p99": 100.0
      },
      "queue_wait_ms": {
        "p50": 0.0,
        "p95": 5.0,
        "p99": 5.0
      },
      "ttft_ms": {
        "p50": 100.0,
        "p95": 100.0,
        "p99": 100.0
      },
      "totals": {
        "requests": 4,
        "refused": {
          "limited": 1
        },
        "coalesce": {
          "leaders": 1,
          "followers": 1,
          "cache_hits": 1,
          "skipped": 1,
          "ratio": 0.5,
          "skipped_by_reason": {
            "tools": 1
          }
        },
        "upstream": {
          "calls": 4,
          "retries": 2,
          "unsent": 0,
          "waiting": 0
        },
        "tokens": {
          "in": 8,
          "cached": 2,
          "cache_written": null,
          "out": 20,
          "untold": 1
        },
        "cost_usd": 0.25,
        "tenants": [
          {
            "tenant": "t",
            "requests": 4,
            "tokens": {
              "in": 8,
              "cached": 2,
              "cache_written": null,
              "out": 20,
              "untold": 1
            },
            "cost_usd": 0.25
          }
        ],
        "other_tenants": {
          "requests": 0,
          "tokens": {
            "in": null,
            "cached": null,
            "cache_written": null,
            "out": null,
            "untold": 0
          },
          "cost_usd": null
        }
      }
    }
    "#);
    let own = serde_json::to_value(traffic.metrics.performance(1, Some("somebody else"))).unwrap();
    assert_eq!(own["requests"], 0);
    assert_eq!(own["error_rate"], 1.0);
    assert_eq!(
        (&own["totals"]["tenants"], &own["totals"]["other_tenants"]["requests"]),
        (&json!([]), &json!(4))
    );
}

#[tokio::test(start_paused = true)]
async fn tenants_are_bounded() {
    let traffic = Traffic::new();
    for number in 0..1_500_u32 {
        let tenant = format!("t{number}").into();
        let mut asked = traffic.metrics.asked(ROUTE, Instant::now());
        let mut flight = asked.flight(&traffic.provider, &tenant);
        asked.decided(Coalesced::Leader, &tenant);
        flight.calling();
        flight.book(Spent { cost_usd: Some(f64::from(number)), ..Spent::default() });
    }
    let totals = &traffic.performance(1)["totals"];
    let rows = totals["tenants"].as_array().unwrap();
    assert_eq!((rows.len(), &rows[0]["tenant"]), (100, &json!("t999")));
    assert_eq!(totals["other_tenants"]["requests"], 1_400);
}

/// How an answer ends decides what is taken down.
#[tokio::test(start_paused = true)]
async fn endings() {
    /// Takes so many frames of an answer of three bytes, then goes.
    async fn check(length: Option<&str>, frames: usize, error_rate: f64, answered: bool) {
        let traffic = Traffic::new();
        let mut asked = traffic.metrics.asked(ROUTE, Instant::now());
        asked.decided(Coalesced::Cache, &traffic.tenant);
        let pieces = ["a", "b", "c"].map(|piece| Ok::<_, String>(Frame::data(Bytes::from(piece))));
        let body = http_body_util::StreamBody::new(futures_util::stream::iter(pieces));
        let builder = length
            .into_iter()
            .fold(Response::builder(), |head, length| head.header("content-length", length));
        let mut body = asked.answer(builder.body(body).unwrap()).into_body();
        for _ in 0..frames {
            http_body_util::BodyExt::frame(&mut body).await;
        }
        drop(body);
        let document = traffic.performance(1);
        assert_eq!(document["error_rate"], error_rate, "{length:?} {frames}");
        assert_eq!(document["latency_ms"]["p50"].is_number(), answered, "{length:?} {frames}");
    }
    check(None, 4, 0.0, true).await;
    check(None, 3, 0.0, false).await;
    check(Some("3"), 3, 0.0, true).await;
    check(Some("3"), 2, 0.0, false).await;
}

#[tokio::test(start_paused = true)]
async fn an_empty_answer_is_whole_and_an_undecided_request_without_error_is_in_no_window() {
    let traffic = Traffic::new();
    respond(traffic.metrics.asked("/v1/models", Instant::now()), 200);
    assert_eq!(traffic.performance(1)["error_rate"], Value::Null);
    let text = traffic.metrics.exposition(NOTHING, None);
    let labels = r#"requests_total{route="/v1/models",status="200",coalesced="none"} 1"#;
    assert!(text.contains(labels), "{text}");
    let mut asked = traffic.metrics.asked(ROUTE, Instant::now());
    asked.decided(Coalesced::Cache, &traffic.tenant);
    let body = asked.answer(Response::new(String::new())).into_body();
    assert!(body.is_end_stream());
    drop(body);
    assert!(traffic.performance(1)["latency_ms"]["p50"].is_number());
}
