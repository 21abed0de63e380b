//! Servers and programs that fail: the right words, the right status, the rest of the run intact.

use std::{fs, io::Read, thread::JoinHandle};

use super::{KEY, finding, good, is_kept_as_printed, json, ledger, model, program, review, scene};
use crate::{
    mock::{Act, Mock, ending, event, json_page},
    sandbox::{Sandbox, printed},
};

/// `entry` with a time limit of three seconds: enough to begin in, and for one more attempt after one to two seconds.
fn hasty(entry: &str) -> String {
    format!("{entry}timeout_secs = 3\n")
}

/// A server that answers in the way its model is named.
async fn faulty() -> Mock {
    let limited = |asked: usize| Act::Page {
        status: 429,
        headers: vec![("retry-after", asked.to_string())],
        body: "slow down".to_owned(),
    };
    let first = std::sync::atomic::AtomicBool::new(true);
    Mock::start(move |asked| {
        std::future::ready(match asked.body["model"].as_str().unwrap() {
            "limited" if first.swap(false, std::sync::atomic::Ordering::SeqCst) => limited(0),
            "full" => limited(3_600),
            "down" => json_page(500, &serde_json::json!({"error": {"message": "no GPU"}})),
            "hang" => Act::Hang,
            "drip" => Act::Drip,
            "cut" => Act::Cut(vec![event("SEVERITY: WARN\n")]),
            "html" => Act::Page {
                status: 200,
                headers: vec![("content-type", "text/html".to_owned())],
                body: "<html><body>Please log in</body></html>".to_owned(),
            },
            "long" => json_page(400, &serde_json::json!({"error": {"code": "context_length_exceeded"}})),
            "empty" => Act::Reply(String::new()),
            "length" => Act::Stream(vec![event("VERDICT: ship\n"), ending("length")]),
            _ => finding(&asked),
        })
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_fail_are_in_the_ledger_and_stop_nobody() {
    let mock = faulty().await;
    let names = ["cut", "down", "drip", "empty", "full", "good", "hang", "html", "length", "limited", "long"];
    let entry = |name| {
        let entry = model(name, name, &mock);
        if ["cut", "down", "drip", "hang"].contains(&name) { hasty(&entry) } else { entry }
    };
    let sandbox = scene(&["alpha"], &names.map(entry));
    let printed = review(&sandbox, &["--format", "json"]);
    assert_eq!(printed.status, 0, "{printed:?}");
    let lines = ledger(&json(&printed)).join("\n").replace(&mock.url, "URL");
    let cause = lines.find("lost: ").map(|at| lines[at + 6..].lines().next().unwrap()).unwrap_or_default();
    insta::assert_snapshot!(lines.replace(cause, "…"), @r"
    c1_alpha cut incomplete: connection to URL lost: …
    c1_alpha down failed: HTTP 500 Internal Server Error: no GPU (gave up after 2 attempts)
    c1_alpha drip timed-out: no whole reply within 3s
    c1_alpha empty empty: the reply has no text
    c1_alpha full failed: HTTP 429 Too Many Requests: slow down (it asks for a pause of 3600 s, longer than its timeout allows)
    c1_alpha good answered
    c1_alpha hang timed-out: no whole reply within 3s
    c1_alpha html failed: URL answered with a web page, not a model's reply: check base_url (it usually ends in /v1)
    c1_alpha length incomplete: the reply was cut off: length
    c1_alpha limited answered
    c1_alpha long failed: the bundle is too large for the context of long: a smaller `warn_bytes` in [bundle] makes smaller bundles
    ");
    is_kept_as_printed(&sandbox, &printed);
}

#[test]
fn programs_that_fail_are_in_the_ledger_and_leave_nobody_behind() {
    let panel = [
        program("absent", "x").replace("\"sh\"", "\"no-such-program-here\""),
        hasty(&program("family", "exec 9>family; (sleep 1000 & sleep 1000) & wait")),
        program("flood", "head -c 1073741824 /dev/zero | tr '\\0' x"),
        program("forks", "exec 9>forks; cat > /dev/null; sleep 1000 & echo 'VERDICT: ship'"),
        hasty(&program("hang", "exec 9>hang; echo half; exec sleep 1000")),
    ];
    let sandbox = scene(&["alpha"], &panel);
    let lives = ["family", "forks", "hang"].map(|name| life_line(&sandbox, name));
    // 120 MB of data at most: the flood must not be kept.
    let script =
        format!("ulimit -d 120000; exec {} review HEAD~1..HEAD --format json", env!("CARGO_BIN_EXE_scrum"));
    let printed = printed(&sandbox.command("bash").args(["-c", &script]).output().unwrap());
    assert_eq!(printed.status, 0, "{printed:?}");
    insta::assert_snapshot!(ledger(&json(&printed)).join("\n"), @r"
    c1_alpha absent failed: program `no-such-program-here` not found: install it, put it on PATH, or write its full path in the reviewer's command
    c1_alpha family timed-out: no whole reply within 3s
    c1_alpha flood failed: program `sh`: wrote more than 4 MiB and was stopped
    c1_alpha forks answered
    c1_alpha hang timed-out: no whole reply within 3s
    ");
    // Each is gone once nobody holds its pipe open.
    for life in lives {
        life.join().unwrap();
    }
}

/// A pipe in the repository that some program opens; the thread ends when the program and all its children are gone.
pub(super) fn life_line(sandbox: &Sandbox, name: &str) -> JoinHandle<()> {
    sandbox.script(&format!("mkfifo {name}"));
    let path = sandbox.repo().join(name);
    std::thread::spawn(move || {
        fs::File::open(path).unwrap().read_to_end(&mut Vec::new()).unwrap();
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_time_limit_for_everybody() {
    let mock = Mock::always(|| Act::Hang).await;
    let sandbox = scene(&["alpha"], &[model("opus", "claude-opus-4-7", &mock)]);
    let printed = review(&sandbox, &["--timeout", "1", "--format", "json"]);
    assert_eq!(printed.status, 3, "{printed:?}");
    assert_eq!(ledger(&json(&printed)), ["c1_alpha opus timed-out: no whole reply within 1s"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_fills_up_in_the_middle_of_a_run() {
    let mock = good().await;
    let long = format!("VERDICT: ship\n{}", "and more ".repeat(8_000));
    let verbose = Mock::always(move || Act::Reply(long.clone())).await;
    let sandbox =
        scene(&["alpha"], &[model("opus", "claude-opus-4-7", &mock), model("verbose", "gpt-5", &verbose)]);
    // No file may be larger than 64 KiB, as if the disk had no room for the long reply.
    let binary = env!("CARGO_BIN_EXE_scrum");
    let script = format!("trap '' XFSZ; ulimit -f 64; exec {binary} review HEAD~1..HEAD --format json");
    let output = sandbox.command("bash").args(["-c", &script]).env("MOCK_KEY", KEY).output().unwrap();
    let printed = printed(&output);
    assert_eq!(printed.status, 2, "{printed:?}");
    let lines = ledger(&json(&printed));
    assert_eq!(lines[0], "c1_alpha opus answered");
    assert!(
        lines[1].starts_with("c1_alpha verbose failed: could not save the reply: cannot write "),
        "{lines:?}"
    );
    for words in ["error: cannot write ", "hint: is the disk full", "scrum review --resume "] {
        assert!(printed.stderr.contains(words), "{words:?} is missing in {}", printed.stderr);
    }
    let resumed =
        sandbox.scrum_with(&["review", "--resume", "latest", "--format", "json"], &[("MOCK_KEY", KEY)]);
    assert_eq!((resumed.status, mock.asked().len(), verbose.asked().len()), (0, 1, 2), "{resumed:?}");
    is_kept_as_printed(&sandbox, &resumed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn products_that_cannot_be_written_are_printed_all_the_same() {
    let mock = good().await;
    // The run's folder is gone when the reviewers have answered.
    let script = "cat > /dev/null; rm -rf .scrum/reviews/*; echo 'VERDICT: ship'";
    let sandbox = scene(&["alpha"], &[model("opus", "claude-opus-4-7", &mock), program("vandal", script)]);
    let printed = review(&sandbox, &["--format", "json", "--concurrency", "1"]);
    assert_eq!(printed.status, 2, "{printed:?}");
    assert_eq!(ledger(&json(&printed)).len(), 2);
    assert!(printed.stderr.contains("error: cannot write "), "{}", printed.stderr);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tally_that_cannot_be_written_is_printed_all_the_same() {
    let mock = good().await;
    let sandbox = scene(&["alpha"], &[model("opus", "claude-opus-4-7", &mock)]);
    review(&sandbox, &[]);
    let tally = || sandbox.scrum(&["tally", "latest", "--format", "json"]);
    let before = tally();
    // Nothing can be put in the place of a folder.
    sandbox.script("cd .scrum/reviews/2*; rm tally.json; mkdir -p tally.json/full");
    let printed = tally();
    assert_eq!((before.status, printed.status, printed.stdout), (0, 2, before.stdout));
    assert!(printed.stderr.starts_with("error: cannot write "), "{}", printed.stderr);
}
