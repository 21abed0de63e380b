//! Whose turn it is, and that nobody has it twice.

use futures_util::future::join_all;
use scrum::job::Priority::{High, Low, Normal};

use super::{Nodes, again, against_each_engine, bring, claim, finish, held, noop, numbers, of, urgent};

against_each_engine!(
    urgent_ones_first_then_as_they_came,
    tenants_take_turns,
    nobody_takes_what_another_took,
    the_clock_goes_backwards,
);

async fn urgent_ones_first_then_as_they_came(Nodes { one, two, .. }: Nodes) {
    for (n, priority) in [(1, Low), (2, Normal), (3, Low), (4, High), (5, Normal), (6, High)] {
        bring(&one, urgent(priority, noop(n))).await;
    }
    assert_eq!(claim(&one, "a", 0).await, []);
    assert_eq!(numbers(&claim(&one, "a", 3).await), [4, 6, 2]);
    assert_eq!(numbers(&claim(&two, "b", 10).await), [5, 1, 3]);
}

async fn tenants_take_turns(Nodes { one, .. }: Nodes) {
    for n in 0..100 {
        bring(&one, urgent(High, of("greedy", noop(n)))).await;
    }
    assert_eq!(numbers(&claim(&one, "a", 2).await), [0, 1]);
    bring(&one, urgent(Low, of("modest", noop(200)))).await;
    bring(&one, urgent(Low, of("modest", noop(201)))).await;
    let mut next = Vec::new();
    for _ in 0..4 {
        next.extend(numbers(&claim(&one, "a", 1).await));
    }
    next.sort_unstable();
    assert_eq!(next, [2, 3, 200, 201]);
}

/// Ten workers on two nodes, 300 jobs.
async fn nobody_takes_what_another_took(Nodes { one, two, .. }: Nodes) {
    for n in 0..300 {
        bring(&one, of(&format!("t{}", n % 7), noop(n))).await;
    }
    let workers = (0..10).map(|worker| {
        let jobs = if worker % 2 == 0 { one.clone() } else { two.clone() };
        tokio::spawn(async move {
            let mut taken = Vec::new();
            while taken.len() < 30 {
                let most = 7.min(30 - taken.len());
                taken.extend(numbers(
                    &claim(&jobs, &format!("n{worker}"), u32::try_from(most).unwrap()).await,
                ));
            }
            taken
        })
    });
    let mut taken: Vec<_> = join_all(workers).await.into_iter().flat_map(Result::unwrap).collect();
    taken.sort_unstable();
    assert_eq!(taken, (0..300).collect::<Vec<_>>());
    assert_eq!(one.counts().await.unwrap().running, 300);
}

/// By an hour, after two jobs came, and one of them was put off for a minute.
async fn the_clock_goes_backwards(Nodes { one, database, .. }: Nodes) {
    bring(&one, noop(1)).await;
    bring(&one, noop(2)).await;
    let first = claim(&one, "a", 1).await;
    finish(&one, "a", &held(&first[0]), again(std::time::Duration::from_mins(1))).await;
    let hour = "UPDATE jobs SET place = place + 3600000, created = created + 3600000, since = since + 3600000, \
                not_before = not_before + 3600000, started = started + 3600000";
    database.write(move |sql| sql.execute(hour, &[])).await.unwrap();
    bring(&one, noop(3)).await;
    let claimed = claim(&one, "a", 10).await;
    assert_eq!(numbers(&claimed), [1, 2, 3]);
    assert!(claimed.iter().all(|one| one.waited < std::time::Duration::from_mins(1)));
}
