//! `scrum dispose`: a human's decision is kept, shown in later runs, and weighs on gate and verdict.

use std::fs;

use crate::sandbox::{Printed, Sandbox};

const CONFIG: &str = r#"
[panel.both]
reviewers = ["opus", "kimi"]
[[reviewer]]
id = "opus"
provider = "replay"
model = "claude-opus-4-7"
dir = "replies"
[[reviewer]]
id = "kimi"
provider = "replay"
model = "kimi-k2"
dir = "replies"
"#;

const OPUS: &str = "\
SEVERITY: BLOCK
WHERE: app.py:2
WHAT: The parsed amount may be negative and is subtracted without any check.
WHY: `int` accepts a minus sign, and nothing behind it looks at the result.

VERDICT: hold
";

const KIMI: &str = "\
SEVERITY: WARN
WHERE: app.py:3
WHAT: Printing the account number writes personal data to the log.
WHY: Standard output of this service is collected for thirty days.

VERDICT: ship-with-fixes
";

/// A repository whose last commit two models have something to say about.
pub(crate) fn reviewed() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.script("git config user.name 'Ada Byron'; echo 'x = 1' > app.py; git add .; git commit -qm one");
    sandbox.write("app.py", "x = 1\nx -= int(input())\nprint(account)\n");
    sandbox.script("git commit -qam two");
    sandbox.write("scrum.toml", CONFIG);
    sandbox.write("replies/opus.md", OPUS);
    sandbox.write("replies/kimi.md", KIMI);
    review(&sandbox, &[]);
    sandbox
}

fn review(sandbox: &Sandbox, more: &[&str]) -> Printed {
    sandbox.scrum(&[&["review", "--panel", "both", "--quiet", "HEAD~1..HEAD"], more].concat())
}

/// The ids of the issues of the latest run, as `tally.json` has them, by severity.
pub(crate) fn ids(sandbox: &Sandbox) -> Vec<String> {
    let json = sandbox.scrum(&["report", "latest", "--format", "json"]).stdout;
    let tally: serde_json::Value = serde_json::from_str(&json).unwrap();
    let issues = tally["issues"].as_array().unwrap();
    issues.iter().map(|issue| issue["id"].as_str().unwrap().to_owned()).collect()
}

fn dispose(sandbox: &Sandbox, arguments: &[&str]) -> Printed {
    let printed = sandbox.scrum(&[&["dispose", "latest"], arguments].concat());
    assert_eq!(printed.status, 0, "{printed:?}");
    printed
}

#[test]
fn a_dismissed_issue_does_not_fail_the_gate_of_a_later_run() {
    let sandbox = reviewed();
    let gate = ["--fail-on", "block"];
    assert_eq!(review(&sandbox, &gate).status, 1);
    let block = ids(&sandbox).remove(0);
    dispose(&sandbox, &[&block, "false", "--why", "amounts are | `unsigned` <b>here</b>\u{1b}[31m"]);
    let printed = review(&sandbox, &gate);
    assert_eq!(printed.status, 0, "{printed:?}");
    let today = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
    let shown = |text: &str| {
        let end = text.split_once("Dismissed by a human").unwrap().1;
        end.replace(&today, "DAY").replace(&block[..8], "ID")
    };
    insta::assert_snapshot!(shown(&printed.stdout), @r"
    , not counted (1)
      ID BLOCK app.py:2 decided false by Ada Byron on DAY: amounts are | `unsigned`
        <b>here</b>␛[31m
        The parsed amount may be negative and is subtracted without any check.

    c1 root (147 bytes) → 0 convergent / 2 distinct

    kimi (moonshot) says ship-with-fixes
    opus (anthropic) says hold

    Coverage: all 2 answered by 2 lineages
    1 issue, found by one lineage alone (1 WARN) and 1 dismissed by a human
    Verdict: ship-with-fixes (1 WARN; 1 issue not counted: decided false)
    Gate passed (fail-on block, min-lineages 1): nothing that fails, and every bundle was answered by 1
    lineage or more; 1 issue of BLOCK not counted: decided false
    ");
    let markdown = sandbox.scrum(&["report", "--format", "markdown"]).stdout;
    let folded =
        markdown.split("<details>").skip(1).find(|part| part.contains("dismissed by a human")).unwrap();
    insta::assert_snapshot!(folded.split("</details>").next().unwrap().replace(&today, "DAY"), @r"

    <summary>1 issue dismissed by a human, not counted by gate and verdict</summary>

    **BLOCK** `app.py:2` · 1 of 2 lineages · `591fd8a9d17e`

    **Decided false by Ada Byron on DAY: amounts are \| \`unsigned\` &lt;b&gt;here&lt;/b&gt;␛\[31m**

    - **opus** (anthropic) BLOCK: The parsed amount may be negative and is subtracted without any check.
      <br>Why: `int` accepts a minus sign, and nothing behind it looks at the result.
    - near, but another claim: `app.py:3`
    ");
}

#[test]
fn a_decision_can_be_changed_and_taken_back() {
    let sandbox = reviewed();
    let block = ids(&sandbox).remove(0);
    let fails = |decision: &str| {
        dispose(&sandbox, &[&block[..5], decision]);
        review(&sandbox, &["--fail-on", "block"]).status == 1
    };
    let seen = ["wontfix", "real", "false", "undecided", "false"].map(fails);
    assert_eq!(seen, [false, true, false, true, false]);
    let kept = fs::read_to_string(sandbox.repo().join(".scrum/reviews/dispositions.jsonl")).unwrap();
    assert_eq!(kept.lines().count(), 5, "every decision is kept");
}

#[test]
fn what_is_written_down() {
    let sandbox = reviewed();
    let ids = ids(&sandbox);
    let printed = dispose(&sandbox, &[&ids[0], &ids[1], "real", "--why", " seen in production "]);
    insta::assert_snapshot!(printed.stdout, @r"
    591fd8a9d17e is real now: BLOCK app.py:2 The parsed amount may be negative and is subtracted without any check.
    62ab310e2537 is real now: WARN app.py:3 Printing the account number writes personal data to the log.
    ");
    assert_eq!(
        printed.stderr,
        "note: kept in .scrum/reviews/dispositions.jsonl; every run that has the issue shows it\n"
    );
    let kept = fs::read_to_string(sandbox.repo().join(".scrum/reviews/dispositions.jsonl")).unwrap();
    let mut first: serde_json::Value = serde_json::from_str(kept.lines().next().unwrap()).unwrap();
    for moving in ["at", "run"] {
        assert!(!first[moving].as_str().unwrap().is_empty());
        first[moving] = "…".into();
    }
    insta::assert_snapshot!(serde_json::to_string_pretty(&first).unwrap(), @r#"
    {
      "schema": "scrum.disposition/1",
      "issue": "591fd8a9d17e",
      "decision": "real",
      "why": "seen in production",
      "by": "Ada Byron",
      "at": "…",
      "run": "…",
      "path": "app.py",
      "severity": "BLOCK",
      "what": "The parsed amount may be negative and is subtracted without any check.",
      "found_by": [
        {
          "reviewer": "opus",
          "lineage": "anthropic"
        }
      ],
      "sole": true
    }
    "#);
}

#[test]
fn the_same_run_tallied_again_knows_the_decision_and_its_document_is_valid() {
    let sandbox = reviewed();
    let block = ids(&sandbox).remove(0);
    dispose(&sandbox, &[&block, "wontfix"]);
    assert_eq!(sandbox.scrum(&["tally", "latest", "--fail-on", "block"]).status, 0);
    let json = sandbox.scrum(&["report", "--format", "json"]).stdout;
    let tally: serde_json::Value = serde_json::from_str(&json).unwrap();
    let schema = include_str!("../../schema/tally.schema.json");
    jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap().validate(&tally).unwrap();
    let disposition = &tally["issues"][0]["disposition"];
    assert_eq!((&disposition["decision"], &disposition["by"]), (&"wontfix".into(), &"Ada Byron".into()));
    assert_eq!(tally["issues"][1].get("disposition"), None);
    assert_eq!(tally["totals"]["decided"], serde_json::json!({ "wontfix": 1 }));
    assert_eq!(tally["totals"]["distinct"], 2, "a dismissed issue is still an issue");
}

#[test]
fn a_line_that_is_no_decision_costs_no_other_and_is_told() {
    let sandbox = reviewed();
    let block = ids(&sandbox).remove(0);
    dispose(&sandbox, &[&block, "false"]);
    let path = sandbox.repo().join(".scrum/reviews/dispositions.jsonl");
    let kept = fs::read_to_string(&path).unwrap();
    let newer = kept.replace("\"false\"", "\"perhaps\"");
    fs::write(&path, format!("<<<<<<< HEAD\n{kept}{newer}\n")).unwrap();
    let printed = review(&sandbox, &["--fail-on", "block"]);
    assert_eq!(printed.status, 0, "{printed:?}");
    insta::assert_snapshot!(printed.stderr.replace(&sandbox.repo().display().to_string(), "REPO"), @r#"
    warning: not a decision and left out: REPO/.scrum/reviews/dispositions.jsonl line 1: expected value at line 1 column 1
    warning: not a decision and left out: REPO/.scrum/reviews/dispositions.jsonl line 3: unknown decision "perhaps"
    "#);
}

#[test]
fn a_block_decided_to_be_real_holds() {
    let sandbox = reviewed();
    let block = ids(&sandbox).remove(0);
    let before = sandbox.scrum(&["report", "latest"]).stdout;
    assert!(!before.contains("decided to be real"), "{before}");
    dispose(&sandbox, &[&block, "real"]);
    let after = sandbox.scrum(&["report", "latest"]).stdout;
    assert!(after.contains("Verdict: hold (1 BLOCK decided to be real"), "{after}");
}

#[test]
fn a_clock_that_was_ahead_does_not_win() {
    let sandbox = reviewed();
    let block = ids(&sandbox).remove(0);
    dispose(&sandbox, &[&block, "false"]);
    let path = sandbox.repo().join(".scrum/reviews/dispositions.jsonl");
    let kept = fs::read_to_string(&path).unwrap();
    let year = jiff::Timestamp::now().strftime("\"at\":\"%Y").to_string();
    fs::write(&path, kept.replace(&year, "\"at\":\"2999")).unwrap();
    dispose(&sandbox, &[&block, "real"]);
    assert_eq!(review(&sandbox, &["--fail-on", "block"]).status, 1);
}

#[test]
fn names_that_mean_no_issue() {
    let sandbox = reviewed();
    let block = ids(&sandbox).remove(0);
    let wrong = |name: &str, decision: &str| {
        let printed = sandbox.scrum(&["dispose", "latest", name, decision]);
        assert_eq!((printed.status, printed.stdout.as_str()), (2, ""));
        let run = regex::Regex::new(r"\d{8}-\d{9}-[0-9a-f]{6}").unwrap();
        run.replace_all(&printed.stderr, "RUN").replace(&block, "ID")
    };
    let mut typo = block.clone();
    typo.replace_range(2..3, "x");
    insta::assert_snapshot!(wrong(&typo, "false").replace(&typo, "TYPO"), @r#"
    error: run RUN has no issue "TYPO"
    hint: did you mean ID?
    hint: `scrum report RUN` shows its issues with their ids
    "#);
    insta::assert_snapshot!(wrong("nothing-like-it", "false"), @r#"
    error: run RUN has no issue "nothing-like-it"
    hint: `scrum report RUN` shows its issues with their ids
    "#);
    insta::assert_snapshot!(wrong(&block, "maybe"), @r"
    error: invalid value 'maybe' for '<DECISION>': one of real, false, wontfix, undecided

    For more information, try '--help'.
    ");
    assert!(!sandbox.repo().join(".scrum/reviews/dispositions.jsonl").exists());
}
