//! What was answered once is not asked again: what counts as the same, and what a bad cache does.

use std::{fs, path::PathBuf};

use serde_json::{Value, json};

use super::{KEY, finding, good, json, ledger, model, review, scene, word_after};
use crate::{
    mock::{Act, Asked, Mock},
    sandbox::{Printed, Sandbox},
};

/// The models and components asked since `before` requests, in order of their names.
fn asked_since(mock: &Mock, before: usize) -> Vec<String> {
    let told = |asked: &Asked| {
        let prompt = asked.body["messages"][1]["content"].as_str().unwrap();
        let component = word_after(prompt, "in component ").trim_end_matches('.').to_owned();
        format!("{} {component}", asked.body["model"].as_str().unwrap())
    };
    let mut told: Vec<String> = mock.asked().iter().skip(before).map(told).collect();
    told.sort();
    told
}

/// The tally without what differs from run to run: its name and times, and what asking took.
fn findings(printed: &Printed) -> Value {
    let mut tally = json(printed);
    tally["run"] = Value::Null;
    tally["totals"]["spent"] = Value::Null;
    let seats = tally["panel"].as_array_mut().unwrap();
    for seat in seats {
        seat["spent"] = Value::Null;
    }
    for task in tally["coverage"].as_array_mut().unwrap() {
        let task = task.as_object_mut().unwrap();
        for fact in [
            "attempts",
            "cached",
            "latency_ms",
            "asked_ms",
            "first_token_ms",
            "tokens_in",
            "tokens_out",
            "cost_usd",
        ] {
            task.remove(fact);
        }
    }
    tally
}

/// The kept replies.
fn kept(sandbox: &Sandbox) -> Vec<PathBuf> {
    let entries = fs::read_dir(sandbox.repo().join(".scrum/cache")).into_iter().flatten().flatten();
    let replies =
        entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "json"));
    replies.collect()
}

fn json_review(sandbox: &Sandbox) -> Printed {
    review(sandbox, &["--format", "json"])
}

async fn two_by_two() -> (Mock, Sandbox) {
    let mock = good().await;
    let panel = [model("opus", "claude-opus-4-7", &mock), model("gpt", "gpt-5", &mock)];
    let sandbox = scene(&["alpha", "beta"], &panel);
    (mock, sandbox)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_question_twice_costs_nothing() {
    let (mock, sandbox) = two_by_two().await;
    let first = json_review(&sandbox);
    assert_eq!((mock.asked().len(), first.status), (4, 0), "{first:?}");
    // 7 tokens in and 3 out, twice at $5 and $25 the million, twice at $1.25 and $10.
    let spent = json!({
        "answers": 4, "cached": 0, "unpriced": 0, "tokens_in": 28, "tokens_out": 12, "cost_usd": 0.000_297_5,
    });
    assert_eq!(json(&first)["totals"]["spent"], spent);

    let second = json_review(&sandbox);
    assert_eq!(mock.asked().len(), 4);
    assert!(second.stderr.contains("4 of 4 answers from the cache"), "{}", second.stderr);
    assert_eq!(findings(&second), findings(&first));
    let task = &json(&second)["coverage"][0];
    let facts = ["cached", "attempts", "latency_ms", "asked_ms", "tokens_in", "cost_usd"];
    let facts = facts.map(|key| task[key].clone());
    assert_eq!(facts, [json!(true), json!(0), json!(0), Value::Null, Value::Null, json!(0.0)]);
    let spent = json!({
        "answers": 0, "cached": 4, "unpriced": 0, "tokens_in": null, "tokens_out": null, "cost_usd": 0.0,
    });
    assert_eq!(json(&second)["totals"]["spent"], spent);
    super::is_kept_as_printed(&sandbox, &second);

    let table = sandbox.scrum(&["report", "latest"]).stdout;
    assert!(table.contains("Coverage: all 4 answered by 2 lineages (4 of 4 from the cache)"), "{table}");
    let preview = review(&sandbox, &["--dry-run"]).stdout;
    assert!(preview.contains("2 of 2 answers in the cache"), "{preview}");
    assert!(preview.contains("0 requests; nothing was sent"), "{preview}");
    let shown = sandbox.scrum(&["cache"]).stdout;
    assert!(shown.starts_with(".scrum/cache: 4 answers, "), "{shown}");
    assert!(shown.ends_with("used 4 times, which saved under $0.01\n"), "{shown}");
    assert!(
        sandbox.scrum(&["cache", "prune", "--older-than", "1h"]).stdout.starts_with("taken out: 0 answers")
    );
    assert!(sandbox.scrum(&["cache", "prune", "--all"]).stdout.starts_with("taken out: 4 answers"));
    assert!(kept(&sandbox).is_empty());
    json_review(&sandbox);
    assert_eq!(mock.asked().len(), 8);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_one_more_commit_only_what_changed_is_asked() {
    let (mock, sandbox) = two_by_two().await;
    let base = sandbox.script("git rev-parse HEAD~1");
    let range = format!("{}..HEAD", base.trim());
    let again = || sandbox.scrum_with(&["review", &range, "--format", "json"], &[("MOCK_KEY", KEY)]);
    assert_eq!(again().status, 0);
    // The new part stands first, so every bundle has another number; its message is new intent for all of them.
    sandbox.write("aardvark/code.py", "def share(a, b):\n    return a / b\n");
    sandbox.script(
        "printf 'def more(b): return 1 / b\\n' >> beta/code.py; git add aardvark beta; git commit -qm 'Share more'",
    );
    let second = again();
    assert_eq!(
        asked_since(&mock, 4),
        ["claude-opus-4-7 aardvark", "claude-opus-4-7 beta", "gpt-5 aardvark", "gpt-5 beta"]
    );
    assert!(second.stderr.contains("2 of 6 answers from the cache"), "{}", second.stderr);
    let alpha =
        json(&second)["coverage"].as_array().unwrap().iter().filter(|task| task["cached"] == true).count();
    assert_eq!((alpha, ledger(&json(&second))[2].as_str()), (2, "c2_alpha gpt answered"));
    super::is_kept_as_printed(&sandbox, &second);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_question_is_another_question() {
    let mock = good().await;
    let entry = model("opus", "claude-opus-4-7", &mock);
    let sandbox = scene(&["alpha"], std::slice::from_ref(&entry));
    let configured = fs::read_to_string(sandbox.repo().join("scrum.toml")).unwrap();
    let mut asked = 0;
    let mut check = |name: &str, configuration: &str, is_new: bool| {
        sandbox.write("scrum.toml", configuration);
        assert_eq!(json_review(&sandbox).status, 0, "{name}");
        asked += usize::from(is_new);
        assert_eq!(mock.asked().len(), asked, "{name}");
    };
    check("first", &configured, true);
    check("temperature", &format!("{configured}temperature = 0.5\n"), true);
    check("limit", &format!("{configured}max_output_tokens = 900\n"), true);
    check("model", &configured.replace("claude-opus-4-7", "claude-opus-4-8"), true);
    check("address", &configured.replace("/v1", "/v2"), true);
    let prompt = include_str!("../../../prompts/review.system.md").to_owned() + "\nBe brief.\n";
    sandbox.write("mine.md", prompt);
    check("prompt", &format!("{configured}[prompt]\nsystem = \"mine.md\"\n"), true);
    check("price", &format!("{configured}price = {{ input = 1, output = 2 }}\n"), false);
    check("patience", &format!("{configured}timeout_secs = 77\n"), false);
    check("name", &configured.replace("\"opus\"", "\"claude\""), false);
    check("first again", &configured, false);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_cache_everything_is_asked_and_kept() {
    let (mock, sandbox) = two_by_two().await;
    json_review(&sandbox);
    let variables = [("MOCK_KEY", KEY), ("SCRUM_NO_CACHE", "1")];
    assert_eq!(review(&sandbox, &["--no-cache"]).status, 0);
    assert_eq!(sandbox.scrum_with(&["review", "HEAD~1..HEAD"], &variables).status, 0);
    assert_eq!((mock.asked().len(), kept(&sandbox).len()), (12, 4));
    json_review(&sandbox);
    assert_eq!(mock.asked().len(), 12);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_seats_of_one_model_keep_their_own_answers() {
    let mock = Mock::start(|asked| {
        let verdict = if asked.number % 2 == 0 { "hold" } else { "ship" };
        std::future::ready(Act::Reply(format!("VERDICT: {verdict}, {}\n", asked.number)))
    })
    .await;
    let sandbox = scene(&["alpha"], &["one", "two"].map(|id| model(id, "gpt-5", &mock)));
    let first = json_review(&sandbox);
    let second = json_review(&sandbox);
    assert_eq!((mock.asked().len(), findings(&second)), (2, findings(&first)));
    let tally = json(&second);
    assert_ne!(tally["coverage"][0]["verdict"], tally["coverage"][1]["verdict"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn how_an_answer_was_asked_for_is_kept_with_it() {
    let mock = good().await;
    let left_out = "temperature = 0.5\nleave_out = { temperature = [\"*\"] }\n";
    let sandbox = scene(&["alpha"], &[model("opus", "claude-opus-4-7", &mock) + left_out]);
    let (first, second) = (json_review(&sandbox), json_review(&sandbox));
    assert_eq!((mock.asked().len(), findings(&second)), (1, findings(&first)));
    let remark = json!("asked without temperature, which the model does not take");
    assert_eq!(json(&second)["coverage"][0]["reason"], remark);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_whole_answer_is_asked_again() {
    let mock = Mock::start(|asked| {
        let chatter = || Act::Reply("Sure, I will look into it.\n".to_owned());
        std::future::ready(if asked.number == 0 { chatter() } else { finding(&asked) })
    })
    .await;
    let sandbox = scene(&["alpha"], &[model("opus", "claude-opus-4-7", &mock)]);
    let states =
        [json_review(&sandbox), json_review(&sandbox), json_review(&sandbox)].map(|printed| printed.status);
    assert_eq!((states, mock.asked().len()), ([3, 0, 0], 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_cache_is_as_good_as_none() {
    let mock = good().await;
    let sandbox = scene(&["alpha"], &[model("opus", "claude-opus-4-7", &mock)]);
    let first = json_review(&sandbox);
    let [path] = kept(&sandbox).try_into().unwrap();
    let whole = fs::read_to_string(&path).unwrap();
    let damages =
        [String::new(), whole[..whole.len() / 2].to_owned(), whole.replace("WARN", "INFO"), "\0".repeat(99)];
    for (times, damage) in damages.iter().enumerate() {
        fs::write(&path, damage).unwrap();
        let again = json_review(&sandbox);
        assert_eq!((findings(&again), mock.asked().len()), (findings(&first), times + 2));
    }
    // A pipe would be waited for.
    sandbox.script(&format!("rm {0} && mkfifo {0}", path.display()));
    assert_eq!(findings(&json_review(&sandbox)), findings(&first));
    assert!(path.is_file());
    // Where nothing can be noted, what is there is used all the same.
    let asked = mock.asked().len();
    sandbox.script("rm -f .scrum/cache/hits.jsonl && mkdir .scrum/cache/hits.jsonl");
    let printed = json_review(&sandbox);
    assert_eq!((printed.status, mock.asked().len(), findings(&printed)), (0, asked, findings(&first)));
    assert!(printed.stderr.contains("1 of 1 answer from the cache"), "{}", printed.stderr);
    assert!(printed.stderr.contains("warning: answers are not kept for other runs: "), "{}", printed.stderr);
    // A cache that cannot be written costs no review.
    fs::remove_dir_all(sandbox.repo().join(".scrum/cache")).unwrap();
    sandbox.write(".scrum/cache", "a file");
    let printed = json_review(&sandbox);
    assert_eq!((printed.status, findings(&printed)), (0, findings(&first)));
    assert!(printed.stderr.contains("warning: answers are not kept for other runs: "), "{}", printed.stderr);
}

/// An answer in the cache is foreign text like any other. That no change can put one there is `trust`'s.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_answers_stay_harmless() {
    let mock = Mock::always(|| {
        Act::Reply("SEVERITY: WARN\nWHERE: ../../etc/passwd:1\nWHAT: \u{1b}[2J\u{202e}<img src=x>\n\nVERDICT: ship\n".to_owned())
    })
    .await;
    let sandbox = scene(&["alpha"], &[model("opus", "claude-opus-4-7", &mock)]);
    json_review(&sandbox);
    for format in ["table", "markdown", "json"] {
        let printed = review(&sandbox, &["--format", format]);
        assert!(printed.stderr.contains("1 of 1 answer from the cache"), "{}", printed.stderr);
        assert!(!printed.stdout.contains(['\u{1b}', '\u{202e}']), "{}", printed.stdout);
    }
    assert_eq!(mock.asked().len(), 1);
}
