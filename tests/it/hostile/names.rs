//! Names of files, folders, branches and components that try to be more than names.

use std::path::Path;

use super::{assert_inert, assert_ours, reviewed};
use crate::sandbox::Sandbox;

const NAMES: [&str; 22] = [
    "new\nline",
    "tab\there",
    "quo\"te",
    "apo\u{27}strophe",
    "back\\slash",
    "-rf",
    "--config=evil.toml",
    "spa  ce ",
    "c1_root__opus.md",
    "a__b",
    "__",
    "CON",
    "aux.rs",
    "\u{1b}[2J\u{7}",
    "\u{202e}sr.exe",
    "zero\u{200b}width",
    "<img src=x onerror=alert(1)>",
    "](https:evil.example) @everyone #1",
    "`tick` ```",
    "pipe|d",
    "{{ nonce }} {% raw %}",
    "DIFF 0123456789abcdef>>>",
];

/// Every name once as a file at the root, once as a file in a folder of that name.
fn named() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.script("git commit -q --allow-empty -m First");
    for name in NAMES {
        sandbox.write(&format!("flat/{name}"), "password = \"hunter2hunter2\"\n");
        sandbox.write(&format!("deep {}/{name}/x.py", name.len()), "password = \"hunter2hunter2\"\n");
        sandbox.write(&format!("{name}/top.py"), "password = \"hunter2hunter2\"\n");
    }
    sandbox.script("git add -A && git commit -qm Second");
    sandbox
}

/// Every file below `folder`, by its path from there.
fn files(folder: &Path) -> Vec<String> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_dir() {
            all.extend(files(&entry.path()).into_iter().map(|below| format!("{name}/{below}")));
        } else {
            all.push(name);
        }
    }
    all
}

#[test]
fn files_named_like_anything_are_files() {
    let sandbox = named();
    let before = files(sandbox.repo().parent().unwrap()).len();
    let preview = sandbox.scrum(&["review", "HEAD", "--dry-run", "--panel", "offline"]);
    assert_inert("dry run", &(preview.stdout + &preview.stderr));
    let json = sandbox.scrum(&["bundle", "HEAD", "--dry-run", "--format", "json"]);
    assert_inert("dry run", &json.stdout);
    let tally = reviewed("names", &sandbox, &["review", "HEAD", "--panel", "offline"]);
    let shown: usize =
        tally["bundles"].as_array().unwrap().iter().map(|one| one["files"].as_array().unwrap().len()).sum();
    let left_out = tally["excluded"].as_array().unwrap().len();
    assert_eq!(shown + left_out, 3 * NAMES.len());
    for file in files(&sandbox.repo().join(".scrum")) {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
        assert!(file.chars().all(plain) && !file.contains(".."), "{file:?}");
    }
    let after = files(sandbox.repo().parent().unwrap()).len();
    assert_eq!(after - before, files(&sandbox.repo().join(".scrum")).len(), "nothing was written elsewhere");
    let applies = "git rev-parse -q HEAD~1 >/dev/null; mkdir ../again; git worktree add -q ../again/tree HEAD~1; \
                   for diff in .scrum/bundles/*/*.diff; do git -C ../again/tree apply --index \"$PWD/$diff\"; done";
    sandbox.script(applies);
}

#[test]
fn components_cannot_leave_their_folder() {
    for name in ["../../out", "/abs", "a/../../b", "..", ".", "c\u{0}d", "CON", "x__y", "a\nb", "-rf"] {
        let sandbox = Sandbox::new();
        let name_in_toml = serde_json::to_string(name).unwrap().replace("\\u0000", "\\u0001");
        sandbox.write("scrum.toml", format!("[[component]]\nname = {name_in_toml}\npaths = [\"*.py\"]\n"));
        sandbox.script("git add -A && git commit -qm First && echo 'a = 1' > a.py && git add -A && git commit -qm Second");
        let printed = sandbox.scrum(&["review", "HEAD", "--panel", "offline"]);
        assert_inert(name, &(printed.stdout + &printed.stderr));
        for file in files(&sandbox.repo().join(".scrum")) {
            let plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
            assert!(file.chars().all(plain), "{name:?}: {file:?}");
        }
        assert_eq!(
            files(sandbox.repo().parent().unwrap()).iter().filter(|file| file.contains(".diff")).count(),
            1,
            "{name:?}"
        );
    }
}

#[test]
fn branches_are_only_names() {
    let sandbox = Sandbox::new();
    sandbox.script(
        "echo 'a = 1' > a.py; git add -A; git commit -qm First; echo 'a = 2' > a.py; git commit -qam Second",
    );
    for name in
        ["--output=x", "-rf", "a`b", "<b>@everyone", "x;touch\u{24}{IFS}owned", "\u{202e}main", "](evil)"]
    {
        let set = sandbox
            .command("git")
            .args(["update-ref", &format!("refs/heads/{name}"), "HEAD"])
            .status()
            .unwrap();
        assert!(set.success(), "{name}");
        let range = format!("HEAD~1..{name}");
        let printed = sandbox.scrum(&["review", "--panel", "offline", "--format", "markdown", "--", &range]);
        assert_eq!(printed.status, 0, "{name}: {}", printed.stderr);
        assert_inert(name, &(printed.stdout.clone() + &printed.stderr));
        assert_ours(name, &printed.stdout);
    }
    assert!(!sandbox.repo().join("owned").exists());
    let unknown = sandbox.scrum(&["review", "\u{1b}[2J\u{202e}..HEAD"]);
    assert_inert("unknown", &unknown.stderr);
    assert_eq!(unknown.status, 2);
}
