//! `GET /metrics`: the same numbers in Prometheus' text format, from [`text`].
//!
//! Counters are read from the books, not counted a second time; only how long things took is kept here, in [`Timings`]. Labels
//! come from configuration and closed lists, never from a request.

use std::{collections::BTreeMap, iter};

use prometheus::{
    Histogram, HistogramOpts, HistogramVec, TextEncoder,
    core::Collector,
    proto::{Counter, Gauge, LabelPair, Metric, MetricFamily, MetricType},
};

use super::{
    Answered, Coalesced,
    books::Books,
    sample::{Ending, Sample},
};
use crate::coalesce;

/// Seconds until a whole answer. Powers of two, as OpenTelemetry's conventions for generative AI have them, and further:
/// reasoning takes minutes.
const DURATIONS: &[f64] = &[
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92, 163.84, 327.68,
    655.36,
];
/// Seconds until the first token: those conventions' too, and further.
const FIRST_TOKENS: &[f64] = &[
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 7.5, 10.0, 20.0,
    40.0, 80.0,
];
/// Seconds of waiting: almost none as a rule, and up to the longest wait for a provider.
const WAITS: &[f64] =
    &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// The label of requests that were turned away.
const NOT_REACHED: &str = "none";

/// How long things took.
pub(super) struct Timings {
    duration: HistogramVec,
    queue_wait: Histogram,
    first_token: Histogram,
}

impl Timings {
    pub(super) fn new() -> Self {
        let options = |name: &str, help: &str, buckets: &[f64]| {
            HistogramOpts::new(format!("scrum_gateway_{name}"), help).buckets(buckets.to_vec())
        };
        let duration = options(
            "request_duration_seconds",
            "Time from a request's first byte to the last of its answer.",
            DURATIONS,
        );
        let queue_wait = options(
            "queue_wait_seconds",
            "Time from a request's first byte until its provider was called, or it shared an answer.",
            WAITS,
        );
        let first_token = options(
            "time_to_first_token_seconds",
            "Time from a request's first byte to the first token of its streamed answer.",
            FIRST_TOKENS,
        );
        let duration = HistogramVec::new(duration, &["coalesced"]);
        let (queue_wait, first_token) = (Histogram::with_opts(queue_wait), Histogram::with_opts(first_token));
        match (duration, queue_wait, first_token) {
            (Ok(duration), Ok(queue_wait), Ok(first_token)) => Self { duration, queue_wait, first_token },
            _ => unreachable!("names and buckets are valid: they are written above"),
        }
    }

    pub(super) fn observe(&self, sample: &Sample) {
        if sample.ending != Ending::Left {
            self.duration.with_label_values(&[coalesced(sample.coalesced)]).observe(sample.latency.seconds());
        }
        if let Some(wait) = sample.queue_wait {
            self.queue_wait.observe(wait.seconds());
        }
        if let Some(first) = sample.first_token {
            self.first_token.observe(first.seconds());
        }
    }

    fn families(&self) -> impl Iterator<Item = MetricFamily> {
        let all: [&dyn Collector; 3] = [&self.duration, &self.queue_wait, &self.first_token];
        all.into_iter().flat_map(Collector::collect).collect::<Vec<_>>().into_iter()
    }
}

/// What of the books is told.
pub(super) fn counts(books: &Books) -> Vec<MetricFamily> {
    let mut families = requests(books);
    families.extend(calls(books));
    families.extend(spent(books));
    families
}

fn requests(books: &Books) -> Vec<MetricFamily> {
    let ended = books.ended.iter().map(|(&(route, status, by), count)| {
        let labels = [
            ("route", route.to_owned()),
            ("status", status.to_string()),
            ("coalesced", coalesced(by).to_owned()),
        ];
        (labels.to_vec(), *count)
    });
    let skipped = books.ended.iter().filter_map(|((_, _, by), count)| match by {
        Some(Coalesced::Skipped(reason)) => Some((vec![("reason", reason.name().to_owned())], *count)),
        Some(Coalesced::Leader | Coalesced::Follower | Coalesced::Cache) | None => None,
    });
    let under_way =
        books.under_way.iter().map(|(by, count)| (vec![("coalesced", by.name().to_owned())], *count));
    let broken = books.broken.iter().map(|(route, count)| (vec![("route", (*route).to_owned())], *count));
    vec![
        counter(
            "requests_total",
            "Requests that have ended, by how they got their answer (none: turned away before).",
            ended,
        ),
        counter("skipped_total", "Requests that have ended and were not coalesced, by the reason.", skipped),
        counter("broken_answers_total", "Answers that broke off after their head.", broken),
        gauge("requests_under_way", "Requests whose answer is on its way, by how they get it.", under_way),
    ]
}

fn calls(books: &Books) -> Vec<MetricFamily> {
    let by_provider =
        || books.providers.iter().map(|(name, provider)| (("provider", name.to_string()), provider));
    let answered = by_provider().flat_map(|(name, provider)| {
        provider
            .calls
            .iter()
            .map(move |(answered, count)| (vec![name.clone(), ("status", status(*answered))], *count))
    });
    let retries = by_provider().map(|(name, provider)| (vec![name], provider.retries));
    let unanswered = by_provider().map(|(name, provider)| (vec![name], provider.unanswered));
    vec![
        counter(
            "upstream_calls_total",
            "Calls of providers that were answered, failed or were cancelled.",
            answered,
        ),
        counter("upstream_retries_total", "Calls made again.", retries),
        gauge("upstream_calls_unanswered", "Calls whose status has not come yet.", unanswered),
        counter(
            "unsent_total",
            "Flights that ended before anything was sent.",
            iter::once((vec![], books.unsent)),
        ),
        gauge("waiting", "Flights for which nothing has been sent yet.", iter::once((vec![], books.waiting))),
    ]
}

fn spent(books: &Books) -> Vec<MetricFamily> {
    let by_provider =
        || books.providers.iter().map(|(name, provider)| (("provider", name.to_string()), provider.sums));
    let tokens = by_provider().flat_map(|(name, sums)| {
        let directions = [("in", sums.spent.tokens_in), ("out", sums.spent.tokens_out)];
        directions.into_iter().filter_map(move |(direction, count)| {
            Some((vec![name.clone(), ("direction", direction.to_owned())], count?))
        })
    });
    let untold = by_provider().map(|(name, sums)| (vec![name], sums.untold));
    let cost = by_provider().filter_map(|(name, sums)| Some((vec![name], sums.spent.cost_usd?)));
    vec![
        counter(
            "tokens_total",
            "Tokens as providers counted them, once for all who share an answer.",
            tokens,
        ),
        counter("untold_answers_total", "Answers of which the provider did not tell the tokens.", untold),
        family(
            MetricType::COUNTER,
            "gateway_cost_usd_total",
            "US dollars, once for all who share an answer.",
            cost,
        ),
    ]
}

/// What coalescing holds.
fn held(usage: coalesce::Usage) -> Vec<MetricFamily> {
    let coalesce::Usage { flights, flight_bytes, answers, answer_bytes } = usage;
    let one = |number: usize| iter::once((vec![], number as u64));
    vec![
        gauge("flights", "Calls under way that newcomers may join.", one(flights)),
        gauge("flight_bytes", "Bytes held of answers under way.", one(flight_bytes)),
        gauge("kept_answers", "Finished answers that are kept.", one(answers)),
        gauge("kept_answer_bytes", "Bytes of finished answers that are kept.", one(answer_bytes)),
    ]
}

/// The whole text, with what else there is to tell.
pub(super) fn text(
    timings: &Timings,
    counts: Vec<MetricFamily>,
    usage: coalesce::Usage,
    others: Vec<MetricFamily>,
) -> String {
    let families = counts.into_iter().chain(held(usage)).chain(timings.families()).chain(others);
    let mut families: Vec<_> = families.filter(|family| !family.get_metric().is_empty()).collect();
    families.sort_by(|a, b| a.name().cmp(b.name()));
    // It can only fail for names that are not valid, or for families of nothing.
    TextEncoder.encode_to_string(&families).unwrap_or_default()
}

pub(super) type Labels = Vec<(&'static str, String)>;

fn counter(name: &str, help: &str, series: impl Iterator<Item = (Labels, u64)>) -> MetricFamily {
    family(MetricType::COUNTER, &format!("gateway_{name}"), help, summed(series))
}

fn gauge(name: &str, help: &str, series: impl Iterator<Item = (Labels, u64)>) -> MetricFamily {
    family(MetricType::GAUGE, &format!("gateway_{name}"), help, summed(series))
}

/// One number for each set of labels.
fn summed(series: impl Iterator<Item = (Labels, u64)>) -> impl Iterator<Item = (Labels, f64)> {
    let mut sums: BTreeMap<Labels, u64> = BTreeMap::new();
    series.for_each(|(labels, count)| *sums.entry(labels).or_default() += count);
    #[expect(clippy::cast_precision_loss, reason = "the format has doubles only")]
    sums.into_iter().map(|(labels, count)| (labels, count as f64))
}

/// A metric; `name` without the beginning that all have.
pub(super) fn family(
    kind: MetricType,
    name: &str,
    help: &str,
    series: impl Iterator<Item = (Labels, f64)>,
) -> MetricFamily {
    let mut family = MetricFamily::default();
    family.set_name(format!("scrum_{name}"));
    family.set_help(help.to_owned());
    family.set_field_type(kind);
    family.set_metric(series.map(|(labels, value)| metric(kind, labels, value)).collect());
    family
}

fn metric(kind: MetricType, labels: Labels, value: f64) -> Metric {
    let pairs = labels.into_iter().map(|(name, value)| {
        let mut pair = LabelPair::default();
        pair.set_name(name.to_owned());
        pair.set_value(value);
        pair
    });
    let mut metric = Metric::from_label(pairs.collect());
    if kind == MetricType::COUNTER {
        let mut counter = Counter::default();
        counter.set_value(value);
        metric.set_counter(counter);
    } else {
        let mut gauge = Gauge::default();
        gauge.set_value(value);
        metric.set_gauge(gauge);
    }
    metric
}

fn coalesced(by: Option<Coalesced>) -> &'static str {
    by.map_or(NOT_REACHED, Coalesced::name)
}

fn status(answered: Answered) -> String {
    match answered {
        Answered::Status(status) => status.to_string(),
        Answered::Failed => "failed".to_owned(),
        Answered::Cancelled => "cancelled".to_owned(),
    }
}
