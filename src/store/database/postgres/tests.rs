//! What is left on a server, and what is said, when things go wrong around it.

use std::time::Duration;

use postgres::{Client, NoTls};

use super::super::{
    Database, Note, Problem, Server, Sql,
    testing::{joined, server},
    values,
};

/// Does something beside the database, in a schema.
fn beside(address: &str, act: impl FnOnce(&mut Client) + Send) {
    std::thread::scope(|scope| {
        scope.spawn(|| act(&mut Client::connect(address, NoTls).unwrap())).join().unwrap();
    });
}

fn join(address: &str) -> Database {
    Database::join(&Server::parse(address).unwrap()).unwrap()
}

async fn with_numbers(database: &Database) {
    let make = "CREATE TABLE IF NOT EXISTS numbers (n BIGINT UNIQUE)";
    database.write(move |sql| sql.execute(make, &[])).await.unwrap();
}

async fn add(database: &Database, n: i64) -> Result<u64, Problem> {
    let insert = move |sql: &mut dyn Sql| sql.execute("INSERT INTO numbers VALUES (?1)", values![n]);
    database.write(insert).await.map_err(|error| error.problem)
}

async fn numbers(database: &Database) -> Vec<i64> {
    let look = |sql: &mut dyn Sql| {
        sql.query("SELECT n FROM numbers ORDER BY n", &[])?.iter().map(|row| row.get(0)).collect()
    };
    database.read(look).await.unwrap()
}

/// Cuts every connection of ours but the one it is called through.
const CUT: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                   WHERE application_name = 'scrum' AND pid <> pg_backend_pid()";

#[tokio::test]
async fn the_clock_is_the_servers_and_stands_still_within_a_transaction() {
    let Some(database) = joined() else { return };
    let moments = |sql: &mut dyn Sql| {
        let before = sql.now()?;
        let there: i64 = sql
            .query("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)", &[])?[0]
            .get(0)?;
        Ok((before, there, sql.now()?))
    };
    for (before, there, after) in
        [database.write(moments).await.unwrap(), database.read(moments).await.unwrap()]
    {
        assert_eq!(before, after);
        assert!((0..5_000).contains(&(there - before)), "{before} {there}");
    }
}

#[tokio::test]
async fn what_fails_keeps_nothing_and_costs_nobody_else() {
    let Some(database) = joined() else { return };
    with_numbers(&database).await;
    add(&database, 1).await.unwrap();
    let added = futures_util::future::join_all([2, 1, 3, 1, 4].map(|n| add(&database, n))).await;
    assert_eq!(added.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true, false, true]);
    // The server would take the commit of a broken transaction for its end, and call that a success.
    let swallowed = database.write(|sql| {
        let _ = sql.execute("INSERT INTO numbers VALUES (?1)", values![1_i64]);
        Ok(())
    });
    assert!(swallowed.await.is_err());
    assert_eq!(numbers(&database).await, [1, 2, 3, 4]);
}

#[tokio::test]
async fn cut_connections_are_made_anew() {
    let Some(own) = server::Own::start() else { return };
    let address = own.address();
    let database = join(&address);
    with_numbers(&database).await;
    for n in 0..3 {
        beside(&address, |client| client.batch_execute(CUT).unwrap());
        assert_eq!(add(&database, n).await, Ok(1));
        beside(&address, |client| client.batch_execute(CUT).unwrap());
        assert_eq!(numbers(&database).await, (0..=n).collect::<Vec<_>>());
    }
    // Cut in the middle of its work.
    let work = |sql: &mut dyn Sql| {
        sql.execute("INSERT INTO numbers VALUES (?1)", values![100_i64])?;
        let tried = sql.query("SELECT count(*) FROM numbers_tried", &[])?[0].get::<i64>(0)?;
        if tried == 0 {
            sql.query("SELECT 1 FROM pg_terminate_backend(pg_backend_pid()), pg_sleep(1)", &[])?;
        }
        Ok(())
    };
    beside(&address, |client| client.batch_execute("CREATE TABLE numbers_tried (n BIGINT)").unwrap());
    let (done, ()) = tokio::join!(database.write(work), async {
        beside(&address, |client| client.batch_execute("INSERT INTO numbers_tried VALUES (1)").unwrap());
    });
    done.unwrap();
    assert_eq!(numbers(&database).await, [0, 1, 2, 100]);
}

/// What is answered for is there, and what is there twice would break the rule of the table.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_stopped_and_started_loses_nothing() {
    let Some(own) = server::Own::start() else { return };
    let database = join(&own.address());
    with_numbers(&database).await;
    let writing = |first: i64| {
        let database = database.clone();
        async move {
            for n in first..first + 400 {
                assert_eq!(add(&database, n).await, Ok(1), "{n}");
            }
        }
    };
    let crashing = async {
        for _ in 0..2 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            tokio::task::block_in_place(|| {
                own.crash();
                own.start_again();
            });
        }
    };
    let writers = futures_util::future::join_all((0..8).map(|one| tokio::spawn(writing(one * 1_000))));
    let (written, ()) = tokio::join!(writers, crashing);
    for one in written {
        one.unwrap();
    }
    assert_eq!(numbers(&database).await.len(), 3_200);
}

#[tokio::test]
async fn the_answer_to_a_commit_that_was_cut_off_is_found_out() {
    let Some(address) = server::address() else { return };
    let database = join(&address);
    with_numbers(&database).await;
    drop(database);
    let check = |is_kept: bool| {
        let address = &address;
        beside(address, |client| {
            use super::{Connection, Postgres};
            let mut one = Postgres::writer(Server::parse(address).unwrap(), uuid::Uuid::now_v7().to_string());
            one.begin().unwrap();
            one.execute("INSERT INTO numbers VALUES (?1)", values![i64::from(is_kept)]).unwrap();
            // As if the cable was pulled before the commit reached the server, or after.
            if is_kept {
                one.open.as_mut().unwrap().simple("COMMIT").unwrap();
            }
            let pid: i32 =
                one.open.as_mut().unwrap().query("SELECT pg_backend_pid()", &[]).unwrap()[0].get(0);
            client.execute("SELECT pg_terminate_backend($1, 5000)", &[&pid]).unwrap();
            let kept = one.commit();
            assert_eq!(kept.is_ok(), is_kept);
            assert!(is_kept || one.try_again(kept.err().unwrap().problem()));
        });
    };
    check(true);
    check(false);
    assert_eq!(numbers(&join(&address)).await, [1]);
}

#[tokio::test]
async fn two_that_stand_in_each_others_way_both_get_through() {
    let Some(address) = server::address() else { return };
    let (one, other) = (join(&address), join(&address));
    with_numbers(&one).await;
    add(&one, 1).await.unwrap();
    add(&one, 2).await.unwrap();
    let cross = |first: i64, second: i64| {
        move |sql: &mut dyn Sql| {
            sql.execute("UPDATE numbers SET n = n WHERE n = ?1", values![first])?;
            sql.query("SELECT 1 FROM pg_sleep(0.3)", &[])?;
            sql.execute("UPDATE numbers SET n = n WHERE n = ?1", values![second])
        }
    };
    let (first, second) = tokio::join!(one.write(cross(1, 2)), other.write(cross(2, 1)));
    assert_eq!((first, second), (Ok(1), Ok(1)));
}

#[tokio::test]
async fn what_is_written_beside_waits_for_nothing_that_others_write() {
    let Some(database) = joined() else { return };
    with_numbers(&database).await;
    let until_there_is_one = |sql: &mut dyn Sql| {
        for _ in 0..1_000 {
            if !sql.query("SELECT n FROM numbers", &[])?.is_empty() {
                return Ok(true);
            }
            sql.query("SELECT 1 FROM pg_sleep(0.01)", &[])?;
        }
        Ok(false)
    };
    let insert = |sql: &mut dyn Sql| sql.execute("INSERT INTO numbers VALUES (1)", &[]);
    let (found, added) = tokio::join!(database.write(until_there_is_one), database.write_beside(insert));
    assert_eq!((found, added), (Ok(true), Ok(1)));
}

#[tokio::test]
async fn nodes_hear_one_another() {
    let Some(address) = server::address() else { return };
    let (one, other) = (join(&address), join(&address));
    let (mut here, mut there) = (one.notes(), other.notes());
    // That it listens.
    assert_eq!(there.recv().await, Ok(Note::Missed));
    let id = crate::job::JobId::parse("01970000-0000-7000-8000-000000000000").unwrap();
    let told = [Note::Ready, Note::CalledOff(id.clone()), Note::Changed(id)];
    let tell = told.clone();
    one.write(move |sql| {
        for note in &tell {
            sql.note(note.clone());
        }
        Ok(())
    })
    .await
    .unwrap();
    for note in told {
        assert_eq!(there.recv().await, Ok(note.clone()));
        while here.recv().await != Ok(note.clone()) {}
    }
}

#[tokio::test]
async fn schemas_that_are_none_of_ours() {
    let Some(address) = server::address() else { return };
    let parsed = Server::parse(&address).unwrap();
    let problem = || Database::join(&parsed).err().map(|error| error.problem);
    beside(&address, |client| client.batch_execute("CREATE TABLE theirs (n BIGINT)").unwrap());
    assert_eq!(problem(), Some(Problem::Foreign));
    beside(&address, |client| client.batch_execute("DROP TABLE theirs").unwrap());
    std::thread::scope(|scope| {
        let opened: Vec<_> = (0..8).map(|_| scope.spawn(problem)).collect();
        assert!(opened.into_iter().all(|one| one.join().unwrap().is_none()));
    });
    beside(&address, |client| client.batch_execute("UPDATE scrum_schema SET version = 99").unwrap());
    assert!(matches!(problem(), Some(Problem::Newer { found: 99, .. })));
}

#[test]
fn a_password_is_never_shown() {
    let check = |address: &str| {
        let shown = match Server::parse(address) {
            Ok(server) => {
                let error =
                    std::thread::spawn(move || Database::join(&server).err().unwrap()).join().unwrap();
                format!("{error} {error:?}")
            }
            Err(problem) => format!("{problem} {problem:?}"),
        };
        assert!(!shown.contains("hunter2"), "{shown}");
    };
    check("postgres://scrum:hunter2@127.0.0.1:1/scrum?connect_timeout=1");
    check("postgres://scrum:hunter2@/scrum?host=/nowhere");
    check("postgres://scrum:a?hunter2=b@127.0.0.1:1/scrum");
    check("postgres://scrum:a@hunter2@127.0.0.1:1/scrum");
    check("postgres://scrum:a/hunter2@127.0.0.1:1/scrum");
    check("mysql://scrum:hunter2@127.0.0.1/scrum");
}
