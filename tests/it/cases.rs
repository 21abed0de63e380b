//! Runs every folder of `tests/cases` and compares what is printed.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use regex::Regex;

use crate::sandbox::{Sandbox, copy};

#[test]
fn cases() {
    let mut wrong = Vec::new();
    let folders = case_folders();
    assert!(!folders.is_empty(), "no cases found");
    for folder in folders {
        let printed = run_case(&folder);
        let expected = folder.join("expected");
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            fs::write(&expected, &printed).unwrap();
        } else if fs::read_to_string(&expected).unwrap_or_default() != printed {
            wrong.push(format!("{}:\n{printed}", folder.display()));
        }
    }
    assert!(wrong.is_empty(), "UPDATE_EXPECTED=1 writes these down:\n{}", wrong.join("\n"));
}

fn case_folders() -> Vec<PathBuf> {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut folders: Vec<_> =
        fs::read_dir(all).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

fn run_case(folder: &Path) -> String {
    let sandbox = Sandbox::new();
    sandbox.script(&fs::read_to_string(folder.join("history.sh")).unwrap());
    for name in ["scrum.toml", "replies"] {
        copy(&folder.join(name), &sandbox.repo().join(name));
    }
    let mut printed = String::new();
    for line in fs::read_to_string(folder.join("commands")).unwrap().lines() {
        let arguments: Vec<&str> = line.split_whitespace().collect();
        let output = sandbox.scrum(&arguments);
        writeln!(printed, "$ scrum {line}\n{}", mask(&output.stdout, &sandbox)).unwrap();
        writeln!(
            printed,
            "stderr, sorted:\n{}status: {}\n",
            sorted(&mask(&output.stderr, &sandbox)),
            output.status
        )
        .unwrap();
    }
    printed
}

/// Tasks end in any order.
fn sorted(text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines.iter().flat_map(|line| [line, "\n"]).collect()
}

/// Replaces what differs from run to run.
fn mask(text: &str, sandbox: &Sandbox) -> String {
    let text = text.replace(&sandbox.repo().display().to_string(), "REPO");
    let patterns = [
        (r"\d{8}-\d{9}-[0-9a-f]{6}", "RUN"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME"),
        (r"\d+(\.\d+)? m?s\b", "N s"),
        (r#""(latency|asked|first_token)_ms": \d+"#, r#""${1}_ms": N"#),
    ];
    patterns.iter().fold(text, |text, (pattern, mark)| {
        Regex::new(pattern).unwrap().replace_all(&text, *mark).into_owned()
    })
}
