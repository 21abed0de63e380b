//! What is left on disk, and what is said, when things go wrong around a database.

use std::{
    io::{BufRead, BufReader, Read},
    os::unix::fs::PermissionsExt,
    process::{Command, Stdio},
};

use rusqlite::Connection;

use super::*;

const CHILD: &str = "SCRUM_TEST_DATABASE";

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// Adds a table to play with; threads and messages have rules of their own.
async fn with_numbers(database: &Database) {
    database.write(|sql| sql.execute("CREATE TABLE IF NOT EXISTS numbers (n INTEGER)", &[])).await.unwrap();
}

async fn add(database: &Database, n: i64) -> Result<(), DatabaseError> {
    database.write(move |sql| sql.execute("INSERT INTO numbers VALUES (?1)", values![n]).map(|_| ())).await
}

async fn numbers(database: &Database) -> Vec<i64> {
    let look = |sql: &mut dyn Sql| {
        sql.query("SELECT n FROM numbers ORDER BY n", &[])?.iter().map(|row| row.get(0)).collect()
    };
    database.read(look).await.unwrap()
}

fn problem(opened: Result<Database, DatabaseError>) -> Problem {
    opened.err().map(|error| error.problem).unwrap()
}

#[tokio::test]
async fn a_new_file_is_its_owners_and_every_connection_is_set() {
    let folder = folder();
    let path = folder.path().join("deep/er/scrum.db");
    let database = Database::open(&path).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    let settings = |sql: &mut dyn Sql| {
        let journal: String = sql.query("PRAGMA journal_mode", &[])?[0].get(0)?;
        let numbers =
            ["PRAGMA synchronous", "PRAGMA foreign_keys", "PRAGMA busy_timeout", "PRAGMA user_version"];
        let numbers = numbers.map(|name| sql.query(name, &[])?[0].get(0));
        Ok((journal, numbers.into_iter().collect::<Result<Vec<i64>, _>>()?))
    };
    let written = database.write(settings).await.unwrap();
    assert_eq!(written, ("wal".to_owned(), vec![2, 1, 5000, 5]));
    assert_eq!(database.read(settings).await.unwrap(), written);
    // Earlier ones may damage a file that two connections write to.
    assert!(rusqlite::version_number() >= 3_051_003);
    let refused = database.read(|sql| sql.execute("DELETE FROM threads", &[])).await.unwrap_err();
    assert!(matches!(refused.problem, Problem::ReadOnly(_)), "{refused}");
    drop(database);
    assert!(!folder.path().join("deep/er/scrum.db-wal").exists(), "the log is folded in");
}

#[tokio::test]
async fn what_waits_shares_a_commit_and_fails_alone() {
    let folder = folder();
    let database = Database::open(&folder.path().join("scrum.db")).unwrap();
    with_numbers(&database).await;
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let first = database.write(move |_| {
        let _ = wait.recv();
        Ok(())
    });
    let fails = database.write(|sql| {
        sql.execute("INSERT INTO numbers VALUES (100)", &[])?;
        sql.execute("INSERT INTO nowhere VALUES (1)", &[]).map(|_| ())
    });
    let panics = database.write(|sql| {
        sql.execute("INSERT INTO numbers VALUES (200)", &[])?;
        panic!("as a job may")
    });
    let let_go = async move {
        go.send(()).unwrap();
    };
    let (first, second, fails, panics, third, ()) =
        tokio::join!(first, add(&database, 1), fails, panics, add(&database, 2), let_go);
    let told = [first, second, fails, panics, third].map(|result: Result<(), DatabaseError>| result.is_ok());
    assert_eq!(told, [true, true, false, false, true]);
    assert_eq!(numbers(&database).await, [1, 2]);
}

#[tokio::test]
async fn work_that_costs_the_transaction_costs_nobody_else_anything() {
    let folder = folder();
    let database = Database::open(&folder.path().join("scrum.db")).unwrap();
    with_numbers(&database).await;
    let full = database.write(|sql| {
        // As a full disk would: everything since BEGIN is gone.
        sql.execute("INSERT INTO numbers VALUES (100)", &[])?;
        sql.execute("ROLLBACK", &[])?;
        sql.execute("INSERT INTO nowhere VALUES (1)", &[]).map(|_| ())
    });
    let (before, full, next) = tokio::join!(add(&database, 1), full, add(&database, 2));
    assert_eq!([before.is_ok(), full.is_ok(), next.is_ok()], [true, false, true]);
    assert_eq!(numbers(&database).await, [1, 2]);
}

#[tokio::test]
async fn a_full_disk_is_said_and_costs_nothing_that_was_there() {
    let folder = folder();
    let database = Database::open(&folder.path().join("scrum.db")).unwrap();
    with_numbers(&database).await;
    add(&database, 1).await.unwrap();
    // Less than there are means no more than there are.
    database.write(|sql| sql.query("PRAGMA max_page_count = 1", &[])).await.unwrap();
    let large =
        database.write(|sql| sql.execute("CREATE TABLE large AS SELECT randomblob(100000) AS bytes", &[]));
    let error = large.await.unwrap_err();
    assert_eq!(error.problem, Problem::Full);
    assert_eq!(error.to_string(), format!("{}: the disk is full", database.address()));
    assert_eq!(numbers(&database).await, [1]);
}

#[tokio::test]
async fn one_daemon_at_a_time_and_others_for_a_short_while() {
    let folder = folder();
    let path = folder.path().join("scrum.db");
    let daemon = Database::open_for_daemon(&path).unwrap();
    with_numbers(&daemon).await;
    assert_eq!(problem(Database::open_for_daemon(&path)), Problem::InUse);
    let beside = Database::open(&path).unwrap();
    add(&beside, 1).await.unwrap();
    assert_eq!(numbers(&daemon).await, [1]);
    drop(daemon);
    drop(Database::open_for_daemon(&path).unwrap());
    assert_eq!(numbers(&beside).await, [1]);
}

#[tokio::test]
async fn a_copy_is_made_beside_a_daemon_and_takes_nobodys_place() {
    let folder = folder();
    let (path, to) = (folder.path().join("scrum.db"), folder.path().join("copy.db"));
    assert!(Database::copy(&path, &to).is_err() && !to.exists(), "there is nothing to copy");
    let daemon = Database::open_for_daemon(&path).unwrap();
    with_numbers(&daemon).await;
    add(&daemon, 1).await.unwrap();
    Database::copy(&path, &to).unwrap();
    add(&daemon, 2).await.unwrap();
    assert_eq!(std::fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o600);
    let copy = Database::open_for_daemon(&to).unwrap();
    assert_eq!(numbers(&copy).await, [1]);
    let error = Database::copy(&path, &to).unwrap_err();
    assert_eq!(error.problem, Problem::Exists);
    assert_eq!(numbers(&copy).await, [1]);
}

#[test]
fn many_may_make_it_at_once() {
    for _ in 0..20 {
        many_make_it(&folder().path().join("scrum.db"));
    }
}

fn many_make_it(path: &Path) {
    let start = std::sync::Barrier::new(8);
    std::thread::scope(|scope| {
        let open = || {
            start.wait();
            Database::open(path).map(drop)
        };
        let opened: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
        for one in opened {
            one.join().unwrap().unwrap();
        }
    });
}

#[test]
fn files_that_are_none_of_ours() {
    let folder = folder();
    let check = |make: &dyn Fn(&Path), expect: &str| {
        let path = folder.path().join("scrum.db");
        let _ = std::fs::remove_file(&path);
        make(&path);
        let before = std::fs::read(&path).ok();
        let error = Database::open(&path).err().unwrap().to_string();
        assert_eq!(error.replace(&path.display().to_string(), "FILE"), expect);
        assert_eq!(std::fs::read(&path).ok(), before, "it is left as it was");
    };
    let with =
        |sql: &'static str| move |path: &Path| Connection::open(path).unwrap().execute_batch(sql).unwrap();
    check(&with("CREATE TABLE other (a)"), "FILE: it is a database of another program");
    check(
        &with("PRAGMA application_id = 1935897197; PRAGMA user_version = 99"),
        "FILE: a newer scrum wrote it: its schema is 99, this scrum knows up to 5",
    );
    check(
        &|path| {
            std::fs::write(path, "no database, but a text that is long enough to look at. ".repeat(20))
                .unwrap();
        },
        "FILE: it is damaged or no database: file is not a database",
    );
    let missing = Database::open(&folder.path().join("file/scrum.db"));
    assert!(missing.is_ok(), "folders are made");
    std::fs::write(folder.path().join("plain"), "").unwrap();
    let below = problem(Database::open(&folder.path().join("plain/scrum.db")));
    assert!(matches!(below, Problem::Unreachable(_)), "{below}");
    let itself = problem(Database::open(folder.path()));
    assert!(matches!(itself, Problem::Unreachable(_)), "{itself}");
}

#[tokio::test]
async fn a_lock_that_is_not_given_back_is_said_and_later_work_goes_on() {
    let folder = folder();
    let path = folder.path().join("scrum.db");
    let database = Database::open(&path).unwrap();
    with_numbers(&database).await;
    database.write(|sql| sql.query("PRAGMA busy_timeout = 1", &[])).await.unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(add(&database, 1).await.unwrap_err().problem, Problem::Locked);
    assert_eq!(numbers(&database).await, [] as [i64; 0]);
    other.execute_batch("ROLLBACK").unwrap();
    add(&database, 2).await.unwrap();
    assert_eq!(numbers(&database).await, [2]);
}

/// Kills this very program while it writes, and counts what it was told is kept.
#[tokio::test]
async fn what_was_answered_outlives_a_kill() {
    let folder = folder();
    let path = folder.path().join("scrum.db");
    for round in 0..3 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "store::database::tests::writes_until_it_is_killed",
                "--ignored",
                "--nocapture",
            ])
            .env(CHILD, &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut told = Vec::new();
        while told.len() < 100 + 37 * round {
            let mut line = String::new();
            assert_ne!(lines.read_line(&mut line).unwrap(), 0, "it ended by itself");
            told.extend(line.strip_prefix("kept ").and_then(|n| n.trim().parse::<i64>().ok()));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let mut rest = String::new();
        lines.read_to_string(&mut rest).unwrap();
        let whole = rest.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        told.extend(whole.filter_map(|line| line.strip_prefix("kept ")?.trim().parse::<i64>().ok()));
        let database = Database::open_for_daemon(&path).unwrap();
        let found = numbers(&database).await;
        let missing: Vec<_> = told.iter().filter(|n| found.binary_search(n).is_err()).collect();
        assert_eq!(missing, [] as [&i64; 0]);
        // Each job adds a number and its negative.
        let halves = found.iter().filter(|n| found.binary_search(&-**n).is_err()).count();
        assert_eq!(halves, 0);
        let sound = database.read(|sql| sql.query("PRAGMA integrity_check", &[])?[0].get::<String>(0)).await;
        assert_eq!(sound, Ok("ok".to_owned()));
    }
}

#[tokio::test]
#[ignore = "the test above runs it and kills it"]
#[expect(clippy::print_stdout, reason = "it tells the test above")]
async fn writes_until_it_is_killed() {
    let Some(path) = std::env::var_os(CHILD) else { return };
    let database = Database::open_for_daemon(Path::new(&path)).unwrap();
    with_numbers(&database).await;
    let start = numbers(&database).await.last().copied().unwrap_or_default() + 1;
    let one = |n: i64| {
        let database = &database;
        async move {
            let pair = move |sql: &mut dyn Sql| {
                sql.execute("INSERT INTO numbers VALUES (?1)", values![n])?;
                sql.execute("INSERT INTO numbers VALUES (-?1)", values![n]).map(|_| ())
            };
            database.write(pair).await.unwrap();
            println!("kept {n}");
        }
    };
    for first in (start..).step_by(8) {
        futures_util::future::join_all((first..first + 8).map(one)).await;
    }
}
