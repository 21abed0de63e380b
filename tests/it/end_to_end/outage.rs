//! Providers that are out of order and budgets that are used up: who answers instead, and what the tally makes of it.

use std::fs;

use serde_json::{Value, json};

use super::{
    finding, good, is_kept_as_printed, json, ledger, model, newest, nowhere_url, program, review, scene,
};
use crate::{
    mock::{Act, Mock},
    sandbox::Sandbox,
};

/// A reviewer of a model where nobody listens.
fn nowhere(id: &str, name: &str) -> String {
    let url = nowhere_url();
    format!("[[reviewer]]\nid = \"{id}\"\nprovider = \"openai\"\nmodel = \"{name}\"\nbase_url = \"{url}\"\n")
}

/// `entry` with a stand-in.
fn with(entry: &str, stand_in: &str) -> String {
    format!("{entry}fallback = [\"{stand_in}\"]\n")
}

/// The repository with `panel` = "auto".
fn automatic(components: &[&str], reviewers: &[String]) -> Sandbox {
    let sandbox = scene(components, reviewers);
    let config = fs::read_to_string(sandbox.repo().join("scrum.toml")).unwrap();
    sandbox.write("scrum.toml", config.replace("panel = \"test\"", "panel = \"auto\""));
    sandbox
}

/// Who answered each task: `opus by opus-2`.
fn answered_by(tally: &Value) -> Vec<String> {
    let line = |task: &Value| {
        let by = task["answered_by"]
            .as_str()
            .map(|by| format!(" by {by} ({})", task["answered_model"].as_str().unwrap()));
        format!(
            "{} {}{}",
            task["reviewer"].as_str().unwrap(),
            task["state"].as_str().unwrap(),
            by.unwrap_or_default()
        )
    };
    tally["coverage"].as_array().unwrap().iter().map(line).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_does_not_change_what_convergence_means() {
    let mock = good().await;
    let panel = [
        with(&nowhere("opus", "claude-opus-4-7"), "opus-2"),
        model("opus-2", "anthropic/claude-opus-4-7", &mock),
        model("gpt", "gpt-5", &mock),
    ];
    let sandbox = automatic(&["alpha", "beta"], &panel);
    let printed = review(&sandbox, &["--format", "json"]);
    assert_eq!(printed.status, 0, "{printed:?}");
    let tally = json(&printed);
    assert_eq!(
        answered_by(&tally),
        [
            "gpt answered",
            "history answered",
            "opus answered by opus-2 (anthropic/claude-opus-4-7)",
            "rules answered",
        ]
        .repeat(2)
    );
    for issue in tally["issues"].as_array().unwrap() {
        assert_eq!(
            (&issue["convergence"], &issue["lineages"], &issue["reviewers"]),
            (&json!(2), &json!(["anthropic", "openai"]), &json!(["gpt", "opus"]))
        );
    }
    is_kept_as_printed(&sandbox, &printed);
    assert!(
        printed.stderr.contains("Connection refused (os error 111) · opus-2 is asked instead\n"),
        "{}",
        printed.stderr
    );
    assert!(newest(&sandbox).join("replies/c1_alpha__opus.md").is_file());
    let table = sandbox.scrum(&["report", "latest"]).stdout;
    let line = "opus: opus-2 (anthropic/claude-opus-4-7) answered in its place on all 2 bundles";
    assert!(table.contains(line), "{table}");
    let markdown = sandbox.scrum(&["report", "latest", "--format", "markdown"]).stdout;
    assert!(
        markdown.contains("opus-2 (anthropic/claude-opus-4-7) answered in its place on all 2 bundles"),
        "{markdown}"
    );
    let again = sandbox
        .scrum_with(&["review", "--resume", "latest", "--format", "json"], &[("MOCK_KEY", super::KEY)]);
    assert_eq!(answered_by(&json(&again)), answered_by(&tally), "{again:?}");
    assert_eq!(mock.asked().len(), 4, "nothing is asked twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_missing_leaves_the_seat_to_the_stand_in() {
    let mock = good().await;
    let keyless = model("opus", "claude-opus-4-7", &mock).replace("MOCK_KEY", "UNSET_KEY");
    let panel = [with(&keyless, "opus-2"), model("opus-2", "claude-opus-4-7", &mock)];
    let sandbox = automatic(&["alpha"], &panel);
    let printed = review(&sandbox, &["-r", "opus", "--min-lineages", "1", "--format", "json"]);
    assert_eq!(printed.status, 0, "{printed:?}");
    let warning = "warning: opus-2 is asked in the place of opus: UNSET_KEY is not set\n";
    assert!(printed.stderr.contains(warning), "{}", printed.stderr);
    let tally = json(&printed);
    assert_eq!(answered_by(&tally), ["opus answered by opus-2 (claude-opus-4-7)"]);
    assert_eq!(ledger(&tally), ["c1_alpha opus answered: opus-2 was asked instead: UNSET_KEY is not set"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_is_not_there_has_a_stand_in_as_well() {
    let mock = good().await;
    let gone = "[[reviewer]]\nid = \"claude\"\nprovider = \"command\"\nmodel = \"claude\"\ncommand = [\"no-such-program\"]\n";
    let panel = [with(gone, "opus"), model("opus", "claude-opus-4-7", &mock)];
    let sandbox = automatic(&["alpha"], &panel);
    let printed = review(&sandbox, &["-r", "claude", "--format", "json"]);
    assert_eq!(answered_by(&json(&printed)), ["claude answered by opus (claude-opus-4-7)"], "{printed:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stand_in_of_another_lineage_is_refused() {
    let mock = good().await;
    let panel = [with(&model("opus", "claude-opus-4-7", &mock), "gpt"), model("gpt", "gpt-5", &mock)];
    let sandbox = scene(&["alpha"], &panel);
    let printed = review(&sandbox, &[]);
    let root = format!("{}/", sandbox.repo().display());
    insta::assert_snapshot!(printed.stderr.replace(&root, ""), @r#"
    error: scrum.toml:8: reviewer "opus": fallback "gpt": it is of lineage openai, not anthropic: agreement would mean something else
    hint: configure another [[reviewer]] of that lineage, on another provider, and name it here
    "#);
    assert_eq!((printed.status, mock.asked().len()), (2, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dry_run_names_and_prices_the_stand_in() {
    let mock = good().await;
    let keyless = model("opus", "claude-opus-4-7", &mock).replace("MOCK_KEY", "UNSET_KEY");
    let panel = [with(&keyless, "opus-2"), model("opus-2", "claude-haiku-4-5", &mock)];
    let sandbox = scene(&["alpha"], &panel);
    let printed = review(&sandbox, &["-r", "opus", "--dry-run", "--min-lineages", "1"]);
    let told = printed.stdout.replace("\n  ", " ");
    let line =
        "would ask opus-2 in the place of opus (UNSET_KEY is not set): claude-haiku-4-5, lineage anthropic";
    assert!(told.contains(line), "{printed:?}");
    let arguments = ["-r", "opus", "--dry-run", "--min-lineages", "1", "--format", "json"];
    let preview = json(&review(&sandbox, &arguments));
    let forecast = &preview["forecast"][0];
    assert_eq!((&forecast["reviewer"], &forecast["asked"]), (&json!("opus"), &json!("opus-2")));
    assert_eq!(mock.asked().len(), 0);
}

#[test]
fn tokens_that_a_program_does_not_tell_count_after_a_resume_too() {
    let program = "[[reviewer]]\nid = \"bot\"\nprovider = \"command\"\nmodel = \"claude-opus-4-7\"\ncommand = [\"echo\", \"VERDICT: ship\"]\n";
    let sandbox = scene(&["alpha", "beta", "gamma"], &[program.to_owned()]);
    let limits = ["--concurrency", "1", "--max-tokens", "20", "--format", "json"];
    let states = |printed: &crate::sandbox::Printed| {
        let tally = json(printed);
        let tasks = tally["coverage"].as_array().unwrap().iter();
        tasks.map(|task| task["state"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let first = review(&sandbox, &[&["-r", "bot"], limits.as_slice()].concat());
    assert_eq!(states(&first), ["answered", "skipped", "skipped"], "{first:?}");
    let again = sandbox.scrum(&[&["review", "--resume", "latest"], limits.as_slice()].concat());
    assert_eq!(states(&again), ["answered", "skipped", "skipped"], "{again:?}");
    assert_eq!(json(&again)["coverage"][0]["tokens_in"], json!(null), "a guess is no count");
}

/// A reviewer whose questions cost 10 cents each: the mock tells of seven tokens in and three out.
fn priced(mock: &Mock) -> String {
    model("opus", "claude-opus-4-7", mock) + "price = { input = 10000, output = 10000 }\n"
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_budget_that_is_used_up_is_inconclusive_and_can_be_raised() {
    let mock = good().await;
    let sandbox = scene(&["alpha", "beta", "gamma", "delta"], &[priced(&mock)]);
    let arguments = ["--concurrency", "1", "--max-cost", "0.2", "--format", "json"];
    let printed = review(&sandbox, &arguments);
    assert_eq!(printed.status, 3, "{printed:?}");
    assert_eq!(mock.asked().len(), 2);
    let tally = json(&printed);
    let skipped = ledger(&tally)
        .into_iter()
        .filter(|line| line.ends_with(" opus skipped: the budget of $0.20 is used up"));
    assert_eq!(skipped.count(), 2, "{:?}", ledger(&tally));
    assert_eq!(
        (&tally["gate"]["result"], &tally["gate"]["reasons"][0]),
        (&json!("inconclusive"), &json!("the budget of $0.20 is used up"))
    );
    assert_eq!(tally["verdict"]["result"], json!("inconclusive"));
    assert!(
        printed.stderr.contains("nothing more is asked: the budget of $0.20 is used up"),
        "{}",
        printed.stderr
    );
    is_kept_as_printed(&sandbox, &printed);
    assert_eq!(sandbox.scrum(&["report", "latest", "--format", "json"]).stdout, printed.stdout);

    let resume = |cost: &str| {
        let arguments = ["review", "--resume", "latest", "--max-cost", cost, "--format", "json"];
        sandbox.scrum_with(&arguments, &[("MOCK_KEY", super::KEY)])
    };
    let still = resume("0.20");
    assert_eq!((still.status, mock.asked().len()), (3, 2), "what was spent before counts: {still:?}");
    let enough = resume("$1");
    assert_eq!((enough.status, mock.asked().len()), (0, 4), "{enough:?}");
    assert_eq!(json(&enough)["run"]["cut_short"], Value::Null);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_on_tokens_from_the_configuration() {
    let mock = good().await;
    let sandbox = scene(&["alpha", "beta", "gamma"], &[model("opus", "claude-opus-4-7", &mock)]);
    let config = fs::read_to_string(sandbox.repo().join("scrum.toml")).unwrap();
    sandbox.write("scrum.toml", config.replace("[review]\n", "[review]\nmax_tokens = 10\nconcurrency = 1\n"));
    let printed = review(&sandbox, &["--format", "json"]);
    assert_eq!((printed.status, mock.asked().len()), (3, 1), "{printed:?}");
    let again = review(&sandbox, &["--max-tokens", "10", "--format", "json"]);
    assert_eq!((again.status, mock.asked().len()), (3, 2), "what the cache answers is not spent: {again:?}");
    let over = review(&sandbox, &["--max-tokens", "1000", "--no-cache", "--format", "json"]);
    assert_eq!((over.status, mock.asked().len()), (0, 5), "the command line counts for more: {over:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_can_count_is_said_before() {
    let mock = good().await;
    // The mock is on this machine and costs nothing; the program might.
    let panel = [model("opus", "claude-opus-4-7", &mock), program("agent", "echo VERDICT: ship")];
    let printed = review(&scene(&["alpha"], &panel), &["--max-cost", "1"]);
    let about_price: Vec<&str> =
        printed.stderr.lines().filter(|line| line.contains("has no price")).collect();
    let expect = "warning: agent has no price, so the limit on cost counts only what it tells itself: give it a `price`, or limit tokens";
    assert_eq!(about_price, [expect], "{}", printed.stderr);
    let wrong = review(&scene(&["alpha"], &panel), &["--max-cost", "much"]);
    assert!(wrong.status == 2 && wrong.stderr.contains("must be an amount such as 0.50"), "{wrong:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_budget_counts_what_is_asked_about_findings() {
    let mock = Mock::start(|asked| {
        std::future::ready(match finding(&asked) {
            Act::Reply(text) if asked.body["model"] == "claude-opus-4-7" => {
                Act::Reply(text.replace("WARN", "BLOCK"))
            }
            _ => Act::Reply("VERDICT: ship".to_owned()),
        })
    })
    .await;
    let panel = [priced(&mock), model("gpt", "gpt-5", &mock)];
    let sandbox = scene(&["alpha", "beta"], &panel);
    let printed =
        review(&sandbox, &["--verify", "--max-tokens", "40", "--concurrency", "1", "--format", "json"]);
    assert_eq!((printed.status, mock.asked().len()), (3, 4), "{printed:?}");
    let reason = &json(&printed)["issues"][0]["examinations"][0]["reason"];
    assert_eq!(reason, &json!("the budget of 40 tokens is used up"));
}
