//! Makes metrics and remembers them: [`Register`]. Names are given without their common beginning.

use prometheus::{
    Counter, Gauge, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec,
    Opts, Registry, core::Collector, proto::MetricFamily,
};

/// All metrics that were made with it.
#[derive(Default)]
pub(super) struct Register(Registry);

impl Register {
    pub(super) fn counter(&self, name: &str, help: &str) -> IntCounter {
        self.add(IntCounter::with_opts(options(name, help)))
    }

    pub(super) fn counters(&self, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
        self.add(IntCounterVec::new(options(name, help), labels))
    }

    /// A counter of fractions.
    pub(super) fn sum(&self, name: &str, help: &str) -> Counter {
        self.add(Counter::with_opts(options(name, help)))
    }

    pub(super) fn gauge(&self, name: &str, help: &str) -> IntGauge {
        self.add(IntGauge::with_opts(options(name, help)))
    }

    pub(super) fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> IntGaugeVec {
        self.add(IntGaugeVec::new(options(name, help), labels))
    }

    /// A gauge of fractions.
    pub(super) fn share(&self, name: &str, help: &str) -> Gauge {
        self.add(Gauge::with_opts(options(name, help)))
    }

    pub(super) fn histogram(&self, name: &str, help: &str, buckets: &[f64]) -> Histogram {
        self.add(Histogram::with_opts(timing(name, help, buckets)))
    }

    pub(super) fn histograms(
        &self,
        name: &str,
        help: &str,
        labels: &[&str],
        buckets: &[f64],
    ) -> HistogramVec {
        self.add(HistogramVec::new(timing(name, help, buckets), labels))
    }

    /// All of them, with at least one series, by name.
    pub(super) fn families(&self) -> Vec<MetricFamily> {
        self.0.gather()
    }

    fn add<C: Collector + Clone + 'static>(&self, made: prometheus::Result<C>) -> C {
        let added = made.and_then(|collector| {
            self.0.register(Box::new(collector.clone()))?;
            Ok(collector)
        });
        added.unwrap_or_else(|error| {
            unreachable!("names are valid and differ: they are written beside this: {error}")
        })
    }
}

fn options(name: &str, help: &str) -> Opts {
    Opts::new(format!("scrum_{name}"), help)
}

fn timing(name: &str, help: &str, buckets: &[f64]) -> HistogramOpts {
    HistogramOpts::new(format!("scrum_{name}"), help).buckets(buckets.to_vec())
}
