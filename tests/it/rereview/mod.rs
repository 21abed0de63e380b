//! Reviewing a pull request again, push after push, as a user meets it: what is asked about, and what becomes of each issue.

mod stage;

use std::fs;

use insta::assert_snapshot;
use stage::{LEAK, Stage, shown};

use crate::forge::OURS;

/// Of an issue at `path`: its id.
fn id_of(tally: &serde_json::Value, severity: &str) -> String {
    let all = tally["issues"].as_array().into_iter().chain(tally["earlier"].as_array()).flatten();
    let found = all
        .filter(|issue| issue["severity"] == severity)
        .map(|issue| issue["id"].as_str().unwrap().to_owned());
    found.last().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn through_several_pushes() {
    let stage = Stage::new("let a = leak(1);\n").await;
    let gate = ["--fail-on", "block"];
    assert_snapshot!(shown(&stage.review(&gate)), @"
    first
    issues: - BLOCK by 2 src/a.rs:21
    verdict hold, gate fail
    ");
    // More lines at the top and something slow: the leak is not asked about again, and moves down.
    stage.push("sed -i '1i let b = slow(2);\\nlet c = 3;' src/a.rs");
    assert_snapshot!(shown(&stage.review(&gate)), @"
    incremental
    issues: new WARN by 1 src/a.rs:1
    earlier: still-open BLOCK by 2 src/a.rs:23
    verdict hold, gate fail
    ");
    assert_snapshot!(shown(&stage.review(&gate)), @"
    incremental
    earlier: still-open BLOCK by 2 src/a.rs:23
    earlier: still-open WARN by 1 src/a.rs:1
    verdict hold, gate fail
    ");
    stage.push("sed -i 's/leak(1)/safe(1)/' src/a.rs");
    assert_snapshot!(shown(&stage.review(&gate)), @"
    incremental
    earlier: fixed BLOCK by 2 src/a.rs:23
    earlier: still-open WARN by 1 src/a.rs:1
    verdict ship-with-fixes, gate pass
    ");
    stage.push("sed -i 's/safe(1)/leak(1)/' src/a.rs");
    let back = stage.review(&gate);
    assert_snapshot!(shown(&back), @"
    incremental
    issues: back-again BLOCK by 2 src/a.rs:23
    earlier: still-open WARN by 1 src/a.rs:1
    verdict hold, gate fail
    ");
    let order = format!("/scrum dismiss {} only in tests", &id_of(&back, "BLOCK")[..8]);
    stage.forge.change(|pull| {
        pull.writers.insert("ada".to_owned());
        pull.say("ada", &order)
    });
    stage.push("echo 'let d = 4;' >> src/a.rs");
    let dismissed = stage.review(&gate);
    assert_snapshot!(shown(&dismissed), @"
    incremental
    issues: still-open BLOCK by 2 src/a.rs:23 (wontfix)
    earlier: still-open WARN by 1 src/a.rs:1
    verdict ship-with-fixes, gate pass
    ");
}
