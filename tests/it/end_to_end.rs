//! A panel as a user meets it: the built binary, real HTTP, real programs.

mod cache;
mod faults;
mod interrupt;
mod judging;
mod keys;
mod outage;
mod samples;
mod secrets;

use std::{fs, path::PathBuf};

use serde_json::Value;

use crate::{
    mock::{Act, Asked, Mock},
    sandbox::{Printed, Sandbox},
};

/// A repository whose last commit adds a file to each of `components`, which are bundles of their own; the panel is `reviewers`.
fn scene(components: &[&str], reviewers: &[String]) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.script("git commit -q --allow-empty -m start");
    let declared = components.iter().map(|name| {
        sandbox.write(&format!("{name}/code.py"), "def share(a, b):\n    return a / b\n");
        format!("[[component]]\nname = \"{name}\"\npaths = [\"{name}/**\"]\n")
    });
    let declared: String = declared.collect();
    sandbox.script("git add -A; git commit -qm 'Share evenly'");
    let ids: Vec<&str> = reviewers.iter().filter_map(|entry| entry.split('"').nth(1)).collect();
    let panel = format!("[review]\npanel = \"test\"\n[panel.test]\nreviewers = {ids:?}\n");
    sandbox.write("scrum.toml", format!("{panel}{declared}{}", reviewers.concat()));
    sandbox
}

/// A reviewer behind `mock`, asked with the key in `MOCK_KEY`.
fn model(id: &str, name: &str, mock: &Mock) -> String {
    format!(
        "[[reviewer]]\nid = \"{id}\"\nprovider = \"openai\"\nmodel = \"{name}\"\nbase_url = \"{}\"\napi_key_env = \"MOCK_KEY\"\n",
        mock.url
    )
}

/// A reviewer that is a shell script.
fn program(id: &str, script: &str) -> String {
    format!(
        "[[reviewer]]\nid = \"{id}\"\nprovider = \"command\"\ncommand = [\"sh\", \"-c\", {script:?}]\nwork_dir = \".\"\n"
    )
}

pub(crate) const KEY: &str = "sk-very-secret-0123456789";

/// Reviews the last commit; `arguments` are further ones.
fn review(sandbox: &Sandbox, arguments: &[&str]) -> Printed {
    let arguments = [&["review", "HEAD~1..HEAD"], arguments].concat();
    sandbox.scrum_with(&arguments, &[("MOCK_KEY", KEY)])
}

/// A base URL where nobody listens.
fn nowhere_url() -> String {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    format!("http://{free}/v1")
}

/// What a good reviewer says about any of the bundles.
fn finding(asked: &Asked) -> Act {
    let prompt = asked.body["messages"][1]["content"].as_str().unwrap();
    let component = word_after(prompt, "in component ").trim_end_matches('.');
    let nonce = word_after(prompt, "<<<DIFF ");
    Act::Reply(format!(
        "SEVERITY: WARN\nWHERE: {component}/code.py:2\nQUOTE: return a / b\nWHAT: Division by zero when b is 0.\n\
         WHY: Nothing checks b before the division.\n\nVERDICT: ship-with-fixes, check b first\nEND {nonce}\n"
    ))
}

fn word_after<'a>(text: &'a str, mark: &str) -> &'a str {
    let from = text.find(mark).unwrap() + mark.len();
    text[from..].split_whitespace().next().unwrap()
}

async fn good() -> Mock {
    Mock::start(|asked| std::future::ready(finding(&asked))).await
}

fn json(printed: &Printed) -> Value {
    serde_json::from_str(&printed.stdout).unwrap_or_else(|error| panic!("{error}: {printed:?}"))
}

/// The ledger: `c1_alpha opus answered`, and why if not.
fn ledger(tally: &Value) -> Vec<String> {
    let line = |task: &Value| {
        let word = |key: &str| task[key].as_str().unwrap_or_default().to_owned();
        let reason = word("reason");
        let reason = if reason.is_empty() { reason } else { format!(": {reason}") };
        format!("{} {} {}{reason}", word("bundle"), word("reviewer"), word("state"))
    };
    tally["coverage"].as_array().unwrap().iter().map(line).collect()
}

/// The folder of the newest run.
fn newest(sandbox: &Sandbox) -> PathBuf {
    let runs = fs::read_dir(sandbox.repo().join(".scrum/reviews")).unwrap().flatten();
    runs.map(|entry| entry.path()).filter(|path| path.is_dir()).max().unwrap()
}

/// What is on disk says the same as what was printed.
fn is_kept_as_printed(sandbox: &Sandbox, printed: &Printed) {
    let saved = fs::read_to_string(newest(sandbox).join("tally.json")).unwrap();
    assert_eq!(saved, printed.stdout);
    let again = sandbox.scrum(&["tally", "latest", "--format", "json"]);
    assert_eq!(again.stdout, saved, "{}", again.stderr);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_models_of_two_lineages_agree_on_every_bundle() {
    let mock = good().await;
    let panel = [
        model("opus", "claude-opus-4-7", &mock),
        model("sonnet", "claude-sonnet-4-5", &mock),
        model("gpt", "gpt-5", &mock),
    ];
    let sandbox = scene(&["alpha", "beta", "gamma"], &panel);
    let printed = review(&sandbox, &["--format", "json"]);
    assert_eq!(printed.status, 0, "{printed:?}");
    let tally = json(&printed);
    assert!(ledger(&tally).iter().all(|line| line.ends_with(" answered")), "{:?}", ledger(&tally));
    for task in tally["coverage"].as_array().unwrap() {
        assert_eq!((task["tokens_in"].as_u64(), task["tokens_out"].as_u64()), (Some(7), Some(3)));
    }
    let agreed = |issue: &Value| {
        (
            issue["convergence"].as_u64(),
            issue["agreement"].as_str() == Some("claim"),
            issue["reviewers"].as_array().map(Vec::len),
        )
    };
    let issues: Vec<_> = tally["issues"].as_array().unwrap().iter().map(agreed).collect();
    assert_eq!(issues, [(Some(2), true, Some(3)); 3]);
    is_kept_as_printed(&sandbox, &printed);
    let run = newest(&sandbox);
    assert_eq!(fs::read_dir(run.join("replies")).unwrap().count(), 9);
    assert_eq!(fs::read_to_string(run.join("outcomes.jsonl")).unwrap().lines().count(), 9);
    let asked = mock.asked();
    assert_eq!(asked.len(), 9);
    assert!(asked.iter().all(|asked| asked.headers["authorization"] == format!("Bearer {KEY}")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_at_a_time_when_told_so() {
    let mock = good().await;
    let sandbox =
        scene(&["alpha", "beta"], &[model("opus", "claude-opus-4-7", &mock), model("gpt", "gpt-5", &mock)]);
    let printed = review(&sandbox, &["--concurrency", "1", "--format", "json"]);
    assert_eq!((printed.status, mock.most_open(), mock.asked().len()), (0, 1, 4), "{printed:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stdout_holds_data_only_and_quiet_is_quiet() {
    let mock = good().await;
    let sandbox = scene(&["alpha"], &[model("opus", "claude-opus-4-7", &mock)]);
    let loud = review(&sandbox, &["--format", "json"]);
    json(&loud);
    assert!(loud.stderr.contains("c1 alpha · opus · answered in "), "{}", loud.stderr);
    let quiet = review(&sandbox, &["--quiet", "--format", "json"]);
    json(&quiet);
    assert_eq!((quiet.status, quiet.stderr.as_str()), (0, ""));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_goes_away_costs_nothing() {
    let mock = good().await;
    let sandbox = scene(&["alpha"], &[model("opus", "claude-opus-4-7", &mock)]);
    let script =
        format!("{} review HEAD~1..HEAD | true; echo ${{PIPESTATUS[0]}}", env!("CARGO_BIN_EXE_scrum"));
    let output = sandbox.command("bash").args(["-c", &script]).env("MOCK_KEY", KEY).output().unwrap();
    let printed = crate::sandbox::printed(&output);
    assert_eq!((printed.stdout.as_str(), printed.stderr.contains("error")), ("0\n", false), "{printed:?}");
    assert!(newest(&sandbox).join("tally.json").is_file());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_gate_speaks_through_the_exit_status() {
    let mock = good().await;
    let down = Mock::always(|| Act::Page { status: 400, headers: Vec::new(), body: String::new() }).await;
    let panel = [
        model("opus", "claude-opus-4-7", &mock),
        model("gpt", "gpt-5", &mock),
        model("down", "kimi-k2", &down),
    ];
    let sandbox = scene(&["alpha"], &panel);
    let check = |arguments: &[&str], expect: i32| {
        let printed = review(&sandbox, arguments);
        assert_eq!(printed.status, expect, "{arguments:?} {printed:?}");
    };
    check(&["--fail-on", "never"], 0);
    check(&["--fail-on", "block"], 0);
    check(&["--fail-on", "warn"], 1);
    check(&["--fail-on", "any"], 1);
    check(&["--fail-on", "convergent"], 1);
    check(&["--fail-on", "convergent", "-r", "opus"], 0);
    check(&["--fail-on", "sometimes"], 2);
    check(&["--min-lineages", "2"], 0);
    check(&["--min-lineages", "3"], 3);
    check(&["--fail-on", "block", "--min-lineages", "3"], 3);
    check(&["--fail-on", "warn", "--min-lineages", "3"], 1);
    check(&["-r", "down"], 3);
}

#[test]
fn a_dash_for_a_file_is_standard_output() {
    let sandbox = crate::dispose::reviewed();
    for arguments in [
        &["report", "--format", "json"][..],
        &["tally", "latest", "--format", "sarif"],
        &["review", "--panel", "both", "HEAD~1..HEAD", "--format", "markdown"],
        &["review", "--dry-run", "HEAD~1..HEAD"],
        &["bundle", "--dry-run", "HEAD~1..HEAD"],
        &["stats"],
        &["lineage", "gpt-5"],
        &["doctor"],
        &["init"],
    ] {
        let printed = sandbox.scrum(&[arguments, &["-o", "-"]].concat());
        assert!(!printed.stdout.is_empty(), "{arguments:?} {printed:?}");
        assert!(!sandbox.repo().join("-").exists(), "{arguments:?}");
    }
}
