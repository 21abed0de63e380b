//! What a queue that did a little of everything tells.

use super::*;
use crate::{coalesce, serve::metrics::Metrics};

fn a_little_of_everything() -> Arc<Metrics> {
    let metrics = Metrics::new();
    let numbers = metrics.queue();
    numbers.workers(10);
    numbers.enqueued(Kind::Review, Source::Github);
    numbers.ended(Kind::Review, Source::Github, State::Succeeded);
    numbers.refused(Refused::Full);
    numbers.deduplicated();
    numbers.waited(Priority::High, Duration::from_millis(2));
    numbers.step(Step::Review, Duration::from_secs(90));
    numbers.lost();
    numbers.fenced();
    numbers.reaped(3, 1);
    numbers.cancelled_in(Duration::from_millis(12));
    numbers.held(Some(Held::Memory));
    numbers.used(Usage { cpu: 0.25, memory: 0.875 });
    numbers.store_failed();
    numbers.spent(1_000, 200, 0.5);
    for none in [-1.0, f64::NAN, f64::INFINITY] {
        numbers.spent(0, 0, none);
    }
    metrics
}

fn counts() -> Counts {
    Counts {
        waiting: vec![(Priority::Normal, 7)],
        oldest: Some(Timestamp::from_second(100).unwrap()),
        running: 2,
        by_state: vec![(State::Queued, 7), (State::Running, 2), (State::Failed, 1)],
    }
}

/// The document, but for the gateway's part and for buckets.
fn text(metrics: &Metrics, jobs: Option<(&Counts, Timestamp)>) -> String {
    let usage = coalesce::Usage { flights: 0, flight_bytes: 0, answers: 0, answer_bytes: 0 };
    let text = metrics.exposition(usage, jobs);
    let own = text.lines().filter(|line| !line.contains("scrum_gateway_") && !line.contains("_bucket"));
    own.flat_map(|line| [line, "\n"]).collect()
}

#[test]
#[expect(clippy::too_many_lines, reason = "the whole text")]
fn the_text() {
    let metrics = a_little_of_everything();
    let running = metrics.queue().running();
    drop(metrics.queue().running());
    let now = Timestamp::from_millisecond(130_500).unwrap();
    insta::assert_snapshot!(text(&metrics, Some((&counts(), now))), @r#"
    # HELP scrum_cpu_ratio Share of the processors' time that is used, from 0 to 1.
    # TYPE scrum_cpu_ratio gauge
    scrum_cpu_ratio 0.25
    # HELP scrum_job_cancel_seconds Time from when a job was called off until nothing of it ran.
    # TYPE scrum_job_cancel_seconds histogram
    scrum_job_cancel_seconds_sum 0.012
    scrum_job_cancel_seconds_count 1
    # HELP scrum_job_leases_lost_total Attempts that were stopped because they were this node's no longer.
    # TYPE scrum_job_leases_lost_total counter
    scrum_job_leases_lost_total 1
    # HELP scrum_job_results_fenced_total Results that came too late to count.
    # TYPE scrum_job_results_fenced_total counter
    scrum_job_results_fenced_total 1
    # HELP scrum_job_step_seconds How long the steps of jobs took.
    # TYPE scrum_job_step_seconds histogram
    scrum_job_step_seconds_sum{step="bundle"} 0
    scrum_job_step_seconds_count{step="bundle"} 0
    scrum_job_step_seconds_sum{step="noop"} 0
    scrum_job_step_seconds_count{step="noop"} 0
    scrum_job_step_seconds_sum{step="parse"} 0
    scrum_job_step_seconds_count{step="parse"} 0
    scrum_job_step_seconds_sum{step="report"} 0
    scrum_job_step_seconds_count{step="report"} 0
    scrum_job_step_seconds_sum{step="review"} 90
    scrum_job_step_seconds_count{step="review"} 1
    scrum_job_step_seconds_sum{step="tally"} 0
    scrum_job_step_seconds_count{step="tally"} 0
    # HELP scrum_jobs_cost_usd_total US dollars that jobs spent.
    # TYPE scrum_jobs_cost_usd_total counter
    scrum_jobs_cost_usd_total 0.5
    # HELP scrum_jobs_deduplicated_total Jobs that were there already, by their dedupe key.
    # TYPE scrum_jobs_deduplicated_total counter
    scrum_jobs_deduplicated_total 1
    # HELP scrum_jobs_kept Jobs that are kept, on all nodes.
    # TYPE scrum_jobs_kept gauge
    scrum_jobs_kept{state="queued"} 7
    scrum_jobs_kept{state="running"} 2
    scrum_jobs_kept{state="succeeded"} 0
    scrum_jobs_kept{state="failed"} 1
    scrum_jobs_kept{state="cancelled"} 0
    scrum_jobs_kept{state="timed_out"} 0
    # HELP scrum_jobs_reaped_total Jobs taken back from nodes that were not heard of.
    # TYPE scrum_jobs_reaped_total counter
    scrum_jobs_reaped_total{outcome="failed"} 1
    scrum_jobs_reaped_total{outcome="requeued"} 3
    # HELP scrum_jobs_refused_total Jobs that were not taken in.
    # TYPE scrum_jobs_refused_total counter
    scrum_jobs_refused_total{reason="full"} 1
    scrum_jobs_refused_total{reason="not_allowed"} 0
    scrum_jobs_refused_total{reason="tenant_full"} 0
    scrum_jobs_refused_total{reason="tenant_limit"} 0
    # HELP scrum_jobs_tokens_total Tokens that jobs used, as providers counted them.
    # TYPE scrum_jobs_tokens_total counter
    scrum_jobs_tokens_total{direction="in"} 1000
    scrum_jobs_tokens_total{direction="out"} 200
    # HELP scrum_jobs_total Jobs that were stored (enqueued) or came to their end.
    # TYPE scrum_jobs_total counter
    scrum_jobs_total{kind="review",source="github",status="cancelled"} 0
    scrum_jobs_total{kind="review",source="github",status="enqueued"} 1
    scrum_jobs_total{kind="review",source="github",status="failed"} 0
    scrum_jobs_total{kind="review",source="github",status="succeeded"} 1
    scrum_jobs_total{kind="review",source="github",status="timed_out"} 0
    # HELP scrum_memory_ratio Share of the memory that is used, from 0 to 1.
    # TYPE scrum_memory_ratio gauge
    scrum_memory_ratio 0.875
    # HELP scrum_queue_depth Jobs that wait, on all nodes.
    # TYPE scrum_queue_depth gauge
    scrum_queue_depth{priority="high"} 0
    scrum_queue_depth{priority="normal"} 7
    scrum_queue_depth{priority="low"} 0
    # HELP scrum_queue_held 1 while this node begins no job because too much is used up.
    # TYPE scrum_queue_held gauge
    scrum_queue_held{reason="cpu"} 0
    scrum_queue_held{reason="memory"} 1
    # HELP scrum_queue_oldest_seconds How long the job that came first of those that wait has been there.
    # TYPE scrum_queue_oldest_seconds gauge
    scrum_queue_oldest_seconds 30.5
    # HELP scrum_queue_store_failures_total Requests to the store that failed.
    # TYPE scrum_queue_store_failures_total counter
    scrum_queue_store_failures_total 1
    # HELP scrum_queue_wait_seconds Time from when a job could be taken until a worker took it.
    # TYPE scrum_queue_wait_seconds histogram
    scrum_queue_wait_seconds_sum{priority="high"} 0.002
    scrum_queue_wait_seconds_count{priority="high"} 1
    scrum_queue_wait_seconds_sum{priority="low"} 0
    scrum_queue_wait_seconds_count{priority="low"} 0
    scrum_queue_wait_seconds_sum{priority="normal"} 0
    scrum_queue_wait_seconds_count{priority="normal"} 0
    # HELP scrum_workers Most jobs that this node runs at a time.
    # TYPE scrum_workers gauge
    scrum_workers 10
    # HELP scrum_workers_running Jobs that this node runs.
    # TYPE scrum_workers_running gauge
    scrum_workers_running 1
    "#);
    drop(running);
}

/// Where the store says nothing, nothing is told of it: an old number would look like a true one.
#[test]
fn a_store_that_says_nothing() {
    let text = text(&a_little_of_everything(), None);
    for name in ["scrum_queue_depth", "scrum_jobs_kept", "scrum_queue_oldest_seconds"] {
        assert!(!text.contains(name), "{name}");
    }
    assert!(text.contains("scrum_queue_store_failures_total 1\n"), "{text}");
}

#[test]
fn steps_have_words() {
    let check = |word: &str, expect: Option<Step>| assert_eq!(Step::of(word), expect);
    for step in Step::ALL {
        check(step.word(), Some(step));
    }
    check("sleep", None);
}
