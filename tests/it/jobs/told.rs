//! What jobs leave behind: events, files, notes; and that all of it goes in the end.

use std::collections::BTreeSet;

use scrum::{
    job::State,
    store::{database::Note, jobs::Held},
};

use super::{Nodes, again, against_each_engine, bring, claim_one, done, finish, id, noop};

against_each_engine!(
    events_stand_in_order_without_gaps,
    files_are_for_the_next_attempt,
    what_is_over_goes_with_all_that_is_its,
    who_waits_is_told,
);

async fn events_stand_in_order_without_gaps(Nodes { one, two, .. }: Nodes) {
    bring(&one, noop(1)).await;
    let tell = async |node: &str, held: &Held, events: &[&str]| {
        one.tell(node, held.clone(), events.iter().map(|&event| event.to_owned()).collect()).await.unwrap()
    };
    let first = claim_one(&one, "a").await;
    assert!(tell("a", &first, &["{}", "{\"n\":2}"]).await);
    assert!(tell("a", &first, &[]).await);
    assert!(!tell("b", &first, &["no"]).await);
    finish(&one, "a", &first, again(std::time::Duration::ZERO)).await;
    assert!(!tell("a", &first, &["no"]).await);
    let second = claim_one(&one, "b").await;
    assert!(!tell("b", &first, &["no"]).await);
    assert!(tell("b", &second, &["{\"n\":3}"]).await);
    one.cancel(None, &id(1)).await.unwrap();
    assert!(!tell("b", &second, &["no"]).await);
    let check = async |after, most, expect: &[(u64, u32, &str)]| {
        let events = two.events(&id(1), after, most).await.unwrap();
        let found: Vec<_> = events.iter().map(|one| (one.seq, one.attempt, one.data.as_str())).collect();
        assert_eq!(found, expect);
    };
    let all = [(1, 1, "{}"), (2, 1, "{\"n\":2}"), (3, 2, "{\"n\":3}")];
    check(0, 100, &all).await;
    check(1, 1, &all[1..2]).await;
    check(3, 100, &[]).await;
    assert_eq!(two.events(&id(2), 0, 100).await, Ok(vec![]));
}

async fn files_are_for_the_next_attempt(Nodes { one, two, .. }: Nodes) {
    bring(&one, noop(1)).await;
    let first = claim_one(&one, "a").await;
    let file = |name: &str, bytes: &[u8]| (name.to_owned(), bytes.to_vec());
    let files = vec![file("run.json", b"{}"), file("replies/c1__opus.md", b"BLOCK\0\xff")];
    assert_eq!(one.keep("a", first.clone(), files).await, Ok(true));
    assert_eq!(
        one.keep("a", first.clone(), vec![file("run.json", b"{\"n\":1}"), file("e", b"")]).await,
        Ok(true)
    );
    assert_eq!(one.keep("b", first.clone(), vec![file("run.json", b"no")]).await, Ok(false));
    finish(&one, "a", &first, again(std::time::Duration::ZERO)).await;
    assert_eq!(one.keep("a", first, vec![file("run.json", b"no")]).await, Ok(false));
    let all =
        [("e", 0), ("replies/c1__opus.md", 7), ("run.json", 7)].map(|(name, size)| (name.to_owned(), size));
    assert_eq!(two.files(&id(1)).await, Ok(all.to_vec()));
    assert_eq!(two.file(&id(1), "run.json").await, Ok(Some(b"{\"n\":1}".to_vec())));
    assert_eq!(two.file(&id(1), "replies/c1__opus.md").await, Ok(Some(b"BLOCK\0\xff".to_vec())));
    assert_eq!(two.file(&id(1), "other").await, Ok(None));
    assert_eq!(two.file(&id(2), "run.json").await, Ok(None));
}

async fn what_is_over_goes_with_all_that_is_its(Nodes { one, two, database, .. }: Nodes) {
    for n in 1..=4 {
        bring(&one, noop(n)).await;
        let held = claim_one(&one, "a").await;
        assert_eq!(one.tell("a", held.clone(), vec!["{}".to_owned()]).await, Ok(true));
        assert_eq!(one.keep("a", held.clone(), vec![("f".to_owned(), vec![1])]).await, Ok(true));
        if n < 4 {
            assert_eq!(finish(&one, "a", &held, done()).await, Some(State::Succeeded));
        }
    }
    bring(&one, noop(5)).await;
    let moment = one.job(None, &id(3)).await.unwrap().unwrap().finished.unwrap();
    let before = "UPDATE jobs SET finished = finished - 1000 WHERE id < ?1";
    let third = scrum::store::database::Value::Text(id(3).to_string());
    database.write(move |sql| sql.execute(before, std::slice::from_ref(&third))).await.unwrap();
    assert_eq!(two.prune(moment, 1).await, Ok(1));
    assert_eq!(two.prune(moment, 100).await, Ok(1));
    assert_eq!(two.prune(moment, 100).await, Ok(0));
    let rest = "SELECT (SELECT count(*) FROM jobs), (SELECT count(*) FROM job_events), (SELECT count(*) FROM job_files)";
    let rest = database
        .read(move |sql| {
            let rows = sql.query(rest, &[])?;
            Ok([rows[0].get::<u64>(0)?, rows[0].get(1)?, rows[0].get(2)?])
        })
        .await;
    assert_eq!(rest, Ok([3, 2, 2]));
}

async fn who_waits_is_told(Nodes { one, database, .. }: Nodes) {
    let mut notes = database.notes();
    let mut told = || {
        let mut told = BTreeSet::new();
        while let Ok(note) = notes.try_recv() {
            told.insert(note);
        }
        told
    };
    let (changed, off) = (Note::Changed(id(1)), Note::CalledOff(id(1)));
    bring(&one, noop(1)).await;
    assert_eq!(told(), BTreeSet::from([Note::Ready]));
    let held = claim_one(&one, "a").await;
    assert_eq!(told(), BTreeSet::from([changed.clone()]));
    one.tell("a", held.clone(), vec!["{}".to_owned()]).await.unwrap();
    assert_eq!(told(), BTreeSet::from([changed.clone()]));
    finish(&one, "a", &held, again(std::time::Duration::ZERO)).await;
    assert_eq!(told(), BTreeSet::from([Note::Ready, changed.clone()]));
    finish(&one, "a", &held, done()).await;
    assert_eq!(told(), BTreeSet::new());
    one.cancel(None, &id(1)).await.unwrap();
    assert_eq!(told(), BTreeSet::from([changed, off]));
    one.cancel(None, &id(1)).await.unwrap();
    assert_eq!(told(), BTreeSet::new());
}
