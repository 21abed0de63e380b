//! The text for Prometheus, of a little of everything.

use std::{env, process::Stdio};

use tokio::{io::AsyncWriteExt, process::Command};

use super::*;
use crate::job::{Kind, Source};

#[tokio::test(start_paused = true)]
#[expect(clippy::too_many_lines, reason = "the whole text")]
async fn the_text() {
    let traffic = some_traffic().await;
    let usage = Usage { flights: 1, flight_bytes: 2, answers: 3, answer_bytes: 4 };
    let text = traffic.metrics.exposition(usage, None);
    let counts: String = text
        .lines()
        .filter(|line| line.contains("scrum_gateway_") && !line.contains("_bucket{"))
        .flat_map(|line| [line, "\n"])
        .collect();
    insta::assert_snapshot!(counts, @r#"
    # HELP scrum_gateway_broken_answers_total Answers that broke off after their head.
    # TYPE scrum_gateway_broken_answers_total counter
    scrum_gateway_broken_answers_total{route="/v1/chat/completions"} 1
    # HELP scrum_gateway_cost_usd_total US dollars, once for all who share an answer.
    # TYPE scrum_gateway_cost_usd_total counter
    scrum_gateway_cost_usd_total{provider="p"} 0.25
    # HELP scrum_gateway_flight_bytes Bytes held of answers under way.
    # TYPE scrum_gateway_flight_bytes gauge
    scrum_gateway_flight_bytes 2
    # HELP scrum_gateway_flights Calls under way that newcomers may join.
    # TYPE scrum_gateway_flights gauge
    scrum_gateway_flights 1
    # HELP scrum_gateway_kept_answer_bytes Bytes of finished answers that are kept.
    # TYPE scrum_gateway_kept_answer_bytes gauge
    scrum_gateway_kept_answer_bytes 4
    # HELP scrum_gateway_kept_answers Finished answers that are kept.
    # TYPE scrum_gateway_kept_answers gauge
    scrum_gateway_kept_answers 3
    # HELP scrum_gateway_queue_wait_seconds Time from a request's first byte until its provider was called, or it shared an answer.
    # TYPE scrum_gateway_queue_wait_seconds histogram
    scrum_gateway_queue_wait_seconds_sum 0.01
    scrum_gateway_queue_wait_seconds_count 4
    # HELP scrum_gateway_request_duration_seconds Time from a request's first byte to the last of its answer.
    # TYPE scrum_gateway_request_duration_seconds histogram
    scrum_gateway_request_duration_seconds_sum{coalesced="none"} 0
    scrum_gateway_request_duration_seconds_count{coalesced="none"} 1
    scrum_gateway_request_duration_seconds_sum{coalesced="leader"} 0.1
    scrum_gateway_request_duration_seconds_count{coalesced="leader"} 1
    scrum_gateway_request_duration_seconds_sum{coalesced="cache"} 0.1
    scrum_gateway_request_duration_seconds_count{coalesced="cache"} 1
    scrum_gateway_request_duration_seconds_sum{coalesced="skipped"} 0.1
    scrum_gateway_request_duration_seconds_count{coalesced="skipped"} 1
    # HELP scrum_gateway_requests_total Requests that have ended, by how they got their answer (none: turned away before).
    # TYPE scrum_gateway_requests_total counter
    scrum_gateway_requests_total{route="/v1/chat/completions",status="200",coalesced="cache"} 1
    scrum_gateway_requests_total{route="/v1/chat/completions",status="200",coalesced="leader"} 1
    scrum_gateway_requests_total{route="/v1/chat/completions",status="200",coalesced="skipped"} 1
    scrum_gateway_requests_total{route="/v1/chat/completions",status="429",coalesced="none"} 1
    scrum_gateway_requests_total{route="/v1/chat/completions",status="499",coalesced="follower"} 1
    # HELP scrum_gateway_requests_under_way Requests whose answer is on its way, by how they get it.
    # TYPE scrum_gateway_requests_under_way gauge
    scrum_gateway_requests_under_way{coalesced="cache"} 0
    scrum_gateway_requests_under_way{coalesced="follower"} 0
    scrum_gateway_requests_under_way{coalesced="leader"} 0
    scrum_gateway_requests_under_way{coalesced="skipped"} 0
    # HELP scrum_gateway_skipped_total Requests that have ended and were not coalesced, by the reason.
    # TYPE scrum_gateway_skipped_total counter
    scrum_gateway_skipped_total{reason="tools"} 1
    # HELP scrum_gateway_time_to_first_token_seconds Time from a request's first byte to the first token of its streamed answer.
    # TYPE scrum_gateway_time_to_first_token_seconds histogram
    scrum_gateway_time_to_first_token_seconds_sum 0.1
    scrum_gateway_time_to_first_token_seconds_count 1
    # HELP scrum_gateway_tokens_total Tokens as providers counted them, once for all who share an answer.
    # TYPE scrum_gateway_tokens_total counter
    scrum_gateway_tokens_total{provider="p",direction="in"} 8
    scrum_gateway_tokens_total{provider="p",direction="out"} 20
    # HELP scrum_gateway_unsent_total Flights that ended before anything was sent.
    # TYPE scrum_gateway_unsent_total counter
    scrum_gateway_unsent_total 0
    # HELP scrum_gateway_untold_answers_total Answers of which the provider did not tell the tokens.
    # TYPE scrum_gateway_untold_answers_total counter
    scrum_gateway_untold_answers_total{provider="p"} 1
    # HELP scrum_gateway_upstream_calls_total Calls of providers that were answered, failed or were cancelled.
    # TYPE scrum_gateway_upstream_calls_total counter
    scrum_gateway_upstream_calls_total{provider="p",status="200"} 2
    scrum_gateway_upstream_calls_total{provider="p",status="503"} 2
    # HELP scrum_gateway_upstream_calls_unanswered Calls whose status has not come yet.
    # TYPE scrum_gateway_upstream_calls_unanswered gauge
    scrum_gateway_upstream_calls_unanswered{provider="p"} 0
    # HELP scrum_gateway_upstream_retries_total Calls made again.
    # TYPE scrum_gateway_upstream_retries_total counter
    scrum_gateway_upstream_retries_total{provider="p"} 2
    # HELP scrum_gateway_waiting Flights for which nothing has been sent yet.
    # TYPE scrum_gateway_waiting gauge
    scrum_gateway_waiting 0
    "#);
}

/// Prometheus' own checker has nothing to say.
#[tokio::test]
#[expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a program that no part of the product starts"
)]
async fn promtool_agrees() {
    let jobs = (&Counts::default(), Timestamp::UNIX_EPOCH);
    let text = some_traffic().await.metrics.exposition(NOTHING, Some(jobs));
    let checker = Command::new("promtool").args(["check", "metrics"]).stdin(Stdio::piped()).spawn();
    let Ok(mut checker) = checker else {
        assert!(env::var("CI").is_err(), "promtool is missing");
        eprintln!("skipped: promtool is not installed");
        return;
    };
    checker.stdin.take().unwrap().write_all(text.as_bytes()).await.unwrap();
    let output = checker.wait_with_output().await.unwrap();
    assert!(output.status.success(), "{}\n{text}", String::from_utf8_lossy(&output.stderr));
}

/// What alerts and the dashboard ask for by name is there.
#[tokio::test(start_paused = true)]
async fn everything_that_is_watched_is_told() {
    let jobs = (&Counts::default(), Timestamp::UNIX_EPOCH);
    let traffic = some_traffic().await;
    traffic.metrics.queue().enqueued(Kind::Noop, Source::Api);
    let text = traffic.metrics.exposition(NOTHING, Some(jobs));
    let told: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    let told_of = include_str!("../../../../docs/design/metrics.md");
    let untold: Vec<_> = told.iter().filter(|name| !told_of.contains(&format!("`{name}"))).collect();
    assert!(untold.is_empty(), "docs/design/metrics.md does not say what these are: {untold:?}");
    let watched = [
        include_str!("../../../../ops/prometheus/scrum.rules.yml"),
        include_str!("../../../../ops/grafana/scrum.json"),
    ];
    let is_name = |byte: char| byte.is_ascii_alphanumeric() || byte == '_';
    let names = watched.iter().flat_map(|text| text.split(|byte| !is_name(byte)));
    let names: Vec<&str> = names.filter(|name| name.starts_with("scrum_")).collect();
    assert!(names.len() > 50);
    for name in names {
        let family =
            ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        assert!(told.contains(&family), "{name}");
    }
}
