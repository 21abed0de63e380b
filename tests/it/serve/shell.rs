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

/// What a repository's programs ask for they get, but nothing of the daemon's or of another repository.
#[tokio::test]
async fn a_job_sees_no_secret_that_is_not_its_own() {
    let sandbox = Sandbox::new();
    let repository = |path: &str, token: &str| {
        format!("[[serve.repository]]\npath = \"{path}\"\ncommands = true\ntoken_env = \"{token}\"\n")
    };
    let both = [repository(".", "OWN_TOKEN"), repository("nowhere", "OTHER_TOKEN")].concat();
    let hook = "[serve.webhook]\ngitea_secret_env = \"NO_SUCH_SECRET\"\n";
    sandbox.write("scrum.toml", format!("[serve]\nqueue.busy_percent = 100\n{both}{hook}"));
    let seen = "test \"$OWN_TOKEN\" = own && test -z \"$OTHER_TOKEN$PGPASSWORD$SCRUM_STORE\"";
    sandbox.write(
        "chain.toml",
        format!(
            "[[smoke]]\nname = \"it sees\"\nlayer = \"substrate\"\ncommand = [\"sh\", \"-c\", '''{seen}''']\npass_env = [\"*\"]\n"
        ),
    );
    sandbox.script("git add . && git -c user.name=a -c user.email=a@a.example commit -qm chain");
    let variables = [("OWN_TOKEN", "own"), ("OTHER_TOKEN", "other"), ("PGPASSWORD", "secret")];
    let serve = Serve::keeping("scrum.db", sandbox, &variables).await;
    let done = scrum(&serve, &["enqueue", "smoke", "chain.toml", "--watch"]).await;
    assert_eq!(done.status, 0, "{done:?}");
    let told = std::fs::read_to_string(serve.sandbox.home().join("stderr")).unwrap();
    let warned: Vec<&str> = told.lines().filter(|line| line.contains("serve.")).collect();
    assert_eq!(warned.len(), 2, "{told}");
    assert!(warned[0].contains("scrum.toml:7: serve.repository 2: there is no folder "), "{told}");
    let expect = "scrum.toml:12: serve.webhook.gitea_secret_env: the variable NO_SUCH_SECRET is not set, so nothing is taken from Gitea; set it to the webhook's secret and start the daemon again";
    assert!(warned[1].ends_with(expect), "{told}");
}

#[tokio::test]
async fn a_gauntlet_says_what_came_of_it_and_files_are_named_as_the_caller_does() {
    let sandbox = Sandbox::new();
    sandbox.write("scrum.toml", "[serve]\nqueue.busy_percent = 100\n");
    let check = "[[smoke]]\nname = \"it runs\"\nlayer = \"substrate\"\ncommand = [\"true\"]\n";
    sandbox.write("gauntlet.toml", check);
    sandbox.script("git add . && git -c user.name=a -c user.email=a@a.example commit -qm checks");
    let serve = Serve::of(sandbox).await;
    let done = scrum(&serve, &["enqueue", "gauntlet", "--watch"]).await;
    assert_eq!(done.status, 0, "{done:?}");
    assert!(done.stderr.contains("note: saved in reviews/"), "{done:?}");
    let job = get(&serve, &format!("/queue/jobs/{}", first_line(&done.stdout))).await.json();
    let result = &job["result"];
    assert_eq!((&result["verdict"], &result["totals"]["passed"]), (&"ship".into(), &1.into()), "{result}");
    assert!(result["remark"].is_null(), "the daemon has the run too: {result}");
    let run = result["run"].as_str().unwrap();
    let names = job["links"]["files"].as_array().unwrap().iter().map(|file| file["name"].as_str().unwrap());
    assert!(names.into_iter().any(|name| name == format!("reviews/{run}/gauntlet.json")), "{job}");
    let missing = scrum(&serve, &["enqueue", "parity", "checks/none.toml", "--watch"]).await;
    assert_eq!(missing.status, 2, "{missing:?}");
    let reason = missing.stderr.lines().last().unwrap();
    assert!(reason.contains(" checks/none.toml") && !missing.stderr.contains("/repository"), "{missing:?}");
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
