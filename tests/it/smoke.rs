//! `scrum smoke` as its users see it.
#![expect(clippy::disallowed_methods, reason = "tests start programs")]

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader},
    net::TcpListener,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Stdio},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

use crate::{
    command::{gone, life_line},
    probe::service::{SERVER, free_port},
    report::formats::{json_errors, xml_errors},
    sandbox::{Printed, Sandbox},
};

/// A check that runs `script` with `sh`, and further keys.
fn check(name: &str, script: &str, keys: &str) -> String {
    let (name, script) = (Value::from(name), Value::from(script));
    format!("[[smoke]]\nname = {name}\ncommand = [\"sh\", \"-c\", {script}]\n{keys}\n")
}

fn service(name: &str, script: &str, wait_for: &str, keys: &str) -> String {
    let (script, wait_for) = (Value::from(script), Value::from(wait_for));
    format!(
        "[[service]]\nname = \"{name}\"\ncommand = [\"sh\", \"-c\", {script}]\nwait_for = {wait_for}\n{keys}\n"
    )
}

fn with(chain: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("gauntlet.toml", chain);
    sandbox.write("server.py", SERVER);
    sandbox
}

/// Each check and service of a document with its result and reason.
fn results(document: &Value) -> Vec<String> {
    let entries = ["services", "checks"].map(|key| document[key].as_array().unwrap().clone()).concat();
    let line = |entry: &Value| {
        let word = |key: &str| entry[key].as_str().unwrap_or_default().to_owned();
        format!("{}: {} {}", word("name"), word("result"), word("reason")).trim_end().to_owned()
    };
    entries.iter().map(line).collect()
}

/// Runs `chain` and gives its exit status with the results.
fn ran(chain: &str) -> (i32, Vec<String>) {
    let sandbox = with(chain);
    let printed = sandbox.scrum(&["smoke", "--format", "json", "-q"]);
    let document: Value = serde_json::from_str(&printed.stdout).unwrap_or_else(|_| panic!("{printed:?}"));
    (printed.status, results(&document))
}

/// The outputs that were kept, by file name.
fn kept(sandbox: &Sandbox) -> BTreeMap<String, String> {
    let runs = fs::read_dir(sandbox.repo().join(".scrum/reviews")).unwrap();
    let folders = runs.map(|run| run.unwrap().path().join("smoke")).filter(|folder| folder.is_dir());
    let files = folders.flat_map(|folder| fs::read_dir(folder).unwrap());
    let text = |path: &Path| String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
    files
        .map(|file| file.unwrap())
        .map(|file| (file.file_name().to_string_lossy().into_owned(), text(&file.path())))
        .collect()
}

#[test]
fn what_is_expected_decides() {
    let chain = [
        check("fine", "echo 3 passed", "expect_output = \"^[0-9]+ passed$\""),
        check("on stderr", "echo ready >&2", "expect_output = \"ready\""),
        check("missing", "echo nothing", "expect_output = \"passed\""),
        check("refuses", "exit 4", "expect_status = 4"),
        check("accepts", "exit 0", "expect_status = 4"),
        check("breaks", "echo first; echo 'no such table' >&2; exit 1", ""),
        check("slow", "sleep 1000", "timeout_secs = 1"),
        check("bytes", "printf '\\377\\376ok'", "expect_output = \"ok\""),
        check("needs it", "true", "needs = [\"breaks\"]"),
        check("needs that", "true", "needs = [\"needs it\"]"),
        check("crashes", "kill -11 $$", ""),
    ];
    let expect = [
        "fine: passed",
        "on stderr: passed",
        "missing: failed nothing in its output fits \"passed\"",
        "refuses: passed",
        "accepts: failed exit status 0, not 4",
        "breaks: failed exit status 1: no such table",
        "slow: failed it took more than 1 s and was ended",
        "bytes: passed",
        "needs it: skipped needs breaks, which failed",
        "needs that: skipped needs needs it, which was skipped",
        "crashes: failed killed by signal 11",
    ];
    assert_eq!(ran(&chain.concat()), (1, expect.map(str::to_owned).to_vec()));
}

#[test]
fn a_chain_stops_where_it_is_told_to() {
    let checks = [check("a", "exit 1", ""), check("b", "true", ""), check("c", "true", "")].concat();
    let skipped = |name: &str| format!("{name}: skipped the chain stops where a failed");
    assert_eq!(
        ran(&format!("[chain]\non_failure = \"stop\"\n{checks}")),
        (1, vec!["a: failed exit status 1".to_owned(), skipped("b"), skipped("c")])
    );
}

#[test]
fn services_and_requests() {
    let port = free_port();
    let start = format!("exec python3 server.py {port} 200");
    let address = format!("http://127.0.0.1:{port}/");
    let request = |name: &str, keys: &str| {
        format!(
            "[[smoke]]\nname = \"{name}\"\nlayer = \"service\"\nhttp = \"{address}\"\nneeds = [\"gateway\"]\n{keys}\n"
        )
    };
    let chain = [
        service("gateway", &start, &address, ""),
        request("answers", ""),
        request("is gone", "expect_status = 404"),
        request("says", "expect_output = \"ok\""),
    ];
    let (status, results) = ran(&chain.concat());
    let expect = [
        "gateway: stopped",
        "answers: passed",
        "is gone: failed status 200, not 404",
        "says: failed nothing in its body fits \"ok\"",
    ];
    assert_eq!((status, results), (1, expect.map(str::to_owned).to_vec()));
    // It has gone with the chain.
    TcpListener::bind(("127.0.0.1", port)).unwrap();
}

#[test]
fn a_service_that_is_not_there_is_inconclusive() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = other.local_addr().unwrap().to_string();
    let silent = format!("127.0.0.1:{}", free_port());
    let check = |start: &str, wait_for: &str, expect: &str| {
        let chain = service("gateway", start, wait_for, "timeout_secs = 1")
            + &self::check("health", "true", "needs = [\"gateway\"]");
        let (status, results) = ran(&chain);
        let expect = [
            format!("gateway: not-ready {expect}"),
            "health: skipped needs gateway, which was not ready".to_owned(),
        ];
        assert_eq!((status, results), (3, expect.to_vec()), "{start}");
    };
    check("sleep 1000", &taken, &format!("something already answers at {taken}"));
    check(
        "echo no config; exit 78",
        &silent,
        "it ended before it was ready: exit status 78; it says: no config",
    );
    check(
        "echo waiting; sleep 1000",
        &silent,
        &format!("it was not ready after 1 s: {silent}: Connection refused (os error 111); it says: waiting"),
    );
}

#[test]
fn a_service_that_dies_fails_the_chain() {
    let port = free_port();
    let once = SERVER.replace("server.serve_forever()", "server.handle_request(); sys.exit(9)");
    let sandbox = with(
        &(service("gateway", &format!("exec python3 once.py {port} 200"), &format!("127.0.0.1:{port}"), "")
            + &check(
                "waits",
                "until case $(ps -o stat= -p $(cat pid)) in Z*|'') ;; *) false; esac; do :; done",
                "",
            )),
    );
    sandbox.write("once.py", format!("import os\nopen('pid', 'w').write(str(os.getpid()))\n{once}"));
    let printed = sandbox.scrum(&["smoke", "-q", "--format", "json"]);
    let document: Value = serde_json::from_str(&printed.stdout).unwrap();
    assert_eq!(
        (printed.status, results(&document)),
        (
            1,
            vec![
                "gateway: died exit status 9".to_owned(),
                "waits: failed service gateway died: exit status 9".to_owned()
            ]
        )
    );
}

#[test]
fn all_that_is_printed_is_kept_under_harmless_names() {
    let chain = [
        check("../../escape", "echo out; echo err >&2; exit 3", "expect_status = 3"),
        check("Unit \u{1b}[31m|", "printf '\\033[31mred'", ""),
        check("unit 31m", "true", ""),
        check("flood", "head -c 20000000 /dev/zero | tr '\\0' x", ""),
    ];
    let sandbox = with(&chain.concat());
    let printed = sandbox.scrum(&["smoke"]);
    assert_eq!(printed.status, 0, "{printed:?}");
    let all = [printed.stdout.as_str(), &printed.stderr].concat();
    assert!(!all.contains('\u{1b}') && all.contains("Unit ␛[31m|"), "{all}");
    let mut kept = kept(&sandbox);
    let flood = kept.remove("flood.txt").unwrap();
    assert!(flood.contains("[3222784 bytes left out]") && flood.len() < 17 << 20, "{}", flood.len());
    let names: Vec<_> = kept.keys().map(String::as_str).collect();
    assert_eq!(names, ["Unit-31m.txt", "escape.txt", "unit-31m-2.txt"]);
    insta::assert_snapshot!(kept["escape.txt"], @"
    $ sh -c 'echo out; echo err >&2; exit 3'
    exit status 3

    --- standard output
    out

    --- standard error
    err
    ");
}

#[test]
fn keys_of_ours_are_not_for_commands() {
    const KEYS: &[(&str, &str)] = &[
        ("OPENAI_API_KEY", "sk-very-secret-0123456789"),
        ("GITHUB_TOKEN", "ghp-very-secret-0123456789"),
        ("MY_KEY", "my-very-secret-0123456789"),
        ("DATABASE_URL", "postgres://localhost"),
    ];
    let script = "echo ${OPENAI_API_KEY:-none} ${GITHUB_TOKEN:-none} ${MY_KEY:-none} $DATABASE_URL; exit 1";
    let sandbox = with(
        &(check("hidden", script, "") + &check("named", script, "pass_env = [\"GITHUB_TOKEN\", \"MY_*\"]")),
    );
    sandbox.write("scrum.toml", "[[reviewer]]\nid = \"kimi\"\nprovider = \"openai\"\nbase_url = \"http://127.0.0.1:1\"\nmodel = \"kimi\"\napi_key_env = \"MY_KEY\"\n");
    let printed = sandbox.scrum_with(&["smoke", "--format", "json"], KEYS);
    let document: Value = serde_json::from_str(&printed.stdout).unwrap();
    let expect = [
        "hidden: failed exit status 1: none none none postgres://localhost",
        "named: failed exit status 1: none [key] [key] postgres://localhost",
    ];
    assert_eq!(results(&document), expect);
    let all = kept(&sandbox).into_values().chain([printed.stdout, printed.stderr]).collect::<String>();
    assert!(!all.contains("very-secret") && all.contains("none [key] [key] postgres"), "{all}");
}

#[test]
fn every_form_is_valid() {
    let silent = format!("127.0.0.1:{}", free_port());
    let chain = [
        service("gateway", "exit 1", &silent, ""),
        check("a\u{1b}<&\u{7}>", "printf '\\001<x>' >&2; exit 1", "layer = \"one\"\n"),
        check("b", "true", "layer = \"two\"\nneeds = [\"gateway\"]"),
        check("c", "true", "layer = \"two\""),
    ];
    let sandbox = with(&chain.concat());
    let json = sandbox.scrum(&["smoke", "--format", "json", "-q"]).stdout;
    let schema = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/schema/smoke.schema.json"));
    assert_eq!(json_errors(schema, &serde_json::from_str(&json).unwrap()), "");
    let junit = sandbox.scrum(&["smoke", "--format", "junit", "-q"]).stdout;
    let schema = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/schemas/junit-10.xsd"));
    assert_eq!(xml_errors(schema, &junit), "");
    let printed = sandbox.scrum(&["smoke", "--format", "markdown", "-q", "-o", "smoke.md"]);
    assert_eq!((printed.status, printed.stdout.as_str()), (1, ""));
    let page = fs::read_to_string(sandbox.repo().join("smoke.md")).unwrap();
    assert!(page.starts_with("# Smoke: 1 / 3 pass in ") && !page.contains('\u{1b}'), "{page}");
}

#[test]
fn what_cannot_be_used_is_told() {
    let told = |chain: Option<&str>, arguments: &[&str]| {
        let sandbox = Sandbox::new();
        if let Some(chain) = chain {
            sandbox.write("ci/gauntlet.toml", chain);
        }
        let Printed { stdout, stderr, status } = sandbox.scrum(&[&["smoke"], arguments].concat());
        assert_eq!((stdout.as_str(), status), ("", 2), "{stderr}");
        assert!(!sandbox.repo().join(".scrum").exists());
        stderr.replace(&*sandbox.repo().to_string_lossy(), "REPO")
    };
    let file = ["ci/gauntlet.toml"];
    insta::assert_snapshot!(told(None, &[]), @"
    error: there is no file gauntlet.toml
    hint: docs/design/gauntlet.md says what stands in one: [[smoke]], [[service]]
    ");
    insta::assert_snapshot!(told(Some(""), &file), @r#"
    error: ci/gauntlet.toml declares no check
    hint: declare one: [[smoke]] with name = "unit", command = ["make", "test"]
    "#);
    insta::assert_snapshot!(told(Some("[[smoke]]\nname = \"a\"\ncommand = [\"a\"]\nneed = [\"b\"]"), &file), @"
    error: REPO/ci/gauntlet.toml:4: unknown field `need`, expected one of `name`, `layer`, `command`, `folder`, `env`, `pass_env`, `http`, `method`, `headers`, `body`, `json`, `timeout_secs`, `expect_status`, `expect_output`, `needs`, `parallel`, `on_failure`
    hint: did you mean `needs`?
    ");
    insta::assert_snapshot!(told(Some("[[smoke]]\nname = \"unit\"\ncommand = [\"a\"]\n[[smoke]]\nname = \"b\"\ncommand = [\"a\"]\nneeds = [\"unti\"]"), &file), @r#"
    error: REPO/ci/gauntlet.toml:4: smoke 2: no check or service named "unti"
    hint: did you mean `unit`?
    "#);
    insta::assert_snapshot!(told(Some("[[smoke]]\nname = \"a\"\ncommand = \"make test\""), &file), @r#"
    error: REPO/ci/gauntlet.toml:3: command is "make test", it must be a list
    hint: write `command = ["make", "test"]`
    "#);
    insta::assert_snapshot!(told(Some("[[smoke]\nname"), &file), @"error: REPO/ci/gauntlet.toml:1: unclosed array table, expected `]`");
    insta::assert_snapshot!(told(Some("[[smoke]]\nname = \"a\"\ncommand = [\"a\"]"), &["ci/gauntlet.toml", "-o", "no/such/file"]), @"error: cannot write no/such/file: there is no folder no/such");
}

/// `scrum smoke` over `chain`, in a process group of its own as in a shell.
fn begun(sandbox: &Sandbox) -> Child {
    let mut command = sandbox.command(env!("CARGO_BIN_EXE_scrum"));
    command.arg("smoke").process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[tokio::test]
async fn an_interrupt_leaves_nobody_behind() {
    let (dir, port) = (tempfile::tempdir().unwrap(), free_port());
    let (path, line) = life_line(dir.path());
    let start =
        format!("exec 9>'{path}'; (sh -c 'sleep 1000 & sleep 1000') & exec python3 server.py {port} 200");
    let script = format!("exec 9>'{path}'; echo here >&9; (sh -c 'sleep 1000 & sleep 1000') & sleep 1000");
    let sandbox = with(
        &(service("gateway", &start, &format!("127.0.0.1:{port}"), "")
            + &check("hangs", &script, "needs = [\"gateway\"]")
            + &check("later", "true", "")),
    );
    let child = begun(&sandbox);
    line.readable().await.unwrap();
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT).unwrap();
    let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
    let printed = crate::sandbox::printed(&output);
    assert_eq!(printed.status, 130, "{printed:?}");
    assert!(printed.stdout.contains("skipped  hangs and later: interrupted"), "{printed:?}");
    assert_eq!(gone(line).await, "here\n");
    assert!(kept(&sandbox).contains_key("gateway.txt"));
}

#[tokio::test]
async fn a_second_interrupt_ends_even_who_does_not_want_to() {
    let dir = tempfile::tempdir().unwrap();
    let (path, line) = life_line(dir.path());
    let script = format!("trap 'echo no' TERM; exec 9>'{path}'; echo here >&9; while :; do sleep 1000; done");
    let sandbox = with(&check("stubborn", &script, ""));
    let mut child = begun(&sandbox);
    let stderr = BufReader::new(child.stderr.take().unwrap());
    line.readable().await.unwrap();
    let pid = Pid::from_raw(child.id().cast_signed());
    kill(pid, Signal::SIGINT).unwrap();
    kill(pid, Signal::SIGTERM).unwrap();
    let status = tokio::task::spawn_blocking(move || child.wait().unwrap()).await.unwrap();
    assert_eq!(status.code(), Some(130));
    assert!(stderr.lines().any(|line| line.unwrap().contains("ended at once")));
    assert_eq!(gone(line).await, "here\n");
}
