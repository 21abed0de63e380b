//! Findings put to others: what is sent, what is kept, and what a failure leaves behind.

use std::fs;

use serde_json::{Value, json};

use super::{interrupt::Running, is_kept_as_printed, json, newest, review, scene};
use crate::sandbox::{Printed, Sandbox};

/// A program that speaks for `model`: it says `found` of a bundle, `judged` of claims, and notes what it was asked.
fn speaker(id: &str, model: &str, found: &str, judged: &str) -> String {
    let script = format!(
        "cd \"$HOME\"; case \"$(cat)\" in *'<<<CLAIM'*|*'<<<FIRST'*) echo claims >> {id}.asked; {judged};; \
         *) echo bundle >> {id}.asked; {found};; esac"
    );
    format!(
        "[[reviewer]]\nid = \"{id}\"\nprovider = \"command\"\nmodel = \"{model}\"\n\
         command = [\"sh\", \"-c\", {script:?}]\n"
    )
}

fn says(severity: &str, what: &str) -> String {
    format!("printf 'SEVERITY: {severity}\\nWHERE: alpha/code.py:2\\nWHAT: {what}\\n\\nVERDICT: hold\\n'")
}

fn answers(word: &str) -> String {
    format!("printf 'ANSWER: {word}\\nQUOTE: return a / b\\nWHY: Nothing checks b.\\n'")
}

const CLEAN: &str = "printf 'VERDICT: ship, nothing wrong\\n'";

/// opus finds a BLOCK, kimi finds nothing and does `judged` when it is shown a claim.
fn lone_block(judged: &str) -> Sandbox {
    let opus = speaker("opus", "claude-opus-4-7", &says("BLOCK", "Division by zero when b is 0."), "exit 1");
    scene(&["alpha"], &[opus, speaker("kimi", "kimi-k2", CLEAN, judged)])
}

/// How often `id` was asked about bundles and about claims.
fn asked(sandbox: &Sandbox, id: &str) -> (usize, usize) {
    let text = fs::read_to_string(sandbox.home().join(format!("{id}.asked"))).unwrap_or_default();
    let count = |what| text.lines().filter(|line| *line == what).count();
    (count("bundle"), count("claims"))
}

/// The one examination of the only issue: answer, state, why it does not count, cached.
fn examination(printed: &Printed) -> Value {
    let tally = json(printed);
    let issues = tally["issues"].as_array().unwrap();
    let [issue] = issues.as_slice() else { panic!("{issues:?}") };
    assert_eq!((&issue["convergence"], &issue["lineages"]), (&json!(1), &json!(["anthropic"])));
    let one = &issue["examinations"][0];
    json!([one["reviewer"], one["answer"], one["state"], one["reason"], one["cached"]])
}

#[test]
fn a_question_is_asked_once() {
    let sandbox = lone_block(&answers("CONFIRMED"));
    let arguments = ["--verify", "--format", "json"];
    let first = review(&sandbox, &arguments);
    assert_eq!(examination(&first), json!(["kimi", "CONFIRMED", "answered", null, false]));
    is_kept_as_printed(&sandbox, &first);
    // Where nothing can be noted, what is there is used all the same.
    fs::create_dir(sandbox.repo().join(".scrum/cache/hits.jsonl")).unwrap();
    let second = review(&sandbox, &arguments);
    assert!(second.stderr.contains("warning: answers are not kept for other runs: "), "{}", second.stderr);
    assert_eq!(examination(&second), json!(["kimi", "CONFIRMED", "answered", null, true]));
    is_kept_as_printed(&sandbox, &second);
    assert_eq!((asked(&sandbox, "opus"), asked(&sandbox, "kimi")), ((1, 0), (1, 1)));
    let resumed = sandbox.scrum(&["review", "--resume", "latest", "--format", "json"]);
    assert_eq!(examination(&resumed), json!(["kimi", "CONFIRMED", "answered", null, true]));
    assert_eq!(asked(&sandbox, "kimi"), (1, 1));
    let replies = fs::read_dir(newest(&sandbox).join("judgements")).unwrap();
    let replies: Vec<_> = replies.map(|one| fs::read_to_string(one.unwrap().path()).unwrap()).collect();
    assert_eq!(replies, ["ANSWER: CONFIRMED\nQUOTE: return a / b\nWHY: Nothing checks b.\n"]);
    assert_eq!(fs::read_to_string(sandbox.repo().join(".scrum/.gitignore")).unwrap(), "*\n");
    fs::remove_dir_all(sandbox.repo().join(".scrum/cache")).unwrap();
    review(&sandbox, &arguments);
    assert_eq!(asked(&sandbox, "kimi"), (2, 2));
    review(&sandbox, &[&arguments[..], &["--no-cache"]].concat());
    assert_eq!(asked(&sandbox, "kimi"), (3, 3));
}

#[test]
fn without_the_switch_nobody_is_asked() {
    let sandbox = lone_block(&answers("REFUTED"));
    let printed = review(&sandbox, &["--format", "json"]);
    assert_eq!(json(&printed)["issues"][0].get("examinations"), None);
    assert_eq!(asked(&sandbox, "kimi"), (1, 0));
}

#[test]
fn a_refutation_opens_no_gate() {
    let sandbox = lone_block(&answers("REFUTED"));
    let printed = review(&sandbox, &["--verify", "--fail-on", "block", "--format", "json"]);
    assert_eq!(examination(&printed), json!(["kimi", "REFUTED", "answered", null, false]));
    let tally = json(&printed);
    assert_eq!((&tally["issues"][0]["refuted"], &tally["totals"]["distinct"]), (&json!(true), &json!(1)));
    assert_eq!((&tally["gate"]["result"], printed.status), (&json!("fail"), 1));
}

#[test]
fn what_breaks_the_rules_counts_for_nothing_and_is_not_cached() {
    let sandbox = lone_block("printf 'ANSWER: REFUTED\\nQUOTE: if b == 0: raise\\n'");
    for times in 1..=2 {
        let printed = review(&sandbox, &["--verify", "--format", "json"]);
        let reason = "REFUTED does not count: no line it quotes stands in the code";
        assert_eq!(examination(&printed), json!(["kimi", "UNSURE", "answered", reason, false]));
        assert_eq!(asked(&sandbox, "kimi"), (1, times));
    }
}

#[test]
fn a_failed_question_is_told_and_asked_again() {
    let sandbox = lone_block(&format!("test -e up || exit 7; {}", answers("CONFIRMED")));
    let printed = review(&sandbox, &["--verify", "--format", "json"]);
    let reason = "program `sh`: exit status 7";
    assert_eq!(examination(&printed), json!(["kimi", "UNSURE", "failed", reason, false]));
    is_kept_as_printed(&sandbox, &printed);
    let table = sandbox.scrum(&["report", "latest"]).stdout;
    assert!(
        table
            .contains("Judged: 0 of 1 question about claims answered; kimi failed (1 ×): program `sh`: exit")
    );
    fs::write(sandbox.home().join("up"), "").unwrap();
    let resumed = sandbox.scrum(&["review", "--resume", "latest", "--format", "json"]);
    assert_eq!(examination(&resumed), json!(["kimi", "CONFIRMED", "answered", null, false]));
    is_kept_as_printed(&sandbox, &resumed);
    assert_eq!((asked(&sandbox, "opus"), asked(&sandbox, "kimi")), ((1, 0), (1, 2)));
}

#[test]
fn an_interrupted_question_is_asked_again() {
    let sandbox = lone_block(&format!("test -e up || exec sleep 1000; {}", answers("CONFIRMED")));
    let mut run = Running::start(&sandbox, &["HEAD~1..HEAD", "--verify", "--format", "json"]);
    run.until("answered", 2);
    run.signal("-INT");
    let printed = run.end();
    assert_eq!(printed.status, 130, "{printed:?}");
    is_kept_as_printed(&sandbox, &printed);
    fs::write(sandbox.home().join("up"), "").unwrap();
    let resumed = sandbox.scrum(&["review", "--resume", "latest", "--format", "json"]);
    assert_eq!(examination(&resumed), json!(["kimi", "CONFIRMED", "answered", null, false]));
    assert_eq!(resumed.status, 0, "{resumed:?}");
    is_kept_as_printed(&sandbox, &resumed);
}

/// opus and kimi name two things at one place; `judge`, who is not on the panel, does `judged`.
fn unsettled(judged: &str, further: &str) -> Sandbox {
    let judge = speaker("judge", "gpt-5", "exit 1", judged);
    let panel = [
        speaker("opus", "claude-opus-4-7", &says("WARN", "Zero unhandled."), "exit 1"),
        speaker("kimi", "kimi-k2", &says("WARN", "Types mixed."), "exit 1"),
    ];
    let sandbox = scene(&["alpha"], &panel);
    let config = fs::read_to_string(sandbox.repo().join("scrum.toml")).unwrap();
    sandbox.write("scrum.toml", format!("[tally]\nadjudicator = \"judge\"\n{config}{judge}{further}"));
    sandbox
}

#[test]
fn an_adjudicator_settles_a_place_and_adds_no_lineage() {
    let check = |judged: &str, expect: &[(&str, u64)]| {
        let sandbox = unsettled(judged, "");
        let printed = review(&sandbox, &["--format", "json"]);
        is_kept_as_printed(&sandbox, &printed);
        let tally = json(&printed);
        let issues = tally["issues"].as_array().unwrap().iter();
        let shape = issues.map(|one| {
            assert_eq!(
                (&one["adjudications"][0]["reviewer"], &one["adjudications"][0]["lineage"]),
                (&json!("judge"), &json!("openai"))
            );
            (one["agreement"].as_str().unwrap(), one["convergence"].as_u64().unwrap())
        });
        assert_eq!(shape.collect::<Vec<_>>(), expect, "{judged}");
        assert_eq!(asked(&sandbox, "judge"), (0, 1));
    };
    check(&answers("SAME"), &[("claim", 2)]);
    check(&answers("DIFFERENT"), &[("single", 1), ("single", 1)]);
    check(&answers("UNSURE"), &[("place", 2)]);
    check("printf 'Hard to tell.'", &[("place", 2)]);
    check("exit 3", &[("place", 2)]);
}

#[test]
fn an_adjudicator_that_cannot_be_asked_is_told() {
    let sandbox = unsettled(&answers("SAME"), "");
    let config = fs::read_to_string(sandbox.repo().join("scrum.toml")).unwrap();
    let edit = |from: &str, to: &str| {
        sandbox.write("scrum.toml", config.replace(from, to));
        review(&sandbox, &["--format", "json"])
    };
    let typo = edit("adjudicator = \"judge\"", "adjudicator = \"jugde\"");
    let reason =
        "/scrum.toml:2: tally.adjudicator: no reviewer named \"jugde\"\nhint: did you mean `judge`?\n";
    assert!(typo.status == 2 && typo.stderr.ends_with(reason), "{typo:?}");
    let offline = edit("adjudicator = \"judge\"", "adjudicator = \"rules\"");
    assert!(offline.stderr.contains("reviewer \"rules\": holds no opinion"), "{}", offline.stderr);
    let keyed = "[[reviewer]]\nid = \"keyed\"\nprovider = \"openai\"\nmodel = \"gpt-5\"\napi_key_env = \"UNSET_KEY\"\n";
    let config = format!("{}{keyed}", config.replace("\"judge\"\n[", "\"keyed\"\n["));
    sandbox.write("scrum.toml", config);
    let printed = review(&sandbox, &["--format", "json"]);
    let one = &json(&printed)["issues"][0]["adjudications"][0];
    assert_eq!(
        (&one["reviewer"], &one["state"], &one["reason"]),
        (&json!("keyed"), &json!("skipped"), &json!("UNSET_KEY is not set"))
    );
    is_kept_as_printed(&sandbox, &printed);
}

/// Beyond the bound nobody is asked, and each issue says so.
#[test]
fn more_questions_than_a_command_may_ask() {
    let sandbox = Sandbox::new();
    sandbox.script("git commit -q --allow-empty -m start");
    sandbox.write(
        "alpha/code.py",
        (0..210).map(|line| format!("value_{line} += 1")).collect::<Vec<_>>().join("\n"),
    );
    sandbox.script("git add -A; git commit -qm values");
    for (id, what) in [("opus", "Zero unhandled."), ("kimi", "Types mixed.")] {
        let finding = |line| format!("SEVERITY: WARN\nWHERE: alpha/code.py:{line}\nWHAT: {what}\n\n");
        let found = (1..=210).map(finding).collect::<String>();
        sandbox.write(&format!("replies/{id}.md"), found + "VERDICT: ship\n");
    }
    let seat = |(id, model)| {
        format!(
            "[[reviewer]]\nid = \"{id}\"\nprovider = \"replay\"\nmodel = \"{model}\"\ndir = \"replies\"\n"
        )
    };
    let seats: String =
        [("opus", "claude-opus-4-7"), ("kimi", "kimi-k2"), ("judge", "gpt-5")].map(seat).concat();
    sandbox.write("scrum.toml", format!("[tally]\nadjudicator = \"judge\"\n{seats}"));
    let printed = review(&sandbox, &["-r", "opus", "-r", "kimi", "--format", "json"]);
    let tally = json(&printed);
    let rulings =
        tally["issues"].as_array().unwrap().iter().filter_map(|one| one["adjudications"].as_array());
    let states: Vec<&Value> = rulings.flatten().map(|one| &one["state"]).collect();
    let count = |word: &str| states.iter().filter(|state| **state == word).count();
    assert_eq!((count("failed"), count("skipped")), (200, 10));
}
