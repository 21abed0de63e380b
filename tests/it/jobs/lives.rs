//! How jobs come in: once, with room, in place of older ones.

use futures_util::future::join_all;
use scrum::{
    job::{Job, Priority, State, room::Room},
    store::jobs::{Enqueued, Filter},
};

use super::{
    LEASE, MANY, Nodes, about, against_each_engine, bring, claim, claim_one, done, finish, id, keyed, noop,
    number, of, state,
};

against_each_engine!(
    from_the_first_to_the_last_state,
    one_name_is_one_job,
    no_more_wait_than_may,
    no_tenant_takes_more_than_its_share,
    one_key_is_one_job,
    a_key_is_free_again_after_the_end,
    a_newer_one_takes_the_place_of_an_older_one,
    nothing_is_called_off_for_one_that_has_no_room,
    counts_and_lists,
    texts_of_any_kind,
);

async fn from_the_first_to_the_last_state(Nodes { one, two, .. }: Nodes) {
    let new = keyed("k", about("pull/7", noop(1)));
    bring(&one, new.clone()).await;
    let waiting = two.job(None, &id(1)).await.unwrap().unwrap();
    let expect = Job {
        new: new.clone(),
        state: State::Queued,
        attempt: 0,
        node: None,
        created: waiting.created,
        started: None,
        finished: None,
        result: None,
        reason: None,
    };
    assert_eq!(waiting, expect);
    let claimed = claim(&two, "b", 10).await;
    let running = &claimed[0].job;
    assert!(running.started >= Some(waiting.created));
    let expect = Job {
        state: State::Running,
        attempt: 1,
        node: Some("b".to_owned()),
        started: running.started,
        ..waiting
    };
    assert_eq!(*running, expect);
    assert_eq!(one.job(None, &id(1)).await, Ok(Some(running.clone())));
    assert_eq!(claim(&one, "a", 10).await, []);
    let held = super::held(&claimed[0]);
    assert_eq!(finish(&two, "b", &held, done()).await, Some(State::Succeeded));
    let over = one.job(Some("acme"), &id(1)).await.unwrap().unwrap();
    assert!(over.finished >= running.started);
    let result = Some(r#"{"exit":0}"#.to_owned());
    let expect = Job { state: State::Succeeded, finished: over.finished, result, ..running.clone() };
    assert_eq!(over, expect);
    assert_eq!(one.job(Some("other"), &id(1)).await, Ok(None));
    assert_eq!(one.job(None, &id(2)).await, Ok(None));
}

async fn one_name_is_one_job(Nodes { one, two, .. }: Nodes) {
    bring(&one, noop(1)).await;
    bring(&two, noop(1)).await;
    assert_eq!(claim(&one, "a", 10).await.len(), 1);
    bring(&two, noop(1)).await;
    assert_eq!(claim(&one, "a", 10).await, []);
}

/// 64 clients on two nodes bring 320 where 200 may wait.
async fn no_more_wait_than_may(Nodes { one, two, .. }: Nodes) {
    let clients = (0..64).map(|client| {
        let jobs = if client % 2 == 0 { one.clone() } else { two.clone() };
        tokio::spawn(async move {
            let mut counts = [0, 0];
            for n in 0..5 {
                match jobs.enqueue(of(&format!("t{client}"), noop(client * 5 + n)), 200).await.unwrap() {
                    Enqueued::New(_) => counts[0] += 1,
                    Enqueued::Full { waiting } => {
                        assert_eq!(waiting, 200);
                        counts[1] += 1;
                    }
                    other => panic!("{other:?}"),
                }
            }
            counts
        })
    });
    let counts = join_all(clients).await.into_iter().map(Result::unwrap);
    assert_eq!(counts.fold([0, 0], |sum, one| [sum[0] + one[0], sum[1] + one[1]]), [200, 120]);
    assert_eq!(one.counts().await.unwrap().waiting, [(Priority::Normal, 200)]);
    assert_eq!(one.enqueue(noop(999), 200).await, Ok(Enqueued::Full { waiting: 200 }));
    claim(&one, "a", 1).await;
    bring(&one, noop(999)).await;
}

/// 32 clients of one tenant bring 160 where 100 of it may wait, and others find the rest.
async fn no_tenant_takes_more_than_its_share(Nodes { one, two, .. }: Nodes) {
    let room = Room { all: 200, of_a_tenant: 100 };
    let clients = (0..32).map(|client| {
        let jobs = if client % 2 == 0 { one.clone() } else { two.clone() };
        tokio::spawn(async move {
            let mut taken = 0;
            for n in 0..5 {
                match jobs.enqueue(of("greedy", noop(client * 5 + n)), room).await.unwrap() {
                    Enqueued::New(_) => taken += 1,
                    other => assert_eq!(other, Enqueued::ShareFull { waiting: 100 }),
                }
            }
            taken
        })
    });
    assert_eq!(join_all(clients).await.into_iter().map(Result::unwrap).sum::<u64>(), 100);
    for n in 200..300 {
        assert_eq!(two.enqueue(noop(n), room).await, Ok(Enqueued::New(Vec::new())));
    }
    assert_eq!(one.enqueue(of("third", noop(300)), room).await, Ok(Enqueued::Full { waiting: 200 }));
    // Where nobody is named there is no share.
    claim(&one, "a", 200).await;
    for n in 400..600 {
        assert_eq!(one.enqueue(of("", noop(n)), room).await, Ok(Enqueued::New(Vec::new())));
    }
    // What a newer job takes the place of leaves room in the share.
    let room = Room { all: 300, of_a_tenant: 1 };
    assert_eq!(one.enqueue(about("pull/7", noop(601)), room).await, Ok(Enqueued::New(Vec::new())));
    assert_eq!(one.enqueue(noop(602), room).await, Ok(Enqueued::ShareFull { waiting: 1 }));
    let newer = one.enqueue(about("pull/7", noop(603)), room).await;
    assert_eq!(newer, Ok(Enqueued::New(vec![(id(601), State::Queued)])));
    assert_eq!(two.about("acme", "pull/7").await, Ok(vec![id(603)]));
    assert_eq!(two.about("other", "pull/7").await, Ok(Vec::new()));
}

async fn one_key_is_one_job(Nodes { one, two, .. }: Nodes) {
    let clients = (0..50).map(|n| {
        let jobs = if n % 2 == 0 { one.clone() } else { two.clone() };
        tokio::spawn(async move { jobs.enqueue(keyed("k", noop(n)), MANY).await.unwrap() })
    });
    let told: Vec<_> = join_all(clients).await.into_iter().map(Result::unwrap).collect();
    let first = id(number(&one.list(Filter { most: 2, ..Filter::default() }).await.unwrap()[0].new.id));
    assert_eq!(told.iter().filter(|one| **one == Enqueued::New(Vec::new())).count(), 1);
    assert_eq!(told.iter().filter(|one| **one == Enqueued::Same(first.clone(), State::Queued)).count(), 49);
    let mut other = keyed("k", noop(100));
    other.task.work_ms = 5;
    assert_eq!(two.enqueue(other, MANY).await, Ok(Enqueued::Other(first.clone())));
    assert_eq!(two.enqueue(keyed("k", noop(101)), 1).await, Ok(Enqueued::Same(first.clone(), State::Queued)));
    bring(&two, of("other", keyed("k", noop(102)))).await;
    bring(&two, keyed("l", noop(103))).await;
    claim(&one, "a", 10).await;
    assert_eq!(two.enqueue(keyed("k", noop(104)), MANY).await, Ok(Enqueued::Same(first, State::Running)));
}

async fn a_key_is_free_again_after_the_end(Nodes { one, two, .. }: Nodes) {
    bring(&one, keyed("k", noop(1))).await;
    let held = claim_one(&one, "a").await;
    finish(&one, "a", &held, done()).await;
    bring(&two, keyed("k", noop(2))).await;
    two.cancel(None, &id(2)).await.unwrap();
    bring(&one, keyed("k", noop(3))).await;
}

async fn a_newer_one_takes_the_place_of_an_older_one(Nodes { one, two, .. }: Nodes) {
    bring(&one, about("pull/7", noop(1))).await;
    let held = claim_one(&one, "a").await;
    bring(&one, about("pull/8", noop(2))).await;
    bring(&one, of("other", about("pull/7", noop(3)))).await;
    let newer = two.enqueue(about("pull/7", noop(4)), 3).await;
    assert_eq!(newer, Ok(Enqueued::New(vec![(id(1), State::Running)])));
    assert_eq!(state(&one, 1).await, Some(State::Cancelled));
    assert_eq!(finish(&one, "a", &held, done()).await, None);
    // It leaves room for the one that comes.
    let newest = two.enqueue(about("pull/7", noop(5)), 3).await;
    assert_eq!(newest, Ok(Enqueued::New(vec![(id(4), State::Queued)])));
    assert_eq!([state(&one, 2).await, state(&one, 3).await], [Some(State::Queued); 2]);
    let reason = one.job(None, &id(4)).await.unwrap().unwrap().reason;
    assert_eq!(reason.as_deref(), Some("a newer job about the same came"));
}

async fn nothing_is_called_off_for_one_that_has_no_room(Nodes { one, .. }: Nodes) {
    bring(&one, about("pull/7", noop(1))).await;
    claim_one(&one, "a").await;
    bring(&one, noop(2)).await;
    assert_eq!(one.enqueue(about("pull/7", noop(3)), 1).await, Ok(Enqueued::Full { waiting: 1 }));
    assert_eq!(state(&one, 1).await, Some(State::Running));
    assert_eq!(state(&one, 3).await, None);
}

async fn counts_and_lists(Nodes { one, two, .. }: Nodes) {
    let urgent = |n, priority| super::urgent(priority, noop(n));
    bring(&one, urgent(1, Priority::Low)).await;
    let claimed = claim(&one, "a", 1).await;
    for (n, priority) in [(2, Priority::Low), (3, Priority::Low), (4, Priority::High)] {
        bring(&one, urgent(n, priority)).await;
    }
    bring(&one, of("other", noop(5))).await;
    two.cancel(None, &id(3)).await.unwrap();
    // Leaves nothing.
    for _ in 0..2 {
        two.try_out().await.unwrap();
    }
    let counts = two.counts().await.unwrap();
    assert_eq!(counts.waiting, [(Priority::High, 1), (Priority::Normal, 1), (Priority::Low, 1)]);
    assert_eq!(counts.running, 1);
    assert_eq!(counts.by_state, [(State::Queued, 3), (State::Running, 1), (State::Cancelled, 1)]);
    assert!(counts.oldest >= Some(claimed[0].job.created));
    let all = || Filter { most: 100, ..Filter::default() };
    let check = async |filter: Filter, expect: &[u64]| {
        let found = two.list(filter.clone()).await.unwrap();
        assert_eq!(found.iter().map(|job| number(&job.new.id)).collect::<Vec<_>>(), expect, "{filter:?}");
    };
    check(all(), &[5, 4, 3, 2, 1]).await;
    check(Filter { most: 2, ..all() }, &[5, 4]).await;
    check(Filter { before: Some(id(4)), ..all() }, &[3, 2, 1]).await;
    check(Filter { tenant: Some("acme".to_owned()), ..all() }, &[4, 3, 2, 1]).await;
    check(Filter { states: vec![State::Queued], ..all() }, &[5, 4, 2]).await;
    check(Filter { states: vec![State::Running], ..all() }, &[1]).await;
    check(Filter { states: vec![State::Cancelled, State::Running], ..all() }, &[3, 1]).await;
    check(Filter { kind: Some(scrum::job::Kind::Noop), ..all() }, &[5, 4, 3, 2, 1]).await;
    check(Filter { kind: Some(scrum::job::Kind::Review), ..all() }, &[]).await;
}

async fn texts_of_any_kind(Nodes { one, .. }: Nodes) {
    let odd = "'; DROP TABLE jobs; -- \u{1f980} \\ \" % _ ?1 $1 \n";
    let mut new = of(odd, keyed(odd, about(odd, noop(1))));
    new.task.range = Some(format!("{odd}\u{0}"));
    bring(&one, new.clone()).await;
    let held = claim_one(&one, odd).await;
    assert_eq!(one.renew(odd, vec![held.clone()], LEASE).await, Ok(vec![]));
    let ending = super::Ending::Failed(format!("{odd}\u{0}"));
    assert_eq!(finish(&one, odd, &held, ending.clone()).await, Some(State::Failed));
    assert_eq!(finish(&one, odd, &held, ending).await, Some(State::Failed));
    let found = one.job(Some(odd), &id(1)).await.unwrap().unwrap();
    assert_eq!((found.new, found.reason), (new, Some(format!("{odd}\u{fffd}"))));
}
