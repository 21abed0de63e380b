//! Static tools as reviewers: real ones, and programs that behave as badly as tools can.

use std::{path::PathBuf, process::Command};

use serde_json::Value;

use crate::sandbox::{Printed, Sandbox};

/// What a whole run left.
struct Run {
    printed: Printed,
    tally: Value,
    sandbox: Sandbox,
}

impl Run {
    /// State and reason of each task of `reviewer`, in bundle order.
    fn coverage(&self, reviewer: &str) -> Vec<(String, String)> {
        let of = |entry: &Value, key: &str| entry[key].as_str().unwrap_or_default().to_owned();
        let entries = self.tally["coverage"].as_array().unwrap().iter();
        entries
            .filter(|entry| entry["reviewer"] == reviewer)
            .map(|entry| (of(entry, "state"), of(entry, "reason")))
            .collect()
    }

    /// Place, severity and claim of each finding of `lineage`, sorted.
    fn findings(&self, lineage: &str) -> Vec<String> {
        let members = self.tally["issues"].as_array().unwrap().iter();
        let members = members.flat_map(|issue| issue["members"].as_array().unwrap());
        let told = |member: &Value| {
            let text = |key: &str| member[key].as_str().unwrap().to_owned();
            format!("{} {} {}: {}", text("severity"), text("where"), text("anchor"), text("what"))
        };
        let mut all: Vec<String> = members.filter(|member| member["lineage"] == lineage).map(told).collect();
        all.sort();
        all
    }

    fn replies(&self, reviewer: &str) -> Vec<String> {
        let replies = self.sandbox.repo().join(".scrum/reviews");
        let run =
            std::fs::read_dir(replies).unwrap().map(|entry| entry.unwrap().path()).find(|path| path.is_dir());
        let folder = run.unwrap().join("replies");
        let is_wanted = |path: &PathBuf| path.to_string_lossy().ends_with(&format!("__{reviewer}.md"));
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(is_wanted).collect();
        files.sort();
        files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect()
    }
}

/// Reviews `range` of `sandbox` with the reviewers of `toml`.
fn review(sandbox: Sandbox, toml: &str, range: &[&str], variables: &[(&str, &str)]) -> Run {
    sandbox.write("../scrum.toml", toml);
    let ids: Vec<&str> =
        toml.lines().filter_map(|line| line.strip_prefix("id = \"")?.strip_suffix('"')).collect();
    let asked = ids.iter().flat_map(|id| ["-r", id]);
    let arguments = ["--config", "../scrum.toml", "review", "--format", "json"].into_iter();
    let arguments: Vec<&str> = arguments.chain(range.iter().copied()).chain(asked).collect();
    let printed = sandbox.scrum_with(&arguments, variables);
    let tally = serde_json::from_str(&printed.stdout).unwrap_or_else(|_| panic!("{}", printed.stderr));
    Run { printed, tally, sandbox }
}

/// A repository in which `two` lays over `one`, each a shell script.
fn history(one: &str, two: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    for script in [one, two] {
        sandbox.script(&format!("{script}\ngit add -A . && git commit -q -m change"));
    }
    sandbox
}

/// Whether `program` runs here. Where it does not, the test ends, in CI with an error.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn is_there(program: &str, arguments: &[&str]) -> bool {
    let works = Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success());
    if !works {
        assert!(
            std::env::var_os("CI").is_none_or(|ci| ci != "true"),
            "{program} is missing: .ci/run installs it"
        );
        eprintln!("skipped: `{program}` is not installed");
    }
    works
}

const RUFF: &str = "[[reviewer]]\nid = \"ruff\"\npreset = \"ruff\"\n";
const PYTHON: &str =
    "cat > app.py <<'E'\nimport os\n\n\ndef first(items=[]):\n    return items[0]\nE\ncp app.py old.py";
const MORE_PYTHON: &str =
    "printf '\\n\\ndef last(items):\\n    size = len(items)\\n    return item[-1]\\n' >> app.py";

#[test]
fn ruff_for_real() {
    if !is_there("ruff", &["--version"]) {
        return;
    }
    let run = review(history(PYTHON, MORE_PYTHON), RUFF, &["HEAD"], &[]);
    assert_eq!(
        run.findings("static:ruff"),
        [
            "WARN app.py:10 changed: Undefined name `item` (F821).",
            "WARN app.py:9 changed: Local variable `size` is assigned to but never used (F841).",
        ]
    );
    let reply = &run.replies("ruff")[0];
    assert!(reply.contains("on lines this change does not touch\nEND "), "{reply}");
    // How many there are is for the installed version's default rules to say.
    let (state, reason) = &run.coverage("ruff")[0];
    let (older, lines) = reason.split_once(" older finding").unwrap();
    assert!(state == "answered" && older.parse::<u8>().unwrap() > 0, "{reason}");
    assert!(lines.ends_with(" on other lines of the changed files"), "{reason}");
}

#[test]
fn ruff_sees_the_change_and_not_what_was_edited_since() {
    if !is_there("ruff", &["--version"]) {
        return;
    }
    let found = |sandbox: Sandbox, range: &[&str]| review(sandbox, RUFF, range, &[]).findings("static:ruff");
    let expect = [
        "WARN app.py:10 changed: Undefined name `item` (F821).",
        "WARN app.py:9 changed: Local variable `size` is assigned to but never used (F841).",
    ];
    let edited = history(PYTHON, MORE_PYTHON);
    edited.script("printf '# a\\n# b\\n' | cat - app.py > new && mv new app.py");
    assert_eq!(found(edited, &["HEAD"]), expect);
    let earlier = history(PYTHON, MORE_PYTHON);
    earlier.script("git rm -q app.py && git commit -q -m gone");
    assert_eq!(found(earlier, &["HEAD~1"]), expect);
    let staged = history(PYTHON, "true; git commit -q --allow-empty -m x; echo y > y");
    staged.script(&format!("{MORE_PYTHON}\ngit add app.py && echo 'broken (' > app.py"));
    assert_eq!(found(staged, &["--staged"]), expect);
    let work = history(PYTHON, "echo y > y");
    work.script(MORE_PYTHON);
    assert_eq!(found(work, &["--worktree"]), expect);
    let bare = history(PYTHON, MORE_PYTHON);
    bare.script("git clone -q --bare . ../bare.git && rm -rf .git * && cp -r ../bare.git/. .");
    assert_eq!(found(bare, &["HEAD"]), expect);
}

#[test]
fn odd_names_are_names() {
    if !is_there("ruff", &["--version"]) {
        return;
    }
    let components = "[[component]]\nname = \"x\"\npaths = [\"x\"]\n[[component]]\nname = \"y\"\npaths = [\"y\"]\n[[component]]\nname = \"docs\"\npaths = [\"docs\"]\n";
    let sandbox = history(
        "echo 1 > start",
        "mkdir x y docs; for f in 'x/--fix.py' 'y/sp ace [x] ä.py' 'y/%41.py'; do echo 'import os' > \"$f\"; done; ln -s /etc/hostname y/link.py; echo text > docs/read.md",
    );
    let run = review(sandbox, &format!("{components}{RUFF}"), &["HEAD"], &[]);
    let expect = ["x/--fix.py", "y/%41.py", "y/sp ace [x] ä.py"];
    let expect = expect.map(|path| format!("WARN {path}:1 changed: `os` imported but unused (F401)."));
    assert_eq!(run.findings("static:ruff"), expect);
    assert_eq!(run.coverage("ruff"), vec![("answered".to_owned(), String::new()); 3]);
    let replies = run.replies("ruff");
    assert!(
        replies[0].starts_with("VERDICT: ship, nothing to remark; nothing for ruff in this bundle\nEND "),
        "{replies:?}"
    );
}

/// Reviews with clippy what `change` does to a small package.
fn clippy(before: &str, change: &str, after: &str) -> Run {
    let package = r#"mkdir -p core/src core/tests; echo target > .gitignore
        printf '[package]\nname = "core-x"\nversion = "0.1.0"\nedition = "2021"\n' > core/Cargo.toml
        echo 'pub fn one(a: &Vec<u8>) -> usize { a.len() }' > core/src/lib.rs"#;
    let sandbox = history(&format!("{package}\n{before}"), change);
    sandbox.script(after);
    let home = std::env::var("HOME").unwrap();
    let folder = |name: &str, usual: &str| std::env::var(name).unwrap_or_else(|_| format!("{home}/{usual}"));
    let (rustup, cargo) = (folder("RUSTUP_HOME", ".rustup"), folder("CARGO_HOME", ".cargo"));
    let toml = "[[reviewer]]\nid = \"clippy\"\npreset = \"clippy\"\n";
    review(sandbox, toml, &["HEAD"], &[("RUSTUP_HOME", &rustup), ("CARGO_HOME", &cargo)])
}

#[test]
fn clippy_for_real() {
    if !is_there("cargo", &["clippy", "--version"]) {
        return;
    }
    let run = clippy("", "echo 'pub fn two(a: &[u8]) -> bool { a.len() == 0 }' >> core/src/lib.rs", "");
    assert_eq!(
        run.findings("static:clippy"),
        ["WARN core/src/lib.rs:2 changed: length comparison to zero (clippy::len_zero)."],
        "{}",
        run.printed.stderr
    );
    let reply = &run.replies("clippy")[0];
    assert!(reply.contains("; 1 older finding on lines this change does not touch\nEND "), "{reply}");
}

#[test]
fn clippy_on_code_that_does_not_compile() {
    if !is_there("cargo", &["clippy", "--version"]) {
        return;
    }
    let broken =
        clippy("", "echo 'pub fn two() -> u8 { one() }' >> core/src/lib.rs", "").findings("static:clippy");
    assert!(broken[0].starts_with("BLOCK core/src/lib.rs:2 changed: "), "{broken:?}");

    let caller = "echo 'use core_x::one; #[test] fn t() { one(&vec![]); }' > core/tests/t.rs";
    let run = clippy(caller, "sed -i s/one/uno/ core/src/lib.rs", "");
    let (state, reason) = &run.coverage("clippy")[0];
    let expect = "clippy: stopped before it could look at the change: core/tests/t.rs:1: ";
    assert!(state == "failed" && reason.starts_with(expect), "{state}: {reason}");
}

#[test]
fn clippy_is_not_asked_about_code_that_is_not_checked_out() {
    let run = clippy("", "echo '// two' >> core/src/lib.rs", "echo '// three' >> core/src/lib.rs");
    let (state, reason) = &run.coverage("clippy")[0];
    assert!(
        state == "failed" && reason.starts_with("clippy: needs the work tree as of commit "),
        "{state}: {reason}"
    );
}

/// A tool that is a shell script.
fn script(lines: &str, more: &str) -> String {
    format!(
        "[[reviewer]]\nid = \"tool\"\nprovider = \"sarif\"\nmodel = \"tool\"\ncommand = [\"sh\", \"-c\", '''{lines}''']\n{more}\n"
    )
}

const LOG: &str = r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"t"}},"results":[{"level":"error","message":{"text":"m"},"locations":[{"physicalLocation":{"artifactLocation":{"uri":"a.txt"},"region":{"startLine":2}}}]}]}]}"#;

#[test]
fn exit_statuses_say_what_the_preset_says_they_say() {
    let check = |lines: &str, more: &str, expect_state: &str, expect_reason: &str| {
        let sandbox = history("echo one > a.txt", "echo two >> a.txt");
        let run = review(sandbox, &script(lines, more), &["HEAD"], &[]);
        let (state, reason) = run.coverage("tool")[0].clone();
        assert_eq!((state.as_str(), reason.as_str()), (expect_state, expect_reason), "{lines}");
        assert_eq!(run.findings("static:tool").len(), usize::from(expect_state == "answered"), "{lines}");
    };
    let log = format!("echo '{LOG}'");
    check(&log, "", "answered", "");
    check(&format!("{log}; exit 1"), "finding_exits = [1]", "answered", "");
    check(
        &format!("{log}; echo bad option >&2; exit 2"),
        "finding_exits = [1]",
        "failed",
        "program `sh`: exit status 2: bad option",
    );
    let hint = "there is a report; where this status means findings, set finding_exits = [1]";
    check(&format!("{log}; exit 1"), "", "failed", &format!("program `sh`: exit status 1: {hint}"));
    let words = format!("program `sh`: exit status 1: 1 finding; {hint}");
    check(&format!("{log}; echo 1 finding >&2; exit 1"), "", "failed", &words);
    check("exit 1", "", "failed", "program `sh`: exit status 1");
    check(
        "echo no such plugin >&2; exit 1",
        "finding_exits = [1]",
        "failed",
        "program `sh`: the report is empty; it says: no such plugin",
    );
    check("kill -9 $$", "finding_exits = [1]", "failed", "program `sh`: killed by signal 9");
}

#[test]
fn a_tool_runs_once_for_all_bundles() {
    let components =
        ["a", "b"].map(|name| format!("[[component]]\nname = \"{name}\"\npaths = [\"{name}.txt\"]\n"));
    let sandbox = history("echo one > a.txt", "echo two >> a.txt; echo one > b.txt");
    let tool = script("echo run >> ../runs; cat ../log.sarif", "");
    sandbox.write("../log.sarif", LOG);
    let run = review(sandbox, &format!("{}{tool}", components.concat()), &["HEAD"], &[]);
    assert_eq!(run.coverage("tool"), vec![("answered".to_owned(), String::new()); 2]);
    assert_eq!(run.findings("static:tool"), ["BLOCK a.txt:2 changed: m."]);
    assert_eq!(std::fs::read_to_string(run.sandbox.repo().join("../runs")).unwrap(), "run\n");
}

#[test]
fn a_report_is_read_from_the_file_the_tool_writes_or_from_a_saved_one() {
    let sandbox = history("echo one > a.txt", "echo two >> a.txt");
    let writes = "[[reviewer]]\nid = \"tool\"\nprovider = \"sarif\"\nmodel = \"tool\"\ncommand = [\"cp\", \"../log.sarif\", \"{report}\"]\n";
    sandbox.write("../log.sarif", LOG);
    let run = review(sandbox, writes, &["HEAD"], &[]);
    assert_eq!(run.findings("static:tool"), ["BLOCK a.txt:2 changed: m."]);

    let sandbox = history("echo one > a.txt", "echo two >> a.txt");
    sandbox.write("../log.sarif", LOG);
    let saved = "[[reviewer]]\nid = \"codeql\"\nprovider = \"sarif\"\nreport = \"log.sarif\"\nlevels = { error = \"INFO\" }\n";
    let run = review(sandbox, saved, &["HEAD"], &[]);
    assert_eq!(run.findings("static:codeql"), ["INFO a.txt:2 changed: m."]);
    assert!(!run.sandbox.repo().join("report").exists());
}

#[test]
fn a_report_or_a_program_that_comes_with_the_change_is_not_used() {
    let check = |entry: &str| {
        let sandbox = history(
            &format!("cat > scrum.toml <<'E'\n[[reviewer]]\nid = \"tool\"\nprovider = \"sarif\"\n{entry}\nE"),
            "echo two > a.txt; echo x > out.sarif; echo x > lint.sh",
        );
        let printed = sandbox.scrum(&["review", "HEAD", "-r", "tool", "-r", "rules"]);
        assert!(printed.stderr.contains("tool is not asked: "), "{}", printed.stderr);
    };
    check("report = \"out.sarif\"");
    check("command = [\"sh\", \"lint.sh\"]");
}

#[test]
fn mistakes_in_the_configuration_are_named() {
    let check = |toml: &str, expect: &str| {
        let sandbox = history("echo one > a.txt", "echo two >> a.txt");
        sandbox.write("../scrum.toml", format!("[[reviewer]]\nid = \"x\"\n{toml}"));
        let printed = sandbox.scrum(&["--config", "../scrum.toml", "review", "HEAD"]);
        assert_eq!(printed.status, 2, "{}", printed.stderr);
        assert!(printed.stderr.contains(expect), "{}", printed.stderr);
    };
    check(
        "provider = \"sarif\"",
        "needs a `command` that writes SARIF, or the SARIF file of an earlier run as `report`",
    );
    check("provider = \"sarif\"\ncommand = [\"\"]", "the `command` is empty");
    check(
        "provider = \"sarif\"\ncommand = [\"x\"]\nreport = \"y\"",
        "takes a `command` or a `report`, not both",
    );
    check("provider = \"sarif\"\nreport = \"y\"\nformat = \"cargo\"", "a saved `report` must be SARIF");
    check("provider = \"sarif\"\ncommand = [\"x\"]\npaths = [\"[\"]", "reviewer \"x\": bad glob \"[\"");
    check("provider = \"sarif\"\ncommand = [\"x\"]\nformat = \"xml\"", "format is `xml`, it must be one of");
    check(
        "provider = \"command\"\ncommand = [\"x\"]\nfinding_exits = [1]",
        "`finding_exits` means nothing to its provider",
    );
    check("preset = \"rufff\"", "no preset named \"rufff\"");
}
