//! `scrum stats`: what reviewers have been worth, over runs and decisions.

use std::fs;

use crate::{
    dispose::{ids, reviewed},
    sandbox::Sandbox,
};

fn stats(sandbox: &Sandbox, more: &[&str]) -> String {
    let printed = sandbox.scrum(&[&["stats"], more].concat());
    assert_eq!((printed.status, printed.stderr.as_str()), (0, ""), "{printed:?}");
    printed.stdout
}

/// Gives the answers of every run tokens and, but for kimi, a price.
fn with_prices(sandbox: &Sandbox) {
    for run in fs::read_dir(sandbox.repo().join(".scrum/reviews")).unwrap() {
        let path = run.unwrap().path().join("outcomes.jsonl");
        let Ok(outcomes) = fs::read_to_string(&path) else { continue };
        let priced = |line: &str| {
            let mut outcome: serde_json::Value = serde_json::from_str(line).unwrap();
            outcome["tokens_in"] = 12_000.into();
            outcome["tokens_out"] = 800.into();
            if outcome["reviewer"] == "opus" {
                outcome["cost_usd"] = 0.35.into();
            } else {
                outcome["cost_usd"] = serde_json::Value::Null;
            }
            format!("{outcome}\n")
        };
        fs::write(&path, outcomes.lines().map(priced).collect::<String>()).unwrap();
    }
}

#[test]
fn two_runs_of_one_change_count_its_issues_once() {
    let sandbox = reviewed();
    let ids = ids(&sandbox);
    assert_eq!(sandbox.scrum(&["review", "-q", "--panel", "both", "HEAD~1..HEAD"]).status, 0);
    assert_eq!(sandbox.scrum(&["dispose", "latest", &ids[0], "real"]).status, 0);
    assert_eq!(sandbox.scrum(&["dispose", "latest", &ids[1], "false"]).status, 0);
    with_prices(&sandbox);
    insta::assert_snapshot!(stats(&sandbox, &[]), @"
               issues  decided  real  false  wontfix       precision  alone
    anthropic       1        1     1      0        0  100 % (21–100)      1
      opus          1        1     1      0        0  100 % (21–100)      1
    moonshot        1        1     0      1        0      0 % (0–79)      0
      kimi          1        1     0      1        0      0 % (0–79)      0

               answers  tokens in  tokens out   cost  per real issue
    anthropic        2     24,000       1,600  $0.70           $0.70
      opus           2     24,000       1,600  $0.70           $0.70
    moonshot         2     24,000       1,600      –               –
      kimi           2     24,000       1,600      –               –

    precision  0 %                        50 %                         100 %
    anthropic              ────────────────────────────────────────────────●
    moonshot   ●────────────────────────────────────────────────

    2 issues in 2 runs, each counted once; 2 decided
    Precision: real of those decided real or false, with its 95 % interval (Wilson). Alone: real issues
      that no other lineage, or no other reviewer, found.
    ");
    insta::assert_snapshot!(stats(&sandbox, &["--format", "markdown"]), @"
    | | issues | decided | real | false | wontfix | precision | alone | answers | tokens in | tokens out | cost | per real issue |
    |---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|
    | **anthropic** | 1 | 1 | 1 | 0 | 0 | 100 % (21–100) | 1 | 2 | 24,000 | 1,600 | $0.70 | $0.70 |
    | opus | 1 | 1 | 1 | 0 | 0 | 100 % (21–100) | 1 | 2 | 24,000 | 1,600 | $0.70 | $0.70 |
    | **moonshot** | 1 | 1 | 0 | 1 | 0 | 0 % (0–79) | 0 | 2 | 24,000 | 1,600 | – | – |
    | kimi | 1 | 1 | 0 | 1 | 0 | 0 % (0–79) | 0 | 2 | 24,000 | 1,600 | – | – |

    2 issues in 2 runs, each counted once; 2 decided

    Precision: real of those decided real or false, with its 95 % interval (Wilson). Alone: real issues that no other lineage, or no other reviewer, found.
    ");
    let document: serde_json::Value = serde_json::from_str(&stats(&sandbox, &["--format", "json"])).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&document["reviewers"][0]).unwrap(), @r#"
    {
      "reviewer": "opus",
      "lineage": "anthropic",
      "issues": 1,
      "decided": 1,
      "real": 1,
      "false": 0,
      "wontfix": 0,
      "precision": 1.0,
      "precision_interval": [
        0.20654931437723742,
        1.0
      ],
      "alone": 1,
      "answers": 2,
      "cached": 0,
      "unpriced": 0,
      "tokens_in": 24000,
      "tokens_out": 1600,
      "cost_usd": 0.7,
      "cost_per_real_usd": 0.7
    }
    "#);
}

#[test]
fn a_picture_of_it() {
    let sandbox = reviewed();
    let picture = || {
        let printed = sandbox.scrum(&["stats", "--plot", "worth.svg", "-o", "worth.txt"]);
        assert_eq!((printed.status, printed.stdout.as_str(), printed.stderr.as_str()), (0, "", ""));
        fs::read_to_string(sandbox.repo().join("worth.svg")).unwrap()
    };
    let undecided = picture();
    assert!(undecided.contains("anthropic") && !undecided.contains("1/1"), "{undecided}");
    let ids = ids(&sandbox);
    assert_eq!(sandbox.scrum(&["dispose", "latest", &ids[0], "real"]).status, 0);
    assert_eq!(sandbox.scrum(&["dispose", "latest", &ids[1], "false"]).status, 0);
    with_prices(&sandbox);
    let decided = picture();
    assert!(decided.starts_with("<svg ") && decided.ends_with("</svg>\n"), "{decided}");
    for text in ["anthropic", "opus", "kimi", "1/1", "0/1", "1 of 1", "$0.35"] {
        assert!(decided.contains(&format!("{text}\n")), "{text} in {decided}");
    }
    let empty = Sandbox::new();
    empty.scrum(&["stats", "--plot", "worth.svg"]);
    assert!(fs::read_to_string(empty.repo().join("worth.svg")).unwrap().contains("There are no runs yet."));
}

#[test]
fn before_anything_was_decided() {
    insta::assert_snapshot!(stats(&reviewed(), &[]), @r"
               issues  decided  real  false  wontfix  precision  alone
    anthropic       1        0     0      0        0          –      0
      opus          1        0     0      0        0          –      0
    moonshot        1        0     0      0        0          –      0
      kimi          1        0     0      0        0          –      0

    2 issues in 1 run, each counted once; 0 decided
    Decide with: scrum dispose RUN ISSUE real|false|wontfix
    ");
    insta::assert_snapshot!(stats(&Sandbox::new(), &[]), @"There are no runs yet: `scrum review` makes one.");
}

#[test]
fn a_run_that_does_not_read_is_named() {
    let sandbox = reviewed();
    sandbox.write(".scrum/reviews/20260101-000000000-abcdef/run.json", "{");
    let printed = sandbox.scrum(&["stats"]);
    assert_eq!(printed.status, 0);
    assert!(printed.stdout.contains("2 issues in 1 run, each counted once"), "{}", printed.stdout);
    insta::assert_snapshot!(printed.stderr.replace(&sandbox.repo().display().to_string(), "REPO"), @"warning: run 20260101-000000000-abcdef is not counted: REPO/.scrum/reviews/20260101-000000000-abcdef/run.json is damaged: EOF while parsing an object at line 1 column 1");
}

/// Answers about claims are paid for as well, and findings without a place are said.
#[test]
fn what_stands_beside_the_issues() {
    let sandbox = crate::explain::reviewed_as("judgements", &["--panel", "models", "--verify"]);
    let reply = "SEVERITY: WARN\nWHERE: ../../etc/passwd:3\nWHAT: The tests are missing.\n\nVERDICT: ship\n";
    sandbox.write("replies/gpt.md", reply);
    assert_eq!(sandbox.scrum(&["review", "-q", "HEAD~1..HEAD", "-r", "gpt"]).status, 0);
    let document: serde_json::Value = serde_json::from_str(&stats(&sandbox, &["--format", "json"])).unwrap();
    assert_eq!((&document["unplaced"], &document["judging"]["answers"]), (&1.into(), &5.into()));
    let printed = stats(&sandbox, &[]);
    insta::assert_snapshot!(printed.split("\n\n").last().unwrap(), @"
    5 issues in 2 runs, each counted once; 0 decided
    Not counted, as nothing tells them again in another run: 1 finding without a place
    On top of that, 5 questions about claims (adjudicator, --verify) answered for $0.00
    Decide with: scrum dispose RUN ISSUE real|false|wontfix
    ");
}
