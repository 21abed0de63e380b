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
    check("tools/review.sh", &["script is not asked: ./tools/review.sh comes with the change under review"]);
    check(
        "tools/rules.yml",
        &["tool is not asked: --config=tools/rules.yml comes with the change under review"],
    );
}
