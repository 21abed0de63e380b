//! What the store promises about jobs: one list of tests, run against each engine that keeps them, with two nodes on one store.

mod ends;
mod lives;
mod order;
mod random;
mod store;
mod told;

use std::time::Duration;

use scrum::{
    job::{JobId, Kind, NewJob, Priority, Source, State, Task},
    store::{
        database::Database,
        jobs::{Claimed, Ending, Enqueued, Held, Jobs},
    },
};

/// More than any test takes.
const LEASE: Duration = Duration::from_mins(10);

/// More than any test brings.
const MANY: u64 = 10_000;

/// Two nodes on one store, which nobody else uses.
struct Nodes {
    one: Jobs,
    two: Jobs,
    database: Database,
    _place: store::Place,
}

/// Runs each of these functions against each engine.
macro_rules! against_each_engine {
    ($($(#[$about:meta])* $name:ident),+ $(,)?) => {
        mod sqlite {
            $($(#[$about])* #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name($crate::jobs::store::sqlite()).await;
            })+
        }

        mod postgres {
            $($(#[$about])* #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                if let Some(nodes) = $crate::jobs::store::postgres() {
                    super::$name(nodes).await;
                }
            })+
        }
    };
}
use against_each_engine;

fn id(n: u64) -> JobId {
    JobId::parse(&format!("0190a000-0000-7000-8000-{n:012x}")).unwrap()
}

fn noop(n: u64) -> NewJob {
    NewJob {
        id: id(n),
        tenant: "acme".to_owned(),
        source: Source::Api,
        priority: Priority::Normal,
        task: Task::new(Kind::Noop),
        timeout_secs: 60,
        max_attempts: 3,
        dedupe_key: None,
        subject: None,
    }
}

fn of(tenant: &str, new: NewJob) -> NewJob {
    NewJob { tenant: tenant.to_owned(), ..new }
}

fn urgent(priority: Priority, new: NewJob) -> NewJob {
    NewJob { priority, ..new }
}

fn keyed(key: &str, new: NewJob) -> NewJob {
    NewJob { dedupe_key: Some(key.to_owned()), ..new }
}

fn about(subject: &str, new: NewJob) -> NewJob {
    NewJob { subject: Some(subject.to_owned()), ..new }
}

/// Brings a job that must be taken in.
async fn bring(jobs: &Jobs, new: NewJob) {
    assert_eq!(jobs.enqueue(new, MANY).await, Ok(Enqueued::New(Vec::new())));
}

/// Takes as many as `most` for node `node`.
async fn claim(jobs: &Jobs, node: &str, most: u32) -> Vec<Claimed> {
    jobs.claim(node, most, LEASE).await.unwrap()
}

/// Takes the one job that waits.
async fn claim_one(jobs: &Jobs, node: &str) -> Held {
    let claimed = claim(jobs, node, 10).await;
    assert_eq!(claimed.len(), 1, "{claimed:?}");
    held(&claimed[0])
}

fn held(claimed: &Claimed) -> Held {
    Held { id: claimed.job.new.id.clone(), attempt: claimed.job.attempt }
}

async fn finish(jobs: &Jobs, node: &str, held: &Held, ending: Ending) -> Option<State> {
    let states = jobs.finish(node, vec![(held.clone(), ending)]).await.unwrap();
    assert_eq!(states.len(), 1);
    states[0]
}

fn done() -> Ending {
    Ending::Succeeded(r#"{"exit":0}"#.to_owned())
}

fn again(delay: Duration) -> Ending {
    Ending::Again { reason: "signal 9".to_owned(), delay }
}

async fn state(jobs: &Jobs, n: u64) -> Option<State> {
    jobs.job(None, &id(n)).await.unwrap().map(|job| job.state)
}

/// Numbers of jobs.
fn numbers(claimed: &[Claimed]) -> Vec<u64> {
    claimed.iter().map(|one| number(&one.job.new.id)).collect()
}

fn number(id: &JobId) -> u64 {
    u64::from_str_radix(&id.as_str()[24..], 16).unwrap()
}
