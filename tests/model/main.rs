//! Flights under every order of steps that their threads can take.
//!
//! The very files of `src/coalesce` are compiled once more here, with loom's `Mutex` in place of std's. Loom runs each test for
//! every order in which the threads can get the locks (with at most [`PREEMPTIONS`] that are not forced), and fails when one
//! waits for ever. All that flights share lies behind those locks, the wakers too, so nothing escapes it. Time stands still:
//! tokio's timers are there but never fire.

#![expect(clippy::unwrap_used, reason = "tests fail where something is missing")]

// As `src/coalesce/mod.rs`, with the other `Mutex`.
#[path = "../../src/coalesce/counts.rs"]
#[expect(unreachable_pub, dead_code, reason = "the program uses the rest")]
mod counts;
#[path = "../../src/coalesce/flight.rs"]
#[expect(unreachable_pub, dead_code, reason = "the program uses the rest")]
mod flight;
#[path = "../../src/coalesce/log.rs"]
#[expect(unreachable_pub, dead_code, reason = "the program uses the rest")]
mod log;
#[path = "../../src/coalesce/shelf.rs"]
mod shelf;
#[path = "../../src/coalesce/task.rs"]
mod task;

use std::{
    future::{Ready, pending, ready},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, future::join, stream};
use http::{HeaderMap, Response};
use loom::{
    future::block_on,
    sync::{Mutex, MutexGuard},
    thread::{self, JoinHandle},
};
use scrum::{
    coalesce::{Key, Limits, Request, ShelfLimits, Skip, Switches},
    retry_after,
};

use counts::{Counts, Role, Usage};
use flight::{Board, Pilot, Reader};
use log::Broken;
use task::fly;

/// Times a thread is made to wait although it could go on, in one order of steps.
const PREEMPTIONS: usize = 2;

/// Runs `test` in every order.
fn model(test: impl Fn() + Sync + Send + 'static) {
    // The timers of `task` want a runtime, though nobody drives it.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _here = runtime.enter();
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(PREEMPTIONS);
    builder.check(test);
}

fn board(limits: Limits) -> Arc<Board> {
    Arc::new(Board::new(limits))
}

fn no_shelf() -> Limits {
    let usual = Limits::default();
    Limits { shelf: ShelfLimits { age: Duration::ZERO, ..usual.shelf }, ..usual }
}

/// Room for one chunk.
fn narrow() -> Limits {
    Limits { flight_bytes: 1, ..no_shelf() }
}

fn key() -> Key {
    let switches = Switches { coalesce: true, streams: true };
    let request = Request {
        credential: b"",
        tenant: "",
        provider: "",
        route: "",
        headers: &HeaderMap::new(),
        body: b"{}",
    };
    request.key(switches).unwrap()
}

type Chunks = stream::Iter<std::vec::IntoIter<Result<Bytes, &'static str>>>;

/// A call that brings these chunks at once.
fn answer(chunks: &[&'static str]) -> Ready<Result<Response<Chunks>, &'static str>> {
    let chunks: Vec<_> = chunks.iter().map(|chunk| Ok(Bytes::from_static(chunk.as_bytes()))).collect();
    ready(Ok(Response::new(stream::iter(chunks))))
}

/// Flies with `call` in a thread of its own.
fn take_off<S>(
    pilot: Pilot,
    call: impl Future<Output = Result<Response<S>, &'static str>> + 'static,
) -> JoinHandle<()>
where
    S: Stream<Item = Result<Bytes, &'static str>> + 'static,
{
    let Limits { age, stall, .. } = Limits::default();
    thread::spawn(move || block_on(fly(pilot, age, stall, call)))
}

/// What a reader gets: the chunks, and how it ends.
async fn read(mut reader: Reader) -> (String, Result<(), Broken>) {
    let mut text = String::new();
    while let Some(chunk) = reader.next().await {
        match chunk {
            Ok(chunk) => text.push_str(str::from_utf8(&chunk).unwrap()),
            Err(broken) => return (text, Err(broken)),
        }
    }
    (text, Ok(()))
}

fn whole(chunks: &[&str]) -> (String, Result<(), Broken>) {
    (chunks.concat(), Ok(()))
}

/// Asks for `chunks`, reads all, and waits for the flight's thread where this began one.
fn ask_and_read(board: &Arc<Board>, chunks: &'static [&str]) {
    let (_, reader, pilot) = board.join(key());
    let flight = pilot.map(|pilot| take_off(pilot, answer(chunks)));
    assert_eq!(block_on(read(reader)), whole(chunks));
    flight.map(JoinHandle::join).transpose().unwrap();
}

/// Two that ask at the same time.
fn two_ask(limits: Limits, chunks: &'static [&str]) -> Counts {
    let board = board(limits);
    let same = Arc::clone(&board);
    let other = thread::spawn(move || ask_and_read(&same, chunks));
    ask_and_read(&board, chunks);
    other.join().unwrap();
    nothing_is_left(&board);
    board.counts()
}

fn nothing_is_left(board: &Board) {
    let usage = board.usage();
    assert_eq!((usage.flights, usage.flight_bytes), (0, 0));
}

#[test]
fn two_that_meet_make_one_call() {
    model(|| {
        let counts = two_ask(Limits::default(), &["all"]);
        assert_eq!((counts.leaders, counts.followers + counts.hits), (1, 1));
    });
}

#[test]
fn a_join_that_meets_the_end_gets_all_of_one_flight_or_another() {
    model(|| assert_eq!(two_ask(no_shelf(), &["all"]).requests(), 2));
}

#[test]
fn a_join_that_meets_the_seal_gets_all_of_one_flight_or_another() {
    model(|| {
        let board = board(narrow());
        let (_, mut leader, pilot) = board.join(key());
        let first = take_off(pilot.unwrap(), answer(&["one ", "two"]));
        // What the leader has, a flight that is sealed may forget.
        assert_eq!(block_on(leader.next()), Some(Ok(Bytes::from("one "))));
        let (_, newcomer, pilot) = board.join(key());
        let expected = if pilot.is_some() { whole(&["own"]) } else { whole(&["one ", "two"]) };
        let second = pilot.map(|pilot| take_off(pilot, answer(&["own"])));
        assert_eq!(block_on(join(read(leader), read(newcomer))), (whole(&["two"]), expected));
        first.join().unwrap();
        second.map(JoinHandle::join).transpose().unwrap();
        nothing_is_left(&board);
    });
}

#[test]
fn a_join_that_meets_the_last_leave_never_gets_the_dying_flight() {
    model(|| {
        let board = board(no_shelf());
        let (_, leader, pilot) = board.join(key());
        let flight = take_off(pilot.unwrap(), answer(&["all"]));
        let other = thread::spawn(move || drop(leader));
        ask_and_read(&board, &["all"]);
        other.join().unwrap();
        flight.join().unwrap();
        nothing_is_left(&board);
    });
}

#[test]
fn writer_and_readers_wait_for_each_other_and_go_on() {
    model(|| {
        let board = board(narrow());
        let (_, leader, pilot) = board.join(key());
        let (_, follower, _) = board.join(key());
        let flight = take_off(pilot.unwrap(), answer(&["one ", "two"]));
        let both = block_on(join(read(leader), read(follower)));
        assert_eq!(both, (whole(&["one ", "two"]), whole(&["one ", "two"])));
        flight.join().unwrap();
        nothing_is_left(&board);
    });
}

#[test]
fn a_reader_that_leaves_makes_room() {
    model(|| {
        let board = board(narrow());
        let (_, mut leader, pilot) = board.join(key());
        let (_, follower, _) = board.join(key());
        let flight = take_off(pilot.unwrap(), answer(&["one ", "two"]));
        assert_eq!(block_on(leader.next()), Some(Ok(Bytes::from("one "))));
        drop(follower);
        assert_eq!(block_on(read(leader)), whole(&["two"]));
        flight.join().unwrap();
        nothing_is_left(&board);
    });
}

#[test]
fn the_last_of_two_that_leave_ends_a_call_that_hangs() {
    model(|| {
        let board = board(Limits::default());
        let (_, leader, pilot) = board.join(key());
        let (_, follower, _) = board.join(key());
        let flight = take_off(pilot.unwrap(), pending::<Result<Response<Chunks>, &str>>());
        let other = thread::spawn(move || drop(follower));
        drop(leader);
        other.join().unwrap();
        flight.join().unwrap();
        nothing_is_left(&board);
    });
}

#[test]
fn who_waits_for_the_head_gets_it_before_the_first_chunk() {
    model(|| {
        let board = board(no_shelf());
        let (_, mut leader, pilot) = board.join(key());
        let never = stream::pending::<Result<Bytes, &str>>();
        let flight = take_off(pilot.unwrap(), ready(Ok(Response::new(never))));
        assert!(block_on(leader.head()).is_ok());
        drop(leader);
        flight.join().unwrap();
        nothing_is_left(&board);
    });
}

#[test]
fn a_task_that_is_gone_leaves_nobody_waiting_and_nothing_to_join() {
    model(|| {
        let board = board(Limits::default());
        let (_, mut leader, pilot) = board.join(key());
        let gone = thread::spawn(move || drop(pilot));
        assert_eq!(block_on(leader.head()), Err(Broken::Lost));
        // Whoever has heard of the end never meets that flight again.
        let (role, ..) = board.join(key());
        assert_eq!(role, Role::Leader);
        gone.join().unwrap();
        nothing_is_left(&board);
    });
}
