//! `GET /api/metrics/performance`: [`Performance`], the last requests and everything since the start, as JSON.
//!
//! Percentiles are of the nearest rank, so each is a time that some request really took; with no requests they are null.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    Coalesced,
    books::{REMEMBERED, Sums, Tenant, Totals, Window},
    flight::{Facts, Stage},
    sample::{Ending, Sample, Span},
};

/// How many requests count unless somebody says.
const USUAL_LAST_N: usize = 100;

/// A `last_n` that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("last_n must be a whole number from 1 to {REMEMBERED}")]
pub struct BadLastN;

/// How many requests a caller wants to know about.
pub fn last_n(text: Option<&str>) -> Result<usize, BadLastN> {
    let Some(text) = text else { return Ok(USUAL_LAST_N) };
    text.parse().ok().filter(|number| (1..=REMEMBERED).contains(number)).ok_or(BadLastN)
}

/// The document.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Performance {
    last_n: usize,
    #[serde(flatten)]
    sums: Figures,
    error_rate: Option<f64>,
    latency_ms: Percentiles,
    queue_wait_ms: Percentiles,
    ttft_ms: Percentiles,
    totals: Everything,
}

/// What both parts tell.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Figures {
    requests: u64,
    refused: BTreeMap<&'static str, u64>,
    coalesce: Coalesce,
    upstream: Upstream,
    tokens: Tokens,
    cost_usd: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Everything {
    #[serde(flatten)]
    sums: Figures,
    tenants: Vec<Row>,
    other_tenants: Row,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize)]
struct Coalesce {
    leaders: u64,
    followers: u64,
    cache_hits: u64,
    skipped: u64,
    ratio: Option<f64>,
    skipped_by_reason: BTreeMap<&'static str, u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
struct Upstream {
    calls: u64,
    retries: u64,
    unsent: u64,
    waiting: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Tokens {
    #[serde(rename = "in")]
    input: Option<u64>,
    cached: Option<u64>,
    cache_written: Option<u64>,
    out: Option<u64>,
    untold: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Row {
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<String>,
    requests: u64,
    tokens: Tokens,
    cost_usd: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
struct Percentiles {
    p50: Option<f64>,
    p95: Option<f64>,
    p99: Option<f64>,
}

impl Performance {
    pub(super) fn new(last_n: usize, window: &Window, totals: &Totals) -> Self {
        let asked = || window.iter().map(|(sample, _)| sample).filter(|sample| sample.coalesced.is_some());
        let answered = asked().filter(|sample| sample.ending != Ending::Left);
        let errors = window.iter().filter(|(sample, _)| sample.is_error()).count();
        Self {
            last_n,
            sums: Figures::new(&sums(window)),
            error_rate: ratio(errors as u64, window.len() as u64),
            latency_ms: percentiles(answered.map(|sample| sample.latency)),
            queue_wait_ms: percentiles(asked().filter_map(|sample| sample.queue_wait)),
            ttft_ms: percentiles(asked().filter_map(|sample| sample.first_token)),
            totals: Everything::new(totals),
        }
    }
}

/// The same sums as over everything, of a window.
fn sums(window: &Window) -> Totals {
    let mut totals = Totals::default();
    for (Sample { coalesced, status, .. }, facts) in window {
        match coalesced {
            Some(coalesced) => *totals.coalesced.entry(*coalesced).or_default() += 1,
            None => *totals.refused.entry(*status).or_default() += 1,
        }
        if let Some(facts) = facts {
            totals.fly(*facts);
        }
    }
    totals
}

impl Totals {
    fn fly(&mut self, facts: Facts) {
        self.calls += facts.calls;
        self.sums.add(facts.sums);
        match facts.stage {
            Stage::Sent => self.retries += facts.calls - 1,
            Stage::Unsent => self.unsent += 1,
            Stage::Waiting => self.waiting += 1,
            // Those are of nobody's.
            Stage::Apart | Stage::Gone => {}
        }
    }
}

impl Figures {
    fn new(totals: &Totals) -> Self {
        let mut refused = BTreeMap::new();
        for (status, count) in &totals.refused {
            *refused.entry(reason(*status)).or_default() += count;
        }
        let Totals { calls, retries, unsent, waiting, .. } = *totals;
        Self {
            requests: totals.coalesced.values().sum(),
            refused,
            coalesce: Coalesce::new(&totals.coalesced),
            upstream: Upstream { calls, retries, unsent, waiting },
            tokens: Tokens::new(totals.sums),
            cost_usd: totals.sums.spent.cost_usd,
        }
    }
}

impl Everything {
    fn new(totals: &Totals) -> Self {
        Self {
            sums: Figures::new(totals),
            tenants: totals.tenants.iter().map(|(name, tenant)| Row::new(Some(name), *tenant)).collect(),
            other_tenants: Row::new(None, totals.other_tenants),
        }
    }
}

impl Coalesce {
    fn new(counts: &BTreeMap<Coalesced, u64>) -> Self {
        let mut coalesce = Self::default();
        for (coalesced, &count) in counts {
            *match coalesced {
                Coalesced::Leader => &mut coalesce.leaders,
                Coalesced::Follower => &mut coalesce.followers,
                Coalesced::Cache => &mut coalesce.cache_hits,
                Coalesced::Skipped(reason) => {
                    coalesce.skipped_by_reason.insert(reason.name(), count);
                    &mut coalesce.skipped
                }
            } += count;
        }
        coalesce.ratio = ratio(coalesce.followers + coalesce.cache_hits, counts.values().sum());
        coalesce
    }
}

impl Tokens {
    fn new(sums: Sums) -> Self {
        let spent = sums.spent;
        Self {
            input: spent.tokens_in,
            cached: spent.tokens_cached,
            cache_written: spent.tokens_cache_written,
            out: spent.tokens_out,
            untold: sums.untold,
        }
    }
}

impl Row {
    fn new(name: Option<&str>, tenant: Tenant) -> Self {
        Self {
            tenant: name.map(str::to_owned),
            requests: tenant.requests,
            tokens: Tokens::new(tenant.sums),
            cost_usd: tenant.sums.spent.cost_usd,
        }
    }
}

/// Why a request was turned away, in a word.
pub(super) fn reason(status: u16) -> &'static str {
    match status {
        400 => "bad_request",
        401 => "unauthorized",
        403 => "forbidden",
        404 => "not_found",
        405 => "bad_method",
        408 => "too_slow",
        413 => "too_large",
        415 => "bad_type",
        429 => "limited",
        431 => "headers_too_large",
        499 => "client_left",
        503 => "unavailable",
        _ => "other",
    }
}

/// `part` of `whole`, to four digits; null of nothing.
fn ratio(part: u64, whole: u64) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "a share to four digits")]
    let share = |whole: u64| part as f64 / whole as f64;
    (whole > 0).then(|| (share(whole) * 1e4).round() / 1e4)
}

fn percentiles(spans: impl Iterator<Item = Span>) -> Percentiles {
    let mut spans: Vec<Span> = spans.collect();
    spans.sort_unstable();
    let rank = |percent: usize| {
        let nearest = (spans.len() * percent).div_ceil(100).checked_sub(1)?;
        spans.get(nearest).copied().map(Span::milliseconds)
    };
    Percentiles { p50: rank(50), p95: rank(95), p99: rank(99) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn nearest_ranks() {
        let check = |milliseconds: Vec<u64>, expect: [Option<f64>; 3]| {
            let spans = milliseconds.iter().map(|number| Duration::from_millis(*number).into());
            let Percentiles { p50, p95, p99 } = percentiles(spans);
            assert_eq!([p50, p95, p99], expect, "{milliseconds:?}");
        };
        check(vec![], [None, None, None]);
        check(vec![7], [Some(7.0), Some(7.0), Some(7.0)]);
        check(vec![2, 1], [Some(1.0), Some(2.0), Some(2.0)]);
        check((1..=100).collect(), [Some(50.0), Some(95.0), Some(99.0)]);
        check((1..=1000).rev().collect(), [Some(500.0), Some(950.0), Some(990.0)]);
        // The example of most textbooks: five values, 30th percentile and so on.
        check(vec![15, 20, 35, 40, 50], [Some(35.0), Some(50.0), Some(50.0)]);
    }

    #[test]
    fn how_many() {
        let check = |text: Option<&str>, expect: Result<usize, BadLastN>| assert_eq!(last_n(text), expect);
        check(None, Ok(100));
        check(Some("1"), Ok(1));
        check(Some("10000"), Ok(10_000));
        for wrong in ["", "0", "10001", "-1", "1.5", "ten", "99999999999999999999"] {
            check(Some(wrong), Err(BadLastN));
        }
        assert_eq!(BadLastN.to_string(), "last_n must be a whole number from 1 to 10000");
    }
}
