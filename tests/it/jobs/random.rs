//! Any sequence of anything, on two nodes, against a model that knows only the rules.

use std::{collections::BTreeMap, time::Duration};

use proptest::prelude::*;
use scrum::{
    job::{Priority, State, room::Room},
    store::jobs::{Ending, Enqueued, Held, Jobs, Reaped},
};

use super::{LEASE, Nodes, again, done, id, keyed, noop, number, of, store, urgent};

/// What somebody does; numbers choose among the jobs there are.
#[derive(Debug, Clone)]
enum Step {
    Bring { tenant: u8, priority: Priority, key: Option<u8> },
    Claim { node: bool, most: u32, lasts: bool },
    Finish { held: usize, ending: Ending },
    Cancel { job: u64 },
    Renew { held: usize },
    Reap { all: bool },
}

fn step() -> impl Strategy<Value = Step> {
    let priority = proptest::sample::select(Priority::ALL);
    let ending = prop_oneof![
        Just(done()),
        Just(Ending::Failed("no".to_owned())),
        Just(Ending::TimedOut("late".to_owned())),
        Just(again(Duration::ZERO)),
        Just(again(LEASE)),
        Just(Ending::GivenBack),
    ];
    prop_oneof![
        4 => (0..3_u8, priority, proptest::option::of(0..3_u8))
            .prop_map(|(tenant, priority, key)| Step::Bring { tenant, priority, key }),
        3 => (any::<bool>(), 0..4_u32, any::<bool>())
            .prop_map(|(node, most, lasts)| Step::Claim { node, most, lasts }),
        4 => (0..20_usize, ending).prop_map(|(held, ending)| Step::Finish { held, ending }),
        1 => (0..30_u64).prop_map(|job| Step::Cancel { job }),
        1 => (0..20_usize).prop_map(|held| Step::Renew { held }),
        1 => any::<bool>().prop_map(|all| Step::Reap { all }),
    ]
}

/// What is known of a job.
#[derive(Debug, Clone, PartialEq)]
struct Known {
    state: State,
    attempt: u32,
    given_back: u32,
    node: String,
    lasts: bool,
    tenant: u8,
    key: Option<u8>,
}

/// As many as may wait.
const ROOM: Room = Room { all: 6, of_a_tenant: 4 };

#[derive(Default)]
struct Model {
    jobs: BTreeMap<u64, Known>,
    holds: Vec<(String, Held)>,
}

impl Model {
    fn waiting(&self) -> u64 {
        self.jobs.values().filter(|one| one.state == State::Queued).count() as u64
    }

    fn waiting_of(&self, tenant: u8) -> u64 {
        let is_one = |one: &&Known| one.state == State::Queued && one.tenant == tenant;
        self.jobs.values().filter(is_one).count() as u64
    }

    async fn does(&mut self, nodes: &Nodes, step: Step) {
        match step {
            Step::Bring { tenant, priority, key } => self.bring(&nodes.one, tenant, priority, key).await,
            Step::Claim { node: true, most, lasts } => self.claim(&nodes.one, "a", most, lasts).await,
            Step::Claim { node: false, most, lasts } => self.claim(&nodes.two, "b", most, lasts).await,
            Step::Finish { held, ending } => self.finish(&nodes.one, held, ending).await,
            Step::Cancel { job } => self.cancel(&nodes.two, job).await,
            Step::Renew { held } => self.renew(&nodes.one, held).await,
            Step::Reap { all: true } => self.reaped(&nodes.one.reap_all().await.unwrap(), true),
            Step::Reap { all: false } => self.reaped(&nodes.two.reap().await.unwrap(), false),
        }
    }

    async fn bring(&mut self, jobs: &Jobs, tenant: u8, priority: Priority, key: Option<u8>) {
        let n = self.jobs.len() as u64;
        let new = of(&format!("t{tenant}"), urgent(priority, noop(n)));
        let new = key.map_or(new.clone(), |key| keyed(&format!("k{key}"), new));
        let is_same = |one: &Known| key.is_some() && (one.tenant, one.key) == (tenant, key);
        let same = self.jobs.iter().find(|(_, one)| is_same(one) && !one.state.is_final());
        let expect = match same {
            Some((n, one)) => Enqueued::Same(id(*n), one.state),
            None if self.waiting() >= ROOM.all => Enqueued::Full { waiting: self.waiting() },
            None if self.waiting_of(tenant) >= ROOM.of_a_tenant => {
                Enqueued::ShareFull { waiting: self.waiting_of(tenant) }
            }
            None => Enqueued::New(Vec::new()),
        };
        assert_eq!(jobs.enqueue(new, ROOM).await.as_ref(), Ok(&expect));
        if expect == Enqueued::New(Vec::new()) {
            let (state, node) = (State::Queued, String::new());
            self.jobs.insert(n, Known { state, attempt: 0, given_back: 0, node, lasts: true, tenant, key });
        }
    }

    async fn claim(&mut self, jobs: &Jobs, node: &str, most: u32, lasts: bool) {
        let lease = if lasts { LEASE } else { Duration::ZERO };
        let claimed = jobs.claim(node, most, lease).await.unwrap();
        assert!(claimed.len() as u64 <= self.waiting().min(most.into()));
        for one in claimed {
            let held = super::held(&one);
            let known = self.jobs.get_mut(&number(&held.id)).unwrap();
            assert_eq!((known.state, known.attempt + 1), (State::Queued, held.attempt));
            let (state, attempt, node) = (State::Running, held.attempt, node.to_owned());
            self.holds.push((node.clone(), held));
            *known = Known { state, attempt, node, lasts, ..known.clone() };
        }
    }

    async fn cancel(&mut self, jobs: &Jobs, job: u64) {
        let expect = self.jobs.get(&job).map(|one| one.state);
        assert_eq!(jobs.cancel(None, &id(job)).await, Ok(expect));
        if let Some(one) = self.jobs.get_mut(&job).filter(|one| !one.state.is_final()) {
            one.state = State::Cancelled;
        }
    }

    async fn renew(&mut self, jobs: &Jobs, held: usize) {
        let Some((node, held)) = self.holds.get(held).cloned() else { return };
        let is_held = self.is_held(&node, &held);
        let lost = jobs.renew(&node, vec![held.clone()], LEASE).await.unwrap();
        assert_eq!(lost.is_empty(), is_held);
        if is_held {
            self.jobs.get_mut(&number(&held.id)).unwrap().lasts = true;
        }
    }

    fn reaped(&mut self, found: &Reaped, all: bool) {
        let mut expect = Reaped::default();
        for (n, one) in &mut self.jobs {
            if one.state == State::Running && (all || !one.lasts) {
                one.state = after_failure(one);
                let is_over = one.state.is_final();
                if is_over { &mut expect.failed } else { &mut expect.requeued }.push(id(*n));
            }
        }
        assert_eq!(*found, expect);
    }

    fn is_held(&self, node: &str, held: &Held) -> bool {
        let one = &self.jobs[&number(&held.id)];
        one.state == State::Running && one.attempt == held.attempt && one.node == node
    }

    async fn finish(&mut self, jobs: &Jobs, held: usize, ending: Ending) {
        let Some((node, held)) = self.holds.get(held).cloned() else { return };
        let is_held = self.is_held(&node, &held);
        let found = super::finish(jobs, &node, &held, ending.clone()).await;
        let one = self.jobs.get_mut(&number(&held.id)).unwrap();
        if !is_held {
            // A confirmation says how it stands, and changes nothing.
            assert!(found.is_none() || (found == Some(one.state) && one.attempt == held.attempt));
            return;
        }
        one.given_back += u32::from(ending == Ending::GivenBack);
        one.state = match ending {
            Ending::Succeeded(_) => State::Succeeded,
            Ending::Failed(_) => State::Failed,
            Ending::TimedOut(_) => State::TimedOut,
            Ending::Again { .. } | Ending::GivenBack => after_failure(one),
        };
        assert_eq!(found, Some(one.state));
    }

    async fn agrees(&self, nodes: &Nodes) {
        for (n, one) in &self.jobs {
            let job = nodes.two.job(None, &id(*n)).await.unwrap().unwrap();
            assert_eq!((job.state, job.attempt), (one.state, one.attempt), "job {n}");
            assert_eq!(job.finished.is_some(), one.state.is_final());
            assert_eq!(job.result.is_some(), one.state == State::Succeeded);
        }
        let mut by_state = BTreeMap::new();
        for one in self.jobs.values() {
            *by_state.entry(one.state).or_insert(0) += 1;
        }
        let counts = nodes.one.counts().await.unwrap();
        assert_eq!(counts.by_state, by_state.into_iter().collect::<Vec<_>>());
    }
}

fn after_failure(one: &Known) -> State {
    if one.attempt - one.given_back >= 3 { State::Failed } else { State::Queued }
}

fn check(nodes: impl Fn() -> Option<Nodes>, steps: &[Step]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let Some(nodes) = nodes() else { return };
        let mut model = Model::default();
        for step in steps {
            model.does(&nodes, step.clone()).await;
        }
        model.agrees(&nodes).await;
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn sqlite(steps in proptest::collection::vec(step(), 1..80)) {
        check(|| Some(store::sqlite()), &steps);
    }
}

proptest! {
    // Each has tables of its own, which take their time.
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn postgres(steps in proptest::collection::vec(step(), 1..80)) {
        check(store::postgres, &steps);
    }
}
