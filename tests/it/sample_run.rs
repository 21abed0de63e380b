//! The committed sample run: its tally, computed again from its replies, is the same byte for byte.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::sandbox::{Sandbox, copy};

#[test]
fn the_committed_run_is_tallied_to_the_same_bytes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let runs = committed_runs(&root.join("reviews"));
    assert!(!runs.is_empty(), "reviews/ holds no committed run");
    for run in runs {
        let sandbox = with_run(&run);
        let id = run.file_name().unwrap();
        let printed = sandbox.scrum(&["tally", &format!("reviews/{}", id.to_string_lossy())]);
        assert_eq!(printed.status, 0, "{printed:?}");
        for product in ["tally.json", "tally.md", "report.html"] {
            let again = fs::read_to_string(sandbox.repo().join("reviews").join(id).join(product)).unwrap();
            if std::env::var_os("UPDATE_EXPECTED").is_some() {
                fs::write(run.join(product), &again).unwrap();
            }
            let committed = fs::read_to_string(run.join(product)).unwrap();
            assert!(committed == again, "{product} differs; UPDATE_EXPECTED=1 writes it down:\n{again}");
        }
    }
}

#[test]
fn the_page_is_opened_with_the_desktops_program() {
    let runs = committed_runs(&Path::new(env!("CARGO_MANIFEST_DIR")).join("reviews"));
    let sandbox = with_run(&runs[0]);
    let id = format!("reviews/{}", runs[0].file_name().unwrap().to_string_lossy());
    // Reading the pipe waits for the program, which outlives scrum.
    sandbox.script("mkdir desktop && mkfifo opened && printf '#!/bin/sh\necho \"$1\" > opened\n' > desktop/xdg-open && chmod +x desktop/xdg-open");
    let desktop = sandbox.repo().join("desktop");
    let printed = sandbox.scrum_with(&["report", &id, "--open"], &[("PATH", desktop.to_str().unwrap())]);
    assert_eq!((printed.status, printed.stdout.as_str()), (0, ""), "{}", printed.stderr);
    let opened = fs::read_to_string(sandbox.repo().join("opened")).unwrap();
    assert!(opened.ends_with("/report.html\n"), "{opened}");
    assert!(fs::read_to_string(opened.trim_end()).unwrap().starts_with("<!doctype html>"));

    let file = ["report", &id, "--format", "html", "-o", "page.html", "--open"];
    let printed = sandbox.scrum_with(&file, &[("PATH", "/nowhere")]);
    assert_eq!(printed.status, 2, "{printed:?}");
    assert!(printed.stderr.contains("no program here opens pages"), "{}", printed.stderr);
    assert!(printed.stderr.contains("hint: open page.html yourself"), "{}", printed.stderr);
    let table = sandbox.scrum(&["report", &id, "--format", "json", "--open"]);
    assert!(table.stderr.contains("only a page can be opened"), "{}", table.stderr);
}

/// A repository with a copy of the committed `run`.
fn with_run(run: &Path) -> Sandbox {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sandbox = Sandbox::new();
    let id = run.file_name().unwrap();
    for folder in ["bundles", "reviews"] {
        copy(&root.join(folder).join(id), &sandbox.repo().join(folder).join(id));
    }
    sandbox
}

fn committed_runs(reviews: &Path) -> Vec<PathBuf> {
    let listed = std::process::Command::new("git")
        .args(["ls-files", "--", "*/run.json"])
        .current_dir(reviews)
        .output()
        .unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    listed.lines().filter_map(|path| Some(reviews.join(Path::new(path).parent()?))).collect()
}
