//! `scrum gate`: policy, the commits that it is bound to, overrides, and the status on a commit.

mod whole;

use std::fs;

use serde_json::Value;

use crate::{
    dispose::reviewed,
    forge::{Fault, MockForge, Pull, TOKEN, github::GitHub},
    sandbox::{Printed, Sandbox},
};

/// The printed text with what differs from run to run replaced.
fn shown(sandbox: &Sandbox, text: &str) -> String {
    let today = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
    let mut text = text.replace(&today, "DAY");
    for (name, id) in commits(sandbox).into_iter().zip(["HEAD", "HEAD~1", "HEAD~2"]) {
        text = text.replace(&name[..7], id);
    }
    for run in runs(sandbox) {
        text = text.replace(&run, "RUN");
    }
    text
}

/// Full ids of the commits, the newest first.
fn commits(sandbox: &Sandbox) -> Vec<String> {
    sandbox.script("git log --format=%H").lines().map(str::to_owned).collect()
}

/// Ids of the runs, the oldest first.
fn runs(sandbox: &Sandbox) -> Vec<String> {
    let entries = fs::read_dir(sandbox.repo().join(".scrum/reviews")).unwrap().flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.retain(|name| !name.contains('.'));
    names.sort_unstable();
    names
}

#[track_caller]
fn gate(sandbox: &Sandbox, arguments: &[&str], status: i32) -> Printed {
    let printed = sandbox.scrum(&[&["gate"], arguments].concat());
    assert_eq!(printed.status, status, "{arguments:?} {printed:?}");
    printed
}

fn json(printed: &Printed) -> Value {
    serde_json::from_str(&printed.stdout).unwrap()
}

#[test]
fn the_policy_of_today_is_applied() {
    let sandbox = reviewed();
    let off = gate(&sandbox, &[], 0);
    insta::assert_snapshot!(shown(&sandbox, &off.stdout), @"
    Gate off (fail-on never, min-lineages 1)
    Run RUN of HEAD~1..HEAD
    ");
    let rules = "[gate]\nfail_on = \"block\"\n[[gate.rule]]\npaths = [\"*.py\"]\nfail_on = \"warn\"\n";
    let config = fs::read_to_string(sandbox.repo().join("scrum.toml")).unwrap();
    sandbox.write("scrum.toml", format!("{config}{rules}"));
    let failed = gate(&sandbox, &["latest"], 1);
    insta::assert_snapshot!(shown(&sandbox, &failed.stdout), @"
    Gate failed (fail-on block, min-lineages 1; *.py: fail-on warn)
    - 2 issues of WARN or worse (gate.rule 1: *.py)
    Run RUN of HEAD~1..HEAD
    ");
    // A flag counts for all paths.
    let one = gate(&sandbox, &["--fail-on", "block", "--format", "json"], 1);
    assert_eq!(
        json(&one),
        serde_json::json!({"result": "fail", "policy": "fail-on block, min-lineages 1", "reasons": ["1 issue of BLOCK"]})
    );
    gate(&sandbox, &["--fail-on", "convergent"], 0);
    let few = gate(&sandbox, &["--fail-on", "convergent", "--min-lineages", "3", "--format", "json"], 3);
    assert_eq!(json(&few)["reasons"][0], "2 lineages answered, 3 asked for");
    // The run keeps the policy that it was made with.
    let run = runs(&sandbox).remove(0);
    assert!(sandbox.scrum(&["report", &run]).stdout.contains("Verdict: ship-with-fixes"));
    assert_eq!(sandbox.scrum(&["tally", &run]).status, 0);
}

#[test]
fn what_the_change_says_of_the_policy_does_not_count() {
    let sandbox = reviewed();
    let lax = "[gate]\nfail_on = \"never\"\n";
    let strict = "[gate]\nfail_on = \"block\"\n";
    sandbox.write(".scrumignore", "");
    sandbox.script("git rm -q --cached -r . ; git add app.py .scrumignore; git commit -qm three");
    let config = fs::read_to_string(sandbox.repo().join("scrum.toml")).unwrap();
    sandbox.write("scrum.toml", format!("{config}{strict}"));
    sandbox.script("git add scrum.toml replies; git commit -qm policy; git switch -qc topic");
    sandbox.write("scrum.toml", format!("{config}{lax}"));
    sandbox.write("app.py", "x = 2\nx -= int(input())\nprint(account)\n");
    sandbox.script("git commit -qam lax");
    let printed = sandbox.scrum(&["review", "--panel", "both", "--quiet"]);
    assert_eq!(printed.status, 1, "{printed:?}");
    let printed = gate(&sandbox, &[], 1);
    assert!(printed.stdout.contains("fail-on block"), "{printed:?}");
}

#[test]
fn a_run_of_other_commits_is_refused() {
    let sandbox = reviewed();
    sandbox.script("echo y = 2 >> app.py; git commit -qam three");
    let [run] = &runs(&sandbox)[..] else { panic!() };
    let printed = gate(&sandbox, &["--fail-on", "block"], 2);
    insta::assert_snapshot!(shown(&sandbox, &printed.stderr), @"
    error: no run here is of HEAD~1..HEAD, which is checked out
    hint: review it: `scrum review HEAD~1..HEAD`
    hint: `--base` and `--head` ask about other commits
    ");
    let printed = gate(&sandbox, &[run, "--fail-on", "block"], 2);
    insta::assert_snapshot!(shown(&sandbox, &printed.stderr), @"
    error: run RUN is of HEAD~2..HEAD~1, not of HEAD~1..HEAD, which is checked out
    hint: review it: `scrum review HEAD~1..HEAD`
    hint: `--base` and `--head` ask about other commits
    ");
    gate(&sandbox, &[run, "--fail-on", "block", "--base", "HEAD~2", "--head", "HEAD~1"], 1);
    gate(&sandbox, &["latest", "--fail-on", "block", "--base", "HEAD~2", "--head", "HEAD~1"], 1);
    // Only the last commit of two was reviewed.
    sandbox.script("git switch -qc topic HEAD~1; git branch -qf main HEAD~1; git switch -q topic");
    sandbox.script("echo z = 3 >> app.py; git commit -qam four");
    assert_eq!(sandbox.scrum(&["review", "--panel", "both", "--quiet", "HEAD~1..HEAD"]).status, 0);
    let printed = gate(&sandbox, &["--fail-on", "block"], 2);
    assert!(
        printed.stderr.contains("no run here is of HEAD~2..HEAD") || printed.stderr.contains("no run here")
    );
    let printed = gate(&sandbox, &["--head", "HEAD~1", "--fail-on", "block"], 2);
    assert!(printed.stderr.contains("--base main"), "{printed:?}");
}

#[test]
fn a_first_commit_without_a_run_is_told() {
    let sandbox = Sandbox::new();
    sandbox.script("echo x = 1 > app.py; git add app.py; git commit -qm one");
    let printed = gate(&sandbox, &["--fail-on", "block"], 2);
    let told = printed.stderr.replace(&commits(&sandbox)[0][..7], "HEAD");
    insta::assert_snapshot!(told, @"
    error: no run here is of HEAD, which is checked out
    hint: review it: `scrum review`
    hint: `--base` and `--head` ask about other commits
    ");
    assert_eq!(sandbox.scrum(&["review", "--quiet"]).status, 0);
    gate(&sandbox, &["--fail-on", "block"], 0);
}

#[test]
fn the_latest_run_of_the_commits_is_taken() {
    let sandbox = reviewed();
    sandbox.write("app.py", "x = 1\nx -= int(input())\nprint(account)\nz = 9\n");
    sandbox.script("git add app.py");
    assert_eq!(sandbox.scrum(&["review", "--panel", "both", "--quiet", "--staged"]).status, 0);
    let first = runs(&sandbox).remove(0);
    let printed = gate(&sandbox, &["--fail-on", "block"], 1);
    assert!(printed.stdout.contains(&first), "{printed:?}");
    let second = runs(&sandbox).remove(1);
    let printed = gate(&sandbox, &[&second, "--fail-on", "block"], 2);
    insta::assert_snapshot!(shown(&sandbox, &printed.stderr), @"
    error: run RUN is of --staged, not of HEAD~1..HEAD, which is checked out
    hint: of that is run RUN: `scrum gate RUN`
    ");
}

/// Changes a file of the only run.
fn tamper(sandbox: &Sandbox, file: &str, change: impl FnOnce(String) -> String) {
    let run = runs(sandbox).remove(0);
    let path = sandbox.repo().join(".scrum").join(file.replace("RUN", &run));
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, change(text)).unwrap();
}

#[test]
fn a_run_that_is_not_whole_never_passes() {
    let check = |change: &dyn Fn(&Sandbox), reason: &str| {
        let sandbox = reviewed();
        change(&sandbox);
        let printed = gate(&sandbox, &["--fail-on", "convergent", "--format", "json"], 3);
        assert_eq!(json(&printed)["reasons"][0], reason);
        assert_eq!(json(&printed)["result"], "inconclusive");
        // Nor does any other command say that it passes.
        for command in [&["report", "latest"][..], &["tally", "latest", "--fail-on", "convergent"]] {
            let told = json(&sandbox.scrum(&[command, &["--format", "json"]].concat()));
            assert_eq!(told["gate"]["result"], "inconclusive", "{command:?} {reason}");
        }
    };
    check(
        &|sandbox| tamper(sandbox, "bundles/RUN/c1_root.diff", |text| text.replace("input", "inputs")),
        "bundle c1_root is not what was reviewed",
    );
    check(
        &|sandbox| fs::remove_dir_all(sandbox.repo().join(".scrum/bundles")).unwrap(),
        "its bundles are gone",
    );
    let unfinished = |text: String| {
        let mut record: Value = serde_json::from_str(&text).unwrap();
        record["finished_at"] = Value::Null;
        record.to_string()
    };
    check(&|sandbox| tamper(sandbox, "reviews/RUN/run.json", unfinished), "the run is not finished");
    let cut = |text: String| {
        let mut record: Value = serde_json::from_str(&text).unwrap();
        record["cut_short"] = "the budget is used up".into();
        record.to_string()
    };
    check(&|sandbox| tamper(sandbox, "reviews/RUN/run.json", cut), "the budget is used up");
    check(
        &|sandbox| tamper(sandbox, "reviews/RUN/replies/c1_root__kimi.md", |_| String::new()),
        "the reply of kimi about bundle c1_root is gone",
    );
    let without_opus =
        |text: String| text.split_inclusive('\n').filter(|line| !line.contains("opus")).collect::<String>();
    check(
        &|sandbox| tamper(sandbox, "reviews/RUN/outcomes.jsonl", without_opus),
        "what opus answered about bundle c1_root is not on record",
    );
    let without_bundles = |text: String| {
        let mut manifest: Value = serde_json::from_str(&text).unwrap();
        manifest["bundles"] = Value::Array(Vec::new());
        manifest.to_string()
    };
    check(
        &|sandbox| tamper(sandbox, "bundles/RUN/manifest.json", without_bundles),
        "bundle c1_root was reviewed and is gone",
    );
    // What does not read at all is an error, which is no pass either.
    let sandbox = reviewed();
    tamper(&sandbox, "bundles/RUN/c1_root.diff", |_| String::new());
    let printed = gate(&sandbox, &["--fail-on", "convergent"], 2);
    assert!(printed.stderr.contains("c1_root.diff is damaged: it is empty"), "{printed:?}");
}

#[test]
fn reviewers_that_are_down_are_inconclusive_and_nothing_to_review_passes() {
    let sandbox = reviewed();
    sandbox.script("rm replies/*; git switch -qc topic; echo y = 2 >> app.py; git commit -qam three");
    sandbox.scrum(&["review", "--panel", "both", "--quiet"]);
    let printed = gate(&sandbox, &["--fail-on", "block", "--format", "json"], 3);
    assert_eq!(json(&printed)["reasons"][0], "no reviewer answered");
    // Parts that flags left out are not let through either.
    let sandbox = reviewed();
    sandbox.script("git switch -qc topic; echo more > notes.txt; echo y = 2 >> app.py; git add app.py notes.txt; git commit -qm three");
    sandbox.scrum(&["review", "--panel", "both", "--quiet", "--exclude", "notes.txt"]);
    let printed = gate(&sandbox, &["--fail-on", "convergent", "--format", "json"], 3);
    assert_eq!(json(&printed)["reasons"][0], "1 file left out by the flags of the review: notes.txt");
    sandbox.script("git switch -q main; git switch -qc empty; git commit -q --allow-empty -m nothing");
    let printed = gate(&sandbox, &["--fail-on", "block"], 0);
    insta::assert_snapshot!(shown(&sandbox, &printed.stdout), @"
    Gate passed (fail-on block, min-lineages 1)
    - nothing to review
    HEAD~1..HEAD
    ");
}

#[test]
fn an_override_is_written_down_and_shown() {
    let sandbox = reviewed();
    sandbox.scrum(&["review", "--panel", "both", "--quiet", "--fail-on", "block", "HEAD~1..HEAD"]);
    let block = ["--fail-on", "block"];
    for blank in ["  ", "\u{200b}", " \u{2060}\u{feff} "] {
        let printed = gate(&sandbox, &[&block[..], &["--override", blank]].concat(), 2);
        assert!(printed.stderr.contains("say why"), "{printed:?}");
    }
    gate(&sandbox, &block, 1);
    let printed = gate(&sandbox, &[&block[..], &["--override", "reviewed by hand | <b>"]].concat(), 0);
    insta::assert_snapshot!(shown(&sandbox, &(printed.stdout + &printed.stderr)), @"
    Gate failed (fail-on block, min-lineages 1)
    - 1 issue of BLOCK
    - passed by override of Ada Byron on DAY: reviewed by hand | <b>
    Run RUN of HEAD~1..HEAD
    note: kept in .scrum/reviews/RUN/overrides.jsonl; another run needs another one
    ");
    let printed = gate(&sandbox, &[&block[..], &["--format", "json"]].concat(), 0);
    let found = json(&printed);
    assert_eq!((&found["result"], &found["override"]["by"]), (&"fail".into(), &"Ada Byron".into()));
    let tally: Value = serde_json::from_str(&sandbox.scrum(&["report", "--format", "json"]).stdout).unwrap();
    assert_eq!(tally["gate"], found);
    let table = sandbox.scrum(&["report"]).stdout;
    let line = table.split("Gate failed").nth(1).unwrap();
    insta::assert_snapshot!(shown(&sandbox, line), @"
    (fail-on block, min-lineages 1): 1 issue of BLOCK; passed by override of Ada Byron on
     DAY: reviewed by hand | <b>
    ");
    let markdown = sandbox.scrum(&["report", "--format", "markdown"]).stdout;
    let line = markdown.lines().find(|line| line.contains("override")).unwrap();
    assert!(
        shown(&sandbox, line)
            .contains(r"passed by override of Ada Byron on DAY: reviewed by hand \| &lt;b&gt;"),
        "{line}"
    );
    assert_eq!(sandbox.scrum(&["tally", "latest"]).status, 0);
    // Another policy, and another run of the same commits, are another matter.
    gate(&sandbox, &["--fail-on", "warn"], 1);
    let again = gate(&sandbox, &[&block[..], &["--override", "once more"]].concat(), 2);
    assert!(again.stderr.contains("overridden already"), "{again:?}");
    sandbox.scrum(&["review", "--panel", "both", "--quiet", "--fail-on", "block", "HEAD~1..HEAD"]);
    gate(&sandbox, &block, 1);
    let fine = gate(&sandbox, &["--fail-on", "convergent", "--override", "no need"], 2);
    assert!(fine.stderr.contains("it passes"), "{fine:?}");
}

#[test]
fn an_override_names_whom_the_job_git_or_the_system_knows() {
    let by = |prepare: &str, variables: &[(&str, &str)]| {
        let sandbox = reviewed();
        sandbox.script(prepare);
        let arguments = ["gate", "--fail-on", "block", "--override", "known", "--format", "json"];
        let printed = sandbox.scrum_with(&arguments, variables);
        json(&printed)["override"]["by"].as_str().unwrap().to_owned()
    };
    let nameless = "git config --unset user.name";
    let actions = [("GITHUB_ACTIONS", "true"), ("GITHUB_ACTOR", "ada-b")];
    assert_eq!(by("true", &actions), "ada-b");
    assert_eq!(by(nameless, &actions), "ada-b");
    assert_eq!(by("true", &[("USER", "ada")]), "Ada Byron");
    assert_eq!(by("git config user.name ' '", &[("USER", "ada")]), "ada");
    assert_eq!(by(nameless, &[("LOGNAME", "ada")]), "ada");
    // Without any variable the account is still known.
    assert!(!["", "unknown"].contains(&by(nameless, &[]).as_str()));
}

#[test]
fn an_override_that_names_no_issues_does_not_count() {
    let sandbox = reviewed();
    let block = ["--fail-on", "block"];
    gate(&sandbox, &[&block[..], &["--override", "known"]].concat(), 0);
    gate(&sandbox, &block, 0);
    let without = |text: String| {
        let mut line: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line.as_object_mut().unwrap().remove("issues").unwrap().as_array().unwrap().len(), 1);
        line.to_string() + "\n"
    };
    tamper(&sandbox, "reviews/RUN/overrides.jsonl", without);
    gate(&sandbox, &block, 1);
}

#[test]
fn an_override_that_comes_with_the_change_does_not_count() {
    let sandbox = reviewed();
    gate(&sandbox, &["--fail-on", "block", "--override", "mine"], 0);
    let run = runs(&sandbox).remove(0);
    sandbox.script("git add -f .scrum/reviews; git commit -q --amend -m two");
    let head = &commits(&sandbox)[0];
    // The amended commit has another id, so the run is doctored to be of it, as somebody who wants it green would.
    for file in ["run.json", "overrides.jsonl"] {
        let path = sandbox.repo().join(".scrum/reviews").join(&run).join(file);
        let text = fs::read_to_string(&path).unwrap();
        let old = serde_json::from_str::<Value>(text.lines().next().unwrap()).map_or_else(
            |_| serde_json::from_str::<Value>(&text).unwrap()["range"]["head"].clone(),
            |line| line["head"].clone(),
        );
        fs::write(&path, text.replace(old.as_str().unwrap(), head)).unwrap();
    }
    let path = sandbox.repo().join(".scrum/bundles").join(&run).join("manifest.json");
    let text = fs::read_to_string(&path).unwrap();
    let old = serde_json::from_str::<Value>(&text).unwrap()["range"]["head"].as_str().unwrap().to_owned();
    fs::write(&path, text.replace(&old, head)).unwrap();
    let printed = gate(&sandbox, &[&run, "--fail-on", "block"], 1);
    assert!(!printed.stdout.contains("passed by override"), "{printed:?}");
}

/// What a job about pull request 5 of acme/shop sees.
fn job(forge: &MockForge) -> [(&str, &str); 6] {
    [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_API_URL", &forge.url),
        ("GITHUB_SERVER_URL", "https://github.com"),
        ("GITHUB_REPOSITORY", "acme/shop"),
        ("GITHUB_REF", "refs/pull/5/merge"),
        ("GITHUB_TOKEN", TOKEN),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_stands_on_the_commit() {
    let sandbox = reviewed();
    let [head, base] = &commits(&sandbox)[..] else { panic!() };
    let forge = MockForge::start(GitHub::new(), Pull::new("acme/shop", 5, base, head)).await;
    let run = |arguments: &[&str]| {
        let all = [&["gate", "--pr", "5", "--status"], arguments].concat();
        sandbox.scrum_with(&all, &job(&forge)).status
    };
    assert_eq!(run(&[]), 2, "the gate is off");
    assert_eq!(run(&["--fail-on", "block"]), 1);
    assert_eq!(run(&["--fail-on", "convergent"]), 0);
    assert_eq!(run(&["--fail-on", "convergent", "--min-lineages", "3"]), 3);
    assert_eq!(run(&["--fail-on", "block", "--override", &"word ".repeat(60)]), 0);
    let statuses = forge.statuses();
    assert!(statuses.iter().all(|status| status.commit == *head && status.context == "scrum"));
    let said: Vec<_> =
        statuses.iter().map(|status| format!("{}: {}", status.state, status.description)).collect();
    insta::assert_snapshot!(said.join("\n"), @"
    failure: fail: 1 issue of BLOCK
    success: pass: nothing that fails, and every bundle was answered by 1 lineage or more
    error: inconclusive: 2 lineages answered, 3 asked for
    success: passed by override of Ada Byron: word word word word word word word word word word word word word word word word word word word word word w…
    ");
    // The link leads to the pull request, in a job whose page is known to that.
    assert!(
        statuses.iter().all(|status| status.page.as_deref() == Some("https://github.com/acme/shop/pull/5"))
    );
    let in_a_run = [&job(&forge)[..], &[("GITHUB_RUN_ID", "816")]].concat();
    for arguments in [&["--pr", "5"][..], &[]] {
        let all = [&["gate", "--status", "--fail-on", "convergent"], arguments].concat();
        assert_eq!(sandbox.scrum_with(&all, &in_a_run).status, 0);
        let page = forge.statuses().pop().unwrap().page;
        assert_eq!(page.as_deref(), Some("https://github.com/acme/shop/actions/runs/816"));
    }
    let said_before = forge.statuses().len();
    // Somebody pushes.
    forge.change(|pull| pull.head = "4ead0000000000000000000000000000000000ad".to_owned());
    let printed = sandbox.scrum_with(&["gate", "--pr", "5", "--status", "--fail-on", "block"], &job(&forge));
    assert_eq!((printed.status, forge.statuses().len()), (2, said_before), "{printed:?}");
    insta::assert_snapshot!(shown(&sandbox, &printed.stderr), @"
    error: no run here is of HEAD~1..4ead000, which is the pull request now
    hint: review it: `scrum review --pr 5`
    hint: its commits are not here: fetch them, then the start of the review can be told
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_that_cannot_be_set_is_an_error() {
    let sandbox = reviewed();
    let [head, base] = &commits(&sandbox)[..] else { panic!() };
    let forge = MockForge::start(GitHub::new(), Pull::new("acme/shop", 5, base, head)).await;
    forge.play(Fault::ReadOnly, None);
    let arguments = ["gate", "--status", "--fail-on", "convergent"];
    let printed = sandbox.scrum_with(&arguments, &job(&forge));
    assert_eq!(printed.status, 2, "{printed:?}");
    assert!(printed.stdout.starts_with("Gate passed"), "{printed:?}");
    assert!(printed.stderr.contains("may not put a status on commit"), "{printed:?}");
    let printed = sandbox.scrum(&arguments);
    assert_eq!(printed.status, 2, "{printed:?}");
}
