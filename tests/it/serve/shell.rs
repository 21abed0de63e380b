//! `scrum enqueue`, `jobs`, `cancel` and `watch`, against a running daemon and without one.

use std::process::Stdio;

use super::{
    Serve,
    jobs::{daemon, get, noop},
};
use crate::sandbox::{Printed, Sandbox};

/// Runs `scrum` for `serve`, while that goes on.
async fn scrum(serve: &Serve, arguments: &[&str]) -> Printed {
    let mut command = tokio::process::Command::from(serve.sandbox.command(env!("CARGO_BIN_EXE_scrum")));
    command.args(arguments).env("SCRUM_SERVER", format!("http://{}", serve.address)).stdin(Stdio::null());
    let output = command.output().await.unwrap();
    Printed {
        status: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_job_from_the_shell() {
    let serve = daemon("").await;
    let brought = scrum(&serve, &["enqueue", "noop", "--work-ms", "600000", "--dedupe-key", "a"]).await;
    let id = brought.stdout.trim().to_owned();
    assert_eq!((brought.status, id.len()), (0, 36), "{brought:?}");
    assert_eq!(brought.stderr, format!("note: queued; `scrum watch {id}` follows it\n"));
    let again = scrum(&serve, &["enqueue", "noop", "--work-ms", "600000", "--dedupe-key", "a"]).await;
    assert_eq!(again.stdout.trim(), id);
    assert!(again.stderr.starts_with("note: a job with this key is there already: "), "{again:?}");
    let job = get(&serve, &format!("/queue/jobs/{id}")).await.json();
    assert_eq!(job["source"], "cli");
    let listed = scrum(&serve, &["jobs"]).await;
    assert_eq!(listed.status, 0);
    assert!(first_line(&listed.stdout).starts_with("id "), "{listed:?}");
    assert!(listed.stdout.lines().nth(1).unwrap().starts_with(&format!("{id}  noop  ")), "{listed:?}");
    let as_json = scrum(&serve, &["jobs", "--format", "json", "--state", "queued,running"]).await;
    let list: serde_json::Value = serde_json::from_str(&as_json.stdout).unwrap();
    assert_eq!(list["jobs"][0]["id"], id.as_str());
    let none = scrum(&serve, &["jobs", "--state", "failed"]).await;
    assert_eq!((none.stdout.as_str(), none.stderr.as_str()), ("", "note: no such jobs\n"));
    let sheet = scrum(&serve, &["jobs", &id[..20]]).await;
    assert_eq!(first_line(&sheet.stdout), format!("id            {id}"));
    let cancelled = scrum(&serve, &["cancel", &id[..20], "ffffffff"]).await;
    assert_eq!(cancelled.status, 2, "one of them is none: {cancelled:?}");
    assert!(cancelled.stderr.starts_with(&format!("note: {id} is called off; it was ")), "{cancelled:?}");
    assert!(cancelled.stderr.contains("error: no job whose id begins with ffffffff"), "{cancelled:?}");
    let again = scrum(&serve, &["cancel", &id]).await;
    assert_eq!(again.status, 2);
    assert_eq!(again.stderr, format!("error: job {id} has come to its end: it is cancelled\n"));
}

#[tokio::test]
async fn a_watched_job_ends_the_command_as_it_ends() {
    let serve = daemon("queue.workers = 1").await;
    let done = scrum(&serve, &["enqueue", "noop", "--work-ms", "50", "--watch"]).await;
    assert_eq!(done.status, 0, "{done:?}");
    let long = noop(&serve, 600_000).await;
    let watch = ["watch", &long];
    let (watched, ()) = tokio::join!(scrum(&serve, &watch), async {
        while get(&serve, &format!("/queue/jobs/{long}")).await.json()["state"] != "running" {}
        assert_eq!(scrum(&serve, &["cancel", &long]).await.status, 0);
    });
    assert_eq!(watched.status, 2);
    assert!(watched.stderr.contains(&format!("error: {long} was called off")), "{watched:?}");
    let once_more = scrum(&serve, &["watch", &long]).await;
    assert_eq!(once_more.status, 2, "also when it had ended before");
}

/// Smoke, parity and eval have no tally: what they print is a file of the job.
#[tokio::test]
async fn a_chain_of_checks_leaves_its_document() {
    let sandbox = Sandbox::new();
    sandbox.write("scrum.toml", "[serve]\nqueue.busy_percent = 100\n");
    sandbox
        .write("chain.toml", "[[smoke]]\nname = \"it runs\"\nlayer = \"substrate\"\ncommand = [\"true\"]\n");
    sandbox.script("git add . && git -c user.name=a -c user.email=a@a.example commit -qm chain");
    let serve = Serve::of(sandbox).await;
    let done = scrum(&serve, &["enqueue", "smoke", "chain.toml", "--watch"]).await;
    assert_eq!(done.status, 0, "{done:?}");
    let id = first_line(&done.stdout);
    let document = get(&serve, &format!("/queue/jobs/{id}/files/reviews/document/smoke.json")).await.json();
    assert_eq!((&document["verdict"], &document["totals"]["passed"]), (&"pass".into(), &1.into()));
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    let serve = daemon("").await;
    let check = async |arguments: &[&str], expect: &str| {
        let printed = scrum(&serve, arguments).await;
        assert_eq!((printed.status, printed.stdout.as_str()), (2, ""), "{printed:?}");
        assert!(printed.stderr.contains(expect), "{arguments:?}: {printed:?}");
    };
    check(&["enqueue", "revue"], "one of review, parity, smoke, gauntlet, eval, noop").await;
    check(&["enqueue", "noop", "--panel", "a"], "`panel` is nothing that a job of kind noop knows").await;
    check(&["enqueue", "review"], "not in a git repository").await;
    check(
        &["enqueue", "parity", "a.toml", "--repo", "https://h.example/a"],
        "this repository is not allowed here",
    )
    .await;
    check(&["watch", "x"], "\"x\" is no id of a job").await;
    check(&["watch", "01926f00-0000-7000-8000-000000000000"], "no such job").await;
    check(&["jobs", "--state", "done"], "one of queued, running, succeeded, failed, cancelled, timed_out")
        .await;
}

#[test]
fn without_a_daemon() {
    let sandbox = Sandbox::without_repository();
    let printed = sandbox.scrum(&["jobs", "--server", "http://127.0.0.1:1"]);
    assert_eq!(printed.status, 2);
    insta::assert_snapshot!(printed.stderr, @"
    error: no daemon answers at http://127.0.0.1:1: Connection refused (os error 111)
    hint: `scrum serve` starts one here
    hint: `--server URL`, or SCRUM_SERVER, says where another one is
    ");
    let nowhere = sandbox.scrum(&["jobs", "--server", "ftp://a"]);
    insta::assert_snapshot!(nowhere.stderr, @r#"error: "ftp://a" is no address of a daemon: it must be http://HOST:PORT or https://HOST"#);
}

#[tokio::test]
async fn a_key_comes_from_the_environment() {
    let serve = daemon("").await;
    let key = serve.scrum(&["keys", "add", "ci"]).stdout.trim().to_owned();
    while get(&serve, "/queue/status").await.status == 200 {}
    let without = scrum(&serve, &["jobs"]).await;
    assert_eq!(without.status, 2);
    assert!(without.stderr.contains("hint: set SCRUM_KEY"), "{without:?}");
    let mut command = tokio::process::Command::from(serve.sandbox.command(env!("CARGO_BIN_EXE_scrum")));
    command.args(["jobs", "--server", &serve.address]).env("SCRUM_KEY", &key);
    let with = command.output().await.unwrap();
    assert_eq!(with.status.code(), Some(0), "{with:?}");
}
