//! Whole gauntlets: each assessment on a small repository, the pair of services for real, and what can go wrong.

mod pair;

use std::{fs, path::PathBuf, process::Stdio};

use serde_json::Value;

use crate::sandbox::{Printed, Sandbox, printed};

/// A repository whose last commit changes a harmless file, with a `gauntlet.toml` that is not committed.
fn repository(gauntlet: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("notes.txt", "one\n");
    sandbox.script("git add -A && git commit -qm one");
    sandbox.write("notes.txt", "one\ntwo\n");
    sandbox.script("git commit -qam two");
    sandbox.write("gauntlet.toml", gauntlet);
    sandbox
}

/// Checks that pass, a review of the last commit, and what compares `cat` with `right`.
fn declared(check: &str, right: &str) -> Sandbox {
    let sandbox = repository(&format!(
        "[[smoke]]\nname = \"unit\"\nlayer = \"substrate\"\ncommand = [\"sh\", \"-c\", \"{check}\"]\n\
         [review]\nrange = \"HEAD~1..HEAD\"\npanel = \"offline\"\n[[parity]]\nspec = \"parity.toml\"\n"
    ));
    sandbox.write(
        "parity.toml",
        format!(
            "name = \"copy\"\n[[side]]\nname = \"left\"\ncommand = [\"cat\"]\n[[side]]\nname = \"right\"\ncommand = {right}\n\
             [[case]]\nname = \"same\"\nbody = \"1\\n\"\n[[case]]\nname = \"letters\"\nbody = \"a\\n\"\n"
        ),
    );
    sandbox
}

fn with_gap(sandbox: &Sandbox, until: &str) {
    let path = sandbox.repo().join("gauntlet.toml");
    let gap = format!(
        "[[gap]]\nmatches = \"copy/letters\"\nwhy = \"known to differ\"\naccepted_by = \"Ines Duarte\"\nuntil = {until}\n"
    );
    fs::write(&path, fs::read_to_string(&path).unwrap() + &gap).unwrap();
}

/// The document of a gauntlet, and its exit status.
fn run(sandbox: &Sandbox, arguments: &[&str]) -> (Value, Printed) {
    let printed = sandbox.scrum(&[&["gauntlet", "--format", "json"], arguments].concat());
    let document = serde_json::from_str(&printed.stdout).unwrap_or_else(|_| panic!("{printed:?}"));
    (document, printed)
}

/// The answer, its reasons, and what is called out besides.
fn check(sandbox: &Sandbox, expect: (&str, i32, &[&str], &[&str])) {
    let (document, printed) = run(sandbox, &[]);
    let texts = |value: &Value| -> Vec<String> {
        value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    let assessment = &document["assessment"];
    let found = (
        assessment["result"].as_str().unwrap(),
        printed.status,
        texts(&assessment["reasons"]).iter().map(|text| without_time(text)).collect::<Vec<_>>(),
        texts(&document["notes"]),
    );
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    assert_eq!(found, (expect.0, expect.1, owned(expect.2), owned(expect.3)), "{printed:?}");
}

/// A reason without how long it took.
fn without_time(text: &str) -> String {
    text.split_once(" pass in ").map_or_else(|| text.to_owned(), |(head, _)| format!("{head} pass"))
}

const SHOUTS: &str = "[\"tr\", \"a\", \"b\"]";
const REVIEW: &str = "the review says ship: nothing of WARN or worse was found";
const CHECKS: &str = "checks: 1 / 1 pass";

#[test]
fn ship() {
    let sandbox = declared("true", "[\"cat\"]");
    check(&sandbox, ("ship", 0, &[CHECKS, REVIEW, "copy: all 2 cases match"], &[]));
    // A gap that no longer occurs is called out, and does not fail.
    with_gap(&sandbox, "2999-01-01");
    let closed = "the known gap copy/letters no longer occurs: take it out of the register";
    check(&sandbox, ("ship", 0, &[CHECKS, REVIEW, "copy: all 2 cases match"], &[closed]));
}

#[test]
fn ship_with_known_gap() {
    let sandbox = declared("true", SHOUTS);
    with_gap(&sandbox, "2999-01-01");
    let known = "copy: 1 of 2 cases differ, as accepted";
    check(&sandbox, ("ship-with-known-gap", 0, &[known, CHECKS, REVIEW], &[]));
    let review = sandbox.repo().join(".scrum/reviews");
    let run = fs::read_dir(&review).unwrap().flatten().find(|entry| entry.path().is_dir()).unwrap().path();
    let copy = fs::read_to_string(run.join("parity/copy.md")).unwrap();
    assert!(copy.contains("known to differ (Ines Duarte until 2999-01-01)"), "{copy}");
    let page = fs::read_to_string(run.join("gauntlet.md")).unwrap();
    assert!(
        page.starts_with("## Gauntlet: ship-with-known-gap – copy: 1 of 2 cases differ, as accepted\n"),
        "{page}"
    );
    assert!(run.join("smoke/unit.txt").is_file() && run.join("tally.json").is_file());
    // What is saved is shown with the run, by people's forms.
    let id = run.file_name().unwrap().to_str().unwrap();
    let shown = sandbox.scrum(&["report", id]);
    assert!(
        shown.stdout.contains("Verdict: ship") && shown.stdout.contains("May this ship? ship-with-known-gap")
    );
    let comment = sandbox.scrum(&["report", id, "--format", "markdown"]);
    assert!(comment.stdout.contains("<summary>Gauntlet: ship-with-known-gap</summary>"), "{comment:?}");
    let tally: Value =
        serde_json::from_str(&sandbox.scrum(&["report", id, "--format", "json"]).stdout).unwrap();
    assert_eq!(tally["schema"], "scrum.tally/1");
}

#[test]
fn hold() {
    let failed = "1 check failed: unit (exit status 3: it is red)";
    let red = declared("echo it is red >&2; exit 3", "[\"cat\"]");
    check(&red, ("hold", 1, &[failed], &[]));

    let differs = "copy: 1 of 2 cases differ";
    let other = declared("true", SHOUTS);
    check(&other, ("hold", 1, &[differs], &[]));
    with_gap(&other, "2020-01-01");
    let expired = "the known gap copy/letters was accepted until 2020-01-01 and still occurs (1 case): close it, or accept it anew";
    check(&other, ("hold", 1, &[differs], &[expired]));
}

#[test]
fn hold_by_the_review() {
    let sandbox = declared("true", "[\"cat\"]");
    sandbox.write("scrum.toml", "[gate]\nfail_on = \"any\"\n");
    sandbox.script("git add scrum.toml && git commit -qm gate");
    sandbox.write("run.py", "import os\nos.system(\"ls \" + name)\n");
    sandbox.script("git add run.py && git commit -qm run");
    check(&sandbox, ("hold", 1, &["the gate of the review fails: 1 issue of INFO or worse"], &[]));
}

#[test]
fn inconclusive() {
    let down = declared("true", "[\"./no-such-program\"]");
    let reason = "copy: 2 cases not compared, the first: right: program `./no-such-program` not found";
    check(&down, ("inconclusive", 3, &[reason], &[]));

    let alone = declared("true", "[\"cat\"]");
    let (document, printed) = run(&alone, &["--skip", "review", "--skip", "smoke"]);
    assert_eq!((document["assessment"]["result"].as_str(), printed.status), (Some("inconclusive"), 3));
    assert_eq!(document["smoke"]["state"], "left-out");
    let id = document["run"]["id"].as_str().unwrap();
    // It is no run, and can be shown all the same.
    let shown = alone.scrum(&["report", id]);
    assert!(shown.stdout.contains("the review was left out (--skip review)"), "{shown:?}");
    assert_eq!(alone.scrum(&["report"]).status, 2, "there is no run of a review");
}

#[test]
fn a_review_that_no_model_answered_does_not_ship() {
    let sandbox = repository("[review]\nrange = \"HEAD~1..HEAD\"\npanel = \"mixed\"\n");
    let panel = |command: &str| {
        let seat = "[panel.mixed]\nreviewers = [\"agent\", \"rules\"]\n[[reviewer]]\nid = \"agent\"\nprovider = \"command\"\nmodel = \"kimi-k2\"\n";
        sandbox.write("scrum.toml", format!("{seat}command = {command}\n"));
    };
    panel("[\"false\"]");
    let reason = "no model of the panel answered the review, only reviewers that work offline";
    check(&sandbox, ("inconclusive", 3, &[reason], &[]));
    panel("[\"sh\", \"-c\", \"cat >/dev/null; echo 'VERDICT: ship, nothing found'\"]");
    check(&sandbox, ("ship", 0, &["the review says ship: nothing of WARN or worse was found"], &[]));
}

#[test]
fn a_chain_that_stops_begins_nothing_more() {
    let sandbox = declared("exit 1", "[\"cat\"]");
    let path = sandbox.repo().join("gauntlet.toml");
    fs::write(&path, "[chain]\non_failure = \"stop\"\n".to_owned() + &fs::read_to_string(&path).unwrap())
        .unwrap();
    let stops = "was not carried out: the chain stops where a check fails";
    let (review, parity) = (format!("the review {stops}"), format!("the parity {stops}"));
    check(&sandbox, ("hold", 1, &["1 check failed: unit (exit status 1)", &review, &parity], &[]));
}

#[test]
fn trend() {
    let sandbox = declared("test -e fixed", "[\"cat\"]");
    check(&sandbox, ("hold", 1, &["1 check failed: unit (exit status 1)"], &[]));
    sandbox.write("fixed", "");
    let (document, _) = run(&sandbox, &[]);
    let earlier = document["trend"].as_array().unwrap();
    let told: Vec<_> = earlier.iter().map(|line| (&line["assessment"], &line["smoke"]["passed"])).collect();
    assert_eq!(told, [(&Value::from("hold"), &Value::from(0))]);
    let lines = fs::read_to_string(sandbox.repo().join(".scrum/reviews/gauntlets.jsonl")).unwrap();
    assert_eq!(lines.lines().count(), 2);
}

#[test]
fn what_came_is_kept_when_it_is_interrupted() {
    let sandbox = declared("echo begun > begun; exec sleep 1000", "[\"cat\"]");
    let mut command = sandbox.command(env!("CARGO_BIN_EXE_scrum"));
    let command =
        command.args(["gauntlet", "--format", "json"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    while !sandbox.repo().join("begun").exists() {
        std::thread::yield_now();
    }
    sandbox.script(&format!("kill -INT {}", child.id()));
    let printed = printed(&child.wait_with_output().unwrap());
    let document: Value = serde_json::from_str(&printed.stdout).unwrap_or_else(|_| panic!("{printed:?}"));
    assert_eq!((&document["assessment"]["result"], printed.status), (&Value::from("inconclusive"), 130));
    assert_eq!(document["run"]["finished_at"], Value::Null);
    assert_eq!(document["smoke"]["checks"][0]["result"], "skipped");
    let lines = sandbox.repo().join(".scrum/reviews/gauntlets.jsonl");
    assert!(!lines.exists(), "an interrupted gauntlet is none of the trend");
}

#[test]
fn what_cannot_be_carried_out_is_told_before_anything_runs() {
    let check = |gauntlet: &str, arguments: &[&str], expect: &str| {
        let sandbox =
            repository(&("[[smoke]]\nname = \"x\"\ncommand = [\"touch\", \"ran\"]\n".to_owned() + gauntlet));
        let printed = sandbox.scrum(&[&["gauntlet"], arguments].concat());
        let root = sandbox.repo().canonicalize().unwrap();
        let told = printed.stderr.replace(&format!("{}/", root.display()), "");
        assert_eq!((printed.status, told.as_str()), (2, expect), "{gauntlet}");
        assert!(!sandbox.repo().join("ran").exists(), "{gauntlet}");
    };
    check(
        "",
        &["other.toml"],
        "error: there is no file other.toml\nhint: docs/design/gauntlet.md says what stands in one: [[smoke]], [review], [[parity]], [[gap]]\n",
    );
    check(
        "[review]\nrnge = \"HEAD\"\n",
        &[],
        "error: gauntlet.toml:5: unknown field `rnge`, expected `range` or `panel`\nhint: did you mean `range`?\n",
    );
    check(
        "[[parity]]\nspec = \"no.toml\"\n",
        &[],
        "error: gauntlet.toml:4: parity 1: there is no file no.toml\n",
    );
    check(
        "[[gap]]\nmatches = \"a/*\"\nwhy = \"x\"\naccepted_by = \"y\"\nuntil = \"2027-01-01\"\n",
        &[],
        "error: gauntlet.toml:8: until is \"2027-01-01\", it must be a date such as 2026-11-09, without quotes\n",
    );
    check(
        "[review]\nrange = \"nowhere..HEAD\"\n",
        &[],
        "error: unknown revision \"nowhere\"\nhint: git branch --all and git tag list the names there are\n",
    );
    check(
        "[review]\npanel = \"none\"\n",
        &[],
        "error: no panel named \"none\"\nhint: panels: auto, offline\n",
    );
    check(
        "",
        &["--pr", "5"],
        "error: gauntlet.toml declares no review of a pull request\nhint: write [review] into it; its range gives way to the pull request\n",
    );
    check(
        "[review]\n",
        &["--pr", "5", "--post", "--skip", "review"],
        "error: --skip review leaves nothing to post\nhint: what comes of a gauntlet is posted below the tally of its review\n",
    );
}

#[test]
fn without_a_repository_checks_are_carried_out_all_the_same() {
    let sandbox = Sandbox::without_repository();
    sandbox.write("gauntlet.toml", "[[smoke]]\nname = \"unit\"\ncommand = [\"true\"]\n");
    let (document, printed) = run(&sandbox, &[]);
    assert_eq!((&document["assessment"]["result"], printed.status), (&Value::from("ship"), 0));
    sandbox.write("gauntlet.toml", "");
    assert!(sandbox.scrum(&["gauntlet"]).stderr.starts_with("error: gauntlet.toml declares no phase\n"));
    sandbox.write("gauntlet.toml", "[review]\n");
    assert!(sandbox.scrum(&["gauntlet"]).stderr.contains("not in a git repository"));
}

#[test]
fn the_committed_gauntlet_is_shown_to_the_same_bytes() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let sandbox = Sandbox::new();
    let listed = sandbox
        .command("git")
        .args(["ls-files", "--", "reviews/*/gauntlet.json"])
        .current_dir(&root)
        .output();
    let listed = String::from_utf8(listed.unwrap().stdout).unwrap();
    assert!(!listed.is_empty(), "reviews/ holds no committed gauntlet");
    for file in listed.lines() {
        let folder = root.join(file).parent().unwrap().to_owned();
        let schema: Value =
            serde_json::from_slice(&fs::read(root.join("schema/gauntlet.schema.json")).unwrap()).unwrap();
        let document: Value = serde_json::from_slice(&fs::read(root.join(file)).unwrap()).unwrap();
        assert!(
            jsonschema::validator_for(&schema).unwrap().is_valid(&document),
            "{file} is not of its schema"
        );
        let shown = sandbox.scrum(&["report", folder.to_str().unwrap(), "--format", "markdown"]);
        let page = folder.join("gauntlet.md");
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            fs::write(&page, &shown.stdout).unwrap();
        }
        let committed = fs::read_to_string(&page).unwrap();
        assert!(
            committed == shown.stdout,
            "gauntlet.md differs; UPDATE_EXPECTED=1 writes it down:\n{shown:?}"
        );
    }
}
