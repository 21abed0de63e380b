//! Tests of the running of a chain, with hands that only wait.

use std::{
    convert::Infallible,
    num::NonZeroUsize,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use tokio::time::sleep;

use super::*;
use crate::gauntlet::{
    program::{How, Program, WaitFor},
    smoke::{Action, OnFailure, Verdict},
};

/// What happened when, in seconds.
type Diary = Arc<Mutex<Vec<String>>>;

fn program() -> Program {
    Program {
        argv: vec!["true".to_owned()],
        folder: PathBuf::from("/"),
        env: [].into(),
        pass_env: Vec::new(),
    }
}

/// `unit:2` is a check that takes two seconds, `lint*:2` a parallel one, `gate!:1` one that fails; all need `needs`.
fn chain(services: &[&str], checks: &str, needs: &[&str], concurrency: usize) -> Chain {
    let check = |word: &str| {
        let (name, secs) = word.split_once(':').unwrap();
        Check {
            name: name.trim_end_matches('*').to_owned(),
            layer: "smoke".to_owned(),
            action: Action::Command { program: program(), expect_status: 0 },
            timeout: Duration::from_secs(secs.parse().unwrap()),
            expect_output: None,
            needs: needs.iter().map(|need| (*need).to_owned()).collect(),
            parallel: name.ends_with('*'),
            on_failure: None,
        }
    };
    let service = |name: &&str| Service {
        name: (*name).to_owned(),
        program: program(),
        wait_for: WaitFor::Port("127.0.0.1:1".to_owned()),
        timeout: Duration::from_secs(1),
    };
    Chain {
        services: services.iter().map(service).collect(),
        checks: checks.split_whitespace().map(check).collect(),
        on_failure: OnFailure::Continue,
        concurrency: NonZeroUsize::new(concurrency).unwrap(),
    }
}

/// Hands that take as long as the check says, and write down what they do. A service called `down` is never ready, `brief` ends
/// three seconds later.
fn hands<'a>(diary: &Diary, end: &'a CancellationToken) -> Hands<'a> {
    let began = Instant::now();
    let note = {
        let diary = Arc::clone(diary);
        move |text: String| diary.lock().unwrap().push(format!("{} {text}", began.elapsed().as_secs()))
    };
    let (noting, note) = (note.clone(), note);
    Hands {
        check: Box::new(move |check| {
            let note = noting.clone();
            async move {
                note(format!("{} begins", check.name));
                tokio::select! {
                    () = end.cancelled() => return Seen::Interrupted,
                    () = sleep(check.timeout) => {}
                }
                note(format!("{} ends", check.name));
                let how = How::Exited(i32::from(check.name.ends_with('!')));
                Seen::Ended { how, stdout: String::new(), stderr: String::new() }
            }
            .boxed()
        }),
        start: Box::new(move |service| {
            let note = note.clone();
            async move {
                sleep(Duration::from_secs(1)).await;
                if service.name == "down" {
                    return Err(Absent { reason: "gone".to_owned(), output: "bye".to_owned() });
                }
                note(format!("{} is ready", service.name));
                let dies_at = (service.name == "brief").then(|| Instant::now() + Duration::from_secs(3));
                Ok(Box::new(Waiting { name: &service.name, note, dies_at }) as Box<dyn Held<'_> + '_>)
            }
            .boxed()
        }),
    }
}

/// A service that does nothing, and ends by itself at some time.
struct Waiting<'a, N> {
    name: &'a str,
    note: N,
    dies_at: Option<Instant>,
}

impl<'a, N: Fn(String) + Send + 'a> Held<'a> for Waiting<'a, N> {
    fn has_died(&mut self) -> Option<String> {
        self.dies_at.filter(|at| *at <= Instant::now()).map(|_| "exit status 0".to_owned())
    }

    fn stop(mut self: Box<Self>) -> BoxFuture<'a, Left> {
        let died = self.has_died();
        let Self { name, note, .. } = *self;
        let stopping = async move {
            sleep(Duration::from_secs(1)).await;
            note(format!("{name} is stopped"));
            Left { output: String::new(), died }
        };
        stopping.boxed()
    }
}

/// Runs `chain`, which is interrupted after so many seconds, and gives what came of it with the diary and the kept files.
async fn ran(chain: &Chain, interrupted: Option<u64>) -> (Smoke, String, Vec<String>) {
    let (diary, end, files) = (Diary::default(), CancellationToken::new(), Mutex::new(Vec::new()));
    let hands = hands(&diary, &end);
    let (sender, mut receiver) = channel(chain);
    let keep = |name: &str, _: &str| {
        files.lock().unwrap().push(name.to_owned());
        Ok::<_, Infallible>(format!("smoke/{name}"))
    };
    let executing = execute(chain, &hands, sender, &end, "2026-05-02T08:59:17Z".to_owned(), keep);
    let interrupting = async {
        if let Some(secs) = interrupted {
            sleep(Duration::from_secs(secs)).await;
            end.cancel();
        }
    };
    let (Ok(smoke), ()) = tokio::join!(executing, interrupting);
    while receiver.recv().await.is_some() {}
    let diary = diary.lock().unwrap().join("\n");
    (smoke, diary, files.into_inner().unwrap())
}

#[tokio::test(start_paused = true)]
async fn no_more_at_once_than_allowed() {
    let (smoke, diary, files) = ran(&chain(&[], "a*:3 b*:1 c*:1 d:1", &[], 2), None).await;
    insta::assert_snapshot!(diary, @"
    0 a begins
    0 b begins
    1 b ends
    1 c begins
    2 c ends
    2 d begins
    3 a ends
    3 d ends
    ");
    assert_eq!((smoke.verdict(), smoke.took), (Verdict::Pass, Duration::from_secs(3)));
    assert_eq!(files, ["b.txt", "c.txt", "a.txt", "d.txt"]);
}

#[tokio::test(start_paused = true)]
async fn services_are_ready_before_and_stopped_after() {
    let (smoke, diary, _) = ran(&chain(&["db", "app"], "a:1 b:1", &[], 4), None).await;
    insta::assert_snapshot!(diary, @"
    1 db is ready
    2 app is ready
    2 a begins
    3 a ends
    3 b begins
    4 b ends
    5 db is stopped
    5 app is stopped
    ");
    assert_eq!((smoke.verdict(), smoke.took), (Verdict::Pass, Duration::from_secs(5)));
}

#[tokio::test(start_paused = true)]
async fn without_its_service_nothing_is_checked() {
    let (smoke, diary, files) = ran(&chain(&["db", "down"], "a:1 b!:1", &["db", "down"], 4), None).await;
    assert_eq!(diary, "1 db is ready\n3 db is stopped");
    assert_eq!(smoke.verdict(), Verdict::Inconclusive);
    let reason = CheckResult::Skipped("needs down, which was not ready".to_owned());
    assert!(smoke.checks.iter().all(|check| check.result == reason), "{smoke:?}");
    assert_eq!(smoke.services[1].result, ServiceResult::NotReady("gone".to_owned()));
    assert_eq!(files, ["down.txt", "db.txt"]);
}

#[tokio::test(start_paused = true)]
async fn what_needs_a_service_that_died_does_not_pass() {
    let (smoke, diary, _) = ran(&chain(&["brief"], "a:2 b:2 c:1", &["brief"], 4), None).await;
    insta::assert_snapshot!(diary, @"
    1 brief is ready
    1 a begins
    3 a ends
    3 b begins
    5 b ends
    6 brief is stopped
    ");
    let died = |reason: &str| CheckResult::Failed(format!("{reason}service brief died: exit status 0"));
    let results: Vec<_> = smoke.checks.iter().map(|check| check.result.clone()).collect();
    let skipped = CheckResult::Skipped("needs brief, which died".to_owned());
    assert_eq!(results, [CheckResult::Passed, died(""), skipped]);
    let (smoke, _, _) = ran(&chain(&["brief"], "a!:4", &[], 4), None).await;
    assert_eq!(smoke.checks[0].result, died("exit status 1; "));
    assert_eq!(smoke.services[0].result, ServiceResult::Died("exit status 0".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_ends_what_is_under_way_and_stops_services() {
    let (smoke, diary, _) = ran(&chain(&["db"], "a:1 b:9 c:1 d*:5", &["db"], 4), Some(3)).await;
    insta::assert_snapshot!(diary, @"
    1 db is ready
    1 a begins
    1 d begins
    2 a ends
    2 b begins
    4 db is stopped
    ");
    let words: Vec<_> = smoke.checks.iter().map(|check| check.result.word()).collect();
    assert_eq!(words, ["passed", "skipped", "skipped", "skipped"]);
    assert_eq!((smoke.interrupted, smoke.verdict()), (true, Verdict::Inconclusive));
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_told_and_the_rest_goes_on() {
    let (smoke, _, _) = ran(&chain(&[], "a!:1 b:1", &[], 4), None).await;
    let results: Vec<_> = smoke.checks.iter().map(|check| check.result.clone()).collect();
    assert_eq!(results, [CheckResult::Failed("exit status 1".to_owned()), CheckResult::Passed]);
    assert_eq!(smoke.verdict(), Verdict::Fail);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_kept_ends_it() {
    let chain = chain(&[], "a:1 b:1", &[], 4);
    let (diary, end) = (Diary::default(), CancellationToken::new());
    let hands = hands(&diary, &end);
    let (sender, _receiver) = channel(&chain);
    let keep = |_: &str, _: &str| Err("disk full");
    assert_eq!(execute(&chain, &hands, sender, &end, String::new(), keep).await, Err("disk full"));
}
