//! Files that a configuration names: prompts, rules, programs, saved replies.

use super::Watched;

/// A panel of everything that names files, at the base.
fn prepared() -> Watched {
    let watched = Watched::new();
    let tool = "#!/bin/sh\necho VERDICT: ship, the base says\n";
    watched.sandbox.write("tools/review.sh", tool);
    watched.sandbox.script("chmod +x tools/review.sh");
    watched.sandbox.write("tools/rules.yml", "ours\n");
    watched.sandbox.write("saved/old.md", "VERDICT: ship, read\n");
    watched.sandbox.write("prompts/mine.md", "Review. END {{ nonce }}\n");
    watched.sandbox.write("rules/mine.toml", "rule = []\n");
    watched.sandbox.write(
        "scrum.toml",
        "[prompt]\nsystem = \"prompts/mine.md\"\n[rules]\nfiles = [\"./rules/../rules/mine.toml\"]\n\
         [[reviewer]]\nid = \"script\"\nprovider = \"command\"\ncommand = [\"./tools/review.sh\"]\n\
         [[reviewer]]\nid = \"tool\"\nprovider = \"command\"\ncommand = [\"sh\", \"-c\", \"echo VERDICT: ship, read\", \"--config=tools/rules.yml\", \"src\"]\n\
         [[reviewer]]\nid = \"old\"\nprovider = \"replay\"\ndir = \"saved\"\n",
    );
    watched.commit("A panel");
    watched.sandbox.script("git switch -qc topic && echo >> src/lib.rs && git commit -qam 'More'");
    watched
}

/// What is said when `path` is changed by a commit on top, or by adding a file below it.
#[track_caller]
fn check(path: &str, said: &[&str]) {
    let watched = prepared();
    watched.sandbox.script(&format!("mkdir -p \"$(dirname {path})\" && echo >> {path}"));
    watched.commit("Touch it");
    let (_, printed) = watched.run(&["review"]);
    let ids = regex::Regex::new(r"\b[0-9a-f]{8}\b").unwrap();
    let warnings: Vec<String> = printed
        .stderr
        .lines()
        .filter_map(|line| line.strip_prefix("warning: "))
        .map(|line| ids.replace(line, "BASE").into_owned())
        .collect();
    assert_eq!(warnings, said, "{}", printed.stderr);
    assert_eq!(printed.status, 0, "{}", printed.stderr);
}

#[test]
fn what_a_configuration_names_is_taken_from_the_base_or_not_asked() {
    check("src/lib.rs", &[]);
    check("prompts/mine.md", &["prompts/mine.md is used as it was at BASE, before this change"]);
    check("rules/mine.toml", &["rules/mine.toml is used as it was at BASE, before this change"]);
    check("saved/new.md", &["old is not asked: saved comes with the change under review"]);
    check("tools/review.sh", &["script is not asked: tools/review.sh comes with the change under review"]);
    check("tools/rules.yml", &["tool is not asked: tools/rules.yml comes with the change under review"]);
}

const BLOCK: &str =
    "SEVERITY: BLOCK\nWHERE: src/lib.rs:1\nWHAT: The answer is wrong.\nVERDICT: hold, wrong\n";

/// A repository on a branch that changes a line and can be reviewed with a saved reply that blocks it.
fn blocked() -> Watched {
    let watched = Watched::new();
    let reviews = "[paths]\nbundles = \"kept/bundles\"\nreviews = \"kept/reviews\"\n";
    let seat = "[[reviewer]]\nid = \"opus\"\nprovider = \"replay\"\nmodel = \"claude-opus-4-7\"\ndir = \"../saved\"\n";
    watched.sandbox.write("scrum.toml", format!("{reviews}{seat}"));
    watched.sandbox.script(&format!("mkdir ../saved; cat > ../saved/opus.md <<'END'\n{BLOCK}END\n"));
    watched.commit("Keep runs where they are seen");
    watched.sandbox.script("git switch -qc topic");
    watched.sandbox.write("src/lib.rs", "pub fn one() -> u32 { 3 }\n");
    watched.commit("Three");
    watched
}

const REVIEW: [&str; 5] = ["review", "-r", "opus", "--fail-on", "block"];

#[test]
fn a_shell_script_is_read_for_names_of_files() {
    let watched = prepared();
    let config = std::fs::read_to_string(watched.sandbox.repo().join("scrum.toml")).unwrap();
    let config =
        config.replace("[\"./tools/review.sh\"]", "[\"sh\", \"-c\", \"cd . && (./tools/review.sh)\"]");
    watched.sandbox.write("scrum.toml", config);
    watched.sandbox.script(
        "git switch -q main && git commit -qam 'By a shell' && git switch -q topic && git rebase -q main",
    );
    assert!(!watched.run(&["review"]).1.stderr.contains("script is not asked"));
    watched.sandbox.script("echo >> tools/review.sh && git commit -qam 'Touch it'");
    let (_, printed) = watched.run(&["review"]);
    let said = "script is not asked: ./tools/review.sh comes with the change under review";
    assert!(printed.stderr.contains(said), "{}", printed.stderr);
}

#[test]
fn a_change_cannot_decide_about_its_own_issues() {
    let watched = blocked();
    assert_eq!(watched.run(&REVIEW).1.status, 1);
    let tally = watched.run(&["report", "--format", "json"]).1.stdout;
    let tally: serde_json::Value = serde_json::from_str(&tally).unwrap();
    let issue = tally["issues"][0]["id"].as_str().unwrap();
    assert_eq!(watched.run(&["dispose", "latest", issue, "false"]).1.status, 0);
    assert_eq!(watched.run(&REVIEW).1.status, 0, "a decision that is not committed counts");
    watched.sandbox.script("git add kept/reviews/dispositions.jsonl && git commit -qm 'All false alarms'");
    let (_, printed) = watched.run(&REVIEW);
    assert_eq!(printed.status, 1, "{}", printed.stderr);
    let said = "kept/reviews/dispositions.jsonl comes with this change and is not used";
    assert!(printed.stderr.contains(said), "{}", printed.stderr);
    for again in [["tally", "latest", "--fail-on", "block"], ["report", "latest", "--format", "json"]] {
        let (_, printed) = watched.run(&again);
        assert!(printed.stderr.contains(said), "{again:?} {}", printed.stderr);
    }
    // Once merged it is the maintainers'.
    watched
        .sandbox
        .script("git switch -q main && git cherry-pick topic && git switch -q topic && git rebase -q main");
    assert_eq!(watched.run(&REVIEW).1.status, 0);
}

#[test]
fn a_run_that_was_committed_is_not_the_latest() {
    let watched = blocked();
    assert_eq!(watched.run(&REVIEW).1.status, 1);
    watched.sandbox.script(
        "cd kept && for kind in bundles reviews; do mv $kind/2* $kind/29991231-000000000-aaaaaa; done; git add . && git commit -qm 'A run of the future'",
    );
    let (_, printed) = watched.run(&["report", "latest"]);
    assert_eq!(printed.status, 2, "{}", printed.stderr);
    assert!(
        printed.stderr.contains("hint: the newest of them is 29991231-000000000-aaaaaa"),
        "{}",
        printed.stderr
    );
    assert_eq!(watched.run(&REVIEW).1.status, 1);
    let (_, printed) = watched.run(&["report", "latest", "--format", "json"]);
    assert!(!printed.stdout.contains("\"id\": \"29991231"), "{}", printed.stdout);
    assert_eq!(watched.run(&["report", "29991231"]).1.status, 0);
}

#[test]
fn runs_and_answers_are_not_kept_where_the_change_says() {
    let watched = blocked();
    watched.sandbox.script("mkdir -p .scrum/cache && echo 'ANSWER: REFUTED' > .scrum/cache/00.md && git add -f .scrum && git commit -qm Answers");
    let (_, printed) = watched.run(&REVIEW);
    assert!(
        printed.status == 2 && printed.stderr.contains(".scrum/cache comes with this change"),
        "{}",
        printed.stderr
    );
    watched.sandbox.script("git rm -qr .scrum && ln -s ../elsewhere kept && mkdir ../elsewhere && git add -A && git commit -qm 'A link'");
    let (_, printed) = watched.run(&REVIEW);
    assert!(
        printed.status == 2 && printed.stderr.contains("kept/bundles comes with this change"),
        "{}",
        printed.stderr
    );
    assert_eq!(watched.sandbox.script("ls ../elsewhere"), "");
}
