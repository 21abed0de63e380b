//! What of a chain may run now: [`Board`].
//!
//! Checks are begun in order of declaration, each behind what it needs; one that is not `parallel` waits for the one before
//! it that is not either. A service is started when the first check that needs it could run; one that no check names is
//! needed by all. Services are started one after the other, as declared.

use super::{Chain, CheckResult, OnFailure, order::order};

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Start the service of this index.
    Start(usize),
    /// Make the check of this index.
    Check(usize),
}

/// Where a chain stands.
#[derive(Debug)]
pub struct Board<'a> {
    chain: &'a Chain,
    order: Vec<usize>,
    checks: Vec<Stand>,
    services: Vec<ServiceStand>,
    /// For each check, the checks and the services it needs.
    needs: Vec<(Vec<usize>, Vec<usize>)>,
    under_way: usize,
    /// Why nothing more is begun.
    ended: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Stand {
    Open,
    UnderWay,
    Over(CheckResult),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ServiceStand {
    Open,
    Starting,
    Ready,
    Absent,
    Dead,
}

/// What what a check needs comes to.
enum Needs {
    Wait,
    Start(usize),
    Given,
    Missing(String),
}

impl<'a> Board<'a> {
    /// `chain` before anything is done. In a circle, which no checked chain has, checks stand as declared.
    pub fn new(chain: &'a Chain) -> Self {
        let needing: Vec<_> =
            chain.checks.iter().map(|check| (check.name.as_str(), check.needs.as_slice())).collect();
        let order = order(&needing).unwrap_or_else(|_| (0..chain.checks.len()).collect());
        let is_named =
            |name: &str| chain.checks.iter().any(|check| check.needs.iter().any(|need| need == name));
        let needs_of = |check: &super::Check| {
            let needs = |name: &str| check.needs.iter().any(|need| need == name);
            let checks = (0..chain.checks.len()).filter(|at| needs(&chain.checks[*at].name));
            let services = (0..chain.services.len()).filter(|at| {
                let name = &chain.services[*at].name;
                needs(name) || !is_named(name)
            });
            (checks.collect(), services.collect())
        };
        Self {
            chain,
            order,
            checks: vec![Stand::Open; chain.checks.len()],
            services: vec![ServiceStand::Open; chain.services.len()],
            needs: chain.checks.iter().map(needs_of).collect(),
            under_way: 0,
            ended: None,
        }
    }

    /// What to begin now; nothing while there is nothing, or too much under way. Ask until there is nothing.
    pub fn begin(&mut self) -> Option<Step> {
        self.skip();
        let mut is_lane_taken = self.lane().any(|check| self.checks[check] == Stand::UnderWay);
        for at in 0..self.order.len() {
            let check = self.order[at];
            if self.checks[check] != Stand::Open {
                continue;
            }
            let is_parallel = self.chain.checks[check].parallel;
            if !is_parallel && std::mem::replace(&mut is_lane_taken, true) {
                continue;
            }
            match self.needs(check) {
                Needs::Start(service) => {
                    self.services[service] = ServiceStand::Starting;
                    return Some(Step::Start(service));
                }
                Needs::Given if self.under_way < self.chain.concurrency.get() => {
                    self.checks[check] = Stand::UnderWay;
                    self.under_way += 1;
                    return Some(Step::Check(check));
                }
                Needs::Given | Needs::Wait | Needs::Missing(_) => {}
            }
        }
        None
    }

    /// Skips every check that can no longer be made. Who needs one of them stands behind it.
    fn skip(&mut self) {
        for at in 0..self.order.len() {
            let check = self.order[at];
            if let (Stand::Open, Needs::Missing(reason)) = (&self.checks[check], self.needs(check)) {
                self.checks[check] = Stand::Over(CheckResult::Skipped(reason));
            }
        }
    }

    /// The service of this index is ready, or never will be.
    pub fn started(&mut self, service: usize, is_ready: bool) {
        self.services[service] = if is_ready { ServiceStand::Ready } else { ServiceStand::Absent };
    }

    /// The service of this index was ready and has ended.
    pub fn died(&mut self, service: usize) {
        self.services[service] = ServiceStand::Dead;
    }

    /// The services that the check of this index needs.
    pub fn services_of(&self, check: usize) -> &[usize] {
        &self.needs[check].1
    }

    /// The check of this index is over.
    pub fn over(&mut self, check: usize, result: CheckResult) {
        let declared = &self.chain.checks[check];
        let on_failure = declared.on_failure.unwrap_or(self.chain.on_failure);
        if matches!(result, CheckResult::Failed(_)) && on_failure == OnFailure::Stop {
            self.end(format!("the chain stops where {} failed", declared.name));
        }
        self.checks[check] = Stand::Over(result);
        self.under_way -= 1;
    }

    /// Begins nothing more, for this reason; the first one counts.
    pub fn end(&mut self, reason: String) {
        self.ended.get_or_insert(reason);
    }

    /// What came of each check, in order of declaration; what is not over is skipped.
    pub fn results(self) -> Vec<CheckResult> {
        let why = self.ended.unwrap_or_default();
        let result = |stand| match stand {
            Stand::Over(result) => result,
            Stand::Open | Stand::UnderWay => CheckResult::Skipped(why.clone()),
        };
        self.checks.into_iter().map(result).collect()
    }

    /// The checks that run one after the other.
    fn lane(&self) -> impl Iterator<Item = usize> {
        (0..self.checks.len()).filter(|check| !self.chain.checks[*check].parallel)
    }

    fn needs(&self, check: usize) -> Needs {
        let (checks, services) = &self.needs[check];
        let result = |need: &usize| match &self.checks[*need] {
            Stand::Over(result) if *result != CheckResult::Passed => Some((*need, result.word())),
            Stand::Over(_) | Stand::Open | Stand::UnderWay => None,
        };
        if let Some((need, word)) = checks.iter().find_map(result) {
            let how = if word == "failed" { "failed" } else { "was skipped" };
            return Needs::Missing(format!("needs {}, which {how}", self.chain.checks[need].name));
        }
        let lost = |need: &usize| match self.services[*need] {
            ServiceStand::Absent => Some((*need, "was not ready")),
            ServiceStand::Dead => Some((*need, "died")),
            ServiceStand::Open | ServiceStand::Starting | ServiceStand::Ready => None,
        };
        if let Some((lost, how)) = services.iter().find_map(lost) {
            return Needs::Missing(format!("needs {}, which {how}", self.chain.services[lost].name));
        }
        if let Some(reason) = &self.ended {
            return Needs::Missing(reason.clone());
        }
        if checks.iter().any(|need| !matches!(self.checks[*need], Stand::Over(_))) {
            return Needs::Wait;
        }
        match services.iter().find(|need| self.services[**need] != ServiceStand::Ready) {
            None => Needs::Given,
            Some(_) if self.services.contains(&ServiceStand::Starting) => Needs::Wait,
            Some(service) => Needs::Start(*service),
        }
    }
}

#[cfg(test)]
mod tests;
