//! Everything that is counted, in one place: [`Books`]. What belongs together is entered together, so the sums hold whenever
//! somebody looks:
//!
//! ```text
//! leaders + followers + hits + skipped = requests
//! leaders + skipped = calls − retries + unsent + waiting
//! ```
//!
//! The second one is kept in `flight`, which enters calls.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
};

use super::{
    Answered, Coalesced,
    flight::{Facts, Record},
    sample::{Ending, Sample},
};
use crate::coverage::Spent;

/// How many requests are remembered one by one.
pub(super) const REMEMBERED: usize = 10_000;
/// How many tenants have a row of their own; those that come later share one.
const MOST_TENANTS: usize = 1_000;
/// How many of them are told.
const MOST_NAMED: usize = 100;
/// The row of those. No tenant can have that name: a header's value holds no line break.
const OTHERS: &str = "\n";

/// All counters and the last requests.
#[derive(Debug, Default)]
pub(super) struct Books {
    /// Requests that have ended, by route, status, and how they got their answer.
    pub(super) ended: BTreeMap<(&'static str, u16, Option<Coalesced>), u64>,
    /// Those of which it is known how they get their answer.
    pub(super) under_way: BTreeMap<Coalesced, u64>,
    /// Answers that broke off after their head.
    pub(super) broken: BTreeMap<&'static str, u64>,
    pub(super) providers: BTreeMap<Arc<str>, Provider>,
    /// Flights for which nothing was sent and nothing will be.
    pub(super) unsent: u64,
    /// Flights for which nothing has been sent yet.
    pub(super) waiting: u64,
    tenants: HashMap<Arc<str>, Tenant>,
    last: VecDeque<Sample>,
}

/// What a provider was asked.
#[derive(Debug, Default)]
pub(super) struct Provider {
    pub(super) calls: BTreeMap<Answered, u64>,
    /// Calls whose status has not come yet.
    pub(super) unanswered: u64,
    pub(super) retries: u64,
    pub(super) sums: Sums,
}

/// What a tenant asked for.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tenant {
    pub(super) requests: u64,
    pub(super) sums: Sums,
}

/// What answers took.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Sums {
    pub(super) spent: Spent,
    /// Answers of success of which nothing was told.
    pub(super) untold: u64,
}

impl Sums {
    /// Adds what another one took.
    pub(super) fn add(&mut self, other: Self) {
        self.spent = self.spent.and(other.spent);
        self.untold += other.untold;
    }
}

/// The last requests, each with the facts of the flight that was begun for it.
pub(super) type Window = Vec<(Sample, Option<Facts>)>;

/// Sums over everything.
#[derive(Debug, Default)]
pub(super) struct Totals {
    pub(super) coalesced: BTreeMap<Coalesced, u64>,
    /// Status of those that were turned away.
    pub(super) refused: BTreeMap<u16, u64>,
    pub(super) calls: u64,
    pub(super) retries: u64,
    pub(super) unsent: u64,
    pub(super) waiting: u64,
    pub(super) sums: Sums,
    pub(super) tenants: Vec<(Arc<str>, Tenant)>,
    pub(super) other_tenants: Tenant,
}

impl Books {
    /// It is known how a request gets its answer.
    pub(super) fn decided(&mut self, coalesced: Coalesced, record: Option<&Record>, tenant: &Arc<str>) {
        self.tenant(tenant).requests += 1;
        if record.is_none_or(|record| self.leads(record)) {
            *self.under_way.entry(coalesced).or_default() += 1;
        }
    }

    /// A request is over.
    pub(super) fn ended(&mut self, route: &'static str, sample: Sample) {
        if let Some(under_way) = sample.coalesced.and_then(|coalesced| self.under_way.get_mut(&coalesced)) {
            *under_way -= 1;
        }
        *self.ended.entry((route, sample.status, sample.coalesced)).or_default() += 1;
        if sample.ending == Ending::Broken {
            *self.broken.entry(route).or_default() += 1;
        }
        if sample.coalesced.is_some() || sample.status >= 400 {
            if self.last.len() == REMEMBERED {
                self.last.pop_front();
            }
            self.last.push_back(sample);
        }
    }

    /// What a provider was asked.
    pub(super) fn provider(&mut self, name: &Arc<str>) -> &mut Provider {
        self.providers.entry(Arc::clone(name)).or_default()
    }

    /// The row of a tenant.
    pub(super) fn tenant(&mut self, name: &Arc<str>) -> &mut Tenant {
        let is_known = self.tenants.contains_key(name);
        let name =
            if is_known || self.tenants.len() < MOST_TENANTS { Arc::clone(name) } else { OTHERS.into() };
        self.tenants.entry(name).or_default()
    }

    /// The last `last_n` requests, the newest first.
    pub(super) fn window(&self, last_n: usize) -> Window {
        let with_facts = |sample: &Sample| (sample.clone(), sample.record.as_deref().map(Record::facts));
        self.last.iter().rev().take(last_n).map(with_facts).collect()
    }

    /// Sums over everything; of tenants only `own`, if that is given.
    pub(super) fn totals(&self, own: Option<&str>) -> Totals {
        let mut totals = Totals { unsent: self.unsent, waiting: self.waiting, ..Totals::default() };
        for (&(_, status, coalesced), count) in &self.ended {
            match coalesced {
                Some(coalesced) => *totals.coalesced.entry(coalesced).or_default() += count,
                None if status >= 400 => *totals.refused.entry(status).or_default() += count,
                None => {}
            }
        }
        for (coalesced, count) in &self.under_way {
            *totals.coalesced.entry(*coalesced).or_default() += count;
        }
        for provider in self.providers.values() {
            totals.calls += provider.unanswered + provider.calls.values().sum::<u64>();
            totals.retries += provider.retries;
            totals.sums.add(provider.sums);
        }
        (totals.tenants, totals.other_tenants) = self.tenants_but(own);
        totals
    }

    /// The tenants that may be named, dearest first, and all others together.
    fn tenants_but(&self, own: Option<&str>) -> (Vec<(Arc<str>, Tenant)>, Tenant) {
        let may_be_named = |name: &str| name != OTHERS && own.is_none_or(|own| own == name);
        let rows = self.tenants.iter().map(|(name, tenant)| (Arc::clone(name), *tenant));
        let (mut named, mut others): (Vec<_>, Vec<_>) = rows.partition(|(name, _)| may_be_named(name));
        named.sort_by(|(a_name, a), (b_name, b)| {
            let cost = |tenant: &Tenant| tenant.sums.spent.cost_usd.unwrap_or_default();
            let rest = |tenant: &Tenant| (tenant.sums.spent.tokens(), tenant.requests);
            let dearer = cost(b).total_cmp(&cost(a)).then_with(|| rest(b).cmp(&rest(a)));
            dearer.then_with(|| a_name.cmp(b_name))
        });
        others.extend(named.drain(MOST_NAMED.min(named.len())..));
        let mut together = Tenant::default();
        for (_, tenant) in others {
            together.requests += tenant.requests;
            together.sums.add(tenant.sums);
        }
        (named, together)
    }
}
