//! Flights from the outside: a provider that the test speaks for, listeners that come and go, and paused time.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::{FutureExt, StreamExt, future::join_all, stream};
use http::{HeaderMap, StatusCode, header::RETRY_AFTER};
use tokio::{
    sync::{mpsc, oneshot},
    task::yield_now,
    time::{Instant, advance},
};

use super::*;

const SECOND: Duration = Duration::from_secs(1);
const KEY: Key = Key([7; 32]);

/// The other end of one call. It is closed once the call is dropped.
struct Provider {
    head: Option<oneshot::Sender<Result<Response<()>, String>>>,
    body: Option<mpsc::UnboundedSender<Result<Bytes, String>>>,
}

impl Provider {
    fn answer(&mut self, status: u16, headers: &[(&'static str, &'static str)]) {
        let mut response = Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        self.head.take().unwrap().send(Ok(response.body(()).unwrap())).unwrap();
    }

    fn say(&self, chunk: impl Into<Bytes>) {
        self.body.as_ref().unwrap().send(Ok(chunk.into())).unwrap();
    }

    fn fail(&mut self, words: &str) {
        match self.head.take() {
            Some(head) => head.send(Err(words.to_owned())).unwrap(),
            None => self.body.as_ref().unwrap().send(Err(words.to_owned())).unwrap(),
        }
    }

    fn end(&mut self) {
        self.body = None;
    }

    /// Status 200, these chunks, and the end.
    fn answer_all(&mut self, chunks: &[&'static str]) {
        self.answer(200, &[]);
        for chunk in chunks {
            self.say(*chunk);
        }
        self.end();
    }

    /// Waits until the call is dropped.
    async fn cancelled(&mut self) {
        match &mut self.head {
            Some(head) => head.closed().await,
            None => self.body.as_ref().unwrap().closed().await,
        }
    }
}

/// Asks for `key`; with a provider if that made a call.
fn ask(flights: &Flights, key: Key) -> (Role, Reader, Option<Provider>) {
    let (head, head_out) = oneshot::channel::<Result<Response<()>, String>>();
    let (body, mut body_out) = mpsc::unbounded_channel();
    let call = async move || {
        let head = head_out.await.map_err(|_| "no head".to_owned())??;
        Ok::<_, String>(head.map(|()| stream::poll_fn(move |context| body_out.poll_recv(context))))
    };
    let (role, reader) = flights.ask(key, move || call().boxed());
    let provider = (role == Role::Leader).then_some(Provider { head: Some(head), body: Some(body) });
    (role, reader, provider)
}

fn lead(flights: &Flights, key: Key) -> (Reader, Provider) {
    let (_, reader, provider) = ask(flights, key);
    (reader, provider.expect("nobody leads yet"))
}

fn follow(flights: &Flights, key: Key) -> Reader {
    let (role, reader, _) = ask(flights, key);
    assert_eq!(role, Role::Follower);
    reader
}

fn role(flights: &Flights, key: Key) -> Role {
    ask(flights, key).0
}

/// Everything a reader gets, and how it ends.
async fn all(mut reader: Reader) -> (String, Result<(), Broken>) {
    let mut text = String::new();
    if let Err(broken) = reader.head().await {
        return (text, Err(broken));
    }
    while let Some(chunk) = reader.next().await {
        match chunk {
            Ok(chunk) => text.push_str(str::from_utf8(&chunk).unwrap()),
            Err(broken) => return (text, Err(broken)),
        }
    }
    (text, Ok(()))
}

fn whole(text: &str) -> (String, Result<(), Broken>) {
    (text.to_owned(), Ok(()))
}

/// Lets every task do what it can.
async fn settle() {
    for _ in 0..20 {
        yield_now().await;
    }
}

fn flights() -> Flights {
    Flights::new(Limits::default())
}

#[tokio::test(start_paused = true)]
async fn fifty_at_once_are_one_call() {
    let flights = flights();
    let (leader, mut provider) = lead(&flights, KEY);
    let followers: Vec<Reader> = (0..49).map(|_| follow(&flights, KEY)).collect();
    provider.answer_all(&["one ", "two"]);
    assert_eq!(all(leader).await, whole("one two"));
    assert_eq!(join_all(followers.into_iter().map(all)).await, vec![whole("one two"); 49]);
    assert_eq!(role(&flights, KEY), Role::Cache);
    flights.skip(Skip::Tools);
    let counts = Counts { leaders: 1, followers: 49, hits: 1, skipped: [(Skip::Tools, 1)].into() };
    assert_eq!((flights.counts(), counts.requests()), (counts, 52));
}

#[tokio::test(start_paused = true)]
async fn other_keys_are_other_calls() {
    let flights = flights();
    let (first, mut one) = lead(&flights, KEY);
    let (second, mut two) = lead(&flights, Key([8; 32]));
    two.answer_all(&["two"]);
    assert_eq!(all(second).await, whole("two"));
    one.answer_all(&["one"]);
    assert_eq!(all(first).await, whole("one"));
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_leaves_takes_nothing_along() {
    let flights = flights();
    let (leader, mut provider) = lead(&flights, KEY);
    let follower = follow(&flights, KEY);
    provider.answer(200, &[]);
    provider.say("one ");
    settle().await;
    drop(leader);
    settle().await;
    provider.say("two");
    provider.end();
    assert_eq!(all(follower).await, whole("one two"));
    assert_eq!(flights.counts().leaders, 1);
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_is_never_polled_holds_nobody_up() {
    let flights = flights();
    let (_parked, mut provider) = lead(&flights, KEY);
    let follower = follow(&flights, KEY);
    provider.answer_all(&["all"]);
    assert_eq!(all(follower).await, whole("all"));
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_told_to_all_and_the_next_begins_anew() {
    type Chunks = stream::Iter<std::vec::IntoIter<Result<Bytes, String>>>;
    let flights = flights();
    let at_once = || -> std::future::Ready<Result<Response<Chunks>, String>> { panic!("at once") };
    let (_, leader) = flights.ask(KEY, at_once);
    let follower = follow(&flights, KEY);
    assert_eq!(all(leader).await, (String::new(), Err(Broken::Lost)));
    assert_eq!(all(follower).await, (String::new(), Err(Broken::Lost)));

    let chunks =
        stream::iter(0..2).map(|at| if at == 0 { Ok::<_, String>("one".into()) } else { panic!("later") });
    let (role, leader) = flights.ask(KEY, || std::future::ready(Ok(Response::new(chunks))));
    let follower = follow(&flights, KEY);
    assert_eq!(role, Role::Leader);
    assert_eq!(all(leader).await, ("one".to_owned(), Err(Broken::Lost)));
    assert_eq!(all(follower).await, ("one".to_owned(), Err(Broken::Lost)));

    let (leader, mut provider) = lead(&flights, KEY);
    provider.answer_all(&["well"]);
    assert_eq!(all(leader).await, whole("well"));
}

#[tokio::test(start_paused = true)]
async fn whoever_comes_late_gets_all_from_the_first_byte() {
    let flights = flights();
    let (leader, mut provider) = lead(&flights, KEY);
    provider.answer(200, &[]);
    provider.say("one ");
    provider.say("two");
    settle().await;
    let at_the_last_token = follow(&flights, KEY);
    provider.end();
    assert_eq!(all(at_the_last_token).await, whole("one two"));

    advance(Duration::from_millis(29_999)).await;
    let (role, within, _) = ask(&flights, KEY);
    assert_eq!((role, all(within).await), (Role::Cache, whole("one two")));
    advance(Duration::from_millis(1)).await;
    let (after, mut provider) = lead(&flights, KEY);
    provider.answer_all(&["anew"]);
    assert_eq!(all(after).await, whole("anew"));
    assert_eq!(all(leader).await, whole("one two"));
}

#[tokio::test(start_paused = true)]
async fn the_call_ends_with_its_last_listener() {
    let flights = flights();
    let began = Instant::now();
    for state in ["before the head", "before the first chunk", "mid-stream"] {
        let (leader, mut provider) = lead(&flights, KEY);
        let follower = follow(&flights, KEY);
        if state != "before the head" {
            provider.answer(200, &[]);
        }
        if state == "mid-stream" {
            provider.say("one");
        }
        settle().await;
        drop(leader);
        settle().await;
        assert!(provider.cancelled().now_or_never().is_none(), "{state}: one still listens");
        drop(follower);
        // Whoever comes now, before the dying call's task has even been woken, has no part in it.
        let (mut newcomer, mut another) = lead(&flights, KEY);
        provider.cancelled().await;
        another.fail("no");
        assert_eq!(newcomer.next().await, Some(Err(Broken::Upstream("no".into()))), "{state}");
    }
    assert_eq!(began.elapsed(), Duration::ZERO);
    assert_eq!(flights.counts().leaders, 6);
}

#[tokio::test(start_paused = true)]
async fn a_follower_keeps_its_own_deadline() {
    let flights = flights();
    let (leader, mut provider) = lead(&flights, KEY);
    let mut hurried = follow(&flights, KEY);
    assert!(timeout(SECOND, hurried.head()).await.is_err());
    drop(hurried);
    provider.answer_all(&["late"]);
    assert_eq!(all(leader).await, whole("late"));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_breaks_is_told_as_it_broke_and_never_kept() {
    let flights = flights();
    let broken = Broken::Upstream("connection reset".into());
    let (mut leader, mut provider) = lead(&flights, KEY);
    let mut follower = follow(&flights, KEY);
    provider.fail("connection reset");
    assert_eq!(leader.head().await, Err(broken.clone()));
    assert_eq!(follower.head().await, Err(broken.clone()));

    let (leader, mut provider) = lead(&flights, KEY);
    let follower = follow(&flights, KEY);
    provider.answer(200, &[]);
    provider.say("half");
    provider.fail("connection reset");
    assert_eq!(all(leader).await, ("half".to_owned(), Err(broken.clone())));
    assert_eq!(all(follower).await, ("half".to_owned(), Err(broken)));
    assert_eq!(role(&flights, KEY), Role::Leader);
}

#[tokio::test(start_paused = true)]
async fn how_long_an_answer_is_kept() {
    async fn check(status: u16, headers: &[(&'static str, &'static str)], milliseconds: u64) {
        let flights = flights();
        let (leader, mut provider) = lead(&flights, KEY);
        provider.answer(status, headers);
        provider.end();
        all(leader).await.1.unwrap();
        let mut kept = 0;
        while kept < 60_000 && role(&flights, KEY) == Role::Cache {
            advance(Duration::from_millis(500)).await;
            kept += 500;
        }
        assert_eq!(kept, milliseconds, "{status} {headers:?}");
    }
    let date = ("date", "Sat, 21 Nov 2026 04:00:00 GMT");
    check(200, &[], 30_000).await;
    check(201, &[("retry-after", "1")], 30_000).await;
    check(500, &[], 2_000).await;
    check(401, &[], 2_000).await;
    check(429, &[("retry-after", "1")], 1_000).await;
    check(429, &[("retry-after", "60")], 2_000).await;
    check(429, &[("retry-after-ms", "500"), ("retry-after", "1")], 500).await;
    check(429, &[("retry-after", "0")], 0).await;
    check(503, &[("retry-after", "Sat, 21 Nov 2026 04:00:01 GMT"), date], 1_000).await;
    check(503, &[("retry-after", "Sat, 21 Nov 2026 04:00:01 GMT")], 0).await;
    check(429, &[("retry-after", "soon")], 0).await;
    check(302, &[], 0).await;
}

#[tokio::test(start_paused = true)]
async fn a_shelf_is_bounded_and_can_be_off() {
    async fn fly(flights: &Flights, number: u8, body: &'static str) {
        let (leader, mut provider) = lead(flights, Key([number; 32]));
        provider.answer_all(&[body]);
        all(leader).await.1.unwrap();
    }
    let with = |shelf| Flights::new(Limits { shelf, ..Limits::default() });
    // Two answers fit: each is a kilobyte of overhead, 64 for the chunk, and its byte.
    let two = ShelfLimits { age: 30 * SECOND, bytes: 2_200, answer_bytes: 1_100 };
    let flights = with(two);
    for number in 1..=3 {
        fly(&flights, number, "x").await;
        advance(SECOND).await;
    }
    let roles: Vec<Role> = (1..=3).map(|number| role(&flights, Key([number; 32]))).collect();
    assert_eq!(roles, [Role::Leader, Role::Cache, Role::Cache]);
    fly(&flights, 4, "too long to be kept, as nobody may take it all").await;
    assert_eq!(role(&flights, Key([4; 32])), Role::Leader);
    let flights = with(ShelfLimits { age: Duration::ZERO, ..two });
    fly(&flights, 1, "x").await;
    assert_eq!(role(&flights, Key([1; 32])), Role::Leader);
}

/// So much that three chunks of a kilobyte are too many.
fn narrow() -> Limits {
    Limits { flight_bytes: 2_500, ..Limits::default() }
}

#[tokio::test(start_paused = true)]
async fn without_room_newcomers_begin_their_own_and_nobody_is_cut() {
    let flights = Flights::new(narrow());
    let (leader, mut provider) = lead(&flights, KEY);
    let slow = follow(&flights, KEY);
    provider.answer(200, &[]);
    (0..3).for_each(|_| provider.say(vec![b'x'; 1_024]));
    settle().await;
    let (newcomer, mut another) = lead(&flights, KEY);
    another.answer_all(&["own"]);
    assert_eq!(all(newcomer).await, whole("own"));
    provider.end();
    let (leader, slow) = tokio::join!(all(leader), async {
        // Less than the stall limit.
        tokio::time::sleep(4 * SECOND).await;
        all(slow).await
    });
    assert_eq!((leader, slow), (whole(&"x".repeat(3_072)), whole(&"x".repeat(3_072))));
    assert_eq!(flights.usage().flight_bytes, 0);
}

#[tokio::test(start_paused = true)]
async fn who_takes_nothing_is_told_and_delays_the_others_once() {
    let flights = Flights::new(narrow());
    let (leader, mut provider) = lead(&flights, KEY);
    let mut stalled: Vec<Reader> = (0..2).map(|_| follow(&flights, KEY)).collect();
    provider.answer(200, &[]);
    provider.say(vec![b'x'; 1_024]);
    // Stalled at different places.
    stalled[0].next().await.unwrap().unwrap();
    (1..20).for_each(|_| provider.say(vec![b'x'; 1_024]));
    provider.end();
    let began = Instant::now();
    assert_eq!(all(leader).await, whole(&"x".repeat(20 * 1_024)));
    assert_eq!(began.elapsed(), narrow().stall);
    for reader in stalled {
        assert_eq!(all(reader).await, (String::new(), Err(Broken::TooSlow)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_readers_were_all_cut_is_cancelled() {
    let flights = Flights::new(narrow());
    let (_stalled, mut provider) = lead(&flights, KEY);
    provider.answer(200, &[]);
    (0..3).for_each(|_| provider.say(vec![b'x'; 1_024]));
    let began = Instant::now();
    provider.cancelled().await;
    assert_eq!(began.elapsed(), narrow().stall);
}

#[tokio::test(start_paused = true)]
async fn all_flights_together_are_bounded() {
    let flights = Flights::new(Limits { total_bytes: 10_000, ..Limits::default() });
    let mut open: Vec<(Reader, Provider)> =
        (0..100).map(|number| lead(&flights, Key([number; 32]))).collect();
    for (_, provider) in &mut open {
        provider.answer(200, &[]);
        (0..50).for_each(|_| provider.say(vec![b'x'; 100]));
        provider.end();
    }
    settle().await;
    let one_chunk_each = 100 * 164;
    assert!(flights.usage().flight_bytes <= 10_000 + one_chunk_each, "{}", flights.usage().flight_bytes);
    let answers = join_all(open.into_iter().map(|(reader, _)| all(reader))).await;
    assert_eq!(answers, vec![whole(&"x".repeat(5_000)); 100]);
    assert_eq!(flights.usage().flight_bytes, 0);
}

#[tokio::test(start_paused = true)]
async fn a_flight_does_not_grow_old() {
    let flights = flights();
    let (leader, mut provider) = lead(&flights, KEY);
    provider.answer(200, &[]);
    provider.say("half");
    let began = Instant::now();
    assert_eq!(all(leader).await, ("half".to_owned(), Err(Broken::TooOld)));
    assert_eq!(began.elapsed(), Limits::default().age);
    provider.cancelled().await;
    assert_eq!(role(&flights, KEY), Role::Leader);
}

#[tokio::test(start_paused = true)]
async fn shutting_down_waits_and_then_tells() {
    let flights = flights();
    let (leader, mut provider) = lead(&flights, KEY);
    tokio::join!(flights.drain(SECOND), async { provider.answer_all(&["in time"]) });
    assert_eq!(all(leader).await, whole("in time"));

    let (leader, mut provider) = lead(&flights, Key([8; 32]));
    provider.answer(200, &[]);
    provider.say("half");
    let began = Instant::now();
    flights.drain(SECOND).await;
    assert_eq!(began.elapsed(), SECOND);
    assert_eq!(all(leader).await, ("half".to_owned(), Err(Broken::Lost)));
    provider.cancelled().await;
    assert_eq!(all(ask(&flights, Key([9; 32])).1).await, (String::new(), Err(Broken::Lost)));
}

#[test]
fn a_runtime_that_ends_tells_too() {
    let flights = flights();
    let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (leader, _provider) = runtime().block_on(async { lead(&flights, KEY) });
    assert_eq!(runtime().block_on(all(leader)), (String::new(), Err(Broken::Lost)));
}

#[tokio::test(start_paused = true)]
async fn nothing_of_a_read_buffer_is_kept() {
    let buffer = Bytes::from(b"keep-alive: 1 hello".repeat(100));
    let value = http::HeaderValue::from_maybe_shared(buffer.slice(0..10)).unwrap();
    let headers: HeaderMap = [(RETRY_AFTER, value)].into_iter().collect();
    let mut response = Response::new(stream::iter([Ok::<_, String>(buffer.slice(14..19))]));
    *response.headers_mut() = headers;
    let flights = flights();
    let (_, mut reader) = flights.ask(KEY, || std::future::ready(Ok(response)));
    let head = reader.head().await.unwrap();
    let chunk = reader.next().await.unwrap().unwrap();
    assert_eq!((&*chunk, head.headers[RETRY_AFTER].as_bytes()), (&b"hello"[..], &b"keep-alive"[..]));
    settle().await;
    // Nobody else holds a part of it.
    assert!(buffer.is_unique());
    assert_eq!(head.status, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn a_million_requests_leave_nothing_behind() {
    const REQUESTS: usize = 1_000_000;
    let flights = flights();
    let calls = Arc::new(AtomicUsize::new(0));
    for number in 0..REQUESTS {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&number.to_be_bytes());
        let calls = Arc::clone(&calls);
        let (_, mut reader) = flights.ask(Key(key), move || async move {
            calls.fetch_add(1, Ordering::Relaxed);
            Ok(Response::new(stream::iter([Ok::<_, String>(Bytes::from_static(b"{}"))])))
        });
        while reader.next().await.is_some() {}
    }
    assert_eq!(calls.load(Ordering::Relaxed), REQUESTS);
    let Usage { flights: under_way, flight_bytes, answers, answer_bytes } = flights.usage();
    assert_eq!((under_way, flight_bytes, flights.tasks.len()), (0, 0, 0));
    assert!(answers < 65_000 && answer_bytes <= 64 << 20, "{answers} answers, {answer_bytes} bytes");
}
