//! What holds requests back over a whole run: [`Bounds`] knows each provider's state and the budget.
//!
//! A provider is an endpoint with its key, or a program and the lineage it asks: all reviewers that are asked there share its allowance, its pauses and its
//! breaker. Nothing is waited for here; the executor asks when the next request may go.

use std::{collections::BTreeMap, num::NonZeroU32, time::Duration};

use tokio::time::Instant;

use super::{
    allowance::{self, Meter},
    breaker::{Breaker, Passage},
    budget::Budget,
};
use crate::{
    coverage::Spent,
    report::words,
    reviewer::{Access, Allowance, Reviewer, host},
};

/// The bounds of one run, through all its rounds of asking.
#[derive(Debug, Default)]
pub struct Bounds {
    services: Vec<Service>,
    by_name: BTreeMap<String, usize>,
    budget: Budget,
    cut_short: Option<String>,
}

/// Whether the next request may go now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Gate {
    /// It may.
    Open,
    /// The provider is in order, but not before this moment.
    Limited(Instant, String),
    /// The provider is out of order; it may be tried at this moment, or when it is known how a trial went.
    Broken(Option<Instant>, String),
    /// Not within the reviewer's patience.
    Shut(String),
}

/// One provider.
#[derive(Debug)]
struct Service {
    /// As it is told to people.
    shown: String,
    allowance: Allowance,
    requests: Option<Meter>,
    tokens: Option<Meter>,
    breaker: Breaker,
    paused_until: Option<Instant>,
    /// What it said when it last failed.
    trouble: String,
}

impl Bounds {
    /// Bounds that hold nothing back but what reviewers and their providers ask for, and `budget`.
    pub fn new(budget: Budget) -> Self {
        Self { budget, ..Self::default() }
    }

    /// Why not everything could be asked, if so.
    pub fn cut_short(&self) -> Option<&str> {
        self.cut_short.as_deref()
    }

    /// Why nothing more may be sent, in words.
    pub(super) fn used_up(&self) -> Option<String> {
        self.budget.used_up()
    }

    /// Something was not asked for `reason`. Gives back whether that is news.
    pub(super) fn cut(&mut self, reason: &str) -> bool {
        self.cut_short.replace(reason.to_owned()).is_none()
    }

    /// Counts what one request took.
    pub(super) fn spend(&mut self, spent: Spent) {
        self.budget.spend(spent);
    }

    /// Where `reviewer` is asked; of all reviewers named so far that are asked there, the smallest allowance counts. `None`: nothing
    /// that could be overloaded or out of order.
    pub(super) fn service_of(&mut self, reviewer: &Reviewer) -> Option<usize> {
        let name = reviewer.service()?;
        let at = *self.by_name.entry(name).or_insert_with(|| {
            self.services.push(Service::new(shown(&reviewer.access)));
            self.services.len() - 1
        });
        self.services[at].limit(reviewer.allowance);
        Some(at)
    }

    /// Whether a request may go to `service` at `now`, for somebody who waits for `patience` at most.
    pub(super) fn gate(&mut self, service: Option<usize>, now: Instant, patience: Duration) -> Gate {
        self.at(service).map_or(Gate::Open, |service| service.gate(now, patience))
    }

    /// A request of about `tokens` is sent for `task`.
    pub(super) fn began(&mut self, service: Option<usize>, task: usize, tokens: u64) {
        let Some(service) = self.at(service) else { return };
        service.breaker.began(task);
        service.requests.iter_mut().for_each(|meter| meter.send(1));
        service.tokens.iter_mut().for_each(|meter| meter.send(tokens));
    }

    /// An attempt made so many `requests` besides its first, of about `tokens` each: they were not held back, so what comes next is.
    pub(super) fn further(&mut self, service: Option<usize>, requests: u32, tokens: u64) {
        let Some(service) = self.at(service) else { return };
        let requests = u64::from(requests);
        service.requests.iter_mut().for_each(|meter| meter.send(requests));
        service.tokens.iter_mut().for_each(|meter| meter.send(requests.saturating_mul(tokens)));
    }

    /// A request took `real` tokens, which was not known when it was sent as `thought` ones.
    pub(super) fn correct(&mut self, service: Option<usize>, thought: u64, real: u64) {
        let Some(service) = self.at(service) else { return };
        service.tokens.iter_mut().for_each(|meter| meter.correct(thought, real));
    }

    /// The provider is there.
    pub(super) fn worked(&mut self, service: Option<usize>) {
        self.at(service).into_iter().for_each(|service| service.breaker.worked());
    }

    /// The provider failed on `task`.
    pub(super) fn failed(&mut self, service: Option<usize>, task: usize, reason: &str, now: Instant) {
        let Some(service) = self.at(service) else { return };
        service.breaker.failed(task, now);
        reason.clone_into(&mut service.trouble);
    }

    /// The provider asks for nothing before `until`.
    pub(super) fn pause(&mut self, service: Option<usize>, until: Instant) {
        let Some(service) = self.at(service) else { return };
        service.paused_until = service.paused_until.max(Some(until));
    }

    fn at(&mut self, service: Option<usize>) -> Option<&mut Service> {
        self.services.get_mut(service?)
    }
}

impl Service {
    fn new(shown: String) -> Self {
        Self {
            shown,
            allowance: Allowance::default(),
            requests: None,
            tokens: None,
            breaker: Breaker::new(),
            paused_until: None,
            trouble: String::new(),
        }
    }

    fn limit(&mut self, allowance: Allowance) {
        let tighter = allowance::tighter(self.allowance, allowance);
        if tighter.requests_per_minute != self.allowance.requests_per_minute {
            self.requests = tighter.requests_per_minute.map(Meter::of_requests);
        }
        if tighter.tokens_per_minute != self.allowance.tokens_per_minute {
            self.tokens = tighter.tokens_per_minute.map(Meter::of_tokens);
        }
        self.allowance = tighter;
    }

    fn gate(&mut self, now: Instant, patience: Duration) -> Gate {
        let broken = || format!("{} is out of order: {}", self.shown, self.trouble);
        match self.breaker.passage(now, patience) {
            Passage::Free => self.limited(now, patience),
            Passage::Blocked(until) => Gate::Broken(Some(until), broken()),
            Passage::OnTrial => Gate::Broken(None, broken()),
            Passage::Closed => Gate::Shut(broken()),
        }
    }

    fn limited(&mut self, now: Instant, patience: Duration) -> Gate {
        let shown = &self.shown;
        let limit = |limit: Option<NonZeroU32>, what: &str| {
            let limit = words::grouped(limit.map_or(0, |limit| u64::from(limit.get())));
            format!("{limit} {what} a minute are allowed at {shown}")
        };
        let Allowance { requests_per_minute, tokens_per_minute } = self.allowance;
        let due = |meter: &mut Option<Meter>| meter.as_mut().and_then(Meter::due);
        let holds = [
            self.paused_until.map(|until| (until, format!("{shown} asks for a pause"))),
            due(&mut self.requests).map(|until| (until, limit(requests_per_minute, "requests"))),
            due(&mut self.tokens).map(|until| (until, limit(tokens_per_minute, "tokens"))),
        ];
        let longest =
            holds.into_iter().flatten().filter(|(until, _)| *until > now).max_by_key(|(until, _)| *until);
        match longest {
            None => Gate::Open,
            Some((until, reason)) if self.paused_until == Some(until) && until - now > patience => {
                Gate::Shut(format!(
                    "{reason} of {} s, longer than the timeout allows",
                    (until - now).as_secs()
                ))
            }
            Some((until, reason)) => Gate::Limited(until, reason),
        }
    }
}

/// The endpoint's host, or the program: nothing secret is in either.
fn shown(access: &Access) -> String {
    access.base_url().map_or_else(|| access.program().unwrap_or_else(|| access.provider()).to_owned(), host)
}
