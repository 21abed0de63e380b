//! More context and files kept from reviewers, as a user meets them.

use std::fs;

use crate::sandbox::Sandbox;

const RUST: &str = "use std::io;\n\nfn first(a: u32) -> u32 {\n    let b = a + 1;\n    let c = b * 2;\n    let d = c - 3;\n    let e = d + 4;\n    let f = e * 5;\n    f\n}\n\n// between\n\nfn second() {\n    one();\n    two();\n    three();\n    four();\n    five();\n    six();\n    seven();\n    eight();\n}\n\nfn third() {}\n";
const PYTHON: &str = "class Store:\n    def load(self):\n        a = 1\n        b = 2\n        c = 3\n        d = 4\n        e = 5\n        return a\n\n    def save(self):\n        pass\n";

/// A repository whose last commit changes a line of two functions.
fn scene() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("src/a.rs", RUST);
    sandbox.write("src/b.py", PYTHON.trim_end());
    sandbox.script("git add -A; git commit -qm start");
    sandbox.write("src/a.rs", RUST.replace("eight();", "nine();"));
    sandbox.write("src/b.py", PYTHON.trim_end().replace("return a", "return a + e"));
    sandbox.script("git add -A; git commit -qm change");
    sandbox
}

fn diff_of(sandbox: &Sandbox) -> String {
    let folder =
        fs::read_dir(sandbox.repo().join(".scrum/bundles")).unwrap().flatten().next().unwrap().path();
    let diffs = fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path());
    let diff = diffs.into_iter().find(|path| path.extension().is_some_and(|end| end == "diff")).unwrap();
    fs::read_to_string(diff).unwrap()
}

#[test]
fn hunks_grow_to_their_function_and_still_apply() {
    let sandbox = scene();
    let printed = sandbox.scrum(&["bundle", "HEAD~1..HEAD", "--context", "function"]);
    assert_eq!(printed.status, 0, "{printed:?}");
    assert!(printed.stderr.contains("context: 2 of 2 hunks grown to their function\n"), "{}", printed.stderr);
    let diff = diff_of(&sandbox);
    insta::assert_snapshot!(diff, @r"
    diff --git a/src/a.rs b/src/a.rs
    index 5a034ec7a3..f03b06c539 100644
    --- a/src/a.rs
    +++ b/src/a.rs
    @@ -14,12 +14,12 @@
     fn second() {
         one();
         two();
         three();
         four();
         five();
         six();
         seven();
    -    eight();
    +    nine();
     }
     
     fn third() {}
    diff --git a/src/b.py b/src/b.py
    index faa6eadf34..bde6d74d72 100644
    --- a/src/b.py
    +++ b/src/b.py
    @@ -2,10 +2,10 @@
         def load(self):
             a = 1
             b = 2
             c = 3
             d = 4
             e = 5
    -        return a
    +        return a + e
     
         def save(self):
             pass
    \ No newline at end of file
    ");
    sandbox.script("git checkout -q HEAD~1; git apply .scrum/bundles/*/*.diff; git diff --exit-code main");
    let reviewed = sandbox.scrum(&["review", "main~1..main", "--context", "function", "--format", "json"]);
    let tally: serde_json::Value = serde_json::from_str(&reviewed.stdout).unwrap();
    let context = &tally["run"]["context"];
    assert_eq!(
        (&context["asked"], &context["grown"], &context["hunks"]),
        (&"function".into(), &2.into(), &2.into())
    );
    let bytes = context["bytes"].as_u64().unwrap();
    assert!(bytes > 50, "{context}");
    let line = format!("Context: 2 of 2 hunks shown with the whole function, {bytes} bytes more");
    for format in ["table", "markdown"] {
        let report = sandbox.scrum(&["report", "latest", "--format", format]).stdout;
        assert!(report.contains(&line), "{report}");
    }
}

#[test]
fn hunks_grow_to_their_file_while_the_bundle_is_not_large() {
    let sandbox = scene();
    sandbox.write("scrum.toml", "[bundle]\ncontext = \"file\"\nwarn_bytes = 740\n");
    let printed = sandbox.scrum(&["bundle", "HEAD~1..HEAD"]);
    assert!(
        printed
            .stderr
            .contains("context: 1 of 2 hunks grown to their file; 1 left, the bundle would pass 740 bytes\n"),
        "{}",
        printed.stderr
    );
    let folder =
        fs::read_dir(sandbox.repo().join(".scrum/bundles")).unwrap().flatten().next().unwrap().path();
    let manifest = fs::read_to_string(folder.join("manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!(
        (manifest["context"]["asked"].as_str(), manifest["context"]["too_large"].as_u64()),
        (Some("file"), Some(1))
    );
    sandbox.script(
        "rm scrum.toml; git checkout -q HEAD~1; git apply .scrum/bundles/*/*.diff; git diff --exit-code main",
    );
}

#[test]
fn without_the_file_before_it_is_said() {
    let sandbox = scene();
    sandbox.script("git diff HEAD~1 HEAD > ../change.diff");
    let printed =
        sandbox.scrum(&["bundle", "--diff", "../change.diff", "--context", "function", "--dry-run"]);
    let expect =
        "context: 0 of 2 hunks grown to their function; 2 left, the file before the change is not at hand\n";
    assert!(printed.stderr.contains(expect), "{}", printed.stderr);
}

#[test]
fn scrumignore_keeps_files_from_every_reviewer() {
    let sandbox = Sandbox::new();
    sandbox.write(".scrumignore", "# not for models\ncustomers/\n*.sql\n!schema.sql\n");
    sandbox.script("git add -A; git commit -qm start");
    for path in ["customers/list.py", "dump.sql", "schema.sql", "app.py"] {
        sandbox.write(path, "row()\n");
    }
    sandbox.script("git add -A; git commit -qm change");
    let printed = sandbox.scrum(&["bundle", "HEAD~1..HEAD", "--dry-run", "--include", "**"]);
    assert!(
        printed
            .stdout
            .contains("2 files kept from reviewers by .scrumignore: customers/list.py and dump.sql"),
        "{}",
        printed.stdout
    );
}

#[test]
fn a_change_cannot_hide_itself_by_a_scrumignore_of_its_own() {
    let sandbox = Sandbox::new();
    sandbox.script("git commit -q --allow-empty -m start; git switch -qc feature");
    sandbox.write(".scrumignore", "evil.py\n");
    sandbox.write("evil.py", "row()\n");
    sandbox.script("git add -A; git commit -qm change");
    let printed = sandbox.scrum(&["bundle", "main..HEAD", "--dry-run"]);
    assert!(!printed.stdout.contains("kept from reviewers"), "{}", printed.stdout);
    assert!(printed.stderr.contains(".scrumignore"), "{}", printed.stderr);
}
