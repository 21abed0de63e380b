//! Whose turn it is: [`key`] orders the jobs of one tenant, [`Turns`] takes tenants in turn.
//!
//! Two rules, because they answer two questions. Among a tenant's own jobs, a job is as old as its priority makes it; so it is
//! overtaken by none that came later than its [`slack`]. Among tenants, the one that has waited longest for its turn is next,
//! whatever its jobs are; so nobody gains by calling all of them urgent, and a thousand jobs of one delay another's first by one.
//! docs/design/queue.md has the proof. No clock, no database: both are given what they must know.

use std::collections::BTreeMap;

use super::Priority;

/// How much later than it came a job is taken to have come, in milliseconds.
///
/// A review takes minutes, so a backlog is minutes old: what is to go ahead of it must be worth minutes.
pub const fn slack(priority: Priority) -> i64 {
    match priority {
        Priority::High => 0,
        Priority::Normal => 5 * 60_000,
        Priority::Low => 30 * 60_000,
    }
}

/// Where a job that comes at `now`, in milliseconds, stands among those of its tenant, smallest first, and not before the last of
/// those that wait with its priority: when the clock went backwards, the first to come is still the first to go.
pub fn key(now: i64, priority: Priority) -> i64 {
    now.saturating_add(slack(priority))
}

/// A job that could be taken now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Whose.
    pub tenant: String,
    /// How soon.
    pub priority: Priority,
    /// Its [`key`].
    pub key: i64,
    /// Its name; of equal keys the smaller one, which is the older one, is first.
    pub id: String,
}

impl Candidate {
    /// When it came, in milliseconds, or later if the clock went backwards.
    fn came(&self) -> i64 {
        self.key.saturating_sub(slack(self.priority))
    }
}

/// When each tenant last had its turn. Only those are remembered who have something waiting.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Turns {
    /// In microseconds: several have their turn within a millisecond.
    last: BTreeMap<String, i64>,
}

impl Turns {
    /// `candidates` in the order in which they are to be taken at `now`, in milliseconds, if all are taken.
    ///
    /// A tenant's turn counts from when it last had one, or from when its oldest job came. So whoever comes anew stands behind all
    /// who wait already, and each of those goes ahead of it once.
    pub fn order(&self, now: i64, candidates: Vec<Candidate>) -> Vec<Candidate> {
        let mut order = Vec::with_capacity(candidates.len());
        let mut waits = BTreeMap::new();
        for (tenant, own) in by_tenant(candidates) {
            waits.insert((self.since(now, &tenant, &own), tenant), own.into_iter());
        }
        let mut latest = waits.last_key_value().map_or(0, |((since, _), _)| *since);
        while let Some(((_, tenant), mut own)) = waits.pop_first() {
            if let Some(next) = own.next() {
                order.push(next);
                // Behind everybody else.
                latest = latest.saturating_add(1);
                waits.insert((latest, tenant), own);
            }
        }
        order
    }

    fn since(&self, now: i64, tenant: &str, own: &[Candidate]) -> i64 {
        let came = own.iter().map(Candidate::came).min().map_or(0, microseconds);
        self.last.get(tenant).map_or(came, |last| believable(now, *last).max(came))
    }

    /// Remembers that jobs of `taken`, in this order, were taken at `now`, in milliseconds, when jobs of `waiting` could be.
    pub fn took<'a>(
        &mut self,
        now: i64,
        waiting: impl IntoIterator<Item = &'a str>,
        taken: impl IntoIterator<Item = &'a str>,
    ) {
        let kept = waiting.into_iter().filter_map(|tenant| self.last.remove_entry(tenant));
        let mut last: BTreeMap<_, _> = kept.map(|(tenant, last)| (tenant, believable(now, last))).collect();
        let latest = last.values().max().map_or(i64::MIN, |last| last.saturating_add(1));
        for (moment, tenant) in (latest.max(microseconds(now))..).zip(taken) {
            last.insert(tenant.to_owned(), moment);
        }
        self.last = last;
    }
}

/// When a turn was, in microseconds. Later than in a second it was before the clock went backwards.
fn believable(now: i64, last: i64) -> i64 {
    last.min(microseconds(now.saturating_add(1_000)))
}

fn microseconds(milliseconds: i64) -> i64 {
    milliseconds.saturating_mul(1_000)
}

/// Each tenant's own, in their order.
fn by_tenant(candidates: Vec<Candidate>) -> BTreeMap<String, Vec<Candidate>> {
    let mut tenants: BTreeMap<String, Vec<Candidate>> = BTreeMap::new();
    for candidate in candidates {
        tenants.entry(candidate.tenant.clone()).or_default().push(candidate);
    }
    for own in tenants.values_mut() {
        own.sort_by(|a, b| (a.key, &a.id).cmp(&(b.key, &b.id)));
    }
    tenants
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        Priority::{High, Low, Normal},
        *,
    };

    fn candidate(tenant: u8, priority: Priority, key: i64, id: usize) -> Candidate {
        Candidate { tenant: format!("t{tenant}"), priority, key, id: format!("{id:06}") }
    }

    /// What waits, and a clock: jobs come and are taken one at a time, as by a daemon with one slot.
    #[derive(Default)]
    struct World {
        now: i64,
        turns: Turns,
        waiting: Vec<Candidate>,
        came: usize,
    }

    impl World {
        fn comes(&mut self, tenant: u8, priority: Priority) -> String {
            let name = format!("t{tenant}");
            let lane = self.waiting.iter().filter(|one| one.tenant == name && one.priority == priority);
            let key = lane.map(|one| one.key).fold(key(self.now, priority), i64::max);
            self.came += 1;
            let job = candidate(tenant, priority, key, self.came);
            self.waiting.push(job.clone());
            job.id
        }

        fn goes(&mut self) -> Option<Candidate> {
            let mut first = BTreeMap::new();
            for one in &self.waiting {
                first.entry((&one.tenant, one.priority)).or_insert(one);
            }
            let order = self.turns.order(self.now, first.values().map(|one| (*one).clone()).collect());
            let next = order.first()?.clone();
            let waiting = self.waiting.iter().map(|one| one.tenant.as_str());
            self.turns.took(self.now, waiting, [next.tenant.as_str()]);
            self.waiting.retain(|one| one.id != next.id);
            Some(next)
        }
    }

    fn priority() -> impl Strategy<Value = Priority> {
        proptest::sample::select(Priority::ALL)
    }

    #[test]
    fn urgent_ones_first_and_each_tenant_in_turn() {
        let check = |waiting: &[(u8, Priority)], expect: &[usize]| {
            let mut world = World::default();
            for (tenant, priority) in waiting {
                world.comes(*tenant, *priority);
            }
            let order = world.turns.order(0, world.waiting);
            assert_eq!(order.iter().map(|one| one.id.parse().unwrap()).collect::<Vec<usize>>(), expect);
        };
        check(&[], &[]);
        check(&[(1, Low), (1, Normal), (1, High), (1, High)], &[3, 4, 2, 1]);
        check(&[(1, High), (1, High), (1, High), (2, Low), (3, Normal)], &[1, 4, 5, 2, 3]);
    }

    #[test]
    fn a_thousand_jobs_of_one_delay_another_by_one() {
        for hours in [0, 1, 48] {
            let mut world = World::default();
            for _ in 0..1_000 {
                world.comes(1, High);
            }
            world.goes();
            world.now += hours * 3_600_000;
            world.goes();
            let other = world.comes(2, Low);
            let next = [world.goes(), world.goes()].map(|one| one.unwrap().id);
            assert!(next.contains(&other), "{next:?} after {hours} hours");
        }
    }

    proptest! {
        /// Whoever waits is overtaken by its own tenant's later jobs for as long as its slack, and by each other tenant that waited when it came
        /// once for every job of its own that is before it; endless urgent work of everybody notwithstanding.
        #[test]
        fn nobody_waits_for_ever(
            before in proptest::collection::vec((0..4_u8, priority()), 0..40),
            mine in priority(),
            pace in 20_000..600_000_i64,
        ) {
            let mut world = World::default();
            for (tenant, priority) in before {
                world.comes(tenant, priority);
            }
            let job = world.comes(0, mine);
            let deadline = world.now + slack(mine);
            let mut after = 0;
            loop {
                for tenant in 0..6 {
                    world.comes(tenant, High);
                }
                let next = world.goes().unwrap();
                if next.id == job {
                    break;
                }
                after += usize::from(world.now > deadline);
                // Of its own at most 40 with an earlier key from before, and as many highs as came while it had slack.
                let own = 41 + usize::try_from(slack(mine) / pace).unwrap();
                prop_assert!(after <= 6 * own + 6, "{after} after its slack");
                world.now += pace;
            }
        }

        /// Jobs of one tenant and one priority go as they came, also when the clock goes backwards.
        #[test]
        fn first_come_first_served(
            steps in proptest::collection::vec((0..3_u8, priority(), -5_000..5_000_i64, any::<bool>()), 1..80),
        ) {
            let mut world = World::default();
            let mut gone: Vec<Candidate> = Vec::new();
            for (tenant, priority, step, goes) in steps {
                world.now += step;
                world.comes(tenant, priority);
                gone.extend(if goes { world.goes() } else { None });
            }
            gone.extend(std::iter::from_fn(|| world.goes()));
            prop_assert_eq!(gone.len(), world.came);
            for tenant in 0..3 {
                for priority in Priority::ALL {
                    let lane = gone.iter().filter(|one| one.tenant == format!("t{tenant}") && one.priority == *priority);
                    prop_assert!(lane.map(|one| &one.id).is_sorted());
                }
            }
        }

        /// Between two turns of a tenant that waits, each other one has at most one; also those who come and go.
        #[test]
        fn nobody_has_two_turns_while_another_waits(
            steps in proptest::collection::vec((1..6_u8, priority(), 1..4_i64), 1..120),
        ) {
            let mut world = World::default();
            world.comes(0, Low);
            let mut since: BTreeMap<String, u32> = BTreeMap::new();
            for (tenant, priority, step) in steps {
                world.now += step;
                world.comes(tenant, priority);
                let next = world.goes().unwrap();
                if next.tenant == "t0" {
                    since.clear();
                    world.comes(0, Low);
                    continue;
                }
                let turns = since.entry(next.tenant).or_default();
                *turns += 1;
                prop_assert!(*turns <= 1);
            }
        }

        /// The order holds each candidate once, and is the same however they are handed in.
        #[test]
        fn nothing_depends_on_how_it_was_found(
            jobs in proptest::collection::vec((0..4_u8, priority(), 0..100_i64), 0..30)
                .prop_flat_map(|jobs| { let shuffled = Just(jobs.clone()).prop_shuffle(); (Just(jobs), shuffled) }),
        ) {
            let all = |jobs: Vec<(u8, Priority, i64)>| -> Vec<Candidate> {
                let mut all: Vec<_> = jobs.into_iter().map(|(tenant, priority, at)| candidate(tenant, priority, at, 0)).collect();
                for one in &mut all {
                    one.id = format!("{}{}{}", one.tenant, one.priority, one.key);
                }
                all
            };
            let (one, two) = (all(jobs.0), all(jobs.1));
            let turns = Turns::default();
            prop_assert_eq!(turns.order(7, one.clone()).len(), one.len());
            prop_assert_eq!(turns.order(7, one), turns.order(7, two));
        }
    }
}
