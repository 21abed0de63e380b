//! How jobs come to their end: once, by whoever holds them, or against his will.

use std::time::Duration;

use scrum::{
    job::State,
    store::jobs::{Ending, Held, Jobs, Reaped},
};

use super::{
    LEASE, Nodes, again, against_each_engine, bring, claim, claim_one, done, finish, id, noop, state,
};

against_each_engine!(
    only_the_attempt_that_runs_may_end_it,
    an_ending_told_twice_counts_once,
    another_attempt_until_none_is_left,
    what_is_put_off_is_not_taken,
    what_is_given_back_does_not_count,
    a_lost_node_gives_everything_back,
    what_kills_its_daemon_ends_failed,
    a_lease_that_is_renewed_is_kept,
    called_off_is_for_good,
    all_endings_of_one_call,
);

async fn only_the_attempt_that_runs_may_end_it(Nodes { one, two, .. }: Nodes) {
    bring(&one, noop(1)).await;
    assert_eq!(finish(&one, "a", &Held { id: id(1), attempt: 0 }, done()).await, None);
    let held = claim_one(&one, "a").await;
    assert_eq!(finish(&one, "b", &held, done()).await, None);
    assert_eq!(finish(&one, "a", &Held { attempt: 2, ..held.clone() }, done()).await, None);
    assert_eq!(finish(&one, "a", &Held { id: id(2), ..held.clone() }, done()).await, None);
    assert_eq!(finish(&one, "a", &held, again(Duration::ZERO)).await, Some(State::Queued));
    // Suspended and woken up too late: another node has it.
    let second = claim_one(&two, "b").await;
    assert_eq!(second.attempt, 2);
    assert_eq!(finish(&one, "a", &held, done()).await, None);
    assert_eq!(finish(&two, "b", &held, done()).await, None);
    assert_eq!(finish(&two, "b", &second, done()).await, Some(State::Succeeded));
    assert_eq!(finish(&one, "a", &held, done()).await, None);
    assert_eq!(one.job(None, &id(1)).await.unwrap().unwrap().node.as_deref(), Some("b"));
}

async fn an_ending_told_twice_counts_once(Nodes { one, .. }: Nodes) {
    let endings = [
        (done(), State::Succeeded),
        (Ending::Failed("no such commit".to_owned()), State::Failed),
        (Ending::TimedOut("after 60 s".to_owned()), State::TimedOut),
        (again(Duration::from_hours(1)), State::Queued),
    ];
    for (n, (ending, expect)) in (0..).zip(endings.clone()) {
        bring(&one, noop(n)).await;
        let held = claim_one(&one, "a").await;
        assert_eq!(finish(&one, "a", &held, ending.clone()).await, Some(expect));
        let once = one.job(None, &id(n)).await;
        assert_eq!(finish(&one, "a", &held, ending.clone()).await, Some(expect));
        for (other, _) in endings.iter().filter(|(other, _)| *other != ending) {
            assert_eq!(finish(&one, "a", &held, other.clone()).await, None, "{ending:?}, then {other:?}");
        }
        assert_eq!(one.job(None, &id(n)).await, once);
    }
}

async fn another_attempt_until_none_is_left(Nodes { one, .. }: Nodes) {
    bring(&one, noop(1)).await;
    for expect in [State::Queued, State::Queued, State::Failed] {
        let held = claim_one(&one, "a").await;
        assert_eq!(finish(&one, "a", &held, again(Duration::ZERO)).await, Some(expect));
        assert_eq!(finish(&one, "a", &held, again(Duration::ZERO)).await, Some(expect));
    }
    assert_eq!(claim(&one, "a", 10).await, []);
    let job = one.job(None, &id(1)).await.unwrap().unwrap();
    assert_eq!((job.state, job.attempt, job.reason.as_deref()), (State::Failed, 3, Some("signal 9")));
    assert!(job.finished.is_some());
}

async fn what_is_put_off_is_not_taken(Nodes { one, database, .. }: Nodes) {
    bring(&one, noop(1)).await;
    let held = claim_one(&one, "a").await;
    finish(&one, "a", &held, again(Duration::from_hours(1))).await;
    assert_eq!(claim(&one, "a", 10).await, []);
    let later = "UPDATE jobs SET since = since - 3660000, not_before = not_before - 3660000";
    database.write(move |sql| sql.execute(later, &[])).await.unwrap();
    let claimed = claim(&one, "a", 10).await;
    // Since it could be taken again.
    assert!((60..70).contains(&claimed[0].waited.as_secs()), "{:?}", claimed[0].waited);
}

async fn what_is_given_back_does_not_count(Nodes { one, two, .. }: Nodes) {
    bring(&one, noop(1)).await;
    for _ in 0..5 {
        let held = claim_one(&one, "a").await;
        assert_eq!(finish(&one, "a", &held, Ending::GivenBack).await, Some(State::Queued));
        assert_eq!(finish(&one, "a", &held, Ending::GivenBack).await, Some(State::Queued));
    }
    for (attempt, expect) in [(6, State::Queued), (7, State::Queued), (8, State::Failed)] {
        let held = claim_one(&two, "b").await;
        assert_eq!(held.attempt, attempt);
        assert_eq!(finish(&two, "b", &held, again(Duration::ZERO)).await, Some(expect));
    }
}

/// Takes the one job that waits, for no time.
async fn claim_for_no_time(jobs: &Jobs, node: &str) -> Held {
    super::held(&jobs.claim(node, 10, Duration::ZERO).await.unwrap()[0])
}

fn requeued(n: u64) -> Reaped {
    Reaped { requeued: vec![id(n)], failed: Vec::new() }
}

async fn a_lost_node_gives_everything_back(Nodes { one, two, .. }: Nodes) {
    bring(&one, noop(1)).await;
    let held = claim_for_no_time(&one, "a").await;
    bring(&one, noop(2)).await;
    let kept = claim_one(&one, "a").await;
    assert_eq!(two.reap().await, Ok(requeued(1)));
    assert_eq!(two.reap().await, Ok(Reaped::default()));
    assert_eq!(one.renew("a", vec![held.clone(), kept.clone()], LEASE).await, Ok(vec![held.clone()]));
    assert_eq!(finish(&one, "a", &held, done()).await, None);
    assert_eq!(two.reap_all().await, Ok(requeued(2)));
    assert_eq!(finish(&one, "a", &kept, done()).await, None);
    assert_eq!(claim(&two, "b", 10).await.len(), 2);
}

async fn what_kills_its_daemon_ends_failed(Nodes { one, .. }: Nodes) {
    bring(&one, noop(1)).await;
    for round in 0..3 {
        let held = claim_for_no_time(&one, "a").await;
        let reaped = one.reap().await.unwrap();
        let expect =
            if round == 2 { Reaped { requeued: Vec::new(), failed: vec![id(1)] } } else { requeued(1) };
        assert_eq!(reaped, expect);
        assert_eq!(finish(&one, "a", &held, again(Duration::ZERO)).await, None);
    }
    let job = one.job(None, &id(1)).await.unwrap().unwrap();
    let reason = "the daemon that ran it was lost in the middle of it";
    assert_eq!((job.state, job.attempt, job.reason.as_deref()), (State::Failed, 3, Some(reason)));
}

async fn a_lease_that_is_renewed_is_kept(Nodes { one, two, .. }: Nodes) {
    bring(&one, noop(1)).await;
    let held = claim_for_no_time(&one, "a").await;
    assert_eq!(one.renew("b", vec![held.clone()], LEASE).await, Ok(vec![held.clone()]));
    assert_eq!(one.renew("a", vec![held.clone()], LEASE).await, Ok(vec![]));
    assert_eq!(two.reap().await, Ok(Reaped::default()));
    assert_eq!(finish(&one, "a", &held, done()).await, Some(State::Succeeded));
    assert_eq!(one.renew("a", vec![held.clone()], LEASE).await, Ok(vec![held]));
}

async fn called_off_is_for_good(Nodes { one, two, .. }: Nodes) {
    bring(&one, noop(1)).await;
    assert_eq!(two.cancel(Some("other"), &id(1)).await, Ok(None));
    assert_eq!(two.cancel(None, &id(2)).await, Ok(None));
    let held = claim_for_no_time(&one, "a").await;
    bring(&one, noop(2)).await;
    assert_eq!(two.cancel(Some("acme"), &id(1)).await, Ok(Some(State::Running)));
    assert_eq!(two.cancel(None, &id(2)).await, Ok(Some(State::Queued)));
    assert_eq!(one.cancel(None, &id(1)).await, Ok(Some(State::Cancelled)));
    let off = one.job(None, &id(1)).await;
    assert_eq!(one.reap_all().await, Ok(Reaped::default()));
    for ending in
        [done(), again(Duration::ZERO), Ending::Failed("it was called off".to_owned()), Ending::GivenBack]
    {
        assert_eq!(finish(&one, "a", &held, ending).await, None);
    }
    assert_eq!(one.renew("a", vec![held.clone()], LEASE).await, Ok(vec![held]));
    assert_eq!(claim(&one, "a", 10).await, []);
    assert_eq!(one.job(None, &id(1)).await, off);
    let off = off.unwrap().unwrap();
    assert_eq!((off.state, off.reason.as_deref()), (State::Cancelled, Some("it was called off")));
    assert!(off.finished.is_some());
    bring(&one, noop(3)).await;
    let held = claim_one(&one, "a").await;
    finish(&one, "a", &held, done()).await;
    assert_eq!(one.cancel(None, &id(3)).await, Ok(Some(State::Succeeded)));
    assert_eq!(state(&one, 3).await, Some(State::Succeeded));
}

async fn all_endings_of_one_call(Nodes { one, .. }: Nodes) {
    for n in 0..4 {
        bring(&one, noop(n)).await;
    }
    let claimed = claim(&one, "a", 3).await;
    let mut ended: Vec<_> = claimed.iter().map(|one| (super::held(one), done())).collect();
    ended[1].1 = Ending::Failed("no".to_owned());
    ended.push((Held { id: id(3), attempt: 1 }, done()));
    let expect = [Some(State::Succeeded), Some(State::Failed), Some(State::Succeeded), None];
    assert_eq!(one.finish("a", ended).await.unwrap(), expect);
    assert_eq!(one.finish("a", Vec::new()).await.unwrap(), []);
}
