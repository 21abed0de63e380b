//! What goes wrong at the command line: the right words, the right status, the rest of the run intact.

use crate::sandbox::{Printed, Sandbox};

/// A repository with two commits that touch one file.
fn small() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.script(
        "echo 'a = 1' > a.py; git add -A; git commit -qm one; echo 'a = 2' > a.py; git commit -qam two",
    );
    sandbox
}

fn fails(printed: &Printed, words: &[&str]) {
    assert_eq!(printed.status, 2, "{printed:?}");
    assert_eq!(printed.stdout, "");
    for word in words {
        assert!(printed.stderr.contains(word), "{word:?} is missing in:\n{}", printed.stderr);
    }
}

#[test]
fn outside_a_repository() {
    let sandbox = Sandbox::without_repository();
    fails(&sandbox.scrum(&["review"]), &["error: ", "is not in a git repository", "hint: "]);
    fails(&sandbox.scrum(&["bundle"]), &["is not in a git repository"]);
}

#[test]
fn a_diff_needs_no_repository() {
    let sandbox = Sandbox::without_repository();
    sandbox.write("change.diff", "--- a/x.py\n+++ b/x.py\n@@ -1 +1,2 @@\n a = 1\n+b = eval(input())\n");
    let printed = sandbox.scrum(&["review", "--diff", "change.diff"]);
    assert_eq!(printed.status, 0, "{printed:?}");
    assert!(printed.stdout.contains("x.py:2"), "{}", printed.stdout);
}

#[test]
fn ranges_that_do_not_exist() {
    let sandbox = small();
    fails(&sandbox.scrum(&["review", "HEAD~9..HEAD"]), &["HEAD~9", "hint: "]);
    fails(&sandbox.scrum(&["review", "mian..HEAD"]), &["mian", "hint: ", "main"]);
    fails(&sandbox.scrum(&["review", "--no-such-flag"]), &["--no-such-flag"]);
}

#[test]
fn an_empty_range_is_nothing_to_review() {
    let sandbox = small();
    let printed = sandbox.scrum(&["review", "HEAD..HEAD"]);
    assert_eq!(printed.status, 0, "{printed:?}");
    assert!(printed.stderr.contains("nothing to review"), "{}", printed.stderr);
    assert!(!sandbox.repo().join(".scrum").exists(), "an empty review leaves nothing behind");
}

#[test]
fn an_oversize_bundle_is_not_sent() {
    let sandbox = small();
    let line = "x".repeat(99);
    sandbox.write("big.txt", format!("{line}\n").repeat(1_100));
    sandbox.script("git add -A; git commit -qm big");
    let printed = sandbox.scrum(&["review", "HEAD~1..HEAD"]);
    fails(&printed, &["c1_root", "big.txt", "SCRUM_FORCE_OVERSIZE=1"]);
    assert!(!sandbox.repo().join(".scrum/reviews").exists(), "nothing was asked");
    let forced = sandbox.scrum_with(&["review", "HEAD~1..HEAD"], &[("SCRUM_FORCE_OVERSIZE", "1")]);
    assert_eq!(forced.status, 0, "{forced:?}");
    assert!(forced.stderr.contains("warning: "), "{}", forced.stderr);
}

#[test]
fn a_key_that_is_not_set() {
    let sandbox = small();
    sandbox.write(
        "scrum.toml",
        "[[reviewer]]\nid = \"gpt\"\nprovider = \"openai\"\nmodel = \"gpt-5\"\napi_key_env = \"NOT_SET_HERE\"\nbase_url = \"http://127.0.0.1:9/v1\"\n",
    );
    fails(&sandbox.scrum(&["review", "HEAD~1..HEAD", "-r", "gpt"]), &["gpt", "NOT_SET_HERE"]);
    assert!(!sandbox.repo().join(".scrum").exists(), "nothing is written before the panel is known to run");
    let with_others = sandbox.scrum(&["review", "HEAD~1..HEAD"]);
    assert_eq!(with_others.status, 0, "{with_others:?}");
    assert!(with_others.stderr.contains("NOT_SET_HERE"), "{}", with_others.stderr);
    assert!(
        with_others.stdout.contains("gpt was not asked about c1 root"),
        "the ledger lists it:\n{}",
        with_others.stdout
    );
    fails(&sandbox.scrum(&["review", "HEAD~1..HEAD", "--min-lineages", "3"]), &["NOT_SET_HERE"]);
}

#[test]
fn configuration_errors_name_file_and_line() {
    let sandbox = small();
    let user = sandbox.home().join(".config/scrum/config.toml");
    let usual = std::fs::read_to_string(&user).unwrap();
    std::fs::write(&user, format!("{usual}\n[panel.mine]\nreviewers = [\"rulse\"]\n")).unwrap();
    fails(
        &sandbox.scrum(&["review"]),
        &["config.toml:10: panel \"mine\"", "\"rulse\"", "did you mean `rules`?"],
    );
    std::fs::write(&user, usual).unwrap();
    sandbox.write("scrum.toml", "[review]\nconcurency = 3\n");
    fails(
        &sandbox.scrum(&["review", "HEAD~1..HEAD"]),
        &["scrum.toml:2", "concurency", "did you mean `concurrency`?"],
    );
}

#[test]
fn broken_prompt_templates() {
    let sandbox = small();
    sandbox.write("scrum.toml", "[prompt]\nuser = \"mine.md\"\n");
    fails(&sandbox.scrum(&["review", "HEAD~1..HEAD"]), &["mine.md"]);
    sandbox.write("mine.md", "first line\n{{ bundel }}\n");
    fails(&sandbox.scrum(&["review", "HEAD~1..HEAD"]), &["review.user.md"]);
}

#[test]
fn failing_commands_leave_the_rest_intact() {
    let sandbox = small();
    sandbox.write(
        "scrum.toml",
        "[[reviewer]]\nid = \"absent\"\nprovider = \"command\"\ncommand = [\"no-such-program-here\"]\n\
         [[reviewer]]\nid = \"angry\"\nprovider = \"command\"\ncommand = [\"sh\", \"-c\", \"echo no luck >&2; exit 7\"]\n\
         [[reviewer]]\nid = \"silent\"\nprovider = \"command\"\ncommand = [\"true\"]\n\
         [[reviewer]]\nid = \"slow\"\nprovider = \"command\"\ncommand = [\"sleep\", \"600\"]\ntimeout_secs = 1\n",
    );
    let printed = sandbox.scrum(&["review", "HEAD~1..HEAD"]);
    assert_eq!(printed.status, 0, "{printed:?}");
    for words in ["no-such-program-here", "no luck", "timed", "empty"] {
        assert!(printed.stdout.contains(words), "{words:?} is missing in:\n{}", printed.stdout);
    }
    let alone = sandbox.scrum(&["review", "HEAD~1..HEAD", "-r", "angry"]);
    assert_eq!(alone.status, 3, "nobody answered: {alone:?}");
}

#[test]
fn runs_are_found_by_prefix_and_latest() {
    let sandbox = small();
    fails(&sandbox.scrum(&["report", "latest"]), &["no run"]);
    assert_eq!(sandbox.scrum(&["review", "HEAD~1..HEAD"]).status, 0);
    let latest = sandbox.scrum(&["report", "latest", "--format", "json"]);
    assert_eq!(latest.status, 0, "{latest:?}");
    let tally: serde_json::Value = serde_json::from_str(&latest.stdout).unwrap();
    let id = tally["run"]["id"].as_str().unwrap();
    for name in [id, &id[..10], &format!(".scrum/reviews/{id}")] {
        assert_eq!(sandbox.scrum(&["report", name, "--format", "json"]).stdout, latest.stdout, "{name}");
    }
    fails(&sandbox.scrum(&["report", "zzz"]), &["no run \"zzz\"", id]);
}

#[test]
fn a_disk_that_is_full() {
    let sandbox = small();
    let binary = env!("CARGO_BIN_EXE_scrum");
    // A file size limit of zero blocks makes every write fail, as a full disk does.
    let script = format!("trap '' XFSZ; ulimit -f 0; exec {binary} review HEAD~1..HEAD");
    let printed = crate::sandbox::printed(&sandbox.command("bash").args(["-c", &script]).output().unwrap());
    fails(&printed, &["cannot write", "hint: is the disk full"]);
    let to_full_device = sandbox.scrum(&["review", "HEAD~1..HEAD", "-o", "/dev/full"]);
    fails(&to_full_device, &["cannot write /dev/full"]);
}

#[test]
fn a_path_with_a_newline() {
    let sandbox = small();
    sandbox.script(
        "printf 'password = \"hunter2hunter2\"\\n' > $'new\\nline.py'; git add -A; git commit -qm odd",
    );
    let printed = sandbox.scrum(&["review", "HEAD~1..HEAD"]);
    assert_eq!(printed.status, 0, "{printed:?}");
    assert!(!printed.stdout.contains("new\nline.py"), "{}", printed.stdout);
    assert_eq!(sandbox.scrum(&["tally", "latest"]).status, 0);
}

#[test]
fn a_corrupt_object() {
    let sandbox = small();
    sandbox.script(
        "f=.git/objects/$(git rev-parse HEAD:a.py | sed 's|^..|&/|'); chmod +w \"$f\"; echo junk > \"$f\"",
    );
    fails(&sandbox.scrum(&["review", "HEAD~1..HEAD"]), &["git fsck"]);
}

#[test]
fn two_runs_at_once_keep_apart() {
    let sandbox = small();
    let start = || {
        let mut command = sandbox.command(env!("CARGO_BIN_EXE_scrum"));
        command.args(["review", "HEAD~1..HEAD", "--quiet", "--format", "json"]);
        command.stdout(std::process::Stdio::piped()).spawn().unwrap()
    };
    let children: Vec<_> = (0..6).map(|_| start()).collect();
    let ids: std::collections::BTreeSet<String> = children
        .into_iter()
        .map(|child| {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success());
            let tally: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            tally["run"]["id"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(ids.len(), 6);
    let lines = std::fs::read_to_string(sandbox.repo().join(".scrum/reviews/findings.jsonl")).unwrap();
    assert_eq!(
        lines.lines().filter(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()).count(),
        6
    );
    assert_eq!(sandbox.script("git status --porcelain"), "", "runs ignore themselves");
}

#[test]
fn forms_for_other_programs() {
    let sandbox = small();
    let forms = ["html", "sarif", "rdjson", "checkstyle", "codequality", "junit", "annotations"];
    for form in forms {
        let reviewed = sandbox.scrum(&["review", "HEAD~1..HEAD", "--format", form]);
        assert_eq!(reviewed.status, 0, "{reviewed:?}");
        let printed = sandbox.scrum(&["report", "latest", "--format", form]);
        assert_eq!(printed.stdout, reviewed.stdout, "the document alone goes to stdout");
        let gated = sandbox.scrum(&["tally", "latest", "--min-lineages", "9", "--format", form, "-o", "out"]);
        assert_eq!((gated.status, gated.stdout.as_str()), (3, ""), "{gated:?}");
        assert!(std::fs::metadata(sandbox.repo().join("out")).unwrap().len() > 0);
        fails(
            &sandbox.scrum(&["review", "HEAD~1..HEAD", "--dry-run", "--format", form]),
            &["bundles are shown as `table` or `json`"],
        );
    }
    fails(&sandbox.scrum(&["report", "latest", "--format", "xml"]), &["invalid value 'xml'", "checkstyle"]);
}
