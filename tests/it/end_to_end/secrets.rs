//! Credentials in a change: no reviewer sees a value, and no page that leaves the machine has one.

use std::fs;

use serde_json::Value;

use super::{json, model, newest, program, review, word_after};
use crate::{
    mock::{Act, Asked, Mock},
    sandbox::Sandbox,
};

/// Put together so that no scanner takes this file for a leak.
fn values() -> [String; 4] {
    [
        format!("AKIA{}", "Q3EGR7X2LMZP6WTU"),
        format!("ghp_{}", "a8Kd0Qm3Zt7Yb2Nw5Vx9Lp4Rs6Cj1Hf8Ge2U"),
        "hT7#kq9Lz!2v".to_owned(),
        "k7Qm2Zt9Yb4Nw6Vx8Lp3Rs5Cj1Hf0GeUaTdXoWiBuEvPyKhMnJgSrLqFzDc7Va2W".to_owned(),
    ]
}

/// A repository whose last commit adds, removes, keeps and tells credentials; the panel is `reviewers`.
fn scene(reviewers: &[String]) -> Sandbox {
    let [aws, github, password, row] = values();
    let sandbox = Sandbox::new();
    sandbox.write("app.py", format!("OLD_TOKEN = '{github}'\nDB_PASSWORD = '{password}'\nrun()\n"));
    sandbox.script("git add -A; git commit -qm start");
    sandbox.write(
        "app.py",
        format!("KEY_ID = '{aws}'\nDB_PASSWORD = '{password}'\nrun()\nlogin('{password}')\n"),
    );
    let key = format!("-----BEGIN RSA PRIVATE KEY-----\n{row}\n{row}\n-----END RSA PRIVATE KEY-----\n");
    sandbox.write("deploy.key", key);
    sandbox.script(&format!("git add -A; git commit -qm 'Rotate {github}'"));
    let ids: Vec<&str> = reviewers.iter().filter_map(|entry| entry.split('"').nth(1)).collect();
    let panel = format!("[review]\npanel = \"test\"\n[panel.test]\nreviewers = {ids:?}\n");
    sandbox.write("scrum.toml", format!("{panel}{}", reviewers.concat()));
    sandbox
}

fn holds_none(text: &str, of: &str) {
    for value in values() {
        assert!(!text.contains(&value), "{value} in {of}: {text}");
    }
}

/// Quotes a masked line at the wrong place.
fn quoting(asked: &Asked) -> Act {
    let prompt = asked.body["messages"][1]["content"].as_str().unwrap();
    let nonce = word_after(prompt, "<<<DIFF ");
    Act::Reply(format!(
        "SEVERITY: BLOCK\nWHERE: app.py:4\nQUOTE: KEY_ID = '[masked: aws-key #1]'\nWHAT: An AWS access key is committed.\n\
         WHY: Everyone with a clone has it.\n\nVERDICT: hold, revoke the key\nEND {nonce}\n"
    ))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_value_reaches_a_reviewer_or_a_page() {
    let mock = Mock::start(|asked| std::future::ready(quoting(&asked))).await;
    let heard = "cat > \"$HOME/heard\"; printf 'VERDICT: ship, nothing\\n'";
    let reviewers = [model("opus", "claude-opus-4-7", &mock), program("agent", heard)];
    let offline = "[[reviewer]]\nid = \"rules2\"\nprovider = \"builtin\"\nmodel = \"rules\"\n".to_owned();
    let sandbox = scene(&[&reviewers[..], &[offline]].concat());
    let printed = review(&sandbox, &["--format", "json"]);
    assert_eq!(printed.status, 0, "{printed:?}");
    for asked in mock.asked() {
        let body = asked.body.to_string();
        holds_none(&body, "the request");
        assert!(body.contains("DB_PASSWORD = '[masked: password #1]'"), "{body}");
        assert!(body.contains("login('[masked: password #1]')"), "{body}");
        assert!(body.contains("> * Rotate [masked: github-token #1]"), "{body}");
        assert!(body.contains("      | -OLD_TOKEN = '[masked: github-token #1]'"), "{body}");
        assert!(body.contains("     2| +[masked: private-key #1]"), "{body}");
    }
    let heard = fs::read_to_string(sandbox.repo().join("../home/heard")).unwrap();
    holds_none(&heard, "what the program heard");
    assert!(heard.contains("[masked: aws-key #1]"), "{heard}");
    holds_none(&printed.stdout, "the tally");
    holds_none(&printed.stderr, "what was said");
    assert!(
        printed
            .stderr
            .contains("4 credentials masked: github-token #1, aws-key #1, password #1 and private-key #1"),
        "{}",
        printed.stderr
    );
    let run = newest(&sandbox);
    for name in ["run.json", "tally.json", "tally.md"] {
        holds_none(&fs::read_to_string(run.join(name)).unwrap(), name);
    }
    for format in ["table", "markdown"] {
        let page = sandbox.scrum(&["report", "latest", "--format", format]).stdout;
        holds_none(&page, format);
        assert!(page.contains("password") && page.contains("before the change"), "{page}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_marker_in_a_quote_leads_to_its_line() {
    let mock = Mock::start(|asked| std::future::ready(quoting(&asked))).await;
    let sandbox = scene(&[model("opus", "claude-opus-4-7", &mock)]);
    let tally = json(&review(&sandbox, &["--format", "json"]));
    let member = &tally["issues"][0]["members"][0];
    assert_eq!(
        (member["start_line"].as_u64(), member["anchor"].as_str()),
        (Some(1), Some("moved")),
        "{member}"
    );
    let masked: Vec<String> = tally["masked"].as_array().unwrap().iter().map(told).collect();
    insta::assert_snapshot!(masked.join("\n"), @r#"
    "github-token" #1 "app.py":1 "old"
    "aws-key" #1 "app.py":1 "new"
    "password" #1 "app.py":2 "new"
    "password" #1 "app.py":4 "new"
    "private-key" #1 "deploy.key":2 "new"
    "private-key" #1 "deploy.key":3 "new"
    "github-token" #1 null:null null in a commit's message
    "#);
    let again = sandbox.scrum(&["tally", "latest", "--format", "json"]);
    assert_eq!(json(&again)["issues"], tally["issues"]);
}

fn told(mask: &Value) -> String {
    let commit = if mask["commit"].is_null() { "" } else { " in a commit's message" };
    format!("{} #{} {}:{} {}{commit}", mask["kind"], mask["number"], mask["path"], mask["line"], mask["side"])
}

#[test]
fn bundles_stay_true_and_a_dry_run_tells_what_would_be_masked() {
    let sandbox = scene(&[]);
    sandbox.write("scrum.toml", "");
    let dry = sandbox.scrum(&["review", "HEAD~1..HEAD", "--dry-run"]);
    assert!(dry.stdout.contains("Credentials masked for reviewers (4)"), "{}", dry.stdout);
    holds_none(&dry.stdout, "the preview");
    let bundled = sandbox.scrum(&["bundle", "HEAD~1..HEAD", "--format", "json"]);
    let preview: Value = serde_json::from_str(&bundled.stdout).unwrap();
    assert_eq!(preview["masked"].as_array().map(Vec::len), Some(7), "{}", bundled.stdout);
    sandbox.script(
        "git stash -qu -- scrum.toml; git checkout -q HEAD~1; git apply --check .scrum/bundles/*/*.diff",
    );
}
