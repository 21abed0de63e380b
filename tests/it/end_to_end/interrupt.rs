//! Ctrl-C, and going on afterwards.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read},
    process::{Child, ChildStderr, Stdio},
};

use serde_json::Value;

use super::{KEY, finding, good, is_kept_as_printed, json, ledger, model, newest, program, review, scene};
use crate::{
    mock::{Act, Mock},
    sandbox::{Printed, Sandbox},
};

/// A review under way.
pub(super) struct Running {
    process: Child,
    stderr: BufReader<ChildStderr>,
    told: String,
}

impl Running {
    pub(super) fn start(sandbox: &Sandbox, arguments: &[&str]) -> Self {
        let mut command = sandbox.command(env!("CARGO_BIN_EXE_scrum"));
        command.arg("review").args(arguments).env("MOCK_KEY", KEY);
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(process.stderr.take().unwrap());
        Self { process, stderr, told: String::new() }
    }

    /// Waits until `count` more lines of stderr hold `words`.
    pub(super) fn until(&mut self, words: &str, count: usize) {
        let mut seen = 0;
        while seen < count {
            let mut line = String::new();
            assert_ne!(self.stderr.read_line(&mut line).unwrap(), 0, "{words:?} never came:\n{}", self.told);
            seen += usize::from(line.contains(words));
            self.told.push_str(&line);
        }
    }

    pub(super) fn signal(&self, name: &str) {
        let id = self.process.id().to_string();
        assert!(std::process::Command::new("kill").args([name, &id]).status().unwrap().success());
    }

    pub(super) fn end(mut self) -> Printed {
        self.stderr.read_to_string(&mut self.told).unwrap();
        let output = self.process.wait_with_output().unwrap();
        Printed { stderr: self.told, ..crate::sandbox::printed(&output) }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupted_run_is_tallied_and_can_be_resumed() {
    let quick = good().await;
    let open = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let is_open = std::sync::Arc::clone(&open);
    let slow = Mock::start(move |asked| {
        let hangs = !is_open.load(std::sync::atomic::Ordering::SeqCst);
        std::future::ready(if hangs { Act::Hang } else { finding(&asked) })
    })
    .await;
    let panel = [model("quick", "claude-opus-4-7", &quick), model("slow", "gpt-5", &slow)];
    let sandbox = scene(&["alpha", "beta"], &panel);
    let mut run = Running::start(&sandbox, &["HEAD~1..HEAD", "--format", "json"]);
    run.until("quick · answered", 2);
    run.signal("-INT");
    let printed = run.end();
    assert_eq!(printed.status, 130, "{printed:?}");
    assert_eq!(
        ledger(&json(&printed)),
        [
            "c1_alpha quick answered",
            "c1_alpha slow skipped: interrupted",
            "c2_beta quick answered",
            "c2_beta slow skipped: interrupted",
        ]
    );
    assert!(printed.stderr.contains("go on with: scrum review --resume 2"), "{}", printed.stderr);
    is_kept_as_printed(&sandbox, &printed);
    let before_it = times(&json(&printed));
    assert!(before_it["c1_alpha quick"].iter().all(Value::is_u64), "{before_it:?}");
    let [asked, first_token, _] = &before_it["c1_alpha slow"];
    assert!(asked.is_u64() && first_token.is_null(), "{before_it:?}");

    open.store(true, std::sync::atomic::Ordering::SeqCst);
    let before = (quick.asked().len(), slow.asked().len());
    let resumed =
        sandbox.scrum_with(&["review", "--resume", "latest", "--format", "json"], &[("MOCK_KEY", KEY)]);
    assert_eq!(resumed.status, 0, "{resumed:?}");
    assert_eq!((quick.asked().len() - before.0, slow.asked().len() - before.1), (0, 2));
    let tally = json(&resumed);
    assert!(ledger(&tally).iter().all(|line| line.ends_with(" answered")), "{:?}", ledger(&tally));
    assert_eq!(tally["totals"]["convergent"], 2);
    let after_it = times(&tally);
    assert_eq!(after_it["c1_alpha quick"], before_it["c1_alpha quick"], "what is kept keeps its times");
    assert!(after_it["c1_alpha slow"].iter().all(Value::is_u64), "{after_it:?}");
    is_kept_as_printed(&sandbox, &resumed);
}

/// When each task was asked and began to answer, and how long it took.
fn times(tally: &Value) -> BTreeMap<String, [Value; 3]> {
    let of = |task: &Value| {
        let name = ["bundle", "reviewer"].map(|key| task[key].as_str().unwrap().to_owned()).join(" ");
        (name, ["asked_ms", "first_token_ms", "latency_ms"].map(|key| task[key].clone()))
    };
    tally["coverage"].as_array().unwrap().iter().map(of).collect()
}

#[test]
fn no_program_outlives_an_interrupted_run() {
    for signals in [&["-INT"][..], &["-TERM"], &["-INT", "-INT"], &["-INT", "-TERM", "-INT"]] {
        let family = "exec 9>life; (sleep 1000 & sleep 1000) & sleep 1000 & exec sleep 1000";
        let sandbox = scene(&["alpha"], &[program("family", family)]);
        sandbox.script("mkfifo life");
        let run = Running::start(&sandbox, &["HEAD~1..HEAD"]);
        // It opens when the program has begun, and ends when the program and all its children are gone.
        let mut life = std::fs::File::open(sandbox.repo().join("life")).unwrap();
        for name in signals {
            run.signal(name);
        }
        let printed = run.end();
        assert_eq!(printed.status, 130, "{signals:?} {printed:?}");
        life.read_to_end(&mut Vec::new()).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_interrupt_ends_a_run_whose_result_nobody_reads() {
    let quick = good().await;
    let sandbox = scene(&["alpha"], &[model("quick", "claude-opus-4-7", &quick)]);
    // The result goes into a pipe that is full: the process cannot get on by itself.
    sandbox.script("mkfifo full");
    let pipe = std::fs::OpenOptions::new().read(true).write(true).open(sandbox.repo().join("full")).unwrap();
    let mut filler = sandbox.command("sh");
    filler.args(["-c", "dd if=/dev/zero of=full bs=4096 count=16 oflag=nonblock 2>/dev/null"]);
    assert!(filler.status().unwrap().success());
    let mut command = sandbox.command(env!("CARGO_BIN_EXE_scrum"));
    command.args(["review", "HEAD~1..HEAD"]).env("MOCK_KEY", KEY);
    let mut process = command.stdout(pipe.try_clone().unwrap()).stderr(Stdio::piped()).spawn().unwrap();
    let stderr = BufReader::new(process.stderr.take().unwrap());
    let mut run = Running { process, stderr, told: String::new() };
    run.until("quick · answered", 1);
    run.signal("-INT");
    run.signal("-INT");
    // Two signals at once may count as one.
    run.signal("-TERM");
    assert_eq!(run.end().status, 130);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_is_not_resumed_with_another_panel() {
    let mock = good().await;
    let entry = model("opus", "claude-opus-4-7", &mock);
    let sandbox = scene(&["alpha"], std::slice::from_ref(&entry));
    assert_eq!(review(&sandbox, &[]).status, 0);
    let file = sandbox.repo().join("scrum.toml");
    let before = std::fs::read_to_string(&file).unwrap();
    let check = |now: String, words: &str| {
        std::fs::write(&file, now).unwrap();
        let printed = sandbox.scrum_with(&["review", "--resume", "latest"], &[("MOCK_KEY", KEY)]);
        assert_eq!((printed.status, printed.stdout.as_str()), (2, ""), "{printed:?}");
        assert!(printed.stderr.contains(words), "{}", printed.stderr);
        assert!(printed.stderr.contains("hint: start a new review"), "{}", printed.stderr);
    };
    check(before.replace("claude-opus-4-7", "gpt-5"), "was another one: now opus is gpt-5 of openai");
    check(before.replace("\"opus\"", "\"other\""), "was another one: now there is no reviewer \"opus\"");
    assert_eq!(mock.asked().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_without_its_bundles_is_not_resumed() {
    let mock = good().await;
    let sandbox = scene(&["alpha"], &[model("opus", "claude-opus-4-7", &mock)]);
    assert_eq!(review(&sandbox, &[]).status, 0);
    let tally = newest(&sandbox).join("tally.json");
    let before = std::fs::read_to_string(&tally).unwrap();
    sandbox.script("rm -r .scrum/bundles");
    let printed = sandbox.scrum_with(&["review", "--resume", "latest"], &[("MOCK_KEY", KEY)]);
    assert_eq!((printed.status, printed.stdout.as_str()), (2, ""), "{printed:?}");
    assert!(printed.stderr.contains(" are gone, so nothing can be asked"), "{}", printed.stderr);
    assert_eq!(std::fs::read_to_string(&tally).unwrap(), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_reviewer_answered_stays_when_its_key_is_gone() {
    let mock = good().await;
    let panel = [model("opus", "claude-opus-4-7", &mock), program("angry", "exit 1")];
    let sandbox = scene(&["alpha"], &panel);
    assert_eq!(review(&sandbox, &[]).status, 0);
    let resumed = sandbox.scrum(&["review", "--resume", "latest", "--format", "json"]);
    assert_eq!(resumed.status, 0, "{resumed:?}");
    assert_eq!(
        ledger(&json(&resumed)),
        ["c1_alpha angry failed: program `sh`: exit status 1", "c1_alpha opus answered"]
    );
    is_kept_as_printed(&sandbox, &resumed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_resumed_run_asks_again_for_what_was_no_review() {
    let mock = Mock::start(|asked| {
        let chatter = || Act::Reply("Sure, I will look into it.\n".to_owned());
        std::future::ready(if asked.number == 0 { chatter() } else { finding(&asked) })
    })
    .await;
    let sandbox = scene(&["alpha"], &[model("opus", "claude-opus-4-7", &mock)]);
    let resume =
        || sandbox.scrum_with(&["review", "--resume", "latest", "--format", "json"], &[("MOCK_KEY", KEY)]);
    assert_eq!(review(&sandbox, &[]).status, 3);
    for _ in 0..2 {
        let resumed = resume();
        assert_eq!((resumed.status, ledger(&json(&resumed))), (0, vec!["c1_alpha opus answered".to_owned()]));
    }
    assert_eq!(mock.asked().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_torn_record_costs_only_itself() {
    let mock = good().await;
    let sandbox = scene(&["alpha"], &[model("opus", "claude-opus-4-7", &mock)]);
    assert_eq!(review(&sandbox, &[]).status, 0);
    let outcomes = newest(&sandbox).join("outcomes.jsonl");
    let whole = std::fs::read_to_string(&outcomes).unwrap();
    std::fs::write(&outcomes, &whole[..whole.len() / 2]).unwrap();
    for _ in 0..2 {
        let variables = [("MOCK_KEY", KEY), ("SCRUM_NO_CACHE", "1")];
        let resumed = sandbox.scrum_with(&["review", "--resume", "latest", "--format", "json"], &variables);
        assert_eq!(ledger(&json(&resumed)), ["c1_alpha opus answered"]);
        is_kept_as_printed(&sandbox, &resumed);
    }
    assert_eq!(mock.asked().len(), 2);
}
